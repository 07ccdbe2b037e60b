"""Exchanges of goods: asked for, agreed to, sent back, received, replaced, confirmed."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from chalicelib.services.people import identities
from tests.api import test_returns as returns
from tests.api.test_returns import agree, approve, has_return_address, listed, send, to_do
from tests.api.test_shop_acts import refund
from tests.api.test_units_and_endings import collect
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.shipping import RECEIPT_S, formed, ship, status_of

pytestmark = pytest.mark.slow

WEEK_S = 7 * 86400


def ask(buyer: Buyer, order_id: str, units: int = 1, **more: Any) -> Reply:
    claim = {"units": units, "reason": "damaged", "words": "两盒压坏了", **more}
    return buyer.post(f"/v1/orders/{order_id}/exchanges", claim)


def act(merchant: MerchantFixture, after_sale_id: str, what: str, **body: Any) -> Reply:
    path = f"/v1/merchant/after-sales/{after_sale_id}/{what}"
    return merchant.owner().post(path, body or None)


def receive(merchant: MerchantFixture, after_sale_id: str, units_back: int = 0) -> Reply:
    return act(merchant, after_sale_id, "goods-receipt", units_back=units_back)


def replace(
    merchant: MerchantFixture, after_sale_id: str, number: str = "SF2222222222222", **more: Any
) -> Reply:
    given = {"carrier": "顺丰", "number": number, **more}
    return merchant.owner().put(f"/v1/merchant/after-sales/{after_sale_id}/replacement", given)


def confirm(buyer: Buyer, order_id: str, letter: str = "A") -> Reply:
    return buyer.post(f"/v1/orders/{order_id}/after-sales/{letter}/receipt")


def withdraw(buyer: Buyer, order_id: str, letter: str = "A") -> Reply:
    return buyer.post(f"/v1/orders/{order_id}/after-sales/{letter}/withdrawal")


def asked(
    merchant: MerchantFixture, quantity: int = 2, units: int = 1
) -> tuple[Activity, Buyer, str, str]:
    """(activity, buyer, order_id, after_sale_id) of a shipped order of which units are to be
    exchanged; the product has 10 more units."""
    has_return_address(merchant)
    activity, [_, (friend, order_id)] = formed(merchant, quantity=quantity)
    ship(merchant, order_id)
    reply = ask(friend, order_id, units)
    assert reply.status == 201, reply.body
    return activity, friend, order_id, reply.body["after_sale_id"]


def agreed(
    merchant: MerchantFixture, quantity: int = 2, units: int = 1
) -> tuple[Activity, Buyer, str, str]:
    found = asked(merchant, quantity, units)
    assert agree(merchant, found[3]).status == 200
    return found


def take_out(merchant: MerchantFixture, activity: Activity, units: int) -> None:
    path = f"/v1/merchant/products/{activity.product_id}/stock-adjustments"
    body = {"sku_id": activity.sku_id, "delta": -units, "reason": "盘点"}
    reply = merchant.owner().post(path, body, **{"Idempotency-Key": "a-key-of-mine"})
    assert reply.status == 201, reply.body


def news(buyer: Buyer) -> list[str]:
    return [one["text"] for one in buyer.get("/v1/me/messages").body["items"]]


def test_goods_are_exchanged_for_as_many_others_and_no_money_moves(
    merchant: MerchantFixture,
) -> None:
    activity, friend, order_id, after_sale_id = asked(merchant)
    assert (to_do(merchant), merchant.product_stock(activity)) == (1, 10)

    first = [agree(merchant, after_sale_id) for _ in range(2)]
    assert [reply.body["status_text"] for reply in first] == ["商家已同意换货，请寄回商品"] * 2
    assert (to_do(merchant), merchant.product_stock(activity)) == (0, 9)
    send(friend, order_id)
    assert (listed(merchant, "returning"), to_do(merchant)) == ([after_sale_id], 1)
    received = [receive(merchant, after_sale_id) for _ in range(2)]
    assert [reply.body["status"] for reply in received] == ["replacing"] * 2
    assert (listed(merchant, "replacing"), to_do(merchant)) == ([after_sale_id], 1)
    sent = [replace(merchant, after_sale_id) for _ in range(2)]
    assert [reply.body["replacement_carrier_name"] for reply in sent] == ["顺丰速运"] * 2
    assert (listed(merchant, "replacement_sent"), to_do(merchant)) == ([after_sale_id], 0)
    merchant.check_laws()
    done = [confirm(friend, order_id) for _ in range(2)]

    assert [reply.body["status_text"] for reply in done] == ["换货完成"] * 2
    assert merchant.product_stock(activity) == 9
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(merchant, order_id) == "completed"
    assert merchant.money()["refunded_fen"] == 0
    whats = [
        it["text"]
        for it in merchant.owner().get(f"/v1/merchant/orders/{order_id}").body["timeline"]
    ]
    for text in (
        "买家申请换货 1 件：质量问题或破损",
        "寄出换新的商品：顺丰速运 SF2222222222222",
        "换货完成",
    ):
        assert text in whats
    merchant.check_laws()


def test_buyer_is_told_where_to_send_and_what_is_on_its_way(merchant: MerchantFixture) -> None:
    _, friend, order_id, after_sale_id = agreed(merchant)
    send(friend, order_id)
    receive(merchant, after_sale_id)
    replace(merchant, after_sale_id)
    again = replace(merchant, after_sale_id, "SF3333333333333")
    assert (again.status, again.code) == (409, "after_sale_refused")

    corrected = replace(merchant, after_sale_id, "SF3333333333333", corrects=True)

    assert corrected.body["replacement_number"] == "SF3333333333333"
    told = news(friend)
    assert any(f"请在 7 天内寄到：{returns.TO}。" in text for text in told)
    for number in ("SF2222222222222", "SF3333333333333"):
        assert any(f"换新的 1 件已寄出：顺丰速运 {number}。" in text for text in told)
    for number in (returns.PARCEL["number"], "SF3333333333333"):
        found = merchant.owner().get(f"/v1/merchant/orders?q={number}").body["items"]
        assert [row["order_id"] for row in found] == [order_id]
    merchant.check_laws()


def test_replacement_is_received_by_itself_after_the_shops_days(merchant: MerchantFixture) -> None:
    _, friend, order_id, after_sale_id = agreed(merchant)
    send(friend, order_id)
    receive(merchant, after_sale_id, units_back=1)
    early = confirm(friend, order_id)
    assert (early.status, early.code) == (409, "after_sale_refused")
    replace(merchant, after_sale_id)
    merchant.wait(RECEIPT_S - 120, every_s=RECEIPT_S)
    assert listed(merchant, "replacement_sent") == [after_sale_id]

    merchant.wait(180)

    assert listed(merchant, "exchanged") == [after_sale_id]
    assert merchant.stored_order(order_id).after_sale is None
    merchant.run_jobs(2)
    assert status_of(merchant, order_id) == "completed"
    merchant.check_laws()


def test_what_is_reserved_goes_back_when_the_exchange_does_not_come_off(
    merchant: MerchantFixture,
) -> None:
    activity, friend, order_id, first = agreed(merchant)
    early = act(merchant, first, "refusal", reply="不行")
    assert (early.status, early.code) == (409, "after_sale_refused")
    assert withdraw(friend, order_id).status == 200
    assert (listed(merchant, "withdrawn"), merchant.product_stock(activity)) == ([first], 10)

    second = ask(friend, order_id, 2).body["after_sale_id"]
    agree(merchant, second)
    send(friend, order_id, "B")
    assert merchant.product_stock(activity) == 8
    late = withdraw(friend, order_id, "B")
    assert (late.status, late.code) == (409, "after_sale_refused")
    assert act(merchant, second, "refusal", reply="收到的是别的东西").status == 200
    assert (listed(merchant, "refused"), merchant.product_stock(activity)) == ([second], 10)

    third = ask(friend, order_id).body["after_sale_id"]
    agree(merchant, third)
    merchant.wait(WEEK_S, every_s=WEEK_S)
    merchant.run_jobs()
    assert (listed(merchant, "expired"), merchant.product_stock(activity)) == ([third], 10)
    merchant.check_laws()


def test_shop_without_replacement_says_so_and_refunds_instead(merchant: MerchantFixture) -> None:
    activity, _, _, after_sale_id = asked(merchant, quantity=3, units=2)
    take_out(merchant, activity, 9)
    assert merchant.product_stock(activity) == 1

    short = agree(merchant, after_sale_id)

    assert (short.status, short.code) == (409, "after_sale_refused")
    assert "只有 1 件，换不了 2 件" in short.body["message"]
    assert (listed(merchant, "requested"), merchant.product_stock(activity)) == ([after_sale_id], 1)
    over = approve(merchant, after_sale_id, 11801)
    assert (over.status, over.body["details"]) == (400, {"field": "amount_fen", "max": 11800})
    done = approve(merchant, after_sale_id, 11800)
    merchant.wait(120)
    assert done.body["status_text"] == "没有换货，商家已同意退款"
    assert (merchant.money()["refunded_fen"], merchant.product_stock(activity)) == (11800, 1)
    merchant.check_laws()


@pytest.mark.parametrize("goods_back", [0, 2])
def test_exchange_becomes_a_refund_after_the_goods_have_come(
    merchant: MerchantFixture, goods_back: int
) -> None:
    activity, friend, order_id, after_sale_id = agreed(merchant, quantity=2, units=2)
    send(friend, order_id)
    receive(merchant, after_sale_id, goods_back)
    assert merchant.product_stock(activity) == 8 + goods_back
    refused = act(merchant, after_sale_id, "refusal", reply="没有货")
    assert "改为退款" in refused.body["message"]
    other = approve(merchant, after_sale_id, 11000, units_back=1)
    assert (other.status, other.body["details"]["field"]) == (400, "units_back")

    approve(merchant, after_sale_id, 11000, units_back=goods_back)
    merchant.wait(120)

    assert friend.order(order_id)["status_text"] == "商品已退·已部分退款"
    assert merchant.product_stock(activity) == 10 + goods_back
    assert (merchant.stored_order(order_id).returned or 0) == goods_back
    late = replace(merchant, after_sale_id)
    assert (late.status, late.code) == (409, "after_sale_refused")
    merchant.check_laws()


def test_exchange_becomes_a_refund_while_the_goods_are_on_their_way(
    merchant: MerchantFixture,
) -> None:
    activity, friend, order_id, after_sale_id = agreed(merchant)
    send(friend, order_id)

    approve(merchant, after_sale_id, 5900, units_back=1)
    merchant.wait(120)

    assert (merchant.product_stock(activity), merchant.money()["refunded_fen"]) == (11, 5900)
    assert merchant.stored_order(order_id).units.with_buyer == 1
    merchant.check_laws()


def test_exchanged_units_can_be_refunded_later_and_only_once(merchant: MerchantFixture) -> None:
    _, friend, order_id, first = agreed(merchant)
    held = refund(merchant, order_id, 1)
    assert (held.status, held.code) == (409, "after_sale_refused")
    other = returns.ask(friend, order_id)
    assert (other.status, other.code) == (409, "after_sale_refused")
    receive(merchant, first)
    replace(merchant, first)
    sent = approve(merchant, first)
    assert (sent.status, sent.code) == (409, "after_sale_refused")
    confirm(friend, order_id)

    second = returns.ask(friend, order_id, 11800, 2).body["after_sale_id"]
    agree(merchant, second)
    send(friend, order_id, "B")
    approve(merchant, second, 11800, units_back=2)
    merchant.wait(120)

    assert (status_of(merchant, order_id), merchant.money()["refunded_fen"]) == ("refunded", 11800)
    more = ask(friend, order_id)
    assert (more.status, more.code) == (409, "after_sale_refused")
    merchant.check_laws()


def test_exchange_is_of_goods_that_the_buyer_has(merchant: MerchantFixture) -> None:
    has_return_address(merchant)
    _, [_, (friend, order_id)] = formed(merchant, quantity=3)
    unsent = ask(friend, order_id)
    assert (unsent.status, unsent.code) == (409, "after_sale_refused")
    ship(merchant, order_id, units=1)
    many = ask(friend, order_id, 2)
    assert (many.status, many.body["details"]) == (400, {"field": "units", "max": 1})

    asked = [ask(friend, order_id) for _ in range(2)]
    assert [reply.status for reply in asked] == [201] * 2
    changed = ask(friend, order_id, words="换一个")
    assert (changed.status, changed.code) == (409, "after_sale_refused")
    after_sale_id = asked[0].body["after_sale_id"]
    early = receive(merchant, after_sale_id)
    assert (early.status, early.code) == (409, "after_sale_refused")
    agree(merchant, after_sale_id)
    waits = ship(merchant, order_id, number="SF1234567890124")
    assert (waits.status, waits.code) == (409, "shipping_refused")
    receive(merchant, after_sale_id)
    replace(merchant, after_sale_id)
    confirm(friend, order_id)

    rest = ship(merchant, order_id, number="SF1234567890124")

    assert (rest.status, rest.body["parcels"][-1]["units"]) == (200, 2)
    merchant.run_jobs()
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_what_was_collected_is_exchanged_in_the_store(merchant: MerchantFixture) -> None:
    has_return_address(merchant)
    activity, buyer, order_id = collect(merchant)
    merchant.owner().post(f"/v1/merchant/orders/{order_id}/readiness")
    merchant.owner().post("/v1/merchant/pickups", {"code": buyer.order(order_id)["pickup_code"]})
    before = merchant.product_stock(activity)
    after_sale_id = ask(buyer, order_id).body["after_sale_id"]
    agree(merchant, after_sale_id)
    receive(merchant, after_sale_id)
    parcel = replace(merchant, after_sale_id)
    assert (parcel.status, parcel.code) == (409, "after_sale_refused")

    done = [act(merchant, after_sale_id, "hand-over") for _ in range(2)]

    assert [reply.body["status"] for reply in done] == ["exchanged"] * 2
    assert (buyer.status(order_id), merchant.product_stock(activity)) == ("completed", before - 1)
    assert any("领取" in text for text in news(buyer))
    merchant.check_laws()


def test_return_is_no_exchange(merchant: MerchantFixture) -> None:
    friend, order_id, after_sale_id = returns.agreed(merchant)

    replies = [
        receive(merchant, after_sale_id),
        replace(merchant, after_sale_id),
        act(merchant, after_sale_id, "hand-over"),
        confirm(friend, order_id),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(409, "after_sale_refused")] * 4
    assert listed(merchant, "return_agreed") == [after_sale_id]
    merchant.check_laws()


def test_agreeing_withdrawing_and_refunding_at_once_have_one_outcome(
    merchant: MerchantFixture,
) -> None:
    activity, friend, order_id, after_sale_id = asked(merchant)

    concurrently(
        [
            lambda: agree(merchant, after_sale_id),
            lambda: withdraw(friend, order_id),
            lambda: approve(merchant, after_sale_id, units_back=0),
        ]
        * 3
    )
    merchant.wait(120)

    own = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"][0]["status"]
    taken, refunded = {"return_agreed": (1, 0), "withdrawn": (0, 0), "approved": (0, 5900)}[own]
    assert merchant.product_stock(activity) == 10 - taken
    assert merchant.money()["refunded_fen"] == refunded
    merchant.check_laws()


def test_receiving_replacing_and_withdrawing_at_once_have_one_outcome(
    merchant: MerchantFixture,
) -> None:
    _, friend, order_id, after_sale_id = agreed(merchant)
    numbers = ["SF2222222222222", "SF3333333333333"]

    concurrently(
        [
            lambda: receive(merchant, after_sale_id, 1),
            lambda: withdraw(friend, order_id),
            lambda: receive(merchant, after_sale_id),
            lambda: approve(merchant, after_sale_id),
        ]
        * 2
    )
    merchant.check_laws(quiescent=False)
    concurrently([partial(replace, merchant, after_sale_id, n) for n in numbers * 2])
    merchant.run_jobs(2)

    [row] = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"]
    assert row["status"] in ("replacement_sent", "withdrawn", "approved")
    assert (row["replacement_number"] in numbers) == (row["status"] == "replacement_sent")
    merchant.check_laws()


def test_two_exchanges_race_for_the_last_replacement(merchant: MerchantFixture) -> None:
    has_return_address(merchant)
    activity, members = formed(merchant)
    ids = []
    for n, (buyer, order_id) in enumerate(members):
        ship(merchant, order_id, number=f"SF123456789012{n}")
        ids.append(ask(buyer, order_id).body["after_sale_id"])
    take_out(merchant, activity, 9)

    concurrently([partial(agree, merchant, of) for of in ids * 4])

    assert len(listed(merchant, "return_agreed")) == len(listed(merchant, "requested")) == 1
    assert merchant.product_stock(activity) == 0
    merchant.check_laws()


STEPS: Mapping[str, Callable[[MerchantFixture, Buyer, str], Reply]] = {
    "ask": lambda merchant, buyer, order_id: ask(buyer, order_id),
    "agree": lambda merchant, buyer, order_id: agree(merchant, f"{order_id}A"),
    "send": lambda merchant, buyer, order_id: send(buyer, order_id),
    "receive": lambda merchant, buyer, order_id: receive(merchant, f"{order_id}A"),
    "replace": lambda merchant, buyer, order_id: replace(merchant, f"{order_id}A"),
    "confirm": lambda merchant, buyer, order_id: confirm(buyer, order_id),
}


@pytest.mark.parametrize("met", STEPS)
def test_exchange_goes_on_when_its_buyer_turns_out_to_be_another(
    merchant: MerchantFixture, met: str
) -> None:
    """The merge comes between the reads and the writes of one of its steps."""
    has_return_address(merchant)
    activity, [_, (friend, order_id)] = formed(merchant, quantity=2)
    ship(merchant, order_id)
    merge, buyer = merge_into_an_older_one(merchant, friend), friend

    for name, step in STEPS.items():
        if name == met:
            with interleaved(merge):
                reply = step(merchant, buyer, order_id)
            buyer = merchant.session(identities.root(merchant.merchant_id, friend.buyer_id))
        else:
            reply = step(merchant, buyer, order_id)
        assert reply.status in (200, 201), reply.body

    assert buyer.buyer_id != friend.buyer_id
    (shown,) = buyer.get(f"/v1/orders/{order_id}/after-sales").body["items"]
    assert shown["status_text"] == "换货完成"
    assert merchant.product_stock(activity) == 9
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    merchant.check_laws()
