"""Login against the local counterpart, its control over HTTP, and the reader of secrets."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib import http_client
from chalicelib.errors import GatewayFailed, InvalidRequest
from chalicelib.gateways import secrets
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.gateways.wechat_login import WechatApp, WechatIdentity, WechatLogin, wechat_login
from chalicelib.settings import settings
from infra.local.wechat import Wechat
from infra.local.wechat_http import Answer, Server

NOW_S = 1_800_000_000


@pytest.fixture
def wechat() -> Iterator[Wechat]:
    counterpart = Wechat(now=lambda: NOW_S).start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def login(wechat: Wechat) -> WechatLogin:
    return WechatLogin(WechatApp(**wechat.new_account("m1").wechat_login), wechat.base_url)


@pytest.fixture(scope="module")
def parameter_store() -> Iterator[Any]:
    """An account of nobody's; one for all tests, for clients of it are dear to make."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        secrets.clear_cache()
        yield boto3.client("ssm")
        secrets.clear_cache()


@pytest.fixture
def parameters(parameter_store: Any) -> Iterator[Callable[[str, str], None]]:
    """Put parameters of the stage, for one test."""
    written = set()

    def put(name: str, value: str) -> None:
        path = f"{settings.parameters_prefix}/{name}"
        parameter_store.put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=True)
        written.add(name)

    yield put
    for name in written:
        parameter_store.delete_parameter(Name=f"{settings.parameters_prefix}/{name}")
        secrets.refresh(name)


def control(wechat: Wechat, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The JSON answer of the control, whatever its status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{wechat.base_url}/_local/{path}", data, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with closing(opener.open(request, timeout=5)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with closing(error):
            return error.code, json.load(error)


# Login


def test_code_gives_the_openid_and_unionid_and_nothing_else(
    wechat: Wechat, login: WechatLogin
) -> None:
    identity = login.identify(wechat.codes.issue("oBuyer", "uBuyer"))

    assert identity == WechatIdentity("oBuyer", "uBuyer")
    assert vars(identity) == {"openid": "oBuyer", "unionid": "uBuyer"}


def test_code_is_good_once(wechat: Wechat, login: WechatLogin) -> None:
    code = wechat.codes.issue("oBuyer")
    login.identify(code)

    with pytest.raises(InvalidRequest) as refusal:
        login.identify(code)

    assert refusal.value.message == "登录凭证已失效，请重新打开小程序登录。"


@pytest.mark.parametrize("code", ["never-issued", "a&secret=b", "登录"])
def test_code_that_was_never_issued_is_refused(login: WechatLogin, code: str) -> None:
    with pytest.raises(InvalidRequest):
        login.identify(code)


def test_demo_code_always_means_the_same_buyer_of_the_app(
    wechat: Wechat, login: WechatLogin
) -> None:
    other = WechatLogin(WechatApp(**wechat.new_account("m2").wechat_login), wechat.base_url)

    first, second = login.identify("demo-小红"), login.identify("demo-小红")

    assert first == second
    assert len(first.openid) == 28
    assert login.identify("demo-小明") != first
    assert other.identify("demo-小红") != first


def test_wrong_app_secret_is_a_failure(wechat: Wechat, login: WechatLogin) -> None:
    app = WechatApp(wechat.new_account("m1").appid, "wrong")

    with pytest.raises(GatewayFailed) as failure:
        WechatLogin(app, wechat.base_url).identify("demo-a")

    assert failure.value.details == {"reason": "40125"}
    assert "wrong" not in repr(app)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("server_error", "http_500"), ("rate_limited", "http_429"), ("lost_answer", "no_answer")],
)
def test_login_that_goes_wrong_is_a_failure(
    wechat: Wechat, login: WechatLogin, kind: str, reason: str
) -> None:
    wechat.faults.add("login", kind)

    with pytest.raises(GatewayFailed) as failure:
        login.identify("demo-a")

    assert failure.value.details == {"reason": reason}


def test_slow_login_is_not_waited_for(
    wechat: Wechat, login: WechatLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_S", 0.1)
    wechat.faults.add("login", "slow", seconds=0.3)

    with pytest.raises(GatewayFailed) as failure:
        login.identify("demo-a")

    assert failure.value.details == {"reason": "no_answer"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "unreadable_answer"),
        (b"{}", "no_openid"),
        (b'{"errcode": -1}', "-1"),
        (b'{"errcode": -1, "openid": "o1"}', "-1"),
    ],
)
def test_answer_without_an_openid_is_a_failure(body: bytes, reason: str) -> None:
    server = Server(lambda call: Answer(200, body))
    server.start()

    with pytest.raises(GatewayFailed) as failure:
        WechatLogin(WechatApp("wx1", "s"), server.base_url).identify("code")

    server.stop()
    assert failure.value.details == {"reason": reason}


