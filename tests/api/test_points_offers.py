"""Points offers over HTTP: published, exchanged for points and money, given back, ended."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.test_points import balance, entries, of_order
from tests.fixtures.caches import clear_caches
from tests.fixtures.coupons import claimed, refund
from tests.fixtures.levels import have_levels
from tests.fixtures.merchant import ADDRESS, Activity, Buyer, MerchantFixture, Reply
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.points import given, sold, switch
from tests.fixtures.shipping import ship

OFFERS = "/v1/merchant/points-offers"


def offered(merchant: MerchantFixture, activity: Activity, **terms: Any) -> str:
    """Offer five units for 600 points and ¥1.00 each; return the offer's id."""
    of = {"product_id": activity.product_id, "sku_id": activity.sku_id, "name": "换购"}
    body = {**of, "points": 600, "price_fen": 100, "total": 5, **terms}
    made = merchant.owner().post(OFFERS, body)
    assert made.status == 201, made.body
    clear_caches()
    return str(made.body["offer_id"])


def exchange(
    buyer: Buyer, activity: Activity, offer_id: str, *, key: str = "the-exchange", **more: Any
) -> Reply:
    body = {"sku_id": activity.sku_id, "address": ADDRESS, **more}
    return buyer.post(f"/v1/points-offers/{offer_id}/orders", body, Idempotency_Key=key)


def rich(merchant: MerchantFixture, activity: Activity, count: int = 1500) -> Buyer:
    """A buyer whom the shop gave so many points."""
    buyer = merchant.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    assert given(merchant, order_id, count).status == 201
    assert buyer.cancel(order_id).status == 200
    return buyer


@pytest.fixture
def activity(merchant: MerchantFixture) -> Activity:
    switch(merchant)
    return sold(merchant)


def taken(merchant: MerchantFixture) -> tuple[int, int]:
    """Units and points that the shop's only offer has taken."""
    (row,) = merchant.owner().get(OFFERS).body["items"]
    return row["taken"], row["points_taken"]


def test_units_are_offered_quoted_exchanged_paid_and_received(
    merchant: MerchantFixture, activity: Activity
) -> None:
    before = merchant.product_stock(activity)
    offer_id, buyer = offered(merchant, activity), rich(merchant, activity)
    assert merchant.product_stock(activity) == before - 5
    place = f"/v1/merchants/{merchant.merchant_id}/points-offers"
    listed = buyer.get(place).body
    assert (listed["on"], listed["balance"]) == (True, 1500)
    (card,) = listed["items"]
    told = {"points": 600, "price_fen": 100, "solo_price_fen": 9900, "state": "offered"}
    assert card.items() >= told.items()
    page = merchant.visitor().get(f"{place}/{offer_id}").body
    assert page.items() >= {**card, "per_order": 99}.items()
    assert page["freight"]["most_fen"] == 0
    assert page["balance"] is None

    wish = {"activity_id": offer_id, "for_points": True, "quantity": 2, "province": "浙江省"}
    quoted = buyer.quote(activity, **wish).body
    lines = [("exchange", 0, "1,200 积分"), ("goods", 200, "商品金额"), ("freight", 0, "运费")]
    assert (quoted["total_fen"], quoted["points"]["used"]) == (200, 1200)
    asked: dict[str, Any] = {"points": 1200, "expected_total_fen": 200, "quantity": 2}
    order_id = exchange(buyer, activity, offer_id, **asked).body["order_id"]
    assert exchange(buyer, activity, offer_id, **asked).body["order_id"] == order_id
    seen = [buyer.order(order_id), merchant.owner().get(f"/v1/merchant/orders/{order_id}").body]
    for answer in (quoted, *seen):
        found = [(it["code"], it["amount_fen"], it["text"]) for it in answer["price_lines"]]
        assert found == lines
    assert seen[0]["for_points"] is True
    assert seen[0]["unit_price_kind"] == "exchange"
    assert balance(buyer) == 300
    assert entries(buyer)[0] == ("exchanged", -1200)
    assert buyer.get("/v1/me/points").body["entries"][0]["words"] == "兑换商品"
    assert taken(merchant) == (2, 1200)

    merchant.pay(buyer, order_id)
    merchant.run_jobs()
    assert ship(merchant, order_id, "SF1234567890123").status == 200
    assert buyer.post(f"/v1/orders/{order_id}/receipt").body["status"] == "completed"
    assert of_order(buyer, order_id) == (1200, 0, 20, 0)  # of ¥2.00
    merchant.check_laws()


