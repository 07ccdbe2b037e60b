"""Nobody is sent off to pay when the time left is hardly enough for it."""

from typing import Any

from tests.fixtures.merchant import Buyer, MerchantFixture, Reply
from tests.fixtures.payment_fixtures import BOTH

GATEWAYS = BOTH
PAY_BY_S = 600
TIME_TO_PAY_S = 90
GRACE_S = 60


def placed(merchant: MerchantFixture, *, price_fen: int = 5900) -> tuple[Buyer, str]:
    """(buyer, order_id) of an order that can be paid for ten minutes."""
    buyer = merchant.buyer()
    reply = buyer.open(merchant.activity(stock=10, price_fen=price_fen))
    assert reply.status == 201, reply.body
    return buyer, reply.body["order_id"]


def seated(merchant: MerchantFixture, left_s: int) -> tuple[str, Buyer, str]:
    """(group_id, buyer, order_id) of a seat held in a group that has `left_s` to live."""
    activity = merchant.activity(seats=3, stock=10, life_h=1)
    group_id, _, _ = merchant.open_group(activity)
    merchant.clock.forward(3600 - left_s)
    return group_id, *merchant.join(activity, group_id)


def everything(merchant: MerchantFixture, order_id: str) -> Any:
    """What is stored of the order, and what the gateway was ever asked for."""
    return merchant.image(merchant.stored_order(order_id)), merchant.gateway.ledger.summaries()


def assert_too_little(reply: Reply, *, left_s: int) -> None:
    assert (reply.status, reply.code) == (409, "too_little_time")
    assert reply.body["details"] == {"left_s": left_s}
    assert reply.body["message"].startswith("时间不够了")


def test_payment_is_asked_for_until_90_seconds_before_the_pay_by_time(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = placed(merchant)
    other, later = placed(merchant)
    before = everything(merchant, later)
    merchant.clock.forward(PAY_BY_S - TIME_TO_PAY_S)
    assert buyer.ask_to_pay(order_id).status == 201

    merchant.clock.forward(1)

    assert_too_little(other.ask_to_pay(later), left_s=TIME_TO_PAY_S - 1)
    assert merchant.image(merchant.stored_order(later)) == before[0]
    assert not merchant.gateway.ledger.summaries(f"{later}01")


def test_groups_deadline_counts_with_its_grace(merchant: MerchantFixture) -> None:
    _, buyer, order_id = seated(merchant, TIME_TO_PAY_S - GRACE_S)
    before = everything(merchant, order_id)
    merchant.clock.forward(1)

    assert_too_little(buyer.ask_to_pay(order_id), left_s=TIME_TO_PAY_S - 1)

    assert everything(merchant, order_id) == before
    merchant.clock.forward(-1)
    merchant.pay(buyer, order_id)
    assert buyer.status(order_id) == "paid"


def test_what_was_asked_for_in_time_is_asked_for_again_as_it_was_until_its_end(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = placed(merchant)
    merchant.prepay(buyer, order_id)
    stored = merchant.image(merchant.stored_order(order_id))
    merchant.clock.forward(PAY_BY_S - 20)

    merchant.pay(buyer, order_id)

    assert stored["payments"]["M"].keys() == {"01"}
    assert [trade["asked"] for trade in merchant.gateway.ledger.summaries()] == [1]
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def test_attempt_of_another_account_is_no_reason_to_begin_one_so_late(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = placed(merchant)
    key = merchant.prepay(buyer, order_id)
    merchant.change_account()
    before = everything(merchant, order_id)
    merchant.clock.forward(PAY_BY_S - 20)

    assert_too_little(buyer.ask_to_pay(order_id), left_s=20)

    assert everything(merchant, order_id) == before
    merchant.gateway.pay(key)
    assert merchant.gateway.quiet()
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def test_buyer_who_has_paid_unheard_is_told_so_and_not_to_buy_again(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = placed(merchant)
    merchant.pay_unheard(buyer, order_id)
    merchant.change_account()
    before = everything(merchant, order_id)
    merchant.clock.forward(PAY_BY_S - 20)
    merchant.gateway.faults.add("query", "lost_answer")

    unsure, sure = (buyer.ask_to_pay(order_id) for _ in range(2))

    assert (unsure.status, unsure.code) == (503, "payment_unsettled")
    assert unsure.headers["retry-after"] == "3"
    assert (sure.status, sure.code) == (409, "already_paid")
    assert everything(merchant, order_id)[1] == before[1]
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def test_order_of_nothing_is_paid_to_the_last_second(merchant: MerchantFixture) -> None:
    buyer, order_id = placed(merchant, price_fen=0)
    merchant.clock.forward(PAY_BY_S - 1)

    reply = buyer.ask_to_pay(order_id)

    assert (reply.status, reply.body["paid"]) == (201, True)
