"""Whether a buyer is new to the shop: has bought nothing in it, and is buying nothing now.

An order that was closed unpaid, or whose group failed, is no purchase. One that is unpaid is: two
first purchases at once would both be first. The answer holds in a purchase as long as no other
order of the buyer's is placed, which their register of unpaid orders tells (unpaid_order_limit).
"""

from collections.abc import Callable, Sequence
from functools import partial

from chalicelib.domain.activity import NewBuyers
from chalicelib.domain.coupon import FIRST_ORDER, terms_of
from chalicelib.domain.order import OrderStatus
from chalicelib.errors import NewBuyersOnly
from chalicelib.services.orders import deliveries
from chalicelib.services.orders.ordering import Quote
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import buyer_pk

_WORDS = {
    NewBuyers.JOINERS: "这个团只邀请新客参加，你已在本店买过。可以自己开一个团，邀请新朋友参加。",
    NewBuyers.ALL: "这个活动仅限新客，你已在本店买过。可以单独购买，或看看其他活动。",
}
_UNPAID = "这个活动仅限新客的第一笔订单。你有一笔订单还没付款，取消那一笔后再来。"


def check(merchant_id: str, ids: Sequence[str], wanted: NewBuyers) -> None:
    """Raise NewBuyersOnly when the person, who may have several ids, is not new; with the order_id
    of what they have not paid yet, when they bought nothing else."""
    purchase = purchase_of(merchant_id, ids)
    if purchase is None:
        return
    if purchase.status == OrderStatus.PENDING:
        raise NewBuyersOnly(_UNPAID, order_id=str(purchase.order_id))
    raise NewBuyersOnly(_WORDS.get(wanted))


def check_of(
    merchant_id: str, ids: Sequence[str], quote: Quote, wanted: NewBuyers = NewBuyers.NOBODY
) -> Callable[[], None] | None:
    """The check that the purchase's activity or its coupon wants; None: anybody may buy."""
    if quote.line.wants_new:
        return partial(check, merchant_id, ids, wanted)
    coupon = quote.coupon
    if coupon is None or not terms_of(coupon.terms.as_dict()).first_order:
        return None

    def check_coupon() -> None:
        if purchase_of(merchant_id, ids) is not None:
            raise deliveries.coupon_refused(coupon.coupon_id, FIRST_ORDER)

    return check_coupon


def purchase_of(merchant_id: str, ids: Sequence[str]) -> OrderItem | None:
    """A purchase of the person's as it is now, a paid one if there is any; None of who is new."""
    unpaid = None
    for buyer_id in ids:
        for order in OrderItem.query(
            buyer_pk(merchant_id, buyer_id),
            OrderItem.sk.startswith("order#"),
            consistent_read=True,
            scan_index_forward=False,
        ):
            if order.view().is_purchase:
                if order.status != OrderStatus.PENDING:
                    return order
                unpaid = order
    return unpaid
