"""A merchant's accounts at the gateways: what is told of them, changed and checked.

An account lies in SSM, encrypted, and its keys are never told again. Who changed it lies in the
catalogue, with an audit row, and is written first: no account changes without a trace. When the
account itself was then not written, the mark of what should have been tells, and a repeat, or
another save, mends it.
"""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.domain import account_words
from chalicelib.domain.ids import derived_id, new_id
from chalicelib.domain.product import Problem, raise_problems, trouble
from chalicelib.errors import Changed, GatewayFailed, InvalidRequest
from chalicelib.gateways import secrets
from chalicelib.gateways.accounts import OFFICIAL_ACCOUNT, Earlier, Place, history_of
from chalicelib.gateways.directory import ALIPAY, WECHAT_PAY, payment_gateway
from chalicelib.services.people import merchants, payment_account_history
from chalicelib.services.people.audit import audit
from chalicelib.services.people.payment_account_history import without_history
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.shop import PaymentAccountItem

# As their parameters are named.
PAY, PAY_BY_ALIPAY = "wechat-pay", "alipay"
LOGIN, WEB_LOGIN, MESSAGES = "wechat-login", "wechat-account", "sms"
METHODS = (PAY, PAY_BY_ALIPAY, LOGIN, WEB_LOGIN, MESSAGES)
# What is never told: secrets, and public keys, which are none but too long. None in a new content:
# as it is now.
KEPT: Mapping[str, tuple[str, ...]] = {
    PAY: ("private_key", "api_v3_key", "public_keys"),
    PAY_BY_ALIPAY: ("private_key", "alipay_public_key"),
    LOGIN: ("app_secret",),
    WEB_LOGIN: ("app_secret",),
    MESSAGES: ("secret_key",),
}
TOLD: Mapping[str, tuple[str, ...]] = {
    PAY: (
        "mode",
        "mchid",
        "appid",
        "sp_mchid",
        "sp_appid",
        "sub_mchid",
        "sub_appid",
        "official_account_appid",
        "serial_no",
    ),
    PAY_BY_ALIPAY: ("app_id", "seller_id"),
    LOGIN: ("appid",),
    WEB_LOGIN: ("appid",),
    MESSAGES: ("secret_id", "sdk_app_id", "sign_name", "template_id", "region"),
}
OTHER_LOGIN: Mapping[str, tuple[str, str]] = {
    LOGIN: (WEB_LOGIN, account_words.OF_OFFICIAL_ACCOUNT),
    WEB_LOGIN: (LOGIN, account_words.OF_MINI_PROGRAM),
}
_UNKNOWN_TRADE = "0" * 10  # after a fresh id, as long as a number of ours, and nobody's


@dataclass(frozen=True)
class Account:
    """An account as it may be told. `facts`: of TOLD what it has; nothing where there is none."""

    method: str
    facts: Mapping[str, Any]
    key_serials: tuple[str, ...]
    item: PaymentAccountItem | None  # None: never changed here
    as_saved: bool  # False: the last save was cut off, or somebody changed it elsewhere
    place: Place  # which of the merchant's accounts it is
    is_offered: bool  # False: no new payment is begun with the method


@dataclass(frozen=True)
class Verdict:
    accepted: bool
    reason: str  # the gateway's code, or ours; empty when accepted
    words: str


def everything(merchant_id: str) -> list[Account]:
    """All methods, configured or not, as they are now."""
    return [read(merchant_id, method) for method in METHODS]


def read(merchant_id: str, method: str) -> Account:
    item = get_or_none(PaymentAccountItem.at(merchant_id, method))
    content = _content(merchant_id, method)
    mark = _mark(merchant_id, method, without_history(content))
    as_saved = item is None or hmac.compare_digest(item.mark, mark)
    serials = tuple(sorted(_public_keys(content)))
    history = history_of(content)
    facts = _facts(method, content)
    offered = method.replace("-", "_") not in (merchants.read(merchant_id).payments_off or ())
    return Account(method, facts, serials, item, as_saved, history.place, offered)


