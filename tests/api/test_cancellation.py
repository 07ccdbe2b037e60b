"""Cancellation by buyers, and the release of orders that were not paid in time."""

import pytest

from chalicelib.errors import AlreadyPaid, Conflict
from chalicelib.services.groups import settlement
from chalicelib.services.orders import inbox, order_release
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.order_states import formed_order, group_of_two, leader_alone
from tests.fixtures.payment_fixtures import BOTH
from tests.fixtures.shop import GRACE_S, LIFE_S, Shop

GATEWAYS = BOTH


def test_buyer_who_cancels_frees_seat_stock_and_limit_at_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, limit_per_buyer=2, limit_per_order=2)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id, quantity=2)
    prepay_id = merchant.prepay(buyer, order_id)

    replies = [buyer.cancel(order_id), buyer.cancel(order_id)]

    assert [(r.status, r.body["status"]) for r in replies] == [(200, "closed")] * 2
    assert merchant.stock(activity) == 9
    assert merchant.limit_used(activity, buyer) == 0
    assert list(merchant.stored_group(group_id).members.as_dict()) != [buyer.buyer_id]
    with pytest.raises(Exception, match="关闭"):
        merchant.gateway.pay(prepay_id)
    merchant.member(activity, group_id)
    assert merchant.stored_group(group_id).status == "formed"


def test_cancelling_while_the_gateway_is_silent_changes_nothing(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error")
    merchant.gateway.faults.add("close", "lost_answer")

    replies = [buyer.cancel(order_id), buyer.cancel(order_id)]

    assert [(reply.status, reply.code) for reply in replies] == [(503, "payment_unsettled")] * 2
    assert all("请几秒后再试" in reply.body["message"] for reply in replies)
    assert buyer.status(order_id) == "pending"
    assert merchant.stock(activity) == 8
    assert buyer.cancel(order_id).body["status"] == "closed"
    assert merchant.stock(activity) == 9


def test_payment_at_the_instant_of_a_cancellation_is_told_as_paid(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    key, close = merchant.prepay(buyer, order_id), merchant.gateway.ledger.close

    def paid_first(mchid: str, out_trade_no: str) -> None:
        merchant.gateway.pay(key)
        close(mchid, out_trade_no)

    monkeypatch.setattr(merchant.gateway.ledger, "close", paid_first)
    merchant.gateway.faults.add("payment_callback", "dropped")

    reply = buyer.cancel(order_id)

    assert (reply.status, reply.code) == (409, "already_paid")
    assert "刚刚付款成功" in reply.body["message"]
    merchant.run_jobs()
    assert buyer.status(order_id) == "fulfilling"
    merchant.check_laws()


def test_cancelled_leader_before_paying_leaves_a_failed_group(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    leader = merchant.buyer()
    placed = leader.open(activity, key="a-key-of-mine").body

    assert leader.cancel(placed["order_id"]).body["status"] == "closed"

    assert merchant.stored_group(placed["group_id"]).failed_reason == "leader_unpaid"
    assert merchant.stock(activity) == 10
    again = leader.open(activity, key="a-key-of-mine")
    assert (again.status, again.code) == (409, "order_closed")


def test_leader_who_is_alone_cancels_and_gets_the_money_back(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    group_id, leader, first = merchant.open_group(activity)

    reply = leader.cancel(first)
    merchant.run_jobs(2)

    assert (reply.status, reply.body["status"]) == (200, "refunding")
    assert reply.body["status_text"] == "未成团·退款中"
    group = merchant.stored_group(group_id)
    assert (group.status, group.failed_reason, group.due_at_s) == (
        "failed",
        "leader_cancelled",
        None,
    )
    assert leader.status(first) == "refunded"
    assert leader.cancel(first).body["status"] == "refunded"
    assert merchant.buyer().join(activity, group_id).code == "group_closed"
    assert leader.messages() == ["failed", "refunded"]
    assert merchant.money() == {"captured_fen": 5900, "refunded_fen": 5900, "refunding_fen": 0}
    merchant.check_laws()


def test_leader_cannot_cancel_once_somebody_has_joined(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    group_id, leader, first = merchant.open_group(activity)
    merchant.join(activity, group_id)

    reply = leader.cancel(first)

    assert (reply.status, reply.code) == (409, "conflict")
    assert merchant.stored_group(group_id).status == "open"
    assert leader.status(first) == "paid"
    assert merchant.money()["refunded_fen"] == 0


def test_paid_member_cannot_leave_an_open_group(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.member(activity, group_id)

    reply = buyer.cancel(order_id)

    assert (reply.status, reply.code) == (409, "conflict")
    assert reply.body["message"] == "已付款的名额不能退出。到时未成团会自动退款。"
    assert buyer.status(order_id) == "paid"
    assert merchant.stored_group(group_id).status == "open"


def test_order_of_a_formed_group_cannot_be_cancelled(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    merchant.member(activity, group_id)

    assert leader.cancel(first).code in ("group_closed", "already_paid")
    merchant.run_jobs()
    refusal = leader.cancel(first)
    assert refusal.code == "already_paid"
    assert refusal.body["message"] == "订单已付款，不能取消。需要退款请联系商家。"

    assert leader.status(first) == "fulfilling"
    assert merchant.money()["refunded_fen"] == 0


def test_order_paid_while_it_is_released_stays_paid(shop: Shop) -> None:
    _, group_id, order = group_of_two(shop)
    trade = shop.capture(order)

    with interleaved(lambda: shop.notify(trade)):
        assert order_release.release(order, {}, now_s=shop.now_s) is False

    assert (shop.order(order.order_id).status, shop.group(group_id).status) == ("paid", "formed")


def test_order_paid_while_it_is_released_keeps_its_seat_though_others_are_free(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    trade = shop.capture(order)

    with interleaved(lambda: shop.notify(trade)):
        assert order_release.release(order, {}, now_s=shop.now_s) is False

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
    assert inbox.read(shop.merchant_id, [order.buyer_id], after=None, limit=9).messages == []


def test_order_that_is_paid_already_is_not_released(shop: Shop) -> None:
    order = formed_order(shop)

    assert order_release.release(order, {}, now_s=shop.now_s) is False


def test_order_whose_group_fails_while_it_is_released_is_left_to_its_settling(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    group = shop.group(shop.opened(sold))
    shop.now_s += LIFE_S - 1
    order = shop.join(sold, group.group_id, shop.buyer())
    shop.now_s += GRACE_S + 1

    with interleaved(lambda: settlement.decide_if_due(group, now_s=shop.now_s)):
        assert order_release.release(order, {}, now_s=shop.now_s) is False
    assert order_release.release(order, {}, now_s=shop.now_s) is False

    assert shop.order(order.order_id).status == "pending"
    assert order.buyer_id in shop.group(group.group_id).members


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


def test_group_that_fell_due_while_its_leader_cancelled_was_due(shop: Shop) -> None:
    _, order = leader_alone(shop)
    group_id = str(order.group_id)
    late_s = shop.now_s + LIFE_S + GRACE_S

    with (
        interleaved(lambda: settlement.decide_if_due(shop.group(group_id), now_s=late_s)),
        pytest.raises(Conflict),
    ):
        shop.cancel(order)

    assert shop.group(group_id).failed_reason == "due"
