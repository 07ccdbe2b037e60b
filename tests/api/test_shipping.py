"""Shipping: parcels of one order, many orders at once, numbers put right, receipt."""

from functools import partial

import pytest

from chalicelib.domain.after_sale import Reason
from chalicelib.domain.ids import OrderId
from chalicelib.domain.shipping import PARCELS_MAX, ShippingRefused, parcels_of
from chalicelib.errors import InvalidRequest
from chalicelib.services.after_sale import after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.fulfilment import shipments, shipping
from chalicelib.services.fulfilment.shipping import Draft
from chalicelib.services.people import shop_cache
from chalicelib.tables.trade import OrderItem
from tests.fixtures import staff_requests
from tests.fixtures.capacity_meter import metered
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture, concurrently
from tests.fixtures.shipping import (
    RECEIPT_S,
    SF,
    ZTO,
    batch,
    file_of,
    formed,
    rows,
    ship,
    status_of,
    to_ship,
)
from tests.fixtures.shop import STAFF, Shop
from tests.fixtures.staff_requests import audited, detail, give_back, on_its_way

CLAIM = {"amount_fen": 900, "reason": "late"}


def test_order_is_shipped_and_its_buyer_told(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)

    shipped = ship(merchant, order_id, "sf 1234567890123", role="fulfilment")

    assert (shipped.status, shipped.body["status"], shipped.body["status_text"]) == (
        200,
        "shipped",
        "已发货",
    )
    assert rows(merchant, "status=shipped") == [order_id]
    assert order_id not in rows(merchant, "status=fulfilling")
    seen = friend.order(order_id)
    assert (seen["status_text"], seen["receive_by_s"]) == ("待收货", merchant.now_s + RECEIPT_S)
    assert [(p["carrier_name"], p["number"], p["units"]) for p in seen["parcels"]] == [
        ("顺丰速运", SF, 1)
    ]
    texts = [m["text"] for m in friend.get("/v1/me/messages").body["items"]]
    assert f"「周末三人团」已发货：顺丰速运 {SF}，共 1 件。" in texts
    merchant.check_laws()


