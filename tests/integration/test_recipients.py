"""Who gets an order: masked by default; whoever looks at it is on record before it is told."""

from typing import Any
from urllib.parse import quote

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from chalicelib.domain.recipient import ORDERS_MAX
from chalicelib.tables.records import AuditItem, RecordItem
from tests.faults import injected, refusal
from tests.meter import metered
from tests.shipping import file_of, to_ship
from tests.support import ADDRESS, Reply, Town

RECIPIENTS = "/v1/merchant/recipients"
MASKED = ADDRESS | {"name": "王*", "phone": "138****8000", "street": "****"}


def look(town: Town, *order_ids: str, purpose: str = "view", role: str = "owner") -> Reply:
    body = {"order_ids": list(order_ids), "purpose": purpose}
    return town.staff(role).post(RECIPIENTS, body)


def looks(town: Town) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """(who, subject, before, after) of every look on record, the first one first."""
    month = AuditItem.at(town.merchant_id, town.now_s, "").pk
    rows = RecordItem.query(month, consistent_read=True)
    seen = [
        row for row in rows if isinstance(row, AuditItem) and row.action.startswith("recipient")
    ]
    return [(row.staff, row.subject, row.before.as_dict(), row.after.as_dict()) for row in seen]


def paid(town: Town, number: int) -> list[str]:
    """Orders that were bought alone, and paid."""
    activity = town.activity(stock=60)
    return [town.open_group(activity)[2] for _ in range(number)]


def test_order_shows_its_recipient_masked_and_nothing_is_recorded(town: Town) -> None:
    _, order_id = to_ship(town)

    seen = file_of(town, order_id)

    assert (seen["address"], seen["address_changes"]) == (MASKED, 0)
    assert looks(town) == []


def test_look_tells_the_recipient_and_is_on_record(town: Town) -> None:
    _, order_id = to_ship(town, remark="请放门口")
    note = {"text": "已电话确认"}
    town.owner().post(f"/v1/merchant/orders/{order_id}/notes", note)

    reply = look(town, order_id, role="service")

    assert reply.status == 200
    [told] = reply.body["items"]
    row = town.owner().get(f"/v1/merchant/orders?q={order_id}").body["items"][0]
    notes = file_of(town, order_id)["notes"]
    assert told == row | {
        "address": ADDRESS,
        "address_changes": 0,
        "store": None,
        "remark": "请放门口",
        "notes": notes,
    }
    assert looks(town) == [("service", f"order#{order_id}", {}, {"purpose": "view"})]
    town.check_laws()


def test_looking_twice_is_recorded_twice_and_told_in_the_audit_log(town: Town) -> None:
    _, order_id = to_ship(town)

    for purpose in ("view", "edit", "view"):
        assert look(town, order_id, purpose=purpose, role="service").status == 200
        town.clock.forward(1)

    assert [after["purpose"] for _, _, _, after in looks(town)] == ["view", "edit", "view"]
    page = town.owner().get(f"/v1/merchant/audit?subject=order%23{order_id}").body
    assert [(it["words"], it["staff"], it["after"]) for it in page["items"]] == [
        ("查看收件信息", "service", {"purpose": purpose}) for purpose in ("view", "edit", "view")
    ]


def test_many_are_told_in_their_order_each_once(town: Town) -> None:
    first, second, third = paid(town, 3)

    reply = look(town, third, first, third, second, purpose="ship", role="fulfilment")

    assert [told["order_id"] for told in reply.body["items"]] == [third, first, second]
    assert {told["address"]["phone"] for told in reply.body["items"]} == {ADDRESS["phone"]}
    named = {"purpose": "ship", "order_ids": [third, first, second]}
    assert looks(town) == [("fulfilment", "order", {}, named)]


def test_the_log_of_an_order_has_the_looks_at_several_that_name_it(town: Town) -> None:
    first, second, third = paid(town, 3)
    look(town, first, second, purpose="print")
    town.clock.forward(1)
    look(town, second)

    def rows_of(subject: str) -> list[dict[str, Any]]:
        page = town.owner().get(f"/v1/merchant/audit?subject={quote(subject)}").body
        return [row["after"] for row in page["items"] if row["action"] == "recipient_seen"]

    at_two = {"purpose": "print", "order_ids": [first, second]}
    assert rows_of(f"order#{first}") == [at_two]
    assert rows_of(f"order#{second}") == [{"purpose": "view"}, at_two]
    assert rows_of(f"order#{third}") == []
    assert rows_of("order") == [{"purpose": "view"}, at_two]


