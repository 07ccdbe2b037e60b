"""Due work: finds what is due in the sparse index and does what is next about each item.

The stream does the same at once; the schedules do whatever was missed. An item is read and
decided by its own state and conditions, so it does not matter who comes first, or how often.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from chalicelib import deadline, observability
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Intent, OrderStatus, PaymentStatus
from chalicelib.errors import Busy, GatewayFailed, NotFound, ServiceError
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services import timeouts
from chalicelib.services.after_sale import returns
from chalicelib.services.catalogue import activities
from chalicelib.services.fulfilment import receipts
from chalicelib.services.groups import (
    activity_closing,
    crowds,
    order_closing,
    reminder_work,
    settlement,
)
from chalicelib.services.growth import members
from chalicelib.services.money import day_book, payments, reconciliation, refunds
from chalicelib.services.orders import (
    birthdays,
    counting,
    coupon_expiry,
    invitation_grants,
    notifications,
    order_search,
    orders,
    points_changes,
    reward_grants,
    subscribe_messages,
)
from chalicelib.services.reports import exports
from chalicelib.tables.base import LostRace, retried, update_one
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, due_shards

BATCH_MAX = 400  # items of one run; the next run goes on where the index then begins
REMINDERS_MAX = 4000  # of one run: at the start of a sale everybody's are due
PAGE = 50
RUN_S = 40.0  # of the 60 that a function has; what is begun then has the rest to end in
RUN_SHARE = 2 / 3  # the same of whatever the function has
# What is next about an item of a kind, of which its key tells the merchant and an id.
BY_ID: Mapping[str, Callable[..., None]] = {
    "crowd": crowds.process,
    "points": points_changes.process_due,
    "birthday": birthdays.process_due,
    "member": members.process,
    "rewards": reward_grants.process,
    "invitation": invitation_grants.process,
    "reconciling": reconciliation.process,
    "export": exports.process,
}
WORKERS = 8  # most of the time is spent waiting for gateways


def run(intent: Intent, *, now_s: int) -> int:
    """Do what is due of one kind, for RUN_S at most. Returns how many items were looked at."""
    stop_s = time_to_stop_s()

    def process_in_time(key: tuple[str, str]) -> bool:
        if time.monotonic() >= stop_s:
            return False  # it stays due for the next run
        process_item(*key, now_s=now_s)
        return True

    oldest = _Oldest(now_s)
    with deadline.Threads(WORKERS) as pool:
        processed = sum(pool.map(process_in_time, _due_keys(intent, now_s, oldest)))
    oldest.tell()
    return processed


def time_to_stop_s() -> float:
    """When nothing more is begun, by time.monotonic: what is not begun stays due."""
    return time.monotonic() + min(RUN_S, deadline.left_s() * RUN_SHARE)


def process_item(pk: str, sk: str, *, now_s: int) -> None:
    """Do what is next about one item; one that goes wrong is postponed and holds up no other."""
    try:
        process(pk, sk, now_s=now_s)
    except (Busy, GatewayFailed) as error:
        observability.logger.warning("postponed", extra={"item": f"{pk} {sk}", "why": str(error)})
        _postpone(pk, sk, now_s=now_s)
    except Exception:
        observability.logger.exception("due work failed", extra={"item": f"{pk} {sk}"})
        observability.count("DueWorkFailed")
        _postpone(pk, sk, now_s=now_s)


def process(pk: str, sk: str, *, now_s: int) -> None:
    """Do what is next about one item, whatever its kind. Safe to run twice and in parallel."""
    merchant_id, _, rest = pk.partition("#")
    item_id = rest.partition("#")[2]
    kind, _, number = sk.partition("#")
    if kind == "order":
        process_order(merchant_id, OrderId(item_id, number), now_s=now_s)
    elif kind == "group":
        process_group(merchant_id, item_id, now_s=now_s)
    elif kind == "message":
        subscribe_messages.process(merchant_id, pk, sk, now_s=now_s)
    elif kind == "reminder":
        reminder_work.process(merchant_id, item_id, sk, now_s=now_s)
    elif kind == "coupon":
        coupon_expiry.process(merchant_id, item_id, sk, now_s=now_s)
    elif kind in BY_ID:
        BY_ID[kind](merchant_id, item_id, now_s=now_s)
    elif kind == "closing" and activity_closing.groups_are_closed(
        merchant_id, item_id, now_s=now_s
    ):
        activities.return_unsold_stock(merchant_id, item_id, now_s=now_s)


def process_group(merchant_id: str, group_id: str, *, now_s: int) -> None:
    """Decide a due group; tell the members of a decided one, then settle it."""
    group = orders.find_group(merchant_id, group_id)
    if group is None:
        return
    if group.status == GroupStatus.OPEN:
        settlement.decide_if_due(group, now_s=now_s)
        group = orders.find_group(merchant_id, group_id)
    if group is not None:
        settlement.carry_out(group, now_s=now_s)


def process_order(merchant_id: str, order_id: OrderId, *, now_s: int) -> None:
    """Everything an order may need: ask about its payments, release it, refund, tell, tidy up."""
    try:
        order = orders.get(merchant_id, order_id)
    except NotFound:
        return
    silence: ServiceError | None = None
    try:
        order = _process_payments(order, now_s)
    except (GatewayFailed, NotConfigured) as error:
        silence = error  # nobody's refund waits for it
    for key, refund in order.view().open_refunds.items():
        if refund.next_at_s <= now_s:
            refunds.process(order, key, now_s=now_s)
    if order.view().unposted:
        _post(order, now_s)
    returns.close_due(order, now_s=now_s)
    receipts.receive_due(order, now_s=now_s)
    if (
        silence is None or order.view().unposted
    ):  # else it would be due again before it is postponed
        retried(lambda: _reschedule(order, now_s))
    if silence is not None:
        raise silence


def _post(order: OrderItem, now_s: int) -> None:
    """What follows a payment: the words to find the order by, the day book, its buyer's news."""
    order_search.put_words(order)
    order_search.put_gateway_numbers(order)
    day_book.post_captures(order)
    if order.status == OrderStatus.PAID:
        notifications.tell_waiting(order, now_s=now_s)


