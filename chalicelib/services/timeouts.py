"""How long the system waits for things, in seconds of this stage (see settings.time_divisor)."""

from chalicelib.domain import order
from chalicelib.domain.ledger import EARNED
from chalicelib.settings import settings

GRACE_S = settings.shortened(60)  # a payment made by then still counts; then the group fails
# WeChat Pay lets no payment end within a minute of its beginning, and a buyer needs some time for
# the password; each part is rounded by itself, so that it stays more.
PAYABLE_S = settings.shortened(60) + settings.shortened(30)
GATEWAY_PATIENCE_S = settings.shortened(300)  # a silent gateway holds up a decision no longer
QUERY_AFTER_S = settings.shortened(90)  # no callback by then: ask
POSTPONE_S = settings.shortened(30)
CLOSING_AFTER_S = settings.shortened(120)  # after the end: every group has been decided by then
UNDER_WAY_S = settings.shortened(60)  # no function, and so no request to a gateway, lives longer
# WeChat Pay wants a minute between refunds of one order, and the one before may be sent late; one
# that comes too soon all the same is asked for again later, as everything unanswered is.
BETWEEN_REFUNDS_S = settings.shortened(60) + settings.shortened(30)

PACE_S = settings.shortened(60)  # the minute in which an activity lets so many seats be taken

CROWD_LOOK_S = settings.shortened(60)  # at what all groups of an activity have reached
# A group that is settled so long after its deadline is late; the count of its activity ends after
# twice that, and what is late begins it anew.
CROWD_LATE_S = settings.shortened(1800)

REMINDER_LOOK_S = settings.shortened(1800)  # staff may move the start of what a buyer waits for
SEAT_LOOK_S = settings.shortened(60)  # a held seat is given up at any time

SUBSCRIBE_MESSAGE_S = settings.shortened(24 * 3600)  # later nobody wants to be told of it
SUBSCRIBE_MESSAGE_AGAIN_S = settings.shortened(600)  # WeChat was busy, or its quota used up


def refund_may_start_s(known: order.Order, *, now_s: int) -> int:
    """Gateways want a while between two refunds of one payment, so each waits for the one before,
    which may have waited itself."""
    earlier = sorted(
        refund.at_s for key, refund in known.refunds.items() if order.reason_of(key) in EARNED
    )
    free_s = 0
    for at_s in earlier:
        free_s = max(at_s, free_s) + BETWEEN_REFUNDS_S
    return max(now_s, free_s)


def next_query_s(asked_at_s: int, *, now_s: int) -> int:
    return order.retry_at_s(
        asked_at_s,
        now_s=now_s,
        shortest_s=settings.shortened(order.QUERY_MIN_S),
        longest_s=settings.shortened(order.QUERY_MAX_S),
    )


def next_refund_s(asked_at_s: int, *, now_s: int) -> int:
    return order.retry_at_s(
        asked_at_s,
        now_s=now_s,
        shortest_s=settings.shortened(order.REFUND_RETRY_MIN_S),
        longest_s=settings.shortened(order.REFUND_RETRY_MAX_S),
    )


def next_look_at_crowd_s(starts_at_s: int, *, now_s: int) -> int:
    """Every minute while its activity runs; seldom before its start, which staff may move."""
    return min(max(now_s + CROWD_LOOK_S, starts_at_s), now_s + REMINDER_LOOK_S)


def refund_is_hopeless(asked_at_s: int, *, now_s: int) -> bool:
    return now_s - asked_at_s >= settings.shortened(order.REFUND_PATIENCE_S)
