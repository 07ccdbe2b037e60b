"""邀请有礼 over HTTP: whom a share has brought, what that brings, and when it does not."""

from typing import Any

import pytest

from chalicelib.services.people import buyers
from tests.fixtures.coupons import given_out, refund, sold, told
from tests.fixtures.invitations import POSTED_S, invite, invited, receive
from tests.fixtures.merchant import ADDRESS, DAY_S, Activity, Buyer, MerchantFixture, Reply
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.points import received, switch
from tests.fixtures.shares import TOUCHES, came, shared, visited

PRICE_FEN = 5900
LIST = "/v1/merchant/invitations"


def elsewhere(number: int) -> dict[str, str]:
    return ADDRESS | {"phone": f"139000000{number:02}", "street": f"文三路 {number} 号"}


def again(merchant: MerchantFixture, buyer: Buyer) -> Buyer:
    """The buyer with a session of now."""
    return merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))


def own(buyer: Buyer) -> dict[str, Any]:
    reply = buyer.get("/v1/me/invitations")
    assert reply.status == 200, reply.body
    return dict(reply.body)


def states(buyer: Buyer) -> list[tuple[str, str]]:
    return [(item["state"], item["state_words"]) for item in own(buyer)["items"]]


def coupons(buyer: Buyer) -> list[tuple[str, str]]:
    return [(it["name"], it["state"]) for it in buyer.get("/v1/me/coupons").body["items"]]


def balance(buyer: Buyer) -> int:
    return int(buyer.get("/v1/me/points").body["balance"])


def listed(merchant: MerchantFixture, state: str) -> list[dict[str, Any]]:
    return list(merchant.owner().get(f"{LIST}?state={state}").body["items"])


def decide(merchant: MerchantFixture, buyer: Buyer, what: str, **body: Any) -> Reply:
    return merchant.owner().post(f"{LIST}/{buyer.buyer_id}/{what}", body or None)


@pytest.fixture
def activity(merchant: MerchantFixture) -> Activity:
    switch(merchant, per_yuan=0)
    return sold(merchant, days=60)


def test_who_brings_a_new_buyer_is_given_what_the_shop_says_until_the_order_goes_back(
    merchant: MerchantFixture, activity: Activity
) -> None:
    thanks = given_out(merchant, given="shop", name="感谢券")
    gift = given_out(merchant, given="shop", name="新客券")
    assert invite(merchant, coupon_id=thanks, gift_id=gift, wait_days=7).status == 200
    inviter, buyer = merchant.buyer("老友"), merchant.buyer("新朋友")

    order_id = invited(merchant, activity, inviter, buyer)

    shown = own(inviter)
    assert (shown["on"], shown["gives"], shown["gift"]) == (
        True,
        "优惠券「感谢券」（立减 10 元）和 50 积分",
        "优惠券「新客券」（立减 10 元）",
    )
    assert [(it["name"], it["state"]) for it in shown["items"]] == [("新*", "pending")]
    receive(merchant, buyer, order_id)
    merchant.wait(7 * DAY_S - 3600, every_s=DAY_S)
    assert states(inviter) == [("pending", "等对方的订单完成满 7 天")]
    merchant.check_laws()
    merchant.wait(2 * 3600, every_s=3600)
    inviter, buyer = again(merchant, inviter), again(merchant, buyer)
    assert states(inviter) == [("granted", "已发放")]
    assert (coupons(inviter), balance(inviter)) == ([("感谢券", "usable")], 50)
    assert (coupons(buyer), balance(buyer)) == ([("新客券", "usable")], 0)
    assert "送你一张优惠券「感谢券」（立减 10 元）" in told(inviter)
    assert "送你 50 积分" in told(inviter)
    assert "你受邀在本店拼成的第一单，送你一张优惠券「新客券」" in told(buyer)
    (row,) = listed(merchant, "granted")
    assert (
        row.items()
        >= {
            "buyer_id": buyer.buyer_id,
            "name": "新朋友",
            "inviter_id": inviter.buyer_id,
            "inviter_name": "老友",
            "order_id": order_id,
            "channel": "link",
            "coupon": "感谢券",
            "gift": "新客券",
            "points": 50,
        }.items()
    )
    receive(merchant, buyer, invited(merchant, activity, merchant.buyer(), buyer))  # no longer new
    assert len(listed(merchant, "granted")) == 1
    merchant.check_laws()

    refund(merchant, buyer, order_id, 1000, 0)  # a part
    assert states(inviter) == [("granted", "已发放")]
    refund(merchant, buyer, order_id, PRICE_FEN - 1000, 1)
    assert states(inviter) == [("taken_back", "已收回：订单整单退款")]
    assert (coupons(inviter), balance(inviter)) == ([("感谢券", "revoked")], 0)
    assert coupons(buyer) == [("新客券", "revoked")]
    assert "因它得到的奖励已收回" in told(inviter)
    merchant.check_laws()


