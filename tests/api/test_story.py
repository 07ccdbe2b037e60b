"""The whole story of a group over the routes: formed, failed, late."""

from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.payment_fixtures import BOTH

GATEWAYS = BOTH


def test_three_buyers_form_a_group_and_their_orders_are_to_be_fulfilled(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    members = [merchant.join(activity, group_id) for _ in range(2)]
    for buyer, order_id in members:
        merchant.pay(buyer, order_id)
    merchant.run_jobs()

    assert merchant.stored_group(group_id).status == "formed"
    assert leader.order(first)["status_text"] == "已成团待发货"
    assert [buyer.order(order_id)["status"] for buyer, order_id in members] == ["fulfilling"] * 2
    assert merchant.stock(activity) == 7
    assert leader.messages() == ["formed"]


def test_group_that_is_due_fails_and_everybody_gets_the_money_back(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    merchant.run_jobs()
    merchant.clock.forward(24 * 3600 + 61)
    merchant.run_jobs(3)
    merchant.clock.forward(120)
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "failed"
    assert leader.order(first)["status"] == "refunded"
    assert merchant.stock(activity) == 10
    (trade,) = merchant.gateway.ledger.summaries()
    assert trade["refunded_fen"] == 5900
