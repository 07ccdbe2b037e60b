"""Returns of goods: asked for, agreed to, sent, received; the refund follows."""

from typing import Any

import pytest

from tests.integration.test_shop_acts import refund
from tests.integration.test_units_and_endings import collect
from tests.shipping import RECEIPT_S, ship, status_of, to_ship
from tests.support import Buyer, Reply, Town, at_once

TO = "王师傅 13800138000 浙江省杭州市余杭区文一西路 969 号"
WEEK_S = 7 * 86400
PARCEL = {"carrier": "顺丰", "number": "SF9999999999999"}


def has_return_address(town: Town) -> None:
    known = town.owner().get("/v1/merchant/settings").body
    names = ("name", "service_phone", "pay_by_s", "revision")
    body = {name: known[name] for name in names} | {"return_address": TO}
    assert town.owner().put("/v1/merchant/settings", body).body["return_address"] == TO


def ask(buyer: Buyer, order_id: str, fen: int = 5900, units: int = 1) -> Reply:
    claim = {"amount_fen": fen, "reason": "damaged", "units": units}
    return buyer.post(f"/v1/orders/{order_id}/after-sales", claim)


def agree(town: Town, after_sale_id: str) -> Reply:
    return town.owner().post(f"/v1/merchant/after-sales/{after_sale_id}/return-agreement")


def send(buyer: Buyer, order_id: str, letter: str = "A", **changes: str) -> Reply:
    return buyer.put(f"/v1/orders/{order_id}/after-sales/{letter}/parcel", PARCEL | changes)


def approve(town: Town, after_sale_id: str, fen: int = 5900, units_back: int = 0) -> Reply:
    body = {"amount_fen": fen, "units_back": units_back}
    return town.owner().post(f"/v1/merchant/after-sales/{after_sale_id}/approval", body)


def listed(town: Town, status: str) -> list[Any]:
    return [
        row["after_sale_id"]
        for row in town.owner().get(f"/v1/merchant/after-sales?status={status}").body["items"]
    ]


def to_do(town: Town) -> int:
    return int(town.owner().get("/v1/merchant/dashboard").body["to_do"]["after_sales"])


def agreed(town: Town, quantity: int = 2, units: int = 1) -> tuple[Buyer, str, str]:
    """(buyer, order_id, after_sale_id) of a shipped order whose buyer is to send units back."""
    has_return_address(town)
    friend, order_id = to_ship(town, quantity=quantity)
    ship(town, order_id)
    asked = ask(friend, order_id, 5900 * units, units)
    assert asked.status == 201, asked.body
    after_sale_id = asked.body["after_sale_id"]
    assert agree(town, after_sale_id).status == 200
    return friend, order_id, after_sale_id


@pytest.mark.parametrize("exchange", [False, True])
@pytest.mark.parametrize("is_agreed", [False, True])
def test_no_more_units_go_on_sale_again_than_are_sent_back(
    town: Town, exchange: bool, is_agreed: bool
) -> None:
    has_return_address(town)
    friend, order_id = to_ship(town, quantity=3)
    ship(town, order_id)
    path = f"/v1/orders/{order_id}/exchanges"
    asked = (
        friend.post(path, {"units": 1, "reason": "damaged"}) if exchange else ask(friend, order_id)
    )
    after_sale_id = asked.body["after_sale_id"]
    if is_agreed:
        assert agree(town, after_sale_id).status == 200

    refused = approve(town, after_sale_id, units_back=2)

    assert (refused.status, refused.body["details"]) == (400, {"field": "units_back", "max": 1})
    assert town.stored_order(order_id).returned is None
    assert approve(town, after_sale_id, units_back=1).status == 200
    town.wait(120)
    town.check_laws()


def test_goods_are_sent_back_received_and_refunded(town: Town) -> None:
    friend, order_id, after_sale_id = agreed(town)
    message = friend.get("/v1/me/messages").body["items"]
    assert any(f"请在 7 天内寄到：{TO}。" in one["text"] for one in message)
    assert (listed(town, "return_agreed"), to_do(town)) == ([after_sale_id], 0)
    assert agree(town, after_sale_id).body["return_to"] == TO

    sent = [send(friend, order_id) for _ in range(2)]
    corrected = send(friend, order_id, number="SF9999999999990")
    assert [reply.status for reply in (*sent, corrected)] == [200] * 3
    assert corrected.body["carrier_name"] == "顺丰速运"
    assert (listed(town, "returning"), to_do(town)) == ([after_sale_id], 1)
    withdrawn = friend.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal")
    assert (withdrawn.status, withdrawn.code) == (409, "after_sale_refused")

    done = approve(town, after_sale_id, units_back=1)
    town.wait(120)

    assert (done.status, listed(town, "approved"), to_do(town)) == (200, [after_sale_id], 0)
    assert town.money()["refunded_fen"] == 5900
    order = town.stored_order(order_id)
    assert (order.returned, order.units.with_buyer, order.status) == (1, 1, "shipped")
    town.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(town, order_id) == "completed"
    whats = [
        it["what"] for it in town.owner().get(f"/v1/merchant/orders/{order_id}").body["timeline"]
    ]
    assert [w for w in whats if w.startswith("return_")] == ["return_agreed", "return_sent"]
    town.check_laws()


