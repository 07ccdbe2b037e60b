"""Freight: what is quoted is what is paid, and staff decide what sending costs."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import catalogue_cache
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import ADDRESS, Activity, Buyer, MerchantFixture, Reply

RULE = {"first": 1, "first_fen": 800, "next": 1, "next_fen": 300}
FAR = {"first": 1, "first_fen": 2000, "next": 1, "next_fen": 1500}
TEMPLATE = {
    "name": "标准运费",
    "measure": "piece",
    "rule": RULE,
    "regions": [{"provinces": ["新疆", "西藏"], "rule": FAR}],
    "not_delivered": ["香港"],
}
PATH = "/v1/merchant/freight-templates"


def address(province: str) -> dict[str, str]:
    return ADDRESS | {"province": province}


def make_template(merchant: MerchantFixture, **changes: Any) -> Any:
    made = merchant.owner().post(PATH, TEMPLATE | changes)
    assert made.status == 201, made.body
    return made.body


def send_by(
    merchant: MerchantFixture, activity: Activity, template_id: str, *, weight_g: int = 0
) -> None:
    """Let the activity's product be sent by a template."""
    path = f"/v1/merchant/products/{activity.product_id}"
    product = merchant.owner().get(path).body
    names = ("sku_id", "specs", "list_price_fen", "solo_price_fen")
    body = {
        "title": product["title"],
        "category_id": product["category_id"],
        "skus": [
            {name: sku[name] for name in names} | {"weight_g": weight_g} for sku in product["skus"]
        ],
        "freight_template_id": template_id,
        "revision": product["revision"],
    }
    saved = merchant.owner().put(path, body)
    assert (saved.status, saved.body["freight_template_id"]) == (200, template_id), saved.body
    merchant.clock.forward(5)  # until no container keeps the product as it was


def sent(merchant: MerchantFixture, **changes: Any) -> Activity:
    """An activity whose product has a template."""
    activity = merchant.activity(stock=20, product_stock=40)
    send_by(merchant, activity, make_template(merchant, **changes)["template_id"])
    return activity


def quote(buyer: Buyer, activity: Activity, **more: Any) -> Any:
    return buyer.quote(activity, **{"province": "浙江省", **more})


def test_more_than_one_may_buy_is_not_quoted(merchant: MerchantFixture) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)

    for way in ({}, {"group_id": group_id}, {"alone": True}):
        refused = quote(buyer, activity, quantity=6, **way)
        assert (refused.status, refused.body["details"]) == (400, {"field": "quantity", "max": 5})


def test_what_is_quoted_is_what_every_way_of_buying_costs(merchant: MerchantFixture) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)

    quotes = [
        quote(buyer, activity, quantity=2).body,
        quote(buyer, activity, quantity=2, group_id=group_id).body,
        quote(buyer, activity, quantity=2, alone=True).body,
    ]
    placed = [
        buyer.open(activity, quantity=2).body,
        buyer.join(activity, group_id, quantity=2).body,
        buyer.buy_alone(activity, quantity=2).body,
    ]

    assert quotes[0] == {
        "unit_price_fen": 5900,
        "unit_price_kind": "group",
        "level": None,
        "quantity": 2,
        "goods_fen": 11800,
        "freight_fen": 1100,
        "total_fen": 12900,
        "price_lines": [
            {"code": "goods", "amount_fen": 11800, "text": "商品金额"},
            {"code": "freight", "amount_fen": 1100, "text": "运费"},
        ],
        "coupon_id": None,
        "coupons": [],
        "points": {
            "on": False,
            "balance": 0,
            "step": 100,
            "step_fen": 100,
            "most": 0,
            "used": 0,
            "off_fen": 0,
            "words": "店铺现在不能用积分",
        },
        "limit_left": None,
        "opens_seats": 3,
    }
    assert [one["total_fen"] for one in quotes] == [12900, 12900, 20900]
    assert [one["total_fen"] for one in placed] == [12900, 12900, 20900]
    detail = buyer.order(placed[0]["order_id"])
    assert (detail["freight_fen"], detail["lines"]["freight_fen"]) == (1100, 1100)
    assert detail["lines"]["total_fen"] == 12900
    shown = buyer.get(
        f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    ).body
    assert detail["title"] == shown["title"]
    assert buyer.order(placed[2]["order_id"])["title"] == shown["product_title"]
    assert (detail["delivery"], detail["store"], detail["pickup_code"]) == ("express", None, None)
    merchant.check_laws(quiescent=False)


