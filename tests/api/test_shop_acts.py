"""What the shop does to an order by itself: refunds it, lowers its price, closes it unpaid."""

from typing import Any

import pytest

from tests.api.test_units_and_endings import collect, give_back, listed
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.payment_fixtures import BOTH
from tests.fixtures.shipping import formed, ship, to_ship

GATEWAYS = BOTH
REASON = "少发一件，给你补偿"


def refund(
    merchant: MerchantFixture, order_id: str, fen: int, units: int = 0, **headers: str
) -> Reply:
    body = {"amount_fen": fen, "units_back": units, "reason": REASON}
    return merchant.owner().post(f"/v1/merchant/orders/{order_id}/refunds", body, **headers)


def lower(merchant: MerchantFixture, order_id: str, fen: int) -> Reply:
    return merchant.owner().put(f"/v1/merchant/orders/{order_id}/price", {"total_fen": fen})


def close(merchant: MerchantFixture, order_id: str, reason: str = "今天没有货了") -> Reply:
    return merchant.owner().post(f"/v1/merchant/orders/{order_id}/closing", {"reason": reason})


def file_of(merchant: MerchantFixture, order_id: str) -> Any:
    return merchant.owner().get(f"/v1/merchant/orders/{order_id}").body


def unpaid(merchant: MerchantFixture, **purchase: Any) -> tuple[Activity, Buyer, str]:
    """(activity, buyer, order_id) of a member's seat that is held."""
    activity = merchant.activity(seats=2, stock=10, product_stock=20)
    group_id, _, _ = merchant.open_group(activity)
    return activity, *merchant.join(activity, group_id, **purchase)


def test_shop_refunds_a_part_and_then_the_rest_of_its_own_accord(merchant: MerchantFixture) -> None:
    activity, [_, (friend, order_id)] = formed(merchant)
    assert file_of(merchant, order_id)["refundable_fen"] == 5900

    part = [refund(merchant, order_id, 900, Idempotency_Key="once") for _ in range(2)]
    merchant.wait(120)

    assert [reply.status for reply in part] == [201, 201]
    assert friend.order(order_id)["status_text"] == "已成团待发货·已部分退款"
    [own] = friend.get(f"/v1/orders/{order_id}/after-sales").body["items"]
    assert (own["by_shop"], own["status_text"], own["words"]) == (True, "商家主动退款", REASON)
    assert "shop_refund" in friend.messages()
    assert "after_sale" not in friend.messages()
    changed = refund(merchant, order_id, 800, Idempotency_Key="once")
    assert (changed.status, changed.code) == (422, "idempotency_mismatch")

    assert refund(merchant, order_id, 5000, units=1).status == 201
    merchant.wait(120)
    assert friend.status(order_id) == "refunded"
    assert merchant.stock(activity) == 19
    assert merchant.money()["refunded_fen"] == 5900
    none = refund(merchant, order_id, 1)
    assert (none.status, none.code) == (409, "after_sale_refused")
    assert file_of(merchant, order_id)["refund_refusal"] == none.body["message"]
    merchant.check_laws()


@pytest.mark.slow
@pytest.mark.wechat_pay_only
def test_shop_refunds_what_was_shipped_received_handed_over_or_kept(
    merchant: MerchantFixture,
) -> None:
    _, [(leader, sent), (friend, kept)] = formed(merchant, quantity=2)
    ship(merchant, sent)
    _, _, ready = collect(merchant)
    merchant.staff("fulfilment").post(f"/v1/merchant/orders/{ready}/readiness")
    give_back(merchant, friend, kept, 11000, units=2)  # freight kept, say

    replies = [
        refund(merchant, sent, 100),
        refund(merchant, ready, 9900, units=1),
        refund(merchant, kept, 800),
    ]

    assert [reply.status for reply in replies] == [201] * 3
    assert file_of(merchant, ready)["to_deliver"] == 1
    assert friend.order(kept)["status_text"] == "退款中"
    merchant.wait(120)
    leader.post(f"/v1/orders/{sent}/receipt")
    assert refund(merchant, sent, 100).status == 201
    merchant.wait(120)
    assert (leader.status(sent), friend.order(kept)["status_text"]) == ("completed", "已退款")
    merchant.check_laws()


