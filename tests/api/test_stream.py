"""The stream: what a change has made due is carried out at once, any number of times."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.services.work import due
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture
from tests.fixtures.stream_events import change_of, deliver, record

pytestmark = pytest.mark.slow

PAY_BY_S = 600


def order_change(merchant: MerchantFixture, order_id: str, before: Any = None) -> dict[str, Any]:
    return change_of(merchant, merchant.stored_order(order_id), before)


def group_change(merchant: MerchantFixture, group_id: str) -> dict[str, Any]:
    return change_of(merchant, merchant.stored_group(group_id))


def due_group(
    merchant: MerchantFixture, activity: Activity, *, paid: int
) -> tuple[str, list[tuple[Buyer, str]]]:
    group_id, leader, first = merchant.open_group(activity)
    members = [(leader, first), *(merchant.member(activity, group_id) for _ in range(paid - 1))]
    merchant.clock.forward(DAY_S + 60)
    return group_id, members


def test_buyer_who_has_paid_is_told_at_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    before = merchant.image(merchant.stored_order(placed["order_id"]))
    merchant.pay(leader, placed["order_id"])

    assert deliver(merchant, order_change(merchant, placed["order_id"], before)) == []

    assert leader.messages() == ["opened"]
    assert merchant.stored_order(placed["order_id"]).due_at_s is None
    merchant.check_laws()


def test_change_that_there_is_no_time_for_is_left_to_the_jobs(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id, _, _ = merchant.open_group(merchant.activity(seats=3, stock=10))
    merchant.clock.forward(DAY_S + 60)
    monkeypatch.setattr(due, "RUN_S", 0.0)

    assert deliver(merchant, group_change(merchant, group_id)) == []

    assert merchant.stored_group(group_id).status == "open"


def test_formed_group_is_settled_at_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    buyer, order_id = merchant.member(activity, group_id)

    assert deliver(merchant, group_change(merchant, group_id)) == []

    assert [leader.status(first), buyer.status(order_id)] == ["fulfilling"] * 2
    assert [leader.messages(), buyer.messages()] == [["formed"]] * 2
    assert merchant.stored_group(group_id).due_at_s is None


def test_due_group_fails_and_its_refunds_are_sent_at_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, members = due_group(merchant, activity, paid=2)

    assert deliver(merchant, group_change(merchant, group_id)) == []
    assert [buyer.status(order_id) for buyer, order_id in members] == ["refunding"] * 2
    assert deliver(merchant, *(order_change(merchant, order_id) for _, order_id in members)) == []

    assert [buyer.status(order_id) for buyer, order_id in members] == ["refunded"] * 2
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_late_payment_is_refunded_at_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)
    buyer.cancel(order_id)
    merchant.pay_in_spite(f"{order_id}01")

    assert deliver(merchant, order_change(merchant, order_id)) == []

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert buyer.messages() == ["late", "refunded"]


def test_change_that_makes_nothing_due_costs_nothing(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)
    order, group = merchant.stored_order(order_id), merchant.stored_group(group_id)
    before = [merchant.image(item) for item in (order, group)]
    keys = {"pk": {"S": order.pk}, "sk": {"S": order.sk}}

    failed = deliver(
        merchant,
        change_of(merchant, order),  # due at its pay-by time
        change_of(merchant, group),  # due at its deadline
        record(keys, merchant.image(order), None),  # removed
    )

    assert failed == []
    assert [merchant.image(item) for item in (order, group)] == before
    assert merchant.wechat.ledger.summaries(f"{order_id}01")[0]["trade_state"] == "NOTPAY"
    assert buyer.messages() == []


def test_records_delivered_again_have_one_effect(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, members = due_group(merchant, activity, paid=2)
    change = group_change(merchant, group_id)
    for _ in range(3):
        assert deliver(merchant, change, change) == []
    refunds = [order_change(merchant, order_id) for _, order_id in members]
    for _ in range(3):
        assert deliver(merchant, *refunds, change) == []

    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 11800, "refunding_fen": 0}
    assert [len(t["refunds"]) for t in merchant.wechat.ledger.summaries()] == [1, 1]
    for buyer, _ in members:
        assert buyer.messages()[-2:] == ["failed", "refunded"]
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_old_records_are_decided_by_what_is_stored_now(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    on_the_phone = merchant.prepay(buyer, order_id)
    merchant.clock.forward(PAY_BY_S)
    unpaid = order_change(merchant, order_id)  # due for release
    merchant.clock.forward(-1)
    merchant.gateway.pay(on_the_phone)
    assert merchant.gateway.quiet()
    merchant.clock.forward(1)

    assert deliver(merchant, unpaid) == []

    assert buyer.status(order_id) == "paid"
    assert merchant.stored_group(group_id).status == "formed"


def test_one_unreadable_record_fails_alone(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    formed, leader, first = merchant.open_group(activity)
    merchant.member(activity, formed)
    good = group_change(merchant, formed)
    keys = {"pk": {"S": f"{merchant.merchant_id}#Z#{new_id()}"}, "sk": {"S": "zebra"}}
    bad = record(keys, None, {**keys, "kind": {"S": "zebra"}, "due_at_s": {"N": "1"}})

    failed = deliver(merchant, bad, good)

    assert failed == [bad["dynamodb"]["SequenceNumber"]]
    assert leader.status(first) == "fulfilling"


def test_batch_in_which_everything_is_unreadable_is_answered_and_not_raised(
    merchant: MerchantFixture,
) -> None:
    keys = {"pk": {"S": f"{merchant.merchant_id}#Z#{new_id()}"}, "sk": {"S": "zebra"}}
    bad = [
        record(keys, None, {**keys, "kind": {"S": "zebra"}, "due_at_s": {"N": "1"}})
        for _ in range(2)
    ]

    assert deliver(merchant, *bad) == [r["dynamodb"]["SequenceNumber"] for r in bad]


def test_silent_gateway_fails_no_record_and_the_jobs_finish_the_work(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, members = due_group(merchant, activity, paid=1)
    buyer, order_id = members[0]
    deliver(merchant, group_change(merchant, group_id))
    merchant.wechat.faults.add("refund", "server_error")

    assert deliver(merchant, order_change(merchant, order_id)) == []
    assert buyer.status(order_id) == "refunding"
    merchant.wait(120)

    assert buyer.status(order_id) == "refunded"
    merchant.check_laws()
