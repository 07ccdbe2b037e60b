"""What a shop and its buyers agree on: three texts, usual ones until the shop writes its own."""

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

TEXT_MAX = 10_000
CONTACT = "（电话 {phone}）"
USUAL = 0  # version of the text that comes with the product; the shop's own count from 1


class AgreementKind(StrEnum):
    USER = "user"
    PRIVACY = "privacy"
    GROUP_RULES = "group_rules"


TITLES: Mapping[AgreementKind, str] = {
    AgreementKind.USER: "用户协议",
    AgreementKind.PRIVACY: "隐私政策",
    AgreementKind.GROUP_RULES: "拼团规则",
}


def usual(kind: AgreementKind, *, shop: str, business_name: str, phone: str) -> str:
    """Return the text that comes with the product, about this shop."""
    contact = CONTACT.format(phone=phone) if phone else ""
    return _template(kind).format(shop=shop, business=business_name or shop, contact=contact)


def digest(text: str) -> str:
    """Return what tells a text from every other: kept with the consent to it."""
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(kind: AgreementKind, version: int) -> str:
    """Return the name of one version, under which its consent is kept."""
    return f"{kind}#{version}"


def to_accept(current: Mapping[AgreementKind, int], accepted: Iterable[str]) -> list[AgreementKind]:
    """Return the kinds of which neither the current version nor a later one was accepted.

    accepted: keys of versions. A later one: `current` may come from a cache.
    """
    latest: dict[str, int] = {}
    for key in accepted:
        kind, _, version = key.partition("#")
        latest[kind] = max(int(version), latest.get(kind, USUAL))
    return [kind for kind, version in current.items() if latest.get(kind, USUAL - 1) < version]


@cache
def _template(kind: AgreementKind) -> str:
    return (Path(__file__).parent / "agreements" / f"{kind}.txt").read_text(encoding="utf-8")
