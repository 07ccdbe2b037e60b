"""What the shop does to an order by itself: refunds it, lowers its price, closes it unpaid."""

from typing import Any

import pytest

from tests.integration.test_units_and_endings import collect, give_back, listed
from tests.shipping import formed, ship, to_ship
from tests.support import Activity, Buyer, Reply, Town, at_once
from tests.tills import BOTH

GATEWAYS = BOTH
REASON = "少发一件，给你补偿"


def refund(town: Town, order_id: str, fen: int, units: int = 0, **headers: str) -> Reply:
    body = {"amount_fen": fen, "units_back": units, "reason": REASON}
    return town.owner().post(f"/v1/merchant/orders/{order_id}/refunds", body, **headers)


def lower(town: Town, order_id: str, fen: int) -> Reply:
    return town.owner().put(f"/v1/merchant/orders/{order_id}/price", {"total_fen": fen})


def close(town: Town, order_id: str, reason: str = "今天没有货了") -> Reply:
    return town.owner().post(f"/v1/merchant/orders/{order_id}/closing", {"reason": reason})


def file_of(town: Town, order_id: str) -> Any:
    return town.owner().get(f"/v1/merchant/orders/{order_id}").body


def unpaid(town: Town, **purchase: Any) -> tuple[Activity, Buyer, str]:
    """(activity, buyer, order_id) of a member's seat that is held."""
    activity = town.activity(seats=2, stock=10, product_stock=20)
    group_id, _, _ = town.open_group(activity)
    return activity, *town.join(activity, group_id, **purchase)


def test_shop_refunds_a_part_and_then_the_rest_of_its_own_accord(town: Town) -> None:
    activity, [_, (friend, order_id)] = formed(town)
    assert file_of(town, order_id)["refundable_fen"] == 5900

    part = [refund(town, order_id, 900, Idempotency_Key="once") for _ in range(2)]
    town.wait(120)

    assert [reply.status for reply in part] == [201, 201]
    assert friend.order(order_id)["status_text"] == "已成团待发货·已部分退款"
    [own] = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"]
    assert (own["by_shop"], own["status_text"], own["words"]) == (True, "商家主动退款", REASON)
    assert "shop_refund" in friend.messages()
    assert "after_sale" not in friend.messages()
    changed = refund(town, order_id, 800, Idempotency_Key="once")
    assert (changed.status, changed.code) == (422, "idempotency_mismatch")

    assert refund(town, order_id, 5000, units=1).status == 201
    town.wait(120)
    assert friend.status(order_id) == "refunded"
    assert town.stock(activity) == 19
    assert town.money()["refunded_fen"] == 5900
    none = refund(town, order_id, 1)
    assert (none.status, none.code) == (409, "after_sale_refused")
    assert file_of(town, order_id)["refund_refusal"] == none.body["message"]
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_shop_refunds_what_was_shipped_received_handed_over_or_kept(town: Town) -> None:
    _, [(leader, sent), (friend, kept)] = formed(town, quantity=2)
    ship(town, sent)
    _, _, ready = collect(town)
    town.staff("fulfilment").post(f"/v1/merchant/orders/{ready}/readiness")
    give_back(town, friend, kept, 11000, units=2)  # freight kept, say

    replies = [refund(town, sent, 100), refund(town, ready, 9900, units=1), refund(town, kept, 800)]

    assert [reply.status for reply in replies] == [201] * 3
    assert file_of(town, ready)["to_deliver"] == 1
    assert friend.order(kept)["status_text"] == "退款中"
    town.wait(120)
    leader.post(f"/v1/orders/{sent}/receipt")
    assert refund(town, sent, 100).status == 201
    town.wait(120)
    assert (leader.status(sent), friend.order(kept)["status_text"]) == ("completed", "已退款")
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_shop_cannot_refund_where_there_is_no_money_of_the_order_alone(town: Town) -> None:
    activity, _, held = unpaid(town)
    group_id = town.stored_order(held).group_id
    leader = town.stored_group(str(group_id)).leader_id
    paid = leader + town.stored_group(str(group_id)).members.as_dict()[leader]
    closed = town.buyer().buy_alone(activity).body["order_id"]
    close(town, closed)
    disputed, asked = to_ship(town)
    disputed.post(f"/v1/orders/{asked}/after-sales", {"amount_fen": 1, "reason": "late"})

    replies = [refund(town, order_id, 1) for order_id in (held, paid, closed, asked)]

    assert {(r.status, r.code) for r in replies} == {(409, "after_sale_refused")}
    assert [r.body["message"] for r in replies] == [
        "订单还没有付款，不用退款。要取消它，请用「关闭订单」。",
        "还没有成团，不能只退这一单。要退款请结束这个团，所有成员都会退款。",
        "订单已关闭。之后收到的付款会自动退回，不用操作。",
        "买家申请了售后，请在「售后」里处理那个申请。",
    ]
    wrong = [refund(town, to_ship(town)[1], *given) for given in ((5901, 0), (1, 2))]
    assert [r.body["details"]["field"] for r in wrong] == ["amount_fen", "units_back"]
    assert town.money()["refunding_fen"] == 0
    town.check_laws(quiescent=False)


