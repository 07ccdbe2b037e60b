"""Proving a phone by a code that is sent to it.

Nobody learns here whether a number is known: it is sent a code like any other. What is stored is a
keyed hash of the code, under a keyed hash of the number. The code is written before it is sent, so
a message that arrives can be used; it replaces the one before.
"""

import secrets as random
from dataclasses import dataclass

from chalicelib import observability
from chalicelib.domain import phone_code as rules
from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import derived_id, new_id
from chalicelib.errors import PhoneCodeRefused, TooManyRequests
from chalicelib.gateways import secrets
from chalicelib.gateways.sms import sms
from chalicelib.services.people import brute_force_guard, buyers, shop_cache
from chalicelib.services.people.identities import identity_id
from chalicelib.tables.base import LostRace, get_or_none, put_new, retried, update_one
from chalicelib.tables.shop import PhoneCodeItem
from chalicelib.text import Text

TOO_OFTEN = "获取验证码太频繁，请 {minutes} 分钟后再试。"


@dataclass(frozen=True)
class Sent:
    expires_at_s: int
    again_at_s: int  # when another may be asked for


def send(merchant_id: str, number: str, *, device_id: str, caller: str, now_s: int) -> Sent:
    """Send a new code to a number.

    device_id: as the client names it; caller: the address that asks. Raises NotFound for no such
    merchant or one that sends no messages, TooManyRequests, InvalidRequest for a number that takes
    none, GatewayFailed, Busy.
    """
    shop_cache.merchant(merchant_id, now_s)
    sender = sms(merchant_id)
    for kind, subject in (
        (brute_force_guard.CODES_BY_ADDRESS, caller),
        (brute_force_guard.CODES_BY_DEVICE, device_id),
    ):
        brute_force_guard.count_guess(kind, merchant_id, subject, now_s=now_s)
    address, device = _mark(merchant_id, "address", caller), _mark(merchant_id, "device", device_id)
    code = f"{random.randbelow(10**rules.DIGITS):0{rules.DIGITS}}"
    sent = retried(lambda: _keep(merchant_id, number, code, address, device, now_s))
    sender.send_code(number, code, minutes=rules.LIFE_S // 60)
    observability.count("PhoneCodesSent")
    again_at_s = now_s + rules.wait_s(sent, address=address, device=device, now_s=now_s)
    return Sent(now_s + rules.LIFE_S, again_at_s)


def prove(merchant_id: str, number: str, code: str, *, caller: str, now_s: int) -> Identity:
    """The identity that the number is, when this is its code, which is good once.

    Raises NotFound for no such merchant, PhoneCodeRefused for a wrong, old, used or guessed-at code
    alike; TooManyRequests when this caller guessed too often; Busy.
    """
    shop_cache.merchant(merchant_id, now_s)
    with buyers.counted(merchant_id, caller, now_s):
        _use(merchant_id, number, code, caller, now_s)
    return Identity(Way.PHONE, number)


def _keep(
    merchant_id: str, number: str, code: str, address: str, device: str, now_s: int
) -> list[rules.Sent]:
    """Write the code in the place of the one before; the codes that were sent to the number."""
    key = PhoneCodeItem.at(merchant_id, identity_id(merchant_id, Identity(Way.PHONE, number)))
    before = get_or_none(key)
    kept = before.sent if before else ()
    earlier = rules.still_counted(
        (rules.Sent(row["at_s"], frozenset(row["askers"])) for row in kept), now_s=now_s
    )
    wait_s = rules.wait_s(earlier, address=address, device=device, now_s=now_s)
    if wait_s:
        observability.count("PhoneCodesRefused")
        raise TooManyRequests(Text(TOO_OFTEN, minutes=-(-wait_s // 60)), retry_after_s=wait_s)
    sent = [*earlier, rules.Sent(now_s, frozenset((address, device)))]
    values = {
        "code_hash": _hash(merchant_id, number, code),
        "expires_at_s": now_s + rules.LIFE_S,
        "tries_left": rules.TRIES_MAX,
        "tries_of_others_left": rules.TRIES_MAX,
        "sent": [{"at_s": one.at_s, "askers": sorted(one.askers)} for one in sent],
        "ttl_s": now_s + rules.REMEMBERED_S,
    }
    if before is None:
        for name, value in values.items():
            setattr(key, name, value)
        if not put_new(key):
            raise LostRace
    else:
        update_one(
            key,
            [getattr(PhoneCodeItem, name).set(value) for name, value in values.items()],
            condition=PhoneCodeItem.sent == list(before.sent),
            refuse=LostRace,
        )
    return sent


def _use(merchant_id: str, number: str, code: str, caller: str, now_s: int) -> None:
    """Count a try, then use the code up: of many at once, five are told anything, and one enters.

    Who has not asked for the code guesses out of another five, so that wrong guesses of strangers
    leave the owner theirs. Raises PhoneCodeRefused.
    """
    key = PhoneCodeItem.at(merchant_id, identity_id(merchant_id, Identity(Way.PHONE, number)))
    item = get_or_none(key)
    if item is None:
        raise PhoneCodeRefused
    has_asked = _mark(merchant_id, "address", caller) in item.sent[-1]["askers"]
    left = PhoneCodeItem.tries_left if has_asked else PhoneCodeItem.tries_of_others_left
    update_one(
        item,
        [left.add(-1)],
        condition=(left > 0) & (PhoneCodeItem.expires_at_s > now_s),
        refuse=PhoneCodeRefused,
    )
    mine = new_id()
    try:
        update_one(
            item,
            [PhoneCodeItem.code_hash.remove(), PhoneCodeItem.used_by.set(mine)],
            condition=PhoneCodeItem.code_hash == _hash(merchant_id, number, code),
            refuse=LostRace,
        )
    except LostRace:
        kept = get_or_none(item)
        if kept is None or kept.used_by != mine:  # else the answer was lost, and not the code
            raise PhoneCodeRefused from None


def _mark(merchant_id: str, kind: str, asker: str) -> str:
    """What tells an address or a device from others, and not which it is."""
    return derived_id(secrets.secret("id-key").encode(), kind, merchant_id, asker)


def _hash(merchant_id: str, number: str, code: str) -> str:
    key = secrets.secret("id-key").encode()
    return derived_id(key, "phone code", merchant_id, number, code)
