"""What proves that a message is WeChat Pay's, and what opens it: cryptography, no network.

Done here and not by wechatpayv3, which knows no replay window, downloads certificates when it
meets an unknown serial, and fails on a serial that is not a hexadecimal number.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib.errors import GatewayFailed
from chalicelib.gateways.disbelief import Disbelieved
from chalicelib.gateways.wechat_pay_account import WechatAccount

REPLAY_WINDOW_S = 300
SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"


class WechatPayKeys:
    """The keys of one account, parsed when first needed."""

    def __init__(self, account: WechatAccount) -> None:
        self._account = account

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        """Ours, so not checked for cunning: the check costs 58 ms of a full processor."""
        with _parsing("private_key"):
            pem = self._account.private_key.encode()
            key = serialization.load_pem_private_key(
                pem, password=None, unsafe_skip_rsa_key_validation=True
            )
            if not isinstance(key, rsa.RSAPrivateKey):
                raise ValueError("not an RSA key")
            return key

    @property
    def preferred_public_key(self) -> tuple[str, str]:
        """(serial, PEM) of the key that answers are to be signed with: a public key if we have
        one, as certificates are being retired."""
        serials = [serial for serial, _ in self._account.public_keys]
        serial = next((s for s in serials if s.startswith(PUBLIC_KEY_PREFIX)), serials[0])
        pem = self._public_keys[serial.upper()].public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return serial, pem.decode()

    def prove(self, headers: Mapping[str, str], body: bytes, *, now_s: int | None) -> None:
        """Return only if WeChat Pay signed `body`. Header names may be in any case.

        now_s: the message must have been signed less than REPLAY_WINDOW_S from it, be it with a key
        that was replaced lately; None for an answer, which comes on a connection of ours, signed
        with a key that we named. Raises Disbelieved.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        timestamp = _header(lower, "Wechatpay-Timestamp")
        nonce = _header(lower, "Wechatpay-Nonce")
        signature = _header(lower, "Wechatpay-Signature")
        serial = _header(lower, "Wechatpay-Serial")
        kind = lower.get("wechatpay-signature-type") or SIGNATURE_TYPE  # WeChat Pay may omit it
        if kind != SIGNATURE_TYPE:
            raise Disbelieved("signature_type", "Wechatpay-Signature-Type", kind[:64])
        if now_s is not None and abs(now_s - _seconds(timestamp)) >= REPLAY_WINDOW_S:
            raise Disbelieved("stale", "Wechatpay-Timestamp", timestamp[:20])
        replaced = self._retired_public_keys if now_s is not None else {}
        key = self._public_keys.get(serial.upper()) or replaced.get(serial.upper())
        if key is None:
            raise Disbelieved("unknown_serial", "Wechatpay-Serial", serial[:64])
        try:
            proof = base64.b64decode(signature, validate=True)
            message = b"\n".join((timestamp.encode(), nonce.encode(), body, b""))
            key.verify(proof, message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError) as error:
            raise Disbelieved("signature", "Wechatpay-Signature") from error

    def open(self, ciphertext: str, *, nonce: str, associated_data: str) -> bytes:
        """The plain text of a callback's resource, sealed with the key of now or with one that was
        replaced lately. Raises Disbelieved."""
        account = self._account
        for key in (account.api_v3_key, *account.retired_api_v3_keys):
            try:
                sealed = base64.b64decode(ciphertext, validate=True)
                cipher = AESGCM(key.encode())
                return cipher.decrypt(nonce.encode(), sealed, associated_data.encode())
            except InvalidTag:
                continue
            except ValueError as error:
                raise Disbelieved("ciphertext", "resource") from error
        raise Disbelieved("ciphertext", "resource")

    @cached_property
    def _public_keys(self) -> dict[str, rsa.RSAPublicKey]:
        return _public_keys(self._account.public_keys)

    @cached_property
    def _retired_public_keys(self) -> dict[str, rsa.RSAPublicKey]:
        return _public_keys(self._account.retired_public_keys)


def _public_keys(keys: Iterable[tuple[str, str]]) -> dict[str, rsa.RSAPublicKey]:
    with _parsing("public_keys"):
        return {serial.upper(): _public_key(pem) for serial, pem in keys}


@contextmanager
def _parsing(part: str) -> Iterator[None]:
    """A key of the account that cannot be read is the merchant's to correct."""
    try:
        yield
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = "商家的微信支付密钥有误，请商家改正后再试。"
        raise GatewayFailed(message, reason=part) from error


def _public_key(pem: str) -> rsa.RSAPublicKey:
    """Of a public key's PEM, or of a certificate's."""
    certified = "BEGIN CERTIFICATE" in pem
    key = (
        x509.load_pem_x509_certificate(pem.encode()).public_key()
        if certified
        else serialization.load_pem_public_key(pem.encode())
    )
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _header(lower: Mapping[str, str], name: str) -> str:
    value = lower.get(name.lower(), "")
    if not value:
        raise Disbelieved("missing_header", name)
    return value


def _seconds(timestamp: str) -> int:
    right = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not right:
        raise Disbelieved("timestamp", "Wechatpay-Timestamp", timestamp[:20])
    return int(timestamp)