def test_what_a_purchase_says_and_shares_nobody_visited_bring_nothing(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    inviter, buyer = merchant.buyer(), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)
    share_id = shared(inviter, group_id)
    somebody_else = visited(merchant, share_id)
    _, order_id = merchant.member(activity, group_id, buyer, share_id=share_id)
    merchant.clock.forward(1)  # and then logs in on their phone
    brought = {"visitor_id": somebody_else, "share_ids": [share_id]}
    assert buyer.post(TOUCHES, brought).status == 200
    merchant.wait(POSTED_S)
    receive(merchant, buyer, order_id)
    late = merchant.buyer()
    came(merchant, late, share_id)
    merchant.clock.forward(7 * DAY_S + 1)
    inviter, late = (again(merchant, one) for one in (inviter, late))
    group_id, _, _ = merchant.open_group(activity)
    merchant.member(activity, group_id, late)
    merchant.wait(POSTED_S)

    assert own(inviter)["items"] == []
    merchant.check_laws()


def test_the_same_address_waits_for_staff_who_decide_once(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    inviter, first, second = merchant.buyer(), merchant.buyer("甲"), merchant.buyer("乙")
    received(merchant, activity, inviter)
    orders = [invited(merchant, activity, inviter, one) for one in (first, second)]
    for buyer, order_id in zip((first, second), orders, strict=True):
        receive(merchant, buyer, order_id)

    held = listed(merchant, "held")
    assert [row["doubts"] for row in held] == [["same_phone", "same_address"]] * 2
    assert states(inviter) == [("held", "店铺核对中")] * 2
    for _ in range(2):
        assert decide(merchant, first, "allowance").status == 200
        assert decide(merchant, second, "refusal", reply="同一个人").status == 200
    other = [
        decide(merchant, first, "refusal", reply="不算"),
        decide(merchant, second, "allowance"),
    ]
    merchant.run_jobs()

    assert [(reply.status, reply.code) for reply in other] == [(409, "conflict")] * 2
    assert sorted(states(inviter)) == [("granted", "已发放"), ("refused", "不算：同一个人")]
    assert balance(inviter) == 50
    merchant.check_laws()


def test_friend_whose_order_the_inviter_paid_waits_for_staff(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    inviter, friend, stranger = merchant.buyer("老友"), merchant.buyer("甲"), merchant.buyer("乙")
    _, own_order = merchant.join(activity, merchant.open_group(activity)[0], inviter)
    merchant.pay(inviter, own_order, payer="oInviter")

    for number, (buyer, payer) in enumerate(((friend, "oInviter"), (stranger, "oStranger"))):
        group_id, _, _ = merchant.open_group(activity)
        came(merchant, buyer, shared(inviter, group_id))
        _, order_id = merchant.join(activity, group_id, buyer, address=elsewhere(number))
        merchant.pay(buyer, order_id, payer=payer)
        merchant.wait(POSTED_S)
        receive(merchant, buyer, order_id)

    assert [row["doubts"] for row in listed(merchant, "held")] == [["same_payer"]]
    assert sorted(states(inviter)) == [("granted", "已发放"), ("held", "店铺核对中")]
    merchant.check_laws()


def test_a_group_that_fails_leaves_its_buyer_new_and_buying_alone_does_not(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    inviter, buyer, regular = (merchant.buyer() for _ in range(3))
    wide = merchant.activity(seats=3, stock=9, product_stock=9, days=60)
    group_id, _, _ = merchant.open_group(wide)
    came(merchant, buyer, shared(inviter, group_id))
    merchant.member(wide, group_id, buyer)
    merchant.wait(POSTED_S)
    merchant.wait(3 * DAY_S, every_s=DAY_S)
    assert states(inviter) == [("refused", "不算：团没有拼成，退款了")]
    merchant.check_laws()

    receive(merchant, buyer, invited(merchant, activity, merchant.buyer(), buyer))
    assert states(inviter) == [("granted", "已发放")]  # who came first is still theirs
    received(merchant, activity, regular)
    invited(merchant, activity, inviter, regular)
    assert states(inviter)[0] == ("refused", "不算：对方在本店买过，不是新客")
    merchant.check_laws()


def test_order_that_was_placed_first_and_paid_later_is_what_the_invitation_is_for(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant, wait_days=0)
    inviter, buyer = merchant.buyer("老友"), merchant.buyer("新朋友")
    groups = [merchant.open_group(activity)[0] for _ in range(2)]
    came(merchant, buyer, shared(inviter, groups[0]))
    merchant.clock.forward(1)
    _, first = merchant.join(activity, groups[0], buyer)
    merchant.clock.forward(1)
    _, second = merchant.member(activity, groups[1], buyer)
    merchant.wait(POSTED_S)
    assert [it["order_id"] for it in listed(merchant, "pending")] == [second]

    merchant.pay(buyer, first)
    merchant.wait(POSTED_S)

    assert [it["order_id"] for it in listed(merchant, "pending")] == [first]
    for order_id in (second, first):
        receive(merchant, buyer, order_id)
    assert states(inviter) == [("granted", "已发放")]
    assert balance(inviter) == 50
    merchant.check_laws()


@pytest.mark.parametrize("forgets", [False, True])
def test_a_later_purchase_takes_nothing_from_the_invitation_for_the_first(
    merchant: MerchantFixture, activity: Activity, forgets: bool
) -> None:
    """Of the later one alone is it known who brought them: the rule was switched off and on in
    between, or (forgets) their first touch has been dropped by then."""
    invite(merchant, wait_days=30)
    inviter, other, buyer = merchant.buyer("老友"), merchant.buyer("旁人"), merchant.buyer("新朋友")
    first = invited(merchant, activity, inviter, buyer)
    receive(merchant, buyer, first)
    if forgets:
        merchant.wait(15 * DAY_S, every_s=DAY_S)
        other, buyer = again(merchant, other), again(merchant, buyer)
    else:
        assert invite(merchant, on=False).status == 200
        assert invite(merchant, wait_days=30).status == 200
    assert [it["order_id"] for it in listed(merchant, "pending")] == [first]

    invited(merchant, activity, other, buyer)

    assert own(again(merchant, other))["items"] == []
    assert [it["order_id"] for it in listed(merchant, "pending")] == [first]
    merchant.wait(31 * DAY_S, every_s=DAY_S)
    assert states(again(merchant, inviter)) == [("granted", "已发放")]
    merchant.check_laws()


def test_two_who_invite_each_other_count_once(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    one, other = merchant.buyer(), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)
    came(merchant, one, shared(other, group_id))
    came(merchant, other, shared(one, group_id))
    _, first = merchant.member(activity, group_id, one, address=elsewhere(1))
    merchant.wait(POSTED_S)
    group_id, _, _ = merchant.open_group(activity)
    _, second = merchant.member(activity, group_id, other, address=elsewhere(2))
    merchant.wait(POSTED_S)
    receive(merchant, one, first)
    receive(merchant, other, second)

    assert states(other) == [("granted", "已发放")]
    assert states(one) == [("refused", "不算：对方先邀请了你，互相邀请只算一次")]
    merchant.check_laws()


def test_who_turns_out_to_be_one_person_has_invited_nobody(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    inviter, buyer, third = (merchant.buyer() for _ in range(3))
    receive(merchant, buyer, invited(merchant, activity, inviter, buyer))
    receive(merchant, third, invited(merchant, activity, inviter, third, address=elsewhere(1)))
    assert balance(inviter) == 100

    person = merchant.session(merge_into_an_older_one(merchant, buyer, inviter)())
    merchant.run_jobs()

    assert (balance(person), sorted(states(person))) == (
        50,
        [("granted", "已发放"), ("taken_back", "已收回：邀请人和被邀请人是同一个人")],
    )
    merchant.check_laws()


def test_whom_a_merge_shows_to_have_bought_before_was_no_new_buyer(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant)
    inviter, older, younger = (merchant.buyer() for _ in range(3))
    receive(merchant, older, invited(merchant, activity, inviter, older))
    receive(merchant, younger, invited(merchant, activity, inviter, younger))
    assert balance(inviter) == 100

    merge_into_an_older_one(merchant, younger, older)()
    merchant.run_jobs()

    assert balance(inviter) == 50
    assert sorted(state for state, _ in states(inviter)) == ["granted", "taken_back"]
    merchant.check_laws()


def test_a_month_has_so_many_and_a_closed_account_none(
    merchant: MerchantFixture, activity: Activity
) -> None:
    invite(merchant, per_month=1, wait_days=1)
    inviter, leaver = merchant.buyer(), merchant.buyer()
    buyers = [merchant.buyer() for _ in range(3)]
    orders = [invited(merchant, activity, inviter, buyer) for buyer in buyers]
    gone = invited(merchant, activity, leaver, third := merchant.buyer())
    for buyer, order_id in zip([*buyers, third], [*orders, gone], strict=True):
        receive(merchant, buyer, order_id)
    assert buyers[0].call("DELETE", "/v1/me/account").status == 200
    assert leaver.call("DELETE", "/v1/me/account").status == 200
    merchant.wait(DAY_S + 60, every_s=DAY_S)

    assert sorted(states(inviter)) == [
        ("granted", "已发放"),
        ("refused", "不算：有一方注销了账号"),
        ("refused", "不算：这个月的人数已满"),
    ]
    closed = [row for row in listed(merchant, "refused") if row["inviter_id"] == leaver.buyer_id]
    assert [row["state_words"] for row in closed] == ["不算：有一方注销了账号"]
    merchant.check_laws()


def test_what_cannot_be_given_is_left_out_and_a_rule_that_is_off_keeps_its_promises(
    merchant: MerchantFixture, activity: Activity
) -> None:
    few = given_out(merchant, given="shop", name="只有一张", total=1)
    invite(merchant, coupon_id=few, gift_id=few)
    inviter, buyer, late = (merchant.buyer() for _ in range(3))
    order_id = invited(merchant, activity, inviter, buyer)
    assert invite(merchant, on=False).status == 200
    receive(merchant, buyer, order_id)
    invited(merchant, activity, inviter, late)

    assert (coupons(buyer), coupons(inviter), balance(inviter)) == (
        [("只有一张", "usable")],
        [],
        50,
    )
    assert (own(inviter)["on"], len(own(inviter)["items"])) == (False, 1)
    merchant.check_laws()


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"points": 0}, "invitations.coupon_id"),
        ({}, "invitations.points"),
        ({"points": 0, "coupon_id": "0" * 22}, "invitations.coupon_id"),
        ({"on": False, "gift_id": "0" * 22}, "invitations.gift_id"),
    ],
)
def test_rule_that_cannot_be_kept_is_refused(
    merchant: MerchantFixture, rule: dict[str, Any], field: str
) -> None:
    reply = invite(merchant, **rule)

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.body["details"]["field"] == field
    assert merchant.owner().get("/v1/merchant/settings").body["invitations"]["on"] is False
