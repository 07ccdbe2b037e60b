"""API1 and API8, page tokens: where a list goes on is the server's to say, for one reader."""

import base64
import json

import pytest

from app import OPERATIONS
from chalicelib.api import pages
from chalicelib.api.http import Operation
from chalicelib.domain.beijing import day_of
from chalicelib.services.orders.order_lists import Wish
from tests.fixtures.two_merchants import TwoMerchants
from tests.security.operations import ask, caller_for, name_of

LISTS = [
    operation
    for operation in OPERATIONS
    if operation.query is not None and "next" in operation.query.__struct_fields__
]
INVALID = (400, "invalid_request")


def real_token(merchants: TwoMerchants) -> str:
    """The second page of our leader's orders."""
    return str(merchants.ours.leader.get("/v1/orders?limit=1").body["next"])


def changed(token: str, place: int) -> str:
    other = "A" if token[place] != "A" else "B"
    return token[:place] + other + token[place + 1 :]


def unsigned(merchants: TwoMerchants) -> str:
    """The key itself, in a token's clothes."""
    key = {"pk": {"S": f"{merchants.theirs.merchant_id}#M"}, "sk": {"S": "staff#"}}
    body = json.dumps(key, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(b"\0" * 16 + body).decode().rstrip("=")


def tokens(merchants: TwoMerchants) -> dict[str, str]:
    """What none of our lists has given: as others made it, and as nobody did."""
    token = real_token(merchants)
    ours, theirs = merchants.ours, merchants.theirs
    key = {"pk": {"S": "x"}, "sk": {"S": "y"}}
    scopes = {
        "of_the_neighbours_orders": ("orders", theirs.merchant_id, theirs.leader.buyer_id),
        "of_another_buyers_orders": ("orders", ours.merchant_id, ours.member.buyer_id),
        "of_another_list": ("visitors", ours.merchant_id, ours.leader.buyer_id),
        "of_the_neighbours_products": ("products", theirs.merchant_id, ""),
        "of_two_parts_made_one": ("orders", f"{ours.merchant_id}\x1f{ours.leader.buyer_id}"[:-1]),
    }
    return {
        **{name: str(pages.token_of(key, *scope)) for name, scope in scopes.items()},
        "unsigned": unsigned(merchants),
        "cut_off": token[:-4],
        "longer": f"{token}AAAA",
        "other_first": changed(token, 0),
        "other_middle": changed(token, len(token) // 2),
        "nothing_but_a_signature": token[:22],
        "no_base64": "!!!!",
        "not_ascii": "%C3%A9%C3%A9",
        "short": "A",
        "four": "AAAA",
        "json": '{"pk":1}',
        "nul": "%00",
    }


@pytest.mark.parametrize("operation", LISTS, ids=name_of)
def test_token_that_the_list_has_not_given_is_refused(
    merchants: TwoMerchants, operation: Operation
) -> None:
    path, reader = ask(operation, merchants.ours).path, caller_for(operation, merchants)
    mark = "&" if "?" in path else "?"

    answers = {}
    for name, token in tokens(merchants).items():
        reply = reader.get(f"{path}{mark}next={token}")
        answers[name] = (reply.status, reply.body.get("code"))

    assert answers == dict.fromkeys(answers, INVALID)


def scope_of(operation: Operation, merchants: TwoMerchants) -> tuple[str, ...]:
    """What a token of our list is good for, when the list is asked for without a wish."""
    shop, buyer_id = merchants.ours.merchant_id, merchants.ours.leader.buyer_id
    month = f"{day_of(merchants.merchant.now_s):%Y%m}"
    return {
        "browse_activities": ("browse", shop, "", "", "ending", ""),
        "list_orders": ("orders", shop, buyer_id, ""),
        "list_messages": ("messages", shop, buyer_id),
        "read_own_data": ("data", shop, buyer_id),
        "read_own_points": ("points", shop, buyer_id),
        "read_buyer_points": ("points", shop, "owner", merchants.ours.fulfilling),
        "list_activities": ("activities", shop, "", "", ""),
        "list_audit": ("audit", shop, month, "", ""),
        "list_shop_groups": ("groups", shop, "open", "", ""),
        "list_after_sales": ("after_sales", shop, "requested"),
        "list_reconciliations": ("reconciliations", shop),
        "list_differences": ("differences", shop, "open"),
        "list_rejected_results": ("rejected_results", shop),
        "list_shop_orders": ("orders", shop, repr(Wish())),
        "list_products": ("products", shop, "", "", ""),
        "list_stock_adjustments": ("stock-adjustments", shop, merchants.ours.activity.product_id),
        "list_refunds": ("refunds", shop),
        "list_members": ("members", shop, "last", "", "", "0"),
        "list_rewards": ("rewards", shop),
        "list_invitations": ("invitations", shop, "held"),
        "list_exports": ("exports", shop),
        "list_shipping_batches": ("shipping batches", shop),
    }[operation.name]


@pytest.mark.parametrize("operation", LISTS, ids=name_of)
def test_token_says_whose_list_it_is_which_and_what_of_it(
    merchants: TwoMerchants, operation: Operation
) -> None:
    path, reader = ask(operation, merchants.ours).path, caller_for(operation, merchants)
    mark, whole = "&" if "?" in path else "?", scope_of(operation, merchants)
    parts = [(*whole[:n], *whole[n + 1 :]) for n in range(len(whole))]

    replies = [
        reader.get(f"{path}{mark}next={pages.token_of({}, *scope)}") for scope in (whole, *parts)
    ]

    assert [reply.status for reply in replies] == [200] + [400] * len(parts)


@pytest.mark.parametrize("limit", ["0", "-1", "51", "1e2", "1.5", "x", "", "１", "9" * 40, "true"])
def test_page_of_another_size_is_refused(merchants: TwoMerchants, limit: str) -> None:
    for operation in LISTS:
        path = ask(operation, merchants.ours).path
        mark = "&" if "?" in path else "?"

        reply = caller_for(operation, merchants).get(f"{path}{mark}limit={limit}")

        assert (reply.status, reply.code) == INVALID, operation.name


def test_token_with_another_limit_goes_on_in_the_same_list(merchants: TwoMerchants) -> None:
    leader, token = merchants.ours.leader, real_token(merchants)

    pages_seen = [leader.get(f"/v1/orders?limit={n}&next={token}").body["items"] for n in (1, 50)]

    ids = [item["order_id"] for items in pages_seen for item in items]
    assert len(pages_seen[0]) == 1
    assert len(pages_seen[1]) >= 2
    assert {order_id[:22] for order_id in ids} == {leader.buyer_id}
    assert leader.get("/v1/orders?limit=1").body["items"][0]["order_id"] not in ids


@pytest.mark.parametrize("audience", ["buyer of the same shop", "neighbour", "owner", "visitor"])
def test_token_is_of_use_to_its_reader_alone(merchants: TwoMerchants, audience: str) -> None:
    token = real_token(merchants)
    snoop = {
        "buyer of the same shop": merchants.ours.outsider,
        "neighbour": merchants.theirs.leader,
        "owner": merchants.merchant.owner(),
        "visitor": merchants.visitor(),
    }[audience]

    reply = snoop.get(f"/v1/orders?next={token}")

    assert reply.status in (400, 401)
