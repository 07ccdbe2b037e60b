"""A merchant's account at Alipay, and the RSA2 that proves who wrote what: no network.

Done here and not by python-alipay-sdk, which finds the signed part of an answer by counting
braces (one inside a text breaks it), reads an error without looking at its signature, and parses
the private key (60 ms) for every client it makes.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from chalicelib.errors import GatewayFailed
from chalicelib.gateways.accounts import retired_keys
from chalicelib.gateways.disbelief import Disbelieved, read

ERROR = "error_response"  # stands in the place of the answer when a request got nowhere
SIGN = "sign"


@dataclass(frozen=True)
class AlipayAccount:
    """One merchant's account at Alipay. Hashable, so that caches can key on it.

    Keys are PEM, or the bare base64 that Alipay's own key tool gives.
    """

    app_id: str
    seller_id: str  # the merchant's own number, 2088…
    private_key: str = field(repr=False)
    alipay_public_key: str = field(repr=False)
    # Replaced ones: what Alipay signed with them may still be on its way.
    retired_public_keys: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_secret(cls, secret: Mapping[str, Any], *, now_s: int = 0) -> "AlipayAccount":
        """The account that is believed at `now_s`. Raises msgspec.ValidationError when a part is
        missing or of the wrong shape."""
        parts = msgspec.convert(secret, _Secret)
        retired = [one.alipay_public_key for one in retired_keys(secret, now_s)]
        return cls(
            parts.app_id,
            parts.seller_id,
            parts.private_key,
            parts.alipay_public_key,
            tuple(filter(None, retired)),
        )


_Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{16,32}$")]
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Secret(msgspec.Struct):
    app_id: _Number
    seller_id: _Number
    private_key: _Text
    alipay_public_key: _Text


class AlipayKeys:
    """The keys of one account, parsed when first needed."""

    def __init__(self, account: AlipayAccount) -> None:
        self._account = account

    def sign(self, text: str) -> str:
        signature = self._private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode()

    @property
    def public_pem(self) -> str:
        """Alipay's key as PEM, in whatever form the secret has it."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._public_key.public_bytes(serialization.Encoding.PEM, kind).decode()

    def prove(self, text: bytes, signature: str, *, told: bool = False) -> None:
        """Return only if Alipay signed `text`; told: of itself, be it with a key that was replaced
        lately. Raises Disbelieved."""
        if not signature:
            raise Disbelieved("unsigned", SIGN)
        for key in (self._public_key, *(self._retired_public_keys if told else ())):
            try:
                proof = base64.b64decode(signature, validate=True)
                key.verify(proof, text, padding.PKCS1v15(), hashes.SHA256())
                return
            except InvalidSignature:
                continue
            except ValueError as error:
                raise Disbelieved("signature", SIGN) from error
        raise Disbelieved("signature", SIGN)

    def proven(self, body: bytes, name: str) -> bytes:
        """The text of `name` (<method>_response, else the error) in an answer, exactly as signed.

        What is read is what was proven, byte for byte. Raises Disbelieved.
        """
        parts = read(body, dict[str, msgspec.Raw])
        content = parts.get(name, parts.get(ERROR))
        if content is None:
            raise Disbelieved("incomplete", name)
        signature = read(bytes(parts.get(SIGN, b'""')), str)
        self.prove(bytes(content), signature)
        return bytes(content)

    @cached_property
    def _private_key(self) -> rsa.RSAPrivateKey:
        """Ours, so not checked for cunning: the check costs 58 ms of a full processor."""
        with _parsing("private_key"):
            key = serialization.load_der_private_key(
                der_of(self._account.private_key),
                password=None,
                unsafe_skip_rsa_key_validation=True,
            )
            if not isinstance(key, rsa.RSAPrivateKey):
                raise ValueError("not an RSA key")
            return key

    @cached_property
    def _public_key(self) -> rsa.RSAPublicKey:
        return _public_key(self._account.alipay_public_key)

    @cached_property
    def _retired_public_keys(self) -> list[rsa.RSAPublicKey]:
        return [_public_key(text) for text in self._account.retired_public_keys]


def _public_key(text: str) -> rsa.RSAPublicKey:
    with _parsing("alipay_public_key"):
        key = serialization.load_der_public_key(der_of(text))
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("not an RSA key")
        return key


def der_of(key: str) -> bytes:
    """The bytes inside PEM, or inside bare base64."""
    inside = re.sub(r"-----[A-Z ]+-----|\s", "", key)
    return base64.b64decode(inside, validate=True)


@contextmanager
def _parsing(part: str) -> Iterator[None]:
    """A key of the account that cannot be read is the merchant's to correct."""
    try:
        yield
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = "商家的支付宝密钥有误，请商家改正后再试。"
        raise GatewayFailed(message, reason=part) from error