def test_same_parcel_again_changes_nothing(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    first = ship(merchant, order_id)

    again = ship(merchant, order_id)
    twenty = concurrently([lambda: ship(merchant, order_id)] * 20)

    assert again.body == first.body
    assert {reply.status for reply in twenty} <= {200, 503}
    assert len(file_of(merchant, order_id)["parcels"]) == 1
    assert friend.messages().count("shipped") == 1
    merchant.check_laws()


@pytest.mark.slow
def test_twenty_who_ship_at_once_ship_once(merchant: MerchantFixture) -> None:
    _, order_id = to_ship(merchant)
    replies = concurrently(
        [partial(ship, merchant, order_id, f"SF{10**12 + n}") for n in range(20)]
    )

    statuses = [reply.status for reply in replies]
    assert (statuses.count(200), set(statuses) <= {200, 409, 503}) == (1, True)
    assert len(file_of(merchant, order_id)["parcels"]) == 1
    merchant.check_laws()


def test_shipping_is_three_calls_of_fifteen_units(merchant: MerchantFixture) -> None:
    _, order_id = to_ship(merchant)
    parsed = OrderId.parse(order_id)
    assert parsed is not None
    shop_cache.merchant(merchant.merchant_id, merchant.now_s)

    with metered() as meter:
        shipping.ship(
            merchant.merchant_id, parsed, Draft("SF", SF), staff="boss", now_s=merchant.now_s
        )

    assert meter.calls == ["BatchGetItem", "Query", "TransactWriteItems"]
    assert meter.units == 15, meter.parts


def test_units_go_into_several_parcels(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant, quantity=3)

    part = ship(merchant, order_id, units=2)
    too_many = ship(merchant, order_id, "SF9999999999999", units=2)
    other_carrier = ship(merchant, order_id, carrier="京东")
    seen = friend.order(order_id)
    rest = ship(merchant, order_id, "SF9999999999999")

    assert (part.body["status"], part.body["status_text"], part.body["shipped"]) == (
        "fulfilling",
        "部分发货",
        2,
    )
    assert (seen["status_text"], seen["receive_by_s"]) == ("部分已发货", None)
    assert other_carrier.body["details"] == {"field": "carrier"}
    assert (too_many.code, too_many.body["details"]["max"]) == ("invalid_request", 1)
    assert (rest.body["status"], [p["units"] for p in rest.body["parcels"]]) == ("shipped", [2, 1])
    merchant.check_laws()


def test_order_that_waits_for_its_group_is_not_shipped(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3)
    group_id, leader, waiting = merchant.open_group(activity)
    _, held = merchant.join(activity, group_id)

    unformed, unpaid = ship(merchant, waiting), ship(merchant, held)

    assert (unformed.status, unformed.code) == (409, "shipping_refused")
    assert unformed.body["message"] == "还差 2 人成团，成团后才能发货。"
    assert unpaid.body["message"] == "订单还没有付款，不能发货。"
    assert file_of(merchant, waiting)["ship_refusal"] == unformed.body["message"]
    assert leader.status(waiting) == "paid"
    merchant.check_laws()


def test_order_that_is_refunded_or_asked_back_is_not_shipped(merchant: MerchantFixture) -> None:
    _, [(leader, first), (friend, second)] = formed(merchant)
    asked = friend.post(f"/v1/orders/{second}/after-sales", CLAIM)

    disputed = ship(merchant, second)
    friend.post(f"/v1/orders/{second}/after-sales/{asked.body['after_sale_id'][-1]}/withdrawal")
    withdrawn = ship(merchant, second)
    whole = leader.post(f"/v1/orders/{first}/after-sales", {**CLAIM, "amount_fen": 5900})
    approval = f"/v1/merchant/after-sales/{whole.body['after_sale_id']}/approval"
    merchant.owner().post(approval, {"amount_fen": 5900})
    refunding = ship(merchant, first, "SF9999999999999")

    assert disputed.body["message"] == "买家申请了售后。请先处理售后申请，再发货。"
    assert withdrawn.status == 200
    assert refunding.body["message"] == "订单正在退款，不能发货。"
    merchant.run_jobs()
    merchant.check_laws()


@pytest.mark.slow
def test_rest_of_a_partly_shipped_order_goes_back(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant, quantity=3)
    ship(merchant, order_id, units=1)
    asked = friend.post(f"/v1/orders/{order_id}/after-sales", {**CLAIM, "amount_fen": 11800})
    approval = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"

    merchant.owner().post(approval, {"amount_fen": 11800, "units_back": 2})
    merchant.run_jobs()

    seen = friend.order(order_id)
    assert (seen["status"], seen["status_text"]) == ("shipped", "待收货·已部分退款")
    assert merchant.money()["refunded_fen"] == 11800
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(merchant, order_id) == "completed"
    merchant.check_laws()


def test_order_whose_units_are_all_back_has_nothing_to_ship(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant, quantity=2)
    asked = friend.post(f"/v1/orders/{order_id}/after-sales", {**CLAIM, "amount_fen": 900})
    approval = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"
    merchant.owner().post(approval, {"amount_fen": 900, "units_back": 2})

    refused = ship(merchant, order_id)

    assert (refused.status, refused.code) == (409, "shipping_refused")
    assert refused.body["message"] == "订单正在退款，不能发货。"
    assert file_of(merchant, order_id)["ship_refusal"] == refused.body["message"]
    assert friend.order(order_id)["status_text"] == "商品已退·部分退款中"


@pytest.mark.slow
def test_shipped_order_is_refunded_after_sale(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    ship(merchant, order_id)
    asked = friend.post(f"/v1/orders/{order_id}/after-sales", {**CLAIM, "amount_fen": 5900})
    approval = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"

    merchant.owner().post(approval, {"amount_fen": 5900})
    merchant.run_jobs()

    assert friend.status(order_id) == "refunded"
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(merchant, order_id) == "refunded"
    merchant.check_laws()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"carrier": "顺疯"}, "carrier"),
        ({"number": "123"}, "number"),
        ({"number": "7.8E+13"}, "number"),
        ({"carrier": "中通", "number": SF}, "number"),
    ],
)
def test_carrier_or_number_that_is_none_is_refused(
    merchant: MerchantFixture, given: dict[str, str], field: str
) -> None:
    _, order_id = to_ship(merchant)
    body = {"carrier": "SF", "number": SF, **given}

    reply = merchant.owner().post(f"/v1/merchant/orders/{order_id}/parcels", body)

    assert (reply.status, reply.body["details"]["field"]) == (400, field)
    assert file_of(merchant, order_id)["parcels"] == []


def test_number_of_another_buyers_parcel_is_refused_and_ones_own_may_be_shared(
    merchant: MerchantFixture,
) -> None:
    activity, [(leader, first), (_, second)] = formed(merchant)
    alone = leader.buy_alone(activity).body["order_id"]
    merchant.pay(leader, alone)
    ship(merchant, first)

    anothers, own = ship(merchant, second), ship(merchant, alone)

    assert (anothers.code, anothers.body["details"]["order_id"]) == ("invalid_request", first)
    assert own.status == 200
    assert set(rows(merchant, f"q={SF.lower()}")) == {first, alone}
    merchant.check_laws()


