"""Another payment account is saved while money is on its way: every payment belongs to the account
that it was begun with, and none is lost."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.beijing import day_of
from chalicelib.gateways import secrets
from infra.local.wechat_keys import key_pair, public_pem
from tests.integration.test_bills import (
    differences,
    reconciliations,
    start_of_a_day,
    until_bills_are_compared,
)
from tests.integration.test_payment_accounts import unwritten
from tests.support import Activity, Buyer, Reply, Town
from tests.tills import BOTH

GATEWAYS = BOTH
ACCOUNTS = "/v1/merchant/payment-accounts"


def held_seat(town: Town) -> tuple[Activity, str, Buyer, str]:
    """(activity, group_id, buyer, order_id) of the last seat of a group of two."""
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    return activity, group_id, buyer, order_id


def took(town: Town, mchid: str) -> dict[str, int]:
    """What an account of the gateway's took, and has not given back: number -> fen."""
    return {
        trade["out_trade_no"]: trade["captured_fen"] - trade["refunded_fen"]
        for trade in town.till.ledger.summaries()
        if trade["mchid"] == mchid and trade["captured_fen"]
    }


def answers(town: Town, number: str) -> list[int]:
    told = town.till.courier.summaries()
    return [answer for d in told if d["number"] == number for answer in d["answers"]]


def shown(town: Town) -> dict[str, Any]:
    name = town.till.method.replace("_", "-")
    items = town.owner().get(ACCOUNTS).body["items"]
    found: dict[str, Any] = next(item for item in items if item["method"] == name)
    return found


def test_payment_asked_for_before_the_change_counts_where_it_was_asked_for(town: Town) -> None:
    _, group_id, buyer, order_id = held_seat(town)
    key, before = town.prepay(buyer, order_id), town.till.mchid

    town.change_account()
    number = town.till.pay(key)
    assert town.till.quiet()

    assert answers(town, number) == [200]
    assert took(town, before)[number] == 5900
    assert town.stored_group(group_id).status == "formed"
    town.run_jobs(2)
    town.check_laws()


def test_unheard_payment_is_found_at_the_account_of_before(town: Town) -> None:
    _, group_id, buyer, order_id = held_seat(town)
    key = town.prepay(buyer, order_id)
    town.change_account()
    town.till.faults.add("payment_callback", "dropped")
    town.till.pay(key)

    town.wait(120)

    assert town.stored_group(group_id).status == "formed"
    town.check_laws()


def test_unpaid_order_is_closed_at_the_account_of_before(town: Town) -> None:
    activity, _, buyer, order_id = held_seat(town)
    town.prepay(buyer, order_id)
    town.change_account()

    town.wait(700, every_s=100)

    (trade,) = [t for t in town.till.ledger.summaries() if t["out_trade_no"] == f"{order_id}01"]
    assert trade["trade_state"] in ("CLOSED", "TRADE_CLOSED")
    assert buyer.status(order_id) == "closed"
    assert town.stock(activity) == 9
    town.check_laws()


def test_whoever_asks_again_pays_at_the_new_account_and_can_not_pay_twice(town: Town) -> None:
    _, group_id, buyer, order_id = held_seat(town)
    town.prepay(buyer, order_id)
    town.change_account()

    number = town.pay(buyer, order_id)

    assert number == f"{order_id}02"
    assert took(town, town.till.mchid) == {number: 5900}
    states = {t["out_trade_no"]: t["trade_state"] for t in town.till.ledger.summaries()}
    assert states[f"{order_id}01"] in ("CLOSED", "TRADE_CLOSED")
    assert town.stored_group(group_id).status == "formed"
    town.run_jobs(2)
    town.check_laws()


def test_both_attempts_are_paid_where_the_account_of_before_could_not_close_its_own(
    town: Town,
) -> None:
    _, group_id, buyer, order_id = held_seat(town)
    key, before = town.prepay(buyer, order_id), town.till.mchid
    town.change_account()
    new = town.till._account_of()
    town.till.faults.add("query", "server_error")
    reply = buyer.ask_to_pay(order_id)
    assert reply.status == 201, reply.body
    town.till.faults.clear()

    town.till.pay(town.till.key_of(reply.body["parameters"]))
    assert town.till.quiet()
    town.till.pay(key)
    assert town.till.quiet()
    town.run_jobs(3)

    assert town.stored_group(group_id).status == "formed"
    assert took(town, new.mchid) == {f"{order_id}02": 5900}
    assert took(town, before)[f"{order_id}01"] == 0
    town.check_laws()


