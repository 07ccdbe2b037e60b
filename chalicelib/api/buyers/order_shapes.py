"""A buyer's own orders, from what is stored of them."""

from typing import Any

from chalicelib.api import shapes
from chalicelib.api.buyers import after_sales
from chalicelib.api.buyers import order_schemas as schemas
from chalicelib.api.schemas import CrowdShown, TierShown
from chalicelib.domain.group import is_joinable
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.order_words import method_text
from chalicelib.domain.own_order import Surroundings, actions_of, steps_of
from chalicelib.domain.plain_text import within_sentence
from chalicelib.domain.pricing import price_of
from chalicelib.domain.shipping import parcels_of
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.orders.own_orders import OwnOrder
from chalicelib.tables.trade import GroupItem
from chalicelib.text import Text


def row(found: OwnOrder, *, now_s: int) -> schemas.OwnOrderRow:
    return schemas.OwnOrderRow(**_row_fields(found, now_s))


def detail(found: OwnOrder, *, crowd: CrowdShown | None = None, now_s: int) -> schemas.OrderDetail:
    item, more = found.order, found.detail
    known = item.view()
    parcels = parcels_of(more.parcels)
    sent_at_s = min((one.shipped_at_s for one in parcels), default=None)
    steps = steps_of(
        known,
        item.entries(),
        placed_at_s=more.placed_at_s,
        delivered_at_s=more.ready_at_s if known.pickup else sent_at_s,
        in_group=item.group_id is not None,
    )
    method = known.seat_payment[1].method if known.seat_payment else ""
    return schemas.OrderDetail(
        **_row_fields(found, now_s),
        address=more.address.as_dict(),
        lines=more.lines.as_dict(),
        price_lines=shapes.price_lines(price_of(more.lines.as_dict())),
        **shapes.price_of_order(item, more.lines.as_dict()),
        remark=more.remark,
        store=more.store.as_dict() if more.store is not None else None,
        pickup_code=more.pickup_code,
        pickup_qr=_pickup_qr(found),
        parcels=[shapes.parcel(one) for one in parcels],
        steps=[schemas.StepShown(step=step, at_s=at_s) for step, at_s in steps],
        method=method,
        method_text=Text(method_text(method)) if method else "",
        closed_words=within_sentence(more.closed_words or ""),
        crowd=crowd,
        now_s=now_s,
    )


def _row_fields(found: OwnOrder, now_s: int) -> dict[str, Any]:
    item, lines = found.order, found.detail.lines.as_dict()
    return {
        **shapes.order_fields(item),
        "title": lines["title"],
        "spec": shapes.spec(lines["spec"]),
        "image": lines["image"],
        "unit_price_fen": lines["unit_price_fen"],
        "freight_fen": price_of(lines).freight_fen,
        "placed_at_s": found.detail.placed_at_s,
        "group": _group(found.group),
        "after_sale": after_sales.shown(found.request) if found.request else None,
        "receive_by_s": item.receive_by_s,
        "urged_at_s": found.detail.urged_at_s,
        "actions": actions_of(item.view(), _around(found, now_s)),
    }


def _around(found: OwnOrder, now_s: int) -> Surroundings:
    urged_at_s = found.detail.urged_at_s or 0
    if found.group is None:
        return Surroundings(urged_at_s=urged_at_s, now_s=now_s)
    group = found.group.view()
    return Surroundings(
        joinable=is_joinable(group, now_s=now_s),
        alone=set(group.members) == {found.order.buyer_id},
        urged_at_s=urged_at_s,
        now_s=now_s,
    )


def _pickup_qr(found: OwnOrder) -> str | None:
    """The pickup code to be scanned, as long as there is something to collect."""
    code = found.detail.pickup_code
    waits = found.order.view().status is OrderStatus.READY_FOR_PICKUP
    return shapes.qr_png(code) if code and waits else None


def _group(item: GroupItem | None) -> schemas.OrderGroup | None:
    if item is None:
        return None
    view = item.view()
    return schemas.OrderGroup(
        status=view.status.value,
        seats_total=view.seats_total,
        seats_least=view.seats_least,
        seats_taken=view.seats_taken,
        seats_paid=view.seats_paid,
        seats_missing=view.seats_missing,
        tiers=_tiers(item) if view.has_least else [],
        expires_at_s=view.expires_at_s,
    )


def _tiers(item: GroupItem) -> list[TierShown]:
    """By the terms that a group was opened with, which stay in memory."""
    terms = catalogue_cache.version(item.merchant_id, item.activity_id, item.version)
    return shapes.tiers(terms)
