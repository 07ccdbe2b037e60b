"""Guessing is slow: wrong passwords are counted exactly, callers are held to sane rates."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api import limits
from chalicelib.domain.lockout import FAILURES_MAX, REST_S
from chalicelib.services.people import staff
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.shop import LoginFailuresItem
from tests.meter import metered
from tests.support import Reply, Town, at_once

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    limits.forget()
    yield
    limits.forget()


@pytest.fixture
def shop(town: Town) -> Town:
    staff.add(
        town.merchant_id,
        "boss",
        name="掌柜",
        role="owner",
        password=PASSWORD,
        staff="test",
        now_s=town.now_s,
    )
    return town


def log_in(shop: Town, password: str, username: str = "boss") -> Reply:
    path = f"/v1/merchants/{shop.merchant_id}/staff-sessions"
    return shop.visitor().post(path, {"username": username, "password": password})


def counted(shop: Town, username: str = "boss") -> int | None:
    item = stored(LoginFailuresItem.at(shop.merchant_id, username))
    return item.failures if item else None


def hashing_is_forbidden(*_: Any) -> Any:
    raise AssertionError("A password was checked.")


@pytest.mark.parametrize("username", ["boss", "nobody-has-this-name"])
def test_name_guessed_at_five_times_rests_whoever_has_it(
    shop: Town, username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses = [log_in(shop, WRONG, username) for _ in range(FAILURES_MAX)]
    monkeypatch.setattr(staff, "_hashing", hashing_is_forbidden)

    resting = log_in(shop, PASSWORD, username)

    assert [(reply.status, reply.code) for reply in guesses] == [(401, "wrong_password")] * 5
    assert (resting.status, resting.code) == (429, "too_many_requests")
    assert resting.body["details"] == {"retry_after_s": REST_S}
    assert resting.headers["retry-after"] == str(REST_S)
    assert resting.body["message"] == "密码错误次数过多，请 15 分钟后再试。"
    assert counted(shop, username) == FAILURES_MAX


def test_rest_ends_and_the_right_password_clears_the_count(shop: Town) -> None:
    for _ in range(FAILURES_MAX):
        log_in(shop, WRONG)
    shop.clock.forward(REST_S - 1)
    assert log_in(shop, PASSWORD).body["details"] == {"retry_after_s": 1}

    shop.clock.forward(1)

    assert log_in(shop, PASSWORD).status == 201
    assert counted(shop) == 0


def test_rest_of_one_name_is_nobody_elses(shop: Town) -> None:
    for _ in range(FAILURES_MAX):
        log_in(shop, WRONG, "other")

    assert log_in(shop, PASSWORD).status == 201


def test_right_password_after_failures_starts_the_count_anew(shop: Town) -> None:
    for _ in range(2):
        for _ in range(FAILURES_MAX - 1):
            assert log_in(shop, WRONG).status == 401
        assert log_in(shop, PASSWORD).status == 201

    assert counted(shop) == 0


def test_guesses_sent_all_at_once_are_told_no_more_than_five_times(shop: Town) -> None:
    replies = at_once([lambda: log_in(shop, WRONG)] * 12)

    told = Counter(reply.status for reply in replies)
    assert told[401] == counted(shop) <= FAILURES_MAX
    assert set(told) <= {401, 429, 503}


def test_login_writes_when_it_was_and_what_is_counted(shop: Town) -> None:
    def writes(password: str) -> int:
        with metered() as meter:
            log_in(shop, password)
        return meter.units

    assert [writes(p) for p in (PASSWORD, WRONG, WRONG, PASSWORD, PASSWORD)] == [1, 1, 1, 2, 1]


def test_wrong_codes_from_one_address_are_limited_and_right_ones_count_no_further(
    town: Town,
) -> None:
    path = f"/v1/merchants/{town.merchant_id}/sessions"
    buyers = [town.wechat.codes.issue(f"openid-{n}") for n in range(3)]

    wrong = [town.visitor().post(path, {"code": "guess"}).status for _ in range(61)]
    resting = town.visitor().post(path, {"code": buyers[0]})
    other_shop = Town(town.wechat, town.clock, town.door)
    elsewhere = other_shop.visitor().post(
        f"/v1/merchants/{other_shop.merchant_id}/sessions", {"code": "guess"}
    )
    town.clock.forward(60)
    right = [town.visitor().post(path, {"code": code}).status for code in buyers]

    assert wrong == [400] * 60 + [429]
    assert (resting.status, resting.headers["retry-after"]) == (429, "60")
    assert elsewhere.status == 400
    assert right == [201] * 3


def test_purchases_of_one_buyer_are_limited_and_others_are_not(town: Town) -> None:
    activity, hasty = town.activity(stock=100, seats=2), town.buyer()

    replies = [hasty.open(activity, key="the-same-key") for _ in range(31)]
    joined = hasty.join(activity, replies[0].body["group_id"])
    alone = hasty.buy_alone(activity)

    assert [reply.status for reply in replies] == [201] * 30 + [429]
    assert [(reply.status, reply.code) for reply in (joined, alone)] == [
        (429, "too_many_requests")
    ] * 2
    assert town.buyer().open(activity).status == 201
    assert hasty.get("/v1/orders").status == 200
    town.clock.forward(60)
    assert hasty.open(activity, key="the-same-key").status == 201


def test_header_names_no_address(town: Town) -> None:
    path = f"/v1/merchants/{town.merchant_id}/sessions"

    replies = [
        town.visitor().post(path, {"code": "guess"}, X_Forwarded_For=f"203.0.113.{n}")
        for n in range(61)
    ]

    assert replies[-1].status == 429
