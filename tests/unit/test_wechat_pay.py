"""The WeChat Pay wrapper against the local counterpart: what it asks for, and is told."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from chalicelib.errors import GatewayFailed, InvalidRequest
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import GatewayRefused, Refund, RefundStatus, Trade, TradeStatus
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.gateways.wechat_pay_account import WechatAccount
from infra.local.wechat import Wechat
from infra.local.wechat_accounts import Account
from infra.local.wechat_http import Refusal
from infra.local.wechat_keys import key_pair
from tests.fixtures.wechat_pay_gateway import (
    NOWHERE,
    PAID_AT_S,
    PRICE_FEN,
    Sent,
    callback,
    gateway_of,
    ledger_of,
    now_s,
    order,
    paid,
    refund_request,
    statement,
)

# Prepay


def test_prepay_gives_the_parameters_of_request_payment_signed_by_the_merchant(
    pay: WechatPay, account: Account
) -> None:
    asked = pay.prepay(order(), now_s=PAID_AT_S)

    assert sorted(asked) == ["nonceStr", "package", "paySign", "signType", "timeStamp"]
    assert (asked["timeStamp"], asked["signType"]) == ("1800000000", "RSA")
    assert asked["package"].startswith("prepay_id=wx")
    text = "\n".join(
        (account.appid, asked["timeStamp"], asked["nonceStr"], asked["package"], "")
    ).encode()
    signature = base64.b64decode(asked["paySign"])
    key_pair("merchant").public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())


def test_same_prepay_again_gives_another_prepay_id_for_the_one_trade(
    wechat: Wechat, pay: WechatPay
) -> None:
    bought = order()
    first = pay.prepay(bought, now_s=PAID_AT_S)
    second = pay.prepay(bought, now_s=PAID_AT_S)

    assert first["package"] != second["package"]
    assert len(wechat.ledger.summaries(bought.out_trade_no)) == 1


def test_prepay_of_a_known_number_with_another_amount_is_refused(pay: WechatPay) -> None:
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(replace(bought, amount_fen=1), now_s=PAID_AT_S)

    assert refusal.value.reason == "INVALIDREQUEST"


def test_prepay_of_a_paid_order_is_refused_as_paid(wechat: Wechat, pay: WechatPay) -> None:
    bought = paid(wechat, pay)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert refusal.value.reason == "ORDERPAID"
    assert refusal.value.words == "该订单已支付"


def test_prepay_of_a_closed_order_is_refused_as_closed(pay: WechatPay) -> None:
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    pay.close(bought.out_trade_no)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert refusal.value.reason == "ORDERCLOSED"


def test_description_longer_than_wechat_pay_takes_is_cut(wechat: Wechat, pay: WechatPay) -> None:
    bought = order(description="葡" * 200)

    pay.prepay(bought, now_s=PAID_AT_S)

    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID


def test_request_signed_with_another_certificate_is_refused(
    wechat: Wechat, account: Account
) -> None:
    pay = gateway_of(account, wechat, serial_no="0" * 40)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(order(), now_s=PAID_AT_S)

    assert refusal.value.reason == "SIGNERROR"


def test_app_of_another_merchant_is_refused(wechat: Wechat, account: Account) -> None:
    pay = gateway_of(account, wechat, appid="wxother")

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(order(), now_s=PAID_AT_S)

    assert refusal.value.reason == "APPIDMCHIDNOTMATCH"


def test_expired_order_cannot_be_paid(wechat: Wechat, pay: WechatPay) -> None:
    bought = order(expires_at_s=now_s() + 90)
    pay.prepay(bought, now_s=PAID_AT_S)

    with pytest.raises(Refusal) as refusal:
        wechat.pay(out_trade_no=bought.out_trade_no, paid_at=bought.expires_at_s)

    assert refusal.value.code == "ORDER_EXPIRED"
    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID


# Query and close


def test_number_never_heard_of_is_unknown(pay: WechatPay) -> None:
    assert pay.query("9" * 32) == Trade("9" * 32, TradeStatus.UNKNOWN)


def test_query_follows_a_trade_from_unpaid_to_refunded(wechat: Wechat, pay: WechatPay) -> None:
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    unpaid = pay.query(bought.out_trade_no)
    at_s = now_s()
    wechat.pay(out_trade_no=bought.out_trade_no, paid_at=at_s)
    succeeded = pay.query(bought.out_trade_no)
    pay.refund(refund_request(bought))

    assert unpaid == Trade(bought.out_trade_no, TradeStatus.UNPAID, PRICE_FEN, attach="g1")
    assert succeeded == Trade(
        out_trade_no=bought.out_trade_no,
        status=TradeStatus.SUCCEEDED,
        amount_fen=PRICE_FEN,
        transaction_id=succeeded.transaction_id,
        paid_at_s=at_s,
        attach="g1",
        payer=succeeded.payer,
    )
    assert len(succeeded.payer) == 22  # and no openid
    assert len(succeeded.transaction_id) == 28
    assert pay.query(bought.out_trade_no) == succeeded  # refunding does not uncapture it


def test_closed_trade_stays_closed_however_often_it_is_closed(pay: WechatPay) -> None:
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)

    pay.close(bought.out_trade_no)
    pay.close(bought.out_trade_no)

    assert pay.query(bought.out_trade_no).status is TradeStatus.CLOSED


def test_closing_what_was_never_begun_is_done(pay: WechatPay) -> None:
    pay.close("9" * 32)

    assert pay.query("9" * 32).status is TradeStatus.UNKNOWN


def test_paid_trade_cannot_be_closed(wechat: Wechat, pay: WechatPay) -> None:
    bought = paid(wechat, pay)

    with pytest.raises(GatewayRefused) as refusal:
        pay.close(bought.out_trade_no)

    assert refusal.value.reason == "ORDERPAID"
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("NOTPAY", TradeStatus.UNPAID),
        ("USERPAYING", TradeStatus.UNPAID),
        ("SUCCESS", TradeStatus.SUCCEEDED),
        ("REFUND", TradeStatus.SUCCEEDED),
        ("CLOSED", TradeStatus.CLOSED),
        ("REVOKED", TradeStatus.CLOSED),
        ("PAYERROR", TradeStatus.CLOSED),
    ],
)
def test_every_trade_state_has_its_status(
    wechat: Wechat, account: Account, pay: WechatPay, state: str, status: TradeStatus
) -> None:
    ours = {"mchid": account.mchid, "appid": account.appid}
    headers, body = callback(wechat, account, statement(**ours, trade_state=state))

    trade = pay.read_callback(headers, body, now_s=now_s())

    assert trade.status is status


# Refunds


def test_refund_is_processing_then_succeeded(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    bought = paid(wechat, pay)

    asked = pay.refund(refund_request(bought))
    before = ledger_of(wechat, bought)
    wechat.settle_refunds(out_refund_no=asked.out_refund_no)
    settled_at_s = int(wechat.ledger.refund(account.mchid, asked.out_refund_no).settled_at)
    after = pay.query_refund(asked.out_refund_no)

    number = f"{bought.out_trade_no}F"
    assert asked == Refund(number, RefundStatus.PROCESSING, PRICE_FEN, "PROCESSING")
    assert before == {"captured_fen": 1990, "refunded_fen": 0, "refunding_fen": 1990}
    assert after == Refund(number, RefundStatus.SUCCEEDED, PRICE_FEN, succeeded_at_s=settled_at_s)
    assert ledger_of(wechat, bought) == {
        "captured_fen": 1990,
        "refunded_fen": 1990,
        "refunding_fen": 0,
    }


def test_same_refund_number_twice_is_one_refund(wechat: Wechat, pay: WechatPay) -> None:
    bought = paid(wechat, pay)

    first, second = pay.refund(refund_request(bought)), pay.refund(refund_request(bought))

    assert first == second
    assert ledger_of(wechat, bought)["refunding_fen"] == PRICE_FEN


def test_refunding_more_than_was_paid_is_refused(wechat: Wechat, pay: WechatPay) -> None:
    bought = paid(wechat, pay)
    pay.refund(refund_request(bought, amount_fen=1000))

    with pytest.raises(GatewayRefused) as refusal:
        pay.refund(refund_request(bought, out_refund_no=f"{bought.out_trade_no}A", amount_fen=991))

    assert refusal.value.reason == "INVALIDREQUEST"
    assert ledger_of(wechat, bought)["refunding_fen"] == 1000


def test_refund_of_an_unpaid_order_is_refused(pay: WechatPay) -> None:
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)

    with pytest.raises(GatewayRefused) as refusal:
        pay.refund(refund_request(bought))

    assert refusal.value.reason == "RESOURCENOTEXISTS"


def test_refund_waits_for_balance_under_the_same_number(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    bought = paid(wechat, pay)
    wechat.ledger.balances[account.mchid] = PRICE_FEN - 1

    with pytest.raises(GatewayRefused) as refusal:
        pay.refund(refund_request(bought))

    assert refusal.value.reason == "NOTENOUGH"
    assert pay.query_refund(f"{bought.out_trade_no}F").status is RefundStatus.UNKNOWN
    wechat.ledger.balances[account.mchid] = PRICE_FEN
    assert pay.refund(refund_request(bought)).status is RefundStatus.PROCESSING
    assert wechat.ledger.balances[account.mchid] == 0


def test_refund_never_asked_for_is_unknown(pay: WechatPay) -> None:
    assert pay.query_refund("9" * 33) == Refund("9" * 33, RefundStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SUCCESS", RefundStatus.SUCCEEDED),
        ("CLOSED", RefundStatus.CLOSED),
        ("ABNORMAL", RefundStatus.ABNORMAL),
    ],
)
def test_refund_callback_and_query_say_the_same(
    wechat: Wechat, pay: WechatPay, sent: list[Sent], word: str, status: RefundStatus
) -> None:
    bought = paid(wechat, pay)
    pay.refund(refund_request(bought))
    wechat.settle_refunds(out_refund_no=f"{bought.out_trade_no}F", status=word)
    assert wechat.quiet()

    url, headers, body = sent[-1]
    told = pay.read_callback(headers, body, now_s=now_s())

    assert url == "http://127.0.0.1/callbacks/wechat-refund"
    assert (told.status, told.amount_fen) == (status, PRICE_FEN)
    assert told == pay.query_refund(f"{bought.out_trade_no}F")


def test_processing_refund_callback_is_read_as_such(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    resource = {
        "mchid": account.mchid,
        "out_trade_no": "1" * 32,
        "out_refund_no": "1" * 32 + "F",
        "refund_status": "PROCESSING",
        "amount": {"refund": 5, "total": 9},
    }
    headers, body = callback(wechat, account, resource, kind="refund")

    told = pay.read_callback(headers, body, now_s=now_s())

    assert told == Refund("1" * 32 + "F", RefundStatus.PROCESSING, 5, "PROCESSING")


# The account


def test_making_a_gateway_parses_nothing_and_calls_nobody() -> None:
    account = WechatAccount("1", "wx1", "0", "no key", "k" * 32, (("PUB_KEY_ID_1", "no key"),))

    assert WechatPay(account, NOWHERE).method == "wechat_pay"


def test_key_that_cannot_be_read_is_a_failure_for_the_merchant_to_mend(
    wechat: Wechat, account: Account
) -> None:
    pay = gateway_of(account, wechat, private_key="no key")

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": "private_key"}
    assert failure.value.message == "商家的微信支付密钥有误，请商家改正后再试。"


def test_key_that_is_not_rsa_is_a_failure(wechat: Wechat, account: Account) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    pem = (
        ed25519.Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    pay = gateway_of(account, wechat, public_keys=(("PUB_KEY_ID_1", pem.decode()),))

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": "public_keys"}


def test_own_key_that_is_not_rsa_is_a_failure(wechat: Wechat, account: Account) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pay = gateway_of(account, wechat, private_key=pem.decode())

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": "private_key"}


def test_account_shows_no_secret_when_printed(account: Account) -> None:
    shown = repr(WechatAccount.from_secret(account.wechat_pay))

    assert "PRIVATE" not in shown
    assert account.wechat_pay["api_v3_key"] not in shown


def test_other_methods_of_payment_are_refused() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        payment_gateway("m1", "cash")

    assert refusal.value.details == {"method": "cash"}
