"""API6, unrestricted access to sensitive business flows: what is bought, how much of it, how often.

Every purchase is tried with every number that is none, at all three ways to buy.
"""

import json
from typing import Any

import pytest

from chalicelib.api import limits
from chalicelib.api.http import Audience, Operation
from tests.fixtures.merchant import ADDRESS, Reply
from tests.fixtures.two_merchants import SeededMerchant, TwoMerchants
from tests.security.operations import ask, name_of, named, of

INVALID = (400, "invalid_request")
WAYS = ("open", "join", "buy_alone")
QUANTITIES = {
    "negative": "-1",
    "zero": "0",
    "beyond_the_limit_per_order": "6",
    "a_thousand": "1000",
    "huge": "1" + "0" * 30,
    "beyond_every_integer": "9" * 5000,
    "half": "0.5",
    "one_and_a_half": "1.5",
    "scientific": "1e3",
    "text": '"1"',
    "full_width": '"１"',
    "arabic_digits": '"١"',
    "empty_text": '""',
    "true": "true",
    "null": "null",
    "not_a_number": "NaN",
    "infinity": "Infinity",
    "minus_infinity": "-Infinity",
    "list": "[1]",
    "object": '{"$gt": 0}',
    "hexadecimal": "0x1",
    "octal": "01",
    "plus": "+1",
}
AMOUNTS = ("-1", "0.5", '"100"', "NaN", "true", "null", "1" + "0" * 30, "9" * 5000)


def path_to(what: str, shop: SeededMerchant) -> str:
    return {
        "open": f"/v1/activities/{shop.activity.activity_id}/groups",
        "join": f"/v1/groups/{shop.group_id}/seats",
        "buy_alone": f"/v1/activities/{shop.activity.activity_id}/orders",
    }[what]


def buy(shop: SeededMerchant, what: str, body: bytes) -> Reply:
    return shop.outsider.post(path_to(what, shop), body, Idempotency_Key="a-key-of-mine")


def with_raw(body: dict[str, Any], field: str, raw: str) -> bytes:
    """The body with `raw` as it stands for the value of the field."""
    return json.dumps(body | {field: "VALUE"}).replace('"VALUE"', raw).encode()


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("what", WAYS)
def test_quantity_that_is_none_buys_nothing(
    merchants: TwoMerchants, what: str, quantity: str
) -> None:
    shop = merchants.ours
    body = {"sku_id": shop.activity.sku_id, "address": ADDRESS}

    reply = buy(shop, what, with_raw(body, "quantity", QUANTITIES[quantity]))

    assert (reply.status, reply.code) == INVALID


@pytest.mark.parametrize("version", ["0", "-1", "1.5", '"1"', "9" * 5000])
def test_version_that_is_none_is_refused(merchants: TwoMerchants, version: str) -> None:
    shop = merchants.ours
    body = {
        "sku_id": shop.activity.sku_id,
        "address": ADDRESS,
        "activity_id": shop.activity.activity_id,
    }

    reply = buy(shop, "join", with_raw(body, "version", version))

    assert (reply.status, reply.code) == INVALID


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        (
            "/v1/merchant/products",
            "solo_price_fen",
            {"specs": {"规格": "1斤装"}, "list_price_fen": 2, "stock": 1},
        ),
        (
            "/v1/merchant/products",
            "stock",
            {"specs": {"规格": "1斤装"}, "list_price_fen": 2, "solo_price_fen": 1},
        ),
    ],
)
def test_price_or_stock_that_is_none_makes_no_product(
    merchants: TwoMerchants, path: str, field: str, body: dict[str, Any], amount: str
) -> None:
    sku = with_raw(body, field, amount).decode()
    product = {"title": "苹果", "category_id": merchants.merchant.category_id, "skus": ["SKU"]}

    reply = merchants.merchant.owner().post(
        path, json.dumps(product).replace('"SKU"', sku).encode()
    )

    if (field, amount) == ("stock", "null"):  # a new SKU brings its stock: told by the domain
        assert reply.body["details"]["problems"]
    assert (reply.status, reply.code) == INVALID


