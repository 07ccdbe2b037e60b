"""WeChat Pay in partner mode: a service provider signs, and everything names its merchant."""

import base64
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from chalicelib.errors import GatewayFailed
from chalicelib.gateways.payment import (
    CallbackRefused,
    Channel,
    GatewayRefused,
    Refund,
    RefundStatus,
    Trade,
    TradeStatus,
)
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.gateways.wechat_pay_account import WechatAccount
from infra.local.wechat import Wechat
from infra.local.wechat_accounts import Account
from infra.local.wechat_http import Refusal
from infra.local.wechat_keys import key_pair
from tests.fixtures.wechat_pay_gateway import (
    NUMBERS,
    PAID_AT_S,
    PRICE_FEN,
    Sent,
    callback,
    gateway_of,
    gateway_saying,
    ledger_of,
    now_s,
    order,
    paid,
    refund_request,
    refused,
    statement,
)

IN_EITHER_APP = pytest.mark.parametrize("own_app", [True, False])
NAMES = ["sp_mchid", "sp_appid", "sub_mchid", "sub_appid"]


def partner(wechat: Wechat, **how: Any) -> Account:
    return wechat.new_account(f"merchant-{next(NUMBERS)}", partner=True, **how)


@pytest.fixture
def account(wechat: Wechat, sent: list[Sent]) -> Account:
    """A merchant with an app of its own, served by the provider."""
    return partner(wechat)


def secret_of(account: Account, **changes: Any) -> dict[str, Any]:
    parts = {**account.wechat_pay, **changes}
    return {name: value for name, value in parts.items() if value is not None}


# What is asked for


@IN_EITHER_APP
def test_prepay_names_provider_merchant_and_the_app_of_the_openid(
    wechat: Wechat, sent: list[Sent], own_app: bool
) -> None:
    account = partner(wechat, own_app=own_app)
    bought = order()

    gateway_of(account, wechat).prepay(bought, now_s=PAID_AT_S)

    asked = wechat.ledger.trade(account.mchid, bought.out_trade_no).order
    secret = account.wechat_pay
    assert asked["sp_mchid"] == secret["sp_mchid"]
    assert asked["sp_appid"] == secret["sp_appid"]
    assert asked["sub_mchid"] == account.mchid
    assert asked.get("sub_appid") == (account.appid if own_app else None)
    assert asked["payer"] == {"sub_openid" if own_app else "sp_openid": "oBuyer"}
    assert not {"mchid", "appid"} & asked.keys()


@IN_EITHER_APP
def test_payment_is_asked_for_in_the_name_of_the_app_that_asks(
    wechat: Wechat, sent: list[Sent], own_app: bool
) -> None:
    account = partner(wechat, own_app=own_app)

    asked = gateway_of(account, wechat).prepay(order(), now_s=PAID_AT_S)

    app = account.wechat_pay["sub_appid" if own_app else "sp_appid"]
    text = "\n".join((app, asked["timeStamp"], asked["nonceStr"], asked["package"], "")).encode()
    signature = base64.b64decode(asked["paySign"])
    key_pair("merchant").public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())


@IN_EITHER_APP
def test_trade_is_followed_from_unpaid_to_refunded(
    wechat: Wechat, sent: list[Sent], own_app: bool
) -> None:
    account = partner(wechat, own_app=own_app)
    pay = gateway_of(account, wechat)
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    unpaid = pay.query(bought.out_trade_no)
    at_s = now_s()
    wechat.pay(out_trade_no=bought.out_trade_no, paid_at=at_s)
    succeeded = pay.query(bought.out_trade_no)
    asked = pay.refund(refund_request(bought))
    wechat.settle_refunds(out_refund_no=asked.out_refund_no)
    refunded = pay.query_refund(asked.out_refund_no)

    number = f"{bought.out_trade_no}F"
    assert unpaid == Trade(bought.out_trade_no, TradeStatus.UNPAID, PRICE_FEN, attach="g1")
    assert (succeeded.status, succeeded.paid_at_s) == (TradeStatus.SUCCEEDED, at_s)
    assert asked == Refund(number, RefundStatus.PROCESSING, PRICE_FEN, "PROCESSING")
    assert (refunded.status, refunded.amount_fen) == (RefundStatus.SUCCEEDED, PRICE_FEN)
    assert refunded.succeeded_at_s >= at_s
    assert pay.refund(refund_request(bought)) == refunded  # the same number is the same refund
    assert ledger_of(wechat, bought)["refunded_fen"] == PRICE_FEN


