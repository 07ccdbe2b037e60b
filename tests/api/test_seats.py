"""Seats: who gets one, who does not, and what becomes of a group."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture

PAY_BY_S = 600
PATIENCE_S = 300  # how long a silent gateway holds up a release


def lose_seat_but_pay(
    merchant: MerchantFixture, activity: Activity, group_id: str
) -> tuple[Buyer, str, str]:
    """A buyer who paid in time and lost the seat: neither callback nor query ever arrived."""
    buyer, order_id = merchant.join(activity, group_id)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.gateway.faults.add("query", "server_error", times=100)
    merchant.wait(PAY_BY_S + PATIENCE_S, every_s=300)
    merchant.gateway.faults.clear()
    assert buyer.status(order_id) == "closed"
    return buyer, order_id, number


@pytest.mark.slow
def test_many_pay_for_one_last_seat_and_exactly_one_is_seated(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    losers = [lose_seat_but_pay(merchant, activity, group_id) for _ in range(3)]
    winner, seated = merchant.join(activity, group_id)

    last = merchant.pay_unheard(winner, seated)
    merchant.resend(last, *(number for _, _, number in losers))
    merchant.run_jobs(2)

    assert merchant.stored_group(group_id).status == "formed"
    assert winner.status(seated) == "fulfilling"
    assert [buyer.status(order_id) for buyer, order_id, _ in losers] == ["closed"] * 3
    assert [buyer.order(o)["status_text"] for buyer, o, _ in losers] == ["已关闭·已退款"] * 3
    assert [buyer.messages() for buyer, _, _ in losers] == [["late", "refunded"]] * 3
    assert merchant.money() == {
        "captured_fen": 5 * 5900,
        "refunded_fen": 3 * 5900,
        "refunding_fen": 0,
    }
    merchant.check_laws()


def test_payment_for_a_formed_group_is_refunded_and_the_group_is_untouched(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    loser, closed, number = lose_seat_but_pay(merchant, activity, group_id)
    winner, seated = merchant.member(activity, group_id)
    merchant.run_jobs(2)
    items = [merchant.stored_group(group_id), *(merchant.stored_order(o) for o in (first, seated))]
    before = [merchant.image(item) for item in items]

    merchant.resend(number)
    merchant.run_jobs(2)

    assert [merchant.image(item) for item in items] == before
    assert loser.order(closed)["status_text"] == "已关闭·已退款"
    assert [r["status"] for r in loser.order(closed)["refunds"]] == ["succeeded"]
    assert (leader.messages()[-1], winner.messages()) == ("formed", ["formed"])
    merchant.check_laws()


def test_group_of_a_leader_who_never_pays_is_never_seen(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10)
    leader, other = merchant.buyer(), merchant.buyer()
    placed = leader.open(activity).body
    group_id = placed["group_id"]
    progress = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}"
    detail = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"

    def assert_unseen() -> None:
        assert merchant.visitor().get(progress).status == 404
        assert merchant.visitor().get(f"{progress}/page").status == 404
        assert merchant.visitor().get(detail).body["joinable_groups"] == []

    assert_unseen()
    assert (reply := other.join(activity, group_id)).status == 404, reply.body
    assert merchant.stock(activity) == 9

    merchant.wait(PAY_BY_S, every_s=300)

    assert_unseen()
    assert other.join(activity, group_id).status in (404, 409)
    group = merchant.stored_group(group_id)
    assert (group.status, group.failed_reason, group.due_at_s) == ("failed", "leader_unpaid", None)
    assert leader.order(placed["order_id"])["status_text"] == "已关闭"
    assert leader.messages() == []
    assert merchant.stock(activity) == 10


def test_expired_seat_is_closed_at_the_gateway_before_another_takes_it(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    late, first = merchant.join(activity, group_id)
    prepay_id = merchant.prepay(late, first)
    assert merchant.buyer().join(activity, group_id).code == "group_full"

    merchant.wait(PAY_BY_S, every_s=300)

    assert late.status(first) == "closed"
    assert merchant.gateway.ledger.summaries(f"{first}01")[0]["trade_state"].endswith("CLOSED")
    with pytest.raises(Exception, match="关闭"):
        merchant.gateway.pay(prepay_id)
    assert late.ask_to_pay(first).code == "order_closed"
    _, second = merchant.member(activity, group_id)
    merchant.run_jobs()
    assert merchant.stored_order(second).status == "fulfilling"
    merchant.check_laws()


def test_expired_seat_taken_by_another_makes_the_first_payment_late(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    loser, closed, number = lose_seat_but_pay(merchant, activity, group_id)
    _, held = merchant.join(activity, group_id)

    merchant.resend(number)
    merchant.run_jobs(2)

    group = merchant.stored_group(group_id)
    assert (group.status, group.seats_paid) == ("open", 1)
    assert loser.buyer_id not in group.members.as_dict()
    assert loser.status(closed) == "closed"
    assert merchant.stored_order(held).status == "pending"
    assert loser.messages() == ["late", "refunded"]
    assert merchant.stock(activity) == 8
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}


def test_repeated_join_answers_the_same_order_even_in_a_full_group(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=2, limit_per_buyer=1, limit_per_order=1)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)

    again = buyer.join(activity, group_id)

    assert (again.status, again.body["order_id"]) == (201, order_id)
    assert merchant.stock(activity) == 0
    assert merchant.limit_used(activity, buyer) == 1


def test_leader_who_joins_the_own_group_gets_the_leaders_order(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)

    reply = leader.join(activity, group_id)

    assert (reply.status, reply.body["order_id"]) == (201, first)
    assert merchant.stock(activity) == 9


def test_buyer_whose_seat_was_released_can_come_back_with_a_new_order(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, first = merchant.join(activity, group_id)
    merchant.wait(PAY_BY_S, every_s=300)

    _, second = merchant.member(activity, group_id, buyer)
    merchant.run_jobs()

    assert first != second
    assert [buyer.status(o) for o in (first, second)] == ["closed", "fulfilling"]
    assert merchant.stored_group(group_id).status == "formed"
    merchant.check_laws()


@pytest.mark.parametrize(
    "hint",
    [
        {"activity_id": None, "version": None},
        {"activity_id": None},
        {"version": 7},
        {"activity_id": new_id(), "version": 1},
        {"activity_id": new_id(), "version": 9},
    ],
)
def test_join_with_a_wrong_hint_or_none_takes_the_seat_all_the_same(
    merchant: MerchantFixture, hint: dict[str, Any]
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)

    _, order_id = merchant.join(activity, group_id, **hint)

    order = merchant.stored_order(order_id)
    assert (order.activity_id, order.version) == (activity.activity_id, 1)
    assert order.total_fen == 5900
    assert merchant.stock(activity) == 8


def test_hint_of_a_cheaper_activity_does_not_make_the_seat_cheaper(
    merchant: MerchantFixture,
) -> None:
    dear, cheap = merchant.activity(stock=10), merchant.activity(stock=10, price_fen=100)
    group_id, _, _ = merchant.open_group(dear)
    buyer = merchant.buyer()

    hint = {"activity_id": cheap.activity_id, "version": cheap.version}
    reply = buyer.join(dear, group_id, **hint, sku_id=cheap.sku_id)

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert buyer.join(dear, group_id, **hint).body["total_fen"] == 5900
    assert (merchant.stock(dear), merchant.stock(cheap)) == (8, 10)


def test_members_choose_different_skus_and_quantities(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10, skus=3)
    group_id, _, first = merchant.open_group(activity, quantity=2)

    others = [
        merchant.member(activity, group_id, sku_id=sku_id, quantity=quantity)[1]
        for sku_id, quantity in zip(activity.sku_ids[1:], (1, 5), strict=True)
    ]
    merchant.run_jobs()

    assert [merchant.stock(activity, sku_id) for sku_id in activity.sku_ids] == [8, 9, 5]
    orders = [merchant.stored_order(order_id) for order_id in (first, *others)]
    assert [order.total_fen for order in orders] == [11800, 5900, 29500]
    assert {order.status for order in orders} == {"fulfilling"}
    merchant.check_laws()


def test_limit_per_buyer_counts_over_groups_and_comes_back(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=20, limit_per_buyer=2, limit_per_order=2)
    groups = [merchant.open_group(activity)[0] for _ in range(3)]
    buyer = merchant.buyer()
    _, first = merchant.join(activity, groups[0], buyer)
    merchant.join(activity, groups[1], buyer)

    refused = buyer.join(activity, groups[2])

    assert (refused.status, refused.code) == (409, "limit_reached")
    assert refused.body["details"] == {"limit": 2, "used": 2}
    assert buyer.open(activity).code == "limit_reached"
    assert buyer.buyer_id not in merchant.stored_group(groups[2]).members.as_dict()
    assert merchant.stock(activity) == 15
    buyer.cancel(first)
    assert merchant.limit_used(activity, buyer) == 1
    assert buyer.join(activity, groups[2], quantity=2).code == "limit_reached"
    merchant.join(activity, groups[2], buyer)
    assert merchant.limit_used(activity, buyer) == 2


def test_group_that_costs_nothing_forms_without_a_gateway(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, price_fen=0)
    leader, member = merchant.buyer(), merchant.buyer()
    placed = leader.open(activity).body
    asked = leader.ask_to_pay(placed["order_id"])
    joined = member.join(activity, placed["group_id"]).body

    paid = member.ask_to_pay(joined["order_id"])
    merchant.run_jobs()

    assert (asked.status, asked.body) == (201, {"paid": True, "parameters": {}})
    assert paid.body == {"paid": True, "parameters": {}}
    assert merchant.gateway.ledger.summaries() == []
    assert leader.status(placed["order_id"]) == "fulfilling"
    assert member.ask_to_pay(joined["order_id"]).code == "already_paid"
    merchant.check_laws()


def test_group_that_costs_nothing_fails_without_a_refund(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, price_fen=0)
    leader, idle = merchant.buyer(), merchant.buyer()
    placed = leader.open(activity).body
    leader.ask_to_pay(placed["order_id"])
    merchant.clock.forward(86400 - 30)
    held = idle.join(activity, placed["group_id"]).body["order_id"]

    merchant.clock.forward(91)
    refused = idle.ask_to_pay(held)
    merchant.run_jobs(2)

    assert (refused.status, refused.code) == (409, "group_closed")
    assert leader.order(placed["order_id"])["status_text"] == "已退款"
    assert idle.status(held) == "closed"
    assert leader.messages()[-1] == "failed"
    assert "refunded" not in leader.messages()
    assert merchant.gateway.ledger.summaries() == []
    merchant.check_laws()


def test_solo_purchase_is_to_be_fulfilled_as_soon_as_it_is_paid(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=13)
    buyer = merchant.buyer()
    placed = buyer.buy_alone(activity, quantity=2)

    merchant.pay(buyer, placed.body["order_id"])

    assert (placed.status, placed.body["total_fen"], placed.body["group_id"]) == (201, 19800, None)
    shown = buyer.order(placed.body["order_id"])
    assert (shown["status"], shown["status_text"]) == ("fulfilling", "待发货")
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (10, 1)
    assert buyer.buy_alone(activity, quantity=2).code == "sold_out"
    merchant.wait(91)
    assert merchant.stored_order(placed.body["order_id"]).due_at_s is None
    merchant.check_laws()


def test_unpaid_solo_purchase_gives_its_units_back_to_the_product(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=13)
    buyer = merchant.buyer()
    unpaid = buyer.buy_alone(activity).body["order_id"]
    cancelled = buyer.buy_alone(activity).body["order_id"]
    assert merchant.product_stock(activity) == 1

    buyer.cancel(cancelled)
    merchant.wait(PAY_BY_S, every_s=300)

    assert [buyer.status(o) for o in (unpaid, cancelled)] == ["closed", "closed"]
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (10, 3)