def test_joining_with_freight_is_one_call_of_eleven_units_when_it_was_quoted_just_before(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)
    quote(buyer, activity, group_id=group_id)

    with metered() as meter:
        placed = buyer.join(activity, group_id)

    assert placed.body["total_fen"] == 6700
    assert (meter.calls, meter.units) == (["TransactWriteItems"], 11), meter.parts


def test_a_quote_writes_nothing_and_holds_nothing(merchant: MerchantFixture) -> None:
    activity, buyer = sent(merchant), merchant.buyer()

    for _ in range(3):
        assert quote(buyer, activity).status == 200

    assert (merchant.stock(activity), buyer.get("/v1/orders").body["items"]) == (20, [])


def test_freight_is_paid_and_refunded_with_the_order(merchant: MerchantFixture) -> None:
    activity = sent(merchant)
    _, leader, order_id = merchant.open_group(activity)

    assert merchant.money()["captured_fen"] == 6700
    assert leader.cancel(order_id).status == 200
    merchant.run_jobs(2)

    assert merchant.money() == {"captured_fen": 6700, "refunded_fen": 6700, "refunding_fen": 0}
    merchant.check_laws()


def test_after_sale_gives_back_no_more_than_was_paid_with_freight(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    merchant.pay(buyer, order_id)
    claim = {"amount_fen": 10701, "reason": "damaged"}

    too_much = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)
    all_of_it = buyer.post(f"/v1/orders/{order_id}/after-sales", claim | {"amount_fen": 10700})

    assert (too_much.status, too_much.body["details"]["max"]) == (400, 10700)
    assert all_of_it.status == 201
    merchant.check_laws()


def test_regions_cost_their_own_and_some_are_not_delivered_to(merchant: MerchantFixture) -> None:
    activity, buyer = sent(merchant), merchant.buyer()

    far = buyer.open(activity, address=address("新疆维吾尔自治区"))
    nowhere = buyer.open(activity, address=address("香港特别行政区"))

    assert far.body["total_fen"] == 5900 + 2000
    assert (nowhere.status, nowhere.code) == (409, "not_deliverable")
    assert nowhere.body["message"] == "这件商品暂不配送到香港，请换一个收货地址。"
    assert quote(buyer, activity, province="香港").code == "not_deliverable"
    assert buyer.open(activity, address=address("火星")).code == "not_deliverable"
    assert merchant.stock(activity) == 19


def test_freight_is_told_before_there_is_an_address(merchant: MerchantFixture) -> None:
    free = merchant.activity()
    rule = RULE | {"free_from_fen": 20000, "free_from_units": 3}
    paid = sent(merchant, rule=rule)

    def told(activity: Activity) -> Any:
        path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
        return merchant.visitor().get(path).body["freight"]

    never = {"least_fen": 0, "most_fen": 0, "free_from_fen": None, "free_from_units": None}
    assert told(free) == never
    assert told(paid) == {
        "least_fen": 800,
        "most_fen": 2000,  # of the regions with a rule of their own
        "free_from_fen": 20000,
        "free_from_units": 3,
    }


def test_weight_and_thresholds(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=20), merchant.buyer()
    rule = {"first": 1000, "first_fen": 800, "next": 500, "next_fen": 200, "free_from_fen": 20000}
    made = make_template(merchant, measure="weight", rule=rule, regions=[])
    send_by(merchant, activity, made["template_id"], weight_g=1200)

    fees = [quote(buyer, activity, quantity=n).body["freight_fen"] for n in (1, 2, 3, 4)]

    assert fees == [1000, 1400, 2000, 0]


