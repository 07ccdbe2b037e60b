"""Keys of the local counterparts, and the cryptography of WeChat Pay's side."""

import base64
import datetime as dt
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from infra.local.wechat_http import Call, Refusal

SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
AUTHORIZATION_PARTS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
REQUEST_WINDOW_S = 300
PEM = serialization.Encoding.PEM


@lru_cache(maxsize=8)
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """The process's RSA key called `name`: generating one takes a good part of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(PEM, kind).decode()


def load_key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("The key is not an RSA key.")
    return key


def certificate(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    """A certificate of its own serial for `key`, signed by itself, good for five years."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1825))
        .sign(key, hashes.SHA256())
    )


def serial_of(issued: x509.Certificate) -> str:
    return format(issued.serial_number, "X").zfill(40)


@dataclass(frozen=True)
class Platform:
    """WeChat Pay's own keys: the public key of today, and the platform certificate of before."""

    public_key_id: str
    key: rsa.RSAPrivateKey
    certificate_serial: str
    certificate_key: rsa.RSAPrivateKey
    certificate_pem: str

    @classmethod
    def generate(cls) -> "Platform":
        certified = key_pair("platform certificate")
        issued = certificate(certified, "Tenpay.com Root CA")
        return cls(
            public_key_id=f"PUB_KEY_ID_{secrets.randbelow(10**32):032d}",
            key=key_pair("platform"),
            certificate_serial=serial_of(issued),
            certificate_key=certified,
            certificate_pem=issued.public_bytes(PEM).decode(),
        )

    def public_keys(self, *, with_certificate: bool) -> dict[str, str]:
        """serial -> PEM, as a merchant keeps them; new merchants get no certificate."""
        keys = {self.public_key_id: public_pem(self.key)}
        return keys | ({self.certificate_serial: self.certificate_pem} if with_certificate else {})

    def sign(self, body: bytes, *, at_s: float, serial: str = "") -> dict[str, str]:
        """The headers that prove `body`; by the certificate's key only if `serial` is its."""
        old = serial == self.certificate_serial
        timestamp, nonce = str(int(at_s)), secrets.token_hex(16)
        message = b"\n".join((timestamp.encode(), nonce.encode(), body, b""))
        key = self.certificate_key if old else self.key
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Serial": self.certificate_serial if old else self.public_key_id,
            "Wechatpay-Signature-Type": SIGNATURE_TYPE,
        }


def authenticate(call: Call, certificate_of: Callable[[str], str | None]) -> str:
    """The mchid that signed `call`, by its certificate in PEM. Raises Refusal 401 SIGN_ERROR."""
    kind, _, rest = call.headers.get("authorization", "").partition(" ")
    parts: dict[str, str] = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if kind != SIGNATURE_TYPE or not parts.keys() >= AUTHORIZATION_PARTS:
        raise _sign_error("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    pem = certificate_of(parts["mchid"])
    issued = x509.load_pem_x509_certificate(pem.encode()) if pem else None
    if issued is None or serial_of(issued) != parts["serial_no"].upper():
        raise _sign_error("商户证书序列号有误")
    stamp = parts["timestamp"]
    if not stamp.isdigit() or abs(time.time() - int(stamp)) >= REQUEST_WINDOW_S:
        raise _sign_error("签名已过期")
    head = f"{call.method}\n{call.target}\n{stamp}\n{parts['nonce_str']}\n"
    text = head.encode() + call.body + b"\n"
    if not pem or not is_signed_by(pem, text, parts["signature"]):
        raise _sign_error("错误的签名，验签失败")
    return parts["mchid"]


def is_signed_by(certificate: str, text: bytes, signature: str) -> bool:
    """Whether the holder of a certificate (PEM) signed `text`."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        proof = base64.b64decode(signature, validate=True)
        key.verify(proof, text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _sign_error(message: str) -> Refusal:
    return Refusal(401, "SIGN_ERROR", message)
