"""A buyer's own orders: tabs and counts, rows, steps, next actions, and the way by a payment."""

from typing import Any

import pytest

from chalicelib.services.orders import own_orders
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture, Reply
from tests.fixtures.shipping import file_of, ship

TABS = ("to_pay", "waiting", "to_ship", "to_receive", "after_sale")


def listed(buyer: Buyer, tab: str = "") -> Any:
    reply = buyer.get(f"/v1/orders?tab={tab}" if tab else "/v1/orders")
    assert reply.status == 200, reply.body
    return reply.body


def ids(buyer: Buyer, tab: str = "") -> list[str]:
    return [item["order_id"] for item in listed(buyer, tab)["items"]]


def formed_order(merchant: MerchantFixture, activity: Activity, buyer: Buyer) -> str:
    """An order of the buyer's in a group of two that has formed."""
    group_id, _, _ = merchant.open_group(activity)
    _, order_id = merchant.member(activity, group_id, buyer)
    merchant.run_jobs()
    return order_id


def refund(merchant: MerchantFixture, order_id: str, amount_fen: int) -> None:
    body = {"amount_fen": amount_fen, "reason": "少发一件", "units_back": 0}
    reply = merchant.owner().post(
        f"/v1/merchant/orders/{order_id}/refunds", body, Idempotency_Key="refund-once"
    )
    assert reply.status == 201, reply.body


