"""万人团 over HTTP: the more people all groups formed with, the more of each unit goes back."""

from typing import Any

import pytest

from chalicelib.domain.activity import Tier
from chalicelib.domain.points import earned_of
from chalicelib.services.groups import crowds
from tests.api import test_exchanges, test_returns
from tests.api.test_deadlines import detail
from tests.api.test_freight import make_template, send_by
from tests.api.test_leader_free import back
from tests.fixtures.coupons import claimed, refund
from tests.fixtures.group_requests import request_end
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture
from tests.fixtures.points import switch
from tests.fixtures.shipping import RECEIPT_S, ship

pytestmark = pytest.mark.slow

LADDER = [{"seats": 4, "off_fen": 300}, {"seats": 6, "off_fen": 900}]
LATE_S = 3600  # after the last deadline all groups have been counted


def sold(merchant: MerchantFixture, **terms: Any) -> Activity:
    """¥59.00 each, in groups of two: ¥3.00 go back from four people on, ¥9.00 from six."""
    tiers = tuple(Tier(**one) for one in LADDER)
    rules = {"seats": 2, "stock": 40, "product_stock": 60, "crowd_tiers": tiers}
    return merchant.activity(**{**rules, **terms})


def form(merchant: MerchantFixture, activity: Activity, **second: Any) -> list[tuple[Buyer, str]]:
    """(buyer, order_id) of both members of a group that has formed and is settled."""
    group_id, leader, first = merchant.open_group(activity)
    member = merchant.member(activity, group_id, **second)
    merchant.wait(60)
    assert merchant.stored_group(group_id).status == "formed"
    return [(leader, first), member]


def seen_by_staff(merchant: MerchantFixture, activity: Activity) -> Any:
    return merchant.owner().get(f"/v1/merchant/activities/{activity.activity_id}").body


