"""A buyer closes their account: who they are is erased, what they bought stays in the books.

Purchases are conditional on the register of unpaid orders (unpaid_order_limit), so closing it under
the condition that it is as it was read makes sure that no order came between the look and the end.
"""

from chalicelib.domain.order import OrderStatus
from chalicelib.errors import AccountInUse, SessionSuperseded
from chalicelib.services.people import address_book, buyers
from chalicelib.services.people.identities import ABSORBED
from chalicelib.tables.base import LostRace, as_read, get_or_none, retried, transaction
from chalicelib.tables.buyers import BuyerItem, IdentityItem, UnpaidOrdersItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import buyer_pk
from chalicelib.text import Text

TOLD_MAX = 20  # orders that a refusal names
ENDED = (OrderStatus.CLOSED, OrderStatus.COMPLETED, OrderStatus.REFUNDED)


def close(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Erase name, picture, addresses, logins and phone of the person, and refuse purchases under
    their ids; a login makes a new buyer. A repeat changes nothing.

    Raises AccountInUse while something is under way; SessionSuperseded for who was merged; Busy.
    """

    def step() -> None:
        buyer = buyers.read(merchant_id, buyer_id)
        if buyer.merged_into is not None:
            raise SessionSuperseded
        if buyer.erased_at_s is not None:
            return
        key = UnpaidOrdersItem.at(merchant_id, buyer_id)
        register = get_or_none(key)
        _check_nothing_under_way(merchant_id, buyer)
        with transaction() as writes:
            writes.update(
                key,
                [
                    UnpaidOrdersItem.kind.set(UnpaidOrdersItem),
                    UnpaidOrdersItem.ids.set(ABSORBED),
                    UnpaidOrdersItem.orders.remove(),
                ],
                condition=as_read(UnpaidOrdersItem.orders, register.orders if register else None)
                & as_read(UnpaidOrdersItem.ids, register.ids if register else None),
                refuse=LostRace,
            )
            for one in buyer.ids:
                item = BuyerItem.at(merchant_id, one)
                same = BuyerItem.revision == buyer.revision
                writes.update(
                    item,
                    [
                        BuyerItem.name.set(""),
                        BuyerItem.avatar.set(""),
                        BuyerItem.openid.set(""),
                        BuyerItem.openids.set({}),
                        BuyerItem.identities.set({}),
                        BuyerItem.phone.remove(),
                        BuyerItem.erased_at_s.set(now_s),
                        BuyerItem.revision.add(1),
                    ],
                    condition=same if one == buyer_id else BuyerItem.pk.exists(),
                    refuse=LostRace,
                )
                address_book.put_closed(writes, merchant_id, one)
            for identity_id in buyer.identities.as_dict().values():
                writes.delete(IdentityItem.at(merchant_id, identity_id))

    retried(step)


def _check_nothing_under_way(merchant_id: str, buyer: BuyerItem) -> None:
    open_orders = [
        order
        for one in buyer.ids
        for order in OrderItem.query(
            buyer_pk(merchant_id, one), OrderItem.sk.startswith("order#"), consistent_read=True
        )
        if _is_under_way(order)
    ]
    if open_orders:
        words = Text(
            "还有 {count} 个订单没有结束：{numbers}。收货、退款或售后处理完，就可以注销。",
            count=len(open_orders),
            numbers=", ".join(order.short_no for order in open_orders[:TOLD_MAX]),
        )
        ids = [str(order.order_id) for order in open_orders[:TOLD_MAX]]
        raise AccountInUse(words, order_ids=ids)


def _is_under_way(order: OrderItem) -> bool:
    known = order.view()
    refunding = any(not refund.is_done for refund in known.refunds.values())
    return known.status not in ENDED or known.disputed or refunding
