"""The local WeChat and a merchant's account at it, for the unit tests of WeChat Pay."""

from collections.abc import Iterator

import pytest

from chalicelib.gateways.wechat_pay import WechatPay
from infra.local.wechat import Wechat
from infra.local.wechat_accounts import Account
from tests.fixtures.wechat_pay_gateway import NUMBERS, Sent, gateway_of


@pytest.fixture(scope="module")
def wechat() -> Iterator[Wechat]:
    counterpart = Wechat().start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def sent(wechat: Wechat) -> Iterator[list[Sent]]:
    """The callbacks that the counterpart sends, as (url, headers, body); each is accepted."""
    posts = []

    def accept(url: str, headers: dict[str, str], body: bytes) -> int:
        posts.append((url, headers, body))
        return 204

    wechat.faults.clear()
    wechat.courier.send, wechat.courier.serial = accept, ""
    wechat.gateway.refund_delay_s = None
    yield posts
    wechat.faults.clear()
    assert wechat.quiet()


@pytest.fixture
def account(wechat: Wechat, sent: list[Sent]) -> Account:
    """A merchant of its own for each test; `sent` comes first, so nothing leaves the process."""
    return wechat.new_account(f"merchant-{next(NUMBERS)}")


@pytest.fixture
def pay(wechat: Wechat, account: Account) -> WechatPay:
    return gateway_of(account, wechat)
