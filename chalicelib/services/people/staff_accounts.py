"""What the owner decides of others' accounts: invited, changed, disabled, begun anew."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.errors import Changed, Conflict, IdempotencyMismatch, LastOwner, LimitReached
from chalicelib.services.people import brute_force_guard, list_revisions, sessions
from chalicelib.services.people import staff as people
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, transaction
from chalicelib.tables.shop import StaffItem
from chalicelib.text import Text

# Without what is easily taken for something else: read out over a telephone, or copied by hand.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_LETTERS_COUNT, _LETTERS_TOGETHER = 12, 4


class StaffState(StrEnum):
    INVITED = "invited"  # has a first password, and has not chosen another
    ACTIVE = "active"
    DISABLED = "disabled"  # cannot log in; sessions have ended


@dataclass(frozen=True)
class Member:
    item: StaffItem
    locked_until_s: int | None  # too many wrong passwords; epoch seconds

    @property
    def state(self) -> StaffState:
        if self.item.disabled:
            return StaffState.DISABLED
        return StaffState.INVITED if self.item.must_change else StaffState.ACTIVE


def members(merchant_id: str, *, now_s: int) -> list[Member]:
    """Everyone who works for the shop, by username."""
    items = people.everyone(merchant_id)
    names = [item.username for item in items]
    ends = brute_force_guard.locked_until(
        brute_force_guard.PASSWORDS, merchant_id, names, now_s=now_s
    )
    return [Member(item, ends.get(item.username)) for item in items]


def member(merchant_id: str, username: str, *, now_s: int) -> Member:
    """One of them. Raises NotFound."""
    item = people.read(merchant_id, username)
    ends = brute_force_guard.locked_until(
        brute_force_guard.PASSWORDS, merchant_id, [username], now_s=now_s
    )
    return Member(item, ends.get(username))


def first_password(seed: str) -> str:
    """A password for one login, the same for the same seed: as unguessable as that is, 59 bits."""
    number = int.from_bytes(hashlib.sha256(f"first password {seed}".encode()).digest(), "big")
    letters = ""
    for _ in range(_LETTERS_COUNT):
        number, letter = divmod(number, len(_LETTERS))
        letters += _LETTERS[letter]
    starts = range(0, _LETTERS_COUNT, _LETTERS_TOGETHER)
    return "-".join(letters[start : start + _LETTERS_TOGETHER] for start in starts)


def invite(
    merchant_id: str,
    username: str,
    *,
    name: str,
    role: str,
    seed: str,
    body_hash: str,
    staff: str,
    now_s: int,
    rights: Mapping[str, str] | None = None,
) -> str:
    """Add a member of staff; their first password, which is told this once.

    A repeat with the same seed tells it again, until it has been changed; with another body, it
    raises IdempotencyMismatch. Raises Conflict when the username is taken, LimitReached.
    """
    password = first_password(seed)

    def step() -> None:
        known = get_or_none(StaffItem.at(merchant_id, username))
        if known is not None:
            if not known.must_change or not people.is_right(known, password):
                raise Conflict("这个账号已存在，请换一个。")
            if known.body_hash != body_hash:
                raise IdempotencyMismatch
            return
        before = list_revisions.seen(merchant_id, "staff")
        if len(people.everyone(merchant_id, consistent=True)) >= people.STAFF_MAX:
            words = Text("最多可以有 {max} 位员工，停用的也算在内。", max=people.STAFF_MAX)
            raise LimitReached(words, max=people.STAFF_MAX)
        try:
            people.add(
                merchant_id,
                username,
                name=name,
                role=role,
                rights=rights,
                password=password,
                staff=staff,
                now_s=now_s,
                must_change=True,
                body_hash=body_hash,
                before=before,
            )
        except Conflict as taken:  # by this very invitation, perhaps
            raise LostRace from taken

    retried(step)
    return password


def change(
    merchant_id: str,
    username: str,
    *,
    name: str,
    role: str,
    disabled: bool,
    revision: int,
    staff: str,
    now_s: int,
    rights: Mapping[str, str] | None = None,
) -> StaffItem:
    """Change what was read at `revision`; a repeat changes nothing more.

    rights: where they differ from the role's; None leaves them as they are, or takes them back to
    the preset when the role changes.
    Who is disabled loses every session, and logs in anew when enabled again. An owner stays one
    unless another could do everything in their place, which is checked in the same transaction.
    Raises NotFound, Changed, LastOwner or Busy.
    """

    def step() -> StaffItem:
        item = people.read(merchant_id, username)
        before = _of(item)
        differences = (
            before["rights"] if rights is None and role == item.role else dict(rights or {})
        )
        after = {"name": name, "role": role, "disabled": disabled, "rights": differences}
        if before == after:
            return item
        if item.revision != revision:
            raise Changed
        actions = [
            StaffItem.revision.add(1),
            StaffItem.name.set(name),
            StaffItem.role.set(role),
            StaffItem.disabled.set(disabled),
            StaffItem.rights.set(differences) if differences else StaffItem.rights.remove(),
        ]
        if disabled and not item.disabled:
            actions.append(StaffItem.session_version.add(1))
        with transaction() as writes:
            if _is_owner(item) and (disabled or role != people.OWNER):
                _require_another_owner(writes, item)
            writes.update(
                item,
                actions,
                condition=StaffItem.revision == revision,
                refuse=LostRace,
            )
            subject = f"staff#{username}"
            audit(writes, merchant_id, staff, "staff_changed", subject, before, after, now_s)
        return people.read(merchant_id, username)

    changed = retried(step)
    sessions.refresh(merchant_id, username)
    return changed


def reset_password(merchant_id: str, username: str, *, seed: str, staff: str, now_s: int) -> str:
    """Give somebody else a new first password, which is told this once.

    Their sessions end, their codes (TOTP) are removed, a lock-out is lifted. A repeat with the same
    seed tells the same password. Raises NotFound; Conflict for one's own, which `own_account`
    changes for who knows the old one.
    """
    if username == staff:
        raise Conflict("重置是给其他员工用的。自己的密码请用“修改密码”。")
    password = first_password(seed)
    password_hash = people.hashed(password)

    def step() -> None:
        item = people.read(merchant_id, username)
        if item.must_change and people.is_right(item, password):
            return
        with transaction() as writes:
            writes.update(
                item,
                [
                    StaffItem.password_hash.set(password_hash),
                    StaffItem.must_change.set(True),
                    StaffItem.session_version.add(1),
                    StaffItem.totp_secret.remove(),
                    StaffItem.totp_pending.remove(),
                    StaffItem.totp_step.remove(),
                ],
                condition=StaffItem.session_version == item.session_version,
                refuse=LostRace,
            )
            before = {"totp": item.totp_secret is not None}
            after = {"totp": False}
            subject = f"staff#{username}"
            audit(writes, merchant_id, staff, "password_reset", subject, before, after, now_s)

    retried(step)
    brute_force_guard.unlock(brute_force_guard.PASSWORDS, merchant_id, username)
    sessions.refresh(merchant_id, username)
    return password


def _of(item: StaffItem) -> dict[str, Any]:
    """What an owner decides of somebody, as the audit log keeps it."""
    return {
        "name": item.name,
        "role": item.role,
        "disabled": item.disabled,
        "rights": item.rights.as_dict() if item.rights is not None else {},
    }


def _is_owner(item: StaffItem) -> bool:
    return item.role == people.OWNER and not item.disabled


def _require_another_owner(writes: Writes, item: StaffItem) -> None:
    """Somebody else who can log in and do what an owner can, still so when this is committed.

    Two owners who demote each other at once each check what the other writes: one of them fails.
    """
    others = (o for o in people.everyone(item.merchant_id) if o.username != item.username)
    witness = next((o for o in others if _is_owner(o) and not o.must_change), None)
    if witness is None:
        raise LastOwner
    still_so = (
        (StaffItem.role == witness.role)
        & (StaffItem.disabled == witness.disabled)
        & (StaffItem.must_change == witness.must_change)
    )
    writes.check(witness, condition=still_so, refuse=LostRace)