def test_number_is_corrected_within_a_day(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    ship(merchant, order_id)
    path = f"/v1/merchant/orders/{order_id}/parcels/1"
    right = {"carrier": "中通", "number": ZTO}

    corrected = merchant.staff("fulfilment").put(path, right)
    again = merchant.staff("fulfilment").put(path, right)
    back = merchant.owner().put(path, {"carrier": "SF", "number": SF})
    forth = merchant.owner().put(path, right)

    assert (corrected.status, again.body) == (200, corrected.body)
    assert (back.status, forth.status) == (200, 200)
    [parcel] = file_of(merchant, order_id)["parcels"]
    assert (parcel["carrier"], parcel["number"]) == ("ZTO", ZTO)
    assert (rows(merchant, f"q={ZTO}"), rows(merchant, f"q={SF}")) == ([order_id], [])
    assert friend.messages().count("parcel_corrected") == 3
    merchant.wait(86401, every_s=86401)
    late = merchant.owner().put(path, {"carrier": "SF", "number": SF})
    assert (late.status, late.code) == (409, "shipping_refused")
    assert merchant.owner().put(path[:-1] + "2", right).status == 404
    merchant.check_laws()


def test_table_is_checked_first_and_ships_nothing(merchant: MerchantFixture) -> None:
    _, order_id = to_ship(merchant)

    assert batch(merchant, (order_id, "顺丰速运", SF), check_only=True) == [("would_ship", "")]

    assert file_of(merchant, order_id)["parcels"] == []
    assert batch(merchant, (order_id, "顺丰速运", SF)) == [("shipped", "")]
    merchant.check_laws()


def test_same_table_twice_ships_once(merchant: MerchantFixture) -> None:
    _, [(_, first), (_, second)] = formed(merchant)
    table = [(first, "SF", SF), (second, "中通快递", ZTO)]

    assert batch(merchant, *table) == [("shipped", "")] * 2
    assert batch(merchant, *table, check_only=True) == [("already_shipped", "")] * 2
    assert batch(merchant, *table) == [("already_shipped", "")] * 2

    assert [len(file_of(merchant, order_id)["parcels"]) for order_id in (first, second)] == [1, 1]
    merchant.check_laws()


def test_row_that_cannot_be_shipped_holds_up_no_other(merchant: MerchantFixture) -> None:
    _, [(_, first), (friend, second)] = formed(merchant)
    _, _, waiting = merchant.open_group(merchant.activity())
    friend.post(f"/v1/orders/{second}/after-sales", CLAIM)
    nobodys = first[:22] + "00000000"

    results = batch(
        merchant,
        ("订单", "SF", SF),
        (nobodys, "SF", "SF2222222222222"),
        (waiting, "SF", "SF3333333333333"),
        (second, "SF", "SF4444444444444"),
        (first, "顺疯", "SF5555555555555"),
        (first, "SF", "12"),
        (f" {first} ", "ｓｆ", f" {SF} "),
        (first, "SF", SF),
    )

    assert results == [
        ("needs_change", "order_id"),
        ("needs_change", "order_id"),
        ("skipped", ""),
        ("skipped", ""),
        ("needs_change", "carrier"),
        ("needs_change", "number"),
        ("shipped", ""),
        ("skipped", ""),
    ]
    merchant.check_laws()


def test_rows_that_contradict_each_other_ship_nothing(merchant: MerchantFixture) -> None:
    activity, [(leader, first), (_, second)] = formed(merchant)
    alone = leader.buy_alone(activity).body["order_id"]
    merchant.pay(leader, alone)

    two_buyers = batch(merchant, (first, "SF", SF), (second, "SF", SF))
    two_numbers = batch(merchant, (first, "SF", SF), (first, "ZTO", ZTO))
    one_buyer = batch(merchant, (first, "SF", SF), (alone, "SF", SF))
    used = batch(merchant, (second, "SF", SF))

    assert two_buyers == two_numbers == [("needs_change", "number")] * 2
    assert one_buyer == [("shipped", "")] * 2
    assert used == [("needs_change", "number")]
    merchant.check_laws()


@pytest.mark.slow
def test_tables_of_two_people_at_once_ship_once(merchant: MerchantFixture) -> None:
    members = [member for _ in range(3) for member in formed(merchant)[1]]
    table = [
        shipments.Row(order_id, "SF", f"SF{10**12 + n}") for n, (_, order_id) in enumerate(members)
    ]

    both = concurrently(
        [
            lambda: shipments.ship_all(
                merchant.merchant_id, table, check_only=False, staff="boss", now_s=merchant.now_s
            )
        ]
        * 2
    )

    outcomes = {result.outcome.value for results in both for result in results}
    assert outcomes <= {"shipped", "already_shipped", "try_again"}
    assert all(len(file_of(merchant, order_id)["parcels"]) == 1 for _, order_id in members)
    merchant.check_laws()


def test_too_long_a_table_is_refused(merchant: MerchantFixture) -> None:
    row = {"order_id": "x", "carrier": "SF", "number": SF}

    reply = merchant.owner().post(
        "/v1/merchant/shipments", {"rows": [row] * 51, "check_only": True}
    )

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.slow
def test_shipping_and_asking_back_at_once_is_one_after_the_other(merchant: MerchantFixture) -> None:
    for round_number in range(5):
        friend, order_id = to_ship(merchant, quantity=2)
        send = partial(ship, merchant, order_id, f"SF{10**12 + round_number}", units=1)
        ask_back = partial(friend.post, f"/v1/orders/{order_id}/after-sales", CLAIM)

        shipped, asked, _ = concurrently([send, ask_back, send])

        assert (asked.status, shipped.status in (200, 409)) == (201, True)
        assert len(file_of(merchant, order_id)["parcels"]) <= 1
        merchant.check_laws(quiescent=False)


def correct(shop: Shop, order: OrderItem, number: str) -> None:
    given = shipping.draft("顺丰", number)
    shipping.correct(shop.merchant_id, order.order_id, "1", given, staff=STAFF, now_s=shop.now_s)


def numbers(shop: Shop, order: OrderItem) -> list[str]:
    return [parcel.number for parcel in parcels_of(detail(shop, order).parcels)]


def test_order_that_was_shipped_meanwhile_is_not_shipped_again(shop: Shop) -> None:
    order = staff_requests.to_ship(shop)

    with interleaved(lambda: staff_requests.ship(shop, order)), pytest.raises(ShippingRefused):
        staff_requests.ship(shop, order, "SF9999999999999")

    assert (numbers(shop, order), audited(shop, "order_shipped")) == ([SF], 1)


@pytest.mark.slow
def test_parts_that_are_shipped_at_once_are_all_shipped(shop: Shop) -> None:
    order = staff_requests.to_ship(shop, quantity=3)

    with interleaved(lambda: staff_requests.ship(shop, order, units=1)):
        staff_requests.ship(shop, order, "SF2222222222222", units=1)
    with (
        interleaved(lambda: staff_requests.ship(shop, order, "SF3333333333333", units=1)),
        pytest.raises(ShippingRefused),
    ):
        staff_requests.ship(shop, order, "SF4444444444444", units=1)

    stored = shop.order(order.order_id)
    assert numbers(shop, order) == [SF, "SF2222222222222", "SF3333333333333"]
    assert (stored.shipped, stored.status, stored.is_marked()) == (3, "shipped", True)


def test_request_made_while_an_order_is_shipped_comes_first(shop: Shop) -> None:
    order = staff_requests.to_ship(shop)
    claim = Claim(900, Reason.LATE)

    def ask() -> None:
        after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)

    with interleaved(ask), pytest.raises(ShippingRefused):
        staff_requests.ship(shop, order)

    assert numbers(shop, order) == []


