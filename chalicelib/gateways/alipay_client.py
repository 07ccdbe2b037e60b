"""Asking Alipay: python-alipay-sdk writes our requests, and no answer is believed unproven."""

import re
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from chalicelib import clock
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import alipay_statements as statements
from chalicelib.gateways import plain_http
from chalicelib.gateways.alipay_keys import AlipayKeys
from chalicelib.gateways.disbelief import disbelief_as, read
from chalicelib.gateways.payment import GatewayRefused

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

    def __init__(self, app_id: str, keys: AlipayKeys, gateway_url: str) -> None:
        self._app_id, self._keys, self._gateway_url = app_id, keys, gateway_url

    def ask(self, method: str, biz: dict[str, Any] | None, **more: str) -> bytes:
        """The proven text of an answer that says yes. Raises GatewayRefused for a no, else
        GatewayFailed."""
        content: bytes = self._sdk.server_api(method, biz, timestamp=_now(), **more)
        with disbelief_as(GatewayFailed):
            said = read(content, statements.Outcome)
        granted = method == OAUTH and not said.code
        if said.code == DONE or granted:
            return content
        reason = said.sub_code or said.code or "no_code"
        if said.code in REFUSED and not TRY_AGAIN.search(reason):
            raise GatewayRefused(reason, said.sub_msg)
        raise GatewayFailed(reason=reason)

    def address(self, method: str, biz: dict[str, Any], **more: str) -> str:
        """A signed request as an address, for the buyer's browser to open."""
        return f"{self._gateway_url}?{self._sdk.client_api(method, biz, timestamp=_now(), **more)}"

    def download(self, address: str) -> bytes:
        """What lies at an address that Alipay gave us, by https whatever it says: Alipay still
        writes http. Only its own gateway's host is asked as the gateway is."""
        where = urlsplit(address)
        if where.netloc != urlsplit(self._gateway_url).netloc:
            address = where._replace(scheme="https").geturl()
        return plain_http.call("GET", address, headers={}, bytes_max=BILL_BYTES_MAX)

    @cached_property
    def _sdk(self) -> Any:
        """python-alipay-sdk's client, told what it has no parameters for.

        Given the public key twice, it does not parse the private one (60 ms). Its address, its
        signature and how it asks are then replaced by ours.
        """
        from alipay import AliPay

        pem = self._keys.public_pem
        sdk = AliPay(appid=self._app_id, app_private_key_string=pem, alipay_public_key_string=pem)
        sdk._gateway = self._gateway_url
        sdk._sign = self._keys.sign
        sdk.verified_sync_response = self._exchange
        return sdk

    def _exchange(self, data: dict[str, Any], response_type: str) -> bytes:
        """Post a request; the part of the answer that Alipay signed."""
        form = self._sdk.sign_data(data).encode()
        url = self._gateway_url
        body = plain_http.call("POST", url, body=form, headers=FORM, bytes_max=ANSWER_BYTES_MAX)
        with disbelief_as(GatewayFailed):
            return self._keys.proven(body, response_type)


def _now() -> str:
    """In Beijing: the SDK would take the machine's own zone."""
    return statements.beijing(clock.now_s())
