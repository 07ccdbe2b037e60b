"""Staff accounts over HTTP: invited, changed, disabled, begun anew; and one's own."""

from typing import Any

import pytest

from chalicelib.api.auth import STAFF_RENEWED_S, STAFF_SESSION_S
from chalicelib.domain.lockout import PASSWORDS
from chalicelib.domain.rights import PRESETS, Role
from chalicelib.services.people import sessions, staff
from chalicelib.tables.shop import StaffItem
from tests.fixtures.caches import restore, snapshot
from tests.fixtures.merchant import Caller, MerchantFixture, Reply, concurrently
from tests.fixtures.staff_logins import (
    ANOTHER,
    PASSWORD,
    create_staff,
    invite,
    log_in,
    member,
    staff_session,
    with_session,
)

ME = "/v1/merchant/me"
STAFF = "/v1/merchant/staff"


@pytest.fixture
def boss(merchant: MerchantFixture) -> Caller:
    create_staff(merchant, "boss")
    return staff_session(merchant, "boss")


def choose(caller: Caller, old: str, new: str) -> Reply:
    return caller.put(f"{ME}/password", {"old_password": old, "new_password": new})


def change(boss: Caller, username: str, **changes: Any) -> Reply:
    now = member(boss, username)
    body = {name: now[name] for name in ("name", "role", "revision")}
    return boss.put(
        f"{STAFF}/{username}", body | {"disabled": now["state"] == "disabled"} | changes
    )


def actions(merchant: MerchantFixture) -> list[tuple[str, str]]:
    """(action, subject) of the audit log."""
    rows = merchant.owner().get("/v1/merchant/audit").body["items"]
    return [(row["action"], row["subject"]) for row in rows]


def test_invited_person_chooses_a_password_and_is_at_work(
    merchant: MerchantFixture, boss: Caller
) -> None:
    first = invite(merchant, boss, "xiaoli", "manager")
    assert member(boss, "xiaoli")["state"] == "invited"
    session = log_in(merchant, "xiaoli", first)
    newcomer = with_session(merchant, session)
    assert session.body["must_change_password"] is True
    assert newcomer.get("/v1/merchant/settings").code == "password_change_needed"

    chosen = choose(newcomer, first, ANOTHER)

    assert (chosen.status, chosen.body["must_change_password"]) == (200, False)
    assert with_session(merchant, chosen).get("/v1/merchant/settings").status == 200
    assert newcomer.get("/v1/merchant/settings").code == "unauthenticated"
    assert log_in(merchant, "xiaoli", first).code == "wrong_password"
    assert log_in(merchant, "xiaoli", ANOTHER).body["role"] == "manager"
    assert member(boss, "xiaoli") == {
        "rights": {area.value: level.value for area, level in PRESETS[Role.MANAGER].items()},
        "username": "xiaoli",
        "name": "小李",
        "role": "manager",
        "state": "active",
        "totp": False,
        "locked_until_s": None,
        "last_login_at_s": merchant.now_s,
        "revision": 1,
    }
    told = {action for action, subject in actions(merchant) if subject == "staff#xiaoli"}
    assert told == {"staff_added", "password_changed"}


def test_invitation_that_is_repeated_tells_the_same_password_until_it_is_changed(
    merchant: MerchantFixture, boss: Caller
) -> None:
    body = {"username": "xiaoli", "name": "小李", "role": "service"}

    told = [boss.post(STAFF, body, Idempotency_Key="one").body for _ in range(2)]
    other_key = boss.post(STAFF, body, Idempotency_Key="two")
    other_name = boss.post(STAFF, body | {"name": "小张"}, Idempotency_Key="one")
    choose(
        staff_session(merchant, "xiaoli", told[0]["first_password"]),
        told[0]["first_password"],
        ANOTHER,
    )
    late = boss.post(STAFF, body, Idempotency_Key="one")

    assert told[0] == told[1]
    assert len(told[0]["first_password"]) == 14
    assert [reply.code for reply in (other_key, other_name, late)] == [
        "conflict",
        "idempotency_mismatch",
        "conflict",
    ]
    assert actions(merchant).count(("staff_added", "staff#xiaoli")) == 1


