"""Lock what is installed and packaged: `python -m infra.lock_requirements`.

Each .txt holds its .in and all that it needs, for every Python and platform, with the hash of every
file. That each package has a wheel for Lambda is tried for the app's own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from infra.package import ROOT

LOCKS = (
    "requirements",
    "requirements-dev",
    "infra/local/requirements-ministack",
    "infra/local/requirements-node",
)
OLDEST_PYTHON = "3.11"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Both of Lambda's processors; that a file fits its runtime's own glibc is tried when packaging.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")


def main() -> None:
    for name in LOCKS:
        compile_lock(name, sys.argv[1:])
    for python in PYTHONS:
        for platform in PLATFORMS:
            check(python, platform)


def compile_lock(name: str, options: list[str]) -> None:
    """Write NAME.txt from NAME.in; versions that it has already are kept where they fit."""
    given = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"]
    given += ["--no-header", "--no-emit-index-url", "--quiet"]
    _uv("pip", "compile", *given, *options, f"{name}.in", "--output-file", f"{name}.txt")


def check(python: str, platform: str) -> None:
    """Resolve requirements.txt as that Python of Lambda would, by its hashes, wheels alone."""
    lock = ROOT / "requirements.txt"
    given = ["--dry-run", "--quiet", "--require-hashes", "--target", tempfile.gettempdir()]
    given += ["--only-binary", ":all:"]
    given += ["--python-version", python, "--python-platform", platform]
    _uv("pip", "install", *given, "--requirements", str(lock))


def _uv(*words: str) -> None:
    command = [str(Path(sys.executable).parent / "uv"), *words]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if outcome.returncode:
        sys.exit(f"uv {' '.join(words)}:\n{outcome.stdout}{outcome.stderr}")


if __name__ == "__main__":
    main()
