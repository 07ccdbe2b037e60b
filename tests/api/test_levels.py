"""Member levels over HTTP: reached by what is kept of orders, and what they give."""

from typing import Any

import pytest

from chalicelib.domain.activity import LevelSeats, Tier
from chalicelib.domain.beijing import day_of
from chalicelib.services.people import buyers
from tests.api.test_freight import make_template, send_by
from tests.fixtures.coupons import COUPONS, GIFT, claim, given_out, refund, told
from tests.fixtures.levels import GOLD, SILVER, grown, have_levels
from tests.fixtures.merchant import DAY_S, Activity, Buyer, Caller, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.points import received, sold, switch
from tests.fixtures.shipping import ship


def level_of(buyer: Buyer) -> tuple[int, int]:
    """(growth, number of the level)."""
    shown = buyer.get("/v1/me/level").body
    return shown["growth"], shown["no"]


def public(merchant: MerchantFixture, activity: Activity) -> str:
    return f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"


def test_buyer_grows_by_what_they_keep_and_is_told_what_is_missing(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant), merchant.buyer("团长")
    early = received(merchant, activity, buyer)  # before there were levels
    rule = have_levels(merchant, per_group=20).body["levels"]
    assert rule["levels"][1].items() >= GOLD.items()
    assert level_of(buyer) == (0, 0)

    first = received(merchant, activity, buyer)
    group_id, _, second = merchant.open_group(activity, buyer)
    merchant.member(activity, group_id)
    merchant.run_jobs()
    level = buyer.get("/v1/me/level").body

    assert (level["on"], level["no"], level["name"], level["growth"]) == (True, 1, "银卡会员", 99)
    assert level["next"] == {
        "no": 2,
        "name": "黄金会员",
        "from_growth": 198,
        "missing": 99,
        "words": "还差 ¥99 升级",
    }
    assert level["rules"][:2] == ["每实付 1 元得 1 成长值。", "每拼成 1 单再得 20 成长值。"]
    assert [it["benefits"] for it in level["levels"]] == [
        [],
        ["单买价 9 折", "会员价商品按会员价买"],
    ]
    assert ship(merchant, second, "SF0000000000002").status == 200
    assert buyer.post(f"/v1/orders/{second}/receipt").body["status"] == "completed"
    assert level_of(buyer) == (178, 1)
    refund(merchant, buyer, second, 900, 0)
    assert level_of(buyer) == (169, 1)
    refund(merchant, buyer, second, 5000, 1)
    refund(merchant, buyer, first, 9900, 1)
    assert level_of(buyer) == (0, 0)
    refund(merchant, buyer, early, 9900, 1)
    account = merchant.owner().get(f"/v1/merchant/orders/{first}/points").body
    assert (account["growth"], account["level"]) == (0, None)
    merchant.check_laws()


