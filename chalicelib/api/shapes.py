"""From stored items to what the API tells: the one place where answers are put together."""

import base64
import io
from typing import Any

import segno

from chalicelib.api import schemas
from chalicelib.domain import carriers
from chalicelib.domain import group as group_rules
from chalicelib.domain.activity import Terms, state_of
from chalicelib.domain.manual_refund import text_for_buyer
from chalicelib.domain.message_template import sentence
from chalicelib.domain.money import yuan
from chalicelib.domain.order import Delivery
from chalicelib.domain.product import ONLY_SPEC
from chalicelib.domain.shipping import Parcel, parcels_of
from chalicelib.domain.texts import TITLES, TextKey
from chalicelib.domain.words import masked_name, status_text
from chalicelib.services import timeouts
from chalicelib.services.catalogue import availability
from chalicelib.services.groups.shares import Invitation
from chalicelib.tables.buyers import BuyerItem, MessageItem
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

QR_SCALE = 6  # pixels per module: about 250 px, enough for a phone held against a phone


def order(item: OrderItem) -> schemas.OrderShown:
    return schemas.OrderShown(**_order_fields(item))


def order_detail(item: OrderItem, detail: OrderDetailItem) -> schemas.OrderDetail:
    return schemas.OrderDetail(
        **_order_fields(item),
        address=detail.address.as_dict(),
        lines=detail.lines.as_dict(),
        remark=detail.remark,
        placed_at_s=detail.placed_at_s,
        delivery=Delivery(detail.delivery),
        store=detail.store.as_dict() if detail.store is not None else None,
        pickup_code=detail.pickup_code,
        parcels=[parcel(one) for one in parcels_of(detail.parcels)],
        closed_words=detail.closed_words or "",
        receive_by_s=item.receive_by_s,
    )


def spec(text: str) -> str:
    """A SKU in words; where it is the only one, they are ours and can be translated."""
    return Text(text) if text == ONLY_SPEC else text


def parcel(one: Parcel) -> schemas.ParcelShown:
    return schemas.ParcelShown(
        parcel_id=one.parcel_id,
        carrier=one.carrier,
        carrier_name=Text(carriers.by_code(one.carrier).name),
        number=one.number,
        units=one.units,
        shipped_at_s=one.shipped_at_s,
    )


def placed(item: OrderItem) -> schemas.OrderPlaced:
    return schemas.OrderPlaced(
        order_id=str(item.order_id),
        short_no=item.short_no,
        group_id=item.group_id,
        total_fen=item.total_fen,
        pay_by_s=item.pay_by_s,
    )


def activity(
    item: ActivityItem,
    offer: Terms,
    groups: list[TradeItem],
    sold_out: frozenset[str],
    *,
    solo_on_sale: bool,
    now_s: int,
) -> schemas.ActivityDetail:
    """sold_out: its SKUs that have nothing left."""
    none_left = availability.is_sold_out(item, sold_out)
    return schemas.ActivityDetail(
        activity_id=item.activity_id,
        version=offer.version,
        state=state_of(
            item.status, item.starts_at_s, item.ends_at_s, now_s=now_s, sold_out=none_left
        ),
        title=offer.title,
        image=offer.image,
        skus=[
            schemas.SkuShown(
                sku_id=sku.sku_id,
                spec=spec(sku.spec),
                list_price_fen=sku.list_price_fen,
                solo_price_fen=sku.solo_price_fen,
                group_price_fen=sku.group_price_fen,
                sold_out=sku.sku_id in sold_out,
            )
            for sku in offer.skus
        ],
        seats_total=offer.seats_total,
        life_s=offer.life_s,
        starts_at_s=offer.starts_at_s,
        ends_at_s=offer.ends_at_s,
        limit_per_buyer=offer.limit_per_buyer,
        limit_per_order=offer.limit_per_order,
        solo_on_sale=solo_on_sale,
        joinable_groups=[_joinable(group) for group in groups if isinstance(group, GroupItem)],
        now_s=now_s,
    )


