"""From stored items to what the API tells: the one place where answers are put together."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import segno

from chalicelib import clock
from chalicelib.api import schemas
from chalicelib.api.schemas import from_attributes
from chalicelib.domain import carriers, points
from chalicelib.domain.activity import Terms
from chalicelib.domain.ledger import Movement
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.manual_refund import text_for_buyer
from chalicelib.domain.message_template import sentence
from chalicelib.domain.order import Delivery, Order, Refund
from chalicelib.domain.order_words import rebate_text, status_text
from chalicelib.domain.pricing import Price, PriceKind
from chalicelib.domain.product import ONLY_SPEC
from chalicelib.domain.refund_arrival import expected_by_s
from chalicelib.domain.shipping import Parcel
from chalicelib.domain.texts import TextKey, title_of
from chalicelib.services.growth import coupons
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.trade import OrderItem
from chalicelib.text import Text

QR_SCALE = 6  # pixels per module: about 250 px, enough for a phone held against a phone


def order(item: OrderItem) -> schemas.OrderShown:
    return schemas.OrderShown(**order_fields(item))


def spec(text: str) -> str:
    """A SKU in words; where it is the only one, they are ours and can be translated."""
    return Text(text) if text == ONLY_SPEC else text


def price_lines(price: Price) -> list[schemas.PriceLineShown]:
    return [
        schemas.PriceLineShown(code=line.code, amount_fen=line.amount_fen, text=line.words)
        for line in price.lines
    ]


def reductions(offer: Terms) -> list[schemas.ReductionShown]:
    return [
        from_attributes(schemas.ReductionShown, one, text=one.words) for one in offer.reductions
    ]


def tiers(offer: Terms) -> list[schemas.TierShown]:
    return [from_attributes(schemas.TierShown, one) for one in offer.tiers]


def members_from(offer: Terms, rule: LevelsRule) -> schemas.LevelShown | None:
    """The level that an activity's groups are for."""
    return level_from(offer.members_from, rule)


def level_from(no: int, rule: LevelsRule) -> schemas.LevelShown | None:
    """The level that something is for; nobody has it while the shop has none."""
    if not no:
        return None
    level = rule.wanted(no)
    if level is None:
        return schemas.LevelShown(no=no, name=Text("会员"))
    return schemas.LevelShown(no=level.no, name=level.name)


def level_seats(offer: Terms, rule: LevelsRule) -> list[schemas.LevelSeatsShown]:
    """Of several rows that mean the same level now, the smallest group."""
    found = {
        level.no: schemas.LevelSeatsShown(no=level.no, name=level.name, seats=one.seats)
        for one in offer.level_seats
        if (level := rule.wanted(one.level)) is not None
    }
    return list(found.values())


def price_of_order(item: OrderItem, lines: Mapping[str, Any]) -> dict[str, Any]:
    """Whose price a unit of an order was sold at, and the level of its buyer that counted for
    it. lines: of its detail."""
    kind = PriceKind.SOLO if item.group_id is None else PriceKind.GROUP
    level = lines.get("level")
    return {
        "unit_price_kind": PriceKind(lines.get("price_kind", kind)),
        "level": schemas.LevelShown(**level) if level else None,
    }


def parcel(one: Parcel) -> schemas.ParcelShown:
    return from_attributes(
        schemas.ParcelShown, one, carrier_name=Text(carriers.by_code(one.carrier).name)
    )


def placed(item: OrderItem) -> schemas.OrderPlaced:
    return from_attributes(schemas.OrderPlaced, item, order_id=str(item.order_id))


def qr_codes(link: str) -> tuple[str, str]:
    """(a link as a QR code in SVG, the same as the data URI of a PNG)."""
    svg = io.BytesIO()
    segno.make(link, error="m", micro=False).save(svg, kind="svg", scale=QR_SCALE, xmldecl=False)
    return svg.getvalue().decode(), qr_png(link)


def qr_png(text: str) -> str:
    """A text as a QR code: the data URI of a PNG."""
    png = io.BytesIO()
    segno.make(text, error="m", micro=False).save(png, kind="png", scale=QR_SCALE)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def message(item: MessageItem, *, read_up_to_s: int) -> schemas.MessageShown:
    key, facts = TextKey(item.text_key), item.facts.as_dict()
    return from_attributes(
        schemas.MessageShown,
        item,
        message_id=item.sk.removeprefix("message#"),
        title=title_of(key, facts),
        text=sentence(key, facts, item.template),
        facts=facts,
        told_at_s=(told_at_s := item.listed_at_s or item.at_s),
        unread=told_at_s > read_up_to_s,
    )


def order_fields(item: OrderItem) -> dict[str, Any]:
    view = item.view()
    return {
        "order_id": str(item.order_id),
        "short_no": item.short_no,
        "group_id": item.group_id,
        "activity_id": item.activity_id,
        "for_points": item.for_points,
        "sku_id": item.sku_id,
        "title": item.title,
        "quantity": item.quantity,
        "delivery": Delivery.PICKUP if view.pickup else Delivery.EXPRESS,
        "total_fen": item.total_fen,
        "status": view.status.value,
        "status_text": Text(status_text(view, in_group=item.group_id is not None)),
        "pay_by_s": item.pay_by_s,
        "refunds": refunds(item),
        "coupon_back": coupons.is_back(item, now_s=clock.now_s()),
        **points_fields(view),
        "agrees_to_combine": bool(item.combinable),
        "combined": Text("原来的团到时未满，已和这个团合并" if item.first_group_id else ""),
    }


def points_fields(known: Order) -> dict[str, int]:
    """What an order does to its buyer's points."""
    return {
        "points_used": known.points.total,
        "points_back": points.returned_of(known),
        "points_earned": points.earned_of(known),
        "points_to_come": points.to_come_of(known),
    }


def refunds(item: OrderItem) -> list[schemas.RefundShown]:
    known = item.view()
    paid_back = (Movement.REFUNDED, Movement.REFUNDED_OUTSIDE)
    arrived = {entry.of: entry.at_s for entry in item.entries() if entry.movement in paid_back}
    return [
        schemas.RefundShown(
            out_refund_no=item.refund_number(key),
            status=refund.status.value,
            status_text=Text(text_for_buyer(refund)),
            amount_fen=refund.amount_fen,
            method=known.payments[key[:2]].method,
            requested_at_s=refund.at_s,
            expected_by_s=_expected_by_s(refund, known.payments[key[:2]].method),
            arrived_at_s=arrived.get(key),
            is_surplus=known.is_surplus(key),
            rebate_text=Text(rebate_text(key)),
        )
        for key, refund in sorted(known.refunds.items())
    ]


def _expected_by_s(refund: Refund, method: str) -> int | None:
    if refund.is_done or refund.trouble_at_s:
        return None
    return expected_by_s(refund.at_s, method)
