"""A product that is taken off sale: what sells it goes on, and everybody is told so."""

import pytest

from chalicelib.errors import Conflict
from chalicelib.services.catalogue import activities
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Activity, MerchantFixture, Reply


def shelve(merchant: MerchantFixture, activity: Activity, *, on_sale: bool) -> Reply:
    path = f"/v1/merchant/products/{activity.product_id}"
    revision = merchant.owner().get(path).body["revision"]
    return merchant.owner().put(f"{path}/shelf", {"on_sale": on_sale, "revision": revision})


def act(merchant: MerchantFixture, activity: Activity, what: str) -> Reply:
    path = f"/v1/merchant/activities/{activity.activity_id}/{what}"
    return merchant.owner().post(path, {"groups": "keep"} if what == "end" else None)


def detail(merchant: MerchantFixture, activity: Activity) -> tuple[str, bool]:
    merchant.clock.forward(5)
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    body = merchant.visitor().get(path).body
    return body["state"], body["solo_on_sale"]


def test_who_takes_a_product_off_sale_is_told_what_still_sells_it(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(product_stock=110)
    assert detail(merchant, activity) == ("running", True)

    off = shelve(merchant, activity, on_sale=False)

    assert off.status == 200
    assert off.body["activities"] == [
        {
            "activity_id": activity.activity_id,
            "title": "周末三人团",
            "state": "running",
            "starts_at_s": merchant.now_s - 5,
            "ends_at_s": merchant.now_s - 5 + 7 * 86400,
        }
    ]
    assert detail(merchant, activity) == ("running", False)  # buyers are told, too
    assert merchant.buyer().buy_alone(activity).status == 404
    assert merchant.buyer().open(activity).status == 201


def test_what_sells_it_is_paused_or_ended_and_not_resumed_before_it_is_on_sale(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity()
    shelve(merchant, activity, on_sale=False)

    assert act(merchant, activity, "pause").status == 200
    refused = act(merchant, activity, "resume")

    path = f"/v1/merchant/products/{activity.product_id}"
    assert (refused.status, refused.code) == (409, "conflict")
    assert refused.body["message"] == "这个商品已下架，请先上架，再恢复活动。"
    assert [it["state"] for it in merchant.owner().get(path).body["activities"]] == ["paused"]
    shelve(merchant, activity, on_sale=True)
    assert act(merchant, activity, "resume").body["state"] == "running"
    assert act(merchant, activity, "end").status == 200
    assert merchant.owner().get(path).body["activities"] == []


def test_activity_is_not_resumed_when_its_product_went_off_sale_meanwhile(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity()
    act(merchant, activity, "pause")

    def off() -> None:
        shelve(merchant, activity, on_sale=False)

    with interleaved(off), pytest.raises(Conflict):
        activities.resume(
            merchant.merchant_id, activity.activity_id, staff="boss", now_s=merchant.now_s
        )

    assert activities.read(merchant.merchant_id, activity.activity_id).status == "paused"
