"""Who gets an order: masked by default; whoever looks at it is on record before it is told."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.recipient import ORDERS_MAX
from chalicelib.http_client import Response
from chalicelib.tables.records import AuditItem, RecordItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.fault_injection import injected, refusal
from tests.fixtures.merchant import ADDRESS, MerchantFixture, Reply
from tests.fixtures.shipping import file_of, to_ship

RECIPIENTS = "/v1/merchant/recipients"
MASKED = ADDRESS | {"name": "王*", "phone": "138****8000", "street": "****"}


def look(
    merchant: MerchantFixture, *order_ids: str, purpose: str = "view", role: str = "owner"
) -> Reply:
    body = {"order_ids": list(order_ids), "purpose": purpose}
    return merchant.staff(role).post(RECIPIENTS, body)


def looks(merchant: MerchantFixture) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """(who, subject, before, after) of every look on record, the first one first."""
    month = AuditItem.at(merchant.merchant_id, merchant.now_s, "").pk
    rows = RecordItem.query(month, consistent_read=True)
    seen = [
        row for row in rows if isinstance(row, AuditItem) and row.action.startswith("recipient")
    ]
    return [(row.staff, row.subject, row.before.as_dict(), row.after.as_dict()) for row in seen]


def paid(merchant: MerchantFixture, number: int) -> list[str]:
    """Orders that were bought alone, and paid."""
    activity = merchant.activity(stock=60)
    return [merchant.open_group(activity)[2] for _ in range(number)]


def test_order_shows_its_recipient_masked_and_nothing_is_recorded(
    merchant: MerchantFixture,
) -> None:
    _, order_id = to_ship(merchant)

    seen = file_of(merchant, order_id)

    assert (seen["address"], seen["address_changes"]) == (MASKED, 0)
    assert looks(merchant) == []


def test_look_tells_the_recipient_and_is_on_record(merchant: MerchantFixture) -> None:
    _, order_id = to_ship(merchant, remark="请放门口")
    note = {"text": "已电话确认"}
    merchant.owner().post(f"/v1/merchant/orders/{order_id}/notes", note)

    reply = look(merchant, order_id, role="service")

    assert reply.status == 200
    [told] = reply.body["items"]
    row = merchant.owner().get(f"/v1/merchant/orders?q={order_id}").body["items"][0]
    notes = file_of(merchant, order_id)["notes"]
    assert told == row | {
        "address": ADDRESS,
        "address_changes": 0,
        "store": None,
        "remark": "请放门口",
        "notes": notes,
    }
    assert looks(merchant) == [("service", f"order#{order_id}", {}, {"purpose": "view"})]
    merchant.check_laws()


def test_looking_twice_is_recorded_twice_and_told_in_the_audit_log(
    merchant: MerchantFixture,
) -> None:
    _, order_id = to_ship(merchant)

    for purpose in ("view", "edit", "view"):
        assert look(merchant, order_id, purpose=purpose, role="service").status == 200
        merchant.clock.forward(1)

    assert [after["purpose"] for _, _, _, after in looks(merchant)] == ["view", "edit", "view"]
    page = merchant.owner().get(f"/v1/merchant/audit?subject=order%23{order_id}").body
    assert [(it["words"], it["staff"], it["after"]) for it in page["items"]] == [
        ("查看收件信息", "service", {"purpose": purpose}) for purpose in ("view", "edit", "view")
    ]


def test_many_are_told_in_their_order_each_once(merchant: MerchantFixture) -> None:
    first, second, third = paid(merchant, 3)

    reply = look(merchant, third, first, third, second, purpose="ship", role="fulfilment")

    assert [told["order_id"] for told in reply.body["items"]] == [third, first, second]
    assert {told["address"]["phone"] for told in reply.body["items"]} == {ADDRESS["phone"]}
    named = {"purpose": "ship", "order_ids": [third, first, second]}
    assert looks(merchant) == [("fulfilment", "order", {}, named)]


def test_the_log_of_an_order_has_the_looks_at_several_that_name_it(
    merchant: MerchantFixture,
) -> None:
    first, second, third = paid(merchant, 3)
    look(merchant, first, second, purpose="print")
    merchant.clock.forward(1)
    look(merchant, second)

    def rows_of(subject: str) -> list[dict[str, Any]]:
        page = merchant.owner().get(f"/v1/merchant/audit?subject={quote(subject)}").body
        return [row["after"] for row in page["items"] if row["action"] == "recipient_seen"]

    at_two = {"purpose": "print", "order_ids": [first, second]}
    assert rows_of(f"order#{first}") == [at_two]
    assert rows_of(f"order#{second}") == [{"purpose": "view"}, at_two]
    assert rows_of(f"order#{third}") == []
    assert rows_of("order") == [{"purpose": "view"}, at_two]


@pytest.mark.parametrize("purpose", ["print", "ship"])
def test_lists_are_for_who_may_ship(merchant: MerchantFixture, purpose: str) -> None:
    [order_id] = paid(merchant, 1)

    refused = look(merchant, order_id, purpose=purpose, role="service")
    taken = [look(merchant, order_id, purpose=purpose, role=r) for r in ("fulfilment", "manager")]

    assert (refused.status, refused.code) == (403, "forbidden")
    assert [reply.status for reply in taken] == [200, 200]
    assert sorted(who for who, *_ in looks(merchant)) == ["fulfilment", "manager"]


@pytest.mark.parametrize("purpose", ["view", "edit"])
def test_who_answers_a_buyer_looks_at_one_order_at_a_time(
    merchant: MerchantFixture, purpose: str
) -> None:
    orders = paid(merchant, 2)

    reply = look(merchant, *orders, purpose=purpose)

    assert (reply.status, reply.code, reply.body["details"]) == (
        400,
        "invalid_request",
        {"field": "order_ids"},
    )
    assert looks(merchant) == []


def test_one_order_that_is_not_there_and_nothing_is_told_or_recorded(
    merchant: MerchantFixture,
) -> None:
    [order_id] = paid(merchant, 1)
    neighbour = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    [theirs] = paid(neighbour, 1)

    replies = [
        look(merchant, order_id, other, purpose="print")
        for other in (theirs, f"{order_id[:22]}00000000", "no id")
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(404, "not_found")] * 3
    assert looks(merchant) == looks(neighbour) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_ids": []},
        {"order_ids": ["0" * 30] * (ORDERS_MAX + 1)},
        {"purpose": "curiosity"},
        {"purpose": None},
    ],
)
def test_look_that_does_not_fit_is_refused(
    merchant: MerchantFixture, wrong: dict[str, Any]
) -> None:
    reply = merchant.owner().post(RECIPIENTS, {"order_ids": ["0" * 30], "purpose": "ship"} | wrong)

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.slow
def test_what_cannot_be_recorded_is_not_told(merchant: MerchantFixture) -> None:
    [order_id] = paid(merchant, 1)
    merchant.owner()  # who asks is stored already

    def no_time_to_write(operation: str, body: bytes) -> Response | None:
        if operation != "PutItem":
            return None
        return refusal("ProvisionedThroughputExceededException")

    with injected(no_time_to_write):
        reply = look(merchant, order_id)

    assert (reply.status, reply.code) == (503, "busy")
    assert ADDRESS["phone"] not in str(reply.body)
    assert looks(merchant) == []


@pytest.mark.slow
def test_fifty_orders_are_four_calls_and_one_row(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=60)
    orders = [merchant.buyer().open(activity).body["order_id"] for _ in range(ORDERS_MAX)]
    look(merchant, orders[0])  # the session has been looked up

    with metered() as meter:
        reply = look(merchant, *orders, purpose="print")

    assert [told["order_id"] for told in reply.body["items"]] == orders
    assert meter.calls == ["BatchGetItem", "BatchGetItem", "BatchGetItem", "PutItem"]
    assert meter.units == 2, meter.parts
    assert len(looks(merchant)) == 2


def test_change_of_address_is_answered_and_audited_masked(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    moved = ADDRESS | {"name": "李雷", "phone": "13900139001", "street": "新街 1 号"}
    [told] = look(merchant, order_id, purpose="edit").body["items"]

    body = {"address": moved, "address_changes": told["address_changes"]}
    changed = merchant.owner().put(f"/v1/merchant/orders/{order_id}/address", body)

    masked = MASKED | {"name": "李*", "phone": "139****9001"}
    assert (changed.body["address"], changed.body["address_changes"]) == (masked, 1)
    assert friend.order(order_id)["address"] == moved
    rows = merchant.owner().get(f"/v1/merchant/audit?subject=order%23{order_id}").body["items"]
    [row] = [row for row in rows if row["action"] == "address_changed"]
    assert (row["before"], row["after"]) == (
        {"name": "王*", "phone": "138****8000", "street": "****"},
        {"name": "李*", "phone": "139****9001", "street": "****"},
    )
    [again] = look(merchant, order_id).body["items"]
    assert (again["address"], again["address_changes"]) == (moved, 1)
