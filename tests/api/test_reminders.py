"""到时提醒我: told once, what is true then, of an activity that begins or a seat that is free."""

from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.activity_draft import Draft, DraftSku
from chalicelib.domain.ids import new_id
from chalicelib.domain.reminder import REMINDERS_MAX
from chalicelib.services.catalogue import publishing
from chalicelib.services.groups import reminder_work, reminders
from chalicelib.services.people import identities
from chalicelib.tables.reminders import ReminderItem
from tests.api.test_group_page import detail, page
from tests.fixtures.caches import clear_caches
from tests.fixtures.fault_injection import injected
from tests.fixtures.interleavings import interleaved
from tests.fixtures.interruptions import Crash, Interruption, InterruptionKind
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture, concurrently
from tests.fixtures.merges import PHONE, merge_into_an_older_one
from tests.fixtures.subscriptions import agree, log_in, use_templates

LOOK_S = 1800
HOLD_S = 600


def scheduled(merchant: MerchantFixture, **rules: Any) -> Activity:
    """An activity that begins in a day."""
    return merchant.activity(starts_at_s=merchant.now_s + DAY_S, **rules)


def of_start(activity: Activity) -> str:
    return f"/v1/activities/{activity.activity_id}/reminder"


def of_seat(group_id: str) -> str:
    return f"/v1/groups/{group_id}/reminder"


def held(merchant: MerchantFixture) -> tuple[Activity, str, Buyer, str]:
    """(activity, group, holder, their order): of a group whose last seat is held."""
    activity = merchant.activity(seats=2, stock=20)
    group_id, _, _ = merchant.open_group(activity)
    holder, order_id = merchant.join(activity, group_id)
    return activity, group_id, holder, order_id


def waiting(merchant: MerchantFixture, *buyers: Buyer) -> list[str]:
    """What these buyers wait for, by the keys of its items."""
    found = reminders.of_person(merchant.merchant_id, [buyer.buyer_id for buyer in buyers])
    return [item.sk for item in found]


def move_start(merchant: MerchantFixture, activity: Activity, at_s: int) -> None:
    draft = Draft(
        product_id=activity.product_id,
        title="周末三人团",
        skus=(DraftSku(activity.sku_id, 5900),),
        seats_total=3,
        life_h=24,
        starts_at_s=at_s,
        ends_at_s=merchant.now_s + 7 * DAY_S,
        limit_per_order=5,
    )
    publishing.change(
        merchant.merchant_id,
        activity.activity_id,
        draft,
        revision=1,
        staff="test",
        now_s=merchant.now_s,
    )
    clear_caches()


def switch(merchant: MerchantFixture, activity: Activity, what: str) -> None:
    path = f"/v1/merchant/activities/{activity.activity_id}/{what}"
    assert merchant.owner().post(path, {} if what == "end" else None).status == 200
    clear_caches()


def test_buyer_is_told_once_when_the_activity_begins(merchant: MerchantFixture) -> None:
    activity, buyer = scheduled(merchant), merchant.buyer()
    shown = [detail(merchant, who, activity)["reminder"] for who in (merchant.visitor(), buyer)]
    assert shown == [{"is_set": False, "subscribe": []}] * 2

    for _ in range(2):
        assert buyer.put(of_start(activity), None).status == 200
    assert detail(merchant, buyer, activity)["reminder"]["is_set"]
    assert buyer.call("DELETE", of_start(activity)).status == 200
    assert not detail(merchant, buyer, activity)["reminder"]["is_set"]
    assert buyer.call("DELETE", of_start(activity)).status == 200
    buyer.put(of_start(activity), None)
    assert len(waiting(merchant, buyer)) == 1

    merchant.wait(DAY_S - 1, every_s=6 * LOOK_S)
    assert buyer.messages() == []
    merchant.clock.forward(1)
    merchant.run_jobs(3)

    [message] = buyer.get("/v1/me/messages").body["items"]
    assert (message["title"], message["text"]) == (
        "开始了，快去开团",
        "「周末三人团」开始了，快去开团吧。",
    )
    places = (message["activity_id"], message["group_id"], message["order_id"])
    assert places == (activity.activity_id, None, None)
    assert (message["short_no"], message["unread"], message["at_s"]) == ("", True, merchant.now_s)
    assert waiting(merchant, buyer) == []
    assert detail(merchant, buyer, activity)["reminder"] is None
    merchant.check_laws()