@pytest.mark.slow
def test_each_tab_has_its_orders_and_counts_are_those_of_the_lists(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = merchant.activity(seats=2, stock=60), merchant.buyer()
    pending = buyer.open(activity).body["order_id"]
    merchant.clock.forward(1)
    gone = buyer.open(activity).body["order_id"]
    assert buyer.cancel(gone).status == 200
    orders = {}
    for name in ("to_ship", "shipped", "partly_back"):
        merchant.clock.forward(1)
        orders[name] = formed_order(merchant, activity, buyer)
    assert ship(merchant, orders["shipped"]).status == 200
    refund(merchant, orders["partly_back"], 900)
    merchant.clock.forward(1)
    _, _, waiting = merchant.open_group(activity, buyer)

    shown = listed(buyer)

    newest_first = [
        waiting,
        orders["partly_back"],
        orders["shipped"],
        orders["to_ship"],
        gone,
        pending,
    ]
    assert [item["order_id"] for item in shown["items"]] == newest_first
    assert {tab: ids(buyer, tab) for tab in TABS} == {
        "to_pay": [pending],
        "waiting": [waiting],
        "to_ship": [orders["partly_back"], orders["to_ship"]],
        "to_receive": [orders["shipped"]],
        "after_sale": [orders["partly_back"]],
    }
    assert shown["counts"] == {
        "all": 6,
        "to_pay": 1,
        "waiting": 1,
        "to_ship": 2,
        "to_receive": 1,
        "after_sale": 1,
    }
    assert listed(buyer, "waiting")["counts"] == shown["counts"]
    merchant.run_jobs(2)  # the money arrives
    settled = listed(buyer, "after_sale")
    assert [item["order_id"] for item in settled["items"]] == [orders["partly_back"]]
    assert settled["counts"] == shown["counts"] | {"after_sale": 0}
    assert shown["now_s"] == merchant.now_s
    actions = {item["order_id"]: item["actions"] for item in shown["items"]}
    assert actions == {
        waiting: ["invite", "cancel"],
        orders["partly_back"]: ["urge", "see_refund", "ask_after_sale"],
        orders["shipped"]: ["receive", "track", "ask_after_sale"],
        orders["to_ship"]: ["urge", "ask_after_sale"],
        gone: ["buy_again"],
        pending: ["pay", "cancel"],
    }


def test_row_shows_what_was_bought_and_how_its_group_is_doing(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=20)
    group_id, leader, _ = merchant.open_group(activity, quantity=2)
    merchant.join(activity, group_id)

    (row,) = listed(leader)["items"]

    assert (row["title"], row["spec"], row["quantity"]) == ("周末三人团", "1斤装", 2)
    assert (row["unit_price_fen"], row["total_fen"]) == (5900, 11800)
    assert (row["placed_at_s"], row["delivery"]) == (merchant.now_s, "express")
    assert row["group"] == {
        "status": "open",
        "seats_total": 3,
        "seats_least": 0,
        "seats_taken": 2,
        "seats_paid": 1,
        "seats_missing": 2,
        "expires_at_s": merchant.now_s + 86400,
        "tiers": [],
    }
    assert row["actions"] == ["invite"]  # not alone any more: no cancelling
    merchant.clock.forward(86400)
    assert listed(leader)["items"][0]["actions"] == []


def test_more_orders_than_are_looked_at_are_not_counted_and_all_found(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity, buyer, placed = merchant.activity(stock=20), merchant.buyer(), []
    for _ in range(5):
        placed.append(buyer.open(activity).body["order_id"])
        assert buyer.cancel(placed[-1]).status == 200
        merchant.clock.forward(1)
    pending = buyer.open(activity).body["order_id"]
    monkeypatch.setattr(own_orders, "LOOKED_AT", 2)

    def through(path: str) -> list[str]:
        found: list[str] = []
        after = ""
        while True:
            page = buyer.get(f"{path}{after}").body
            found += [item["order_id"] for item in page["items"]]
            assert page["counts"] is None
            if page["next"] is None:
                return found
            after = f"&next={page['next']}"

    assert through("/v1/orders?limit=1") == [pending, *placed[::-1]]
    assert through("/v1/orders?limit=1&tab=to_pay") == [pending]
    assert through("/v1/orders?limit=50&tab=to_ship") == []


def test_order_is_found_by_either_number_of_its_payment_by_its_buyer_alone(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=20)
    group_id, leader, order_id = merchant.open_group(activity)
    member, _ = merchant.member(activity, group_id)
    (payment,) = merchant.stored_order(order_id).view().payments.values()
    numbers = (f"{order_id}01", payment.transaction_id)

    for number in numbers:
        path = f"/v1/orders/by-payment/{number}"
        assert leader.get(path).body == leader.order(order_id)
        assert (member.get(path).status, member.get(path).code) == (404, "not_found")
    other = "y" if order_id.endswith("x") else "x"
    for never in (f"{order_id[:-1]}{other}01", f"{order_id}02"):
        assert leader.get(f"/v1/orders/by-payment/{never}").status == 404


def test_steps_follow_the_order_to_its_receipt(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20)
    group_id, leader, order_id = merchant.open_group(activity)
    placed_at_s = merchant.now_s

    def steps() -> list[tuple[str, int | None]]:
        return [(one["step"], one["at_s"]) for one in leader.order(order_id)["steps"]]

    ahead = [("shipped", None), ("received", None)]
    begun = [("placed", placed_at_s), ("paid", placed_at_s)]
    assert steps() == [*begun, ("formed", None), *ahead]
    merchant.clock.forward(60)
    merchant.member(activity, group_id)
    merchant.run_jobs()
    formed_at_s = merchant.now_s
    assert steps() == [*begun, ("formed", formed_at_s), *ahead]
    merchant.clock.forward(60)
    assert ship(merchant, order_id).status == 200
    assert leader.order(order_id)["method_text"] == "微信支付"
    merchant.clock.forward(60)
    assert leader.post(f"/v1/orders/{order_id}/receipt").status == 200
    assert steps() == [
        *begun,
        ("formed", formed_at_s),
        ("shipped", formed_at_s + 60),
        ("received", formed_at_s + 120),
    ]
    assert leader.order(order_id)["actions"] == ["track", "ask_after_sale", "buy_again"]


def test_steps_of_what_ended_otherwise_are_those_it_took(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20, life_h=1)
    buyer = merchant.buyer()
    unpaid = buyer.open(activity).body["order_id"]
    merchant.clock.forward(1)
    _, _, failed = merchant.open_group(activity, buyer)
    at_s = merchant.now_s
    merchant.clock.forward(3660)
    merchant.gateway.faults.add("refund", "stays_processing")
    merchant.run_jobs()
    failed_at_s = merchant.now_s

    def steps(order_id: str) -> list[tuple[str, int | None]]:
        return [(one["step"], one["at_s"]) for one in buyer.order(order_id)["steps"]]

    taken = [("placed", at_s), ("paid", at_s), ("failed", failed_at_s)]
    assert steps(unpaid) == [("placed", at_s - 1), ("closed", None)]
    assert steps(failed) == [*taken, ("refunded", None)]
    assert buyer.order(failed)["actions"] == ["see_refund", "buy_again"]
    merchant.gateway.settle_refunds()
    merchant.wait(60)
    assert steps(failed) == [*taken, ("refunded", failed_at_s)]


def test_bought_alone_there_is_no_group_among_the_steps(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=5, product_stock=9), merchant.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    merchant.pay(buyer, order_id)

    shown = buyer.order(order_id)

    assert [one["step"] for one in shown["steps"]] == ["placed", "paid", "shipped", "received"]
    assert (shown["group"], shown["actions"]) == (None, ["urge", "ask_after_sale"])


def test_buyer_asks_the_shop_to_hurry_once_a_day_while_something_is_to_be_shipped(
    merchant: MerchantFixture,
) -> None:
    activity, buyer = merchant.activity(seats=2, stock=20), merchant.buyer()
    group_id, _, order_id = merchant.open_group(activity, buyer)

    def urge() -> Reply:
        return buyer.post(f"/v1/orders/{order_id}/urges")

    early = urge()
    assert (early.status, early.body["message"]) == (409, "还没有成团，成团后商家才会发货。")
    merchant.member(activity, group_id)
    merchant.run_jobs()
    assert file_of(merchant, order_id)["urged_at_s"] is None

    first = urge()
    again = urge()

    assert (first.status, first.body["urged_at_s"]) == (200, merchant.now_s)
    assert first.body["actions"] == ["ask_after_sale"]
    assert (again.status, again.body["message"]) == (409, "已提醒过商家，24 小时后可以再次提醒。")
    shown = file_of(merchant, order_id)
    assert shown["urged_at_s"] == merchant.now_s
    assert [one["text"] for one in shown["timeline"] if one["what"] == "urged"] == ["买家催发货"]
    merchant.clock.forward(86399)
    assert urge().body["message"] == "已提醒过商家，1 小时后可以再次提醒。"
    merchant.clock.forward(1)
    assert (urge().status, file_of(merchant, order_id)["urged_at_s"]) == (200, merchant.now_s)
    merchant.clock.forward(86400)
    claim = {"amount_fen": 100, "reason": "late"}
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)
    assert buyer.order(order_id)["actions"] == ["see_after_sale"]
    assert urge().body["message"].startswith("售后处理完商家才能继续发货")
    path = f"/v1/orders/{order_id}/after-sales/{asked.body['after_sale_id'][-1]}/withdrawal"
    assert buyer.post(path).status == 200
    assert ship(merchant, order_id).status == 200
    merchant.clock.forward(86400)
    late = urge()
    assert (late.status, late.body["message"]) == (409, "商品已全部发出，可以查看快递单号。")


def test_open_request_for_after_sale_is_told_with_its_order(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(seats=2, stock=20), merchant.buyer()
    order_id = formed_order(merchant, activity, buyer)
    assert listed(buyer)["items"][0]["after_sale"] is None
    claim = {"amount_fen": 900, "reason": "damaged", "units": 0}
    asked = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)
    assert asked.status == 201, asked.body

    (row,) = listed(buyer, "after_sale")["items"]

    assert row["after_sale"] == asked.body == buyer.order(order_id)["after_sale"]
    assert (row["after_sale"]["status_text"], row["actions"]) == (
        "等待商家处理",
        ["see_after_sale"],
    )
    assert buyer.post(f"/v1/orders/{order_id}/after-sales/A/withdrawal").status == 200
    assert listed(buyer, "after_sale")["items"] == []
    assert buyer.order(order_id)["after_sale"] is None
