"""Who a buyer is elsewhere: accounts and a phone that they have proven to be theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.recipient import masked_phone

IDS_MAX = 8  # buyers that may turn out to be one person


class Way(StrEnum):
    WECHAT_MINI = "wechat_mini"  # the openid of a mini-program
    WECHAT_ACCOUNT = "wechat_account"  # of an official account
    WECHAT_UNION = "wechat_union"  # the unionid that WeChat gives all apps of one owner
    ALIPAY = "alipay"
    PHONE = "phone"


@dataclass(frozen=True)
class Identity:
    """One proven identity. app: the appid whose openid it is; empty where there is none."""

    way: Way
    subject: str
    app: str = ""

    @property
    def slot(self) -> str:
        """What a person has one of at most: two subjects in it are two persons."""
        return f"{self.way}#{self.app}"

    @property
    def openids(self) -> Mapping[str, str]:
        return {self.app: self.subject} if self.app else {}

    @property
    def phone(self) -> str | None:
        return masked_phone(self.subject) if self.way is Way.PHONE else None


def compatible(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether the identities (slot -> id) may be those of one person: nothing in one slot twice.

    A number that its carrier gave to somebody else must not bring them the orders of the one who
    had it before: two WeChat accounts are two persons, whatever phone both have proven.
    """
    return all(one[slot] == other[slot] for slot in one.keys() & other.keys())
