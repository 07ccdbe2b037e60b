"""What staff see of groups, and do about them: lists, detail, closing, extension, endings."""

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.domain.activity_draft import WINDOW_MIN_S
from chalicelib.domain.group import FailedReason
from chalicelib.services.groups import activity_closing, group_lists
from chalicelib.tables.records import AuditItem, RecordItem
from chalicelib.tables.trade import ClosingItem
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture, Reply

HOUR_S = 3600
GRACE_S = 60
REASON = "原料临时短缺"


def close(merchant: MerchantFixture, group_id: str, reason: str = REASON) -> Reply:
    path = f"/v1/merchant/groups/{group_id}/closing"
    return merchant.owner().post(path, {"reason": reason})


def extend(merchant: MerchantFixture, group_id: str, hours: int, expires_at_s: int | None) -> Reply:
    path = f"/v1/merchant/groups/{group_id}/extension"
    return merchant.owner().post(path, {"hours": hours, "expires_at_s": expires_at_s})


def end(merchant: MerchantFixture, activity: Activity, groups: str) -> Reply:
    path = f"/v1/merchant/activities/{activity.activity_id}/end"
    return merchant.owner().post(path, {"groups": groups})


def listed(merchant: MerchantFixture, **query: str) -> list[str]:
    """The ids of a list's groups, page after page of two."""
    found: list[str] = []
    while True:
        reply = merchant.owner().get(f"/v1/merchant/groups?{urlencode({'limit': 2, **query})}")
        assert reply.status == 200, reply.body
        found += [row["group_id"] for row in reply.body["items"]]
        if reply.body["next"] is None:
            return found
        query["next"] = reply.body["next"]


def shown(merchant: MerchantFixture, group_id: str) -> dict[str, Any]:
    reply = merchant.owner().get(f"/v1/merchant/groups/{group_id}")
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


def audits(merchant: MerchantFixture, action: str) -> list[dict[str, Any]]:
    """What the audit rows of an action say became of their subjects."""
    rows = AuditItem.scan(RecordItem.merchant_id == merchant.merchant_id, consistent_read=True)
    return [row.after.as_dict() for row in rows if row.action == action]


def formed(merchant: MerchantFixture, activity: Activity) -> str:
    group_id, _, _ = merchant.open_group(activity)
    merchant.member(activity, group_id)
    return group_id


def test_shops_groups_are_listed_by_tab_and_of_one_activity(merchant: MerchantFixture) -> None:
    pears, plums = merchant.activity(seats=2, life_h=1), merchant.activity(seats=2, life_h=30)
    later, _, _ = merchant.open_group(plums)
    merchant.clock.forward(10)
    sooner = [merchant.open_group(pears)[0] for _ in range(3)]
    first = formed(merchant, plums)
    merchant.clock.forward(1)
    second = formed(merchant, pears)
    assert close(merchant, sooner[1]).status == 200

    open_ones = listed(merchant)

    assert set(open_ones[:2]) == {sooner[0], sooner[2]}
    assert open_ones[2:] == [later]
    assert listed(merchant, tab="ends_soon") == open_ones[:2]
    assert listed(merchant, activity_id=plums.activity_id) == [later]
    assert listed(merchant, tab="formed") == [second, first]
    assert listed(merchant, tab="formed", activity_id=plums.activity_id) == [first]
    assert listed(merchant, tab="failed") == [sooner[1]]
    assert listed(merchant, tab="failed", activity_id=plums.activity_id) == []


def test_group_is_found_by_its_number_and_by_how_its_leaders_name_begins(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2)
    group_id, _, _ = merchant.open_group(activity, merchant.buyer("阿黎"))
    merchant.open_group(activity, merchant.buyer("大熊"))
    done, _, _ = merchant.open_group(activity, merchant.buyer("阿福"))
    merchant.member(activity, done)

    assert listed(merchant, q=group_id) == [group_id]
    assert listed(merchant, q="阿") == [group_id]
    assert listed(merchant, tab="formed", q="阿") == [done]
    assert listed(merchant, q="熊") == []


def test_group_of_an_activity_that_was_ended_is_still_in_the_shops_list(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2)
    group_id, _, _ = merchant.open_group(activity)
    assert end(merchant, activity, "keep").status == 200
    merchant.clock.forward(20 * HOUR_S)

    assert listed(merchant) == [group_id]


