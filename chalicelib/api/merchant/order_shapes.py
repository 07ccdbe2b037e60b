"""Orders as staff see them: recipients masked, but where a look at them is on record."""

from typing import Any

from msgspec import structs

from chalicelib import clock
from chalicelib.api import shapes
from chalicelib.api.auth import Staff
from chalicelib.api.buyers.after_sales import shown as after_sale_shown
from chalicelib.api.merchant import order_schemas as schemas
from chalicelib.api.merchant import order_timeline
from chalicelib.api.schemas import from_attributes
from chalicelib.domain import carriers, recipient, shipping
from chalicelib.domain.after_sale import AfterSaleRefused, check_shop_refund
from chalicelib.domain.manual_refund import text_for_buyer
from chalicelib.domain.order import Delivery, PaymentStatus
from chalicelib.domain.order_words import rebate_text, refund_trouble, staff_text
from chalicelib.domain.pricing import price_of
from chalicelib.domain.rights import Area, view
from chalicelib.domain.shipping import Parcel, ShippingRefused, parcels_of
from chalicelib.gateways.payment import Channel
from chalicelib.services.growth import coupons
from chalicelib.services.orders.order_lists import Found
from chalicelib.services.reports.order_files import OrderFile
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.text import Text


def row(found: Found) -> schemas.OrderRow:
    order = found.order
    return from_attributes(schemas.OrderRow, order, **_row_fields(order, found.detail, found.group))


def file(kept: OrderFile, who: Staff) -> schemas.OrderFileShown:
    """An order as `who` may see it: why a refund failed is for those who deal with refunds."""
    order, detail = kept.order, kept.detail
    return from_attributes(
        schemas.OrderFileShown,
        order,
        **_row_fields(order, detail, kept.group),
        buyer_name=kept.buyer.name if kept.buyer else "",
        address=recipient.masked(detail.address.as_dict()),
        address_changes=detail.address_changes or 0,
        store=detail.store.as_dict() if detail.store is not None else None,
        lines=detail.lines.as_dict(),
        price_lines=shapes.price_lines(price_of(detail.lines.as_dict())),
        **shapes.price_of_order(order, detail.lines.as_dict()),
        coupon_back=coupons.is_back(order, now_s=clock.now_s()),
        **shapes.points_fields(order.view()),
        agrees_to_combine=bool(order.combinable),
        remark=detail.remark,
        has_free_goods=order.view().has_free_goods,
        refundable_fen=max(order.view().refundable_fen, 0),
        refund_refusal=_refund_refusal(order),
        parcels=[_parcel(one) for one in parcels_of(detail.parcels)],
        notes=_notes(detail),
        payments=_payments(order),
        refunds=_refunds(order, reasons=who.may(view(Area.REFUNDS))),
        after_sales=[after_sale_shown(asked) for asked in kept.after_sales],
        timeline=order_timeline.of(kept),
    )


def in_full(found: Found) -> schemas.RecipientResponse:
    """Only for services.orders.recipients.look, which has recorded it."""
    detail = found.detail
    return from_attributes(
        schemas.RecipientResponse,
        found.order,
        **_row_fields(found.order, detail, found.group),
        address=detail.address.as_dict(),
        address_changes=detail.address_changes or 0,
        store=detail.store.as_dict() if detail.store is not None else None,
        remark=detail.remark,
        notes=_notes(detail),
    )


def carrier(one: carriers.Carrier) -> schemas.CarrierShown:
    return schemas.CarrierShown(
        code=one.code,
        name=Text(one.name),
        aliases=list(one.aliases),
        form=Text(one.form),
        number=f"^({one.number})$",
    )


def _row_fields(
    order: OrderItem, detail: OrderDetailItem, group: GroupItem | None
) -> dict[str, Any]:
    """What an answer about an order does not find among its attributes."""
    lines, to = detail.lines.as_dict(), recipient.masked(detail.address.as_dict())
    return {
        "order_id": str(order.order_id),
        "title": lines["title"],
        "spec": shapes.spec(lines["spec"]),
        "image": lines["image"],
        "status_text": Text(staff_text(order.view())),
        "ship_refusal": _ship_refusal(order, group),
        "shipped": order.units.shipped,
        "to_deliver": order.units.to_deliver,
        "may_go_back": order.units.may_go_back,
        "delivery": Delivery(detail.delivery),
        "recipient": schemas.Recipient(
            name=to["name"],
            phone=to["phone"],
            province=to.get("province", ""),
            city=to.get("city", ""),
            district=to.get("district", ""),
        ),
        "group": _group(group) if group is not None else None,
        "has_remark": bool(detail.remark),
        "has_notes": bool(detail.notes),
        "after_sale_open": order.after_sale is not None,
        "urged_at_s": detail.urged_at_s,
        "placed_at_s": detail.placed_at_s,
        "listed_at_s": order.listed_at_s or detail.placed_at_s,
    }


def _ship_refusal(order: OrderItem, group: GroupItem | None) -> str:
    try:
        shipping.check(order.view(), group.view() if group else None)
        shipping.check_units(None, left=order.units.to_deliver)
    except ShippingRefused as refusal:
        return refusal.message
    return ""


def _refund_refusal(order: OrderItem) -> str:
    try:
        check_shop_refund(order.view(), 1, now_s=clock.now_s())
    except AfterSaleRefused as refusal:
        return refusal.message
    return ""


def _notes(detail: OrderDetailItem) -> list[schemas.NoteShown]:
    return [schemas.NoteShown(**note) for note in detail.notes or ()]


def _group(group: GroupItem) -> schemas.GroupOfOrder:
    missing = group.view().seats_missing
    return from_attributes(schemas.GroupOfOrder, group, seats_missing=missing)


def _parcel(one: Parcel) -> schemas.ParcelOfStaff:
    until_s = one.shipped_at_s + shipping.CORRECTION_S
    return schemas.ParcelOfStaff(
        **structs.asdict(shapes.parcel(one)), staff=one.staff, correctable_until_s=until_s
    )


def _payments(order: OrderItem) -> list[schemas.PaymentOfOrder]:
    return [
        from_attributes(
            schemas.PaymentOfOrder,
            payment,
            out_trade_no=f"{order.order_id}{attempt}",
            channel=Channel(payment.channel or Channel.MINI_PROGRAM),
        )
        for attempt, payment in sorted(order.view().payments.items())
        if payment.status is PaymentStatus.SUCCEEDED
    ]


def _refunds(order: OrderItem, *, reasons: bool) -> list[schemas.RefundOfOrder]:
    return [
        schemas.RefundOfOrder(
            out_refund_no=order.refund_number(key),
            status=refund.status.value,
            status_text=Text(text_for_buyer(refund)),
            amount_fen=refund.amount_fen,
            requested_at_s=refund.at_s,
            needs_person=reasons and bool(refund.trouble_at_s),
            reason=refund.reason if reasons else "",
            reason_text=Text(
                refund_trouble(refund.reason) if reasons and refund.trouble_at_s else ""
            ),
            rebate_text=Text(rebate_text(key)),
        )
        for key, refund in sorted(order.view().refunds.items())
    ]