def test_what_is_told_of_an_activity_is_true_then(merchant: MerchantFixture) -> None:
    sooner, later, paused, ended = (scheduled(merchant) for _ in range(4))
    scarce = scheduled(merchant, seats=2, stock=2)
    buyers = [merchant.buyer() for _ in range(5)]
    for buyer, activity in zip(buyers, (sooner, later, paused, ended, scarce), strict=True):
        assert buyer.put(of_start(activity), None).status == 200
    move_start(merchant, sooner, merchant.now_s + 600)
    move_start(merchant, later, merchant.now_s + 2 * DAY_S)
    switch(merchant, paused, "pause")
    switch(merchant, ended, "end")

    def told() -> list[list[str]]:
        return [buyer.messages() for buyer in buyers]

    merchant.clock.forward(LOOK_S)
    merchant.run_jobs(2)
    assert told() == [["activity_begun"], [], [], ["activity_over"], []]
    merchant.wait(DAY_S - LOOK_S - 1, every_s=6 * LOOK_S)
    merchant.clock.forward(1)
    merchant.member(scarce, merchant.open_group(scarce)[0])
    merchant.run_jobs(2)
    assert told() == [["activity_begun"], [], [], ["activity_over"], ["activity_sold_out"]]
    switch(merchant, paused, "resume")
    merchant.wait(LOOK_S, every_s=LOOK_S)
    assert told()[1:3] == [[], ["activity_begun"]]
    merchant.wait(DAY_S, every_s=12 * LOOK_S)
    assert [len(one) for one in told()] == [1] * 5
    assert waiting(merchant, *buyers) == []
    merchant.check_laws()


@pytest.mark.parametrize("holds", [HOLD_S, 200])
def test_buyer_is_told_when_a_held_seat_is_free(merchant: MerchantFixture, holds: int) -> None:
    """holds: for how long; less than the shop lets them: they give it up."""
    activity, group_id, holder, order_id = held(merchant)
    buyer, rival = merchant.buyer(), merchant.buyer()
    for who in (merchant.visitor(), buyer):
        assert page(merchant, who, group_id)["reminder"] == {"is_set": False, "subscribe": []}
    assert page(merchant, holder, group_id)["reminder"] is None

    for who in (buyer, rival):
        for _ in range(2):
            assert who.put(of_seat(group_id), None).status == 200
    assert page(merchant, buyer, group_id)["reminder"]["is_set"]
    merchant.wait(holds - 60)
    assert buyer.messages() == []
    if holds < HOLD_S:
        assert holder.cancel(order_id).status == 200
    merchant.wait(120)

    [message] = buyer.get("/v1/me/messages").body["items"]
    assert (message["text_key"], message["title"]) == ("seat_free", "有名额了，快去参团")
    assert (message["group_id"], message["order_id"]) == (group_id, None)
    assert page(merchant, buyer, group_id)["reminder"] is None
    assert rival.messages() == ["seat_free"]
    merchant.member(activity, group_id, buyer)
    merchant.wait(300)
    assert (rival.messages(), waiting(merchant, buyer, rival)) == (["seat_free"], [])
    merchant.check_laws()


def test_seat_that_is_held_anew_is_waited_for_and_a_decided_group_told_of(
    merchant: MerchantFixture,
) -> None:
    activity, group_id, holder, order_id = held(merchant)
    buyer, other = merchant.buyer(), merchant.buyer()
    assert buyer.put(of_seat(group_id), None).status == 200
    merchant.clock.forward(HOLD_S - 60)
    holder.cancel(order_id)
    late, second = merchant.join(activity, group_id)
    merchant.wait(180)
    assert (buyer.messages(), len(waiting(merchant, buyer))) == ([], 1)
    assert other.put(of_seat(group_id), None).status == 200
    merchant.pay(late, second)
    merchant.wait(HOLD_S)
    assert buyer.messages() == other.messages() == ["awaited_formed"]

    _, failing, _, _ = held(merchant)
    assert buyer.put(of_seat(failing), None).status == 200
    closing = f"/v1/merchant/groups/{failing}/closing"
    assert merchant.owner().post(closing, {"reason": "缺货"}).status == 200
    merchant.wait(HOLD_S + 120)
    assert buyer.messages() == ["awaited_formed", "awaited_failed"]
    assert waiting(merchant, buyer, other) == []
    merchant.check_laws()


