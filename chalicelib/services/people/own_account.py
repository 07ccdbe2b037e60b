"""What people do with their own account: the password, codes of an app (TOTP), sessions."""

import os

from chalicelib.domain import totp
from chalicelib.errors import Changed, Conflict, InvalidRequest
from chalicelib.gateways import sealed
from chalicelib.services.people import brute_force_guard, sessions
from chalicelib.services.people import staff as people
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, retried, transaction, update_one
from chalicelib.tables.shop import StaffItem


def change_password(merchant_id: str, username: str, old: str, new: str, *, now_s: int) -> int:
    """Choose another password; the version of the sessions that are good from now on.

    Every earlier session ends. Raises InvalidRequest with its field (a wrong old one is counted
    like a wrong login), TooManyRequests while the name rests, Changed.
    """
    item = _proven(merchant_id, username, old, field="old_password", now_s=now_s)
    if new in (old, username):
        words = "新密码不能与原密码或账号相同，请换一个。"
        raise InvalidRequest(words, field="new_password")
    with transaction() as writes:
        writes.update(
            item,
            [
                StaffItem.password_hash.set(people.hashed(new)),
                StaffItem.must_change.set(False),
                StaffItem.session_version.add(1),
            ],
            condition=StaffItem.session_version == item.session_version,
            refuse=lambda old: Changed(),
        )
        subject = f"staff#{username}"
        audit(writes, merchant_id, username, "password_changed", subject, {}, {}, now_s)
    sessions.refresh(merchant_id, username)
    return int(item.session_version) + 1


def end_sessions(merchant_id: str, username: str, *, now_s: int) -> None:
    """End every session of one's own, the asking one too."""

    def step() -> None:
        item = people.read(merchant_id, username)
        with transaction() as writes:
            writes.update(
                item,
                [StaffItem.session_version.add(1)],
                condition=StaffItem.session_version == item.session_version,
                refuse=LostRace,
            )
            subject = f"staff#{username}"
            audit(writes, merchant_id, username, "sessions_ended", subject, {}, {}, now_s)

    retried(step)
    sessions.refresh(merchant_id, username)


def begin_totp(merchant_id: str, username: str) -> bytes:
    """A new secret for one's authenticator app; nothing asks for its codes until one has come.

    Another beginning replaces it. Raises Conflict when codes are in use already.
    """
    secret = os.urandom(totp.SECRET_BYTES)

    def step() -> None:
        item = people.read(merchant_id, username)
        if item.totp_secret:
            raise Conflict("两步验证已经开启。要换设备，请先关闭再重新开启。")
        update_one(
            item,
            [StaffItem.totp_pending.set(sealed.seal(secret, *people.sealed_for(item)))],
            condition=StaffItem.pk.exists() & StaffItem.totp_secret.does_not_exist(),
            refuse=LostRace,
        )

    retried(step)
    return secret


def confirm_totp(merchant_id: str, username: str, code: str, *, now_s: int) -> None:
    """Use codes from now on: the app has shown a right one. A repeat with it changes nothing.

    Raises InvalidRequest for a wrong code, Conflict when none was begun. Once codes are in use, a
    wrong one is counted like a wrong login: TooManyRequests while the name rests.
    """

    def step() -> None:
        item = people.read(merchant_id, username)
        if not item.totp_pending:
            if item.totp_secret and _is_shown(item, code, now_s):
                return
            raise Conflict("请先点“开启两步验证”，扫码后再输入验证码。")
        taken = _accepted(item, item.totp_pending, code, now_s)
        if taken is None:
            words = "验证码不正确。请确认手机时间准确，输入现在显示的 6 位数字。"
            raise InvalidRequest(words, field="code")
        with transaction() as writes:
            writes.update(
                item,
                [
                    StaffItem.totp_secret.set(item.totp_pending),
                    StaffItem.totp_step.set(taken),
                    StaffItem.totp_pending.remove(),
                ],
                condition=StaffItem.totp_pending == item.totp_pending,
                refuse=LostRace,
            )
            before, after = {"totp": False}, {"totp": True}
            subject = f"staff#{username}"
            audit(writes, merchant_id, username, "totp_added", subject, before, after, now_s)

    retried(step)


def remove_totp(merchant_id: str, username: str, password: str, *, now_s: int) -> None:
    """Ask for codes no more. A repeat changes nothing. Raises as `change_password` does."""
    item = _proven(merchant_id, username, password, field="password", now_s=now_s)
    if not item.totp_secret:
        return
    with transaction() as writes:
        writes.update(
            item,
            [StaffItem.totp_secret.remove(), StaffItem.totp_step.remove()],
            condition=(StaffItem.totp_secret == item.totp_secret)
            & (StaffItem.session_version == item.session_version),
            refuse=lambda old: Changed(),
        )
        before, after = {"totp": True}, {"totp": False}
        subject = f"staff#{username}"
        audit(writes, merchant_id, username, "totp_removed", subject, before, after, now_s)


def _accepted(item: StaffItem, box: str, code: str, now_s: int) -> int | None:
    secret = sealed.unseal(box, *people.sealed_for(item))
    return totp.accepted_step(secret, code, now_s=now_s)


def _is_shown(item: StaffItem, code: str, now_s: int) -> bool:
    """Whether it is a code of the app in use. The session may be somebody else's by now."""
    guess = brute_force_guard.count_guess(
        brute_force_guard.PASSWORDS, item.merchant_id, item.username, now_s=now_s
    )
    if _accepted(item, str(item.totp_secret), code, now_s) is None:
        return False
    brute_force_guard.uncount(guess)
    return True


def _proven(merchant_id: str, username: str, password: str, *, field: str, now_s: int) -> StaffItem:
    """The person, whose password this is. A session may be somebody else's by now: guessing costs
    the same as at the login."""
    guess = brute_force_guard.count_guess(
        brute_force_guard.PASSWORDS, merchant_id, username, now_s=now_s
    )
    item = people.read(merchant_id, username)
    if not people.is_right(item, password):
        raise InvalidRequest("密码不正确，请重新输入。", field=field)
    brute_force_guard.reset(guess)
    return item
