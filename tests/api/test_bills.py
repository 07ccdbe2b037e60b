"""The bills of the local gateways, downloaded and compared with the ledger by the daily job."""

from typing import Any

import pytest

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from infra.local.wechat_bills import Row
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.payment_fixtures import BOTH

pytestmark = pytest.mark.slow

GATEWAYS = BOTH
READY_S = 10 * 3600 + 1800


def start_of_a_day(merchant: MerchantFixture) -> None:
    """The next midnight in Beijing: all that follows stands in one bill."""
    merchant.clock.forward(midnight_s(day_of(merchant.now_s)) + DAY_S - merchant.now_s)


def until_bills_are_compared(merchant: MerchantFixture) -> None:
    merchant.clock.forward(midnight_s(day_of(merchant.now_s)) + DAY_S + READY_S - merchant.now_s)
    merchant.run_jobs(3)


def differences(merchant: MerchantFixture) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for status in ("open", "closed"):
        items += merchant.owner().get(f"/v1/merchant/differences?status={status}").body["items"]
    return items


def reconciliations(merchant: MerchantFixture) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = merchant.owner().get("/v1/merchant/reconciliations").body["items"]
    return items


def test_day_that_fits_is_reported_with_its_totals_and_fees(merchant: MerchantFixture) -> None:
    start_of_a_day(merchant)
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, first = merchant.open_group(activity)
    merchant.member(activity, group_id)
    _, lonely, third = merchant.open_group(activity)
    lonely.cancel(third)
    merchant.run_jobs(2)
    day = day_of(merchant.now_s).isoformat()
    until_bills_are_compared(merchant)

    [told] = [row for row in reconciliations(merchant) if row["day"] == day]

    assert differences(merchant) == []
    assert (told["method"], told["payments"], told["paid_fen"]) == (
        merchant.gateway.method,
        3,
        17700,
    )
    assert (told["refunds"], told["refunded_fen"], told["fee_fen"]) == (1, 5900, 70)
    ledger = merchant.owner().get(f"/v1/merchant/orders/{first}/ledger").body
    assert ledger["balances"]["fees"] == 35
    assert ledger["rows"][-1]["movement_text"] == "支付手续费"
    merchant.check_laws()


def test_payment_whose_callback_was_lost_for_ever_is_taken_over(merchant: MerchantFixture) -> None:
    start_of_a_day(merchant)
    activity = merchant.activity(seats=3, stock=10)
    group_id, *_ = merchant.open_group(activity)
    friend, second = merchant.join(activity, group_id)
    merchant.pay_unheard(friend, second)
    merchant.gateway.faults.add("query", "server_error", times=500)
    merchant.run_jobs()
    merchant.clock.forward(midnight_s(day_of(merchant.now_s)) + DAY_S + READY_S - merchant.now_s)
    merchant.gateway.faults.clear()

    merchant.run_jobs(2)

    # The jobs that ask about payments may be quicker than the bill: either way it is known now.
    assert merchant.stored_order(second).view().is_succeeded("01")
    assert [d["difference"] for d in differences(merchant) if not d["repaired"]] == []
    merchant.run_jobs(2)
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_difference_is_told_to_staff_with_both_sides(merchant: MerchantFixture) -> None:
    start_of_a_day(merchant)
    _, _, order_id = merchant.open_group(merchant.activity())
    merchant.run_jobs()

    def dearer(rows: list[Row]) -> list[Row]:
        return [
            {**row, "订单金额": "60.00", "应结订单金额": "60.00"}
            if row["商户订单号"] == f"{order_id}01"
            else row
            for row in rows
        ]

    merchant.wait(600, every_s=600)
    merchant.wechat.bills.edits.append(dearer)
    until_bills_are_compared(merchant)

    [told] = differences(merchant)

    assert (told["difference"], told["repaired"]) == ("payment_amount", False)
    assert (told["number"], told["ours"]["amount_fen"]) == (f"{order_id}01", 5900)
    assert told["theirs"]["amount_fen"] == 6000
    assert "核对" in told["difference_text"]


@pytest.mark.wechat_pay_only
def test_bill_with_a_wrong_digest_is_not_believed_and_asked_for_again(
    merchant: MerchantFixture,
) -> None:
    start_of_a_day(merchant)
    merchant.open_group(merchant.activity())
    merchant.wait(600, every_s=600)
    day = day_of(merchant.now_s).isoformat()
    merchant.wechat.faults.add("bill", "bad_hash")
    merchant.clock.forward(midnight_s(day_of(merchant.now_s)) + DAY_S + READY_S - merchant.now_s)

    merchant.run_jobs()
    assert day not in {row["day"] for row in reconciliations(merchant)}
    merchant.clock.forward(1800)
    merchant.run_jobs()

    assert day in {row["day"] for row in reconciliations(merchant)}