def test_merchants_of_one_provider_share_its_keys_and_no_trades(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    other = partner(wechat)
    bought = paid(wechat, pay)

    theirs = gateway_of(other, wechat)

    keys = ("sp_mchid", "sp_appid", "serial_no", "private_key", "api_v3_key")
    assert [other.wechat_pay[key] for key in keys] == [account.wechat_pay[key] for key in keys]
    assert theirs.query(bought.out_trade_no).status is TradeStatus.UNKNOWN
    with pytest.raises(GatewayRefused) as refusal:
        theirs.refund(refund_request(bought))
    assert refusal.value.reason == "RESOURCENOTEXISTS"


def test_provider_acts_for_nobody_but_its_merchants(
    wechat: Wechat, account: Account, sent: list[Sent]
) -> None:
    stranger = wechat.new_account(f"merchant-{next(NUMBERS)}")
    pay = gateway_of(account, wechat, sub_mchid=stranger.mchid)

    for ask in (lambda: pay.prepay(order(), now_s=PAID_AT_S), lambda: pay.query("9" * 32)):
        with pytest.raises(GatewayRefused) as refusal:
            ask()
        assert refusal.value.reason == "NOAUTH"


@pytest.mark.parametrize("name", ["appid", "sub_appid"])
def test_app_that_is_not_the_merchants_is_refused(
    wechat: Wechat, account: Account, name: str
) -> None:
    pay = gateway_of(account, wechat, **{name: "wxother"})

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(order(), now_s=PAID_AT_S)

    assert refusal.value.reason == "APPIDMCHIDNOTMATCH"


@pytest.mark.parametrize("mode", [{"partner": True}, {"partner": False}])
def test_prepay_id_that_ran_out_is_replaced_for_the_same_trade(mode: dict[str, Any]) -> None:
    """It lives for two hours, whatever the order's own time says."""
    at = [float(now_s())]
    wechat = Wechat(now=lambda: at[0]).start()
    wechat.courier.send = lambda url, headers, body: 204
    pay = gateway_of(wechat.new_account("m1", **mode), wechat)
    bought = order()
    first = pay.prepay(bought, now_s=PAID_AT_S)["package"].removeprefix("prepay_id=")
    at[0] += 7200

    with pytest.raises(Refusal) as refusal:
        wechat.pay(prepay_id=first)
    fresh = pay.prepay(bought, now_s=PAID_AT_S)["package"].removeprefix("prepay_id=")
    trade = wechat.pay(prepay_id=fresh)

    assert wechat.quiet()
    wechat.stop()
    assert refusal.value.code == "ORDER_EXPIRED"
    assert (trade.out_trade_no, trade.state) == (bought.out_trade_no, "SUCCESS")
    assert len(wechat.ledger.summaries()) == 1


# What is believed


@IN_EITHER_APP
def test_callbacks_tell_what_the_queries_tell(
    wechat: Wechat, sent: list[Sent], own_app: bool
) -> None:
    pay = gateway_of(partner(wechat, own_app=own_app), wechat)
    bought = paid(wechat, pay)
    pay.refund(refund_request(bought))
    wechat.settle_refunds(out_refund_no=f"{bought.out_trade_no}F")
    assert wechat.quiet()

    payment, refund = (pay.read_callback(headers, body, now_s=now_s()) for _, headers, body in sent)

    assert payment == pay.query(bought.out_trade_no)
    assert refund == pay.query_refund(f"{bought.out_trade_no}F")
    assert (payment.status, refund.status) == (TradeStatus.SUCCEEDED, RefundStatus.SUCCEEDED)


def test_callback_for_another_merchant_of_the_provider_is_refused(
    wechat: Wechat, account: Account, pay: WechatPay, sent: list[Sent]
) -> None:
    """It can be opened, as the provider's key is the same: only the name tells."""
    bought = paid(wechat, pay)
    pay.refund(refund_request(bought))
    wechat.settle_refunds(out_refund_no=f"{bought.out_trade_no}F")
    assert wechat.quiet()
    theirs = gateway_of(partner(wechat), wechat)

    details = [refused(theirs, headers, body) for _, headers, body in sent]

    assert details == [{"reason": "mismatch", "field": "sub_mchid", "seen": account.mchid}] * 2


@pytest.mark.parametrize("name", NAMES)
def test_statement_is_believed_only_if_every_name_is_ours(
    wechat: Wechat, account: Account, pay: WechatPay, name: str
) -> None:
    told = statement(**account.names) | {name: "other"}
    details = {"reason": "mismatch", "field": name, "seen": "other"}

    headers, body = callback(wechat, account, told)
    with gateway_saying(wechat, account, told) as asked, pytest.raises(GatewayFailed) as failure:
        asked.query("0" * 32)

    assert refused(pay, headers, body) == details
    assert failure.value.details == details


@pytest.mark.parametrize("name", NAMES)
def test_statement_without_one_of_the_names_is_refused(
    wechat: Wechat, account: Account, pay: WechatPay, name: str
) -> None:
    told = statement(**account.names)
    del told[name]

    assert refused(pay, *callback(wechat, account, told)) == {"reason": "mismatch", "field": name}


def test_statement_of_direct_mode_is_refused(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    told = statement(mchid=account.mchid, appid=account.appid)

    details = refused(pay, *callback(wechat, account, told))

    assert details == {"reason": "mismatch", "field": "sp_mchid"}


def test_statement_of_partner_mode_is_refused_in_direct_mode(
    wechat: Wechat, account: Account, sent: list[Sent]
) -> None:
    direct = wechat.new_account(f"merchant-{next(NUMBERS)}")
    told = statement(**account.names)

    details = refused(gateway_of(direct, wechat), *callback(wechat, direct, told))

    assert details == {"reason": "mismatch", "field": "mchid"}


def test_app_that_the_merchant_does_not_have_is_refused(wechat: Wechat, sent: list[Sent]) -> None:
    account = partner(wechat, own_app=False)
    told = statement(**account.names, sub_appid="wxother")

    details = refused(gateway_of(account, wechat), *callback(wechat, account, told))

    assert details == {"reason": "mismatch", "field": "sub_appid", "seen": "wxother"}


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"sub_mchid": "1"}, {"reason": "mismatch", "field": "sub_mchid", "seen": "1"}),
        ({"sp_mchid": "1"}, {"reason": "mismatch", "field": "sp_mchid", "seen": "1"}),
        ({"sub_mchid": ""}, {"reason": "incomplete", "field": "sub_mchid"}),
        ({"sp_mchid": "", "mchid": "1"}, {"reason": "incomplete", "field": "sp_mchid"}),
    ],
)
def test_refund_callback_must_name_provider_and_merchant(
    wechat: Wechat,
    account: Account,
    pay: WechatPay,
    changes: dict[str, Any],
    details: dict[str, Any],
) -> None:
    resource = {
        **account.merchant_names,
        "out_trade_no": "1" * 32,
        "out_refund_no": "1" * 32 + "F",
        "refund_status": "SUCCESS",
        "success_time": "2027-01-15T16:00:00+08:00",
        "amount": {"refund": 5, "total": 9},
    }
    right = pay.read_callback(*callback(wechat, account, resource, kind="refund"), now_s=now_s())

    with pytest.raises(CallbackRefused) as refusal:
        pay.read_callback(
            *callback(wechat, account, resource | changes, kind="refund"), now_s=now_s()
        )

    assert right == Refund("1" * 32 + "F", RefundStatus.SUCCEEDED, 5, succeeded_at_s=PAID_AT_S)
    assert refusal.value.details == details


