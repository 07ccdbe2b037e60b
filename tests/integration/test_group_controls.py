"""What staff see of groups, and do about them: lists, detail, closing, extension, endings."""

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.domain.activity_draft import WINDOW_MIN_S
from chalicelib.domain.group import FailedReason
from chalicelib.services.groups import activity_closing, group_lists
from chalicelib.tables.records import AuditItem, RecordItem
from chalicelib.tables.trade import ClosingItem
from tests.support import DAY_S, Activity, Buyer, Reply, Town

HOUR_S = 3600
GRACE_S = 60
REASON = "原料临时短缺"


def close(town: Town, group_id: str, reason: str = REASON) -> Reply:
    path = f"/v1/merchant/groups/{group_id}/closing"
    return town.owner().post(path, {"reason": reason})


def extend(town: Town, group_id: str, hours: int, expires_at_s: int | None) -> Reply:
    path = f"/v1/merchant/groups/{group_id}/extension"
    return town.owner().post(path, {"hours": hours, "expires_at_s": expires_at_s})


def end(town: Town, activity: Activity, groups: str) -> Reply:
    path = f"/v1/merchant/activities/{activity.activity_id}/end"
    return town.owner().post(path, {"groups": groups})


def listed(town: Town, **query: str) -> list[str]:
    """The ids of a list's groups, page after page of two."""
    found: list[str] = []
    while True:
        reply = town.owner().get(f"/v1/merchant/groups?{urlencode({'limit': 2, **query})}")
        assert reply.status == 200, reply.body
        found += [row["group_id"] for row in reply.body["items"]]
        if reply.body["next"] is None:
            return found
        query["next"] = reply.body["next"]


def shown(town: Town, group_id: str) -> dict[str, Any]:
    reply = town.owner().get(f"/v1/merchant/groups/{group_id}")
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


def audits(town: Town, action: str) -> list[dict[str, Any]]:
    """What the audit rows of an action say became of their subjects."""
    rows = AuditItem.scan(RecordItem.merchant_id == town.merchant_id, consistent_read=True)
    return [row.after.as_dict() for row in rows if row.action == action]


def formed(town: Town, activity: Activity) -> str:
    group_id, _, _ = town.open_group(activity)
    town.member(activity, group_id)
    return group_id


def test_shops_groups_are_listed_by_tab_and_of_one_activity(town: Town) -> None:
    pears, plums = town.activity(seats=2, life_h=1), town.activity(seats=2, life_h=30)
    later, _, _ = town.open_group(plums)
    town.clock.forward(10)
    sooner = [town.open_group(pears)[0] for _ in range(3)]
    first = formed(town, plums)
    town.clock.forward(1)
    second = formed(town, pears)
    assert close(town, sooner[1]).status == 200

    open_ones = listed(town)

    assert set(open_ones[:2]) == {sooner[0], sooner[2]}
    assert open_ones[2:] == [later]
    assert listed(town, tab="ends_soon") == open_ones[:2]
    assert listed(town, activity_id=plums.activity_id) == [later]
    assert listed(town, tab="formed") == [second, first]
    assert listed(town, tab="formed", activity_id=plums.activity_id) == [first]
    assert listed(town, tab="failed") == [sooner[1]]
    assert listed(town, tab="failed", activity_id=plums.activity_id) == []


def test_group_is_found_by_its_number_and_by_how_its_leaders_name_begins(town: Town) -> None:
    activity = town.activity(seats=2)
    group_id, _, _ = town.open_group(activity, town.buyer("阿黎"))
    town.open_group(activity, town.buyer("大熊"))
    done, _, _ = town.open_group(activity, town.buyer("阿福"))
    town.member(activity, done)

    assert listed(town, q=group_id) == [group_id]
    assert listed(town, q="阿") == [group_id]
    assert listed(town, tab="formed", q="阿") == [done]
    assert listed(town, q="熊") == []


def test_group_of_an_activity_that_was_ended_is_still_in_the_shops_list(town: Town) -> None:
    activity = town.activity(seats=2)
    group_id, _, _ = town.open_group(activity)
    assert end(town, activity, "keep").status == 200
    town.clock.forward(20 * HOUR_S)

    assert listed(town) == [group_id]


