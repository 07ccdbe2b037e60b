"""After-sale: what a buyer may ask back of an order that is to be fulfilled, or was.

requested ─▶ approved (its refund follows) | refused | withdrawn
    └▶ return_agreed ─▶ returning ─▶ approved | refused
              └▶ withdrawn | expired

A request for a return of goods is agreed to, its buyer sends the units, and once the shop has them
the refund follows. Staff may as well refund it without waiting for the goods.

An exchange takes the same way to the shop, and from there back:

return_agreed | returning ─▶ replacing ─▶ replacement_sent ─▶ exchanged
                                 └▶ approved      (collected in a store: replacing ─▶ exchanged)

Its replacement is taken from the product's stock when staff agree, and given back when the exchange
ends in another way. No money moves, unless staff refund the units instead.
"""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.money import yuan
from chalicelib.domain.order import AFTER_SALE_LETTERS, Order, OrderStatus
from chalicelib.errors import Conflict, InvalidRequest
from chalicelib.text import Text

PICTURES_MAX = 6
DAY_S = 86400
RETURN_WITHIN_DAYS = 7  # from the agreement, for its buyer to send the goods
PERIOD_S = 360 * DAY_S  # gateways refund for a year; the rest is for staff to decide


class AfterSaleStatus(StrEnum):
    REQUESTED = "requested"
    RETURN_AGREED = "return_agreed"  # its buyer has to send the goods
    RETURNING = "returning"  # they are on their way to the shop
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # the goods were not sent in time
    # Of an exchange only:
    REPLACING = "replacing"  # the shop has the goods, and has to send or hand over others
    REPLACEMENT_SENT = "replacement_sent"  # they are on their way to the buyer
    EXCHANGED = "exchanged"  # the buyer has them


OPEN = (
    AfterSaleStatus.REQUESTED,
    AfterSaleStatus.RETURN_AGREED,
    AfterSaleStatus.RETURNING,
    AfterSaleStatus.REPLACING,
    AfterSaleStatus.REPLACEMENT_SENT,
)
# Staff have to do something about a request in these: decide, receive, send.
FOR_STAFF = (AfterSaleStatus.REQUESTED, AfterSaleStatus.RETURNING, AfterSaleStatus.REPLACING)
# The replacement of an exchange in these lies in the shop, and is not for sale.
RESERVED = (AfterSaleStatus.RETURN_AGREED, AfterSaleStatus.RETURNING, AfterSaleStatus.REPLACING)


class Kind(StrEnum):
    """What a buyer asks for."""

    REFUND = "refund"  # money alone
    RETURN = "return"  # money for goods that are sent back
    EXCHANGE = "exchange"  # other goods of the same SKU for those that are sent back


class Reason(StrEnum):
    CHANGED_MIND = "changed_mind"
    WRONG_ORDER = "wrong_order"
    LATE = "late"
    DAMAGED = "damaged"
    NOT_AS_DESCRIBED = "not_as_described"
    MISSING = "missing"
    OTHER = "other"


REASON_WORDS: Mapping[Reason, str] = {
    Reason.CHANGED_MIND: "不想要了",
    Reason.WRONG_ORDER: "拍错或信息填错",
    Reason.LATE: "发货太慢",
    Reason.DAMAGED: "质量问题或破损",
    Reason.NOT_AS_DESCRIBED: "与描述不符",
    Reason.MISSING: "少发、漏发",
    Reason.OTHER: "其他原因",
}
STATUS_WORDS: Mapping[AfterSaleStatus, str] = {
    AfterSaleStatus.REQUESTED: "等待商家处理",
    AfterSaleStatus.RETURN_AGREED: "商家已同意退货，请寄回商品",
    AfterSaleStatus.RETURNING: "商品已寄出，等待商家收货",
    AfterSaleStatus.APPROVED: "商家已同意退款",
    AfterSaleStatus.REFUSED: "商家未同意",
    AfterSaleStatus.WITHDRAWN: "已撤销",
    AfterSaleStatus.EXPIRED: "超时没有寄回，已关闭",
    AfterSaleStatus.REPLACING: "商家已收到退回的商品，等待换新",
    AfterSaleStatus.REPLACEMENT_SENT: "换新的商品已寄出，等待收货",
    AfterSaleStatus.EXCHANGED: "换货完成",
}
EXCHANGE_WORDS: Mapping[AfterSaleStatus, str] = {  # where they differ
    AfterSaleStatus.RETURN_AGREED: "商家已同意换货，请寄回商品",
    AfterSaleStatus.APPROVED: "没有换货，商家已同意退款",
}
STARTED = (
    OrderStatus.FULFILLING,
    OrderStatus.SHIPPED,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.COMPLETED,
)


class AfterSaleRefused(Conflict):
    """The order does not admit of after-sale, or of no more: the message says why."""

    code = "after_sale_refused"
    default_message = "这个订单不能申请售后。需要帮助请联系商家。"


def check_request(order: Order, amount_fen: int, *, now_s: int, period_s: int = PERIOD_S) -> None:
    """Return only when `amount_fen` may be asked back of `order`, so long after its payment.

    Raises AfterSaleRefused, or InvalidRequest for an amount that is more than there is left.
    """
    check_period(order, now_s=now_s, period_s=period_s)
    check_amount(order, amount_fen)


