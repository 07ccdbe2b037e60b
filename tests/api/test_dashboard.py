"""The shop at a glance: counters that count once, compared by whole hours, and what waits."""

from typing import Any

import pytest

from chalicelib.domain.beijing import day_of, midnight_s
from chalicelib.domain.reconcile import Difference
from chalicelib.services.money import differences
from chalicelib.services.money.comparing import Found
from chalicelib.tables.trade import ReconcilingItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import DAY_S, MerchantFixture

HOUR_S = 3600
NOTHING = {
    "paid_fen": 0,
    "refunded_fen": 0,
    "rebated_fen": 0,
    "orders_paid": 0,
    "groups_opened": 0,
    "groups_formed": 0,
    "groups_failed": 0,
    "formed_permille": None,
}


def dashboard(merchant: MerchantFixture) -> dict[str, Any]:
    reply = merchant.owner().get("/v1/merchant/dashboard")
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


@pytest.fixture
def morning(merchant: MerchantFixture) -> MerchantFixture:
    """The merchant at 10:30 in Beijing, tomorrow."""
    merchant.clock.forward(
        midnight_s(day_of(merchant.now_s + DAY_S)) + 10 * HOUR_S + 1800 - merchant.now_s
    )
    return merchant


def test_new_shop_has_nothing_to_tell(merchant: MerchantFixture) -> None:
    shown = dashboard(merchant)

    assert shown["today"] == NOTHING
    assert len(shown["days"]) == 30
    assert shown["days"][0] == {"day": day_of(merchant.now_s).isoformat(), **NOTHING}
    assert set(shown["to_do"].values()) == {0}


@pytest.mark.slow
def test_day_counts_what_was_paid_refunded_opened_formed_and_failed(
    morning: MerchantFixture,
) -> None:
    merchant = morning
    activity = merchant.activity(seats=2, stock=20, price_fen=5900, product_stock=30)
    group_id, _, _ = merchant.open_group(activity)
    merchant.member(activity, group_id)
    alone = merchant.buyer()
    solo = alone.buy_alone(activity).body
    merchant.pay(alone, solo["order_id"])
    _, leader, first = merchant.open_group(activity)
    assert leader.cancel(first).status == 200
    merchant.open_group(activity)

    merchant.wait(700, every_s=175)  # the stream would have been at once

    paid_fen = 4 * 5900 + solo["total_fen"]
    assert dashboard(merchant)["today"] == {
        "paid_fen": paid_fen,
        "refunded_fen": 5900,
        "rebated_fen": 0,
        "orders_paid": 5,
        "groups_opened": 3,
        "groups_formed": 1,
        "groups_failed": 1,
        "formed_permille": 500,
    }
    assert merchant.money()["captured_fen"] == paid_fen
    merchant.check_laws()


def test_late_payment_counts_as_money_and_not_as_an_order(morning: MerchantFixture) -> None:
    merchant = morning
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.owner().post(f"/v1/merchant/groups/{group_id}/closing", {"reason": "缺货"})

    merchant.resend(number)
    merchant.run_jobs(3)

    today = dashboard(merchant)["today"]
    assert (today["paid_fen"], today["refunded_fen"], today["orders_paid"]) == (11800, 11800, 1)
    assert (today["groups_failed"], today["formed_permille"]) == (1, 0)
    merchant.check_laws()


def test_free_group_counts_as_opened_and_formed(morning: MerchantFixture) -> None:
    merchant = morning
    activity = merchant.activity(seats=2, price_fen=0)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    assert leader.ask_to_pay(placed["order_id"]).body["paid"]
    buyer, order_id = merchant.join(activity, placed["group_id"])
    assert buyer.ask_to_pay(order_id).body["paid"]

    merchant.wait(700, every_s=350)  # the stream would have been at once

    today = dashboard(merchant)["today"]
    assert (today["orders_paid"], today["paid_fen"]) == (2, 0)
    assert (today["groups_opened"], today["groups_formed"]) == (1, 1)
    merchant.check_laws()


@pytest.mark.slow
def test_today_is_compared_with_yesterday_until_the_same_hour(morning: MerchantFixture) -> None:
    merchant = morning
    activity = merchant.activity(seats=10)
    group_id, _, _ = merchant.open_group(activity)  # 10:30 of the first day
    merchant.clock.forward(2 * HOUR_S)
    merchant.member(activity, group_id)  # 12:30
    merchant.run_jobs()
    merchant.clock.forward(DAY_S - 2 * HOUR_S + 1200)
    merchant.open_group(activity)  # 10:50 of the second
    merchant.wait(700, every_s=350)

    shown = dashboard(merchant)  # at 11:01

    compared = shown["compared"]
    assert compared["until_s"] == midnight_s(day_of(merchant.now_s)) + 11 * HOUR_S
    assert (compared["today"]["orders_paid"], compared["yesterday"]["orders_paid"]) == (1, 1)
    assert shown["today"]["orders_paid"] == 1
    assert [day["orders_paid"] for day in shown["days"][:3]] == [1, 2, 0]


def test_what_waits_for_somebody_is_counted(morning: MerchantFixture) -> None:
    merchant = morning
    pair = merchant.activity(seats=2, life_h=1)
    group_id, leader, first = merchant.open_group(pair)
    merchant.member(pair, group_id)
    merchant.open_group(pair)
    merchant.run_jobs()
    asked = {"amount_fen": 100, "reason": "damaged"}
    assert leader.post(f"/v1/orders/{first}/after-sales", asked).status == 201
    day = day_of(merchant.now_s).isoformat()
    for number, repaired in (("a", False), ("b", True)):
        item = ReconcilingItem.at(merchant.merchant_id, "wechat_pay", day=day)
        found = Found(number, Difference.UNKNOWN_PAYMENT)
        differences.keep(item, found, repaired=repaired, now_s=merchant.now_s)

    assert dashboard(merchant)["to_do"] == {
        "to_ship": 2,
        "after_sales": 1,
        "refunds": 0,
        "groups_ending_soon": 1,
        "low_stock": 0,
        "differences": 1,
        "rejected_results": 0,
    }


def test_dashboard_costs_three_reads_of_counters_and_one_per_count(
    merchant: MerchantFixture,
) -> None:
    merchant.activity()
    dashboard(merchant)

    with metered() as meter:
        dashboard(merchant)

    reads = [call for call in meter.calls if call != "GetItem"]  # of the person who asks
    assert sorted(reads) == ["BatchGetItem"] * 3 + ["Query"] * 10
    assert meter.units == 0
