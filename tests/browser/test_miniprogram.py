"""The mini-program as it would be uploaded to WeChat: it is right by WeChat's own rules, and buyers
who hold it form a group, against the local system."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.local.demo_data import MERCHANT_ID
from infra.local.h5 import FOLDER, H5
from tests.browser.conftest import Shop

# The tests put the local system in the place of these.
STAND_INS = {"VITE_API": "https://api.example.cn", "VITE_MERCHANT": "m1"}
BUILD_MAX_S, TEST_MAX_S = 600, 300


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    H5.install()
    for script in ("schemas", "build:mp-weixin"):
        _npm(script, BUILD_MAX_S, **STAND_INS)


def test_wechat_would_take_it_and_notices_what_is_wrong() -> None:
    _npm("check:mp-weixin", TEST_MAX_S)
    _node("checks.test.mjs")


def test_buyers_form_a_group_in_it(shop: Shop, tmp_path: Path) -> None:
    addresses = tmp_path / "local.json"
    system = shop.system
    known = {"api": system.api_url, "merchant_id": MERCHANT_ID, "wechat": system.wechat.base_url}
    addresses.write_text(json.dumps(known))

    _node("journey.test.mjs", LOCAL=str(addresses))


def _node(name: str, **env: str) -> None:
    command = ["node", "--test", "--test-force-exit", f"tests/mp-weixin/{name}"]
    _run(command, TEST_MAX_S, env)


def _npm(script: str, timeout_s: int, **env: str) -> None:
    _run(["npm", "run", "--silent", script], timeout_s, env)


def _run(command: list[str], timeout_s: int, env: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
