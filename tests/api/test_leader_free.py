"""团长免单 over HTTP: what the goods cost its leader goes back once the group has formed."""

from typing import Any

import pytest

from tests.api.test_compensation import changed
from tests.api.test_freight import make_template, send_by
from tests.api.test_returns import agree, approve, ask, has_return_address, send
from tests.fixtures.coupons import claimed, refund, state
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture
from tests.fixtures.shipping import RECEIPT_S, ship


def sold(merchant: MerchantFixture, **terms: Any) -> Activity:
    return merchant.activity(**{"seats": 2, "limit_per_order": 1, "leader_free": True, **terms})


def back(buyer: Buyer, order_id: str) -> list[tuple[str, int, str]]:
    """Return (the letter of its number, fen, status) of each refund of an order."""
    refunds = buyer.order(order_id)["refunds"]
    assert all((one["out_refund_no"][32] in "f12") == bool(one["rebate_text"]) for one in refunds)
    return [(one["out_refund_no"][32:], one["amount_fen"], one["status"]) for one in refunds]


def told_to_staff(merchant: MerchantFixture, order_id: str, group_id: str) -> tuple[Any, ...]:
    """Return what staff read of money that went back: of an order in its file, its timeline and its
    ledger, of its group in the timeline and beside each member."""
    owner, backs = merchant.owner(), ("返还", "退款")
    file = owner.get(f"/v1/merchant/orders/{order_id}").body
    assert file["has_free_goods"]
    ledger = owner.get(f"/v1/merchant/orders/{order_id}/ledger").body
    group = owner.get(f"/v1/merchant/groups/{group_id}").body
    assert group["terms"]["leader_free"]
    return (
        [one["rebate_text"] for one in file["refunds"]],
        [one["text"] for one in file["timeline"]],
        [row["movement_text"] for row in ledger["rows"] if row["number"].endswith("f")],
        [one["text"] for one in group["events"] if any(word in one["text"] for word in backs)],
        [(one["rebate_text"], one["refund_status"]) for one in group["members"]],
    )


