"""What the members of a group that fails are given, where its activity promises something."""

import itertools
from typing import Any

import pytest

from chalicelib.errors import Busy
from chalicelib.services.growth import points_grants
from tests.fixtures import points
from tests.fixtures.coupons import COUPONS, claim, given_out, sold
from tests.fixtures.merchant import Buyer, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one

DAY_S = 24 * 3600


def told(buyer: Buyer) -> list[str]:
    items = buyer.get("/v1/me/messages").body["items"]
    return [one["text"] for one in items if one["text_key"] == "compensated"]


def coupons(buyer: Buyer) -> list[str]:
    return [one["name"] for one in buyer.get("/v1/me/coupons").body["items"]]


def balance(buyer: Buyer) -> int:
    return int(buyer.get("/v1/me/points").body["balance"])


def test_who_paid_in_a_group_that_fails_is_given_the_promised_coupon_once_a_day(
    merchant: MerchantFixture,
) -> None:
    template_id = given_out(merchant, given="shop", name="下次再来", per_buyer=5)
    activity = sold(merchant, seats=3, compensation_id=template_id)
    place = f"/v1/merchants/{merchant.merchant_id}"
    assert (
        merchant.visitor().get(f"{place}/activities/{activity.activity_id}").body["compensation"]
        == "立减 10 元"
    )
    group_id, leader, order_id = merchant.open_group(activity)
    merchant.wait(300)  # so that this group fails before the other
    second, _, _ = merchant.open_group(activity, leader)
    holder, _ = merchant.join(activity, group_id)
    page = leader.get(f"{place}/groups/{group_id}/page").body
    assert (page["compensation"], page["compensated"]) == ("立减 10 元", False)

    merchant.wait(DAY_S + 300)

    assert [merchant.stored_group(one).status for one in (group_id, second)] == ["failed"] * 2
    assert coupons(leader) == ["下次再来"]
    (text,) = told(leader)
    assert "补偿你一张优惠券「下次再来」（立减 10 元）" in text
    assert (coupons(holder), told(holder)) == ([], [])
    pages = (who.get(f"{place}/groups/{group_id}/page").body for who in (leader, holder))
    assert [page["compensated"] for page in pages] == [True, False]
    assert leader.order(order_id)["status"] == "refunded"
    file = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body
    assert "未成团，补偿买家优惠券「下次再来」（立减 10 元）" in [
        it["text"] for it in file["timeline"]
    ]

    assert leader.messages().index("compensated") < leader.messages().index("failed")
    group = merchant.owner().get(f"/v1/merchant/groups/{group_id}").body
    assert group["terms"]["compensation_words"] == "立减 10 元"
    assert "按约定补偿付了款的成员优惠券（立减 10 元），每人每天最多一张" in [
        it["text"] for it in group["events"]
    ]

    merchant.open_group(activity, leader)
    merchant.wait(DAY_S + 300)
    assert coupons(leader) == ["下次再来"] * 2
    merchant.check_laws()


def test_member_who_is_somebody_else_by_then_is_told_of_among_the_compensated(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant, seats=3, compensation_id=given_out(merchant))
    group_id, leader, _ = merchant.open_group(activity)
    person = merge_into_an_older_one(merchant, leader)()

    merchant.wait(DAY_S + 300)

    assert coupons(merchant.session(person)) == ["见面礼"]
    events = merchant.owner().get(f"/v1/merchant/groups/{group_id}").body["events"]
    assert [it["text"] for it in events if it["what"] == "compensated"] == [
        "按约定补偿付了款的成员优惠券（立减 10 元），每人每天最多一张"
    ]
    merchant.check_laws()


