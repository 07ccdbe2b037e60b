"""阶梯价 over HTTP: the more people a group formed with, the more of each unit goes back."""

from typing import Any

import pytest

from chalicelib.domain.activity import Tier
from tests.api.test_deadlines import GRACE_S, change, detail, open_until, progress
from tests.api.test_freight import make_template, send_by
from tests.api.test_leader_free import back
from tests.fixtures.coupons import claimed, refund, state
from tests.fixtures.group_requests import request_closing, request_end
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture
from tests.fixtures.shipping import RECEIPT_S, ship

pytestmark = pytest.mark.slow

LADDER = [{"seats": 3, "off_fen": 400}, {"seats": 5, "off_fen": 1000}]
FORMED_S = 24 * 3600 + 2 * GRACE_S


def sold(merchant: MerchantFixture, **terms: Any) -> Activity:
    """¥59.00 each; from three people on ¥4.00 go back, with five ¥10.00."""
    tiers = tuple(Tier(**one) for one in LADDER)
    rules = {"seats": 5, "seats_least": 2, "stock": 20, "product_stock": 40, "tiers": tiers}
    return merchant.activity(**{**rules, **terms})


def form(
    merchant: MerchantFixture, activity: Activity, people: int
) -> tuple[str, list[tuple[Buyer, str]]]:
    """Return (group_id, (buyer, order_id) of each member) of a group that has formed."""
    group_id, leader, order_id = merchant.open_group(activity)
    members = [(leader, order_id)]
    members += [merchant.member(activity, group_id) for _ in range(people - 1)]
    merchant.wait(FORMED_S, every_s=12 * 3600)
    assert merchant.stored_group(group_id).status == "formed"
    return group_id, members


def test_group_that_is_due_gives_back_what_its_highest_tier_does_and_goes_on(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    place = f"/v1/merchants/{merchant.merchant_id}"
    group_id, leader, first = merchant.open_group(activity)
    friend, second = merchant.member(activity, group_id, quantity=2)
    third = merchant.member(activity, group_id)
    shown = leader.get(f"{place}/groups/{group_id}/page").body
    (card,) = merchant.visitor().get(f"{place}/activities").body["items"]
    assert [it["tiers"] for it in (shown, card, detail(merchant, activity))] == [LADDER] * 3
    assert leader.order(first)["group"]["tiers"] == LADDER
    assert back(leader, first) == []
    invited = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "link"}).body
    assert invited["title"].startswith("【再来2人再返¥6】¥59.00 拼")

    merchant.wait(FORMED_S, every_s=12 * 3600)

    assert progress(merchant, group_id)["seats_paid"] == 3
    assert back(leader, first) == back(*third) == [("f", 400, "succeeded")]
    assert back(friend, second) == [("f", 800, "succeeded")]
    order = friend.order(second)
    assert (order["status_text"], order["refunds"][0]["rebate_text"]) == (
        "已成团待发货",
        "成团返还",
    )
    told = {one["text_key"]: one["text"] for one in friend.get("/v1/me/messages").body["items"]}
    assert "已有 3 人参团，按阶梯价返还 ¥8.00，已发起原路退款" in told["tier_rebate"]
    assert "成团返还的 ¥8.00 已原路退回" in told["rebated"]
    assert friend.get("/v1/orders?tab=after_sale").body["items"] == []
    group = merchant.owner().get(f"/v1/merchant/groups/{group_id}").body
    assert (group["terms"]["tiers"], group["members"][0]["rebate_text"]) == (LADDER, "成团返还")
    assert "成团返还 ¥4.00 给团长" in [one["text"] for one in group["events"]]
    assert merchant.money() == {
        "captured_fen": 4 * 5900,
        "refunded_fen": 4 * 400,
        "refunding_fen": 0,
    }

    assert ship(merchant, first).status == 200
    merchant.wait(RECEIPT_S + 600, every_s=12 * 3600)
    assert merchant.stored_order(first).status == "completed"
    merchant.check_laws()


