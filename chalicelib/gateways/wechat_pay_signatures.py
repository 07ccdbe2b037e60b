"""WeChat Pay v3's signatures and sealed resources: what we sign, verify and decrypt. No I/O."""

import base64
from collections.abc import Iterable, Mapping
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib.gateways import rsa_signatures
from chalicelib.gateways.verification import VerificationError
from chalicelib.gateways.wechat_pay_account import WechatAccount

REPLAY_WINDOW_S = 300
SCHEME = "WECHATPAY2-SHA256-RSA2048"
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"
CERTIFICATE = "BEGIN CERTIFICATE"
WRONG_KEY = "商家的微信支付密钥有误，请商家改正后再试。"


class WechatPaySignatures:
    """Those of one account. Its keys are parsed when first needed: GatewayFailed, with the field
    in `details.reason`, when one of them cannot be read."""

    def __init__(self, account: WechatAccount) -> None:
        self._account = account

    def sign(self, *lines: str) -> str:
        """Return the signature over the lines, each of them ended by a line feed."""
        message = "".join(f"{line}\n" for line in lines)
        return rsa_signatures.sign(self._private_key, message.encode())

    def authorization(self, method: str, target: str, body: str, *, at_s: int, nonce: str) -> str:
        """Return the Authorization header of a request. target: path and query, as it is sent;
        body: "" where there is none. WeChat Pay takes it for five minutes from `at_s`."""
        account = self._account
        parts = {
            "mchid": account.mchid,
            "nonce_str": nonce,
            "signature": self.sign(method, target, str(at_s), nonce, body),
            "timestamp": str(at_s),
            "serial_no": account.serial_no,
        }
        return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    @property
    def wanted_serial(self) -> str:
        """The serial that answers are to be signed with: of a public key if there is one, as
        certificates are being retired. All keys are parsed: nothing is to be asked for whose
        answer could not be verified."""
        _ = self._public_keys
        serials = [serial for serial, _ in self._account.public_keys]
        return next((s for s in serials if s.startswith(PUBLIC_KEY_PREFIX)), serials[0])

    def verify(self, headers: Mapping[str, str], body: bytes, *, now_s: int | None) -> None:
        """Return only if WeChat Pay signed `body`. Header names may be in any case.

        now_s: the message must have been signed less than REPLAY_WINDOW_S from it, be it with a
        key that was replaced lately; None for an answer, which comes on a connection of ours,
        signed with a key that we named. Raises VerificationError.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        timestamp = _header(lower, "Wechatpay-Timestamp")
        nonce = _header(lower, "Wechatpay-Nonce")
        signature = _header(lower, "Wechatpay-Signature")
        serial = _header(lower, "Wechatpay-Serial")
        kind = lower.get("wechatpay-signature-type") or SCHEME  # WeChat Pay may omit it
        if kind != SCHEME:
            raise VerificationError("signature_type", "Wechatpay-Signature-Type", kind[:64])
        if now_s is not None and abs(now_s - _seconds(timestamp)) >= REPLAY_WINDOW_S:
            raise VerificationError("stale", "Wechatpay-Timestamp", timestamp[:20])
        replaced = self._retired_public_keys if now_s is not None else {}
        key = self._public_keys.get(serial.upper()) or replaced.get(serial.upper())
        if key is None:
            raise VerificationError("unknown_serial", "Wechatpay-Serial", serial[:64])
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        if not rsa_signatures.is_signed(message, signature, [key]):
            raise VerificationError("signature", "Wechatpay-Signature")

    def decrypt(self, ciphertext: str, *, nonce: str, associated_data: str) -> bytes:
        """Return the plain text of a callback's resource, sealed (AES-256-GCM) with the key of now
        or with one that was replaced lately. Raises VerificationError."""
        account = self._account
        for key in (account.api_v3_key, *account.retired_api_v3_keys):
            try:
                sealed = base64.b64decode(ciphertext, validate=True)
                cipher = AESGCM(key.encode())
                return cipher.decrypt(nonce.encode(), sealed, associated_data.encode())
            except InvalidTag:
                continue
            except ValueError as error:
                raise VerificationError("ciphertext", "resource") from error
        raise VerificationError("ciphertext", "resource")

    @cached_property
    def _private_key(self) -> rsa.RSAPrivateKey:
        with rsa_signatures.unreadable_key_as(WRONG_KEY, "private_key"):
            return rsa_signatures.private_key(self._account.private_key, check=False)

    @cached_property
    def _public_keys(self) -> dict[str, rsa.RSAPublicKey]:
        return _public_keys(self._account.public_keys)

    @cached_property
    def _retired_public_keys(self) -> dict[str, rsa.RSAPublicKey]:
        return _public_keys(self._account.retired_public_keys)


def _public_keys(keys: Iterable[tuple[str, str]]) -> dict[str, rsa.RSAPublicKey]:
    with rsa_signatures.unreadable_key_as(WRONG_KEY, "public_keys"):
        return {serial.upper(): _public_key(text) for serial, text in keys}


def _public_key(text: str) -> rsa.RSAPublicKey:
    """Of a public key's PEM, or of a platform certificate's."""
    if CERTIFICATE in text:
        return rsa_signatures.certified_key(rsa_signatures.certificate(text))
    return rsa_signatures.public_key(text)


def _header(lower: Mapping[str, str], name: str) -> str:
    """Return the header's value. Raises VerificationError for none, or what is no text."""
    value = lower.get(name.lower(), "")
    if not value:
        raise VerificationError("missing_header", name)
    if not value.isprintable():  # control characters, halves of surrogates
        raise VerificationError("unreadable", name)
    return value


def _seconds(timestamp: str) -> int:
    right = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not right:
        raise VerificationError("timestamp", "Wechatpay-Timestamp", timestamp[:20])
    return int(timestamp)
