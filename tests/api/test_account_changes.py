"""Another payment account is saved while money is on its way: every payment belongs to the account
that it was begun with, and none is lost."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.beijing import day_of
from chalicelib.gateways import secrets
from infra.local.wechat_keys import key_pair, public_pem
from tests.api.test_bills import (
    differences,
    reconciliations,
    start_of_a_day,
    until_bills_are_compared,
)
from tests.api.test_payment_accounts import unwritten
from tests.fixtures.callbacks import held_seat
from tests.fixtures.merchant import MerchantFixture, Reply
from tests.fixtures.payment_fixtures import BOTH

pytestmark = pytest.mark.slow

GATEWAYS = BOTH
ACCOUNTS = "/v1/merchant/payment-accounts"


def took(merchant: MerchantFixture, mchid: str) -> dict[str, int]:
    """What an account of the gateway's took, and has not given back: number -> fen."""
    return {
        trade["out_trade_no"]: trade["captured_fen"] - trade["refunded_fen"]
        for trade in merchant.gateway.ledger.summaries()
        if trade["mchid"] == mchid and trade["captured_fen"]
    }


def answers(merchant: MerchantFixture, number: str) -> list[int]:
    told = merchant.gateway.courier.summaries()
    return [answer for d in told if d["number"] == number for answer in d["answers"]]


def shown(merchant: MerchantFixture) -> dict[str, Any]:
    name = merchant.gateway.method.replace("_", "-")
    items = merchant.owner().get(ACCOUNTS).body["items"]
    found: dict[str, Any] = next(item for item in items if item["method"] == name)
    return found


