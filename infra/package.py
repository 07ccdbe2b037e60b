"""Package the app for one stage: `python -m infra.package --stage dev` fills out/dev/ with
sam.json and deployment.zip, ready for `aws cloudformation package` and `deploy`.

Chalice makes the package; what it leaves out is added here: compiled modules (Lambda's task
folder is read-only, so every cold start would compile again), the alarms, what production must
say, and the proof that the package imports with nothing but itself.
"""

import argparse
import compileall
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

from infra import merge_template, wheels
from infra.alarms import alarms
from infra.lock import alone

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("local", "demo", "dev", "prod")
REGION = "cn-north-1"  # for programs that refuse to run without one; nothing is called there
IMPORT_CHECK = ROOT / "infra" / "import_check.py"
ZIP_NAME = "deployment.zip"
TASK_ROOT = "/var/task"  # where Lambda unpacks the zip; tracebacks name files under it

# The AWS services the app calls. botocore describes some four hundred, 20 MB of the package.
AWS_SERVICES = frozenset({"dynamodb", "s3", "ssm"})
# What Pillow brings for formats and texts that we do not draw, 8 MB of the package.
UNUSED_OF_PILLOW = re.compile(
    r"PIL/_(avif|imagingft|imagingtk)\.|pillow\.libs/lib(avif|freetype|harfbuzz|brotli\w+|png16)-"
)
# Parameters that are not left out of a real shop, and what they must be.
WANTED_IN_PRODUCTION = {
    "AlarmEmail": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "WebUrl": r"https://(?!shop\.example\.com)[^/].*[^/]",
}
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same sources give the same bytes


class PackagingFailed(Exception):
    """The package was not made, or would not run; the message says what to mend."""


def package(stage: str, *, project: Path = ROOT, out: Path | None = None) -> Path:
    """Package `project` for `stage` and return the folder that holds sam.json and the zip.

    Nothing is done when the sources, requirements and Python are those of the last time.
    Raises PackagingFailed when Chalice refuses, or when the zip does not import on its own.
    """
    folder = out or project / "out" / stage
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "fingerprint"
    with alone(project / "out" / "package.lock"):
        now = fingerprint(stage, project)
        if stamp.exists() and stamp.read_text() == now:
            return folder
        stamp.unlink(missing_ok=True)
        try:
            _run_chalice(stage, project, folder)
            complete_template(folder / "sam.json", stage)
            _rebuild_zip(folder / ZIP_NAME)
            check_imports(folder / ZIP_NAME)
        except PackagingFailed:
            # Chalice keeps what it made of these requirements, and would give it again.
            shutil.rmtree(project / ".chalice" / "deployments", ignore_errors=True)
            raise
        stamp.write_text(now)
    return folder


