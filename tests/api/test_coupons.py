"""Coupons over HTTP: used by one order, given back when there is no sale."""

from typing import Any

import pytest

from chalicelib.domain.ids import ID_LENGTH
from chalicelib.services.people import buyers
from tests.fixtures.coupons import (
    COUPONS,
    TENTH,
    claim,
    claimed,
    given_out,
    refund,
    sold,
    state,
    told,
)
from tests.fixtures.merchant import DAY_S, Activity, MerchantFixture, Reply


def test_it_is_claimed_used_told_and_counted_to_the_fen(merchant: MerchantFixture) -> None:
    activity, leader = sold(merchant), merchant.buyer("团长")
    template_id = given_out(merchant, from_fen=5000, total=2)
    centre = f"/v1/merchants/{merchant.merchant_id}/coupons"
    (offer,) = merchant.visitor().get(centre).body["items"]
    assert (offer["words"], offer["state"], offer["claimed"]) == ("满 50 减 10", "given_out", None)

    coupon_id = claim(leader, template_id).body["coupon_id"]
    quoted = leader.quote(activity, province="浙江省", best_coupon=True).body
    group_id, _, order_id = merchant.open_group(
        activity, leader, coupon_id=quoted["coupon_id"], expected_total_fen=quoted["total_fen"]
    )
    merchant.member(activity, group_id)
    merchant.wait(20 * 60)

    lines = [("goods", 5900), ("coupon", -1000), ("freight", 0)]
    shown = [leader.order(order_id), merchant.owner().get(f"/v1/merchant/orders/{order_id}").body]
    for answer in (quoted, *shown):
        told = [(line["code"], line["amount_fen"]) for line in answer["price_lines"]]
        assert (told, answer["total_fen"]) == (lines, 4900)
    assert quoted["coupon_id"] == coupon_id
    assert state(leader, coupon_id) == ("used", order_id)
    assert leader.get(centre).body["items"][0]["claimed"] == 1
    row = merchant.owner().get(COUPONS).body["items"][0]
    did = {name: row[name] for name in ("claimed", "orders", "paid_fen", "off_sum_fen")}
    assert did == {"claimed": 1, "orders": 1, "paid_fen": 4900, "off_sum_fen": 1000}
    assert merchant.owner().get(f"{COUPONS}/{template_id}").body["unused"] == 0
    assert leader.get("/v1/me/data").body["coupons"][0]["coupon_id"] == coupon_id
    merchant.check_laws()


