"""The stream of the trade table: what a change has made due is carried out at once.

It also writes the search rows of new orders, and counts for shares what has become of orders, so
that no buyer waits for either.
"""

import math
import time
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from chalicelib import deadline
from chalicelib.domain.order import OrderStatus
from chalicelib.services.orders import attributions, order_search
from chalicelib.services.work import due
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.exports import ExportItem
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.members import MemberItem
from chalicelib.tables.rewards import RewardsItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem

_OF_JOBS = MessageItem | MemberItem | RewardsItem | InvitationItem
EXPORT_S = 6.0  # orders wait behind it: small files are done by then, the schedule does the rest
PAID = (OrderStatus.PAID, OrderStatus.FULFILLING)


def handle(event: dict[str, Any], *, now_s: int) -> dict[str, Any]:
    """Process every changed item that is due, let new orders be found, and count for shares.

    Answers the records to be delivered again: those whose words could not be put, or that could not
    be counted.
    """

    stop_s = due.time_to_stop_s()

    def process(record: DynamoDBRecord) -> None:
        change = record.raw_event["dynamodb"]
        if "NewImage" not in change:
            return
        item = TradeItem.from_raw_data(change["NewImage"])
        was = change.get("OldImage", {}).get("status", {}).get("S")
        # Past the time it stays due: the schedules carry it out.
        if time.monotonic() < stop_s and _is_due(item, was, now_s):
            with deadline.ends_in(EXPORT_S if isinstance(item, ExportItem) else math.inf):
                due.process_item(item.pk, item.sk, now_s=now_s)
        if isinstance(item, OrderItem):
            _let_be_found(item, was)
            _count_for_shares(item, change.get("OldImage"), now_s)

    processor = BatchProcessor(
        event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False
    )
    return dict(process_partial_response(event=event, record_handler=process, processor=processor))


def _is_due(item: TradeItem, was: str | None, now_s: int) -> bool:
    """Due now; or an order just paid: its day book and its buyer do not wait for its marker.

    Messages, members, rewards and invitations are left to their jobs: trade does not wait for
    WeChat, nor for the orders of somebody who has many. was: its status before the change; None for
    what is new.
    """
    if item.due_at_s is None or isinstance(item, _OF_JOBS):
        return False
    if item.due_at_s <= now_s:
        return True
    return isinstance(item, OrderItem) and item.status in PAID and was not in PAID


def _let_be_found(order: OrderItem, was: str | None) -> None:
    """Put the words of an order that was just placed, or let go of. Raises Busy."""
    if was is None:
        order_search.put_words(order)
    elif order.status == OrderStatus.CLOSED and was != OrderStatus.CLOSED:
        order_search.put_closed(order)


def _count_for_shares(order: OrderItem, old_image: dict[str, Any] | None, now_s: int) -> None:
    """Count a change of an order for the shares that its buyer came by. Raises Busy."""
    before = OrderItem.from_raw_data(old_image) if old_image else None
    if attributions.concerns(before, order):
        attributions.follow(order.merchant_id, order.order_id, now_s=now_s)
