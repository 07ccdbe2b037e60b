"""The mini-programs as they would be uploaded to WeChat and Alipay: they are right by the rules of
each, and buyers who hold them buy together, against the local system."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from infra.local.demo_data import MERCHANT_ID, address
from infra.local.h5 import FOLDER, H5
from tests.browser.buyers import WAIT_S, buy, buyer, sell
from tests.browser.conftest import Shop

# The tests put the local system in the place of these.
STAND_INS = {"VITE_API": "https://api.example.cn", "VITE_MERCHANT": "m1"}
BUILD_MAX_S, TEST_MAX_S = 600, 300


@pytest.fixture(scope="module")
def weixin() -> None:
    H5.install()
    for script in ("schemas", "build:mp-weixin"):
        _npm(script, BUILD_MAX_S, **STAND_INS)


@pytest.fixture(scope="module")
def alipay() -> None:
    H5.install()
    for script in ("typings", "build:mp-alipay"):
        _npm(script, BUILD_MAX_S, **STAND_INS)


def test_pages_say_what_is_true_of_each_state_and_to_whom() -> None:
    H5.install()
    _node("views.test.mjs")


@pytest.mark.usefixtures("weixin")
def test_wechat_would_take_it_and_notices_what_is_wrong() -> None:
    _npm("check:mp-weixin", TEST_MAX_S)
    _node("mp-weixin/checks.test.mjs")


@pytest.mark.usefixtures("alipay")
def test_alipay_would_take_it_and_notices_what_is_wrong() -> None:
    _npm("check:mp-alipay", TEST_MAX_S)
    _node("mp-alipay/checks.test.mjs")


@pytest.mark.usefixtures("weixin")
def test_buyers_form_a_group_in_it(shop: Shop, tmp_path: Path) -> None:
    _node("mp-weixin/journey.test.mjs", LOCAL=addresses(shop, tmp_path))


@pytest.mark.usefixtures("weixin")
def test_time_runs_out_in_it_and_goods_are_collected(hurried: Shop, tmp_path: Path) -> None:
    sale = sell(hurried, "泰兴白果", life_h=1)
    leader, waiting = buyer(hurried, "林小满"), sell(hurried, "盘锦大米", life_h=72)
    order_id = buy(leader, waiting)
    hurried.system.quiet(WAIT_S)
    known = {
        "sale": asdict(sale),
        "owner": hurried.staff().session["token"],
        "group": {**asdict(waiting), "group_id": leader.order(order_id)["group_id"]},
        "picture": picture(tmp_path),
    }

    _node("mp-weixin/time.test.mjs", LOCAL=addresses(hurried, tmp_path, **known))


@pytest.mark.usefixtures("alipay")
def test_buyers_log_in_and_pay_in_alipay(shop: Shop, tmp_path: Path) -> None:
    known = {
        "alipay": shop.system.alipay.base_url,
        "sale": asdict(sell(shop, "泰兴白果")),
        "address": address("王小明"),
        "picture": picture(tmp_path),
    }

    _node("mp-alipay/journey.test.mjs", LOCAL=addresses(shop, tmp_path, **known))


def picture(folder: Path) -> str:
    file = folder / "坏.jpg"
    Image.new("RGB", (640, 480), "#c63").save(file)
    return str(file)


def addresses(shop: Shop, folder: Path, **known: object) -> str:
    """The file that tells a test in Node where everything is."""
    system = shop.system
    given = {"api": system.api_url, "merchant_id": MERCHANT_ID, "wechat": system.wechat.base_url}
    file = folder / "local.json"
    file.write_text(json.dumps(given | known))
    return str(file)


def _node(name: str, **env: str) -> None:
    command = ["node", "--test", "--test-force-exit", f"tests/{name}"]
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
