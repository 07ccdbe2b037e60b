"""What a merchant's accounts at a gateway were before: none is lost when another one is saved.

Another identity at the gateway (merchant number, app, mode) is another account: the one before is
kept below the present one and stays usable for what was begun with it. Other keys of the same
identity leave the account what it is; those that the gateway may still use are believed a while.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.product import trouble
from chalicelib.errors import InvalidRequest
from chalicelib.gateways import accounts, secrets
from chalicelib.gateways.accounts import (
    HISTORY,
    OFFICIAL_ACCOUNT,
    Content,
    Earlier,
    History,
    Place,
    Retired,
)
from chalicelib.text import Text

IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "wechat-pay": ("mchid", "appid", "sp_mchid", "sp_appid", "sub_mchid", "sub_appid"),
    "alipay": ("app_id", "seller_id"),
}
BILLED: Mapping[str, tuple[str, ...]] = {  # what makes the merchant number of a bill
    "wechat-pay": ("mchid", "sp_mchid", "sub_mchid"),
    "alipay": ("seller_id",),
}
# WeChat Pay repeats a callback for a day, and moves a merchant to another key within a week.
RETIRED_KEYS_S = 14 * DAY_S
EARLIER_MAX = 20
Parts = dict[str, Any]


def without_history(content: Content) -> Parts:
    """The account itself."""
    return {name: value for name, value in content.items() if name != HISTORY}


def account_to_update(merchant_id: str, method: str, now: Content, new: Content) -> Content:
    """The account whose keys a new one keeps where it names none: that of its identity, where the
    merchant has or had it; else the present one."""
    wanted = _values(new, IDENTITIES[method])
    if wanted == _values(now, IDENTITIES[method]):
        return now
    found = (content for _, content in earlier_accounts(merchant_id, method, now))
    return next((c for c in found if wanted == _values(c, IDENTITIES[method])), now)


def with_history(
    merchant_id: str, method: str, now: Content, base: Content, new: Content, *, now_s: int
) -> Parts:
    """What is to be stored when `new` becomes the present account, after `now`.

    base: what `same_as` gave. Raises InvalidRequest when there are too many accounts.
    """
    if _values(new, IDENTITIES[method]) == _values(now, IDENTITIES[method]) or not without_history(
        now
    ):
        history = replace(
            accounts.history_of(now),
            retired=_retired(method, now, new, now_s),
            apps=_apps(now, new),
        )
    else:
        history = _history_after_switch(merchant_id, method, now, base, new, now_s)
    return _within_size(new, history)


def store(merchant_id: str, method: str, now: Content, whole: Content) -> None:
    """Store the account that is to be the present one. Raises Busy; a repeat writes the same
    again."""
    for name, content in parameters(merchant_id, method, now, whole):
        secrets.write(name, json.dumps(content))


def parameters(
    merchant_id: str, method: str, now: Content, whole: Content
) -> Iterator[tuple[str, Content]]:
    """(parameter, content) to be written when `whole` comes in the place of `now`, in this order:
    the account before, then the new one below it, too, so that whoever meets its id finds it
    whatever becomes of the last write."""
    before, after = accounts.history_of(now), accounts.history_of(whole)
    if before.place != after.place:
        for content, history in ((now, before), (whole, after)):
            kept = {**without_history(content), HISTORY: replace(history, earlier=()).stored}
            yield accounts.parameter(merchant_id, method, history.place.account), kept
    yield accounts.parameter(merchant_id, method), whole


def earlier_accounts(
    merchant_id: str, method: str, present: Content
) -> Iterator[tuple[Earlier, Content]]:
    """Every account of before, the latest first."""
    for one in reversed(accounts.history_of(present).earlier):
        try:
            name = accounts.parameter(merchant_id, method, one.account)
            yield one, secrets.json_secret(name)
        except secrets.NotConfigured:
            continue


def _history_after_switch(
    merchant_id: str, method: str, now: Content, base: Content, new: Content, now_s: int
) -> History:
    """The history of an account that comes in the place of `now`."""
    before = accounts.history_of(now)
    if base is now:
        place = _new_place(merchant_id, method, now, new)
        retired: tuple[Retired, ...] = ()
    else:
        place = accounts.history_of(base).place
        retired = _retired(method, base, new, now_s)
    others = [one for one in before.earlier if one.account != place.account]
    ended = Earlier(before.place.account, before.place.bills, before.since_s, now_s)
    if len(others) >= EARLIER_MAX:
        words = Text(
            "收款账户换过 {max} 次以上，不能再换新的。请联系系统的维护人员。", max=EARLIER_MAX
        )
        raise InvalidRequest(words, problems=[trouble("mchid", words)])
    apps = () if base is now else _apps(base, new)
    return History(place, now_s, (*others, ended), retired, apps)


def _new_place(merchant_id: str, method: str, now: Content, new: Content) -> Place:
    account = accounts.account_id(merchant_id, method, _values(new, IDENTITIES[method]))
    number = _values(new, BILLED[method])
    known = [now, *(content for _, content in earlier_accounts(merchant_id, method, now))]
    same = (accounts.history_of(c).place for c in known if _values(c, BILLED[method]) == number)
    return Place(account, bills=next((place.bills for place in same), account))


def _retired(method: str, old: Content, new: Content, now_s: int) -> tuple[Retired, ...]:
    """The keys that are still believed, those that `new` replaces among them; the newest last."""
    kept = accounts.retired_keys(old, now_s)
    given, had = new.get("public_keys") or {}, old.get("public_keys") or {}
    gone = tuple(sorted((serial, pem) for serial, pem in had.items() if serial not in given))
    replaced = {
        name: old[name]
        for name in ("api_v3_key", "alipay_public_key")
        if old.get(name) and old[name] != new.get(name)
    }
    if not gone and not replaced:
        return tuple(kept)
    return (*kept, Retired(now_s + RETIRED_KEYS_S, public_keys=gone, **replaced))


def _apps(old: Content, new: Content) -> tuple[str, ...]:
    """The official accounts that an account was used with before: payments name them for ever."""
    known = {*accounts.history_of(old).apps, old.get(OFFICIAL_ACCOUNT)}
    return tuple(sorted(filter(None, known - {new.get(OFFICIAL_ACCOUNT)})))


def _within_size(new: Content, history: History) -> Parts:
    """The account with its history; the oldest replaced keys are given up where it is too much."""
    if history == History():
        return dict(new)
    whole = {**new, HISTORY: history.stored}
    if history.retired and len(json.dumps(whole)) > secrets.VALUE_MAX:
        return _within_size(new, replace(history, retired=history.retired[1:]))
    return whole


def _values(content: Content, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(content.get(name) or "") for name in names)
