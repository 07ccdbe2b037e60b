"""Every workflow, cut off at every one of its outgoing calls; three job runs mend everything.

The calls are found by running: a workflow is set up anew and cut off one call later each time,
until it comes through. After a cut before a call nobody asks again; after a lost answer the
caller does, as phones and gateways do.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from chalicelib.errors import ServiceError
from chalicelib.services import activities, due, settlement
from tests.crashes import EFFECTS, Cut, cut_off
from tests.shop import (
    DAY_S,
    GRACE_S,
    JOBS,
    LIFE_S,
    OTHER_PAY,
    PAY_BY_S,
    STAFF,
    Shop,
    Sold,
    new_shops,
)
from tests.stored import items_of_all

Act = Callable[[], Any]
HOUR_S = 3600
# Past every group's deadline; past the activity's end; past a minute between refunds' steps.
JOB_RUNS_S = (25 * HOUR_S, 8 * DAY_S, 8 * DAY_S + 2 * HOUR_S)


def opening(shop: Shop) -> Act:
    sold, buyer = shop.activity(limit_per_buyer=5), shop.buyer()
    return lambda: shop.open(sold, buyer, key="one")


def joining(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id, buyer = shop.opened(sold), shop.buyer()
    return lambda: shop.join(sold, group_id, buyer)


def joining_with_short_buckets(shop: Shop) -> Act:
    sold = shop.activity(seats=2, stock=9)
    group_id, buyer = shop.opened(sold, quantity=3), shop.buyer()
    return lambda: shop.join(sold, group_id, buyer, quantity=3)


def asking_to_pay(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    return lambda: shop.ask(order)


def asking_to_pay_elsewhere(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.ask(order)
    return lambda: shop.ask(order, OTHER_PAY)


def asking_to_pay_what_is_paid(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.capture(order)
    return lambda: shop.ask(order)


def taking_what_is_free(shop: Shop) -> Act:
    order = shop.open(shop.activity(price_fen=0), shop.buyer())
    return lambda: shop.ask(order)


def hearing_the_leaders_payment(shop: Shop) -> Act:
    trade = shop.capture(shop.open(shop.activity(), shop.buyer()))
    return lambda: shop.hear(trade)


def hearing_the_last_payment(shop: Shop) -> Act:
    sold = shop.activity(seats=2)
    trade = shop.capture(shop.join(sold, shop.opened(sold), shop.buyer()))
    return lambda: shop.hear(trade)


def hearing_a_late_payment(shop: Shop) -> Act:
    sold = shop.activity(seats=2)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.ask(order, OTHER_PAY)
    trade = shop.capture(order)
    shop.other_gateway.pay(f"{order.order_id}01", at_s=shop.now_s)
    shop.hear(trade)
    return lambda: shop.hear(shop.other_gateway.trade(f"{order.order_id}01"), OTHER_PAY)


def cancelling_an_unpaid_order(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.ask(order)
    return lambda: shop.cancel(order)


def cancelling_a_leaders_unpaid_order(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.ask(order)
    return lambda: shop.cancel(order)


def cancelling_a_leader_alone(shop: Shop) -> Act:
    order = shop.open(shop.activity(limit_per_buyer=5), shop.buyer())
    shop.pay(order)
    return lambda: shop.cancel(order)


def releasing_a_seat(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.ask(order)
    shop.now_s += PAY_BY_S
    return lambda: _attend(shop, order)


def releasing_a_seat_that_was_paid(shop: Shop) -> Act:
    sold = shop.activity()
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.capture(order)
    shop.now_s += PAY_BY_S
    return lambda: _attend(shop, order)


def asking_about_a_payment(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.capture(order)
    shop.now_s += 91
    return lambda: _attend(shop, order)


def telling_a_buyer_who_waits(shop: Shop) -> Act:
    sold = shop.activity()
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.pay(order)
    return lambda: _attend(shop, order)


def failing_a_group(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id = shop.opened(sold)
    shop.now_s += LIFE_S - 1
    shop.ask(shop.join(sold, group_id, shop.buyer()))
    shop.now_s += GRACE_S + 1
    return lambda: _attend(shop, shop.group(group_id))


def failing_a_group_with_a_payment_unheard(shop: Shop) -> Act:
    sold = shop.activity(seats=3)
    group_id = shop.opened(sold)
    shop.now_s += LIFE_S - 1
    shop.capture(shop.join(sold, group_id, shop.buyer()))
    shop.now_s += GRACE_S + 1
    return lambda: _attend(shop, shop.group(group_id))


def settling_a_formed_group(shop: Shop) -> Act:
    sold = shop.activity(seats=2)
    group_id = shop.opened(sold)
    shop.pay(shop.join(sold, group_id, shop.buyer()))
    return lambda: _attend(shop, shop.group(group_id))


def sending_a_refund(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.pay(order)
    shop.cancel(order)
    return lambda: _attend(shop, order)


def asking_about_a_refund(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.pay(order)
    shop.cancel(order)
    _attend(shop, order)
    shop.gateway.confirms_at_once = True
    shop.now_s += 61
    return lambda: _attend(shop, order)


def hearing_a_refund(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.pay(order)
    shop.cancel(order)
    _attend(shop, order)
    return lambda: shop.confirm(f"{order.order_id}01F")


def buying_alone(shop: Shop) -> Act:
    sold, buyer = shop.activity(product_stock=120), shop.buyer()
    return lambda: shop.buy_alone(sold, buyer, key="one")


def hearing_a_payment_alone(shop: Shop) -> Act:
    order = shop.buy_alone(shop.activity(product_stock=120), shop.buyer())
    trade = shop.capture(order)
    return lambda: shop.hear(trade)


def ending_an_activity(shop: Shop) -> Act:
    sold = shop.activity()
    shop.opened(sold)
    return lambda: activities.end(shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s)


def closing_an_activity(shop: Shop) -> Act:
    sold = shop.activity()
    shop.now_s += 8 * DAY_S
    return lambda: _close(shop, sold)


def _close(shop: Shop, sold: Sold) -> None:
    due.attend(f"{shop.merchant_id}#A#{sold.activity_id}", "closing", now_s=shop.now_s)


def _attend(shop: Shop, item: Any) -> None:
    due.attend(item.pk, item.sk, now_s=shop.now_s)


WORKFLOWS = [
    opening,
    joining,
    joining_with_short_buckets,
    asking_to_pay,
    asking_to_pay_elsewhere,
    asking_to_pay_what_is_paid,
    taking_what_is_free,
    hearing_the_leaders_payment,
    hearing_the_last_payment,
    hearing_a_late_payment,
    cancelling_an_unpaid_order,
    cancelling_a_leaders_unpaid_order,
    cancelling_a_leader_alone,
    releasing_a_seat,
    releasing_a_seat_that_was_paid,
    asking_about_a_payment,
    telling_a_buyer_who_waits,
    failing_a_group,
    failing_a_group_with_a_payment_unheard,
    settling_a_formed_group,
    sending_a_refund,
    asking_about_a_refund,
    hearing_a_refund,
    buying_alone,
    hearing_a_payment_alone,
    ending_an_activity,
    closing_an_activity,
]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups are settled one order at a time, so that there is something between two parts."""
    monkeypatch.setattr(settlement, "SETTLE_MAX", 1)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.__name__)
