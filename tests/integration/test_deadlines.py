"""Time: what counts at a deadline, whether or not a job has run, and what comes too late."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from tests.support import DAY_S, Activity, Buyer, Town
from tests.tills import BOTH

GATEWAYS = BOTH
GRACE_S = 60
PATIENCE_S = 300
PAY_BY_S = 600
TIME_TO_PAY_S = 90  # with less left, no gateway is asked for a payment
CATALOGUE_KEPT_S = 5  # how old an activity may be that buyers are shown


def open_until(town: Town, activity: Activity, left_s: int) -> tuple[str, Buyer, str, int]:
    """(group_id, leader, order_id, expires_at_s) of a group that has `left_s` to live."""
    group_id, leader, order_id = town.open_group(activity)
    expires_at_s = town.stored_group(group_id).expires_at_s
    assert expires_at_s is not None
    town.run_jobs()
    town.clock.forward(expires_at_s - left_s - town.now_s)
    return group_id, leader, order_id, expires_at_s


def progress(town: Town, group_id: str) -> Any:
    return town.visitor().get(f"/v1/merchants/{town.merchant_id}/groups/{group_id}").body


def detail(town: Town, activity: Activity) -> Any:
    path = f"/v1/merchants/{town.merchant_id}/activities/{activity.activity_id}"
    return town.visitor().get(path).body


def change(town: Town, activity: Activity, **changes: Any) -> Any:
    """Staff change the activity's terms; the answer."""
    path = f"/v1/merchant/activities/{activity.activity_id}"
    now = town.owner().get(path).body
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
    reply = town.owner().put(path, body | {"skus": skus, "revision": now["revision"]})
    assert reply.status == 200, reply.body
    town.clock.forward(CATALOGUE_KEPT_S)
    return reply.body


def tell_staff_to(town: Town, activity: Activity, what: str) -> None:
    body = {} if what == "end" else None
    reply = town.owner().post(f"/v1/merchant/activities/{activity.activity_id}/{what}", body)
    assert reply.status == 200, reply.body
    town.clock.forward(CATALOGUE_KEPT_S)


def test_last_second_takes_a_member_and_the_deadline_takes_none(town: Town) -> None:
    activity = town.activity(stock=10)
    group_id, _, _, _ = open_until(town, activity, 1)
    town.join(activity, group_id)

    town.clock.forward(1)
    refused = town.buyer().join(activity, group_id)

    assert (refused.status, refused.code) == (409, "group_closed")
    assert len(town.stored_group(group_id).members.as_dict()) == 2
    assert town.stock(activity) == 8


