"""`make bench`: the processor time that the API's own process takes for a request.

The engine is another process and the caller a third, so that neither counts. Beside each request
stands the floor: one bare call of botocore with the body of the longest call that the request
makes. All take turns, so that what the machine does besides meets all of them.

    make bench                 the sources as they are
    make bench BASE=commit     and those of a commit beside them; ROUNDS=n
"""

import json
import os
import secrets
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.local import bench_system, demo_data, system
from infra.local.api_client import Api
from infra.local.bench_function import Json
from infra.local.bench_system import FunctionApi, Measured
from infra.local.phone import Phone, Placed, log_in
from infra.local.printing import padded
from infra.local.shop import Offer, Staff
from infra.local.wechat import Wechat
from infra.package import ROOT

ROUNDS = 200
ACTIVITIES = 10
OWN_ORDERS = 5
WRITES = ("Put", "Update", "Delete", "ConditionCheck")
FLOOR, HERE, BASE = "floor", "here", "base"
MERCHANT = f"/v1/merchants/{demo_data.MERCHANT_ID}"

Times = dict[str, dict[str, list[float]]]  # of a step, then of who did it


@dataclass
class Contender:
    """One commit's API with a shop of its own."""

    name: str
    api: FunctionApi
    wechat: Wechat
    offers: list[Offer] = field(default_factory=list)
    regular: Phone | None = None
    floors: dict[str, tuple[str, Json]] = field(default_factory=dict)

    def open_shop(self) -> None:
        """Ten activities, coupons in the centre, and a buyer with five orders."""
        owner = Staff(self.api, demo_data.MERCHANT_ID, demo_data.OWNER, demo_data.PASSWORD)
        owner.furnish()  # without the settings, of which another commit may know fewer
        for body in demo_data.coupon_bodies(owner.categories):
            owner.api.post("/v1/merchant/coupons", body, key=secrets.token_hex(16))
        sku = replace(demo_data.STRAWBERRY.skus[0], stock=5000, units=5000)
        terms = demo_data.Activity("", seats=5, limit_per_buyer=OWN_ORDERS)
        for number in range(ACTIVITIES):
            titled = replace(terms, title=f"云南高原红颜草莓 第 {number + 1} 批")
            product = replace(demo_data.STRAWBERRY, title=titled.title, skus=(sku,))
            self.offers.append(owner.publish(product, titled))
        self.regular = self.buyer()
        for _ in range(OWN_ORDERS):
            self.tell_paid(self.regular.open(self.offers[0]), self.regular)

    def buyer(self) -> Phone:
        code = f"demo-{secrets.token_hex(8)}"
        gateways = {"wechat_pay": Api(self.wechat.base_url)}
        return log_in(self.api, gateways, demo_data.MERCHANT_ID, code, "小满")

    def callback(self, placed: Placed, buyer: Phone) -> Json:
        """The event of WeChat Pay's word that an order is paid."""
        number = buyer.pay(placed)
        headers, body = self.wechat.courier.signed(number)
        path = f"/v1/callbacks/wechat-pay/{demo_data.MERCHANT_ID}/payments"
        return self.api.event("POST", path, body.decode(), headers=headers)

    def tell_paid(self, placed: Placed, buyer: Phone) -> None:
        self.api.measured(self.callback(placed, buyer))

    def round(self) -> Iterator[tuple[str, Json]]:
        """The steps of one round, each when those before have been done."""
        offer, leader, member, regular = self.offers[0], self.buyer(), self.buyer(), self.regular
        assert regular is not None
        yield "list of 10", self._get(self.api, f"{MERCHANT}/activities?limit={ACTIVITIES}")
        yield "search", self._get(self.api, f"{MERCHANT}/activities?limit=10&q=%E8%8D%89%E8%8E%93")
        yield "activity", self._get(self.api, f"{MERCHANT}/activities/{offer.activity_id}")
        yield "coupons", self._get(self.api, f"{MERCHANT}/coupons")
        body = {"activity_id": offer.activity_id, "sku_id": offer.sku_ids[0]}
        asked = json.dumps({**body, "province": "浙江省", "best_coupon": True})
        yield "quote", _as(self.api, leader).event("POST", f"{MERCHANT}/quotes", asked)
        path, key = f"/v1/activities/{offer.activity_id}/groups", secrets.token_hex(16)
        seat = json.dumps(leader.purchase(offer, 0, 1))
        opening = _as(self.api, leader).event("POST", path, seat, key=key)
        yield "open", opening
        placed = _placed(self.api.measured(opening))  # a repeat answers as the first did
        paid = self.callback(placed, leader)
        yield "payment callback", paid
        yield "the same callback again", paid
        page = f"{MERCHANT}/groups/{placed.group_id}/page"
        yield "group page", self._get(self.api, page)
        seat = json.dumps(member.seat(offer, 0, 1))
        path = f"/v1/groups/{placed.group_id}/seats"
        yield "join", _as(self.api, member).event("POST", path, seat)
        yield "my orders (5)", self._get(_as(self.api, regular), "/v1/orders?limit=10")

    @staticmethod
    def _get(api: FunctionApi, path: str) -> Json:
        return api.event("GET", path)

    def note_floors(self) -> None:
        """Do a round, and keep of each step the longest call that it makes of DynamoDB."""
        for step, event in self.round():
            calls = self.api.measured(event, recorded=True).calls
            if calls:
                self.floors[step] = _bare(*max(calls, key=lambda it: len(it[1]) + it[2])[:2])


