"""Member levels over HTTP: reached by what is kept of orders, and what they give."""

from typing import Any

import pytest

from tests.fixtures.coupons import refund
from tests.fixtures.levels import GOLD, SILVER, grown, have_levels
from tests.fixtures.merchant import Buyer, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.points import received, sold
from tests.fixtures.shipping import ship


def level_of(buyer: Buyer) -> tuple[int, int]:
    """(growth, number of the level)."""
    told = buyer.get("/v1/me/level").body
    return told["growth"], told["no"]


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
    told = buyer.get("/v1/me/level").body

    assert (told["on"], told["no"], told["name"], told["growth"]) == (True, 1, "银卡会员", 99)
    assert told["next"] == {
        "no": 2,
        "name": "黄金会员",
        "from_growth": 198,
        "missing": 99,
        "words": "还差 ¥99 升级",
    }
    assert told["rules"][:2] == ["每实付 1 元得 1 成长值。", "每拼成 1 单再得 20 成长值。"]
    assert [it["benefits"] for it in told["levels"]] == [
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