def test_shop_with_too_many_activities_is_asked_for_one(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant.activity()
    chosen = merchant.activity()
    monkeypatch.setattr(group_lists, "MERGED_MAX", 1)

    reply = merchant.owner().get("/v1/merchant/groups")

    assert (reply.status, reply.body["details"]["field"]) == (400, "activity_id")
    assert (
        merchant.owner().get("/v1/merchant/dashboard").body["to_do"]["groups_ending_soon"] is None
    )
    assert listed(merchant, activity_id=chosen.activity_id) == []


def test_group_is_shown_with_its_members_and_what_happened(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, price_fen=5900)
    group_id, leader, first = merchant.open_group(activity)
    share = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "chat"}).body["share_id"]
    opened_s = merchant.now_s
    merchant.clock.forward(30)
    _, second = merchant.member(activity, group_id, quantity=2, share_id=share)
    _, held = merchant.join(activity, group_id)

    group = shown(merchant, group_id)

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


def test_closed_group_refunds_its_members_and_tells_them_why(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    member, second = merchant.member(activity, group_id)
    other, held = merchant.join(activity, group_id)

    reply = close(merchant, group_id)
    again = close(merchant, group_id, "另一个原因")
    merchant.run_jobs(2)

    assert (reply.status, again.status) == (200, 200)
    assert (reply.body["status_text"], again.body["closed_words"]) == ("商家结束", REASON)
    for buyer, order_id in ((leader, first), (member, second)):
        assert buyer.order(order_id)["status_text"] == "已退款"
        text = buyer.get("/v1/me/messages").body["items"][1]["text"]
        assert REASON in text, text
    assert (other.status(held), other.messages()) == ("closed", [])
    assert merchant.stock(activity) == 10
    assert audits(merchant, "group_closed") == [{"status": "failed", "reason": REASON}]
    progress = (
        merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}").body
    )
    assert progress["failed_reason"] == FailedReason.CLOSED_BY_MERCHANT
    events = [event["what"] for event in shown(merchant, group_id)["events"]]
    assert events[:2] == ["opened", "paid"]
    assert sorted(events[2:]) == ["failed"] + ["refund_requested"] * 2 + ["refunded"] * 2
    merchant.check_laws()


def test_payment_that_comes_after_the_closing_is_refunded(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    member, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(member, order_id)
    assert close(merchant, group_id).status == 200

    merchant.resend(number)
    merchant.run_jobs(3)

    assert member.order(order_id)["status_text"] == "已关闭·已退款"
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_group_that_is_decided_is_not_closed(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2)
    done = formed(merchant, activity)
    pending = merchant.buyer().open(activity).body["group_id"]

    assert [close(merchant, group_id).code for group_id in (done, pending)] == ["group_closed"] * 2
    assert close(merchant, "0" * 22).status == 404
    assert merchant.stored_group(done).status == "formed"
    assert audits(merchant, "group_closed") == []


def test_extended_group_takes_members_beyond_its_old_deadline(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, life_h=1)
    group_id, leader, first = merchant.open_group(activity)
    was_s = merchant.now_s + HOUR_S
    merchant.clock.forward(HOUR_S - 1)

    reply = extend(merchant, group_id, 2, was_s)
    again = extend(merchant, group_id, 2, was_s)

    assert (reply.status, again.status) == (200, 200), again.body
    progress = (
        merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}").body
    )
    assert progress["expires_at_s"] == again.body["expires_at_s"] == was_s + 2 * HOUR_S
    assert audits(merchant, "group_extended") == [{"expires_at_s": was_s + 2 * HOUR_S}]
    merchant.clock.forward(GRACE_S + 1)
    merchant.run_jobs()
    assert listed(merchant, tab="ends_soon") == [group_id]
    merchant.member(activity, group_id)
    merchant.run_jobs()
    assert leader.status(first) == "fulfilling"
    merchant.check_laws()