@pytest.mark.slow
@pytest.mark.wechat_pay_only
def test_shop_cannot_refund_where_there_is_no_money_of_the_order_alone(
    merchant: MerchantFixture,
) -> None:
    activity, _, held = unpaid(merchant)
    group_id = merchant.stored_order(held).group_id
    leader = merchant.stored_group(str(group_id)).leader_id
    paid = leader + merchant.stored_group(str(group_id)).members.as_dict()[leader]
    closed = merchant.buyer().buy_alone(activity).body["order_id"]
    close(merchant, closed)
    disputed, asked = to_ship(merchant)
    disputed.post(f"/v1/orders/{asked}/after-sales", {"amount_fen": 1, "reason": "late"})

    replies = [refund(merchant, order_id, 1) for order_id in (held, paid, closed, asked)]

    assert {(r.status, r.code) for r in replies} == {(409, "after_sale_refused")}
    assert [r.body["message"] for r in replies] == [
        "订单还没有付款，不用退款。要取消它，请用「关闭订单」。",
        "还没有成团，不能只退这一单。要退款请结束这个团，所有成员都会退款。",
        "订单已关闭。之后收到的付款会自动退回，不用操作。",
        "买家申请了售后，请在「售后」里处理那个申请。",
    ]
    wrong = [refund(merchant, to_ship(merchant)[1], *given) for given in ((5901, 0), (1, 2))]
    assert [r.body["details"]["field"] for r in wrong] == ["amount_fen", "units_back"]
    assert merchant.money()["refunding_fen"] == 0
    merchant.check_laws(quiescent=False)


@pytest.mark.slow
@pytest.mark.wechat_pay_only
def test_refund_by_the_shop_and_a_parcel_at_once_are_one_after_the_other(
    merchant: MerchantFixture,
) -> None:
    _, order_id = to_ship(merchant, quantity=2)

    replies = concurrently(
        [
            lambda: refund(merchant, order_id, 5900, units=1, Idempotency_Key="a"),
            lambda: ship(merchant, order_id),
        ]
        * 3
    )

    assert {reply.status for reply in replies} <= {200, 201, 409}
    assert merchant.stored_order(order_id).units.to_deliver == 0
    merchant.wait(120)
    merchant.check_laws()


@pytest.mark.slow
def test_price_of_an_unpaid_order_is_lowered_and_paid(merchant: MerchantFixture) -> None:
    _, friend, order_id = unpaid(merchant, quantity=2)
    merchant.prepay(friend, order_id)

    lowered = [lower(merchant, order_id, 11000) for _ in range(2)]

    assert [(r.status, r.body["total_fen"]) for r in lowered] == [(200, 11000)] * 2
    assert lowered[0].body["lines"]["discount_fen"] == 800
    assert "price_lowered" in friend.messages()
    assert lower(merchant, order_id, 10900).status == 200
    assert friend.order(order_id)["lines"]["discount_fen"] == 900
    merchant.pay(friend, order_id)
    merchant.run_jobs()
    assert (friend.status(order_id), merchant.money()["captured_fen"]) == (
        "fulfilling",
        5900 + 10900,
    )
    refund(merchant, order_id, 10900, units=2)
    merchant.wait(120)
    assert friend.status(order_id) == "refunded"
    merchant.check_laws()


def test_payment_made_at_the_old_price_before_it_is_lowered_wins(merchant: MerchantFixture) -> None:
    _, friend, order_id = unpaid(merchant)
    merchant.pay_unheard(friend, order_id)

    refused = lower(merchant, order_id, 5000)

    assert (refused.status, refused.code) == (409, "already_paid")
    merchant.run_jobs()
    assert friend.order(order_id)["total_fen"] == 5900
    assert friend.status(order_id) == "fulfilling"
    merchant.check_laws()