def test_who_got_the_seat_is_told_as_its_member_alone(merchant: MerchantFixture) -> None:
    activity, group_id, holder, order_id = held(merchant)
    buyer = merchant.buyer()
    assert buyer.put(of_seat(group_id), None).status == 200
    holder.cancel(order_id)
    merchant.member(activity, group_id, buyer)

    merchant.wait(HOLD_S + 120)

    assert (buyer.messages(), waiting(merchant, buyer)) == (["formed"], [])


def test_what_there_is_nothing_to_wait_for_is_refused(merchant: MerchantFixture) -> None:
    running, paused, ended = merchant.activity(), scheduled(merchant), scheduled(merchant)
    switch(merchant, paused, "pause")
    switch(merchant, ended, "end")
    free, leader, _ = merchant.open_group(running)
    pair = merchant.activity(seats=2, stock=20)
    full, _, _ = merchant.open_group(pair)
    merchant.member(pair, full)
    _, own, holder, _ = held(merchant)
    over, alone, alone_order = merchant.open_group(running)
    alone.cancel(alone_order)
    unpaid = merchant.buyer().open(running).body["group_id"]
    buyer, nobody = merchant.buyer(), new_id()
    refused = {
        of_start(running): (buyer, "conflict"),
        of_start(paused): (buyer, "activity_closed"),
        of_start(ended): (buyer, "activity_closed"),
        f"/v1/activities/{nobody}/reminder": (buyer, "not_found"),
        of_seat(free): (buyer, "conflict"),
        of_seat(full): (buyer, "group_full"),
        of_seat(own): (holder, "conflict"),
        of_seat(over): (buyer, "group_closed"),
        of_seat(unpaid): (buyer, "not_found"),
        of_seat(nobody): (buyer, "not_found"),
    }

    found = {path: who.put(path, None).code for path, (who, _) in refused.items()}

    assert found == {path: code for path, (_, code) in refused.items()}
    assert leader.put(of_seat(free), None).code == "conflict"
    assert waiting(merchant, buyer, holder, leader) == []


def test_nobody_has_more_reminders_than_the_limit(merchant: MerchantFixture) -> None:
    wanted, buyer = [scheduled(merchant) for _ in range(REMINDERS_MAX + 3)], merchant.buyer()
    for activity in wanted[: REMINDERS_MAX - 2]:
        assert buyer.put(of_start(activity), None).status == 200

    merchant.clock.forward(61)
    asks = [partial(buyer.put, of_start(activity), None) for activity in wanted[-5:]]
    replies = concurrently(asks)

    assert sorted(reply.status for reply in replies) == [200, 200, 409, 409, 409]
    assert {reply.code for reply in replies if reply.status == 409} == {"limit_reached"}
    assert len(waiting(merchant, buyer)) == REMINDERS_MAX
    assert buyer.put(of_start(wanted[0]), None).status == 200  # it is set already


def test_merged_person_is_told_once_and_a_closed_account_never(merchant: MerchantFixture) -> None:
    activity, one, gone = scheduled(merchant), merchant.buyer(), merchant.buyer()
    for buyer in (one, gone):
        assert buyer.put(of_start(activity), None).status == 200
        merchant.clock.forward(5)
    merge = merge_into_an_older_one(merchant, one)
    kept = merchant.session(merge())
    assert kept.buyer_id != one.buyer_id
    assert kept.put(of_start(activity), None).status == 200  # asked for already, under another id
    data = kept.get("/v1/me/data").body
    expected = {"activity_id": activity.activity_id, "group_id": None}
    assert [it["group_id"] for it in data["reminders"]] == [None]
    assert data["reminders"][0] == expected | {"asked_at_s": merchant.now_s - 10}
    other = scheduled(merchant)
    for session in (one, kept):  # a session of before stands for the same person
        assert session.put(of_start(other), None).status == 200
    assert gone.call("DELETE", "/v1/me/account").status == 200
    assert gone.put(of_start(other), None).code == "session_superseded"
    assert gone.call("DELETE", of_start(other)).code == "session_superseded"
    assert waiting(merchant, gone) == []

    merchant.clock.forward(DAY_S)
    merchant.run_jobs(2)

    assert kept.messages() == ["activity_begun"] * 2
    assert len(kept.get("/v1/me/data").body["messages"]) == 2
    merchant.check_laws()


