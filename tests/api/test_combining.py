"""拼团合并 over HTTP: members of a group that is due without being full go on in another one."""

from typing import Any

import pytest

from chalicelib.domain.activity import Tier
from tests.api.test_deadlines import GRACE_S, change, progress
from tests.api.test_leader_free import back
from tests.fixtures.coupons import given_out
from tests.fixtures.group_requests import request_closing
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one

pytestmark = pytest.mark.slow

AGREES: Any = {"agrees_to_combine": True}
HOUR_S, PAY_BY_S = 3600, 600
Seat = tuple[Buyer, str]


def sold(merchant: MerchantFixture, **terms: Any) -> Activity:
    """In groups of three that live for an hour."""
    return merchant.activity(**{"seats": 3, "life_h": 1, "stock": 20, "combines": True, **terms})


def opened(merchant: MerchantFixture, activity: Activity, **more: Any) -> tuple[str, Seat]:
    """(group_id, the leader and their order) of one that was opened ten minutes ago."""
    group_id, leader, order_id = merchant.open_group(activity, **more)
    merchant.clock.forward(PAY_BY_S)
    merchant.run_jobs()
    return group_id, (leader, order_id)


def until_due(merchant: MerchantFixture, group_id: str) -> None:
    """Let the group's deadline and grace pass, and the jobs run."""
    due_at_s = (merchant.stored_group(group_id).expires_at_s or 0) + GRACE_S
    merchant.clock.forward(due_at_s + 1 - merchant.now_s)
    merchant.run_jobs(2)


def page(merchant: MerchantFixture, who: Any, group_id: str) -> Any:
    return who.get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page").body


def of_staff(merchant: MerchantFixture, group_id: str) -> Any:
    return merchant.owner().get(f"/v1/merchant/groups/{group_id}").body


def leads_to(group_id: str) -> dict[str, Any]:
    words = "到时未满，同意合并的团员已并入同款的另一个团"
    return {"group_id": group_id, "mine": False, "text": words}


def told(buyer: Buyer) -> dict[str, str]:
    return {one["text_key"]: one["text"] for one in buyer.get("/v1/me/messages").body["items"]}


def members(merchant: MerchantFixture, group_id: str) -> set[str]:
    return set(merchant.stored_group(group_id).members)


def test_who_agreed_goes_on_in_the_other_group_and_forms_it(merchant: MerchantFixture) -> None:
    activity = sold(merchant, limit_per_buyer=5, leader_price_fen=4900)
    due, (leader, first) = opened(merchant, activity, **AGREES)
    friend, second = merchant.member(activity, due, quantity=2, **AGREES)
    other, (host, third) = opened(merchant, activity)
    assert page(merchant, leader, due)["combines"] is leader.order(first)["agrees_to_combine"]
    assert host.order(third)["agrees_to_combine"] is False

    until_due(merchant, due)

    source, target = merchant.stored_group(due), merchant.stored_group(other)
    assert (source.status, source.failed_reason, source.seats_paid) == ("failed", "due", 0)
    assert (source.combined_into, members(merchant, due)) == (other, set())
    assert (target.status, target.seats_paid) == ("formed", 3)
    assert members(merchant, other) == {one.buyer_id for one in (leader, friend, host)}
    orders = [one[0].order(one[1]) for one in ((leader, first), (friend, second), (host, third))]
    assert [one["status"] for one in orders] == ["fulfilling"] * 3
    assert [bool(one["combined"]) for one in orders] == [True, True, False]
    assert [one["total_fen"] for one in orders] == [4900, 11800, 4900]
    assert leader.messages() == ["opened", "one_left", "combined", "formed"]
    assert "已和同款的团合并，人数满了，马上成团。" in told(friend)["combined"]
    assert merchant.money() == {"captured_fen": 21600, "refunded_fen": 0, "refunding_fen": 0}
    assert (merchant.stock(activity), merchant.limit_used(activity, friend)) == (16, 2)
    merchant.check_laws()


