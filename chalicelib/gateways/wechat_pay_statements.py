"""What WeChat Pay says of trades and refunds, in our words; refused when it is not about us."""

import datetime as dt

import msgspec

from chalicelib.gateways.payment import Refund, RefundStatus, Trade, TradeStatus, digest_of
from chalicelib.gateways.verification import VerificationError, must_be
from chalicelib.gateways.wechat_pay_account import WechatAccount

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


class PageAnswer(msgspec.Struct):
    h5_url: str


class ErrorAnswer(msgspec.Struct):
    code: str
    message: str = ""


class TradeAmount(msgspec.Struct):
    total: int
    currency: str = ""


class Names(msgspec.Struct, kw_only=True):
    """Whom a statement is about: mchid and appid in direct mode, else the four of a partner."""

    mchid: str = ""
    appid: str = ""
    sp_mchid: str = ""
    sp_appid: str = ""
    sub_mchid: str = ""
    sub_appid: str = ""


class TradePayer(msgspec.Struct):
    """The openid of who paid, in one of the apps that a statement names."""

    openid: str = ""
    sp_openid: str = ""
    sub_openid: str = ""


class TradeStatement(Names, kw_only=True):
    """A trade, in the answer of a query and in a callback alike."""

    out_trade_no: str
    trade_state: str
    transaction_id: str = ""
    success_time: str = ""
    attach: str = ""
    amount: TradeAmount | None = None  # may be absent before anything is paid
    payer: TradePayer | None = None  # the same


class RefundAmount(msgspec.Struct):
    refund: int
    total: int
    currency: str = ""


class RefundStatement(Names, kw_only=True):
    """A refund: an answer says `status` and currency, a callback `refund_status` and whose."""

    out_refund_no: str
    out_trade_no: str
    amount: RefundAmount
    status: str = ""
    refund_status: str = ""
    success_time: str = ""  # comes with SUCCESS alone


class BillAnswer(msgspec.Struct):
    hash_type: str
    hash_value: str
    download_url: str


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


def trade_of(said: TradeStatement, account: WechatAccount) -> Trade:
    """Raises VerificationError when it is of another merchant, app or currency, or has a state we
    do not know."""
    for name, ours in (account.merchant_names | account.app_names_of(said)).items():
        must_be(name, getattr(said, name), ours)
    status = TRADE_STATUSES.get(said.trade_state)
    if status is None:
        raise VerificationError("unknown_state", "trade_state", said.trade_state[:32])
    paid = status is TradeStatus.SUCCEEDED
    if paid and (said.amount is None or not said.transaction_id):
        raise VerificationError("incomplete", "amount" if said.amount is None else "transaction_id")
    if said.amount is not None and (paid or said.amount.currency):
        must_be("currency", said.amount.currency, CURRENCY)
    payer = said.payer or TradePayer()
    openid = payer.sub_openid or payer.sp_openid or payer.openid
    return Trade(
        out_trade_no=said.out_trade_no,
        status=status,
        amount_fen=said.amount.total if said.amount else 0,
        transaction_id=said.transaction_id,
        paid_at_s=_epoch_s(said.success_time) if paid else 0,
        attach=said.attach,
        payer=digest_of(openid, account.mchid, account.sub_mchid, key=account.api_v3_key),
    )


def refund_of(said: RefundStatement, account: WechatAccount, *, named: bool = False) -> Refund:
    """Raises VerificationError as `trade_of` does. A refund never names the app; it names the
    merchant or the currency only in some messages, and those are held to it.

    named: it must name the merchant, as callbacks do.
    """
    for name, ours in account.merchant_names.items():
        seen = getattr(said, name)
        if named and not seen:
            raise VerificationError("incomplete", name)
        if seen:
            must_be(name, seen, ours)
    if said.amount.currency:
        must_be("currency", said.amount.currency, CURRENCY)
    word = said.status or said.refund_status
    status = REFUND_STATUSES.get(word)
    if status is None:
        raise VerificationError("unknown_state", "refund_status", word[:32])
    done = status is RefundStatus.SUCCEEDED
    return Refund(
        out_refund_no=said.out_refund_no,
        status=status,
        amount_fen=said.amount.refund,
        reason="" if done else word,
        succeeded_at_s=_epoch_s(said.success_time) if done and said.success_time else 0,
    )


def _epoch_s(rfc3339: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(rfc3339)
    except ValueError as error:
        raise VerificationError("unreadable", "success_time", rfc3339[:40]) from error
    if moment.tzinfo is None:
        raise VerificationError("unreadable", "success_time", rfc3339[:40])
    return int(moment.timestamp())
