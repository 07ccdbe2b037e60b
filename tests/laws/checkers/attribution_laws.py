"""Laws of shares: who came by one is counted once, and what it brought is what its orders say."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict

from chalicelib.domain.attribution import Brought
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.touches import Touch
from chalicelib.tables.shares import AttributionItem, ShareCountsItem, ShareItem, VisitItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]
FIGURES = tuple(asdict(Brought()))
COUNTED = ("visits", *FIGURES, *(f"first_{name}" for name in FIGURES))
AGAIN = "again"  # visits of somebody who was counted


def counted(snapshot: TableSnapshot) -> Violations:
    """The counters of a share add up to its visitors, and to what was counted of its orders."""
    lacking: Counter[tuple[str, str]] = Counter()
    for item in snapshot.items:
        if isinstance(item, VisitItem) and item.state != AGAIN:
            lacking[item.pk.split("#")[2], "visits"] += 1
        elif isinstance(item, AttributionItem):
            lacking.update(_of_order(item))
        elif isinstance(item, ShareCountsItem):
            lacking.subtract({(item.share_id, name): getattr(item, name) for name in COUNTED})
    for (share_id, name), count in lacking.items():
        if count:
            yield f"38 shares: {name} of {share_id} lacks {count}"


def _of_order(item: AttributionItem) -> dict[tuple[str, str], int]:
    """What was counted of an order, by share and figure."""
    touches = (("", item.last_touch), ("first_", item.first_touch))
    return {
        (touch.share_id, prefix + name): count
        for prefix, touch in touches
        for name, count in item.counted.as_dict().items()
    }


def attributed(snapshot: TableSnapshot) -> Violations:
    """An order belongs to shares of its activity, of others than its buyer, that somebody came by
    in the days before; its first one was first."""
    days = [it.attribution_days for it in snapshot.items if isinstance(it, MerchantItem)]
    for item in snapshot.items:
        if not isinstance(item, AttributionItem):
            continue
        order, what = snapshot.orders.get(str(item.order_id)), f"38 shares: order {item.order_id}"
        if order is None or order.group_id is None:
            yield f"{what} has no seat, and belongs to a share"
            continue
        placed_at_s = order.order_id.placed_at_s
        since_s = placed_at_s - days[0] * DAY_S
        if not since_s <= item.first_at_s <= item.last_at_s <= placed_at_s:
            yield f"{what} belongs to visits of {item.first_at_s} and {item.last_at_s}"
        for touch in (item.first_touch, item.last_touch):
            if not _leads_to(snapshot, touch, order):
                yield f"{what} belongs to share {touch.share_id}, which did not lead to it"


def _leads_to(snapshot: TableSnapshot, touch: Touch, order: OrderItem) -> bool:
    """Whether a share leads to the order, and somebody came by it."""
    shares = {it.share_id: it for it in snapshot.items if isinstance(it, ShareItem)}
    seen = {it.pk.split("#")[2] for it in snapshot.items if isinstance(it, VisitItem)}
    share = shares.get(touch.share_id)
    if share is None or share.share_id not in seen:
        return False
    same = (touch.sharer_id, touch.channel) == (share.sharer_id, share.channel)
    return same and share.activity_id == order.activity_id and share.sharer_id != order.buyer_id


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (counted, attributed)
