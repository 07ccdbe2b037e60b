"""Rewards for groups that formed, over HTTP: brought by orders, and gone with them."""

from typing import Any

import pytest

from chalicelib.services.growth import coupon_grants, rewards
from chalicelib.services.orders import reward_grants
from chalicelib.services.people import buyers, shop_cache
from chalicelib.services.work import due
from chalicelib.tables.base import transaction
from tests.fixtures.coupons import given_out, refund, sold, told
from tests.fixtures.interleavings import after_once
from tests.fixtures.merchant import DAY_S, Buyer, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.points import received, switch
from tests.fixtures.rewards import completed, reward

PRICE_FEN = 5900


def own(buyer: Buyer) -> dict[str, Any]:
    reply = buyer.get("/v1/me/rewards")
    assert reply.status == 200, reply.body
    return dict(reply.body)


def states(buyer: Buyer) -> list[tuple[str, str]]:
    return [(item["why"], item["state"]) for item in own(buyer)["items"]]


def coupons(buyer: Buyer) -> list[tuple[str, str]]:
    return [(it["name"], it["state"]) for it in buyer.get("/v1/me/coupons").body["items"]]


def balance(buyer: Buyer) -> int:
    return int(buyer.get("/v1/me/points").body["balance"])


def test_every_second_group_brings_a_coupon_and_points_which_go_with_a_whole_refund(
    merchant: MerchantFixture,
) -> None:
    switch(merchant, per_yuan=0)
    activity, buyer = sold(merchant), merchant.buyer("常客")
    completed(merchant, activity, buyer)  # before there were rewards
    template_id = given_out(merchant, given="shop", name="老友券", per_buyer=5)
    assert reward(merchant, coupon_id=template_id, points=50).status == 200
    assert (
        own(buyer).items()
        >= {
            "on": True,
            "every": 2,
            "counted": 0,
            "gives": "优惠券「老友券」（立减 10 元）和 50 积分",
            "rules": [
                "每拼成 2 个团，得一份奖励。",
                "订单完成后计入；整单退款的不算，已发的奖励会收回。",
            ],
            "items": [],
        }.items()
    )

    received(merchant, activity, buyer)  # alone: no group
    first = completed(merchant, activity, buyer)
    assert (own(buyer)["counted"], coupons(buyer), balance(buyer)) == (1, [], 0)
    second = completed(merchant, activity, buyer, leads=False)

    shown = own(buyer)
    assert (shown["counted"], coupons(buyer), balance(buyer)) == (0, [("老友券", "usable")], 50)
    (item,) = shown["items"]
    assert (
        item.items()
        >= {
            "why": "groups",
            "words": "拼成 2 个团",
            "orders": [first, second],
            "coupon": "老友券",
            "points": 50,
            "state": "given",
        }.items()
    )
    assert "你又拼成了 2 个团，商家奖励一张优惠券「老友券」（立减 10 元）" in told(buyer)
    assert "商家奖励 50 积分" in told(buyer)
    (listed,) = merchant.owner().get("/v1/merchant/rewards").body["items"]
    assert listed.items() >= {**item, "buyer_id": buyer.buyer_id, "name": "常客"}.items()
    assert buyer.get("/v1/me/data").body["rewards"] == [item]

    refund(merchant, buyer, first, 1000, 0)  # a part: the order stays completed
    assert states(buyer) == [("groups", "given")]
    refund(merchant, buyer, first, PRICE_FEN - 1000, 1)
    assert (states(buyer), coupons(buyer)) == ([("groups", "taken_back")], [("老友券", "revoked")])
    assert balance(buyer) == 0
    assert "已整单退款，因它得到的拼团奖励已收回" in told(buyer)
    assert own(buyer)["counted"] == 1  # the other one counts again
    completed(merchant, activity, buyer)
    assert states(buyer) == [("groups", "given"), ("groups", "taken_back")]
    merchant.check_laws()


def test_used_coupon_is_kept_and_spent_points_are_owed(merchant: MerchantFixture) -> None:
    switch(merchant, per_yuan=0, for_yuan=10)
    activity, buyer = sold(merchant, points=True), merchant.buyer()
    template_id = given_out(merchant, given="shop", per_buyer=5)
    reward(merchant, coupon_id=template_id, points=50)
    first = completed(merchant, activity, buyer)
    completed(merchant, activity, buyer)
    (coupon,) = buyer.get("/v1/me/coupons").body["items"]
    used = buyer.buy_alone(activity, coupon_id=coupon["coupon_id"], points=50)
    assert used.status == 201, used.body
    merchant.pay(buyer, used.body["order_id"])

    refund(merchant, buyer, first, PRICE_FEN, 1)

    assert (states(buyer), balance(buyer)) == ([("groups", "used")], -50)
    assert coupons(buyer) == [("见面礼", "used")]
    merchant.check_laws()


