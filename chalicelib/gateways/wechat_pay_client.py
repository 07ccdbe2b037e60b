"""The line to WeChat Pay: wechatpayv3 speaks, and what comes back is an answer or an error.

A 2xx answer is believed after its signature; an error answer carries no statement but its code
and is trusted as far as TLS goes, as WeChat Pay's own libraries do.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from chalicelib import client_timeouts, deadline
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import plain_http
from chalicelib.gateways.disbelief import Disbelieved, disbelief_as, read
from chalicelib.gateways.payment import GatewayRefused
from chalicelib.gateways.wechat_pay_account import WechatAccount
from chalicelib.gateways.wechat_pay_keys import WechatPayKeys
from chalicelib.gateways.wechat_pay_statements import ErrorAnswer

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 1, 3

# Codes are compared without underscores: WeChat Pay's documents spell them both ways.
TRY_AGAIN = frozenset(
    {
        "FREQUENCYLIMITED",
        "FREQUENCYLIMIT",
        "RATELIMITEXCEEDED",
        "SYSTEMERROR",
        "USERPAYING",
        "STATEMENTCREATING",
    }
)
CLIENT_ERRORS = range(400, 500)

Answer = tuple[int, str | bytes]


class WechatPayClient:
    """One account's. Making it neither calls the network nor parses a key."""

    def __init__(self, account: WechatAccount, base_url: str) -> None:
        self._account, self._base_url = account, base_url.rstrip("/")
        self.keys = WechatPayKeys(account)

    def ask(self, call: Callable[[Any], Answer]) -> bytes:
        """The body of a proven 2xx answer to what `call` asks of wechatpayv3's client.

        Raises GatewayRefused for a no, Busy when there is no time left to ask, else
        GatewayFailed.
        """
        client = self._sdk
        deadline.share_s(READ_TIMEOUT_S)
        from requests import RequestException  # imported by now; it costs 145 ms

        try:
            status, text = call(client)
        except RequestException as error:
            raise GatewayFailed(reason="no_answer") from error
        body = text.encode() if isinstance(text, str) else text
        if status in (200, 204):
            return body
        raise _refusal(status, body)

    def sign(self, *lines: str) -> str:
        return str(self._sdk.sign(list(lines)))

    def download(self, url: str, *, bytes_max: int) -> bytes:
        """The file at `url`, which WeChat Pay does not sign: the caller proves it by its digest.

        Raises GatewayFailed; Disbelieved when `url` leads away from WeChat Pay, to where our
        signature must not go.
        """
        target = url.removeprefix(self._base_url)
        if target == url or not target.startswith("/"):
            raise Disbelieved("mismatch", "download_url", url[:64])
        headers = self._signed_headers(target)
        return plain_http.call("GET", self._base_url + target, headers=headers, bytes_max=bytes_max)

    def _signed_headers(self, target: str) -> dict[str, str]:
        """Of a GET. Not by wechatpayv3, which would hold a file of any size in memory."""
        from wechatpayv3.utils import build_authorization

        account, (serial, _) = self._account, self.keys.preferred_public_key
        authorization = build_authorization(
            target, "GET", account.mchid, account.serial_no, self.keys.private_key
        )
        return {"Authorization": authorization, "Wechatpay-Serial": serial, "Accept": "*/*"}

    @cached_property
    def _sdk(self) -> Any:
        """wechatpayv3's client, told what it has no parameters for.

        Given no private key, it does not parse one (58 ms); given a public key, it does not
        fetch certificates. Its address and its check of answers are then replaced by ours.
        """
        from wechatpayv3 import WeChatPay, WeChatPayType

        serial, pem = self.keys.preferred_public_key
        client = WeChatPay(
            wechatpay_type=WeChatPayType.MINIPROG,
            mchid=self._account.mchid,
            private_key=None,
            cert_serial_no=self._account.serial_no,
            appid=self._account.appid,
            apiv3_key=self._account.api_v3_key,
            partner_mode=self._account.is_partner,
            public_key=pem,
            public_key_id=serial,
            timeout=client_timeouts.DeadlineTimeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
        )
        client._core._private_key = self.keys.private_key
        client._core._gate_way = self._base_url
        client._core._verify_signature = self._proven
        return client

    def _proven(self, headers: Mapping[str, str], body: str) -> bool:
        with disbelief_as(GatewayFailed):
            self.keys.prove(headers, body.encode(), now_s=None)
        return True


def _refusal(status: int, body: bytes) -> GatewayFailed:
    """An error answer as an error: a no if WeChat Pay understood, else an unknown outcome."""
    try:
        said = read(body, ErrorAnswer)
    except Disbelieved:
        return GatewayFailed(reason=f"http_{status}")
    reason = said.code.replace("_", "").upper()
    if status in CLIENT_ERRORS and status != 429 and reason not in TRY_AGAIN:
        return GatewayRefused(reason, said.message)
    return GatewayFailed(reason=reason)
