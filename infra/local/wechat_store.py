"""What the local WeChat keeps across restarts: its keys and the merchants' accounts."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.local.wechat_accounts import Account
from infra.local.wechat_keys import Platform, load_key, private_pem

PLATFORM_KEYS = ("key", "certificate_key")


def load(file: Path | None) -> tuple[Platform, list[Account]]:
    """What `file` keeps; a new platform without accounts when there is none."""
    if file is None or not file.exists():
        return Platform.generate(), []
    kept = json.loads(file.read_text())
    platform: dict[str, Any] = kept["platform"]
    for name in PLATFORM_KEYS:
        platform[name] = load_key(platform[name])
    return Platform(**platform), [Account(**parts) for parts in kept["accounts"]]


def save(file: Path | None, platform: Platform, accounts: Iterable[Account]) -> None:
    if file is None:
        return
    parts: dict[str, Any] = dict(vars(platform))
    for name in PLATFORM_KEYS:
        parts[name] = private_pem(parts[name])
    kept = {"platform": parts, "accounts": [asdict(account) for account in accounts]}
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, json.dumps(kept, indent=1))


def write(file: Path, text: str) -> None:
    """Whole or not at all, and readable by its owner alone: it may hold private keys."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(file)