def test_full_group_gives_the_most_back_at_once(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    group_id, leader, order_id = merchant.open_group(activity)
    for _ in range(4):
        merchant.member(activity, group_id)

    merchant.wait(600)

    assert merchant.stored_group(group_id).status == "formed"
    assert back(leader, order_id) == [("f", 1000, "succeeded")]
    assert merchant.money()["refunded_fen"] == 5 * 1000
    today = merchant.owner().get("/v1/merchant/dashboard").body["today"]
    assert (today["refunded_fen"], today["rebated_fen"]) == (5 * 1000, 5 * 1000)
    merchant.check_laws()


def test_first_tier_gives_nothing_back_and_a_group_below_it_everything(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    alone = merchant.open_group(activity)
    _, members = form(merchant, activity, 2)
    merchant.wait(600)

    assert [back(*member) for member in members] == [[], []]
    assert members[0][0].messages()[-1] == "formed"
    assert back(*alone[1:]) == [("F", 5900, "succeeded")]
    merchant.check_laws()


def test_what_was_paid_for_the_goods_is_the_most_that_goes_back(merchant: MerchantFixture) -> None:
    """Less a fen, however low a coupon or the shop has made it; freight is no part of it."""
    activity = sold(merchant, seats=3, tiers=(Tier(3, 1000),))
    send_by(merchant, activity, make_template(merchant)["template_id"])
    store = {"name": "西湖店", "address": "文一西路 1 号", "phone": "0571-88880000"}
    store_id = merchant.owner().post("/v1/merchant/stores", store).body["store_id"]
    group_id, leader, first = merchant.open_group(activity)
    friend, guest = merchant.buyer(), merchant.buyer()
    coupon_id = claimed(merchant, friend, off_fen=5500)
    collector = {"store_id": store_id, "name": "小明", "phone": "13800138000"}
    way = {"delivery": "pickup", "address": None, "pickup": collector}
    _, second = merchant.member(activity, group_id, friend, coupon_id=coupon_id, **way)
    _, third = merchant.join(activity, group_id, guest)
    lower = {"total_fen": 1100}  # of it 800 for freight
    assert merchant.owner().put(f"/v1/merchant/orders/{third}/price", lower).status == 200
    merchant.pay(guest, third)

    merchant.wait(600)

    assert (leader.order(first)["total_fen"], back(leader, first)) == (
        6700,
        [("f", 1000, "succeeded")],
    )
    assert (friend.order(second)["total_fen"], back(friend, second)) == (
        400,
        [("f", 399, "succeeded")],
    )
    assert back(guest, third) == [("f", 299, "succeeded")]
    assert state(friend, coupon_id) == ("used", second)
    assert merchant.owner().post(f"/v1/merchant/orders/{second}/readiness").status == 200
    merchant.check_laws()


def test_rest_of_an_order_is_refunded_in_part_or_whole_after_a_tier(
    merchant: MerchantFixture,
) -> None:
    _, members = form(merchant, sold(merchant, limit_per_buyer=5), 3)
    merchant.wait(600)
    (one, first), (other, second), _ = members
    path = f"/v1/orders/{first}/after-sales"
    asked = {"amount_fen": 5501, "reason": "damaged", "words": "", "pictures": []}
    assert one.post(path, asked).body["details"]["max"] == 5500

    refund(merchant, one, first, 500, 0)
    refund(merchant, other, second, 5500, 0)

    assert one.order(first)["status_text"] == "已成团待发货·已部分退款"
    assert other.order(second)["status_text"] == "已退款"
    assert sorted(back(other, second)) == [("A", 5500, "succeeded"), ("f", 400, "succeeded")]
    refund(merchant, one, first, 5000, 1)
    assert one.order(first)["status"] == "refunded"
    merchant.check_laws()


def test_open_group_keeps_the_tiers_that_it_was_opened_with(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    before, leader, first, _ = open_until(merchant, activity, 3600)
    changed = change(merchant, activity, seats_least=2, tiers=[{"seats": 5, "off_fen": 5000}])
    after, later, second = merchant.open_group(activity)
    for group_id in (before, before, after, after):
        merchant.member(activity, group_id)

    merchant.wait(FORMED_S, every_s=12 * 3600)

    assert (changed["version"], changed["tiers"]) == (2, [{"seats": 5, "off_fen": 5000}])
    assert back(leader, first) == [("f", 400, "succeeded")]
    assert back(later, second) == []
    rows = merchant.owner().get("/v1/merchant/audit").body["items"]
    [row] = [row for row in rows if row["action"] == "activity_changed"]
    assert (row["before"]["tiers"], row["after"]["tiers"]) == (LADDER, changed["tiers"])
    merchant.check_laws()


@pytest.mark.parametrize("ends", ["group", "activity"])
def test_group_that_is_due_with_enough_people_is_not_closed_by_staff(
    merchant: MerchantFixture, ends: str
) -> None:
    activity = sold(merchant)
    group_id, leader, order_id, _ = open_until(merchant, activity, 100)
    for _ in range(2):
        merchant.member(activity, group_id)
    merchant.clock.forward(100 + GRACE_S // 2)  # due, and yet to be decided

    if ends == "group":
        refused = request_closing(merchant, group_id)
        assert (refused.status, refused.code) == (409, "group_closed")
        assert "马上会成团" in refused.body["message"]
    else:
        assert request_end(merchant, activity, "close").status == 200
        merchant.run_jobs()
    assert merchant.stored_group(group_id).status == "open"
    merchant.wait(600)

    assert merchant.stored_group(group_id).status == "formed"
    assert back(leader, order_id) == [("f", 400, "succeeded")]
    merchant.check_laws(quiescent=ends == "group")


def test_tiers_are_copied_counted_into_the_lowest_price_and_refused_where_they_are_none(
    merchant: MerchantFixture,
) -> None:
    activity, owner = sold(merchant), merchant.owner()
    draft = owner.post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    assert draft["tiers"] == LADDER
    draft |= {"starts_at_s": merchant.now_s + 8 * DAY_S, "ends_at_s": merchant.now_s + 9 * DAY_S}
    draft["skus"][0]["stock"] = 5

    def check(**changes: Any) -> Any:
        return owner.post("/v1/merchant/activities/check", draft | changes).body

    assert [one["unit_price_fen"] for one in check()["lowest"]] == [4900]
    assert [one["unit_price_fen"] for one in check(tiers=[])["lowest"]] == [5900]
    wrong = [LADDER[0], {"seats": 4, "off_fen": 5900}]
    assert check(tiers=wrong)["problems"] == [
        {"field": "tiers[1].seats", "problem": "最后一档的人数要等于成团人数，请改为 5 人。"},
        {
            "field": "tiers[1].off_fen",
            "problem": "每件返的金额要低于最低的拼团价或团长价 ¥59.00，请改小。",
        },
    ]
    refused = owner.post(
        "/v1/merchant/activities", draft | {"seats_least": 0}, Idempotency_Key="without-a-first"
    )
    assert refused.status == 400
    assert [one["field"] for one in refused.body["details"]["problems"]] == ["tiers"]
