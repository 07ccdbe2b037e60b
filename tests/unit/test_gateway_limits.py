"""What the gateways document of requests is held to at home, to the character and the second."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.errors import GatewayFailed
from chalicelib.gateways.payment import GatewayRefused, Prepay, RefundStatus
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.services.money.refunds import WORDS
from infra.local import alipay_limits, wechat_limits
from infra.local.limits import broken
from infra.local.wechat import Wechat
from tests.fixtures.wechat_pay_gateway import (
    PAID_AT_S,
    PRICE_FEN,
    gateway_of,
    order,
    refund_request,
)

NOW_S = 1_790_000_000
HERE = "https://api.example.com/v1/callbacks/wechat-pay/m/payments"
WECHAT_ORDER = {
    "description": "草莓",
    "out_trade_no": "a" * 32,
    "time_expire": "2026-11-29T20:00:00+08:00",
    "attach": "",
    "notify_url": HERE,
    "amount": {"total": 1, "currency": "CNY"},
    "payer": {"openid": "o1"},
}
WECHAT_REFUND = {
    "out_trade_no": "a" * 32,
    "out_refund_no": "b",
    "reason": "售后退款",
    "notify_url": HERE,
    "amount": {"refund": 1, "total": 2, "currency": "CNY"},
}
ALIPAY_ORDER = {
    "out_trade_no": "a_1",
    "total_amount": "0.01",
    "subject": "草莓",
    "time_expire": "2026-11-29 20:00:00",
    "passback_params": "g1",
}
ALIPAY_REFUND = {"out_trade_no": "a", "out_request_no": "a1F", "refund_amount": "0.01"}
Clocked = tuple[Wechat, list[float]]  # the local WeChat, and the time by its clock


def fen(**changes: Any) -> dict[str, Any]:
    return {"amount": {"total": 1, "refund": 1, "currency": "CNY"} | changes}


@pytest.mark.parametrize(
    ("sound", "table", "good", "bad"),
    [
        (
            WECHAT_ORDER,
            wechat_limits.ORDER,
            [
                {"description": "草" * 127},
                {"out_trade_no": "aB3_-|"},
                {"attach": "团" * 128},
                {"notify_url": HERE.ljust(255, "x")},
                {"notify_url": "http://127.0.0.1:8010/api/v1/callbacks"},
                {"time_expire": "2026-11-29T12:00:00Z"},
                fen(total=100_000_000),
            ],
            [
                {"description": "草" * 128},
                {"description": ""},
                {"description": None},
                {"out_trade_no": "aB3_-"},
                {"out_trade_no": "a" * 33},
                {"out_trade_no": "aaaaa@"},
                {"attach": "a" * 129},
                {"notify_url": HERE.ljust(256, "x")},
                {"notify_url": "http://api.example.com/v1/callbacks"},
                {"notify_url": f"{HERE}?shop=1"},
                {"notify_url": ""},
                {"time_expire": "2026-11-29 20:00:00"},
                {"time_expire": "2026-11-29T20:00:00"},
                {"amount": None},
                fen(total=0),
                fen(total=-1),
                fen(total=1.0),
                fen(total="1"),
                fen(total=True),
                fen(currency="USD"),
            ],
        ),
        (
            WECHAT_REFUND,
            wechat_limits.REFUND,
            [
                {"out_refund_no": "aB3_-|*@".ljust(64, "9")},
                {"reason": "退" * 26},
                {"reason": None},
                {"notify_url": HERE.ljust(256, "x")},
                {"notify_url": None},
            ],
            [
                {"out_refund_no": ""},
                {"out_refund_no": "a" * 65},
                {"out_refund_no": "退1"},
                {"reason": "退" * 27},
                {"notify_url": HERE.ljust(257, "x")},
                fen(refund=0),
                fen(refund=1.5),
                fen(total=None),
                fen(currency=None),
            ],
        ),
        (
            ALIPAY_ORDER,
            alipay_limits.ORDER,
            [
                {"out_trade_no": "a" * 64},
                {"subject": "草" * 256},
                {"total_amount": "100000000.00"},
                {"total_amount": "99999999.99"},
                {"time_expire": None},
            ],
            [
                {"out_trade_no": "a" * 65},
                {"out_trade_no": "a-1"},
                {"out_trade_no": ""},
                {"subject": "草" * 257},
                {"subject": ""},
                *({"subject": f"草莓{char}葡萄"} for char in "/=&"),
                *(
                    {"total_amount": text}
                    for text in ("0.00", "1", "1.5", "01.00", "1.000", "-1.00")
                ),
                {"total_amount": "100000000.01"},
                {"total_amount": 1},
                {"time_expire": "2026-11-29T20:00:00+08:00"},
                {"passback_params": "g" * 513},
            ],
        ),
        (
            ALIPAY_REFUND,
            alipay_limits.REFUND,
            [{"out_request_no": "a" * 64}, {"refund_reason": "退" * 256}],
            [
                {"out_request_no": "a" * 65},
                {"out_request_no": None},
                {"refund_amount": "0.00"},
                {"refund_amount": "1.5"},
                {"refund_reason": "退" * 257},
            ],
        ),
    ],
    ids=["wechat order", "wechat refund", "alipay order", "alipay refund"],
)
def test_request_is_taken_to_its_limits_and_not_beyond(
    sound: dict[str, Any], table: Any, good: list[Any], bad: list[Any]
) -> None:
    assert broken(sound, table) == ""
    for change in good:
        assert broken(sound | change, table) == "", change
    for change in bad:
        (name,) = change
        assert broken(sound | change, table).partition(".")[0] == name, change


@pytest.fixture
def clocked() -> Iterator[Clocked]:
    """(WeChat by a clock of ours, the clock)."""
    clock = [float(NOW_S)]
    wechat = Wechat(now=lambda: clock[0]).start()
    wechat.courier.send = lambda url, headers, body: 204
    wechat.gateway.refund_delay_s = None
    yield wechat, clock
    wechat.stop()


@pytest.fixture
def pay(clocked: Clocked) -> WechatPay:
    return gateway_of(clocked[0].new_account("m1"), clocked[0])


def test_payment_has_to_end_more_than_a_minute_after_it_was_first_asked_for(
    clocked: Clocked, pay: WechatPay
) -> None:
    _, clock = clocked
    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(order(expires_at_s=NOW_S + 60), now_s=PAID_AT_S)
    assert refusal.value.reason == "PARAMERROR"
    late = order(expires_at_s=NOW_S + 61)
    pay.prepay(late, now_s=PAID_AT_S)
    clock[0] += 50

    assert pay.prepay(late, now_s=PAID_AT_S)["package"]  # the same again, until its end


def test_refunds_of_one_order_are_a_minute_apart_and_a_repeat_is_none(
    clocked: Clocked, pay: WechatPay
) -> None:
    wechat, clock = clocked
    bought, other = (bought_by(wechat, pay) for _ in range(2))
    first = refund_request(bought, out_refund_no=f"{bought.out_trade_no}A", amount_fen=100)
    second = replace(first, out_refund_no=f"{bought.out_trade_no}B")
    pay.refund(first)
    clock[0] += 59
    with pytest.raises(GatewayFailed) as failure:
        pay.refund(second)
    assert (type(failure.value), failure.value.details) == (
        GatewayFailed,
        {"reason": "FREQUENCYLIMITED"},
    )
    assert pay.refund(first).status is RefundStatus.PROCESSING
    assert pay.refund(refund_request(other)).status is RefundStatus.PROCESSING
    assert pay.query_refund(second.out_refund_no).status is RefundStatus.UNKNOWN

    clock[0] += 1

    assert pay.refund(second).status is RefundStatus.PROCESSING


def test_time_divisor_shortens_the_minute() -> None:
    wechat = Wechat(now=lambda: float(NOW_S), time_divisor=60).start()
    try:
        pay = gateway_of(wechat.new_account("m1"), wechat)
        with pytest.raises(GatewayRefused):
            pay.prepay(order(expires_at_s=NOW_S + 1), now_s=PAID_AT_S)
        assert pay.prepay(order(expires_at_s=NOW_S + 2), now_s=PAID_AT_S)
    finally:
        wechat.stop()


@pytest.mark.parametrize("char", ["草", "🍓", "a"])
def test_longest_texts_of_the_product_are_taken(
    clocked: Clocked, pay: WechatPay, char: str
) -> None:
    wechat, _ = clocked
    bought = bought_by(wechat, pay, description=char * 200)

    asked = refund_request(bought, reason=char * 200)

    assert pay.refund(asked).amount_fen == PRICE_FEN


def test_reasons_of_refunds_are_taken_whole() -> None:
    assert all(len(words.encode()) <= 80 for words in WORDS.values())


def bought_by(wechat: Wechat, pay: WechatPay, **changes: Any) -> Prepay:
    bought = order(**changes)
    pay.prepay(bought, now_s=PAID_AT_S)
    wechat.pay(out_trade_no=bought.out_trade_no)
    return bought
