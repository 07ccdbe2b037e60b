"""Refunds that the gateway refuses, over the routes and with the local WeChat's own signatures."""

import pytest

from tests.support import DAY_S, Buyer, Town


@pytest.fixture
def refused(town: Town) -> tuple[Buyer, str]:
    """(leader, order_id) whose group has failed while the merchant's balance is empty."""
    _, leader, order_id = town.open_group(town.activity(stock=10))
    town.wechat.ledger.balances[town.account.mchid] = 0
    town.clock.forward(DAY_S + 60)
    town.run_jobs(2)
    return leader, order_id


def asked_for(town: Town) -> list[str]:
    """Numbers of the refunds that WeChat knows."""
    trades = town.wechat.ledger.summaries()
    return [refund["out_refund_no"] for trade in trades for refund in trade["refunds"]]


def waiting_for_staff(town: Town) -> list[tuple[str, str]]:
    items = town.owner().get("/v1/merchant/refunds").body["items"]
    return [(item["out_refund_no"], item["reason"]) for item in items]


def test_refund_refused_for_an_hour_is_done_once_without_anybody(
    town: Town, refused: tuple[Buyer, str]
) -> None:
    leader, order_id = refused
    town.wait(3600, every_s=300)
    assert (leader.status(order_id), asked_for(town)) == ("refunding", [])

    town.wechat.ledger.balances[town.account.mchid] = 5900
    town.wait(3600, every_s=300)

    assert leader.status(order_id) == "refunded"
    assert asked_for(town) == [f"{order_id}01F"]
    assert town.money() == {"captured_fen": 5900, "refunded_fen": 5900, "refunding_fen": 0}
    assert waiting_for_staff(town) == []
    town.check_laws()


def test_refund_refused_for_good_is_listed_with_its_reason_and_can_be_sent_again(
    town: Town, refused: tuple[Buyer, str]
) -> None:
    leader, order_id = refused
    number = f"{order_id}01F"
    town.wait(8 * 3600, every_s=1800)
    assert waiting_for_staff(town) == [(number, "NOTENOUGH")]

    town.wechat.ledger.balances[town.account.mchid] = 5900
    assert town.owner().post(f"/v1/merchant/refunds/{number}/retry").body == {"done": True}
    town.run_jobs(2)

    assert leader.status(order_id) == "refunded"
    assert asked_for(town) == [number]
    assert waiting_for_staff(town) == []
    town.check_laws()