def test_shop_has_so_many_people_and_no_more(
    merchant: MerchantFixture, boss: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "STAFF_MAX", 2)
    body = {"name": "小李", "role": "service"}

    replies = [boss.post(STAFF, body | {"username": name}) for name in ("one", "two")]

    assert [reply.status for reply in replies] == [201, 409]
    assert (replies[1].code, replies[1].body["details"]) == ("limit_reached", {"max": 2})


def test_change_is_guarded_by_the_revision_and_a_repeat_changes_nothing_more(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "xiaoli", "service")

    changed = [change(boss, "xiaoli", name="李", role="manager", revision=1) for _ in range(2)]
    late = change(boss, "xiaoli", name="张", revision=1)

    assert [(reply.status, reply.body["revision"]) for reply in changed] == [(200, 2)] * 2
    assert (late.status, late.code) == (409, "changed")
    assert boss.put(f"{STAFF}/nobody", {**changed[0].body} | {"x": 1}).status == 400
    rows = merchant.owner().get("/v1/merchant/audit?subject=staff%23xiaoli").body["items"]
    assert [row["before"] for row in rows if row["action"] == "staff_changed"] == [
        {"name": "xiaoli", "role": "service"}
    ]


def test_new_role_is_in_force_within_half_a_minute_in_every_container(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "xiaoli", "manager")
    xiaoli = staff_session(merchant, "xiaoli")
    assert xiaoli.get("/v1/merchant/audit").status == 200
    before = snapshot(sessions._staff)

    change(boss, "xiaoli", role="service")
    assert xiaoli.get("/v1/merchant/audit").code == "forbidden"  # at once where it was changed

    restore(sessions._staff, before)  # a container that has not heard of it
    assert xiaoli.get("/v1/merchant/audit").status == 200
    merchant.clock.forward(sessions.KEPT_S)
    assert xiaoli.get("/v1/merchant/audit").code == "forbidden"
    assert xiaoli.get("/v1/merchant/settings").status == 200


def test_disabled_person_is_out_and_logs_in_anew_when_enabled(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "xiaoli", "manager")
    xiaoli = staff_session(merchant, "xiaoli")
    before = snapshot(sessions._staff)

    assert change(boss, "xiaoli", disabled=True).body["state"] == "disabled"

    assert xiaoli.get(ME).code == "account_disabled"
    assert log_in(merchant, "xiaoli").code == "account_disabled"
    assert log_in(merchant, "xiaoli", "wrong password").code == "wrong_password"
    restore(sessions._staff, before)
    merchant.clock.forward(sessions.KEPT_S)
    assert xiaoli.get(ME).code == "account_disabled"
    assert change(boss, "xiaoli", disabled=False).body["state"] == "active"
    assert xiaoli.get(ME).code == "unauthenticated"
    assert staff_session(merchant, "xiaoli").get(ME).status == 200


def test_container_that_has_not_heard_of_a_new_password_takes_its_session(
    merchant: MerchantFixture, boss: Caller
) -> None:
    before = snapshot(sessions._staff)
    renewed = with_session(merchant, choose(boss, PASSWORD, ANOTHER))

    restore(sessions._staff, before)

    assert renewed.get(ME).status == 200


def test_last_owner_who_can_log_in_stays_one(merchant: MerchantFixture, boss: Caller) -> None:
    invite(merchant, boss, "heir", "owner")  # has never logged in
    create_staff(merchant, "former")
    assert change(boss, "former", disabled=True).status == 200

    replies = [change(boss, "boss", role="manager"), change(boss, "boss", disabled=True)]

    assert [(reply.status, reply.code) for reply in replies] == [(409, "last_owner")] * 2
    assert member(boss, "boss")["role"] == "owner"
    create_staff(merchant, "second")
    assert change(boss, "boss", role="manager").status == 200


def test_two_owners_who_demote_each_other_at_once_leave_one(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "second")
    second = staff_session(merchant, "second")
    body = {"name": "x", "role": "service", "disabled": False, "revision": 1}

    replies = concurrently(
        [lambda: boss.put(f"{STAFF}/second", body), lambda: second.put(f"{STAFF}/boss", body)]
    )

    keys = [StaffItem.at(merchant.merchant_id, name) for name in ("boss", "second")]
    roles = [StaffItem.get(key.pk, key.sk, consistent_read=True).role for key in keys]
    done, refused = sorted(reply.status for reply in replies)
    assert done == 200
    assert refused in (403, 409)  # no owner any more when it asked, or when it wrote
    assert sorted(roles) == ["owner", "service"]