@pytest.mark.parametrize("purpose", ["print", "ship"])
def test_lists_are_for_who_may_ship(town: Town, purpose: str) -> None:
    [order_id] = paid(town, 1)

    refused = look(town, order_id, purpose=purpose, role="service")
    taken = [look(town, order_id, purpose=purpose, role=r) for r in ("fulfilment", "manager")]

    assert (refused.status, refused.code) == (403, "forbidden")
    assert [reply.status for reply in taken] == [200, 200]
    assert sorted(who for who, *_ in looks(town)) == ["fulfilment", "manager"]


@pytest.mark.parametrize("purpose", ["view", "edit"])
def test_who_answers_a_buyer_looks_at_one_order_at_a_time(town: Town, purpose: str) -> None:
    orders = paid(town, 2)

    reply = look(town, *orders, purpose=purpose)

    assert (reply.status, reply.code, reply.body["details"]) == (
        400,
        "invalid_request",
        {"field": "order_ids"},
    )
    assert looks(town) == []


def test_one_order_that_is_not_there_and_nothing_is_told_or_recorded(town: Town) -> None:
    [order_id] = paid(town, 1)
    neighbour = Town(town.wechat, town.clock, town.door)
    [theirs] = paid(neighbour, 1)

    replies = [
        look(town, order_id, other, purpose="print")
        for other in (theirs, f"{order_id[:22]}00000000", "no id")
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(404, "not_found")] * 3
    assert looks(town) == looks(neighbour) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_ids": []},
        {"order_ids": ["0" * 30] * (ORDERS_MAX + 1)},
        {"purpose": "curiosity"},
        {"purpose": None},
    ],
)
def test_look_that_does_not_fit_is_refused(town: Town, wrong: dict[str, Any]) -> None:
    reply = town.owner().post(RECIPIENTS, {"order_ids": ["0" * 30], "purpose": "ship"} | wrong)

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_what_cannot_be_recorded_is_not_told(town: Town) -> None:
    [order_id] = paid(town, 1)
    town.owner()  # who asks is stored already

    def no_time_to_write(operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if operation != "PutItem":
            return None
        return refusal(request, "ProvisionedThroughputExceededException")

    with injected(no_time_to_write):
        reply = look(town, order_id)

    assert (reply.status, reply.code) == (503, "busy")
    assert ADDRESS["phone"] not in str(reply.body)
    assert looks(town) == []


def test_fifty_orders_are_three_calls_and_one_row(town: Town) -> None:
    orders = paid(town, ORDERS_MAX)
    look(town, orders[0])  # the session has been looked up

    with metered() as meter:
        reply = look(town, *orders, purpose="print")

    assert [told["order_id"] for told in reply.body["items"]] == orders
    assert meter.calls == ["BatchGetItem", "BatchGetItem", "PutItem"]
    assert meter.units == 2, meter.parts
    assert len(looks(town)) == 2


def test_change_of_address_is_answered_and_audited_masked(town: Town) -> None:
    friend, order_id = to_ship(town)
    moved = ADDRESS | {"name": "李雷", "phone": "13900139001", "street": "新街 1 号"}
    [told] = look(town, order_id, purpose="edit").body["items"]

    body = {"address": moved, "address_changes": told["address_changes"]}
    changed = town.owner().put(f"/v1/merchant/orders/{order_id}/address", body)

    masked = MASKED | {"name": "李*", "phone": "139****9001"}
    assert (changed.body["address"], changed.body["address_changes"]) == (masked, 1)
    assert friend.order(order_id)["address"] == moved
    rows = town.owner().get(f"/v1/merchant/audit?subject=order%23{order_id}").body["items"]
    [row] = [row for row in rows if row["action"] == "address_changed"]
    assert (row["before"], row["after"]) == (
        {"name": "王*", "phone": "138****8000", "street": "****"},
        {"name": "李*", "phone": "139****9001", "street": "****"},
    )
    [again] = look(town, order_id).body["items"]
    assert (again["address"], again["address_changes"]) == (moved, 1)
