"""What EventBridge and Lambda do in the cloud, for the app's sources as they are: the jobs every
few seconds, and every change of the trade table to the stream's consumer.

    python -m infra.local.jobs      with the environment of the app; ends with SIGTERM
"""

import itertools
import signal
import threading
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import clock
from chalicelib.domain.order import Intent
from chalicelib.services.work import due, stream
from chalicelib.tables.trade_item import ByDue, TradeItem

JOBS_EVERY_S = 3.0  # EventBridge: a minute
POLL_EVERY_S = 0.2  # Lambda polls a stream four times a second
POLLS_PER_LOOK = 5  # how often the poller looks for new shards
RECORDS_MAX = 25  # of one batch, as app.py declares it
INTENTS = (
    Intent.QUERY,
    Intent.RELEASE,
    Intent.GROUP,
    Intent.CROWD,
    Intent.REFUND,
    Intent.CLOSING,
    Intent.RECEIPT,
    Intent.RECONCILE,
    Intent.EXPORT,
    Intent.REMINDER,
    Intent.SUBSCRIBE_MESSAGE,
    Intent.POINTS,
    Intent.MEMBER,
)


def run_jobs(dynamodb: Any) -> None:
    """Do everything that is due, as the schedules would."""
    now_s = clock.now_s()
    run_due([(it, partial(due.run, it, now_s=now_s)) for it in INTENTS], dynamodb, now_s=now_s)


def run_due(
    jobs: Iterable[tuple[Intent, Callable[[], object]]], dynamodb: Any, *, now_s: int
) -> None:
    """Call each job in turn, unless nothing is due in its queue when its turn comes.

    Every job queries all shards of its queue, and nearly all are empty: an idle minute is 64
    queries, where one scan of the sparse index shows which jobs have work.
    """
    waiting = due_intents(dynamodb, now_s=now_s)
    for intent, run in jobs:
        if intent in waiting:
            run()
            waiting = due_intents(dynamodb, now_s=now_s)


def due_intents(dynamodb: Any, *, now_s: int) -> set[Intent]:
    """Return the intents of everything that is due. dynamodb: a client of botocore's."""
    found: set[str] = set()
    for page in dynamodb.get_paginator("scan").paginate(
        TableName=TradeItem.Meta.table_name,
        IndexName=ByDue.Meta.index_name,
        FilterExpression="due_at_s <= :now",
        ExpressionAttributeValues={":now": {"N": str(now_s)}},
    ):
        found |= {item["due_shard"]["S"].partition("#")[0] for item in page["Items"]}
    return {Intent(intent) for intent in found}


class Poller:
    """Reads the trade table's stream from now on, and hands its records over in batches."""

    def __init__(self) -> None:
        self._streams = botocore.session.get_session().create_client("dynamodbstreams")
        self._iterators: dict[str, str] = {}  # by shard
        self._arn = self._find()
        self._polls = itertools.count(1)
        for shard in self._shards():
            self._iterators[shard] = self._begin(shard, "LATEST")

    def poll(self) -> None:
        """Hand over what has come since the last time."""
        if next(self._polls) % POLLS_PER_LOOK == 0:
            for shard in self._shards():
                if shard not in self._iterators:
                    self._iterators[shard] = self._begin(shard, "TRIM_HORIZON")
        for shard, iterator in list(self._iterators.items()):
            page = self._streams.get_records(ShardIterator=iterator, Limit=RECORDS_MAX)
            if page["Records"]:
                event = {
                    "Records": [_as_delivered(record, self._arn) for record in page["Records"]]
                }
                stream.handle(event, now_s=clock.now_s())
            self._iterators[shard] = page.get("NextShardIterator") or iterator

    def _find(self) -> str:
        found = self._streams.list_streams(TableName=TradeItem.Meta.table_name)["Streams"]
        return str(found[0]["StreamArn"])

    def _shards(self) -> list[str]:
        described = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]
        return [shard["ShardId"] for shard in described["Shards"]]

    def _begin(self, shard: str, where: str) -> str:
        begun = self._streams.get_shard_iterator(
            StreamArn=self._arn, ShardId=shard, ShardIteratorType=where
        )
        return str(begun["ShardIterator"])


def _as_delivered(record: dict[str, Any], arn: str) -> dict[str, Any]:
    """A record of the streams API as Lambda delivers it: JSON, with the stream's name."""
    change = dict(record["dynamodb"])
    at = change.get("ApproximateCreationDateTime")
    if isinstance(at, datetime):
        change["ApproximateCreationDateTime"] = at.timestamp()
    return {**record, "dynamodb": change, "eventSourceARN": arn}


def _repeat(work: Callable[[], None], every_s: float, ended: threading.Event) -> None:
    """Do `work` until the end. What goes wrong is said, and tried again."""
    while not ended.wait(every_s):
        try:
            work()
        except (BotoCoreError, ClientError):
            if not ended.is_set():  # the engine may end before we do
                traceback.print_exc()
        except Exception:
            traceback.print_exc()


def main() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    poller = Poller()
    dynamodb = botocore.session.get_session().create_client("dynamodb")
    run = partial(run_jobs, dynamodb)
    jobs = threading.Thread(target=_repeat, args=(run, JOBS_EVERY_S, ended))
    jobs.start()
    _repeat(poller.poll, POLL_EVERY_S, ended)
    jobs.join()


if __name__ == "__main__":
    main()
