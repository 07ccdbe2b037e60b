"""Asking Alipay: requests signed, answers verified before they are read."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalicelib import clock, http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import alipay_statements as statements
from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.alipay_signatures import AlipaySignatures
from chalicelib.gateways.payment import GatewayRefused
from chalicelib.gateways.verification import VerificationError, read, verification_errors_as

ANSWER_BYTES_MAX = 1024 * 1024
BILL_BYTES_MAX = 16 * 1024 * 1024
OAUTH = "alipay.system.oauth.token"
FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}

DONE = "10000"
# Understood, and no: by the business (40004), or for what the request or the account lacks.
REFUSED = frozenset({"20001", "40001", "40002", "40004", "40006"})
# Said under the same codes, but the outcome is unknown, or it was only too often.
TRY_AGAIN = re.compile("SYSTEM_ERROR|UNKNOW_ERROR|unknow-error|LIMIT", re.IGNORECASE)


class AlipayClient:
    """One app's way to Alipay. Making it neither calls the network nor parses a key."""

    def __init__(self, account: AlipayAccount, gateway_url: str) -> None:
        self._app_id, self._gateway_url = account.app_id, gateway_url
        self.signatures = AlipaySignatures(account)

    def ask(self, method: str, biz: Mapping[str, Any] | None, **more: str) -> bytes:
        """Return the verified text of an answer that says yes. more: parameters beside the
        business's.

        Raises GatewayRefused for a no, Busy when there is no time left to ask, else GatewayFailed.
        """
        _ = self.signatures.public_key  # nothing is asked for whose answer could not be verified
        form = self._form(method, biz, more).encode()
        url = self._gateway_url
        body = http_client.call("POST", url, body=form, headers=FORM, bytes_max=ANSWER_BYTES_MAX)
        with verification_errors_as(GatewayFailed):
            content = self.signatures.verified_part(body, f"{method.replace('.', '_')}_response")
            said = read(content, statements.Outcome)
        granted = method == OAUTH and not said.code
        if said.code == DONE or granted:
            return content
        reason = said.sub_code or said.code or "no_code"
        if said.code in REFUSED and not TRY_AGAIN.search(reason):
            raise GatewayRefused(reason, said.sub_msg)
        raise GatewayFailed(reason=reason)

    def address(self, method: str, biz: Mapping[str, Any], **more: str) -> str:
        """Return a signed request as an address, for the buyer's browser to open."""
        return f"{self._gateway_url}?{self._form(method, biz, more)}"

    def download(self, address: str) -> bytes:
        """Return what lies at an address that Alipay gave us, by https whatever it says: Alipay
        still writes http. Only its own gateway's host is asked as the gateway is."""
        with verification_errors_as(GatewayFailed):
            url = self._https(address)
        return http_client.call("GET", url, headers={}, bytes_max=BILL_BYTES_MAX)

    def _https(self, address: str) -> str:
        try:
            where = urlsplit(address)
        except ValueError as error:
            raise VerificationError("unreadable", "bill_download_url") from error
        ours = where.netloc == urlsplit(self._gateway_url).netloc
        return address if ours else where._replace(scheme="https").geturl()

    def _form(self, method: str, biz: Mapping[str, Any] | None, more: Mapping[str, str]) -> str:
        """A signed request, as a form writes it."""
        parameters = {
            "app_id": self._app_id,
            "method": method,
            "charset": "utf-8",
            "timestamp": statements.beijing(clock.now_s()),
            "version": "1.0",
            "biz_content": json.dumps(biz, separators=(",", ":")) if biz else "",
            **more,
        }
        return urlencode(self.signatures.signed(parameters))
