"""Stock: every unit is in a bucket, held, or sold; never two of them, never none."""

from collections import Counter
from collections.abc import Callable

from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.payment_fixtures import BOTH

GATEWAYS = BOTH
PAY_BY_S = 600


def outcomes(replies: list[Reply]) -> Counter[str]:
    return Counter("placed" if reply.status == 201 else reply.code for reply in replies)


def joins(activity: Activity, group_id: str, buyers: list[Buyer]) -> list[Callable[[], Reply]]:
    return [lambda b=buyer: b.join(activity, group_id) for buyer in buyers]  # type: ignore[misc]


def test_more_buyers_than_units_join_at_once_and_exactly_the_units_are_sold(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=10, stock=10)
    groups = [merchant.open_group(activity)[0] for _ in range(3)]
    calls = [
        call
        for group_id in groups
        for call in joins(activity, group_id, [merchant.buyer() for _ in range(5)])
    ]

    replies = concurrently(calls)

    assert outcomes(replies) == {"placed": 7, "sold_out": 8}
    assert merchant.stock(activity) == 0
    merchant.check_laws(quiescent=False)


def test_sold_out_says_what_is_left_and_changes_nothing(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=4)
    group_id, _, _ = merchant.open_group(activity, quantity=2)
    buyer = merchant.buyer()

    refused = buyer.join(activity, group_id, quantity=3)

    assert (refused.status, refused.code) == (409, "sold_out")
    assert refused.body["details"] == {"available": 2}
    assert buyer.get("/v1/orders").body["items"] == []
    assert len(merchant.stored_group(group_id).members.as_dict()) == 1
    assert merchant.stock(activity) == 2
    assert buyer.join(activity, group_id, quantity=2).status == 201


def test_every_unit_can_be_sold_although_it_lies_in_one_of_many_buckets(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=8, stock=8)
    group_id, _, _ = merchant.open_group(activity)

    replies = [merchant.buyer().join(activity, group_id) for _ in range(7)]

    assert outcomes(replies) == {"placed": 7}
    assert merchant.stock(activity) == 0


def test_order_takes_its_units_from_several_buckets(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=8)

    group_id, _, _ = merchant.open_group(activity, quantity=5)
    buyer, order_id = merchant.join(activity, group_id, quantity=3)

    assert merchant.stock(activity) == 0
    buyer.cancel(order_id)
    assert merchant.stock(activity) == 3
    merchant.check_laws(quiescent=False)


def test_flood_of_unpaid_orders_gives_everything_back_after_the_pay_by_time(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=20, stock=20)
    group_id, _, _ = merchant.open_group(activity)
    flood = [merchant.buyer() for _ in range(19)]
    assert outcomes(concurrently(joins(activity, group_id, flood))) == {"placed": 19}
    assert merchant.buyer().open(activity).code == "sold_out"

    merchant.wait(PAY_BY_S, every_s=300)

    assert merchant.stock(activity) == 19
    assert len(merchant.stored_group(group_id).members.as_dict()) == 1
    assert {order["status"] for b in flood for order in b.get("/v1/orders").body["items"]} == {
        "closed"
    }
    merchant.check_laws()


def test_flood_of_groups_that_are_never_paid_gives_everything_back(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    replies = [merchant.buyer().open(activity) for _ in range(11)]
    assert outcomes(replies) == {"placed": 10, "sold_out": 1}

    merchant.wait(PAY_BY_S, every_s=PAY_BY_S)

    assert merchant.stock(activity) == 10
    assert {merchant.stored_group(r.body["group_id"]).status for r in replies[:10]} == {"failed"}
    merchant.check_laws()


def test_cancelling_releasing_and_failing_at_once_give_a_unit_back_once(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    merchant.clock.forward(DAY_S - 30)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)

    merchant.clock.forward(PAY_BY_S + 30)
    concurrently([lambda: buyer.cancel(order_id), merchant.run_jobs, merchant.run_jobs])
    merchant.run_jobs(2)

    assert buyer.status(order_id) == "closed"
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_skus_of_an_activity_are_sold_apart(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=3, skus=2)
    red, green = activity.sku_ids
    group_id, _, _ = merchant.open_group(activity, sku_id=red, quantity=3)

    refused = merchant.buyer().join(activity, group_id, sku_id=red)
    taken = merchant.buyer().join(activity, group_id, sku_id=green, quantity=2)

    assert (refused.code, taken.status) == ("sold_out", 201)
    assert (merchant.stock(activity, red), merchant.stock(activity, green)) == (0, 1)


def test_activity_and_solo_purchases_do_not_take_each_others_units(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=2, product_stock=3)
    group_id, _, _ = merchant.open_group(activity)
    assert merchant.buyer().buy_alone(activity).status == 201

    assert merchant.buyer().buy_alone(activity).code == "sold_out"
    merchant.join(activity, group_id)
    assert merchant.buyer().open(activity).code == "sold_out"

    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 0)


def test_sold_out_group_is_open_again_when_a_unit_returns(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=3)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id, quantity=2)
    assert merchant.buyer().join(activity, group_id).code == "sold_out"

    buyer.cancel(order_id)

    assert merchant.buyer().join(activity, group_id).status == 201


def test_units_are_back_on_the_shelf_while_refunds_are_still_on_their_way(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=2)
    merchant.open_group(activity, quantity=2)
    merchant.gateway.faults.add("refund", "stays_processing")

    merchant.clock.forward(DAY_S + 60)
    merchant.run_jobs()

    assert merchant.money()["refunding_fen"] == 11800
    assert merchant.buyer().open(activity, quantity=2).status == 201