def test_units_that_came_back_while_an_order_is_shipped_are_not_shipped(shop: Shop) -> None:
    order = staff_requests.to_ship(shop)

    with interleaved(lambda: give_back(shop, order, 5900, units=1)):
        staff_requests.ship(shop, order)

    [parcel] = parcels_of(detail(shop, order).parcels)
    assert (parcel.units, shop.order(order.order_id).status) == (1, "shipped")


def test_order_goes_into_so_many_parcels_and_no_more(shop: Shop) -> None:
    order = staff_requests.to_ship(shop, quantity=PARCELS_MAX + 1)
    for number in range(PARCELS_MAX):
        staff_requests.ship(shop, order, f"SF{10**12 + number}", units=1)

    with pytest.raises(ShippingRefused):
        staff_requests.ship(shop, order)

    assert shop.order(order.order_id).shipped == PARCELS_MAX


def test_parcel_corrected_by_two_at_once_was_corrected_twice(shop: Shop) -> None:
    order = on_its_way(shop)

    with interleaved(lambda: correct(shop, order, "SF2222222222222")):
        correct(shop, order, "SF3333333333333")

    [parcel] = parcels_of(detail(shop, order).parcels)
    assert (parcel.number, parcel.corrections) == ("SF3333333333333", 2)


def test_parcel_does_not_get_a_number_that_is_taken(shop: Shop) -> None:
    order, strangers = staff_requests.to_ship(shop), staff_requests.to_ship(shop)
    staff_requests.ship(shop, order, units=1)
    staff_requests.ship(shop, order, "SF2222222222222")
    staff_requests.ship(shop, strangers, "SF3333333333333")

    for number in ("SF2222222222222", "SF3333333333333"):
        with pytest.raises(InvalidRequest) as refusal:
            correct(shop, order, number)
        assert refusal.value.details["field"] == "number"

    assert numbers(shop, order) == [SF, "SF2222222222222"]
