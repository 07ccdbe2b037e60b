"""What buyers do: open, join, buy alone, pay, cancel."""

import re
from dataclasses import replace

import msgspec
from chalice.app import Request

from chalicelib import clock
from chalicelib.api import group_shapes, limits, schemas, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers.sessions import session_of
from chalicelib.api.http import Api, Audience, Header
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Delivery
from chalicelib.errors import (
    ActivityClosed,
    AlreadyPaid,
    Changed,
    Conflict,
    GatewayFailed,
    GroupClosed,
    GroupFull,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
    OrderClosed,
    PaymentUnsettled,
    SessionSuperseded,
    SoldOut,
    TooFastNow,
    UnpaidOrdersLimit,
)
from chalicelib.services.catalogue import catalogue_cache, mini_program_links
from chalicelib.services.groups import order_closing, seats, shares
from chalicelib.services.groups.seats import Hint
from chalicelib.services.orders import orders, solo_orders
from chalicelib.services.orders.ordering import CHANGED_SINCE, Purchase
from chalicelib.services.people import buyers

api = Api(__name__)
IDEMPOTENCY_KEY = "Idempotency-Key"
KEY_PATTERN = "^[!-~]{8,64}$"
KEY_HEADER = {
    IDEMPOTENCY_KEY: Header(
        "The same key gives the first answer again.", KEY_PATTERN, required=True
    )
}


@api.operation("PUT", "/me/profile", audience=Audience.BUYER, refusals=[InvalidRequest])
def rename(who: Buyer, body: schemas.ProfileRequest) -> schemas.BuyerSession:
    """Change the buyer's name and picture; the session that is answered carries the name, and ends
    when that of the request does."""
    buyer = buyers.rename(who.merchant_id, who.ids, body.name, body.avatar)
    return session_of(buyer, clock.now_s(), until_s=who.until_s)


@api.operation(
    "POST",
    "/activities/{activity_id}/groups",
    audience=Audience.BUYER,
    status=201,
    headers=KEY_HEADER,
    refusals=[
        NotFound,
        ActivityClosed,
        Changed,
        LimitReached,
        TooFastNow,
        SoldOut,
        UnpaidOrdersLimit,
        OrderClosed,
        IdempotencyMismatch,
        SessionSuperseded,
        *CHANGED_SINCE,
    ],
    limited=[limits.PURCHASES],
)
def open_group(who: Buyer, activity_id: str, body: schemas.OpenRequest) -> schemas.OrderPlaced:
    """Open a group with its first seat, held until the pay-by time."""
    order = seats.open_group(
        who.merchant_id,
        who.buyer_id,
        who.name,
        activity_id,
        replace(purchase_of(body), expected_seats=body.expected_seats),
        key=idempotency_key(api.current_request),
        other_ids=who.other_ids,
        now_s=clock.now_s(),
    )
    return shapes.placed(order)


@api.operation(
    "POST",
    "/groups/{group_id}/seats",
    audience=Audience.BUYER,
    status=201,
    refusals=[
        NotFound,
        GroupFull,
        GroupClosed,
        LimitReached,
        TooFastNow,
        SoldOut,
        UnpaidOrdersLimit,
        SessionSuperseded,
        *CHANGED_SINCE,
    ],
    limited=[limits.PURCHASES],
)
def join_group(who: Buyer, group_id: str, body: schemas.JoinRequest) -> schemas.OrderPlaced:
    """Take a seat of an open group, held until the pay-by time."""
    hinted = body.activity_id is not None and body.version is not None
    hint = Hint(body.activity_id or "", body.version or 0) if hinted else None
    order = seats.join(
        who.merchant_id,
        who.buyer_id,
        group_id,
        purchase_of(body),
        hint=hint,
        other_ids=who.other_ids,
        now_s=clock.now_s(),
    )
    return shapes.placed(order)


