"""Groups that were promised to form at their deadline with fewer than all seats, over HTTP."""

from typing import Any

import pytest

from tests.api.test_deadlines import GRACE_S, PATIENCE_S, change, open_until, progress
from tests.fixtures.coupons import given_out, state
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture
from tests.fixtures.shipping import ship

pytestmark = pytest.mark.slow

COUPON_KEY = "the-one-claim"


def sold(merchant: MerchantFixture, **terms: Any) -> Activity:
    """In groups of three, which form with two at their deadline."""
    return merchant.activity(**{"seats": 3, "seats_least": 2, "stock": 10, **terms})


def with_coupon(merchant: MerchantFixture, activity: Activity, group_id: str) -> tuple[Any, ...]:
    """(buyer, order_id, coupon_id) of a seat that is held with a coupon, while it is paid for."""
    buyer = merchant.buyer()
    path = f"/v1/coupons/{given_out(merchant)}/claims"
    coupon_id = buyer.post(path, Idempotency_Key=COUPON_KEY).body["coupon_id"]
    _, order_id = merchant.join(activity, group_id, buyer, coupon_id=coupon_id)
    merchant.prepay(buyer, order_id)
    return buyer, order_id, coupon_id


def of_staff(merchant: MerchantFixture, group_id: str) -> Any:
    return merchant.owner().get(f"/v1/merchant/groups/{group_id}").body


def test_group_forms_at_its_deadline_with_as_many_as_were_promised(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant, limit_per_buyer=5)
    group_id, leader, first, _ = open_until(merchant, activity, 100)
    friend, second = merchant.member(activity, group_id)
    holder, third, coupon_id = with_coupon(merchant, activity, group_id)
    merchant.run_jobs()
    waiting = progress(merchant, group_id)
    assert (waiting["status"], waiting["seats_least"], waiting["seats_missing"]) == ("open", 2, 1)
    assert leader.order(first)["group"]["seats_least"] == 2
    assert merchant.stock(activity) == 7

    merchant.clock.forward(100 + GRACE_S + 1)
    merchant.run_jobs(2)

    group = merchant.stored_group(group_id)
    assert (group.status, group.seats_paid, set(group.members)) == (
        "formed",
        2,
        {leader.buyer_id, friend.buyer_id},
    )
    assert [leader.status(first), friend.status(second)] == ["fulfilling"] * 2
    assert [leader.messages()[-1], friend.messages()[-1]] == ["formed"] * 2
    # Who did not pay holds nothing any more.
    assert (holder.status(third), holder.messages()) == ("closed", [])
    assert state(holder, coupon_id) == ("usable", None)
    assert (merchant.stock(activity), merchant.limit_used(activity, holder)) == (8, 0)
    merchant.check_laws()

    shown = progress(merchant, group_id)
    assert (shown["status"], shown["seats_total"], shown["seats_paid"]) == ("formed", 3, 2)
    assert (shown["seats_missing"], shown["next_poll_s"]) == (0, 0)
    staffs = of_staff(merchant, group_id)
    assert (staffs["status_text"], staffs["seats_least"], len(staffs["members"])) == (
        "已成团",
        2,
        2,
    )
    timeline = merchant.owner().get(f"/v1/merchant/orders/{first}").body["timeline"]
    assert "2 人成团" in [happened["text"] for happened in timeline]
    assert holder.join(activity, group_id).code == "group_full"
    assert ship(merchant, first).status == 200

    merchant.pay_in_spite(f"{third}01")
    merchant.run_jobs(3)

    assert holder.order(third)["status_text"] == "已关闭·已退款"
    assert holder.messages() == ["late", "refunded"]
    assert merchant.stored_group(group_id).seats_paid == 2
    assert merchant.money() == {"captured_fen": 16700, "refunded_fen": 4900, "refunding_fen": 0}
    merchant.check_laws()


