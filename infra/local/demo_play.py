"""What the acts of the demonstration share: the stage, the cast, the trace, the hurried clock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from chalicelib.domain.money import yuan
from infra.local import deploy, pace
from infra.local.demo_data import MERCHANT_ID, Product
from infra.local.phone import Phone, Placed, log_in
from infra.local.printing import padded, say
from infra.local.shop import Offer, Staff
from infra.local.system import System

# An hour of a group's life takes 10 seconds; more on a machine that is too busy for that.
TIME_DIVISOR = max(60, round(360 * pace.LEAST / pace.factor()))
PAY_BY_S = 2520  # a seat is held for 42 minutes: 7 seconds
TICK_S = 2.0
LOOK_EVERY_S = 0.1
PATIENCE_S = 40.0  # for what must happen by itself
JOBS = ("QueryPayments", "ReleaseUnpaidSeats", "FailDueGroups", "DriveRefunds")

_T = TypeVar("_T")


class StoryFailed(Exception):
    """Something that had to happen did not; the message says what."""


@dataclass(frozen=True)
class Staged:
    """A group of the story, and what it sells."""

    act: str
    product: Product
    offer: Offer
    group_id: str


@dataclass
class Play:
    system: System
    staff: Staff
    phones: list[Phone] = field(default_factory=list)
    groups: list[Staged] = field(default_factory=list)
    began_s: float = field(default_factory=time.monotonic)
    _act: str = ""

    def act(self, title: str, summary: str) -> None:
        self._act = title.partition(" ")[0]
        say(f"\n── {title} ──  {summary}")

    def tell(self, who: str, words: str) -> None:
        say(f"{time.monotonic() - self.began_s:6.1f} s  {padded(who, 10)}{words}")

    def tell_messages(self, phone: Phone, placed: Placed) -> None:
        """What the buyer reads about the order."""
        for message in phone.messages(placed.order_id):
            self.tell(phone.name, f"  收到消息【{message['title']}】{message['text']}")

    def buyer(self, code: str, name: str) -> Phone:
        """A buyer who is logged in."""
        known = next((phone for phone in self.phones if phone.name == name), None)
        if known:
            return known
        system = self.system
        made = log_in(system.api, system.local_gateways, MERCHANT_ID, f"demo-{code}", name)
        self.phones.append(made)
        return made

    def publish(
        self, product: Product, *, life_h: int = 24, seats: int | None = None, **terms: Any
    ) -> Offer:
        """An activity of a product of its own; `life_h` hours of the shop's clock. terms: more of
        what is sent; of SKUs, what each has more."""
        if product.activity is None:
            raise ValueError(f"{product.name} has no activity.")
        seats = seats or product.activity.seats
        activity = replace(product.activity, life_h=life_h, seats=seats)
        return self.staff.publish(product, activity, **terms)

    def open_group(
        self,
        leader: Phone,
        product: Product,
        offer: Offer,
        *,
        quantity: int = 1,
        coupon_id: str | None = None,
        points: int = 0,
        agrees: bool = False,
    ) -> Placed:
        """The leader opens a group and pays; others can see it now."""
        placed = leader.buy(
            lambda: leader.open(
                offer, quantity=quantity, coupon_id=coupon_id, points=points, agrees=agrees
            )
        )
        self.groups.append(Staged(self._act, product, offer, placed.group_id))
        price = yuan(placed.total_fen)
        self.tell(leader.name, f"开团「{offer.title}」{price}（{offer.seats} 人团），名额已保留")
        group = self.until("团长付款后团可见", lambda: self.group(placed.group_id))
        missing = group["seats_missing"]
        self.tell(leader.name, f"微信付款 {price}，回调验签通过，团可见：还差 {missing} 人")
        return placed

    def group(self, group_id: str) -> Any:
        """The group as anybody sees it; None while nobody does."""
        path = f"/v1/merchants/{MERCHANT_ID}/groups/{group_id}"
        reply = self.system.api.call("GET", path)
        return reply.body if reply.status == 200 else None

    def until_order(self, phone: Phone, placed: Placed, *words: str) -> Any:
        """Wait until the buyer reads one of `words` as the state of the order."""

        def look() -> Any:
            order = phone.order(placed.order_id)
            return order if order["status_text"] in words else None

        return self.until(f"{phone.name}的订单变为{'或'.join(words)}", look)

    def until(self, what: str, look: Callable[[], _T | None]) -> _T:
        """What `look` finds, as soon as it does. Raises StoryFailed after PATIENCE_S."""
        patience_s = pace.patient(PATIENCE_S)
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            found = look()
            if found:
                return found
            time.sleep(LOOK_EVERY_S)
        raise StoryFailed(f"等了 {patience_s:.0f} 秒，没有等到：{what}")


@contextmanager
def hurried_clock(aws_url: str) -> Iterator[None]:
    """Run the scheduled functions every TICK_S for the length of the block.

    They are invoked through the Lambda API. Raises what the first failing one raised.
    """
    ended = threading.Event()
    failures: list[Exception] = []

    def tick() -> None:
        while not ended.wait(TICK_S):
            try:
                for name in JOBS:
                    deploy.run_job(aws_url, name)
            except Exception as failure:
                failures.append(failure)
                return

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if failures:
        raise StoryFailed(f"定时任务出错：{failures[0]}")
