"""The stream's function fails or dies at any record of a batch; what it answers comes again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.attribution import Brought
from chalicelib.services.work import stream
from chalicelib.tables.shares import AttributionItem
from tests.fixtures.fault_injection import injected
from tests.fixtures.interruptions import Interruption, InterruptionKind, interrupted
from tests.fixtures.shop import Shop, new_shop
from tests.laws import run_statistics
from tests.laws.faults.change_log import ChangeLog, is_of_trade, stream_record
from tests.laws.faults.workflows.invitations import come, shared

Record = dict[str, Any]
BATCH_MAX = 300
SEAT = Brought(taken=1, paid=1, paid_fen=5900)


def busy_minute(shop: Shop) -> list[Record]:
    """What the stream carries of a group that forms with who came by a share, and one that is
    cancelled."""
    changes = ChangeLog(
        lambda operation, request: None, lambda: shop.now_s, run_statistics.chance("stream")
    )
    with injected(changes):
        pair, friend = shop.activity(seats=2), shop.buyer()
        group_id = shop.opened(pair)
        come(shop, friend, shared(shop, shop.buyer(), group_id))
        shop.pay(shop.join(pair, group_id, friend))
        alone = shop.open(pair, shop.buyer())
        shop.pay(alone)
        shop.cancel(alone)
    made = [change for change in changes.made if is_of_trade(change)]
    return [stream_record(change, number) for number, change in enumerate(made)]


def unreadable(number: int) -> Record:
    keys = {"pk": {"S": "nobody#Z#1"}, "sk": {"S": "zebra"}}
    image = {**keys, "kind": {"S": "zebra"}, "due_at_s": {"N": "1"}}
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": str(number)},
    }


def deliver(shop: Shop, records: list[Record]) -> list[str]:
    answer = stream.handle({"Records": records}, now_s=shop.now_s)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def with_a_bad_record(shop: Shop, records: list[Record], index: int) -> bool:
    """The batch begins again at the record that failed, until that is given up."""
    if index > len(records):
        return False
    bad = unreadable(10_000)
    batch = [*records[:index], bad, *records[index:]]
    assert deliver(shop, batch) == ["10000"]
    assert deliver(shop, batch[index:]) == ["10000"]
    if records[index:]:  # no batch is empty
        assert deliver(shop, records[index:]) == []
    return True


def dying(shop: Shop, records: list[Record], index: int) -> bool:
    """The function dies at its call number `index`; the whole batch comes again."""
    with interrupted(shop, cut := Interruption(index, InterruptionKind.DIES_AFTER)):
        deliver(shop, records)
    assert deliver(shop, records) == []
    [item] = [it for it in shop.check().items if isinstance(it, AttributionItem)]
    assert replace(item.counted_view, formed=0) == SEAT  # that it has formed may come later
    return bool(cut.operation)


@pytest.mark.parametrize("goes_wrong", [with_a_bad_record, dying], ids=lambda how: how.__name__)
def test_batch_that_fails_anywhere_is_carried_out_once(
    goes_wrong: Callable[[Shop, list[Record], int], bool],
) -> None:
    for index in range(0, BATCH_MAX, run_statistics.sized(1, 10)):
        with new_shop() as shop:
            reached = goes_wrong(shop, busy_minute(shop), index)
            shop.gateway.confirms_at_once = True
            shop.run_jobs(3, forward_s=70)
            shop.check(quiescent=True)
        if not reached:
            return
        run_statistics.count("batches of the stream cut")
    raise AssertionError("the batch has no end")