def test_group_with_fewer_than_promised_fails(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    group_id, leader, first, _ = open_until(merchant, activity, 30)
    holder, second = merchant.join(activity, group_id)
    merchant.prepay(holder, second)

    merchant.clock.forward(30 + GRACE_S + 1)
    assert progress(merchant, group_id)["status"] == "open"  # the holder may have paid
    merchant.run_jobs(3)

    assert merchant.stored_group(group_id).failed_reason == "due"
    assert (leader.status(first), holder.status(second)) == ("refunded", "closed")
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_last_seat_forms_the_group_at_once_and_nothing_is_decided_before_the_deadline(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    group_id, _, _, _ = open_until(merchant, activity, 3600)
    merchant.member(activity, group_id)
    merchant.run_jobs()
    assert merchant.stored_group(group_id).status == "open"

    merchant.member(activity, group_id)

    group = merchant.stored_group(group_id)
    assert (group.status, group.seats_paid) == ("formed", 3)
    merchant.run_jobs()
    merchant.check_laws()


def test_payment_that_is_heard_when_the_group_is_due_makes_it_form(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    group_id, leader, _, _ = open_until(merchant, activity, 30)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=1000)

    merchant.clock.forward(30 + GRACE_S + 1)
    merchant.run_jobs()
    shown = progress(merchant, group_id)
    assert (shown["status"], shown["failed_reason"], shown["next_poll_s"]) == ("open", None, 2)
    assert of_staff(merchant, group_id)["status_text"] == "拼团中"
    merchant.gateway.faults.clear()
    merchant.wait(120)

    assert merchant.stored_group(group_id).status == "formed"
    assert buyer.status(order_id) == "fulfilling"
    assert leader.messages()[-1] == "formed"
    merchant.check_laws()


def test_payment_that_is_heard_after_the_group_formed_without_it_is_refunded(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    group_id, _, _, _ = open_until(merchant, activity, 30)
    merchant.member(activity, group_id)
    buyer, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=1000)

    merchant.clock.forward(30 + GRACE_S + 1)
    merchant.run_jobs()
    assert merchant.stored_group(group_id).status == "open"  # it is waited for
    merchant.wait(PATIENCE_S + 60, every_s=120)
    assert merchant.stored_group(group_id).status == "formed"
    merchant.gateway.faults.clear()
    merchant.resend(number)
    merchant.run_jobs(3)

    assert merchant.stored_group(group_id).seats_paid == 2
    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    merchant.check_laws()


def test_free_group_forms_with_fewer(merchant: MerchantFixture) -> None:
    activity = sold(merchant, price_fen=0)
    leader, friend = merchant.buyer("团长"), merchant.buyer()
    opened = leader.open(activity).body
    leader.ask_to_pay(opened["order_id"])
    joined = friend.join(activity, opened["group_id"]).body["order_id"]
    friend.ask_to_pay(joined)

    merchant.wait(24 * 3600 + GRACE_S + 1, every_s=12 * 3600)

    assert merchant.stored_group(opened["group_id"]).status == "formed"
    assert (leader.status(opened["order_id"]), friend.status(joined)) == ("fulfilling",) * 2
    merchant.check_laws()


def test_open_group_keeps_what_was_promised_when_it_was_opened(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    group_id, _, _ = merchant.open_group(activity)
    merchant.member(activity, group_id)

    changed = change(merchant, activity)  # without the promise
    later, leader, order_id = merchant.open_group(activity)
    merchant.member(activity, later)
    merchant.wait(24 * 3600 + 2 * GRACE_S, every_s=12 * 3600)

    assert (changed["seats_least"], changed["version"]) == (0, 2)
    assert merchant.stored_group(group_id).status == "formed"
    assert merchant.stored_group(later).failed_reason == "due"
    assert leader.status(order_id) in ("refunding", "refunded")
    merchant.wait(3600)
    merchant.check_laws()


def test_staff_close_a_group_in_spite_of_the_promise(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    group_id, leader, order_id = merchant.open_group(activity)
    merchant.member(activity, group_id)

    closing = f"/v1/merchant/groups/{group_id}/closing"
    assert merchant.owner().post(closing, {"reason": "缺货"}).status == 200

    assert merchant.stored_group(group_id).failed_reason == "closed_by_merchant"
    merchant.run_jobs(3)
    assert leader.status(order_id) == "refunded"
    merchant.check_laws()


def test_promise_is_shown_copied_and_refused_where_it_is_none(merchant: MerchantFixture) -> None:
    activity, owner = sold(merchant), merchant.owner()
    base = f"/v1/merchants/{merchant.merchant_id}"
    path = f"/v1/merchant/activities/{activity.activity_id}"

    shown = merchant.visitor().get(f"{base}/activities/{activity.activity_id}").body
    (card,) = merchant.visitor().get(f"{base}/activities").body["items"]
    draft = owner.post(f"{path}/copy").body
    told = owner.post("/v1/merchant/activities/check", draft | {"seats_least": 3}).body["problems"]

    assert [it["seats_least"] for it in (shown, card, draft, owner.get(path).body)] == [2] * 4
    words = "到时也成团的人数要比成团人数少，请填 2。"
    assert {"field": "seats_least", "problem": words} in told


def test_members_see_no_empty_seat_in_a_group_that_formed_with_fewer(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    group_id, leader, _ = merchant.open_group(activity)
    member: tuple[Buyer, str] = merchant.member(activity, group_id)
    merchant.wait(24 * 3600 + 2 * GRACE_S, every_s=12 * 3600)

    path = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page"
    pages = [buyer.get(path).body for buyer in (leader, member[0], merchant.buyer("路人"))]

    assert [(page["role"], len(page["seats"])) for page in pages] == [
        ("leader", 2),
        ("member", 2),
        ("stranger", 2),
    ]
