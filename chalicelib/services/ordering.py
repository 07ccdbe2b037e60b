"""What every way of ordering shares: the purchase, its order, its detail."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Intent, OrderStatus
from chalicelib.errors import InvalidRequest
from chalicelib.tables.base import LostRace, Writes
from chalicelib.tables.trade import OrderDetailItem, OrderItem

TITLE_MAX = 24  # characters of a title that an order carries; its detail has it whole


@dataclass(frozen=True)
class Purchase:
    """What a buyer asks for; amounts are never among it."""

    sku_id: str
    quantity: int
    address: Mapping[str, str]
    remark: str = ""
    share_id: str | None = None

    def fingerprint(self, *where: str) -> str:
        """Tells two requests under one Idempotency-Key apart."""
        body = json.dumps([*where, self.sku_id, self.quantity, dict(self.address), self.remark])
        return hashlib.sha256(body.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Line:
    """What is bought, and at which price, as it stood at that moment."""

    activity_id: str
    version: int
    product_id: str
    sku_id: str
    title: str
    spec: str
    image: str
    list_price_fen: int
    unit_price_fen: int
    limited: bool = False

    def stored(self, quantity: int) -> dict[str, Any]:
        return {
            "title": self.title,
            "spec": self.spec,
            "image": self.image,
            "list_price_fen": self.list_price_fen,
            "unit_price_fen": self.unit_price_fen,
            "quantity": quantity,
            "total_fen": self.unit_price_fen * quantity,
        }


def check_quantity(quantity: int, *, limit_per_order: int) -> None:
    if not 1 <= quantity <= limit_per_order:
        raise InvalidRequest(
            f"每单最多买 {limit_per_order} 件。", field="quantity", max=limit_per_order
        )


def place(
    writes: Writes,
    merchant_id: str,
    order_id: OrderId,
    line: Line,
    purchase: Purchase,
    *,
    group_id: str | None,
    pay_by_s: int,
    now_s: int,
) -> OrderItem:
    """Write the order and its detail; due for release at its pay-by time. Returns the order.

    Two orders of one buyer in one second meet by chance in one of 3,844 cases: a new number.
    """
    order = OrderItem.at(
        merchant_id,
        order_id,
        group_id=group_id,
        activity_id=line.activity_id,
        version=line.version,
        product_id=line.product_id,
        sku_id=line.sku_id,
        status=OrderStatus.PENDING.value,
        title=line.title[:TITLE_MAX],
        quantity=purchase.quantity,
        total_fen=line.unit_price_fen * purchase.quantity,
        pay_by_s=pay_by_s,
        limited=line.limited,
        share_id=purchase.share_id,
    ).marked(Intent.RELEASE, pay_by_s)
    detail = OrderDetailItem.at(
        merchant_id,
        order_id,
        address=dict(purchase.address),
        lines=line.stored(purchase.quantity),
        remark=purchase.remark,
        placed_at_s=now_s,
    )
    writes.put(order, refuse=lambda old: LostRace())
    writes.put(detail, refuse=lambda old: LostRace())
    return order
