"""The local WeChat and a merchant's account at it, for the unit tests of WeChat Pay."""

import pytest

from infra.local.wechat import Wechat
from tests.fixtures.wechat_pay_gateway import NUMBERS, gateway_of


@pytest.fixture(scope="module")
def wechat():
    counterpart = Wechat().start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def sent(wechat):
    """The callbacks that the counterpart sends, as (url, headers, body); each is accepted."""
    posts = []

    def accept(url, headers, body):
        posts.append((url, headers, body))
        return 204

    wechat.faults.clear()
    wechat.courier.send, wechat.courier.serial = accept, ""
    wechat.gateway.refund_delay_s = None
    yield posts
    wechat.faults.clear()
    assert wechat.quiet()


@pytest.fixture
def account(wechat, sent):
    """A merchant of its own for each test; `sent` comes first, so nothing leaves the process."""
    return wechat.new_account(f"merchant-{next(NUMBERS)}")


@pytest.fixture
def pay(wechat, account):
    return gateway_of(account, wechat)
