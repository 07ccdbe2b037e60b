"""What staff see of groups, and do about them: lists, detail, closing, extension, endings."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.group import FailedReason
from chalicelib.errors import GroupClosed
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import activity_closing, group_lists, settlement
from chalicelib.tables.trade import ClosingItem, GroupItem
from tests.fixtures import staff_requests
from tests.fixtures.group_requests import (
    HOUR_S,
    REASON,
    audited_changes,
    formed_group,
    group_ids,
    request_closing,
    request_end,
)
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import DAY_S, Buyer, MerchantFixture
from tests.fixtures.shop import ActivityIds, Shop
from tests.fixtures.staff_requests import audited, close_group, closing_of, extend_group

pytestmark = pytest.mark.slow


def shown(merchant: MerchantFixture, group_id: str) -> dict[str, Any]:
    reply = merchant.owner().get(f"/v1/merchant/groups/{group_id}")
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


def test_shops_groups_are_listed_by_tab_and_of_one_activity(merchant: MerchantFixture) -> None:
    pears, plums = merchant.activity(seats=2, life_h=1), merchant.activity(seats=2, life_h=30)
    later, _, _ = merchant.open_group(plums)
    merchant.clock.forward(10)
    sooner = [merchant.open_group(pears)[0] for _ in range(3)]
    first = formed_group(merchant, plums)
    merchant.clock.forward(1)
    second = formed_group(merchant, pears)
    assert request_closing(merchant, sooner[1]).status == 200

    open_ones = group_ids(merchant)

    assert set(open_ones[:2]) == {sooner[0], sooner[2]}
    assert open_ones[2:] == [later]
    assert group_ids(merchant, tab="ends_soon") == open_ones[:2]
    assert group_ids(merchant, activity_id=plums.activity_id) == [later]
    assert group_ids(merchant, tab="formed") == [second, first]
    assert group_ids(merchant, tab="formed", activity_id=plums.activity_id) == [first]
    assert group_ids(merchant, tab="failed") == [sooner[1]]
    assert group_ids(merchant, tab="failed", activity_id=plums.activity_id) == []


def test_group_is_found_by_its_number_and_by_how_its_leaders_name_begins(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2)
    group_id, _, _ = merchant.open_group(activity, merchant.buyer("阿黎"))
    merchant.open_group(activity, merchant.buyer("大熊"))
    done, _, _ = merchant.open_group(activity, merchant.buyer("阿福"))
    merchant.member(activity, done)

    assert group_ids(merchant, q=group_id) == [group_id]
    assert group_ids(merchant, q="阿") == [group_id]
    assert group_ids(merchant, tab="formed", q="阿") == [done]
    assert group_ids(merchant, q="熊") == []


def test_group_of_an_activity_that_was_ended_is_still_in_the_shops_list(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2)
    group_id, _, _ = merchant.open_group(activity)
    assert request_end(merchant, activity, "keep").status == 200
    merchant.clock.forward(20 * HOUR_S)

    assert group_ids(merchant) == [group_id]


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
    assert group_ids(merchant, activity_id=chosen.activity_id) == []


def test_group_is_shown_with_its_members_and_what_happened(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, price_fen=5900)
    group_id, leader, first = merchant.open_group(activity)
    share = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "chat"}).body["share_id"]
    opened_s = merchant.now_s
    merchant.clock.forward(30)
    guest = merchant.buyer("林小满")
    _, second = merchant.member(activity, group_id, guest, quantity=2, share_id=share)
    passed_on = guest.post(f"/v1/groups/{group_id}/shares", {"channel": "link"}).body["share_id"]
    _, held = merchant.join(activity, group_id, share_id=passed_on)

    group = shown(merchant, group_id)

    assert (group["status_text"], group["seats_taken"], group["seats_paid"]) == ("拼团中", 3, 2)
    assert (group["opened_at_s"], group["terms"]["group_price_fen"]) == (opened_s, 5900)
    rows = {row["order_id"]: row for row in group["members"]}
    assert [row["is_leader"] for row in group["members"]] == [True, False, False]
    assert (rows[second]["name"], rows[second]["phone"]) == ("林小满", "138****8000")
    assert (rows[second]["quantity"], rows[second]["paid_fen"]) == (2, 11800)
    invited = [rows[order]["invited_by"] for order in (first, second, held)]
    assert invited == ["", "团长", "林小满"]  # by whoever passed it on
    assert (rows[held]["paid_fen"], rows[held]["status_text"]) == (0, "待付款")
    events = [(event["what"], event["order_id"], event["at_s"]) for event in group["events"]]
    assert events == [("opened", first, opened_s), ("paid", second, opened_s + 30)]
    assert group["events"][1]["text"] == "林小满付款 ¥118.00"


def test_closed_group_refunds_its_members_and_tells_them_why(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    member, second = merchant.member(activity, group_id)
    other, held = merchant.join(activity, group_id)

    reply = request_closing(merchant, group_id)
    again = request_closing(merchant, group_id, "另一个原因")
    merchant.run_jobs(2)

    assert (reply.status, again.status) == (200, 200)
    assert (reply.body["status_text"], again.body["closed_words"]) == ("商家结束", REASON)
    for buyer, order_id in ((leader, first), (member, second)):
        assert buyer.order(order_id)["status_text"] == "已退款"
        text = buyer.get("/v1/me/messages").body["items"][1]["text"]
        assert REASON in text, text
    assert (other.status(held), other.messages()) == ("closed", [])
    assert merchant.stock(activity) == 10
    assert audited_changes(merchant, "group_closed") == [{"status": "failed", "reason": REASON}]
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
    assert request_closing(merchant, group_id).status == 200

    merchant.resend(number)
    merchant.run_jobs(3)

    assert member.order(order_id)["status_text"] == "已关闭·已退款"
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_group_that_is_decided_is_not_closed(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2)
    done = formed_group(merchant, activity)
    pending = merchant.buyer().open(activity).body["group_id"]

    assert [request_closing(merchant, group_id).code for group_id in (done, pending)] == [
        "group_closed"
    ] * 2
    assert request_closing(merchant, "0" * 22).status == 404
    assert merchant.stored_group(done).status == "formed"
    assert audited_changes(merchant, "group_closed") == []


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

    replies = [request_end(merchant, activity, "close"), request_end(merchant, activity, "close")]
    merchant.run_jobs(4)

    amount_fen = 3 * 3 * 5900
    assert before == {"groups": 3, "payments": 6, "amount_fen": amount_fen, "complete": True}
    assert [reply.body["state"] for reply in replies] == ["ended", "ended"]
    assert [buyer.order(order_id)["status_text"] for buyer, order_id in members] == ["已退款"] * 6
    assert "活动提前结束" in members[0][0].get("/v1/me/messages").body["items"][1]["text"]
    assert merchant.owner().get(path).body["groups"] == 0
    assert audited_changes(merchant, "activity_groups_closed") == [{"groups": "close"}]
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
    assert request_end(merchant, activity, "close").status == 200
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

    assert request_end(merchant, activity, "close").status == 200
    merchant.run_jobs(3)

    assert leader.order(first)["status_text"] == "已退款"
    assert len(audited_changes(merchant, "activity_ended")) == 1
    closing = ClosingItem.at(merchant.merchant_id, activity.activity_id)
    assert ClosingItem.get(closing.pk, closing.sk).groups_until_s is not None
    merchant.check_laws()


@pytest.fixture
def sold(shop: Shop) -> ActivityIds:
    return shop.activity(seats=2)


def opened(shop: Shop, sold: ActivityIds) -> GroupItem:
    return shop.group(shop.opened(sold))


def test_group_closed_by_two_at_once_is_closed_once(shop: Shop, sold: ActivityIds) -> None:
    group = opened(shop, sold)

    with interleaved(lambda: close_group(shop, group, "同事的理由")):
        assert close_group(shop, group).closed_words == "同事的理由"

    assert audited(shop, "group_closed") == 1


@pytest.mark.parametrize("act", [close_group, lambda shop, group: extend_group(shop, group, 2)])
def test_group_that_formed_while_it_is_closed_or_extended_stays_formed(
    shop: Shop, sold: ActivityIds, act: Callable[[Shop, GroupItem], object]
) -> None:
    group = opened(shop, sold)
    trade = shop.capture(shop.join(sold, group.group_id, shop.buyer()))

    with interleaved(lambda: shop.notify(trade)), pytest.raises(GroupClosed):
        act(shop, group)

    assert shop.group(group.group_id).status == "formed"


def test_groups_of_an_activity_are_closed_once_by_two_at_once(
    shop: Shop, sold: ActivityIds
) -> None:
    """At the very second at which its stock goes back, too."""
    opened(shop, sold)
    staff_requests.end(shop, sold)
    shop.now_s = int(closing_of(shop, sold).due_at_s or 0)

    with interleaved(lambda: staff_requests.end(shop, sold, close_groups=True)):
        staff_requests.end(shop, sold, close_groups=True)

    assert audited(shop, "activity_groups_closed") == 1


def test_groups_of_an_activity_whose_stock_went_back_meanwhile_are_all_decided(
    shop: Shop, sold: ActivityIds
) -> None:
    staff_requests.end(shop, sold)

    with interleaved(lambda: staff_requests.close(shop, sold, later_s=30 * DAY_S)):
        staff_requests.end(shop, sold, close_groups=True)

    closing = closing_of(shop, sold)
    assert closing.due_at_s is None
    assert closing.groups_until_s is None
    assert activity_closing.groups_are_closed(shop.merchant_id, sold.activity_id, now_s=shop.now_s)
    assert audited(shop, "activity_groups_closed") == 0


def test_closing_that_another_run_has_finished_does_not_come_back(
    shop: Shop, sold: ActivityIds
) -> None:
    staff_requests.end(shop, sold, close_groups=True)

    def later_run() -> None:
        later_s = int(closing_of(shop, sold).groups_until_s or 0)
        assert activity_closing.groups_are_closed(shop.merchant_id, sold.activity_id, now_s=later_s)
        assert (
            activities.return_unsold_stock(shop.merchant_id, sold.activity_id, now_s=later_s) == 100
        )

    with interleaved(later_run):
        assert not activity_closing.groups_are_closed(
            shop.merchant_id, sold.activity_id, now_s=shop.now_s
        )

    assert closing_of(shop, sold).due_at_s is None
    assert not activity_closing.groups_are_closed(
        shop.merchant_id, sold.activity_id, now_s=shop.now_s
    )


def test_group_that_formed_while_it_is_closed_with_its_activity_stays_formed(
    shop: Shop, sold: ActivityIds
) -> None:
    group = opened(shop, sold)
    trade = shop.capture(shop.join(sold, group.group_id, shop.buyer()))

    with interleaved(lambda: shop.notify(trade)):
        settlement.close_with_activity(group, now_s=shop.now_s)

    formed = shop.group(group.group_id)
    assert (formed.status, formed.failed_reason) == ("formed", None)


def test_groups_that_are_to_be_closed_later_are_not_closed_now(
    shop: Shop, sold: ActivityIds
) -> None:
    group = opened(shop, sold)
    staff_requests.end(shop, sold, close_groups=True)
    shop.now_s -= 1

    assert not activity_closing.groups_are_closed(
        shop.merchant_id, sold.activity_id, now_s=shop.now_s
    )

    assert shop.group(group.group_id).status == "open"
