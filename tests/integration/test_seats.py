"""Seats: who gets one, who does not, and what becomes of a group."""

import pytest

from chalicelib.domain.ids import new_id
from tests.support import Activity, Buyer, Town, at_once
from tests.tills import BOTH

GATEWAYS = BOTH
PAY_BY_S = 600
PATIENCE_S = 300  # how long a silent gateway holds up a release


def lose_seat_but_pay(town: Town, activity: Activity, group_id: str) -> tuple[Buyer, str, str]:
    """A buyer who paid in time and lost the seat: neither callback nor query ever arrived."""
    buyer, order_id = town.join(activity, group_id)
    number = town.pay_unheard(buyer, order_id)
    town.till.faults.add("query", "server_error", times=100)
    town.wait(PAY_BY_S + PATIENCE_S, every_s=300)
    town.till.faults.clear()
    assert buyer.status(order_id) == "closed"
    return buyer, order_id, number


def test_many_pay_for_one_last_seat_and_exactly_one_is_seated(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    losers = [lose_seat_but_pay(town, activity, group_id) for _ in range(3)]
    winner, seated = town.join(activity, group_id)

    last = town.pay_unheard(winner, seated)
    town.resend(last, *(number for _, _, number in losers))
    town.run_jobs(2)

    assert town.stored_group(group_id).status == "formed"
    assert winner.status(seated) == "fulfilling"
    assert [buyer.status(order_id) for buyer, order_id, _ in losers] == ["closed"] * 3
    assert [buyer.order(o)["status_text"] for buyer, o, _ in losers] == ["已关闭·已退款"] * 3
    assert [buyer.messages() for buyer, _, _ in losers] == [["late", "refunded"]] * 3
    assert town.money() == {
        "captured_fen": 5 * 5900,
        "refunded_fen": 3 * 5900,
        "refunding_fen": 0,
    }
    town.check_laws()


def test_buyers_join_at_once_and_the_last_seat_is_taken_once(town: Town) -> None:
    activity = town.activity(seats=2, stock=20)
    group_id, _, _ = town.open_group(activity)
    buyers = [town.buyer() for _ in range(8)]

    replies = at_once([lambda b=b: b.join(activity, group_id) for b in buyers])

    assert sorted(reply.status for reply in replies) == [201] + [409] * 7
    assert {reply.code for reply in replies if reply.status == 409} == {"group_full"}
    assert town.stock(activity) == 18
    assert len(town.stored_group(group_id).members.as_dict()) == 2


def test_last_two_payments_at_the_same_instant_form_the_group_once(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, leader, first = town.open_group(activity)
    members = [town.join(activity, group_id) for _ in range(2)]
    numbers = [town.pay_unheard(buyer, order_id) for buyer, order_id in members]

    town.resend(*numbers, *numbers)
    town.run_jobs(2)

    group = town.stored_group(group_id)
    assert (group.status, group.seats_paid, group.due_at_s) == ("formed", 3, None)
    for buyer, order_id in [(leader, first), *members]:
        assert buyer.status(order_id) == "fulfilling"
        assert buyer.messages() == ["formed"]
    assert town.money() == {"captured_fen": 17700, "refunded_fen": 0, "refunding_fen": 0}
    town.check_laws()


def test_payment_for_a_formed_group_is_refunded_and_the_group_is_untouched(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first = town.open_group(activity)
    loser, closed, number = lose_seat_but_pay(town, activity, group_id)
    winner, seated = town.member(activity, group_id)
    town.run_jobs(2)
    items = [town.stored_group(group_id), *(town.stored_order(o) for o in (first, seated))]
    before = [town.image(item) for item in items]

    town.resend(number)
    town.run_jobs(2)

    assert [town.image(item) for item in items] == before
    assert loser.order(closed)["status_text"] == "已关闭·已退款"
    assert [r["status"] for r in loser.order(closed)["refunds"]] == ["succeeded"]
    assert (leader.messages()[-1], winner.messages()) == ("formed", ["formed"])
    town.check_laws()


def test_group_of_a_leader_who_never_pays_is_never_seen(town: Town) -> None:
    activity = town.activity(stock=10)
    leader, other = town.buyer(), town.buyer()
    placed = leader.open(activity).body
    group_id = placed["group_id"]
    progress = f"/v1/merchants/{town.merchant_id}/groups/{group_id}"
    detail = f"/v1/merchants/{town.merchant_id}/activities/{activity.activity_id}"

    def assert_unseen() -> None:
        assert town.visitor().get(progress).status == 404
        assert town.visitor().get(f"{progress}/members").status == 404
        assert town.visitor().get(detail).body["joinable_groups"] == []

    assert_unseen()
    assert (reply := other.join(activity, group_id)).status == 404, reply.body
    assert town.stock(activity) == 9

    town.wait(PAY_BY_S, every_s=300)

    assert_unseen()
    assert other.join(activity, group_id).status in (404, 409)
    group = town.stored_group(group_id)
    assert (group.status, group.failed_reason, group.due_at_s) == (
        "failed",
        "leader_unpaid",
        None,
    )
    assert leader.order(placed["order_id"])["status_text"] == "已关闭"
    assert leader.messages() == []
    assert town.stock(activity) == 10


def test_expired_seat_is_closed_at_the_gateway_before_another_takes_it(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    late, first = town.join(activity, group_id)
    prepay_id = town.prepay(late, first)
    assert town.buyer().join(activity, group_id).code == "group_full"

    town.wait(PAY_BY_S, every_s=300)

    assert late.status(first) == "closed"
    assert town.till.ledger.summaries(f"{first}01")[0]["trade_state"].endswith("CLOSED")
    with pytest.raises(Exception, match="关闭"):
        town.till.pay(prepay_id)
    assert late.ask_to_pay(first).code == "order_closed"
    _, second = town.member(activity, group_id)
    town.run_jobs()
    assert town.stored_order(second).status == "fulfilling"
    town.check_laws()


def test_expired_seat_taken_by_another_makes_the_first_payment_late(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, _, _ = town.open_group(activity)
    loser, closed, number = lose_seat_but_pay(town, activity, group_id)
    _, held = town.join(activity, group_id)

    town.resend(number)
    town.run_jobs(2)

    group = town.stored_group(group_id)
    assert (group.status, group.seats_paid) == ("open", 1)
    assert loser.buyer_id not in group.members.as_dict()
    assert loser.status(closed) == "closed"
    assert town.stored_order(held).status == "pending"
    assert loser.messages() == ["late", "refunded"]
    assert town.stock(activity) == 8
    assert town.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}


def test_buyer_who_joins_many_times_at_once_has_one_seat_and_one_order(town: Town) -> None:
    activity = town.activity(seats=3, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer = town.buyer()

    replies = at_once([lambda: buyer.join(activity, group_id)] * 8)

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["order_id"] for reply in replies}) == 1
    assert len(buyer.get("/v1/orders").body["items"]) == 1
    assert len(town.stored_group(group_id).members.as_dict()) == 2
    assert town.stock(activity) == 8


def test_repeated_join_answers_the_same_order_even_in_a_full_group(town: Town) -> None:
    activity = town.activity(seats=2, stock=2, limit_per_buyer=1, limit_per_order=1)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)

    again = buyer.join(activity, group_id)

    assert (again.status, again.body["order_id"]) == (201, order_id)
    assert town.stock(activity) == 0
    assert town.limit_used(activity, buyer) == 1


def test_leader_who_joins_the_own_group_gets_the_leaders_order(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first = town.open_group(activity)

    reply = leader.join(activity, group_id)

    assert (reply.status, reply.body["order_id"]) == (201, first)
    assert town.stock(activity) == 9


def test_open_repeated_at_once_with_one_key_makes_one_group(town: Town) -> None:
    activity = town.activity(stock=10)
    buyer = town.buyer()

    replies = at_once([lambda: buyer.open(activity, key="one-key-for-all")] * 6)

    assert {reply.status for reply in replies} == {201}
    assert len({(r.body["group_id"], r.body["order_id"]) for r in replies}) == 1
    assert town.stock(activity) == 9


def test_buyer_whose_seat_was_released_can_come_back_with_a_new_order(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, first = town.join(activity, group_id)
    town.wait(PAY_BY_S, every_s=300)

    _, second = town.member(activity, group_id, buyer)
    town.run_jobs()

    assert first != second
    assert [buyer.status(o) for o in (first, second)] == ["closed", "fulfilling"]
    assert town.stored_group(group_id).status == "formed"
    town.check_laws()


def test_buyer_who_cancels_frees_seat_stock_and_limit_at_once(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, limit_per_buyer=2, limit_per_order=2)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id, quantity=2)
    prepay_id = town.prepay(buyer, order_id)

    replies = [buyer.cancel(order_id), buyer.cancel(order_id)]

    assert [(r.status, r.body["status"]) for r in replies] == [(200, "closed")] * 2
    assert town.stock(activity) == 9
    assert town.limit_used(activity, buyer) == 0
    assert list(town.stored_group(group_id).members.as_dict()) != [buyer.buyer_id]
    with pytest.raises(Exception, match="关闭"):
        town.till.pay(prepay_id)
    town.member(activity, group_id)
    assert town.stored_group(group_id).status == "formed"


def test_cancelling_while_the_gateway_is_silent_changes_nothing(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    town.till.faults.add("query", "server_error")
    town.till.faults.add("close", "lost_answer")

    replies = [buyer.cancel(order_id), buyer.cancel(order_id)]

    assert [(reply.status, reply.code) for reply in replies] == [(503, "payment_unsettled")] * 2
    assert buyer.status(order_id) == "pending"
    assert town.stock(activity) == 8
    assert buyer.cancel(order_id).body["status"] == "closed"
    assert town.stock(activity) == 9


def test_payment_at_the_instant_of_a_cancellation_is_told_as_paid(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    key, close = town.prepay(buyer, order_id), town.till.ledger.close

    def paid_first(mchid: str, out_trade_no: str) -> None:
        town.till.pay(key)
        close(mchid, out_trade_no)

    monkeypatch.setattr(town.till.ledger, "close", paid_first)
    town.till.faults.add("payment_callback", "dropped")

    reply = buyer.cancel(order_id)

    assert (reply.status, reply.code) == (409, "already_paid")
    assert "刚刚付款成功" in reply.body["message"]
    town.run_jobs()
    assert buyer.status(order_id) == "fulfilling"
    town.check_laws()


def test_order_being_paid_cannot_be_cancelled_yet(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.join(activity, group_id)
    town.prepay(buyer, order_id)
    town.till.faults.add("close", "server_error")

    reply = buyer.cancel(order_id)

    assert (reply.status, reply.code) == (503, "payment_unsettled")
    assert "请几秒后再试" in reply.body["message"]
    assert buyer.status(order_id) == "pending"
    assert buyer.cancel(order_id).body["status"] == "closed"


def test_cancelled_leader_before_paying_leaves_a_failed_group(town: Town) -> None:
    activity = town.activity(stock=10)
    leader = town.buyer()
    placed = leader.open(activity, key="a-key-of-mine").body

    assert leader.cancel(placed["order_id"]).body["status"] == "closed"

    assert town.stored_group(placed["group_id"]).failed_reason == "leader_unpaid"
    assert town.stock(activity) == 10
    again = leader.open(activity, key="a-key-of-mine")
    assert (again.status, again.code) == (409, "order_closed")


def test_leader_who_is_alone_cancels_and_gets_the_money_back(town: Town) -> None:
    activity = town.activity(stock=10)
    group_id, leader, first = town.open_group(activity)

    reply = leader.cancel(first)
    town.run_jobs(2)

    assert (reply.status, reply.body["status"]) == (200, "refunding")
    assert reply.body["status_text"] == "拼团失败退款中"
    group = town.stored_group(group_id)
    assert (group.status, group.failed_reason, group.due_at_s) == (
        "failed",
        "leader_cancelled",
        None,
    )
    assert leader.status(first) == "refunded"
    assert leader.cancel(first).body["status"] == "refunded"
    assert town.buyer().join(activity, group_id).code == "group_closed"
    assert leader.messages() == ["failed", "refunded"]
    assert town.money() == {"captured_fen": 5900, "refunded_fen": 5900, "refunding_fen": 0}
    town.check_laws()


def test_leader_cannot_cancel_once_somebody_has_joined(town: Town) -> None:
    activity = town.activity(stock=10)
    group_id, leader, first = town.open_group(activity)
    town.join(activity, group_id)

    reply = leader.cancel(first)

    assert (reply.status, reply.code) == (409, "conflict")
    assert town.stored_group(group_id).status == "open"
    assert leader.status(first) == "paid"
    assert town.money()["refunded_fen"] == 0


def test_paid_member_cannot_leave_an_open_group(town: Town) -> None:
    activity = town.activity(stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer, order_id = town.member(activity, group_id)

    reply = buyer.cancel(order_id)

    assert (reply.status, reply.code) == (409, "conflict")
    assert "已结束" not in reply.body["message"]
    assert buyer.status(order_id) == "paid"
    assert town.stored_group(group_id).status == "open"


def test_order_of_a_formed_group_cannot_be_cancelled(town: Town) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, leader, first = town.open_group(activity)
    town.member(activity, group_id)

    assert leader.cancel(first).code in ("group_closed", "already_paid")
    town.run_jobs()
    refusal = leader.cancel(first)
    assert refusal.code == "already_paid"
    assert refusal.body["message"] == "订单已付款，不能取消。需要退款请联系商家。"

    assert leader.status(first) == "fulfilling"
    assert town.money()["refunded_fen"] == 0


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
    town: Town, hint: dict[str, object]
) -> None:
    activity = town.activity(seats=2, stock=10)
    group_id, _, _ = town.open_group(activity)

    _, order_id = town.join(activity, group_id, **hint)

    order = town.stored_order(order_id)
    assert (order.activity_id, order.version) == (activity.activity_id, 1)
    assert order.total_fen == 5900
    assert town.stock(activity) == 8


def test_hint_of_a_cheaper_activity_does_not_make_the_seat_cheaper(town: Town) -> None:
    dear, cheap = town.activity(stock=10), town.activity(stock=10, price_fen=100)
    group_id, _, _ = town.open_group(dear)
    buyer = town.buyer()

    hint = {"activity_id": cheap.activity_id, "version": cheap.version}
    reply = buyer.join(dear, group_id, **hint, sku_id=cheap.sku_id)

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert buyer.join(dear, group_id, **hint).body["total_fen"] == 5900
    assert (town.stock(dear), town.stock(cheap)) == (8, 10)


def test_members_choose_different_skus_and_quantities(town: Town) -> None:
    activity = town.activity(seats=3, stock=10, skus=3)
    group_id, _, first = town.open_group(activity, quantity=2)

    others = [
        town.member(activity, group_id, sku_id=sku_id, quantity=quantity)[1]
        for sku_id, quantity in zip(activity.sku_ids[1:], (1, 5), strict=True)
    ]
    town.run_jobs()

    assert [town.stock(activity, sku_id) for sku_id in activity.sku_ids] == [8, 9, 5]
    orders = [town.stored_order(order_id) for order_id in (first, *others)]
    assert [order.total_fen for order in orders] == [11800, 5900, 29500]
    assert {order.status for order in orders} == {"fulfilling"}
    town.check_laws()


def test_sku_that_the_activity_does_not_sell_is_refused(town: Town) -> None:
    activity = town.activity(stock=10)
    group_id, _, _ = town.open_group(activity)
    buyer = town.buyer()

    replies = [
        f(sku_id=new_id())
        for f in (
            lambda **more: buyer.open(activity, **more),
            lambda **more: buyer.join(activity, group_id, **more),
        )
    ]

    assert [(r.status, r.code) for r in replies] == [(400, "invalid_request")] * 2
    assert buyer.get("/v1/orders").body["items"] == []
    assert town.stock(activity) == 9


def test_limit_per_buyer_counts_over_groups_and_comes_back(town: Town) -> None:
    activity = town.activity(seats=3, stock=20, limit_per_buyer=2, limit_per_order=2)
    groups = [town.open_group(activity)[0] for _ in range(3)]
    buyer = town.buyer()
    _, first = town.join(activity, groups[0], buyer)
    town.join(activity, groups[1], buyer)

    refused = buyer.join(activity, groups[2])

    assert (refused.status, refused.code) == (409, "limit_reached")
    assert refused.body["details"] == {"limit": 2, "used": 2}
    assert buyer.open(activity).code == "limit_reached"
    assert buyer.buyer_id not in town.stored_group(groups[2]).members.as_dict()
    assert town.stock(activity) == 15
    buyer.cancel(first)
    assert town.limit_used(activity, buyer) == 1
    assert buyer.join(activity, groups[2], quantity=2).code == "limit_reached"
    town.join(activity, groups[2], buyer)
    assert town.limit_used(activity, buyer) == 2


def test_limit_per_buyer_holds_when_many_groups_are_joined_at_once(town: Town) -> None:
    activity = town.activity(seats=3, stock=20, limit_per_buyer=2, limit_per_order=1)
    groups = [town.open_group(activity)[0] for _ in range(5)]
    buyer = town.buyer()

    replies = at_once([lambda g=g: buyer.join(activity, g) for g in groups])

    assert sorted(reply.status for reply in replies) == [201] * 2 + [409] * 3
    assert {reply.code for reply in replies if reply.status == 409} == {"limit_reached"}
    assert town.limit_used(activity, buyer) == 2
    assert town.stock(activity) == 13


def test_limit_comes_back_once_when_the_group_fails(town: Town) -> None:
    activity = town.activity(seats=3, stock=20, limit_per_buyer=5, limit_per_order=5)
    group_id, leader, _ = town.open_group(activity, quantity=5)
    assert leader.open(activity).code == "limit_reached"

    town.wait(86400 + 120, every_s=43200)
    town.run_jobs(2)

    assert town.stored_group(group_id).status == "failed"
    assert town.limit_used(activity, leader) == 0
    assert leader.open(activity, quantity=5).status == 201


def test_group_that_costs_nothing_forms_without_a_gateway(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, price_fen=0)
    leader, member = town.buyer(), town.buyer()
    placed = leader.open(activity).body
    asked = leader.ask_to_pay(placed["order_id"])
    joined = member.join(activity, placed["group_id"]).body

    paid = member.ask_to_pay(joined["order_id"])
    town.run_jobs()

    assert (asked.status, asked.body) == (201, {"paid": True, "parameters": {}})
    assert paid.body == {"paid": True, "parameters": {}}
    assert town.till.ledger.summaries() == []
    assert leader.status(placed["order_id"]) == "fulfilling"
    assert member.ask_to_pay(joined["order_id"]).code == "already_paid"
    town.check_laws()


def test_group_that_costs_nothing_fails_without_a_refund(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, price_fen=0)
    leader, idle = town.buyer(), town.buyer()
    placed = leader.open(activity).body
    leader.ask_to_pay(placed["order_id"])
    town.clock.forward(86400 - 30)
    held = idle.join(activity, placed["group_id"]).body["order_id"]

    town.clock.forward(91)
    refused = idle.ask_to_pay(held)
    town.run_jobs(2)

    assert (refused.status, refused.code) == (409, "group_closed")
    assert leader.order(placed["order_id"])["status_text"] == "已退款"
    assert idle.status(held) == "closed"
    assert leader.messages()[-1] == "failed"
    assert "refunded" not in leader.messages()
    assert town.till.ledger.summaries() == []
    town.check_laws()


def test_solo_purchase_is_to_be_fulfilled_as_soon_as_it_is_paid(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, product_stock=13)
    buyer = town.buyer()
    placed = buyer.buy_alone(activity, quantity=2)

    town.pay(buyer, placed.body["order_id"])

    assert (placed.status, placed.body["total_fen"], placed.body["group_id"]) == (
        201,
        19800,
        None,
    )
    shown = buyer.order(placed.body["order_id"])
    assert (shown["status"], shown["status_text"]) == ("fulfilling", "待发货")
    assert (town.stock(activity), town.product_stock(activity)) == (10, 1)
    assert buyer.buy_alone(activity, quantity=2).code == "sold_out"
    town.wait(91)
    assert town.stored_order(placed.body["order_id"]).due_at_s is None
    town.check_laws()


def test_unpaid_solo_purchase_gives_its_units_back_to_the_product(town: Town) -> None:
    activity = town.activity(seats=2, stock=10, product_stock=13)
    buyer = town.buyer()
    unpaid = buyer.buy_alone(activity).body["order_id"]
    cancelled = buyer.buy_alone(activity).body["order_id"]
    assert town.product_stock(activity) == 1

    buyer.cancel(cancelled)
    town.wait(PAY_BY_S, every_s=300)

    assert [buyer.status(o) for o in (unpaid, cancelled)] == ["closed", "closed"]
    assert (town.stock(activity), town.product_stock(activity)) == (10, 3)


def test_group_of_another_merchant_does_not_exist(town: Town) -> None:
    activity = town.activity(stock=10)
    group_id, _, _ = town.open_group(activity)
    stranger = Town(town.wechat, town.clock, town.door).buyer()

    replies = [
        stranger.join(activity, group_id),
        stranger.open(activity),
        stranger.buy_alone(activity),
        stranger.post(f"/v1/groups/{group_id}/shares", {"channel": "link"}),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(404, "not_found")] * 4
    assert len(town.stored_group(group_id).members.as_dict()) == 1
    assert town.stock(activity) == 9
