"""Exchanges of goods: asked for, agreed to, sent back, received, replaced, confirmed."""

from typing import Any

import pytest

from tests.integration import test_returns as returns
from tests.integration.test_returns import agree, approve, has_return_address, listed, send, to_do
from tests.integration.test_shop_acts import refund
from tests.integration.test_units_and_endings import collect
from tests.shipping import RECEIPT_S, formed, ship, status_of
from tests.support import Activity, Buyer, Reply, Town, at_once

WEEK_S = 7 * 86400


def ask(buyer: Buyer, order_id: str, units: int = 1, **more: Any) -> Reply:
    claim = {"units": units, "reason": "damaged", "words": "两盒压坏了", **more}
    return buyer.post(f"/v1/orders/{order_id}/exchanges", claim)


def act(town: Town, after_sale_id: str, what: str, **body: Any) -> Reply:
    path = f"/v1/merchant/after-sales/{after_sale_id}/{what}"
    return town.owner().post(path, body or None)


def receive(town: Town, after_sale_id: str, units_back: int = 0) -> Reply:
    return act(town, after_sale_id, "goods-receipt", units_back=units_back)


def replace(town: Town, after_sale_id: str, number: str = "SF2222222222222", **more: Any) -> Reply:
    given = {"carrier": "顺丰", "number": number, **more}
    return town.owner().put(f"/v1/merchant/after-sales/{after_sale_id}/replacement", given)


def confirm(buyer: Buyer, order_id: str, letter: str = "A") -> Reply:
    return buyer.post(f"/v1/orders/{order_id}/after-sales/{letter}/receipt")


def withdraw(buyer: Buyer, order_id: str, letter: str = "A") -> Reply:
    return buyer.post(f"/v1/orders/{order_id}/after-sales/{letter}/withdrawal")


def asked(town: Town, quantity: int = 2, units: int = 1) -> tuple[Activity, Buyer, str, str]:
    """(activity, buyer, order_id, after_sale_id) of a shipped order of which units are to be
    exchanged; the product has 10 more units."""
    has_return_address(town)
    activity, [_, (friend, order_id)] = formed(town, quantity=quantity)
    ship(town, order_id)
    reply = ask(friend, order_id, units)
    assert reply.status == 201, reply.body
    return activity, friend, order_id, reply.body["after_sale_id"]


def agreed(town: Town, quantity: int = 2, units: int = 1) -> tuple[Activity, Buyer, str, str]:
    found = asked(town, quantity, units)
    assert agree(town, found[3]).status == 200
    return found


def take_out(town: Town, activity: Activity, units: int) -> None:
    path = f"/v1/merchant/products/{activity.product_id}/stock-adjustments"
    body = {"sku_id": activity.sku_id, "delta": -units, "reason": "盘点"}
    reply = town.owner().post(path, body, **{"Idempotency-Key": "a-key-of-mine"})
    assert reply.status == 201, reply.body


def news(buyer: Buyer) -> list[str]:
    return [one["text"] for one in buyer.get("/v1/me/messages").body["items"]]


def test_goods_are_exchanged_for_as_many_others_and_no_money_moves(town: Town) -> None:
    activity, friend, order_id, after_sale_id = asked(town)
    assert (to_do(town), town.product_stock(activity)) == (1, 10)

    first = [agree(town, after_sale_id) for _ in range(2)]
    assert [reply.body["status_text"] for reply in first] == ["商家已同意换货，请寄回商品"] * 2
    assert (to_do(town), town.product_stock(activity)) == (0, 9)
    send(friend, order_id)
    assert (listed(town, "returning"), to_do(town)) == ([after_sale_id], 1)
    received = [receive(town, after_sale_id) for _ in range(2)]
    assert [reply.body["status"] for reply in received] == ["replacing"] * 2
    assert (listed(town, "replacing"), to_do(town)) == ([after_sale_id], 1)
    sent = [replace(town, after_sale_id) for _ in range(2)]
    assert [reply.body["replacement_carrier_name"] for reply in sent] == ["顺丰速运"] * 2
    assert (listed(town, "replacement_sent"), to_do(town)) == ([after_sale_id], 0)
    town.check_laws()
    done = [confirm(friend, order_id) for _ in range(2)]

    assert [reply.body["status_text"] for reply in done] == ["换货完成"] * 2
    assert town.product_stock(activity) == 9
    town.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(town, order_id) == "completed"
    assert town.money()["refunded_fen"] == 0
    whats = [
        it["text"] for it in town.owner().get(f"/v1/merchant/orders/{order_id}").body["timeline"]
    ]
    for text in (
        "买家申请换货 1 件：商品变质或破损",
        "寄出换新的商品：顺丰速运 SF2222222222222",
        "换货完成",
    ):
        assert text in whats
    town.check_laws()


