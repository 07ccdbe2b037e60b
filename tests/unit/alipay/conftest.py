"""The local Alipay and a merchant's account at it."""

from collections.abc import Iterator

import pytest

from chalicelib.gateways.alipay import Alipay
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account
from tests.fixtures.alipay_gateway import NUMBERS, Sent, gateway_of


@pytest.fixture(scope="module")
def alipay() -> Iterator[LocalAlipay]:
    counterpart = LocalAlipay().start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def sent(alipay: LocalAlipay) -> Iterator[list[Sent]]:
    """The notifies that the counterpart sends, as (url, headers, body); each is accepted."""
    posts = []

    def accept(url: str, headers: dict[str, str], body: bytes) -> int:
        posts.append((url, headers, body))
        return 200

    alipay.faults.clear()
    alipay.courier.send = accept
    yield posts
    alipay.faults.clear()
    assert alipay.quiet()


@pytest.fixture
def account(alipay: LocalAlipay, sent: list[Sent]) -> Account:
    """A merchant of its own for each test; `sent` comes first, so nothing leaves the process."""
    return alipay.new_account(f"merchant-{next(NUMBERS)}")


@pytest.fixture
def pay(alipay: LocalAlipay, account: Account) -> Alipay:
    return gateway_of(account, alipay.gateway_url)