def test_payment_asked_for_before_the_change_counts_where_it_was_asked_for(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    key, before = merchant.prepay(buyer, order_id), merchant.gateway.mchid

    merchant.change_account()
    number = merchant.gateway.pay(key)
    assert merchant.gateway.quiet()

    assert answers(merchant, number) == [200]
    assert took(merchant, before)[number] == 5900
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs(2)
    merchant.check_laws()


def test_unheard_payment_is_found_at_the_account_of_before(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    key = merchant.prepay(buyer, order_id)
    merchant.change_account()
    merchant.gateway.faults.add("payment_callback", "dropped")
    merchant.gateway.pay(key)

    merchant.wait(120)

    assert merchant.stored_group(group_id).status == "formed"
    merchant.check_laws()


def test_unpaid_order_is_closed_at_the_account_of_before(merchant: MerchantFixture) -> None:
    activity, _, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)
    merchant.change_account()

    merchant.wait(700, every_s=100)

    (trade,) = [
        t for t in merchant.gateway.ledger.summaries() if t["out_trade_no"] == f"{order_id}01"
    ]
    assert trade["trade_state"] in ("CLOSED", "TRADE_CLOSED")
    assert buyer.status(order_id) == "closed"
    assert merchant.stock(activity) == 9
    merchant.check_laws()


def test_whoever_asks_again_pays_at_the_new_account_and_can_not_pay_twice(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)
    merchant.change_account()

    number = merchant.pay(buyer, order_id)

    assert number == f"{order_id}02"
    assert took(merchant, merchant.gateway.mchid) == {number: 5900}
    states = {t["out_trade_no"]: t["trade_state"] for t in merchant.gateway.ledger.summaries()}
    assert states[f"{order_id}01"] in ("CLOSED", "TRADE_CLOSED")
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs(2)
    merchant.check_laws()


def test_both_attempts_are_paid_where_the_account_of_before_could_not_close_its_own(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    key, before = merchant.prepay(buyer, order_id), merchant.gateway.mchid
    merchant.change_account()
    new = merchant.gateway._account_of()
    merchant.gateway.faults.add("query", "server_error")
    reply = buyer.ask_to_pay(order_id)
    assert reply.status == 201, reply.body
    merchant.gateway.faults.clear()

    merchant.gateway.pay(merchant.gateway.key_of(reply.body["parameters"]))
    assert merchant.gateway.quiet()
    merchant.gateway.pay(key)
    assert merchant.gateway.quiet()
    merchant.run_jobs(3)

    assert merchant.stored_group(group_id).status == "formed"
    assert took(merchant, new.mchid) == {f"{order_id}02": 5900}
    assert took(merchant, before)[f"{order_id}01"] == 0
    merchant.check_laws()


def test_refunds_go_to_the_account_that_took_the_money(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    merchant.gateway.set_balance(0)
    _, leader, order_id = merchant.open_group(activity)
    before = merchant.gateway.mchid
    merchant.change_account()
    merchant.gateway.set_balance(0)

    leader.cancel(order_id)
    merchant.run_jobs(3)

    assert leader.status(order_id) == "refunded"
    assert merchant.gateway.ledger.balances[before] == 0
    merchant.check_laws()


def test_refund_that_failed_is_sent_again_to_the_account_of_before(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    merchant.gateway.set_balance(0)
    _, leader, order_id = merchant.open_group(activity)
    before = merchant.gateway.mchid
    merchant.gateway.ledger.balances[before] = 0
    leader.cancel(order_id)
    merchant.change_account()
    merchant.wait(7 * 3600, every_s=1800)
    assert merchant.stored_order(order_id).view().refunds["01F"].status == "failed"
    merchant.gateway.ledger.balances[before] = 5900

    reply = merchant.owner().post(f"/v1/merchant/refunds/{order_id}01F/retry")
    merchant.run_jobs(3)

    assert reply.status == 200, reply.body
    assert leader.status(order_id) == "refunded"
    assert merchant.gateway.ledger.balances[before] == 0
    merchant.check_laws()


def test_bill_of_the_day_of_the_change_is_compared_for_both_accounts(
    merchant: MerchantFixture,
) -> None:
    start_of_a_day(merchant)
    activity = merchant.activity(seats=2, stock=10)
    _, lonely, first = merchant.open_group(activity)
    merchant.open_group(activity)
    merchant.change_account()
    lonely.cancel(first)
    merchant.open_group(activity)
    merchant.run_jobs(2)
    day = day_of(merchant.now_s).isoformat()
    until_bills_are_compared(merchant)

    told = [row for row in reconciliations(merchant) if row["day"] == day]

    assert differences(merchant) == []
    assert sorted((row["payments"], row["refunds"]) for row in told) == [(1, 0), (2, 1)]
    merchant.check_laws()


def test_unheard_payment_is_taken_over_from_the_bill_of_the_account_of_before(
    merchant: MerchantFixture,
) -> None:
    start_of_a_day(merchant)
    _, _, buyer, order_id = held_seat(merchant)
    key = merchant.prepay(buyer, order_id)
    merchant.run_jobs()
    merchant.change_account()
    merchant.gateway.faults.add("payment_callback", "dropped")
    merchant.gateway.faults.add("query", "server_error", times=500)
    merchant.gateway.pay(key)
    until_bills_are_compared(merchant)
    merchant.gateway.faults.clear()

    merchant.wait(3 * 3600, every_s=1800)

    assert merchant.stored_order(order_id).view().is_succeeded("01")
    assert [d["difference"] for d in differences(merchant) if not d["repaired"]] == []
    merchant.check_laws()


def test_statement_of_another_account_is_not_believed(merchant: MerchantFixture) -> None:
    """Rightly signed, of an account of ours, about an attempt that was not begun there."""
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.change_account()
    items = [merchant.stored_group(group_id), merchant.stored_order(order_id)]
    before = [merchant.image(item) for item in items]
    headers, body = merchant.gateway.courier.signed(number)

    reply = merchant.api_client.request("POST", new_path(merchant), headers, body)

    assert (reply.status in (401, 409), reply.code in ("callback_refused", "wrong_account")) == (
        True,
        True,
    )
    assert [merchant.image(item) for item in items] == before
    merchant.resend(number)
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs(2)
    merchant.check_laws()


def new_path(merchant: MerchantFixture) -> str:
    """Where the present account's payments are told."""
    what = "/payments" if merchant.gateway.method == "wechat_pay" else ""
    name = merchant.gateway.method.replace("_", "-")
    account = merchant.places[merchant.gateway.mchid]
    return f"/v1/callbacks/{name}/{merchant.merchant_id}/{account}{what}"


def test_made_up_account_in_the_address_costs_no_look_up(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.change_account()
    headers, body = merchant.gateway.courier.signed(number)
    account = merchant.places[merchant.gateway.mchid]
    read: list[str] = []

    def read_nothing(name: str) -> str:
        read.append(name)
        return ""

    monkeypatch.setattr(secrets, "_read", read_nothing)

    replies = [
        merchant.api_client.request(
            "POST", new_path(merchant).replace(account, wrong), headers, body
        )
        for wrong in ("zzzzzzzz", account[:-1] + "-", account[::-1], "first", "x")
    ]

    assert [(r.status, r.code) for r in replies] == [(404, "not_found")] * 5
    assert read == []


def test_account_that_comes_back_is_the_one_it_was(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    first = merchant.gateway._account_of()
    content = first.wechat_pay if merchant.gateway.method == "wechat_pay" else first.alipay
    _, leader, order_id = merchant.open_group(activity)
    merchant.change_account()
    _, second_leader, second = merchant.open_group(activity)

    merchant.save_account(first, content)
    _, _, third = merchant.open_group(activity)

    accounts = [
        merchant.stored_order(o).view().payments["01"].account for o in (order_id, second, third)
    ]
    assert accounts[0] == accounts[2] == ""
    assert accounts[1] != ""
    leader.cancel(order_id)
    second_leader.cancel(second)
    merchant.run_jobs(3)
    assert [leader.status(order_id), second_leader.status(second)] == ["refunded"] * 2
    merchant.check_laws()


def test_change_that_was_cut_off_loses_nothing_and_a_repeat_mends_it(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    key = merchant.prepay(buyer, order_id)
    account = merchant.gateway.new_account("another")
    name = merchant.gateway.method.replace("_", "-")
    content = account.wechat_pay if name == "wechat-pay" else account.alipay
    body = {**content, "revision": 0}
    path = f"{ACCOUNTS}/{name}"

    with unwritten():
        cut_off = merchant.owner().put(path, body)
    merchant.gateway.pay(key)
    assert merchant.gateway.quiet()

    assert cut_off.status == 503
    assert shown(merchant)["as_saved"] is False
    assert merchant.stored_group(group_id).status == "formed"
    again: Reply = merchant.owner().put(path, body)
    assert (again.status, again.body["as_saved"]) == (200, True)
    merchant.run_jobs(2)
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_direct_merchant_goes_over_to_a_service_provider(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    key, before = merchant.prepay(buyer, order_id), merchant.gateway.mchid
    activity = merchant.activity(seats=2, stock=10)
    _, leader, paid = merchant.open_group(activity)

    merchant.change_account(partner=True, own_app=True)
    number = merchant.gateway.pay(key)
    assert merchant.gateway.quiet()
    leader.cancel(paid)
    _, _, new_order = merchant.open_group(activity)
    merchant.run_jobs(3)

    assert answers(merchant, number) == [200]
    assert took(merchant, before)[number] == 5900
    assert leader.status(paid) == "refunded"
    assert took(merchant, merchant.gateway.mchid) == {f"{new_order}01": 5900}
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_callback_sealed_with_the_key_of_before_is_opened_for_two_weeks(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    account = merchant.account
    rotated = replace(account, wechat_pay={**account.wechat_pay, "api_v3_key": "n" * 32})

    merchant.save_account(rotated, rotated.wechat_pay)
    merchant.clock.forward(24 * 3600)
    merchant.resend(number)

    assert answers(merchant, number) == [200]
    assert set(merchant.places.values()) == {""}
    assert merchant.stored_group(group_id).status in ("formed", "open", "failed")
    merchant.clock.forward(14 * 24 * 3600)
    headers, body = merchant.gateway.courier.signed(number)
    late = merchant.api_client.request(
        "POST", merchant.gateway.path(merchant.merchant_id, "payments"), headers, body
    )
    assert (late.status, late.code) == (401, "callback_refused")


def test_public_key_that_was_replaced_is_believed_for_two_weeks(merchant: MerchantFixture) -> None:
    """The gateway's own key: what it signed before may be on its way."""
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    headers, body = merchant.gateway.courier.signed(number)
    path = merchant.gateway.path(merchant.merchant_id, "payments")
    account = merchant.gateway._account_of()
    new = public_pem(key_pair("other"))
    if merchant.gateway.method == "wechat_pay":
        content = {**account.wechat_pay, "public_keys": {"PUB_KEY_ID_0119000000012026": new}}
    else:
        content = {**account.alipay, "alipay_public_key": new}
    merchant.save_account(account, content)

    reply = merchant.api_client.request("POST", path, headers, body)

    assert reply.status == 200, reply.body
    assert merchant.stored_group(group_id).status == "formed"


def test_stopped_method_begins_nothing_new_and_what_is_open_goes_on(
    merchant: MerchantFixture,
) -> None:
    activity, group_id, buyer, order_id = held_seat(merchant)
    key = merchant.prepay(buyer, order_id)
    _, leader, paid = merchant.open_group(activity)
    name = merchant.gateway.method.replace("_", "-")
    replies = [merchant.owner().put(f"{ACCOUNTS}/{name}/offered", {"offered": False}) for _ in "ab"]
    merchant.clock.forward(60)  # containers keep a shop's settings for a minute

    again = merchant.prepay(buyer, order_id)
    friend, other = merchant.join(activity, str(merchant.stored_order(paid).group_id))
    refused = friend.ask_to_pay(other)
    merchant.gateway.pay(again if merchant.gateway.method == "alipay" else key)
    assert merchant.gateway.quiet()
    friend.cancel(other)
    leader.cancel(paid)
    merchant.run_jobs(3)

    assert [reply.body["offered"] for reply in replies] == [False, False]
    assert (refused.status, refused.code) == (409, "payment_method_off")
    assert merchant.stored_order(other).view().payments == {}
    assert merchant.stored_group(group_id).status == "formed"
    assert leader.status(paid) == "refunded"
    rows = merchant.owner().get("/v1/merchant/audit?subject=payment_account").body["items"]
    assert [row["action"] for row in rows] == ["payment_method_stopped"]
    merchant.check_laws()


def test_owner_sees_what_hangs_on_the_accounts_of_before(merchant: MerchantFixture) -> None:
    activity, _, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)
    merchant.gateway.set_balance(0)
    _, leader, paid = merchant.open_group(activity)
    merchant.gateway.ledger.balances[merchant.gateway.mchid] = 0
    before, changed_at_s = merchant.gateway.mchid, merchant.now_s
    leader.cancel(paid)
    merchant.run_jobs()
    merchant.change_account()
    name = merchant.gateway.method.replace("_", "-")

    told = merchant.owner().get(f"{ACCOUNTS}/{name}/earlier").body

    assert told["present"] == {"payments": 0, "refunds": 0, "troubles": 0}
    [one] = told["items"]
    assert before in (one["mchid"], one["seller_id"])
    assert (one["since_s"], one["until_s"]) == (None, changed_at_s)
    assert one["open"] == {"payments": 1, "refunds": 1, "troubles": 1}
    assert told["complete"] is True
    assert "PRIVATE" not in str(told)
