"""WeChat Pay v3, direct mode: wechatpayv3 speaks, and nothing unproven is believed.

A 2xx answer is believed after its signature; an error answer carries no statement but its code
and is trusted as far as TLS goes, as WeChat Pay's own libraries do.
"""

import datetime as dt
import secrets as random_bytes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any

import msgspec

from chalicelib.errors import GatewayFailed, ServiceError
from chalicelib.gateways import secrets
from chalicelib.gateways import wechat_pay_statements as statements
from chalicelib.gateways.payment import (
    CallbackRefused,
    GatewayRefused,
    Prepay,
    Refund,
    RefundRequest,
    RefundStatus,
    Trade,
    TradeStatus,
)
from chalicelib.gateways.wechat_pay_keys import Disbelieved, WechatAccount, WechatPayKeys
from chalicelib.settings import settings

TIMEOUT_S = (1, 3)  # to connect, to read
ACCOUNTS_MAX = 64  # parsed accounts that a container keeps
BEIJING = dt.timezone(dt.timedelta(hours=8))
DESCRIPTION_MAX, REASON_MAX = 127, 80  # characters; longer ones are refused

# Codes are compared without underscores: WeChat Pay's documents spell them both ways.
NO_SUCH_TRADE = frozenset({"ORDERNOTEXIST", "RESOURCENOTEXISTS"})
NO_SUCH_REFUND = frozenset({"RESOURCENOTEXISTS"})
NEVER_PAYABLE = NO_SUCH_TRADE | {"ORDERCLOSED"}
TRY_AGAIN = frozenset(
    {"FREQUENCYLIMITED", "FREQUENCYLIMIT", "RATELIMITEXCEEDED", "SYSTEMERROR", "USERPAYING"}
)
CLIENT_ERRORS = range(400, 500)

_Answer = tuple[int, str | bytes]


