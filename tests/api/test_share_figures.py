"""What staff read of shares: by channel, by the shop's own, by who shared."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.shares import came, shared, visited
from tests.fixtures.stream_events import change_of, deliver

NOTHING = {
    "taken": 0,
    "paid": 0,
    "formed": 0,
    "refunded": 0,
    "paid_fen": 0,
    "refunded_fen": 0,
}
SEAT = {**NOTHING, "taken": 1, "paid": 1, "paid_fen": 5900}


def path_of(activity: Activity) -> str:
    return f"/v1/merchant/activities/{activity.activity_id}/shares"


def made(merchant: MerchantFixture, activity: Activity, channel: str, name: str) -> dict[str, Any]:
    reply = merchant.staff("manager").post(path_of(activity), {"channel": channel, "name": name})
    assert reply.status == 201, reply.body
    return dict(reply.body)


def bought(merchant: MerchantFixture, activity: Activity, group_id: str, buyer: Buyer) -> str:
    """The paid seat of a buyer, of which the stream has told."""
    _, order_id = merchant.member(activity, group_id, buyer)
    assert deliver(merchant, change_of(merchant, merchant.stored_order(order_id))) == []
    return order_id


def test_figures_are_told_by_channel_by_own_share_and_by_sharer(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=9, stock=20)
    group_id, leader, _ = merchant.open_group(activity, merchant.buyer("团长"))
    poster = made(merchant, activity, "store", "门店海报")
    flyer = made(merchant, activity, "flyer", "传单")
    card, other = (
        shared(leader, group_id, "friend"),
        shared(merchant.buyer("阿美"), group_id, "chat"),
    )
    for share_id in (poster["share_id"], card):
        buyer = merchant.buyer()
        came(merchant, buyer, share_id)
        bought(merchant, activity, group_id, buyer)
    both = merchant.buyer()
    came(merchant, both, card)
    merchant.clock.forward(1)
    came(merchant, both, poster["share_id"])
    bought(merchant, activity, group_id, both)
    visited(merchant, other)

    told = merchant.staff("manager").get(path_of(activity)).body

    assert (told["days"], told["complete"], told["sharers_total"]) == (7, True, 2)
    channels = {one["channel"]: one["figures"] for one in told["channels"]}
    assert list(channels) == ["store", "friend", "chat"]
    twice = {name: 2 * count for name, count in SEAT.items()}
    assert channels["store"] == {"visits": 2, "last": twice, "first": SEAT}
    assert channels["friend"] == {"visits": 2, "last": SEAT, "first": twice}
    assert channels["chat"] == {"visits": 1, "last": NOTHING, "first": NOTHING}
    assert (told["total"]["visits"], told["total"]["last"]["paid"]) == (5, 3)
    assert [one["share"] for one in told["own"]] in ([flyer, poster], [poster, flyer])
    figures = {one["share"]["name"]: one["figures"] for one in told["own"]}
    assert figures["门店海报"] == channels["store"]
    assert figures["传单"] == {"visits": 0, "last": NOTHING, "first": NOTHING}
    assert [(one["name"], one["figures"]["visits"]) for one in told["sharers"]] == [
        ("团长", 2),
        ("阿美", 1),
    ]
    assert [(one["share_id"], one["name"]) for one in told["shares"]] == [
        (card, "团长"),
        (other, "阿美"),
    ]
    merchant.check_laws()


def test_a_sharer_with_two_ids_is_one_person(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=20)
    group_id, leader, _ = merchant.open_group(activity, merchant.buyer("团长"))
    younger = merchant.buyer("团长的小号")
    for one in (leader, younger):
        visited(merchant, shared(one, group_id))
    merge_into_an_older_one(merchant, younger, leader)()

    [sharer] = merchant.owner().get(path_of(activity)).body["sharers"]

    assert (sharer["buyer_id"], sharer["name"]) == (leader.buyer_id, "团长")
    assert sharer["figures"]["visits"] == 2


def test_share_of_the_shops_own_leads_to_the_activity_and_can_be_drawn(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=20)
    body = {"channel": "official_account", "name": " 周末推文 "}
    manager = merchant.staff("manager")

    replies = [manager.post(path_of(activity), body, Idempotency_Key="a-key") for _ in range(2)]
    other = manager.post(path_of(activity), {**body, "name": "另一篇"}, Idempotency_Key="a-key")

    assert [reply.status for reply in replies] == [201, 201]
    share = replies[0].body
    assert share == replies[1].body
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    query = f"m={merchant.merchant_id}&a={activity.activity_id}&s={share['share_id']}"
    assert (share["name"], share["channel"]) == ("周末推文", "official_account")
    assert share["path"] == f"pages/activity/activity?{query}"
    assert share["link"].endswith(f"/a/{activity.activity_id}/{share['share_id']}")
    asked = f"/v1/merchant/activities/{activity.activity_id}/links?share_id={share['share_id']}"
    drawn = manager.get(asked).body
    assert (drawn["link"], drawn["scene"]) == (share["link"], f"s={share['share_id']}")
    visit = f"/v1/merchants/{merchant.merchant_id}/shares/{share['share_id']}/visits"
    assert merchant.visitor().post(visit, {"visitor_id": "visitor-one"}).body == {
        "group_id": "",
        "activity_id": activity.activity_id,
        "share_id": share["share_id"],
    }
    merchant.check_laws()


def test_what_is_no_share_of_the_shops_in_the_activity_is_not_found(
    merchant: MerchantFixture,
) -> None:
    activity, other = merchant.activity(stock=20), merchant.activity(stock=20)
    group_id, leader, _ = merchant.open_group(activity)
    of_other = made(merchant, other, "store", "海报")["share_id"]
    links = f"/v1/merchant/activities/{activity.activity_id}/links?share_id="

    replies = [
        merchant.owner().get(links + share_id)
        for share_id in (of_other, shared(leader, group_id), new_id())
    ]

    assert [reply.status for reply in replies] == [404] * 3
    missing = "/v1/merchant/activities/" + new_id() + "/shares"
    assert merchant.owner().get(missing).status == 404
    assert merchant.owner().post(missing, {"channel": "store", "name": "海报"}).status == 404


@pytest.mark.parametrize(
    "wrong",
    [{"channel": "friend"}, {"name": ""}, {"name": " "}, {"name": "长" * 21}],
)
def test_wrong_share_of_the_shops_is_refused(
    merchant: MerchantFixture, wrong: dict[str, str]
) -> None:
    activity = merchant.activity(stock=20)
    body = {"channel": "store", "name": "海报", **wrong}

    refused = merchant.owner().post(path_of(activity), body)

    assert (refused.status, refused.code) == (400, "invalid_request")
    assert merchant.owner().get(path_of(activity)).body["own"] == []


def test_an_activity_has_so_many_shares_of_the_shops_at_most(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.groups.shop_shares.SHARES_MAX", 2)
    activity = merchant.activity(stock=20)
    for name in ("海报", "传单"):
        made(merchant, activity, "store", name)

    refused = merchant.owner().post(path_of(activity), {"channel": "store", "name": "再一张"})

    assert (refused.status, refused.code, refused.body["details"]) == (409, "conflict", {"most": 2})


def test_who_may_not_know_what_the_shop_takes_in_is_told_no_amounts(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=20)
    group_id, leader, _ = merchant.open_group(activity)
    buyer = merchant.buyer()
    came(merchant, buyer, shared(leader, group_id))
    bought(merchant, activity, group_id, buyer)

    seen = [
        merchant.staff(role).get(path_of(activity)).body["total"]["last"]
        for role in ("manager", "service")
    ]

    assert [one["paid"] for one in seen] == [1, 1]
    assert [one["paid_fen"] for one in seen] == [5900, None]


def test_days_that_a_visit_counts_are_the_shops_to_say(merchant: MerchantFixture) -> None:
    settings = merchant.owner().get("/v1/merchant/settings").body
    asked = {name: settings[name] for name in ("name", "service_phone", "pay_by_s", "revision")}
    changed = merchant.owner().put("/v1/merchant/settings", asked | {"attribution_days": 1})
    assert changed.body["attribution_days"] == 1
    activity = merchant.activity(seats=9, stock=20, life_h=48)
    group_id, leader, _ = merchant.open_group(activity)
    buyers = [merchant.buyer() for _ in range(2)]
    for buyer in buyers:
        came(merchant, buyer, shared(leader, group_id))
    for buyer, later_s in zip(buyers, (86400, 1), strict=True):
        merchant.clock.forward(later_s)
        bought(merchant, activity, group_id, buyer)

    told = merchant.owner().get(path_of(activity)).body

    assert (told["days"], told["total"]["last"]["taken"]) == (1, 1)