def test_two_who_wait_and_turn_out_to_be_one_while_told_are_told_once(
    merchant: MerchantFixture,
) -> None:
    activity, older, younger = scheduled(merchant), merchant.buyer(), merchant.buyer()
    identities.prove(merchant.merchant_id, younger.buyer_id, PHONE, now_s=merchant.now_s)
    for buyer in (older, younger):
        assert buyer.put(of_start(activity), None).status == 200
    merchant.clock.forward(DAY_S)
    clear_caches()

    def merge() -> None:
        identities.prove(merchant.merchant_id, older.buyer_id, PHONE, now_s=merchant.now_s)

    [mine] = reminders.of_person(merchant.merchant_id, [older.buyer_id])
    with interleaved(merge):
        reminder_work.process(merchant.merchant_id, older.buyer_id, mine.sk, now_s=merchant.now_s)
    merchant.run_jobs(2)

    person = identities.root(merchant.merchant_id, older.buyer_id)
    assert merchant.session(person).messages() == ["activity_begun"]


def test_account_that_is_closed_while_its_buyer_asks_keeps_no_reminder(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = scheduled(merchant), merchant.buyer()

    with interleaved(lambda: buyer.call("DELETE", "/v1/me/account")):
        reply = buyer.put(of_start(activity), None)

    assert (reply.status, reply.code) == (401, "session_superseded")
    assert waiting(merchant, buyer) == []
    merchant.check_laws()


def due_reminder(merchant: MerchantFixture, buyer: Buyer) -> ReminderItem:
    """One of a group that has a free seat by now."""
    _, group_id, holder, order_id = held(merchant)
    assert buyer.put(of_seat(group_id), None).status == 200
    [item] = reminders.of_person(merchant.merchant_id, [buyer.buyer_id])
    holder.cancel(order_id)
    merchant.clock.forward(HOLD_S + 120)
    return item


def test_run_that_dies_anywhere_tells_once_all_the_same(merchant: MerchantFixture) -> None:
    buyer, told = merchant.buyer(), 0
    for way in (InterruptionKind.DIES_BEFORE, InterruptionKind.DIES_AFTER):
        for at in range(12):
            item, cut = due_reminder(merchant, buyer), Interruption(at, way)
            with injected(cut.dynamodb), suppress(Crash):
                reminder_work.process(
                    merchant.merchant_id, buyer.buyer_id, item.sk, now_s=merchant.now_s
                )
            merchant.run_jobs(2)
            told += 1
            assert buyer.messages() == ["seat_free"] * told, cut
            assert waiting(merchant, buyer) == [], cut
            if not cut.operation:
                break
        assert not cut.operation, "it makes more calls than were cut"


def test_runs_at_once_tell_once_and_nothing_that_was_taken_back(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    item = due_reminder(merchant, buyer)

    def run() -> None:
        reminder_work.process(merchant.merchant_id, buyer.buyer_id, item.sk, now_s=merchant.now_s)

    concurrently([run] * 6)
    assert buyer.messages() == ["seat_free"]

    other = merchant.buyer()
    item = due_reminder(merchant, other)
    path = of_seat(item.group_id or "")
    with interleaved(lambda: other.call("DELETE", path)):
        reminder_work.process(merchant.merchant_id, other.buyer_id, item.sk, now_s=merchant.now_s)
    assert (other.messages(), waiting(merchant, other)) == ([], [])


def test_who_agreed_is_told_in_wechat_as_well(merchant: MerchantFixture) -> None:
    ids, buyer = use_templates(merchant), log_in(merchant, "a")
    activity, (_, group_id, _, _) = scheduled(merchant), held(merchant)
    offered = detail(merchant, buyer, activity)["reminder"]
    assert offered == page(merchant, buyer, group_id)["reminder"]
    assert offered["subscribe"] == [ids["reminder"]]
    agree(merchant, buyer, "a", offered["subscribe"])
    agree(merchant, buyer, "a", offered["subscribe"])
    for path in (of_seat(group_id), of_start(activity)):
        assert buyer.put(path, None).status == 200

    merchant.wait(HOLD_S + 120)
    merchant.clock.forward(DAY_S)
    merchant.run_jobs(2)

    sent = merchant.wechat.server_api.shown
    assert [(one.page, dict(one.lines)["note"]) for one in sent] == [
        (f"pages/group/group?g={group_id}", "有名额了，先到先得，快去参团吧"),
        (f"pages/activity/activity?a={activity.activity_id}", "开始了，快去开团吧"),
    ]
