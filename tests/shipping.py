"""What tests of shipping share: formed groups, parcels, and what staff see of them."""

from typing import Any

from tests.support import Activity, Buyer, Reply, Town

POSTED_S = 600  # the stream posts a payment at once; where there is none, a job by its pay-by time
SF, ZTO = "SF1234567890123", "78123456789012"
RECEIPT_S = 10 * 86400


def formed(town: Town, **purchase: Any) -> tuple[Activity, list[tuple[Buyer, str]]]:
    """(activity, members) of a group of two that is formed and settled; purchase: the friend's."""
    activity = town.activity(seats=2, stock=20, product_stock=30)
    group_id, leader, first = town.open_group(activity)
    friend, second = town.member(activity, group_id, **purchase)
    town.run_jobs()
    return activity, [(leader, first), (friend, second)]


def to_ship(town: Town, **purchase: Any) -> tuple[Buyer, str]:
    """(buyer, order_id) of an order that is to be shipped."""
    _, [_, member] = formed(town, **purchase)
    return member


def ship(town: Town, order_id: str, number: str = SF, *, role: str = "owner", **more: Any) -> Reply:
    given = {"carrier": "顺丰", "number": number, **more}
    return town.staff(role).post(f"/v1/merchant/orders/{order_id}/parcels", given)


def batch(town: Town, *rows: tuple[str, str, str], check_only: bool = False) -> list[Any]:
    """[(result, field)] of the rows (order_id, carrier, number)."""
    body = {
        "rows": [{"order_id": o, "carrier": c, "number": n} for o, c, n in rows],
        "check_only": check_only,
    }
    reply = town.staff("fulfilment").post("/v1/merchant/shipments", body)
    assert reply.status == 200, reply.body
    return [(row["result"], row["field"]) for row in reply.body["results"]]


def status_of(town: Town, order_id: str) -> str:
    """By the table itself: sessions end before orders do."""
    return str(town.stored_order(order_id).status)


def file_of(town: Town, order_id: str) -> Any:
    reply = town.staff("service").get(f"/v1/merchant/orders/{order_id}")
    assert reply.status == 200, reply.body
    return reply.body


def rows(town: Town, query: str = "") -> list[Any]:
    """Order ids of a list's first page."""
    reply = town.staff("service").get(f"/v1/merchant/orders?{query}")
    assert reply.status == 200, reply.body
    return [row["order_id"] for row in reply.body["items"]]