def test_held_seat_may_be_paid_within_the_grace(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _, _ = open_until(town, activity, 30)
    buyer, order_id = town.join(activity, group_id)
    key = town.prepay(buyer, order_id)

    town.clock.forward(30 + GRACE_S - 1)
    town.till.pay(key)
    assert town.till.quiet()
    town.run_jobs(2)

    assert town.stored_group(group_id).status == "formed"
    assert buyer.status(order_id) == "fulfilling"
    town.check_laws()


def test_payment_made_in_time_counts_although_its_callback_never_comes(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, leader, _, _ = open_until(town, activity, 30)
    members = [town.join(activity, group_id) for _ in range(2)]
    for buyer, order_id in members:
        town.pay_unheard(buyer, order_id)

    town.clock.forward(30 + GRACE_S + 1)
    town.run_jobs(2)

    assert town.stored_group(group_id).status == "formed"
    assert [buyer.status(order_id) for buyer, order_id in members] == ["fulfilling"] * 2
    assert leader.messages()[-1] == "formed"
    assert town.money()["refunded_fen"] == 0
    town.check_laws()


def test_payment_after_the_grace_is_refunded_with_everybody_else(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first, expires_at_s = open_until(town, activity, 30)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)

    town.clock.forward(30 + GRACE_S + 5)
    town.pay_in_spite(f"{order_id}01", paid_at_s=expires_at_s + GRACE_S + 1)
    assert town.stored_group(group_id).status == "open"
    assert buyer.status(order_id) == "pending"
    town.run_jobs(3)

    assert town.stored_group(group_id).failed_reason == "due"
    assert leader.status(first) == "refunded"
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert buyer.messages() == ["late", "refunded"]
    assert leader.messages() == ["failed", "refunded"]
    assert town.stock(activity) == 10
    assert town.money() == {"captured_fen": 11800, "refunded_fen": 11800, "refunding_fen": 0}
    town.check_laws()


def test_nobody_is_asked_to_pay_for_a_group_past_saving(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _, _ = open_until(town, activity, 30)
    buyer, order_id = town.join(activity, group_id)

    town.clock.forward(30 + GRACE_S + 1)
    refused = buyer.ask_to_pay(order_id)

    assert (refused.status, refused.code) == (409, "group_closed")
    assert len(town.till.ledger.summaries()) == 1


def test_silent_gateway_holds_up_a_due_group_only_for_a_while(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first, _ = open_until(town, activity, 30)
    buyer, order_id = town.join(activity, group_id)
    number = town.pay_unheard(buyer, order_id)
    town.till.faults.add("query", "server_error", times=1000)

    town.clock.forward(30 + GRACE_S + 1)
    town.run_jobs()
    assert town.stored_group(group_id).status == "open"
    assert progress(town, group_id)["status"] == "failed"
    assert town.buyer().join(activity, group_id).code == "group_closed"
    town.wait(PATIENCE_S + 60, every_s=120)
    assert town.stored_group(group_id).status == "failed"
    town.till.faults.clear()
    town.resend(number)
    town.run_jobs(3)

    assert town.stored_group(group_id).status == "failed"
    assert leader.status(first) == "refunded"
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert town.money() == {"captured_fen": 11800, "refunded_fen": 11800, "refunding_fen": 0}
    assert town.stock(activity) == 10
    town.check_laws()


def test_gateway_that_answers_within_patience_saves_a_due_group(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _, _ = open_until(town, activity, 30)
    buyer, order_id = town.join(activity, group_id)
    town.pay_unheard(buyer, order_id)
    town.till.faults.add("query", "server_error", times=1000)
    town.clock.forward(30 + GRACE_S + 1)
    town.run_jobs()

    town.till.faults.clear()
    town.wait(120)

    assert town.stored_group(group_id).status == "formed"
    assert buyer.status(order_id) == "fulfilling"
    town.check_laws()


def test_payment_confirmed_after_the_group_failed_revives_nothing(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, _, _, _ = open_until(town, activity, 30)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    town.clock.forward(30 + GRACE_S + 1)
    town.run_jobs(2)
    assert buyer.status(order_id) == "closed"
    before = town.image(town.stored_group(group_id))

    town.pay_in_spite(f"{order_id}01")
    town.run_jobs(2)

    assert town.image(town.stored_group(group_id)) == before
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert town.stock(activity) == 10
    assert buyer.messages() == ["late", "refunded"]
    town.check_laws()


def test_payment_confirmed_after_the_buyer_cancelled_revives_nothing(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    buyer.cancel(order_id)

    town.pay_in_spite(f"{order_id}01")
    town.run_jobs(2)

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert town.stored_group(group_id).seats_paid == 1
    assert town.stock(activity) == 9
    assert town.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}
    town.member(activity, group_id)
    assert town.stored_group(group_id).status == "formed"
    town.run_jobs()
    town.check_laws()


def test_payment_confirmed_after_the_pay_by_time_sells_the_unit_once(town: Town) -> None:
    activity = town.activity(seats=2, stock=2)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    town.wait(PAY_BY_S, every_s=300)
    winner, seated = town.member(activity, group_id)

    town.pay_in_spite(f"{order_id}01")
    town.run_jobs(2)

    assert winner.status(seated) == "fulfilling"
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert town.stock(activity) == 0
    town.check_laws()


def test_gateway_down_at_the_pay_by_time_delays_the_release_and_loses_nothing(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    number = town.pay_unheard(buyer, order_id)
    town.till.faults.add("query", "server_error", times=1000)

    town.wait(PAY_BY_S + PATIENCE_S - 60, every_s=280)
    assert buyer.status(order_id) == "pending"
    assert town.buyer().join(activity, group_id).code == "group_full"
    town.wait(120)
    assert buyer.status(order_id) == "closed"
    assert town.stock(activity) == 9
    town.till.faults.clear()
    town.wait(120)  # nobody resends the callback: the jobs ask

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert [r["out_refund_no"] for r in buyer.order(order_id)["refunds"]] == [f"{number}L"]
    assert town.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}
    town.check_laws()


def test_payment_whose_callback_is_lost_is_found_by_asking(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.pay_unheard(buyer, order_id)

    town.clock.forward(90)
    town.run_jobs()

    assert buyer.status(order_id) == "fulfilling"
    town.check_laws()


def test_jobs_are_down_across_a_deadline_and_nobody_sees_it(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, leader, first, expires_at_s = open_until(town, activity, 30)
    buyer, order_id = town.member(activity, group_id)
    assert [g["group_id"] for g in detail(town, activity)["joinable_groups"]] == [group_id]

    town.clock.forward(30)
    shown = progress(town, group_id)
    assert (shown["status"], shown["next_poll_s"]) == ("open", 2)
    assert detail(town, activity)["joinable_groups"] == []
    assert town.buyer().join(activity, group_id).code == "group_closed"
    town.clock.forward(GRACE_S + 3600)
    shown = progress(town, group_id)
    assert (shown["status"], shown["failed_reason"]) == ("failed", "due")
    assert town.buyer().join(activity, group_id).code == "group_closed"
    assert leader.cancel(first).status == 409
    assert town.stored_group(group_id).status == "open"

    town.run_jobs(3)
    assert town.stored_group(group_id).status == "failed"
    assert progress(town, group_id)["next_poll_s"] == 0
    assert [leader.status(first), buyer.status(order_id)] == ["refunded", "refunded"]
    assert town.stored_group(group_id).expires_at_s == expires_at_s
    town.check_laws()


def test_deadline_is_decided_once_however_often_the_jobs_run(town: Town) -> None:
    activity = town.activity(seats=5, stock=10)
    group_id, leader, first, _ = open_until(town, activity, 60)
    members = [town.member(activity, group_id) for _ in range(3)]
    held, unpaid = town.join(activity, group_id)

    town.clock.forward(60 + GRACE_S)
    town.run_jobs(5)

    for buyer, order_id in [(leader, first), *members]:
        assert buyer.order(order_id)["status_text"] == "已退款"
        assert buyer.messages()[-2:] == ["failed", "refunded"]
    assert (held.status(unpaid), held.messages()) == ("closed", [])
    assert town.stock(activity) == 10
    assert [len(t["refunds"]) for t in town.till.ledger.summaries() if t["refunds"]] == [1] * 4
    town.check_laws()


def test_groups_clock_starts_when_the_leaders_payment_is_heard(town: Town) -> None:
    activity = town.activity(stock=10, life_h=1)
    leader = town.buyer()
    placed = leader.open(activity).body
    number = town.pay_unheard(leader, placed["order_id"])
    town.clock.forward(80)

    town.resend(number)

    assert town.stored_group(placed["group_id"]).expires_at_s == town.now_s + 3600


def test_group_lives_no_longer_than_its_activity(town: Town) -> None:
    activity = town.activity(stock=10, life_h=24, days=1)
    ends_at_s = town.now_s + DAY_S
    town.clock.forward(DAY_S - 3600)

    group_id, leader, first = town.open_group(activity)
    assert town.stored_group(group_id).expires_at_s == ends_at_s
    town.wait(3600 + GRACE_S, every_s=1800)
    town.run_jobs(2)

    assert town.stored_group(group_id).status == "failed"
    assert leader.status(first) == "refunded"
    assert town.buyer().open(activity).code == "activity_closed"
    town.check_laws()


def test_leader_heard_after_the_activity_ended_has_a_group_that_fails_by_its_rule(
    town: Town,
) -> None:
    activity = town.activity(stock=10, days=1)
    town.clock.forward(DAY_S - TIME_TO_PAY_S)
    leader = town.buyer()
    placed = leader.open(activity).body
    number = town.pay_unheard(leader, placed["order_id"])
    town.clock.forward(TIME_TO_PAY_S + GRACE_S)

    town.resend(number)
    assert progress(town, placed["group_id"])["status"] == "failed"
    assert town.buyer().join(activity, placed["group_id"]).code == "group_closed"
    town.run_jobs(3)

    assert town.stored_group(placed["group_id"]).failed_reason == "due"
    assert leader.status(placed["order_id"]) == "refunded"
    town.check_laws()


def test_leader_who_pays_after_the_activity_ended_is_refunded_and_opens_nothing(
    town: Town,
) -> None:
    activity = town.activity(stock=10, days=1)
    town.clock.forward(DAY_S - TIME_TO_PAY_S)
    leader = town.buyer()
    placed = leader.open(activity).body
    town.prepay(leader, placed["order_id"])
    town.clock.forward(TIME_TO_PAY_S + 1)
    assert leader.ask_to_pay(placed["order_id"]).code == "group_closed"

    town.pay_in_spite(f"{placed['order_id']}01")
    town.wait(PAY_BY_S, every_s=300)

    assert town.stored_group(placed["group_id"]).failed_reason == "leader_unpaid"
    assert leader.order(placed["order_id"])["status_text"] == "已关闭·已退款"
    town.check_laws()


def test_edited_activity_leaves_open_groups_their_terms(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, price_fen=5900, life_h=24)
    group_id, _, _ = town.open_group(activity)

    changed = change(town, activity, price_fen=4900, seats_total=3, life_h=1)
    fresh = Activity(activity.activity_id, changed["version"], "", activity.sku_id)
    joined = town.buyer().join(fresh, group_id)  # the client knows the new version only
    new_group, _, newest = town.open_group(fresh)

    assert (joined.status, joined.body["total_fen"]) == (201, 5900)
    old, new = town.stored_group(group_id), town.stored_group(new_group)
    assert (old.version, old.seats_total, old.life_s) == (1, 2, 86400)
    assert (new.version, new.seats_total, new.life_s) == (2, 3, 3600)
    assert town.stored_order(newest).total_fen == 4900
    assert progress(town, group_id)["group_price_fen"] == 5900
    assert town.stored_group(group_id).view().seats_taken == 2
    town.check_laws(quiescent=False)


def test_smaller_limit_per_order_does_not_bind_groups_that_are_open(town: Town) -> None:
    activity = town.activity(seats=3, stock=20, limit_per_order=5)
    group_id, _, _ = town.open_group(activity)
    changed = change(town, activity, limit_per_order=1)
    fresh = Activity(activity.activity_id, changed["version"], "", activity.sku_id)

    joined = town.buyer().join(fresh, group_id, quantity=5)
    opened = town.buyer().open(fresh, quantity=2)

    assert (joined.status, joined.body["total_fen"]) == (201, 29500)
    assert (opened.status, opened.body["details"]["field"]) == (400, "quantity")
    assert town.stock(activity) == 14


def test_paused_activity_opens_no_groups_and_lets_open_ones_form(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first = town.open_group(activity)
    tell_staff_to(town, activity, "pause")

    refused = town.buyer().open(activity)
    town.member(activity, group_id)
    town.run_jobs()

    assert (refused.status, refused.code) == (409, "activity_closed")
    assert refused.body["details"]["state"] == "paused"
    assert detail(town, activity)["state"] == "paused"
    assert leader.status(first) == "fulfilling"
    tell_staff_to(town, activity, "resume")
    assert town.buyer().open(activity).status == 201
    town.check_laws()


def test_ended_activity_lets_open_groups_end_by_their_own_rules(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, product_stock=12)
    forming, leader, first = town.open_group(activity)
    failing, unlucky, second = town.open_group(activity)
    pending = town.buyer().open(activity).body
    tell_staff_to(town, activity, "end")
    assert town.buyer().open(activity).body["details"]["state"] == "ended"

    town.member(activity, forming)
    town.run_jobs()
    assert leader.status(first) == "fulfilling"
    town.wait(28 * 3600, every_s=4 * 3600)

    assert town.stored_group(failing).failed_reason == "due"
    assert unlucky.status(second) == "refunded"
    assert town.stored_group(pending["group_id"]).failed_reason == "leader_unpaid"
    assert (town.stock(activity), town.product_stock(activity)) == (0, 10)
    town.check_laws()


def test_units_that_return_after_the_closing_go_to_the_product(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, days=1, life_h=1)
    town.clock.forward(DAY_S - 3000)
    group_id, leader, first = town.open_group(activity)
    town.clock.forward(2900)
    buyer, held = town.join(activity, group_id)
    town.prepay(buyer, held)
    town.till.faults.add("query", "server_error", times=1000)

    town.clock.forward(100 + 120)  # the activity's stock goes back before the group is decided
    town.run_jobs()
    assert (town.stock(activity), town.product_stock(activity)) == (0, 8)
    town.till.faults.clear()
    town.wait(120)

    assert leader.status(first) == "refunded"
    assert buyer.status(held) == "closed"
    assert (town.stock(activity), town.product_stock(activity)) == (0, 10)
    town.check_laws()


@pytest.mark.parametrize("path", ["groups", "orders"])
def test_activity_that_does_not_exist_sells_nothing(town: Town, path: str) -> None:
    buyer, activity = town.buyer(), town.activity(stock=10)
    unknown = Activity(new_id(), 1, "", activity.sku_id)

    reply = buyer.open(unknown) if path == "groups" else buyer.buy_alone(unknown)

    assert (reply.status, reply.code) == (404, "not_found")