def test_buyer_is_told_where_to_send_and_what_is_on_its_way(town: Town) -> None:
    _, friend, order_id, after_sale_id = agreed(town)
    send(friend, order_id)
    receive(town, after_sale_id)
    replace(town, after_sale_id)
    again = replace(town, after_sale_id, "SF3333333333333")
    assert (again.status, again.code) == (409, "after_sale_refused")

    corrected = replace(town, after_sale_id, "SF3333333333333", corrects=True)

    assert corrected.body["replacement_number"] == "SF3333333333333"
    told = news(friend)
    assert any(f"请在 7 天内寄到：{returns.TO}。" in text for text in told)
    for number in ("SF2222222222222", "SF3333333333333"):
        assert any(f"换新的 1 件已寄出：顺丰速运 {number}。" in text for text in told)
    for number in (returns.PARCEL["number"], "SF3333333333333"):
        found = town.owner().get(f"/v1/merchant/orders?q={number}").body["items"]
        assert [row["order_id"] for row in found] == [order_id]
    town.check_laws()


def test_replacement_is_received_by_itself_after_the_shops_days(town: Town) -> None:
    _, friend, order_id, after_sale_id = agreed(town)
    send(friend, order_id)
    receive(town, after_sale_id, units_back=1)
    early = confirm(friend, order_id)
    assert (early.status, early.code) == (409, "after_sale_refused")
    replace(town, after_sale_id)
    town.wait(RECEIPT_S - 120, every_s=RECEIPT_S)
    assert listed(town, "replacement_sent") == [after_sale_id]

    town.wait(180)

    assert listed(town, "exchanged") == [after_sale_id]
    assert town.stored_order(order_id).after_sale is None
    town.run_jobs(2)
    assert status_of(town, order_id) == "completed"
    town.check_laws()


def test_what_is_reserved_goes_back_when_the_exchange_does_not_come_off(town: Town) -> None:
    activity, friend, order_id, first = agreed(town)
    early = act(town, first, "refusal", reply="不行")
    assert (early.status, early.code) == (409, "after_sale_refused")
    assert withdraw(friend, order_id).status == 200
    assert (listed(town, "withdrawn"), town.product_stock(activity)) == ([first], 10)

    second = ask(friend, order_id, 2).body["after_sale_id"]
    agree(town, second)
    send(friend, order_id, "B")
    assert town.product_stock(activity) == 8
    late = withdraw(friend, order_id, "B")
    assert (late.status, late.code) == (409, "after_sale_refused")
    assert act(town, second, "refusal", reply="收到的是别的东西").status == 200
    assert (listed(town, "refused"), town.product_stock(activity)) == ([second], 10)

    third = ask(friend, order_id).body["after_sale_id"]
    agree(town, third)
    town.wait(WEEK_S, every_s=WEEK_S)
    town.run_jobs()
    assert (listed(town, "expired"), town.product_stock(activity)) == ([third], 10)
    town.check_laws()


