"""Time: what counts at a deadline, whether or not a job has run, and what comes too late."""

from typing import Any

import pytest

from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture
from tests.fixtures.payment_fixtures import BOTH

pytestmark = pytest.mark.slow

GATEWAYS = BOTH
GRACE_S = 60
PATIENCE_S = 300
PAY_BY_S = 600
TIME_TO_PAY_S = 90  # with less left, no gateway is asked for a payment
CATALOGUE_KEPT_S = 5  # how old an activity may be that buyers are shown


def open_until(
    merchant: MerchantFixture, activity: Activity, left_s: int
) -> tuple[str, Buyer, str, int]:
    """(group_id, leader, order_id, expires_at_s) of a group that has `left_s` to live."""
    group_id, leader, order_id = merchant.open_group(activity)
    expires_at_s = merchant.stored_group(group_id).expires_at_s
    assert expires_at_s is not None
    merchant.run_jobs()
    merchant.clock.forward(expires_at_s - left_s - merchant.now_s)
    return group_id, leader, order_id, expires_at_s


def progress(merchant: MerchantFixture, group_id: str) -> Any:
    return merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}").body


def detail(merchant: MerchantFixture, activity: Activity) -> Any:
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    return merchant.visitor().get(path).body


def change(merchant: MerchantFixture, activity: Activity, **changes: Any) -> Any:
    """Staff change the activity's terms; the answer."""
    path = f"/v1/merchant/activities/{activity.activity_id}"
    now = merchant.owner().get(path).body
    names = ("title", "seats_total", "life_h", "ends_at_s", "limit_per_buyer", "limit_per_order")
    price_fen = changes.pop("price_fen", None)
    skus = [
        {
            "sku_id": sku["sku_id"],
            "group_price_fen": sku["group_price_fen"] if price_fen is None else price_fen,
        }
        for sku in now["skus"]
    ]
    body = {name: now[name] for name in names} | changes
    reply = merchant.owner().put(path, body | {"skus": skus, "revision": now["revision"]})
    assert reply.status == 200, reply.body
    merchant.clock.forward(CATALOGUE_KEPT_S)
    return reply.body


def tell_staff_to(merchant: MerchantFixture, activity: Activity, what: str) -> None:
    body: dict[str, Any] | None = {} if what == "end" else None
    reply = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/{what}", body)
    assert reply.status == 200, reply.body
    merchant.clock.forward(CATALOGUE_KEPT_S)