@pytest.mark.parametrize("amount", [*AMOUNTS, "0", "12900", "9900"])
def test_group_price_that_is_no_discount_publishes_nothing(
    merchants: TwoMerchants, amount: str
) -> None:
    shop = merchants.ours
    sku = with_raw({"sku_id": shop.activity.sku_id, "stock": 1}, "group_price_fen", amount)
    body = {
        "product_id": shop.activity.product_id,
        "title": "团",
        "skus": ["SKU"],
        "seats_total": 2,
        "life_h": 24,
        "ends_at_s": merchants.merchant.now_s + 86400,
    }

    reply = merchants.merchant.owner().post(
        "/v1/merchant/activities", json.dumps(body).replace('"SKU"', sku.decode()).encode()
    )

    assert (reply.status, reply.code) in (INVALID, (409, "activity_overlaps"))


@pytest.mark.parametrize("delta", ["-81", "1.5", "NaN", '"1"', "null", "9" * 5000, "-10000000"])
def test_stock_cannot_be_taken_below_nothing(merchants: TwoMerchants, delta: str) -> None:
    shop = merchants.ours
    body = with_raw({"sku_id": shop.activity.sku_id, "reason": "盘点"}, "delta", delta)
    path = f"/v1/merchant/products/{shop.activity.product_id}/stock-adjustments"

    reply = merchants.merchant.owner().post(path, body)

    assert (reply.status, reply.code) in (INVALID, (409, "sold_out"))


@pytest.mark.parametrize("amount", [*AMOUNTS, "0", "5901", "10000000"])
def test_more_than_was_paid_cannot_be_asked_back(merchants: TwoMerchants, amount: str) -> None:
    shop = merchants.ours
    body = with_raw({"reason": "damaged"}, "amount_fen", amount)

    reply = shop.leader.post(f"/v1/orders/{shop.fulfilling}/after-sales", body)

    assert reply.status in (400, 409)


@pytest.mark.parametrize("what", WAYS)
def test_price_is_the_shops_and_is_not_among_what_is_sent(
    merchants: TwoMerchants, what: str
) -> None:
    shop = merchants.ours
    body = {"sku_id": shop.activity.sku_id, "address": ADDRESS, "total_fen": 1}

    reply = buy(shop, what, json.dumps(body).encode())

    assert (reply.status, reply.code) == INVALID
    assert "total_fen" in str(reply.body["details"])


def test_order_that_is_paid_is_not_paid_or_cancelled_again(merchants: TwoMerchants) -> None:
    shop = merchants.ours

    replies = [
        shop.leader.ask_to_pay(shop.paid),
        shop.leader.ask_to_pay(shop.fulfilling),
        shop.leader.cancel(shop.fulfilling),
    ]

    assert [reply.status for reply in replies] == [409] * 3


def test_seat_that_one_has_is_not_taken_twice(merchants: TwoMerchants) -> None:
    shop = merchants.ours

    again = shop.member.join(shop.activity, shop.group_id, quantity=5)

    assert (again.status, again.body["order_id"]) == (201, shop.held)


@pytest.mark.parametrize("what", WAYS)
def test_hasty_buyer_is_held_back(merchants: TwoMerchants, what: str) -> None:
    shop = merchants.ours

    replies = [buy(shop, what, b"{}") for _ in range(limits.PURCHASES.window.times + 1)]

    assert {reply.code for reply in replies[:-1]} == {"invalid_request"}
    assert (replies[-1].status, replies[-1].code) == (429, "too_many_requests")
    assert int(replies[-1].headers["retry-after"]) == 60


def test_visits_from_one_address_are_held_back(merchants: TwoMerchants) -> None:
    path = f"/v1/merchants/{merchants.ours.merchant_id}/shares/{merchants.ours.share_id}/visits"

    replies = [
        merchants.visitor().post(path, b"{}", X_Forwarded_For=f"203.0.113.{number % 250}")
        for number in range(limits.VISITS.window.times + 1)
    ]

    assert (replies[-1].status, replies[-1].code) == (429, "too_many_requests")
    assert {reply.code for reply in replies[:-1]} == {"invalid_request"}