def test_reset_gives_a_first_password_ends_sessions_and_lifts_the_lock_out(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "xiaoli", "manager")
    xiaoli = staff_session(merchant, "xiaoli")
    for _ in range(PASSWORDS.tries_max):
        log_in(merchant, "xiaoli", "wrong password")
    assert member(boss, "xiaoli")["locked_until_s"] == merchant.now_s + PASSWORDS.rest_s

    path = f"{STAFF}/xiaoli/password-reset"
    told = [boss.post(path, Idempotency_Key="one").body["first_password"] for _ in range(2)]

    assert told[0] == told[1]
    assert (member(boss, "xiaoli")["state"], member(boss, "xiaoli")["locked_until_s"]) == (
        "invited",
        None,
    )
    assert xiaoli.get(ME).code == "unauthenticated"
    assert log_in(merchant, "xiaoli").code == "wrong_password"
    assert log_in(merchant, "xiaoli", told[0]).body["must_change_password"] is True
    assert actions(merchant).count(("password_reset", "staff#xiaoli")) == 1
    assert boss.post(path, Idempotency_Key="two").body["first_password"] != told[0]


def test_own_password_cannot_be_reset_and_nobodys_is_not_there(
    merchant: MerchantFixture, boss: Caller
) -> None:
    replies = [boss.post(f"{STAFF}/{name}/password-reset") for name in ("boss", "nobody")]

    assert [(reply.status, reply.code) for reply in replies] == [
        (409, "conflict"),
        (404, "not_found"),
    ]
    assert log_in(merchant, "boss").status == 201


@pytest.mark.slow
def test_own_password_changes_for_who_knows_the_old_one(
    merchant: MerchantFixture, boss: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = choose(boss, "wrong password", ANOTHER)
    same = choose(boss, PASSWORD, PASSWORD)
    short = choose(boss, PASSWORD, "short")

    assert [reply.status for reply in (wrong, same, short)] == [400] * 3
    assert [reply.body["details"]["field"] for reply in (wrong, same, short)] == [
        "old_password",
        "new_password",
        "new_password",
    ]
    guesses = [choose(boss, "wrong password", ANOTHER).status for _ in range(PASSWORDS.tries_max)]
    assert guesses == [400] * PASSWORDS.tries_max
    with monkeypatch.context() as patched:
        patched.setattr(staff, "is_right", None)  # while the name rests, nothing is hashed
        assert choose(boss, PASSWORD, ANOTHER).code == "too_many_requests"
    merchant.clock.forward(PASSWORDS.rest_s)
    assert choose(boss, PASSWORD, ANOTHER).status == 200


def test_session_is_renewed_for_a_week_and_no_longer(
    merchant: MerchantFixture, boss: Caller
) -> None:
    began_s, caller = merchant.now_s, boss
    ends = []
    while merchant.now_s < began_s + STAFF_RENEWED_S - STAFF_SESSION_S:
        merchant.clock.forward(STAFF_SESSION_S - 60)
        renewed = caller.post(f"{ME}/sessions/renewal")
        ends.append(renewed.body["expires_at_s"])
        caller = with_session(merchant, renewed)

    assert ends[0] == began_s + 2 * STAFF_SESSION_S - 60
    assert ends[-1] == began_s + STAFF_RENEWED_S
    assert boss.post(f"{ME}/sessions/renewal").code == "unauthenticated"
    merchant.clock.forward(began_s + STAFF_RENEWED_S - merchant.now_s)
    assert caller.post(f"{ME}/sessions/renewal").code == "unauthenticated"


def test_all_ones_sessions_end_together(merchant: MerchantFixture, boss: Caller) -> None:
    elsewhere = staff_session(merchant, "boss")

    assert boss.post(f"{ME}/sessions/end").body == {"done": True}

    assert [caller.get(ME).code for caller in (boss, elsewhere)] == ["unauthenticated"] * 2
    assert staff_session(merchant, "boss").get(ME).body == {
        "merchant_id": merchant.merchant_id,
        "username": "boss",
        "name": "boss",
        "role": "owner",
        "rights": {area.value: level.value for area, level in PRESETS[Role.OWNER].items()},
        "totp": False,
        "last_login_at_s": merchant.now_s,
    }