@api.operation(
    "POST",
    "/activities/{activity_id}/orders",
    audience=Audience.BUYER,
    status=201,
    headers=KEY_HEADER,
    refusals=[
        NotFound,
        SoldOut,
        UnpaidOrdersLimit,
        IdempotencyMismatch,
        SessionSuperseded,
        *CHANGED_SINCE,
    ],
    limited=[limits.PURCHASES],
)
def buy_alone(who: Buyer, activity_id: str, body: schemas.PurchaseRequest) -> schemas.OrderPlaced:
    """Buy alone, at the solo price and with freight."""
    order = solo_orders.buy_alone(
        who.merchant_id,
        who.buyer_id,
        activity_id,
        purchase_of(body),
        key=idempotency_key(api.current_request),
        other_ids=who.other_ids,
        now_s=clock.now_s(),
    )
    return shapes.placed(order)


@api.operation(
    "POST",
    "/orders/{order_id}/cancellation",
    audience=Audience.BUYER,
    refusals=[NotFound, AlreadyPaid, Conflict, GroupClosed, PaymentUnsettled],
)
def cancel(who: Buyer, order_id: str) -> schemas.OrderShown:
    """Give up an unpaid order, or a group in which its leader is still alone."""
    own = own_order(who, order_id)
    order_closing.cancel(who.merchant_id, own, now_s=clock.now_s())
    return shapes.order(orders.get(who.merchant_id, own))


@api.operation(
    "POST", "/groups/{group_id}/shares", audience=Audience.BUYER, status=201, refusals=[NotFound]
)
def share(who: Buyer, group_id: str, body: schemas.ShareRequest) -> schemas.ShareMade:
    """Invite others to a group: a mini-program path, a link and its QR code."""
    channel = shares.ShareChannel(body.channel)
    made, group = shares.share(who.merchant_id, group_id, who.buyer_id, channel)
    offer = catalogue_cache.version(who.merchant_id, group.activity_id, group.version)
    return group_shapes.invitation(made, offer, group, now_s=clock.now_s())


@api.operation(
    "GET", "/shares/{share_id}/code", audience=Audience.BUYER, refusals=[NotFound, GatewayFailed]
)
def read_share_code(who: Buyer, share_id: str) -> schemas.MiniProgramCode:
    """A share as a code that people scan with WeChat, for the shop's mini-program."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    leads = shares.invitation(shares.share_of(who.merchant_id, share_id))
    image = mini_program_links.code(who.merchant_id, leads, now_s=clock.now_s())
    return schemas.MiniProgramCode(image=image)


def purchase_of(body: schemas.PurchaseRequest) -> Purchase:
    """The purchase that a body asks for: sent to its address, or collected in its store."""
    if body.delivery is Delivery.PICKUP:
        if body.pickup is None or body.address is not None:
            raise InvalidRequest("请选择自提门店，并填写提货人。", field="pickup")
        address = {"name": body.pickup.name, "phone": body.pickup.phone}
        store_id = body.pickup.store_id
    else:
        if body.address is None or body.pickup is not None:
            raise InvalidRequest("还没有收货地址，添加后就能提交订单。", field="address")
        address, store_id = msgspec.structs.asdict(body.address), ""
    return Purchase(
        sku_id=body.sku_id,
        quantity=body.quantity,
        address=address,
        remark=body.remark,
        share_id=body.share_id,
        delivery=body.delivery,
        store_id=store_id,
        coupon_id=body.coupon_id or "",
        points=body.points,
        agrees_to_combine=body.agrees_to_combine,
        expected_total_fen=body.expected_total_fen,
    )


def own_order(who: Buyer, order_id: str) -> OrderId:
    """The id of an order of the buyer's own; another's does not exist for them."""
    parsed = OrderId.parse(order_id)
    if parsed is None or parsed.buyer_id not in who.ids:
        raise NotFound("没有找到这个订单。")
    return parsed


def idempotency_key(request: Request) -> str:
    """The key of a request that needs one. Raises InvalidRequest."""
    key = str(request.headers.get(IDEMPOTENCY_KEY, ""))
    if not re.fullmatch(KEY_PATTERN, key):
        raise InvalidRequest("缺少请求编号，请刷新页面后重新提交。", field=IDEMPOTENCY_KEY)
    return key
