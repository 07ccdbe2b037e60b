"""Alipay's signatures (RSA2): requests that we sign, answers and notifies that we verify. No I/O.

A request or a notify is signed over its parameters, sorted and joined; an answer over the raw text
of its part, which is taken out of the JSON byte for byte.
"""

from collections.abc import Mapping
from functools import cached_property

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.gateways import rsa_signatures
from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.verification import VerificationError, read

ERROR = "error_response"  # stands in the place of the answer when a request got nowhere
SIGN, SIGN_TYPE, RSA2 = "sign", "sign_type", "RSA2"
WRONG_KEY = "商家的支付宝密钥有误，请商家改正后再试。"


class AlipaySignatures:
    """Those of one account. Its keys are parsed when first needed: GatewayFailed, with the field
    in `details.reason`, when one of them cannot be read."""

    def __init__(self, account: AlipayAccount) -> None:
        self._account = account

    def signed(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters of a request and their signature; empty ones are left out."""
        given = {name: value for name, value in parameters.items() if value}
        given[SIGN_TYPE] = RSA2
        return given | {SIGN: rsa_signatures.sign(self._private_key, _joined(given))}

    def verify(self, text: bytes, signature: str, *, replaced: bool = False) -> None:
        """Return only if Alipay signed `text`; replaced: be it with a key that was replaced
        lately. Raises VerificationError."""
        if not signature:
            raise VerificationError("unsigned", SIGN)
        keys = [self.public_key, *(self._retired_public_keys if replaced else ())]
        if not rsa_signatures.is_signed(text, signature, keys):
            raise VerificationError("signature", SIGN)

    def verify_notify(self, form: Mapping[str, str]) -> None:
        """Return only if Alipay signed the fields of a notify. Raises VerificationError."""
        kind = form.get(SIGN_TYPE, "")
        if kind != RSA2:
            raise VerificationError("signature_type", SIGN_TYPE, kind[:32])
        fields = {name: value for name, value in form.items() if name not in (SIGN, SIGN_TYPE)}
        self.verify(_joined(fields), form.get(SIGN, ""), replaced=True)

    def verified_part(self, body: bytes, name: str) -> bytes:
        """Return the text of `name` (<method>_response, else the error) in an answer, exactly as
        it was signed. Raises VerificationError."""
        parts = read(body, dict[str, msgspec.Raw])
        content = parts.get(name, parts.get(ERROR))
        if content is None:
            raise VerificationError("incomplete", name)
        self.verify(bytes(content), read(bytes(parts.get(SIGN, b'""')), str))
        return bytes(content)

    @cached_property
    def public_key(self) -> rsa.RSAPublicKey:
        return _public_key(self._account.alipay_public_key)

    @cached_property
    def _private_key(self) -> rsa.RSAPrivateKey:
        with rsa_signatures.unreadable_key_as(WRONG_KEY, "private_key"):
            return rsa_signatures.private_key(self._account.private_key, check=False)

    @cached_property
    def _retired_public_keys(self) -> list[rsa.RSAPublicKey]:
        return [_public_key(text) for text in self._account.retired_public_keys]


def _joined(fields: Mapping[str, str]) -> bytes:
    """What is signed of fields."""
    return "&".join(f"{name}={value}" for name, value in sorted(fields.items())).encode()


def _public_key(text: str) -> rsa.RSAPublicKey:
    with rsa_signatures.unreadable_key_as(WRONG_KEY, "alipay_public_key"):
        return rsa_signatures.public_key(text)