def check_period(order: Order, *, now_s: int, period_s: int) -> None:
    """Return only when there is after-sale for `order`, so long after its payment.

    Raises AfterSaleRefused.
    """
    if order.status in (OrderStatus.PENDING, OrderStatus.CLOSED):
        raise AfterSaleRefused("订单没有付款，不用申请售后。")
    if order.status is OrderStatus.PAID:
        raise AfterSaleRefused("成团后才能申请售后；没有拼成会自动退款。")
    if order.status not in STARTED:
        raise AfterSaleRefused("订单已在退款，不用再申请。")
    seat = order.seat_payment
    if seat is None or order.refundable_fen <= 0:
        raise AfterSaleRefused("订单已没有可退的金额。需要帮助请联系商家。")
    if now_s - seat[1].paid_at_s > period_s:
        days = period_s // DAY_S
        raise AfterSaleRefused(
            Text("付款已超过 {days} 天，不能在线申请售后。请联系商家。", days=days), days=days
        )


FREE = "这笔订单没有付过钱，没有可退的金额。用了积分的，可以在订单里给买家增加积分。"
NO_SHOP_REFUND: Mapping[OrderStatus, str] = {
    OrderStatus.PENDING: "订单还没有付款，不用退款。要取消它，请用「关闭订单」。",
    OrderStatus.PAID: "还没有成团，不能只退这一单。要退款请结束这个团，所有成员都会退款。",
    OrderStatus.CLOSED: "订单已关闭。之后收到的付款会自动退回，不用操作。",
}


def check_shop_refund(order: Order, amount_fen: int, *, now_s: int) -> None:
    """Return only when the shop may give `amount_fen` back of its own accord.

    That is wherever the order holds money of its own: in an open group all members go together,
    so that closing the group is the way. Raises AfterSaleRefused, InvalidRequest for the amount.
    """
    if order.status in NO_SHOP_REFUND:
        raise AfterSaleRefused(NO_SHOP_REFUND[order.status], state=order.status.value)
    if order.disputed:
        raise AfterSaleRefused("买家申请了售后，请在「售后」里处理那个申请。")
    seat = order.seat_payment
    if seat is None or order.refundable_fen <= 0:
        raise AfterSaleRefused(FREE if order.is_free else "订单的钱已全部退回，没有可退的了。")
    if now_s - seat[1].paid_at_s > PERIOD_S:
        days = PERIOD_S // DAY_S
        raise AfterSaleRefused(
            Text("付款已超过 {days} 天，支付平台不能再退。请与买家商量线下退款。", days=days)
        )
    check_amount(order, amount_fen)


def check_amount(order: Order, amount_fen: int) -> None:
    """Raises InvalidRequest when `amount_fen` is nothing, or more than is left to refund."""
    if not 1 <= amount_fen <= order.refundable_fen:
        most = order.refundable_fen
        raise InvalidRequest(
            Text("退款金额应在 ¥0.01 到 {max} 之间。", max=yuan(most)),
            field="amount_fen",
            max=most,
        )


def status_words(status: AfterSaleStatus, kind: Kind) -> str:
    """What people read for the state of a request."""
    usual = STATUS_WORDS[status]
    return EXCHANGE_WORDS.get(status, usual) if kind is Kind.EXCHANGE else usual


def check_return(order: Order, units: int, kind: Kind = Kind.RETURN) -> None:
    """Return only when the buyer has `units` to send back. Raises AfterSaleRefused,
    InvalidRequest."""
    most = order.units.with_buyer
    word = Text("换货" if kind is Kind.EXCHANGE else "退货")
    if most <= 0:
        raise AfterSaleRefused(Text("商品还没有发出或取走，不用{what}。请申请仅退款。", what=word))
    if not 1 <= units <= most:
        raise InvalidRequest(
            Text("{what}件数应在 1 到 {max} 之间。", what=word, max=most), field="units", max=most
        )


def worth_fen(order: Order, units: int) -> int:
    """What may be refunded instead of an exchange of `units`: their share of what was paid and not
    given back by the terms of the group, as far as it is left."""
    share_fen = (order.total_fen - order.rebated_fen) * units // order.units.bought
    return min(max(share_fen, 1), order.refundable_fen)


def check_units_back(order: Order, units_back: int, *, came_back: int = 0) -> None:
    """Raises InvalidRequest for more units than came back, or else than are not back yet."""
    most = came_back or order.units.may_go_back
    if not 0 <= units_back <= most:
        raise InvalidRequest(
            Text("退回库存应在 0 到 {max} 件之间。", max=most), field="units_back", max=most
        )


def next_letter(used: int) -> str:
    """The letter of a payment's next after-sale refund, after `used` requests.

    Raises AfterSaleRefused when there is none left.
    """
    if used >= len(AFTER_SALE_LETTERS):
        raise AfterSaleRefused("申请次数太多。请直接联系商家处理。")
    return AFTER_SALE_LETTERS[used]
