"""WeChat Pay's wrapper and its local counterpart, for the unit tests of what goes between them."""

import itertools
import json
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from chalicelib.gateways.payment import CallbackRefused, Prepay, RefundRequest
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.gateways.wechat_pay_account import WechatAccount
from infra.local.wechat_http import Answer, Call, Server

NUMBERS = itertools.count(1)
PRICE_FEN = 1990
PAID_AT_S = 1_800_000_000
NOWHERE = "http://127.0.0.1:9/"  # the discard port: what is sent there is not answered


def gateway_of(account, wechat, **changes):
    return WechatPay(
        replace(WechatAccount.from_secret(account.wechat_pay), **changes), wechat.base_url
    )


def order(**changes):
    """A prepay of a number never used before."""
    number = f"{next(NUMBERS):032d}"
    defaults = {
        "out_trade_no": number,
        "amount_fen": PRICE_FEN,
        "description": "阳光玫瑰葡萄 2 斤",
        "payer": "oBuyer",
        "attach": "g1",
        "expires_at_s": 1_900_000_000,
        "notify_url": "http://127.0.0.1/callbacks/wechat-pay",
    }
    return Prepay(**(defaults | changes))


def paid(wechat, pay):
    """An order that its buyer has paid; the callback is out."""
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    wechat.pay(out_trade_no=bought.out_trade_no, paid_at=time.time())
    assert wechat.quiet()
    return bought


def refund_request(bought, **changes):
    request = RefundRequest(
        out_trade_no=bought.out_trade_no,
        out_refund_no=f"{bought.out_trade_no}F",
        amount_fen=PRICE_FEN,
        paid_fen=PRICE_FEN,
        reason="拼团未成功",
        notify_url="http://127.0.0.1/callbacks/wechat-refund",
    )
    return replace(request, **changes)


def now_s():
    return int(time.time())


def ledger_of(wechat, bought):
    [trade] = wechat.ledger.summaries(bought.out_trade_no)
    return {key: trade[key] for key in ("captured_fen", "refunded_fen", "refunding_fen")}


def refused(pay, headers, body, *, at_s=None):
    """The details with which the payment callback is refused."""
    with pytest.raises(CallbackRefused) as refusal:
        pay.read_callback(headers, body, now_s=at_s or now_s())
    return refusal.value.details


def statement(**changes):
    """A paid trade as the callback of a gateway that says whatever it is told to."""
    said = {
        "out_trade_no": "0" * 32,
        "trade_state": "SUCCESS",
        "transaction_id": "4200",
        "success_time": "2027-01-15T16:00:00+08:00",
        "attach": "g1",
        "amount": {"total": PRICE_FEN, "currency": "CNY"},
    }
    return said | changes


@contextmanager
def gateway_saying(wechat, account, said, *, status=200):
    """The account at a gateway whose every answer is `said`, rightly signed."""

    def answer(call: Call) -> Answer:
        done = Answer.json(said, status=status)
        signature = wechat.platform.sign(
            done.body, at_s=time.time(), serial=call.headers["wechatpay-serial"]
        )
        return replace(done, headers={**done.headers, **signature})

    server = Server(answer)
    server.start()
    try:
        yield WechatPay(WechatAccount.from_secret(account.wechat_pay), server.base_url)
    finally:
        server.stop()


def callback(wechat, account, resource, *, kind="transaction", algorithm="AEAD_AES_256_GCM"):
    """(headers, body) of a callback, rightly signed and sealed whatever it says."""
    body = json.dumps(
        {
            "id": "EV-1",
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "resource": account.seal(resource, kind) | {"algorithm": algorithm},
        }
    ).encode()
    return wechat.platform.sign(body, at_s=time.time()), body
