"""/v1/merchant/payment-accounts: where the shop's money goes, and what proves it is the shop."""

from collections.abc import Mapping
from typing import Any

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.limits import ACCOUNT_CHECKS
from chalicelib.api.merchant import account_schemas as schemas
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import Changed
from chalicelib.gateways.secrets import KEPT_S
from chalicelib.services.money import account_usage
from chalicelib.services.people import payment_accounts, payment_method_switch
from chalicelib.services.people.payment_accounts import (
    LOGIN,
    MESSAGES,
    PAY,
    PAY_BY_ALIPAY,
    WEB_LOGIN,
    Account,
)
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")
_DIRECT = ("mchid", "appid")
_PARTNER = ("sp_mchid", "sp_appid", "sub_mchid", "sub_appid")
_SIGNING = ("official_account_appid", "serial_no", "private_key", "api_v3_key", "public_keys")


@api.operation("GET", "/payment-accounts", right=view(Area.ACCOUNTS))
def list_payment_accounts(who: Staff) -> schemas.PaymentAccountList:
    """Every method, configured or not, without its keys."""
    found = payment_accounts.everything(who.merchant_id)
    return schemas.PaymentAccountList(
        items=[_shown(account) for account in found], in_use_after_s=KEPT_S
    )


@api.operation("PUT", "/payment-accounts/wechat-pay", right=act(Area.ACCOUNTS), refusals=[Changed])
def change_wechat_pay(who: Staff, body: schemas.WechatPayChange) -> schemas.PaymentAccount:
    """Keep an account at WeChat Pay; in use everywhere within five minutes."""
    names = _DIRECT if body.mode is schemas.Mode.DIRECT else _PARTNER
    parts = {name: getattr(body, name) for name in (*names, *_SIGNING)}
    return _change(who, PAY, {"mode": body.mode.value, **parts}, body.revision)


@api.operation("PUT", "/payment-accounts/alipay", right=act(Area.ACCOUNTS), refusals=[Changed])
def change_alipay(who: Staff, body: schemas.AlipayChange) -> schemas.PaymentAccount:
    """Keep an account at Alipay; in use everywhere within five minutes."""
    names = ("app_id", "seller_id", "private_key", "alipay_public_key")
    parts = {name: getattr(body, name) for name in names}
    return _change(who, PAY_BY_ALIPAY, parts, body.revision)


@api.operation(
    "PUT", "/payment-accounts/wechat-login", right=act(Area.ACCOUNTS), refusals=[Changed]
)
def change_wechat_login(who: Staff, body: schemas.WechatLoginChange) -> schemas.PaymentAccount:
    """Keep what the mini program's login needs; in use everywhere within five minutes."""
    parts = {"appid": body.appid, "app_secret": body.app_secret}
    return _change(who, LOGIN, parts, body.revision)


@api.operation(
    "PUT", "/payment-accounts/wechat-account", right=act(Area.ACCOUNTS), refusals=[Changed]
)
def change_wechat_account(who: Staff, body: schemas.WechatLoginChange) -> schemas.PaymentAccount:
    """Keep what logins in an official account's pages need; in use everywhere within five
    minutes."""
    parts = {"appid": body.appid, "app_secret": body.app_secret}
    return _change(who, WEB_LOGIN, parts, body.revision)


@api.operation("PUT", "/payment-accounts/sms", right=act(Area.ACCOUNTS), refusals=[Changed])
def change_sms(who: Staff, body: schemas.SmsChange) -> schemas.PaymentAccount:
    """Keep the account that sends codes to phones; in use everywhere within five minutes."""
    names = ("secret_id", "secret_key", "sdk_app_id", "sign_name", "template_id", "region")
    return _change(who, MESSAGES, {name: getattr(body, name) for name in names}, body.revision)


@api.operation(
    "POST", "/payment-accounts/wechat-pay/check", right=act(Area.ACCOUNTS), limited=[ACCOUNT_CHECKS]
)
def check_wechat_pay(who: Staff) -> schemas.AccountVerdict:
    """Ask WeChat Pay after an order that is not there: are the keys accepted?"""
    return _verdict(who, PAY)


@api.operation(
    "POST", "/payment-accounts/alipay/check", right=act(Area.ACCOUNTS), limited=[ACCOUNT_CHECKS]
)
def check_alipay(who: Staff) -> schemas.AccountVerdict:
    """Ask Alipay after a trade that is not there: are the keys accepted?"""
    return _verdict(who, PAY_BY_ALIPAY)


