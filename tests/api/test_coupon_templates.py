"""Coupon templates over HTTP: written, given out, claimed to their limits, withdrawn, removed."""

from typing import Any

import pytest

from tests.fixtures.coupons import COUPONS, GIFT, claim, given_out, sold, state
from tests.fixtures.merchant import DAY_S, MerchantFixture


def test_claims_stop_at_the_limits_and_repeat_under_their_key(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant, total=3, per_buyer=2)
    first, second, third = (merchant.buyer() for _ in range(3))

    mine = [claim(first, template_id, key=f"claim-number-{n}") for n in (1, 1, 2, 2, 3)]
    rest = [claim(who, template_id) for who in (second, third)]

    assert [reply.status for reply in mine] == [201, 201, 201, 201, 409]
    assert len({reply.body.get("coupon_id") for reply in mine[:4]}) == 2
    assert [reply.body.get("code") for reply in (mine[4], *rest)] == [
        "limit_reached",
        None,
        "coupons_gone",
    ]
    row = merchant.owner().get(f"{COUPONS}/{template_id}").body
    assert (row["state"], row["claimed"], row["unused"]) == ("gone", 3, 3)
    more = {"name": "见面礼", "total": 4, "revision": row["revision"]}
    assert merchant.owner().put(f"{COUPONS}/{template_id}", more).body["state"] == "given_out"
    assert claim(third, template_id).status == 201
    merchant.check_laws(quiescent=False)


def test_link_leads_to_what_stands_in_no_centre(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant, given="link")
    centre = f"/v1/merchants/{merchant.merchant_id}/coupons"

    assert merchant.visitor().get(centre).body["items"] == []
    assert merchant.visitor().get(f"{centre}/{template_id}").body["state"] == "given_out"
    assert claim(merchant.buyer(), template_id).status == 201
    row = merchant.owner().get(COUPONS).body["items"][0]
    assert row["link"].endswith(f"/c/{template_id}")
    assert row["path"].endswith(f"c={template_id}")


@pytest.mark.parametrize("revoke", [False, True], ids=["stays good", "revoked"])
def test_withdrawn_template_gives_no_more_out(merchant: MerchantFixture, revoke: bool) -> None:
    activity, buyer, late = sold(merchant), merchant.buyer(), merchant.buyer()
    template_id = given_out(merchant)
    coupon_id = claim(buyer, template_id).body["coupon_id"]
    path = f"{COUPONS}/{template_id}/withdrawal"

    answers = [merchant.owner().post(path, {"revoke": revoke}) for _ in range(2)]
    merchant.clock.forward(5)  # until no container keeps the template as it was

    assert [reply.status for reply in answers] == [200, 200]
    assert answers[0].body["state"] == ("revoked" if revoke else "withdrawn")
    assert answers[0].body["unused"] == 1
    assert claim(late, template_id).body["code"] == "coupons_gone"
    assert claim(buyer, template_id).body["coupon_id"] == coupon_id  # a repeat
    assert state(buyer, coupon_id)[0] == ("revoked" if revoke else "usable")
    bought = buyer.open(activity, coupon_id=coupon_id)
    assert bought.status == (409 if revoke else 201)
    rows = merchant.owner().get("/v1/merchant/audit").body["items"]
    actions = {row["action"] for row in rows if row["action"].startswith("coupon_")}
    assert actions == {"coupon_changed", "coupon_created"}
    merchant.check_laws(quiescent=False)


