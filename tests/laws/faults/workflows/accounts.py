"""Workflows around a change of the payment account, at every point of an order's life."""

from chalicelib.domain.beijing import day_of, midnight_s
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.services.groups import group_controls
from chalicelib.services.money.day_book import READY_AFTER_S
from chalicelib.services.work import due
from chalicelib.tables.trade import ReconcilingItem
from tests.fixtures.shop import DAY_S, PAY_BY_S, STAFF, Shop, number_of
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import (
    held_seat,
    paid_and_cancelled,
    process_order,
    workflow,
)


@workflow
def hearing_a_payment_at_the_account_of_before(shop: Shop) -> Act:
    number = number_of(held_seat(shop))
    shop.gateway.pay(number, at_s=shop.now_s)
    shop.change_account()
    return lambda: shop.notify(shop.gateway_of(number).trade(number))


@workflow
def asking_about_a_payment_at_the_account_of_before(shop: Shop) -> Act:
    order = held_seat(shop)
    shop.gateway.pay(number_of(order), at_s=shop.now_s)
    shop.change_account()
    shop.now_s += 91
    return lambda: process_order(shop, order)


@workflow
def asking_to_pay_after_the_change(shop: Shop) -> Act:
    order = held_seat(shop)
    shop.change_account()
    return lambda: shop.ask(order)


@workflow
def asking_to_pay_after_a_payment_that_the_account_of_before_took_unheard(shop: Shop) -> Act:
    order = held_seat(shop)
    shop.gateway.pay(number_of(order), at_s=shop.now_s)
    shop.change_account()
    return lambda: shop.ask(order)


@workflow
def releasing_a_seat_that_was_asked_for_before_the_change(shop: Shop) -> Act:
    order = held_seat(shop)
    shop.change_account()
    shop.now_s += PAY_BY_S + 1
    return lambda: process_order(shop, order)


@workflow
def cancelling_what_was_asked_for_at_two_accounts(shop: Shop) -> Act:
    order = held_seat(shop)
    shop.gateway.silent = {"query"}
    shop.change_account().silent = set()
    shop.ask(order)
    for gateway in shop.gateways:
        gateway.silent = set()
    return lambda: shop.cancel(order)


@workflow
def sending_a_refund_to_the_account_of_before(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    shop.change_account()
    return lambda: process_order(shop, order)


@workflow
def asking_about_a_refund_at_the_account_of_before(shop: Shop) -> Act:
    order = paid_and_cancelled(shop)
    process_order(shop, order)
    shop.gateway.confirms_at_once = True
    shop.change_account()
    shop.now_s += 61
    return lambda: process_order(shop, order)


@workflow
def comparing_the_bills_of_the_day_of_the_change(shop: Shop) -> Act:
    """A payment at each account; that at the account of before is unheard."""
    sold = shop.activity(product_stock=105)
    first = shop.buy_alone(sold, shop.buyer())
    shop.pay(first)
    process_order(shop, first)  # so that there is a bill to be compared
    shop.capture(shop.open(shop.activity(), shop.buyer()))
    account = shop.change_account().place.account
    second = shop.buy_alone(sold, shop.buyer())
    shop.pay(second)
    process_order(shop, second)
    shop.now_s = midnight_s(day_of(shop.now_s)) + DAY_S + READY_AFTER_S

    def compare() -> None:
        for bills in ("", account):
            item = ReconcilingItem.at(shop.merchant_id, WECHAT_PAY, bills)
            due.process_item(item.pk, item.sk, now_s=shop.now_s)

    return compare


@workflow
def asking_to_pay_again_when_the_group_was_extended(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id = shop.opened(sold)
    expires_at_s = shop.group(group_id).expires_at_s
    assert expires_at_s is not None
    shop.now_s = expires_at_s - 300
    order = shop.join(sold, group_id, shop.buyer())
    shop.ask(order)
    group_controls.extend(
        shop.merchant_id,
        group_id,
        hours=1,
        expires_at_s=expires_at_s,
        staff=STAFF,
        now_s=shop.now_s,
    )
    return lambda: shop.ask(order)