def test_payment_taken_at_the_old_price_in_spite_is_refunded(merchant: MerchantFixture) -> None:
    _, friend, order_id = unpaid(merchant)
    key = merchant.prepay(friend, order_id)
    lower(merchant, order_id, 5000)

    merchant.pay_in_spite(f"{order_id}01")
    merchant.wait(120)

    assert key
    assert "old_price" in friend.messages()
    assert friend.status(order_id) == "pending"
    merchant.pay(friend, order_id)
    merchant.wait(120)
    assert friend.status(order_id) == "fulfilling"
    assert merchant.money()["refunded_fen"] == 5900
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_price_is_only_lowered_and_only_before_payment(merchant: MerchantFixture) -> None:
    _, _, order_id = unpaid(merchant)
    _, paid = to_ship(merchant)

    replies = [lower(merchant, order_id, 5901), lower(merchant, paid, 1)]

    assert [(r.status, r.code) for r in replies] == [
        (400, "invalid_request"),
        (409, "already_paid"),
    ]
    assert merchant.stored_order(order_id).total_fen == 5900
    assert lower(merchant, order_id, 0).status == 400
    assert close(merchant, order_id).status == 200
    closed = lower(merchant, order_id, 1)
    assert (closed.status, closed.code) == (409, "order_closed")
    merchant.check_laws(quiescent=False)


@pytest.mark.wechat_pay_only
def test_price_cannot_be_lowered_while_the_gateway_is_silent(merchant: MerchantFixture) -> None:
    _, friend, order_id = unpaid(merchant)
    merchant.prepay(friend, order_id)
    merchant.gateway.faults.add("query", "server_error", times=9)

    refused = lower(merchant, order_id, 5000)

    assert (refused.status, refused.code) == (503, "payment_unsettled")
    assert merchant.stored_order(order_id).total_fen == 5900
    merchant.check_laws(quiescent=False)


def test_unpaid_order_is_closed_and_its_buyer_is_told_why(merchant: MerchantFixture) -> None:
    activity, friend, order_id = unpaid(merchant, quantity=2)
    merchant.prepay(friend, order_id)

    closed = [close(merchant, order_id) for _ in range(2)]

    assert [(r.status, r.body["status"]) for r in closed] == [(200, "closed")] * 2
    assert (merchant.stock(activity), friend.order(order_id)["closed_words"]) == (9, "今天没有货了")
    [message] = friend.get("/v1/me/messages").body["items"]
    assert message["text"].endswith("商家已关闭订单：今天没有货了。需要可以重新下单。")
    assert friend.ask_to_pay(order_id).code == "order_closed"
    assert listed(merchant, "closed") in ([], [order_id])  # by the stream
    merchant.run_jobs()
    merchant.check_laws()


@pytest.mark.wechat_pay_only
def test_leaders_unpaid_order_is_closed_with_the_group_that_nobody_saw(
    merchant: MerchantFixture,
) -> None:
    activity, leader = merchant.activity(), merchant.buyer()
    opened = leader.open(activity).body

    assert close(merchant, opened["order_id"]).status == 200

    assert merchant.stored_group(opened["group_id"]).status == "failed"
    assert merchant.stock(activity) == 100
    merchant.check_laws()


def test_order_paid_meanwhile_is_not_closed(merchant: MerchantFixture) -> None:
    _, friend, order_id = unpaid(merchant)
    merchant.pay_unheard(friend, order_id)

    refused = close(merchant, order_id)

    assert (refused.status, refused.code) == (409, "already_paid")
    merchant.run_jobs()
    assert friend.status(order_id) == "fulfilling"
    again = close(merchant, order_id)
    assert (again.status, again.code) == (409, "already_paid")
    merchant.check_laws()