def change(
    merchant_id: str,
    method: str,
    new: Mapping[str, Any],
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> Account:
    """Keep `new` as the account that was read at `revision` (0: never changed here).

    What is None stays as it is. `public_keys` are exactly those of `new`; one of them that is None
    stays as it is. In use here at once, everywhere after secrets.KEPT_S. An account with another
    identity at the gateway comes in the place of the present one, which is kept for what was begun
    with it (account_history). A repeat writes the same again.
    Raises InvalidRequest with all problems, Changed or Busy.
    """
    now = _content(merchant_id, method)
    named = _trimmed({name: part for name, part in new.items() if name not in KEPT[method]})
    has_history = method in payment_account_history.IDENTITIES
    base = (
        payment_account_history.account_to_update(merchant_id, method, now, named)
        if has_history
        else now
    )
    content = _trimmed({**new, **_kept(method, new, base)})
    raise_problems([*_problems(method, content), *_of_other_login(merchant_id, method, content)])
    whole = content
    if has_history:
        whole = payment_account_history.with_history(
            merchant_id, method, now, base, content, now_s=now_s
        )
        raise_problems(_too_much(whole))
    mark = _mark(merchant_id, method, content)

    def step() -> None:
        item = get_or_none(PaymentAccountItem.at(merchant_id, method))
        if item is not None and item.mark == mark:
            return
        if (item.revision if item else 0) != revision:
            raise Changed
        _note(merchant_id, method, item, mark, now, content, staff, now_s)

    retried(step)
    if has_history:
        payment_account_history.store(merchant_id, method, now, whole)
    else:
        secrets.write(_name(merchant_id, method), json.dumps(whole))
    return read(merchant_id, method)


def earlier(merchant_id: str, method: str) -> list[tuple[Earlier, Mapping[str, Any]]]:
    """(account, what may be told of it) of every account of before, the latest first."""
    if method not in payment_account_history.IDENTITIES:
        return []
    present = _content(merchant_id, method)
    found = payment_account_history.earlier_accounts(merchant_id, method, present)
    return [(one, _facts(method, content)) for one, content in found]


def check(merchant_id: str, method: str) -> Verdict:
    """Ask the gateway something harmless that it answers only to who has the right keys."""
    secrets.refresh(_name(merchant_id, method))
    try:
        _CHECKS[method](merchant_id)
    except secrets.NotConfigured as missing:
        return Verdict(False, "not_configured", missing.message)
    except GatewayFailed as failure:
        reason = str(failure.details.get("reason", ""))
        return Verdict(False, reason, account_words.refused(method, reason))
    other = _other_app(merchant_id) if method == PAY else None
    if other is not None:
        return Verdict(False, "other_app", other)
    return Verdict(True, "", account_words.ACCEPTED[method])


def _note(
    merchant_id: str,
    method: str,
    item: PaymentAccountItem | None,
    mark: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    staff: str,
    now_s: int,
) -> None:
    """Write who is about to change the account, and what of it but keys."""
    fields = {"mark": mark, "staff": staff, "changed_at_s": now_s}
    with transaction() as writes:
        if item is None:
            new = PaymentAccountItem.at(merchant_id, method, **fields)
            writes.put(new, refuse=LostRace)
        else:
            writes.update(
                item,
                [
                    PaymentAccountItem.revision.add(1),
                    *(getattr(PaymentAccountItem, f).set(value) for f, value in fields.items()),
                ],
                condition=PaymentAccountItem.revision == item.revision,
                refuse=LostRace,
            )
        replaced = [name for name in KEPT[method] if before.get(name) != after[name]]
        if item is None and not replaced and _facts(method, before) == _facts(method, after):
            return  # nothing is changed of what an operator wrote
        news = dict.fromkeys(replaced, "已更换")
        audit(
            writes,
            merchant_id,
            staff,
            "payment_account_changed",
            f"payment_account#{method}",
            _facts(method, before),
            {**_facts(method, after), **news},
            now_s,
        )


def _content(merchant_id: str, method: str) -> dict[str, Any]:
    """The account as it is stored now; empty when there is none, or nothing that can be read."""
    secrets.refresh(_name(merchant_id, method))
    try:
        return secrets.json_secret(_name(merchant_id, method))
    except secrets.NotConfigured:
        return {}


def _kept(method: str, new: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What a new content leaves out, as it is now: empty when it is not there either."""
    parts = {name: now.get(name, "") if new[name] is None else new[name] for name in KEPT[method]}
    if method == PAY:
        stored = _public_keys(now)
        given = stored if new["public_keys"] is None else new["public_keys"]
        parts["public_keys"] = {
            serial: stored.get(serial, "") if pem is None else pem for serial, pem in given.items()
        }
    return parts


def _public_keys(content: Mapping[str, Any]) -> Mapping[str, str]:
    """WeChat Pay's public keys by serial; an operator may have written anything."""
    keys = content.get("public_keys")
    return keys if isinstance(keys, dict) else {}


def _facts(method: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(content[name]) for name in TOLD[method] if content.get(name)}


def _mark(merchant_id: str, method: str, content: Mapping[str, Any]) -> str:
    key = secrets.secret("id-key").encode()
    return derived_id(key, "account", merchant_id, method, json.dumps(content, sort_keys=True))


def _name(merchant_id: str, method: str) -> str:
    return f"merchants/{merchant_id}/{method}"


def _trimmed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Without what clings to a text that was copied."""
    return {
        name: _trimmed(value) if isinstance(value, Mapping) else value.strip()
        for name, value in content.items()
    }


def _problems(method: str, content: Mapping[str, Any]) -> list[Problem]:
    from chalicelib.gateways import account_forms  # it brings cryptography

    problems_of: Mapping[str, Callable[[Mapping[str, Any]], list[Problem]]] = {
        PAY: account_forms.problems_of_wechat_pay,
        PAY_BY_ALIPAY: account_forms.problems_of_alipay,
        LOGIN: account_forms.problems_of_wechat_login,
        WEB_LOGIN: account_forms.problems_of_wechat_login,
        MESSAGES: account_forms.problems_of_sms,
    }
    return problems_of[method](content) or _too_much(content)


def _of_other_login(merchant_id: str, method: str, content: Mapping[str, Any]) -> Iterator[Problem]:
    """Of an app that the shop has under the other of WeChat's two logins."""
    other, words = OTHER_LOGIN.get(method, ("", ""))
    if other and content["appid"] == _content(merchant_id, other).get("appid"):
        yield trouble("appid", words)


def _too_much(content: Mapping[str, Any]) -> list[Problem]:
    if len(json.dumps(content)) <= secrets.VALUE_MAX:
        return []
    return [trouble("public_keys", "公钥太多，存不下。请只留正在用的。")]


def _ask_after_nothing(merchant_id: str, method: str) -> None:
    payment_gateway(merchant_id, method).query(new_id() + _UNKNOWN_TRADE)


def _ask_who_nobody_is(merchant_id: str, *, on_the_web: bool = False) -> None:
    """A wrong code is told from a wrong app, and from a wrong secret."""
    from chalicelib.gateways.wechat_login import wechat_account_login, wechat_login

    login = wechat_account_login(merchant_id) if on_the_web else wechat_login(merchant_id)
    with suppress(InvalidRequest):
        login.identify(new_id())


def _send_to_no_phone(merchant_id: str) -> None:
    """A number that is none is refused after the keys were found right; nothing is sent."""
    from chalicelib.gateways.sms import sms

    with suppress(InvalidRequest):
        sms(merchant_id).send_code("0", "000000", minutes=5)


def _other_app(merchant_id: str) -> str | None:
    """What to tell when buyers log in to an app that their payments are not made in."""
    pay, login = _content(merchant_id, PAY), _content(merchant_id, LOGIN)
    app = pay.get("sub_appid") or pay.get("sp_appid") or pay.get("appid")
    if login and app != login.get("appid"):
        return account_words.OTHER_APP
    web, official = _content(merchant_id, WEB_LOGIN), pay.get(OFFICIAL_ACCOUNT)
    return (
        account_words.OTHER_ACCOUNT
        if web and official not in ("", None, web.get("appid"))
        else None
    )


_CHECKS: Mapping[str, Callable[[str], None]] = {
    PAY: lambda merchant_id: _ask_after_nothing(merchant_id, WECHAT_PAY),
    PAY_BY_ALIPAY: lambda merchant_id: _ask_after_nothing(merchant_id, ALIPAY),
    LOGIN: _ask_who_nobody_is,
    WEB_LOGIN: lambda merchant_id: _ask_who_nobody_is(merchant_id, on_the_web=True),
    MESSAGES: _send_to_no_phone,
}
