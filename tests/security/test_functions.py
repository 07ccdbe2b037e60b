"""API5, broken function level authorisation: who may do what, and what is no function at all."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest

import app as application
from chalicelib.api.http import Audience, Operation
from chalicelib.domain.rights import Role
from tests.fixtures.api_clients import lambda_context
from tests.fixtures.fake_clock import TICK
from tests.fixtures.two_merchants import TwoMerchants
from tests.security.operations import ask, name_of, named, of

# What each operation needs; every other one is about the asking person alone. Said here and not
# asked of the app: a case that the app's own rights made would be gone with the one they forget.
NEEDED: Mapping[str, str] = {
    "accept_picture": "goods:act or settings:act",
    "agree_to_return": "after_sales:act",
    "add_activity_stock": "activities:act",
    "add_note": "orders:act",
    "adjust_stock": "goods:act",
    "ask_for_export": "exports:act",
    "approve_after_sale": "after_sales:act",
    "change_activity": "activities:act",
    "change_address": "orders:act",
    "change_agreements": "settings:act",
    "change_alipay": "accounts:act",
    "change_category": "goods:act",
    "change_buyer_points": "refunds:act",
    "change_coupon": "activities:act",
    "change_points_offer": "activities:act",
    "change_freight_template": "delivery:act",
    "change_message_templates": "messages:act",
    "change_member_tag": "members:act",
    "change_product": "goods:act",
    "change_settings": "settings:act",
    "change_sms": "accounts:act",
    "change_staff": "staff:act",
    "change_store": "delivery:act",
    "change_wechat_account": "accounts:act",
    "change_wechat_login": "accounts:act",
    "change_wechat_pay": "accounts:act",
    "check_activity": "activities:act",
    "check_alipay": "accounts:act",
    "check_sms": "accounts:act",
    "check_wechat_account": "accounts:act",
    "check_wechat_login": "accounts:act",
    "check_wechat_pay": "accounts:act",
    "close_group": "activities:act",
    "close_order": "refunds:act",
    "copy_activity": "activities:act",
    "copy_product": "goods:act",
    "correct_parcel": "shipping:act",
    "count_open_groups": "activities:view",
    "count_orders": "orders:view",
    "create_category": "goods:act",
    "create_coupon": "activities:act",
    "create_points_offer": "activities:act",
    "create_freight_template": "delivery:act",
    "create_member_tag": "members:act",
    "create_product": "goods:act",
    "create_store": "delivery:act",
    "deal_with_difference": "refunds:act",
    "deal_with_rejected_result": "refunds:act",
    "end_activity": "activities:act",
    "extend_group": "activities:act",
    "hand_over": "pickup:act",
    "hand_over_replacement": "after_sales:act",
    "allow_invitation": "members:act",
    "invite_staff": "staff:act",
    "list_invitations": "members:view",
    "make_shop_share": "activities:act",
    "read_share_figures": "activities:view",
    "refuse_invitation": "members:act",
    "list_activities": "activities:view",
    "list_after_sales": "after_sales:view",
    "list_audit": "audit:view",
    "list_carriers": "orders:view",
    "list_categories": "goods:view",
    "list_differences": "reconciliation:view",
    "link_export": "exports:act",
    "list_exports": "exports:act",
    "give_coupon": "refunds:act",
    "count_buyers_coupons": "refunds:act",
    "list_coupon_codes": "activities:view",
    "list_coupons": "activities:view",
    "list_shop_points_offers": "activities:view",
    "list_freight_templates": "delivery:view",
    "list_member_tags": "members:view",
    "list_members": "members:view",
    "list_rewards": "members:view",
    "list_payment_accounts": "accounts:view",
    "list_earlier_wechat_pay": "accounts:view",
    "list_earlier_alipay": "accounts:view",
    "note_member": "members:act",
    "offer_wechat_pay": "accounts:act",
    "offer_alipay": "accounts:act",
    "list_products": "goods:view",
    "list_reconciliations": "reconciliation:view",
    "list_refunds": "refunds:view",
    "list_rejected_results": "reconciliation:view",
    "list_shipping_batches": "shipping:act",
    "list_shop_groups": "activities:view",
    "list_shop_orders": "orders:view",
    "list_staff": "staff:act",
    "list_stock_adjustments": "goods:view",
    "list_stores": "delivery:view",
    "look_up_pickup": "pickup:act",
    "lower_order_price": "refunds:act",
    "make_ready": "pickup:act",
    "pause_activity": "activities:act",
    "pay_refund_outside": "refunds:act",
    "publish_activity": "activities:act",
    "read_activity_links": "activities:view",
    "read_activity_in_mini_program": "activities:view",
    "read_buyer_points": "refunds:view",
    "read_coupon": "activities:view",
    "read_coupon_codes": "activities:act",
    "read_export": "exports:act",
    "read_export_form": "exports:act",
    "read_ledger": "refunds:view",
    "read_member": "members:view",
    "read_merchant_activity": "activities:view",
    "read_message_templates": "messages:view",
    "read_order_file": "orders:view",
    "read_product": "goods:view",
    "read_settings": "settings:view",
    "read_shop_agreements": "settings:view",
    "read_shop_group": "activities:view",
    "receive_exchanged_goods": "after_sales:act",
    "refund_order": "refunds:act",
    "refuse_after_sale": "after_sales:act",
    "remove_category": "goods:act",
    "remove_coupon": "activities:act",
    "remove_points_offer": "activities:act",
    "remove_freight_template": "delivery:act",
    "remove_member_tag": "members:act",
    "remove_store": "delivery:act",
    "reset_staff_password": "staff:act",
    "resume_activity": "activities:act",
    "retry_refund": "refunds:act",
    "see_recipients": "recipients:view",
    "send_replacement": "after_sales:act",
    "shelve_product": "goods:act",
    "ship_orders": "shipping:act",
    "ship_parcel": "shipping:act",
    "tag_members": "members:act",
    "upload_picture": "goods:act or settings:act",
    "withdraw_coupon": "activities:act",
    "write_coupon_codes": "activities:act",
}
OWN = {
    "begin_own_totp",
    "change_own_password",
    "confirm_own_totp",
    "end_own_sessions",
    "list_colleagues",  # names alone: what they see is signed with usernames
    "read_own_account",
    "remove_own_totp",
    "renew_own_session",
}
SHAPED = {"read_dashboard"}  # each part by its own right: test_staff_rights

# What each role may do without more words.
SERVICE = {
    "activities:view",
    "after_sales:view",
    "delivery:view",
    "goods:view",
    "messages:view",
    "orders:act",
    "orders:view",
    "pickup:act",
    "recipients:view",
    "settings:view",
}
FULFILMENT = SERVICE | {"shipping:act"}
OWNERS = {"accounts:act", "accounts:view", "staff:act"}
MAY: Mapping[Role, set[str]] = {
    Role.SERVICE: SERVICE | {"members:act", "members:view"},
    Role.FULFILMENT: FULFILMENT,
    Role.MANAGER: set(NEEDED.values()) - OWNERS,
    Role.OWNER: set(NEEDED.values()),
}
FORBIDDEN = [
    (named(name), role)
    for name, role in itertools.product(NEEDED, Role)
    if NEEDED[name] not in MAY[role]
]
SOURCES = application.app.event_sources
JOBS = sorted(source.name for source in SOURCES)


@pytest.mark.parametrize(("operation", "role"), FORBIDDEN, ids=name_of)
def test_role_without_the_right_is_refused(
    merchants: TwoMerchants, operation: Operation, role: Role
) -> None:
    reply = ask(operation, merchants.ours).by(merchants.merchant.staff(role))

    assert (reply.status, reply.code) == (403, "forbidden")
    assert reply.body["details"] == {"right": NEEDED[operation.name].split()[0]}


def test_every_staff_operation_names_its_right_and_no_other_does() -> None:
    declared = {
        o.name: " or ".join(str(right) for right in o.rights)
        for o in application.OPERATIONS
        if o.rights
    }

    assert declared == NEEDED
    assert {o.name for o in of(Audience.STAFF)} - set(NEEDED) == OWN | SHAPED


def test_what_needs_no_right_is_about_the_asking_person_alone() -> None:
    open_to_all = [o for o in of(Audience.STAFF) if not o.rights and o.name not in SHAPED]

    assert {o.path.startswith("/v1/merchant/me") for o in open_to_all} == {True}


# What every role changes, on one order at a time and on record; a new one is a decision.
EVERYBODYS = {"add_note", "change_address", "hand_over", "make_ready", "see_recipients"}


def test_what_changes_money_stock_or_people_is_never_for_every_role() -> None:
    open_to_all = {name for name, needed in NEEDED.items() if needed in SERVICE}

    assert {name for name in open_to_all if named(name).method != "GET"} == EVERYBODYS


@pytest.mark.parametrize("operation", of(Audience.STAFF), ids=name_of)
def test_buyer_is_no_member_of_staff(merchants: TwoMerchants, operation: Operation) -> None:
    reply = ask(operation, merchants.ours).by(merchants.ours.leader)

    assert (reply.status, reply.code) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", of(Audience.BUYER), ids=name_of)
def test_owner_is_no_buyer(merchants: TwoMerchants, operation: Operation) -> None:
    reply = ask(operation, merchants.ours).by(merchants.merchant.owner())

    assert (reply.status, reply.code) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", of(Audience.GATEWAY), ids=name_of)
def test_session_is_no_signature(merchants: TwoMerchants, operation: Operation) -> None:
    callers = (merchants.visitor(), merchants.ours.leader, merchants.merchant.owner())

    replies = [ask(operation, merchants.ours).by(caller, X_Merchant="any") for caller in callers]

    assert all(400 <= reply.status < 500 for reply in replies)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_job_has_no_route(merchants: TwoMerchants, job: str, method: str) -> None:
    kebab = job.replace("_", "-")
    paths = [f"/{job}", f"/v1/{job}", f"/v1/jobs/{job}", f"/v1/{kebab}", f"/v1/merchant/{job}"]

    replies = [merchants.merchant.owner().call(method, path, TICK) for path in paths]

    assert {reply.status for reply in replies} <= {403, 404, 405}


def test_every_function_but_the_api_is_started_by_a_schedule_or_the_stream() -> None:
    kinds = {type(source).__name__ for source in SOURCES}

    assert kinds == {"ScheduledEventConfig", "DynamoDBEventConfig"}
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
    merchants: TwoMerchants, operation: Operation, event: str
) -> None:
    callers = {Audience.BUYER: merchants.ours.leader, Audience.STAFF: merchants.merchant.owner()}
    caller = callers.get(operation.audience, merchants.visitor())

    reply = caller.call(
        operation.method,
        ask(operation, merchants.ours).path,
        EVENTS[event],
        Idempotency_Key="a-key-of-mine",
    )

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("event", EVENTS)
def test_event_that_reaches_the_api_function_starts_no_job(
    merchants: TwoMerchants, event: str
) -> None:
    answer = application.app(EVENTS[event], lambda_context("api_handler"))

    assert answer["statusCode"] == 500  # it has no route, and only AWS itself could send it
    assert "Traceback" not in answer["body"]
