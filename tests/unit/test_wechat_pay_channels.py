"""WeChat Pay where buyers pay: in the mini-program, in an official account, in a browser."""

import base64
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from chalicelib.errors import GatewayFailed
from chalicelib.gateways.payment import Channel, GatewayRefused, Prepay, TradeStatus
from infra.local.wechat import Wechat
from infra.local.wechat_accounts import Account
from infra.local.wechat_http import Answer, Call
from infra.local.wechat_keys import key_pair
from tests.fixtures.wechat_pay_gateway import (
    NUMBERS,
    PAID_AT_S,
    PRICE_FEN,
    Sent,
    callback,
    gateway_of,
    ledger_of,
    now_s,
    order,
    refused,
    statement,
)

IN_EACH_MODE = pytest.mark.parametrize("partner", [False, True])
SHOP = "http://127.0.0.1:8020"
BACK = f"{SHOP}/#/pages/payment/payment?id=1&x=a b"


def account_of(wechat: Wechat, **how: Any) -> Account:
    return wechat.new_account(
        f"merchant-{next(NUMBERS)}", official_account=True, name="果园小店", **how
    )


def in_browser(**changes: Any) -> Prepay:
    given = {"channel": Channel.BROWSER, "payer": "", "payer_ip": "203.0.113.9", "return_url": BACK}
    return order(**(given | changes))


def open_page(wechat: Wechat, url: str, **headers: str) -> str:
    """What a browser shows that goes to the address from a page of the shop."""
    sent = {"referer": f"{SHOP}/", **{name.replace("_", "-"): v for name, v in headers.items()}}
    answer = wechat.cashier.answer(Call("GET", url.removeprefix(wechat.base_url), sent))
    return answer.body.decode()


def tap(wechat: Wechat, **form: str) -> Answer:
    return wechat.cashier.answer(Call("POST", "/cashier/pay", {}, urlencode(form).encode()))


@IN_EACH_MODE
def test_browser_is_led_to_wechats_page_and_back(
    wechat: Wechat, sent: list[Sent], partner: bool
) -> None:
    account, bought = account_of(wechat, partner=partner), in_browser()
    pay = gateway_of(account, wechat)

    asked = pay.prepay(bought, now_s=PAID_AT_S)

    told = wechat.ledger.trade(account.mchid, bought.out_trade_no).order
    assert asked.keys() == {"url"}
    assert parse_qs(urlsplit(asked["url"]).query)["redirect_url"] == [BACK]
    assert "payer" not in told
    scene = {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}
    assert told["scene_info"] == scene
    assert {n: told[n] for n in account.names} == account.names
    page = open_page(wechat, asked["url"])
    assert "果园小店" in page
    assert "¥19.90" in page
    assert "立即支付" in page

    prepay_id = parse_qs(urlsplit(asked["url"]).query)["prepay_id"][0]
    done = tap(wechat, prepay_id=prepay_id, back=BACK)

    assert (done.status, done.headers["Location"]) == (303, BACK)
    assert wechat.quiet()
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED
    assert pay.read_callback(*sent[-1][1:], now_s=now_s()).amount_fen == PRICE_FEN


def test_page_is_served_over_http(wechat: Wechat, sent: list[Sent]) -> None:
    asked = gateway_of(account_of(wechat), wechat).prepay(in_browser(), now_s=PAID_AT_S)
    request = urllib.request.Request(asked["url"], headers={"Referer": f"{SHOP}/"})

    with urllib.request.urlopen(request) as answer:
        kind, page = answer.headers["Content-Type"], answer.read().decode()

    assert kind == "text/html; charset=utf-8"
    assert "立即支付" in page


@pytest.mark.parametrize(
    ("headers", "back", "words"),
    [
        ({"referer": ""}, BACK, "商家参数格式有误，请联系商家解决"),
        ({"referer": "https://evil.example/"}, BACK, "商家存在未配置的参数，请联系商家解决"),
        ({}, "https://evil.example/", "商家存在未配置的参数，请联系商家解决"),
        ({}, "javascript:alert(1)", "商家存在未配置的参数，请联系商家解决"),
        ({"user_agent": "MicroMessenger/8.0"}, BACK, "请在微信外打开订单，进行支付"),
    ],
)
def test_page_is_refused_from_elsewhere_to_elsewhere_and_inside_wechat(
    wechat: Wechat, sent: list[Sent], headers: dict[str, str], back: str, words: str
) -> None:
    bought = in_browser(return_url=back)
    asked = gateway_of(account_of(wechat), wechat).prepay(bought, now_s=PAID_AT_S)

    page = open_page(wechat, asked["url"], **headers)

    assert words in page
    assert "立即支付" not in page
    assert "evil.example" not in page
    assert ledger_of(wechat, bought)["captured_fen"] == 0


def test_link_lives_five_minutes_and_the_same_order_gets_a_fresh_one() -> None:
    at = [float(now_s())]
    wechat = Wechat(now=lambda: at[0]).start()
    pay, bought = gateway_of(account_of(wechat), wechat), in_browser()
    first = pay.prepay(bought, now_s=PAID_AT_S)["url"]
    at[0] += 300

    late = open_page(wechat, first)
    fresh = open_page(wechat, pay.prepay(bought, now_s=PAID_AT_S)["url"])

    wechat.stop()
    assert "支付请求已失效，请重新发起支付" in late
    assert "立即支付" in fresh
    assert len(wechat.ledger.summaries()) == 1


