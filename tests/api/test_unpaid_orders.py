"""A buyer holds units with at most so many unpaid orders; every way out of `pending` frees one."""

from collections import Counter
from typing import Any

import pytest

from tests.fixtures.api_clients import Buyer, Reply
from tests.fixtures.caches import clear_caches
from tests.fixtures.merchant import Activity, MerchantFixture, concurrently

UNPAID_MAX = 3  # by default


def opened(buyer: Buyer, activity: Activity, times: int) -> list[str]:
    """The ids of so many orders of groups that the buyer opens and does not pay."""
    replies = [buyer.open(activity) for _ in range(times)]
    assert [reply.status for reply in replies] == [201] * times, replies
    return [reply.body["order_id"] for reply in replies]


def refused(reply: Reply) -> dict[str, Any]:
    assert (reply.status, reply.body["code"]) == (409, "unpaid_orders_limit"), reply.body
    return dict(reply.body["details"])


def set_limit(merchant: MerchantFixture, most: int) -> Reply:
    stored = merchant.owner().get("/v1/merchant/settings").body
    changed = {**stored, "unpaid_orders_max": most}
    del changed["merchant_id"]
    reply = merchant.owner().put("/v1/merchant/settings", changed)
    clear_caches()
    return reply


def test_one_buyer_cannot_hold_the_stock_by_opening_groups(merchant: MerchantFixture) -> None:
    activity = merchant.activity(product_stock=110)
    group_id, *_ = merchant.open_group(activity)
    hoarder = merchant.buyer()
    held = opened(hoarder, activity, UNPAID_MAX)

    by_opening = hoarder.open(activity)
    by_joining = hoarder.join(activity, group_id)
    alone = hoarder.buy_alone(activity)

    for reply in (by_opening, by_joining, alone):
        assert refused(reply) == {"limit": UNPAID_MAX, "order_ids": sorted(held)}
    assert by_opening.body["message"] == "你有 3 个订单还没付款，请先付款或取消，再下新的订单。"
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (
        100 - 1 - UNPAID_MAX,
        10,
    )
    assert len(hoarder.get("/v1/orders").body["items"]) == UNPAID_MAX
    assert merchant.buyer().join(activity, group_id).status == 201  # others are not concerned
    merchant.check_laws()


@pytest.mark.slow
def test_every_way_out_of_pending_frees_a_hold(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(), merchant.buyer()
    paid, cancelled, _ = opened(buyer, activity, UNPAID_MAX)
    merchant.pay(buyer, paid)
    assert buyer.cancel(cancelled).status == 200
    by_staff, _ = opened(buyer, activity, 2)
    refused(buyer.open(activity))
    path = f"/v1/merchant/orders/{by_staff}/closing"
    assert merchant.owner().post(path, {"reason": "缺货"}).status == 200
    opened(buyer, activity, 1)
    refused(buyer.open(activity))

    merchant.clock.forward(601)  # past the pay-by time; until a job has run, the units are held
    refused(buyer.open(activity))
    merchant.run_jobs()
    group_id, *_ = merchant.open_group(activity)
    merchant.clock.forward(24 * 3600 - 60)
    opened(buyer, activity, 2)
    failing = buyer.join(activity, group_id).body["order_id"]
    refused(buyer.buy_alone(activity))
    merchant.wait(180)  # the group fails with its unpaid seat
    assert buyer.status(failing) == "closed"
    assert buyer.open(activity).status == 201
    refused(buyer.open(activity))
    merchant.check_laws()


@pytest.mark.slow
def test_a_repeat_of_a_full_buyer_gets_its_first_answer(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(product_stock=110), merchant.buyer()
    group_id, *_ = merchant.open_group(activity)
    first = [
        buyer.open(activity, key="the-same-key"),
        buyer.join(activity, group_id),
        buyer.buy_alone(activity, key="the-same-key"),
    ]

    again = [
        buyer.open(activity, key="the-same-key"),
        buyer.join(activity, group_id),
        buyer.buy_alone(activity, key="the-same-key"),
    ]

    assert [reply.body["order_id"] for reply in again] == [r.body["order_id"] for r in first]


def test_the_shop_sets_how_many(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(), merchant.buyer()

    assert [set_limit(merchant, most).status for most in (0, 21)] == [400, 400]
    assert set_limit(merchant, 5).body["unpaid_orders_max"] == 5
    held = opened(buyer, activity, 5)
    refused(buyer.open(activity))
    assert set_limit(merchant, 2).status == 200
    for order_id in held[:3]:
        assert refused(buyer.open(activity))["limit"] == 2
        assert buyer.cancel(order_id).status == 200
    refused(buyer.open(activity))
    assert buyer.cancel(held[3]).status == 200
    assert buyer.open(activity).status == 201
    merchant.check_laws()


@pytest.mark.slow
def test_one_buyer_at_many_doors_at_once_holds_no_more(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(product_stock=200, seats=10), merchant.buyer()
    groups = [merchant.open_group(activity)[0] for _ in range(4)]
    ways = [
        *[lambda group_id=group_id: buyer.join(activity, group_id) for group_id in groups],
        *[lambda: buyer.open(activity)] * 4,
        *[lambda: buyer.buy_alone(activity)] * 4,
    ]

    for _ in range(3):  # with none, and twice with one unpaid, one paid and one cancelled
        merchant.clock.forward(61)  # the brake on purchases counts by the minute
        outcomes = Counter(reply.body.get("code", "placed") for reply in concurrently(ways))

        assert set(outcomes) <= {"placed", "unpaid_orders_limit", "busy"}, outcomes
        merchant.check_laws(quiescent=False)
        unpaid = [o for o in buyer.get("/v1/orders").body["items"] if o["status"] == "pending"]
        assert len(unpaid) == UNPAID_MAX
        merchant.pay(buyer, unpaid[0]["order_id"])
        assert buyer.cancel(unpaid[1]["order_id"]).status == 200
