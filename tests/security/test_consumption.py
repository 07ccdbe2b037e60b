"""API4, unrestricted resource consumption: what one read may cost the tables, and who may ask how
often."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest

from app import OPERATIONS
from chalicelib.api import limits
from chalicelib.api.http import Audience, Operation
from chalicelib.domain.ids import new_id
from tests.fixtures import dynamodb_calls
from tests.fixtures.merchant import Caller
from tests.fixtures.two_merchants import TwoMerchants
from tests.security.operations import ask, name_of, named

READS = [operation for operation in OPERATIONS if operation.method == "GET"]
# Pages that are put together from several lists, each bounded; every other is one query.
QUERIES_MAX = {"list_audit": 5, "list_shop_groups": 5}
# What may be asked so often and no more. Said here and not asked of the app, as are the roles.
LIMITED: Mapping[str, Sequence[limits.Limit]] = {
    "accept_own_picture": [limits.BUYER_PICTURES],
    "accept_picture": [limits.STAFF_PICTURES],
    "buy_alone": [limits.PURCHASES],
    "claim_by_code": [limits.COUPON_CLAIMS, limits.WRONG_COUPON_CODES],
    "claim_coupon": [limits.COUPON_CLAIMS],
    "check_alipay": [limits.ACCOUNT_CHECKS],
    "check_sms": [limits.ACCOUNT_CHECKS],
    "check_wechat_account": [limits.ACCOUNT_CHECKS],
    "check_wechat_login": [limits.ACCOUNT_CHECKS],
    "check_wechat_pay": [limits.ACCOUNT_CHECKS],
    "create_staff_session": [limits.STAFF_LOGINS],
    "exchange_points": [limits.PURCHASES],
    "find_payment_result": [limits.PAYMENT_RESULTS],
    "join_group": [limits.PURCHASES],
    "log_in": [limits.BUYER_LOGINS, limits.WRONG_CODES],
    "begin_authorization": [limits.BUYER_LOGINS],
    "log_in_by_alipay": [limits.BUYER_LOGINS, limits.WRONG_CODES],
    "log_in_by_authorization": [limits.BUYER_LOGINS, limits.WRONG_CODES],
    "log_in_by_phone": [limits.BUYER_LOGINS, limits.WRONG_CODES],
    "open_group": [limits.PURCHASES],
    "quote_order": [limits.QUOTES],
    "remind_of_seat": [limits.REMINDERS],
    "remind_of_start": [limits.REMINDERS],
    "send_phone_code": [limits.PHONE_CODES],
    "upload_own_picture": [limits.BUYER_PICTURES],
    "upload_picture": [limits.STAFF_PICTURES],
    "visit_share": [limits.VISITS],
}


@contextmanager
def calls() -> Iterator[list[str]]:
    """The calls to DynamoDB that are sent in the block, by their names."""
    made: list[str] = []

    with dynamodb_calls.noted(made.append):
        yield made


def is_page(operation: Operation) -> bool:
    fields = msgspec.structs.fields(operation.answer) if operation.answer else ()
    return {"items", "next"} <= {field.name for field in fields}


def caller_of(operation: Operation, merchants: TwoMerchants) -> Caller:
    if operation.audience is Audience.STAFF:
        return merchants.merchant.owner()
    return merchants.ours.leader if operation.audience is Audience.BUYER else merchants.visitor()


@pytest.mark.parametrize("operation", READS, ids=name_of)
def test_no_read_scans_a_table_and_a_page_is_one_query(
    merchants: TwoMerchants, operation: Operation
) -> None:
    caller = caller_of(operation, merchants)

    with calls() as made:
        reply = ask(operation, merchants.ours).by(caller)

    assert reply.status in (200, 404), reply.body
    assert "Scan" not in made
    if is_page(operation):
        assert made.count("Query") <= QUERIES_MAX.get(operation.name, 1), made


@pytest.mark.parametrize("name", LIMITED)
def test_who_asks_too_often_waits(
    merchants: TwoMerchants, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = named(name)
    caller = caller_of(operation, merchants)
    others = {"picture_id": new_id(), "coupon_template_id": new_id(), "code": "00000000"}
    asked = ask(operation, merchants.ours, **others)
    useless = asked if asked.body is None else replace(asked, body=b"[]")

    for limit in LIMITED[name]:
        limits.reset()
        with monkeypatch.context() as patch:
            patch.setattr(limit.window, "times", 1)
            replies = [useless.by(caller) for _ in range(2)]

        assert replies[0].status != 429
        assert (replies[1].status, replies[1].code) == (429, "too_many_requests")


def test_every_limit_is_among_these() -> None:
    limited = {o.name: list(o.limits) for o in OPERATIONS if o.limits}

    assert limited == LIMITED
