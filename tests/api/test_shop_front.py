"""The first page of a shop: its activities found and sorted, and groups that lack one member."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import Caller, MerchantFixture


def browse(merchant: MerchantFixture, query: str = "") -> Any:
    reply = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/activities?{query}")
    assert reply.status == 200, reply.body
    return reply.body


def home(merchant: MerchantFixture, caller: Caller) -> tuple[list[str], list[str]]:
    """The ids of the groups that lack one member, and of the caller's own."""
    shown = caller.get(f"/v1/merchants/{merchant.merchant_id}/groups").body
    assert (shown["now_s"], bool(shown["shop_name"])) == (merchant.now_s, True)
    groups = [[one["group"]["group_id"] for one in shown[name]] for name in ("nearly_full", "own")]
    return groups[0], groups[1]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [2, 1, 0]),
        ("sort=price", [1, 2, 0]),
        ("sort=saving", [1, 2, 0]),
        ("sort=formed", [0, 2, 1]),
        (f"q={quote('草莓 周末')}&sort=price", [1, 2, 0]),
        (f"q={quote('脐橙')}", []),
    ],
)
def test_activities_come_in_the_order_asked_for(
    merchant: MerchantFixture, query: str, places: list[int]
) -> None:
    made = [
        merchant.activity(seats=2, price_fen=5900, days=9),
        merchant.activity(seats=2, price_fen=1900, days=8),
        merchant.activity(seats=2, price_fen=2900, days=7),
    ]
    group_id, _, _ = merchant.open_group(made[0])
    merchant.member(made[0], group_id)
    merchant.run_jobs()

    shown = browse(merchant, query)

    ids = [activity.activity_id for activity in made]
    assert [ids.index(item["activity_id"]) for item in shown["items"]] == places
    formed = {item["activity_id"]: item["groups_formed"] for item in shown["items"]}
    assert formed.get(ids[0], 1) == 1
    assert (shown["next"], shown["now_s"]) == (None, merchant.now_s)


def test_sorted_list_goes_on_where_it_was_left_and_in_no_other_order(
    merchant: MerchantFixture,
) -> None:
    prices = (5900, 1900, 2900)
    for price_fen in prices:
        merchant.activity(price_fen=price_fen)
    found = []
    after = ""
    while True:
        page = browse(merchant, f"sort=price&limit=2{after}")
        found += [item["group_price_fen"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&next={page['next']}"
        path = f"/v1/merchants/{merchant.merchant_id}/activities?sort=saving&limit=2{after}"
        assert merchant.visitor().get(path).code == "invalid_request"

    assert found == sorted(prices)


def test_first_page_has_the_shops_name_and_shelves_in_the_call_of_its_groups(
    merchant: MerchantFixture,
) -> None:
    owner, path = merchant.owner(), f"/v1/merchants/{merchant.merchant_id}/groups"
    made = owner.post("/v1/merchant/categories", {"name": "干货", "position": 0}).body
    below = {"name": "菌菇", "position": 0, "parent_id": made["category_id"]}
    assert owner.post("/v1/merchant/categories", below).status == 201

    shown = merchant.visitor().get(path).body
    with metered() as meter:
        again = merchant.visitor().get(path).body

    assert (shown["shop_name"], again) == ("果园小店", shown)
    assert [one["name"] for one in shown["categories"]] == ["干货", "水果"]
    assert "GetItem" not in meter.calls, meter.calls
    assert len(meter.calls) <= 1, meter.calls


def test_groups_that_lack_one_member_are_offered_to_others_and_ones_own_are_shown_apart(
    merchant: MerchantFixture,
) -> None:
    activity, other = merchant.activity(seats=2, stock=20), merchant.activity(seats=3, stock=20)
    lacks_one, leader, _ = merchant.open_group(activity)
    merchant.clock.forward(1)
    lacks_two, waiting, _ = merchant.open_group(other)
    held, _, _ = merchant.open_group(activity)
    merchant.join(activity, held)

    assert home(merchant, merchant.visitor()) == ([lacks_one], [])
    assert home(merchant, leader) == ([], [lacks_one])
    assert home(merchant, waiting) == ([lacks_one], [lacks_two])
    shown = leader.get(f"/v1/merchants/{merchant.merchant_id}/groups").body["own"][0]
    assert shown["goods"]["activity_id"] == activity.activity_id
    assert (shown["goods"]["group_price_fen"], shown["group"]["seats_missing"]) == (5900, 1)

    merchant.member(other, lacks_two)
    merchant.clock.forward(15)
    assert home(merchant, merchant.visitor()) == ([lacks_one, lacks_two], [])
    merchant.member(activity, lacks_one)
    assert home(merchant, merchant.visitor()) == ([lacks_two], [])
    assert home(merchant, leader) == ([lacks_two], [])
