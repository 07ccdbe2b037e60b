"""Guessing is slow: wrong passwords are counted exactly, callers are held to sane rates."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from typing import Any

import pytest

from chalicelib.api import limits
from chalicelib.domain.lockout import PASSWORDS
from chalicelib.services.people import brute_force_guard, staff
from chalicelib.tables.base import get_or_none
from chalicelib.tables.shop import GuessesItem
from infra.local import pace
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import MerchantFixture, Reply, concurrently

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    limits.reset()
    yield
    limits.reset()


@pytest.fixture
def shop(merchant: MerchantFixture) -> MerchantFixture:
    staff.add(
        merchant.merchant_id,
        "boss",
        name="掌柜",
        role="owner",
        password=PASSWORD,
        staff="test",
        now_s=merchant.now_s,
    )
    return merchant


def log_in(shop: MerchantFixture, password: str, username: str = "boss") -> Reply:
    path = f"/v1/merchants/{shop.merchant_id}/staff-sessions"
    return shop.visitor().post(path, {"username": username, "password": password})


def counted(shop: MerchantFixture, username: str = "boss") -> int | None:
    item = get_or_none(GuessesItem.at(shop.merchant_id, username, "password"))
    return item.failures if item else None


def hashing_is_forbidden(*_: Any) -> Any:
    raise AssertionError("A password was checked.")


@pytest.mark.parametrize("username", ["boss", "nobody-has-this-name"])
def test_name_guessed_at_five_times_rests_whoever_has_it(
    shop: MerchantFixture, username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses = [log_in(shop, WRONG, username) for _ in range(PASSWORDS.tries_max)]
    monkeypatch.setattr(staff, "_hashing", hashing_is_forbidden)

    resting = log_in(shop, PASSWORD, username)

    assert [(reply.status, reply.code) for reply in guesses] == [(401, "wrong_password")] * 5
    assert (resting.status, resting.code) == (429, "too_many_requests")
    assert resting.body["details"] == {"retry_after_s": PASSWORDS.rest_s}
    assert resting.headers["retry-after"] == str(PASSWORDS.rest_s)
    assert resting.body["message"] == "密码错误次数过多，请 15 分钟后再试。"
    assert counted(shop, username) == PASSWORDS.tries_max


def test_rest_ends_and_the_right_password_clears_the_count(shop: MerchantFixture) -> None:
    for _ in range(PASSWORDS.tries_max):
        log_in(shop, WRONG)
    shop.clock.forward(PASSWORDS.rest_s - 1)
    assert log_in(shop, PASSWORD).body["details"] == {"retry_after_s": 1}

    shop.clock.forward(1)

    assert log_in(shop, PASSWORD).status == 201
    assert counted(shop) == 0


def test_rest_of_one_name_is_nobody_elses(shop: MerchantFixture) -> None:
    for _ in range(PASSWORDS.tries_max):
        log_in(shop, WRONG, "other")

    assert log_in(shop, PASSWORD).status == 201


def test_right_password_after_failures_starts_the_count_anew(shop: MerchantFixture) -> None:
    for _ in range(2):
        for _ in range(PASSWORDS.tries_max - 1):
            assert log_in(shop, WRONG).status == 401
        assert log_in(shop, PASSWORD).status == 201

    assert counted(shop) == 0


def test_of_guesses_sent_all_at_once_exactly_five_are_told(shop: MerchantFixture) -> None:
    replies = concurrently([lambda: log_in(shop, WRONG)] * 12)

    assert Counter(reply.status for reply in replies) == {401: 5, 429: 7}
    assert counted(shop) == PASSWORDS.tries_max
    assert log_in(shop, PASSWORD).status == 429


def test_right_logins_of_one_name_at_once_all_enter(
    shop: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_on_slow_machines(monkeypatch)
    for _ in range(PASSWORDS.tries_max - 1):
        assert log_in(shop, WRONG).status == 401

    replies = concurrently([lambda: log_in(shop, PASSWORD)] * 12)

    assert Counter(reply.status for reply in replies) == {201: 12}
    assert counted(shop) == 0


def wait_on_slow_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for passwords that are being judged as long as judging a dozen takes here."""
    pauses_s = tuple(pause_s * pace.slowness() for pause_s in brute_force_guard.PAUSES_S)
    monkeypatch.setattr(brute_force_guard, "PAUSES_S", pauses_s)
    judging_s = round(brute_force_guard.JUDGING_S * pace.slowness())
    monkeypatch.setattr(brute_force_guard, "JUDGING_S", judging_s)


