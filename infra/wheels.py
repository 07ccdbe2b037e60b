"""The files of requirements.txt, each proven by its hash, for Chalice to package from.

Chalice asks pip twice: by requirements.txt for this machine, and, where that is no file for Lambda,
by name and version alone, which no hash holds. Of two files of one package it then takes either. So
what Lambda runs is fetched here, with its hashes, and Chalice is shown nothing else.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chalice.deploy.packager import DependencyBuilder
from chalice.utils import OSUtils

from infra.lock import alone

LAMBDA = ("linux", "x86_64")  # of other machines Chalice wants their own files, too


class NotFetched(Exception):
    """A file could not be had, or is not the one that was locked; the message is pip's."""


def fetch(project: Path) -> Path:
    """The folder of the files; made once for each lock and Python."""
    lock = project / "requirements.txt"
    content = f"{sys.version} {lock.read_text()}"
    folder = project / ".cache" / f"wheels-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    folder.parent.mkdir(exist_ok=True)
    with alone(folder.with_suffix(".lock")):
        if folder.exists():
            return folder
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        _download(lock, unfinished, *_for_lambda())
        if (sys.platform, platform.machine()) != LAMBDA:
            _download(lock, unfinished)
        unfinished.rename(folder)
    return folder


def environment(folder: Path) -> Mapping[str, str]:
    """What makes pip see that folder alone."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


def pins(lock: str) -> dict[str, str]:
    """The version of each package in a lock, by its name as packages write it."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    return {normal(name): version for name, version in found}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _for_lambda() -> list[str]:
    """pip's options for what Lambda runs, by this machine's Python, as Chalice gives them."""
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    platforms = DependencyBuilder(OSUtils())._get_pip_platforms(f"cp{version}")
    options = ["--implementation", "cp", "--python-version", version]
    options += [word for abi in (f"cp{version}", "abi3", "none") for word in ("--abi", abi)]
    return options + [word for name in platforms for word in ("--platform", name)]


def _download(lock: Path, folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--require-hashes", "--no-deps"]
    command += ["--dest", str(folder), *options, "-r", str(lock)]
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode:
        raise NotFetched(outcome.stdout + outcome.stderr)