def test_points_alone_need_no_payment_and_the_shop_gives_them_back_by_hand(
    merchant: MerchantFixture, activity: Activity
) -> None:
    offer_id, buyer = offered(merchant, activity, price_fen=0), rich(merchant, activity)
    order_id = exchange(buyer, activity, offer_id).body["order_id"]
    assert buyer.ask_to_pay(order_id).body["paid"] is True
    merchant.run_jobs()
    assert (buyer.status(order_id), balance(buyer)) == ("fulfilling", 900)
    assert buyer.post(f"/v1/orders/{order_id}/payment-result").body["state"] == "paid"
    shown = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body
    assert shown["refund_refusal"].startswith("这笔订单没有付过钱")
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", {"amount_fen": 1, "reason": "other"})
    assert asked.code == "after_sale_refused"
    assert ship(merchant, order_id, "SF1234567890123").status == 200
    assert buyer.post(f"/v1/orders/{order_id}/receipt").body["status"] == "completed"
    assert of_order(buyer, order_id) == (600, 0, 0, 0)
    merchant.check_laws()


def test_exchange_that_is_not_paid_gives_back_points_units_and_the_limit(
    merchant: MerchantFixture, activity: Activity
) -> None:
    offer_id, buyer = offered(merchant, activity, per_buyer=2), rich(merchant, activity, 2000)
    order_id = exchange(buyer, activity, offer_id, quantity=2).body["order_id"]
    assert (balance(buyer), taken(merchant)) == (800, (2, 1200))
    quoted = buyer.quote(activity, activity_id=offer_id, for_points=True, province="浙江省")
    assert quoted.body["limit_left"] == 0
    refused = exchange(buyer, activity, offer_id, key="another-one")
    words = "这个商品每人限兑 2 件，你已兑 2 件。看看其他积分商品。"
    assert (refused.code, refused.body["message"]) == ("limit_reached", words)

    merchant.wait(3600)
    assert buyer.status(order_id) == "closed"
    assert (balance(buyer), taken(merchant)) == (2000, (0, 0))
    assert exchange(buyer, activity, offer_id, key="another-one").status == 201
    merchant.check_laws(quiescent=False)


def test_units_that_come_back_bring_their_points_and_money_alone_its_share(
    merchant: MerchantFixture, activity: Activity
) -> None:
    offer_id, buyer = offered(merchant, activity), rich(merchant, activity, 2000)
    order_id = exchange(buyer, activity, offer_id, quantity=3).body["order_id"]
    merchant.pay(buyer, order_id)
    merchant.run_jobs()
    assert balance(buyer) == 200

    refund(merchant, buyer, order_id, 1, 1)
    assert (of_order(buyer, order_id)[:2], taken(merchant)) == ((1800, 600), (2, 1200))
    refund(merchant, buyer, order_id, 149, 0)
    assert of_order(buyer, order_id)[:2] == (1800, 900)
    refund(merchant, buyer, order_id, 1, 2)
    assert (of_order(buyer, order_id)[:2], balance(buyer)) == ((1800, 1800), 2000)
    assert taken(merchant) == (0, 0)
    merchant.check_laws()