class WechatPay:
    """One merchant's account. Making it neither calls the network nor parses a key."""

    method = "wechat_pay"

    def __init__(self, account: WechatAccount, base_url: str) -> None:
        self._account, self._base_url = account, base_url.rstrip("/")
        self._keys = WechatPayKeys(account)

    def prepay(self, prepay: Prepay, *, now_s: int) -> dict[str, str]:
        """The parameters of wx.requestPayment. The same prepay again gives a fresh prepay_id.

        Raises GatewayRefused: ORDERPAID when it is already paid, ORDERCLOSED when it was closed.
        """
        body = self._ask(
            lambda client: client.pay(
                description=prepay.description[:DESCRIPTION_MAX],
                out_trade_no=prepay.out_trade_no,
                amount={"total": prepay.amount_fen, "currency": statements.CURRENCY},
                payer={"openid": prepay.payer},
                time_expire=dt.datetime.fromtimestamp(prepay.expires_at_s, BEIJING).isoformat(),
                attach=prepay.attach,
                notify_url=prepay.notify_url,
            )
        )
        with _disbelief_as(GatewayFailed):
            answer = statements.read(body, statements.PrepayAnswer)
        nonce, package = random_bytes.token_hex(16), f"prepay_id={answer.prepay_id}"
        return {
            "timeStamp": str(now_s),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self._client.sign([self._account.appid, str(now_s), nonce, package]),
        }

    def query(self, out_trade_no: str) -> Trade:
        try:
            body = self._ask(lambda client: client.query(out_trade_no=out_trade_no))
        except GatewayRefused as refusal:
            if refusal.reason in NO_SUCH_TRADE:
                return Trade(out_trade_no, TradeStatus.UNKNOWN)
            raise
        with _disbelief_as(GatewayFailed):
            said = statements.read(body, statements.TradeStatement)
            statements.must_be("out_trade_no", said.out_trade_no, out_trade_no)
            return statements.trade_of(said, self._account)

    def close(self, out_trade_no: str) -> None:
        """Done as well when it was closed before, and when WeChat Pay has never heard of it: a
        prepay still on its way then ends with its own expires_at_s."""
        try:
            self._ask(lambda client: client.close(out_trade_no))
        except GatewayRefused as refusal:
            if refusal.reason not in NEVER_PAYABLE:
                raise

    def refund(self, request: RefundRequest) -> Refund:
        """Raises GatewayRefused with NOTENOUGH when the merchant's balance is too small: the same
        number may be asked again when it is not."""
        body = self._ask(
            lambda client: client.refund(
                out_refund_no=request.out_refund_no,
                out_trade_no=request.out_trade_no,
                amount={
                    "refund": request.amount_fen,
                    "total": request.paid_fen,
                    "currency": statements.CURRENCY,
                },
                reason=request.reason[:REASON_MAX],
                notify_url=request.notify_url,
            )
        )
        with _disbelief_as(GatewayFailed):
            refund = self._refund_of(body, request.out_refund_no)
            statements.must_be("amount", str(refund.amount_fen), str(request.amount_fen))
            return refund

    def query_refund(self, out_refund_no: str) -> Refund:
        try:
            body = self._ask(lambda client: client.query_refund(out_refund_no))
        except GatewayRefused as refusal:
            if refusal.reason in NO_SUCH_REFUND:
                return Refund(out_refund_no, RefundStatus.UNKNOWN)
            raise
        with _disbelief_as(GatewayFailed):
            return self._refund_of(body, out_refund_no)

    def read_payment_callback(
        self, headers: Mapping[str, str], body: bytes, *, now_s: int
    ) -> Trade:
        with _disbelief_as(CallbackRefused):
            plain = self._opened(headers, body, "transaction", now_s=now_s)
            said = statements.read(plain, statements.TradeStatement)
            return statements.trade_of(said, self._account)

    def read_refund_callback(
        self, headers: Mapping[str, str], body: bytes, *, now_s: int
    ) -> Refund:
        with _disbelief_as(CallbackRefused):
            plain = self._opened(headers, body, "refund", now_s=now_s)
            said = statements.read(plain, statements.RefundStatement)
            if not said.mchid:
                raise Disbelieved("incomplete", "mchid")
            return statements.refund_of(said, self._account)

    def _opened(self, headers: Mapping[str, str], body: bytes, kind: str, *, now_s: int) -> bytes:
        """The plain resource of a callback that tells of a `kind`."""
        self._keys.prove(headers, body, now_s=now_s)
        callback = statements.read(body, statements.Callback)
        sealed = callback.resource
        if sealed.algorithm != "AEAD_AES_256_GCM":
            raise Disbelieved("algorithm", "resource", sealed.algorithm[:32])
        if sealed.original_type != kind:
            raise Disbelieved("mismatch", "original_type", sealed.original_type[:32])
        return self._keys.open(
            sealed.ciphertext, nonce=sealed.nonce, associated_data=sealed.associated_data
        )

    def _refund_of(self, body: str | bytes, out_refund_no: str) -> Refund:
        said = statements.read(body, statements.RefundStatement)
        statements.must_be("out_refund_no", said.out_refund_no, out_refund_no)
        return statements.refund_of(said, self._account)

    def _ask(self, call: Callable[[Any], _Answer]) -> str | bytes:
        """The body of a proven 2xx answer. Raises GatewayRefused for a no, else GatewayFailed."""
        client = self._client
        from requests import RequestException  # imported by now; it costs 145 ms

        try:
            status, body = call(client)
        except RequestException as error:
            raise GatewayFailed(reason="no_answer") from error
        if status in (200, 204):
            return body
        raise _refusal(status, body)

    @cached_property
    def _client(self) -> Any:
        """wechatpayv3's client, told what it has no parameters for.

        Given no private key, it does not parse one (58 ms); given a public key, it does not
        fetch certificates. Its address and its check of answers are then replaced by ours.
        """
        from wechatpayv3 import WeChatPay, WeChatPayType

        serial, pem = self._keys.preferred_public_key
        client = WeChatPay(
            wechatpay_type=WeChatPayType.MINIPROG,
            mchid=self._account.mchid,
            private_key=None,
            cert_serial_no=self._account.serial_no,
            appid=self._account.appid,
            apiv3_key=self._account.api_v3_key,
            public_key=pem,
            public_key_id=serial,
            timeout=TIMEOUT_S,
        )
        client._core._private_key = self._keys.private_key
        client._core._gate_way = self._base_url
        client._core._verify_signature = self._proven
        return client

    def _proven(self, headers: Mapping[str, str], body: str) -> bool:
        with _disbelief_as(GatewayFailed):
            self._keys.prove(headers, body.encode(), now_s=None)
        return True


def wechat_pay(merchant_id: str) -> WechatPay:
    """The merchant's account. Raises NotConfigured when there is none."""
    name = f"merchants/{merchant_id}/wechat-pay"
    try:
        account = WechatAccount.from_secret(secrets.json_secret(name))
    except msgspec.ValidationError as error:
        raise secrets.misconfigured(name, f"微信支付账户不完整：{error}") from error
    return _kept(account, settings.wechat_pay_url)


@lru_cache(maxsize=ACCOUNTS_MAX)
def _kept(account: WechatAccount, base_url: str) -> WechatPay:
    """Keyed by the account's content: a changed secret is a new account."""
    return WechatPay(account, base_url)


def _refusal(status: int, body: str | bytes) -> GatewayFailed:
    """An error answer as an error: a no if WeChat Pay understood, else an unknown outcome."""
    try:
        said = statements.read(body, statements.ErrorAnswer)
    except Disbelieved:
        return GatewayFailed(reason=f"http_{status}")
    reason = said.code.replace("_", "").upper()
    if status in CLIENT_ERRORS and status != 429 and reason not in TRY_AGAIN:
        return GatewayRefused(reason, said.message)
    return GatewayFailed(reason=reason)


@contextmanager
def _disbelief_as(refuse: type[ServiceError]) -> Iterator[None]:
    """What is not believed in the block is refused with `refuse`, its details saying why."""
    try:
        yield
    except Disbelieved as why:
        raise refuse(None, **why.details) from why
