"""Bills against the ledger: what a lost callback would have told is taken over, the rest told."""

from collections.abc import Callable

import pytest

from chalicelib.domain.beijing import DAY_S, day_of
from chalicelib.domain.ledger import Account, balances
from chalicelib.domain.order import Intent, OrderStatus
from chalicelib.domain.reconcile import Difference
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import FOREIGN, BillKind, BillRow, RefundStatus
from chalicelib.services.money import day_book, reconciliation
from chalicelib.services.work import due
from chalicelib.tables.base import get_or_none
from chalicelib.tables.trade import OrderItem, ReconcilingItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.interleavings import interleaved
from tests.fixtures.reconciliation import (
    Edit,
    differences_of,
    edited,
    posted_order,
    reconcile,
    refunded_order,
    twice,
    without,
)
from tests.fixtures.shop import OTHER_PAY, PAY_BY_S, Shop, number_of

pytestmark = pytest.mark.slow


def test_bill_that_fits_is_reported_with_its_totals(shop: Shop) -> None:
    order = refunded_order(shop)

    assert reconcile(shop) == []

    [day], _ = reconciliation.days(shop.merchant_id, after=None, limit=5)
    assert (day.payments, day.paid_fen, day.refunds, day.refunded_fen) == (1, 5900, 1, 5900)
    assert day.day == day_of(order.pay_by_s - PAY_BY_S).isoformat()
    shop.run_jobs()
    shop.check(quiescent=True)


@pytest.mark.parametrize(
    ("set_up", "edit", "difference"),
    [
        (
            posted_order,
            edited(BillKind.PAYMENT, out_trade_no="x" * 30 + "01"),
            [Difference.UNKNOWN_PAYMENT],
        ),
        (
            posted_order,
            edited(BillKind.PAYMENT, out_trade_no="0" * 32),
            [Difference.UNKNOWN_PAYMENT],
        ),
        (posted_order, edited(BillKind.PAYMENT, amount_fen=5901), [Difference.PAYMENT_AMOUNT]),
        (posted_order, edited(BillKind.PAYMENT, mismatch="appid"), [Difference.WRONG_ACCOUNT]),
        (posted_order, edited(BillKind.PAYMENT, mismatch="currency"), [Difference.WRONG_ACCOUNT]),
        (posted_order, edited(BillKind.PAYMENT, transaction_id="other"), [Difference.TRANSACTION]),
        (posted_order, edited(BillKind.PAYMENT, at_s=1), [Difference.PAYMENT_DAY]),
        (posted_order, twice, [Difference.REPEATED]),
        (
            refunded_order,
            edited(BillKind.REFUND, out_refund_no=f"{'0' * 32}F"),
            [Difference.UNKNOWN_REFUND],
        ),
        (refunded_order, edited(BillKind.REFUND, amount_fen=1), [Difference.REFUND_AMOUNT]),
    ],
)
def test_difference_is_reported_with_both_sides_and_changes_nothing(
    shop: Shop, set_up: Callable[[Shop], OrderItem], edit: Edit, difference: list[Difference]
) -> None:
    order = set_up(shop)
    shop.gateway.edit_bill = edit
    before = shop.order(order.order_id).serialize()

    assert reconcile(shop) == [(found, False) for found in difference]

    [kept] = differences_of(shop)
    assert kept.theirs.as_dict()["amount_fen"] in (5900, 5901, 1)
    assert (kept.ours.as_dict() == {}) == kept.difference.startswith("unknown") or twice is edit
    assert shop.order(order.order_id).serialize() == before
    due.run(Intent.RECONCILE, now_s=shop.now_s)
    assert len(differences_of(shop)) == 1


@pytest.mark.parametrize("status", [RefundStatus.CLOSED, RefundStatus.ABNORMAL])
def test_refund_that_was_confirmed_and_is_not_made_is_reported(
    shop: Shop, status: RefundStatus
) -> None:
    order = refunded_order(shop)
    shop.gateway.overrule(f"{number_of(order)}F", status)

    assert reconcile(shop) == [(Difference.REFUND_NOT_MADE, False)]

    assert shop.order(order.order_id).status == OrderStatus.REFUNDED


def test_state_that_a_refund_had_when_the_bill_was_made_is_no_difference(shop: Shop) -> None:
    refunded_order(shop)
    shop.gateway.edit_bill = edited(BillKind.REFUND, refund_status=RefundStatus.ABNORMAL)

    assert reconcile(shop) == []


def test_payment_whose_callback_never_came_is_taken_over(shop: Shop) -> None:
    posted_order(shop)  # so that there is a bill to be compared
    order = shop.open(shop.activity(), shop.buyer())
    shop.capture(order)

    assert reconcile(shop) == [(Difference.PAYMENT_UNHEARD, True)]

    assert shop.order(order.order_id).status == OrderStatus.PAID
    shop.check()


