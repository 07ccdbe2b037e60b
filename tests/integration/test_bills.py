"""The bills of the local gateways, downloaded and compared with the ledger by the daily job."""

from typing import Any

import pytest

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from infra.local.wechat_bills import Row
from tests.support import Town
from tests.tills import BOTH

GATEWAYS = BOTH
READY_S = 10 * 3600 + 1800


def start_of_a_day(town: Town) -> None:
    """The next midnight in Beijing: all that follows stands in one bill."""
    town.clock.forward(midnight_s(day_of(town.now_s)) + DAY_S - town.now_s)


def until_bills_are_compared(town: Town) -> None:
    town.clock.forward(midnight_s(day_of(town.now_s)) + DAY_S + READY_S - town.now_s)
    town.run_jobs(3)


def differences(town: Town) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for status in ("open", "closed"):
        items += town.owner().get(f"/v1/merchant/differences?status={status}").body["items"]
    return items


def reconciliations(town: Town) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = town.owner().get("/v1/merchant/reconciliations").body["items"]
    return items


def test_day_that_fits_is_reported_with_its_totals_and_fees(town: Town) -> None:
    start_of_a_day(town)
    activity = town.activity(seats=2, stock=10)
    group_id, _, first = town.open_group(activity)
    town.member(activity, group_id)
    _, lonely, third = town.open_group(activity)
    lonely.cancel(third)
    town.run_jobs(2)
    day = day_of(town.now_s).isoformat()
    until_bills_are_compared(town)

    [told] = [row for row in reconciliations(town) if row["day"] == day]

    assert differences(town) == []
    assert (told["method"], told["payments"], told["paid_fen"]) == (town.till.method, 3, 17700)
    assert (told["refunds"], told["refunded_fen"], told["fee_fen"]) == (1, 5900, 70)
    ledger = town.owner().get(f"/v1/merchant/orders/{first}/ledger").body
    assert ledger["balances"]["fees"] == 35
    assert ledger["rows"][-1]["movement_text"] == "支付手续费"
    town.check_laws()


def test_payment_whose_callback_was_lost_for_ever_is_taken_over(town: Town) -> None:
    start_of_a_day(town)
    activity = town.activity(seats=3, stock=10)
    group_id, *_ = town.open_group(activity)
    friend, second = town.join(activity, group_id)
    town.pay_unheard(friend, second)
    town.till.faults.add("query", "server_error", times=500)
    town.run_jobs()
    town.clock.forward(midnight_s(day_of(town.now_s)) + DAY_S + READY_S - town.now_s)
    town.till.faults.clear()

    town.run_jobs(2)

    # The jobs that ask about payments may be quicker than the bill: either way it is known now.
    assert town.stored_order(second).view().is_succeeded("01")
    assert [d["difference"] for d in differences(town) if not d["repaired"]] == []
    town.run_jobs(2)
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_difference_is_told_to_staff_with_both_sides(town: Town) -> None:
    start_of_a_day(town)
    _, _, order_id = town.open_group(town.activity())
    town.run_jobs()

    def dearer(rows: list[Row]) -> list[Row]:
        return [
            {**row, "订单金额": "60.00", "应结订单金额": "60.00"}
            if row["商户订单号"] == f"{order_id}01"
            else row
            for row in rows
        ]

    town.wait(600, every_s=600)
    town.wechat.bills.edits.append(dearer)
    until_bills_are_compared(town)

    [told] = differences(town)

    assert (told["difference"], told["repaired"]) == ("payment_amount", False)
    assert (told["number"], told["ours"]["amount_fen"]) == (f"{order_id}01", 5900)
    assert told["theirs"]["amount_fen"] == 6000
    assert "核对" in told["difference_text"]


@pytest.mark.wechat_pay_only
def test_bill_with_a_wrong_digest_is_not_believed_and_asked_for_again(town: Town) -> None:
    start_of_a_day(town)
    town.open_group(town.activity())
    town.wait(600, every_s=600)
    day = day_of(town.now_s).isoformat()
    town.wechat.faults.add("bill", "bad_hash")
    town.clock.forward(midnight_s(day_of(town.now_s)) + DAY_S + READY_S - town.now_s)

    town.run_jobs()
    assert day not in {row["day"] for row in reconciliations(town)}
    town.clock.forward(1800)
    town.run_jobs()

    assert day in {row["day"] for row in reconciliations(town)}


def test_other_merchants_staff_see_none_of_it(town: Town) -> None:
    start_of_a_day(town)
    town.open_group(town.activity())
    town.wait(600, every_s=600)
    until_bills_are_compared(town)
    stranger = Town(town.wechat, town.clock, town.door)

    assert reconciliations(town) != []
    assert (reconciliations(stranger), differences(stranger)) == ([], [])
