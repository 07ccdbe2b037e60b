"""The stream: what a change has made due is carried out at once, any number of times."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.services.work import due
from tests.streams import change_of, deliver, record
from tests.support import DAY_S, Activity, Buyer, Town

PAY_BY_S = 600


def order_change(town: Town, order_id: str, before: Any = None) -> dict[str, Any]:
    return change_of(town, town.stored_order(order_id), before)


def group_change(town: Town, group_id: str) -> dict[str, Any]:
    return change_of(town, town.stored_group(group_id))


def due_group(town: Town, activity: Activity, *, paid: int) -> tuple[str, list[tuple[Buyer, str]]]:
    group_id, leader, first = town.open_group(activity)
    members = [(leader, first), *(town.member(activity, group_id) for _ in range(paid - 1))]
    town.clock.forward(DAY_S + 60)
    return group_id, members


def test_buyer_who_has_paid_is_told_at_once(town: Town) -> None:
    activity = town.activity(stock=10)
    leader = town.buyer()
    placed = leader.open(activity).body
    before = town.image(town.stored_order(placed["order_id"]))
    town.pay(leader, placed["order_id"])

    assert deliver(town, order_change(town, placed["order_id"], before)) == []

    assert leader.messages() == ["waiting"]
    assert town.stored_order(placed["order_id"]).due_at_s is None
    town.check_laws()


def test_change_that_there_is_no_time_for_is_left_to_the_jobs(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id, _, _ = town.open_group(town.activity(seats=3, stock=10))
    town.clock.forward(DAY_S + 60)
    monkeypatch.setattr(due, "RUN_S", 0.0)

    assert deliver(town, group_change(town, group_id)) == []

    assert town.stored_group(group_id).status == "open"


def test_formed_group_is_settled_at_once(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first = town.open_group(activity)
    buyer, order_id = town.member(activity, group_id)

    assert deliver(town, group_change(town, group_id)) == []

    assert [leader.status(first), buyer.status(order_id)] == ["fulfilling"] * 2
    assert [leader.messages(), buyer.messages()] == [["formed"]] * 2
    assert town.stored_group(group_id).due_at_s is None


def test_due_group_fails_and_its_refunds_are_sent_at_once(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, members = due_group(town, activity, paid=2)

    assert deliver(town, group_change(town, group_id)) == []
    assert [buyer.status(order_id) for buyer, order_id in members] == ["refunding"] * 2
    assert deliver(town, *(order_change(town, order_id) for _, order_id in members)) == []

    assert [buyer.status(order_id) for buyer, order_id in members] == ["refunded"] * 2
    assert town.stock(activity) == 10
    town.check_laws()


def test_late_payment_is_refunded_at_once(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    buyer.cancel(order_id)
    town.pay_in_spite(f"{order_id}01")

    assert deliver(town, order_change(town, order_id)) == []

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert buyer.messages() == ["late", "refunded"]


def test_change_that_makes_nothing_due_costs_nothing(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    order, group = town.stored_order(order_id), town.stored_group(group_id)
    before = [town.image(item) for item in (order, group)]
    keys = {"pk": {"S": order.pk}, "sk": {"S": order.sk}}

    failed = deliver(
        town,
        change_of(town, order),  # due at its pay-by time
        change_of(town, group),  # due at its deadline
        record(keys, town.image(order), None),  # removed
    )

    assert failed == []
    assert [town.image(item) for item in (order, group)] == before
    assert town.wechat.ledger.summaries(f"{order_id}01")[0]["trade_state"] == "NOTPAY"
    assert buyer.messages() == []


def test_records_delivered_again_have_one_effect(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, members = due_group(town, activity, paid=2)
    change = group_change(town, group_id)
    for _ in range(3):
        assert deliver(town, change, change) == []
    refunds = [order_change(town, order_id) for _, order_id in members]
    for _ in range(3):
        assert deliver(town, *refunds, change) == []

    assert town.money() == {"captured_fen": 11800, "refunded_fen": 11800, "refunding_fen": 0}
    assert [len(t["refunds"]) for t in town.wechat.ledger.summaries()] == [1, 1]
    for buyer, _ in members:
        assert buyer.messages()[-2:] == ["failed", "refunded"]
    assert town.stock(activity) == 10
    town.check_laws()


def test_old_records_are_decided_by_what_is_stored_now(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    on_the_phone = town.prepay(buyer, order_id)
    town.clock.forward(PAY_BY_S)
    unpaid = order_change(town, order_id)  # due for release
    town.clock.forward(-1)
    town.till.pay(on_the_phone)
    assert town.till.quiet()
    town.clock.forward(1)

    assert deliver(town, unpaid) == []

    assert buyer.status(order_id) == "paid"
    assert town.stored_group(group_id).status == "formed"


def test_one_unreadable_record_fails_alone(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    formed, leader, first = town.open_group(activity)
    town.member(activity, formed)
    good = group_change(town, formed)
    keys = {"pk": {"S": f"{town.merchant_id}#Z#{new_id()}"}, "sk": {"S": "zebra"}}
    bad = record(keys, None, {**keys, "kind": {"S": "zebra"}, "due_at_s": {"N": "1"}})

    failed = deliver(town, bad, good)

    assert failed == [bad["dynamodb"]["SequenceNumber"]]
    assert leader.status(first) == "fulfilling"


def test_batch_in_which_everything_is_unreadable_is_answered_and_not_raised(town: Town) -> None:
    keys = {"pk": {"S": f"{town.merchant_id}#Z#{new_id()}"}, "sk": {"S": "zebra"}}
    bad = [
        record(keys, None, {**keys, "kind": {"S": "zebra"}, "due_at_s": {"N": "1"}})
        for _ in range(2)
    ]

    assert deliver(town, *bad) == [r["dynamodb"]["SequenceNumber"] for r in bad]


def test_silent_gateway_fails_no_record_and_the_jobs_finish_the_work(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, members = due_group(town, activity, paid=1)
    buyer, order_id = members[0]
    deliver(town, group_change(town, group_id))
    town.wechat.faults.add("refund", "server_error")

    assert deliver(town, order_change(town, order_id)) == []
    assert buyer.status(order_id) == "refunding"
    town.wait(120)

    assert buyer.status(order_id) == "refunded"
    town.check_laws()