def test_shop_with_too_many_activities_is_asked_for_one(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.activity()
    chosen = town.activity()
    monkeypatch.setattr(group_lists, "MERGED_MAX", 1)

    reply = town.owner().get("/v1/merchant/groups")

    assert (reply.status, reply.body["details"]["field"]) == (400, "activity_id")
    assert town.owner().get("/v1/merchant/dashboard").body["to_do"]["groups_ending_soon"] is None
    assert listed(town, activity_id=chosen.activity_id) == []


def test_group_is_shown_with_its_members_and_what_happened(town: Town) -> None:
    activity = town.activity(seats=3, price_fen=5900)
    group_id, leader, first = town.open_group(activity)
    share = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "chat"}).body["share_id"]
    opened_s = town.now_s
    town.clock.forward(30)
    _, second = town.member(activity, group_id, quantity=2, share_id=share)
    _, held = town.join(activity, group_id)

    group = shown(town, group_id)

    assert (group["status_text"], group["seats_taken"], group["seats_paid"]) == ("拼团中", 3, 2)
    assert (group["opened_at_s"], group["terms"]["group_price_fen"]) == (opened_s, 5900)
    rows = {row["order_id"]: row for row in group["members"]}
    assert [row["is_leader"] for row in group["members"]] == [True, False, False]
    assert rows[second]["phone"] == "138****8000"
    assert (rows[second]["quantity"], rows[second]["paid_fen"]) == (2, 11800)
    assert [rows[order]["invited_by"] for order in (first, second)] == ["", "团长"]
    assert (rows[held]["paid_fen"], rows[held]["status_text"]) == (0, "待付款")
    events = [(event["what"], event["order_id"], event["at_s"]) for event in group["events"]]
    assert events == [("opened", first, opened_s), ("paid", second, opened_s + 30)]


