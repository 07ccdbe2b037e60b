"""What was read is no longer so when it is written: each function decides again, or refuses.

Races find such moments by chance; here each is made to happen.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.after_sale import AfterSaleRefused, Reason
from chalicelib.errors import AlreadyPaid, Conflict, OrderClosed
from chalicelib.gateways.payment import RefundStatus, Trade
from chalicelib.services.after_sale import after_sale_decisions, after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.fulfilment import receipts
from chalicelib.services.groups import settlement
from chalicelib.services.money import payments, refund_recovery, refunds
from chalicelib.services.orders import notifications, orders
from chalicelib.tables.trade import GroupItem, OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import (
    DAY_S,
    GRACE_S,
    LIFE_S,
    OTHER_PAY,
    PAY_BY_S,
    STAFF,
    Shop,
    Sold,
    new_shop,
)
from tests.fixtures.staff_requests import audited, ship

CLAIM = Claim(amount_fen=5900, reason=Reason.DAMAGED)
PATIENCE_S = 301


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


def group_of_two(shop: Shop) -> tuple[Sold, str, OrderItem]:
    """(what is sold, group_id, the order that holds the last seat)."""
    sold = shop.activity(seats=2)
    group_id = shop.opened(sold)
    return sold, group_id, shop.join(sold, group_id, shop.buyer())


def formed(shop: Shop) -> OrderItem:
    """An order of a group that is formed and settled."""
    _, _, order = group_of_two(shop)
    shop.pay(order)
    shop.run_jobs()
    return shop.order(order.order_id)


def at_rest(shop: Shop) -> OrderItem:
    """The same when everything that follows has been done: nothing of it is due."""
    order = formed(shop)
    shop.run_jobs(forward_s=PAY_BY_S)
    assert shop.order(order.order_id).due_at_s is None
    return shop.order(order.order_id)


def other_payment(shop: Shop, order: OrderItem) -> Trade:
    """A payment of the order, at the other gateway, still to be heard of."""
    return shop.other_gateway.pay(shop.ask(order, OTHER_PAY), at_s=shop.now_s)


def request(shop: Shop, order: OrderItem, claim: Claim = CLAIM) -> str:
    made = after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)
    return str(made.letter)


def withdraw(shop: Shop, order: OrderItem, letter: str) -> None:
    after_sales.withdraw(shop.merchant_id, order.order_id, letter, now_s=shop.now_s)


def approve(shop: Shop, order: OrderItem, letter: str, amount_fen: int = 5900) -> None:
    after_sale_decisions.approve(
        shop.merchant_id,
        order.order_id,
        letter,
        amount_fen=amount_fen,
        units_back=0,
        staff=STAFF,
        now_s=shop.now_s,
    )


def refuse(shop: Shop, order: OrderItem, letter: str) -> None:
    after_sale_decisions.refuse(
        shop.merchant_id, order.order_id, letter, reply="签收时完好", staff=STAFF, now_s=shop.now_s
    )


def statuses(shop: Shop, order: OrderItem) -> list[tuple[str, str]]:
    asked = after_sales.of_order(shop.merchant_id, order.order_id)
    return [(item.letter, item.status) for item in asked]


def test_payment_told_twice_at_once_is_known_the_second_time(shop: Shop) -> None:
    sold = shop.activity(product_stock=200)
    trades = [
        shop.capture(shop.buy_alone(sold, shop.buyer())),
        shop.capture(shop.join(sold, shop.opened(sold), shop.buyer())),
    ]

    for trade in trades:
        with interleaved(lambda trade=trade: shop.hear(trade)):  # type: ignore[misc]
            assert shop.hear(trade) == "duplicate"


def test_late_payment_told_twice_at_once_is_recorded_once(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    late = other_payment(shop, order)
    shop.pay(order)

    with interleaved(lambda: shop.hear(late, OTHER_PAY)):
        assert shop.hear(late, OTHER_PAY) == "duplicate"

    assert list(shop.order(order.order_id).view().refunds) == ["01L"]


def test_payment_is_late_when_its_group_has_failed_meanwhile(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    group_id = shop.opened(sold)
    trade = shop.capture(shop.join(sold, group_id, shop.buyer()))
    group = shop.group(group_id)

    with interleaved(lambda: group.update(actions=[GroupItem.status.set("failed")])):
        assert shop.hear(trade) == "late"

    assert shop.group(group_id).seats_paid == 1


def test_order_paid_while_it_is_released_stays_paid(shop: Shop) -> None:
    _, group_id, order = group_of_two(shop)
    trade = shop.capture(order)

    with interleaved(lambda: shop.hear(trade)):
        assert orders.release(order, {}, now_s=shop.now_s) is False

    assert (shop.order(order.order_id).status, shop.group(group_id).status) == ("paid", "formed")


def test_order_paid_while_it_is_released_keeps_its_seat_though_others_are_free(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    trade = shop.capture(order)

    with interleaved(lambda: shop.hear(trade)):
        assert orders.release(order, {}, now_s=shop.now_s) is False

    assert shop.order(order.order_id).status == "paid"
    assert order.buyer_id in shop.group(str(order.group_id)).members
    assert shop.left(sold) == 98


def test_order_that_its_gateway_says_is_paid_is_not_cancelled(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.capture(order)

    with pytest.raises(AlreadyPaid):
        shop.cancel(order)

    assert shop.order(order.order_id).status == "paid"
    assert notifications.of_buyer(shop.merchant_id, order.buyer_id, after=None, limit=9) == (
        [],
        None,
    )


def test_order_that_is_paid_already_is_not_released(shop: Shop) -> None:
    order = formed(shop)

    assert orders.release(order, {}, now_s=shop.now_s) is False


def test_order_whose_group_fails_while_it_is_released_is_left_to_its_settling(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    group = shop.group(shop.opened(sold))
    shop.now_s += LIFE_S - 1
    order = shop.join(sold, group.group_id, shop.buyer())
    shop.now_s += GRACE_S + 1

    with interleaved(lambda: settlement.fail_if_due(group, now_s=shop.now_s)):
        assert orders.release(order, {}, now_s=shop.now_s) is False
    assert orders.release(order, {}, now_s=shop.now_s) is False

    assert shop.order(order.order_id).status == "pending"
    assert order.buyer_id in shop.group(group.group_id).members


def test_group_formed_while_it_is_failed_stays_formed(shop: Shop) -> None:
    _, group_id, order = group_of_two(shop)
    trade = shop.capture(order)
    shop.now_s += LIFE_S + GRACE_S + PATIENCE_S
    shop.gateway.silent = {"query"}

    with interleaved(lambda: shop.hear(trade)):
        settlement.fail_if_due(shop.group(group_id), now_s=shop.now_s)

    assert shop.group(group_id).status == "formed"


def leader_alone(shop: Shop) -> tuple[Sold, OrderItem]:
    sold = shop.activity(seats=2)
    order = shop.open(sold, shop.buyer())
    shop.pay(order)
    return sold, order


def test_leader_cannot_cancel_when_somebody_joins_meanwhile(shop: Shop) -> None:
    sold, order = leader_alone(shop)
    group_id = str(order.group_id)

    with (
        interleaved(lambda: shop.join(sold, group_id, shop.buyer())),
        pytest.raises(Conflict) as refusal,
    ):
        shop.cancel(order)

    assert refusal.value.message == "已有人参团，不能取消。到时未成团会自动退款。"
    assert shop.group(group_id).status == "open"


def test_member_who_has_paid_does_not_leave(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.pay(order)

    with pytest.raises(Conflict) as refusal:
        shop.cancel(order)

    assert refusal.value.message == "已付款的名额不能退出。到时未成团会自动退款。"
    assert shop.order(order.order_id).status == "paid"


def test_group_that_fell_due_while_its_leader_cancelled_was_due(shop: Shop) -> None:
    _, order = leader_alone(shop)
    group_id = str(order.group_id)
    late_s = shop.now_s + LIFE_S + GRACE_S

    with (
        interleaved(lambda: settlement.fail_if_due(shop.group(group_id), now_s=late_s)),
        pytest.raises(Conflict),
    ):
        shop.cancel(order)

    assert shop.group(group_id).failed_reason == "due"


def test_order_given_back_while_its_group_is_settled_keeps_what_became_of_it(shop: Shop) -> None:
    _, group_id, order = group_of_two(shop)
    shop.pay(order)

    def settled_and_refunded() -> None:
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)
        approve(shop, order, request(shop, order))

    with interleaved(settled_and_refunded):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    assert shop.order(order.order_id).status == "refunding"


def test_group_that_is_open_or_settled_is_not_settled(shop: Shop) -> None:
    _, leader = leader_alone(shop)
    member = formed(shop)
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

    settlement.fail_if_due(shop.group(str(leader.group_id)), now_s=shop.now_s)

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
            approve(shop, order, request(shop, order))

    with interleaved(settled_and_given_back):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    orders_now = [shop.order(order.order_id).status for order in (leader, member)]
    assert orders_now == ["refunding"] * 2


def failed(shop: Shop) -> tuple[str, OrderItem]:
    """(group_id, its leader's order) of a group that has failed and is not settled."""
    _, order = leader_alone(shop)
    shop.now_s += LIFE_S + GRACE_S
    settlement.fail_if_due(shop.group(str(order.group_id)), now_s=shop.now_s)
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
    settlement.fail_if_due(shop.group(group_id), now_s=shop.now_s)

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


def test_refund_of_a_second_payment_is_not_forgotten_while_its_group_is_settled(
    shop: Shop,
) -> None:
    sold = shop.activity(seats=2)
    order = shop.open(sold, shop.buyer())
    late = other_payment(shop, order)
    shop.pay(order)
    shop.now_s += LIFE_S + GRACE_S
    group_id = str(order.group_id)
    settlement.fail_if_due(shop.group(group_id), now_s=shop.now_s)
    notifications.tell_outcome(shop.group(group_id), now_s=shop.now_s)

    with interleaved(lambda: shop.hear(late, OTHER_PAY)):
        settlement.settle(shop.merchant_id, group_id, now_s=shop.now_s)

    assert set(shop.order(order.order_id).view().refunds) == {"01L", "02F"}
    shop.run_jobs()
    shop.gateway.settle(f"{order.order_id}02F")
    shop.other_gateway.settle(f"{order.order_id}01L")
    shop.run_jobs(3, forward_s=3600)
    shop.check(quiescent=True)


def test_order_cancelled_while_it_is_about_to_be_paid_is_closed(shop: Shop) -> None:
    _, _, order = group_of_two(shop)

    with interleaved(lambda: shop.cancel(order)), pytest.raises(OrderClosed):
        shop.ask(order)

    stored = shop.order(order.order_id)
    assert (stored.status, stored.payments.as_dict()) == ("closed", {})


def test_two_attempts_begun_at_once_have_two_numbers(shop: Shop) -> None:
    _, _, order = group_of_two(shop)

    with interleaved(lambda: shop.ask(order, OTHER_PAY)):
        shop.ask(order)

    known = shop.order(order.order_id).view().payments
    assert {key: paid.method for key, paid in known.items()} == {
        "01": OTHER_PAY,
        "02": "wechat_pay",
    }


def test_attempt_paid_while_it_is_stored_as_closed_is_paid(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    trade = shop.capture(order)
    attempt = shop.order(order.order_id).view().payments["01"]

    with interleaved(lambda: shop.hear(trade)):
        payments.store_attempt(order, "01", attempt)

    assert shop.order(order.order_id).view().payments["01"].status == "succeeded"


def test_refund_confirmed_while_it_is_asked_about_stays_confirmed(shop: Shop) -> None:
    order = formed(shop)
    approve(shop, order, request(shop, order, Claim(900, Reason.DAMAGED)), 900)
    shop.run_jobs()
    number = f"{order.order_id}01A"
    said = shop.gateway.refund_state(number)
    assert said.status == "processing"

    with interleaved(lambda: shop.confirm(number)):
        assert refunds.hear(shop.merchant_id, said, now_s=shop.now_s) == "succeeded"

    assert shop.order(order.order_id).view().refunds["01A"].status == "succeeded"
    assert shop.order(order.order_id).due_at_s is None


def test_refund_confirmed_while_it_is_sent_again_stays_confirmed(shop: Shop) -> None:
    _, order = leader_alone(shop)
    shop.cancel(order)
    shop.run_jobs()
    number = f"{order.order_id}01F"
    lost = replace(shop.gateway.refund_state(number), status=RefundStatus.CLOSED)
    assert refunds.hear(shop.merchant_id, lost, now_s=shop.now_s) == "failed"

    with interleaved(lambda: shop.confirm(number)), pytest.raises(Conflict):
        refund_recovery.resend(shop.merchant_id, number, staff=STAFF, now_s=shop.now_s)

    assert shop.order(order.order_id).status == "refunded"
    assert audited(shop, "refund_sent_again") == 0


def test_request_made_again_after_one_that_came_and_went_is_another(shop: Shop) -> None:
    order = at_rest(shop)

    with interleaved(lambda: withdraw(shop, order, request(shop, order))):
        assert request(shop, order) == "B"

    assert statuses(shop, order) == [("A", "withdrawn"), ("B", "requested")]


def test_order_received_while_a_request_is_withdrawn_is_done(shop: Shop) -> None:
    order = at_rest(shop)
    ship(shop, order)
    letter = request(shop, order, Claim(900, Reason.DAMAGED))

    with interleaved(lambda: receipts.confirm(shop.merchant_id, order.order_id, now_s=shop.now_s)):
        withdraw(shop, order, letter)

    received = shop.order(order.order_id)
    assert (received.status, received.after_sale, received.due_at_s) == ("completed", None, None)


def test_second_payment_heard_while_a_request_is_withdrawn_goes_back_at_once(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    late = other_payment(shop, order)
    shop.pay(order)
    shop.run_jobs()
    letter = request(shop, order)

    with interleaved(lambda: shop.hear(late, OTHER_PAY)):
        withdraw(shop, order, letter)

    stored = shop.order(order.order_id)
    assert (set(stored.view().refunds), stored.due_at_s) == ({"01L"}, shop.now_s)


Decide = Callable[[Shop, OrderItem, str], None]


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (approve, withdraw, "approved"),
        (withdraw, approve, "withdrawn"),
        (refuse, withdraw, "refused"),
        (withdraw, refuse, "withdrawn"),
        (approve, refuse, "approved"),
    ],
)
def test_request_decided_while_it_is_decided_is_decided_once(
    shop: Shop, first: Decide, then: Decide, status: str
) -> None:
    order = formed(shop)
    letter = request(shop, order)

    with interleaved(lambda: first(shop, order, letter)), pytest.raises(AfterSaleRefused):
        then(shop, order, letter)

    assert statuses(shop, order) == [(letter, status)]


@pytest.mark.parametrize("decide", [withdraw, refuse, approve])
def test_request_decided_twice_alike_is_decided_once(shop: Shop, decide: Decide) -> None:
    order = formed(shop)
    letter = request(shop, order)

    with interleaved(lambda: decide(shop, order, letter)):
        decide(shop, order, letter)

    assert len(shop.order(order.order_id).view().refunds) == int(decide is approve)


def test_second_payment_heard_while_a_refund_is_approved_goes_back_at_once(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    late = other_payment(shop, order)
    shop.pay(order)
    shop.run_jobs()
    approve(shop, order, request(shop, order, Claim(900, Reason.DAMAGED)), 900)
    shop.run_jobs()
    shop.confirm(f"{order.order_id}02A")
    letter = request(shop, order, Claim(800, Reason.DAMAGED))

    with interleaved(lambda: shop.hear(late, OTHER_PAY)):
        approve(shop, order, letter, 800)  # to be sent a minute after the one before

    stored = shop.order(order.order_id)
    assert set(stored.view().refunds) == {"01L", "02A", "02B"}
    assert stored.due_at_s == shop.now_s


def test_request_that_waited_for_longer_than_a_year_is_not_approved(shop: Shop) -> None:
    order = formed(shop)
    letter = request(shop, order)
    shop.now_s += 366 * DAY_S

    with pytest.raises(AfterSaleRefused):
        approve(shop, order, letter)

    assert statuses(shop, order) == [(letter, "requested")]