def test_shop_without_replacement_says_so_and_refunds_instead(town: Town) -> None:
    activity, _, _, after_sale_id = asked(town, quantity=3, units=2)
    take_out(town, activity, 9)
    assert town.product_stock(activity) == 1

    short = agree(town, after_sale_id)

    assert (short.status, short.code) == (409, "after_sale_refused")
    assert "只有 1 件，换不了 2 件" in short.body["message"]
    assert (listed(town, "requested"), town.product_stock(activity)) == ([after_sale_id], 1)
    over = approve(town, after_sale_id, 11801)
    assert (over.status, over.body["details"]) == (400, {"field": "amount_fen", "max": 11800})
    done = approve(town, after_sale_id, 11800)
    town.wait(120)
    assert done.body["status_text"] == "没有换货，商家已同意退款"
    assert (town.money()["refunded_fen"], town.product_stock(activity)) == (11800, 1)
    town.check_laws()


@pytest.mark.parametrize("goods_back", [0, 2])
def test_exchange_becomes_a_refund_after_the_goods_have_come(town: Town, goods_back: int) -> None:
    activity, friend, order_id, after_sale_id = agreed(town, quantity=2, units=2)
    send(friend, order_id)
    receive(town, after_sale_id, goods_back)
    assert town.product_stock(activity) == 8 + goods_back
    refused = act(town, after_sale_id, "refusal", reply="没有货")
    assert "改为退款" in refused.body["message"]
    other = approve(town, after_sale_id, 11000, units_back=1)
    assert (other.status, other.body["details"]["field"]) == (400, "units_back")

    approve(town, after_sale_id, 11000, units_back=goods_back)
    town.wait(120)

    assert friend.order(order_id)["status_text"] == "商品已退·已部分退款"
    assert town.product_stock(activity) == 10 + goods_back
    assert (town.stored_order(order_id).returned or 0) == goods_back
    late = replace(town, after_sale_id)
    assert (late.status, late.code) == (409, "after_sale_refused")
    town.check_laws()


def test_exchange_becomes_a_refund_while_the_goods_are_on_their_way(town: Town) -> None:
    activity, friend, order_id, after_sale_id = agreed(town)
    send(friend, order_id)

    approve(town, after_sale_id, 5900, units_back=1)
    town.wait(120)

    assert (town.product_stock(activity), town.money()["refunded_fen"]) == (11, 5900)
    assert town.stored_order(order_id).units.with_buyer == 1
    town.check_laws()


def test_exchanged_units_can_be_refunded_later_and_only_once(town: Town) -> None:
    _, friend, order_id, first = agreed(town)
    held = refund(town, order_id, 1)
    assert (held.status, held.code) == (409, "after_sale_refused")
    other = returns.ask(friend, order_id)
    assert (other.status, other.code) == (409, "after_sale_refused")
    receive(town, first)
    replace(town, first)
    sent = approve(town, first)
    assert (sent.status, sent.code) == (409, "after_sale_refused")
    confirm(friend, order_id)

    second = returns.ask(friend, order_id, 11800, 2).body["after_sale_id"]
    agree(town, second)
    send(friend, order_id, "B")
    approve(town, second, 11800, units_back=2)
    town.wait(120)

    assert (status_of(town, order_id), town.money()["refunded_fen"]) == ("refunded", 11800)
    more = ask(friend, order_id)
    assert (more.status, more.code) == (409, "after_sale_refused")
    town.check_laws()


