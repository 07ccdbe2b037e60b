"""Messages that go to the buyer's WeChat as well: asked for, counted, sent once, and what WeChat
says to it."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.identity import Identity, Way
from chalicelib.gateways.wechat_api import wechat_api
from chalicelib.services.orders import subscribe_messages
from chalicelib.services.people import identities, wechat_tokens
from chalicelib.tables.buyers import BuyerItem, MessageItem, SubscriptionsItem
from chalicelib.tables.shop import WechatTokenItem
from tests.fixtures.fault_injection import injected
from tests.fixtures.interruptions import Crash, Interruption, InterruptionKind
from tests.fixtures.merchant import Buyer, MerchantFixture, concurrently
from tests.fixtures.shipping import ship
from tests.fixtures.subscriptions import TEMPLATES, Templates, agree, log_in, use_templates


def left(merchant: MerchantFixture, buyer: Buyer) -> dict[str, int]:
    key = BuyerItem.at(merchant.merchant_id, buyer.buyer_id)
    item = BuyerItem.get(key.pk, key.sk, consistent_read=True)
    found: dict[str, int] = {}
    for identity_id in item.identities.as_dict().values():
        agreed = SubscriptionsItem.at(merchant.merchant_id, identity_id)
        with suppress(SubscriptionsItem.DoesNotExist):
            found |= SubscriptionsItem.get(agreed.pk, agreed.sk).left.as_dict()
    return found


def shown(merchant: MerchantFixture) -> list[Any]:
    return [(one.title, dict(one.lines)) for one in merchant.wechat.server_api.shown]


def states(merchant: MerchantFixture, buyer: Buyer) -> dict[str, tuple[str | None, bool]]:
    """What became of each message: (its state at WeChat, whether it is still due)."""
    pk = BuyerItem.at(merchant.merchant_id, buyer.buyer_id).pk
    found = MessageItem.query(pk, MessageItem.sk.startswith("message#"), consistent_read=True)
    return {one.text_key: (one.wechat_state, one.due_at_s is not None) for one in found}


def result_due(merchant: MerchantFixture, ids: Templates, name: str = "a") -> Buyer:
    """A buyer who agreed to be told of the result, and whose message of it is due."""
    buyer = log_in(merchant, name)
    activity = merchant.activity(seats=2, stock=20)
    group_id, *_ = merchant.open_group(activity, buyer)
    agree(merchant, buyer, name, [ids["result"]])
    merchant.member(activity, group_id)
    merchant.run_jobs()
    return buyer


def test_buyer_who_agreed_is_told_in_wechat_once_for_each_time(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    buyer = log_in(merchant, "a")
    activity = merchant.activity(seats=2, stock=20)
    group_id, _, order_id = merchant.open_group(activity, buyer)

    result = buyer.post(f"/v1/orders/{order_id}/payment-result").body
    assert result["subscribe"] == [ids["result"], ids["shipped"], ids["refunded"]]
    agree(merchant, buyer, "a", result["subscribe"])
    other, _ = merchant.member(activity, group_id)
    merchant.run_jobs(3)

    formed = {"title": "周末三人团", "result": "拼团成功", "note": "商家正在备货，请留意后续通知"}
    [(title, lines)] = shown(merchant)
    assert (title, lines | formed) == ("result", lines)
    assert merchant.wechat.server_api.shown[0].page == f"pages/group/group?g={group_id}"
    assert states(merchant, buyer)["formed"] == ("sent", False)
    assert states(merchant, other)["formed"] == (None, False)  # never came by the mini-program
    assert left(merchant, buyer) == {ids["shipped"]: 1, ids["refunded"]: 1}

    assert ship(merchant, order_id, "SF1234567890123").status == 200
    merchant.run_jobs(2)
    assert shown(merchant)[1:] == [
        ("shipped", {"title": "周末三人团", "carrier": "顺丰速运", "number": "SF1234567890123"})
    ]
    assert left(merchant, buyer) == {ids["refunded"]: 1}
    merchant.check_laws()


def test_refund_of_a_failed_group_is_told(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    buyer = log_in(merchant, "a")
    merchant.open_group(merchant.activity(seats=2, stock=20), buyer)
    agree(merchant, buyer, "a", [ids["result"], ids["refunded"]])

    merchant.clock.forward(86400 + 60)
    merchant.run_jobs(4)

    told = dict(shown(merchant))  # in any order: one run sends several at once
    assert (len(told), told["result"]["result"]) == (2, "未成团")
    assert told["refunded"]["amount"] == "¥59.00"
    assert left(merchant, buyer) == {}


def test_nothing_is_sent_without_a_template_or_a_consent(merchant: MerchantFixture) -> None:
    buyer = log_in(merchant, "a")
    _, _, order_id = merchant.open_group(merchant.activity(seats=2, stock=20), buyer)
    assert buyer.post(f"/v1/orders/{order_id}/payment-result").body["subscribe"] == []
    assert buyer.post("/v1/me/subscriptions", {"template_ids": ["x"]}).status == 200
    assert left(merchant, buyer) == {}

    use_templates(merchant)
    merchant.clock.forward(86400 + 60)
    merchant.run_jobs(3)

    assert shown(merchant) == []
    assert merchant.wechat.server_api.token_calls == 0
    assert states(merchant, buyer)["failed"] == (None, False)


def test_consent_that_wechat_does_not_know_ends(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    buyer = log_in(merchant, "a")
    activity = merchant.activity(seats=2, stock=20)
    group_id, *_ = merchant.open_group(activity, buyer)
    both = {"template_ids": [ids["result"]]}
    assert [buyer.post("/v1/me/subscriptions", both).status for _ in range(2)] == [200, 200]
    assert left(merchant, buyer) == {ids["result"]: 2}

    merchant.member(activity, group_id)
    merchant.run_jobs(2)

    assert shown(merchant) == []
    assert states(merchant, buyer)["formed"] == ("not_subscribed", False)
    assert left(merchant, buyer) == {}


def test_what_wechat_refuses_is_not_sent_again_and_costs_no_consent(
    merchant: MerchantFixture,
) -> None:
    ids = use_templates(merchant)
    merchant.wechat.server_api.change_template(ids["result"], {"thing1": "商品", "thing9": "其他"})
    buyer = result_due(merchant, ids)
    merchant.run_jobs(2)

    assert shown(merchant) == []
    assert states(merchant, buyer)["formed"] == ("refused", False)
    assert left(merchant, buyer) == {ids["result"]: 1}


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("token", "server_error"),
        ("token", "rate_limited"),
        ("token", "lost_answer"),
        ("subscribe_message", "rate_limited"),
    ],
)
def test_what_wechat_had_no_time_for_is_sent_later(
    merchant: MerchantFixture, operation: str, kind: str
) -> None:
    ids = use_templates(merchant)
    merchant.wechat.faults.add(operation, kind)
    buyer = result_due(merchant, ids)
    assert (shown(merchant), left(merchant, buyer)) == ([], {ids["result"]: 1})

    merchant.clock.forward(600)
    merchant.run_jobs()

    assert len(shown(merchant)) == 1
    assert (states(merchant, buyer)["formed"], left(merchant, buyer)) == (("sent", False), {})


@pytest.mark.parametrize("kind", ["lost_answer", "server_error"])
def test_what_may_have_been_sent_is_not_sent_again(merchant: MerchantFixture, kind: str) -> None:
    ids = use_templates(merchant)
    merchant.wechat.faults.add("subscribe_message", kind)
    buyer = result_due(merchant, ids)
    merchant.clock.forward(3600)
    merchant.run_jobs(2)

    assert len(shown(merchant)) == (1 if kind == "lost_answer" else 0)
    assert states(merchant, buyer)["formed"] == ("unknown", False)


def test_what_nobody_wants_to_know_any_more_is_not_sent(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    merchant.wechat.faults.add("subscribe_message", "rate_limited", times=1000)
    buyer = result_due(merchant, ids)
    merchant.wechat.faults.clear()
    merchant.clock.forward(86400 + 1)
    merchant.run_jobs()

    assert shown(merchant) == []
    assert states(merchant, buyer)["formed"] == (None, False)
    assert left(merchant, buyer) == {ids["result"]: 1}


@pytest.mark.slow
def test_token_that_wechat_ends_is_renewed_once(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    result_due(merchant, ids, "a")
    merchant.wechat.server_api.end_tokens()
    result_due(merchant, ids, "b")
    merchant.clock.forward(7200 - 300)
    result_due(merchant, ids, "c")

    assert len(shown(merchant)) == 3
    assert merchant.wechat.server_api.token_calls == 3
    key = WechatTokenItem.at(merchant.merchant_id, merchant.account.wechat_login["appid"])
    stored = WechatTokenItem.get(key.pk, key.sk)
    token = wechat_tokens.token_of(
        merchant.merchant_id, wechat_api(merchant.merchant_id), now_s=merchant.now_s
    )
    assert token not in str(stored.token)  # it is sealed


def test_many_who_need_a_token_ask_for_it_once(merchant: MerchantFixture) -> None:
    api, server = wechat_api(merchant.merchant_id), merchant.wechat.server_api

    def token() -> str:
        wechat_tokens.clear_cache()
        return wechat_tokens.token_of(merchant.merchant_id, api, now_s=merchant.now_s)

    assert len(set(concurrently([token] * 8))) == 1
    assert server.token_calls == 1
    merchant.clock.forward(7200 - 200)  # near its end: one renews it, nobody has to wait
    assert len(set(concurrently([token] * 8))) <= 2
    assert server.token_calls == 2


def test_renewal_that_dies_anywhere_is_taken_over(merchant: MerchantFixture) -> None:
    api, server = wechat_api(merchant.merchant_id), merchant.wechat.server_api

    def token() -> str:
        wechat_tokens.clear_cache()
        return wechat_tokens.token_of(merchant.merchant_id, api, now_s=merchant.now_s)

    for way in (InterruptionKind.DIES_BEFORE, InterruptionKind.DIES_AFTER):
        for at in range(3):  # the read, the lease, what was given
            merchant.clock.forward(7200)
            cut, calls = Interruption(at, way), server.token_calls
            with injected(cut.dynamodb), suppress(Crash):
                token()
            merchant.clock.forward(wechat_tokens.LEASE_S)
            assert server.app_of(token()) == api.appid, cut
            assert cut.operation, cut
            assert server.token_calls - calls in (1, 2), cut


def test_runs_at_once_send_a_message_once(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    merchant.wechat.faults.add("token", "rate_limited")
    buyer = result_due(merchant, ids)
    merchant.clock.forward(600)
    message = due_message(merchant, buyer)

    def run() -> None:
        subscribe_messages.process(
            merchant.merchant_id, message.pk, message.sk, now_s=merchant.now_s
        )

    concurrently([run] * 6)

    assert len(shown(merchant)) == 1
    assert (states(merchant, buyer)["formed"], left(merchant, buyer)) == (("sent", False), {})


def due_message(merchant: MerchantFixture, buyer: Buyer) -> MessageItem:
    pk = BuyerItem.at(merchant.merchant_id, buyer.buyer_id).pk
    found = MessageItem.query(pk, MessageItem.sk.startswith("message#"), consistent_read=True)
    [message] = [one for one in found if one.due_at_s is not None]
    return message


@pytest.mark.slow
def test_run_that_dies_anywhere_sends_a_message_once_at_most(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    outcomes = set()
    for way in (InterruptionKind.DIES_BEFORE, InterruptionKind.DIES_AFTER):
        for at in range(12):
            name, before = f"{way}{at}", len(shown(merchant))
            merchant.wechat.faults.add("subscribe_message", "rate_limited")
            buyer = result_due(merchant, ids, name)
            merchant.clock.forward(600)
            message, cut = due_message(merchant, buyer), Interruption(at, way)
            with injected(cut.dynamodb), suppress(Crash):
                subscribe_messages.process(
                    merchant.merchant_id, message.pk, message.sk, now_s=merchant.now_s
                )
            merchant.clock.forward(600)
            merchant.run_jobs(2)

            sent, (state, is_due) = len(shown(merchant)) - before, states(merchant, buyer)["formed"]
            assert not is_due, (name, cut)
            assert (state, sent) in {("sent", 1), ("unknown", 1), ("unknown", 0)}, (name, cut)
            assert left(merchant, buyer) == {}, (name, cut)
            outcomes.add((state, sent))
            if not cut.operation:
                break
    assert outcomes == {("sent", 1), ("unknown", 1), ("unknown", 0)}


def test_consents_follow_the_person_through_a_merge(merchant: MerchantFixture) -> None:
    ids, phone = use_templates(merchant), Identity(Way.PHONE, "13800138000")
    older = identities.log_in(merchant.merchant_id, [phone], now_s=merchant.now_s)
    merchant.clock.forward(1)
    buyer = log_in(merchant, "a")
    activity = merchant.activity(seats=2, stock=20)
    group_id, *_ = merchant.open_group(activity, buyer)
    agree(merchant, buyer, "a", [ids["result"]])

    merged = identities.prove(merchant.merchant_id, buyer.buyer_id, phone, now_s=merchant.now_s)
    assert merged.buyer_id == older.buyer_id
    agree(merchant, buyer, "a", [ids["shipped"]])  # by the session of before
    merchant.member(activity, group_id)
    merchant.run_jobs(2)

    assert [title for title, _ in shown(merchant)] == ["result"]
    assert left(merchant, replace(buyer, buyer_id=older.buyer_id)) == {ids["shipped"]: 1}
    merchant.check_laws()


def test_templates_are_checked_as_wechat_would_and_audited(merchant: MerchantFixture) -> None:
    one = "qsWWqh5wHxIMwPXVcrk0x7ctBZ__79-aLRnZp4YbtTI"
    wrong = {
        "result": {"template_id": "short", "keywords": {"title": "thing1"}},
        "shipped": {"template_id": one, "keywords": {}},
        "ready": {"template_id": one, "keywords": {"code": "thing1", "amount": "amount2"}},
        "refunded": {"template_id": one, "keywords": {"title": "thing1", "note": "thing1"}},
    }
    body = {"texts": {}, "revision": 0}

    refused = merchant.owner().put(TEMPLATES, {**body, "subscribe": wrong})
    pasted = {"title": "{{thing1.DATA}}", "time": " time2 ", "note": ""}
    right = {"result": {"template_id": f" {one} ", "keywords": pasted}}
    saved = merchant.owner().put(TEMPLATES, {**body, "subscribe": right})
    merchant.clock.forward(1)
    kept = merchant.owner().put(TEMPLATES, {**body, "texts": {"formed": "成团"}, "revision": 1})

    assert {it["field"] for it in refused.body["details"]["problems"]} == {
        "subscribe.result.template_id",
        "subscribe.shipped.template_id",
        "subscribe.ready.keywords.code",
        "subscribe.ready.keywords.amount",
        "subscribe.refunded.keywords.title",
        "subscribe.refunded.keywords.note",
    }
    assert (refused.status, saved.status, kept.status) == (400, 200, 200)
    shown_ = next(it for it in kept.body["subscribe"] if it["kind"] == "result")
    keywords = {it["fact"]: it["keyword"] for it in shown_["facts"] if it["keyword"]}
    assert (shown_["template_id"], keywords) == (one, {"title": "thing1", "time": "time2"})
    rows = merchant.owner().get("/v1/merchant/audit?subject=merchant").body["items"]
    changes = [row["after"] for row in rows if row["action"] == "messages_changed"]
    assert changes[-1] == {"订阅消息：拼团结果": f"{one} 时间=time2 商品=thing1"}


def test_consents_end_with_the_account(merchant: MerchantFixture) -> None:
    ids = use_templates(merchant)
    buyer = log_in(merchant, "a")
    agree(merchant, buyer, "a", [ids["result"], ids["refunded"]])
    assert left(merchant, buyer) == {ids["result"]: 1, ids["refunded"]: 1}

    assert buyer.call("DELETE", "/v1/me/account").status == 200
    late = buyer.post("/v1/me/subscriptions", {"template_ids": [ids["result"]]})

    assert (late.status, late.code) == (401, "session_superseded")
    again = log_in(merchant, "a")
    assert (again.buyer_id != buyer.buyer_id, left(merchant, again)) == (True, {})
    merchant.check_laws()
