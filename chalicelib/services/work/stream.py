"""The stream of the trade table: what a change has made due is carried out at once."""

import time
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from chalicelib.domain.order import OrderStatus
from chalicelib.services.work import due
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem

PAID = (OrderStatus.PAID, OrderStatus.FULFILLING)


def handle(event: dict[str, Any], *, now_s: int) -> dict[str, Any]:
    """Attend to every changed item that is due. Answers the records to be delivered again."""

    stop_s = time.monotonic() + due.RUN_S

    def attend(record: DynamoDBRecord) -> None:
        if time.monotonic() >= stop_s:
            return  # it stays due: the schedules carry it out
        change = record.raw_event["dynamodb"]
        if _is_due(change.get("OldImage"), change.get("NewImage"), now_s):
            keys = change["Keys"]
            due.attend(keys["pk"]["S"], keys["sk"]["S"], now_s=now_s)

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
    was = (old_image or {}).get("status", {}).get("S")
    return isinstance(item, OrderItem) and item.status in PAID and was not in PAID
