"""API5, broken function level authorisation: who may do what, and what is no function at all."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest

import app as application
from chalicelib.api.auth import Role
from chalicelib.api.http import Audience, Operation
from tests.callers import lambda_context
from tests.minutes import TICK
from tests.security.operations import ask, name_of, named, of
from tests.security.street import Street

# Who may do what; everything else is for everybody at work. Said here and not asked of the app: a
# case that the app's own roles made would be gone with the role that they forget.
OWNER = frozenset({Role.OWNER})
MANAGERS = OWNER | {Role.MANAGER}
SHIPPERS = MANAGERS | {Role.FULFILMENT}
WHO_MAY: Mapping[str, frozenset[Role]] = {
    "accept_picture": MANAGERS,
    "add_activity_stock": MANAGERS,
    "adjust_stock": MANAGERS,
    "approve_after_sale": MANAGERS,
    "change_activity": MANAGERS,
    "change_alipay": OWNER,
    "change_category": MANAGERS,
    "change_freight_template": MANAGERS,
    "change_message_templates": MANAGERS,
    "change_product": MANAGERS,
    "change_settings": MANAGERS,
    "change_staff": OWNER,
    "change_store": MANAGERS,
    "change_wechat_login": OWNER,
    "change_wechat_pay": OWNER,
    "check_activity": MANAGERS,
    "check_alipay": OWNER,
    "check_wechat_login": OWNER,
    "check_wechat_pay": OWNER,
    "close_group": MANAGERS,
    "copy_activity": MANAGERS,
    "copy_product": MANAGERS,
    "correct_parcel": SHIPPERS,
    "create_category": MANAGERS,
    "create_freight_template": MANAGERS,
    "create_product": MANAGERS,
    "create_store": MANAGERS,
    "end_activity": MANAGERS,
    "extend_group": MANAGERS,
    "invite_staff": OWNER,
    "list_audit": MANAGERS,
    "list_payment_accounts": OWNER,
    "list_shipping_batches": SHIPPERS,
    "list_staff": OWNER,
    "pause_activity": MANAGERS,
    "publish_activity": MANAGERS,
    "refuse_after_sale": MANAGERS,
    "remove_category": MANAGERS,
    "remove_freight_template": MANAGERS,
    "remove_store": MANAGERS,
    "reset_staff_password": OWNER,
    "resume_activity": MANAGERS,
    "retry_refund": MANAGERS,
    "shelve_product": MANAGERS,
    "ship_orders": SHIPPERS,
    "ship_parcel": SHIPPERS,
    "upload_picture": MANAGERS,
}
FORBIDDEN = [
    (named(name), role)
    for name, role in itertools.product(WHO_MAY, Role)
    if role not in WHO_MAY[name]
]
SOURCES = application.app.event_sources
JOBS = sorted(source.name for source in SOURCES)


@pytest.mark.parametrize(("operation", "role"), FORBIDDEN, ids=name_of)
def test_role_that_is_too_low_is_refused(street: Street, operation: Operation, role: Role) -> None:
    reply = ask(operation, street.ours).by(street.town.staff(role))

    assert (reply.status, reply.code) == (403, "forbidden")
    assert reply.body["details"] == {"role": role.value}


def test_every_staff_operation_names_its_roles_and_no_other_does() -> None:
    with_roles = {o.name: set(o.roles) for o in application.OPERATIONS if o.roles}

    assert with_roles == {o.name: WHO_MAY.get(o.name, set(Role)) for o in of(Audience.STAFF)}


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
    answer = application.app(EVENTS[event], lambda_context("api_handler"))

    assert answer["statusCode"] == 500  # it has no route, and only AWS itself could send it
    assert "Traceback" not in answer["body"]