def test_each_tier_gives_the_difference_to_everybody_and_all_of_it_to_who_comes_later(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    (leader, first), (friend, second) = form(merchant, activity, quantity=2)
    assert back(leader, first) == []
    assert detail(merchant, activity)["crowd"] == {"tiers": LADDER, "seats": 2, "is_over": False}

    form(merchant, activity)
    merchant.wait(120)

    assert back(leader, first) == [("1", 300, "succeeded")]
    assert back(friend, second) == [("1", 600, "succeeded")]
    order = friend.order(second)
    assert (order["status_text"], order["refunds"][0]["rebate_text"]) == (
        "已成团待发货",
        "成团返还",
    )
    told = {one["text_key"]: one["text"] for one in friend.get("/v1/me/messages").body["items"]}
    assert "已有 4 人拼成，降价的 ¥6.00 返还给你" in told["crowd_rebate"]
    assert friend.get("/v1/orders?tab=after_sale").body["items"] == []

    assert friend.order(second)["crowd"]["seats"] == 4
    form(merchant, activity)
    merchant.wait(300)
    later = form(merchant, activity)
    merchant.wait(60)

    assert back(friend, second) == [("1", 600, "succeeded"), ("2", 1200, "succeeded")]
    assert [back(*one) for one in later] == [[("2", 900, "succeeded")]] * 2
    place = f"/v1/merchants/{merchant.merchant_id}"
    page = leader.get(f"{place}/groups/{leader.order(first)['group_id']}/page").body
    (card,) = merchant.visitor().get(f"{place}/activities").body["items"]
    assert page["crowd"] == card["crowd"] == {"tiers": LADDER, "seats": 8, "is_over": False}
    shown = seen_by_staff(merchant, activity)
    assert (shown["crowd_tiers"], shown["crowd"]["seats"]) == (LADDER, 8)
    assert len(shown["crowd"]["reached_at_s"]) == 2
    assert not shown["crowd"]["is_over"]
    assert merchant.money()["refunded_fen"] == 9 * 900

    merchant.wait(7 * DAY_S + LATE_S, every_s=DAY_S)
    assert detail(merchant, activity)["crowd"]["is_over"]
    assert seen_by_staff(merchant, activity)["crowd"]["is_over"]
    merchant.check_laws()


def test_group_that_goes_wrong_holds_up_no_other(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity, give, broken = sold(merchant), crowds._give, set[str]()

    def goes_wrong(merchant_id: str, group_id: str, reached: int, *, now_s: int) -> int:
        broken.update([] if broken else [group_id])
        assert group_id not in broken
        return give(merchant_id, group_id, reached, now_s=now_s)

    seats = form(merchant, activity)
    with monkeypatch.context() as patched:
        patched.setattr(crowds, "_give", goes_wrong)
        seats += form(merchant, activity)
        merchant.wait(180)
    assert sorted(len(back(*member)) for member in seats) == [0, 0, 1, 1]

    merchant.wait(180)
    assert [back(*member) for member in seats] == [[("1", 300, "succeeded")]] * 4
    merchant.check_laws()


def test_units_and_money_that_went_back_are_owed_nothing(merchant: MerchantFixture) -> None:
    """No more than the goods cost, less a fen; freight is no part of it."""
    activity = sold(merchant, limit_per_buyer=5, crowd_tiers=(Tier(4, 300), Tier(6, 3000)))
    send_by(merchant, activity, make_template(merchant)["template_id"])
    (leader, first), (friend, second) = form(merchant, activity, quantity=2)
    guest = merchant.buyer()
    coupon_id = claimed(merchant, guest, off_fen=5500)
    (gone, third), (_, fourth) = form(merchant, activity, buyer=guest, coupon_id=coupon_id)
    merchant.wait(120)
    assert back(friend, second) == [("1", 600, "succeeded")]
    refund(merchant, friend, second, 5600, 1)
    refund(merchant, leader, first, 5000, 0)
    refund(merchant, gone, third, 6400, 1)

    form(merchant, activity)
    merchant.wait(300)

    assert [one for one in back(friend, second) if one[0] == "2"] == [("2", 2400, "succeeded")]
    assert [one for one in back(leader, first) if one[0] == "2"] == [("2", 1399, "succeeded")]
    assert [one for one in back(gone, third) if one[0] == "2"] == []
    assert back(guest, fourth) == [("1", 300, "succeeded"), ("2", 99, "succeeded")]
    assert friend.order(second)["status_text"] == "已成团待发货·已部分退款"
    merchant.check_laws()


def test_refund_instead_of_an_exchange_is_the_share_of_what_was_not_given_back(
    merchant: MerchantFixture,
) -> None:
    test_returns.has_return_address(merchant)
    activity = sold(merchant, limit_per_buyer=5)
    _, (friend, second) = form(merchant, activity, quantity=2)
    assert ship(merchant, second).status == 200
    asked = test_exchanges.ask(friend, second).body
    assert asked["amount_fen"] == 5900
    form(merchant, activity)
    merchant.wait(120)
    assert back(friend, second) == [("1", 600, "succeeded")]

    refused = test_returns.approve(merchant, asked["after_sale_id"], 5601, 0)
    assert (refused.status, refused.body["message"]) == (400, "退款金额最多 ¥56.00。")
    assert test_returns.approve(merchant, asked["after_sale_id"], 5600, 0).status == 200
    merchant.run_jobs(3)
    merchant.check_laws()


def test_what_comes_back_of_a_completed_order_is_taken_off_what_it_earned(
    merchant: MerchantFixture,
) -> None:
    switch(merchant, per_yuan=1)
    activity = sold(merchant, days=40)
    (_, first), _ = form(merchant, activity)
    assert ship(merchant, first).status == 200
    merchant.wait(RECEIPT_S + 600, every_s=12 * 3600)
    assert earned_of(merchant.stored_order(first).view()) == 59

    form(merchant, activity)
    merchant.wait(120)

    order = merchant.stored_order(first).view()
    assert (order.status, order.refunds["011"].status) == ("completed", "succeeded")
    assert earned_of(order) == 56
    merchant.check_laws()


def test_group_that_is_settled_after_all_were_counted_begins_the_count_anew(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    (leader, first), _ = form(merchant, activity)
    group_id, _, _ = merchant.open_group(activity)
    last, third = merchant.join(activity, group_id)
    assert request_end(merchant, activity, "keep").status == 200
    merchant.wait(60)
    number = merchant.prepay(last, third)
    merchant.gateway.pay(number)
    assert merchant.gateway.quiet()
    merchant.clock.forward(2 * DAY_S)
    crowds.process(merchant.merchant_id, activity.activity_id, now_s=merchant.now_s)
    assert seen_by_staff(merchant, activity)["crowd"]["is_over"]

    merchant.run_jobs()
    merchant.wait(120)

    shown = seen_by_staff(merchant, activity)["crowd"]
    assert (shown["seats"], len(shown["reached_at_s"]), shown["is_over"]) == (4, 1, True)
    assert back(leader, first) == [("1", 300, "succeeded")]
    merchant.check_laws()


def test_members_who_went_on_in_another_group_count_once_and_get_what_it_gives(
    merchant: MerchantFixture,
) -> None:
    tiers = (Tier(2, 300), Tier(4, 900))
    activity = sold(merchant, combines=True, life_h=1, crowd_tiers=tiers)
    due, leader, first = merchant.open_group(activity, quantity=2, agrees_to_combine=True)
    merchant.clock.forward(600)
    merchant.run_jobs()
    other, host, second = merchant.open_group(activity)

    merchant.clock.forward(3600 - 600 + 61)
    merchant.run_jobs(2)
    merchant.wait(120)

    assert merchant.stored_group(due).combined_into == other
    assert merchant.stored_group(other).status == "formed"
    assert seen_by_staff(merchant, activity)["crowd"]["seats"] == 2
    assert back(leader, first) == [("1", 600, "succeeded")]
    assert back(host, second) == [("1", 300, "succeeded")]

    form(merchant, activity)
    merchant.wait(120)

    assert back(leader, first) == [("1", 600, "succeeded"), ("2", 1200, "succeeded")]
    assert leader.order(first)["status"] == "fulfilling"
    merchant.check_laws()


def test_crowds_are_copied_counted_into_the_lowest_price_and_never_changed(
    merchant: MerchantFixture,
) -> None:
    activity, owner = sold(merchant), merchant.owner()
    path = f"/v1/merchant/activities/{activity.activity_id}"
    draft = owner.post(f"{path}/copy").body
    assert draft["crowd_tiers"] == LADDER
    draft |= {"starts_at_s": merchant.now_s + 8 * DAY_S, "ends_at_s": merchant.now_s + 9 * DAY_S}
    draft["skus"][0]["stock"] = 5

    def check(**changes: Any) -> Any:
        return owner.post("/v1/merchant/activities/check", draft | changes).body

    assert [one["unit_price_fen"] for one in check()["lowest"]] == [5000]
    wrong = [{"seats": 1, "off_fen": 300}, {"seats": 6, "off_fen": 5900}]
    assert check(crowd_tiers=wrong, leader_free=True, limit_per_order=1)["problems"] == [
        {
            "field": "crowd_tiers",
            "problem": "万人团不能和阶梯价、团长免单一起用，请关闭其中一个。",
        },
        {
            "field": "crowd_tiers[0].seats",
            "problem": "这一档的人数要在 2 到 1000000 之间，请修改。",
        },
        {
            "field": "crowd_tiers[1].off_fen",
            "problem": "每件返的金额要低于最低的拼团价或团长价 ¥59.00，请改小。",
        },
    ]
    now = owner.get(path).body
    names = ("title", "seats_total", "life_h", "ends_at_s", "limit_per_order", "revision")
    body = {name: now[name] for name in names}
    body["skus"] = [{"sku_id": activity.sku_id, "group_price_fen": 5900}]
    refused = owner.put(path, body | {"crowd_tiers": [*LADDER[:1], {"seats": 9, "off_fen": 901}]})
    assert refused.status == 400
    assert [one["field"] for one in refused.body["details"]["problems"]] == ["crowd_tiers"]
    changed = owner.put(path, body | {"crowd_tiers": LADDER, "title": "周末大家拼"})
    assert (changed.status, changed.body["version"]) == (200, 2)