def test_who_paid_in_a_group_that_fails_is_given_the_promised_points_once_a_day(
    merchant: MerchantFixture,
) -> None:
    points.switch(merchant)
    template_id = given_out(merchant, given="shop", per_buyer=5)
    activity = sold(merchant, seats=3, compensation_id=template_id, compensation_points=50)
    place = f"/v1/merchants/{merchant.merchant_id}"
    page = f"{place}/activities/{activity.activity_id}"
    group_id, leader, order_id = merchant.open_group(activity)
    merchant.wait(300)  # so that this group fails before the other
    merchant.open_group(activity, leader)
    holder, _ = merchant.join(activity, group_id)
    assert leader.get(page).body["compensation_points"] == 50
    (card,) = leader.get(f"{place}/activities").body["items"]
    assert (card["compensation"], card["compensation_points"]) == ("立减 10 元", 50)

    merchant.wait(DAY_S + 300)

    assert leader.order(order_id)["status"] == "refunded"
    assert (balance(leader), balance(holder), coupons(leader)) == (50, 0, ["见面礼"])
    (entry,) = leader.get("/v1/me/points").body["entries"]
    assert (entry["points"], entry["words"]) == (50, "未成团补偿")
    pages = [who.get(f"{place}/groups/{group_id}/page").body for who in (leader, holder)]
    assert [(it["compensated_points"], it["compensation_points"]) for it in pages] == [
        (True, 50),
        (False, 50),
    ]
    texts = [it["text"] for it in leader.get("/v1/me/messages").body["items"]]
    assert sum("商家补偿你 50 积分" in text for text in texts) == 1
    owner = merchant.owner()
    file = owner.get(f"/v1/merchant/orders/{order_id}").body
    group = owner.get(f"/v1/merchant/groups/{group_id}").body
    assert group["terms"]["compensation_points"] == 50
    for told_of, words in (
        (file["timeline"], "未成团，补偿买家 50 积分"),
        (group["events"], "按约定补偿付了款的成员 50 积分，每人每天最多一次"),
    ):
        assert words in [it["text"] for it in told_of]

    merchant.open_group(activity, leader)
    merchant.wait(DAY_S + 300)
    assert balance(leader) == 100
    merchant.check_laws()


def test_a_shop_without_points_gives_and_tells_of_none(merchant: MerchantFixture) -> None:
    points.switch(merchant)
    activity = sold(merchant, seats=3, compensation_points=50)
    place = f"/v1/merchants/{merchant.merchant_id}"
    group_id, leader, order_id = merchant.open_group(activity)

    points.switch(merchant, on=False)

    assert [
        leader.get(f"{place}/{page}").body["compensation_points"]
        for page in (f"activities/{activity.activity_id}", f"groups/{group_id}/page")
    ] == [0, 0]
    merchant.wait(DAY_S + 300)
    assert leader.order(order_id)["status"] == "refunded"
    assert "compensated_points" not in leader.messages()
    points.switch(merchant)
    assert balance(leader) == 0
    assert not leader.get(f"{place}/groups/{group_id}/page").body["compensated_points"]
    merchant.check_laws()


