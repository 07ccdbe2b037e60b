"""How staff find orders: lists by status, words, counts, everything of one."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain import recipient, short_number
from chalicelib.domain.ids import OrderId
from chalicelib.domain.short_number import short_of
from chalicelib.services.orders import order_lists
from chalicelib.tables.records import ShortNumberItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import ADDRESS, MerchantFixture
from tests.fixtures.shipping import POSTED_S, SF, file_of, formed, rows, ship
from tests.fixtures.stream_events import change_of, deliver

pytestmark = pytest.mark.slow


def page(merchant: MerchantFixture, query: str) -> Any:
    reply = merchant.staff("service").get(f"/v1/merchant/orders?{query}")
    assert reply.status == 200, reply.body
    return reply.body


def test_row_tells_what_a_list_needs_and_masks_who_it_is_for(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3)
    group_id, leader, order_id = merchant.open_group(activity, quantity=2, remark="少放冰")
    merchant.run_jobs()

    [row] = page(merchant, "status=paid")["items"]

    assert row == {
        "order_id": order_id,
        "short_no": short_of(order_id),
        "group_id": group_id,
        "buyer_id": leader.buyer_id,
        "product_id": activity.product_id,
        "title": "周末三人团",
        "spec": "1斤装",
        "image": "",
        "quantity": 2,
        "total_fen": 11800,
        "status": "paid",
        "status_text": "待成团",
        "ship_refusal": "还差 2 人成团，成团后才能发货。",
        "shipped": 0,
        "to_deliver": 2,
        "may_go_back": 2,
        "delivery": "express",
        "recipient": {
            "name": "王*",
            "phone": "138****8000",
            "province": "浙江省",
            "city": "杭州市",
            "district": "余杭区",
        },
        "group": {
            "group_id": group_id,
            "status": "open",
            "seats_total": 3,
            "seats_least": 0,
            "seats_paid": 1,
            "seats_missing": 2,
            "expires_at_s": merchant.now_s + 86400,
        },
        "has_remark": True,
        "has_notes": False,
        "after_sale_open": False,
        "urged_at_s": None,
        "placed_at_s": merchant.now_s,
        "pay_by_s": merchant.now_s + 600,
        "listed_at_s": merchant.now_s,
    }


def test_orders_are_found_by_every_word(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20)
    group_id, leader, first = merchant.open_group(activity)
    address = {**ADDRESS, "phone": "13900139001"}
    _, second = merchant.member(activity, group_id, address=address)
    merchant.run_jobs()
    ship(merchant, second)
    other = merchant.activity(seats=2)
    _, _, third = merchant.open_group(other, leader)
    merchant.wait(POSTED_S, every_s=POSTED_S)

    bought = f"buyer_id={leader.buyer_id}"
    expected = {
        "": {first, second, third},
        f"q={first}": {first},
        f"q={first}01": {first},  # the payment
        f"q={group_id}": {first, second},
        "q=9001": {second},
        "q=13900139001": {second},
        "q=13800139001": set(),  # another phone of that tail
        f"q={SF}": {second},
        f"product_id={activity.product_id}": {first, second},
        bought: {first, third},
        f"{bought}&status=paid": {third},
        f"product_id={activity.product_id}&status=shipped": {second},
        "q=99999999999999": set(),
    }

    assert {query: set(rows(merchant, query)) for query in expected} == expected


def test_orders_are_found_by_the_names_of_recipient_and_buyer(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20)
    group_id, _, first = merchant.open_group(activity, merchant.buyer("Tom 🌟"))
    _, second = merchant.member(activity, group_id, address={**ADDRESS, "name": "欧阳 小丽"})
    merchant.run_jobs()
    merchant.wait(POSTED_S, every_s=POSTED_S)

    moved = {**ADDRESS, "name": "李雷"}
    body = {"address": moved, "address_changes": 0}
    reply = merchant.owner().put(f"/v1/merchant/orders/{second}/address", body)
    assert reply.status == 200, reply.body

    expected = {
        **{key: [first] for key in ("王小明", "tom🌟", "王", "王小", "to")},
        **{
            key: [second] for key in ("欧阳小丽", "李雷", "小丽")
        },  # as it was written, and moved to
        "tom李": [],
    }
    assert {q: rows(merchant, f"q={quote(q)}") for q in expected} == expected
    merchant.check_laws()


def test_everything_that_words_may_mean_is_sought(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20)
    group_id, _, first = merchant.open_group(activity, merchant.buyer("Alexander Chen"))
    address = {**ADDRESS, "name": "sunshine88", "phone": "13900139001"}
    _, second = merchant.member(activity, group_id, merchant.buyer("20240101"), address=address)
    merchant.run_jobs()
    merchant.wait(POSTED_S, every_s=POSTED_S)
    paid = merchant.owner().get(f"/v1/merchant/orders/{first}").body["payments"][0]
    assert paid["transaction_id"]

    short_no, wide_digits = short_of(first), "１３９００１３９００１"
    of_first = ("Alexander Chen", "alexander", "Chen", paid["transaction_id"], f"{first}01")
    of_second = ("sunshine88", "SUNSHINE", "20240101", "139 0013 9001", "+86 139-0013-9001")
    expected = {
        **{
            key: {first} for key in (*of_first, short_no, short_no.replace("-", " "), short_no[-6:])
        },
        **{key: {second} for key in (*of_second, "\u202d13900139001\u202c", wide_digits)},
        "三人团": {first, second},
        "Christopher": set(),
    }
    assert {q: set(rows(merchant, f"q={quote(q)}")) for q in expected} == expected


def test_words_in_too_many_titles_are_said_to_leave_orders_out(merchant: MerchantFixture) -> None:
    oldest = merchant.activity(seats=2)
    _, _, order_id = merchant.open_group(oldest)
    merchant.wait(POSTED_S, every_s=POSTED_S)
    for _ in range(29):
        merchant.clock.forward(1)
        merchant.activity()
    q = f"q={quote('红颜草莓')}"

    whole = page(merchant, q)
    merchant.activity()
    partly = page(merchant, q)

    assert ([row["order_id"] for row in whole["items"]], whole["left_out"]) == ([order_id], False)
    assert (partly["items"], partly["left_out"]) == ([], True)
    assert rows(merchant, f"product_id={oldest.product_id}") == [order_id]
    asked = {"subject": "orders", "columns": ["order_id"], "q": "红颜草莓"}
    refused = merchant.owner().post("/v1/merchant/exports", asked)
    assert (refused.code, refused.body["details"]) == ("invalid_request", {"field": "q"})
    assert merchant.owner().get("/v1/merchant/exports").body["items"] == []


def test_what_several_places_have_is_one_list_in_pages(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20)
    ids = []
    for name in ("周末", "李雷", "周末", "周末三"):
        ids.append(merchant.open_group(activity, merchant.buyer(name))[2])
        merchant.clock.forward(1)
    merchant.wait(POSTED_S, every_s=POSTED_S)

    seen, token = [], ""
    while token is not None:
        told = page(merchant, f"q={quote('周末')}&limit=1" + (f"&next={token}" if token else ""))
        seen += [row["order_id"] for row in told["items"]]
        token = told["next"]

    assert seen == ids[::-1]  # each has the activity's title, some the name too, none comes twice


def test_later_of_two_orders_with_one_short_number_has_a_serial(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_number, "_digits_of", lambda _: 123456)
    activity = merchant.activity(seats=2, stock=20)
    ids = [merchant.open_group(activity)[2] for _ in range(2)]
    placed = [change_of(merchant, merchant.stored_order(it)) for it in ids]
    number = short_of(ids[0])

    for _ in range(2):  # once more is the same
        assert deliver(merchant, *placed) == []
        told = {row["order_id"]: row["short_no"] for row in page(merchant, f"q={number}")["items"]}
        assert told == {ids[0]: number, ids[1]: f"{number}-2"}
    assert set(rows(merchant, "q=123456")) == {*ids}
    assert rows(merchant, f"q={number}-2") == [ids[1]]
    assert rows(merchant, f"q={number.replace('-', '')}2") == [ids[1]]


def test_serial_of_a_short_number_is_told_wherever_its_order_is(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_number, "_digits_of", lambda _: 123456)
    activity = merchant.activity(seats=2, stock=20)
    _, _, first = merchant.open_group(activity)
    group_id, leader, second = merchant.open_group(activity)
    assert (
        deliver(
            merchant, *(change_of(merchant, merchant.stored_order(it)) for it in (first, second))
        )
        == []
    )
    merchant.member(activity, group_id)
    merchant.run_jobs()
    number = f"{short_of(first)}-2"

    asked = leader.post(
        f"/v1/orders/{second}/after-sales",
        {"amount_fen": 500, "reason": "other", "words": "", "pictures": []},
    )
    [listed] = merchant.owner().get("/v1/merchant/after-sales?status=requested").body["items"]
    latest = leader.get("/v1/me/messages").body["items"][0]

    assert (asked.body["short_no"], listed["short_no"]) == (number, number)
    assert (latest["title"], latest["short_no"]) == ("拼团成功", number)
    assert rows(merchant, f"q={listed['short_no']}") == [second]


def test_order_from_before_short_numbers_is_found_among_those_of_its_day(
    merchant: MerchantFixture,
) -> None:
    _, _, order_id = merchant.open_group(merchant.activity())
    merchant.wait(POSTED_S, every_s=POSTED_S)
    of = OrderId.parse(order_id)
    assert of is not None
    number = short_of(order_id)
    ShortNumberItem.at(merchant.merchant_id, number, 0, of.placed_at_s, order_id).delete()

    assert rows(merchant, f"q={number}") == [order_id]
    assert rows(merchant, "q=269931-123456") == []


def test_unpaid_orders_are_found_once_the_stream_has_carried_them(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity()
    group_id, _, paid = merchant.open_group(activity)
    address = {**ADDRESS, "name": "韩梅梅", "phone": "13900139001"}
    buyer, held = merchant.join(activity, group_id, address=address)
    assert rows(merchant) == rows(merchant, "status=pending") == []
    assert rows(merchant, f"status=pending&buyer_id={buyer.buyer_id}") == [held]
    assert rows(merchant, f"status=pending&q={group_id}") == [held]

    assert (
        deliver(merchant, *(change_of(merchant, merchant.stored_order(it)) for it in (held, paid)))
        == []
    )

    assert rows(merchant, "status=pending") == [held]
    assert set(rows(merchant)) == {held, paid}
    assert rows(merchant, "q=9001") == rows(merchant, "q=%E9%9F%A9%E6%A2%85%E6%A2%85") == [held]
    assert held in rows(merchant, f"product_id={activity.product_id}")
    merchant.clock.forward(86_401)
    assert rows(merchant, "status=pending") == []  # none is unpaid for as long: nobody looks there


def test_closed_orders_have_a_list(merchant: MerchantFixture) -> None:
    activity = merchant.activity()
    group_id, _, _ = merchant.open_group(activity)
    buyer, held = merchant.join(activity, group_id)
    before = merchant.image(merchant.stored_order(held))
    placed = change_of(merchant, merchant.stored_order(held))
    buyer.cancel(held)
    closed = change_of(merchant, merchant.stored_order(held), before)

    assert deliver(merchant, placed, closed, closed) == []

    assert rows(merchant, "status=closed") == [held]
    assert rows(merchant, "status=pending") == []
    assert rows(merchant) == [held]
    again = change_of(
        merchant, merchant.stored_order(held), merchant.image(merchant.stored_order(held))
    )
    with metered() as meter:
        deliver(merchant, again)
    assert meter.calls == []  # it was closed before


def test_words_of_an_order_are_put_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity()
    group_id, _, _ = merchant.open_group(activity)
    _, order_id = merchant.join(activity, group_id, merchant.buyer("王小明"))
    placed = change_of(merchant, merchant.stored_order(order_id))

    with metered() as first:
        deliver(merchant, placed)
    with metered() as second:
        deliver(merchant, placed)

    # Is it found? Whom is it for? Its number, phone, name (the buyer's is the same: 王, 王小,
    # 小明), product, and itself. Then, each time: has a share brought it, to whom?
    assert (len(first.calls), first.units) == (9 + 3, 7)
    assert (len(second.calls), second.units) == (1 + 3, 0)


def test_times_narrow_every_list(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=20)
    began_s = merchant.now_s
    ids = []
    for _ in range(3):
        ids.append(merchant.open_group(activity)[2])
        merchant.clock.forward(60)
    merchant.wait(POSTED_S, every_s=POSTED_S)

    second = f"from_s={began_s + 60}&to_s={began_s + 119}"
    assert rows(merchant, f"status=paid&{second}") == [ids[1]]
    assert rows(merchant, second) == [ids[1]]
    assert rows(merchant, f"product_id={activity.product_id}&from_s={began_s + 60}") == ids[:0:-1]
    assert rows(merchant, "status=paid") == ids
    assert rows(merchant) == ids[::-1]
    assert (
        rows(merchant, f"status=pending&to_s={began_s - 86_401}") == []
    )  # none is unpaid for so long


@pytest.mark.parametrize(
    "wish", ["", "status=paid", "status=pending", "q=13800138000", "product_id=", "buyer_id="]
)
def test_times_that_end_before_they_begin_are_refused(merchant: MerchantFixture, wish: str) -> None:
    activity, buyer = merchant.activity(), merchant.buyer()
    of = {"product_id=": activity.product_id, "buyer_id=": buyer.buyer_id}.get(wish, "")

    reply = merchant.owner().get(f"/v1/merchant/orders?{wish}{of}&from_s=301&to_s=300")

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.body["details"] == {"field": "from_s"}


def test_pages_go_on_where_they_ended(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=20)
    ids = []
    for _ in range(5):
        ids.append(merchant.open_group(activity)[2])
        merchant.clock.forward(1)
    merchant.wait(POSTED_S, every_s=POSTED_S)

    for query in ("status=paid&", ""):
        seen, token = [], ""
        while token is not None:
            told = page(merchant, f"{query}limit=2" + (f"&next={token}" if token else ""))
            seen += [row["order_id"] for row in told["items"]]
            token = told["next"]
        assert seen == (ids if query else ids[::-1])
    token = page(merchant, "limit=2")["next"]
    assert merchant.owner().get(f"/v1/merchant/orders?status=paid&next={token}").status == 400


def test_page_is_filled_from_further_on_so_many_times(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity, buyer = merchant.activity(stock=30), merchant.buyer()
    _, _, first = merchant.open_group(activity, buyer)
    for _ in range(3):
        merchant.clock.forward(1)
        assert buyer.cancel(merchant.open_group(activity, buyer)[2]).status == 200
    query = f"buyer_id={buyer.buyer_id}&status=paid&limit=1"

    assert rows(merchant, query) == [first]
    monkeypatch.setattr(order_lists, "LOOKS_MAX", 3)
    short = page(merchant, query)

    assert short["items"] == []
    assert rows(merchant, f"{query}&next={short['next']}") == [first]


def test_words_of_an_order_are_those_of_the_lists(merchant: MerchantFixture) -> None:
    _, [(_, first), _] = formed(merchant)
    merchant.open_group(merchant.activity())
    ship(merchant, first)

    told = merchant.staff("service").get("/v1/merchant/orders/counts").body["counts"]

    assert told == {
        "paid": 1,
        "fulfilling": 1,
        "shipped": 1,
        "ready_for_pickup": 0,
        "completed": 0,
        "refunding": 0,
        "refunded": 0,
    }


def test_file_of_an_order_tells_its_whole_story(merchant: MerchantFixture) -> None:
    _, [_, (friend, order_id)] = formed(merchant)
    merchant.clock.forward(60)
    owner = merchant.owner()
    owner.post(f"/v1/merchant/orders/{order_id}/notes", {"text": "周末送"})
    moved = {**ADDRESS, "street": "新街 1 号"}
    body = {"address": moved, "address_changes": 0}
    owner.put(f"/v1/merchant/orders/{order_id}/address", body)
    merchant.clock.forward(60)
    ship(merchant, order_id)
    merchant.clock.forward(60)
    claim = {"amount_fen": 900, "reason": "damaged"}
    asked = friend.post(f"/v1/orders/{order_id}/after-sales", claim)
    merchant.clock.forward(60)
    approval = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"
    owner.post(approval, {"amount_fen": 900})
    merchant.run_jobs()
    merchant.clock.forward(60)
    friend.post(f"/v1/orders/{order_id}/receipt")

    seen = file_of(merchant, order_id)

    assert [(h["what"], h["text"], h["by"]) for h in seen["timeline"]] == [
        ("placed", "买家下单", ""),
        ("paid", "买家付款 ¥59.00（微信支付）", ""),
        ("formed", "2 人成团", ""),
        ("address_changed", "改了收货地址", "owner"),
        ("noted", "备注：周末送", "owner"),
        ("shipped", f"发货 1 件：顺丰速运 {SF}", "owner"),
        ("after_sale_requested", "买家申请退款 ¥9.00：质量问题或破损", ""),
        ("after_sale_approved", "商家已同意退款", "owner"),
        ("refund_requested", "发起退款 ¥9.00（微信支付）", ""),
        ("refunded", "退款到账 ¥9.00（微信支付）", ""),
        ("received", "买家确认收货", ""),
    ]
    assert (seen["address"], seen["buyer_name"]) == (recipient.masked(moved), "小明")
    assert [p["amount_fen"] for p in seen["payments"]] == [5900]
    assert [(r["amount_fen"], r["status"]) for r in seen["refunds"]] == [(900, "succeeded")]
    assert seen["lines"]["unit_price_fen"] == 5900
    merchant.check_laws()


def test_page_of_a_list_is_one_query_and_one_read(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=20)
    for _ in range(5):
        merchant.open_group(activity)
    merchant.wait(POSTED_S, every_s=POSTED_S)
    service = merchant.staff("service")
    service.get("/v1/merchant/orders")  # the session has been looked up

    with metered() as meter:
        for query in ("status=paid", "", "q=8000", f"product_id={activity.product_id}"):
            meter.reset()
            assert len(service.get(f"/v1/merchant/orders?{query}").body["items"]) == 5
            # "8000" may end a phone number, or be a whole name or a part of one, or of a product's
            # or an activity's title.
            queries = 5 if query == "q=8000" else 1
            assert meter.calls == ["Query"] * queries + ["BatchGetItem"], query
