"""Refunds that the gateway refuses, over the routes and with the local WeChat's own signatures."""

import pytest

from tests.fixtures.merchant import DAY_S, Buyer, MerchantFixture


@pytest.fixture
def refused(merchant: MerchantFixture) -> tuple[Buyer, str]:
    """(leader, order_id) whose group has failed while the merchant's balance is empty."""
    _, leader, order_id = merchant.open_group(merchant.activity(stock=10))
    merchant.wechat.ledger.balances[merchant.account.mchid] = 0
    merchant.clock.forward(DAY_S + 60)
    merchant.run_jobs(2)
    return leader, order_id


def asked_for(merchant: MerchantFixture) -> list[str]:
    """Numbers of the refunds that WeChat knows."""
    trades = merchant.wechat.ledger.summaries()
    return [refund["out_refund_no"] for trade in trades for refund in trade["refunds"]]


def waiting_for_staff(merchant: MerchantFixture) -> list[tuple[str, str]]:
    items = merchant.owner().get("/v1/merchant/refunds").body["items"]
    return [(item["out_refund_no"], item["reason"]) for item in items]


def test_refund_refused_for_an_hour_is_done_once_without_anybody(
    merchant: MerchantFixture, refused: tuple[Buyer, str]
) -> None:
    leader, order_id = refused
    merchant.wait(3600, every_s=300)
    assert (leader.status(order_id), asked_for(merchant)) == ("refunding", [])

    merchant.wechat.ledger.balances[merchant.account.mchid] = 5900
    merchant.wait(3600, every_s=300)

    assert leader.status(order_id) == "refunded"
    assert asked_for(merchant) == [f"{order_id}01F"]
    assert merchant.money() == {"captured_fen": 5900, "refunded_fen": 5900, "refunding_fen": 0}
    assert waiting_for_staff(merchant) == []
    merchant.check_laws()


def test_refund_refused_for_good_is_listed_with_its_reason_and_can_be_sent_again(
    merchant: MerchantFixture, refused: tuple[Buyer, str]
) -> None:
    leader, order_id = refused
    number = f"{order_id}01F"
    merchant.wait(8 * 3600, every_s=1800)
    assert waiting_for_staff(merchant) == [(number, "NOTENOUGH")]

    merchant.wechat.ledger.balances[merchant.account.mchid] = 5900
    assert merchant.owner().post(f"/v1/merchant/refunds/{number}/retry").body == {"done": True}
    merchant.run_jobs(2)

    assert leader.status(order_id) == "refunded"
    assert asked_for(merchant) == [number]
    assert waiting_for_staff(merchant) == []
    merchant.check_laws()
