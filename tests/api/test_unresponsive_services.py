"""Nobody answers: every route and call ends before Lambda ends it, and says so in our shape."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import app as application
from chalicelib import deadline, http_client
from chalicelib.api import limits
from chalicelib.api.http import Audience, Operation
from chalicelib.domain.ids import new_id
from chalicelib.errors import Busy, GatewayFailed
from chalicelib.gateways import media, secrets
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.directory import WECHAT_PAY, payment_gateway
from chalicelib.gateways.payment import PaymentGateway
from chalicelib.gateways.wechat_login import WechatApp, WechatLogin
from chalicelib.settings import settings
from chalicelib.tables.base import put_new, retried, transaction, update_one
from chalicelib.tables.buyers import BuyerItem
from infra.local.alipay import Alipay as LocalAlipay
from tests.fixtures import unresponsive_server
from tests.fixtures.api_clients import ApiClient, Caller, Reply
from tests.fixtures.caches import clear_caches
from tests.fixtures.two_merchants import SeededMerchant, two_merchants
from tests.fixtures.unresponsive_server import BEGINS, CALLS_S, INVOCATION_S, short_invocations
from tests.security.operations import ask

pytestmark = pytest.mark.slow

AT_ONCE = 24  # routes asked together: all of them would wait for each other's CPU, not for silence
SILENT = {(503, "busy"), (503, "payment_unsettled"), (502, "gateway_failed")}

__all__ = ["short_invocations"]


@pytest.fixture(scope="module")
def shop(engine: str) -> Iterator[SeededMerchant]:
    with two_merchants() as merchants:
        yield merchants.ours


def asked_in_silence(
    shop: SeededMerchant, owner: Caller, operation: Operation, begin: int
) -> tuple[float, Reply]:
    """(seconds until it was answered, the answer)."""
    callers: dict[Audience, Caller] = {
        Audience.BUYER: shop.leader,
        Audience.STAFF: owner,
        Audience.PUBLIC: shop.merchant.visitor(),
        Audience.GATEWAY: shop.merchant.visitor(),
    }
    caller = replace(callers[operation.audience], api_client=ApiClient(invocation_s=INVOCATION_S))
    request = ask(operation, shop)
    began = time.monotonic()
    with unresponsive_server.answered(begin):
        reply = request.by(caller)
    return time.monotonic() - began, reply


@pytest.mark.parametrize("begin", BEGINS)
def test_every_route_answers_before_its_function_ends(
    shop: SeededMerchant, begin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits.reset()
    clear_caches()
    operations = application.OPERATIONS
    owner = shop.merchant.owner()  # before the silence: a session is signed with a secret

    with unresponsive_server.unresponsive(monkeypatch), ThreadPoolExecutor(AT_ONCE) as pool:
        asking = [pool.submit(asked_in_silence, shop, owner, it, begin) for it in operations]
        answers = {it.name: asked.result() for it, asked in zip(operations, asking, strict=True)}

    late = {name: took for name, (took, _) in answers.items() if took >= INVOCATION_S}
    assert not late
    failed = {name: it for name, (_, it) in answers.items() if it.status >= 500}
    assert {(it.status, it.code) for it in failed.values()} <= SILENT, failed
    assert failed
    if begin == 0:
        assert set(answers) - set(failed) == {"read_regions"}  # it is packaged: nobody is asked


def put() -> None:
    put_new(BuyerItem.at(new_id(), new_id(), openid="o"))


def update() -> None:
    buyer, exists = BuyerItem.at(new_id(), new_id()), BuyerItem.pk.exists()
    update_one(buyer, [BuyerItem.name.set("小明")], condition=exists, refuse=ValueError)


def transact() -> None:
    with transaction() as writes:
        writes.put(BuyerItem.at(new_id(), new_id(), openid="o"), refuse=ValueError)


def try_again_and_again() -> None:
    retried(put)


def read_parameter() -> None:
    secrets.secret("id-key")


def read_object() -> None:
    media.Bucket().read("uploads/none", 10)


def log_in() -> None:
    WechatLogin(WechatApp("wx1", "secret"), settings.wechat_api_url).identify("code")


def download() -> None:
    http_client.call("GET", settings.wechat_pay_url, headers={}, bytes_max=10)


CALLS = (put, update, transact, try_again_and_again, read_parameter, read_object, log_in, download)


@pytest.mark.parametrize("call", CALLS)
def test_call_ends_with_its_invocation(
    shop: SeededMerchant, call: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        unresponsive_server.unresponsive(monkeypatch),
        unresponsive_server.answered(0),
        deadline.ends_in(CALLS_S),
    ):
        began = time.monotonic()
        with pytest.raises((Busy, GatewayFailed)):
            call()

    assert time.monotonic() - began < INVOCATION_S


def wechat_pay(shop: SeededMerchant) -> PaymentGateway:
    return payment_gateway(shop.merchant_id, WECHAT_PAY)


def alipay(shop: SeededMerchant) -> PaymentGateway:
    counterpart = LocalAlipay().start()
    counterpart.stop()  # it is wanted for an account only
    account = counterpart.new_account(shop.merchant_id)
    return Alipay(AlipayAccount.from_secret(account.alipay), settings.alipay_url)


@pytest.mark.parametrize("gateway_of", [wechat_pay, alipay])
def test_query_of_a_payment_ends_with_its_invocation(
    shop: SeededMerchant,
    gateway_of: Callable[[SeededMerchant], PaymentGateway],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with unresponsive_server.unresponsive(monkeypatch):
        gateway = gateway_of(shop)  # its keys are made before the time begins
        with deadline.ends_in(CALLS_S):
            began = time.monotonic()
            with pytest.raises(GatewayFailed):
                gateway.query(f"{shop.paid}01")

    assert time.monotonic() - began < INVOCATION_S


def test_answer_that_trickles_in_ends_with_its_invocation() -> None:
    with unresponsive_server.trickling() as url, deadline.ends_in(CALLS_S):
        began = time.monotonic()
        with pytest.raises((Busy, GatewayFailed)):
            http_client.call("GET", url, headers={}, bytes_max=1_000_000)

    assert time.monotonic() - began < INVOCATION_S
