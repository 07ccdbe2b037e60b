"""The books of a town at rest: seats, stock and money add up, and agree with the gateway's own."""

from collections import defaultdict

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import OrderStatus, PaymentStatus, RefundStatus
from chalicelib.tables.trade import OrderItem
from tests.callers import Activity
from tests.support import Town

KEPT = {  # statuses in which the merchant keeps the money of a seat
    OrderStatus.PAID,
    OrderStatus.FULFILLING,
    OrderStatus.SHIPPED,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.COMPLETED,
}
LIVE = KEPT | {OrderStatus.PENDING}


def assert_books_balance(town: Town, activity: Activity, *, stock: int) -> None:
    """stock: units of each SKU that the activity was published with."""
    in_groups = [
        order
        for order in town.orders()
        if order.activity_id == activity.activity_id and order.group_id
    ]
    for sku_id in activity.sku_ids:
        gone = sum(o.quantity for o in in_groups if o.sku_id == sku_id and o.status in LIVE)
        assert town.stock(activity, sku_id) == stock - gone
    _assert_seats_are_orders(town, in_groups)
    _assert_money_is_where_the_gateway_says(town)


def _assert_seats_are_orders(town: Town, orders: list[OrderItem]) -> None:
    seats: dict[str, dict[str, str]] = defaultdict(dict)
    paid: dict[str, int] = defaultdict(int)
    for order in orders:
        group_id = str(order.group_id)
        seats[group_id] |= {order.buyer_id: order.order_no} if order.status in LIVE else {}
        paid[group_id] += order.status in KEPT
    for group_id, members in seats.items():
        group = town.stored_group(group_id)
        assert group.seats_paid <= len(group.members.as_dict()) <= group.seats_total
        if group.status == GroupStatus.FAILED:
            assert paid[group_id] == 0
            continue
        assert group.members.as_dict() == members
        assert group.seats_paid == paid[group_id]
        assert (group.status == GroupStatus.FORMED) == (group.seats_paid == group.seats_total)


def _assert_money_is_where_the_gateway_says(town: Town) -> None:
    trades = {trade["out_trade_no"]: trade for trade in town.wechat.ledger.summaries()}
    recorded = dict.fromkeys(trades, (0, 0))
    for order in town.orders():
        known, kept_fen = order.view(), 0
        for attempt, payment in known.payments.items():
            captured = payment.amount_fen if payment.status is PaymentStatus.SUCCEEDED else 0
            refunded = sum(
                refund.amount_fen
                for key, refund in known.refunds.items()
                if key.startswith(attempt) and refund.status is RefundStatus.SUCCEEDED
            )
            kept_fen += captured - refunded
            recorded[f"{order.order_id}{attempt}"] = (captured, refunded)
        assert kept_fen == (order.total_fen if known.status in KEPT else 0)
    said = {no: (trade["captured_fen"], trade["refunded_fen"]) for no, trade in trades.items()}
    free = {no: sums for no, sums in recorded.items() if no not in trades and sums == (0, 0)}
    assert recorded == said | free
    assert town.money()["refunding_fen"] == 0