def test_closed_group_refunds_its_members_and_tells_them_why(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, leader, first = town.open_group(activity)
    member, second = town.member(activity, group_id)
    other, held = town.join(activity, group_id)

    reply = close(town, group_id)
    again = close(town, group_id, "另一个原因")
    town.run_jobs(2)

    assert (reply.status, again.status) == (200, 200)
    assert (reply.body["status_text"], again.body["closed_words"]) == ("商家结束", REASON)
    for buyer, order_id in ((leader, first), (member, second)):
        assert buyer.order(order_id)["status_text"] == "已退款"
        text = buyer.get("/v1/me/messages").body["items"][1]["text"]
        assert REASON in text, text
    assert (other.status(held), other.messages()) == ("closed", [])
    assert town.stock(activity) == 10
    assert audits(town, "group_closed") == [{"status": "failed", "reason": REASON}]
    progress = town.visitor().get(f"/v1/merchants/{town.merchant_id}/groups/{group_id}").body
    assert progress["failed_reason"] == FailedReason.CLOSED_BY_MERCHANT
    events = [event["what"] for event in shown(town, group_id)["events"]]
    assert events[:2] == ["opened", "paid"]
    assert sorted(events[2:]) == ["failed"] + ["refund_requested"] * 2 + ["refunded"] * 2
    town.check_laws()


def test_payment_that_comes_after_the_closing_is_refunded(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    member, order_id = town.join(activity, group_id)
    number = town.pay_unheard(member, order_id)
    assert close(town, group_id).status == 200

    town.resend(number)
    town.run_jobs(3)

    assert member.order(order_id)["status_text"] == "已关闭·已退款"
    assert town.stock(activity) == 10
    town.check_laws()


def test_group_that_is_decided_is_not_closed(town: Town) -> None:
    activity = town.activity(seats=2)
    done = formed(town, activity)
    pending = town.buyer().open(activity).body["group_id"]

    assert [close(town, group_id).code for group_id in (done, pending)] == ["group_closed"] * 2
    assert close(town, "0" * 22).status == 404
    assert town.stored_group(done).status == "formed"
    assert audits(town, "group_closed") == []


def test_extended_group_takes_members_beyond_its_old_deadline(town: Town) -> None:
    activity = town.activity(seats=2, life_h=1)
    group_id, leader, first = town.open_group(activity)
    was_s = town.now_s + HOUR_S
    town.clock.forward(HOUR_S - 1)

    reply = extend(town, group_id, 2, was_s)
    again = extend(town, group_id, 2, was_s)

    assert (reply.status, again.status) == (200, 200), again.body
    progress = town.visitor().get(f"/v1/merchants/{town.merchant_id}/groups/{group_id}").body
    assert progress["expires_at_s"] == again.body["expires_at_s"] == was_s + 2 * HOUR_S
    assert audits(town, "group_extended") == [{"expires_at_s": was_s + 2 * HOUR_S}]
    town.clock.forward(GRACE_S + 1)
    town.run_jobs()
    assert listed(town, tab="ends_soon") == [group_id]
    town.member(activity, group_id)
    town.run_jobs()
    assert leader.status(first) == "fulfilling"
    town.check_laws()


def test_extension_ends_with_the_activity(town: Town) -> None:
    activity = town.activity(seats=2, life_h=23, days=1)
    group_id, _, _ = town.open_group(activity)
    was_s = town.now_s + 23 * HOUR_S

    reply = extend(town, group_id, 24, was_s)
    more = extend(town, group_id, 1, was_s + HOUR_S)

    assert (reply.body["expires_at_s"], reply.body["extensible_until_s"]) == (was_s + HOUR_S, None)
    assert (more.status, more.code) == (409, "conflict")
    town.wait(DAY_S + GRACE_S, every_s=8 * HOUR_S)
    town.run_jobs(2)
    assert town.stored_group(group_id).failed_reason == "due"
    town.check_laws()


def test_extension_of_what_is_over_or_has_changed_is_refused(town: Town) -> None:
    activity, ended = town.activity(seats=2, life_h=1), town.activity(seats=2, life_h=1)
    group_id, _, _ = town.open_group(activity)
    of_ended, _, _ = town.open_group(ended)
    was_s = town.now_s + HOUR_S
    assert end(town, ended, "keep").status == 200

    codes = [
        extend(town, group_id, 1, was_s - 1).code,
        extend(town, of_ended, 1, was_s).code,
        extend(town, formed(town, activity), 1, was_s).code,
    ]
    town.clock.forward(HOUR_S)
    codes.append(extend(town, group_id, 1, was_s).code)

    assert codes == ["changed", "activity_closed", "group_closed", "group_closed"]
    assert town.stored_group(group_id).expires_at_s == was_s
    assert audits(town, "group_extended") == []


def test_stock_of_an_ended_activity_waits_for_a_group_that_was_extended(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, life_h=1, product_stock=10)
    group_id, leader, first = town.open_group(activity)
    assert extend(town, group_id, 24, town.now_s + HOUR_S).status == 200
    assert end(town, activity, "keep").status == 200

    town.wait(24 * HOUR_S, every_s=4 * HOUR_S)
    assert town.stock(activity) == 9
    town.member(activity, group_id)
    town.wait(4 * HOUR_S, every_s=HOUR_S)

    assert leader.status(first) == "fulfilling"
    assert (town.stock(activity), town.product_stock(activity)) == (0, 8)
    town.check_laws()


def test_activity_ended_with_its_groups_refunds_them_all(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_closing, "CLOSE_MAX", 2)
    activity = town.activity(seats=3, stock=20, product_stock=20)
    members: list[tuple[Buyer, str]] = []
    for _ in range(3):
        group_id, leader, first = town.open_group(activity)
        members += [(leader, first), town.member(activity, group_id, quantity=2)]
    town.join(activity, group_id)
    path = f"/v1/merchant/activities/{activity.activity_id}/open-groups"
    before = town.owner().get(path).body

    replies = [end(town, activity, "close"), end(town, activity, "close")]
    town.run_jobs(4)

    amount_fen = 3 * 3 * 5900
    assert before == {"groups": 3, "payments": 6, "amount_fen": amount_fen, "complete": True}
    assert [reply.body["state"] for reply in replies] == ["ended", "ended"]
    assert [buyer.order(order_id)["status_text"] for buyer, order_id in members] == ["已退款"] * 6
    assert "活动提前结束" in members[0][0].get("/v1/me/messages").body["items"][1]["text"]
    assert town.owner().get(path).body["groups"] == 0
    assert audits(town, "activity_groups_closed") == [{"groups": "close"}]
    town.wait(2 * HOUR_S, every_s=HOUR_S)
    assert (town.stock(activity), town.product_stock(activity)) == (0, 20)
    town.check_laws()


def test_group_that_opens_after_its_activity_was_ended_with_its_groups_is_closed(
    town: Town,
) -> None:
    activity = town.activity(seats=2, stock=10, product_stock=10)
    leader = town.buyer()
    placed = leader.open(activity).body
    town.prepay(leader, placed["order_id"])
    assert end(town, activity, "close").status == 200
    town.run_jobs()

    town.pay(leader, placed["order_id"])
    assert town.stored_group(placed["group_id"]).status == "open"
    town.wait(2 * HOUR_S, every_s=HOUR_S // 4)

    assert town.stored_group(placed["group_id"]).failed_reason == "closed_by_merchant"
    assert leader.order(placed["order_id"])["status_text"] == "已退款"
    assert town.product_stock(activity) == 10
    town.check_laws()


def test_groups_of_an_activity_that_has_ended_can_be_closed_later(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first = town.open_group(activity)
    ended = f"/v1/merchant/activities/{activity.activity_id}/end"
    assert town.owner().post(ended, {}).status == 200  # who does not say keeps the groups
    town.run_jobs()
    assert town.stored_group(group_id).status == "open"

    assert end(town, activity, "close").status == 200
    town.run_jobs(3)

    assert leader.order(first)["status_text"] == "已退款"
    assert len(audits(town, "activity_ended")) == 1
    closing = ClosingItem.at(town.merchant_id, activity.activity_id)
    assert ClosingItem.get(closing.pk, closing.sk).groups_until_s is not None
    town.check_laws()


def test_draft_is_checked_without_writing_anything(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, product_stock=30)
    copied = town.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    before = town.product_stock(activity)

    checked = town.owner().post("/v1/merchant/activities/check", copied).body

    assert copied["ends_at_s"] == town.now_s + 7 * DAY_S
    assert [sku["stock"] for sku in copied["skus"]] == [0]
    assert [problem["field"] for problem in checked["problems"]] == ["skus[0].stock", "skus"]
    (overlap,) = checked["overlaps"]
    assert (overlap["activity_id"], overlap["name"]) == (activity.activity_id, "周末三人团")
    copied["skus"][0]["stock"] = 5
    copied |= {"starts_at_s": town.now_s + 8 * DAY_S, "ends_at_s": town.now_s + 9 * DAY_S}
    fine = town.owner().post("/v1/merchant/activities/check", copied).body
    assert fine == {"problems": [], "overlaps": []}
    assert town.product_stock(activity) == before
    assert town.owner().post("/v1/merchant/activities", copied).status == 201


def test_check_tells_every_problem_that_publishing_refuses(town: Town) -> None:
    activity = town.activity()
    copied = town.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    copied |= {"title": "", "ends_at_s": town.now_s + WINDOW_MIN_S - 1}
    copied["skus"][0] |= {"group_price_fen": 9900, "stock": 10**6}

    checked = town.owner().post("/v1/merchant/activities/check", copied)
    published = town.owner().post("/v1/merchant/activities", copied)

    assert checked.status == 200
    assert checked.body["problems"] == published.body["details"]["problems"]
    unknown = town.owner().post("/v1/merchant/activities/check", copied | {"product_id": "0" * 22})
    assert [problem["field"] for problem in unknown.body["problems"]] == ["product_id"]


def test_activity_rows_tell_their_state_and_what_became_of_their_groups(town: Town) -> None:
    activity = town.activity(seats=2, stock=4)
    formed(town, activity)
    closed, _, _ = town.open_group(activity)
    town.run_jobs()
    assert close(town, closed).status == 200
    town.open_group(activity)
    town.open_group(activity)
    town.wait(700, every_s=350)  # the stream would have been at once

    (row,) = town.owner().get("/v1/merchant/activities").body["items"]
    whole = town.owner().get(f"/v1/merchant/activities/{activity.activity_id}").body

    counted = {"opened": 4, "open": 2, "formed": 1, "failed": 1, "formed_permille": 500}
    assert (row["groups"], whole["groups"]) == (counted, counted)
    assert (row["state"], whole["state"]) == ("sold_out", "sold_out")


@pytest.mark.parametrize("role", ["fulfilment", "service"])
def test_only_managers_close_and_extend(town: Town, role: str) -> None:
    activity = town.activity(seats=2)
    group_id, _, _ = town.open_group(activity)
    staff, path = town.staff(role), f"/v1/merchant/groups/{group_id}"

    asked = [
        staff.post(f"{path}/closing", {"reason": REASON}),
        staff.post(f"{path}/extension", {"hours": 1, "expires_at_s": 0}),
        staff.post(f"/v1/merchant/activities/{activity.activity_id}/end", {"groups": "close"}),
    ]

    assert [reply.code for reply in asked] == ["forbidden"] * 3
    assert staff.get(path).status == 200
    assert town.stored_group(group_id).status == "open"
