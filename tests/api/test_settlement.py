"""Settlement: what becomes of the orders of a decided group, whatever happens to them meanwhile."""

import pytest

from chalicelib.services.groups import settlement
from chalicelib.services.orders import notifications
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.order_states import formed_order, group_of_two, leader_alone, other_payment
from tests.fixtures.shop import GRACE_S, LIFE_S, OTHER_PAY, PAY_BY_S, Shop
from tests.fixtures.staff_requests import approve_after_sale, request_after_sale

pytestmark = pytest.mark.slow

PATIENCE_S = 301


def test_group_formed_while_it_is_failed_stays_formed(shop: Shop) -> None:
    _, group_id, order = group_of_two(shop)
    trade = shop.capture(order)
    shop.now_s += LIFE_S + GRACE_S + PATIENCE_S
    shop.gateway.silent = {"query"}

    with interleaved(lambda: shop.notify(trade)):
        settlement.decide_if_due(shop.group(group_id), now_s=shop.now_s)

    assert shop.group(group_id).status == "formed"


def test_order_given_back_while_its_group_is_settled_keeps_what_became_of_it(shop: Shop) -> None:
    _, group_id, order = group_of_two(shop)
    shop.pay(order)

    def settled_and_refunded() -> None:
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)
        approve_after_sale(shop, order, request_after_sale(shop, order))

    with interleaved(settled_and_refunded):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    assert shop.order(order.order_id).status == "refunding"


def test_group_that_is_open_or_settled_is_not_settled(shop: Shop) -> None:
    _, leader = leader_alone(shop)
    member = formed_order(shop)
    shop.run_jobs(forward_s=PAY_BY_S)
    shop.check()

    for order, status in ((leader, "open"), (member, "formed")):
        said = settlement.settle(shop.merchant_id, str(order.group_id), now_s=shop.now_s)
        assert said == status

    assert shop.order(leader.order_id).status == "paid"
    shop.check()  # a group is counted once, too


def test_gateway_is_asked_about_unpaid_orders_alone_before_a_group_fails(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    leader = shop.open(sold, shop.buyer())
    shop.ask(leader, OTHER_PAY)
    shop.pay(leader)
    shop.now_s += LIFE_S - 1
    shop.join(sold, str(leader.group_id), shop.buyer())
    shop.now_s += GRACE_S + 1
    shop.other_gateway.silent = {"query"}

    settlement.decide_if_due(shop.group(str(leader.group_id)), now_s=shop.now_s)

    assert shop.group(str(leader.group_id)).status == "failed"


def test_orders_given_back_while_their_group_is_settled_in_parts_stay_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "SETTLE_MAX", 1)
    sold, leader = leader_alone(shop)
    group_id = str(leader.group_id)
    member = shop.join(sold, group_id, shop.buyer())
    shop.pay(member)

    def settled_and_given_back() -> None:
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)
        for order in (leader, member):
            approve_after_sale(shop, order, request_after_sale(shop, order))

    with interleaved(settled_and_given_back):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    orders_now = [shop.order(order.order_id).status for order in (leader, member)]
    assert orders_now == ["refunding"] * 2


def failed(shop: Shop) -> tuple[str, OrderItem]:
    """(group_id, its leader's order) of a group that has failed and is not settled."""
    _, order = leader_alone(shop)
    shop.now_s += LIFE_S + GRACE_S
    settlement.decide_if_due(shop.group(str(order.group_id)), now_s=shop.now_s)
    return str(order.group_id), shop.order(order.order_id)


def test_free_orders_settled_by_two_at_once_give_their_units_back_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts, of which only the last is written with the group."""
    monkeypatch.setattr(settlement, "SETTLE_MAX", 1)
    sold = shop.activity(seats=3, price_fen=0)
    leader = shop.open(sold, shop.buyer())
    shop.ask(leader)
    group_id = str(leader.group_id)
    shop.ask(shop.join(sold, group_id, shop.buyer()))
    shop.now_s += LIFE_S + GRACE_S
    settlement.decide_if_due(shop.group(group_id), now_s=shop.now_s)

    with interleaved(lambda: settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    assert shop.order(leader.order_id).status == "refunded"
    assert shop.left(sold) == 100


def test_refund_confirmed_while_its_group_is_settled_stays_confirmed(shop: Shop) -> None:
    group_id, order = failed(shop)

    def settled_and_confirmed() -> None:
        shop.run_jobs()
        shop.confirm(f"{order.order_id}01F")

    with interleaved(settled_and_confirmed):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    assert shop.order(order.order_id).status == "refunded"


def test_refund_of_a_second_payment_is_not_forgotten_while_its_group_is_settled(shop: Shop) -> None:
    sold = shop.activity(seats=2)
    order = shop.open(sold, shop.buyer())
    late = other_payment(shop, order)
    shop.pay(order)
    shop.now_s += LIFE_S + GRACE_S
    group_id = str(order.group_id)
    settlement.decide_if_due(shop.group(group_id), now_s=shop.now_s)
    notifications.tell_outcome(shop.group(group_id), now_s=shop.now_s)

    with interleaved(lambda: shop.notify(late, OTHER_PAY)):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    assert set(shop.order(order.order_id).view().refunds) == {"01L", "02F"}
    shop.run_jobs()
    shop.gateway.settle(f"{order.order_id}02F")
    shop.other_gateway.settle(f"{order.order_id}01L")
    shop.run_jobs(3, forward_s=3600)
    shop.check(quiescent=True)
