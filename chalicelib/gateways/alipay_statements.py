"""What Alipay says of trades and refunds, in our words; refused when it is not about us.

Amounts are texts of yuan, times texts of Beijing; both become whole numbers here, or nothing.
"""

import datetime as dt
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

import msgspec

from chalicelib.domain.beijing import BEIJING
from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.alipay_signatures import AlipaySignatures
from chalicelib.gateways.payment import Refund, RefundStatus, Trade, TradeStatus, digest_of
from chalicelib.gateways.verification import VerificationError, must_be

FIELDS_MAX = 100  # of a notify; Alipay sends about thirty
TRADE_STATUSES = {
    "WAIT_BUYER_PAY": TradeStatus.UNPAID,
    "TRADE_SUCCESS": TradeStatus.SUCCEEDED,
    "TRADE_FINISHED": TradeStatus.SUCCEEDED,  # and the time for refunds is over
    "TRADE_CLOSED": TradeStatus.CLOSED,  # never paid, or paid and refunded: see trade_of
}
REFUND_STATUSES = {
    "REFUND_SUCCESS": RefundStatus.SUCCEEDED,
    "REFUND_PROCESSING": RefundStatus.PROCESSING,
    "REFUND_FAIL": RefundStatus.UNKNOWN,  # to be asked for again, by the same number
}
_YUAN = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,2}))?")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?")


class Outcome(msgspec.Struct):
    """What every answer begins with; that of an authorisation has no code when it is a yes."""

    code: str = ""
    sub_code: str = ""
    sub_msg: str = ""


class TradeAnswer(msgspec.Struct):
    out_trade_no: str
    trade_status: str
    total_amount: str
    trade_no: str = ""
    send_pay_date: str = ""
    buyer_open_id: str = ""  # one of the two, by the merchant's configuration
    buyer_user_id: str = ""


class TradeMade(msgspec.Struct):
    out_trade_no: str
    trade_no: str


class RefundAnswer(msgspec.Struct):
    """`fund_change`: Y when this very request moved the money."""

    out_trade_no: str
    fund_change: str = ""
    gmt_refund_pay: str = ""


class RefundState(msgspec.Struct):
    """Empty but for the code when Alipay knows of no such refund."""

    out_trade_no: str = ""
    out_request_no: str = ""
    refund_amount: str = ""
    refund_status: str = ""
    gmt_refund_pay: str = ""


class Authorised(msgspec.Struct):
    open_id: str = ""


class BillAddress(msgspec.Struct):
    bill_download_url: str


class Notice(msgspec.Struct):
    """A notify about a trade: paid, or refunded since (with refund_fee and out_biz_no)."""

    app_id: str
    seller_id: str
    out_trade_no: str
    trade_status: str
    total_amount: str
    trade_no: str = ""
    gmt_payment: str = ""
    passback_params: str = ""
    buyer_open_id: str = ""
    buyer_id: str = ""  # a query's buyer_user_id
    charset: str = "utf-8"


# The signed text is joined by & and =: where a value holds one of these, another form of fields
# has the same signature.
_NAME = re.compile(r"\w{1,64}", re.ASCII)
_HIDDEN = re.compile(
    rf"&({'|'.join((*Notice.__struct_fields__, 'refund_fee', 'out_biz_no', 'notify_type'))})="
)


def notice_of(body: bytes, signatures: AlipaySignatures, account: AlipayAccount) -> Notice:
    """The notify in a form that Alipay signed, for this account. Raises VerificationError."""
    form = _form(body)
    signatures.verify_notify(form)
    for name, value in form.items():
        if not _NAME.fullmatch(name) or _HIDDEN.search(value):
            raise VerificationError("ambiguous", name[:32])
    notice = _notice(form)
    must_be("charset", notice.charset.lower(), "utf-8")
    must_be("app_id", notice.app_id, account.app_id)
    must_be("seller_id", notice.seller_id, account.seller_id)
    return notice


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form, each once, in UTF-8. Raises VerificationError."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise VerificationError("unreadable", "form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise VerificationError("duplicate", "form")
    return form


