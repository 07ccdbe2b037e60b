"""Workflows of money on its way back, and of bills."""

from chalicelib.domain.after_sale import Reason
from chalicelib.domain.beijing import day_of, midnight_s
from chalicelib.domain.manual_refund import ManualRefundMethod
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.services.after_sale import after_sale_decisions, after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.money import refund_recovery, refunds
from chalicelib.services.money.day_book import READY_AFTER_S
from chalicelib.services.money.refund_recovery import ManualPayment
from chalicelib.services.work import due
from chalicelib.tables.trade import OrderItem, ReconcilingItem
from tests.fixtures.shop import DAY_S, STAFF, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import (
    paid_and_cancelled,
    process_group,
    process_order,
    workflow,
)

# Refunds.


@workflow
def sending_a_refund(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    return lambda: process_order(shop, order)


@workflow
def asking_about_a_refund(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    process_order(shop, order)
    shop.gateway.confirms_at_once = True
    shop.now_s += 61
    return lambda: process_order(shop, order)


@workflow
def hearing_a_refund(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    process_order(shop, order)
    return lambda: shop.confirm(f"{order.order_id}01F")


def failed(shop: Shop, number: str, status: port.RefundStatus) -> None:
    """The gateway gives a refund up, and says so."""
    said = shop.gateway.settle(number, status)
    assert said is not None
    refunds.apply_result(shop.merchant_id, said, now_s=shop.now_s)


def paid_outside(shop: Shop, number: str, paid: ManualPayment) -> None:
    refund_recovery.record_manual_refund(
        shop.merchant_id, number, paid, staff=STAFF, now_s=shop.now_s
    )


def closed_refund(shop: Shop) -> tuple[OrderItem, str]:
    """An order and the number of its refund, which the gateway has closed."""
    order = paid_and_cancelled(shop)
    number = f"{order.order_id}01F"
    process_order(shop, order)
    failed(shop, number, port.RefundStatus.CLOSED)
    return order, number


@workflow
def sending_a_refused_refund_again(shop: Shop) -> Act:
    _, number = closed_refund(shop)
    return lambda: refund_recovery.resend(shop.merchant_id, number, staff=STAFF, now_s=shop.now_s)


@workflow
def being_refused_for_want_of_money(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    shop.gateway.refuses = {"refund": "NOTENOUGH"}
    return lambda: process_order(shop, order)


@workflow
def being_accepted_after_a_refusal(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    shop.gateway.refuses = {"refund": "NOTENOUGH"}
    process_order(shop, order)
    shop.gateway.refuses = {}
    shop.now_s += 61
    return lambda: process_order(shop, order)


@workflow
def sending_a_closed_refund_under_its_fresh_number(shop: Shop) -> Act:
    order, number = closed_refund(shop)
    refund_recovery.resend(shop.merchant_id, number, staff=STAFF, now_s=shop.now_s)
    return lambda: process_order(shop, order)


@workflow
def paying_a_closed_refund_outside(shop: Shop) -> Act:
    _, number = closed_refund(shop)
    return lambda: paid_outside(
        shop, number, ManualPayment(ManualRefundMethod.CASH, 5900, "收据 1")
    )


@workflow
def recording_a_refund_made_by_hand(shop: Shop) -> Act:
    order, number = closed_refund(shop)
    shop.gateway.refund_by_hand(f"{order.order_id}01", "hand-1", 5900)
    return lambda: paid_outside(
        shop, number, ManualPayment(ManualRefundMethod.GATEWAY, 5900, "hand-1")
    )


# After-sale.


def to_fulfil(shop: Shop, *, quantity: int = 1) -> OrderItem:
    """An order of a formed and settled group."""
    sold = shop.activity(seats=2, limit_per_buyer=5)
    group_id = shop.opened(sold)
    order = shop.join(sold, group_id, shop.buyer(), quantity=quantity)
    shop.pay(order)
    process_group(shop, group_id)
    return order


def asked_back(shop: Shop, amount_fen: int, *, quantity: int = 1) -> OrderItem:
    order = to_fulfil(shop, quantity=quantity)
    ask_back(shop, order, amount_fen)
    return order


def ask_back(shop: Shop, order: OrderItem, amount_fen: int) -> None:
    claim = Claim(amount_fen, Reason.DAMAGED, "到货时已变质")
    after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)


def approve(shop: Shop, order: OrderItem, amount_fen: int, *, units_back: int = 0) -> None:
    after_sale_decisions.approve(
        shop.merchant_id,
        order.order_id,
        "A",
        amount_fen=amount_fen,
        units_back=units_back,
        staff=STAFF,
        now_s=shop.now_s,
    )


@workflow
def asking_for_money_back(shop: Shop) -> Act:
    order = to_fulfil(shop)
    return lambda: ask_back(shop, order, 900)


@workflow
def approving_a_part(shop: Shop) -> Act:
    order = asked_back(shop, 900)
    return lambda: approve(shop, order, 800)


@workflow
def approving_all_with_units_and_limit(shop: Shop) -> Act:
    order = asked_back(shop, 11800, quantity=2)
    return lambda: approve(shop, order, 11800, units_back=2)


@workflow
def refusing_money_back(shop: Shop) -> Act:
    order_id = asked_back(shop, 900).order_id
    return lambda: after_sale_decisions.refuse(
        shop.merchant_id, order_id, "A", reply="签收时完好", staff=STAFF, now_s=shop.now_s
    )


@workflow
def withdrawing_a_request(shop: Shop) -> Act:
    order_id = asked_back(shop, 900).order_id
    return lambda: after_sales.withdraw(shop.merchant_id, order_id, "A", now_s=shop.now_s)


@workflow
def sending_an_after_sale_refund(shop: Shop) -> Act:
    order = asked_back(shop, 5900)
    approve(shop, order, 5900)
    return lambda: process_order(shop, order)


# Bills.


@workflow
def reconciling_a_payment_unheard(shop: Shop) -> Act:
    paid = to_fulfil(shop)
    process_order(shop, paid)  # so that there is a bill to be compared
    shop.capture(shop.open(shop.activity(), shop.buyer()))
    shop.now_s = midnight_s(day_of(shop.now_s)) + DAY_S + READY_AFTER_S
    return lambda: _process_bill(shop)


@workflow
def reconciling_a_refund_unheard(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    process_order(shop, order)
    shop.gateway.settle(f"{order.order_id}01F")
    shop.now_s = midnight_s(day_of(shop.now_s)) + DAY_S + READY_AFTER_S
    return lambda: _process_bill(shop)


@workflow
def reconciling_a_refund_made_by_hand(shop: Shop) -> Act:
    order, _ = closed_refund(shop)
    shop.gateway.refund_by_hand(f"{order.order_id}01", "hand-1", 5900)
    shop.now_s = midnight_s(day_of(shop.now_s)) + DAY_S + READY_AFTER_S
    return lambda: _process_bill(shop)


def _process_bill(shop: Shop) -> None:
    key = ReconcilingItem.at(shop.merchant_id, WECHAT_PAY)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)
