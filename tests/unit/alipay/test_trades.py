"""Prepay, query and close of trades at Alipay, over loopback."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from chalicelib import clock, http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.alipay_client import AlipayClient
from chalicelib.gateways.payment import Trade, TradeStatus
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account, Refused
from tests.fixtures.alipay_gateway import (
    NOTIFY_URL,
    NOWHERE,
    PRICE_FEN,
    RETURN_URL,
    Sent,
    gateway_of,
    gateway_saying,
    now_s,
    order,
    paid,
    pkcs1_pem,
    refund_request,
    refusal_of,
    statement,
)


def test_prepay_without_a_payer_is_the_signed_address_of_a_page(
    alipay: LocalAlipay, account: Account, pay: Alipay
) -> None:
    bought = order(expires_at_s=1_900_000_000, description="草莓/葡萄=2&3,斤")

    asked = pay.prepay(bought, now_s=now_s())

    address = urlsplit(asked["url"])
    fields = dict(parse_qsl(address.query, strict_parsing=True))
    assert f"{address.scheme}://{address.netloc}{address.path}" == alipay.gateway_url
    assert (fields["app_id"], fields["method"]) == (account.app_id, "alipay.trade.wap.pay")
    assert (fields["notify_url"], fields["sign_type"]) == (NOTIFY_URL, "RSA2")
    assert fields["return_url"] == RETURN_URL
    assert json.loads(fields["biz_content"]) == {
        "out_trade_no": bought.out_trade_no,
        "total_amount": "19.90",
        "subject": "草莓 葡萄 2 3 斤",
        "seller_id": account.mchid,
        "time_expire": "2030-03-18 01:46:40",  # in Beijing
        "passback_params": "g1",
        "product_code": "QUICK_WAP_WAY",
        "quit_url": RETURN_URL,
    }


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_requests_carry_the_time_of_beijing_in_every_zone(
    pay: Alipay, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    monkeypatch.setattr(clock, "now_s", lambda: 1_900_000_000)

    address = AlipayClient(pay._account, NOWHERE).address("alipay.trade.wap.pay", {})

    monkeypatch.undo()
    time.tzset()
    assert parse_qs(urlsplit(address).query)["timestamp"] == ["2030-03-18 01:46:40"]


def test_trade_exists_only_from_when_the_buyer_opens_the_page(
    alipay: LocalAlipay, pay: Alipay
) -> None:
    bought = order()
    asked = pay.prepay(bought, now_s=now_s())
    before = pay.query(bought.out_trade_no)

    alipay.open(asked["url"])

    assert before == Trade(bought.out_trade_no, TradeStatus.UNKNOWN)
    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID


def test_page_over_http_takes_the_money_and_leads_back_to_the_shop(
    alipay: LocalAlipay, pay: Alipay, sent: list[Sent]
) -> None:
    bought = order()
    asked = pay.prepay(bought, now_s=now_s())

    page = http_client.call("GET", asked["url"], headers={}, bytes_max=10_000).decode()
    button = page.partition('action="')[2].partition('"')[0]
    with pytest.raises(GatewayFailed) as redirected:
        http_client.call("POST", alipay.base_url + button, headers={}, bytes_max=10_000)

    assert "¥19.90" in page
    assert redirected.value.details == {"reason": "http_303"}
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


def test_prepay_with_a_payer_makes_the_trade_at_once(alipay: LocalAlipay, pay: Alipay) -> None:
    bought = order(payer="open-id-of-xiaoming")

    first, second = (pay.prepay(bought, now_s=now_s()) for _ in range(2))

    assert list(first) == ["trade_no"]
    assert first == second
    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID
    assert alipay.pay(trade_no=first["trade_no"]).order["buyer_open_id"] == "open-id-of-xiaoming"


@pytest.mark.parametrize("payer", ["", "open-id"])
def test_prepay_of_a_paid_order_is_refused_as_paid(
    alipay: LocalAlipay, pay: Alipay, payer: str
) -> None:
    bought = paid(alipay, pay, payer=payer)

    assert refusal_of(lambda: pay.prepay(bought, now_s=now_s())) == "ACQ.TRADE_HAS_SUCCESS"


@pytest.mark.parametrize("payer", ["", "open-id"])
def test_prepay_of_a_closed_order_is_refused_as_closed(
    alipay: LocalAlipay, pay: Alipay, payer: str
) -> None:
    bought = order(payer=payer)
    asked = pay.prepay(bought, now_s=now_s())
    if not payer:
        alipay.open(asked["url"])
    pay.close(bought.out_trade_no)

    assert refusal_of(lambda: pay.prepay(bought, now_s=now_s())) == "ACQ.TRADE_HAS_CLOSE"


def test_prepay_of_a_known_number_with_another_amount_is_refused(pay: Alipay) -> None:
    bought = order(payer="open-id")
    pay.prepay(bought, now_s=now_s())

    changed = replace(bought, amount_fen=1)

    assert refusal_of(lambda: pay.prepay(changed, now_s=now_s())) == "ACQ.CONTEXT_INCONSISTENT"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda fields: fields | {"biz_content": fields["biz_content"].replace("19.90", "0.01")},
        lambda fields: fields | {"notify_url": "https://elsewhere.example.com"},
        lambda fields: fields | {"app_id": "2021000000000000"},
    ],
)
def test_address_that_was_changed_on_its_way_opens_no_page(
    alipay: LocalAlipay, pay: Alipay, tamper: Callable[..., Any]
) -> None:
    bought = order()
    address, _, query = pay.prepay(bought, now_s=now_s())["url"].partition("?")

    with pytest.raises(Refused):
        alipay.open(f"{address}?{urlencode(tamper(dict(parse_qsl(query))))}")

    assert alipay.ledger.summaries(bought.out_trade_no) == []


def test_address_cannot_be_paid_when_its_time_is_over(alipay: LocalAlipay, pay: Alipay) -> None:
    bought = order(expires_at_s=now_s() + 60)
    asked = pay.prepay(bought, now_s=now_s())

    with pytest.raises(Refused) as refusal:
        alipay.pay(**asked, paid_at=bought.expires_at_s)

    assert refusal.value.sub_code == "ACQ.TRADE_HAS_CLOSE"
    assert pay.query(bought.out_trade_no).status is TradeStatus.CLOSED


def test_request_signed_by_another_key_is_refused(alipay: LocalAlipay, account: Account) -> None:
    other = pkcs1_pem("stranger")

    pay = gateway_of(account, alipay.gateway_url, private_key=other)

    assert refusal_of(lambda: pay.query("1" * 32)) == "isv.invalid-signature"


# Query and close


def test_query_follows_a_trade_from_unpaid_to_refunded(alipay: LocalAlipay, pay: Alipay) -> None:
    bought = order(payer="open-id")
    pay.prepay(bought, now_s=now_s())
    unpaid = pay.query(bought.out_trade_no)
    at_s = now_s()
    trade = alipay.pay(out_trade_no=bought.out_trade_no, paid_at=at_s)
    succeeded = pay.query(bought.out_trade_no)
    pay.refund(refund_request(bought))

    assert unpaid.status is TradeStatus.UNPAID
    assert succeeded == Trade(
        out_trade_no=bought.out_trade_no,
        status=TradeStatus.SUCCEEDED,
        amount_fen=PRICE_FEN,
        transaction_id=trade.trade_no,
        paid_at_s=at_s,
        payer=succeeded.payer,
    )
    assert len(succeeded.payer) == 22  # and not "open-id"
    assert trade.trade_state == "TRADE_CLOSED"
    assert pay.query(bought.out_trade_no) == succeeded  # refunding does not uncapture it


@pytest.mark.parametrize(
    ("state", "paid_at", "status"),
    [
        ("WAIT_BUYER_PAY", "", TradeStatus.UNPAID),
        ("TRADE_SUCCESS", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
        ("TRADE_FINISHED", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
        ("TRADE_CLOSED", "", TradeStatus.CLOSED),
        ("TRADE_CLOSED", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
    ],
)
def test_every_trade_state_has_its_status(
    alipay: LocalAlipay, account: Account, state: str, paid_at: str, status: TradeStatus
) -> None:
    said = statement(trade_status=state, send_pay_date=paid_at)

    with gateway_saying(alipay, account, said) as pay:
        trade = pay.query("1" * 32)

    assert trade.status is status
    assert trade.paid_at_s == (1_800_000_000 if status is TradeStatus.SUCCEEDED else 0)


def test_closed_trade_stays_closed_however_often_it_is_closed(pay: Alipay) -> None:
    bought = order(payer="open-id")
    pay.prepay(bought, now_s=now_s())

    pay.close(bought.out_trade_no)
    pay.close(bought.out_trade_no)

    assert pay.query(bought.out_trade_no).status is TradeStatus.CLOSED


def test_closing_what_nobody_opened_is_done(pay: Alipay) -> None:
    pay.close("9" * 32)

    assert pay.query("9" * 32).status is TradeStatus.UNKNOWN


def test_paid_trade_cannot_be_closed(alipay: LocalAlipay, pay: Alipay) -> None:
    bought = paid(alipay, pay)

    assert refusal_of(lambda: pay.close(bought.out_trade_no)) == "ACQ.TRADE_STATUS_ERROR"
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED
