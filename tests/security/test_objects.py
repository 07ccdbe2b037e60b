"""API1, broken object level authorisation: what is not one's own does not exist.

Every operation with an id in its path is tried with the ids of the other merchant, and answers
as it answers to an id that nobody has.
"""

import json
from typing import Any

import pytest

from app import OPERATIONS
from chalicelib.api.http import Audience, Operation
from chalicelib.domain.ids import new_id
from tests.fixtures.merchant import ADDRESS, Reply
from tests.fixtures.two_merchants import SeededMerchant, TwoMerchants
from tests.security.operations import Ask, ask, caller_for, name_of, named, of, path_ids

NOT_FOUND = (404, "not_found")
WITH_IDS = [operation for operation in OPERATIONS if path_ids(operation)]


def unknown(shop: SeededMerchant) -> dict[str, str]:
    """Ids of the same form as the shop's, that nobody has."""
    alike = {
        "order_id": f"{new_id()}{shop.paid[22:]}",
        "payment_no": f"{new_id()}{shop.paid[22:]}01",
        "out_refund_no": f"{new_id()}{shop.failed_refund[22:]}",
        "after_sale_id": f"{new_id()}{shop.after_sale_id[22:]}",
    }
    return {name: alike.get(name) or new_id() for name in shop.ids if name != "letter"}


def those(operation: Operation, ids: dict[str, str], *but: str) -> dict[str, str]:
    return {name: ids[name] for name in path_ids(operation) if name in ids and name not in but}


def same(one: Reply, other: Reply) -> bool:
    return (one.status, one.body, dict(one.headers)) == (
        other.status,
        other.body,
        dict(other.headers),
    )


def trials(operation: Operation, merchants: TwoMerchants) -> tuple[Ask, Ask]:
    """The operation with the neighbour's ids, and with nobody's, in our own shop's name."""
    theirs = {k: v for k, v in merchants.theirs.ids.items() if k != "letter"}
    return (
        ask(operation, merchants.ours, **those(operation, theirs, "merchant_id")),
        ask(operation, merchants.ours, **those(operation, unknown(merchants.ours), "merchant_id")),
    )


@pytest.mark.parametrize(
    "operation",
    [o for o in WITH_IDS if set(path_ids(o)) - {"merchant_id"} and o.name != "read_link"],
    ids=name_of,
)
def test_what_the_shop_next_door_has_does_not_exist(
    merchants: TwoMerchants, operation: Operation
) -> None:
    foreign, nobodys = trials(operation, merchants)
    caller = caller_for(operation, merchants)

    replies = [foreign.by(caller), nobodys.by(caller)]

    assert [(reply.status, reply.code) for reply in replies] == [NOT_FOUND] * 2
    assert same(*replies)


def test_link_tells_nothing_of_what_the_shop_next_door_has(merchants: TwoMerchants) -> None:
    (operation,) = (o for o in WITH_IDS if o.name == "read_link")

    theirs, nothing = merchants.theirs.ids, unknown(merchants.ours)

    foreign, nobodys = (
        ask(operation, merchants.ours, **those(operation, ids, "merchant_id", "link_kind")).by(
            merchants.visitor()
        )
        for ids in (theirs, nothing)
    )

    for name in ("target_id", "share_id"):
        foreign.body = foreign.body.replace(theirs[name], nothing[name])
    assert foreign.status == 200
    assert same(foreign, nobodys)


@pytest.mark.parametrize(
    "operation", [o for o in WITH_IDS if set(path_ids(o)) - {"merchant_id"}], ids=name_of
)
def test_what_is_the_id_of_nothing_does_not_exist(
    merchants: TwoMerchants, operation: Operation
) -> None:
    nonsense = those(operation, dict.fromkeys(merchants.ours.ids, "nonsense"), "merchant_id")

    reply = ask(operation, merchants.ours, **nonsense).by(caller_for(operation, merchants))

    assert (reply.status, reply.code) == NOT_FOUND