def test_refunds_go_to_the_account_that_took_the_money(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    town.till.set_balance(0)
    _, leader, order_id = town.open_group(activity)
    before = town.till.mchid
    town.change_account()
    town.till.set_balance(0)

    leader.cancel(order_id)
    town.run_jobs(3)

    assert leader.status(order_id) == "refunded"
    assert town.till.ledger.balances[before] == 0
    town.check_laws()


def test_refund_that_failed_is_sent_again_to_the_account_of_before(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    town.till.set_balance(0)
    _, leader, order_id = town.open_group(activity)
    before = town.till.mchid
    town.till.ledger.balances[before] = 0
    leader.cancel(order_id)
    town.change_account()
    town.wait(7 * 3600, every_s=1800)
    assert town.stored_order(order_id).view().refunds["01F"].status == "failed"
    town.till.ledger.balances[before] = 5900

    reply = town.owner().post(f"/v1/merchant/refunds/{order_id}01F/retry")
    town.run_jobs(3)

    assert reply.status == 200, reply.body
    assert leader.status(order_id) == "refunded"
    assert town.till.ledger.balances[before] == 0
    town.check_laws()


def test_bill_of_the_day_of_the_change_is_compared_for_both_accounts(town: Town) -> None:
    start_of_a_day(town)
    activity = town.activity(seats=2, stock=10)
    _, lonely, first = town.open_group(activity)
    town.open_group(activity)
    town.change_account()
    lonely.cancel(first)
    town.open_group(activity)
    town.run_jobs(2)
    day = day_of(town.now_s).isoformat()
    until_bills_are_compared(town)

    told = [row for row in reconciliations(town) if row["day"] == day]

    assert differences(town) == []
    assert sorted((row["payments"], row["refunds"]) for row in told) == [(1, 0), (2, 1)]
    town.check_laws()


def test_unheard_payment_is_taken_over_from_the_bill_of_the_account_of_before(town: Town) -> None:
    start_of_a_day(town)
    _, _, buyer, order_id = held_seat(town)
    key = town.prepay(buyer, order_id)
    town.run_jobs()
    town.change_account()
    town.till.faults.add("payment_callback", "dropped")
    town.till.faults.add("query", "server_error", times=500)
    town.till.pay(key)
    until_bills_are_compared(town)
    town.till.faults.clear()

    town.wait(3 * 3600, every_s=1800)

    assert town.stored_order(order_id).view().is_succeeded("01")
    assert [d["difference"] for d in differences(town) if not d["repaired"]] == []
    town.check_laws()


def test_statement_of_another_account_is_not_believed(town: Town) -> None:
    """Rightly signed, of an account of ours, about an attempt that was not begun there."""
    _, group_id, buyer, order_id = held_seat(town)
    number = town.pay_unheard(buyer, order_id)
    town.change_account()
    items = [town.stored_group(group_id), town.stored_order(order_id)]
    before = [town.image(item) for item in items]
    headers, body = town.till.courier.signed(number)

    reply = town.door.request("POST", new_path(town), headers, body)

    assert (reply.status in (401, 409), reply.code in ("callback_refused", "wrong_account")) == (
        True,
        True,
    )
    assert [town.image(item) for item in items] == before
    town.resend(number)
    assert town.stored_group(group_id).status == "formed"
    town.run_jobs(2)
    town.check_laws()


def new_path(town: Town) -> str:
    """Where the present account's payments are told."""
    what = "/payments" if town.till.method == "wechat_pay" else ""
    name = town.till.method.replace("_", "-")
    account = town.places[town.till.mchid]
    return f"/v1/callbacks/{name}/{town.merchant_id}/{account}{what}"


def test_made_up_account_in_the_address_costs_no_look_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, buyer, order_id = held_seat(town)
    number = town.pay_unheard(buyer, order_id)
    town.change_account()
    headers, body = town.till.courier.signed(number)
    account = town.places[town.till.mchid]
    read: list[str] = []
    monkeypatch.setattr(secrets, "_read", lambda name: read.append(name) or "")

    replies = [
        town.door.request("POST", new_path(town).replace(account, wrong), headers, body)
        for wrong in ("zzzzzzzz", account[:-1] + "-", account[::-1], "first", "x")
    ]

    assert [(r.status, r.code) for r in replies] == [(404, "not_found")] * 5
    assert read == []


def test_account_that_comes_back_is_the_one_it_was(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    first = town.till._account_of()
    content = first.wechat_pay if town.till.method == "wechat_pay" else first.alipay
    _, leader, order_id = town.open_group(activity)
    town.change_account()
    _, second_leader, second = town.open_group(activity)

    town.save_account(first, content)
    _, _, third = town.open_group(activity)

    accounts = [
        town.stored_order(o).view().payments["01"].account for o in (order_id, second, third)
    ]
    assert accounts[0] == accounts[2] == ""
    assert accounts[1] != ""
    leader.cancel(order_id)
    second_leader.cancel(second)
    town.run_jobs(3)
    assert [leader.status(order_id), second_leader.status(second)] == ["refunded"] * 2
    town.check_laws()


def test_change_that_was_cut_off_loses_nothing_and_a_repeat_mends_it(town: Town) -> None:
    _, group_id, buyer, order_id = held_seat(town)
    key = town.prepay(buyer, order_id)
    account = town.till.new_account("another")
    name = town.till.method.replace("_", "-")
    content = account.wechat_pay if name == "wechat-pay" else account.alipay
    body = {**content, "revision": 0}
    path = f"{ACCOUNTS}/{name}"

    with unwritten():
        cut_off = town.owner().put(path, body)
    town.till.pay(key)
    assert town.till.quiet()

    assert cut_off.status == 503
    assert shown(town)["as_saved"] is False
    assert town.stored_group(group_id).status == "formed"
    again: Reply = town.owner().put(path, body)
    assert (again.status, again.body["as_saved"]) == (200, True)
    town.run_jobs(2)
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_direct_merchant_goes_over_to_a_service_provider(town: Town) -> None:
    _, _, buyer, order_id = held_seat(town)
    key, before = town.prepay(buyer, order_id), town.till.mchid
    activity = town.activity(seats=2, stock=10)
    _, leader, paid = town.open_group(activity)

    town.change_account(partner=True, own_app=True)
    number = town.till.pay(key)
    assert town.till.quiet()
    leader.cancel(paid)
    _, _, new_order = town.open_group(activity)
    town.run_jobs(3)

    assert answers(town, number) == [200]
    assert took(town, before)[number] == 5900
    assert leader.status(paid) == "refunded"
    assert took(town, town.till.mchid) == {f"{new_order}01": 5900}
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_callback_sealed_with_the_key_of_before_is_opened_for_two_weeks(town: Town) -> None:
    _, group_id, buyer, order_id = held_seat(town)
    number = town.pay_unheard(buyer, order_id)
    account = town.account
    rotated = replace(account, wechat_pay={**account.wechat_pay, "api_v3_key": "n" * 32})

    town.save_account(rotated, rotated.wechat_pay)
    town.clock.forward(24 * 3600)
    town.resend(number)

    assert answers(town, number) == [200]
    assert set(town.places.values()) == {""}
    assert town.stored_group(group_id).status in ("formed", "open", "failed")
    town.clock.forward(14 * 24 * 3600)
    headers, body = town.till.courier.signed(number)
    late = town.door.request("POST", town.till.path(town.merchant_id, "payments"), headers, body)
    assert (late.status, late.code) == (401, "callback_refused")


def test_public_key_that_was_replaced_is_believed_for_two_weeks(town: Town) -> None:
    """The gateway's own key: what it signed before may be on its way."""
    _, group_id, buyer, order_id = held_seat(town)
    number = town.pay_unheard(buyer, order_id)
    headers, body = town.till.courier.signed(number)
    path = town.till.path(town.merchant_id, "payments")
    account = town.till._account_of()
    new = public_pem(key_pair("other"))
    if town.till.method == "wechat_pay":
        content = {**account.wechat_pay, "public_keys": {"PUB_KEY_ID_0119000000012026": new}}
    else:
        content = {**account.alipay, "alipay_public_key": new}
    town.save_account(account, content)

    reply = town.door.request("POST", path, headers, body)

    assert reply.status == 200, reply.body
    assert town.stored_group(group_id).status == "formed"


def test_stopped_method_begins_nothing_new_and_what_is_open_goes_on(town: Town) -> None:
    activity, group_id, buyer, order_id = held_seat(town)
    key = town.prepay(buyer, order_id)
    _, leader, paid = town.open_group(activity)
    name = town.till.method.replace("_", "-")
    replies = [town.owner().put(f"{ACCOUNTS}/{name}/offered", {"offered": False}) for _ in "ab"]
    town.clock.forward(60)  # containers keep a shop's settings for a minute

    again = town.prepay(buyer, order_id)
    friend, other = town.join(activity, str(town.stored_order(paid).group_id))
    refused = friend.ask_to_pay(other)
    town.till.pay(again if town.till.method == "alipay" else key)
    assert town.till.quiet()
    friend.cancel(other)
    leader.cancel(paid)
    town.run_jobs(3)

    assert [reply.body["offered"] for reply in replies] == [False, False]
    assert (refused.status, refused.code) == (409, "payment_method_off")
    assert town.stored_order(other).view().payments == {}
    assert town.stored_group(group_id).status == "formed"
    assert leader.status(paid) == "refunded"
    rows = town.owner().get("/v1/merchant/audit?subject=payment_account").body["items"]
    assert [row["action"] for row in rows] == ["payment_method_stopped"]
    town.check_laws()


def test_owner_sees_what_hangs_on_the_accounts_of_before(town: Town) -> None:
    activity, _, buyer, order_id = held_seat(town)
    town.prepay(buyer, order_id)
    town.till.set_balance(0)
    _, leader, paid = town.open_group(activity)
    town.till.ledger.balances[town.till.mchid] = 0
    before, changed_at_s = town.till.mchid, town.now_s
    leader.cancel(paid)
    town.run_jobs()
    town.change_account()
    name = town.till.method.replace("_", "-")

    told = town.owner().get(f"{ACCOUNTS}/{name}/earlier").body

    assert told["present"] == {"payments": 0, "refunds": 0, "troubles": 0}
    [one] = told["items"]
    assert before in (one["mchid"], one["seller_id"])
    assert (one["since_s"], one["until_s"]) == (None, changed_at_s)
    assert one["open"] == {"payments": 1, "refunds": 1, "troubles": 1}
    assert told["complete"] is True
    assert "PRIVATE" not in str(told)
