"""满减 of an activity over HTTP: what is quoted is charged, kept with the order and given back."""

from typing import Any

import pytest

from chalicelib.domain.pricing import Reduction
from tests.fixtures.merchant import Activity, MerchantFixture

FROM_TWO, FROM_FOUR = Reduction(10000, 2000), Reduction(20000, 5000)
SHOWN = [
    {"from_fen": 10000, "off_fen": 2000, "text": "满 100 减 20"},
    {"from_fen": 20000, "off_fen": 5000, "text": "满 200 减 50"},
]


def reduced(merchant: MerchantFixture, **terms: Any) -> Activity:
    """At ¥59.00 in a group, and ¥99.00 alone."""
    steps = (FROM_TWO, FROM_FOUR)
    return merchant.activity(seats=2, stock=20, product_stock=30, reductions=steps, **terms)


def lines_of(answer: Any) -> list[tuple[str, int]]:
    return [(line["code"], line["amount_fen"]) for line in answer["price_lines"]]


@pytest.mark.parametrize(
    ("quantity", "off_fen"), [(1, 0), (2, 2000), (3, 2000), (4, 5000), (5, 5000)]
)
def test_best_step_that_an_order_reaches_is_taken_off(
    merchant: MerchantFixture, quantity: int, off_fen: int
) -> None:
    activity, buyer = reduced(merchant), merchant.buyer()

    quoted = buyer.quote(activity, quantity=quantity, province="浙江省").body
    alone = buyer.quote(activity, quantity=quantity, province="浙江省", alone=True).body
    placed = buyer.open(activity, quantity=quantity, expected_total_fen=quoted["total_fen"])

    goods_fen = 5900 * quantity
    assert dict(lines_of(quoted)).get("reduction", 0) == -off_fen
    assert sum(fen for _, fen in lines_of(quoted)) == quoted["total_fen"] == goods_fen - off_fen
    assert (placed.status, placed.body["total_fen"]) == (201, goods_fen - off_fen)
    assert alone["total_fen"] == 9900 * quantity  # it is a bargain of groups
    merchant.check_laws(quiescent=False)


def test_it_is_shown_charged_kept_and_given_back_to_the_fen(merchant: MerchantFixture) -> None:
    activity = reduced(merchant)
    leader = merchant.buyer("团长")
    shown = leader.get(f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}")
    assert shown.body["reductions"] == SHOWN

    group_id, _, order_id = merchant.open_group(activity, leader, quantity=2)
    page = leader.get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page")
    assert page.body["reductions"] == SHOWN
    friend, second = merchant.member(activity, group_id, quantity=4)
    merchant.run_jobs()

    lines = [("goods", 11800), ("reduction", -2000), ("freight", 0)]
    assert lines_of(leader.order(order_id)) == lines
    file = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body
    assert (lines_of(file), file["total_fen"]) == (lines, 9800)
    assert friend.order(second)["total_fen"] == 18600

    asked = friend.post(
        f"/v1/orders/{second}/after-sales",
        {"amount_fen": 18600, "reason": "changed_mind", "words": "", "pictures": []},
    )
    approval = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"
    given = {"amount_fen": 18600, "units_back": 4}
    assert merchant.owner().post(approval, given).status == 200
    merchant.wait(3600)
    assert friend.order(second)["status"] == "refunded"
    assert sum(refund["amount_fen"] for refund in friend.order(second)["refunds"]) == 18600
    merchant.check_laws()


def test_open_groups_keep_theirs_when_it_is_taken_away(merchant: MerchantFixture) -> None:
    activity = reduced(merchant)
    group_id, _, _ = merchant.open_group(activity, quantity=2)
    path = f"/v1/merchant/activities/{activity.activity_id}"
    now = merchant.owner().get(path).body
    assert now["reductions"] == [
        {"from_fen": one.from_fen, "off_fen": one.off_fen} for one in (FROM_TWO, FROM_FOUR)
    ]
    names = ("title", "seats_total", "life_h", "ends_at_s", "limit_per_buyer", "limit_per_order")
    body = {name: now[name] for name in (*names, "revision")}
    body["skus"] = [{"sku_id": activity.sku_id, "group_price_fen": 5900}]

    changed = merchant.owner().put(path, body)

    assert (changed.status, changed.body["reductions"]) == (200, [])
    merchant.clock.forward(5)  # until no container keeps the terms as they were
    joined = merchant.buyer().join(activity, group_id, quantity=2)
    opened = merchant.buyer().open(activity, quantity=2)
    assert [reply.body["total_fen"] for reply in (joined, opened)] == [9800, 11800]
    rows = merchant.owner().get("/v1/merchant/audit").body["items"]
    [row] = [row for row in rows if row["action"] == "activity_changed"]
    assert (len(row["before"]["reductions"]), row["after"]["reductions"]) == (2, [])


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([(0, 0)], "reductions[0].off_fen"),
        ([(2000, 2000)], "reductions[0].off_fen"),
        ([(10000, 2000), (10000, 3000)], "reductions[1].from_fen"),
        ([(10000, 2000), (20000, 2000)], "reductions[1].from_fen"),
        ([(29501, 2000)], "reductions[0].from_fen"),  # five units cost 29500
        ([(n * 1000, n * 10) for n in range(1, 7)], "reductions"),
    ],
)
def test_step_that_means_nothing_or_is_never_reached_is_refused(
    merchant: MerchantFixture, steps: list[tuple[int, int]], field: str
) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=30)
    body = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    body |= {"starts_at_s": merchant.now_s + 8 * 86400, "ends_at_s": merchant.now_s + 9 * 86400}
    body["skus"][0]["stock"] = 5
    body["reductions"] = [{"from_fen": least, "off_fen": off} for least, off in steps]

    checked = merchant.owner().post("/v1/merchant/activities/check", body).body
    refused = merchant.owner().post("/v1/merchant/activities", body)

    assert [problem["field"] for problem in checked["problems"]] == [field]
    assert refused.body["details"]["problems"] == checked["problems"]
    assert checked["lowest"] == []
    assert len(merchant.owner().get("/v1/merchant/activities").body["items"]) == 1


def test_staff_are_told_the_lowest_price_of_a_unit_before_they_publish(
    merchant: MerchantFixture,
) -> None:
    activity = reduced(merchant)
    product = merchant.owner().get(f"/v1/merchant/products/{activity.product_id}").body
    names = ("title", "category_id", "revision")
    sku = {name: product["skus"][0][name] for name in ("sku_id", "specs", "list_price_fen")}
    sku |= {"solo_price_fen": 9900, "cost_fen": 4700}
    body = {name: product[name] for name in names} | {"skus": [sku]}
    path = f"/v1/merchant/products/{activity.product_id}"
    assert merchant.owner().put(path, body).status == 200
    draft = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    draft |= {"starts_at_s": merchant.now_s + 8 * 86400, "ends_at_s": merchant.now_s + 9 * 86400}
    draft["skus"][0]["stock"] = 5

    told = [
        merchant.staff(role).post("/v1/merchant/activities/check", draft).body["lowest"]
        for role in ("owner", "manager")
    ]

    # Four units cost 236.00, 50.00 less with 满减.
    lowest = {"sku_id": activity.sku_id, "unit_price_fen": 4650, "quantity": 4}
    lowest["coupon_name"] = ""
    assert told[0] == [lowest | {"is_below_cost": True}]
    assert told[1][0] | {"is_below_cost": None} == lowest | {"is_below_cost": None}