def test_leader_gets_back_what_the_goods_cost_and_the_goods_too(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    place = f"/v1/merchants/{merchant.merchant_id}"
    shown = merchant.visitor().get(f"{place}/activities/{activity.activity_id}").body
    group_id, leader, order_id = merchant.open_group(activity)
    assert shown["leader_free"] is leader.get(f"{place}/groups/{group_id}/page").body["leader_free"]
    assert shown["leader_free"] is True
    assert back(leader, order_id) == []

    member, other = merchant.member(activity, group_id)
    merchant.wait(600)

    order = leader.order(order_id)
    assert (order["status"], order["status_text"]) == ("fulfilling", "已成团待发货")
    assert back(leader, order_id) == [("f", 5899, "succeeded")]
    assert (back(member, other), member.order(other)["status"]) == ([], "fulfilling")
    items = leader.get("/v1/me/messages").body["items"]
    told = {one["text_key"]: one["text"] for one in items}
    assert "团长免单：¥58.99 已发起原路退款，订单照常进行" in told["rebate"]
    assert "¥58.99 已原路退回" in told["rebated"]
    assert leader.get("/v1/orders?tab=after_sale").body["items"] == []
    cards = merchant.visitor().get(f"{place}/activities").body["items"]
    assert [one["leader_free"] for one in cards] == [True]
    assert told_to_staff(merchant, order_id, group_id) == (
        ["成团返还"],
        [
            "买家下单",
            "买家付款 ¥59.00（微信支付）",
            "2 人成团",
            "发起返还 ¥58.99（微信支付）",
            "返还到账 ¥58.99（微信支付）",
        ],
        ["发起返还", "返还到账"],
        ["成团返还 ¥58.99 给团长", "返还团长的 ¥58.99 已到账"],
        [("成团返还", "succeeded"), ("", None)],
    )

    assert ship(merchant, order_id).status == 200
    merchant.wait(RECEIPT_S + 600, every_s=3600)
    assert merchant.stored_order(order_id).status == "completed"
    merchant.check_laws()


def test_freight_is_kept_and_a_coupon_stays_used(merchant: MerchantFixture) -> None:
    activity, leader = sold(merchant), merchant.buyer("团长")
    send_by(merchant, activity, make_template(merchant)["template_id"])
    coupon_id = claimed(merchant, leader)
    suggested = leader.quote(activity, province="浙江省", best_coupon=True).body
    assert (suggested["coupon_id"], len(suggested["coupons"])) == (None, 1)  # it saves nothing
    group_id, _, order_id = merchant.open_group(activity, leader, coupon_id=coupon_id)
    paid_fen = leader.order(order_id)["total_fen"]
    merchant.member(activity, group_id)
    merchant.wait(600)

    assert (paid_fen, back(leader, order_id)) == (4900 + 800, [("f", 4900, "succeeded")])
    assert state(leader, coupon_id) == ("used", order_id)
    path = f"/v1/orders/{order_id}/after-sales"
    asked = {"amount_fen": 801, "reason": "damaged", "words": "", "pictures": []}
    assert leader.post(path, asked).body["details"]["max"] == 800
    refund(merchant, leader, order_id, 800, 0)
    order = leader.order(order_id)
    assert (order["status"], state(leader, coupon_id)) == ("fulfilling", ("used", order_id))
    assert ship(merchant, order_id).status == 200  # it goes on, though all of its money is back
    merchant.check_laws()


def test_goods_of_a_free_order_are_exchanged_or_end_it_when_they_come_back(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant, stock=20, product_stock=40)
    done = {}
    for what in ("damaged", "changed_mind"):
        group_id, leader, order_id = merchant.open_group(activity)
        merchant.member(activity, group_id)
        merchant.wait(600)
        done[what] = leader, order_id
    leader, order_id = done["damaged"]
    assert "ask_after_sale" in leader.order(order_id)["actions"]
    assert merchant.stored_order(order_id).view().refundable_fen == 1
    leader, order_id = done["changed_mind"]
    refund(merchant, leader, order_id, 1, 1)
    assert leader.order(order_id)["status"] == "refunded"
    merchant.check_laws()


def test_free_goods_that_are_sent_back_end_the_order(merchant: MerchantFixture) -> None:
    has_return_address(merchant)
    activity, leader = sold(merchant, stock=20, limit_per_buyer=1), merchant.buyer("团长")
    coupon_id = claimed(merchant, leader)
    group_id, _, order_id = merchant.open_group(activity, leader, coupon_id=coupon_id)
    merchant.member(activity, group_id)
    merchant.wait(600)
    assert ship(merchant, order_id).status == 200

    asked = ask(leader, order_id, 1, 1)
    assert asked.status == 201, asked.body
    assert agree(merchant, asked.body["after_sale_id"]).status == 200
    assert send(leader, order_id).status == 200
    assert approve(merchant, asked.body["after_sale_id"], 1, 1).status == 200
    merchant.wait(3600)

    assert leader.order(order_id)["status"] == "refunded"
    assert sorted(back(leader, order_id)) == [("A", 1, "succeeded"), ("f", 4899, "succeeded")]
    assert state(leader, coupon_id) == ("usable", None)
    merchant.check_laws()


def test_group_that_fails_refunds_its_leader_once(merchant: MerchantFixture) -> None:
    _, leader, order_id = merchant.open_group(sold(merchant))

    merchant.wait(24 * 3600 + 600)

    assert back(leader, order_id) == [("F", 5900, "succeeded")]
    assert leader.order(order_id)["status"] == "refunded"
    merchant.check_laws()


def test_rebate_that_the_gateway_gives_up_is_for_staff_and_the_goods_go_out(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    group_id, leader, order_id = merchant.open_group(activity)
    merchant.gateway.faults.add("refund", "stays_processing")
    merchant.member(activity, group_id)
    merchant.run_jobs(2)
    assert merchant.gateway.settle_refunds(status="CLOSED") == 1
    merchant.wait(600)

    assert back(leader, order_id) == [("f", 5899, "failed")]
    rows = merchant.owner().get("/v1/merchant/refunds").body["items"]
    listed = [(row["out_refund_no"], row["rebate_text"]) for row in rows]
    assert listed == [(f"{order_id}01f", "成团返还")]
    assert ship(merchant, order_id).status == 200
    assert merchant.owner().post(f"/v1/merchant/refunds/{order_id}01f/retry").status == 200
    merchant.wait(600)
    assert back(leader, order_id) == [("f1", 5899, "succeeded")]
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"limit_per_order": 2}, "limit_per_order"), ({"leader_price_fen": 4900}, "leader_free")],
)
def test_a_free_leader_buys_one_unit_at_the_price_of_everybody(
    merchant: MerchantFixture, wrong: dict[str, int], field: str
) -> None:
    activity, owner = sold(merchant), merchant.owner()
    path = f"/v1/merchant/activities/{activity.activity_id}"
    body = changed(owner.get(path).body, leader_free=True)
    for name, value in wrong.items():
        of = body["skus"][0] if name == "leader_price_fen" else body
        of[name] = value

    reply = owner.put(path, body)

    assert reply.status == 400
    assert [one["field"] for one in reply.body["details"]["problems"]] == [field]
