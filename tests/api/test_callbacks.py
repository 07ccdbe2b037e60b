"""Callbacks: told again they change nothing, wrong ones change nothing, and none is lost."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.http_client import Response
from chalicelib.tables.trade import GroupItem
from infra.local.wechat_views import trade_view
from tests.fixtures.callbacks import held_seat, path_of
from tests.fixtures.fault_injection import WRITES, injected, refusal
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import DAY_S, MerchantFixture, Reply
from tests.fixtures.order_states import group_of_two, other_payment
from tests.fixtures.payment_fixtures import BOTH
from tests.fixtures.shop import OTHER_PAY, Shop

pytestmark = pytest.mark.slow

GATEWAYS = BOTH
PAY_BY_S = 600


def tell(merchant: MerchantFixture, kind: str, resource: dict[str, Any]) -> Reply:
    """What the API answers when WeChat tells of a payment or a refund in these words."""
    event: dict[str, Any] = {
        "url": path_of(merchant, f"{kind}s"),
        "type": "TOLD",
        "summary": "",
        "original_type": "transaction" if kind == "payment" else kind,
        "resource": resource,
    }
    merchant.wechat.faults.add(f"{kind}_callback", "dropped")
    merchant.wechat.courier.tell(merchant.account, kind, "altered", event)
    headers, body = merchant.wechat.courier.signed("altered")
    return merchant.api_client.request("POST", event["url"], headers, body)


def tell_otherwise(merchant: MerchantFixture, number: str, **changes: Any) -> Reply:
    """WeChat tells of the payment `number` with other words than its own, rightly signed."""
    trade = merchant.wechat.ledger.trade(merchant.account.mchid, number)
    return tell(merchant, "payment", trade_view(trade) | changes)


def answers(merchant: MerchantFixture, number: str) -> list[int]:
    """What the callbacks of `number` were answered, in the order they were sent."""
    told = merchant.gateway.courier.summaries()
    return [answer for d in told if d["number"] == number for answer in d["answers"]]


def test_callback_ten_times_in_a_row_has_one_effect(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay(buyer, order_id)
    merchant.run_jobs()
    before = [
        merchant.image(i)
        for i in (merchant.stored_group(group_id), merchant.stored_order(order_id))
    ]

    for _ in range(10):
        merchant.resend(number)
    merchant.run_jobs()

    assert answers(merchant, number) == [200] * 11
    after = [
        merchant.image(i)
        for i in (merchant.stored_group(group_id), merchant.stored_order(order_id))
    ]
    assert after == before
    assert buyer.messages() == ["formed"]
    merchant.check_laws()


def test_refund_callback_told_twice_has_one_effect(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    _, leader, order_id = merchant.open_group(activity)
    merchant.gateway.faults.add("refund_callback", "duplicated")

    leader.cancel(order_id)
    merchant.run_jobs()
    merchant.resend(f"{order_id}01F")

    assert answers(merchant, f"{order_id}01F") == [200, 200, 200]
    assert leader.messages() == ["failed", "refunded"]
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_delayed_callback_counts_by_the_time_of_the_payment(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    merchant.gateway.faults.add("payment_callback", "delayed", seconds=0.2)

    merchant.pay(buyer, order_id, quietly=False)
    assert merchant.stored_group(group_id).status == "open"
    assert merchant.gateway.quiet()

    assert merchant.stored_group(group_id).status == "formed"


@pytest.mark.wechat_pay_only
def test_callbacks_at_each_others_address_are_understood(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    _, leader, order_id = merchant.open_group(activity)
    leader.cancel(order_id)
    merchant.run_jobs()
    payment = merchant.wechat.courier.signed(f"{order_id}01")
    refund = merchant.wechat.courier.signed(f"{order_id}01F")

    crossed = [
        merchant.api_client.request("POST", path_of(merchant, "refunds"), *payment),
        merchant.api_client.request("POST", path_of(merchant, "payments"), *refund),
    ]

    assert [reply.status for reply in crossed] == [200, 200]
    assert leader.status(order_id) == "refunded"
    merchant.check_laws()


def test_internal_error_is_answered_so_that_the_gateway_tells_again(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    broken = iter([True, True])

    def broken_twice(operation: str, body: bytes) -> Response | None:
        if operation in WRITES and next(broken, False):
            return refusal("ValidationException")
        return None

    prepay_id = merchant.prepay(buyer, order_id)
    with injected(broken_twice):
        number = merchant.gateway.pay(prepay_id)
        assert merchant.gateway.quiet()

    assert answers(merchant, number) == [500, 500, 200]
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs()
    merchant.check_laws()


def test_busy_table_is_answered_so_that_the_gateway_tells_again(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)

    def throttled(operation: str, body: bytes) -> Response | None:
        if operation == "TransactWriteItems":
            return refusal("ThrottlingException")
        return None

    with injected(throttled):
        headers, body = merchant.gateway.courier.signed(number)
        reply = merchant.api_client.request("POST", path_of(merchant), headers, body)

    assert (reply.status, reply.code) == (503, "busy")
    assert merchant.stored_group(group_id).seats_paid == 1
    merchant.resend(number)
    assert merchant.stored_group(group_id).status == "formed"


@pytest.mark.wechat_pay_only
def test_callback_that_does_not_bring_the_group_back_finds_it(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)

    assert tell_otherwise(merchant, number, attach="").status == 200

    assert merchant.stored_group(group_id).status == "formed"


@pytest.mark.wechat_pay_only
def test_callback_that_names_another_group_pays_its_own(merchant: MerchantFixture) -> None:
    activity, group_id, buyer, order_id = held_seat(merchant)
    other, _, _ = merchant.open_group(activity)
    number = merchant.pay_unheard(buyer, order_id)

    assert tell_otherwise(merchant, number, attach=other).status == 200

    assert merchant.stored_group(group_id).status == "formed"
    assert merchant.stored_group(other).seats_paid == 1


@pytest.mark.parametrize("order", list(itertools.permutations(["callback", "cancel", "due"])))
def test_callback_cancellation_and_deadline_in_every_order_while_the_gateway_is_silent(
    merchant: MerchantFixture, order: tuple[str, ...]
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    merchant.clock.forward(DAY_S - 30)
    buyer, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=1000)
    merchant.clock.forward(30 + 60 + 300)
    steps: dict[str, Callable[[], object]] = {
        "callback": lambda: merchant.resend(number),
        "cancel": lambda: buyer.cancel(order_id),
        "due": merchant.run_jobs,
    }

    for step in order:
        steps[step]()
    merchant.gateway.faults.clear()
    merchant.run_jobs(3)

    seated = merchant.stored_group(group_id).status == "formed"
    assert seated == (order.index("callback") < order.index("due"))
    expected = ["fulfilling"] * 2 if seated else ["refunded", "closed"]
    assert [leader.status(first), buyer.status(order_id)] == expected
    refunded_fen = 0 if seated else 11800
    assert merchant.money() == {
        "captured_fen": 11800,
        "refunded_fen": refunded_fen,
        "refunding_fen": 0,
    }
    assert merchant.stock(activity) == (8 if seated else 10)
    merchant.check_laws()


@pytest.mark.parametrize("old_first", [True, False])
def test_both_prepays_of_an_order_are_paid_and_the_first_heard_counts(
    merchant: MerchantFixture, old_first: bool
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)
    merchant.gateway.ledger.close(merchant.gateway.mchid, f"{order_id}01")
    new = merchant.prepay(buyer, order_id)
    assert sorted(merchant.stored_order(order_id).payments.as_dict()) == ["01", "02"]
    steps: list[Callable[[], object]] = [
        lambda: merchant.pay_in_spite(f"{order_id}01"),
        lambda: merchant.gateway.pay(new),
    ]

    for step in steps if old_first else steps[::-1]:
        step()
        assert merchant.gateway.quiet()
    merchant.run_jobs(2)

    counted, late = ("01", "02") if old_first else ("02", "01")
    shown = buyer.order(order_id)
    assert shown["status"] == "fulfilling"
    assert [r["out_refund_no"] for r in shown["refunds"]] == [f"{order_id}{late}L"]
    assert merchant.stored_order(order_id).view().seat_payment is not None
    assert merchant.gateway.ledger.summaries(f"{order_id}{counted}")[0]["refunded_fen"] == 0
    assert merchant.gateway.ledger.summaries(f"{order_id}{late}")[0]["refunded_fen"] == 5900
    assert merchant.stored_group(group_id).seats_paid == 2
    assert sorted(buyer.messages()) == ["formed", "paid_twice", "refunded"]
    merchant.check_laws()


def test_prepay_that_the_gateway_did_not_answer_can_be_asked_for_again(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    merchant.gateway.faults.add(merchant.gateway.prepay_fault, "server_error")
    merchant.gateway.faults.add(merchant.gateway.prepay_fault, "lost_answer")

    failed = [buyer.ask_to_pay(order_id) for _ in range(2)]
    merchant.pay(buyer, order_id)

    assert [(reply.status, reply.code) for reply in failed] == [(502, "gateway_failed")] * 2
    assert list(merchant.stored_order(order_id).payments.as_dict()) == ["01"]
    assert merchant.stored_group(group_id).status == "formed"


@pytest.mark.wechat_pay_only
def test_what_a_gateway_told_and_the_books_refused_waits_until_staff_deal_with_it(
    merchant: MerchantFixture,
) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    for _ in range(2):  # told again, it is the same fact
        tell_otherwise(merchant, number, amount={"total": 1, "currency": "CNY"})
    merchant.clock.forward(1)
    tell_otherwise(merchant, number, out_trade_no="somebody-elses-number")
    owner, path = merchant.owner(), "/v1/merchant/rejected-results"

    first, second = owner.get(path).body["items"]

    assert (first["code"], first["order_id"], first["told"]["amount_fen"]) == (
        "wrong_amount",
        order_id,
        1,
    )
    assert first["details"] == {"expected_fen": 5900, "captured_fen": 1}
    assert (second["code"], second["order_id"], second["told"]["number"]) == (
        "not_found",
        None,
        "somebody-elses-number",
    )
    assert owner.get("/v1/merchant/dashboard").body["to_do"]["rejected_results"] == 2
    merchant.check_laws(quiescent=False)
    done = f"{path}/{first['result_id']}/dealt-with"
    assert merchant.staff("fulfilment").post(done, {"note": "已退"}).code == "forbidden"
    assert owner.post(f"{path}/nonsense/dealt-with", {"note": "已退"}).code == "not_found"
    for _ in range(2):
        assert owner.post(done, {"note": "已在商户平台退还 0.01"}).body == {"done": True}

    assert [row["code"] for row in owner.get(path).body["items"]] == ["not_found"]
    assert owner.get("/v1/merchant/dashboard").body["to_do"]["rejected_results"] == 1
    subject = f"rejected_result%23{first['result_id']}"
    (row,) = owner.get(f"/v1/merchant/audit?subject={subject}").body["items"]
    assert (row["action"], row["after"]["note"]) == (
        "statement_dealt_with",
        "已在商户平台退还 0.01",
    )
    tell_otherwise(merchant, number, amount={"total": 1, "currency": "CNY"})  # it was dealt with
    assert len(owner.get(path).body["items"]) == 1
    merchant.check_laws(quiescent=False)


@pytest.mark.wechat_pay_only
def test_capture_of_a_wrong_amount_that_a_query_finds_is_shown_to_staff(
    merchant: MerchantFixture,
) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.wechat.ledger.trade(merchant.account.mchid, number).order["amount"]["total"] = 1

    merchant.wait(180)

    (row,) = merchant.owner().get("/v1/merchant/rejected-results").body["items"]
    assert (row["code"], row["order_id"]) == ("wrong_amount", order_id)
    assert buyer.status(order_id) == "pending"


def test_payment_told_twice_at_once_is_known_the_second_time(shop: Shop) -> None:
    sold = shop.activity(product_stock=200)
    trades = [
        shop.capture(shop.buy_alone(sold, shop.buyer())),
        shop.capture(shop.join(sold, shop.opened(sold), shop.buyer())),
    ]

    for trade in trades:
        with interleaved(lambda trade=trade: shop.notify(trade)):  # type: ignore[misc]
            assert shop.notify(trade) == "duplicate"


def test_late_payment_told_twice_at_once_is_recorded_once(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    late = other_payment(shop, order)
    shop.pay(order)

    with interleaved(lambda: shop.notify(late, OTHER_PAY)):
        assert shop.notify(late, OTHER_PAY) == "duplicate"

    assert list(shop.order(order.order_id).view().refunds) == ["01L"]


def test_payment_is_late_when_its_group_has_failed_meanwhile(shop: Shop) -> None:
    sold = shop.activity(seats=3)
    group_id = shop.opened(sold)
    trade = shop.capture(shop.join(sold, group_id, shop.buyer()))
    group = shop.group(group_id)

    with interleaved(lambda: group.update(actions=[GroupItem.status.set("failed")])):
        assert shop.notify(trade) == "late"

    assert shop.group(group_id).seats_paid == 1
