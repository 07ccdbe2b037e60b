"""The whole story of a group over the routes: formed, failed, late."""

from tests.support import Town
from tests.tills import BOTH

GATEWAYS = BOTH


def test_three_buyers_form_a_group_and_their_orders_are_to_be_fulfilled(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, leader, first = town.open_group(activity)
    members = [town.join(activity, group_id) for _ in range(2)]
    for buyer, order_id in members:
        town.pay(buyer, order_id)
    town.run_jobs()

    assert town.stored_group(group_id).status == "formed"
    assert leader.order(first)["status_text"] == "已成团待发货"
    assert [buyer.order(order_id)["status"] for buyer, order_id in members] == ["fulfilling"] * 2
    assert town.stock(activity) == 7
    assert leader.messages() == ["formed"]


def test_group_that_is_due_fails_and_everybody_gets_the_money_back(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, leader, first = town.open_group(activity)
    town.run_jobs()
    town.clock.forward(24 * 3600 + 61)
    town.run_jobs(3)
    town.clock.forward(120)
    town.run_jobs(2)

    assert town.stored_group(group_id).status == "failed"
    assert leader.order(first)["status"] == "refunded"
    assert town.stock(activity) == 10
    (trade,) = town.till.ledger.summaries()
    assert trade["refunded_fen"] == 5900
