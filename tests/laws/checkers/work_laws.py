"""Laws of what is still to be done, of what was told and listed, and of traces."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.exports import ExportStatus
from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.order import Intent, OrderStatus, RefundReason, RefundStatus, next_intent
from chalicelib.domain.texts import TextKey
from chalicelib.services import timeouts
from chalicelib.services.orders import notifications
from chalicelib.services.reports.exports import OPEN_MAX
from chalicelib.tables.buyers import AfterSaleItem, messages_list
from chalicelib.tables.exports import ExportItem
from chalicelib.tables.review_queue import (
    DifferenceReviewItem,
    differences_list,
    refund_reviews,
    rejected_results,
)
from chalicelib.tables.trade import OrderItem, decided_groups_list, open_groups_list, orders_list
from chalicelib.tables.trade_item import TradeItem, due_shard
from tests.fixtures.table_snapshot import GIVEN_BACK, KEPT, UNDECIDED, TableSnapshot

Violations = Iterator[str]
TRACED = {
    "activity_published",
    "activity_changed",
    "activity_ended",
    "activity_groups_closed",
    "group_closed",
    "stock_adjusted",
    "activity_stock_added",
    "after_sale_approved",
    "after_sale_refused",
    "after_sale_return_agreed",
    "after_sale_exchange_agreed",
    "after_sale_goods_received",
    "after_sale_replacement_sent",
    "after_sale_handed_over",
    "order_refunded",
    "export_asked",
    "difference_dealt_with",
    "statement_dealt_with",
}
OUTCOMES = {GroupStatus.FORMED: TextKey.FORMED, GroupStatus.FAILED: TextKey.FAILED}


def queues(snapshot: TableSnapshot) -> Violations:
    """A marker stands in a queue that is its own, and where the right job looks for it."""
    for item in snapshot.items:
        if not isinstance(item, TradeItem) or item.due_at_s is None:
            continue
        intent = Intent(str(item.due_shard).partition("#")[0])
        if item.due_shard != due_shard(intent, item.pk):
            yield f"18 markers: {item.pk} {item.sk} is in {item.due_shard}"


def orders_work(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        needed = next_intent(order.view())
        if needed is None:
            continue
        intent, at_s = needed
        what = f"15 work: order {order_id} ({order.status}) needs {intent} at {at_s}"
        if order.due_at_s is None:
            yield f"{what}, and nobody knows"
            continue
        if order.due_at_s > max(at_s, snapshot.now_s) + timeouts.POSTPONE_S:
            yield f"{what}, and is marked for {order.due_at_s}"


def groups_work(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        status, marked = GroupStatus(group.status), group.due_at_s is not None
        what = f"18 markers: group {group.group_id} is {status}"
        if status is GroupStatus.PENDING and marked:
            yield f"{what} and has a marker"
        if status is GroupStatus.OPEN and not marked:
            yield f"{what} and has none"
        due_at_s = (group.expires_at_s or 0) + timeouts.GRACE_S
        if status is GroupStatus.OPEN and marked and (group.due_at_s or 0) < due_at_s:
            yield f"{what} and due at {group.due_at_s}, before {due_at_s}"
        if status in UNDECIDED or marked:
            continue
        for order in snapshot.members_orders(group):
            if order.status in (OrderStatus.PENDING, OrderStatus.PAID):
                yield f"{what}, has no marker, and order {order.order_id} is {order.status}"


def activities_work(snapshot: TableSnapshot) -> Violations:
    for activity_id in snapshot.activities:
        closing = snapshot.closings.get(activity_id)
        if closing is None:
            yield f"15 work: activity {activity_id} will never be closed"
        elif closing.due_at_s is None:
            for pk, bucket in snapshot.buckets.items():
                if f"#{activity_id}#" in pk and not bucket.ended:
                    yield f"15 work: activity {activity_id} is closed, bucket {pk} is not"


def exports_work(snapshot: TableSnapshot) -> Violations:
    """A file that is being written has a marker, and no other."""
    for item in snapshot.items:
        if isinstance(item, ExportItem):
            writing = item.status == ExportStatus.WRITING
            if writing != (item.due_at_s is not None):
                yield f"15 work: export {item.export_id} is {item.status}, due {item.due_at_s}"


def exports_at_a_time(snapshot: TableSnapshot) -> Violations:
    exported = [item for item in snapshot.items if isinstance(item, ExportItem)]
    writing = sum(item.status == ExportStatus.WRITING for item in exported)
    if writing > OPEN_MAX:
        yield f"15 work: {writing} exports are written at a time"


def exports_are_written(snapshot: TableSnapshot) -> Violations:
    for item in snapshot.items:
        if isinstance(item, ExportItem) and item.status != ExportStatus.DONE:
            yield f"16 liveness: export {item.export_id} is {item.status}"


def traces(snapshot: TableSnapshot) -> Violations:
    """Every change by staff has one audit row."""
    rows = Counter((row.action, row.subject.partition("#")[2]) for row in snapshot.audits)
    expected = _expected_traces(snapshot)
    for key in {*expected, *(key for key in rows if key[0] in TRACED)}:
        if rows[key] != expected[key]:
            yield f"17 traces: {rows[key]} audit rows for {expected[key]} {key[0]} of {key[1]}"


def _expected_traces(snapshot: TableSnapshot) -> Counter[tuple[str, str]]:
    exported = (item.export_id for item in snapshot.items if isinstance(item, ExportItem))
    expected = Counter(("export_asked", export_id) for export_id in exported)
    for activity_id, activity in snapshot.activities.items():
        expected["activity_published", activity_id] += 1
        expected["activity_changed", activity_id] += activity.version - 1
        expected["activity_ended", activity_id] += activity.ended_at_s is not None
        closing = snapshot.closings.get(activity_id)
        if closing is not None and closing.groups_until_s is not None:
            expected["activity_groups_closed", activity_id] += 1
    for group_id, group in snapshot.groups.items():
        expected["group_closed", group_id] += group.closed_words is not None
    for row in snapshot.adjustments:
        product_id = row.pk.split("#")[2]
        if row.activity_id is None:
            expected["stock_adjusted", product_id] += 1
        else:
            expected["activity_stock_added", row.activity_id] += 1
    for difference in snapshot.difference_reviews:
        dealt_with = difference.dealt_by is not None
        expected["difference_dealt_with", difference.difference_id] += dealt_with
    for result in snapshot.rejected_results:
        expected["statement_dealt_with", result.result_id] += result.dealt_by is not None
    return expected + _of_after_sales(snapshot)


def _of_after_sales(snapshot: TableSnapshot) -> Counter[tuple[str, str]]:
    expected: Counter[tuple[str, str]] = Counter()
    for asked in (item for items in snapshot.after_sales.values() for item in items):
        if asked.by_staff is not None:
            expected["order_refunded", asked.order_id + asked.letter] += 1
        elif asked.status in ("approved", "refused"):
            expected[f"after_sale_{asked.status}", asked.order_id + asked.letter] += 1
        for action, times in _of_goods(asked).items():
            expected[action, asked.order_id + asked.letter] += times
    return expected


def _of_goods(asked: AfterSaleItem) -> dict[str, int]:
    sent = asked.replacement_number is not None
    kind = "exchange" if asked.exchange else "return"
    return {
        f"after_sale_{kind}_agreed": asked.agreed_at_s is not None,
        "after_sale_goods_received": asked.goods_at_s is not None,
        "after_sale_replacement_sent": sent + (asked.replacement_corrections or 0),
        "after_sale_handed_over": asked.replacement_at_s is not None and not sent,
    }


def nothing_is_due(snapshot: TableSnapshot) -> Violations:
    for item in snapshot.items:
        if not isinstance(item, TradeItem) or item.due_at_s is None:
            continue
        if item.due_at_s <= snapshot.now_s:
            yield f"16 liveness: {item.pk} {item.sk} has been due since {item.due_at_s}"


def decided_groups_are_done(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        if group.status not in UNDECIDED and group.due_at_s is not None:
            yield f"18 markers: group {group.group_id} is {group.status} and has a marker"


def groups_ended_with_their_activity(snapshot: TableSnapshot) -> Violations:
    """Where staff ended an activity with its groups, none is open once the last has been closed."""
    for group in snapshot.groups.values():
        closing = snapshot.closings.get(group.activity_id)
        until_s = closing.groups_until_s if closing is not None else None
        if until_s is not None and until_s <= snapshot.now_s and group.status == GroupStatus.OPEN:
            yield f"15 work: group {group.group_id} outlives the end of its activity"


def people_can_see(snapshot: TableSnapshot) -> Violations:
    """What only a person can mend stands in the list of that, and nothing else does."""
    needed = {}
    for order in snapshot.orders.values():
        for key, refund in order.view().refunds.items():
            failed = refund.status is RefundStatus.FAILED
            if (refund.is_done and refund.trouble_at_s) or (failed and not refund.trouble_at_s):
                what = f"refund {order.refund_number(key)} is {refund.status}"
                yield f"21 lists of work: {what}, with trouble since {refund.trouble_at_s}"
            if refund.trouble_at_s:
                rank = f"{refund.trouble_at_s:010d}#{order.order_id}{key}"
                needed[order.pk, order.order_no, key] = (refund_reviews(order.merchant_id), rank)
    there = {
        (item.pk, item.order_no, item.key): (item.list_key, item.list_rank)
        for item in snapshot.refund_troubles
        if item.list_key is not None
    }
    for which in {*needed, *there}:
        if needed.get(which) != there.get(which):
            text = f"is in {there.get(which)}, not {needed.get(which)}"
            yield f"21 lists of work: refund {which} {text}"


def statements_can_be_seen(snapshot: TableSnapshot) -> Violations:
    """What a gateway told and the books refused stands in its list until staff deal with it."""
    if len(snapshot.refused_callbacks) != len(snapshot.rejected_results):
        kept = f"{len(snapshot.refused_callbacks)} refused callbacks are on record"
        yield f"21 lists of work: {kept}, {len(snapshot.rejected_results)} statements are for staff"
    for item in snapshot.rejected_results:
        place = rejected_results(item.merchant_id) if item.dealt_at_s is None else None
        if item.list_key != place:
            yield f"21 lists of work: rejected result {item.result_id} is in {item.list_key}"


def differences_can_be_seen(snapshot: TableSnapshot) -> Violations:
    """Every difference is open or closed, and stands in the list of that; what was repaired, what
    staff noted something about and what agreed later is closed."""
    found = {item.difference_id: item for item in snapshot.difference_reviews}
    recorded = {DifferenceReviewItem.of(row).difference_id for row in snapshot.differences}
    for difference_id in found.keys() ^ recorded:
        text = "is on record or to be reviewed, not both"
        yield f"21 lists of work: difference {difference_id} {text}"
    for item in found.values():
        is_open = item.dealt_at_s is None
        if item.list_key != differences_list(item.merchant_id, is_open=is_open):
            yield f"21 lists of work: difference {item.difference_id} is in {item.list_key}"
        noted = item.dealt_by is not None
        if noted != (item.note is not None) or (is_open and (noted or item.repaired)):
            yield f"21 lists of work: difference {item.difference_id}: closed at {item.dealt_at_s}"


def listing(snapshot: TableSnapshot) -> Violations:
    """What staff and buyers see in lists is what there is."""
    for order in snapshot.orders.values():
        unlisted = order.status in (OrderStatus.PENDING, OrderStatus.CLOSED)
        expected = None if unlisted else orders_list(order.merchant_id, order.status)
        if order.list_key != expected:
            yield f"25 search: order {order.order_id} is in {order.list_key}, not {expected}"
    for group in snapshot.groups.values():
        seen = group.failed_reason != FailedReason.LEADER_UNPAID
        expected = decided_groups_list(group.merchant_id, group.status)
        if group.status == GroupStatus.OPEN:
            expected = open_groups_list(group.merchant_id, group.activity_id, group.list_shard)
        if group.list_key != (expected if seen and group.status != "pending" else None):
            yield f"25 search: {group.status} group {group.group_id} is in {group.list_key}"
    for message in (one for told in snapshot.messages.values() for one in told):
        _, order_no, stage = message.sk.split("#", 2)
        place = (message.list_key or "", (message.list_rank or "").partition("#")[2])
        buyer_id = message.pk.rpartition("#")[2]
        if place != (messages_list(snapshot.merchant_id, buyer_id), f"{order_no}#{stage}"):
            yield f"25 search: message {message.sk} is in {place}"


def told(snapshot: TableSnapshot) -> Violations:
    """Whoever paid was told what became of it; nobody is told twice, by the messages' keys."""
    for order_id, order in snapshot.orders.items():
        stages = {message.sk.split("#")[2] for message in snapshot.messages.get(order_id, ())}
        for stage in sorted(_expected_stages(snapshot, order) - stages):
            yield f"24 messages: order {order_id} has no message {stage}"


def _expected_stages(snapshot: TableSnapshot, order: OrderItem) -> set[str]:
    expected = set()
    group = snapshot.groups.get(order.group_id or "")
    if group is not None and order.status in KEPT | GIVEN_BACK:
        outcome = OUTCOMES.get(GroupStatus(group.status))
        expected |= {notifications.STAGES[outcome]} if outcome else set()
    for key, refund in order.view().refunds.items():
        if key[2:] == RefundReason.LATE_PAYMENT:
            expected.add(notifications.STAGES[TextKey.LATE] + key)
        if refund.is_done:
            expected.add(notifications.STAGES[TextKey.REFUNDED] + key)
    return expected


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (
    queues,
    orders_work,
    groups_work,
    activities_work,
    exports_work,
    exports_at_a_time,
    traces,
    people_can_see,
    statements_can_be_seen,
    differences_can_be_seen,
    listing,
)
FINAL: tuple[Law, ...] = (
    nothing_is_due,
    decided_groups_are_done,
    groups_ended_with_their_activity,
    exports_are_written,
    told,
)