def test_exchange_is_of_goods_that_the_buyer_has(town: Town) -> None:
    has_return_address(town)
    _, [_, (friend, order_id)] = formed(town, quantity=3)
    unsent = ask(friend, order_id)
    assert (unsent.status, unsent.code) == (409, "after_sale_refused")
    ship(town, order_id, units=1)
    many = ask(friend, order_id, 2)
    assert (many.status, many.body["details"]) == (400, {"field": "units", "max": 1})

    asked = [ask(friend, order_id) for _ in range(2)]
    assert [reply.status for reply in asked] == [201] * 2
    changed = ask(friend, order_id, words="换一个")
    assert (changed.status, changed.code) == (409, "after_sale_refused")
    after_sale_id = asked[0].body["after_sale_id"]
    early = receive(town, after_sale_id)
    assert (early.status, early.code) == (409, "after_sale_refused")
    agree(town, after_sale_id)
    waits = ship(town, order_id, number="SF1234567890124")
    assert (waits.status, waits.code) == (409, "shipping_refused")
    receive(town, after_sale_id)
    replace(town, after_sale_id)
    confirm(friend, order_id)

    rest = ship(town, order_id, number="SF1234567890124")

    assert (rest.status, rest.body["parcels"][-1]["units"]) == (200, 2)
    town.run_jobs()
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_what_was_collected_is_exchanged_in_the_store(town: Town) -> None:
    has_return_address(town)
    activity, buyer, order_id = collect(town)
    town.owner().post(f"/v1/merchant/orders/{order_id}/readiness")
    town.owner().post("/v1/merchant/pickups", {"code": buyer.order(order_id)["pickup_code"]})
    before = town.product_stock(activity)
    after_sale_id = ask(buyer, order_id).body["after_sale_id"]
    agree(town, after_sale_id)
    receive(town, after_sale_id)
    parcel = replace(town, after_sale_id)
    assert (parcel.status, parcel.code) == (409, "after_sale_refused")

    done = [act(town, after_sale_id, "hand-over") for _ in range(2)]

    assert [reply.body["status"] for reply in done] == ["exchanged"] * 2
    assert (buyer.status(order_id), town.product_stock(activity)) == ("completed", before - 1)
    assert any("领取" in text for text in news(buyer))
    town.check_laws()


def test_return_is_no_exchange(town: Town) -> None:
    friend, order_id, after_sale_id = returns.agreed(town)

    replies = [
        receive(town, after_sale_id),
        replace(town, after_sale_id),
        act(town, after_sale_id, "hand-over"),
        confirm(friend, order_id),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(409, "after_sale_refused")] * 4
    assert listed(town, "return_agreed") == [after_sale_id]
    town.check_laws()


def test_agreeing_withdrawing_and_refunding_at_once_have_one_outcome(town: Town) -> None:
    activity, friend, order_id, after_sale_id = asked(town)

    at_once(
        [
            lambda: agree(town, after_sale_id),
            lambda: withdraw(friend, order_id),
            lambda: approve(town, after_sale_id, units_back=0),
        ]
        * 3
    )
    town.wait(120)

    own = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"][0]["status"]
    taken, refunded = {
        "return_agreed": (1, 0),
        "withdrawn": (0, 0),
        "approved": (0, 5900),
    }[own]
    assert town.product_stock(activity) == 10 - taken
    assert town.money()["refunded_fen"] == refunded
    town.check_laws()


def test_receiving_replacing_and_withdrawing_at_once_have_one_outcome(town: Town) -> None:
    _, friend, order_id, after_sale_id = agreed(town)
    numbers = ["SF2222222222222", "SF3333333333333"]

    at_once(
        [
            lambda: receive(town, after_sale_id, 1),
            lambda: withdraw(friend, order_id),
            lambda: receive(town, after_sale_id),
            lambda: approve(town, after_sale_id),
        ]
        * 2
    )
    town.check_laws(quiescent=False)
    at_once([lambda n=n: replace(town, after_sale_id, n) for n in numbers * 2])
    town.run_jobs(2)

    [row] = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"]
    assert row["status"] in ("replacement_sent", "withdrawn", "approved")
    assert (row["replacement_number"] in numbers) == (row["status"] == "replacement_sent")
    town.check_laws()


def test_two_exchanges_race_for_the_last_replacement(town: Town) -> None:
    has_return_address(town)
    activity, members = formed(town)
    ids = []
    for n, (buyer, order_id) in enumerate(members):
        ship(town, order_id, number=f"SF123456789012{n}")
        ids.append(ask(buyer, order_id).body["after_sale_id"])
    take_out(town, activity, 9)

    at_once([lambda of=of: agree(town, of) for of in ids * 4])

    assert len(listed(town, "return_agreed")) == len(listed(town, "requested")) == 1
    assert town.product_stock(activity) == 0
    town.check_laws()