def test_extension_ends_with_the_activity(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, life_h=23, days=1)
    group_id, _, _ = merchant.open_group(activity)
    was_s = merchant.now_s + 23 * HOUR_S

    reply = extend(merchant, group_id, 24, was_s)
    more = extend(merchant, group_id, 1, was_s + HOUR_S)

    assert (reply.body["expires_at_s"], reply.body["extensible_until_s"]) == (was_s + HOUR_S, None)
    assert (more.status, more.code) == (409, "conflict")
    merchant.wait(DAY_S + GRACE_S, every_s=8 * HOUR_S)
    merchant.run_jobs(2)
    assert merchant.stored_group(group_id).failed_reason == "due"
    merchant.check_laws()


def test_extension_of_what_is_over_or_has_changed_is_refused(merchant: MerchantFixture) -> None:
    activity, ended = merchant.activity(seats=2, life_h=1), merchant.activity(seats=2, life_h=1)
    group_id, _, _ = merchant.open_group(activity)
    of_ended, _, _ = merchant.open_group(ended)
    was_s = merchant.now_s + HOUR_S
    assert end(merchant, ended, "keep").status == 200

    codes = [
        extend(merchant, group_id, 1, was_s - 1).code,
        extend(merchant, of_ended, 1, was_s).code,
        extend(merchant, formed(merchant, activity), 1, was_s).code,
    ]
    merchant.clock.forward(HOUR_S)
    codes.append(extend(merchant, group_id, 1, was_s).code)

    assert codes == ["changed", "activity_closed", "group_closed", "group_closed"]
    assert merchant.stored_group(group_id).expires_at_s == was_s
    assert audits(merchant, "group_extended") == []


def test_stock_of_an_ended_activity_waits_for_a_group_that_was_extended(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10, life_h=1, product_stock=10)
    group_id, leader, first = merchant.open_group(activity)
    assert extend(merchant, group_id, 24, merchant.now_s + HOUR_S).status == 200
    assert end(merchant, activity, "keep").status == 200

    merchant.wait(24 * HOUR_S, every_s=4 * HOUR_S)
    assert merchant.stock(activity) == 9
    merchant.member(activity, group_id)
    merchant.wait(4 * HOUR_S, every_s=HOUR_S)

    assert leader.status(first) == "fulfilling"
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 8)
    merchant.check_laws()


def test_activity_ended_with_its_groups_refunds_them_all(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_closing, "CLOSE_MAX", 2)
    activity = merchant.activity(seats=3, stock=20, product_stock=20)
    members: list[tuple[Buyer, str]] = []
    for _ in range(3):
        group_id, leader, first = merchant.open_group(activity)
        members += [(leader, first), merchant.member(activity, group_id, quantity=2)]
    merchant.join(activity, group_id)
    path = f"/v1/merchant/activities/{activity.activity_id}/open-groups"
    before = merchant.owner().get(path).body

    replies = [end(merchant, activity, "close"), end(merchant, activity, "close")]
    merchant.run_jobs(4)

    amount_fen = 3 * 3 * 5900
    assert before == {"groups": 3, "payments": 6, "amount_fen": amount_fen, "complete": True}
    assert [reply.body["state"] for reply in replies] == ["ended", "ended"]
    assert [buyer.order(order_id)["status_text"] for buyer, order_id in members] == ["已退款"] * 6
    assert "活动提前结束" in members[0][0].get("/v1/me/messages").body["items"][1]["text"]
    assert merchant.owner().get(path).body["groups"] == 0
    assert audits(merchant, "activity_groups_closed") == [{"groups": "close"}]
    merchant.wait(2 * HOUR_S, every_s=HOUR_S)
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 20)
    merchant.check_laws()


