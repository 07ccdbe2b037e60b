"""A product that is taken off sale: what sells it goes on, and everybody is told so."""

import pytest

from chalicelib.errors import Conflict
from chalicelib.services.catalogue import activities
from tests.meanwhile import meanwhile
from tests.support import Activity, Reply, Town


def shelve(town: Town, activity: Activity, *, on_sale: bool) -> Reply:
    path = f"/v1/merchant/products/{activity.product_id}"
    revision = town.owner().get(path).body["revision"]
    return town.owner().put(f"{path}/shelf", {"on_sale": on_sale, "revision": revision})


def act(town: Town, activity: Activity, what: str) -> Reply:
    path = f"/v1/merchant/activities/{activity.activity_id}/{what}"
    return town.owner().post(path, {"groups": "keep"} if what == "end" else None)


def detail(town: Town, activity: Activity) -> tuple[str, bool]:
    town.clock.forward(5)
    path = f"/v1/merchants/{town.merchant_id}/activities/{activity.activity_id}"
    body = town.visitor().get(path).body
    return body["state"], body["solo_on_sale"]


def test_who_takes_a_product_off_sale_is_told_what_still_sells_it(town: Town) -> None:
    activity = town.activity(product_stock=110)
    assert detail(town, activity) == ("running", True)

    off = shelve(town, activity, on_sale=False)

    assert off.status == 200
    assert off.body["activities"] == [
        {
            "activity_id": activity.activity_id,
            "title": "周末三人团",
            "state": "running",
            "starts_at_s": town.now_s - 5,
            "ends_at_s": town.now_s - 5 + 7 * 86400,
        }
    ]
    assert detail(town, activity) == ("running", False)  # buyers are told, too
    assert town.buyer().buy_alone(activity).status == 404
    assert town.buyer().open(activity).status == 201


def test_what_sells_it_is_paused_or_ended_and_not_resumed_before_it_is_on_sale(town: Town) -> None:
    activity = town.activity()
    shelve(town, activity, on_sale=False)

    assert act(town, activity, "pause").status == 200
    refused = act(town, activity, "resume")

    path = f"/v1/merchant/products/{activity.product_id}"
    assert (refused.status, refused.code) == (409, "conflict")
    assert refused.body["message"] == "这个商品已下架，请先上架，再恢复活动。"
    assert [it["state"] for it in town.owner().get(path).body["activities"]] == ["paused"]
    shelve(town, activity, on_sale=True)
    assert act(town, activity, "resume").body["state"] == "running"
    assert act(town, activity, "end").status == 200
    assert town.owner().get(path).body["activities"] == []


def test_activity_is_not_resumed_when_its_product_went_off_sale_meanwhile(town: Town) -> None:
    activity = town.activity()
    act(town, activity, "pause")

    def off() -> None:
        shelve(town, activity, on_sale=False)

    with meanwhile(off), pytest.raises(Conflict):
        activities.resume(town.merchant_id, activity.activity_id, staff="boss", now_s=town.now_s)

    assert activities.read(town.merchant_id, activity.activity_id).status == "paused"
