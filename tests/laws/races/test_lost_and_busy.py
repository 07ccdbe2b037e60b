"""An engine that has no time, and answers that are lost: what callers are told."""

import pytest

from chalicelib.errors import Busy
from chalicelib.http_client import Response
from chalicelib.services.groups import settlement
from chalicelib.services.orders import orders, own_orders
from tests.fixtures.fault_injection import Faults, injected, refusal, send
from tests.fixtures.shop import GRACE_S, LIFE_S, Shop


class LosesOne:
    """The answer to the first write of one kind is lost, after its effect."""

    def __init__(self, operation: str) -> None:
        self.operation, self.lost = operation, 0

    def __call__(self, operation: str, body: bytes) -> Response | None:
        if operation != self.operation or self.lost:
            return None
        self.lost += 1
        send(operation, body)
        return refusal("InternalServerError", status=500)


def test_reads_that_are_throttled_say_busy(shop: Shop) -> None:
    order = shop.open(shop.activity(), shop.buyer())

    with injected(Faults(seed=1, throttled=1)):
        with pytest.raises(Busy):
            orders.get(shop.merchant_id, order.order_id)
        with pytest.raises(Busy):
            orders.with_group(shop.merchant_id, order.order_id, order.group_id)
        with pytest.raises(Busy):
            own_orders.page(shop.merchant_id, [order.buyer_id], None, before=None, limit=10)


def test_cancelling_alone_is_done_though_its_answer_was_lost(shop: Shop) -> None:
    order = shop.open(shop.activity(), shop.buyer())
    shop.pay(order)
    loses = LosesOne("UpdateItem")

    with injected(loses):
        shop.cancel(order)

    assert loses.lost == 1
    assert shop.order(order.order_id).status == "refunding"


def test_unpaid_order_of_a_group_that_was_decided_can_be_cancelled(shop: Shop) -> None:
    sold = shop.activity()
    group_id = shop.opened(sold)
    shop.now_s += LIFE_S - 1
    order = shop.join(sold, group_id, shop.buyer())
    shop.now_s += GRACE_S + 1
    settlement.decide_if_due(shop.group(group_id), now_s=shop.now_s)

    shop.cancel(order)

    assert shop.order(order.order_id).status == "closed"
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=70)
    shop.check(quiescent=True)


def test_every_member_is_told_although_puts_are_busy(shop: Shop) -> None:
    sold = shop.activity(seats=12)
    group_id = shop.opened(sold)
    for _ in range(11):
        shop.pay(shop.join(sold, group_id, shop.buyer()))

    with injected(Faults(seed=3, conflicts=0.3)):
        settlement.carry_out(shop.group(group_id), now_s=shop.now_s)

    shop.check(quiescent=False)
    assert shop.group(group_id).due_at_s is None


def test_opening_again_gets_the_first_answer_though_terms_have_changed(shop: Shop) -> None:
    sold, buyer = shop.activity(), shop.buyer()
    first = shop.open(sold, buyer, quantity=5, key="one")
    shop.edit(sold, limit_per_order=1)

    again = shop.open(sold, buyer, quantity=5, key="one")

    assert again.order_id == first.order_id
