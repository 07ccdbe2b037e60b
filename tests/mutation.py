"""Change the code in small ways and list the changes that no test notices, by cosmic-ray.

ONLY=path[,path…]   the files or folders that are changed (chalicelib/domain)
TESTS="path …"      the tests that should notice (tests/unit)
SAMPLE=n, SEED=n    the number of changes, and the seed they are chosen by (40, 0); SAMPLE=0: all

It works on a copy, since cosmic-ray edits the sources in place. Exit 1 when more than one change in
ten goes unnoticed; some survive because they change nothing, such as `or 0` where 1 serves as well.
"""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COSMIC_RAY = Path(sys.executable).with_name("cosmic-ray")
SHARED = (".venv", ".cache")  # linked, not copied
LEFT_OUT = shutil.ignore_patterns(
    ".git", *SHARED, ".hypothesis", "*_cache", "__pycache__", "node_modules", "out"
)
SURVIVING_MAX = 0.1
TIME_OUT_S = 300
# The other operators swap what no one confuses, such as + for >>, or stop the module's import.
OPERATORS = (
    *("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "NumberReplacer", "ExceptionReplacer"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceBreakWithContinue"),
    *("ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("IsNot_Is", "In_NotIn", "NotIn_In")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Add")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("FloorDiv_Mul", "BitAnd_BitOr")),
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tuan-mutation-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
        for name in SHARED:
            (copy / name).symlink_to(ROOT / name)
        (copy / "mutation.toml").write_text(_config())
        _cosmic_ray(copy, "init")
        with sqlite3.connect(copy / "mutation.sqlite") as session:
            _keep_sample(session)
        _cosmic_ray(copy, "baseline")
        _cosmic_ray(copy, "exec")
        return _report(sqlite3.connect(copy / "mutation.sqlite"))


def _config() -> str:
    only = os.environ.get("ONLY", "chalicelib/domain").split(",")
    tests = os.environ.get("TESTS", "tests/unit")
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {tests}"
    return (
        f"[cosmic-ray]\nmodule-path = {only}\ntimeout = {TIME_OUT_S}.0\nexcluded-modules = []\n"
        f'test-command = "{command}"\n[cosmic-ray.distributor]\nname = "local"\n'
    )


def _cosmic_ray(copy: Path, command: str) -> None:
    words = [str(COSMIC_RAY), command, "mutation.toml"]
    words += [] if command == "baseline" else ["mutation.sqlite"]
    subprocess.run(words, cwd=copy, check=True)


def _keep_sample(session: sqlite3.Connection) -> None:
    """Remove the changes that are not to be tried from the session."""
    found = session.execute("SELECT job_id, operator_name FROM mutation_specs ORDER BY 2, rowid")
    wanted = [job for job, operator in found if operator.partition("/")[2] in OPERATORS]
    size = int(os.environ.get("SAMPLE", "40")) or len(wanted)
    chosen = random.Random(os.environ.get("SEED", "0")).sample(wanted, min(size, len(wanted)))
    for table in ("mutation_specs", "work_items"):
        marks = ",".join("?" * len(chosen))
        session.execute(f"DELETE FROM {table} WHERE job_id NOT IN ({marks})", chosen)


def _report(session: sqlite3.Connection) -> int:
    results = list(session.execute("SELECT test_outcome, diff FROM work_results"))
    survived = [diff for outcome, diff in results if outcome == "SURVIVED"]
    print("\n".join([*survived, f"{len(results) - len(survived)} of {len(results)} noticed"]))  # noqa: T201
    return int(len(survived) > SURVIVING_MAX * len(results))


if __name__ == "__main__":
    sys.exit(main())
