"""API3, broken object property level authorisation: nothing is taken that is not asked for,
nothing is told that is not the reader's."""

import json
from typing import Any

import pytest

from app import OPERATIONS
from chalicelib.api.http import Audience, Operation
from tests.security.operations import ask, body_for, name_of, of
from tests.security.street import Street
from tests.support import ADDRESS, Caller

WITH_BODIES = [operation for operation in OPERATIONS if operation.body is not None]
WISHES: dict[str, Any] = {
    "total_fen": 1,
    "price_fen": 1,
    "unit_price_fen": 1,
    "discount_fen": 100,
    "coupon_id": "0" * 22,
    "points": 10_000,
    "merchant_id": "0" * 22,
    "buyer_id": "0" * 22,
    "role_id": "owner",
    "status": "paid",
    "paid": True,
    "is_admin": True,
    "__proto__": {"role": "owner"},
    "kind": "order",
    "pk": "m#B#b",
}


def caller_for(operation: Operation, street: Street) -> Caller:
    if operation.audience is Audience.BUYER:
        return street.ours.outsider
    return street.town.owner() if operation.audience is Audience.STAFF else street.visitor()


@pytest.mark.parametrize("operation", WITH_BODIES, ids=name_of)
def test_field_that_is_not_asked_for_is_refused(street: Street, operation: Operation) -> None:
    asked, body = ask(operation, street.ours), body_for(operation, street.ours)
    caller = caller_for(operation, street)

    answers = {}
    wishes = {name: value for name, value in WISHES.items() if name not in body}
    for name, value in wishes.items():
        reply = caller.call(
            operation.method, asked.path, body | {name: value}, Idempotency_Key="a-key-of-mine"
        )
        answers[name] = (reply.status, reply.code)

    assert answers == dict.fromkeys(wishes, (400, "invalid_request"))


@pytest.mark.parametrize("wish", [{"planet": "Earth"}, {"fee_fen": 0}, {"lng": 1.5}])
def test_address_takes_nothing_more(street: Street, wish: dict[str, Any]) -> None:
    shop = street.ours

    reply = shop.outsider.open(shop.activity, address=ADDRESS | wish)

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("name", "field", "wish"),
    [
        ("create_product", "skus", {"available": 10_000}),
        ("create_product", "skus", {"group_price_fen": 1}),
        ("publish_activity", "skus", {"solo_price_fen": 1}),
        ("publish_activity", "skus", {"buckets": 1}),
    ],
)
def test_sku_takes_nothing_more(
    street: Street, name: str, field: str, wish: dict[str, Any]
) -> None:
    operation = next(o for o in OPERATIONS if o.name == name)
    body = body_for(operation, street.ours)
    body[field] = [one | wish for one in body[field]]

    reply = street.town.owner().post(operation.path, body)

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("query", ["merchant_id=x", "buyer_id=x", "limit=5&limit=6&admin=1"])
def test_query_takes_nothing_more(street: Street, query: str) -> None:
    reply = street.ours.leader.get(f"/v1/orders?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_buyer_cannot_be_renamed_by_another(street: Street) -> None:
    body = {"name": "新名字", "buyer_id": street.ours.member.buyer_id}

    reply = street.ours.outsider.put("/v1/me/profile", body)

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_public_answers_name_no_buyer(street: Street) -> None:
    shop = street.ours
    base = f"/v1/merchants/{shop.merchant_id}"
    paths = [
        f"{base}/groups/{shop.group_id}",
        f"{base}/groups/{shop.group_id}/members",
        f"{base}/activities/{shop.activity.activity_id}",
        base,
    ]

    told = json.dumps([street.visitor().get(path).body for path in paths], ensure_ascii=False)

    own = {shop.leader.buyer_id, shop.member.buyer_id, shop.paid, shop.held, "团长", "小明"}
    assert [secret for secret in own if secret in told] == []
    assert "openid" not in told
    assert "phone" not in told.replace("service_phone", "")


@pytest.mark.parametrize(
    "operation", [o for o in of(Audience.STAFF) if o.method == "GET"], ids=name_of
)
def test_nothing_that_staff_read_holds_an_address_or_an_openid(
    street: Street, operation: Operation
) -> None:
    """Who gets an order is told by a look on record alone."""
    reply = ask(operation, street.ours).by(street.town.owner())

    told = json.dumps(reply.body, ensure_ascii=False)
    assert reply.status == 200
    assert [
        secret for secret in (ADDRESS["phone"], ADDRESS["street"], "openid") if secret in told
    ] == []


def test_session_carries_no_more_than_it_needs(street: Street) -> None:
    import jwt

    said = jwt.decode(street.ours.leader.token or "", options={"verify_signature": False})

    assert set(said) == {"m", "sub", "name", "iat", "exp", "aud"}