def test_crash_at_any_call_is_mended_by_three_job_runs(
    engine: str, request: pytest.FixtureRequest, workflow: Callable[[Shop], Act]
) -> None:
    with new_shops() as make:
        broken = crash_everywhere(make, workflow)
        for after_s in JOB_RUNS_S:
            for intent in JOBS:
                due.run(intent, now_s=broken[0][1].now_s + after_s)
        stored = items_of_all()
        wrong = []
        for where, shop in broken:
            shop.now_s += JOB_RUNS_S[-1]
            try:
                shop.check(quiescent=True, items=stored[shop.merchant_id])
            except AssertionError as error:
                wrong.append(f"{where}: {error}")
        assert not wrong, "\n".join(wrong)
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        terminal.write(f" {workflow.__name__}: {len(broken)} crashes ")


def crash_everywhere(
    make: Callable[[], Shop], workflow: Callable[[Shop], Act]
) -> list[tuple[str, Shop]]:
    """A shop for each crash, with where it was; the workflow is longer than the last by none."""
    broken = []
    for number in count():
        cut = Cut(number)
        broken.append((f"before call {number}", _crashed(make, workflow, cut)))
        if not cut.operation:
            return broken[:-1] or broken
        broken[-1] = (f"before {cut.operation} ({number})", broken[-1][1])
        if cut.operation in EFFECTS:
            cut = Cut(number, after_effect=True)
            shop = _crashed(make, workflow, cut)
            broken.append((f"after {cut.operation} ({number})", shop))
    return broken


def _crashed(make: Callable[[], Shop], workflow: Callable[[Shop], Act], cut: Cut) -> Shop:
    shop = make()
    act = workflow(shop)
    with cut_off(shop, cut), suppress(ServiceError):
        act()
    if cut.operation == "prepay":
        for number in shop.gateway.payable(shop.now_s):  # what the gateway knows can be paid
            shop.gateway.pay(number, at_s=shop.now_s)
    elif cut.after_effect:
        with suppress(ServiceError):
            act()
    shop.gateway.confirms_at_once = shop.other_gateway.confirms_at_once = True
    return shop
