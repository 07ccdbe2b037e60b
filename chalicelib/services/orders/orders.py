"""Orders: reading them, buying alone, and letting go of one that is not paid."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pynamodb.expressions.update import Action

from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.ids import OrderId, derived_id, new_order_no
from chalicelib.domain.order import Order, OrderStatus, Payment, entry_of
from chalicelib.domain.product import spec_text
from chalicelib.errors import IdempotencyMismatch, InvalidRequest, NotFound
from chalicelib.gateways import secrets
from chalicelib.services.catalogue import catalogue_cache, reservations
from chalicelib.services.catalogue.reservations import Shelf
from chalicelib.services.orders import deliveries, ordering, unpaid_order_limit
from chalicelib.services.orders.ordering import Line, Purchase, Quote
from chalicelib.services.orders.unpaid_order_limit import Register
from chalicelib.services.people import shop_cache
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, PageKey, Writes, retried, transaction
from chalicelib.tables.buyers import BuyerItem, KeyItem
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk


class _Repeat(Exception):
    def __init__(self, old: KeyItem) -> None:
        super().__init__("repeat")
        self.old = old


def get(merchant_id: str, order_id: OrderId) -> OrderItem:
    """The order as it is. Raises NotFound."""
    key = OrderItem.at(merchant_id, order_id)
    try:
        return OrderItem.get(key.pk, key.sk, consistent_read=True)
    except OrderItem.DoesNotExist:
        raise NotFound("没有找到这个订单。") from None


def with_group(
    merchant_id: str, order_id: OrderId, group_id: str | None
) -> tuple[OrderItem, GroupItem | None]:
    """An order and its group, in one consistent round trip when `group_id` is right.

    None when it was bought alone. Raises NotFound when there is no such order.
    """
    wanted = [OrderItem.at(merchant_id, order_id)]
    keys = [(wanted[0].pk, wanted[0].sk)]
    if group_id is not None:
        keys.append((GroupItem.at(merchant_id, group_id).pk, "group"))
    found = list(TradeItem.batch_get(keys, consistent_read=True))
    order = next((item for item in found if isinstance(item, OrderItem)), None)
    if order is None:
        raise NotFound("没有找到这个订单。")
    if order.group_id != group_id:  # the gateway did not send it back, or the caller did not know
        return with_group(merchant_id, order_id, order.group_id)
    return order, next((item for item in found if isinstance(item, GroupItem)), None)


def with_buyer(merchant_id: str, order_id: OrderId) -> tuple[OrderItem, BuyerItem]:
    """An order and its buyer, in one round trip. Raises NotFound."""
    order_key = OrderItem.at(merchant_id, order_id)
    keys = [(order_key.pk, order_key.sk), (order_key.pk, "buyer")]
    found = list(TradeItem.batch_get(keys, consistent_read=True))
    order = next((item for item in found if isinstance(item, OrderItem)), None)
    buyer = next((item for item in found if isinstance(item, BuyerItem)), None)
    if order is None or buyer is None:
        raise NotFound("没有找到这个订单。")
    return order, buyer


def detail(merchant_id: str, order_id: OrderId) -> tuple[OrderItem, OrderDetailItem]:
    """An order with its address and price lines, in one round trip. Raises NotFound."""
    order_key = OrderItem.at(merchant_id, order_id)
    detail_key = OrderDetailItem.at(merchant_id, order_id)
    keys = [(order_key.pk, order_key.sk), (detail_key.pk, detail_key.sk)]
    found = list(TradeItem.batch_get(keys, consistent_read=True))
    order = next((item for item in found if isinstance(item, OrderItem)), None)
    lines = next((item for item in found if isinstance(item, OrderDetailItem)), None)
    if order is None or lines is None:
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


def of_groups(groups: Sequence[GroupItem]) -> list[OrderItem]:
    """The orders of the seats of these groups, read consistently, a hundred in one call."""
    keys = []
    for group in groups:
        for buyer_id, order_no in group.members.as_dict().items():
            key = OrderItem.at(group.merchant_id, OrderId(buyer_id, order_no))
            keys.append((key.pk, key.sk))
    found = TradeItem.batch_get(keys, consistent_read=True)
    return [item for item in found if isinstance(item, OrderItem)]


def of_buyer(
    merchant_id: str, buyer_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[OrderItem], PageKey | None]:
    """(orders, newest first; the key that the next page starts after)."""
    page = OrderItem.query(
        buyer_pk(merchant_id, buyer_id),
        OrderItem.sk.startswith("order#"),
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=after,
    )
    return list(page), page.last_evaluated_key


def buy_alone(
    merchant_id: str,
    buyer_id: str,
    activity_id: str,
    purchase: Purchase,
    *,
    key: str,
    now_s: int,
) -> OrderItem:
    """Order at the solo price, from the product's own stock: order, detail, hold, stock and key.

    The price is the product's present one, whatever the activity's terms said once. Raises
    NotFound, InvalidRequest, UnpaidOrdersLimit, SoldOut, IdempotencyMismatch, Busy, and as
    deliveries.quoted.
    """
    body_hash = purchase.fingerprint(activity_id)
    key_id = derived_id(secrets.secret("id-key").encode(), "buy", merchant_id, buyer_id, key)

    def attempt(quote: Quote, shop: MerchantItem, register: Register | None) -> OrderItem:
        order_id = OrderId(buyer_id, new_order_no(now_s))
        once = KeyItem.at(
            merchant_id, buyer_id, key_id, order_no=order_id.order_no, body_hash=body_hash
        )
        with transaction() as writes:
            writes.put(once, refuse=_Repeat)
            unpaid_order_limit.register(
                writes, merchant_id, order_id, register, limit=shop.unpaid_orders_max
            )
            line = quote.line
            reservations.take_from_product(
                writes, merchant_id, line.product_id, line.sku_id, purchase.quantity
            )
            return ordering.place(
                writes,
                merchant_id,
                order_id,
                quote,
                group_id=None,
                pay_by_s=now_s + settings.shortened(shop.pay_by_s),
                now_s=now_s,
            )

    def first_answer(old: KeyItem) -> OrderItem:
        if old.body_hash != body_hash:
            raise IdempotencyMismatch
        return get(merchant_id, OrderId(buyer_id, old.order_no))

    try:
        activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
        ordering.check_quantity(purchase.quantity, limit_per_order=activity.limit_per_order)
        line = solo_line(merchant_id, activity, purchase.sku_id, now_s)
        quote = deliveries.quoted(merchant_id, line, purchase, now_s=now_s)
        shop = shop_cache.merchant(merchant_id, now_s)
        return unpaid_order_limit.within_limit(
            merchant_id,
            buyer_id,
            lambda register: retried(lambda: attempt(quote, shop, register)),
            now_s=now_s,
        )
    except _Repeat as repeat:
        return first_answer(repeat.old)
    except (NotFound, InvalidRequest, *ordering.CHANGED_SINCE):
        # Was it me? What is sold may have changed since the first request.
        once = _key_item(merchant_id, buyer_id, key_id)
        if once is None:
            raise
        return first_answer(once)


def _key_item(merchant_id: str, buyer_id: str, key_id: str) -> KeyItem | None:
    key = KeyItem.at(merchant_id, buyer_id, key_id)
    try:
        return KeyItem.get(key.pk, key.sk, consistent_read=True)
    except KeyItem.DoesNotExist:
        return None


def solo_line(merchant_id: str, activity: ActivityItem, sku_id: str, now_s: int) -> Line:
    """A SKU of the activity's product at its present solo price. Raises NotFound."""
    product = catalogue_cache.product(merchant_id, activity.product_id, now_s)
    sku = next((sku for sku in product.skus if sku["sku_id"] == sku_id), None)
    if sku is None or not product.on_sale:
        raise NotFound("这个规格已下架，看看其他规格。")
    return Line(
        activity_id=activity.activity_id,
        version=0,
        product_id=activity.product_id,
        sku_id=sku_id,
        title=product.title,
        spec=spec_text(dict(sku["specs"])),
        image=sku["image"] or (product.images[0] if product.images else ""),
        list_price_fen=sku["list_price_fen"],
        unit_price_fen=sku["solo_price_fen"],
    )


