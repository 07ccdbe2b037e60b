"""A merchant's accounts at one payment gateway: the present one, and those it had before.

The parameter merchants/{merchant}/{method} keeps the present account; what was before stands in it
under "history". An earlier account keeps a parameter of its own below that one, so that what was
begun with it can be queried, closed, refunded and billed. An account's id is stored with every
payment attempt made with it; the first account of a merchant has the empty id, so that attempts
of shops that never change theirs, and those stored before there were ids, name none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.ids import derived_id
from chalicelib.gateways import secrets

FIRST = ""  # the id of the account that a merchant had before any other
HISTORY = "history"  # the part of a parameter that is not the account itself
OFFICIAL_ACCOUNT = "official_account_appid"  # another one leaves the account what it is
TAG_LENGTH, SEAL_LENGTH = 4, 4
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Which of the merchant's accounts it is. bills: the account under whose id the bills of its
    merchant number are compared; accounts with one number share one bill."""

    account: str = FIRST
    bills: str = FIRST


FIRST_PLACE = Place()


@dataclass(frozen=True)
class Earlier:
    """An account that payments were made with until `until_s`; since_s 0: since ever."""

    account: str
    bills: str
    since_s: int
    until_s: int


@dataclass(frozen=True)
class Retired:
    """Keys of the gateway's, or for its callbacks, that were replaced: what was made with them
    may come until `until_s`. alipay_public_key, api_v3_key: empty when they were not replaced."""

    until_s: int
    api_v3_key: str = ""
    public_keys: tuple[tuple[str, str], ...] = ()
    alipay_public_key: str = ""


@dataclass(frozen=True)
class History:
    """What a parameter says beside the account itself."""

    place: Place = FIRST_PLACE
    since_s: int = 0
    earlier: tuple[Earlier, ...] = ()
    retired: tuple[Retired, ...] = ()
    apps: tuple[str, ...] = ()  # official accounts that it was used with before

    @property
    def stored(self) -> dict[str, Any]:
        return {
            "account": self.place.account,
            "bills": self.place.bills,
            "since_s": self.since_s,
            "earlier": [vars(one) for one in self.earlier],
            "retired": [vars(one) | {"public_keys": dict(one.public_keys)} for one in self.retired],
            **({"apps": list(self.apps)} if self.apps else {}),
        }


def parameter(merchant_id: str, method: str, account: str | None = None) -> str:
    """Where an account lies; None: the present one. method: as the services name it."""
    name = f"merchants/{merchant_id}/{method.replace('_', '-')}"
    return name if account is None else f"{name}/{account or 'first'}"


def content_of(merchant_id: str, method: str, account: str | None) -> tuple[str, Content]:
    """(parameter, content) of an account; None: of the present one.

    Raises NotConfigured when the merchant has no such account.
    """
    name = parameter(merchant_id, method)
    present = secrets.json_secret(name)
    if account is None or history_of(present).place.account == account:
        return name, present
    name = parameter(merchant_id, method, account)
    return name, secrets.json_secret(name)


def history_of(content: Content) -> History:
    said = content.get(HISTORY) or {}
    return History(
        place=Place(said.get("account", FIRST), said.get("bills", FIRST)),
        since_s=said.get("since_s", 0),
        earlier=tuple(Earlier(**one) for one in said.get("earlier", ())),
        retired=tuple(_retired(one) for one in said.get("retired", ())),
        apps=tuple(said.get("apps", ())),
    )


def retired_keys(content: Content, now_s: int) -> Sequence[Retired]:
    """The replaced keys of an account that are still believed."""
    return [one for one in history_of(content).retired if now_s < one.until_s]


def account_id(merchant_id: str, method: str, identity: Sequence[str]) -> str:
    """The id of the account with that identity at the gateway: short, for an order pays for every
    KB; and sealed, so that a made-up one in a callback's address costs no look-up."""
    said = "\x1f".join((merchant_id, method, *identity))
    tag = derived_id(b"account", hashlib.sha256(said.encode()).hexdigest())[:TAG_LENGTH]
    return tag + _seal(merchant_id, method, tag)


def is_account_id(merchant_id: str, method: str, text: str) -> bool:
    """Whether `text` is an id that we gave to an account of this merchant's."""
    tag = text[:TAG_LENGTH]
    right_length = len(text) == TAG_LENGTH + SEAL_LENGTH
    return right_length and text[TAG_LENGTH:] == _seal(merchant_id, method, tag)


def _seal(merchant_id: str, method: str, tag: str) -> str:
    key = secrets.secret("id-key").encode()
    name = method.replace("_", "-")
    return derived_id(key, "account id", merchant_id, name, tag)[:SEAL_LENGTH]


def _retired(said: Mapping[str, Any]) -> Retired:
    return Retired(**{**said, "public_keys": tuple(sorted(said["public_keys"].items()))})
