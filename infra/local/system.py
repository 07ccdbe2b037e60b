"""The whole system on one machine: a local AWS with the deployed package, WeChat and Alipay
beside it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from infra import package
from infra.local import deploy, engine, printing, process
from infra.local.alipay import Alipay
from infra.local.api_client import Api, Unexpected
from infra.local.demo_data import MERCHANT_ID, OWNER, PASSWORD, SHOP
from infra.local.shop import Staff
from infra.local.sms import Sms
from infra.local.wechat import Wechat

API_PORT, WECHAT_PORT = 8010, 8011
STAGE = "local"
REFUND_DELAY_S = 2.0  # so that a refund can be seen on its way
_STARTED_S = time.monotonic()

_T = TypeVar("_T")


class CannotStart(Exception):
    """The system was not started; the message says what to do about it."""


# What ends a program with its message alone: it says what to do.
FAILURES = (
    CannotStart,
    Unexpected,
    deploy.DeploymentFailed,
    package.PackagingFailed,
    process.ServerFailed,
    subprocess.CalledProcessError,
)


@dataclass(frozen=True)
class System:
    """Where everything listens."""

    aws_url: str
    api_url: str
    web_url: str  # of the buyers' shop, where shared links and payments lead
    wechat: Wechat
    alipay: Alipay
    sms: Sms

    @property
    def api(self) -> Api:
        return Api(self.api_url)

    @property
    def wechat_control(self) -> Api:
        return Api(self.wechat.base_url)

    @property
    def local_gateways(self) -> dict[str, Api]:
        """Where buyers pay, by the method of payment."""
        return {"wechat_pay": self.wechat_control, "alipay": Api(self.alipay.base_url)}

    @property
    def appids(self) -> dict[str, str]:
        """The shop's apps at WeChat, by where buyers are."""
        account = self.wechat.new_account(MERCHANT_ID)
        official = str(account.wechat_account["appid"])
        return {"mini_program": account.appid, "official_account": official}

    def quiet(self, timeout_s: float) -> bool:
        """Wait until no callback is under way; False when that takes too long."""
        return self.wechat.quiet(timeout_s) and self.alipay.quiet(timeout_s)

    def owner(self) -> Staff:
        """The owner of the demonstration shop, logged in."""
        return Staff(self.api, MERCHANT_ID, OWNER, PASSWORD)


@contextmanager
def deployed(
    *, port: int, wechat_port: int, log: Path, settings: Mapping[str, str] | None = None
) -> Iterator[System]:
    """The package, deployed into a local AWS of its own, for the length of the block.

    settings: of the app, beside the addresses (TIME_DIVISOR). There is a merchant with an owner,
    and nothing else. Everything is gone afterwards.
    """
    divisor = int((settings or {}).get("TIME_DIVISOR", "1"))
    with ThreadPoolExecutor(2) as pool, gateways_beside(wechat_port, divisor) as gateways:
        # The first time, each of them downloads for a while.
        started = pool.submit(engine.start, port=port, log=log)
        web_url = web_address(gateways[2])
        try:
            step("打包", pool.submit(package.package, STAGE).result)
            aws_url = step("本机 AWS", started.result).url
            media = {"MEDIA_URL": f"{aws_url}/{engine.media_bucket(STAGE)}"}
            given = {**addresses(*gateways), "WEB_URL": web_url, **media, **(settings or {})}
            api_url = step("部署", lambda: deploy.deploy(aws_url, given))
            # The function's process starts while the operator's program does.
            awake = pool.submit(Api(api_url).get, "/v1/openapi.json")
            env = engine.credentials(aws_url)
            step("开店", lambda: open_shop(env, *gateways, "--stack", "tuan"))
            awake.result()
            yield System(aws_url, api_url, web_url, *gateways)
        finally:
            if started.exception() is None:
                started.result().stop()