def test_last_second_takes_a_member_and_the_deadline_takes_none(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    group_id, _, _, _ = open_until(merchant, activity, 1)
    merchant.join(activity, group_id)

    merchant.clock.forward(1)
    refused = merchant.buyer().join(activity, group_id)

    assert (refused.status, refused.code) == (409, "group_closed")
    assert len(merchant.stored_group(group_id).members.as_dict()) == 2
    assert merchant.stock(activity) == 8


def test_held_seat_may_be_paid_within_the_grace(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _, _ = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)
    key = merchant.prepay(buyer, order_id)

    merchant.clock.forward(30 + GRACE_S - 1)
    merchant.gateway.pay(key)
    assert merchant.gateway.quiet()
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "formed"
    assert buyer.status(order_id) == "fulfilling"
    merchant.check_laws()


def test_payment_made_in_time_counts_although_its_callback_never_comes(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _, _ = open_until(merchant, activity, 30)
    members = [merchant.join(activity, group_id) for _ in range(2)]
    for buyer, order_id in members:
        merchant.pay_unheard(buyer, order_id)

    merchant.clock.forward(30 + GRACE_S + 1)
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "formed"
    assert [buyer.status(order_id) for buyer, order_id in members] == ["fulfilling"] * 2
    assert leader.messages()[-1] == "formed"
    assert merchant.money()["refunded_fen"] == 0
    merchant.check_laws()


def test_payment_after_the_grace_is_refunded_with_everybody_else(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first, expires_at_s = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)

    merchant.clock.forward(30 + GRACE_S + 5)
    merchant.pay_in_spite(f"{order_id}01", paid_at_s=expires_at_s + GRACE_S + 1)
    assert merchant.stored_group(group_id).status == "open"
    assert buyer.status(order_id) == "pending"
    merchant.run_jobs(3)

    assert merchant.stored_group(group_id).failed_reason == "due"
    assert leader.status(first) == "refunded"
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert buyer.messages() == ["late", "refunded"]
    assert leader.messages() == ["failed", "refunded"]
    assert merchant.stock(activity) == 10
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 11800, "refunding_fen": 0}
    merchant.check_laws()


def test_nobody_is_asked_to_pay_for_a_group_past_saving(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _, _ = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)

    merchant.clock.forward(30 + GRACE_S + 1)
    refused = buyer.ask_to_pay(order_id)

    assert (refused.status, refused.code) == (409, "group_closed")
    assert len(merchant.gateway.ledger.summaries()) == 1


def test_silent_gateway_holds_up_a_due_group_only_for_a_while(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first, _ = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=1000)

    merchant.clock.forward(30 + GRACE_S + 1)
    merchant.run_jobs()
    assert merchant.stored_group(group_id).status == "open"
    assert progress(merchant, group_id)["status"] == "failed"
    assert merchant.buyer().join(activity, group_id).code == "group_closed"
    merchant.wait(PATIENCE_S + 60, every_s=120)
    assert merchant.stored_group(group_id).status == "failed"
    merchant.gateway.faults.clear()
    merchant.resend(number)
    merchant.run_jobs(3)

    assert merchant.stored_group(group_id).status == "failed"
    assert leader.status(first) == "refunded"
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 11800, "refunding_fen": 0}
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_gateway_that_answers_within_patience_saves_a_due_group(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _, _ = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=1000)
    merchant.clock.forward(30 + GRACE_S + 1)
    merchant.run_jobs()

    merchant.gateway.faults.clear()
    merchant.wait(120)

    assert merchant.stored_group(group_id).status == "formed"
    assert buyer.status(order_id) == "fulfilling"
    merchant.check_laws()


def test_payment_confirmed_after_the_group_failed_revives_nothing(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _, _ = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)
    merchant.clock.forward(30 + GRACE_S + 1)
    merchant.run_jobs(2)
    assert buyer.status(order_id) == "closed"
    before = merchant.image(merchant.stored_group(group_id))

    merchant.pay_in_spite(f"{order_id}01")
    merchant.run_jobs(2)

    assert merchant.image(merchant.stored_group(group_id)) == before
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert merchant.stock(activity) == 10
    assert buyer.messages() == ["late", "refunded"]
    merchant.check_laws()


def test_payment_confirmed_after_the_buyer_cancelled_revives_nothing(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)
    buyer.cancel(order_id)

    merchant.pay_in_spite(f"{order_id}01")
    merchant.run_jobs(2)

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert merchant.stored_group(group_id).seats_paid == 1
    assert merchant.stock(activity) == 9
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}
    merchant.member(activity, group_id)
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs()
    merchant.check_laws()


def test_gateway_down_at_the_pay_by_time_delays_the_release_and_loses_nothing(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=1000)

    merchant.wait(PAY_BY_S + PATIENCE_S - 60, every_s=280)
    assert buyer.status(order_id) == "pending"
    assert merchant.buyer().join(activity, group_id).code == "group_full"
    merchant.wait(120)
    assert buyer.status(order_id) == "closed"
    assert merchant.stock(activity) == 9
    merchant.gateway.faults.clear()
    merchant.wait(120)  # nobody resends the callback: the jobs ask

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert [r["out_refund_no"] for r in buyer.order(order_id)["refunds"]] == [f"{number}L"]
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}
    merchant.check_laws()