def test_who_expected_another_price_is_told_both(merchant: MerchantFixture) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    path = "/v1/merchant/freight-templates"
    [template] = merchant.owner().get(path).body["items"]
    group_id, _, _ = merchant.open_group(activity)
    expected = quote(buyer, activity).body["total_fen"]
    change = {k: v for k, v in template.items() if k != "template_id"}
    change["rule"] = RULE | {"first_fen": 1000}
    assert merchant.owner().put(f"{path}/{template['template_id']}", change).status == 200
    merchant.clock.forward(5)

    refused = [
        buyer.open(activity, expected_total_fen=expected),
        buyer.join(activity, group_id, expected_total_fen=expected),
        buyer.buy_alone(activity, expected_total_fen=10700),
    ]

    assert [(r.status, r.code) for r in refused] == [(409, "price_changed")] * 3
    assert refused[0].body["details"] == {"old_fen": 6700, "new_fen": 6900}
    assert refused[0].body["message"] == "价格有变化：¥67.00 → ¥69.00。请确认后再提交。"
    assert merchant.stock(activity) == 19
    assert buyer.join(activity, group_id, expected_total_fen=6900).status == 201


def test_a_repeat_gets_its_order_though_freight_has_changed_since(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)
    ways: list[Callable[[], Reply]] = [
        lambda: buyer.open(activity, key="open-once", expected_total_fen=6700),
        lambda: buyer.join(activity, group_id, expected_total_fen=6700),
        lambda: buyer.buy_alone(activity, key="alone-once", expected_total_fen=10700),
    ]
    first = [way().body for way in ways]

    other = make_template(merchant, name="偏远", rule=FAR, regions=[], not_delivered=["浙江"])
    send_by(merchant, activity, other["template_id"])

    assert [way().body for way in ways] == first
    assert buyer.open(activity).code == "not_deliverable"


def test_a_removed_template_goes_on_for_what_names_it(merchant: MerchantFixture) -> None:
    activity, buyer = sent(merchant), merchant.buyer()
    [template] = merchant.owner().get(PATH).body["items"]
    path = f"{PATH}/{template['template_id']}"

    for _ in range(2):
        assert merchant.owner().call("DELETE", path).body == {"done": True}
    merchant.clock.forward(5)

    assert merchant.owner().get(PATH).body == {"items": []}
    assert quote(buyer, activity).body["freight_fen"] == 800
    change = {k: v for k, v in template.items() if k != "template_id"}
    assert merchant.owner().put(path, change | {"name": "新名字"}).status == 404
    product = merchant.owner().get(f"/v1/merchant/products/{activity.product_id}").body
    assert product["freight_template_id"] == template["template_id"]


def test_a_product_names_a_template_of_its_own_shop(merchant: MerchantFixture) -> None:
    activity = merchant.activity()
    path = f"/v1/merchant/products/{activity.product_id}"
    product = merchant.owner().get(path).body
    body = {
        "title": "草莓",
        "category_id": product["category_id"],
        "skus": [{"specs": {"规格": "大"}, "list_price_fen": 2, "solo_price_fen": 2, "stock": 1}],
        "freight_template_id": "0" * 22,
    }

    refused = merchant.owner().post("/v1/merchant/products", body)

    assert (refused.status, refused.body["details"]) == (400, {"field": "freight_template_id"})


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"rule": RULE | {"next": 0}}, ["rule.next"]),
        ({"not_delivered": ["新疆"]}, ["not_delivered"]),
        ({"regions": [{"provinces": ["火星"], "rule": FAR}]}, ["regions[0].provinces"]),
        ({"measure": "weight"}, ["rule.next", "regions[0].rule.next"]),
    ],
)
def test_a_template_with_problems_says_where(
    merchant: MerchantFixture, change: Any, fields: list[str]
) -> None:
    refused = merchant.owner().post(PATH, TEMPLATE | change)

    problems = refused.body["details"]["problems"]
    assert (refused.status, [problem["field"] for problem in problems]) == (400, fields)
    assert merchant.owner().get(PATH).body == {"items": []}


def test_templates_are_changed_by_who_read_them_last(merchant: MerchantFixture) -> None:
    made = make_template(merchant)
    path = f"{PATH}/{made['template_id']}"
    change = TEMPLATE | {"name": "新运费", "revision": made["revision"]}

    first = merchant.owner().put(path, change)
    again = merchant.owner().put(path, change)
    stale = merchant.owner().put(path, change | {"name": "更新的"})

    assert (first.body["name"], first.body["revision"]) == ("新运费", 2)
    assert again.body == first.body
    assert (stale.status, stale.code) == (409, "changed")


def test_template_that_nobody_made_has_no_rules(merchant: MerchantFixture) -> None:
    with pytest.raises(NotFound):
        catalogue_cache.freight(merchant.merchant_id, new_id(), merchant.now_s)