def test_old_link_leads_on_and_what_was_done_before_is_answered_as_it_was(
    merchant: MerchantFixture,
) -> None:
    activity, key = sold(merchant), "the-opening-of-one"
    due, (leader, first) = opened(merchant, activity, key=key, **AGREES)
    friend, second = merchant.member(activity, due, quantity=2, **AGREES)
    other, _ = opened(merchant, activity)
    until_due(merchant, due)

    went = page(merchant, leader, due)
    assert (went["role"], went["combined"]) == ("stranger", {**leads_to(other), "mine": True})
    assert page(merchant, merchant.visitor(), due)["combined"] == leads_to(other)
    assert page(merchant, friend, other)["role"] == "member"
    assert page(merchant, friend, other)["combined"] is None
    assert leader.open(activity, key=key, **AGREES).body["order_id"] == first
    assert friend.join(activity, due, quantity=2).body["order_id"] == second
    assert merchant.buyer().join(activity, due).code == "group_closed"

    left, came = of_staff(merchant, due), of_staff(merchant, other)
    assert (left["combined_into"], left["moved"], came["moved"]) == (other, 2, 0)
    assert [(one["is_gone"], one["is_leader"]) for one in left["members"]] == [
        (True, True),
        (True, False),
    ]
    assert [one["came"] for one in came["members"]] == [False, True, True]
    assert [one["what"] for one in left["events"]] == ["opened", "paid", "combined_into", "failed"]
    assert [one["what"] for one in came["events"]] == ["opened", "combined_from", "formed"]
    assert "2 人并入这个团" in came["events"][1]["text"]
    file = merchant.owner().get(f"/v1/merchant/orders/{first}").body
    assert (file["group_id"], file["first_group_id"], file["agrees_to_combine"]) == (
        other,
        due,
        True,
    )
    assert "到时未满，按买家同意并入同款的另一个团" in [one["text"] for one in file["timeline"]]
    found = merchant.owner().get(f"/v1/merchant/orders?q={due}").body["items"]
    assert {one["order_id"] for one in found} == {first, second}


def test_who_did_not_agree_is_refunded_and_who_goes_on_may_go_on_again(
    merchant: MerchantFixture,
) -> None:
    template_id = given_out(merchant)
    activity = sold(merchant, seats=4, compensation_id=template_id)
    due, (leader, first) = opened(merchant, activity)
    friend, second = merchant.member(activity, due, **AGREES)
    other, (host, third) = opened(merchant, activity)
    last, (late, fourth) = opened(merchant, activity, **AGREES)
    merchant.clock.forward(1500)
    holder, held = merchant.join(activity, due, **AGREES)
    merchant.prepay(holder, held)

    until_due(merchant, due)

    assert leader.status(first) in ("refunding", "refunded")
    assert "compensated" in leader.messages()
    assert (friend.status(second), holder.status(held)) == ("paid", "closed")
    assert members(merchant, other) == {friend.buyer_id, host.buyer_id}
    assert told(friend)["combined"].endswith("已和同款的团合并，还差 2 人成团。")
    assert page(merchant, friend, other)["progress"]["seats_missing"] == 2
    merchant.pay_in_spite(f"{held}01")  # too late: it finds no seat, as ever
    merchant.run_jobs(3)
    assert holder.order(held)["status_text"] == "已关闭·已退款"
    merchant.check_laws()

    until_due(merchant, other)
    assert members(merchant, last) == {friend.buyer_id, late.buyer_id}
    assert page(merchant, friend, due)["combined"] == {**leads_to(last), "mine": True}
    assert host.status(third) in ("refunding", "refunded")
    until_due(merchant, last)
    merchant.run_jobs(3)

    assert merchant.stored_group(last).combined_into is None
    assert [friend.status(second), late.status(fourth)] == ["refunded"] * 2
    assert friend.messages().count("combined") == 2
    assert friend.messages()[-3:] == ["compensated", "failed", "refunded"]
    counted = merchant.owner().get(f"/v1/merchant/activities/{activity.activity_id}").body
    assert counted["groups"]["failed"] == 3
    assert merchant.stock(activity) == 20
    merchant.check_laws()


def test_groups_that_are_due_at_the_same_time_fill_each_other(merchant: MerchantFixture) -> None:
    activity = sold(merchant, seats=2)
    pairs = [opened(merchant, activity, **AGREES) for _ in range(4)]
    for group_id, _ in pairs:  # as all are at the end of their activity
        merchant.owner().post(
            f"/v1/merchant/groups/{group_id}/extension",
            {"hours": 24, "expires_at_s": merchant.stored_group(group_id).expires_at_s},
        )

    until_due(merchant, pairs[-1][0])
    merchant.run_jobs(2)

    assert sorted(merchant.stored_group(group_id).status for group_id, _ in pairs) == [
        "failed", "failed", "formed", "formed",
    ]  # fmt: skip
    assert {buyer.status(order_id) for _, (buyer, order_id) in pairs} == {"fulfilling"}
    merchant.check_laws()


