"""The trade table's stream as Lambda gets it, made from items as they are stored."""

import itertools
from typing import Any

import app as application
from chalicelib.tables.trade_item import TradeItem
from tests.callers import lambda_context
from tests.support import Town

Image = dict[str, Any]

_numbers = itertools.count(1)


def change_of(town: Town, item: TradeItem, before: Image | None = None) -> Image:
    """The record of a change to `item`, which is stored as it is now. before: as it was."""
    return record({"pk": {"S": item.pk}, "sk": {"S": item.sk}}, before, town.image(item))


def record(keys: Image, before: Image | None, after: Image | None) -> Image:
    images = {"OldImage": before, "NewImage": after}
    number = str(next(_numbers))
    name = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
    return {
        "eventID": f"event-{number}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "cn-north-1",
        "eventSourceARN": "arn:aws-cn:dynamodb:cn-north-1:1:table/trade/stream/now",
        "dynamodb": {
            "Keys": keys,
            **{image: value for image, value in images.items() if value is not None},
            "SequenceNumber": number,
            "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def deliver(town: Town, *records: Image) -> list[str]:
    """Give the records to the stream's function; sequence numbers of those that failed."""
    answer = application.on_trade_change({"Records": list(records)}, lambda_context("stream"))
    assert town.wechat.quiet()
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