def release(
    order: OrderItem,
    closed: dict[str, Payment],
    *,
    also: Callable[[Writes, OrderItem], None] | None = None,
    now_s: int,
) -> bool:
    """Close an unpaid order: order, seat, stock and limit together. False when it is no longer so.

    closed: its attempts that the gateway has closed, stored in the same write. also: adds what else
    is written with it. The leader's
    unpaid group fails with its order. When the group has been decided, settling closes the order.
    """

    def step(to_product: bool) -> bool:
        current, group = _order_and_group(order)
        known = current.view()
        if known.status is not OrderStatus.PENDING:
            return False
        if group is not None and group.status in (GroupStatus.FORMED, GroupStatus.FAILED):
            return False
        # An attempt that was recorded as paid meanwhile is not overwritten.
        done = {key: closed[key] for key in known.created_attempts if key in closed}
        after = replace(known, status=OrderStatus.CLOSED, payments={**known.payments, **done})
        with transaction() as writes:
            close(writes, current, after)
            if group is not None:
                _leave(writes, group, current, now_s)
            give_back(writes, current, to_product=to_product)
            if also is not None:
                also(writes, current)
        return True

    return retried(lambda: reservations.giving_back(step))


def close(writes: Writes, order: OrderItem, after: Order) -> None:
    """Close a pending order; a refund of it, or an attempt that may still be paid, stays due."""
    actions: list[Action] = [OrderItem.status.set(after.status.value), *order.due_next(after)]
    before = order.view().payments
    for attempt, payment in after.payments.items():
        if payment != before.get(attempt):
            actions.append(OrderItem.payments[attempt].set(entry_of(payment)))
    writes.update(
        order,
        actions,
        condition=(OrderItem.status == OrderStatus.PENDING.value) & order.marker_as_read(),
        refuse=lambda old: LostRace(),
    )


