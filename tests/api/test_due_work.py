"""No intent is forgotten, and none holds up another: cases that a single marker makes delicate."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.beijing import day_of
from chalicelib.domain.ids import OrderId, new_id
from chalicelib.domain.order import Intent, RefundStatus
from chalicelib.domain.order_transitions import released
from chalicelib.gateways import directory
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import Trade, TradeStatus
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services import timeouts
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.money import captures, day_book, refunds
from chalicelib.services.orders import counting, notifications, orders, state_changes
from chalicelib.services.work import due
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.trade import OrderItem
from tests.fixtures.caches import clear_caches
from tests.fixtures.capacity_meter import metered
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.shop import OTHER_PAY, Shop

pytestmark = pytest.mark.slow

PAY_BY_S = 600
DEADLINE_S = 24 * 3600 + 61
PATIENCE_S = 301


def parsed(order_id: str) -> OrderId:
    found = OrderId.parse(order_id)
    assert found is not None
    return found


def test_failed_group_of_many_skus_with_a_limit_is_settled_in_transactions_that_fit(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=50, stock=50, skus=36, limit_per_buyer=5)
    group_id, _, _ = merchant.open_group(activity)
    for sku_id in activity.sku_ids[1:]:
        buyer = merchant.buyer()
        reply = buyer.join(activity, group_id, sku_id=sku_id)
        merchant.pay(buyer, reply.body["order_id"])
    merchant.clock.forward(DEADLINE_S)

    merchant.run_jobs(2)
    merchant.clock.forward(120)
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "failed"
    assert merchant.stored_group(group_id).due_at_s is None
    assert merchant.money() == {
        "captured_fen": 36 * 5900,
        "refunded_fen": 36 * 5900,
        "refunding_fen": 0,
    }
    assert [merchant.stock(activity, sku_id) for sku_id in activity.sku_ids] == [50] * 36


def test_attempt_begun_while_its_order_is_closed_is_not_forgotten(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity()
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.clock.forward(PAY_BY_S - 90)  # the marker stays there: the query comes then, too
    as_read = orders.get(merchant.merchant_id, parsed(order_id))
    merchant.prepay(buyer, order_id)

    with pytest.raises(LostRace), transaction() as writes:
        state_changes.write(writes, as_read, released(as_read.view(), now_s=merchant.now_s))

    assert buyer.order(order_id)["status"] == "pending"


def pay_once_more(merchant: MerchantFixture, order_id: str, attempt: str) -> None:
    """Another capture of an order that is paid, as a gateway would tell of it."""
    trade = Trade(
        f"{order_id}{attempt}",
        TradeStatus.SUCCEEDED,
        amount_fen=5900,
        transaction_id=f"42000000000000000000000000{attempt}",
        paid_at_s=merchant.now_s,
    )
    assert captures.record(merchant.merchant_id, trade, WECHAT_PAY, now_s=merchant.now_s) == "late"


def test_refund_added_while_another_is_confirmed_is_not_forgotten(
    merchant: MerchantFixture,
) -> None:
    _, _, order_id = merchant.open_group(merchant.activity())
    pay_once_more(merchant, order_id, "02")
    as_read = merchant.stored_order(order_id)
    pay_once_more(merchant, order_id, "03")  # in the same second: the marker looks the same
    known = as_read.view().refunds["02L"]

    confirmed = replace(known, status=RefundStatus.SUCCEEDED)
    with pytest.raises(LostRace):
        refunds.store(as_read, "02L", confirmed, at_s=merchant.now_s)

    assert merchant.stored_order(order_id).due_at_s == merchant.now_s


def test_group_fails_although_its_merchants_account_cannot_be_read(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = merchant.activity()
    group_id, leader, first = merchant.open_group(activity)
    merchant.clock.forward(24 * 3600 - 60)
    buyer, held = merchant.join(activity, group_id)
    merchant.prepay(buyer, held)
    reading = directory.GATEWAYS[WECHAT_PAY]

    def unreadable(merchant_id: str, account: str | None) -> Any:
        raise NotConfigured(parameter="wechat-pay")

    monkeypatch.setitem(directory.GATEWAYS, WECHAT_PAY, unreadable)
    merchant.clock.forward(121 + PATIENCE_S + PAY_BY_S)
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "failed"
    assert buyer.order(held)["status"] == "closed"
    monkeypatch.setitem(directory.GATEWAYS, WECHAT_PAY, reading)
    for _ in range(3):
        merchant.clock.forward(3700)
        merchant.run_jobs()
    assert leader.order(first)["status"] == "refunded"
    assert merchant.stored_order(held).due_at_s is None


def test_prepay_that_was_under_way_when_its_order_was_cancelled_is_asked_about(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity()
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.wechat.faults.add("prepay", "server_error", times=10)
    assert buyer.ask_to_pay(order_id).code == "gateway_failed"
    merchant.wechat.faults.clear()

    assert buyer.cancel(order_id).body["status"] == "closed"

    assert merchant.stored_order(order_id).due_at_s is not None  # it may still reach the gateway
    merchant.clock.forward(PAY_BY_S + 1)
    merchant.run_jobs(2)
    assert merchant.stored_order(order_id).due_at_s is None


def test_buyer_is_told_although_another_pays_at_that_moment(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = merchant.activity(seats=5)
    group_id, leader, first = merchant.open_group(activity)
    other, held = merchant.join(activity, group_id)
    find = orders.find_group
    paid: list[str] = []

    def find_while_another_pays(*args: Any, **more: Any) -> Any:
        group = find(*args, **more)
        if not paid:
            paid.append(held)
            monkeypatch.setattr(orders, "find_group", find)
            merchant.pay(other, held)
        return group

    monkeypatch.setattr(orders, "find_group", find_while_another_pays)
    notifications.tell_waiting(merchant.stored_order(first), now_s=merchant.now_s)

    (message,) = leader.get("/v1/me/messages").body["items"]
    assert (message["text_key"], message["facts"]["missing"]) == ("opened", 3)


def test_order_paid_while_it_is_driven_keeps_the_marker_that_its_buyer_is_told_by(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=5)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    as_driven = merchant.stored_order(order_id)
    merchant.pay(buyer, order_id)

    due._reschedule(as_driven, merchant.now_s)

    assert merchant.stored_order(order_id).due_at_s is not None
    merchant.clock.forward(PAY_BY_S + 1)
    merchant.run_jobs()
    assert buyer.messages() == ["waiting"]


def test_second_payment_of_an_order_that_stands_is_called_a_second_payment(
    merchant: MerchantFixture,
) -> None:
    _, leader, order_id = merchant.open_group(merchant.activity())
    pay_once_more(merchant, order_id, "02")
    order = merchant.stored_order(order_id)

    notifications.tell_late(order, "02L", order.view().refunds["02L"], now_s=merchant.now_s)

    assert leader.messages() == ["paid_twice"]


def test_buying_alone_again_gets_the_first_answer_though_the_product_went_off_sale(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = merchant.activity(product_stock=200), merchant.buyer()
    first = buyer.buy_alone(activity, key="the-same-key")
    product = catalogue_cache.product(merchant.merchant_id, activity.product_id, merchant.now_s)
    product.update(actions=[type(product).on_sale.set(False)])
    clear_caches()

    again = buyer.buy_alone(activity, key="the-same-key")
    other = buyer.buy_alone(activity, key="another-key")

    assert (first.status, again.status) == (201, 201)
    assert again.body["order_id"] == first.body["order_id"]
    assert other.code == "not_found"


@pytest.fixture
def order(shop: Shop) -> OrderItem:
    """It holds the second of three seats."""
    sold = shop.activity(seats=3)
    return shop.join(sold, shop.opened(sold), shop.buyer())


def process(shop: Shop, order: OrderItem) -> None:
    due.process_item(order.pk, order.sk, now_s=shop.now_s)


def broken(shop: Shop, order: OrderItem) -> OrderItem:
    """Nobody can make anything of it."""
    order.update(actions=[OrderItem.status.set("nonsense")])
    return order


def counted(shop: Shop) -> tuple[int, int]:
    """(orders, fen) paid today."""
    day = day_of(shop.now_s)
    sums = counting.sums_until(counting.days(shop.merchant_id, [day])[day])
    return sums.orders_paid, sums.paid_fen


def due_at(shop: Shop, order: OrderItem) -> int | None:
    return shop.order(order.order_id).due_at_s


def test_run_that_has_no_time_left_leaves_what_is_due(
    shop: Shop, order: OrderItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.now_s = order.pay_by_s
    monkeypatch.setattr(due, "RUN_S", 0.0)

    assert due.run(Intent.RELEASE, now_s=shop.now_s) == 0

    assert shop.order(order.order_id).status == "pending"


def test_what_is_not_there_needs_nothing(shop: Shop) -> None:
    with metered() as meter:
        due.process(f"{shop.merchant_id}#G#{new_id()}", "group", now_s=shop.now_s)
        due.process(f"{shop.merchant_id}#B#{new_id()}", "order#0", now_s=shop.now_s)

    assert set(meter.calls) <= {"GetItem", "BatchGetItem"}


def test_order_whose_marker_says_what_is_next_is_not_written(shop: Shop, order: OrderItem) -> None:
    with metered() as meter:
        due.process(order.pk, order.sk, now_s=shop.now_s)

    assert set(meter.calls) <= {"GetItem", "BatchGetItem"}
    assert due_at(shop, order) == order.pay_by_s


def test_order_whose_gateway_is_silent_holds_up_no_other(shop: Shop, order: OrderItem) -> None:
    shop.ask(order)
    shop.now_s += timeouts.QUERY_AFTER_S
    shop.gateway.silent = {"query"}

    process(shop, order)

    assert due_at(shop, order) == shop.now_s + timeouts.POSTPONE_S


def test_order_whose_gateway_stays_silent_is_postponed_and_never_due_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    shop.ask(order)
    shop.now_s += timeouts.QUERY_AFTER_S
    shop.gateway.silent = {"query"}
    process(shop, order)
    shop.now_s += timeouts.POSTPONE_S

    with metered() as meter:
        process(shop, order)

    assert (
        meter.calls.count("UpdateItem") == 1
    )  # with each write of what is due the stream begins anew
    assert due_at(shop, order) == shop.now_s + timeouts.POSTPONE_S


def test_broken_item_holds_up_no_other(shop: Shop, order: OrderItem) -> None:
    shop.now_s = order.pay_by_s

    process(shop, broken(shop, order))

    assert due_at(shop, order) == shop.now_s + timeouts.POSTPONE_S


def test_broken_item_that_is_due_later_or_never_is_left_so(shop: Shop, order: OrderItem) -> None:
    process(shop, broken(shop, order))
    assert due_at(shop, order) == order.pay_by_s

    order.update(actions=[OrderItem.due_at_s.remove(), OrderItem.due_shard.remove()])
    process(shop, order)
    assert due_at(shop, order) is None


def test_broken_item_that_somebody_else_has_moved_is_not_moved(
    shop: Shop, order: OrderItem
) -> None:
    shop.now_s = order.pay_by_s
    broken(shop, order)
    later_s = shop.now_s + 5000

    with interleaved(lambda: order.update(actions=[OrderItem.due_at_s.set(later_s)])):
        process(shop, order)

    assert due_at(shop, order) == later_s


def test_order_paid_while_its_marker_is_mended_is_posted_in_time(
    shop: Shop, order: OrderItem
) -> None:
    trade = shop.capture(order)
    order.update(actions=[OrderItem.due_at_s.set(shop.now_s + timeouts.POSTPONE_S)])

    with interleaved(lambda: shop.notify(trade)):
        retried(lambda: due._reschedule(order, shop.now_s))

    assert (shop.order(order.order_id).status, due_at(shop, order)) == ("paid", order.pay_by_s)


def test_refund_of_a_second_payment_is_not_forgotten_while_the_first_is_posted(
    shop: Shop, order: OrderItem
) -> None:
    second = shop.other_gateway.pay(shop.ask(order, OTHER_PAY), at_s=shop.now_s)
    shop.pay(order)
    paid = shop.order(order.order_id)

    with interleaved(lambda: shop.notify(second, OTHER_PAY)):
        retried(lambda: due._reschedule(paid, shop.now_s))

    assert shop.order(order.order_id).posted == {"02"}
    assert due_at(shop, order) == shop.now_s


def test_payment_posted_by_two_at_once_is_counted_once(shop: Shop, order: OrderItem) -> None:
    """What is next about the order is its refund, before and after."""
    second = shop.other_gateway.pay(shop.ask(order, OTHER_PAY), at_s=shop.now_s)
    shop.pay(order)
    shop.notify(second, OTHER_PAY)
    refunds.process(shop.order(order.order_id), "01L", now_s=shop.now_s)
    paid = shop.order(order.order_id)
    day_book.post_captures(paid)

    with interleaved(lambda: due._reschedule(paid, shop.now_s)):
        retried(lambda: due._reschedule(paid, shop.now_s))

    refund_at_s = paid.view().refunds["01L"].next_at_s
    assert (paid.due_at_s, due_at(shop, order)) == (refund_at_s, refund_at_s)
    assert counted(shop) == (1, 2 * order.total_fen)
