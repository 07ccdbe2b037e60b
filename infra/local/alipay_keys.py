"""Accounts of the local Alipay, and its side of RSA2: both signatures are real."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from infra.local.wechat_keys import key_pair, private_pem, public_pem

BEIJING = dt.timezone(dt.timedelta(hours=8))
REQUEST_WINDOW_S = 900
CODES = {  # of the gateway, with what it says beside them
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40005": "Call Limited",
    "20000": "Service Currently Unavailable",
}


class Refused(Exception):
    """The local Alipay says no, with Alipay's own codes and words."""

    def __init__(self, code: str, sub_code: str, words: str) -> None:
        super().__init__(f"{code} {sub_code}: {words}")
        self.code, self.sub_code, self.words = code, sub_code, words

    @property
    def content(self) -> dict[str, str]:
        return {
            "code": self.code,
            "msg": CODES[self.code],
            "sub_code": self.sub_code,
            "sub_msg": self.words,
        }


@dataclass(frozen=True)
class Account:
    """A merchant as Alipay knows it; `alipay`: the JSON of the merchant's parameter."""

    merchant_id: str
    public_key: str  # PEM of the merchant's; requests are verified with it
    alipay: Mapping[str, str]
    name: str = ""  # what buyers read where they pay

    @property
    def app_id(self) -> str:
        return self.alipay["app_id"]

    @property
    def mchid(self) -> str:
        """The merchant's number, which Alipay calls seller_id."""
        return self.alipay["seller_id"]

    @classmethod
    def generate(cls, merchant_id: str, platform: rsa.RSAPrivateKey, name: str = "") -> "Account":
        """All local merchants share one key pair, for the time it takes."""
        key = key_pair("merchant")
        secret = {
            "app_id": f"2021{secrets.randbelow(10**12):012d}",
            "seller_id": f"2088{secrets.randbelow(10**12):012d}",
            "private_key": private_pem(key),
            "alipay_public_key": public_pem(platform),
        }
        return cls(merchant_id, public_pem(key), secret, name)


def sign(key: rsa.RSAPrivateKey, text: bytes) -> str:
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


def signed_text(fields: Mapping[str, str], *without: str) -> bytes:
    """What is signed of these fields: sorted, joined, without the signature."""
    told = sorted((name, value) for name, value in fields.items() if name not in without)
    return "&".join(f"{name}={value}" for name, value in told).encode()


def authenticate(
    fields: Mapping[str, str], accounts: Mapping[str, Account], *, now_s: float
) -> Account:
    """The merchant (accounts: by app_id) that signed the request. Raises Refused 40001, 40002."""
    for name in ("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version"):
        if not fields.get(name):
            raise Refused("40001", f"isv.missing-{name.replace('_', '-')}", f"缺少参数 {name}")
    account = accounts.get(fields["app_id"])
    if account is None:
        raise Refused("40002", "isv.invalid-app-id", "无效的AppID参数")
    if fields["sign_type"] != "RSA2":
        raise Refused("40002", "isv.invalid-signature-type", "无效的签名类型")
    if fields["charset"].lower() != "utf-8":
        raise Refused("40002", "isv.invalid-charset", "字符集错误")
    if abs(epoch(fields["timestamp"]) - now_s) >= REQUEST_WINDOW_S:
        raise Refused("40002", "isv.invalid-timestamp", "非法的时间戳参数")
    _prove(fields, account)
    return account


def _prove(fields: Mapping[str, str], account: Account) -> None:
    key = serialization.load_pem_public_key(account.public_key.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused("40002", "isv.missing-signature-config", "应用未配置RSA公钥")
    filled = {name: value for name, value in fields.items() if value}
    try:
        proof = base64.b64decode(fields["sign"], validate=True)
        key.verify(proof, signed_text(filled, "sign"), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError) as error:
        raise Refused("40002", "isv.invalid-signature", "验签出错") from error


def beijing(at_s: float) -> str:
    return dt.datetime.fromtimestamp(int(at_s), BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def epoch(text: str) -> float:
    """A time of Beijing in epoch seconds. Raises Refused 40002."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", text):
        raise Refused("40002", "isv.invalid-timestamp", "非法的时间戳参数")
    return dt.datetime.fromisoformat(text).replace(tzinfo=BEIJING).timestamp()