def test_group_that_opens_after_its_activity_was_ended_with_its_groups_is_closed(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=10)
    leader = merchant.buyer()
    placed = leader.open(activity).body
    merchant.prepay(leader, placed["order_id"])
    assert end(merchant, activity, "close").status == 200
    merchant.run_jobs()

    merchant.pay(leader, placed["order_id"])
    assert merchant.stored_group(placed["group_id"]).status == "open"
    merchant.wait(2 * HOUR_S, every_s=HOUR_S // 4)

    assert merchant.stored_group(placed["group_id"]).failed_reason == "closed_by_merchant"
    assert leader.order(placed["order_id"])["status_text"] == "已退款"
    assert merchant.product_stock(activity) == 10
    merchant.check_laws()


def test_groups_of_an_activity_that_has_ended_can_be_closed_later(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    ended = f"/v1/merchant/activities/{activity.activity_id}/end"
    assert merchant.owner().post(ended, {}).status == 200  # who does not say keeps the groups
    merchant.run_jobs()
    assert merchant.stored_group(group_id).status == "open"

    assert end(merchant, activity, "close").status == 200
    merchant.run_jobs(3)

    assert leader.order(first)["status_text"] == "已退款"
    assert len(audits(merchant, "activity_ended")) == 1
    closing = ClosingItem.at(merchant.merchant_id, activity.activity_id)
    assert ClosingItem.get(closing.pk, closing.sk).groups_until_s is not None
    merchant.check_laws()


def test_draft_is_checked_without_writing_anything(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=30)
    copied = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    before = merchant.product_stock(activity)

    checked = merchant.owner().post("/v1/merchant/activities/check", copied).body

    assert copied["ends_at_s"] == merchant.now_s + 7 * DAY_S
    assert [sku["stock"] for sku in copied["skus"]] == [0]
    assert [problem["field"] for problem in checked["problems"]] == ["skus[0].stock", "skus"]
    (overlap,) = checked["overlaps"]
    assert (overlap["activity_id"], overlap["name"]) == (activity.activity_id, "周末三人团")
    copied["skus"][0]["stock"] = 5
    copied |= {"starts_at_s": merchant.now_s + 8 * DAY_S, "ends_at_s": merchant.now_s + 9 * DAY_S}
    fine = merchant.owner().post("/v1/merchant/activities/check", copied).body
    assert fine == {"problems": [], "overlaps": []}
    assert merchant.product_stock(activity) == before
    assert merchant.owner().post("/v1/merchant/activities", copied).status == 201


def test_check_tells_every_problem_that_publishing_refuses(merchant: MerchantFixture) -> None:
    activity = merchant.activity()
    copied = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    copied |= {"title": "", "ends_at_s": merchant.now_s + WINDOW_MIN_S - 1}
    copied["skus"][0] |= {"group_price_fen": 9900, "stock": 10**6}

    checked = merchant.owner().post("/v1/merchant/activities/check", copied)
    published = merchant.owner().post("/v1/merchant/activities", copied)

    assert checked.status == 200
    assert checked.body["problems"] == published.body["details"]["problems"]
    unknown = merchant.owner().post(
        "/v1/merchant/activities/check", copied | {"product_id": "0" * 22}
    )
    assert [problem["field"] for problem in unknown.body["problems"]] == ["product_id"]


def test_activity_rows_tell_their_state_and_what_became_of_their_groups(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=4)
    formed(merchant, activity)
    closed, _, _ = merchant.open_group(activity)
    merchant.run_jobs()
    assert close(merchant, closed).status == 200
    merchant.open_group(activity)
    merchant.open_group(activity)
    merchant.wait(700, every_s=350)  # the stream would have been at once

    (row,) = merchant.owner().get("/v1/merchant/activities").body["items"]
    whole = merchant.owner().get(f"/v1/merchant/activities/{activity.activity_id}").body

    counted = {"opened": 4, "open": 2, "formed": 1, "failed": 1, "formed_permille": 500}
    assert (row["groups"], whole["groups"]) == (counted, counted)
    assert (row["state"], whole["state"]) == ("sold_out", "sold_out")


@pytest.mark.parametrize("role", ["fulfilment", "service"])
def test_only_managers_close_and_extend(merchant: MerchantFixture, role: str) -> None:
    activity = merchant.activity(seats=2)
    group_id, _, _ = merchant.open_group(activity)
    staff, path = merchant.staff(role), f"/v1/merchant/groups/{group_id}"

    asked = [
        staff.post(f"{path}/closing", {"reason": REASON}),
        staff.post(f"{path}/extension", {"hours": 1, "expires_at_s": 0}),
        staff.post(f"/v1/merchant/activities/{activity.activity_id}/end", {"groups": "close"}),
    ]

    assert [reply.code for reply in asked] == ["forbidden"] * 3
    assert staff.get(path).status == 200
    assert merchant.stored_group(group_id).status == "open"