def test_late_payment_that_nobody_heard_of_is_taken_over_and_refunded(shop: Shop) -> None:
    posted_order(shop)
    order = shop.open(shop.activity(), shop.buyer())
    shop.ask(order)
    shop.cancel(order)
    shop.gateway.pay_in_spite(number_of(order), at_s=shop.now_s)

    assert reconcile(shop) == [(Difference.PAYMENT_UNHEARD, True)]

    known = shop.order(order.order_id).view()
    assert (known.status, list(known.refunds)) == (OrderStatus.CLOSED, ["01L"])
    shop.check()


def test_refund_whose_confirmation_never_came_is_taken_over(shop: Shop) -> None:
    order = posted_order(shop)
    shop.cancel(order)
    due.process_item(order.pk, order.sk, now_s=shop.now_s)
    shop.gateway.settle(f"{number_of(order)}F")

    assert reconcile(shop) == [(Difference.REFUND_UNHEARD, True)]

    assert shop.order(order.order_id).status == OrderStatus.REFUNDED
    shop.run_jobs()
    shop.check(quiescent=True)


def test_payment_that_is_in_no_bill_is_asked_about_before_it_is_reported(shop: Shop) -> None:
    posted_order(shop)
    shop.gateway.edit_bill = without(BillKind.PAYMENT)

    assert reconcile(shop) == []


def test_payment_that_neither_bill_nor_gateway_knows_is_reported(shop: Shop) -> None:
    order = posted_order(shop)
    shop.gateway.forget(number_of(order))

    assert reconcile(shop) == [(Difference.PAYMENT_MISSING, False)]


def test_refund_that_neither_bill_nor_gateway_knows_is_reported(shop: Shop) -> None:
    order = refunded_order(shop)
    shop.gateway.forget(f"{number_of(order)}F")

    assert reconcile(shop) == [(Difference.REFUND_MISSING, False)]


def test_payment_at_another_gateway_than_ours_is_reported(shop: Shop) -> None:
    posted_order(shop)
    elsewhere = shop.open(shop.activity(), shop.buyer())
    shop.ask(elsewhere, OTHER_PAY)
    trade = shop.other_gateway.pay(number_of(elsewhere), at_s=shop.now_s)
    shop.notify(trade, OTHER_PAY)
    claimed = edited(BillKind.PAYMENT, out_trade_no=number_of(elsewhere))
    shop.gateway.edit_bill = lambda rows: rows + claimed(rows)

    assert reconcile(shop) == [(Difference.WRONG_GATEWAY, False)]


def test_fee_of_a_bill_is_entered_once(shop: Shop) -> None:
    order = posted_order(shop)
    shop.gateway.edit_bill = edited(BillKind.PAYMENT, fee_fen=35)

    assert reconcile(shop) == []
    due.run(Intent.RECONCILE, now_s=shop.now_s + DAY_S)

    left = balances(shop.order(order.order_id).entries())
    assert (left[Account.FEES], left[Account.GATEWAY], sum(left.values())) == (35, 5865, 0)


def test_bill_that_is_not_made_yet_is_asked_for_again(shop: Shop) -> None:
    order = posted_order(shop)
    shop.gateway.silent = {"bill"}
    shop.gateway.edit_bill = edited(BillKind.PAYMENT, amount_fen=1)
    assert reconcile(shop) == []

    shop.gateway.silent = set()
    shop.now_s += reconciliation.LATER_S
    due.run(Intent.RECONCILE, now_s=shop.now_s)

    [kept] = differences_of(shop)
    assert (kept.number, kept.difference) == (number_of(order), Difference.PAYMENT_AMOUNT)


def test_bill_too_long_for_one_run_is_gone_on_with(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "ROWS_MAX", 1)
    for _ in range(3):
        posted_order(shop)
    shop.gateway.edit_bill = edited(BillKind.PAYMENT, amount_fen=1)

    assert reconcile(shop) == [(Difference.PAYMENT_AMOUNT, False)] * 3

    [day], _ = reconciliation.days(shop.merchant_id, after=None, limit=5)
    assert day.payments == 3


def test_days_that_were_missed_are_made_up_for(shop: Shop) -> None:
    posted_order(shop)
    shop.now_s += 3600
    shop.gateway.silent = {"bill"}
    first = day_of(shop.now_s)
    assert reconcile(shop) == []
    shop.gateway.silent = set()
    shop.now_s += 4 * DAY_S
    due.run(Intent.RECONCILE, now_s=shop.now_s)

    days, _ = reconciliation.days(shop.merchant_id, after=None, limit=5)
    assert [item.day for item in days] == [first.isoformat()]


def reconciling(shop: Shop) -> ReconcilingItem:
    """What is to be compared next."""
    found = get_or_none(ReconcilingItem.at(shop.merchant_id, WECHAT_PAY))
    assert found is not None
    return found


def process(shop: Shop, *, later_s: int = 0) -> None:
    reconciliation.process(shop.merchant_id, WECHAT_PAY, now_s=shop.now_s + later_s)


def test_shop_that_was_never_paid_has_nothing_to_compare(shop: Shop) -> None:
    process(shop)

    assert reconciliation.days(shop.merchant_id, after=None, limit=5) == ([], None)


