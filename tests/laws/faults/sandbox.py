"""Scenes: a shop that is set up once, and copied as often as a harness wants to break it.

A copy is a merchant of its own in the same tables, with gateways of its own: two batches of puts
instead of the dozens of calls that setting up took. Copies are broken one by one, mended by the
same runs of the real jobs, and read in one scan.
"""

import copy
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Intent
from chalicelib.errors import Busy
from chalicelib.gateways import media, object_storage
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import Prepay
from chalicelib.services.catalogue import reservations
from chalicelib.services.money import payment_attempts
from chalicelib.services.work import due
from chalicelib.settings import settings
from chalicelib.tables import base
from chalicelib.tables.base import chunks
from chalicelib.tables.trade_item import TradeItem, due_shard
from tests.fixtures.caches import clear_caches
from tests.fixtures.engine_requests import separate_client
from tests.fixtures.fake_gateway import FakeGateway, plugged_in
from tests.fixtures.isolated_tables import isolated_tables
from tests.fixtures.shop import JOBS, OTHER_PAY, Shop
from tests.fixtures.table_snapshot import TABLES, items_of_all

Act = Callable[[], Any]
Workflow = Callable[[Shop], Act]
Image = dict[str, Any]
PUTS_MAX = 25  # of one BatchWriteItem
NEVER_DUE = {"stock", "detail", "limit", "buyer", "key", "message", "share", "visit"} | {
    "day",
    "tally",
    "crowd_group",
    "coupon",
    "coupon_stock",
    "coupon_tally",
    "coupon_batch",
    "coupon_code",
    "coupon_grant",
    "share_counts",
    "attribution",
}
HOUR_S, DAY_S = 3600, 86400
# Past every group's deadline; past the activity's end; past an hour between a refund's steps.
JOB_RUNS_S = (25 * HOUR_S, 8 * DAY_S, 8 * DAY_S + 2 * HOUR_S)


@dataclass(frozen=True)
class ShopSnapshot:
    """All there is of one shop: items as DynamoDB has them, and what its accounts at the gateways
    hold, by method."""

    shop: Shop
    items: Sequence[tuple[int, Image]]  # number of the table, item
    accounts: Mapping[str, Sequence[bytes]]


class Sandbox:
    """Three tables with any number of shops."""

    def __init__(self) -> None:
        self._shops: dict[str, Shop] = {}

    def account(self, method: str, merchant_id: str, account: str | None) -> FakeGateway:
        return self._shops[merchant_id].account(method, account)

    def shop(self) -> Shop:
        shop = Shop()
        self._shops[shop.merchant_id] = copy.copy(shop)
        return shop

    def snapshots(self, shops: Sequence[Shop]) -> list[ShopSnapshot]:
        """The shops as they are, read in one scan."""
        found: dict[str, list[tuple[int, Image]]] = {shop.merchant_id: [] for shop in shops}
        for number in range(len(TABLES)):
            for item in _scan(number):
                merchant_id = item["pk"]["S"].partition("#")[0]
                if merchant_id in found:
                    found[merchant_id].append((number, item))
        return [_snapshot(shop, found[shop.merchant_id]) for shop in shops]

    def copy(self, saved: ShopSnapshot, into: Shop) -> None:
        """Turn `into` to a copy of what was saved, under a merchant of its own."""
        old, new = saved.shop.merchant_id, new_id()
        vars(into).update(vars(saved.shop))
        into.merchant_id, into.initial_stock = new, dict(saved.shop.initial_stock)
        into.gateways_by_method = {
            method: [
                _gateway(like, accounts, old, new)
                for like, accounts in zip(saved.shop.gateways_by_method[method], kept, strict=True)
            ]
            for method, kept in saved.accounts.items()
        }
        items = [(number, _renamed(item, old, new)) for number, item in saved.items]
        for _, item in items:
            if item["kind"]["S"] == "order":
                _digest_anew(item, into)
        _put(items)
        if any(item["kind"]["S"] == "export" for _, item in items):
            _copy_files(old, new)
        self._shops[new] = copy.copy(into)
        clear_caches()  # every copy begins with a cold container
        reservations.clear_cache()

    def run_jobs(self, now_s: int) -> None:
        """Every job once, for all shops."""
        for intent in JOBS:
            due.run(intent, now_s=now_s)

    def check(self, broken: Mapping[str, Shop]) -> None:
        """Hold every shop to all laws; broken: by what was done to it."""
        stored, wrong = items_of_all(), []
        for what, shop in broken.items():
            try:
                shop.check(quiescent=True, items=stored[shop.merchant_id])
            except AssertionError as error:
                wrong.append(f"{what}: {error}")
        assert not wrong, "\n".join(wrong)


class Scenario:
    """One workflow, set up; its act goes on in whatever copy was made last. `refusal`: the code
    that it is refused with when nothing goes wrong; empty when it is done."""

    refusal = ""
    saved: ShopSnapshot

    def __init__(self, sandbox: Sandbox, workflow: Workflow) -> None:
        self.sandbox, self.name = sandbox, workflow.__name__
        self.actor = sandbox.shop()
        self.act = workflow(self.actor)

    def again(self) -> None:
        """Begin anew, as another merchant; who keeps the one before takes a copy of `actor`."""
        self.sandbox.copy(self.saved, self.actor)