# Control over HTTP, and what outlives a restart


def test_control_makes_an_account_and_issues_codes(wechat: Wechat) -> None:
    status, made = control(wechat, "POST", "accounts", {"merchant_id": "m7"})
    _, again = control(wechat, "POST", "accounts", {"merchant_id": "m7"})
    _, issued = control(wechat, "POST", "codes", {"openid": "oBuyer"})
    login = WechatLogin(WechatApp(**made["wechat-login"]), wechat.base_url)

    assert status == 200
    assert made == again
    assert made["wechat-pay"]["mode"] == "direct"
    assert login.identify(issued["code"]) == WechatIdentity("oBuyer")


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("pay", {"out_trade_no": "1"}, (404, "ORDER_NOT_EXIST")),
        ("pay", {"unheard": 1}, (400, "PARAM_ERROR")),
        ("faults", {"operation": "query", "kind": "not_enough"}, (400, "PARAM_ERROR")),
        ("callbacks/resend", {"number": "1"}, (404, "RESOURCE_NOT_EXISTS")),
        ("nothing", {}, (404, "RESOURCE_NOT_EXISTS")),
    ],
)
def test_control_refuses_what_it_cannot_do(
    wechat: Wechat, path: str, body: dict[str, Any], answer: tuple[Any, ...]
) -> None:
    status, said = control(wechat, "POST", path, body)

    assert (status, said["code"]) == answer


def test_accounts_and_keys_outlive_a_restart(tmp_path: Path) -> None:
    before = Wechat(folder=tmp_path).start()
    account = before.new_account("m1")
    before.stop()
    after = Wechat(folder=tmp_path).start()

    identity = WechatLogin(WechatApp(**account.wechat_login), after.base_url).identify("demo-a")

    after.stop()
    assert identity.openid.startswith("o")
    assert after.new_account("m1") == account
    assert after.platform.public_key_id == before.platform.public_key_id
    assert (tmp_path / "wechat.json").stat().st_mode & 0o777 == 0o600


# Secrets


def test_secret_is_read_once_and_kept(parameters: Callable[[str, str], None]) -> None:
    parameters("session-key", "first")
    first = secrets.secret("session-key")
    parameters("session-key", "second")

    assert (first, secrets.secret("session-key")) == ("first", "first")
    secrets.clear_cache()
    assert secrets.secret("session-key") == "second"


@pytest.mark.parametrize("name", ["session-key", "merchants/../x y", ""])
def test_missing_secret_says_which(parameters: Callable[[str, str], None], name: str) -> None:
    with pytest.raises(NotConfigured) as refusal:
        secrets.secret(name)

    assert refusal.value.details == {"parameter": name}
    assert refusal.value.message == f"还没有配置参数“{name}”，请商家配置好后再试。"


@pytest.mark.parametrize("value", ["not json: hush", '["hush"]'])
def test_secret_of_the_wrong_shape_says_which_and_not_what(
    parameters: Callable[[str, str], None], value: str
) -> None:
    parameters("merchants/m1/wechat-login", value)

    with pytest.raises(NotConfigured) as refusal:
        secrets.json_secret("merchants/m1/wechat-login")

    assert refusal.value.details == {"parameter": "merchants/m1/wechat-login"}
    assert "hush" not in str(refusal.value)


def test_gateways_come_from_the_merchants_secrets(
    parameters: Callable[[str, str], None], wechat: Wechat
) -> None:
    account = wechat.new_account("m1")
    parameters("merchants/m1/wechat-pay", json.dumps(account.wechat_pay))
    parameters("merchants/m1/wechat-login", json.dumps(account.wechat_login))

    pay = payment_gateway("m1", "wechat_pay")

    assert pay is payment_gateway("m1", "wechat_pay")
    assert isinstance(wechat_login("m1"), WechatLogin)


@pytest.mark.parametrize(
    "changes", [{"mode": "partner"}, {"mchid": ""}, {"api_v3_key": "short"}, {"public_keys": {}}]
)
def test_incomplete_account_is_not_configured(
    parameters: Callable[[str, str], None], wechat: Wechat, changes: dict[str, Any]
) -> None:
    account = wechat.new_account("m1")
    parameters("merchants/m1/wechat-pay", json.dumps({**account.wechat_pay, **changes}))

    with pytest.raises(NotConfigured) as refusal:
        payment_gateway("m1", "wechat_pay")

    assert refusal.value.details == {"parameter": "merchants/m1/wechat-pay"}
    assert account.wechat_pay["api_v3_key"] not in refusal.value.message
