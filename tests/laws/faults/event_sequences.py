"""What can befall one order, in every order: payments, refunds, the deadline, a cancellation.

Sequences grow level by level. Each is a copy of the shop that the one before it left, so that
common beginnings are lived through once, and one reading judges a whole level.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import dataclass, replace

from chalicelib.domain.order import RefundStatus
from chalicelib.errors import ServiceError
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.services.money import refunds
from chalicelib.tables.trade import OrderItem
from tests.fixtures.fake_gateway import FakeGateway
from tests.fixtures.shop import GRACE_S, LIFE_S, OTHER_PAY, Shop, number_of
from tests.laws.checkers.state_edges import StateHistory
from tests.laws.faults.sandbox import Sandbox, ShopSnapshot, run_jobs_of
from tests.laws.faults.workflows.registry import process_order

Event = Callable[[Shop, ShopSnapshot, OrderItem], bool]  # False: it makes no sense here


@dataclass(frozen=True)
class Setup:
    """Whom it befalls. early: both payments are captured before anything else happens."""

    name: str
    seats: int
    paid_before: int  # members who have paid, the leader first; 0: it befalls the leader
    early: bool

    def set_up(self, shop: Shop) -> OrderItem:
        sold = shop.activity(seats=self.seats, limit_per_buyer=5)
        if self.paid_before:
            group_id = shop.opened(sold)
            for _ in range(self.paid_before - 1):
                shop.pay(shop.join(sold, group_id, shop.buyer()))
            order = shop.join(sold, group_id, shop.buyer())
        else:
            order = shop.open(sold, shop.buyer())
        shop.ask(order)
        shop.ask(order, OTHER_PAY)
        if self.early:
            shop.gateway.pay(number_of(order, "01"), at_s=shop.now_s)
            shop.other_gateway.pay(number_of(order, "02"), at_s=shop.now_s)
        return order


SETUPS = [
    Setup(f"{who}, {'captured early' if early else 'captured when told'}", seats, paid, early)
    for who, seats, paid in (
        ("leader of 2", 2, 0),
        ("last of 2", 2, 1),
        ("second of 3", 3, 1),
        ("last of 3", 3, 2),
    )
    for early in (False, True)
]


@dataclass(frozen=True)
class EventSequence:
    """A sequence of events, the shop that it left, and what was seen of it on the way."""

    setup: Setup
    order: OrderItem
    shop: Shop
    history: StateHistory
    events: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.setup.name}: {', '.join(self.events)}"


def paid(shop: Shop, saved: ShopSnapshot, order: OrderItem) -> bool:
    return _callback(shop, shop.gateway, number_of(order, "01"), WECHAT_PAY)


def paid_again(shop: Shop, saved: ShopSnapshot, order: OrderItem) -> bool:
    return _callback(shop, shop.other_gateway, number_of(order, "02"), OTHER_PAY)


def refunded(shop: Shop, saved: ShopSnapshot, order: OrderItem) -> bool:
    """A job sends what is to be refunded; the gateways confirm it and call back."""
    process_order(shop, order)
    gateways = shop.gateways
    confirmed = [said for gateway in gateways for said in _settle(gateway)]
    for said in confirmed:
        refunds.apply_result(shop.merchant_id, said, now_s=shop.now_s)
    return bool(confirmed)


def refunded_again(shop: Shop, saved: ShopSnapshot, order: OrderItem) -> bool:
    """Every callback of a refund once more."""
    heard = [shop.gateway.refund_state(number) for number in shop.gateway.record.refunds]
    other = shop.other_gateway
    heard += [other.refund_state(number) for number in other.record.refunds]
    for said in heard:
        refunds.apply_result(shop.merchant_id, said, now_s=shop.now_s)
    return bool(heard)


def due(shop: Shop, saved: ShopSnapshot, order: OrderItem) -> bool:
    """The deadline and its grace pass, and the jobs run."""
    shop.now_s += LIFE_S + GRACE_S
    run_jobs_of(shop, saved, shop.now_s)
    return True


def cancelled(shop: Shop, saved: ShopSnapshot, order: OrderItem) -> bool:
    with suppress(ServiceError):
        shop.cancel(order)
    return True


EVENTS: dict[str, Event] = {
    "paid": paid,
    "paid again": paid_again,
    "refunded": refunded,
    "refunded again": refunded_again,
    "due": due,
    "cancelled": cancelled,
}


def longer(
    sandbox: Sandbox, known: Sequence[tuple[EventSequence, ShopSnapshot]]
) -> Iterator[EventSequence]:
    """Every known sequence with one more event, where that makes sense."""
    for told, saved in known:
        for name, happens in EVENTS.items():
            if name in told.events or (name == "refunded again" and "refunded" not in told.events):
                continue
            shop = copy(saved.shop)
            sandbox.copy(saved, shop)
            shop.now_s += 1
            if happens(shop, saved, told.order):
                events = (*told.events, name)
                yield replace(told, shop=shop, history=deepcopy(told.history), events=events)


def tell_everything_again(shop: Shop) -> None:
    """Gateways may call back at any later time: nothing comes of what is known."""
    for gateway in shop.gateways:
        for number in gateway.record.captured:
            shop.notify(gateway.trade(number), gateway.method)
        for number in gateway.record.refunds:
            refunds.apply_result(shop.merchant_id, gateway.refund_state(number), now_s=shop.now_s)


def _callback(shop: Shop, gateway: FakeGateway, number: str, method: str) -> bool:
    """The buyer pays, unless that was before, and the gateway tells of it."""
    if number in gateway.payable(shop.now_s):
        gateway.pay(number, at_s=shop.now_s)
    trade = gateway.trade(number)
    if trade.status is not port.TradeStatus.SUCCEEDED:
        return False
    shop.notify(trade, method)
    return True


def _settle(gateway: FakeGateway) -> list[port.Refund]:
    said = [gateway.settle(number) for number in gateway.record.refunds]
    return [one for one in said if one is not None and one.status == RefundStatus.SUCCEEDED]