def main() -> None:
    system.end_on_signals()
    rounds = int(os.environ.get("ROUNDS", str(ROUNDS)))
    with ExitStack() as running:
        contenders = _contenders(running, os.environ.get("BASE", ""))
        for contender in contenders:
            contender.open_shop()
        first = contenders[0]
        first.note_floors()
        times: Times = defaultdict(lambda: defaultdict(list))
        for _ in range(rounds):
            contenders.reverse()  # nobody is always the first
            for steps in zip(*(one.round() for one in contenders), strict=True):
                for contender, (step, event) in zip(contenders, steps, strict=True):
                    times[step][contender.name].append(contender.api.measured(event).cpu_ms)
                step = steps[0][0]
                if step in first.floors:
                    floor = first.api.function.floor(*first.floors[step])
                    times[step][FLOOR].append(floor.cpu_ms)
        _tell(times, sorted({one.name for one in contenders}, reverse=True), first.floors)


def _contenders(running: ExitStack, base: str) -> list[Contender]:
    """The sources as they are, and those of `base` if it names a commit."""
    projects = {HERE: ROOT}
    if base:
        projects[BASE] = running.enter_context(bench_system.worktree(base))
    gateways = running.enter_context(system.gateways_beside(0, 1))
    wechat = gateways[0]
    wechat.courier.send = lambda *_: 200  # a callback is told when its turn comes
    return [_contender(running, name, where, gateways) for name, where in projects.items()]


def _contender(running: ExitStack, name: str, project: Path, gateways: Any) -> Contender:
    package = running.enter_context(bench_system.unpacked(project))
    env = running.enter_context(bench_system.environment(gateways))
    return Contender(name, bench_system.api_of(package, project, env, running), gateways[0])


def _as(api: FunctionApi, buyer: Phone) -> FunctionApi:
    return replace(api, token=buyer.token)


def _placed(opened: Measured) -> Placed:
    said = json.loads(opened.answer["body"])
    return Placed(said["order_id"], said["group_id"], said["total_fen"], said["pay_by_s"])


def _bare(operation: str, body: str) -> tuple[str, Json]:
    """A call by botocore as long as this one. In place of writes, which are done once, as many
    puts of the same length, without conditions."""
    asked: Json = json.loads(body)
    writes = [
        (kind, write)
        for one in asked.get("TransactItems", ())
        for kind, write in one.items()
        if kind in WRITES
    ]
    if not writes:
        return operation, asked
    puts = [
        {"Put": {"TableName": write["TableName"], "Item": _as_long_as(write, number)}}
        for number, (_, write) in enumerate(writes)
    ]
    return operation, {"TransactItems": puts}


def _as_long_as(write: Json, number: int) -> Json:
    text = json.dumps(write, ensure_ascii=False)
    return {"pk": {"S": "floor"}, "sk": {"S": str(number)}, "text": {"S": text}}


def _tell(times: Times, names: list[str], floors: dict[str, tuple[str, Json]]) -> None:
    head = [f"{name:>8} {'x floor':>8}" for name in names]
    print(f"{'CPU ms, median':<26}{'':>4}{FLOOR:>8} {' '.join(head)}   (one call)")
    for step, of in times.items():
        floor = statistics.median(of[FLOOR]) if of[FLOOR] else None
        cells = []
        for name in names:
            ms = statistics.median(of[name])
            cells.append(f"{ms:8.2f} {ms / floor:8.2f}" if floor else f"{ms:8.2f} {'':>8}")
        said = f"{floor:8.2f}" if floor else f"{'':>8}"
        call = floors[step][0] if step in floors else ""
        print(f"{padded(step, 30)}{said} {' '.join(cells)}   {call}")


if __name__ == "__main__":
    began_s = time.monotonic()
    main()
    print(f"{time.monotonic() - began_s:.0f} s")
