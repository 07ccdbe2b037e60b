"""Attribution of seats: by whose shares their buyers came, and what has become of them since.

The stream tells that an order has changed; what it has come to is read from the order as it is.
An order that came by a share has one item, which keeps by which, and what was counted of it. The
difference to what is to be counted now is added in the transaction that changes the item. So
whoever is told of a change twice, late or in the wrong order adds nothing twice, and who dies over
it is told again. A purchase writes nothing of this.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from chalicelib.domain.attribution import brought_by
from chalicelib.domain.ids import OrderId
from chalicelib.domain.touches import Touch, first_and_last
from chalicelib.services.growth import touches
from chalicelib.services.people import identities, shop_cache
from chalicelib.tables.base import LostRace, Writes, as_read, retried, transaction
from chalicelib.tables.shares import AttributionItem, ShareCountsItem, counts_shards
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import get_two


def concerns(before: OrderItem | None, order: OrderItem) -> bool:
    """Whether a change of an order may be counted. before: None, when it is new."""
    if order.group_id is None:
        return False
    return before is None or brought_by(before.view()) != brought_by(order.view())


def follow(merchant_id: str, order_id: OrderId, *, now_s: int) -> None:
    """Count what has become of an order for the shares that its buyer came by, if they came by any.
    By which is decided when this is first asked, and stays. Safe to run twice and at once.

    Written together: the order's item and the counters of both shares. Raises Busy.
    """
    shards: dict[str, Iterator[int]] = {}

    def step() -> None:
        order, item = _read(merchant_id, order_id)
        if order is None or order.group_id is None:
            return
        item = item or _attributed(order, now_s)
        if item is None:
            return
        after = brought_by(order.view())
        more = after.minus(item.counted_view)
        if not more:
            return
        before = item.revision
        item.counted, item.revision = asdict(after), (before or 0) + 1
        with transaction() as writes:
            writes.put(item, condition=as_read(AttributionItem.revision, before), refuse=LostRace)
            _count(writes, merchant_id, item, more, shards)

    retried(step)


def _read(merchant_id: str, order_id: OrderId) -> tuple[OrderItem | None, AttributionItem | None]:
    """An order and its item, as they are now, in one call."""
    order, item = get_two(
        OrderItem.at(merchant_id, order_id), AttributionItem.at(merchant_id, order_id)
    )
    return order, item


def _attributed(order: OrderItem, now_s: int) -> AttributionItem | None:
    """The item of an order that has none, not yet stored; None: no share has brought it."""
    merchant_id = order.merchant_id
    person = identities.root(merchant_id, order.buyer_id)
    known = [
        one for one in touches.of_person(merchant_id, person.ids) if one.sharer_id not in person.ids
    ]
    days = shop_cache.merchant(merchant_id, now_s).attribution_days
    placed_at_s = order.order_id.placed_at_s
    found = first_and_last(known, order.activity_id, placed_at_s, days=days)
    if found is None:
        return None
    (first, first_at_s), (last, last_at_s) = found
    return AttributionItem.at(
        merchant_id,
        order.order_id,
        last=asdict(last),
        last_at_s=last_at_s,
        first=asdict(first),
        first_at_s=first_at_s,
    )


def _count(
    writes: Writes,
    merchant_id: str,
    item: AttributionItem,
    more: Mapping[str, int],
    shards: dict[str, Iterator[int]],
) -> None:
    """Add to what both shares have brought; most often they are one."""
    by_share: dict[str, tuple[Touch, dict[str, int]]] = {}
    for touch, prefix in ((item.last_touch, ""), (item.first_touch, "first_")):
        _, counts = by_share.setdefault(touch.share_id, (touch, {}))
        counts.update({prefix + name: count for name, count in more.items()})
    for share_id, (touch, counts) in by_share.items():
        shard = next(shards.setdefault(share_id, counts_shards(share_id)))
        row = ShareCountsItem.of(merchant_id, touch, shard)
        writes.add(row, row.adding(counts))