def test_each_callback_is_verified_by_the_key_that_it_names(
    wechat: Wechat, sent: list[Sent]
) -> None:
    """While WeChat Pay moves the provider from its certificate to a public key, both sign."""
    pay = gateway_of(partner(wechat, with_certificate=True), wechat)
    today_only = gateway_of(partner(wechat), wechat)
    for serial in ("", wechat.platform.certificate_serial):
        wechat.courier.serial = serial
        paid(wechat, pay)

    told = [pay.read_callback(headers, body, now_s=now_s()) for _, headers, body in sent]

    assert [trade.amount_fen for trade in told] == [PRICE_FEN] * 2
    assert [headers["Wechatpay-Serial"] for _, headers, _ in sent] == [
        wechat.platform.public_key_id,
        wechat.platform.certificate_serial,
    ]
    assert refused(today_only, *sent[1][1:])["reason"] == "unknown_serial"
    swapped = sent[1][1] | {"Wechatpay-Serial": wechat.platform.public_key_id}
    assert refused(pay, swapped, sent[1][2])["reason"] == "signature"


# The secret


def test_secret_without_an_app_of_the_merchants_runs_in_the_providers(account: Account) -> None:
    without = WechatAccount.from_secret(secret_of(account, sub_appid=None))
    own = WechatAccount.from_secret(secret_of(account))

    assert own.running_appid == account.appid
    assert own.openid_name_in(Channel.MINI_PROGRAM) == "sub_openid"
    assert without.running_appid == account.wechat_pay["sp_appid"]
    assert without.openid_name_in(Channel.MINI_PROGRAM) == "sp_openid"


@pytest.mark.parametrize(
    "changes",
    [
        {"sp_mchid": None},
        {"sp_appid": None},
        {"sub_mchid": None},
        {"sub_mchid": ""},
        {"serial_no": None},
        {"api_v3_key": "short"},
        {"public_keys": {}},
        {"mode": "direct"},
        {"mode": "agent"},
        {"mode": None},
    ],
)
def test_incomplete_secret_is_refused(account: Account, changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        WechatAccount.from_secret(secret_of(account, **changes))

    assert account.wechat_pay["api_v3_key"] not in str(refusal.value)
    assert "PRIVATE" not in str(refusal.value)