@api.operation(
    "POST",
    "/payment-accounts/wechat-login/check",
    right=act(Area.ACCOUNTS),
    limited=[ACCOUNT_CHECKS],
)
def check_wechat_login(who: Staff) -> schemas.AccountVerdict:
    """Ask WeChat who nobody is: are the app and its secret accepted?"""
    return _verdict(who, LOGIN)


@api.operation(
    "POST",
    "/payment-accounts/wechat-account/check",
    right=act(Area.ACCOUNTS),
    limited=[ACCOUNT_CHECKS],
)
def check_wechat_account(who: Staff) -> schemas.AccountVerdict:
    """Ask WeChat who nobody is: are the official account and its secret accepted?"""
    return _verdict(who, WEB_LOGIN)


@api.operation(
    "POST", "/payment-accounts/sms/check", right=act(Area.ACCOUNTS), limited=[ACCOUNT_CHECKS]
)
def check_sms(who: Staff) -> schemas.AccountVerdict:
    """Ask for a message to a number that is none: are the keys accepted? Nothing is sent."""
    return _verdict(who, MESSAGES)


@api.operation("GET", "/payment-accounts/wechat-pay/earlier", right=view(Area.ACCOUNTS))
def list_earlier_wechat_pay(who: Staff) -> schemas.EarlierAccountList:
    """The accounts of before at WeChat Pay, and what still hangs on them and on that of now."""
    return _earlier(who, PAY)


@api.operation("GET", "/payment-accounts/alipay/earlier", right=view(Area.ACCOUNTS))
def list_earlier_alipay(who: Staff) -> schemas.EarlierAccountList:
    """The accounts of before at Alipay, and what still hangs on them and on that of now."""
    return _earlier(who, PAY_BY_ALIPAY)


@api.operation("PUT", "/payment-accounts/wechat-pay/offered", right=act(Area.ACCOUNTS))
def offer_wechat_pay(who: Staff, body: schemas.Offered) -> schemas.PaymentAccount:
    """Begin new payments with WeChat Pay, or stop; in use everywhere within a minute."""
    return _offer(who, PAY, body.offered)


@api.operation("PUT", "/payment-accounts/alipay/offered", right=act(Area.ACCOUNTS))
def offer_alipay(who: Staff, body: schemas.Offered) -> schemas.PaymentAccount:
    """Begin new payments with Alipay, or stop; in use everywhere within a minute."""
    return _offer(who, PAY_BY_ALIPAY, body.offered)


def _offer(who: Staff, method: str, offered: bool) -> schemas.PaymentAccount:
    payment_method_switch.switch(
        who.merchant_id, method, offered, staff=who.username, now_s=clock.now_s()
    )
    return _shown(payment_accounts.read(who.merchant_id, method))


def _earlier(who: Staff, method: str) -> schemas.EarlierAccountList:
    counted = account_usage.report(who.merchant_id)
    present = payment_accounts.read(who.merchant_id, method).place.account
    gateway = method.replace("-", "_")
    return schemas.EarlierAccountList(
        present=_open(counted.at(gateway, present)),
        items=[
            schemas.EarlierAccount(
                since_s=one.since_s or None,
                until_s=one.until_s,
                open=_open(counted.at(gateway, one.account)),
                **facts,
            )
            for one, facts in payment_accounts.earlier(who.merchant_id, method)
        ],
        complete=counted.complete,
    )


def _open(there: account_usage.AccountUsage) -> schemas.Open:
    return schemas.Open(payments=there.attempts, refunds=there.refunds, troubles=there.troubles)


def _change(
    who: Staff, method: str, parts: Mapping[str, Any], revision: int
) -> schemas.PaymentAccount:
    account = payment_accounts.change(
        who.merchant_id,
        method,
        parts,
        revision=revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(account)


def _verdict(who: Staff, method: str) -> schemas.AccountVerdict:
    said = payment_accounts.check(who.merchant_id, method)
    return schemas.AccountVerdict(
        accepted=said.accepted, reason=said.reason, words=Text(said.words)
    )


def _shown(account: Account) -> schemas.PaymentAccount:
    item = account.item
    return schemas.PaymentAccount(
        method=account.method,
        configured=bool(account.facts),
        as_saved=account.as_saved,
        key_serials=list(account.key_serials),
        changed_at_s=item.changed_at_s if item else None,
        changed_by=item.staff if item else None,
        revision=item.revision if item else 0,
        offered=account.is_offered,
        **account.facts,
    )
