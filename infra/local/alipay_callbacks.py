"""Alipay's notifies: signed forms, sent again until the answer is literally `success`."""

import contextlib
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local import pace
from infra.local.alipay_keys import beijing, sign, signed_text
from infra.local.wechat_callbacks import ANSWER_TIMEOUT_S, Agenda, Carrier, Delivery
from infra.local.wechat_faults import Faults

NOT_TAKEN = 0  # answered, but not with the word that Alipay waits for
TAKEN = b"success"


class Courier(Carrier):
    """`platform`: Alipay's key, which signs."""

    def __init__(
        self,
        platform: rsa.RSAPrivateKey,
        agenda: Agenda,
        faults: Faults,
        now: Callable[[], float],
    ) -> None:
        super().__init__(agenda, faults, post)
        self._platform, self._now = platform, now

    def tell(self, kind: str, number: str, url: str, fields: Mapping[str, str]) -> None:
        """A payment, or a refund; `fields` as Alipay names them."""
        delivery = Delivery(kind, number, url, b"")
        delivery.body = self.form(fields)
        self.dispatch(delivery)

    def form(self, fields: Mapping[str, str]) -> bytes:
        """The body that tells of `fields`, rightly signed whatever they say."""
        told = {
            "notify_type": "trade_status_sync",
            "notify_id": secrets.token_hex(17),
            "notify_time": beijing(self._now()),
            "charset": "utf-8",
            "version": "1.0",
            **fields,
        }
        signature = sign(self._platform, signed_text(told))
        return urlencode(told | {"sign": signature, "sign_type": "RSA2"}).encode()

    def _headers(self, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "Mozilla/4.0",
        }


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """Over HTTP, past any proxy: the receiver is on this machine."""
    request = urllib.request.Request(url, body, headers)
    wait_s = pace.patient(ANSWER_TIMEOUT_S)
    try:
        with contextlib.closing(_opener.open(request, timeout=wait_s)) as answer:
            taken = answer.read(len(TAKEN) + 1) == TAKEN
            return int(answer.status) if taken else NOT_TAKEN
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return NOT_TAKEN
