"""Stock: every unit is in a bucket, held, or sold; never two of them, never none."""

from collections import Counter
from collections.abc import Callable

from tests.support import DAY_S, Activity, Buyer, Reply, Town, at_once
from tests.tills import BOTH

GATEWAYS = BOTH
PAY_BY_S = 600


def outcomes(replies: list[Reply]) -> Counter[str]:
    return Counter("placed" if reply.status == 201 else reply.code for reply in replies)


def joins(activity: Activity, group_id: str, buyers: list[Buyer]) -> list[Callable[[], Reply]]:
    return [lambda b=buyer: b.join(activity, group_id) for buyer in buyers]  # type: ignore[misc]


def test_more_buyers_than_units_join_at_once_and_exactly_the_units_are_sold(town: Town) -> None:
    activity = town.activity(seats=10, stock=10)
    groups = [town.open_group(activity)[0] for _ in range(3)]
    calls = [
        call
        for group_id in groups
        for call in joins(activity, group_id, [town.buyer() for _ in range(5)])
    ]

    replies = at_once(calls)

    assert outcomes(replies) == {"placed": 7, "sold_out": 8}
    assert town.stock(activity) == 0
    town.check_laws(quiescent=False)


def test_sold_out_says_what_is_left_and_changes_nothing(town: Town) -> None:
    activity = town.activity(seats=3, stock=4)
    group_id, _, _ = town.open_group(activity, quantity=2)
    buyer = town.buyer()

    refused = buyer.join(activity, group_id, quantity=3)

    assert (refused.status, refused.code) == (409, "sold_out")
    assert refused.body["details"] == {"available": 2}
    assert buyer.get("/v1/orders").body["items"] == []
    assert len(town.stored_group(group_id).members.as_dict()) == 1
    assert town.stock(activity) == 2
    assert buyer.join(activity, group_id, quantity=2).status == 201


def test_every_unit_can_be_sold_although_it_lies_in_one_of_many_buckets(town: Town) -> None:
    activity = town.activity(seats=8, stock=8)
    group_id, _, _ = town.open_group(activity)

    replies = [town.buyer().join(activity, group_id) for _ in range(7)]

    assert outcomes(replies) == {"placed": 7}
    assert town.stock(activity) == 0


def test_order_takes_its_units_from_several_buckets(town: Town) -> None:
    activity = town.activity(seats=3, stock=8)

    group_id, _, _ = town.open_group(activity, quantity=5)
    buyer, order_id = town.join(activity, group_id, quantity=3)

    assert town.stock(activity) == 0
    buyer.cancel(order_id)
    assert town.stock(activity) == 3
    town.check_laws(quiescent=False)


def test_flood_of_unpaid_orders_gives_everything_back_after_the_pay_by_time(town: Town) -> None:
    activity = town.activity(seats=20, stock=20)
    group_id, _, _ = town.open_group(activity)
    flood = [town.buyer() for _ in range(19)]
    assert outcomes(at_once(joins(activity, group_id, flood))) == {"placed": 19}
    assert town.buyer().open(activity).code == "sold_out"

    town.wait(PAY_BY_S, every_s=300)

    assert town.stock(activity) == 19
    assert len(town.stored_group(group_id).members.as_dict()) == 1
    assert {order["status"] for b in flood for order in b.get("/v1/orders").body["items"]} == {
        "closed"
    }
    town.check_laws()


def test_flood_of_groups_that_are_never_paid_gives_everything_back(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    replies = [town.buyer().open(activity) for _ in range(11)]
    assert outcomes(replies) == {"placed": 10, "sold_out": 1}

    town.wait(PAY_BY_S, every_s=PAY_BY_S)

    assert town.stock(activity) == 10
    assert {town.stored_group(r.body["group_id"]).status for r in replies[:10]} == {"failed"}
    town.check_laws()


def test_cancelling_releasing_and_failing_at_once_give_a_unit_back_once(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, _, _ = town.open_group(activity)
    town.clock.forward(DAY_S - 30)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)

    town.clock.forward(PAY_BY_S + 30)
    at_once([lambda: buyer.cancel(order_id), town.run_jobs, town.run_jobs])
    town.run_jobs(2)

    assert buyer.status(order_id) == "closed"
    assert town.stock(activity) == 10
    town.check_laws()


def test_skus_of_an_activity_are_sold_apart(town: Town) -> None:
    activity = town.activity(seats=3, stock=3, skus=2)
    red, green = activity.sku_ids
    group_id, _, _ = town.open_group(activity, sku_id=red, quantity=3)

    refused = town.buyer().join(activity, group_id, sku_id=red)
    taken = town.buyer().join(activity, group_id, sku_id=green, quantity=2)

    assert (refused.code, taken.status) == ("sold_out", 201)
    assert (town.stock(activity, red), town.stock(activity, green)) == (0, 1)


def test_activity_and_solo_purchases_do_not_take_each_others_units(town: Town) -> None:
    activity = town.activity(seats=2, stock=2, product_stock=3)
    group_id, _, _ = town.open_group(activity)
    assert town.buyer().buy_alone(activity).status == 201

    assert town.buyer().buy_alone(activity).code == "sold_out"
    town.join(activity, group_id)
    assert town.buyer().open(activity).code == "sold_out"

    assert (town.stock(activity), town.product_stock(activity)) == (0, 0)


def test_sold_out_group_is_open_again_when_a_unit_returns(town: Town) -> None:
    activity = town.activity(seats=3, stock=3)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id, quantity=2)
    assert town.buyer().join(activity, group_id).code == "sold_out"

    buyer.cancel(order_id)

    assert town.buyer().join(activity, group_id).status == 201


def test_units_are_back_on_the_shelf_while_refunds_are_still_on_their_way(town: Town) -> None:
    activity = town.activity(seats=2, stock=2)
    town.open_group(activity, quantity=2)
    town.till.faults.add("refund", "stays_processing")

    town.clock.forward(DAY_S + 60)
    town.run_jobs()

    assert town.money()["refunding_fen"] == 11800
    assert town.buyer().open(activity, quantity=2).status == 201