def _notice(form: Mapping[str, str]) -> Notice:
    for name in ("app_id", "seller_id", "out_trade_no", "trade_status", "total_amount"):
        if not form.get(name):
            raise VerificationError("incomplete", name)
    return msgspec.convert(form, Notice)


def trade_of_notice(said: Notice, account: AlipayAccount) -> Trade:
    """Raises VerificationError as `trade_of` does."""
    return trade_of(
        TradeAnswer(
            out_trade_no=said.out_trade_no,
            trade_status=said.trade_status,
            total_amount=said.total_amount,
            trade_no=said.trade_no,
            send_pay_date=said.gmt_payment,
            buyer_open_id=said.buyer_open_id,
            buyer_user_id=said.buyer_id,
        ),
        account,
        attach=unquote(said.passback_params),  # it comes back encoded, as it was sent
    )


def trade_of(said: TradeAnswer, account: AlipayAccount, *, attach: str = "") -> Trade:
    """A closed trade with a payment time was captured, and refunded in full since.

    Raises VerificationError for a state we do not know, or when a payment lacks its number or time.
    """
    status = TRADE_STATUSES.get(said.trade_status)
    if status is None:
        raise VerificationError("unknown_state", "trade_status", said.trade_status[:32])
    if status is TradeStatus.CLOSED and said.send_pay_date:
        status = TradeStatus.SUCCEEDED
    paid = status is TradeStatus.SUCCEEDED
    if paid and not (said.trade_no and said.send_pay_date):
        raise VerificationError("incomplete", "send_pay_date" if said.trade_no else "trade_no")
    buyer = said.buyer_open_id or said.buyer_user_id
    return Trade(
        out_trade_no=said.out_trade_no,
        status=status,
        amount_fen=fen("total_amount", said.total_amount),
        transaction_id=said.trade_no,
        paid_at_s=epoch_s("send_pay_date", said.send_pay_date) if paid else 0,
        attach=attach,
        payer=digest_of(buyer, account.seller_id, key=account.private_key),
    )


def refund_of(said: RefundState, out_trade_no: str, out_refund_no: str) -> Refund:
    """Succeeded only when Alipay says so; without a word of a refund there is none, and asking
    for it again does no harm. Raises VerificationError when it is of another."""
    if not said.refund_status:
        return Refund(out_refund_no, RefundStatus.UNKNOWN)
    must_be("out_trade_no", said.out_trade_no, out_trade_no)
    must_be("out_request_no", said.out_request_no, out_refund_no)
    status = REFUND_STATUSES.get(said.refund_status)
    if status is None:
        raise VerificationError("unknown_state", "refund_status", said.refund_status[:32])
    done = status is RefundStatus.SUCCEEDED
    return Refund(
        out_refund_no=out_refund_no,
        status=status,
        amount_fen=fen("refund_amount", said.refund_amount),
        reason="" if done else said.refund_status,
        succeeded_at_s=refunded_at_s(said.gmt_refund_pay) if done else 0,
    )


def refunded_at_s(gmt_refund_pay: str) -> int:
    """0 when Alipay does not tell."""
    return epoch_s("gmt_refund_pay", gmt_refund_pay) if gmt_refund_pay else 0


def yuan(amount_fen: int) -> str:
    """2990 -> "29.90": what Alipay takes."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def fen(name: str, text: str) -> int:
    """ "29.90" -> 2990, exactly, by its digits. Raises VerificationError, naming the field."""
    match = _YUAN.fullmatch(text)
    if match is None:
        raise VerificationError("unreadable", name, text[:32])
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def signed_fen(name: str, text: str) -> int:
    """The same where an amount may be less than nothing: in bills."""
    return -fen(name, text[1:]) if text.startswith("-") else fen(name, text)


def beijing(at_s: int) -> str:
    """A moment as Alipay takes it."""
    return dt.datetime.fromtimestamp(at_s, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def epoch_s(name: str, text: str) -> int:
    """A moment as Alipay gives it. Raises VerificationError, naming the field."""
    match = _MOMENT.fullmatch(text)
    try:
        moment = dt.datetime.fromisoformat(match[1] if match else "")
    except ValueError as error:
        raise VerificationError("unreadable", name, text[:32]) from error
    return int(moment.replace(tzinfo=BEIJING).timestamp())
