"""What staff may do to an order that is not paid yet: make it cheaper, or close it."""

from collections.abc import Mapping

from chalicelib.domain.money import yuan
from chalicelib.domain.order import Order, OrderStatus
from chalicelib.errors import AlreadyPaid, InvalidRequest, OrderClosed
from chalicelib.text import Text

REASON_MAX = 60  # of closing; its buyer reads it
PAID_WORDS: Mapping[str, str] = {
    "price": "订单已付款，不能改价。要退一部分钱，请用「退款」。",
    "closing": "订单已付款，不能关闭。要退款，请用「退款」。",
}


def check_pending(order: Order, what: str) -> None:
    """Return only for an unpaid order. Raises OrderClosed, AlreadyPaid.

    what: "price" or "closing".
    """
    if order.status is OrderStatus.CLOSED:
        raise OrderClosed("订单已关闭。")
    if order.status is not OrderStatus.PENDING:
        raise AlreadyPaid(PAID_WORDS[what])


def check_price(order: Order, total_fen: int, *, now_s: int) -> None:
    """Return only when the order may cost `total_fen` instead: less, and more than nothing.

    Raises OrderClosed, AlreadyPaid, InvalidRequest.
    """
    check_pending(order, "price")
    if now_s >= order.pay_by_s:
        raise OrderClosed("付款时间已过，订单马上关闭，不能改价。")
    if not 1 <= total_fen < order.total_fen:
        raise InvalidRequest(
            Text("只能改低：请填 ¥0.01 以上、低于 {price} 的金额。", price=yuan(order.total_fen)),
            field="total_fen",
            max=order.total_fen - 1,
        )
