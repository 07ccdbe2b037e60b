"""Accounts change while they are changed: of staff, of the shop, at its gateways."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.domain import totp
from chalicelib.domain.lockout import PASSWORDS
from chalicelib.errors import (
    Changed,
    Conflict,
    InvalidRequest,
    LastOwner,
    TooManyRequests,
    Unauthenticated,
    WrongTotp,
)
from chalicelib.services.people import (
    brute_force_guard,
    own_account,
    sessions,
    staff,
    staff_accounts,
)
from chalicelib.services.people.brute_force_guard import Guess
from chalicelib.tables.base import get_or_none
from chalicelib.tables.shop import GuessesItem, StaffItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import STAFF, Shop, new_shop
from tests.fixtures.staff_requests import audited

PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
GUESS_WRITES = 2  # of a right password: it is counted before it is judged, and forgiven after


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        for username in ("boss", "partner"):
            create_staff(shop, username)
        yield shop


def create_staff(shop: Shop, username: str, role: str = "owner") -> StaffItem:
    return staff.add(
        shop.merchant_id,
        username,
        name=username,
        role=role,
        password=PASSWORD,
        staff=STAFF,
        now_s=shop.now_s,
    )


def read(shop: Shop, username: str = "boss") -> StaffItem:
    return staff.read(shop.merchant_id, username)


def change(shop: Shop, username: str, **changes: Any) -> StaffItem:
    item = read(shop, username)
    now: dict[str, Any] = {"name": item.name, "role": item.role, "disabled": item.disabled}
    return staff_accounts.change(
        shop.merchant_id,
        username,
        **(now | changes),
        revision=item.revision,
        staff="boss",
        now_s=shop.now_s,
    )


def reset(shop: Shop, username: str, seed: str = "seed") -> str:
    return staff_accounts.reset_password(
        shop.merchant_id, username, seed=seed, staff=STAFF, now_s=shop.now_s
    )


def choose(shop: Shop, new: str = ANOTHER, username: str = "boss") -> int:
    return own_account.change_password(shop.merchant_id, username, PASSWORD, new, now_s=shop.now_s)


def log_in(shop: Shop, code: str | None = None) -> StaffItem:
    return staff.login(shop.merchant_id, "boss", PASSWORD, code=code, now_s=shop.now_s)


def enable_totp(shop: Shop) -> Callable[[], str]:
    """Set an app up; what it shows."""
    secret = own_account.begin_totp(shop.merchant_id, "boss")
    own_account.confirm_totp(shop.merchant_id, "boss", shown(shop, secret), now_s=shop.now_s)
    return lambda: shown(shop, secret)


def shown(shop: Shop, secret: bytes) -> str:
    return totp.code_at(secret, totp.step_of(shop.now_s))


def test_person_changed_by_two_at_once_is_as_the_first_wanted(shop: Shop) -> None:
    create_staff(shop, "helper", "service")

    with interleaved(lambda: change(shop, "helper", role="manager")), pytest.raises(Changed):
        change(shop, "helper", disabled=True)

    assert (read(shop, "helper").role, read(shop, "helper").disabled) == ("manager", False)
    with interleaved(lambda: change(shop, "helper", disabled=True)):
        change(shop, "helper", disabled=True)
    assert (read(shop, "helper").session_version, audited(shop, "staff_changed")) == (2, 2)


@pytest.mark.parametrize(
    "leave",
    [
        lambda shop: change(shop, "boss", role="manager"),
        lambda shop: change(shop, "boss", disabled=True),
        lambda shop: reset(shop, "boss"),
    ],
    ids=["demoted", "disabled", "not yet there"],
)
def test_owner_stays_when_the_other_one_went_meanwhile(
    shop: Shop, leave: Callable[[Shop], object]
) -> None:
    with interleaved(lambda: leave(shop)), pytest.raises(LastOwner):
        change(shop, "partner", role="service")

    assert read(shop, "partner").role == "owner"


def test_same_reset_twice_at_once_is_one(shop: Shop) -> None:
    with interleaved(lambda: reset(shop, "partner")):
        first = reset(shop, "partner")

    assert staff.is_right(read(shop, "partner"), first)
    assert (read(shop, "partner").session_version, audited(shop, "password_reset")) == (2, 1)


def test_password_reset_while_it_is_changed_is_the_resets(shop: Shop) -> None:
    with (
        interleaved(lambda: reset(shop, "boss"), after_writes=GUESS_WRITES),
        pytest.raises(Changed),
    ):
        choose(shop)

    assert staff.is_right(read(shop), staff_accounts.first_password("seed"))
    assert (read(shop).must_change, read(shop).session_version) == (True, 2)


def test_first_password_that_became_ones_own_is_not_told_again(shop: Shop) -> None:
    def invite() -> str:
        return staff_accounts.invite(
            shop.merchant_id,
            "helper",
            name="小李",
            role="service",
            seed="seed",
            body_hash="",
            staff=STAFF,
            now_s=shop.now_s,
        )

    first = invite()
    assert invite() == first
    for old, new in ((first, ANOTHER), (ANOTHER, first)):
        own_account.change_password(shop.merchant_id, "helper", old, new, now_s=shop.now_s)

    with pytest.raises(Conflict):
        invite()


@pytest.mark.parametrize("new", [PASSWORD, "boss"])
def test_new_password_is_another(shop: Shop, new: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        choose(shop, new)

    assert refusal.value.details == {"field": "new_password"}
    assert read(shop).session_version == 1


def test_login_ends_with_a_password_that_was_changed_meanwhile(shop: Shop) -> None:
    with interleaved(lambda: choose(shop)), pytest.raises(Unauthenticated):
        log_in(shop)

    assert read(shop).last_login_at_s is None


def test_code_taken_meanwhile_is_taken(shop: Shop) -> None:
    app = enable_totp(shop)
    shop.now_s += totp.STEP_S

    with interleaved(lambda: log_in(shop, app())), pytest.raises(WrongTotp):
        log_in(shop, app())


def test_codes_that_were_set_up_meanwhile_are_not_begun_anew(shop: Shop) -> None:
    with interleaved(lambda: enable_totp(shop)), pytest.raises(Conflict):
        own_account.begin_totp(shop.merchant_id, "boss")

    assert read(shop).totp_pending is None


def test_code_of_an_app_that_was_replaced_meanwhile_is_none(shop: Shop) -> None:
    secret = own_account.begin_totp(shop.merchant_id, "boss")
    code = shown(shop, secret)

    with (
        interleaved(lambda: own_account.begin_totp(shop.merchant_id, "boss")),
        pytest.raises(InvalidRequest),
    ):
        own_account.confirm_totp(shop.merchant_id, "boss", code, now_s=shop.now_s)

    assert read(shop).totp_secret is None


def test_code_confirmed_twice_at_once_is_confirmed_once(shop: Shop) -> None:
    secret = own_account.begin_totp(shop.merchant_id, "boss")
    code = shown(shop, secret)

    def confirm() -> None:
        own_account.confirm_totp(shop.merchant_id, "boss", code, now_s=shop.now_s)

    with interleaved(confirm):
        confirm()
    with pytest.raises(Conflict):
        own_account.confirm_totp(shop.merchant_id, "boss", "000000", now_s=shop.now_s)

    assert audited(shop, "totp_added") == 1


def remove_totp(shop: Shop) -> None:
    own_account.remove_totp(shop.merchant_id, "boss", PASSWORD, now_s=shop.now_s)


def test_codes_are_kept_when_the_password_was_changed_meanwhile(shop: Shop) -> None:
    enable_totp(shop)

    with interleaved(lambda: choose(shop), after_writes=GUESS_WRITES), pytest.raises(Changed):
        remove_totp(shop)

    assert read(shop).totp_secret is not None


def test_codes_removed_twice_at_once_are_removed_once(shop: Shop) -> None:
    enable_totp(shop)

    with interleaved(lambda: remove_totp(shop), after_writes=GUESS_WRITES), pytest.raises(Changed):
        remove_totp(shop)
    remove_totp(shop)

    assert audited(shop, "totp_removed") == 1


def count(shop: Shop) -> Guess:
    return brute_force_guard.count_guess(
        brute_force_guard.PASSWORDS, shop.merchant_id, "boss", now_s=shop.now_s
    )


def failures(shop: Shop) -> tuple[int, int]:
    """(how many, since when)"""
    found = get_or_none(GuessesItem.at(shop.merchant_id, "boss", "password"))
    assert found is not None
    return found.failures, found.since_s


def test_guesses_counted_at_once_are_all_counted(shop: Shop) -> None:
    for _ in range(2):  # the first ever, and those after it
        with interleaved(lambda: count(shop)):
            count(shop)

    assert failures(shop) == (4, shop.now_s)


def test_guess_after_a_right_password_meanwhile_is_the_first(shop: Shop) -> None:
    count(shop)
    shop.now_s += 60

    def forgiven_and_counted() -> None:
        brute_force_guard.reset(count(shop))
        count(shop)

    with interleaved(forgiven_and_counted):
        count(shop)

    assert failures(shop) == (2, shop.now_s)


@pytest.mark.slow
def test_right_password_behind_guesses_that_were_counted_meanwhile_is_not_told(shop: Shop) -> None:
    def guess() -> None:
        for _ in range(PASSWORDS.tries_max):
            count(shop)

    with interleaved(guess), pytest.raises(TooManyRequests):
        log_in(shop)


def test_guess_that_was_right_takes_back_only_itself(shop: Shop) -> None:
    count(shop)
    right = count(shop)

    brute_force_guard.uncount(right)
    assert failures(shop) == (1, shop.now_s)
    brute_force_guard.reset(right)
    brute_force_guard.uncount(right)  # in flight while another was right
    assert failures(shop) == (0, shop.now_s)


def test_session_of_somebody_who_is_nobody_is_none(shop: Shop) -> None:
    with pytest.raises(Unauthenticated):
        sessions.person(shop.merchant_id, "nobody", 1, now_s=shop.now_s)
