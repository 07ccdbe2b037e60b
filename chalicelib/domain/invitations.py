"""Invitations (邀请有礼): what a shop gives who brought it a new buyer.

Whoever's share a buyer came by first, in the days before their first purchase, has invited them, if
that purchase was a seat of a group which formed. The invitation is worth something once the order
has been completed for some days. Nothing is given for sharing, and nothing for whom the invited
invite: there is one level only.
"""

from collections.abc import Collection, Mapping, Set
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.recipient import masked_phone
from chalicelib.domain.touches import DAYS
from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

POINTS_MAX = 10_000
WAIT_DAYS_MAX = 30
PER_MONTH_MAX = 100


class InvitationState(StrEnum):
    PENDING = "pending"  # until the order has been completed for some days
    HELD = "held"  # staff decide
    GRANTED = "granted"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"  # granted before


class Why(StrEnum):
    """Why an invitation brings nothing, or waits for staff."""

    SELF = "self"  # inviter and invited are one person
    BOUGHT_BEFORE = "bought_before"  # who was invited was no new buyer
    CYCLE = "cycle"  # the inviter was invited by whom they invited
    FAILED = "failed"  # the group did not form; another one may
    REFUNDED = "refunded"  # the order went back
    FREE = "free"  # nothing was paid
    CLOSED = "closed"  # one of the two has closed their account
    LIMIT = "limit"  # the inviter was given as many in the month as the shop gives
    STAFF = "staff"
    SAME_PHONE = "same_phone"  # held
    SAME_ADDRESS = "same_address"  # held
    SAME_PAYER = "same_payer"  # held


FINAL = frozenset({Why.LIMIT, Why.STAFF})  # of what was refused: nothing undoes it
LIVE = frozenset({InvitationState.PENDING, InvitationState.HELD, InvitationState.GRANTED})


@dataclass(frozen=True)
class InvitationsRule:
    """A shop's. coupon_id, points: for who invited. gift_id: coupon for who was invited. Templates;
    empty: none. wait_days: after the order is completed. per_month: of one inviter. since_s: when
    it was switched on: orders that were placed before bring nothing."""

    on: bool = False
    coupon_id: str = ""
    points: int = 0
    gift_id: str = ""
    wait_days: int = 7
    per_month: int = 10
    since_s: int = 0

    def stored(self) -> dict[str, Any]:
        """As a shop keeps it; read by `rule_of`."""
        return asdict(self)

    @property
    def words(self) -> list[str]:
        """Who counts and when, as buyers read it."""
        if not self.on:
            return [Text("店铺现在没有邀请有礼。")]
        when = Text("这笔订单完成后发放；整单退款的不算，已发的会收回。")
        if self.wait_days:
            words = "这笔订单完成 {days} 天后发放；整单退款的不算，已发的会收回。"
            when = Text(words, days=self.wait_days)
        new = "好友是新客，下第一单前 {days} 天内先打开了你分享的团，这一单又拼成了，才算。"
        return [
            Text(new, days=DAYS),
            when,
            Text("分享本身没有奖励；好友再邀请别人，不算你的。"),
            Text("每月最多 {max} 人。", max=self.per_month),
        ]


def rule_of(stored: Mapping[str, Any] | None) -> InvitationsRule:
    """The rule that a shop keeps; off where it has none."""
    return InvitationsRule(**stored) if stored else InvitationsRule()


def check(rule: InvitationsRule, *, has_points: bool) -> None:
    """Return only when a shop may have such a rule. Raises InvalidRequest."""
    if rule.on and not rule.coupon_id and not rule.points:
        words = "请选择送给邀请人的优惠券，或填写积分。"
        raise InvalidRequest(words, field="invitations.coupon_id")
    if rule.on and rule.points and not has_points:
        raise InvalidRequest("请先打开积分，再送积分。", field="invitations.points")


@dataclass(frozen=True)
class Case:
    """An invitation as it stands: what has become of it, of its order, of both people.

    due: its order has been completed for long enough. limit: what of the month the inviter was
    given already is as much as the shop gives. doubts: for staff, who have not decided yet. over:
    it had brought something, which was taken back.
    """

    state: InvitationState
    why: Why | None = None
    same_person: bool = False
    bought_before: bool = False
    is_cycle: bool = False
    group_failed: bool = False
    went_back: bool = False
    is_free: bool = False
    closed: bool = False
    due: bool = False
    limit: bool = False
    over: bool = False
    doubts: tuple[Why, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What becomes of an invitation. doubts: why staff are to look at it."""

    state: InvitationState
    why: Why | None = None
    doubts: tuple[Why, ...] = ()


def decide(case: Case) -> Verdict:
    """What becomes of an invitation now."""
    if case.state is InvitationState.GRANTED:
        why = _broken(case)
        return Verdict(InvitationState.TAKEN_BACK if why else InvitationState.GRANTED, why)
    if case.state is InvitationState.TAKEN_BACK or case.over or case.why in FINAL:
        return Verdict(case.state, case.why)
    why = _broken(case) or _refused(case)
    if why is not None:
        return Verdict(InvitationState.REFUSED, why)
    if case.doubts:
        return Verdict(InvitationState.HELD, None, case.doubts)
    if not case.due:
        return Verdict(InvitationState.PENDING)
    if case.limit:
        return Verdict(InvitationState.REFUSED, Why.LIMIT)
    return Verdict(InvitationState.GRANTED)


def _broken(case: Case) -> Why | None:
    """Why the invitation is none, even if something was given for it."""
    if case.same_person:
        return Why.SELF
    if case.bought_before:
        return Why.BOUGHT_BEFORE
    return Why.REFUNDED if case.went_back else None


def _refused(case: Case) -> Why | None:
    if case.closed:
        return Why.CLOSED
    if case.is_cycle:
        return Why.CYCLE
    if case.group_failed:
        return Why.FAILED
    return Why.FREE if case.is_free else None


def doubts_of(
    recipient: Mapping[str, str],
    known: Collection[Mapping[str, str]],
    phone_of_login: str,
    *,
    payers: Set[str] = frozenset(),
    known_payers: Set[str] = frozenset(),
) -> tuple[Why, ...]:
    """Why staff are to look at an invitation: its order goes to a phone or an address of the
    inviter's, or was paid by who paid theirs. known, known_payers: of their own orders.
    phone_of_login: the inviter's, masked."""
    phone = recipient.get("phone", "")
    found = []
    is_login = phone_of_login == masked_phone(phone)
    if phone and (is_login or phone in {it.get("phone") for it in known}):
        found.append(Why.SAME_PHONE)
    place = _place(recipient)
    if place and place in {_place(it) for it in known}:
        found.append(Why.SAME_ADDRESS)
    if payers & known_payers:
        found.append(Why.SAME_PAYER)
    return tuple(found)


def _place(address: Mapping[str, str]) -> str:
    """Where an address is, however it is spaced; empty: it is collected in a store."""
    street = "".join(address.get("street", "").split())
    if not street:
        return ""
    return "".join(address.get(part, "") for part in ("province", "city", "district")) + street