def no_points(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    return offered(merchant, activity, points=1501), {}


def too_many(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    return offered(merchant, activity, points=1, total=2), {"quantity": 3}


def over(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    offer_id = offered(merchant, activity, until_s=merchant.now_s + 60)
    merchant.clock.forward(60)
    return offer_id, {}


def for_members(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    have_levels(merchant)
    return offered(merchant, activity, level_from=1), {}


def switched_off(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    switch(merchant, on=False)
    return offered(merchant, activity), {}


def other_points(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    return offered(merchant, activity), {"points": 500}


def other_price(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    return offered(merchant, activity), {"expected_total_fen": 99}


def other_sku(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    return offered(merchant, activity), {"sku_id": "0" * 22}


def nothing(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    return "0" * 22, {}


def off_sale(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    offer_id = offered(merchant, activity)
    path = f"/v1/merchant/products/{activity.product_id}"
    product = merchant.owner().get(path).body
    off = {"on_sale": False, "revision": product["revision"]}
    reply = merchant.owner().put(f"{path}/shelf", off)
    assert reply.status == 200, reply.body
    clear_caches()
    return offer_id, {}


def ended(merchant: MerchantFixture, activity: Activity) -> tuple[str, dict[str, Any]]:
    """Only this container does not know it yet."""
    offer_id = offered(merchant, activity)
    merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/points-offers")
    assert merchant.owner().call("DELETE", f"{OFFERS}/{offer_id}").status == 200
    return offer_id, {}


Case = Callable[[MerchantFixture, Activity], tuple[str, dict[str, Any]]]


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        (no_points, "points_refused", "兑换需要 1501 积分，你有 1500，还差 1。"),
        (too_many, "sold_out", "库存不足"),
        (over, "activity_closed", "这个商品的兑换已结束，看看其他积分商品。"),
        (for_members, "members_only", "这个商品只有「银卡会员」可以兑换，你还差 ¥99"),
        (switched_off, "points_refused", "店铺暂停使用积分，积分还在你的账户里。"),
        (other_points, "points_refused", "兑换要用的积分有变化：500 → 600。请确认后再提交。"),
        (other_price, "price_changed", "价格有变化"),
        (other_sku, "invalid_request", "这个积分商品没有这个规格"),
        (nothing, "not_found", "没有找到这个积分商品。"),
        (off_sale, "not_found", "这个规格已下架"),
        (ended, "sold_out", "库存不足"),
    ],
)
def test_what_is_refused_says_why_and_takes_nothing(
    merchant: MerchantFixture, activity: Activity, case: Case, code: str, words: str
) -> None:
    buyer = rich(merchant, activity)
    offer_id, more = case(merchant, activity)

    refused = exchange(buyer, activity, offer_id, **more)

    assert refused.code == code
    assert words in refused.body["message"]
    assert balance(buyer) == 1500
    merchant.check_laws(quiescent=False)


def test_coupons_are_not_for_it(merchant: MerchantFixture, activity: Activity) -> None:
    offer_id, buyer = offered(merchant, activity), rich(merchant, activity)
    refused = exchange(buyer, activity, offer_id, coupon_id=claimed(merchant, buyer))
    assert refused.code == "coupon_refused"


def test_merged_person_spends_all_their_points_within_one_limit(
    merchant: MerchantFixture, activity: Activity
) -> None:
    offer_id, buyer = offered(merchant, activity, per_buyer=2), rich(merchant, activity, 2000)
    assert exchange(buyer, activity, offer_id).status == 201
    person = merchant.session(merge_into_an_older_one(merchant, buyer)())
    assert balance(person) == 1400
    refused = exchange(person, activity, offer_id, key="two-more", quantity=2)
    assert refused.code == "limit_reached"
    assert exchange(person, activity, offer_id, key="the-other-unit").status == 201
    assert balance(person) == 800
    merchant.check_laws(quiescent=False)


def test_offer_that_ends_gives_its_units_to_the_product_and_orders_follow(
    merchant: MerchantFixture, activity: Activity
) -> None:
    before = merchant.product_stock(activity)
    offer_id, buyer = offered(merchant, activity), rich(merchant, activity)
    order_id = exchange(buyer, activity, offer_id, quantity=2).body["order_id"]
    for _ in range(2):
        assert merchant.owner().call("DELETE", f"{OFFERS}/{offer_id}").status == 200
    assert merchant.product_stock(activity) == before - 2
    assert merchant.owner().get(OFFERS).body["items"] == []
    assert buyer.cancel(order_id).status == 200
    assert (merchant.product_stock(activity), balance(buyer)) == (before, 1500)
    assert exchange(buyer, activity, offer_id, quantity=2).body["order_id"] == order_id
    merchant.check_laws(quiescent=False)


def test_staff_change_how_many_there_are_and_nothing_else(
    merchant: MerchantFixture, activity: Activity
) -> None:
    owner, buyer = merchant.owner(), rich(merchant, activity)
    left = merchant.product_stock(activity)
    offer_id = offered(merchant, activity)
    assert exchange(buyer, activity, offer_id, quantity=2).status == 201

    def change(**how: Any) -> Reply:
        (row,) = owner.get(OFFERS).body["items"]
        asked = {"name": "换购", "total": 5, "revision": row["revision"], **how}
        return owner.put(f"{OFFERS}/{offer_id}", asked)

    assert change(name="老客换购", total=8).body.items() >= {"total": 8, "taken": 2}.items()
    assert merchant.product_stock(activity) == left - 8
    assert change(total=2).body["state"] == "gone"
    too_few, too_many = change(total=1), change(total=left + 1)
    assert (too_few.code, too_few.body["message"]) == (
        "conflict",
        "已兑换 2 件，总数不能更少。",
    )
    assert too_many.code == "conflict"
    assert merchant.product_stock(activity) == left - 2
    path = f"/v1/merchant/products/{activity.product_id}"
    (row,) = [it for it in owner.get("/v1/merchant/products").body["items"] if it["held"]]
    assert row["held"] == merchant.stock(activity)
    product = owner.get(path).body
    assert product["activities"][0]["activity_id"] == activity.activity_id
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"points": 0}, "points"),
        ({"price_fen": 9900}, "price_fen"),
        ({"total": 0}, "total"),
        ({"total": 41}, "total"),
        ({"per_buyer": 1000}, "per_buyer"),
        ({"until_s": 1}, "until_s"),
    ],
)
def test_offer_that_cannot_be_kept_is_told_its_problem(
    merchant: MerchantFixture, activity: Activity, terms: dict[str, Any], field: str
) -> None:
    of = {"product_id": activity.product_id, "sku_id": activity.sku_id, "name": "换购"}
    refused = merchant.owner().post(OFFERS, {**of, "points": 600, "total": 5, **terms})

    assert refused.code == "invalid_request"
    assert [one["field"] for one in refused.body["details"]["problems"]] == [field]
    assert merchant.owner().get(OFFERS).body["items"] == []


def test_offer_of_a_level_that_is_not_there_is_refused(
    merchant: MerchantFixture, activity: Activity
) -> None:
    of = {"product_id": activity.product_id, "sku_id": activity.sku_id, "name": "换购"}
    refused = merchant.owner().post(OFFERS, {**of, "points": 1, "total": 5, "level_from": 1})
    assert refused.body["details"]["field"] == "level_from"
