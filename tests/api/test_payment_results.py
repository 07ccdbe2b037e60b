"""What the page says that a buyer returns to after paying: asked of the gateway, never believed."""

import pytest

from tests.fixtures.callbacks import held_seat
from tests.fixtures.images import accepted
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply
from tests.fixtures.payment_fixtures import BOTH

pytestmark = pytest.mark.slow

GATEWAYS = BOTH
PAY_BY_S = 600


def result(buyer: Buyer, order_id: str) -> Reply:
    return buyer.post(f"/v1/orders/{order_id}/payment-result")


def state(buyer: Buyer, order_id: str) -> str:
    reply = result(buyer, order_id)
    assert reply.status == 200, reply.body
    return str(reply.body["state"])


def test_payment_without_a_callback_is_found_when_its_buyer_looks(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    leader = merchant.buyer("团长")
    first = leader.open(activity).body["order_id"]
    merchant.pay_unheard(leader, first)
    opened = result(leader, first).body
    group_id = opened["order"]["group_id"]
    joiner, second = merchant.join(activity, group_id)
    merchant.pay_unheard(joiner, second)
    joined = result(joiner, second).body
    last, third = merchant.join(activity, group_id)
    merchant.pay_unheard(last, third)
    completed = result(last, third).body

    told = [
        (it["state"], it["is_leader"], it["group"]["seats_missing"], it["group"]["status"])
        for it in (opened, joined, completed)
    ]
    assert told == [
        ("paid", True, 2, "open"),
        ("paid", False, 1, "open"),
        ("paid", False, 0, "formed"),
    ]
    assert result(last, third).body["order"] == completed["order"]
    merchant.run_jobs(2)
    merchant.check_laws()


def test_seat_that_was_taken_meanwhile_is_told_with_its_refund(merchant: MerchantFixture) -> None:
    activity, group_id, late, order_id = held_seat(merchant)
    number = merchant.pay_unheard(late, order_id)
    merchant.gateway.faults.add("query", "server_error", times=99)
    merchant.wait(PAY_BY_S + 301)  # a gateway that is silent holds up nobody
    merchant.gateway.faults.clear()
    merchant.member(activity, group_id)

    found = result(late, order_id).body

    assert found["state"] == "seat_lost"
    [refund] = found["order"]["refunds"]
    assert (refund["out_refund_no"], refund["amount_fen"]) == (f"{number}L", 5900)
    assert not refund["is_surplus"]  # nothing else was paid
    merchant.run_jobs(2)
    merchant.check_laws(quiescent=False)


def test_whoever_gave_up_can_go_on_until_the_time_is_over(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)
    before = merchant.image(merchant.stored_order(order_id))

    unpaid = result(buyer, order_id).body
    merchant.gateway.faults.add("query", "server_error")
    silent = state(buyer, order_id)

    assert (unpaid["state"], silent) == ("unpaid", "confirming")
    assert unpaid["order"]["pay_by_s"] - unpaid["now_s"] == PAY_BY_S
    assert merchant.image(merchant.stored_order(order_id)) == before
    merchant.wait(PAY_BY_S + 60)
    assert state(buyer, order_id) == "timed_out"
    merchant.check_laws()


def test_order_that_was_given_up_is_closed(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    assert buyer.cancel(order_id).status == 200

    assert state(buyer, order_id) == "closed"


@pytest.mark.wechat_pay_only
def test_only_the_buyer_asks_and_not_without_end(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)

    assert result(merchant.buyer(), order_id).status == 404
    assert {state(buyer, order_id) for _ in range(30)} == {"unpaid"}
    assert result(buyer, order_id).status == 429


@pytest.mark.wechat_pay_only
def test_order_of_nothing_and_one_bought_alone_are_told_alike(merchant: MerchantFixture) -> None:
    picture = accepted(merchant.merchant_id)
    free = merchant.activity(price_fen=0, product_stock=200, images=(picture,))
    buyer = merchant.buyer()
    order_id = buyer.open(free).body["order_id"]
    assert buyer.ask_to_pay(order_id).body["paid"]
    alone = buyer.buy_alone(free).body["order_id"]
    merchant.pay(buyer, alone)

    assert state(buyer, order_id) == "paid"
    found = result(buyer, alone).body
    assert (found["state"], found["group"], found["is_leader"]) == ("paid", None, False)
    assert found["image"] == result(buyer, order_id).body["image"] == picture
