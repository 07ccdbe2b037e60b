"""API3, broken object property level authorisation: nothing is taken that is not asked for,
nothing is told that is not the reader's."""

import json
from typing import Any

import pytest

from app import OPERATIONS
from chalicelib.api.http import Audience, Operation
from tests.fixtures.merchant import ADDRESS
from tests.fixtures.two_merchants import TwoMerchants
from tests.security.operations import ask, body_for, caller_for, name_of, of

WITH_BODIES = [operation for operation in OPERATIONS if operation.body is not None]
WISHES: dict[str, Any] = {
    "total_fen": 1,
    "price_fen": 1,
    "unit_price_fen": 1,
    "discount_fen": 100,
    "coupon_id": "0" * 22,
    "points_fen": 10_000,
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


@pytest.mark.parametrize("operation", WITH_BODIES, ids=name_of)
def test_field_that_is_not_asked_for_is_refused(
    merchants: TwoMerchants, operation: Operation
) -> None:
    asked, body = ask(operation, merchants.ours), body_for(operation, merchants.ours)
    caller = caller_for(operation, merchants)

    answers = {}
    wishes = {name: value for name, value in WISHES.items() if name not in body}
    for name, value in wishes.items():
        reply = caller.call(
            operation.method, asked.path, body | {name: value}, Idempotency_Key="a-key-of-mine"
        )
        answers[name] = (reply.status, reply.code)

    assert answers == dict.fromkeys(wishes, (400, "invalid_request"))


@pytest.mark.parametrize("wish", [{"planet": "Earth"}, {"fee_fen": 0}, {"lng": 1.5}])
def test_address_takes_nothing_more(merchants: TwoMerchants, wish: dict[str, Any]) -> None:
    shop = merchants.ours

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
    merchants: TwoMerchants, name: str, field: str, wish: dict[str, Any]
) -> None:
    operation = next(o for o in OPERATIONS if o.name == name)
    body = body_for(operation, merchants.ours)
    body[field] = [one | wish for one in body[field]]

    reply = merchants.merchant.owner().post(operation.path, body)

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("query", ["merchant_id=x", "buyer_id=x", "limit=5&limit=6&admin=1"])
def test_query_takes_nothing_more(merchants: TwoMerchants, query: str) -> None:
    reply = merchants.ours.leader.get(f"/v1/orders?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_buyer_cannot_be_renamed_by_another(merchants: TwoMerchants) -> None:
    body = {"name": "新名字", "buyer_id": merchants.ours.member.buyer_id}

    reply = merchants.ours.outsider.put("/v1/me/profile", body)

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_public_answers_name_no_buyer(merchants: TwoMerchants) -> None:
    shop = merchants.ours
    base = f"/v1/merchants/{shop.merchant_id}"
    paths = [
        f"{base}/groups/{shop.group_id}",
        f"{base}/groups/{shop.group_id}/page",
        f"{base}/activities/{shop.activity.activity_id}",
        base,
    ]

    told = json.dumps([merchants.visitor().get(path).body for path in paths], ensure_ascii=False)

    own = {shop.leader.buyer_id, shop.member.buyer_id, shop.paid, shop.held, "团长", "小明"}
    assert [secret for secret in own if secret in told] == []
    assert "openid" not in told
    assert "phone" not in told.replace("service_phone", "")


@pytest.mark.parametrize(
    "operation", [o for o in of(Audience.STAFF) if o.method == "GET"], ids=name_of
)
def test_nothing_that_staff_read_holds_an_address_or_an_openid(
    merchants: TwoMerchants, operation: Operation
) -> None:
    """Who gets an order is told by a look on record alone."""
    reply = ask(operation, merchants.ours).by(merchants.merchant.owner())

    told = json.dumps(reply.body, ensure_ascii=False)
    assert reply.status == 200
    assert [
        secret for secret in (ADDRESS["phone"], ADDRESS["street"], "openid") if secret in told
    ] == []


def test_session_carries_no_more_than_it_needs(merchants: TwoMerchants) -> None:
    import jwt

    said = jwt.decode(merchants.ours.leader.token or "", options={"verify_signature": False})

    assert set(said) == {"m", "sub", "name", "iat", "exp", "aud"}
