"""Alipay behind the port: what is asked for, and what its answers and notifies mean.

A buyer pays on Alipay's page (H5, asked without a payer) or inside its mini-program (with one).
On the page a trade exists only from when the buyer opens it; until then Alipay has never heard of
the number, and its address carries the time after which it cannot be paid.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote

import msgspec

from chalicelib import clock
from chalicelib.domain.beijing import DAY_S, midnight_s
from chalicelib.domain.ids import ATTEMPT_LENGTH, ID_LENGTH, ORDER_NO_LENGTH
from chalicelib.errors import AuthCodeRefused, GatewayFailed
from chalicelib.gateways import accounts, secrets
from chalicelib.gateways import alipay_statements as statements
from chalicelib.gateways.accounts import FIRST_PLACE, Place
from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.alipay_bills import rows_of
from chalicelib.gateways.alipay_client import OAUTH, AlipayClient
from chalicelib.gateways.payment import (
    BillRow,
    CallbackRefused,
    Channel,
    GatewayRefused,
    Prepay,
    Refund,
    RefundRequest,
    RefundStatus,
    Trade,
    TradeStatus,
)
from chalicelib.gateways.verification import must_be, read, verification_errors_as
from chalicelib.settings import settings
from chalicelib.text import Text

ACCOUNTS_MAX = 64  # parsed accounts that a container keeps
BILL_MADE_BY_S = 12 * 3600  # of the next day; Alipay says 9:00, and that it may be late
SUBJECT_MAX, REASON_MAX = 256, 256  # characters
OUT_TRADE_NO_LENGTH = ID_LENGTH + ORDER_NO_LENGTH + ATTEMPT_LENGTH

BILL = "alipay.data.dataservice.bill.downloadurl.query"
NO_SUCH_TRADE = "ACQ.TRADE_NOT_EXIST"
IN_NO_STATE_TO_CLOSE = frozenset({"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID"})
PAID, CLOSED = "ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_CLOSE"
NO_BILL = frozenset({"isp.bill_not_exist", "BILL_NOT_EXIST"})  # seen, and documented
WRONG_CODE = "isv.code-"  # of an authorisation: unknown, used or too old


class Alipay:
    """One account of a merchant's. Making it neither calls the network nor parses a key."""

    method = "alipay"

    def __init__(
        self, account: AlipayAccount, gateway_url: str, place: Place = FIRST_PLACE
    ) -> None:
        self._account, self.place = account, place
        self._client = AlipayClient(account, gateway_url)

    @property
    def app_id(self) -> str:
        return self._account.app_id

    def payer_app(self, channel: Channel) -> str | None:
        apps = {Channel.BROWSER: "", Channel.MINI_PROGRAM: self._account.app_id}
        return apps.get(channel)

    def prepay(self, prepay: Prepay, *, now_s: int) -> dict[str, str]:
        """{"url"} of Alipay's page in a browser, else the {"trade_no"} of my.tradePay.

        Raises GatewayRefused: PAID or CLOSED when the number is that already.
        """
        biz = {
            "out_trade_no": prepay.out_trade_no,
            "total_amount": statements.yuan(prepay.amount_fen),
            "subject": re.sub(r"[/=&,\s]+", " ", prepay.description)[:SUBJECT_MAX],
            "seller_id": self._account.seller_id,
            "time_expire": statements.beijing(prepay.expires_at_s),
        }
        if prepay.attach:
            biz["passback_params"] = quote(prepay.attach, safe="")
        if prepay.channel is Channel.BROWSER:
            return {"url": self._page(prepay, biz)}
        biz |= {
            "product_code": "JSAPI_PAY",
            "buyer_open_id": prepay.payer,
            "op_app_id": self._account.app_id,
        }
        content = self._client.ask("alipay.trade.create", biz, notify_url=prepay.notify_url)
        with verification_errors_as(GatewayFailed):
            made = read(content, statements.TradeMade)
            must_be("out_trade_no", made.out_trade_no, prepay.out_trade_no)
        return {"trade_no": made.trade_no}

    def _page(self, prepay: Prepay, biz: dict[str, str]) -> str:
        """An address is signed without a word to Alipay: whether it can still be paid is asked."""
        known = self.query(prepay.out_trade_no)
        if known.status is TradeStatus.SUCCEEDED:
            raise GatewayRefused(PAID, "交易已支付")
        if known.status is TradeStatus.CLOSED:
            raise GatewayRefused(CLOSED, "交易已经关闭")
        return self._client.address(
            "alipay.trade.wap.pay",
            biz | {"product_code": "QUICK_WAP_WAY", "quit_url": prepay.return_url},
            notify_url=prepay.notify_url,
            return_url=prepay.return_url,
        )

    def query(self, out_trade_no: str) -> Trade:
        try:
            content = self._client.ask("alipay.trade.query", {"out_trade_no": out_trade_no})
        except GatewayRefused as refusal:
            if refusal.reason == NO_SUCH_TRADE:
                return Trade(out_trade_no, TradeStatus.UNKNOWN)
            raise
        with verification_errors_as(GatewayFailed):
            said = read(content, statements.TradeAnswer)
            must_be("out_trade_no", said.out_trade_no, out_trade_no)
            return statements.trade_of(said, self._account)

    def close(self, out_trade_no: str) -> None:
        """Done as well when it was closed before, and when no buyer has opened its page: that
        then ends with its own expires_at_s."""
        try:
            self._client.ask("alipay.trade.close", {"out_trade_no": out_trade_no})
        except GatewayRefused as refusal:
            if refusal.reason == NO_SUCH_TRADE:
                return
            # Alipay has one word for paid and for closed.
            closed = refusal.reason in IN_NO_STATE_TO_CLOSE and (
                self.query(out_trade_no).status is TradeStatus.CLOSED
            )
            if not closed:
                raise

    def refund(self, request: RefundRequest) -> Refund:
        """Raises GatewayRefused with ACQ.SELLER_BALANCE_NOT_ENOUGH when the merchant's balance is
        too small: the same number may be asked again when it is not."""
        content = self._client.ask(
            "alipay.trade.refund",
            {
                "out_trade_no": request.out_trade_no,
                "out_request_no": request.out_refund_no,
                "refund_amount": statements.yuan(request.amount_fen),
                "refund_reason": request.reason[:REASON_MAX],
            },
        )
        with verification_errors_as(GatewayFailed):
            said = read(content, statements.RefundAnswer)
            must_be("out_trade_no", said.out_trade_no, request.out_trade_no)
            if said.fund_change == "Y":
                return Refund(
                    request.out_refund_no,
                    RefundStatus.SUCCEEDED,
                    request.amount_fen,
                    succeeded_at_s=statements.refunded_at_s(said.gmt_refund_pay),
                )
            # An earlier request with this number moved the money, or none has yet.
            known = self.query_refund(request.out_refund_no)
            if known.status is not RefundStatus.SUCCEEDED:
                return Refund(request.out_refund_no, RefundStatus.PROCESSING, request.amount_fen)
            must_be("refund_amount", str(known.amount_fen), str(request.amount_fen))
            return known

    def query_refund(self, out_refund_no: str, *, out_trade_no: str = "") -> Refund:
        out_trade_no = out_trade_no or out_refund_no[:OUT_TRADE_NO_LENGTH]
        biz = {
            "out_trade_no": out_trade_no,
            "out_request_no": out_refund_no,
            "query_options": ["gmt_refund_pay"],
        }
        try:
            content = self._client.ask("alipay.trade.fastpay.refund.query", biz)
        except GatewayRefused as refusal:
            if refusal.reason == NO_SUCH_TRADE:
                return Refund(out_refund_no, RefundStatus.UNKNOWN)
            raise
        with verification_errors_as(GatewayFailed):
            said = read(content, statements.RefundState)
            return statements.refund_of(said, out_trade_no, out_refund_no)

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now_s: int
    ) -> Trade | Refund:
        """Always a trade: also what tells of a refund is a statement about its payment."""
        with verification_errors_as(CallbackRefused):
            said = statements.notice_of(body, self._client.signatures, self._account)
            return statements.trade_of_notice(said, self._account)

    def bill(self, day: dt.date) -> Iterator[BillRow]:
        """Alipay has one word for a bill that is not made yet and for a day without business:
        until noon of the next day it is taken for the first, then for the second."""
        try:
            content = self._client.ask(BILL, {"bill_type": "trade", "bill_date": day.isoformat()})
        except GatewayRefused as refusal:
            if refusal.reason not in NO_BILL:
                raise
            if clock.now_s() < midnight_s(day) + DAY_S + BILL_MADE_BY_S:
                raise GatewayFailed(reason=refusal.reason) from refusal
            return iter(())
        with verification_errors_as(GatewayFailed):
            address = read(content, statements.BillAddress).bill_download_url
        archive = self._client.download(address)
        with verification_errors_as(GatewayFailed):
            return iter(rows_of(archive, day=day, seller_id=self._account.seller_id))

    def payer_of(self, code: str) -> str:
        """The open_id of whoever `code` (of my.getAuthCode, good once) belongs to.

        Raises AuthCodeRefused when the code is wrong, used or old.
        """
        try:
            content = self._client.ask(OAUTH, None, grant_type="authorization_code", code=code)
        except GatewayRefused as refusal:
            if refusal.reason.startswith(WRONG_CODE):
                raise AuthCodeRefused from refusal
            raise
        with verification_errors_as(GatewayFailed):
            open_id = read(content, statements.Authorised).open_id
        if not open_id:
            raise GatewayFailed(reason="no_open_id")
        return open_id


def alipay(merchant_id: str, account: str | None = None) -> Alipay:
    """The merchant's account of that id; None: the present one. Raises NotConfigured when there is
    none."""
    name, content = accounts.content_of(merchant_id, Alipay.method, account)
    try:
        found = AlipayAccount.from_secret(content, now_s=clock.now_s())
    except msgspec.ValidationError as error:
        raise secrets.misconfigured(
            name, Text("支付宝账户不完整：{reason}", reason=error)
        ) from error
    return _kept(found, settings.alipay_url, accounts.history_of(content).place)


@lru_cache(maxsize=ACCOUNTS_MAX)
def _kept(account: AlipayAccount, gateway_url: str, place: Place) -> Alipay:
    """Keyed by the account's content: a changed secret is a new account."""
    return Alipay(account, gateway_url, place)
