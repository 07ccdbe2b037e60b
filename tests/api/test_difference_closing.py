"""Differences that a later bill or answer mends are closed; the others stay open."""

from chalicelib.domain.beijing import day_of
from chalicelib.domain.reconcile import Difference
from chalicelib.gateways.payment import BillKind, RefundStatus
from chalicelib.services.money import differences as of_bills
from chalicelib.services.work import due
from tests.fixtures.interleavings import interleaved
from tests.fixtures.reconciliation import (
    differences_of,
    edited,
    posted_order,
    reconcile,
    refunded_order,
    twice,
)
from tests.fixtures.shop import Shop, number_of


def open_ones(shop: Shop) -> list[Difference]:
    items, _ = of_bills.page(shop.merchant_id, is_open=True, after=None, limit=50)
    return [Difference(item.difference) for item in items]


def test_payment_that_was_missing_is_closed_when_the_gateway_has_it(shop: Shop) -> None:
    order = posted_order(shop)
    kept = shop.gateway._accounts[number_of(order)]
    shop.gateway.forget(number_of(order))
    assert reconcile(shop) == [(Difference.PAYMENT_MISSING, False)]
    reconcile(shop)
    assert open_ones(shop) == [Difference.PAYMENT_MISSING]

    shop.gateway._accounts[number_of(order)] = kept
    reconcile(shop)

    assert open_ones(shop) == []
    [closed] = differences_of(shop)
    assert (closed.dealt_at_s, closed.dealt_by, closed.note) == (shop.now_s, None, None)
    assert of_bills.status_of(closed) == "agreed"
    shop.check()


def test_payment_that_stands_in_the_next_days_bill_is_closed(shop: Shop) -> None:
    order = posted_order(shop)
    late = next(shop.gateway.bill(day_of(shop.now_s)))
    shop.gateway.forget(number_of(order))
    assert reconcile(shop) == [(Difference.PAYMENT_MISSING, False)]

    shop.gateway.edit_bill = lambda rows: [*rows, late]
    reconcile(shop)

    assert open_ones(shop) == []


def test_refund_that_nobody_had_heard_of_is_closed_once_it_is_entered(shop: Shop) -> None:
    order = posted_order(shop)
    shop.cancel(order)
    due.process_item(order.pk, order.sk, now_s=shop.now_s)
    shop.gateway.edit_bill = edited(BillKind.REFUND, refund_status=RefundStatus.SUCCEEDED)
    assert reconcile(shop) == [(Difference.REFUND_UNHEARD, False)]
    reconcile(shop)
    assert open_ones(shop) == [Difference.REFUND_UNHEARD]

    shop.confirm(f"{number_of(order)}F")
    reconcile(shop)

    assert open_ones(shop) == []


def test_refund_that_the_gateway_had_given_up_is_closed_when_it_is_made(shop: Shop) -> None:
    order = refunded_order(shop)
    shop.gateway.overrule(f"{number_of(order)}F", RefundStatus.ABNORMAL)
    assert reconcile(shop) == [(Difference.REFUND_NOT_MADE, False)]

    shop.gateway.silent = {"query_refund"}  # nobody knows: it stays
    reconcile(shop)
    assert open_ones(shop) == [Difference.REFUND_NOT_MADE]
    shop.gateway.silent = set()
    shop.gateway.overrule(f"{number_of(order)}F", RefundStatus.SUCCEEDED)
    reconcile(shop)

    assert open_ones(shop) == []


def test_difference_that_no_later_bill_can_mend_stays_open(shop: Shop) -> None:
    posted_order(shop)
    shop.gateway.edit_bill = twice
    assert reconcile(shop) == [(Difference.REPEATED, False)]
    shop.gateway.edit_bill = lambda rows: rows

    reconcile(shop)

    assert open_ones(shop) == [Difference.REPEATED]


def test_note_of_staff_outlives_the_agreement_that_comes_meanwhile(shop: Shop) -> None:
    order = posted_order(shop)
    kept = shop.gateway._accounts[number_of(order)]
    shop.gateway.forget(number_of(order))
    reconcile(shop)
    [case] = differences_of(shop)
    shop.gateway._accounts[number_of(order)] = kept

    def noted() -> None:
        of_bills.resolve(
            shop.merchant_id, case.difference_id, note="已问客服", staff="owner", now_s=shop.now_s
        )

    with interleaved(noted):
        reconcile(shop)

    [closed] = differences_of(shop)
    assert (closed.dealt_by, closed.note) == ("owner", "已问客服")
    shop.check()