@pytest.mark.parametrize(
    "operation", [o for o in of(Audience.BUYER) if "order_id" in path_ids(o)], ids=name_of
)
def test_another_buyers_order_does_not_exist(merchants: TwoMerchants, operation: Operation) -> None:
    asked = [
        ask(operation, merchants.ours, order_id=i)
        for i in (merchants.ours.paid, merchants.ours.held)
    ]
    nobodys = ask(operation, merchants.ours, order_id=unknown(merchants.ours)["order_id"])
    snoops = (merchants.ours.outsider, merchants.theirs.leader)

    replies = [one.by(snoop) for one in [*asked, nobodys] for snoop in snoops]

    assert {(reply.status, reply.code) for reply in replies} == {NOT_FOUND}
    assert all(same(reply, replies[0]) for reply in replies)


def test_members_of_one_group_cannot_touch_each_others_orders(merchants: TwoMerchants) -> None:
    shop = merchants.ours
    names = ("read_order", "pay", "cancel")

    replies = [
        *(ask(named(name), shop, order_id=shop.held).by(shop.leader) for name in names),
        *(ask(named(name), shop, order_id=shop.paid).by(shop.member) for name in names),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [NOT_FOUND] * 6


def test_order_of_one_buyer_under_the_id_of_another_does_not_exist(merchants: TwoMerchants) -> None:
    shop = merchants.ours
    mixed = shop.outsider.buyer_id + shop.paid[22:]

    reply = shop.outsider.get(f"/v1/orders/{mixed}")

    assert (reply.status, reply.code) == NOT_FOUND


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.query is not None], ids=name_of)
def test_no_list_shows_what_is_the_neighbours(
    merchants: TwoMerchants, operation: Operation
) -> None:
    asked = ask(operation, merchants.ours)
    snoop = {
        Audience.BUYER: merchants.theirs.leader,
        Audience.STAFF: merchants.theirs.merchant.owner(),
    }.get(operation.audience)
    if (
        snoop is None
    ):  # a public list of a shop: asked for the neighbour's, it shows the neighbour's
        snoop, asked = merchants.visitor(), ask(operation, merchants.theirs)

    told = json.dumps(asked.by(snoop).body, ensure_ascii=False)

    assert not [secret for secret in merchants.ours.secrets - {"西溪花园"} if secret in told]


def test_messages_of_others_are_not_among_ones_own(merchants: TwoMerchants) -> None:
    shop = merchants.ours

    told = {who.buyer_id: who.get("/v1/me/messages").body for who in (shop.outsider, shop.leader)}

    assert told[shop.outsider.buyer_id] == {"items": [], "next": None}
    orders = {item["order_id"][:22] for item in told[shop.leader.buyer_id]["items"]}
    assert orders == {shop.leader.buyer_id}


def test_share_of_a_group_that_is_not_the_shops_own_cannot_be_made(merchants: TwoMerchants) -> None:
    replies = [
        merchants.ours.leader.post(f"/v1/groups/{group_id}/shares", {"channel": "chat"})
        for group_id in (merchants.theirs.group_id, new_id())
    ]

    assert [(reply.status, reply.code) for reply in replies] == [NOT_FOUND] * 2
    assert same(*replies)


def test_group_that_its_leader_has_not_paid_is_seen_by_nobody(merchants: TwoMerchants) -> None:
    shop = merchants.ours
    opened = shop.outsider.open(shop.activity)
    group_id = opened.body["group_id"]
    merchants.changes()

    replies = [
        *(
            ask(named(name), shop, group_id=group_id).by(merchants.visitor())
            for name in ("read_group", "read_group_page")
        ),
        ask(named("share"), shop, group_id=group_id).by(shop.outsider),
    ]
    joined = ask(named("join_group"), shop, group_id=group_id).by(shop.member)

    assert [(reply.status, reply.code) for reply in replies] == [NOT_FOUND] * 3
    assert (joined.status, joined.code) in (NOT_FOUND, (409, "group_closed"))


def purchase(shop: SeededMerchant, **changes: Any) -> dict[str, Any]:
    return {"sku_id": shop.activity.sku_id, "address": ADDRESS} | changes


