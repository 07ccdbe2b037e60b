"""Returns of goods: asked for, agreed to, sent, received; the refund follows."""

from typing import Any

import pytest

from tests.api.test_shop_acts import refund
from tests.api.test_units_and_endings import collect
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.shipping import RECEIPT_S, ship, status_of, to_ship

pytestmark = pytest.mark.slow

TO = "王师傅 13800138000 浙江省杭州市余杭区文一西路 969 号"
WEEK_S = 7 * 86400
PARCEL = {"carrier": "顺丰", "number": "SF9999999999999"}


def has_return_address(merchant: MerchantFixture) -> None:
    known = merchant.owner().get("/v1/merchant/settings").body
    names = ("name", "service_phone", "pay_by_s", "revision")
    body = {name: known[name] for name in names} | {"return_address": TO}
    assert merchant.owner().put("/v1/merchant/settings", body).body["return_address"] == TO


def ask(buyer: Buyer, order_id: str, fen: int = 5900, units: int = 1) -> Reply:
    claim = {"amount_fen": fen, "reason": "damaged", "units": units}
    return buyer.post(f"/v1/orders/{order_id}/after-sales", claim)


def agree(merchant: MerchantFixture, after_sale_id: str) -> Reply:
    return merchant.owner().post(f"/v1/merchant/after-sales/{after_sale_id}/return-agreement")


def send(buyer: Buyer, order_id: str, letter: str = "A", **changes: str) -> Reply:
    return buyer.put(f"/v1/orders/{order_id}/after-sales/{letter}/parcel", PARCEL | changes)


def approve(
    merchant: MerchantFixture, after_sale_id: str, fen: int = 5900, units_back: int = 0
) -> Reply:
    body = {"amount_fen": fen, "units_back": units_back}
    return merchant.owner().post(f"/v1/merchant/after-sales/{after_sale_id}/approval", body)


def listed(merchant: MerchantFixture, status: str) -> list[Any]:
    return [
        row["after_sale_id"]
        for row in merchant.owner().get(f"/v1/merchant/after-sales?status={status}").body["items"]
    ]


def to_do(merchant: MerchantFixture) -> int:
    return int(merchant.owner().get("/v1/merchant/dashboard").body["to_do"]["after_sales"])


def agreed(merchant: MerchantFixture, quantity: int = 2, units: int = 1) -> tuple[Buyer, str, str]:
    """(buyer, order_id, after_sale_id) of a shipped order whose buyer is to send units back."""
    has_return_address(merchant)
    friend, order_id = to_ship(merchant, quantity=quantity)
    ship(merchant, order_id)
    asked = ask(friend, order_id, 5900 * units, units)
    assert asked.status == 201, asked.body
    after_sale_id = asked.body["after_sale_id"]
    assert agree(merchant, after_sale_id).status == 200
    return friend, order_id, after_sale_id


@pytest.mark.parametrize("exchange", [False, True])
@pytest.mark.parametrize("is_agreed", [False, True])
def test_no_more_units_go_on_sale_again_than_are_sent_back(
    merchant: MerchantFixture, exchange: bool, is_agreed: bool
) -> None:
    has_return_address(merchant)
    friend, order_id = to_ship(merchant, quantity=3)
    ship(merchant, order_id)
    path = f"/v1/orders/{order_id}/exchanges"
    asked = (
        friend.post(path, {"units": 1, "reason": "damaged"}) if exchange else ask(friend, order_id)
    )
    after_sale_id = asked.body["after_sale_id"]
    if is_agreed:
        assert agree(merchant, after_sale_id).status == 200

    refused = approve(merchant, after_sale_id, units_back=2)

    assert (refused.status, refused.body["details"]) == (400, {"field": "units_back", "max": 1})
    assert merchant.stored_order(order_id).returned is None
    assert approve(merchant, after_sale_id, units_back=1).status == 200
    merchant.wait(120)
    merchant.check_laws()


def test_goods_are_sent_back_received_and_refunded(merchant: MerchantFixture) -> None:
    friend, order_id, after_sale_id = agreed(merchant)
    message = friend.get("/v1/me/messages").body["items"]
    assert any(f"请在 7 天内寄到：{TO}。" in one["text"] for one in message)
    assert (listed(merchant, "return_agreed"), to_do(merchant)) == ([after_sale_id], 0)
    assert agree(merchant, after_sale_id).body["return_to"] == TO

    sent = [send(friend, order_id) for _ in range(2)]
    corrected = send(friend, order_id, number="SF9999999999990")
    assert [reply.status for reply in (*sent, corrected)] == [200] * 3
    assert corrected.body["carrier_name"] == "顺丰速运"
    assert (listed(merchant, "returning"), to_do(merchant)) == ([after_sale_id], 1)
    withdrawn = friend.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal")
    assert (withdrawn.status, withdrawn.code) == (409, "after_sale_refused")

    done = approve(merchant, after_sale_id, units_back=1)
    merchant.wait(120)

    assert (done.status, listed(merchant, "approved"), to_do(merchant)) == (200, [after_sale_id], 0)
    assert merchant.money()["refunded_fen"] == 5900
    order = merchant.stored_order(order_id)
    assert (order.returned, order.units.with_buyer, order.status) == (1, 1, "shipped")
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(merchant, order_id) == "completed"
    whats = [
        it["what"]
        for it in merchant.owner().get(f"/v1/merchant/orders/{order_id}").body["timeline"]
    ]
    assert [w for w in whats if w.startswith("return_")] == ["return_agreed", "return_sent"]
    merchant.check_laws()


