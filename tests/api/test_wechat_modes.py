"""Whole stories with WeChat Pay as a service provider's merchant, and where it will not close."""

import datetime as dt

import pytest

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import BillKind, BillRow
from tests.fixtures.merchant import MerchantFixture

pytestmark = pytest.mark.slow

PAY_BY_S = 600
PATIENCE_S = 300
BILLS_ARE_READY_S = 10 * 3600
UNCLOSED = pytest.mark.parametrize(
    ("shop", "fault"), [("direct", "user_paying"), ("own_app", "rate_limited")], indirect=["shop"]
)


@pytest.fixture(params=["direct", "own_app", "providers_app"])
def shop(request: pytest.FixtureRequest, merchant: MerchantFixture) -> MerchantFixture:
    """A merchant in each mode."""
    if request.param != "direct":
        serve(merchant, own_app=request.param == "own_app")
    return merchant


def serve(merchant: MerchantFixture, *, own_app: bool = True) -> None:
    """Let a service provider sign for the merchant."""
    name = f"partner-{merchant.merchant_id}"
    merchant.account = merchant.wechat.new_account(name, partner=True, own_app=own_app)
    merchant.keep_wechat_pay_account(merchant.account.wechat_pay)


def bill(merchant: MerchantFixture, day: dt.date) -> list[BillRow]:
    return list(payment_gateway(merchant.merchant_id, "wechat_pay").bill(day))


def test_group_forms_and_another_fails_and_the_bill_says_so(shop: MerchantFixture) -> None:
    activity = shop.activity(seats=2, stock=10)
    shop.clock.forward(midnight_s(day_of(shop.now_s)) + DAY_S - shop.now_s)  # a day of its own
    day = day_of(shop.now_s)
    group_id, leader, first = shop.open_group(activity)
    member, second = shop.member(activity, group_id)
    _, lonely, third = shop.open_group(activity)
    shop.run_jobs()

    assert [leader.status(first), member.status(second)] == ["fulfilling"] * 2
    shop.clock.forward(DAY_S + 61)
    shop.run_jobs(3)
    shop.clock.forward(BILLS_ARE_READY_S + DAY_S)
    shop.run_jobs(2)

    assert lonely.status(third) == "refunded"
    assert shop.stock(activity) + shop.product_stock(activity) == 8
    assert shop.money() == {"captured_fen": 17700, "refunded_fen": 5900, "refunding_fen": 0}
    assert shop.refused_callbacks() == []
    paid, refunded = bill(shop, day), bill(shop, day + dt.timedelta(days=1))
    numbers = {f"{order_id}01" for order_id in (first, second, third)}
    assert {(row.out_trade_no, row.amount_fen, row.fee_fen) for row in paid} == {
        (number, 5900, 35) for number in numbers
    }
    assert [(row.kind, row.out_refund_no, row.amount_fen, row.fee_fen) for row in refunded] == [
        (BillKind.REFUND, f"{third}01F", 5900, -35)
    ]
    assert {row.mismatch for row in paid + refunded} == {""}
    shop.check_laws()


def test_callback_of_another_merchant_of_the_provider_is_refused_and_kept(
    merchant: MerchantFixture,
) -> None:
    serve(merchant)
    neighbour = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    serve(neighbour)
    activity = merchant.activity(seats=2, stock=10)
    leader = merchant.buyer()
    order_id = leader.open(activity).body["order_id"]
    number = merchant.pay_unheard(leader, order_id)

    headers, body = merchant.wechat.courier.signed(number)
    path = f"/v1/callbacks/wechat-pay/{neighbour.merchant_id}/payments"
    reply = merchant.api_client.request("POST", path, headers, body)

    assert (reply.status, reply.code) == (401, "callback_refused")
    details = {"reason": "mismatch", "field": "sub_mchid", "seen": merchant.account.mchid}
    assert neighbour.refused_callbacks() == [("callback_refused", details)]
    assert leader.status(order_id) == "pending"
    merchant.resend(number)
    assert leader.status(order_id) == "paid"


def test_seat_is_released_only_after_the_gateway_has_closed_its_payment(
    shop: MerchantFixture,
) -> None:
    activity = shop.activity(seats=2, stock=10)
    group_id, _, _ = shop.open_group(activity)
    buyer, order_id = shop.join(activity, group_id)
    shop.prepay(buyer, order_id)

    shop.wait(PAY_BY_S, every_s=300)

    assert buyer.status(order_id) == "closed"
    (trade,) = shop.wechat.ledger.summaries(f"{order_id}01")
    assert trade["trade_state"] == "CLOSED"
    shop.member(activity, group_id)
    shop.run_jobs()
    shop.check_laws()


@UNCLOSED
def test_buyer_who_is_typing_the_password_keeps_the_seat_and_pays_for_it(
    shop: MerchantFixture, fault: str
) -> None:
    """WeChat Pay does not close under the buyer's fingers; what was begun in time is paid."""
    activity = shop.activity(seats=2, stock=10)
    group_id, _, _ = shop.open_group(activity)
    buyer, order_id = shop.join(activity, group_id)
    prepay_id = shop.prepay(buyer, order_id)
    begun_s = shop.now_s + PAY_BY_S - 1
    shop.wechat.faults.add("close", fault)
    shop.wait(PAY_BY_S, every_s=300)
    assert buyer.status(order_id) == "pending"
    assert shop.buyer().join(activity, group_id).code == "group_full"

    shop.wechat.pay(prepay_id=prepay_id, paid_at=begun_s)
    assert shop.wechat.quiet()
    shop.wait(60)

    assert buyer.status(order_id) == "fulfilling"
    assert shop.stored_group(group_id).status == "formed"
    shop.check_laws()


@UNCLOSED
def test_payment_that_the_gateway_will_not_close_is_refunded_when_it_comes_too_late(
    shop: MerchantFixture, fault: str
) -> None:
    activity = shop.activity(seats=2, stock=10)
    group_id, _, _ = shop.open_group(activity)
    buyer, order_id = shop.join(activity, group_id)
    shop.prepay(buyer, order_id)
    shop.wechat.faults.add("close", fault, times=1000)

    shop.wait(PAY_BY_S + PATIENCE_S - 60, every_s=280)
    assert buyer.status(order_id) == "pending"
    shop.wait(120)
    assert buyer.status(order_id) == "closed"
    (trade,) = shop.wechat.ledger.summaries(f"{order_id}01")
    assert trade["trade_state"] == "NOTPAY"
    winner, seated = shop.member(activity, group_id)
    shop.pay_in_spite(f"{order_id}01")
    shop.run_jobs(2)

    assert winner.status(seated) == "fulfilling"
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert [r["out_refund_no"] for r in buyer.order(order_id)["refunds"]] == [f"{order_id}01L"]
    assert shop.money() == {"captured_fen": 17700, "refunded_fen": 5900, "refunding_fen": 0}
    assert shop.stock(activity) == 8
    shop.check_laws()
