"""What WeChat Pay says of trades and refunds, in our words; refused when it is not about us."""

import datetime as dt
from typing import TypeVar

import msgspec

from chalicelib.gateways.payment import Refund, RefundStatus, Trade, TradeStatus
from chalicelib.gateways.wechat_pay_keys import Disbelieved, WechatAccount

CURRENCY = "CNY"
TRADE_STATUSES = {
    "NOTPAY": TradeStatus.UNPAID,
    "USERPAYING": TradeStatus.UNPAID,
    "SUCCESS": TradeStatus.SUCCEEDED,
    "REFUND": TradeStatus.SUCCEEDED,  # it was captured, whatever has been refunded since
    "CLOSED": TradeStatus.CLOSED,
    "REVOKED": TradeStatus.CLOSED,
    "PAYERROR": TradeStatus.CLOSED,
}
REFUND_STATUSES = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "PROCESSING": RefundStatus.PROCESSING,
    "CLOSED": RefundStatus.CLOSED,
    "ABNORMAL": RefundStatus.ABNORMAL,
}


class PrepayAnswer(msgspec.Struct):
    prepay_id: str


class ErrorAnswer(msgspec.Struct):
    code: str
    message: str = ""


class TradeAmount(msgspec.Struct):
    total: int
    currency: str = ""


class TradeStatement(msgspec.Struct):
    """A trade, in the answer of a query and in a callback alike."""

    mchid: str
    appid: str
    out_trade_no: str
    trade_state: str
    transaction_id: str = ""
    success_time: str = ""
    attach: str = ""
    amount: TradeAmount | None = None  # may be absent before anything is paid


class RefundAmount(msgspec.Struct):
    refund: int
    total: int
    currency: str = ""


class RefundStatement(msgspec.Struct):
    """A refund: an answer says `status` and currency, a callback `refund_status` and mchid."""

    out_refund_no: str
    out_trade_no: str
    amount: RefundAmount
    status: str = ""
    refund_status: str = ""
    mchid: str = ""


class CallbackResource(msgspec.Struct):
    original_type: str
    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class Callback(msgspec.Struct):
    event_type: str
    resource_type: str
    resource: CallbackResource


_Shape = TypeVar("_Shape")


def read(body: bytes | str, shape: type[_Shape]) -> _Shape:
    """`body`, a JSON text, as `shape`. Raises Disbelieved; never quotes the body."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Disbelieved("unreadable", shape.__name__) from error


def trade_of(said: TradeStatement, account: WechatAccount) -> Trade:
    """Raises Disbelieved when it is of another merchant, app or currency, or has a state we do
    not know."""
    must_be("mchid", said.mchid, account.mchid)
    must_be("appid", said.appid, account.appid)
    status = TRADE_STATUSES.get(said.trade_state)
    if status is None:
        raise Disbelieved("unknown_state", "trade_state", said.trade_state[:32])
    paid = status is TradeStatus.SUCCEEDED
    if paid and (said.amount is None or not said.transaction_id):
        raise Disbelieved("incomplete", "amount" if said.amount is None else "transaction_id")
    if said.amount is not None and (paid or said.amount.currency):
        must_be("currency", said.amount.currency, CURRENCY)
    return Trade(
        out_trade_no=said.out_trade_no,
        status=status,
        amount_fen=said.amount.total if said.amount else 0,
        transaction_id=said.transaction_id,
        paid_at_s=_epoch_s(said.success_time) if paid else 0,
        attach=said.attach,
    )


def refund_of(said: RefundStatement, account: WechatAccount) -> Refund:
    """Raises Disbelieved as `trade_of` does. A refund never names the app; it names the merchant
    or the currency only in some messages, and those are held to it."""
    if said.mchid:
        must_be("mchid", said.mchid, account.mchid)
    if said.amount.currency:
        must_be("currency", said.amount.currency, CURRENCY)
    word = said.status or said.refund_status
    status = REFUND_STATUSES.get(word)
    if status is None:
        raise Disbelieved("unknown_state", "refund_status", word[:32])
    done = status is RefundStatus.SUCCEEDED
    return Refund(
        out_refund_no=said.out_refund_no,
        status=status,
        amount_fen=said.amount.refund,
        reason="" if done else word,
    )


def must_be(name: str, seen: str, expected: str) -> None:
    """Raises Disbelieved, naming the field and what was seen there."""
    if seen != expected:
        raise Disbelieved("mismatch", name, seen[:64])


def _epoch_s(rfc3339: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(rfc3339)
    except ValueError as error:
        raise Disbelieved("unreadable", "success_time", rfc3339[:40]) from error
    if moment.tzinfo is None:
        raise Disbelieved("unreadable", "success_time", rfc3339[:40])
    return int(moment.timestamp())