def progress(item: GroupItem, offer: Terms, *, now_s: int) -> schemas.GroupProgress:
    """What anybody may read of a group: no member is named in full."""
    view = item.view()
    shown = group_rules.shown_status(view, now_s=now_s, grace_s=timeouts.GRACE_S)
    overdue = shown is group_rules.GroupStatus.FAILED and item.failed_reason is None
    return schemas.GroupProgress(
        group_id=item.group_id,
        activity_id=item.activity_id,
        version=item.version,
        status=shown.value,
        failed_reason=group_rules.FailedReason.DUE.value if overdue else item.failed_reason,
        title=offer.title,
        image=offer.image,
        group_price_fen=offer.cheapest.group_price_fen,
        seats_total=view.seats_total,
        seats_taken=view.seats_taken,
        seats_paid=view.seats_paid,
        seats_missing=view.seats_missing,
        expires_at_s=view.expires_at_s,
        leader_name=masked_name(item.leader_name),
        next_poll_s=group_rules.next_poll_s(view, now_s=now_s, grace_s=timeouts.GRACE_S),
        now_s=now_s,
    )


def members(item: GroupItem, faces: dict[str, BuyerItem]) -> schemas.MemberList:
    """Seats, the leader's first; who has no name yet is shown as a WeChat user."""
    order_of = sorted(item.members.as_dict().items(), key=lambda seat: seat[1])
    ids = sorted((b for b, _ in order_of), key=lambda buyer_id: buyer_id != item.leader_id)
    seats = []
    for buyer_id in ids:
        face = faces.get(buyer_id)
        seats.append(
            schemas.Seat(
                name=masked_name(face.name if face else ""),
                avatar=face.avatar if face else "",
                is_leader=buyer_id == item.leader_id,
            )
        )
    return schemas.MemberList(items=seats)


def invitation(made: Invitation, offer: Terms, group: GroupItem) -> schemas.ShareMade:
    svg, png = qr_codes(made.link)
    price = yuan(offer.cheapest.group_price_fen)
    return schemas.ShareMade(
        share_id=made.share_id,
        path=made.path,
        link=made.link,
        scene=made.scene,
        title=f"【还差{group.view().seats_missing}人】{price} 拼{offer.title}",
        qr_svg=svg,
        qr_png=png,
    )


def qr_codes(link: str) -> tuple[str, str]:
    """(a link as a QR code in SVG, the same as the data URI of a PNG)."""
    code = segno.make(link, error="m", micro=False)
    svg, png = io.BytesIO(), io.BytesIO()
    code.save(svg, kind="svg", scale=QR_SCALE, xmldecl=False)
    code.save(png, kind="png", scale=QR_SCALE)
    uri = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return svg.getvalue().decode(), uri


def message(item: MessageItem) -> schemas.MessageShown:
    key, facts = TextKey(item.text_key), item.facts.as_dict()
    return schemas.MessageShown(
        message_id=item.sk.removeprefix("message#"),
        order_id=item.order_id,
        short_no=item.short_no,
        group_id=item.group_id,
        text_key=key.value,
        title=TITLES[key],
        text=sentence(key, facts, item.template),
        facts=facts,
        at_s=item.at_s,
    )


def _joinable(group: GroupItem) -> schemas.JoinableGroup:
    return schemas.JoinableGroup(
        group_id=group.group_id,
        leader_name=masked_name(group.leader_name),
        seats_total=group.seats_total,
        seats_paid=group.seats_paid,
        seats_missing=group.seats_total - group.seats_paid,
        expires_at_s=group.listed_at_s or 0,
    )


def _order_fields(item: OrderItem) -> dict[str, Any]:
    view = item.view()
    return {
        "order_id": str(item.order_id),
        "short_no": item.short_no,
        "group_id": item.group_id,
        "activity_id": item.activity_id,
        "sku_id": item.sku_id,
        "title": item.title,
        "quantity": item.quantity,
        "total_fen": item.total_fen,
        "status": view.status.value,
        "status_text": Text(status_text(view, in_group=item.group_id is not None)),
        "pay_by_s": item.pay_by_s,
        "refunds": refunds(item),
    }


def refunds(item: OrderItem) -> list[schemas.RefundShown]:
    return [
        schemas.RefundShown(
            out_refund_no=item.refund_number(key),
            status=refund.status.value,
            status_text=Text(text_for_buyer(refund)),
            amount_fen=refund.amount_fen,
            requested_at_s=refund.at_s,
        )
        for key, refund in sorted(item.view().refunds.items())
    ]