def test_all_units_sent_back_end_the_order_though_they_cannot_be_sold_again(
    merchant: MerchantFixture,
) -> None:
    friend, order_id, after_sale_id = agreed(merchant, quantity=2, units=2)
    send(friend, order_id)
    over = approve(merchant, after_sale_id, 11000, units_back=3)
    assert (over.status, over.body["details"]) == (400, {"field": "units_back", "max": 2})

    approve(merchant, after_sale_id, 11000, units_back=0)
    merchant.wait(120)

    assert friend.order(order_id)["status_text"] == "商品已退·已部分退款"
    assert merchant.stored_order(order_id).returned in (None, 0)
    merchant.check_laws()


def test_goods_that_are_not_sent_in_time_close_the_return_and_receipt_goes_on(
    merchant: MerchantFixture,
) -> None:
    friend, order_id, after_sale_id = agreed(merchant)
    held = refund(merchant, order_id, 1)
    assert (held.status, held.code) == (409, "after_sale_refused")
    merchant.wait(WEEK_S - 60, every_s=WEEK_S)
    assert listed(merchant, "return_agreed") == [after_sale_id]

    merchant.wait(120)

    assert (listed(merchant, "return_agreed"), listed(merchant, "expired")) == ([], [after_sale_id])
    assert merchant.stored_order(order_id).after_sale is None
    friend.token = merchant.buyer().token  # sessions end before orders do
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    assert status_of(merchant, order_id) == "completed"
    assert approve(merchant, after_sale_id).code == "after_sale_refused"
    merchant.check_laws()


def test_return_can_be_withdrawn_refused_or_refunded_without_the_goods(
    merchant: MerchantFixture,
) -> None:
    friend, order_id, first = agreed(merchant)
    early = merchant.owner().post(f"/v1/merchant/after-sales/{first}/refusal", {"reply": "不行"})
    assert (early.status, early.code) == (409, "after_sale_refused")
    assert friend.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal").status == 200
    late = send(friend, order_id)
    assert (late.status, late.code) == (409, "after_sale_refused")

    second = ask(friend, order_id).body["after_sale_id"]
    agree(merchant, second)
    send(friend, order_id, "B")
    refusal = {"reply": "收到的是别的东西"}
    assert (
        merchant.owner().post(f"/v1/merchant/after-sales/{second}/refusal", refusal).status == 200
    )

    third = ask(friend, order_id).body["after_sale_id"]
    assert send(friend, order_id, "C").code == "after_sale_refused"
    assert approve(merchant, third).status == 200
    merchant.wait(120)
    assert merchant.stored_order(order_id).units.with_buyer == 2
    assert merchant.money()["refunded_fen"] == 5900
    merchant.check_laws()


def test_return_is_of_goods_that_the_buyer_has_and_needs_an_address(
    merchant: MerchantFixture,
) -> None:
    friend, order_id = to_ship(merchant, quantity=3)
    unsent = ask(friend, order_id)
    assert (unsent.status, unsent.code) == (409, "after_sale_refused")
    ship(merchant, order_id, units=1)
    many = ask(friend, order_id, units=2)
    assert (many.status, many.body["details"]["max"]) == (400, 1)
    asked = ask(friend, order_id).body["after_sale_id"]
    nowhere = agree(merchant, asked)
    assert "退货地址" in nowhere.body["message"]
    has_return_address(merchant)
    agree(merchant, asked)
    send(friend, order_id)
    approve(merchant, asked, units_back=1)

    rest = ship(merchant, order_id, number="SF1234567890124")

    assert (rest.status, rest.body["parcels"][-1]["units"]) == (200, 2)
    money_only = friend.post(
        f"/v1/orders/{order_id}/after-sales", {"amount_fen": 1, "reason": "late"}
    )
    refused = agree(merchant, money_only.body["after_sale_id"])
    assert "没有申请退货" in refused.body["message"]
    merchant.run_jobs()
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_what_was_collected_is_sent_back(merchant: MerchantFixture) -> None:
    has_return_address(merchant)
    activity, buyer, order_id = collect(merchant)
    merchant.owner().post(f"/v1/merchant/orders/{order_id}/readiness")
    assert ask(buyer, order_id, 9900).code == "after_sale_refused"
    code = buyer.order(order_id)["pickup_code"]
    merchant.owner().post("/v1/merchant/pickups", {"code": code})
    asked = ask(buyer, order_id, 9900).body["after_sale_id"]
    agree(merchant, asked)
    send(buyer, order_id)

    approve(merchant, asked, 9900, units_back=1)
    merchant.wait(120)

    assert (buyer.status(order_id), merchant.product_stock(activity)) == ("completed", 9)
    merchant.check_laws()


def test_sending_withdrawing_and_approving_at_once_have_one_outcome(
    merchant: MerchantFixture,
) -> None:
    friend, order_id, after_sale_id = agreed(merchant)

    concurrently(
        [
            lambda: send(friend, order_id),
            lambda: friend.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal"),
            lambda: approve(merchant, after_sale_id, units_back=1),
        ]
        * 3
    )
    merchant.wait(120)

    own = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"][0]["status"]
    refunded = {"approved": 5900, "withdrawn": 0, "returning": 0}[own]
    assert merchant.money()["refunded_fen"] == refunded
    merchant.check_laws()
