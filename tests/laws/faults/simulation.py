"""A random simulation of one shop under faults: buyers, gateways, jobs, the stream and time.

What people do may be refused. What no fault explains is an error: anything but a refusal that
comes out of a step, and anything that a job calls a failure of its own.
"""

import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from chalicelib import observability
from chalicelib.domain.order import Intent
from chalicelib.errors import GatewayFailed, ServiceError
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import Channel, GatewayRefused
from chalicelib.services.groups import order_closing
from chalicelib.services.money import captures, payments, refund_recovery, refunds
from chalicelib.services.money.payers import Payer
from chalicelib.services.work import due, stream
from chalicelib.tables.trade import OrderItem
from tests.fixtures.caches import clear_caches
from tests.fixtures.fake_gateway import FakeGateway
from tests.fixtures.fault_injection import Faults, injected
from tests.fixtures.interruptions import (
    GATEWAY_EFFECTS,
    Interruption,
    InterruptionKind,
    interrupted,
)
from tests.fixtures.shop import JOBS, OTHER_PAY, ActivityIds, Shop
from tests.laws.checkers.state_edges import StateHistory
from tests.laws.faults.change_log import ChangeLog, is_of_trade, stream_record
from tests.laws.faults.fault_profile import FaultProfile
from tests.laws.faults.sandbox import JOB_RUNS_S
from tests.laws.faults.shipping_steps import ship_or_receive
from tests.laws.faults.staff_steps import close_or_extend

WAITS_S = (0, 1, 1, 2, 3, 5, 31, 61, 91, 300, 600, 3600)
LAST_WAIT_S = 9 * 3600
BATCH_MAX = 6
BUYERS = 6
ACCOUNTS_MAX = 3  # of one method, in one life
KILLED_WITHIN = 30  # calls
CALLBACKS_MAX = 15


