"""Import everything that an unpacked package imports, from the package alone.

Run by `infra.package` in an interpreter without site-packages: `python -I -S -B import_check.py
FOLDER`. Imports inside functions count too; they would fail in the middle of a request.
"""

import ast
import importlib
import sys
from pathlib import Path

# Lambda's Python runtime brings these; nobody imports them at start.
PROVIDED_BY_LAMBDA = frozenset({"boto3", "s3transfer"})


def imported_by(source: Path) -> set[str]:
    """The modules that a file imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_bytes(), str(source))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def main(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    importlib.import_module("app")
    sources = [folder / "app.py", *sorted((folder / "chalicelib").rglob("*.py"))]
    for name in sorted(set().union(*map(imported_by, sources))):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name not in PROVIDED_BY_LAMBDA:
                sys.exit(f"{name} cannot be imported from the package: {missing}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
