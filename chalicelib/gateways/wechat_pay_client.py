"""Asking WeChat Pay: requests signed, and what comes back is an answer or an error.

A 2xx answer is believed after its signature; an error answer carries no statement but its code
and is trusted as far as TLS goes, as WeChat Pay's own libraries do.
"""

import json
import secrets as random_bytes
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chalicelib import http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.payment import GatewayRefused
from chalicelib.gateways.verification import VerificationError, read, verification_errors_as
from chalicelib.gateways.wechat_pay_account import WechatAccount
from chalicelib.gateways.wechat_pay_signatures import WechatPaySignatures
from chalicelib.gateways.wechat_pay_statements import ErrorAnswer

ANSWER_BYTES_MAX = 1024 * 1024
JSON = "application/json"

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


class WechatPayClient:
    """One account's. Making it neither calls the network nor parses a key."""

    def __init__(self, account: WechatAccount, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self.signatures = WechatPaySignatures(account)

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        """Return the body of a verified 200 answer. Raises as `post` does."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, "")

    def post(self, path: str, content: Mapping[str, Any]) -> bytes:
        """Return the body of a verified 200 or 204 answer.

        Raises GatewayRefused for a no, Busy when there is no time left to ask, else GatewayFailed.
        """
        return self._ask("POST", path, json.dumps(content))

    def download(self, url: str, *, bytes_max: int) -> bytes:
        """Return the file at `url`, which WeChat Pay does not sign: its digest is to be compared.

        Raises GatewayFailed; VerificationError when `url` leads away from WeChat Pay, to where our
        signature must not go.
        """
        target = url.removeprefix(self._base_url)
        if target == url or not target.startswith("/"):
            raise VerificationError("mismatch", "download_url", url[:64])
        headers = self._headers("GET", target, "", accept="*/*")
        return http_client.call("GET", url, headers=headers, bytes_max=bytes_max)

    def _ask(self, method: str, target: str, body: str) -> bytes:
        response = http_client.send(
            method,
            self._base_url + target,
            body=body.encode(),
            headers=self._headers(method, target, body),
            bytes_max=ANSWER_BYTES_MAX,
        )
        if response.status in range(200, 300):
            with verification_errors_as(GatewayFailed):
                self.signatures.verify(response.headers, response.body, now_s=None)
        if response.status in (200, 204):
            return response.body
        raise _refusal(response.status, response.body)

    def _headers(
        self, method: str, target: str, body: str, *, accept: str = JSON
    ) -> dict[str, str]:
        """Signed by the clock of this machine, whatever time the app is told that it is: WeChat
        Pay compares it with its own."""
        serial = self.signatures.wanted_serial
        authorization = self.signatures.authorization(
            method, target, body, at_s=int(time.time()), nonce=random_bytes.token_hex(16)
        )
        headers = {"Accept": accept, "Wechatpay-Serial": serial}
        content_type = {"Content-Type": JSON} if body else {}
        return {"Authorization": authorization, **headers, **content_type}


def _refusal(status: int, body: bytes) -> GatewayFailed:
    """An error answer as an error: a no if WeChat Pay understood, else an unknown outcome."""
    try:
        said = read(body, ErrorAnswer)
    except VerificationError:
        return GatewayFailed(reason=f"http_{status}")
    reason = said.code.replace("_", "").upper()
    if status in CLIENT_ERRORS and status != 429 and reason not in TRY_AGAIN:
        return GatewayRefused(reason, said.message)
    return GatewayFailed(reason=reason)