def test_nobody_is_moved_where_they_have_a_seat_or_there_is_none(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant, seats=3)
    due, (leader, first) = opened(merchant, activity, **AGREES)
    friend, second = merchant.member(activity, due, **AGREES)
    full, _ = opened(merchant, activity)
    merchant.member(activity, full)  # one seat is free, two want to move
    change(merchant, activity, combines=True, seats_total=4)
    newer, _ = opened(merchant, activity)
    until_due(merchant, due)
    assert {leader.status(first), friend.status(second)} <= {"refunding", "refunded"}
    assert not merchant.stored_group(full).combined_from
    assert not merchant.stored_group(newer).combined_from
    assert progress(merchant, due)["status"] == "failed"
    until_due(merchant, newer)

    again, (twice, third) = opened(merchant, activity, **AGREES)
    other, _ = opened(merchant, activity)
    once_more, joined = merchant.member(activity, other, merchant.buyer())
    merge_into_an_older_one(merchant, once_more)
    merchant.member(activity, other, twice)
    until_due(merchant, again)

    assert twice.status(third) in ("refunding", "refunded")
    assert once_more.status(joined) == "paid"
    assert "combined" not in twice.messages()
    merchant.wait(2 * HOUR_S, every_s=HOUR_S)
    merchant.check_laws()


def test_person_with_two_ids_is_moved_into_no_group_in_which_the_other_has_a_seat(
    merchant: MerchantFixture,
) -> None:
    activity = sold(merchant)
    due, _ = opened(merchant, activity)
    younger = merchant.buyer()
    merge = merge_into_an_older_one(merchant, younger)
    _, order_id = merchant.member(activity, due, younger, **AGREES)
    older = merge()
    other, _ = opened(merchant, activity)
    merchant.member(activity, other, merchant.session(older))

    until_due(merchant, due)

    parsed = merchant.stored_order(order_id)
    assert (parsed.group_id, parsed.first_group_id) == (due, None)
    assert parsed.status in ("refunding", "refunded")
    merchant.check_laws()


def test_group_that_staff_close_is_not_combined(merchant: MerchantFixture) -> None:
    activity = sold(merchant)
    due, (leader, first) = opened(merchant, activity, **AGREES)
    other, _ = opened(merchant, activity)

    assert request_closing(merchant, due).status == 200
    merchant.run_jobs(3)

    assert leader.status(first) == "refunded"
    assert not merchant.stored_group(other).combined_from
    merchant.check_laws()


def test_group_that_may_form_with_fewer_forms_and_one_with_too_few_is_combined(
    merchant: MerchantFixture,
) -> None:
    tiers = (Tier(3, 400), Tier(4, 1000))
    activity = sold(merchant, seats=4, seats_least=2, tiers=tiers, leader_price_fen=4900)
    forms, _ = opened(merchant, activity, **AGREES)
    merchant.member(activity, forms, **AGREES)
    alone, (leader, first) = opened(merchant, activity, **AGREES)
    other, _ = opened(merchant, activity)

    until_due(merchant, forms)
    until_due(merchant, alone)

    assert merchant.stored_group(forms).status == "formed"
    assert merchant.stored_group(alone).combined_into == other
    words = "已和同款的团合并。已满 2 人，到时成团；再来 2 人立即成团。"
    assert told(leader)["combined"].endswith(words)
    friend = merchant.member(activity, other)
    until_due(merchant, other)
    merchant.run_jobs(2)
    assert merchant.stored_group(other).status == "formed"
    # Who led the group that was combined paid less for it, and gets back what its leader does.
    assert back(leader, first) == back(*friend) == [("f", 400, "succeeded")]
    merchant.check_laws()


def test_consent_counts_only_where_the_terms_offer_it(merchant: MerchantFixture) -> None:
    activity = sold(merchant, combines=False)
    due, (leader, first) = opened(merchant, activity, **AGREES)
    other, _ = opened(merchant, activity)

    assert leader.order(first)["agrees_to_combine"] is False
    until_due(merchant, due)

    assert merchant.stored_group(due).combined_into is None
    assert merchant.stored_order(first).combinable is None
    assert not merchant.stored_group(other).combined_from
    merchant.wait(HOUR_S)
    merchant.check_laws()


def test_term_is_shown_copied_and_refused_where_groups_are_somebodys_own(
    merchant: MerchantFixture,
) -> None:
    activity, owner = sold(merchant), merchant.owner()
    base = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    path = f"/v1/merchant/activities/{activity.activity_id}"

    draft = owner.post(f"{path}/copy").body
    shown = [merchant.visitor().get(base).body, draft, owner.get(path).body]
    assert [it["combines"] for it in shown] == [True] * 3
    for others in ({"leader_free": True}, {"new_buyers": "joiners"}):
        asked = owner.post("/v1/merchant/activities/check", draft | others).body["problems"]
        assert "combines" in [one["field"] for one in asked]
    assert change(merchant, activity)["combines"] is False