def test_order_that_used_it_before_it_was_revoked_keeps_it_until_it_ends(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    template_id = given_out(merchant)
    coupon_id = claim(buyer, template_id).body["coupon_id"]
    order_id = buyer.open(activity, coupon_id=coupon_id).body["order_id"]
    merchant.owner().post(f"{COUPONS}/{template_id}/withdrawal", {"revoke": True})
    merchant.clock.forward(5)

    assert state(buyer, coupon_id) == ("used", order_id)
    assert buyer.cancel(order_id).status == 200
    assert state(buyer, coupon_id) == ("revoked", None)
    assert buyer.order(order_id)["coupon_back"] is False  # it is nobody's any more
    merchant.check_laws(quiescent=False)


def test_staff_are_told_the_lowest_price_of_a_unit_with_the_best_coupon(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    given_out(merchant, name="立减十元")
    given_out(merchant, name="够不到", off_fen=9000, from_fen=60000)
    given_out(merchant, name="单买券", off_fen=5000, usable_for="alone")
    withdrawn = given_out(merchant, name="已停发", off_fen=5000)
    merchant.owner().post(f"{COUPONS}/{withdrawn}/withdrawal", {"revoke": False})
    draft = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    draft |= {"starts_at_s": merchant.now_s + 8 * DAY_S, "ends_at_s": merchant.now_s + 9 * DAY_S}
    draft["skus"][0]["stock"] = 5

    told = [
        merchant.owner().post("/v1/merchant/activities/check", draft | {"coupons": taken}).body
        for taken in (True, False)
    ]

    lowest = [
        (one["unit_price_fen"], one["quantity"], one["coupon_name"])
        for answer in told
        for one in answer["lowest"]
    ]
    assert lowest == [(4900, 1, "立减十元"), (5900, 1, "")]


def test_template_that_is_over_is_removed_and_its_coupons_stay(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    template_id = given_out(merchant)
    coupon_id = claim(buyer, template_id).body["coupon_id"]
    path = f"{COUPONS}/{template_id}"

    refused = merchant.owner().call("DELETE", path)
    merchant.owner().post(f"{path}/withdrawal", {"revoke": False})
    removed = [merchant.owner().call("DELETE", path).status for _ in range(2)]

    assert (refused.status, refused.body["message"]) == (409, "还在发放，请先停止发放，再删除。")
    assert removed == [200, 200]
    assert merchant.owner().get(COUPONS).body["items"] == []
    assert claim(merchant.buyer(), template_id).status == 404
    assert buyer.open(activity, coupon_id=coupon_id).status == 201
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        ({"off_fen": 0}, ["off_fen"]),
        ({"off_fen": 1000, "from_fen": 1000}, ["off_fen"]),
        ({"kind": "percent", "off_fen": 0, "percent": 9}, ["percent"]),
        ({"kind": "percent", "off_fen": 0, "percent": 100}, ["percent"]),
        ({"kind": "percent", "percent": 90}, ["off_fen"]),
        ({"most_off_fen": 1}, ["percent"]),
        ({"from_s": 1_900_000_000}, ["from_s"]),
        ({"scope": "products", "scope_ids": ["x" * 22]}, ["scope_ids"]),
        ({"scope": "categories", "scope_ids": [""]}, ["scope_ids"]),
        ({"scope": "products"}, ["scope_ids"]),
        ({"scope_ids": ["x" * 22]}, ["scope_ids"]),
        ({"days": 0}, ["until_s"]),
        ({"days": 366}, ["days"]),
        ({"until_s": 1_900_000_000}, ["days"]),
        ({"off_fen": 0, "scope": "products", "days": 366}, ["off_fen", "scope_ids", "days"]),
    ],
)
def test_template_that_means_nothing_is_refused(
    merchant: MerchantFixture, terms: dict[str, Any], fields: list[str]
) -> None:
    refused = merchant.owner().post(COUPONS, GIFT | terms)

    assert refused.status == 400
    assert [one["field"] for one in refused.body["details"]["problems"]] == fields
    assert merchant.owner().get(COUPONS).body["items"] == []


def test_there_are_no_fewer_than_were_claimed(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant)
    for _ in range(2):
        claim(merchant.buyer(), template_id)
    path = f"{COUPONS}/{template_id}"

    refused = merchant.owner().put(path, {"name": "见面礼", "total": 1, "revision": 1})
    changed = merchant.owner().put(path, {"name": "新客礼", "total": 2, "revision": 1})

    assert (refused.status, refused.body["message"]) == (
        409,
        "已领取或已生成兑换码 2 张，总数不能更少。",
    )
    now = {name: changed.body[name] for name in ("name", "total", "state")}
    assert now == {"name": "新客礼", "total": 2, "state": "gone"}
    merchant.check_laws(quiescent=False)