def test_right_password_sent_behind_guesses_at_once_is_not_told(
    shop: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are heard before any is judged: the guesses that count are those that came first."""
    everybody = Barrier(6)
    judge = staff.is_right

    def is_right(*given: Any) -> bool:
        everybody.wait(timeout=30)
        return judge(*given)

    monkeypatch.setattr(staff, "is_right", is_right)
    with ThreadPoolExecutor(5) as pool:
        guesses = [pool.submit(log_in, shop, WRONG) for _ in range(PASSWORDS.tries_max)]
        while counted(shop) != PASSWORDS.tries_max:
            sleep(0.01)
        right = log_in(shop, PASSWORD)
        everybody.wait(timeout=30)
        told = [guess.result().status for guess in guesses]

    assert (right.status, told) == (429, [401] * PASSWORDS.tries_max)


def test_login_writes_when_it_was_and_what_is_counted(shop: MerchantFixture) -> None:
    def writes(password: str) -> int:
        with metered() as meter:
            log_in(shop, password)
        return meter.units

    # Counted before it is judged, and forgiven after: two more than when it was.
    assert [writes(p) for p in (PASSWORD, WRONG, WRONG, PASSWORD, PASSWORD)] == [3, 1, 1, 3, 3]


def test_wrong_codes_are_counted_whichever_container_hears_them(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from 70 containers: none of them alone has heard enough to refuse."""
    monkeypatch.setattr(limits.WRONG_CODES.window, "times", 1000)
    path = f"/v1/merchants/{merchant.merchant_id}/sessions"

    replies = concurrently([lambda: merchant.visitor().post(path, {"code": "guess"})] * 70)
    right = merchant.visitor().post(path, {"code": merchant.wechat.codes.issue("openid-1")})

    assert Counter(reply.status for reply in replies) == {400: 60, 429: 10}
    assert right.status == 201  # who shares the address is not held up by who guesses
    other_shop = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    elsewhere = f"/v1/merchants/{other_shop.merchant_id}/sessions"
    assert merchant.visitor().post(elsewhere, {"code": "guess"}).status == 400
    merchant.clock.forward(60)
    assert merchant.visitor().post(path, {"code": "guess"}).status == 400


def test_right_code_counts_nothing_and_writes_nothing_for_it(merchant: MerchantFixture) -> None:
    path = f"/v1/merchants/{merchant.merchant_id}/sessions"
    spent = []
    for _ in range(2):
        code = merchant.wechat.codes.issue("openid-1")
        with metered() as meter:
            assert merchant.visitor().post(path, {"code": code}).status == 201
        spent.append((meter.units, meter.parts))

    assert spent == [(4, ["identity 2", "buyer 2"]), (0, [])]  # the first makes the buyer


def test_wrong_codes_from_one_address_are_limited_and_right_ones_count_no_further(
    merchant: MerchantFixture,
) -> None:
    path = f"/v1/merchants/{merchant.merchant_id}/sessions"
    buyers = [merchant.wechat.codes.issue(f"openid-{n}") for n in range(3)]

    wrong = [merchant.visitor().post(path, {"code": "guess"}).status for _ in range(61)]
    resting = merchant.visitor().post(path, {"code": buyers[0]})
    other_shop = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    elsewhere = other_shop.visitor().post(
        f"/v1/merchants/{other_shop.merchant_id}/sessions", {"code": "guess"}
    )
    merchant.clock.forward(60)
    right = [merchant.visitor().post(path, {"code": code}).status for code in buyers]

    assert wrong == [400] * 60 + [429]
    assert (resting.status, resting.headers["retry-after"]) == (429, "60")
    assert elsewhere.status == 400
    assert right == [201] * 3


def test_purchases_of_one_buyer_are_limited_and_others_are_not(merchant: MerchantFixture) -> None:
    activity, hasty = merchant.activity(stock=100, seats=2), merchant.buyer()

    replies = [hasty.open(activity, key="the-same-key") for _ in range(31)]
    joined = hasty.join(activity, replies[0].body["group_id"])
    alone = hasty.buy_alone(activity)

    assert [reply.status for reply in replies] == [201] * 30 + [429]
    assert [(reply.status, reply.code) for reply in (joined, alone)] == [
        (429, "too_many_requests")
    ] * 2
    assert merchant.buyer().open(activity).status == 201
    assert hasty.get("/v1/orders").status == 200
    merchant.clock.forward(60)
    assert hasty.open(activity, key="the-same-key").status == 201


def test_header_names_no_address(merchant: MerchantFixture) -> None:
    path = f"/v1/merchants/{merchant.merchant_id}/sessions"

    replies = [
        merchant.visitor().post(path, {"code": "guess"}, X_Forwarded_For=f"203.0.113.{n}")
        for n in range(61)
    ]

    assert replies[-1].status == 429
