"""Units given back by after-sale: what is left to deliver, and where an order ends.

An order ends as refunded when all of its money or all of its units have gone back.
"""

from typing import Any

import pytest

from tests.api.test_pickup import collected, hand_over, look, make_ready, make_store
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture, Reply
from tests.fixtures.shipping import ship, to_ship

UNIT_FEN = 9900  # bought alone


def collect(merchant: MerchantFixture, quantity: int = 2) -> tuple[Activity, Buyer, str]:
    """A paid pickup order, to be made ready."""
    activity, buyer = merchant.activity(stock=10, product_stock=20), merchant.buyer()
    purchase = collected(make_store(merchant)["store_id"])
    order_id = buyer.buy_alone(activity, quantity=quantity, **purchase).body["order_id"]
    merchant.pay(buyer, order_id)
    return activity, buyer, order_id


def give_back(merchant: MerchantFixture, buyer: Buyer, order_id: str, fen: int, units: int) -> Any:
    """The buyer asks `fen` back, staff agree and put `units` back on sale."""
    claim = {"amount_fen": fen, "reason": "changed_mind"}
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)
    assert asked.status == 201, asked.body
    path = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"
    agreed = merchant.owner().post(path, {"amount_fen": fen, "units_back": units})
    assert agreed.status == 200, agreed.body
    merchant.wait(120)
    return agreed.body


def listed(merchant: MerchantFixture, status: str) -> list[str]:
    rows = merchant.owner().get(f"/v1/merchant/orders?status={status}").body["items"]
    return [row["order_id"] for row in rows]


@pytest.mark.slow
def test_pickup_hands_over_what_is_left_and_the_desk_says_how_many(
    merchant: MerchantFixture,
) -> None:
    activity, buyer, order_id = collect(merchant, quantity=3)
    give_back(merchant, buyer, order_id, UNIT_FEN, units=1)
    ready = make_ready(merchant, order_id)
    assert (ready.body["quantity"], ready.body["to_hand_over"]) == (3, 2)
    give_back(merchant, buyer, order_id, UNIT_FEN, units=1)
    code = buyer.order(order_id)["pickup_code"]
    assert look(merchant, code).body["to_hand_over"] == 1

    handed = [hand_over(merchant, code) for _ in range(2)]

    assert [(r.status, r.body["status"], r.body["handed_over"]) for r in handed] == [
        (200, "completed", 1)
    ] * 2
    assert merchant.stored_order(order_id).handed_over == 1
    assert merchant.product_stock(activity) == 9
    merchant.check_laws()


@pytest.mark.parametrize("ready", [False, True], ids=["before readiness", "after readiness"])
def test_pickup_whose_units_are_all_back_on_sale_is_handed_over_to_nobody(
    merchant: MerchantFixture, ready: bool
) -> None:
    activity, buyer, order_id = collect(merchant)
    code = ""
    if ready:
        make_ready(merchant, order_id)
        code = buyer.order(order_id)["pickup_code"]
    give_back(merchant, buyer, order_id, 2 * UNIT_FEN - 1, units=2)

    replies: list[Reply] = [make_ready(merchant, order_id)]
    if ready:
        replies.append(hand_over(merchant, code))

    assert {(r.status, r.code) for r in replies} == {(409, "pickup_refused")}
    assert merchant.stored_order(order_id).handed_over is None
    assert merchant.product_stock(activity) == 10
    assert buyer.order(order_id)["status_text"] == "商品已退·已部分退款"
    assert listed(merchant, "refunded") == [order_id]
    merchant.check_laws()


@pytest.mark.slow
def test_order_whose_goods_are_refunded_and_whose_freight_is_kept_ends(
    merchant: MerchantFixture,
) -> None:
    friend, order_id = to_ship(merchant, quantity=2)
    give_back(merchant, friend, order_id, 5900, units=1)
    assert friend.status(order_id) == "fulfilling"

    give_back(merchant, friend, order_id, 4000, units=1)

    order = friend.order(order_id)
    assert (order["status"], order["status_text"]) == ("refunded", "商品已退·已部分退款")
    assert order_id not in listed(merchant, "fulfilling")
    assert listed(merchant, "refunded") == [order_id]
    assert ship(merchant, order_id).code == "shipping_refused"
    refused = friend.post(f"/v1/orders/{order_id}/receipt")
    assert refused.status == 409
    merchant.check_laws()


def test_all_units_of_a_parcel_brought_back_end_the_order_though_money_is_kept(
    merchant: MerchantFixture,
) -> None:
    friend, order_id = to_ship(merchant, quantity=2)
    assert ship(merchant, order_id).status == 200

    give_back(merchant, friend, order_id, 100, units=2)

    assert friend.order(order_id)["status"] == "refunded"
    assert listed(merchant, "shipped") == []
    merchant.check_laws()


@pytest.mark.slow
def test_limit_is_free_again_once_all_units_are_back(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, limit_per_buyer=2, limit_per_order=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    friend, order_id = merchant.member(activity, group_id, quantity=2)
    merchant.run_jobs()

    give_back(merchant, friend, order_id, 11000, units=2)

    assert merchant.limit_used(activity, friend) == 0
    assert merchant.stock(activity) == 9
    merchant.check_laws()


def test_money_back_and_goods_kept_ends_the_order_as_before(merchant: MerchantFixture) -> None:
    activity, buyer, order_id = collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]
    hand_over(merchant, code)

    give_back(merchant, buyer, order_id, 2 * UNIT_FEN, units=0)

    assert buyer.order(order_id)["status_text"] == "已退款"
    assert merchant.product_stock(activity) == 8
    merchant.check_laws()


@pytest.mark.slow
def test_units_that_are_back_are_first_those_that_were_not_sent(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant, quantity=3)
    ship(merchant, order_id, units=1)
    give_back(merchant, friend, order_id, 100, units=1)

    over = ship(merchant, order_id, number="SF1234567890124", units=2)
    last = ship(merchant, order_id, number="SF1234567890124")

    assert (over.status, last.status) == (400, 200)
    assert friend.status(order_id) == "shipped"
    merchant.check_laws()
