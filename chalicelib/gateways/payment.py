"""The port to a payment gateway: what the services ask for, whichever gateway answers.

Every call names a thing by a number of ours, so that repeating it is harmless. A statement
(`Trade`, `Refund`) that an implementation returns has been verified: signature, merchant
number, app id and currency are right, or it was refused.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chalicelib.domain.ids import derived_id
from chalicelib.errors import GatewayFailed, ServiceError
from chalicelib.gateways.accounts import Place


class Channel(StrEnum):
    """Where a buyer pays."""

    MINI_PROGRAM = "mini_program"  # of WeChat or of Alipay, as the method says
    OFFICIAL_ACCOUNT = "official_account"  # a web page inside WeChat
    BROWSER = "browser"  # a web page anywhere else


class TradeStatus(StrEnum):
    UNKNOWN = "unknown"  # the gateway has never heard of it
    UNPAID = "unpaid"  # it may still be paid
    SUCCEEDED = "succeeded"  # captured, refunded since or not
    CLOSED = "closed"  # it can never be paid any more


class RefundStatus(StrEnum):
    UNKNOWN = "unknown"  # the gateway has never heard of it
    PROCESSING = "processing"  # accepted, not yet with the buyer
    SUCCEEDED = "succeeded"  # confirmed: the buyer has it
    CLOSED = "closed"  # refused for good; nothing was refunded
    ABNORMAL = "abnormal"  # stuck at the buyer's bank; a person has to act


@dataclass(frozen=True)
class Prepay:
    """What is to be paid. `expires_at_s`: no payment can be begun after it.

    In a browser, return_url is where the buyer comes back to; payer_ip is told where the gateway
    wants it. Both are empty elsewhere.
    """

    out_trade_no: str
    amount_fen: int
    description: str
    payer: str  # the buyer's id at the gateway (openid); empty where it asks the buyer itself
    attach: str  # comes back in the callback
    expires_at_s: int
    notify_url: str
    channel: Channel = Channel.MINI_PROGRAM
    payer_ip: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class Trade:
    """What the gateway says of one payment attempt."""

    out_trade_no: str
    status: TradeStatus
    amount_fen: int = 0
    transaction_id: str = ""
    paid_at_s: int = 0  # the gateway's own time
    attach: str = ""
    payer: str = ""  # `digest_of` who paid; empty: the gateway does not say


def digest_of(payer: str, *whose: str, key: str) -> str:
    """What tells that two payments came from one payer, and not who that is; "" for nobody.

    whose: the merchant's numbers. key: a secret of the account, which every function that hears of
    payments has; with another one, the same payer reads as another.
    """
    return derived_id(key.encode(), "payer", *whose, payer) if payer else ""


@dataclass(frozen=True)
class RefundRequest:
    out_trade_no: str
    out_refund_no: str
    amount_fen: int
    paid_fen: int  # what the payment was, which WeChat Pay wants beside the refund
    reason: str
    notify_url: str


@dataclass(frozen=True)
class Refund:
    """What the gateway says of one refund."""

    out_refund_no: str
    status: RefundStatus
    amount_fen: int = 0
    reason: str = ""  # the gateway's own word for anything but success
    succeeded_at_s: int = 0  # the gateway's own time, where it tells


class BillKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    FOREIGN = "foreign"  # of another system on the same account, and cannot be read: only counted


@dataclass(frozen=True)
class BillRow:
    """One line of a gateway's bill: what it did with the merchant's money on one day (Beijing).

    mismatch: the field (appid, mchid, currency, ...) that is not this account's; empty when
    all are. fee_fen: what the gateway took for it, less than 0 when it gave some back.
    """

    kind: BillKind
    out_trade_no: str
    transaction_id: str
    amount_fen: int  # paid, or refunded
    fee_fen: int
    at_s: int
    out_refund_no: str = ""
    refund_status: RefundStatus = RefundStatus.UNKNOWN
    mismatch: str = ""


FOREIGN = BillRow(BillKind.FOREIGN, "", "", 0, 0, 0)


class GatewayRefused(GatewayFailed):
    """The gateway understood and said no; the same request gets the same answer until
    something else changes (balance, state). `reason` is the gateway's code."""

    default_message = "支付平台没有接受这次请求，请稍后再试或换一种方式付款。"

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(None, reason=reason)
        self.reason, self.words = reason, words


class CallbackRefused(ServiceError):
    """A callback that is not to be believed: forged, stale, for another merchant, unreadable."""

    status, code = 401, "callback_refused"
    default_message = "回调未通过校验。"


class PaymentGateway(Protocol):
    """One account at a gateway. Raises GatewayFailed when the outcome is unknown, GatewayRefused
    when it is no."""

    method: str
    place: Place  # which of the merchant's accounts it is

    def payer_app(self, channel: Channel) -> str | None:
        """The app whose id of the buyer (openid) a payment there names; "" where it names none.
        None when the account takes no payments there."""

    def prepay(self, prepay: Prepay, *, now_s: int) -> dict[str, str]:
        """What the client needs to ask the buyer for the money. Repeatable."""

    def query(self, out_trade_no: str) -> Trade:
        """The present state of an attempt; UNKNOWN when the gateway has none."""

    def close(self, out_trade_no: str) -> None:
        """Make sure that it can never be paid. GatewayRefused when it is already paid."""

    def refund(self, request: RefundRequest) -> Refund:
        """Ask for a refund. The same number again is the same refund."""

    def query_refund(self, out_refund_no: str, *, out_trade_no: str = "") -> Refund:
        """The present state of a refund; UNKNOWN when the gateway has none.

        out_trade_no: whose refund it must be, where the number is not ours.
        """

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now_s: int
    ) -> Trade | Refund:
        """The trade or the refund that a callback tells of. Raises CallbackRefused."""

    def bill(self, day: dt.date) -> Iterator[BillRow]:
        """Everything paid and refunded on `day` in Beijing, by the gateway's own bill.

        Nothing when nothing happened. Raises GatewayFailed also while it is not made yet, and
        for a file that is not what it says it is (digest, totals), or a line under a number of
        ours that cannot be read: none of it is believed then. Other lines that cannot be read
        are FOREIGN.
        """
