"""What the unit tests of Alipay share: orders, and gateways that answer what they are told."""

import itertools
import json
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization

from chalicelib.errors import GatewayFailed
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.alipay_keys import AlipayAccount
from chalicelib.gateways.payment import (
    CallbackRefused,
    GatewayRefused,
    Prepay,
    RefundRequest,
)
from infra.local.alipay_keys import sign
from infra.local.wechat_http import Answer, Server
from infra.local.wechat_keys import key_pair

NUMBERS = itertools.count(1)
PRICE_FEN = 1990
NOWHERE = "http://127.0.0.1:9/gateway.do"  # the discard port: what is sent there is not answered
NOTIFY_URL = "http://127.0.0.1/callbacks/alipay"


def gateway_of(account, url, **changes):
    return Alipay(replace(AlipayAccount.from_secret(account.alipay), **changes), url)


def order(**changes):
    """A prepay of a number never used before."""
    defaults = {
        "out_trade_no": f"{next(NUMBERS):032d}",
        "amount_fen": PRICE_FEN,
        "description": "阳光玫瑰葡萄 2 斤",
        "payer": "",
        "attach": "g1",
        "expires_at_s": now_s() + 600,
        "notify_url": NOTIFY_URL,
    }
    return Prepay(**(defaults | changes))


def paid(alipay, pay, **changes):
    """An order that its buyer has paid; the notify is out."""
    bought = order(**changes)
    asked = pay.prepay(bought, now_s=now_s())
    alipay.pay(**asked)
    assert alipay.quiet()
    return bought


def refund_request(bought, **changes):
    request = RefundRequest(
        out_trade_no=bought.out_trade_no,
        out_refund_no=f"{bought.out_trade_no}F",
        amount_fen=PRICE_FEN,
        paid_fen=PRICE_FEN,
        reason="拼团未成功",
        notify_url=NOTIFY_URL,
    )
    return replace(request, **changes)


def now_s():
    return int(time.time())


def ledger_of(alipay, bought):
    [trade] = alipay.ledger.summaries(bought.out_trade_no)
    return {key: trade[key] for key in ("captured_fen", "refunded_fen", "refunding_fen")}


def refused(pay, body):
    """The details with which the notify is refused."""
    with pytest.raises(CallbackRefused) as refusal:
        pay.read_callback({}, body, now_s=now_s())
    return refusal.value.details


def told(alipay, account, **changes):
    """The body of a notify of a paid trade, rightly signed whatever it says."""
    fields = {
        "app_id": account.app_id,
        "seller_id": account.mchid,
        "out_trade_no": "1" * 32,
        "trade_no": "2026112222001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "19.90",
        "gmt_payment": "2027-01-15 16:00:00",
        "passback_params": "g1",
    }
    return alipay.courier.form(
        {name: value for name, value in (fields | changes).items() if value is not None}
    )


@contextmanager
def gateway_saying(alipay, account, content, *, name="alipay_trade_query_response", signature=None):
    """The account at a gateway whose every answer has this text in it (bytes as they are, else
    as JSON), rightly signed unless another signature is given."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    proof = sign(alipay.platform, text) if signature is None else signature
    body = b'{"%s":%s,"sign":"%s"}' % (name.encode(), text, proof.encode())
    with gateway_answering(account, Answer(200, body)) as pay:
        yield pay


@contextmanager
def gateway_answering(account, answer):
    server = Server(lambda call: answer)
    server.start()
    try:
        yield gateway_of(account, f"{server.base_url}/gateway.do")
    finally:
        server.stop()


def statement(**changes):
    """A paid trade, as the answer of a query."""
    said = {
        "code": "10000",
        "out_trade_no": "1" * 32,
        "trade_no": "2026112222001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "19.90",
        "send_pay_date": "2027-01-15 16:00:00",
    }
    return said | changes


def failure_of(call):
    """The details of what is a failure and no refusal."""
    with pytest.raises(GatewayFailed) as failure:
        call()
    assert type(failure.value) is GatewayFailed
    return failure.value.details


def refusal_of(call):
    with pytest.raises(GatewayRefused) as refusal:
        call()
    return refusal.value.reason


def pkcs1_pem(name):
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    return key_pair(name).private_bytes(pem, kind, plain).decode()