def _process_payments(order: OrderItem, now_s: int) -> OrderItem:
    """Release an order at its pay-by time, or ask about its payments; the order as it is then."""
    known = order.view()
    if known.status is OrderStatus.PENDING and known.pay_by_s <= now_s:
        order_closing.release_due(order, now_s=now_s)
        return orders.get(order.merchant_id, order.order_id)
    return _ask_about_attempts(order, now_s) if _due_attempts(order, now_s) else order


def _due_attempts(order: OrderItem, now_s: int) -> list[str]:
    created = order.view().created_attempts
    return [attempt for attempt, payment in created.items() if payment.query_at_s <= now_s]


def _ask_about_attempts(order: OrderItem, now_s: int) -> OrderItem:
    """Payments that had no callback. What can no longer take its seat is closed at the gateway."""
    closing = order.status != OrderStatus.PENDING
    for attempt in _due_attempts(order, now_s):
        payment = payments.resolve(order, attempt, closing=closing, now_s=now_s)
        if payment.status is not PaymentStatus.SUCCEEDED:
            payments.store_attempt(order, attempt, payment)
    return orders.get(order.merchant_id, order.order_id)


def _reschedule(driven: OrderItem, now_s: int) -> None:
    """Let the marker say what is next: whoever changed the order may have left it as it was.

    What was captured while it was driven is yet to be posted.
    """
    order, group = orders.with_group(driven.merchant_id, driven.order_id, driven.group_id)
    if order.first_group_id is not None:  # it was moved since: what it opened is counted there
        group = orders.find_group(order.merchant_id, order.first_group_id)
    posted = [attempt for attempt in order.unposted if attempt in driven.unposted]
    after = replace(order.view(), unposted=len(posted) < len(order.unposted))
    if not posted and order.is_marked():
        return
    actions = order.due_next(after)
    condition = (OrderItem.status == order.status) & order.marker_as_read()
    if posted:
        counting.post(order, posted, actions, group=group, condition=condition, now_s=now_s)
    else:
        update_one(order, actions, condition=condition, refuse=LostRace)


def _postpone(pk: str, sk: str, *, now_s: int) -> None:
    """Move an item's marker a little into the future, so that it does not hold up its queue."""
    try:
        item = TradeItem.get(pk, sk, consistent_read=True)
        if item.due_at_s is None or item.due_shard is None or item.due_at_s > now_s:
            return
        update_one(
            item,
            [TradeItem.due_at_s.set(now_s + timeouts.POSTPONE_S)],
            condition=item.marker_as_read(),
            refuse=LostRace,
        )
    except (Busy, LostRace):
        return  # somebody else has it, or the next run will


class _Oldest:
    """How long the oldest work of a run has been due. Told also when there is none: no figure
    means that the jobs do not run."""

    def __init__(self, now_s: int) -> None:
        self._now_s, self._due_at_s, self.unread = now_s, now_s, False

    def note(self, due_at_s: int) -> None:
        self._due_at_s = min(self._due_at_s, due_at_s)

    def tell(self) -> None:
        if not self.unread:
            observability.measure_s("OldestDueWork", self._now_s - self._due_at_s)


def _due_keys(intent: Intent, now_s: int, oldest: _Oldest) -> Iterator[tuple[str, str]]:
    """Keys of due items, the longest due of each shard first, at most one run's."""
    most = REMINDERS_MAX if intent is Intent.REMINDER else BATCH_MAX
    share = most // len(due_shards(intent))
    for shard in due_shards(intent):
        page = TradeItem.by_due.query(
            shard, TradeItem.due_at_s <= now_s, limit=share, page_size=PAGE
        )
        try:
            for item in page:
                oldest.note(item.due_at_s or now_s)
                yield item.pk, item.sk
        except Busy:
            oldest.unread = True
            observability.logger.warning("shard not read", extra={"shard": shard})
