"""WeChat Pay v3, in direct and in partner mode: the port's words in WeChat Pay's, and back."""

import datetime as dt
import re
import secrets as random_bytes
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

from chalicelib import clock
from chalicelib.domain.beijing import BEIJING
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import accounts, secrets
from chalicelib.gateways import wechat_pay_bills as bills
from chalicelib.gateways import wechat_pay_statements as statements
from chalicelib.gateways.accounts import FIRST_PLACE, Place
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
from chalicelib.gateways.verification import (
    VerificationError,
    must_be,
    read,
    verification_errors_as,
)
from chalicelib.gateways.wechat_pay_account import WechatAccount
from chalicelib.gateways.wechat_pay_client import WechatPayClient
from chalicelib.settings import settings
from chalicelib.text import Text

ACCOUNTS_MAX = 64  # parsed accounts that a container keeps
DESCRIPTION_MAX = 127  # characters; longer ones are refused
REASON_BYTES_MAX = 80  # in UTF-8; its documents say 80 of what they do not say

REFUNDS = "/v3/refund/domestic/refunds"
TRADE_BILL = "/v3/bill/tradebill"

# Without underscores, as the client gives them.
NO_SUCH_TRADE = frozenset({"ORDERNOTEXIST", "RESOURCENOTEXISTS"})
NO_SUCH_REFUND = frozenset({"RESOURCENOTEXISTS"})
NEVER_PAYABLE = NO_SUCH_TRADE | {"ORDERCLOSED"}
NO_TRADES = frozenset({"NOSTATEMENTEXIST"})
# What would break the rows of a bill, where WeChat Pay writes the description.
_NOT_FOR_A_BILL = re.compile(r"[\x00-\x1f\x7f`]")