@contextmanager
def gateways_beside(wechat_port: int, time_divisor: int) -> Iterator[tuple[Wechat, Alipay, Sms]]:
    """The local WeChat, Alipay and text messages for the length of the block, with accounts of the
    merchant's.

    The others listen on the next ports, or on any when those are taken. time_divisor: the app's.
    """
    wechat = Wechat(port=wechat_port, time_divisor=time_divisor)
    alipay, sms = Alipay(port=_beside(wechat_port, 1)), Sms(port=_beside(wechat_port, 2))
    wechat.gateway.refund_delay_s = REFUND_DELAY_S
    wechat.start()
    alipay.start()
    sms.start()
    try:
        wechat.new_account(MERCHANT_ID, official_account=True, name=SHOP)
        alipay.new_account(MERCHANT_ID, name=SHOP)
        yield wechat, alipay, sms
    finally:
        wechat.stop()
        alipay.stop()
        sms.stop()


def console_port(sms: Sms) -> int:
    """Where the console listens, if that is free: beside the gateways."""
    return (urlsplit(sms.base_url).port or 0) + 1


def web_address(sms: Sms) -> str:
    """Where the buyers' shop will listen: the API has to know before the shop is built."""
    port = console_port(sms) + 1
    return f"http://127.0.0.1:{port if _is_free(port) else process.free_port()}"


def addresses(wechat: Wechat, alipay: Alipay, sms: Sms) -> dict[str, str]:
    """The app's settings that lead it to them."""
    return {
        "WECHAT_API_URL": wechat.base_url,
        "WECHAT_OPEN_URL": wechat.base_url,
        "WECHAT_PAY_URL": wechat.base_url,
        "ALIPAY_URL": alipay.gateway_url,
        "ALIPAY_AUTH_URL": alipay.base_url,
        "SMS_URL": sms.base_url,
    }


def open_shop(
    env: Mapping[str, str], wechat: Wechat, alipay: Alipay, sms: Sms, *options: str
) -> None:
    """Make the merchant and its owner as an operator would. Raises CannotStart."""
    account = wechat.new_account(MERCHANT_ID)
    given = {
        "wechat-pay": account.wechat_pay,
        "wechat-login": account.wechat_login,
        "wechat-account": account.wechat_account,
        "alipay": alipay.new_account(MERCHANT_ID).alipay,
        "sms": sms.new_account(MERCHANT_ID),
    }
    who = ["--stage", STAGE, "--name", SHOP, "--owner", OWNER, "--merchant-id", MERCHANT_ID]
    outcome = subprocess.run(
        [sys.executable, "-m", "infra.new_merchant", *who, "--accounts", "-", *options],
        cwd=package.ROOT,
        env=environment(env) | {"OWNER_PASSWORD": PASSWORD},
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    if outcome.returncode:
        raise CannotStart(f"没有开成店：\n{outcome.stdout}{outcome.stderr}")


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Ours for a child process, with `env`: nothing of the developer's own AWS account."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**ours, **env}


def ports() -> tuple[int, int]:
    """(of the API, of WeChat): PORT and the next, or 8010 and 8011; others when those are taken.

    Raises CannotStart when PORT itself is taken.
    """
    wanted = os.environ.get("PORT")
    if wanted is None:
        api_port = API_PORT if _is_free(API_PORT) else process.free_port()
        return api_port, WECHAT_PORT if _is_free(WECHAT_PORT) else process.free_port()
    if not wanted.isdecimal() or not _is_free(int(wanted)):
        raise CannotStart(f"端口 {wanted} 不能用，请换一个：PORT=8020 make run")
    beside = int(wanted) + 1
    return int(wanted), beside if _is_free(beside) else process.free_port()


def end_on_signals() -> None:
    """Let SIGTERM end the program as Ctrl-C does: by an exception that cleans up on its way."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # once is enough: nothing cuts the cleaning short
    raise KeyboardInterrupt


def wait_for_the_end() -> None:
    """Stay until a signal comes."""
    while True:
        signal.pause()


def started_s() -> float:
    """Seconds since the program began."""
    return time.monotonic() - _STARTED_S


def _beside(port: int, places: int) -> int:
    """The port so many places on; 0, which is any, when that is taken."""
    return port + places if _is_free(port + places) else 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def step(name: str, work: Callable[[], _T]) -> _T:
    """Do `work`, and say how long it took."""
    began_s = time.monotonic()
    done = work()
    print(f"  {printing.padded(name, 10)} {time.monotonic() - began_s:5.1f} s", flush=True)
    return done
