"""What is sold out says so, to buyers, within seconds: in the list, in the detail, per SKU."""

from typing import Any

import pytest

from chalicelib.errors import Busy
from chalicelib.services.catalogue import availability
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import Activity, MerchantFixture

KEPT_S = 5


def detail(merchant: MerchantFixture, activity: Activity) -> tuple[str, list[bool]]:
    """(state, what of its SKUs is sold out)"""
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    body = merchant.visitor().get(path).body
    return body["state"], [sku["sold_out"] for sku in body["skus"]]


def listed(merchant: MerchantFixture, **query: Any) -> dict[str, str]:
    """States by activity."""
    sought = "&".join(f"{name}={value}" for name, value in query.items())
    reply = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/activities?{sought}")
    assert reply.status == 200, reply.body
    return {item["activity_id"]: item["state"] for item in reply.body["items"]}


def sell_out(merchant: MerchantFixture, activity: Activity, sku_id: str, units: int) -> None:
    for _ in range(units):
        assert merchant.buyer().open(activity, sku_id=sku_id).status == 201


def test_what_is_sold_out_says_so_within_seconds_and_comes_back(merchant: MerchantFixture) -> None:
    activity, other = merchant.activity(skus=2, stock=2), merchant.activity()
    first, second = activity.sku_ids
    assert detail(merchant, activity) == ("running", [False, False])

    sell_out(merchant, activity, first, 2)
    merchant.clock.forward(KEPT_S)
    assert detail(merchant, activity) == ("running", [True, False])
    assert set(listed(merchant).values()) == {"running"}

    sell_out(merchant, activity, second, 2)
    merchant.clock.forward(KEPT_S)
    assert detail(merchant, activity) == ("sold_out", [True, True])
    assert listed(merchant) == {activity.activity_id: "sold_out", other.activity_id: "running"}

    merchant.wait(660)  # nobody paid
    assert detail(merchant, activity) == ("running", [False, False])
    assert listed(merchant)[activity.activity_id] == "running"


def test_only_what_runs_is_said_to_be_sold_out(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=3)
    sell_out(merchant, activity, activity.sku_id, 3)
    path = f"/v1/merchant/activities/{activity.activity_id}"
    merchant.clock.forward(KEPT_S)
    assert detail(merchant, activity) == ("sold_out", [True])

    assert merchant.owner().post(f"{path}/pause").status == 200
    merchant.clock.forward(KEPT_S)
    assert detail(merchant, activity)[0] == "paused"
    assert merchant.owner().post(f"{path}/end", {}).status == 200
    merchant.clock.forward(KEPT_S)
    assert detail(merchant, activity) == ("ended", [False])


@pytest.mark.slow
def test_a_list_costs_a_bounded_number_of_calls(merchant: MerchantFixture) -> None:
    gone = [merchant.activity(stock=8, skus=2) for _ in range(9)]
    there = [merchant.activity(stock=8, skus=2) for _ in range(9)]
    for activity in gone:
        for sku_id in activity.sku_ids:
            reply = merchant.buyer().open(activity, sku_id=sku_id, quantity=5)
            assert reply.status == 201, reply.body
            assert merchant.buyer().open(activity, sku_id=sku_id, quantity=3).status == 201
    merchant.clock.forward(KEPT_S)
    listed(merchant, limit=50)
    availability.clear_cache()

    with metered() as meter:
        states = listed(merchant, limit=50)

    # One look into some buckets of each, and 9 activities of 16 buckets in two calls.
    assert meter.calls == ["Query", *["BatchGetItem"] * 3]
    expected = dict.fromkeys([a.activity_id for a in there], "running")
    assert states == expected | dict.fromkeys([a.activity_id for a in gone], "sold_out")
    with metered() as again:
        assert listed(merchant, limit=50) == states
    assert again.calls == ["Query"]


def test_a_list_does_not_fail_where_its_buckets_cannot_be_read(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = merchant.activity()
    monkeypatch.setattr(availability, "_look_into", _busy)
    monkeypatch.setattr(availability, "_read", _busy)

    assert listed(merchant) == {activity.activity_id: "running"}
    assert detail(merchant, activity) == ("running", [False])


def _busy(*_: Any) -> None:
    raise Busy
