"""Reading orders and groups."""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain.ids import ORDER_NO_LENGTH, OrderId, base62
from chalicelib.errors import NotFound
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import get_or_none
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk, get_two

RECENT_MAX = 200  # a buyer's orders, of less than 1 KB each, that one call looks at


def get(merchant_id: str, order_id: OrderId) -> OrderItem:
    """The order as it is. Raises NotFound."""
    order = get_or_none(OrderItem.at(merchant_id, order_id))
    if order is None:
        raise NotFound("没有找到这个订单。")
    return order


def with_group(
    merchant_id: str, order_id: OrderId, group_id: str | None
) -> tuple[OrderItem, GroupItem | None]:
    """An order and its group, in one consistent round trip when `group_id` is right.

    None when it was bought alone. Raises NotFound when there is no such order.
    """
    if group_id is None:
        order, group = get_or_none(OrderItem.at(merchant_id, order_id)), None
    else:
        group_key = GroupItem.at(merchant_id, group_id)
        order, group = get_two(OrderItem.at(merchant_id, order_id), group_key)
    if order is None:
        raise NotFound("没有找到这个订单。")
    if order.group_id != group_id:  # the gateway did not send it back, or the caller did not know
        return with_group(merchant_id, order_id, order.group_id)
    return order, group


def with_buyer(merchant_id: str, order_id: OrderId) -> tuple[OrderItem, BuyerItem]:
    """An order and its buyer, in one round trip; the buyer who theirs was merged into, in one more.

    Raises NotFound.
    """
    buyer_key = BuyerItem.at(merchant_id, order_id.buyer_id)
    order, buyer = get_two(OrderItem.at(merchant_id, order_id), buyer_key)
    if order is None or buyer is None:
        raise NotFound("没有找到这个订单。")
    merged = buyer.merged_into is not None
    return order, identities.root(merchant_id, buyer.buyer_id) if merged else buyer


def detail(merchant_id: str, order_id: OrderId) -> tuple[OrderItem, OrderDetailItem]:
    """An order with its address and price lines, in one round trip. Raises NotFound."""
    detail_key = OrderDetailItem.at(merchant_id, order_id)
    order, lines = get_two(OrderItem.at(merchant_id, order_id), detail_key)
    if order is None or lines is None:
        raise NotFound("没有找到这个订单。")
    return order, lines


def get_for_buyer(merchant_id: str, order_id: OrderId) -> OrderItem:
    """An order, for its buyer. Raises NotFound, SessionSuperseded for a closed account."""
    buyer_key = BuyerItem.at(merchant_id, order_id.buyer_id)
    order, buyer = get_two(OrderItem.at(merchant_id, order_id), buyer_key)
    buyers.refuse_closed(buyer)
    if order is None:
        raise NotFound("没有找到这个订单。")
    return order


def detail_for_buyer(merchant_id: str, order_id: OrderId) -> tuple[OrderItem, OrderDetailItem]:
    """The same, for the order's buyer. Raises SessionSuperseded when they closed their account."""
    places = [kind.at(merchant_id, order_id) for kind in (OrderItem, OrderDetailItem)]
    keys = [(place.pk, place.sk) for place in places]
    buyer = BuyerItem.at(merchant_id, order_id.buyer_id)
    items = TradeItem.batch_get([*keys, (buyer.pk, buyer.sk)], consistent_read=True)
    found = {item.sk: item for item in items}
    buyers.refuse_closed(found.get(buyer.sk))
    order, lines = (found.get(sk) for _, sk in keys)
    if not (isinstance(order, OrderItem) and isinstance(lines, OrderDetailItem)):
        raise NotFound("没有找到这个订单。")
    return order, lines


def find_group(merchant_id: str, group_id: str, *, consistent: bool = True) -> GroupItem | None:
    """The group, or None."""
    key = GroupItem.at(merchant_id, group_id)
    try:
        return GroupItem.get(key.pk, key.sk, consistent_read=consistent)
    except GroupItem.DoesNotExist:
        return None


def of_group(group: GroupItem) -> list[OrderItem]:
    """The orders of a group's seats, read consistently in one call."""
    return of_groups([group])


def of_everybody(group: GroupItem) -> list[OrderItem]:
    """The same, with those who have gone on in another group."""
    return _seated(group.merchant_id, group.everybody)


def of_groups(groups: Sequence[GroupItem]) -> list[OrderItem]:
    """The orders of the seats of these groups, read consistently, a hundred in one call."""
    merchant_id = groups[0].merchant_id if groups else ""
    return _seated(merchant_id, *(group.members.as_dict() for group in groups))


def find_groups(merchant_id: str, group_ids: Iterable[str]) -> list[GroupItem]:
    """Those of the groups that there are, read consistently, a hundred in one call."""
    keys = [(GroupItem.at(merchant_id, group_id).pk, "group") for group_id in group_ids]
    found = TradeItem.batch_get(keys, consistent_read=True) if keys else ()
    return [item for item in found if isinstance(item, GroupItem)]


def _seated(merchant_id: str, *seats: Mapping[str, str]) -> list[OrderItem]:
    """The orders of these seats: buyer_id -> order_no, of each group."""
    places = [
        OrderItem.at(merchant_id, OrderId(*seat)) for group in seats for seat in group.items()
    ]
    found = TradeItem.batch_get([(at.pk, at.sk) for at in places], consistent_read=True)
    return [item for item in found if isinstance(item, OrderItem)]


def with_details(bought: Iterable[OrderItem]) -> list[tuple[OrderItem, OrderDetailItem]]:
    """These orders with their addresses and price lines, read consistently, a hundred in one call.

    Raises NotFound, since no order is without.
    """
    known = list(bought)
    places = [OrderDetailItem.at(order.merchant_id, order.order_id) for order in known]
    keys = [(place.pk, place.sk) for place in places]
    items = OrderDetailItem.batch_get(keys, consistent_read=True) if keys else ()
    details = {(detail.pk, detail.sk): detail for detail in items}
    if len(details) < len(keys):
        raise NotFound("没有找到这个订单。")
    return [(order, details[key]) for order, key in zip(known, keys, strict=True)]


def of_buyer_since(
    merchant_id: str, buyer_ids: Iterable[str], since_s: int, *, activity_id: str = ""
) -> list[OrderItem]:
    """A buyer's orders (of one activity) placed since then, newest first: one consistent call per
    id looks at RECENT_MAX orders of any activity."""
    found: list[OrderItem] = []
    for buyer_id in buyer_ids:
        found += OrderItem.query(
            buyer_pk(merchant_id, buyer_id),
            OrderItem.sk.between(f"order#{base62(since_s, ORDER_NO_LENGTH - 2)}", "order#~"),
            consistent_read=True,
            scan_index_forward=False,
            limit=RECENT_MAX,
            page_size=RECENT_MAX,
        )
    found.sort(key=lambda order: order.order_no, reverse=True)
    return [order for order in found if activity_id in ("", order.activity_id)]