class WechatPay:
    """One account of a merchant's. Making it neither calls the network nor parses a key."""

    method = "wechat_pay"

    def __init__(self, account: WechatAccount, base_url: str, place: Place = FIRST_PLACE) -> None:
        self._account, self.place = account, place
        self._client = WechatPayClient(account, base_url)
        partner = "/partner" if account.is_partner else ""
        self._trades = f"/v3/pay{partner}/transactions"
        # Whose refunds and bills; in direct mode the signature says it.
        self._whose = {"sub_mchid": account.sub_mchid} if account.is_partner else {}

    def payer_app(self, channel: Channel) -> str | None:
        if channel is Channel.BROWSER:
            return ""
        return self._account.app_in(channel) or None

    def prepay(self, prepay: Prepay, *, now_s: int) -> dict[str, str]:
        """The parameters of wx.requestPayment, or of WeixinJSBridge with the appId; the {"url"} of
        WeChat's page in a browser. The same prepay again gives fresh ones.

        Raises GatewayRefused: ORDERPAID when it is already paid, ORDERCLOSED when it was closed.
        """
        account, channel = self._account, prepay.channel
        order: dict[str, Any] = {
            **account.merchant_names,
            **{name: app for name, app in account.app_names_in(channel).items() if app},
            "description": _NOT_FOR_A_BILL.sub(" ", prepay.description)[:DESCRIPTION_MAX],
            "out_trade_no": prepay.out_trade_no,
            "amount": {"total": prepay.amount_fen, "currency": statements.CURRENCY},
            "time_expire": dt.datetime.fromtimestamp(prepay.expires_at_s, BEIJING).isoformat(),
            "notify_url": prepay.notify_url,
        }
        if prepay.attach:
            order["attach"] = prepay.attach
        if channel is Channel.BROWSER:
            return {"url": self._page(order, prepay)}
        order["payer"] = {account.openid_name_in(channel): prepay.payer}
        body = self._client.post(f"{self._trades}/jsapi", order)
        with verification_errors_as(GatewayFailed):
            answer = read(body, statements.PrepayAnswer)
        app = account.app_in(channel)
        nonce, package = random_bytes.token_hex(16), f"prepay_id={answer.prepay_id}"
        outside = {"appId": app} if channel is Channel.OFFICIAL_ACCOUNT else {}
        return {
            **outside,
            "timeStamp": str(now_s),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self._client.signatures.sign(app, str(now_s), nonce, package),
        }

    def _page(self, order: dict[str, Any], prepay: Prepay) -> str:
        """WeChat's page for a browser, good for five minutes; it leads back to the return_url."""
        order["scene_info"] = {"payer_client_ip": prepay.payer_ip, "h5_info": {"type": "Wap"}}
        body = self._client.post(f"{self._trades}/h5", order)
        with verification_errors_as(GatewayFailed):
            page = read(body, statements.PageAnswer).h5_url
        return f"{page}&redirect_url={quote(prepay.return_url, safe='')}"

    def query(self, out_trade_no: str) -> Trade:
        try:
            body = self._client.get(self._trade(out_trade_no), self._account.merchant_names)
        except GatewayRefused as refusal:
            if refusal.reason in NO_SUCH_TRADE:
                return Trade(out_trade_no, TradeStatus.UNKNOWN)
            raise
        with verification_errors_as(GatewayFailed):
            said = read(body, statements.TradeStatement)
            must_be("out_trade_no", said.out_trade_no, out_trade_no)
            return statements.trade_of(said, self._account)

    def close(self, out_trade_no: str) -> None:
        """Done as well when it was closed before, and when WeChat Pay has never heard of it: a
        prepay still on its way then ends with its own expires_at_s."""
        try:
            self._client.post(f"{self._trade(out_trade_no)}/close", self._account.merchant_names)
        except GatewayRefused as refusal:
            if refusal.reason not in NEVER_PAYABLE:
                raise

    def refund(self, request: RefundRequest) -> Refund:
        """Raises GatewayRefused with NOTENOUGH when the merchant's balance is too small: the same
        number may be asked again when it is not."""
        asked = {
            **self._whose,
            "out_refund_no": request.out_refund_no,
            "out_trade_no": request.out_trade_no,
            "amount": {
                "refund": request.amount_fen,
                "total": request.paid_fen,
                "currency": statements.CURRENCY,
            },
            "reason": request.reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore"),
            "notify_url": request.notify_url,
        }
        # What is empty is left out: WeChat Pay refuses an empty reason or address.
        body = self._client.post(REFUNDS, {name: part for name, part in asked.items() if part})
        with verification_errors_as(GatewayFailed):
            refund = self._refund_of(body, request.out_refund_no)
            must_be("amount", str(refund.amount_fen), str(request.amount_fen))
            return refund

    def query_refund(self, out_refund_no: str, *, out_trade_no: str = "") -> Refund:
        try:
            body = self._client.get(f"{REFUNDS}/{quote(out_refund_no, safe='')}", self._whose)
        except GatewayRefused as refusal:
            if refusal.reason in NO_SUCH_REFUND:
                return Refund(out_refund_no, RefundStatus.UNKNOWN)
            raise
        with verification_errors_as(GatewayFailed):
            said = read(body, statements.RefundStatement)
            if out_trade_no and said.out_trade_no != out_trade_no:
                return Refund(out_refund_no, RefundStatus.UNKNOWN)  # another payment's
            return self._refund_of(body, out_refund_no)

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now_s: int
    ) -> Trade | Refund:
        with verification_errors_as(CallbackRefused):
            kind, plain = self._opened(headers, body, now_s=now_s)
            if kind == "transaction":
                trade = read(plain, statements.TradeStatement)
                return statements.trade_of(trade, self._account)
            if kind != "refund":
                raise VerificationError("mismatch", "original_type", kind[:32])
            refund = read(plain, statements.RefundStatement)
            return statements.refund_of(refund, self._account, named=True)

    def bill(self, day: dt.date) -> Iterator[BillRow]:
        """A refund stands on the day on which WeChat Pay accepted it, not on that of its success,
        and keeps the status it had on the morning after. Made by 10:00 on the day after."""
        try:
            wanted = {"bill_date": day.isoformat(), "bill_type": "ALL", "tar_type": "GZIP"}
            body = self._client.get(TRADE_BILL, wanted | self._whose)
        except GatewayRefused as refusal:
            if refusal.reason in NO_TRADES:
                return iter(())
            raise
        with verification_errors_as(GatewayFailed):
            said = read(body, statements.BillAnswer)
            must_be("hash_type", said.hash_type, "SHA1")
            file = self._client.download(said.download_url, bytes_max=bills.FILE_BYTES_MAX)
            return bills.rows(bills.unpacked(file, sha1=said.hash_value), day, self._account)

    def _opened(self, headers: Mapping[str, str], body: bytes, *, now_s: int) -> tuple[str, bytes]:
        """(what a callback tells of, its plain resource)."""
        self._client.signatures.verify(headers, body, now_s=now_s)
        sealed = read(body, statements.Callback).resource
        if sealed.algorithm != "AEAD_AES_256_GCM":
            raise VerificationError("algorithm", "resource", sealed.algorithm[:32])
        plain = self._client.signatures.decrypt(
            sealed.ciphertext, nonce=sealed.nonce, associated_data=sealed.associated_data
        )
        return sealed.original_type, plain

    def _trade(self, out_trade_no: str) -> str:
        return f"{self._trades}/out-trade-no/{quote(out_trade_no, safe='')}"

    def _refund_of(self, body: bytes, out_refund_no: str) -> Refund:
        said = read(body, statements.RefundStatement)
        must_be("out_refund_no", said.out_refund_no, out_refund_no)
        return statements.refund_of(said, self._account)


def wechat_pay(merchant_id: str, account: str | None = None) -> WechatPay:
    """The merchant's account of that id; None: the present one. Raises NotConfigured when there is
    none."""
    name, content = accounts.content_of(merchant_id, WechatPay.method, account)
    try:
        found = WechatAccount.from_secret(content, now_s=clock.now_s())
    except msgspec.ValidationError as error:
        raise secrets.misconfigured(
            name, Text("微信支付账户不完整：{reason}", reason=error)
        ) from error
    return _kept(found, settings.wechat_pay_url, accounts.history_of(content).place)


@lru_cache(maxsize=ACCOUNTS_MAX)
def _kept(account: WechatAccount, base_url: str, place: Place) -> WechatPay:
    """Keyed by the account's content: a changed secret is a new account."""
    return WechatPay(account, base_url, place)