class Simulation:
    """One shop under a fault profile, repeatable for the same `chance`."""

    def __init__(self, shop: Shop, profile: FaultProfile, chance: random.Random) -> None:
        self.shop, self.profile, self.chance = shop, profile, chance
        self.history = StateHistory()
        self.faults = Faults(seed=chance.randrange(10**9), **profile.engine)
        self.changes = ChangeLog(self.faults, lambda: shop.now_s, chance, lag_s=profile.index_lag_s)
        self.sold: ActivityIds = shop.activity(
            seats=2, stock=12, product_stock=15, limit_per_buyer=5
        )
        self.buyers = [shop.buyer() for _ in range(BUYERS)]
        self.orders: list[OrderItem] = []
        self.callbacks: list[Callable[[], object]] = []  # callbacks on their way
        self.delivered_changes = 0  # changes that the stream has carried
        self.gateway_faults = 0
        self.clocks: dict[str, int] = {}
        for gateway in shop.gateways:
            gateway.around = self._around
        self.steps: list[tuple[Callable[[], object], int]] = [
            (self.place_order, 6),
            (self.ask, 3),
            (self.change_account, 1),
            (self.pay, 6),
            (self.deliver_callback, 6),
            (self.cancel, 2),
            (self.confirm_refund, 3),
            (self.run_job, 6),
            (self.deliver_stream_batch, 5),
            (self.pass_time, 8),
            (self.resend_refund, 1),
            (self.close_or_extend, 1),
            (self.ship_or_receive, 3),
        ]

    @property
    def injected(self) -> int:
        return self.faults.seen.total() + self.gateway_faults + self.changes.hidden

    def now_of(self, actor: str) -> int:
        """The time by an actor's own clock."""
        skew_s = self.profile.skew_s
        return self.shop.now_s + self.clocks.setdefault(actor, self.chance.randint(-skew_s, skew_s))

    def run(self, steps: int) -> None:
        """Run so many random steps under faults; check every law after every fourth."""
        acts, weights = zip(*self.steps, strict=True)
        for number in range(steps):
            (act,) = self.chance.choices(acts, weights)
            with injected(self.changes), suppress(ServiceError):
                act()
            if number % 4 == 0:
                self.check_laws()

    def check_laws(self, *, quiescent: bool = False) -> None:
        """Every law, by the latest of all clocks while they differ."""
        real_s = self.shop.now_s
        self.shop.now_s += 0 if quiescent else self.profile.skew_s
        try:
            self.history.check(self.shop.check(quiescent=quiescent))
        finally:
            self.shop.now_s = real_s

    def end(self) -> None:
        """Stop the faults, run the jobs three times, deliver the last callbacks; check all laws."""
        self.check_laws()
        for gateway in self.shop.gateways:
            gateway.around = lambda operation, act: act()
            gateway.confirms_at_once = True
        began_s = self.shop.now_s + LAST_WAIT_S
        for after_s in JOB_RUNS_S:
            self.shop.now_s = began_s + after_s
            self.shop.run_jobs()
        self.check_laws(quiescent=True)
        for callback in self.callbacks:
            callback()
        self.check_laws(quiescent=True)

    # Steps.

    def place_order(self) -> None:
        buyer, now_s = self.chance.choice(self.buyers), self.shop.now_s
        self.shop.now_s = self.now_of("api")
        try:
            joinable = [order for order in self.orders if order.group_id]
            if joinable and self.chance.random() < 0.6:
                group_id = str(self.chance.choice(joinable).group_id)
                order = self.shop.join(self.sold, group_id, buyer)
            elif self.chance.random() < 0.9:
                order = self.shop.open(self.sold, buyer)
            else:
                order = self.shop.buy_alone(self.sold, buyer)
        finally:
            self.shop.now_s = now_s
        self.orders.append(order)
        self.ask(order)
        if self.chance.random() < 0.7:
            self.pay()

    def ask(self, order: OrderItem | None = None) -> None:
        if self.orders:
            order = order or self.chance.choice(self.orders)
            method = self.chance.choice([WECHAT_PAY, WECHAT_PAY, OTHER_PAY])
            now_s = self.now_of("api")
            payer = Payer(self.chance.choice([Channel.MINI_PROGRAM, Channel.BROWSER]))
            payments.ask(self.shop.merchant_id, order.order_id, method, payer, now_s=now_s)

    def pay(self) -> None:
        """A buyer pays on the phone; the callback comes once, twice or never."""
        for gateway in self.shop.gateways:
            for number in gateway.payable(self.shop.now_s)[:1]:
                trade = gateway.pay(number, at_s=self.shop.now_s)
                self._queue_callback(partial(self._hear, gateway, trade))

    def _hear(self, gateway: FakeGateway, trade: port.Trade) -> object:
        return captures.record(
            self.shop.merchant_id,
            trade,
            gateway.method,
            account=gateway.place.account,
            now_s=self.now_of("callback"),
        )

    def change_account(self) -> None:
        """The owner saves another account, while anything is on its way."""
        if len(self.shop.gateways_by_method[WECHAT_PAY]) < ACCOUNTS_MAX:
            self.shop.change_account()

    def deliver_callback(self) -> None:
        """One of the callbacks arrives, in any order. One that failed is sent again later."""
        if self.callbacks:
            callback = self.callbacks.pop(self.chance.randrange(len(self.callbacks)))
            try:
                callback()
            except ServiceError:
                self.callbacks.append(callback)

    def cancel(self) -> None:
        if self.orders:
            order = self.chance.choice(self.orders)
            now_s = self.now_of("api")
            order_closing.cancel(self.shop.merchant_id, order.order_id, now_s=now_s)

    def confirm_refund(self) -> None:
        """A gateway is done with a refund; a few cannot be paid out. It calls back, or does not."""
        open_ones = [
            (gateway, number) for gateway in self.shop.gateways for number in gateway.record.refunds
        ]
        if not open_ones or self.chance.random() < self.profile.gateway.processing:
            return
        gateway, number = self.chance.choice(open_ones)
        fine = self.chance.random() < 0.9
        status = port.RefundStatus.SUCCEEDED if fine else port.RefundStatus.ABNORMAL
        gateway.settle(number, status)
        said = gateway.refund_state(number)
        self._queue_callback(
            lambda: refunds.apply_result(self.shop.merchant_id, said, now_s=self.now_of("callback"))
        )

    def resend_refund(self) -> None:
        """Staff send a refund again that needs a person."""
        merchant_id = self.shop.merchant_id
        found, _ = refund_recovery.needing_person(merchant_id, after=None, limit=5)
        for order, key in found:
            with suppress(ServiceError):
                number, now_s = order.refund_number(key), self.now_of("api")
                refund_recovery.resend(merchant_id, number, staff="test", now_s=now_s)

    def close_or_extend(self) -> None:
        ids = [str(order.group_id) for order in self.orders if order.group_id]
        close_or_extend(self.shop, ids, self.chance, now_s=self.now_of("api"))

    def ship_or_receive(self) -> None:
        ship_or_receive(self.shop, self.orders, self.chance, now_s=self.now_of("api"))

    def run_job(self) -> None:
        """Jobs in any order: once, twice at once, killed, or out of time."""
        intent = Intent(self.chance.choice(JOBS))
        now_s = self.now_of(intent)
        if self.chance.random() < self.profile.jobs_die:
            cut = Interruption(
                self.chance.randrange(KILLED_WITHIN), self.chance.choice(list(InterruptionKind)[:2])
            )
            with interrupted(self.shop, cut, under=self.changes):
                due.run(intent, now_s=now_s)
        elif self.chance.random() < self.profile.jobs_run_out:
            with _short_run():
                due.run(intent, now_s=now_s)
        elif self.chance.random() < 0.2:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda _: due.run(intent, now_s=now_s), range(2)))
        else:
            due.run(intent, now_s=now_s)

    def deliver_stream_batch(self) -> None:
        """A batch of changes; the function may die within it, and what failed comes again."""
        pending = self.changes.made[
            self.delivered_changes : self.delivered_changes + self.chance.randint(1, BATCH_MAX)
        ]
        records = [
            stream_record(change, self.delivered_changes + number)
            for number, change in enumerate(pending)
            if is_of_trade(change)
        ]
        if not records:
            self.delivered_changes += len(pending)
            return
        cut = Interruption(10**6)
        if self.chance.random() < self.profile.jobs_die:
            cut = Interruption(self.chance.randrange(KILLED_WITHIN), InterruptionKind.DIES_AFTER)
        failed = ["all"]
        with interrupted(self.shop, cut, under=self.changes):
            answer = stream.handle({"Records": records}, now_s=self.now_of("stream"))
            failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        if not failed:
            self.delivered_changes += len(pending)
        elif failed != ["all"]:
            self.delivered_changes = min(int(number) for number in failed)

    def pass_time(self) -> None:
        self.shop.now_s += self.chance.choice(WAITS_S)
        clear_caches()

    # Gateways.

    def _queue_callback(self, callback: Callable[[], object]) -> None:
        profile, roll = self.profile.gateway, self.chance.random
        times = 0 if roll() < max(profile.silent, 0.1) else 1
        while times and roll() < max(profile.repeating, 0.1) and times < CALLBACKS_MAX:
            times += 1
        self.callbacks += [callback] * times

    def _around(self, operation: str, act: Callable[[], object]) -> object:
        """One call of the services to a gateway, under its fault profile."""
        profile, roll = self.profile.gateway, self.chance.random
        if roll() < profile.unreached:
            self.gateway_faults += 1
            raise GatewayFailed(reason="no_answer")
        if roll() < profile.limited:
            self.gateway_faults += 1
            raise GatewayRefused("FREQUENCY_LIMITED", "")
        if operation == "refund" and roll() < profile.poor:
            self.gateway_faults += 1
            raise GatewayRefused("NOTENOUGH", "")
        answer = act()
        if operation in GATEWAY_EFFECTS and roll() < profile.lost:
            self.gateway_faults += 1
            raise GatewayFailed(reason="no_answer")
        return answer


@contextmanager
def _short_run() -> Iterator[None]:
    """A run that must stop in the middle of its work."""
    before, due.RUN_S = due.RUN_S, 0.01
    try:
        yield
    finally:
        due.RUN_S = before


@contextmanager
def no_unexplained_failures() -> Iterator[None]:
    """Jobs postpone whatever goes wrong; only what a fault explains may go wrong."""
    errors: list[object] = []

    def note(message: object, *args: object, **more: object) -> None:
        errors.append((message, more.get("extra"), sys.exc_info()[1]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observability.logger, "exception", note)
        yield
    assert not errors, errors