@pytest.mark.wechat_pay_only
def test_refund_by_the_shop_and_a_parcel_at_once_are_one_after_the_other(town: Town) -> None:
    _, order_id = to_ship(town, quantity=2)

    replies = at_once(
        [
            lambda: refund(town, order_id, 5900, units=1, Idempotency_Key="a"),
            lambda: ship(town, order_id),
        ]
        * 3
    )

    assert {reply.status for reply in replies} <= {200, 201, 409}
    assert town.stored_order(order_id).units.to_deliver == 0
    town.wait(120)
    town.check_laws()


def test_price_of_an_unpaid_order_is_lowered_and_paid(town: Town) -> None:
    _, friend, order_id = unpaid(town, quantity=2)
    town.prepay(friend, order_id)

    lowered = [lower(town, order_id, 11000) for _ in range(2)]

    assert [(r.status, r.body["total_fen"]) for r in lowered] == [(200, 11000)] * 2
    assert lowered[0].body["lines"]["discount_fen"] == 800
    assert "price_lowered" in friend.messages()
    assert lower(town, order_id, 10900).status == 200
    assert friend.order(order_id)["lines"]["discount_fen"] == 900
    town.pay(friend, order_id)
    town.run_jobs()
    assert (friend.status(order_id), town.money()["captured_fen"]) == ("fulfilling", 5900 + 10900)
    refund(town, order_id, 10900, units=2)
    town.wait(120)
    assert friend.status(order_id) == "refunded"
    town.check_laws()


def test_payment_made_at_the_old_price_before_it_is_lowered_wins(town: Town) -> None:
    _, friend, order_id = unpaid(town)
    town.pay_unheard(friend, order_id)

    refused = lower(town, order_id, 5000)

    assert (refused.status, refused.code) == (409, "already_paid")
    town.run_jobs()
    assert friend.order(order_id)["total_fen"] == 5900
    assert friend.status(order_id) == "fulfilling"
    town.check_laws()


def test_payment_taken_at_the_old_price_in_spite_is_refunded(town: Town) -> None:
    _, friend, order_id = unpaid(town)
    key = town.prepay(friend, order_id)
    lower(town, order_id, 5000)

    town.pay_in_spite(f"{order_id}01")
    town.wait(120)

    assert key
    assert "old_price" in friend.messages()
    assert friend.status(order_id) == "pending"
    town.pay(friend, order_id)
    town.wait(120)
    assert friend.status(order_id) == "fulfilling"
    assert town.money()["refunded_fen"] == 5900
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_price_is_only_lowered_and_only_before_payment(town: Town) -> None:
    _, _, order_id = unpaid(town)
    _, paid = to_ship(town)

    replies = [lower(town, order_id, 5901), lower(town, paid, 1)]

    assert [(r.status, r.code) for r in replies] == [
        (400, "invalid_request"),
        (409, "already_paid"),
    ]
    assert town.stored_order(order_id).total_fen == 5900
    assert lower(town, order_id, 0).status == 400
    assert close(town, order_id).status == 200
    closed = lower(town, order_id, 1)
    assert (closed.status, closed.code) == (409, "order_closed")
    town.check_laws(quiescent=False)


@pytest.mark.wechat_pay_only
def test_price_cannot_be_lowered_while_the_gateway_is_silent(town: Town) -> None:
    _, friend, order_id = unpaid(town)
    town.prepay(friend, order_id)
    town.till.faults.add("query", "server_error", times=9)

    refused = lower(town, order_id, 5000)

    assert (refused.status, refused.code) == (503, "payment_unsettled")
    assert town.stored_order(order_id).total_fen == 5900
    town.check_laws(quiescent=False)


def test_unpaid_order_is_closed_and_its_buyer_is_told_why(town: Town) -> None:
    activity, friend, order_id = unpaid(town, quantity=2)
    town.prepay(friend, order_id)

    closed = [close(town, order_id) for _ in range(2)]

    assert [(r.status, r.body["status"]) for r in closed] == [(200, "closed")] * 2
    assert (town.stock(activity), friend.order(order_id)["closed_words"]) == (9, "今天没有货了")
    [message] = friend.get("/v1/me/messages").body["items"]
    assert message["text"].endswith("商家已关闭订单：今天没有货了。需要可以重新下单。")
    assert friend.ask_to_pay(order_id).code == "order_closed"
    assert listed(town, "closed") in ([], [order_id])  # by the stream
    town.run_jobs()
    town.check_laws()


@pytest.mark.wechat_pay_only
def test_leaders_unpaid_order_is_closed_with_the_group_that_nobody_saw(town: Town) -> None:
    activity, leader = town.activity(), town.buyer()
    opened = leader.open(activity).body

    assert close(town, opened["order_id"]).status == 200

    assert town.stored_group(opened["group_id"]).status == "failed"
    assert town.stock(activity) == 100
    town.check_laws()


def test_order_paid_meanwhile_is_not_closed(town: Town) -> None:
    _, friend, order_id = unpaid(town)
    town.pay_unheard(friend, order_id)

    refused = close(town, order_id)

    assert (refused.status, refused.code) == (409, "already_paid")
    town.run_jobs()
    assert friend.status(order_id) == "fulfilling"
    again = close(town, order_id)
    assert (again.status, again.code) == (409, "already_paid")
    town.check_laws()
