"""The local Alipay and a merchant's account at it."""

import pytest

from infra.local.alipay import Alipay as LocalAlipay
from tests.fixtures.alipay_gateway import (
    NUMBERS,
    gateway_of,
)


@pytest.fixture(scope="module")
def alipay():
    counterpart = LocalAlipay().start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def sent(alipay):
    """The notifies that the counterpart sends, as (url, headers, body); each is accepted."""
    posts = []

    def accept(url, headers, body):
        posts.append((url, headers, body))
        return 200

    alipay.faults.clear()
    alipay.courier.send = accept
    yield posts
    alipay.faults.clear()
    assert alipay.quiet()


@pytest.fixture
def account(alipay, sent):
    """A merchant of its own for each test; `sent` comes first, so nothing leaves the process."""
    return alipay.new_account(f"merchant-{next(NUMBERS)}")


@pytest.fixture
def pay(alipay, account):
    return gateway_of(account, alipay.gateway_url)