def test_button_leads_nowhere_but_to_the_shop(wechat: Wechat, sent: list[Sent]) -> None:
    asked = gateway_of(account_of(wechat), wechat).prepay(in_browser(), now_s=PAID_AT_S)
    prepay_id = parse_qs(urlsplit(asked["url"]).query)["prepay_id"][0]

    done = tap(wechat, prepay_id=prepay_id, back="https://evil.example/")

    assert done.status == 200
    assert "Location" not in done.headers
    again = tap(wechat, prepay_id=prepay_id, back=BACK)
    assert "支付成功" in again.body.decode()  # it is paid already
    assert wechat.quiet()


@pytest.mark.parametrize("changes", [{"payer_ip": ""}, {"payer_ip": "nowhere"}])
def test_browser_without_an_address_is_refused(
    wechat: Wechat, sent: list[Sent], changes: dict[str, str]
) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        gateway_of(account_of(wechat), wechat).prepay(in_browser(**changes), now_s=PAID_AT_S)

    assert refusal.value.reason == "PARAMERROR"


@IN_EACH_MODE
def test_official_account_asks_in_its_own_name(
    wechat: Wechat, sent: list[Sent], partner: bool
) -> None:
    account = account_of(wechat, partner=partner)
    bought, pay = order(channel=Channel.OFFICIAL_ACCOUNT), gateway_of(account, wechat)
    official = account.wechat_account["appid"]

    asked = pay.prepay(bought, now_s=PAID_AT_S)

    told = wechat.ledger.trade(account.mchid, bought.out_trade_no).order
    assert told["sub_appid" if partner else "appid"] == official
    assert told["payer"] == {"sub_openid" if partner else "openid": "oBuyer"}
    assert asked["appId"] == pay.payer_app(Channel.OFFICIAL_ACCOUNT) == official
    text = f"{official}\n{asked['timeStamp']}\n{asked['nonceStr']}\n{asked['package']}\n"
    key = key_pair("merchant").public_key()
    signature = base64.b64decode(asked["paySign"])
    key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    shown = open_page(wechat, f"/cashier/jsapi?{urlencode(asked | {'redirect_url': BACK})}")
    assert "立即支付" in shown
    wechat.pay(out_trade_no=bought.out_trade_no)
    assert wechat.quiet()
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


def test_sheet_opens_only_as_it_was_signed_and_in_its_app(wechat: Wechat, sent: list[Sent]) -> None:
    account = account_of(wechat)
    pay = gateway_of(account, wechat)
    mini = pay.prepay(order(), now_s=PAID_AT_S)
    official = pay.prepay(order(channel=Channel.OFFICIAL_ACCOUNT), now_s=PAID_AT_S)
    elsewhere = {"redirect_url": "https://evil.example/"}

    assert "立即支付" in open_page(wechat, f"/cashier/jsapi?{urlencode(mini)}")
    for wrong in (
        mini | {"paySign": official["paySign"]},
        mini | {"timeStamp": "1"},
        mini | {"appId": account.wechat_account["appid"]},
        official | {"appId": account.appid},
        mini | elsewhere,
    ):
        page = open_page(wechat, f"/cashier/jsapi?{urlencode(wrong)}")
        assert "支付验证签名失败" in page
        assert "立即支付" not in page


def test_account_without_an_official_one_takes_no_payments_there(
    wechat: Wechat, account: Account
) -> None:
    pay = gateway_of(account, wechat)

    assert pay.payer_app(Channel.OFFICIAL_ACCOUNT) is None
    assert pay.payer_app(Channel.MINI_PROGRAM) == account.appid
    assert pay.payer_app(Channel.BROWSER) == ""


def test_openid_of_another_app_is_refused(wechat: Wechat, sent: list[Sent]) -> None:
    account = account_of(wechat)
    login = account.wechat_login
    wechat.codes.exchange(
        {
            "appid": login["appid"],
            "secret": login["app_secret"],
            "js_code": "demo-xiaoman",
            "grant_type": "authorization_code",
        }
    )
    openid = next(iter(wechat.codes._openids[account.appid]))
    pay = gateway_of(account, wechat)

    pay.prepay(order(payer=openid), now_s=PAID_AT_S)
    bought = order(payer=openid, channel=Channel.OFFICIAL_ACCOUNT)
    with pytest.raises(GatewayFailed) as failure:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert failure.value.details == {"reason": "OPENIDMISMATCH"}
    assert wechat.ledger.summaries(bought.out_trade_no) == []


@IN_EACH_MODE
def test_official_account_of_before_is_believed_and_no_other(
    wechat: Wechat, sent: list[Sent], partner: bool
) -> None:
    account = account_of(wechat, partner=partner)
    own, official = "sub_appid" if partner else "appid", account.wechat_account["appid"]
    now = gateway_of(account, wechat)
    since = gateway_of(
        account, wechat, official_account_appid="wxnew", retired_apps=("wxold", official)
    )
    never = gateway_of(account, wechat, official_account_appid="")
    said = callback(wechat, account, statement(**account.names | {own: official}))

    for pay in (now, since):
        assert pay.read_callback(*said, now_s=now_s()).amount_fen == PRICE_FEN
    details = {"reason": "mismatch", "field": own, "seen": official}
    assert refused(never, *said) == details
    empty = statement(**account.names | {own: ""})
    assert refused(now, *callback(wechat, account, empty))["field"] == own
