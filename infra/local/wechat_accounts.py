"""Merchants as WeChat knows them, and what they keep in their secrets."""

import base64
import json
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.local.wechat_http import Refusal
from infra.local.wechat_keys import PEM, certificate, key_pair, private_pem, serial_of

PROVIDER = "provider"  # whose name its certificate bears
ORDER_NAMES = ("appid", "mchid", "sp_appid", "sp_mchid", "sub_appid", "sub_mchid")
PROVIDERS_PARTS = ("sp_mchid", "sp_appid", "serial_no", "private_key", "api_v3_key")


@dataclass(frozen=True)
class Account:
    """One merchant. `wechat_pay`, `wechat_login`: the JSON of its two parameters; `wechat_account`:
    that of its official account, which may be empty.

    certificate: PEM; its requests are verified with it. In partner mode it is the provider's,
    who signs for all its merchants.
    """

    merchant_id: str
    certificate: str
    wechat_pay: Mapping[str, Any]
    wechat_login: Mapping[str, str]
    wechat_account: Mapping[str, str] = field(default_factory=dict)
    name: str = ""  # what buyers read where they pay

    @property
    def is_partner(self) -> bool:
        return bool(self.wechat_pay["mode"] == "partner")

    @property
    def mchid(self) -> str:
        """Whose money it is."""
        return str(self.wechat_pay["sub_mchid" if self.is_partner else "mchid"])

    @property
    def signing_mchid(self) -> str:
        return str(self.wechat_pay["sp_mchid" if self.is_partner else "mchid"])

    @property
    def appid(self) -> str:
        """The app that buyers pay in."""
        return self.wechat_login["appid"]

    @property
    def names(self) -> dict[str, str]:
        """Everything that a trade of it must name."""
        return {name: self.wechat_pay[name] for name in ORDER_NAMES if self.wechat_pay.get(name)}

    def takes(self, names: Mapping[str, str]) -> bool:
        """Whether a trade may name these: in its own app, or in its official account's."""
        own = "sub_appid" if self.is_partner else "appid"
        official = self.wechat_account.get("appid")
        return names == self.names or (bool(official) and names == self.names | {own: official})

    @property
    def merchant_names(self) -> dict[str, str]:
        return {name: value for name, value in self.names.items() if name.endswith("mchid")}

    def seal(self, resource: object, kind: str) -> dict[str, str]:
        """A callback's resource, encrypted with the APIv3 key."""
        nonce = secrets.token_hex(6)
        plain = json.dumps(resource, ensure_ascii=False).encode()
        cipher = AESGCM(str(self.wechat_pay["api_v3_key"]).encode())
        sealed = cipher.encrypt(nonce.encode(), plain, kind.encode())
        return {
            "original_type": kind,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": kind,
            "nonce": nonce,
        }


class Accounts:
    """Every merchant, and the one service provider of those in partner mode.

    All share one key pair, for the time it takes to make one; their certificates differ.
    """

    def __init__(self, known: Iterable[Account] = ()) -> None:
        self._by_mchid = {account.mchid: account for account in known}
        self._lock = threading.Lock()

    def all(self) -> list[Account]:
        return list(self._by_mchid.values())

    def new(self, merchant_id: str, public_keys: Mapping[str, str], **how: Any) -> Account:
        """The merchant's account, made unless it is there already. how: see Wechat.new_account."""
        with self._lock:
            known = next((a for a in self.all() if a.merchant_id == merchant_id), None)
            account = known or self._made(merchant_id, public_keys, **how)
            self._by_mchid[account.mchid] = account
            return account

    def at(self, mchid: str) -> Account:
        """Whose money is at `mchid`. Raises KeyError."""
        return self._by_mchid[mchid]

    def certificate_of(self, signing_mchid: str) -> str | None:
        """In PEM, of a merchant or of the provider."""
        signed = (a.certificate for a in self.all() if a.signing_mchid == signing_mchid)
        return next(signed, None)

    def served(self, signing_mchid: str, sub_mchid: str = "") -> Account:
        """The account that a signer may act for: its own, or, named, a merchant of its.

        Raises Refusal.
        """
        account = self._by_mchid.get(sub_mchid or signing_mchid)
        if account is None or account.signing_mchid != signing_mchid:
            raise Refusal(403, "NO_AUTH", "商户号没有权限，请检查商户号与子商户号的关系")
        if account.is_partner != bool(sub_mchid):
            raise Refusal(400, "PARAM_ERROR", "参数 sub_mchid 有误")
        return account

    def _made(
        self,
        merchant_id: str,
        public_keys: Mapping[str, str],
        *,
        mchid: str,
        appid: str,
        partner: bool,
        own_app: bool,
        official_account: bool,
        name: str,
    ) -> Account:
        mchid = mchid or _new_mchid()
        appid = appid or _new_appid()
        official = _login(_new_appid()) if official_account else {}
        known: dict[str, Any] = {"public_keys": dict(public_keys)}
        known |= {"official_account_appid": official["appid"]} if official else {}
        if not partner:
            pay, issued = _signing(merchant_id)
            pay |= {"mode": "direct", "mchid": mchid, "appid": appid, **known}
            return Account(merchant_id, issued, pay, _login(appid), official, name)
        pay, issued, login = self._provider()
        pay |= {"mode": "partner", "sub_mchid": mchid, **known}
        if own_app:
            pay, login = pay | {"sub_appid": appid}, _login(appid)
        return Account(merchant_id, issued, pay, login, official, name)

    def _provider(self) -> tuple[dict[str, Any], str, Mapping[str, str]]:
        """(its part of the secret, its certificate, the secret of its app)."""
        merchants = [account for account in self.all() if account.is_partner]
        if not merchants:
            pay, issued = _signing(PROVIDER)
            appid = _new_appid()
            return pay | {"sp_mchid": _new_mchid(), "sp_appid": appid}, issued, _login(appid)
        first = merchants[0]
        pay = {name: first.wechat_pay[name] for name in PROVIDERS_PARTS}
        in_its_app = (a.wechat_login for a in merchants if a.appid == pay["sp_appid"])
        return pay, first.certificate, next(in_its_app, _login(pay["sp_appid"]))


def _signing(name: str) -> tuple[dict[str, Any], str]:
    """(what requests are signed with and callbacks opened, the certificate in PEM)."""
    key = key_pair("merchant")
    issued = certificate(key, name)
    parts = {
        "serial_no": serial_of(issued),
        "private_key": private_pem(key),
        "api_v3_key": secrets.token_hex(16),
    }
    return parts, issued.public_bytes(PEM).decode()


def _login(appid: str) -> dict[str, str]:
    return {"appid": appid, "app_secret": secrets.token_hex(16)}


def _new_mchid() -> str:
    return f"19{secrets.randbelow(10**8):08d}"


def _new_appid() -> str:
    return f"wx{secrets.token_hex(8)}"
