"""Pickup: stores, orders that wait in them, and the code by which they are handed over."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.api import shapes
from chalicelib.domain.ids import new_id
from chalicelib.services.people import identities
from chalicelib.tables.records import AuditItem, RecordItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import ADDRESS, Activity, Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.merges import merge_into_an_older_one

STORE = {
    "name": "西湖店",
    "address": "杭州市西湖区文一西路 1 号",
    "phone": "0571-88880000",
    "hours": [{"days": "周一至周五", "hours": "9:00–21:00"}],
}
STORES = "/v1/merchant/stores"


def make_store(merchant: MerchantFixture, **changes: Any) -> Any:
    made = merchant.owner().post(STORES, STORE | changes)
    assert made.status == 201, made.body
    return made.body


def collected(store_id: str, **changes: Any) -> dict[str, Any]:
    """What a purchase says to be collected."""
    who = {"store_id": store_id, "name": "王小明", "phone": "13800138000"}
    return {"delivery": "pickup", "address": None, "pickup": who | changes}


def to_collect(merchant: MerchantFixture) -> tuple[Activity, Buyer, str]:
    """(activity, buyer, order_id) of an order that is paid and to be made ready."""
    activity, buyer = merchant.activity(stock=10, product_stock=20), merchant.buyer()
    store_id = make_store(merchant)["store_id"]
    order_id = buyer.buy_alone(activity, **collected(store_id)).body["order_id"]
    merchant.pay(buyer, order_id)
    return activity, buyer, order_id


def make_ready(merchant: MerchantFixture, order_id: str, role: str = "fulfilment") -> Reply:
    return merchant.staff(role).post(f"/v1/merchant/orders/{order_id}/readiness")


def hand_over(merchant: MerchantFixture, code: str, role: str = "service") -> Reply:
    return merchant.staff(role).post("/v1/merchant/pickups", {"code": code})


def look(merchant: MerchantFixture, code: str) -> Reply:
    return merchant.staff("service").get(f"/v1/merchant/pickups/{code}")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_stores_are_made_changed_removed_and_seen_by_buyers(merchant: MerchantFixture) -> None:
    made = make_store(merchant)
    path = f"{STORES}/{made['store_id']}"
    shown = {name: value for name, value in made.items() if name != "revision"}
    assert merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/stores").body == {
        "items": [shown]
    }

    closed = merchant.owner().put(path, STORE | {"is_open": False, "revision": 1})
    again = merchant.owner().put(path, STORE | {"is_open": False, "revision": 1})
    stale = merchant.owner().put(path, STORE | {"name": "新店", "revision": 1})
    assert (closed.body["is_open"], closed.body["revision"]) == (False, 2)
    assert again.body == closed.body
    assert (stale.status, stale.code) == (409, "changed")

    for _ in range(2):
        assert merchant.owner().call("DELETE", path).body == {"done": True}
    assert merchant.owner().get(STORES).body == {"items": []}
    assert merchant.owner().put(path, STORE | {"revision": 3}).status == 404
    month = AuditItem.at(merchant.merchant_id, merchant.now_s, "").pk
    actions = [row.action for row in RecordItem.query(month) if isinstance(row, AuditItem)]
    told = sorted(action for action in actions if action.startswith("store_"))
    assert told == ["store_changed", "store_created", "store_removed"]


def test_a_shop_that_is_not_there_is_not_a_shop_without_stores(merchant: MerchantFixture) -> None:
    reply = merchant.visitor().get(f"/v1/merchants/{new_id()}/stores")

    assert (reply.status, reply.code) == (404, "not_found")


def test_an_order_is_bought_for_a_store_made_ready_and_handed_over(
    merchant: MerchantFixture,
) -> None:
    _, buyer, order_id = to_collect(merchant)
    shown = buyer.order(order_id)
    assert (shown["status_text"], shown["delivery"], shown["pickup_code"]) == (
        "待备货",
        "pickup",
        None,
    )
    assert (shown["store"]["name"], shown["lines"]["freight_fen"]) == ("西湖店", 0)
    assert shown["address"] == {"name": "王小明", "phone": "13800138000"}

    ready = make_ready(merchant, order_id)
    assert (ready.status, ready.body["status"]) == (200, "ready_for_pickup")
    shown = buyer.order(order_id)
    code = shown["pickup_code"]
    assert (shown["status_text"], len(code), code.isdigit()) == ("待自提", 8, True)
    assert shown["pickup_qr"] == shapes.qr_png(code)
    message = buyer.get("/v1/me/messages").body["items"][0]
    assert message["title"] == "可以取货了"
    assert message["text"].endswith(f"已在西湖店备好，取货码 {code}。请到店出示，不要告诉别人。")

    seen = look(merchant, code)
    assert (seen.status, seen.body["buyer_phone"], seen.body["status_text"]) == (
        200,
        "138****8000",
        "待自提",
    )
    assert buyer.status(order_id) == "ready_for_pickup"
    handed = hand_over(merchant, code)
    assert (handed.body["status"], handed.body["received_at_s"]) == ("completed", merchant.now_s)
    shown = buyer.order(order_id)
    assert (shown["status_text"], shown["pickup_qr"]) == ("已完成", None)
    merchant.check_laws()


def test_joining_for_pickup_is_one_call_of_eleven_units_when_it_was_quoted_just_before(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = merchant.activity(), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)
    store_id = make_store(merchant)["store_id"]
    quoted = buyer.quote(activity, group_id=group_id, delivery="pickup", store_id=store_id)
    assert quoted.body["total_fen"] == 5900

    with metered() as meter:
        buyer.join(activity, group_id, **collected(store_id))

    assert (meter.calls, meter.units) == (["TransactWriteItems"], 11), meter.parts


def test_repeats_answer_the_same_and_change_nothing(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)

    ready = [make_ready(merchant, order_id).body for _ in range(2)]
    code = buyer.order(order_id)["pickup_code"]
    merchant.clock.forward(60)
    handed = [hand_over(merchant, code).body for _ in range(2)]
    late = make_ready(merchant, order_id)

    assert ready[0] == ready[1]
    assert handed[0] == handed[1] == look(merchant, code).body
    assert (late.status, late.body) == (200, handed[0])
    assert buyer.messages().count("ready") == 1
    merchant.check_laws()


def test_the_code_is_for_the_buyer_alone(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)

    ready = make_ready(merchant, order_id)

    code = buyer.order(order_id)["pickup_code"]
    assert code not in str(ready.body)


@pytest.mark.slow
def test_a_wrong_code_is_told_so_and_cannot_be_guessed_for_long(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]

    replies = [hand_over(merchant, wrong(code)) for _ in range(15)]
    replies += [look(merchant, wrong(code)) for _ in range(5)]

    assert {(r.status, r.body["message"]) for r in replies} == {
        (404, "没有这个取货码，请核对后再输一次。")
    }
    assert hand_over(merchant, code).status == 429
    assert hand_over(merchant, code, role="manager").status == 200
    for odd in ("1", "abcdefgh", "123456789"):
        assert merchant.owner().get(f"/v1/merchant/pickups/{odd}").status == 404


@pytest.mark.slow
def test_of_codes_guessed_at_all_at_once_exactly_twenty_are_told(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]

    ways = [lambda: hand_over(merchant, wrong(code)), lambda: look(merchant, wrong(code))]
    replies = concurrently(ways * 30)

    assert Counter(reply.status for reply in replies) == {404: 20, 429: 40}
    assert hand_over(merchant, code).status == 429
    assert buyer.status(order_id) == "ready_for_pickup"
    merchant.clock.forward(60)
    assert hand_over(merchant, code).status == 200


@pytest.mark.slow
def test_right_codes_count_nothing_and_leave_wrong_ones_counted(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]

    for _ in range(19):
        assert hand_over(merchant, wrong(code)).status == 404
        assert look(merchant, code).status == 200

    assert hand_over(merchant, wrong(code)).status == 404
    assert look(merchant, code).status == 429


def test_only_what_is_paid_formed_and_to_be_collected_is_made_ready(
    merchant: MerchantFixture,
) -> None:
    activity, store_id = merchant.activity(seats=2, stock=10), make_store(merchant)["store_id"]
    group_id, leader, first = merchant.open_group(activity, **collected(store_id))
    friend, second = merchant.join(activity, group_id)

    early = make_ready(merchant, first)
    merchant.pay(friend, second)
    merchant.run_jobs()
    sent = make_ready(merchant, second)
    unknown = make_ready(merchant, "0" * 30)

    assert (early.code, early.body["message"]) == ("pickup_refused", "还没有成团，成团后才能备货。")
    assert (sent.code, sent.body["message"]) == (
        "pickup_refused",
        "这个订单要快递发货，不是到店自提。",
    )
    assert unknown.status == 404
    assert leader.order(first)["status_text"] == "已成团待备货"
    assert make_ready(merchant, first).status == 200
    parcel = {"carrier": "顺丰", "number": "SF1234567890123"}
    shipped = merchant.owner().post(f"/v1/merchant/orders/{first}/parcels", parcel)
    assert (shipped.status, shipped.code) == (409, "shipping_refused")
    merchant.check_laws()


def test_an_order_that_is_collected_is_sent_to_no_address(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    path = f"/v1/merchant/orders/{order_id}/address"

    reply = merchant.owner().put(path, {"address": ADDRESS, "address_changes": 0})

    assert (reply.status, reply.code) == (409, "shipping_refused")
    assert reply.body["message"] == "到店自提的订单没有收货地址。"
    assert buyer.order(order_id)["address"] == {"name": "王小明", "phone": "13800138000"}


def test_an_open_request_for_money_back_holds_up_the_hand_over(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    claim = {"amount_fen": 9900, "reason": "changed_mind"}
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", claim).body
    path = f"/v1/merchant/after-sales/{asked['after_sale_id']}"

    assert make_ready(merchant, order_id).code == "pickup_refused"
    assert merchant.owner().post(f"{path}/refusal", {"reply": "已备货"}).status == 200
    make_ready(merchant, order_id)
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", claim).body
    shown = buyer.order(order_id)
    assert shown["actions"] == ["see_after_sale"]
    code = shown["pickup_code"]
    held_up = hand_over(merchant, code)
    assert (held_up.code, held_up.body["message"]) == (
        "pickup_refused",
        "买家申请了售后。请先处理售后申请，再备货或交货。",
    )
    path = f"/v1/merchant/after-sales/{asked['after_sale_id']}"
    approval = {"amount_fen": 9900, "units_back": 1}
    assert merchant.owner().post(f"{path}/approval", approval).status == 200
    assert hand_over(merchant, code).body["message"] == "订单正在退款，不能交货。"
    merchant.run_jobs(2)
    assert (hand_over(merchant, code).body["message"], buyer.status(order_id)) == (
        "订单已退款，不能交货。",
        "refunded",
    )
    merchant.check_laws()


def test_a_store_that_is_closed_or_not_there_takes_no_orders(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10), merchant.buyer()
    closed = make_store(merchant, is_open=False)["store_id"]

    replies = [buyer.open(activity, **collected(store_id)) for store_id in (closed, "0" * 22)]

    assert [(r.status, r.code) for r in replies] == [(409, "store_closed")] * 2
    assert merchant.stock(activity) == 10
    quote = {"activity_id": activity.activity_id, "sku_id": activity.sku_id, "delivery": "pickup"}
    assert buyer.post(f"/v1/merchants/{buyer.merchant_id}/quotes", quote).body["details"] == {
        "field": "store_id"
    }
    assert (
        buyer.post(f"/v1/merchants/{buyer.merchant_id}/quotes", quote | {"store_id": closed}).code
        == "store_closed"
    )


def test_an_order_keeps_its_store_as_it_was(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    [store] = merchant.owner().get(STORES).body["items"]

    path = f"{STORES}/{store['store_id']}"
    merchant.owner().put(path, STORE | {"address": "搬走了", "revision": store["revision"]})
    merchant.owner().call("DELETE", path)

    assert buyer.order(order_id)["store"] == {
        "store_id": store["store_id"],
        "name": STORE["name"],
        "address": STORE["address"],
        "phone": STORE["phone"],
        "hours": STORE["hours"],
    }
    assert make_ready(merchant, order_id).status == 200


def test_delivery_says_what_is_missing(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10), merchant.buyer()
    store_id = make_store(merchant)["store_id"]
    bodies: list[dict[str, Any]] = [
        {"address": None},
        {"delivery": "pickup", "address": None},
        collected(store_id) | {"address": ADDRESS},
        collected(store_id) | {"delivery": "express"},
        collected(store_id) | {"delivery": "express", "address": ADDRESS},
        collected(store_id, phone="123"),
    ]

    replies = [buyer.open(activity, **body) for body in bodies]

    assert [(r.status, r.body["details"]["field"]) for r in replies] == [
        (400, "address"),
        (400, "pickup"),
        (400, "pickup"),
        (400, "address"),
        (400, "address"),
        (400, "pickup.phone"),
    ]
    assert replies[0].body["message"] == "还没有收货地址，添加后就能提交订单。"
    assert merchant.stock(activity) == 10


@pytest.mark.slow
def test_many_hands_make_ready_and_hand_over_once(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)

    ready = concurrently([lambda: make_ready(merchant, order_id)] * 6)
    code = buyer.order(order_id)["pickup_code"]
    handed = concurrently([lambda: hand_over(merchant, code)] * 6)

    assert {r.status for r in (*ready, *handed)} == {200}
    assert {r.body["received_at_s"] for r in handed} == {merchant.now_s}
    merchant.check_laws()


def test_a_request_made_while_an_order_is_made_ready_comes_first(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)

    with interleaved(lambda: ask_back(buyer, order_id)):
        refused = make_ready(merchant, order_id)

    assert (refused.status, refused.code) == (409, "pickup_refused")
    assert (buyer.status(order_id), buyer.order(order_id)["pickup_code"]) == ("fulfilling", None)
    merchant.check_laws()


def test_a_refund_approved_while_an_order_is_handed_over_comes_first(
    merchant: MerchantFixture,
) -> None:
    _, buyer, order_id = to_collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]

    def take_back() -> None:
        after_sale_id = ask_back(buyer, order_id)
        approval = {"amount_fen": 9900, "units_back": 1}
        path = f"/v1/merchant/after-sales/{after_sale_id}/approval"
        assert merchant.owner().post(path, approval).status == 200

    with interleaved(take_back):
        refused = hand_over(merchant, code)

    assert refused.body["message"] == "订单正在退款，不能交货。"
    merchant.run_jobs(2)
    assert buyer.status(order_id) == "refunded"
    merchant.check_laws()


def test_a_hand_over_comes_before_the_approval_of_a_refund(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]

    with interleaved(lambda: hand_over(merchant, code)):
        ask_back(buyer, order_id)

    assert buyer.order(order_id)["status_text"] == "已完成"
    assert len(merchant.owner().get("/v1/merchant/after-sales?status=requested").body["items"]) == 1
    merchant.check_laws()


def test_who_is_second_to_make_an_order_ready_tells_the_first_ones_code(
    merchant: MerchantFixture,
) -> None:
    _, buyer, order_id = to_collect(merchant)

    with interleaved(lambda: make_ready(merchant, order_id, role="manager")):
        second = make_ready(merchant, order_id)

    assert (second.status, second.body["status"]) == (200, "ready_for_pickup")
    assert buyer.messages().count("ready") == 1
    merchant.check_laws()


def test_a_store_removed_while_it_is_changed_stays_removed(merchant: MerchantFixture) -> None:
    path = f"{STORES}/{make_store(merchant)['store_id']}"

    with interleaved(lambda: merchant.owner().call("DELETE", path)):
        changed = merchant.owner().put(path, STORE | {"name": "新店", "revision": 1})

    assert changed.status == 404
    assert merchant.owner().get(STORES).body == {"items": []}


def ask_back(buyer: Buyer, order_id: str) -> str:
    """Ask for all the money back; the id of the request."""
    claim = {"amount_fen": 9900, "reason": "changed_mind"}
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)
    assert asked.status == 201, asked.body
    return str(asked.body["after_sale_id"])


def test_code_that_was_printed_is_good_after_its_buyer_was_merged(
    merchant: MerchantFixture,
) -> None:
    _, buyer, order_id = to_collect(merchant)
    make_ready(merchant, order_id)
    code = buyer.order(order_id)["pickup_code"]
    merge = merge_into_an_older_one(merchant, buyer)

    with interleaved(merge):
        handed = hand_over(merchant, code)

    person = merchant.session(identities.root(merchant.merchant_id, buyer.buyer_id))
    assert person.buyer_id != buyer.buyer_id
    assert (handed.status, person.status(order_id)) == (200, "completed")
    merchant.check_laws()


def test_code_is_shown_to_the_merged_person_and_good_once(merchant: MerchantFixture) -> None:
    _, buyer, order_id = to_collect(merchant)
    merge = merge_into_an_older_one(merchant, buyer)

    with interleaved(merge):
        ready = make_ready(merchant, order_id)
    person = merchant.session(identities.root(merchant.merchant_id, buyer.buyer_id))
    code = person.order(order_id)["pickup_code"]
    handed = [hand_over(merchant, code) for _ in range(2)]

    assert ready.status == 200
    assert code == buyer.order(order_id)["pickup_code"]
    assert handed[0].status == 200
    assert person.status(order_id) == "completed"
    merchant.check_laws()
