"""Laws of who may buy: an activity for new buyers sells to nobody who has bought before."""

from collections.abc import Callable, Iterator

from chalicelib.domain.activity import NewBuyers
from chalicelib.tables.trade import OrderItem
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]


def new_buyers(snapshot: TableSnapshot) -> Violations:
    """A purchase that wants a new buyer is the first of its buyer that came to something."""
    of_buyer: dict[str, list[OrderItem]] = {}
    for order in snapshot.orders.values():
        if order.view().is_purchase:
            of_buyer.setdefault(order.buyer_id, []).append(order)
    for buyer_id, orders in of_buyer.items():
        ranked = sorted(orders, key=lambda order: (order.order_id.placed_at_s, order.order_no))
        for order in ranked[1:]:
            first = ranked[0]
            earlier = first.order_id.placed_at_s < order.order_id.placed_at_s
            if earlier and _wants_new(snapshot, order):
                text = f"order {order.order_id} of {buyer_id}, who had bought {first.order_id}"
                yield f"30 new buyers: {text}"
        if sum(_wants_new(snapshot, order) for order in orders) > 1:
            yield f"30 new buyers: {buyer_id} was new more than once"


def _wants_new(snapshot: TableSnapshot, order: OrderItem) -> bool:
    coupon = snapshot.coupons.get(order.coupon or "")
    if coupon is not None and coupon.view().terms.first_order:
        return True
    terms, group = snapshot.terms_of(order), snapshot.first_group_of(order)
    if terms is None or group is None:
        return False
    leads = group.leader_id == order.buyer_id
    return terms.new_buyers == NewBuyers.ALL or (
        terms.new_buyers == NewBuyers.JOINERS and not leads
    )


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (new_buyers,)
