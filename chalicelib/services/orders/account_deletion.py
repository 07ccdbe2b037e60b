"""A buyer closes their account: who they are is erased, what they bought stays in the books.

Purchases are conditional on the register of unpaid orders (unpaid_order_limit), so closing it under
the condition that it is as it was read makes sure that no order came between the look and the end.
"""

from chalicelib.domain.order import OrderStatus
from chalicelib.errors import AccountInUse, SessionSuperseded
from chalicelib.services.growth import invitations, members, points
from chalicelib.services.people import address_book
from chalicelib.services.people.identities import ABSORBED
from chalicelib.tables.base import (
    TRANSACTION_ITEMS_MAX,
    LostRace,
    as_read,
    chunks,
    retried,
    transaction,
    update_one,
)
from chalicelib.tables.buyers import BuyerItem, IdentityItem, SubscriptionsItem, UnpaidOrdersItem
from chalicelib.tables.growth import BirthdayItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.rewards import RewardsItem
from chalicelib.tables.shares import TouchesItem
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk, get_two
from chalicelib.text import Text

TOLD_MAX = 20  # orders that a refusal names
ENDED = (OrderStatus.CLOSED, OrderStatus.COMPLETED, OrderStatus.REFUNDED)


def close(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Erase name, picture, addresses, logins, phone, birthday, reminders and touches of the person,
    and what the shop keeps of them as a member; take their points, and refuse purchases under their
    ids. A login makes a new buyer. A repeat changes nothing.

    Raises AccountInUse while something is under way; SessionSuperseded for who was merged; Busy.
    """

    def step() -> None:
        key = UnpaidOrdersItem.at(merchant_id, buyer_id)
        buyer, register = get_two(BuyerItem.at(merchant_id, buyer_id), key)
        if buyer is None or buyer.merged_into is not None:
            raise SessionSuperseded
        if buyer.erased_at_s is not None:
            return
        revisions = _revisions(merchant_id, buyer)
        orders = _orders(merchant_id, buyer)
        _refuse_under_way(orders)
        _forget_leader(merchant_id, buyer, orders)
        _forget_reminders(merchant_id, buyer)
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
                writes.update(
                    BuyerItem.at(merchant_id, one),
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
                    condition=BuyerItem.revision == revisions[one],
                    refuse=LostRace,
                )
                address_book.put_closed(writes, merchant_id, one)
                writes.delete(BirthdayItem.at(merchant_id, one))
                writes.delete(RewardsItem.at(merchant_id, one))
                writes.delete(TouchesItem.at(merchant_id, one))
            for item in invitations.items_of(merchant_id, buyer.ids).values():
                writes.add(item, item.moved(now_s))
            members.erase(writes, merchant_id, buyer.ids)
            points.forfeit(writes, merchant_id, buyer.ids, now_s=now_s)
            for identity_id in buyer.identities.as_dict().values():
                writes.delete(IdentityItem.at(merchant_id, identity_id))
                writes.delete(SubscriptionsItem.at(merchant_id, identity_id))

    retried(step)


def _revisions(merchant_id: str, buyer: BuyerItem) -> dict[str, int]:
    """Of every id of the person, read before their orders: a request that comes after them makes
    it another."""
    keys = [(BuyerItem.at(merchant_id, one).pk, "buyer") for one in buyer.other_ids]
    others = TradeItem.batch_get(keys, consistent_read=True) if keys else ()
    found = {item.buyer_id: item.revision for item in others if isinstance(item, BuyerItem)}
    return {buyer.buyer_id: buyer.revision, **found}


def _orders(merchant_id: str, buyer: BuyerItem) -> list[OrderItem]:
    return [
        order
        for one in buyer.ids
        for order in OrderItem.query(
            buyer_pk(merchant_id, one), OrderItem.sk.startswith("order#"), consistent_read=True
        )
    ]


def _forget_leader(merchant_id: str, buyer: BuyerItem, orders: list[OrderItem]) -> None:
    """Take the person's name out of the groups that they led, which are all over. Before the end
    of the account, so that no crash leaves it: an account that is kept after all has lost nothing
    but a name in its history."""
    homes = {home for one in orders for home in (one.group_id, one.first_group_id) if home}
    places = {GroupItem.at(merchant_id, home).pk for home in homes}
    keys = [(pk, "group") for pk in sorted(places)]
    for group in TradeItem.batch_get(keys, consistent_read=True) if keys else ():
        if isinstance(group, GroupItem) and group.leader_id in buyer.ids and group.leader_name:
            led = GroupItem.leader_id == group.leader_id
            update_one(group, [GroupItem.leader_name.set("")], condition=led, refuse=LostRace)


def _forget_reminders(merchant_id: str, buyer: BuyerItem) -> None:
    """Delete what the person waits to be told of, before the end of the account, too: whoever asks
    for more meanwhile makes the revision another."""
    mine = ReminderItem.sk.startswith("reminder#")
    pages = (
        ReminderItem.query(buyer_pk(merchant_id, one), mine, consistent_read=True)
        for one in buyer.ids
    )
    for part in chunks([item for page in pages for item in page], TRANSACTION_ITEMS_MAX):
        with transaction() as writes:
            for item in part:
                writes.delete(item)


def _refuse_under_way(orders: list[OrderItem]) -> None:
    open_orders = [order for order in orders if _is_under_way(order)]
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