@pytest.mark.parametrize("what", ["open", "join", "buy_alone"])
@pytest.mark.parametrize("sku", ["of_the_neighbour", "of_another_activity", "unknown"])
def test_sku_that_the_activity_does_not_sell_cannot_be_bought(
    merchants: TwoMerchants, what: str, sku: str
) -> None:
    shop = merchants.ours
    other = merchants.visitor().get(_group_path(shop, shop.formed_group_id)).body["activity_id"]
    foreign = merchants.visitor().get(f"/v1/merchants/{shop.merchant_id}/activities/{other}").body
    sku_id = {
        "of_the_neighbour": merchants.theirs.activity.sku_id,
        "of_another_activity": foreign["skus"][0]["sku_id"],
        "unknown": new_id(),
    }[sku]
    path = {
        "open": f"/v1/activities/{shop.activity.activity_id}/groups",
        "join": f"/v1/groups/{shop.group_id}/seats",
        "buy_alone": f"/v1/activities/{shop.activity.activity_id}/orders",
    }[what]

    reply = shop.outsider.post(path, purchase(shop, sku_id=sku_id), Idempotency_Key="a-key-of-mine")

    assert (reply.status, reply.code) in (NOT_FOUND, (400, "invalid_request"))


@pytest.mark.parametrize("hint", ["of_the_neighbour", "of_another_activity", "unknown", "version"])
def test_hint_cannot_bring_other_terms_into_a_join(merchants: TwoMerchants, hint: str) -> None:
    """A wrong hint costs a read, and is replaced by what the group says: the SKU is not there."""
    shop = merchants.ours
    group = merchants.visitor().get(_group_path(shop, shop.formed_group_id)).body
    activity_id, version = {
        "of_the_neighbour": (merchants.theirs.activity.activity_id, 1),
        "of_another_activity": (group["activity_id"], 1),
        "unknown": (new_id(), 1),
        "version": (shop.activity.activity_id, 99_999),
    }[hint]
    path = f"/v1/merchants/{shop.merchant_id}/activities/{group['activity_id']}"
    cheap_sku = merchants.visitor().get(path).body["skus"][0]["sku_id"]
    body = purchase(shop, sku_id=cheap_sku, activity_id=activity_id, version=version)

    reply = shop.outsider.post(f"/v1/groups/{shop.group_id}/seats", body)

    assert (reply.status, reply.code) in (NOT_FOUND, (400, "invalid_request"))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("create_product", "category_id"),
        ("publish_activity", "product_id"),
        ("adjust_stock", "sku_id"),
        ("add_activity_stock", "sku_id"),
    ],
)
def test_id_of_the_neighbour_in_a_body_of_staff_is_refused(
    merchants: TwoMerchants, name: str, field: str
) -> None:
    asked = ask(named(name), merchants.ours)
    body = json.loads(asked.body or b"{}") | {field: ask_ids(merchants)[field]}

    reply = merchants.merchant.owner().call(asked.operation.method, asked.path, body)

    assert (reply.status, reply.code) in (NOT_FOUND, (400, "invalid_request"))


def test_recipient_of_the_neighbours_order_does_not_exist(merchants: TwoMerchants) -> None:
    owner, ours = merchants.merchant.owner(), merchants.ours.fulfilling
    orders = (merchants.theirs.fulfilling, unknown(merchants.ours)["order_id"])

    replies = [
        owner.post("/v1/merchant/recipients", {"order_ids": ids, "purpose": purpose})
        for other in orders
        for ids, purpose in (([other], "view"), ([ours, other], "print"))
    ]

    assert [(reply.status, reply.code) for reply in replies] == [NOT_FOUND] * 4
    assert all(same(reply, replies[0]) for reply in replies)


def ask_ids(merchants: TwoMerchants) -> dict[str, str]:
    return merchants.theirs.ids | {"sku_id": merchants.theirs.activity.sku_id}


def _group_path(shop: SeededMerchant, group_id: str) -> str:
    return f"/v1/merchants/{shop.merchant_id}/groups/{group_id}"