def test_points_are_given_alone_where_the_coupon_cannot_be(merchant: MerchantFixture) -> None:
    switch(merchant, per_yuan=0)
    activity, buyer = sold(merchant), merchant.buyer()
    reward(merchant, coupon_id=given_out(merchant, given="shop", per_buyer=1), points=50)
    for _ in range(4):
        completed(merchant, activity, buyer)

    got = [(item["coupon"], item["points"], item["state"]) for item in own(buyer)["items"]]
    assert got == [("", 50, "given"), ("见面礼", 50, "given")]
    assert (len(coupons(buyer)), balance(buyer)) == (1, 100)
    merchant.check_laws()


def test_groups_wait_for_points_that_the_shop_has_switched_off(
    merchant: MerchantFixture,
) -> None:
    switch(merchant, per_yuan=0)
    activity, buyer = sold(merchant), merchant.buyer()
    reward(merchant, points=50)
    completed(merchant, activity, buyer)
    switch(merchant, on=False)
    completed(merchant, activity, buyer)
    assert own(buyer).items() >= {"on": False, "gives": "", "counted": 0, "items": []}.items()
    merchant.check_laws()

    switch(merchant, per_yuan=0)
    completed(merchant, activity, buyer)

    assert (own(buyer)["counted"], states(buyer)) == (1, [("groups", "given")])
    merchant.check_laws()


def test_refund_before_the_reward_lowers_the_count_and_days_run_out(
    merchant: MerchantFixture,
) -> None:
    switch(merchant, per_yuan=0)
    activity, buyer = sold(merchant, days=60), merchant.buyer()
    reward(merchant, points=50, days=7)
    first = completed(merchant, activity, buyer)
    refund(merchant, buyer, first, PRICE_FEN, 1)
    assert own(buyer)["counted"] == 0
    completed(merchant, activity, buyer)
    merchant.clock.forward(8 * DAY_S)
    merchant.run_jobs()
    buyer = merchant.session(merge_into_an_older_one(merchant, buyer)())
    assert own(buyer)["counted"] == 0
    completed(merchant, activity, buyer)
    assert (own(buyer)["counted"], states(buyer)) == (1, [])
    completed(merchant, activity, buyer)
    assert (own(buyer)["counted"], states(buyer)) == (0, [("groups", "given")])
    merchant.check_laws()


def test_groups_of_two_buyers_who_are_one_person_count_together_once(
    merchant: MerchantFixture,
) -> None:
    switch(merchant, per_yuan=0)
    activity, younger = sold(merchant), merchant.buyer()
    reward(merchant, points=50)
    for _ in range(3):
        completed(merchant, activity, younger)
    assert (own(younger)["counted"], balance(younger)) == (1, 50)
    person = merchant.session(merge_into_an_older_one(merchant, younger)())
    merchant.run_jobs()
    assert (own(person)["counted"], balance(person)) == (1, 50)

    completed(merchant, activity, person)

    assert (own(person)["counted"], balance(person)) == (0, 100)
    assert states(person) == [("groups", "given")] * 2
    merchant.check_laws()
    assert person.call("DELETE", "/v1/me/account").status == 200
    merchant.run_jobs()
    merchant.check_laws()