def test_who_is_cut_off_between_coupon_and_points_gets_each_once(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    points.switch(merchant)
    template_id = given_out(merchant, per_buyer=5)
    activity = sold(merchant, seats=3, compensation_id=template_id, compensation_points=50)
    _, leader, order_id = merchant.open_group(activity)
    grant, calls = points_grants.grant, itertools.count()

    def dies_first(*args: Any, **more: Any) -> bool:
        if not next(calls):
            raise Busy
        return grant(*args, **more)

    monkeypatch.setattr(points_grants, "grant", dies_first)
    merchant.wait(DAY_S + 300)

    assert (balance(leader), coupons(leader)) == (50, ["见面礼"])
    assert leader.order(order_id)["status"] == "refunded"
    assert next(calls) >= 2
    merchant.check_laws()


def test_no_coupon_left_keeps_no_refund_waiting(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant, total=1)
    activity = sold(merchant, seats=3, compensation_id=template_id)
    group_id, leader, first = merchant.open_group(activity)
    member, second = merchant.member(activity, group_id)

    merchant.wait(DAY_S + 300)

    assert leader.order(first)["status"] == member.order(second)["status"] == "refunded"
    assert sorted(coupons(leader) + coupons(member)) == ["见面礼"]
    merchant.check_laws()


def test_leader_who_is_too_late_to_cancel_is_made_up_for(merchant: MerchantFixture) -> None:
    activity = sold(merchant, seats=3, compensation_id=given_out(merchant))
    _, leader, order_id = merchant.open_group(activity)
    merchant.clock.forward(DAY_S)

    late = leader.cancel(order_id)
    merchant.wait(300)

    assert (late.status, late.code) == (409, "group_closed")
    assert coupons(leader) == ["见面礼"]
    merchant.check_laws()


def test_what_its_members_end_themselves_is_not_made_up_for(merchant: MerchantFixture) -> None:
    activity = sold(merchant, seats=3, compensation_id=given_out(merchant))
    group_id, leader, order_id = merchant.open_group(activity)

    assert leader.cancel(order_id).status == 200
    merchant.wait(300)

    assert merchant.stored_group(group_id).status == "failed"
    assert coupons(leader) == []
    merchant.check_laws()


def test_an_open_group_keeps_the_promise_that_its_activity_makes_no_more(
    merchant: MerchantFixture,
) -> None:
    template_id = given_out(merchant, name="说好的")
    activity = sold(merchant, seats=3, compensation_id=template_id)
    _, leader, _ = merchant.open_group(activity)
    owner, path = merchant.owner(), f"/v1/merchant/activities/{activity.activity_id}"
    now = owner.get(path).body
    assert (now["compensation_id"], now["compensation_words"]) == (template_id, "立减 10 元")

    assert owner.put(path, changed(now, compensation_id="")).status == 200
    assert owner.get(path).body["compensation_id"] == ""
    merchant.wait(10)  # for which terms are cached
    _, late, _ = merchant.open_group(activity)
    merchant.wait(DAY_S + 300)

    assert (coupons(leader), coupons(late)) == (["说好的"], [])
    merchant.check_laws()


def test_a_promise_ends_with_its_coupons_and_is_told_no_more(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant)
    activity = sold(merchant, seats=3, compensation_id=template_id)
    group_id, leader, _ = merchant.open_group(activity)
    owner, place = merchant.owner(), f"/v1/merchants/{merchant.merchant_id}"
    path = f"activities/{activity.activity_id}"
    pages = (f"{place}/{path}", f"{place}/groups/{group_id}/page")
    told_in_english = [
        leader.get(page, Accept_Language="en").body["compensation"] for page in pages
    ]
    assert told_in_english == ["¥10 off"] * 2
    (promising,) = owner.get(f"{COUPONS}/{template_id}").body["promised_by"]
    assert promising["activity_id"] == activity.activity_id

    assert owner.post(f"{COUPONS}/{template_id}/withdrawal", {"revoke": False}).status == 200
    merchant.wait(10)  # for which templates are cached

    assert [leader.get(page).body["compensation"] for page in pages] == ["", ""]
    now = owner.get(f"/v1/merchant/{path}").body
    assert (now["compensation_words"], now["compensation_kept"]) == ("立减 10 元", False)
    merchant.wait(DAY_S + 300)
    assert (merchant.stored_group(group_id).status, coupons(leader)) == ("failed", [])
    happened = merchant.owner().get(f"/v1/merchant/groups/{group_id}").body["events"]
    assert "compensated" not in [event["what"] for event in happened]
    merchant.check_laws()


def test_only_a_coupon_that_can_be_given_is_promised(merchant: MerchantFixture) -> None:
    owner, activity = merchant.owner(), sold(merchant)
    path = f"/v1/merchant/activities/{activity.activity_id}"
    withdrawn = given_out(merchant)
    now = owner.get(path).body
    kept = owner.put(path, changed(now, compensation_id=withdrawn))
    assert kept.status == 200
    assert owner.post(f"{COUPONS}/{withdrawn}/withdrawal", {"revoke": False}).status == 200

    soon = given_out(merchant, days=0, until_s=merchant.now_s + 3600)
    gone = given_out(merchant, total=1)
    assert claim(merchant.buyer(), gone).status == 201
    for wrong in (given_out(merchant, given="code"), soon, gone, "0" * 22):
        reply = owner.put(path, changed(kept.body, compensation_id=wrong))
        (problem,) = reply.body["details"]["problems"]
        assert (reply.status, problem["field"]) == (400, "compensation_id")
    # What was promised already is no reason to refuse another change.
    assert owner.put(path, changed(kept.body, title="周末再来")).status == 200
    merchant.check_laws()


def changed(activity: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body that changes an activity in these fields."""
    names = ["title", "seats_total", "life_h", "ends_at_s", "limit_per_buyer", "limit_per_order"]
    names += [
        "reductions",
        "coupons",
        "new_buyers",
        "compensation_id",
        "compensation_points",
        "revision",
    ]
    of_sku = ("sku_id", "group_price_fen", "leader_price_fen")
    skus = [{name: sku[name] for name in of_sku} for sku in activity["skus"]]
    return {name: activity[name] for name in names} | {"skus": skus} | fields
