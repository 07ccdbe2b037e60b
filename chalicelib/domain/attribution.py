"""Attribution: what shares have brought, from the visit to the paid seat and beyond.

A seat belongs to the share that its buyer came by last; the one that they came by first is kept
beside it. What is counted of a seat follows from its order as it is, so it can be counted anew at
any time, and the difference to what was counted before is all that there is to add.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from operator import attrgetter

from chalicelib.domain.order import Order, OrderStatus

DAYS = 7  # before a purchase, unless the shop has set others
DAYS_MAX = 14  # touches are kept as long

_UNPAID = (OrderStatus.PENDING, OrderStatus.CLOSED)


@dataclass(frozen=True)
class Brought:
    """What seats come to that a share has brought. taken: groups were opened or joined with them,
    whether they were paid or not. formed: of paid ones, in groups that formed. refunded: of them
    nothing is left, because the group failed or after-sale. Amounts are of paid seats: a payment
    that came too late took none, and neither it nor its refund is counted."""

    taken: int = 0
    paid: int = 0
    paid_fen: int = 0
    formed: int = 0
    refunded: int = 0
    refunded_fen: int = 0

    def minus(self, other: "Brought") -> Mapping[str, int]:
        """By how much each figure is more than the other's, where it differs."""
        before = asdict(other)
        differences = {name: count - before[name] for name, count in asdict(self).items()}
        return {name: count for name, count in differences.items() if count}


FIGURES = tuple(field.name for field in fields(Brought))
_FIGURES_OF = attrgetter(*FIGURES)  # an activity may have tens of thousands of shares


@dataclass(frozen=True)
class ShareSums:
    """What one share or several have brought: who came, and what buyers bought who came by them
    last, and first."""

    visits: int = 0
    last: Brought = Brought()
    first: Brought = Brought()

    @property
    def rank(self) -> tuple[int, int, int]:
        """Whoever has brought more comes first."""
        return (-self.last.paid, -self.last.taken, -self.visits)


def together(sums: Iterable[ShareSums]) -> ShareSums:
    """What several have brought."""
    every = list(sums)
    if len(every) == 1:
        return every[0]
    return ShareSums(
        sum(one.visits for one in every),
        _added(one.last for one in every),
        _added(one.first for one in every),
    )


def _added(parts: Iterable[Brought]) -> Brought:
    return Brought(*map(sum, zip(*map(_FIGURES_OF, parts), strict=True)))


def brought_by(order: Order) -> Brought:
    """What the share of an order has brought by it, as the order is now."""
    seat = order.seat_payment
    if seat is None or order.status in _UNPAID:
        return Brought(taken=1)
    waits = order.status is OrderStatus.PAID
    return Brought(
        taken=1,
        paid=1,
        paid_fen=seat[1].amount_fen,
        formed=int(order.is_purchase and not waits),
        refunded=int(order.status is OrderStatus.REFUNDED),
        refunded_fen=order.refunded_fen,
    )