def scenarios_of(sandbox: Sandbox, workflows: Iterable[Workflow]) -> list[Scenario]:
    """Set up the workflows, each in a shop of its own, and save them in one scan."""
    made = [Scenario(sandbox, workflow) for workflow in workflows]
    for scenario, saved in zip(made, sandbox.snapshots([s.actor for s in made]), strict=True):
        scenario.saved = saved
    return made


@contextmanager
def new_sandbox() -> Iterator[Sandbox]:
    """Yield a sandbox without pauses between retries, which are not what is tested."""
    sandbox = Sandbox()
    finders = {method: partial(sandbox.account, method) for method in (WECHAT_PAY, OTHER_PAY)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(base, "BACKOFF_S", 0.0)
        with isolated_tables(), plugged_in(finders):
            yield sandbox


def run_jobs_of(shop: Shop, saved: ShopSnapshot, now_s: int) -> None:
    """What the jobs do at that time about one shop, one item after another."""
    keys = [(item["pk"]["S"], item["sk"]["S"]) for number, item in saved.items if number == 1]
    old, new = saved.shop.merchant_id, shop.merchant_id
    kinds = [(pk.replace(old, new), sk, sk.partition("#")[0]) for pk, sk in keys]
    ours = [(pk, sk) for pk, sk, kind in kinds if kind not in NEVER_DUE]
    for intent in JOBS:
        with suppress(Busy):  # its queue could not be read: the next run will
            for item in TradeItem.batch_get(ours, consistent_read=True):
                queue = str(item.due_shard).partition("#")[0]
                if item.due_at_s is not None and item.due_at_s <= now_s and queue == intent:
                    due.process_item(item.pk, item.sk, now_s=now_s)


def _snapshot(shop: Shop, items: Sequence[tuple[int, Image]]) -> ShopSnapshot:
    accounts = {
        method: [pickle.dumps((gateway._accounts, gateway.asked)) for gateway in gateways]
        for method, gateways in shop.gateways_by_method.items()
    }
    frozen = copy.copy(shop)
    frozen.gateways_by_method = {
        method: list(gateways) for method, gateways in shop.gateways_by_method.items()
    }
    return ShopSnapshot(frozen, items, accounts)


def _gateway(like: FakeGateway, accounts: bytes, old: str, new: str) -> FakeGateway:
    """A gateway with these accounts. Where it calls back names the merchant; ids are as long."""
    gateway = FakeGateway(like.method, like.place)
    kept = pickle.loads(accounts.replace(old.encode(), new.encode()))
    gateway._accounts, gateway.asked = kept
    gateway.confirms_at_once = like.confirms_at_once
    gateway.silent, gateway.refuses = set(like.silent), dict(like.refuses)
    return gateway


def _renamed(item: Image, old: str, new: str) -> Image:
    """The item under another merchant, in the due queue of its new key."""
    renamed: Image = json.loads(json.dumps(item).replace(old, new))
    if "due_shard" in renamed:
        intent = Intent(renamed["due_shard"]["S"].partition("#")[0])
        renamed["due_shard"]["S"] = due_shard(intent, renamed["pk"]["S"])
    return renamed


def _digest_anew(order: Image, shop: Shop) -> None:
    """What was sent names the merchant, and so does the digest that an open attempt keeps of it."""
    order_id = order["buyer_id"]["S"] + order["order_no"]["S"]
    for attempt, payment in order["payments"]["M"].items():
        asked = [s for g in shop.gateways for s in g.asked.get(order_id + attempt, ())]
        said = [one for one in asked if isinstance(one, Prepay)]
        if "sent" in payment["M"] and said:
            payment["M"]["sent"]["S"] = payment_attempts.digest(said[0])


def _copy_files(old: str, new: str) -> None:
    """What an export has written lies in the bucket, in a folder of its merchant's."""
    client, bucket = media.client(), settings.media_bucket
    listed = client.list_objects_v2(Bucket=bucket, Prefix=f"{object_storage.PREFIX}{old}/")
    for kept in listed.get("Contents", ()):
        source = {"Bucket": bucket, "Key": kept["Key"]}
        client.copy_object(Bucket=bucket, Key=kept["Key"].replace(old, new), CopySource=source)


def _scan(number: int) -> Iterator[Image]:
    pages = separate_client().get_paginator("scan")
    table = TABLES[number].Meta.table_name
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _put(items: Sequence[tuple[int, Image]]) -> None:
    for part in chunks(items, PUTS_MAX):
        by_table: dict[str, list[Image]] = {}
        for number, item in part:
            table = TABLES[number].Meta.table_name
            by_table.setdefault(table, []).append({"PutRequest": {"Item": item}})
        answer = separate_client().batch_write_item(RequestItems=by_table)
        assert not answer.get("UnprocessedItems")
