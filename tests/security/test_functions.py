"""API5, broken function level authorisation: who may do what, and what is no function at all."""

import itertools
import json
from typing import Any

import pytest
from chalice.local import LambdaContext

import app as application
from chalicelib.api.auth import Role
from chalicelib.api.http import Audience, Operation
from tests.minutes import TICK
from tests.security.operations import ask, name_of, of
from tests.security.street import Street

FORBIDDEN = [
    (operation, role)
    for operation, role in itertools.product(of(Audience.STAFF), Role)
    if role not in operation.roles
]
SOURCES = application.app.event_sources
JOBS = sorted(source.name for source in SOURCES)


@pytest.mark.parametrize(("operation", "role"), FORBIDDEN, ids=name_of)
def test_role_that_is_too_low_is_refused(street: Street, operation: Operation, role: Role) -> None:
    reply = ask(operation, street.ours).by(street.town.staff(role))

    assert (reply.status, reply.code) == (403, "forbidden")
    assert reply.body["details"] == {"role": role.value}


def test_every_staff_operation_names_its_roles_and_no_other_does() -> None:
    with_roles = {operation.name for operation in application.OPERATIONS if operation.roles}

    assert with_roles == {operation.name for operation in of(Audience.STAFF)}


# What every role does at work, on one order at a time and on record; a new one is a decision.
EVERYBODYS = {
    "add_note",
    "change_address",
    "hand_over",
    "make_ready",
    "see_recipients",
}


def test_what_changes_money_stock_or_people_is_never_for_every_role() -> None:
    everybody = set(Role)

    open_to_all = [o for o in of(Audience.STAFF) if set(o.roles) == everybody]
    others = [o for o in open_to_all if not o.path.startswith("/v1/merchant/me/")]

    assert {o.name for o in others if o.method != "GET"} == EVERYBODYS


@pytest.mark.parametrize("operation", of(Audience.STAFF), ids=name_of)
def test_buyer_is_no_member_of_staff(street: Street, operation: Operation) -> None:
    reply = ask(operation, street.ours).by(street.ours.leader)

    assert (reply.status, reply.code) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", of(Audience.BUYER), ids=name_of)
def test_owner_is_no_buyer(street: Street, operation: Operation) -> None:
    reply = ask(operation, street.ours).by(street.town.owner())

    assert (reply.status, reply.code) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", of(Audience.GATEWAY), ids=name_of)
def test_session_is_no_signature(street: Street, operation: Operation) -> None:
    callers = (street.visitor(), street.ours.leader, street.town.owner())

    replies = [ask(operation, street.ours).by(caller, X_Merchant="any") for caller in callers]

    assert all(400 <= reply.status < 500 for reply in replies)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_job_has_no_route(street: Street, job: str, method: str) -> None:
    kebab = job.replace("_", "-")
    paths = [f"/{job}", f"/v1/{job}", f"/v1/jobs/{job}", f"/v1/{kebab}", f"/v1/merchant/{job}"]

    replies = [street.town.owner().call(method, path, TICK) for path in paths]

    assert {reply.status for reply in replies} <= {403, 404, 405}


def test_every_function_but_the_api_is_started_by_a_schedule_or_the_stream() -> None:
    kinds = {type(source).__name__ for source in SOURCES}

    assert kinds == {"ScheduledEventConfig", "DynamoDBEventConfig"}
    assert len(JOBS) >= 6
    assert application.app.pure_lambda_functions == []


RECORD = {
    "eventName": "MODIFY",
    "eventSource": "aws:dynamodb",
    "dynamodb": {"Keys": {"pk": {"S": "m#G#g"}, "sk": {"S": "group"}}},
}
EVENTS: dict[str, Any] = {
    "schedule": TICK,
    "stream": {"Records": [RECORD]},
    "queue": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(TICK)}]},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "operation", [o for o in application.OPERATIONS if o.body is not None], ids=name_of
)
def test_event_in_a_body_is_a_body_that_does_not_fit(
    street: Street, operation: Operation, event: str
) -> None:
    callers = {Audience.BUYER: street.ours.leader, Audience.STAFF: street.town.owner()}
    caller = callers.get(operation.audience, street.visitor())

    reply = caller.call(
        operation.method,
        ask(operation, street.ours).path,
        EVENTS[event],
        Idempotency_Key="a-key-of-mine",
    )

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("event", EVENTS)
def test_event_that_reaches_the_api_function_starts_no_job(street: Street, event: str) -> None:
    answer = application.app(EVENTS[event], LambdaContext("api_handler", 256))

    assert answer["statusCode"] == 500  # it has no route, and only AWS itself could send it
    assert "Traceback" not in answer["body"]