def give_back(writes: Writes, order: OrderItem, *, to_product: bool) -> None:
    """Return what one order reserved: its units, and its buyer's limit."""
    alone = order.group_id is None
    reservations.give_back(writes, shelf_of(order), order.quantity, to_product=to_product or alone)
    if order.limited:
        reservations.uncount_limit(
            writes, order.merchant_id, order.buyer_id, order.activity_id, order.quantity
        )


def _leave(writes: Writes, group: GroupItem, order: OrderItem, now_s: int) -> None:
    """Free the order's seat. A leader's pending group fails with it: nobody ever saw it."""
    seat = GroupItem.members[order.buyer_id]
    actions: list[Action] = [seat.remove()]
    if group.status == GroupStatus.PENDING:
        actions += [
            GroupItem.status.set(GroupStatus.FAILED.value),
            GroupItem.failed_reason.set(FailedReason.LEADER_UNPAID.value),
            GroupItem.decided_at_s.set(now_s),
        ]
    writes.update(
        group,
        actions,
        condition=(seat == order.order_no) & (GroupItem.status == group.status),
        refuse=lambda old: LostRace(),
    )


def _order_and_group(order: OrderItem) -> tuple[OrderItem, GroupItem | None]:
    return with_group(order.merchant_id, order.order_id, order.group_id)


def shelf_of(order: OrderItem) -> Shelf:
    """Where the order's units go back. Only a group order has buckets; its terms say how many."""
    if order.group_id is None:
        return Shelf(order.merchant_id, order.activity_id, order.product_id, order.sku_id, 1)
    offer = catalogue_cache.version(order.merchant_id, order.activity_id, order.version)
    return Shelf(
        order.merchant_id, order.activity_id, order.product_id, order.sku_id, offer.buckets
    )