def test_it_is_back_when_its_order_is_closed_and_can_be_used_again(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    coupon_id = claimed(merchant, buyer)
    for ends in ("cancelled", "timed out", "closed by staff"):
        order_id = buyer.buy_alone(activity, coupon_id=coupon_id).body["order_id"]
        assert state(buyer, coupon_id) == ("used", order_id)
        if ends == "cancelled":
            assert buyer.cancel(order_id).status == 200
        elif ends == "timed out":
            merchant.wait(20 * 60)
        else:
            closing = {"reason": "没货了"}
            reply = merchant.owner().post(f"/v1/merchant/orders/{order_id}/closing", closing)
            assert reply.status == 200, reply.body
        assert state(buyer, coupon_id) == ("usable", None)
        order = buyer.order(order_id)
        assert (order["status"], order["coupon_back"]) == ("closed", True)
    assert buyer.buy_alone(activity, coupon_id=coupon_id).body["total_fen"] == 8900
    merchant.check_laws(quiescent=False)


def test_it_is_back_when_the_group_fails_and_good_for_three_more_days_if_it_had_run_out(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant, seats=3), merchant.buyer()
    until_s = merchant.now_s + 3600
    coupon_id = claimed(merchant, buyer, days=0, until_s=until_s)
    group_id, _, _ = merchant.open_group(activity)
    _, order_id = merchant.member(activity, group_id, buyer, coupon_id=coupon_id)

    merchant.wait(25 * 3600, every_s=3600)

    order = buyer.order(order_id)
    assert (order["status"], order["coupon_back"]) == ("refunded", True)
    assert "发起原路退款，无需操作。优惠券已退回。" in told(buyer)
    assert [one["amount_fen"] for one in order["refunds"]] == [4900]
    (coupon,) = buyer.get("/v1/me/coupons").body["items"]
    assert coupon["state"] == "usable"
    assert until_s + 3 * DAY_S < coupon["until_s"] <= merchant.now_s + 3 * DAY_S
    assert buyer.buy_alone(activity, coupon_id=coupon_id).body["total_fen"] == 8900
    merchant.wait(20 * 60)
    merchant.clock.forward(3 * DAY_S + 1800)
    assert state(buyer, coupon_id) == ("expired", None)
    merchant.check_laws(quiescent=False)


def test_goods_of_a_coupon_are_those_that_it_can_be_used_for(merchant: MerchantFixture) -> None:
    activity, other = sold(merchant), sold(merchant)
    scopes: dict[str, list[str]] = {
        "products": [activity.product_id],
        "activities": [other.activity_id],
        "categories": [merchant.category_id],
        "shop": [],
    }

    def listed(template_id: str) -> Reply:
        path = f"/v1/merchants/{merchant.merchant_id}/activities?coupon={template_id}"
        return merchant.visitor().get(path)

    goods = {
        scope: {it["activity_id"] for it in listed(template_id).body["items"]}
        for scope, ids in scopes.items()
        for template_id in [given_out(merchant, scope=scope, scope_ids=ids)]
    }

    both = {activity.activity_id, other.activity_id}
    assert goods == {
        "products": {activity.activity_id},
        "activities": {other.activity_id},
        "categories": both,
        "shop": both,
    }
    assert listed(activity.activity_id).status == 404


def test_part_of_the_money_keeps_it_used_and_the_rest_gives_it_back(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    coupon_id = claimed(merchant, buyer)
    order_id = buyer.buy_alone(activity, quantity=2, coupon_id=coupon_id).body["order_id"]
    merchant.pay(buyer, order_id)

    refund(merchant, buyer, order_id, 9400, 1)
    assert state(buyer, coupon_id) == ("used", order_id)
    refund(merchant, buyer, order_id, 9400, 1)

    assert state(buyer, coupon_id) == ("usable", None)
    again = buyer.buy_alone(activity, coupon_id=coupon_id)
    assert (buyer.order(order_id)["status"], again.status) == ("refunded", 201)
    merchant.check_laws(quiescent=False)


def test_it_goes_with_what_is_collected_in_a_store(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    store = {"name": "西湖店", "address": "文一西路 1 号", "phone": "0571-88880000"}
    store_id = merchant.owner().post("/v1/merchant/stores", store).body["store_id"]
    collector = {"store_id": store_id, "name": "小明", "phone": "13800138000"}
    coupon_id = claimed(merchant, buyer)
    placed = buyer.buy_alone(
        activity, coupon_id=coupon_id, delivery="pickup", address=None, pickup=collector
    )
    order_id = placed.body["order_id"]
    merchant.pay(buyer, order_id)
    assert merchant.owner().post(f"/v1/merchant/orders/{order_id}/readiness").status == 200
    code = buyer.order(order_id)["pickup_code"]
    assert merchant.owner().post("/v1/merchant/pickups", {"code": code}).status == 200

    assert (placed.body["total_fen"], state(buyer, coupon_id)) == (8900, ("used", order_id))
    refund(merchant, buyer, order_id, 8900, 0)
    assert state(buyer, coupon_id) == ("usable", None)
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize(
    ("terms", "way", "why"),
    [
        ({"from_fen": 5901}, "open", "还差 0.01 元可用"),
        ({"from_fen": 9901}, "alone", "还差 0.01 元可用"),
        ({"usable_for": "alone"}, "open", "单独购买时可用"),
        ({"usable_for": "groups"}, "alone", "拼团时可用"),
        ({"scope": "products"}, "open", "这件商品不在可用范围"),
        ({"scope": "activities"}, "alone", "这件商品不在可用范围"),
        ({"scope": "categories"}, "open", "这件商品不在可用范围"),
        ({"days": 0, "from_s": 1_900_000_000, "until_s": 1_900_000_001}, "open", "还没到可用时间"),
    ],
)
def test_what_it_cannot_be_used_for_is_refused_with_the_reason_and_changes_nothing(
    merchant: MerchantFixture, terms: dict[str, Any], way: str, why: str
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    if "until_s" in terms:
        terms = {"days": 0, "from_s": merchant.now_s + 60, "until_s": merchant.now_s + 120}
    if "scope" in terms:
        other = sold(merchant)
        shelf = merchant.owner().post("/v1/merchant/categories", {"name": "鲜果", "position": 2})
        ids = {
            "products": other.product_id,
            "activities": other.activity_id,
            "categories": shelf.body["category_id"],
        }
        terms = terms | {"scope_ids": [ids[terms["scope"]]]}
    coupon_id = claimed(merchant, buyer, **terms)

    quoted = buyer.quote(activity, province="浙江省", alone=way == "alone", best_coupon=True).body
    buy = buyer.buy_alone if way == "alone" else buyer.open
    refused = buy(activity, coupon_id=coupon_id)

    assert (quoted["coupon_id"], quoted["coupons"][0]["refusal"]) == (None, why)
    assert (refused.status, refused.body["code"]) == (409, "coupon_refused")
    assert refused.body["message"] == f"这张优惠券不能用：{why}。请重新选择。"
    assert buyer.get("/v1/orders").body["items"] == []
    assert state(buyer, coupon_id)[1] is None
    merchant.check_laws(quiescent=False)


def test_scopes_reach_what_they_name(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    other = sold(merchant)
    top = merchant.owner().post("/v1/merchant/categories", {"name": "生鲜", "position": 1}).body
    path = f"/v1/merchant/categories/{merchant.category_id}"
    moved = {"name": "水果", "position": 1, "revision": 1, "parent_id": top["category_id"]}
    assert merchant.owner().put(path, moved).status == 200
    merchant.clock.forward(61)  # until no container keeps the categories as they were
    scopes = {
        "categories": [merchant.category_id],
        "products": [activity.product_id],
        "activities": [activity.activity_id],
    }
    for number, (scope, ids) in enumerate(scopes.items()):
        claimed(merchant, buyer, name=scope, off_fen=900 - number, scope=scope, scope_ids=ids)
    claimed(merchant, buyer, name="above", scope="categories", scope_ids=[top["category_id"]])

    def usable(it: Activity, *, alone: bool) -> set[str]:
        quoted = buyer.quote(it, province="浙江省", alone=alone).body
        return {one["name"] for one in quoted["coupons"] if one["off_fen"]}

    assert usable(activity, alone=False) == usable(activity, alone=True) == {"above", *scopes}
    assert usable(other, alone=False) == {"above", "categories"}


def test_best_one_is_that_with_which_least_is_paid_and_what_is_free_stays_free(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    rule = {"first": 1, "first_fen": 800, "next": 1, "next_fen": 0, "free_from_fen": 5900}
    template = {"name": "满 59 包邮", "measure": "piece", "rule": rule}
    made = merchant.owner().post("/v1/merchant/freight-templates", template).body
    product = f"/v1/merchant/products/{activity.product_id}"
    now = merchant.owner().get(product).body
    body = {name: now[name] for name in ("title", "category_id", "revision")}
    sku = {name: now["skus"][0][name] for name in ("sku_id", "specs", "list_price_fen")}
    body |= {"skus": [sku | {"solo_price_fen": 9900}], "freight_template_id": made["template_id"]}
    assert merchant.owner().put(product, body).status == 200
    merchant.clock.forward(5)
    smaller = claimed(merchant, buyer, off_fen=500)
    greater = claimed(merchant, buyer, off_fen=1000)
    percent = claimed(merchant, buyer, **TENTH, most_off_fen=300)

    quoted = buyer.quote(activity, province="浙江省", best_coupon=True).body
    chosen = buyer.quote(activity, province="浙江省", coupon_id=percent).body
    plain = buyer.quote(activity, province="浙江省").body

    assert [one["coupon_id"] for one in quoted["coupons"]] == [greater, smaller, percent]
    assert (quoted["coupon_id"], quoted["total_fen"], quoted["freight_fen"]) == (greater, 4900, 0)
    assert (chosen["coupon_id"], chosen["total_fen"]) == (percent, 5600)
    assert (plain["coupon_id"], plain["total_fen"], len(plain["coupons"])) == (None, 5900, 3)
    nobody = merchant.visitor().post(
        f"/v1/merchants/{merchant.merchant_id}/quotes",
        {
            "activity_id": activity.activity_id,
            "sku_id": activity.sku_id,
            "province": "浙江省",
            "best_coupon": True,
        },
    )
    assert (nobody.body["coupon_id"], nobody.body["coupons"]) == (None, [])


def test_first_order_takes_one_for_new_buyers_and_the_next_does_not(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant, seats=3), merchant.buyer()
    first, second = (claimed(merchant, buyer, name=str(n), first_order=True) for n in range(2))
    quoted = buyer.quote(activity, province="浙江省").body["coupons"]
    assert [one["refusal"] for one in quoted] == ["", ""]
    assert quoted[0]["scope_words"].endswith("新客首单")

    order_id = buyer.open(activity, coupon_id=first).body["order_id"]
    refused = [
        buyer.quote(activity, province="浙江省", coupon_id=second),
        buyer.open(activity, coupon_id=second),
        buyer.buy_alone(activity, coupon_id=second),
    ]
    assert {reply.body["message"] for reply in refused} == {
        "这张优惠券不能用：新客首单可用。请重新选择。"
    }
    assert buyer.cancel(order_id).status == 200
    assert buyer.buy_alone(activity, coupon_id=second).status == 201
    merchant.check_laws(quiescent=False)


def test_it_never_makes_goods_free(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    coupon_id = claimed(merchant, buyer, off_fen=99_999)

    placed = buyer.open(activity, coupon_id=coupon_id)
    merchant.pay(buyer, placed.body["order_id"])

    assert placed.body["total_fen"] == 1
    assert buyer.status(placed.body["order_id"]) == "paid"
    merchant.check_laws(quiescent=False)


def test_repeated_purchase_gets_its_order_though_that_has_the_coupon(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant, seats=3), merchant.buyer()
    first, second, third = (claimed(merchant, buyer, name=str(n)) for n in range(3))
    group_id, _, _ = merchant.open_group(activity)

    opened = [buyer.open(activity, key="the-same-key", coupon_id=first) for _ in range(2)]
    joined = [buyer.join(activity, group_id, coupon_id=second) for _ in range(2)]
    alone = [buyer.buy_alone(activity, key="the-other-key", coupon_id=third) for _ in range(2)]

    for answers in (opened, joined, alone):
        assert [reply.status for reply in answers] == [201, 201]
        assert answers[0].body == answers[1].body
    other = buyer.open(activity, key="the-same-key", coupon_id=second)
    assert other.body["code"] == "idempotency_mismatch"
    merchant.check_laws(quiescent=False)


def test_another_buyers_coupon_is_as_one_that_is_not(merchant: MerchantFixture) -> None:
    activity, owner, thief = sold(merchant), merchant.buyer(), merchant.buyer()
    coupon_id = claimed(merchant, owner)

    refused = [
        thief.open(activity, coupon_id=coupon_id),
        thief.quote(activity, coupon_id=coupon_id),
        thief.open(activity, coupon_id=f"{thief.buyer_id}{coupon_id[22:]}"),
    ]

    told = {(reply.status, reply.body["code"], reply.body["message"]) for reply in refused}
    assert told == {(409, "coupon_refused", "没有找到这张优惠券，请重新选择。")}
    assert state(owner, coupon_id) == ("usable", None)


def test_activity_that_takes_no_coupons_sells_alone_with_them(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    path = f"/v1/merchant/activities/{activity.activity_id}"
    now = merchant.owner().get(path).body
    names = ("title", "seats_total", "life_h", "ends_at_s", "limit_per_buyer", "limit_per_order")
    body = {name: now[name] for name in (*names, "revision")} | {"coupons": False}
    body["skus"] = [{"sku_id": activity.sku_id, "group_price_fen": 5900}]
    coupon_id = claimed(merchant, buyer)
    shown = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    before = buyer.get(shown).body["takes_coupons"]

    changed = merchant.owner().put(path, body)
    merchant.clock.forward(5)

    assert (now["coupons"], changed.body["coupons"]) == (True, False)
    assert (before, buyer.get(shown).body["takes_coupons"]) == (True, False)
    refused = buyer.open(activity, coupon_id=coupon_id)
    assert refused.body["message"] == "这张优惠券不能用：这个活动不能用优惠券。请重新选择。"
    assert buyer.buy_alone(activity, coupon_id=coupon_id).status == 201


def test_order_that_lives_longer_than_its_coupon_says_nothing_of_it(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    terms = {"days": 0, "until_s": merchant.now_s + 3600, "grace_days": 0}
    alone, in_group = claimed(merchant, buyer, **terms), claimed(merchant, buyer, **terms)
    _, _, failed = merchant.open_group(activity, buyer, coupon_id=in_group)
    closed = buyer.buy_alone(activity, coupon_id=alone).body["order_id"]

    merchant.wait(25 * 3600, every_s=3600)

    for order_id, coupon_id in ((closed, alone), (failed, in_group)):
        assert buyer.order(order_id)["coupon_back"] is False
        assert state(buyer, coupon_id) == ("expired", None)
    assert "没有拼成" in told(buyer)
    assert "优惠券" not in told(buyer)
    merchant.check_laws()


def test_days_of_grace_are_had_once(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    until_s = merchant.now_s + 3600
    coupon_id = claimed(merchant, buyer, days=0, until_s=until_s, grace_days=1)
    ends_s: set[int] = set()
    for _ in range(3):
        order_id = buyer.buy_alone(activity, coupon_id=coupon_id).body["order_id"]
        merchant.clock.forward(3700 if not ends_s else 60)
        buyer.cancel(order_id)
        merchant.run_jobs()
        (coupon,) = buyer.get("/v1/me/coupons").body["items"]
        ends_s.add(coupon["until_s"])

    assert (len(ends_s), coupon["state"]) == (1, "usable")
    merchant.clock.forward(DAY_S)
    assert state(buyer, coupon_id) == ("expired", None)
    merchant.check_laws(quiescent=False)


def test_coupons_that_run_out_are_told_of_together_and_once(merchant: MerchantFixture) -> None:
    activity, buyer, gone = sold(merchant), merchant.buyer(), merchant.buyer()
    for name in ("见面礼", "回头礼"):
        claimed(merchant, buyer, name=name, days=10)
    used = claimed(merchant, buyer, days=10)
    merchant.pay(buyer, buyer.buy_alone(activity, coupon_id=used).body["order_id"])
    revoked = claimed(merchant, buyer, days=10).removeprefix(buyer.buyer_id)[:ID_LENGTH]
    claimed(merchant, buyer, days=3)  # whoever claims it reads how soon it runs out
    claimed(merchant, gone, days=10)
    withdrawn = {"revoke": True}
    assert merchant.owner().post(f"{COUPONS}/{revoked}/withdrawal", withdrawn).status == 200
    assert gone.call("DELETE", "/v1/me/account").status == 200

    merchant.clock.forward(6 * DAY_S)
    merchant.run_jobs()
    assert "到期" not in told(buyer)
    for _ in range(2):
        merchant.clock.forward(2 * DAY_S)
        merchant.run_jobs()
    buyer = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))

    assert told(buyer).count("到期") == 1
    assert "你有 2 张优惠券快到期：「" in told(buyer)
    (message,) = [it for it in buyer.get("/v1/me/messages").body["items"] if "到期" in it["text"]]
    assert (message["text_key"], message["order_id"]) == ("coupons_expiring", None)
    merchant.check_laws(quiescent=False)


def test_category_is_that_of_the_product_now(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    other = merchant.owner().post("/v1/merchant/categories", {"name": "鲜果", "position": 2}).body
    claimed(merchant, buyer, scope="categories", scope_ids=[other["category_id"]])
    path = f"/v1/merchant/products/{activity.product_id}"
    now = merchant.owner().get(path).body
    sku = {name: now["skus"][0][name] for name in ("sku_id", "specs", "list_price_fen")}
    body = {"title": now["title"], "category_id": other["category_id"], "revision": now["revision"]}
    body["skus"] = [sku | {"solo_price_fen": 9900}]
    assert merchant.owner().put(path, body).status == 200
    merchant.clock.forward(5)

    quotes = [buyer.quote(activity, province="浙江省", alone=alone) for alone in (False, True)]

    assert [reply.body["coupons"][0]["refusal"] for reply in quotes] == ["", ""]