@pytest.mark.parametrize("key", ["", "short", "k" * 65, "key with ü", "７７７７７７７７"])
@pytest.mark.parametrize("what", ["open", "buy_alone"])
def test_purchase_without_a_right_key_is_refused(
    merchants: TwoMerchants, what: str, key: str
) -> None:
    shop = merchants.ours
    body = {"sku_id": shop.activity.sku_id, "address": ADDRESS}

    reply = shop.outsider.post(path_to(what, shop), body, Idempotency_Key=key)

    assert (reply.status, reply.code) == INVALID


@pytest.mark.parametrize("key", ["", "k" * 65, "key with ü", "７７７７７７７７"])
def test_wrong_key_of_staff_makes_nothing(merchants: TwoMerchants, key: str) -> None:
    asked = ask(named("create_store"), merchants.ours)

    reply = asked.by(merchants.merchant.owner(), Idempotency_Key=key)

    assert (reply.status, reply.code) == INVALID
    assert reply.body["details"] == {"field": "Idempotency-Key"}


@pytest.mark.parametrize("what", ["open", "buy_alone"])
def test_key_gives_nobody_the_answer_of_another_body_or_buyer(
    merchants: TwoMerchants, what: str
) -> None:
    shop, path, key = merchants.ours, path_to(what, merchants.ours), f"{what}-the-same-key"
    body = {"sku_id": shop.activity.sku_id, "address": ADDRESS}
    first = shop.outsider.post(path, body, Idempotency_Key=key)
    assert first.status == 201
    merchants.changes()

    other_body = shop.outsider.post(path, body | {"remark": "别的"}, Idempotency_Key=key)
    again = shop.outsider.post(path, body, Idempotency_Key=key)

    assert (other_body.status, other_body.code) == (422, "idempotency_mismatch")
    assert again.body == first.body
    assert merchants.changes() == {}
    other_buyer = shop.member.post(path, body | {"remark": "别的"}, Idempotency_Key=key)
    assert other_buyer.body["order_id"][:22] == shop.member.buyer_id
    merchants.changes()


WITH_KEYS = [o for o in of(Audience.STAFF) if "Idempotency-Key" in o.headers and o.body]


@pytest.mark.parametrize("operation", WITH_KEYS, ids=name_of)
def test_key_of_staff_makes_one_thing_of_one_body(
    merchants: TwoMerchants, operation: Operation
) -> None:
    """Another body under the same key is refused, not answered with what the first one made."""
    ids = {}
    if operation.name == "write_coupon_codes":
        ids = {"coupon_template_id": merchants.ours.coded_template_id}
    owner, asked = merchants.merchant.owner(), ask(operation, merchants.ours, **ids)
    body, key = json.loads(asked.body or b"{}"), f"{operation.name}-the-same-key"
    if operation.name == "publish_activity":  # after the one that sells the SKU now
        body["starts_at_s"] = merchants.merchant.now_s + 7 * 86400
    if operation.name == "refund_order":  # which waits for the request that is open
        refusal = f"/v1/merchant/after-sales/{merchants.ours.after_sale_id}/refusal"
        owner.post(refusal, {"reply": "不退"})
    wishes: dict[str, Any] = {
        **dict.fromkeys(("name", "title", "text", "reason"), "别的"),
        **dict.fromkeys(("delta", "quantity", "count"), 2),
        "columns": ["tracking"],
    }
    other = body | {name: value for name, value in wishes.items() if name in body}
    first = owner.post(asked.path, body, Idempotency_Key=key)
    merchants.changes()

    replies = [owner.post(asked.path, one, Idempotency_Key=key) for one in (other, body)]

    assert first.status in (200, 201), first.body
    assert (replies[0].status, replies[0].code) == (422, "idempotency_mismatch")
    assert replies[1].status == first.status
    assert merchants.changes() == {}
