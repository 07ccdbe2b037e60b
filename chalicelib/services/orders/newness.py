"""Whether a buyer is new to the shop: has bought nothing in it, and is buying nothing now.

An order that was closed unpaid, or whose group failed, is no purchase. One that is unpaid is: two
first purchases at once would both be first. The answer holds in a purchase as long as no other
order of the buyer's is placed, which their register of unpaid orders tells (unpaid_order_limit).
"""

from collections.abc import Sequence

from chalicelib.domain.activity import NewBuyers
from chalicelib.domain.order import OrderStatus
from chalicelib.errors import NewBuyersOnly
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import buyer_pk

_WORDS = {
    NewBuyers.JOINERS: "这个团只邀请新客参加，你已在本店买过。可以自己开一个团，邀请新朋友参加。",
    NewBuyers.ALL: "这个活动仅限新客，你已在本店买过。可以单独购买，或看看其他活动。",
}
_UNPAID = "这个活动仅限新客的第一笔订单。你有一笔订单还没付款，取消那一笔后再来。"


def check(merchant_id: str, ids: Sequence[str], wanted: NewBuyers) -> None:
    """Raise NewBuyersOnly when the person, who may have several ids, is not new."""
    for buyer_id in ids:
        orders = OrderItem.query(
            buyer_pk(merchant_id, buyer_id),
            OrderItem.sk.startswith("order#"),
            consistent_read=True,
            scan_index_forward=False,
        )
        first = next((order for order in orders if order.view().is_purchase), None)
        if first is not None:
            unpaid = first.status == OrderStatus.PENDING
            raise NewBuyersOnly(_UNPAID if unpaid else _WORDS.get(wanted))