def test_day_whose_bill_is_not_ready_is_not_driven(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted_order(shop)
    before = reconciling(shop)
    monkeypatch.setattr(reconciliation, "RUN_S", 0.05)

    process(shop, later_s=int(before.due_at_s or 0) - shop.now_s - 1)

    after = reconciling(shop)
    assert (after.day, after.due_at_s) == (before.day, before.due_at_s)


def test_payment_in_the_bill_that_the_gateway_does_not_confirm_is_not_taken_over(
    shop: Shop,
) -> None:
    posted_order(shop)
    unpaid = shop.open(shop.activity(), shop.buyer())
    shop.ask(unpaid)
    claimed = edited(BillKind.PAYMENT, out_trade_no=number_of(unpaid))
    shop.gateway.edit_bill = lambda rows: rows + claimed(rows)

    assert reconcile(shop) == [(Difference.PAYMENT_UNHEARD, False)]

    assert shop.order(unpaid.order_id).status == OrderStatus.PENDING


def test_refund_in_the_bill_that_the_gateway_does_not_confirm_is_not_taken_over(shop: Shop) -> None:
    order = posted_order(shop)
    shop.cancel(order)
    due.process_item(order.pk, order.sk, now_s=shop.now_s)
    shop.gateway.edit_bill = edited(BillKind.REFUND, refund_status=RefundStatus.SUCCEEDED)

    assert reconcile(shop) == [(Difference.REFUND_UNHEARD, False)]

    assert shop.order(order.order_id).view().refunds["01F"].status == "processing"


def test_what_the_bill_tells_is_not_asked_about(shop: Shop) -> None:
    refunded_order(shop)
    shop.gateway.silent = {"query", "query_refund"}

    assert reconcile(shop) == []

    assert len(reconciliation.days(shop.merchant_id, after=None, limit=5)[0]) == 1


def test_day_compared_again_is_kept_as_it_was_first(shop: Shop) -> None:
    """Another run, which got no bill, has put it off until later."""
    posted_order(shop)
    shop.gateway.edit_bill = edited(BillKind.PAYMENT, amount_fen=1)
    day = reconciling(shop).day

    def in_vain() -> None:
        shop.gateway.silent = {"bill"}
        process(shop)
        shop.gateway.silent = set()

    with interleaved(in_vain):
        assert reconcile(shop) == [(Difference.PAYMENT_AMOUNT, False)]
    first_s, put_off = shop.now_s, reconciling(shop)
    assert (put_off.day, put_off.due_at_s) == (day, first_s + reconciliation.LATER_S)
    process(shop, later_s=reconciliation.LATER_S)

    found = differences_of(shop)
    days, _ = reconciliation.days(shop.merchant_id, after=None, limit=5)
    assert ([it.at_s for it in found], [it.at_s for it in days]) == ([first_s], [first_s])
    assert reconciling(shop).day > day


def test_run_that_was_overtaken_goes_back_to_no_day(shop: Shop) -> None:
    posted_order(shop)
    first = day_of(shop.now_s)

    with interleaved(lambda: process(shop, later_s=3 * DAY_S)):
        assert reconcile(shop) == []

    assert reconciling(shop).day == (first + 4 * reconciliation.ONE_DAY).isoformat()


def test_fee_entered_while_it_is_entered_is_the_first_one(shop: Shop) -> None:
    order = posted_order(shop)
    shop.gateway.edit_bill = edited(BillKind.PAYMENT, fee_fen=35)

    def other_run() -> None:
        shop.gateway.edit_bill = edited(BillKind.PAYMENT, fee_fen=40)
        process(shop)

    with interleaved(other_run):
        reconcile(shop)

    assert balances(shop.order(order.order_id).entries())[Account.FEES] == 40


def test_fee_that_is_known_is_not_written_again(shop: Shop) -> None:
    posted_order(shop)
    begun = reconciling(shop)
    shop.gateway.edit_bill = edited(BillKind.PAYMENT, fee_fen=35)

    with metered() as first:
        reconcile(shop)
    begun.save()  # as if the run had been cut off before it said so
    with metered() as second:
        process(shop)

    assert first.calls.count("UpdateItem") - second.calls.count("UpdateItem") == 1


def test_another_container_does_not_begin_the_comparing_anew(shop: Shop) -> None:
    posted_order(shop)
    day = reconciling(shop).day
    shop.now_s += 4 * DAY_S
    day_book._started.clear()

    posted_order(shop)

    assert reconciling(shop).day == day


def test_lines_of_another_system_are_counted_and_compared_with_nothing(shop: Shop) -> None:
    posted_order(shop)
    till = BillRow(BillKind.PAYMENT, "till-0001", "t1", 100, 1, shop.now_s)
    shop.gateway.edit_bill = lambda rows: [FOREIGN, *rows, till]

    assert reconcile(shop) == []

    (day,) = reconciliation.days(shop.merchant_id, after=None, limit=5)[0]
    assert (day.payments, day.paid_fen, day.foreign) == (1, 5900, 2)
