"""The stream of the trade table: what a change has made due is carried out at once.

Orders are let be found here, too: nobody who buys waits for the rows that staff find them by.
"""

import time
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from chalicelib.domain.order import OrderStatus
from chalicelib.services.trade import order_search
from chalicelib.services.work import due
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem

PAID = (OrderStatus.PAID, OrderStatus.FULFILLING)


def handle(event: dict[str, Any], *, now_s: int) -> dict[str, Any]:
    """Attend to every changed item that is due, and let new orders be found.

    Answers the records to be delivered again: those whose words could not be put.
    """

    stop_s = time.monotonic() + due.RUN_S

    def attend(record: DynamoDBRecord) -> None:
        change = record.raw_event["dynamodb"]
        old_image, new_image = change.get("OldImage"), change.get("NewImage")
        # Past the time it stays due: the schedules carry it out.
        if time.monotonic() < stop_s and _is_due(old_image, new_image, now_s):
            keys = change["Keys"]
            due.attend(keys["pk"]["S"], keys["sk"]["S"], now_s=now_s)
        _let_be_found(old_image, new_image)

    processor = BatchProcessor(
        event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False
    )
    return dict(process_partial_response(event=event, record_handler=attend, processor=processor))


def _is_due(old_image: Any, new_image: Any, now_s: int) -> bool:
    """Due now; or an order just paid: its day book and its buyer do not wait for its marker."""
    if not new_image or "due_at_s" not in new_image:
        return False
    item = TradeItem.from_raw_data(new_image)
    if item.due_at_s is not None and item.due_at_s <= now_s:
        return True
    return isinstance(item, OrderItem) and item.status in PAID and _was(old_image) not in PAID


def _let_be_found(old_image: Any, new_image: Any) -> None:
    """Put the words of an order that was just placed, or let go of. Raises Busy."""
    item = TradeItem.from_raw_data(new_image) if new_image else None
    if not isinstance(item, OrderItem):
        return
    if old_image is None:
        order_search.put_words(item)
    elif item.status == OrderStatus.CLOSED and _was(old_image) != OrderStatus.CLOSED:
        order_search.put_closed(item)


def _was(old_image: Any) -> Any:
    """An order's status before the change."""
    return (old_image or {}).get("status", {}).get("S")
