"""Alipay over the routes: who pays and how, what its notifies may change, and what they may not."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from infra.local.alipay import Alipay
from infra.local.alipay_views import notice
from tests.fixtures.callbacks import held_seat
from tests.fixtures.merchant import MerchantFixture, Reply
from tests.fixtures.payment_fixtures import ALIPAY, WechatPayFixture

GATEWAYS = (ALIPAY,)
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def alipay_of(merchant: MerchantFixture) -> Alipay:
    gateway: Alipay = merchant.gateway._gateway
    return gateway


def tell(
    merchant: MerchantFixture, body: bytes, *, kind: str = FORM, merchant_id: str = ""
) -> Reply:
    path = merchant.gateway.path(merchant_id or merchant.merchant_id, "")
    return merchant.api_client.request("POST", path, {"Content-Type": kind}, body)


def told(merchant: MerchantFixture, number: str, **changes: Any) -> bytes:
    """The notify of the payment `number` with other words than its own, rightly signed; a field
    changed to None is left out."""
    fields = notice(merchant.gateway.ledger.trade(merchant.gateway.mchid, number)) | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    form: bytes = merchant.gateway.courier.form(kept)
    return form


def test_notify_is_answered_with_the_one_word_that_alipay_takes(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)

    first, again = (tell(merchant, told(merchant, number)) for _ in range(2))

    for reply in (first, again):
        assert (reply.status, reply.body) == (200, "success")
        assert reply.headers["content-type"] == "text/plain"
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs()
    merchant.check_laws()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"app_id": "2021000000000000"}, ("callback_refused", "app_id")),
        ({"seller_id": None}, ("callback_refused", "seller_id")),
        ({"total_amount": "0.01"}, ("wrong_amount", None)),
        ({"total_amount": "59.01"}, ("wrong_amount", None)),
        ({"out_trade_no": f"{new_id()}1z00000001"}, ("not_found", None)),
        ({"out_trade_no": "somebody-elses-number"}, ("not_found", None)),
    ],
)
def test_signed_notify_that_does_not_fit_changes_nothing_and_is_recorded(
    merchant: MerchantFixture, changes: dict[str, Any], kept: tuple[str, str | None]
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    items = [merchant.stored_group(group_id), merchant.stored_order(order_id)]
    before = [merchant.image(item) for item in items]

    reply = tell(merchant, told(merchant, number, **changes))

    assert (reply.status in (401, 404, 409), reply.code) == (True, kept[0])
    assert [merchant.image(item) for item in items] == before
    assert [(code, said.get("field")) for code, said in merchant.refused_callbacks()] == [kept]
    merchant.resend(number)  # the true one still counts
    assert merchant.stored_group(group_id).status == "formed"


@pytest.mark.parametrize(
    "spoil",
    [lambda body: body.replace(b"total_amount=59.00", b"total_amount=59.01"), lambda body: b""],
    ids=["tampered", "empty"],
)
def test_notify_that_is_not_proven_changes_nothing(
    merchant: MerchantFixture, spoil: Callable[[bytes], bytes]
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    items = [merchant.stored_group(group_id), merchant.stored_order(order_id)]
    before = [merchant.image(item) for item in items]

    reply = tell(merchant, spoil(told(merchant, number)))

    assert (reply.status, reply.code) == (401, "callback_refused")
    assert [merchant.image(item) for item in items] == before
    assert merchant.refused_callbacks() == []  # anybody can send one: it must not cost a write
    merchant.resend(number)
    assert merchant.stored_group(group_id).status == "formed"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
def test_notify_that_is_no_form_is_refused(merchant: MerchantFixture, kind: str) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)

    reply = tell(merchant, told(merchant, number), kind=kind)

    assert reply.status == 415
    assert merchant.stored_group(group_id).seats_paid == 1


def test_notify_at_another_merchants_door_is_refused(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    other = MerchantFixture(
        merchant.wechat, merchant.clock, merchant.api_client, alipay_of(merchant)
    )
    without = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)

    replies = [
        tell(merchant, told(merchant, number), merchant_id=merchant_id)
        for merchant_id in (other.merchant_id, without.merchant_id, new_id())
    ]

    assert [(reply.status, reply.code) for reply in replies] == [
        (401, "callback_refused"),
        (404, "not_found"),
        (404, "not_found"),
    ]
    assert merchant.stored_group(group_id).seats_paid == 1


def test_notify_of_a_refund_confirms_no_refund_but_the_payment_it_is_of(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    _, leader, order_id = merchant.open_group(activity)
    merchant.gateway.faults.add("refund", "lost_answer")
    leader.cancel(order_id)
    merchant.run_jobs()
    before = merchant.image(merchant.stored_order(order_id))

    merchant.resend(f"{order_id}01F")

    assert merchant.money()["refunded_fen"] == 5900
    assert merchant.image(merchant.stored_order(order_id)) == before
    assert leader.order(order_id)["refunds"][0]["status"] == "requested"
    merchant.wait(120)
    assert leader.status(order_id) == "refunded"
    merchant.check_laws()


def test_payment_that_is_first_heard_of_when_it_was_refunded_by_hand_is_recorded(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    asked = {"out_trade_no": number, "out_request_no": "by-hand", "refund_amount": "59.00"}
    merchant.gateway.ledger.refund(merchant.gateway.mchid, asked)

    reply = tell(merchant, told(merchant, number, refund_fee="59.00", out_biz_no="by-hand"))

    assert (reply.status, reply.body) == (200, "success")
    assert merchant.stored_order(order_id).view().is_succeeded("01")
    assert merchant.stored_group(group_id).status == "formed"


def test_notify_of_a_trade_that_was_closed_unpaid_changes_nothing(
    merchant: MerchantFixture,
) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    before = merchant.image(merchant.stored_order(order_id))

    reply = tell(merchant, told(merchant, number, trade_status="TRADE_CLOSED", gmt_payment=None))

    assert (reply.status, reply.body) == (200, "success")
    assert merchant.image(merchant.stored_order(order_id)) == before


# Who pays, and how


def test_page_that_nobody_opened_leaves_nothing_at_alipay_and_the_seat_goes(
    merchant: MerchantFixture,
) -> None:
    activity, _, buyer, order_id = held_seat(merchant)
    asked = buyer.ask_to_pay(order_id)
    again = buyer.ask_to_pay(order_id)

    assert [reply.status for reply in (asked, again)] == [201, 201]
    assert merchant.gateway.ledger.summaries(f"{order_id}01") == []
    merchant.wait(600, every_s=300)

    assert buyer.status(order_id) == "closed"
    assert merchant.stock(activity) == 9
    with pytest.raises(Exception, match="TRADE_HAS_CLOSE"):
        merchant.gateway.key_of(asked.body["parameters"])  # opened too late
    merchant.check_laws()


@pytest.mark.slow
def test_page_opened_and_paid_after_its_order_was_cancelled_is_refunded(
    merchant: MerchantFixture,
) -> None:
    activity, _, buyer, order_id = held_seat(merchant)
    asked = buyer.ask_to_pay(order_id)
    assert buyer.cancel(order_id).body["status"] == "closed"
    merchant.run_jobs()

    merchant.gateway.pay(merchant.gateway.key_of(asked.body["parameters"]))
    assert merchant.gateway.quiet()
    merchant.wait(120)

    assert buyer.order(order_id)["status_text"] == "已关闭·已退款"
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}
    assert merchant.stock(activity) == 9
    merchant.check_laws()


def test_buyer_in_the_mini_program_pays_a_trade_of_their_own(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    code = alipay_of(merchant).codes.issue("open-id-of-xiaoming")

    asked = buyer.ask_to_pay(order_id, auth_code=code)
    trade_no = asked.body["parameters"]["trade_no"]
    merchant.gateway.pay(trade_no)
    assert merchant.gateway.quiet()

    assert (asked.status, asked.body["paid"]) == (201, False)
    trade = merchant.gateway.ledger.trade(merchant.gateway.mchid, f"{order_id}01")
    assert (trade.trade_no, trade.order["buyer_open_id"]) == (trade_no, "open-id-of-xiaoming")
    assert merchant.stored_group(group_id).status == "formed"
    merchant.run_jobs()
    merchant.check_laws()


def test_code_that_is_wrong_or_used_begins_no_payment_and_a_new_one_does(
    merchant: MerchantFixture,
) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    codes = alipay_of(merchant).codes
    used = codes.issue("open-id")
    alipay_of(merchant).codes.exchange("", used)

    for code in (used, "never-issued"):
        reply = buyer.ask_to_pay(order_id, auth_code=code)
        assert (reply.status, reply.code) == (400, "auth_code_refused")
        assert reply.body["message"] == "支付宝授权已失效，请重新点击付款。"
    assert merchant.stored_order(order_id).view().payments == {}

    assert buyer.ask_to_pay(order_id, auth_code=codes.issue("open-id")).status == 201


def test_code_is_not_spent_on_an_order_that_cannot_be_paid(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    merchant.pay(buyer, order_id)
    code = alipay_of(merchant).codes.issue("open-id")

    assert buyer.ask_to_pay(order_id, auth_code=code).code == "already_paid"

    assert alipay_of(merchant).codes.exchange("", code) == "open-id"


def test_what_cannot_pay_is_refused(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    without = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    activity = without.activity(seats=2, stock=10)
    stranger = without.buyer()
    stranger.method = ALIPAY
    placed = stranger.open(activity).body["order_id"]

    unknown = buyer.post(f"/v1/orders/{order_id}/payments", {"method": "cash"})
    no_code = buyer.post(
        f"/v1/orders/{order_id}/payments", {"method": "wechat_pay", "auth_code": "code"}
    )
    no_account = stranger.ask_to_pay(placed)

    assert (unknown.status, unknown.code) == (400, "invalid_request")
    assert (no_code.status, no_code.body["details"]) == (400, {"field": "auth_code"})
    assert (no_account.status, no_account.code) == (404, "not_found")
    assert without.stored_order(placed).view().payments == {}


@pytest.mark.parametrize("wechat_first", [True, False])
def test_order_paid_at_both_gateways_is_paid_once_and_refunded_where_it_came_from(
    merchant: MerchantFixture, wechat_first: bool
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    wechat = WechatPayFixture(merchant.wechat, lambda: merchant.account)
    page = merchant.prepay(buyer, order_id)
    asked = buyer.post(f"/v1/orders/{order_id}/payments", {"method": "wechat_pay"})
    steps: list[Callable[[], str]] = [
        lambda: wechat.pay(wechat.key_of(asked.body["parameters"])),
        lambda: merchant.gateway.pay(page),
    ]

    for step in steps if wechat_first else steps[::-1]:
        step()
        assert wechat.quiet()
        assert merchant.gateway.quiet()
    merchant.run_jobs(2)
    assert wechat.quiet()

    late = "01" if wechat_first else "02"  # the attempt at Alipay came first
    shown = buyer.order(order_id)
    assert shown["status"] == "fulfilling"
    assert [r["out_refund_no"] for r in shown["refunds"]] == [f"{order_id}{late}L"]
    back = [
        till.ledger.summaries(f"{order_id}{attempt}")[0]["refunded_fen"]
        for till, attempt in ((merchant.gateway, "01"), (wechat, "02"))
    ]
    assert back == ([5900, 0] if wechat_first else [0, 5900])
    assert merchant.stored_group(group_id).seats_paid == 2
