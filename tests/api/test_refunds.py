"""Refunds: by one number until the gateway confirms, whatever goes wrong on the way."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.after_sale import Reason
from chalicelib.errors import Conflict, NotFound
from chalicelib.gateways.payment import Refund, RefundStatus
from chalicelib.http_client import Response
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.money import refund_recovery, refunds
from tests.fixtures.fake_clock import run_every_job
from tests.fixtures.fault_injection import WRITES, injected, refusal
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture, concurrently
from tests.fixtures.order_states import formed_order, leader_alone
from tests.fixtures.payment_fixtures import BOTH
from tests.fixtures.shop import STAFF, Shop
from tests.fixtures.staff_requests import approve_after_sale, audited, request_after_sale

GATEWAYS = BOTH
Member = tuple[Buyer, str]


def due_group(
    merchant: MerchantFixture, activity: Activity, *, paid: int
) -> tuple[str, list[Member]]:
    """(group_id, members) of a group of which `paid` seats are paid, due at this very second."""
    group_id, leader, first = merchant.open_group(activity)
    members = [(leader, first)]
    members += [merchant.member(activity, group_id) for _ in range(paid - 1)]
    merchant.clock.forward(DAY_S + 60)
    return group_id, members


def lonely_leader(merchant: MerchantFixture, **terms: Any) -> Member:
    """A paid leader whose group is due at this very second."""
    _, members = due_group(merchant, merchant.activity(**terms), paid=1)
    return members[0]


def statuses(members: list[Member]) -> list[str]:
    return sorted(buyer.status(order_id) for buyer, order_id in members)


def refunds_at_the_gateway(merchant: MerchantFixture) -> list[tuple[str, str]]:
    return [
        (refund["out_refund_no"], refund["status"])
        for trade in merchant.gateway.ledger.summaries()
        for refund in trade["refunds"]
    ]


def needing_person(merchant: MerchantFixture) -> list[Any]:
    items: list[Any] = merchant.owner().get("/v1/merchant/refunds").body["items"]
    return items


def no_writes(operation: str, body: bytes) -> Response | None:
    return refusal("ValidationException") if operation in WRITES else None


@pytest.mark.slow
def test_one_refund_of_five_errors_and_the_other_four_are_done_now(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=6, stock=10)
    _, members = due_group(merchant, activity, paid=5)
    merchant.gateway.faults.add("refund", "server_error")

    merchant.run_jobs()
    assert statuses(members) == ["refunded"] * 4 + ["refunding"]
    for _ in range(2):
        merchant.gateway.faults.add("refund", "server_error")
        merchant.wait(60)
        assert statuses(members) == ["refunded"] * 4 + ["refunding"]
    merchant.wait(300, every_s=150)

    assert statuses(members) == ["refunded"] * 5
    assert [status for _, status in refunds_at_the_gateway(merchant)] == ["SUCCESS"] * 5
    assert merchant.stock(activity) == 10
    merchant.check_laws()


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lost_answer", "forged_answer", "rate_limited"])
def test_refund_of_unknown_outcome_is_asked_for_again_by_its_number(
    merchant: MerchantFixture, fault: str
) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.gateway.faults.add("refund", fault)
    merchant.gateway.faults.add("refund_callback", "dropped")

    merchant.run_jobs()
    assert buyer.status(order_id) == "refunding"
    merchant.wait(180)

    assert buyer.status(order_id) == "refunded"
    assert refunds_at_the_gateway(merchant) == [(f"{order_id}01F", "SUCCESS")]
    merchant.check_laws()


def test_worker_that_dies_after_the_gateway_heard_it_leaves_one_refund(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.gateway.faults.add("refund", "server_error")
    merchant.run_jobs()
    merchant.clock.forward(60)
    merchant.gateway.faults.add("refund_callback", "dropped")

    with injected(no_writes), pytest.raises(Exception, match="ValidationException"):
        run_every_job()
    assert merchant.gateway.quiet()
    assert [number for number, _ in refunds_at_the_gateway(merchant)] == [f"{order_id}01F"]
    assert buyer.order(order_id)["refunds"][0]["status"] == "requested"
    merchant.wait(120)

    assert buyer.status(order_id) == "refunded"
    assert refunds_at_the_gateway(merchant) == [(f"{order_id}01F", "SUCCESS")]
    merchant.check_laws()


@pytest.mark.slow
def test_jobs_that_run_at_once_refund_everybody_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=4, stock=10, limit_per_buyer=1, limit_per_order=1)
    _, members = due_group(merchant, activity, paid=3)

    concurrently([run_every_job] * 4)
    assert merchant.gateway.quiet()
    merchant.wait(120)

    assert statuses(members) == ["refunded"] * 3
    assert len(refunds_at_the_gateway(merchant)) == 3
    assert merchant.stock(activity) == 10
    assert [merchant.limit_used(activity, buyer) for buyer, _ in members] == [0] * 3
    merchant.check_laws()


@pytest.mark.slow
def test_gateway_down_for_an_hour_needs_no_operator(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=4, stock=10)
    _, members = due_group(merchant, activity, paid=3)
    for operation in ("refund", "query_refund", "query", "close"):
        merchant.gateway.faults.add(operation, "server_error", times=10_000)

    merchant.wait(3600, every_s=1200)
    assert statuses(members) == ["refunding"] * 3
    assert {b.order(o)["status_text"] for b, o in members} == {"未成团·退款中"}
    assert needing_person(merchant) == []
    assert merchant.stock(activity) == 10  # the stock does not wait for the money
    merchant.gateway.faults.clear()
    merchant.wait(3600, every_s=1200)

    assert statuses(members) == ["refunded"] * 3
    assert merchant.money() == {"captured_fen": 17700, "refunded_fen": 17700, "refunding_fen": 0}
    merchant.check_laws()


@pytest.mark.slow
def test_empty_balance_is_shown_at_once_and_retried_for_hours(
    merchant: MerchantFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    number = f"{order_id}01F"
    merchant.gateway.set_balance(0)
    merchant.run_jobs()

    (row,) = needing_person(merchant)
    assert (row["out_refund_no"], row["order_id"], row["amount_fen"]) == (number, order_id, 5900)
    assert (row["reason"], row["reason_text"]) == merchant.gateway.not_enough
    assert (row["status"], row["since_s"]) == ("requested", merchant.now_s)
    assert row["next_at_s"] == merchant.now_s + 60
    assert '"RefundsNeedingPerson"' in capsys.readouterr().out
    assert merchant.owner().get("/v1/merchant/dashboard").body["to_do"]["refunds"] == 1
    (shown,) = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body["refunds"]
    assert (shown["needs_person"], shown["reason_text"]) == (True, merchant.gateway.not_enough[1])
    assert buyer.order(order_id)["refunds"][0]["status_text"] == (
        "支付平台暂时没有退出，商家正在处理"
    )
    merchant.check_laws()

    merchant.wait(7 * 3600, every_s=3600)
    (after,) = needing_person(merchant)
    assert (after["status"], after["since_s"], after["next_at_s"]) == (
        "failed",
        row["since_s"],
        None,
    )
    assert buyer.order(order_id)["status_text"] == "未成团·退款中"
    assert refunds_at_the_gateway(merchant) == []
    merchant.check_laws()

    merchant.gateway.set_balance(5900)
    retry = f"/v1/merchant/refunds/{number}/retry"
    assert merchant.staff("fulfilment").post(retry).code == "forbidden"
    assert merchant.staff("manager").post(retry).body == {"done": True}
    assert merchant.staff("manager").post(retry).code == "conflict"
    merchant.run_jobs()

    assert needing_person(merchant) == []
    assert buyer.status(order_id) == "refunded"
    assert buyer.messages()[-2:] == ["failed", "refunded"]
    assert refunds_at_the_gateway(merchant) == [(number, "SUCCESS")]
    merchant.check_laws()


def test_balance_that_is_filled_in_time_needs_no_staff(merchant: MerchantFixture) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.gateway.set_balance(0)
    merchant.wait(3600, every_s=1800)
    assert len(needing_person(merchant)) == 1

    merchant.gateway.set_balance(5900)
    merchant.wait(3600, every_s=1800)

    assert buyer.status(order_id) == "refunded"
    assert needing_person(merchant) == []
    merchant.check_laws()


@pytest.mark.slow
@pytest.mark.wechat_pay_only
@pytest.mark.parametrize(("status", "reason"), [("ABNORMAL", "abnormal"), ("CLOSED", "closed")])
def test_refund_that_the_gateway_gave_up_waits_for_staff(
    merchant: MerchantFixture, status: str, reason: str
) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.gateway.faults.add("refund", "stays_processing")
    merchant.run_jobs()

    assert merchant.gateway.settle_refunds(status=status) == 1
    assert merchant.gateway.quiet()

    (row,) = needing_person(merchant)
    assert (row["out_refund_no"], row["reason"]) == (f"{order_id}01F", reason)
    assert buyer.status(order_id) == "refunding"
    assert "refunded" not in buyer.messages()
    merchant.wait(3600, every_s=1800)  # and nothing happens by itself
    assert len(needing_person(merchant)) == 1
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_abnormal_refund_that_is_mended_at_the_gateway_is_done(merchant: MerchantFixture) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.gateway.faults.add("refund", "stays_processing")
    merchant.run_jobs()
    merchant.gateway.settle_refunds(status="ABNORMAL")
    assert merchant.gateway.quiet()

    assert merchant.gateway.settle_refunds(status="SUCCESS") == 1
    assert merchant.gateway.quiet()

    assert buyer.status(order_id) == "refunded"
    assert needing_person(merchant) == []
    assert merchant.stored_order(order_id).due_at_s is None
    merchant.check_laws()


@pytest.mark.slow
def test_slow_refund_is_asked_about_until_it_is_confirmed(merchant: MerchantFixture) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.gateway.faults.add("refund", "stays_processing")
    merchant.gateway.faults.add("refund_callback", "dropped")
    merchant.run_jobs()
    assert buyer.order(order_id)["refunds"][0]["status"] == "processing"
    merchant.wait(8 * 3600, every_s=2 * 3600)  # slow is not refused: no person is needed
    assert buyer.order(order_id)["refunds"][0]["status"] == "processing"
    assert needing_person(merchant) == []

    merchant.gateway.settle_refunds()
    assert merchant.gateway.quiet()
    assert buyer.status(order_id) == "refunding"
    merchant.wait(3600, every_s=1800)

    assert buyer.status(order_id) == "refunded"
    merchant.check_laws()


def test_failed_group_gives_stock_and_limit_back_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10, limit_per_buyer=3, limit_per_order=3)
    group_id, leader, first = merchant.open_group(activity, quantity=3)
    member, second = merchant.member(activity, group_id, quantity=2)
    assert merchant.stock(activity) == 5

    merchant.clock.forward(DAY_S + 60)
    merchant.run_jobs(4)

    assert merchant.stock(activity) == 10
    assert [merchant.limit_used(activity, buyer) for buyer in (leader, member)] == [0, 0]
    shown = [leader.order(first)["refunds"], member.order(second)["refunds"]]
    assert [[(r["amount_fen"], r["status"]) for r in refunds] for refunds in shown] == [
        [(17700, "succeeded")],
        [(11800, "succeeded")],
    ]
    merchant.check_laws()


def test_order_paid_twice_in_a_group_that_fails_gets_both_payments_back(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    order_id = placed["order_id"]
    merchant.prepay(leader, order_id)
    merchant.gateway.ledger.close(merchant.gateway.mchid, f"{order_id}01")
    merchant.pay(leader, order_id)
    merchant.pay_in_spite(f"{order_id}01")
    merchant.run_jobs()
    assert leader.status(order_id) == "paid"
    assert merchant.money()["refunded_fen"] == 5900

    merchant.clock.forward(DAY_S + 60)
    merchant.run_jobs(2)

    assert leader.status(order_id) == "refunded"
    assert refunds_at_the_gateway(merchant) == [
        (f"{order_id}01L", "SUCCESS"),
        (f"{order_id}02F", "SUCCESS"),
    ]
    merchant.check_laws()


def test_only_a_failed_refund_of_the_own_shop_can_be_sent_again(merchant: MerchantFixture) -> None:
    buyer, order_id = lonely_leader(merchant, stock=10)
    merchant.run_jobs()
    number = f"{order_id}01F"
    stranger = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client).owner()

    def code(caller: Any, refund: str) -> str:
        return str(caller.post(f"/v1/merchant/refunds/{refund}/retry").code)

    assert code(merchant.owner(), number) == "conflict"
    assert code(merchant.owner(), f"{order_id}01L") == "not_found"
    assert code(merchant.owner(), f"{order_id}07F") == "not_found"
    assert code(merchant.owner(), "nonsense") == "not_found"
    assert code(stranger, number) == "not_found"
    assert code(buyer, number) == "unauthenticated"
    assert code(merchant.visitor(), number) == "unauthenticated"
    assert refunds_at_the_gateway(merchant) == [(number, "SUCCESS")]


@pytest.mark.wechat_pay_only
def test_refund_that_nobody_asked_for_is_not_ours(merchant: MerchantFixture) -> None:
    _, _, order_id = merchant.open_group(merchant.activity())
    said = Refund(f"{order_id}01F", RefundStatus.SUCCEEDED, amount_fen=5900)

    with pytest.raises(NotFound):
        refunds.apply_result(merchant.merchant_id, said, now_s=merchant.now_s)
    with pytest.raises(NotFound):
        refund_recovery.resend(
            merchant.merchant_id, said.out_refund_no, staff="test", now_s=merchant.now_s
        )

    stored = merchant.stored_order(order_id)
    assert (stored.status, stored.refunds.as_dict()) == ("paid", {})


@pytest.mark.wechat_pay_only
def test_refund_that_waits_for_a_person_hears_of_nothing_but_its_confirmation(
    merchant: MerchantFixture,
) -> None:
    _, leader, order_id = merchant.open_group(merchant.activity())
    leader.cancel(order_id)

    def heard(status: RefundStatus) -> str:
        said = Refund(f"{order_id}01F", status, amount_fen=5900)
        return refunds.apply_result(merchant.merchant_id, said, now_s=merchant.now_s)

    assert heard(RefundStatus.CLOSED) == "failed"
    before = merchant.stored_order(order_id).refunds.as_dict()
    merchant.clock.forward(1)
    assert [heard(status) for status in (RefundStatus.PROCESSING, RefundStatus.UNKNOWN)] == [
        "failed"
    ] * 2
    assert merchant.stored_order(order_id).refunds.as_dict() == before
    assert heard(RefundStatus.SUCCEEDED) == "succeeded"


def test_refund_confirmed_while_it_is_asked_about_stays_confirmed(shop: Shop) -> None:
    order = formed_order(shop)
    approve_after_sale(
        shop, order, request_after_sale(shop, order, Claim(900, Reason.DAMAGED)), 900
    )
    shop.run_jobs()
    number = f"{order.order_id}01A"
    said = shop.gateway.refund_state(number)
    assert said.status == "processing"

    with interleaved(lambda: shop.confirm(number)):
        assert refunds.apply_result(shop.merchant_id, said, now_s=shop.now_s) == "succeeded"

    assert shop.order(order.order_id).view().refunds["01A"].status == "succeeded"
    assert shop.order(order.order_id).due_at_s is None


def test_refund_confirmed_while_it_is_sent_again_stays_confirmed(shop: Shop) -> None:
    _, order = leader_alone(shop)
    shop.cancel(order)
    shop.run_jobs()
    number = f"{order.order_id}01F"
    lost = replace(shop.gateway.refund_state(number), status=RefundStatus.CLOSED)
    assert refunds.apply_result(shop.merchant_id, lost, now_s=shop.now_s) == "failed"

    with interleaved(lambda: shop.confirm(number)), pytest.raises(Conflict):
        refund_recovery.resend(shop.merchant_id, number, staff=STAFF, now_s=shop.now_s)

    assert shop.order(order.order_id).status == "refunded"
    assert audited(shop, "refund_sent_again") == 0