def test_a_merge_that_comes_while_rewards_are_reckoned_is_not_lost(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(merchant, per_yuan=0)
    activity, older, younger = sold(merchant), merchant.buyer(), merchant.buyer()
    reward(merchant, points=50)
    for buyer in (older, younger):
        completed(merchant, activity, buyer)
    merge = merge_into_an_older_one(merchant, younger, older)
    with transaction() as writes:
        rewards.mark(writes, merchant.merchant_id, younger.buyer_id, now_s=merchant.now_s)

    with monkeypatch.context() as patch:
        patch.setattr(rewards, "items_of", after_once(merge, rewards.items_of))
        reward_grants.process(merchant.merchant_id, younger.buyer_id, now_s=merchant.now_s)
    merchant.run_jobs()

    person = merchant.session(buyers.read(merchant.merchant_id, older.buyer_id))
    assert (balance(person), states(person)) == (50, [("groups", "given")])
    merchant.check_laws()


def test_a_job_that_keeps_old_settings_gives_by_the_rule_as_it_is_now(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(merchant, per_yuan=0)
    activity, buyer = sold(merchant), merchant.buyer()
    before = shop_cache.merchant(merchant.merchant_id, merchant.now_s)
    reward(merchant, points=50)
    process = reward_grants.process

    def in_another_container(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
        shop_cache._merchants.put(merchant_id, before, now_s)
        process(merchant_id, buyer_id, now_s=now_s)
        shop_cache.clear_cache()

    monkeypatch.setattr(due, "BY_ID", {**due.BY_ID, "rewards": in_another_container})
    for _ in range(2):
        completed(merchant, activity, buyer)

    assert (balance(buyer), states(buyer)) == (50, [("groups", "given")])
    merchant.check_laws()


def test_a_reward_that_another_reckoning_gave_meanwhile_is_not_taken_for_its_own(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    reward(merchant, coupon_id=given_out(merchant, given="shop", per_buyer=5))
    first = completed(merchant, activity, buyer)
    give = coupon_grants.grant
    late: list[Any] = []
    given: list[Any] = []

    def slowly(*args: Any, **more: Any) -> Any:
        if not late:  # much happens before this one, and another reckoning has read its orders
            late.append(lambda: give(*args, **more))
            refund(merchant, buyer, first, PRICE_FEN, 1)
            completed(merchant, activity, buyer)
            return given[0]
        if not given:
            given.append(late[0]())
        return give(*args, **more)

    monkeypatch.setattr(coupon_grants, "grant", slowly)
    completed(merchant, activity, buyer)
    merchant.run_jobs()

    assert states(buyer) == [("groups", "given"), ("groups", "taken_back")]
    merchant.check_laws()


def test_who_opens_a_group_gets_the_coupon_that_its_activity_promises_once_completed(
    merchant: MerchantFixture,
) -> None:
    template_id = given_out(merchant, given="shop", name="团长券", per_buyer=2)
    activity, leader = sold(merchant, leader_coupon_id=template_id), merchant.buyer("团长")
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    assert merchant.visitor().get(path).body["leader_coupon"] == "立减 10 元"
    shown = merchant.owner().get(f"/v1/merchant/activities/{activity.activity_id}").body
    names = ("leader_coupon_id", "leader_coupon_words", "leader_coupon_kept")
    assert [shown[name] for name in names] == [template_id, "立减 10 元", True]

    first = completed(merchant, activity, leader)
    assert (coupons(leader), states(leader)) == ([("团长券", "usable")], [("leader", "given")])
    assert "你开的团拼成了，商家奖励一张优惠券「团长券」（立减 10 元）" in told(leader)
    completed(merchant, activity, leader, leads=False)
    assert len(coupons(leader)) == 1
    refund(merchant, leader, first, PRICE_FEN, 1)
    assert (coupons(leader), states(leader)) == (
        [("团长券", "revoked")],
        [("leader", "taken_back")],
    )
    for _ in range(2):  # one person may have two
        completed(merchant, activity, leader)
    assert states(leader)[0] == ("leader", "none_left")
    page = merchant.owner().get(f"/v1/merchant/coupons/{template_id}").body
    assert [it["activity_id"] for it in page["promised_by"]] == [activity.activity_id]
    merchant.check_laws()


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"days": 3}, "rewards.days"),
        ({}, "rewards.coupon_id"),
        ({"points": 10}, "rewards.points"),
        ({"coupon_id": "0" * 22}, "rewards.coupon_id"),
    ],
)
def test_rule_that_cannot_be_kept_is_refused(
    merchant: MerchantFixture, rule: dict[str, Any], field: str
) -> None:
    reply = reward(merchant, **rule)

    assert (reply.status, reply.code, reply.body["details"]["field"]) == (
        400,
        "invalid_request",
        field,
    )
    assert merchant.owner().get("/v1/merchant/settings").body["rewards"]["on"] is False


def test_activity_promises_leaders_no_coupon_that_is_not_given(merchant: MerchantFixture) -> None:
    wrong = given_out(merchant, given="code")
    with pytest.raises(Exception, match="还有 1 处需要修改"):
        sold(merchant, leader_coupon_id=wrong)
