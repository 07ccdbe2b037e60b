"""Requests to every operation that the app declares: a new operation is tried like the others."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from app import OPERATIONS, app
from chalicelib.api.http import Audience, Operation
from chalicelib.domain.rights import Role
from chalicelib.settings import settings
from tests.fixtures.merchant import ADDRESS, Caller, Reply
from tests.fixtures.two_merchants import SeededMerchant, TwoMerchants

HEADERS = {"Idempotency-Key": "a-key-of-mine"}

# Values that their type alone does not tell, by the name of the field.
VALUES: Mapping[str, Callable[[SeededMerchant], Any]] = {
    "sku_id": lambda shop: shop.activity.sku_id,
    "category_id": lambda shop: shop.merchant.category_id,
    "product_id": lambda shop: shop.activity.product_id,
    "activity_id": lambda shop: shop.activity.activity_id,
    "address": lambda shop: ADDRESS,
    "buyer_ids": lambda shop: [shop.leader.buyer_id],
    "add": lambda shop: [shop.tag_id],
    "remove": lambda shop: [],
    "order_ids": lambda shop: [shop.fulfilling],
    "username": lambda shop: "newcomer",
    "password": lambda shop: "correct horse battery",
    "disabled": lambda shop: False,
    "texts": lambda shop: {"formed": "「{商品}」成团啦。"},
    "template_ids": lambda shop: ["a-template-of-another-shop"],
    "template_id": lambda shop: shop.coupon_template_id,
    "name": lambda shop: "名字",
    "code": lambda shop: "wrong-code",
    "nonce": lambda shop: "a-secret-of-the-client",
    "return_path": lambda shop: "/",
    "state": lambda shop: "x" * 28,
    "device_id": lambda shop: "device-0001",
    "carrier": lambda shop: "SF",
    "number": lambda shop: "SF1234567890123",
    "check_only": lambda shop: True,
    "proof": lambda shop: "流水号 1",
    "note": lambda shop: "已核对",
    "url": lambda shop: f"{settings.web_url}/",
    "visitor_id": lambda shop: "visitor-0001",
    "share_ids": lambda shop: [shop.share_id],
    "service_phone": lambda shop: "400-800-1234",
    "phone": lambda shop: ADDRESS["phone"],
    "on_sale": lambda shop: False,
    "offered": lambda shop: True,
    "specs": lambda shop: {"规格": "1斤装"},
    "seats_total": lambda shop: 3,
    "life_h": lambda shop: 24,
    "ends_at_s": lambda shop: shop.merchant.now_s + 8 * 86400,
    "list_price_fen": lambda shop: 12900,
    "solo_price_fen": lambda shop: 9900,
    "columns": lambda shop: ["order_id"],
    "group_price_fen": lambda shop: 5900,
}


STORE = {"name": "西湖店", "address": "文一西路 1 号", "phone": "0571-88880000"}
# Fields that may be left out, but not by who wants the request to succeed; and what their name
# alone does not tell.
WANTED: Mapping[str, Mapping[str, Any]] = {
    "SkuInput": {"stock": 1},
    "ActivitySkuInput": {"stock": 3},
    "PurchaseRequest": {"address": ADDRESS},
    "JoinRequest": {"address": ADDRESS},
    "OpenRequest": {"address": ADDRESS},
    "QuoteRequest": {"province": ADDRESS["province"]},
    "StoreInput": STORE,
    "CouponInput": {"off_fen": 100, "days": 7},
    "PointsOfferInput": {"points": 100, "price_fen": 1, "total": 1},
    "StoreChange": STORE,
    "AgreementsChange": {"texts": {"user": "协议"}},
    "CodeRequest": {"code": "00000000"},
    "TotpConfirmation": {"code": "000000"},
    "PhoneLoginRequest": {"code": "000000"},
}


@dataclass(frozen=True)
class Ask:
    """A request that the operation would take from somebody who may make it."""

    operation: Operation
    path: str
    body: bytes | None

    def by(self, caller: Caller, **headers: str) -> Reply:
        keyed = HEADERS if "Idempotency-Key" in self.operation.headers else {}
        sent = {"Content-Type": type_of(self.operation), **keyed, **headers}
        return caller.call(self.operation.method, self.path, self.body, **sent)


def ask(operation: Operation, shop: SeededMerchant, **ids: str) -> Ask:
    """A request to the operation about what the shop has; `ids`: others in its path."""
    path = operation.path.format(**(shop.ids | ids))
    query = _query(operation, shop)
    body = body_for(operation, shop)
    raw = None if body is None else json.dumps(body).encode()
    return Ask(operation, f"{path}?{query}" if query else path, raw)


def body_for(operation: Operation, shop: SeededMerchant) -> Any:
    """The smallest body that the operation takes; None when it takes none."""
    return None if operation.body is None else _struct(operation.body, shop)


def type_of(operation: Operation) -> str:
    """The content type that the operation's route takes."""
    return str(app.routes[operation.path][operation.method].content_types[0])


def caller_for(operation: Operation, merchants: TwoMerchants) -> Caller:
    """Somebody of our shop who may ask: a buyer with orders, its owner, or anybody."""
    if operation.audience is Audience.BUYER:
        return merchants.ours.leader
    return (
        merchants.merchant.owner() if operation.audience is Audience.STAFF else merchants.visitor()
    )


def path_ids(operation: Operation) -> list[str]:
    return re.findall(r"{(\w+)}", operation.path)


def of(audience: Audience) -> list[Operation]:
    return [operation for operation in OPERATIONS if operation.audience is audience]


def named(name: str) -> Operation:
    return next(operation for operation in OPERATIONS if operation.name == name)


def name_of(value: object) -> str | None:
    """The name of an operation or a role, for the ids of parametrised cases."""
    if isinstance(value, Operation):
        return value.name
    return value.value if isinstance(value, Role) else None


def _query(operation: Operation, shop: SeededMerchant) -> str:
    if operation.query is None:
        return ""
    required = _struct(operation.query, shop)
    return "&".join(f"{name}={value}" for name, value in required.items())


def _struct(schema: type[msgspec.Struct], shop: SeededMerchant) -> dict[str, Any]:
    info = inspect.type_info(schema)
    assert isinstance(info, inspect.StructType)
    required = {
        field.encode_name: _value(field.encode_name, field.type, shop)
        for field in info.fields
        if field.required
    }
    return {**required, **WANTED.get(schema.__name__, {})}


def _value(name: str, kind: inspect.Type, shop: SeededMerchant) -> Any:
    if name in VALUES:
        return VALUES[name](shop)
    if isinstance(kind, inspect.Metadata):
        return _value(name, kind.type, shop)
    if isinstance(kind, inspect.StructType):
        return _struct(kind.cls, shop)
    if isinstance(kind, inspect.ListType):
        return [_value(name, kind.item_type, shop)]
    if isinstance(kind, inspect.IntType):
        return max(1, kind.ge or 0)
    if isinstance(kind, inspect.LiteralType | inspect.EnumType):
        return _first(kind)
    assert isinstance(kind, inspect.StrType), f"Say in VALUES what {name} is."
    if kind.pattern:
        choice = re.match(r"\^\((\w+)\|", kind.pattern)
        assert choice, f"Say in VALUES what {name} is."
        return choice.group(1)
    return "x" * (kind.min_length or 1)


def _first(kind: inspect.LiteralType | inspect.EnumType) -> Any:
    return kind.values[0] if isinstance(kind, inspect.LiteralType) else next(iter(kind.cls)).value