def test_all_units_sent_back_end_the_order_though_they_cannot_be_sold_again(town: Town) -> None:
    friend, order_id, after_sale_id = agreed(town, quantity=2, units=2)
    send(friend, order_id)
    over = approve(town, after_sale_id, 11000, units_back=3)
    assert (over.status, over.body["details"]) == (400, {"field": "units_back", "max": 2})

    approve(town, after_sale_id, 11000, units_back=0)
    town.wait(120)

    assert friend.order(order_id)["status_text"] == "商品已退·已部分退款"
    assert town.stored_order(order_id).returned in (None, 0)
    town.check_laws()


def test_goods_that_are_not_sent_in_time_close_the_return_and_receipt_goes_on(town: Town) -> None:
    friend, order_id, after_sale_id = agreed(town)
    held = refund(town, order_id, 1)
    assert (held.status, held.code) == (409, "after_sale_refused")
    town.wait(WEEK_S - 60, every_s=WEEK_S)
    assert listed(town, "return_agreed") == [after_sale_id]

    town.wait(120)

    assert (listed(town, "return_agreed"), listed(town, "expired")) == ([], [after_sale_id])
    assert town.stored_order(order_id).after_sale is None
    friend.token = town.buyer().token  # sessions end before orders do
    town.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(town, order_id) == "completed"
    assert approve(town, after_sale_id).code == "after_sale_refused"
    town.check_laws()


def test_return_can_be_withdrawn_refused_or_refunded_without_the_goods(town: Town) -> None:
    friend, order_id, first = agreed(town)
    early = town.owner().post(f"/v1/merchant/after-sales/{first}/refusal", {"reply": "不行"})
    assert (early.status, early.code) == (409, "after_sale_refused")
    assert friend.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal").status == 200
    late = send(friend, order_id)
    assert (late.status, late.code) == (409, "after_sale_refused")

    second = ask(friend, order_id).body["after_sale_id"]
    agree(town, second)
    send(friend, order_id, "B")
    refusal = {"reply": "收到的是别的东西"}
    assert town.owner().post(f"/v1/merchant/after-sales/{second}/refusal", refusal).status == 200

    third = ask(friend, order_id).body["after_sale_id"]
    assert send(friend, order_id, "C").code == "after_sale_refused"
    assert approve(town, third).status == 200
    town.wait(120)
    assert town.stored_order(order_id).units.with_buyer == 2
    assert town.money()["refunded_fen"] == 5900
    town.check_laws()


def test_return_is_of_goods_that_the_buyer_has_and_needs_an_address(town: Town) -> None:
    friend, order_id = to_ship(town, quantity=3)
    unsent = ask(friend, order_id)
    assert (unsent.status, unsent.code) == (409, "after_sale_refused")
    ship(town, order_id, units=1)
    many = ask(friend, order_id, units=2)
    assert (many.status, many.body["details"]["max"]) == (400, 1)
    asked = ask(friend, order_id).body["after_sale_id"]
    nowhere = agree(town, asked)
    assert "退货地址" in nowhere.body["message"]
    has_return_address(town)
    agree(town, asked)
    send(friend, order_id)
    approve(town, asked, units_back=1)

    rest = ship(town, order_id, number="SF1234567890124")

    assert (rest.status, rest.body["parcels"][-1]["units"]) == (200, 2)
    money_only = friend.post(
        f"/v1/orders/{order_id}/after-sales", {"amount_fen": 1, "reason": "late"}
    )
    refused = agree(town, money_only.body["after_sale_id"])
    assert "没有申请退货" in refused.body["message"]
    town.run_jobs()
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_what_was_collected_is_sent_back(town: Town) -> None:
    has_return_address(town)
    activity, buyer, order_id = collect(town)
    town.owner().post(f"/v1/merchant/orders/{order_id}/readiness")
    assert ask(buyer, order_id, 9900).code == "after_sale_refused"
    code = buyer.order(order_id)["pickup_code"]
    town.owner().post("/v1/merchant/pickups", {"code": code})
    asked = ask(buyer, order_id, 9900).body["after_sale_id"]
    agree(town, asked)
    send(buyer, order_id)

    approve(town, asked, 9900, units_back=1)
    town.wait(120)

    assert (buyer.status(order_id), town.product_stock(activity)) == ("completed", 9)
    town.check_laws()


def test_sending_withdrawing_and_approving_at_once_have_one_outcome(town: Town) -> None:
    friend, order_id, after_sale_id = agreed(town)

    at_once(
        [
            lambda: send(friend, order_id),
            lambda: friend.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal"),
            lambda: approve(town, after_sale_id, units_back=1),
        ]
        * 3
    )
    town.wait(120)

    own = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"][0]["status"]
    refunded = {"approved": 5900, "withdrawn": 0, "returning": 0}[own]
    assert town.money()["refunded_fen"] == refunded
    town.check_laws()