def test_changed_rule_acts_at_once_and_orders_keep_their_rates(merchant: MerchantFixture) -> None:
    have_levels(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    first = received(merchant, activity, buyer)
    have_levels(merchant, SILVER | {"from_growth": 50}, GOLD | {"from_growth": 99}, per_yuan=5)
    assert level_of(buyer) == (99, 2)
    account = merchant.owner().get(f"/v1/merchant/orders/{first}/points").body
    assert account["level"] == {"no": 2, "name": "黄金会员"}
    refund(merchant, buyer, first, 100, 0)
    assert level_of(buyer) == (98, 1)
    have_levels(merchant, SILVER, on=False)
    assert level_of(buyer) == (98, 0)
    assert buyer.get("/v1/me/level").body["rules"] == ["店铺现在没有会员等级。"]
    merchant.check_laws()


def test_person_has_grown_under_all_their_ids_until_they_leave(merchant: MerchantFixture) -> None:
    have_levels(merchant)
    activity, younger = sold(merchant), merchant.buyer()
    first = received(merchant, activity, younger)
    person = merchant.session(merge_into_an_older_one(merchant, younger)())
    grown(merchant, activity, person, 1)
    assert level_of(person) == (198, 2)

    assert person.call("DELETE", "/v1/me/account").status == 200
    assert person.get("/v1/me/level").code == "session_superseded"
    back = {"amount_fen": 900, "units_back": 0, "reason": "补偿"}
    assert merchant.owner().post(f"/v1/merchant/orders/{first}/refunds", back).status == 201
    account = merchant.owner().get(f"/v1/merchant/orders/{first}/points").body
    assert (account["growth"], account["level"]) == (0, None)
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize(
    ("levels", "field"),
    [
        ([], "levels.levels"),
        ([SILVER | {"name": " "}], "levels.levels[0].name"),
        ([SILVER, GOLD | {"name": "银卡会员"}], "levels.levels[1].name"),
        ([SILVER, GOLD | {"from_growth": 99}], "levels.levels[1].from_growth"),
        ([GOLD | {"birthday_coupon_id": "0" * 22}], "levels.levels[0].birthday_coupon_id"),
        ([GOLD | {"price_percent": 5}], "levels.levels[0].price_percent"),
        ([SILVER] * 7, "levels.levels"),
    ],
)
def test_rule_that_cannot_be_kept_is_refused_with_its_field(
    merchant: MerchantFixture, levels: list[dict[str, Any]], field: str
) -> None:
    before = merchant.owner().get("/v1/merchant/settings").body
    asked = {name: before[name] for name in ("name", "service_phone", "pay_by_s", "revision")}
    wanted = {"on": True, "levels": levels}
    refused = merchant.owner().put("/v1/merchant/settings", asked | {"levels": wanted})
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert refused.body["details"]["field"] == field
    assert merchant.owner().get("/v1/merchant/settings").body == before


def test_member_pays_the_lowest_price_they_are_entitled_to_as_quoted(
    merchant: MerchantFixture,
) -> None:
    have_levels(merchant)
    plain = sold(merchant)
    activity = sold(merchant, member_prices=True, member_price_fen=5000, leader_price_fen=5500)
    gold, friend = grown(merchant, plain, merchant.buyer("团长")), merchant.buyer()

    shown = friend.get(public(merchant, activity)).body["skus"][0]
    assert shown["member_prices"] == [{"no": 2, "name": "黄金会员", "price_fen": 5000}]
    assert [it["price_fen"] for it in shown["solo_member_prices"]] == [5000]
    quoted = gold.quote(activity, province="浙江省").body
    assert (quoted["unit_price_kind"], quoted["total_fen"]) == ("member", 5000)
    assert quoted["level"] == {"no": 2, "name": "黄金会员"}
    assert quoted["price_lines"][0]["text"] == "商品金额（会员价）"
    group_id, _, order_id = merchant.open_group(
        activity, gold, expected_total_fen=quoted["total_fen"]
    )
    order = gold.order(order_id)
    staff = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body
    for answer in (order, staff):
        assert (answer["unit_price_kind"], answer["level"]["no"]) == ("member", 2)
        assert (answer["total_fen"], answer["price_lines"][0]["amount_fen"]) == (5000, 5000)
    _, joined = merchant.join(activity, group_id, friend)
    assert friend.order(joined)["unit_price_kind"] == "group"
    alone = gold.order(gold.buy_alone(plain).body["order_id"])
    assert (alone["unit_price_kind"], alone["total_fen"]) == ("member", 8910)
    elsewhere = gold.quote(plain, province="浙江省").body
    assert (elsewhere["unit_price_kind"], elsewhere["total_fen"]) == ("group", 5900)
    merchant.check_laws(quiescent=False)


def test_level_sends_for_nothing_and_multiplies_points(merchant: MerchantFixture) -> None:
    switch(merchant, per_yuan=1)
    have_levels(merchant, SILVER | {"points_percent": 150, "free_from_fen": 9000})
    activity, silver = sold(merchant), merchant.buyer()
    send_by(merchant, activity, make_template(merchant)["template_id"])
    grown(merchant, activity, silver, 1)
    other = merchant.buyer()

    def paid(buyer: Buyer) -> tuple[int, int]:
        order = buyer.order(buyer.buy_alone(activity).body["order_id"])
        return order["freight_fen"], order["points_to_come"]

    assert (paid(silver), paid(other)) == ((0, 148), (800, 107))
    group = silver.quote(activity, province="浙江省").body
    assert group["freight_fen"] == 800  # of ¥59.00
    merchant.check_laws(quiescent=False)


def test_group_for_members_takes_members_alone_and_a_smaller_one_is_opened_by_gold(
    merchant: MerchantFixture,
) -> None:
    have_levels(merchant)
    plain = sold(merchant)
    rows = (LevelSeats(2, 2),)
    activity = sold(merchant, seats=3, members_from=1, level_seats=rows)
    gold = grown(merchant, plain, merchant.buyer("团长"))
    silver, other = grown(merchant, plain, merchant.buyer(), 1), merchant.buyer()
    shown = other.get(public(merchant, activity)).body
    assert shown["members_from"] == {"no": 1, "name": "银卡会员"}
    assert shown["level_seats"] == [{"no": 2, "name": "黄金会员", "seats": 2}]

    group_id, _, _ = merchant.open_group(activity, gold)
    words = "这个活动只有「银卡会员」可以参加，你还差 ¥99。可以单独购买，或看看其他活动。"
    for reply in (
        other.quote(activity, province="浙江省"),
        other.open(activity),
        other.join(activity, group_id),
    ):
        assert (reply.status, reply.code, reply.body["message"]) == (409, "members_only", words)
    assert merchant.stock(activity) == 19
    page = other.get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page").body
    assert (page["progress"]["seats_total"], page["members_from"]["no"]) == (2, 1)
    _, joined = merchant.join(activity, group_id, silver)
    merchant.pay(silver, joined)
    merchant.run_jobs()
    assert merchant.stored_group(group_id).status == "formed"
    large, _, _ = merchant.open_group(activity, silver)
    assert merchant.stored_group(large).seats_total == 3

    # Who has the seat gets it again, whatever became of their level.
    have_levels(merchant, GOLD | {"from_growth": 10_000})
    again = silver.join(activity, group_id)
    assert (again.status, again.body["order_id"]) == (201, joined)
    assert silver.open(activity).code == "members_only"
    merchant.check_laws(quiescent=False)


def test_group_of_another_size_than_was_told_is_not_opened(merchant: MerchantFixture) -> None:
    have_levels(merchant)
    plain, gold = sold(merchant), merchant.buyer("团长")
    grown(merchant, plain, gold)
    activity = sold(merchant, seats=4, level_seats=(LevelSeats(2, 2),))

    def told(buyer: Caller) -> tuple[int, int]:
        body = {"activity_id": activity.activity_id, "sku_id": activity.sku_id}
        quoted = buyer.post(f"/v1/merchants/{merchant.merchant_id}/quotes", body).body
        return buyer.get(public(merchant, activity)).body["opens_seats"], quoted["opens_seats"]

    others = told(merchant.buyer()), told(merchant.visitor())
    assert (told(gold), *others) == ((2, 2), (4, 4), (4, 4))
    first = gold.open(activity, key="the-small-group-of-mine", expected_seats=2)
    have_levels(merchant, SILVER, GOLD | {"from_growth": 1000})

    refused = gold.open(activity, expected_seats=2)
    assert (refused.status, refused.code) == (409, "changed")
    assert refused.body["message"] == "成团人数有变化：2 人 → 4 人。请确认后再提交。"
    assert refused.body["details"] == {"seats_total": 4}
    assert merchant.stock(activity) == 19
    again = gold.open(activity, key="the-small-group-of-mine", expected_seats=2)
    assert (again.status, again.body["order_id"]) == (201, first.body["order_id"])
    assert gold.open(activity, expected_seats=4).status == 201
    assert gold.quote(activity, province="浙江省", alone=True).body["opens_seats"] is None
    merchant.check_laws(quiescent=False)


def test_tier_brings_a_member_to_its_price_and_no_lower(merchant: MerchantFixture) -> None:
    have_levels(merchant, SILVER | {"member_prices": True})
    plain = sold(merchant)
    terms: dict[str, Any] = {"seats": 3, "seats_least": 2, "tiers": (Tier(3, 1000),)}
    near = sold(merchant, member_prices=True, member_price_fen=5500, **terms)
    low = sold(merchant, member_prices=True, member_price_fen=4000, **terms)
    silver = grown(merchant, plain, merchant.buyer("团长"), 1)
    back = []
    for activity in (near, low):
        group_id, _, order_id = merchant.open_group(activity, silver)
        _, other = merchant.member(activity, group_id)
        merchant.member(activity, group_id)
        merchant.run_jobs(2)
        orders = [merchant.stored_order(str(one)).view() for one in (order_id, other)]
        back.append([order.rebated_fen for order in orders])
    assert back == [[600, 1000], [0, 1000]]
    merchant.check_laws(quiescent=False)


def test_draft_is_told_the_lowest_member_price_and_levels_that_there_are_not(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant, member_price_fen=4000)
    owner, path = merchant.owner(), "/v1/merchant/activities"
    draft = owner.post(f"{path}/{activity.activity_id}/copy", {}).body
    draft["skus"][0]["stock"] = 5
    wanted = draft | {"members_from": 2, "level_seats": [{"level": 1, "seats": 2}]}
    wanted["seats_total"] = 3

    def problems() -> list[str]:
        return [it["field"] for it in owner.post(f"{path}/check", wanted).body["problems"]]

    assert problems() == ["members_from", "level_seats[0].level"]
    have_levels(merchant, SILVER | {"member_prices": True})
    assert problems() == ["members_from"]
    checked = owner.post(f"{path}/check", draft | {"member_prices": True}).body
    assert [it["unit_price_fen"] for it in checked["lowest"]] == [4000]
    made = sold(merchant, seats=3, members_from=1, level_seats=(LevelSeats(1, 2),))
    shown = owner.get(f"{path}/{made.activity_id}").body
    assert (shown["members_from"], shown["level_seats"]) == (1, [{"level": 1, "seats": 2}])


def test_coupon_for_a_level_is_claimed_and_used_by_who_has_it(merchant: MerchantFixture) -> None:
    early = merchant.owner().post(COUPONS, GIFT | {"level_from": 2})
    assert (early.status, early.body["details"]["field"]) == (400, "level_from")
    have_levels(merchant)
    plain = sold(merchant)
    gold, other = grown(merchant, plain, merchant.buyer()), merchant.buyer()
    template_id = given_out(merchant, level_from=2)
    staff = merchant.owner().get(f"{COUPONS}/{template_id}").body
    assert (staff["level_from"], staff["scope_words"].split(" · ")[-1]) == (2, "限黄金会员及以上")

    refused = claim(other, template_id)
    assert (refused.status, refused.code) == (409, "members_only")
    words = "这张优惠券只有「黄金会员」可以领，你还差 ¥198。看看其他优惠券。"
    assert refused.body["message"] == words
    coupon_id = claim(gold, template_id).body["coupon_id"]
    quoted = gold.quote(plain, alone=True, province="浙江省", best_coupon=True).body
    assert (quoted["coupon_id"], quoted["coupons"][0]["refusal"]) == (coupon_id, "")
    have_levels(merchant, SILVER, GOLD | {"from_growth": 1000})
    quoted = gold.quote(plain, alone=True, province="浙江省", best_coupon=True).body
    assert (quoted["coupon_id"], quoted["coupons"][0]["refusal"]) == (None, "「黄金会员」可用")
    late = gold.buy_alone(plain, coupon_id=coupon_id)
    assert (late.status, late.code) == (409, "coupon_refused")
    merchant.check_laws(quiescent=False)


def test_birthday_brings_the_levels_coupon_once_a_year(merchant: MerchantFixture) -> None:
    coupon = given_out(merchant, given="shop", per_buyer=3)
    have_levels(merchant, SILVER | {"birthday_coupon_id": coupon})
    activity, buyer = sold(merchant), merchant.buyer()
    offered = buyer.get("/v1/me/level").body["levels"][0]["benefits"]
    assert offered == ["生日送优惠券「见面礼」"]
    grown(merchant, activity, buyer, 1)
    tomorrow = day_of(merchant.now_s + DAY_S)
    told_day = {"month": tomorrow.month, "day": tomorrow.day}

    def given() -> int:
        return len(buyer.get("/v1/me/coupons").body["items"])

    assert buyer.put("/v1/me/birthday", told_day).body == told_day
    assert buyer.put("/v1/me/birthday", told_day).status == 200
    other = buyer.put("/v1/me/birthday", {"month": 1, "day": 1})
    assert (other.status, other.body["message"]) == (409, "生日一年只能填写一次，现在还不能修改。")
    never = buyer.put("/v1/me/birthday", {"month": 2, "day": 30})
    assert (never.status, never.body["details"]["field"]) == (400, "day")
    own_level = buyer.get("/v1/me/level").body
    assert (own_level["birthday"], own_level["birthday_gift"]) == (told_day, True)
    own = buyer.get("/v1/me/data").body
    assert (own["growth"], own["birthday"]) == (99, told_day)
    merchant.run_jobs()
    assert given() == 0

    merchant.clock.forward(2 * DAY_S)
    merchant.run_jobs(3)
    assert given() == 1
    assert told(buyer).count("祝你生日快乐，送你一张优惠券「见面礼」（立减 10 元）") == 1
    merchant.check_laws()
    merchant.clock.forward(366 * DAY_S)
    merchant.run_jobs(2)
    buyer = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))
    assert buyer.put("/v1/me/birthday", {"month": 1, "day": 1}).status == 200
    assert buyer.call("DELETE", "/v1/me/account").status == 200
    merchant.check_laws()


def test_person_of_several_ids_has_one_birthday(merchant: MerchantFixture) -> None:
    coupon = given_out(merchant, given="shop", per_buyer=3)
    have_levels(merchant, SILVER | {"birthday_coupon_id": coupon})
    activity, younger = sold(merchant), merchant.buyer()
    grown(merchant, activity, younger, 1)
    today = day_of(merchant.now_s + DAY_S)
    asked = {"month": today.month, "day": today.day}
    younger.put("/v1/me/birthday", asked)
    person = merchant.session(merge_into_an_older_one(merchant, younger)())

    assert person.get("/v1/me/level").body["birthday"] == asked
    assert person.put("/v1/me/birthday", {"month": 1, "day": 1}).status == 409
    merchant.clock.forward(2 * DAY_S)
    merchant.run_jobs(3)
    assert len(person.get("/v1/me/coupons").body["items"]) == 1
    merchant.check_laws()