def fingerprint(stage: str, project: Path) -> str:
    """A hash over everything that the package is made from."""
    sources = [
        project / "app.py",
        project / "requirements.txt",
        *merge_template.files(),
        Path(merge_template.__file__),
        IMPORT_CHECK,
        Path(__file__).with_name("alarms.py"),
        Path(wheels.__file__),
        Path(__file__),
    ]
    sources += sorted((project / ".chalice").glob("*.json"))
    sources += sorted(
        path
        for path in (project / "chalicelib").rglob("*")
        if path.is_file() and not _is_unwanted(path.relative_to(project))
    )
    digest = hashlib.sha256(f"{stage} {sys.version}".encode())
    for source in sources:
        digest.update(f"\n{source} {hashlib.sha256(source.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def check_imports(archive: Path) -> None:
    """Import the app and all it imports from the zip alone, as Lambda will.

    A dependency that is missing from requirements.txt is found here; the emulator would hide
    it, because it puts its own libraries behind the package's. Raises PackagingFailed.
    """
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)
        # -S keeps the virtual environment's packages out, -I the caller's environment and folder.
        command = [sys.executable, "-I", "-S", "-B", str(IMPORT_CHECK), folder]
        # Lambda always sets a region.
        clean = {"PATH": os.defpath, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
        outcome = subprocess.run(command, env=clean, cwd=folder, capture_output=True, text=True)
    if outcome.returncode:
        raise PackagingFailed(f"{archive} would not run in Lambda:\n{outcome.stderr}")


def _run_chalice(stage: str, project: Path, folder: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # `chalice package` calls nothing, yet refuses to run without a region.
    env |= {"AWS_DEFAULT_REGION": REGION, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        env |= wheels.environment(wheels.fetch(project))
    except wheels.NotFetched as failure:
        raise PackagingFailed(
            f"The packages of requirements.txt are not there:\n{failure}"
        ) from None
    chalice = Path(sys.executable).parent / "chalice"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as template:
        template.write(merged_template())
        template.flush()
        command = [str(chalice), "package", "--stage", stage, "--merge-template", template.name]
        outcome = subprocess.run(
            [*command, str(folder)], cwd=project, env=env, capture_output=True, text=True
        )
    if outcome.returncode:
        raise PackagingFailed(f"chalice package failed:\n{outcome.stdout}{outcome.stderr}")
    # Chalice goes on without a package that it could not get, and only says so.
    if "Could not install dependencies" in outcome.stdout + outcome.stderr:
        raise PackagingFailed(outcome.stdout + outcome.stderr)


def merged_template() -> str:
    """Return infra/template/ as one JSON text. Raises PackagingFailed when it cannot be read."""
    try:
        return json.dumps(merge_template.merged(), ensure_ascii=False)
    except merge_template.TemplateRefused as refusal:
        raise PackagingFailed(f"infra/template: {refusal}") from None


def complete_template(path: Path, stage: str) -> None:
    """Add to Chalice's template what depends on the stage, and what it is made of."""
    template = json.loads(path.read_text())
    parameters = template["Parameters"]
    parameters["Stage"]["Default"] = stage
    if stage == "prod":
        for name, pattern in WANTED_IN_PRODUCTION.items():
            del parameters[name]["Default"]  # CloudFormation asks for what has none
            parameters[name]["AllowedPattern"] = pattern
    template["Resources"] |= alarms(template["Resources"])
    path.write_text(json.dumps(template, indent=2, ensure_ascii=False) + "\n")


def _rebuild_zip(archive: Path) -> None:
    """Drop what never runs, add compiled modules that are trusted unchecked, sort, fix times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder, [n for n in zipped.namelist() if not _is_unwanted(Path(n))])
        compileall.compile_dir(
            folder,
            quiet=2,  # a template file inside a library may not be valid Python; it stays source
            stripdir=folder,
            prependdir=TASK_ROOT,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            workers=0,  # all cores
        )
        rebuilt = archive.with_suffix(".new")
        with zipfile.ZipFile(rebuilt, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIME)
                entry.external_attr = (0o755 if path.suffix == ".so" else 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                zipped.writestr(entry, path.read_bytes())
        shutil.move(rebuilt, archive)


def _is_unwanted(path: Path) -> bool:
    """Whether a file of the zip, or of chalicelib, has no place in the package."""
    parts = path.parts
    if "__pycache__" in parts or any(part.startswith(".") for part in parts):
        return True
    if parts[:2] == ("botocore", "data") and len(parts) > 3:
        return parts[2] not in AWS_SERVICES or path.name.startswith("examples")
    return UNUSED_OF_PILLOW.match(path.as_posix()) is not None


def main() -> None:
    parser = argparse.ArgumentParser(description="Package the app for one stage into out/<stage>/.")
    parser.add_argument("--stage", choices=STAGES, default="dev")
    stage = parser.parse_args().stage
    try:
        folder = package(stage)
    except PackagingFailed as failure:
        sys.exit(str(failure))
    size_mb = (folder / ZIP_NAME).stat().st_size / 1e6
    sys.stdout.write(f"{folder.relative_to(ROOT)}: sam.json, {ZIP_NAME} ({size_mb:.1f} MB)\n")


if __name__ == "__main__":
    main()