def test_payment_whose_callback_is_lost_is_found_by_asking(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.pay_unheard(buyer, order_id)

    merchant.clock.forward(90)
    merchant.run_jobs()

    assert buyer.status(order_id) == "fulfilling"
    merchant.check_laws()


def test_jobs_are_down_across_a_deadline_and_nobody_sees_it(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first, expires_at_s = open_until(merchant, activity, 30)
    buyer, order_id = merchant.member(activity, group_id)
    assert [g["group_id"] for g in detail(merchant, activity)["joinable_groups"]] == [group_id]

    merchant.clock.forward(30)
    shown = progress(merchant, group_id)
    assert (shown["status"], shown["next_poll_s"]) == ("open", 2)
    assert detail(merchant, activity)["joinable_groups"] == []
    assert merchant.buyer().join(activity, group_id).code == "group_closed"
    merchant.clock.forward(GRACE_S + 3600)
    shown = progress(merchant, group_id)
    assert (shown["status"], shown["failed_reason"]) == ("failed", "due")
    assert merchant.buyer().join(activity, group_id).code == "group_closed"
    assert leader.cancel(first).status == 409
    assert merchant.stored_group(group_id).status == "open"

    merchant.run_jobs(3)
    assert merchant.stored_group(group_id).status == "failed"
    assert progress(merchant, group_id)["next_poll_s"] == 0
    assert [leader.status(first), buyer.status(order_id)] == ["refunded", "refunded"]
    assert merchant.stored_group(group_id).expires_at_s == expires_at_s
    merchant.check_laws()


def test_deadline_is_decided_once_however_often_the_jobs_run(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=5, stock=10)
    group_id, leader, first, _ = open_until(merchant, activity, 60)
    members = [merchant.member(activity, group_id) for _ in range(3)]
    held, unpaid = merchant.join(activity, group_id)

    merchant.clock.forward(60 + GRACE_S)
    merchant.run_jobs(5)

    for buyer, order_id in [(leader, first), *members]:
        assert buyer.order(order_id)["status_text"] == "已退款"
        assert buyer.messages()[-2:] == ["failed", "refunded"]
    assert (held.status(unpaid), held.messages()) == ("closed", [])
    assert merchant.stock(activity) == 10
    assert [len(t["refunds"]) for t in merchant.gateway.ledger.summaries() if t["refunds"]] == [
        1
    ] * 4
    merchant.check_laws()


def test_groups_clock_starts_when_the_leaders_payment_is_heard(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, life_h=1)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    number = merchant.pay_unheard(leader, placed["order_id"])
    merchant.clock.forward(80)

    merchant.resend(number)

    assert merchant.stored_group(placed["group_id"]).expires_at_s == merchant.now_s + 3600


def test_group_lives_no_longer_than_its_activity(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, life_h=24, days=1)
    ends_at_s = merchant.now_s + DAY_S
    merchant.clock.forward(DAY_S - 3600)

    group_id, leader, first = merchant.open_group(activity)
    assert merchant.stored_group(group_id).expires_at_s == ends_at_s
    merchant.wait(3600 + GRACE_S, every_s=1800)
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "failed"
    assert leader.status(first) == "refunded"
    assert merchant.buyer().open(activity).code == "activity_closed"
    merchant.check_laws()


def test_leader_heard_after_the_activity_ended_has_a_group_that_fails_by_its_rule(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=10, days=1)
    merchant.clock.forward(DAY_S - TIME_TO_PAY_S)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    number = merchant.pay_unheard(leader, placed["order_id"])
    merchant.clock.forward(TIME_TO_PAY_S + GRACE_S)

    merchant.resend(number)
    assert progress(merchant, placed["group_id"])["status"] == "failed"
    assert merchant.buyer().join(activity, placed["group_id"]).code == "group_closed"
    merchant.run_jobs(3)

    assert merchant.stored_group(placed["group_id"]).failed_reason == "due"
    assert leader.status(placed["order_id"]) == "refunded"
    merchant.check_laws()


def test_leader_who_pays_after_the_activity_ended_is_refunded_and_opens_nothing(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=10, days=1)
    merchant.clock.forward(DAY_S - TIME_TO_PAY_S)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    merchant.prepay(leader, placed["order_id"])
    merchant.clock.forward(TIME_TO_PAY_S + 1)
    assert leader.ask_to_pay(placed["order_id"]).code == "group_closed"

    merchant.pay_in_spite(f"{placed['order_id']}01")
    merchant.wait(PAY_BY_S, every_s=300)

    assert merchant.stored_group(placed["group_id"]).failed_reason == "leader_unpaid"
    assert leader.order(placed["order_id"])["status_text"] == "已关闭·已退款"
    merchant.check_laws()


def test_edited_activity_leaves_open_groups_their_terms(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, price_fen=5900, life_h=24)
    group_id, _, _ = merchant.open_group(activity)

    changed = change(merchant, activity, price_fen=4900, seats_total=3, life_h=1)
    fresh = Activity(activity.activity_id, changed["version"], "", activity.sku_id)
    joined = merchant.buyer().join(fresh, group_id)  # the client knows the new version only
    new_group, _, newest = merchant.open_group(fresh)

    assert (joined.status, joined.body["total_fen"]) == (201, 5900)
    old, new = merchant.stored_group(group_id), merchant.stored_group(new_group)
    assert (old.version, old.seats_total, old.life_s) == (1, 2, 86400)
    assert (new.version, new.seats_total, new.life_s) == (2, 3, 3600)
    assert merchant.stored_order(newest).total_fen == 4900
    assert progress(merchant, group_id)["group_price_fen"] == 5900
    assert merchant.stored_group(group_id).view().seats_taken == 2
    merchant.check_laws(quiescent=False)


def test_smaller_limit_per_order_does_not_bind_groups_that_are_open(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=20, limit_per_order=5)
    group_id, _, _ = merchant.open_group(activity)
    changed = change(merchant, activity, limit_per_order=1)
    fresh = Activity(activity.activity_id, changed["version"], "", activity.sku_id)

    joined = merchant.buyer().join(fresh, group_id, quantity=5)
    opened = merchant.buyer().open(fresh, quantity=2)

    assert (joined.status, joined.body["total_fen"]) == (201, 29500)
    assert (opened.status, opened.body["details"]) == (400, {"field": "quantity", "max": 1})
    assert merchant.stock(activity) == 14


def test_paused_activity_opens_no_groups_and_lets_open_ones_form(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    tell_staff_to(merchant, activity, "pause")

    refused = merchant.buyer().open(activity)
    merchant.member(activity, group_id)
    merchant.run_jobs()

    assert (refused.status, refused.code) == (409, "activity_closed")
    assert refused.body["details"]["state"] == "paused"
    assert detail(merchant, activity)["state"] == "paused"
    assert leader.status(first) == "fulfilling"
    tell_staff_to(merchant, activity, "resume")
    assert merchant.buyer().open(activity).status == 201
    merchant.check_laws()


def test_ended_activity_lets_open_groups_end_by_their_own_rules(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=12)
    forming, leader, first = merchant.open_group(activity)
    failing, unlucky, second = merchant.open_group(activity)
    pending = merchant.buyer().open(activity).body
    tell_staff_to(merchant, activity, "end")
    assert merchant.buyer().open(activity).body["details"]["state"] == "ended"

    merchant.member(activity, forming)
    merchant.run_jobs()
    assert leader.status(first) == "fulfilling"
    merchant.wait(28 * 3600, every_s=4 * 3600)

    assert merchant.stored_group(failing).failed_reason == "due"
    assert unlucky.status(second) == "refunded"
    assert merchant.stored_group(pending["group_id"]).failed_reason == "leader_unpaid"
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 10)
    merchant.check_laws()


def test_units_that_return_after_the_closing_go_to_the_product(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, days=1, life_h=1)
    merchant.clock.forward(DAY_S - 3000)
    group_id, leader, first = merchant.open_group(activity)
    merchant.clock.forward(2900)
    buyer, held = merchant.join(activity, group_id)
    merchant.prepay(buyer, held)
    merchant.gateway.faults.add("query", "server_error", times=1000)

    merchant.clock.forward(100 + 120)  # the activity's stock goes back before the group is decided
    merchant.run_jobs()
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 8)
    merchant.gateway.faults.clear()
    merchant.wait(120)

    assert leader.status(first) == "refunded"
    assert buyer.status(held) == "closed"
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 10)
    merchant.check_laws()
