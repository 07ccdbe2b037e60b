"""万人团: the more people form groups of an activity, the more of each unit goes back, to all.

What counts are the paid seats of the groups that have formed; they never become fewer. A tier that
they reach is reached for good. Every order of a formed group is owed what the highest tier that was
reached gives back of its units: what it has got by then is taken off, so that each tier adds a
difference, and an order of a later group gets all of it at once.
"""

from collections.abc import Sequence

from chalicelib.domain.activity import Tier
from chalicelib.domain.after_sale import STARTED
from chalicelib.domain.coupon import LEAST_PAID_FEN
from chalicelib.domain.order import CROWD_DIGITS, Order


def reached_by(tiers: Sequence[Tier], seats: int) -> int:
    """How many of the tiers, which ascend, so many seats reach."""
    return sum(tier.seats <= seats for tier in tiers)


def off_fen(tiers: Sequence[Tier], reached: int) -> int:
    """What goes back of a unit once so many tiers are reached."""
    return tiers[reached - 1].off_fen if reached else 0


def digit_of(reached: int) -> str:
    """What ends the key of a refund by the tier of that number."""
    return CROWD_DIGITS[reached - 1]


def tier_of(refund_key: str, tiers: Sequence[Tier]) -> Tier | None:
    """The tier by which a refund was made; None: it was made for another reason."""
    digit = refund_key[2:]
    number = CROWD_DIGITS.find(digit) + 1 if digit else 0
    return tiers[number - 1] if 0 < number <= len(tiers) else None


def owed_fen(order: Order, each_fen: int, goods_fen: int) -> int:
    """What an order of a formed group has yet to get when `each_fen` of a unit go back.

    Of units that went back after-sale, nothing; and no more than its goods cost, or is left of its
    payment, less a fen: so the order stays one that was paid. goods_fen: without freight.
    """
    if order.status not in STARTED or order.is_given_back:
        return 0
    promised_fen = min(each_fen * order.units.may_go_back, goods_fen - LEAST_PAID_FEN)
    return max(min(promised_fen - order.rebated_fen, order.refundable_fen - LEAST_PAID_FEN), 0)


def counted_until_s(
    ends_at_s: int, ended_at_s: int | None, *, pay_by_s: int, life_max_s: int, late_s: int
) -> int:
    """When the last group of an activity has been counted: it was decided, and `late_s` went by.

    An activity that staff ended still has its open groups, and leaders who are paying.
    """
    if ended_at_s is not None:
        ends_at_s = min(ends_at_s, ended_at_s + pay_by_s + life_max_s)
    return ends_at_s + late_s
