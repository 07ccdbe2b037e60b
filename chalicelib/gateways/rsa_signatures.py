"""RSA signatures with SHA-256 (PKCS #1 v1.5), as both gateways make them. No I/O."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from chalicelib.errors import GatewayFailed


@contextmanager
def unreadable_key_as(message: str, field: str) -> Iterator[None]:
    """A key of an account that the block cannot read is the merchant's to correct: GatewayFailed
    with `message`, and the field in `details.reason`."""
    try:
        yield
    except ValueError as error:
        raise GatewayFailed(message, reason=field) from error


def private_key(text: str, *, check: bool = True) -> rsa.RSAPrivateKey:
    """Return the key in PEM, or in the bare base64 of Alipay's key tool. Raises ValueError.

    check: also test that its numbers belong together, which takes 58 ms of a full processor. Keys
    are tested when staff save them; a key that is kept need not be tested again.
    """
    try:
        key = serialization.load_der_private_key(
            _der_of(text), password=None, unsafe_skip_rsa_key_validation=not check
        )
    except (TypeError, UnsupportedAlgorithm) as error:  # sealed with a password; unknown
        raise ValueError("not a plain key") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def public_key(text: str) -> rsa.RSAPublicKey:
    """Return the key in PEM, or in bare base64. Raises ValueError."""
    return _rsa(lambda: serialization.load_der_public_key(_der_of(text)))


def certified_key(issued: x509.Certificate) -> rsa.RSAPublicKey:
    """Raises ValueError."""
    return _rsa(issued.public_key)


def certificate(text: str) -> x509.Certificate:
    """Return the (first) certificate in PEM. Raises ValueError."""
    try:
        return x509.load_der_x509_certificate(_der_of(text))
    except x509.InvalidVersion as error:
        raise ValueError("not a certificate of version 1 to 3") from error


def _rsa(load: Callable[[], object]) -> rsa.RSAPublicKey:
    try:
        key = load()
    except UnsupportedAlgorithm as error:
        raise ValueError("not a known key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def is_signed(message: bytes, signature: str, keys: Iterable[rsa.RSAPublicKey]) -> bool:
    """Whether one of the keys made the signature; what is no base64 is no signature."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    for key in keys:
        try:
            key.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def _der_of(text: str) -> bytes:
    """The bytes inside the first block of PEM, or inside bare base64. Raises ValueError."""
    block = re.search(r"-----BEGIN [A-Z0-9 ]+-----([^-]*)", text)
    return base64.b64decode(re.sub(r"\s", "", block[1] if block else text), validate=True)
