"""What was sent to a gateway under a number is sent again unchanged, or under another number."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.ids import ATTEMPTS_MAX
from chalicelib.domain.order import Payment, PaymentStatus, entry_of
from chalicelib.errors import AlreadyPaid, GatewayFailed, OrderClosed, PriceChanged
from chalicelib.gateways import secrets
from chalicelib.gateways.payment import GatewayRefused, Trade, TradeStatus
from chalicelib.services import timeouts
from chalicelib.services.money import payments, price_changes
from chalicelib.services.money.captures import Outcome
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply
from tests.fixtures.order_states import group_of_two
from tests.fixtures.payment_fixtures import BOTH
from tests.fixtures.shop import OTHER_PAY, STAFF, Shop

pytestmark = pytest.mark.slow

GATEWAYS = BOTH
HOUR_S = 3600


def late_seat(merchant: MerchantFixture) -> tuple[str, Buyer, str]:
    """(group_id, buyer, order_id) of a seat that is held past the group's deadline."""
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    merchant.clock.forward(24 * HOUR_S - 300)
    buyer, order_id = merchant.join(activity, group_id)
    return group_id, buyer, order_id


def extend(merchant: MerchantFixture, group_id: str) -> None:
    expires_at_s = merchant.stored_group(group_id).expires_at_s
    path = f"/v1/merchant/groups/{group_id}/extension"
    reply = merchant.owner().post(path, {"hours": 1, "expires_at_s": expires_at_s})
    assert reply.status == 200, reply.body


def forget_what_was_sent(merchant: MerchantFixture, order_id: str) -> None:
    """Its first attempt is as attempts were before they kept that."""
    merchant.stored_order(order_id).update(
        actions=[
            OrderItem.payments["01"]["until_s"].remove(),
            OrderItem.payments["01"]["sent"].remove(),
        ],
        condition=OrderItem.pk.exists(),
    )


def states(merchant: MerchantFixture, order_id: str) -> dict[str, str]:
    """What the gateway says of the order's attempts."""
    return {
        trade["out_trade_no"][-2:]: trade["trade_state"].removeprefix("TRADE_")
        for trade in merchant.gateway.ledger.summaries()
        if trade["out_trade_no"].startswith(order_id)
    }


def pay(merchant: MerchantFixture, reply: Reply) -> str:
    assert reply.status == 201, reply.body
    number = merchant.gateway.pay(merchant.gateway.key_of(reply.body["parameters"]))
    assert merchant.gateway.quiet()
    return number


def test_joiner_of_a_group_that_is_extended_pays_under_another_number(
    merchant: MerchantFixture,
) -> None:
    group_id, buyer, order_id = late_seat(merchant)
    merchant.prepay(buyer, order_id)
    extend(merchant, group_id)

    number = pay(merchant, buyer.ask_to_pay(order_id))

    assert number == f"{order_id}02"
    assert states(merchant, order_id) == {"01": "CLOSED", "02": "SUCCESS"}
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def test_asking_again_sends_the_same_again(merchant: MerchantFixture) -> None:
    group_id, buyer, order_id = late_seat(merchant)

    for _ in range(3):
        merchant.prepay(buyer, order_id)

    assert list(states(merchant, order_id)) == ["01"]
    assert pay(merchant, buyer.ask_to_pay(order_id)) == f"{order_id}01"
    assert merchant.stored_group(group_id).seats_paid == 2
    merchant.check_laws(quiescent=False)


def test_payment_that_came_before_its_attempt_was_given_up_counts(
    merchant: MerchantFixture,
) -> None:
    group_id, buyer, order_id = late_seat(merchant)
    merchant.pay_unheard(buyer, order_id)
    extend(merchant, group_id)

    reply = buyer.ask_to_pay(order_id)

    assert (reply.status, reply.code) == (409, "already_paid")
    assert reply.body["message"].count("已付款") == 1
    assert buyer.status(order_id) == "paid"
    assert list(states(merchant, order_id)) == ["01"]
    merchant.check_laws(quiescent=False)


def test_attempt_that_cannot_be_closed_now_is_asked_for_as_it_was(
    merchant: MerchantFixture,
) -> None:
    group_id, buyer, order_id = late_seat(merchant)
    merchant.prepay(buyer, order_id)
    extend(merchant, group_id)
    merchant.gateway.faults.add("close", "rate_limited")  # the buyer is typing the password, say

    number = pay(merchant, buyer.ask_to_pay(order_id))

    assert number == f"{order_id}01"
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def test_other_address_for_callbacks_is_sent_under_another_number(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, buyer, order_id = late_seat(merchant)
    merchant.prepay(buyer, order_id)
    reading = secrets.secret
    other = {"public-api-url": "https://pay.example.com/api"}
    monkeypatch.setattr(secrets, "secret", lambda name: other.get(name) or reading(name))

    reply = buyer.ask_to_pay(order_id)

    monkeypatch.undo()
    assert reply.status == 201, reply.body
    merchant.gateway.key_of(reply.body["parameters"])
    assert states(merchant, order_id)["01"] == "CLOSED"
    assert len(states(merchant, order_id)) == 2


def test_attempt_of_before_that_the_gateway_has_in_other_words_is_closed_for_another(
    merchant: MerchantFixture,
) -> None:
    """One that was stored when an attempt did not yet keep what was sent."""
    group_id, buyer, order_id = late_seat(merchant)
    merchant.prepay(buyer, order_id)
    forget_what_was_sent(merchant, order_id)
    extend(merchant, group_id)

    replies = [buyer.ask_to_pay(order_id)]
    if (
        merchant.gateway.method == "alipay"
    ):  # its address is signed without asking; the page refuses it
        return
    number = pay(merchant, replies[-1])

    assert number == f"{order_id}02"
    assert states(merchant, order_id) == {"01": "CLOSED", "02": "SUCCESS"}


@pytest.mark.wechat_pay_only
@pytest.mark.parametrize("silent", ["query", "close"])
def test_refused_payment_of_which_the_gateway_tells_nothing_more_is_unsettled(
    merchant: MerchantFixture, silent: str
) -> None:
    """Its number may have been paid, or closed: nobody is told that it failed."""
    group_id, buyer, order_id = late_seat(merchant)
    merchant.prepay(buyer, order_id)
    forget_what_was_sent(merchant, order_id)
    extend(
        merchant, group_id
    )  # so that the gateway refuses the number, which it has in other words
    before = merchant.image(merchant.stored_order(order_id))
    merchant.gateway.faults.add(silent, "lost_answer" if silent == "query" else "rate_limited")

    reply = buyer.ask_to_pay(order_id)

    assert (reply.status, reply.code) == (503, "payment_unsettled")
    assert reply.headers["retry-after"] == "3"
    assert merchant.image(merchant.stored_order(order_id)) == before
    assert states(merchant, order_id) == {"01": "NOTPAY"}
    assert pay(merchant, buyer.ask_to_pay(order_id)) == f"{order_id}02"


def test_order_with_attempts_at_three_accounts_stays_under_a_kilobyte(
    merchant: MerchantFixture,
) -> None:
    _, buyer, order_id = late_seat(merchant)
    for label in ("second", "third"):
        merchant.prepay(buyer, order_id)
        merchant.change_account(label)

    merchant.prepay(buyer, order_id)
    open_bytes = size_of(merchant.image(merchant.stored_order(order_id)))
    pay(merchant, buyer.ask_to_pay(order_id))
    paid_bytes = size_of(merchant.image(merchant.stored_order(order_id)))

    assert len(states(merchant, order_id)) == 3
    assert max(open_bytes, paid_bytes) <= 1024, (open_bytes, paid_bytes)


def size_of(image: Any) -> int:
    """What DynamoDB charges an item for, in bytes: names, values, and a little for structure."""
    ((kind, value),) = image.items() if len(image) == 1 else (("M", image),)
    if kind == "M":
        return 3 + sum(1 + len(name) + size_of(part) for name, part in value.items())
    if kind in ("S", "N"):
        return len(value.encode()) if kind == "S" else (len(value) + 1) // 2 + 2
    return sum(len(part.encode()) for part in value) if kind == "SS" else 1


@pytest.fixture
def order(shop: Shop) -> OrderItem:
    """It holds the last seat of a group of two."""
    sold = shop.activity(seats=2)
    return shop.join(sold, shop.opened(sold), shop.buyer())


def attempts(shop: Shop, order: OrderItem) -> dict[str, Payment]:
    return dict(shop.order(order.order_id).view().payments)


def asked_late(shop: Shop, order: OrderItem) -> Payment:
    """An attempt that the gateway has not answered, to be asked about at the pay-by time: what is
    next about the order is the same whether it is pending or closed."""
    shop.now_s = order.pay_by_s - timeouts.QUERY_AFTER_S
    shop.gateway.silent = {"prepay"}
    with pytest.raises(GatewayFailed):
        shop.ask(order)
    shop.gateway.silent = set()
    return attempts(shop, order)["01"]


def closed(payment: Payment) -> Payment:
    return replace(payment, status=PaymentStatus.CLOSED, query_at_s=0)


def test_no_attempt_is_begun_for_an_order_that_was_cancelled_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    asked_late(shop, order)

    with interleaved(lambda: shop.cancel(order)), pytest.raises(OrderClosed):
        shop.ask(order, OTHER_PAY)

    assert shop.order(order.order_id).status == "closed"
    assert list(attempts(shop, order)) == ["01"]


def test_attempt_begun_while_another_is_closed_is_what_is_asked_about_next(
    shop: Shop, order: OrderItem
) -> None:
    shop.ask(order)
    first = attempts(shop, order)["01"]
    shop.now_s += 10

    with interleaved(lambda: payments.store_attempt(order, "01", closed(first))):
        shop.ask(order, OTHER_PAY)

    assert shop.order(order.order_id).due_at_s == shop.now_s + timeouts.QUERY_AFTER_S


def test_attempt_begun_while_another_is_stored_is_asked_about(shop: Shop, order: OrderItem) -> None:
    shop.ask(order)
    first = attempts(shop, order)["01"]
    shop.now_s += 10

    with interleaved(lambda: shop.ask(order, OTHER_PAY)):
        payments.store_attempt(order, "01", closed(first))

    assert shop.order(order.order_id).due_at_s == shop.now_s + timeouts.QUERY_AFTER_S


def test_attempt_closed_while_it_is_stored_stays_closed(shop: Shop, order: OrderItem) -> None:
    shop.ask(order)
    shop.now_s += 10
    shop.ask(order, OTHER_PAY)
    later = replace(attempts(shop, order)["01"], query_at_s=order.pay_by_s - 1)
    payments.store_attempt(order, "01", later)  # the other one is asked about first

    with interleaved(lambda: payments.store_attempt(order, "01", closed(later))):
        payments.store_attempt(order, "01", later)

    assert attempts(shop, order)["01"] == closed(later)


def test_order_cancelled_while_its_attempt_is_stored_is_not_released_again(
    shop: Shop, order: OrderItem
) -> None:
    later = replace(asked_late(shop, order), query_at_s=order.pay_by_s + 60)

    with interleaved(lambda: shop.cancel(order)):
        payments.store_attempt(order, "01", later)

    stored = shop.order(order.order_id)
    assert (stored.status, stored.due_at_s) == ("closed", order.pay_by_s + 60)


def test_no_attempt_is_begun_at_the_pay_by_time(shop: Shop, order: OrderItem) -> None:
    shop.now_s = order.pay_by_s

    with pytest.raises(OrderClosed):
        shop.ask(order)

    assert attempts(shop, order) == {}


def test_order_has_so_many_attempts_and_no_more(shop: Shop, order: OrderItem) -> None:
    gone = Payment(PaymentStatus.CLOSED, OTHER_PAY, order.total_fen, at_s=shop.now_s)
    every = {f"{number:02d}": entry_of(gone) for number in range(1, ATTEMPTS_MAX + 1)}
    order.update(actions=[OrderItem.payments.set(every)])

    with pytest.raises(OrderClosed):
        shop.ask(order)

    assert len(attempts(shop, order)) == ATTEMPTS_MAX


def test_attempt_that_the_gateway_refuses_is_open_until_it_says_that_it_is_closed(
    shop: Shop, order: OrderItem
) -> None:
    shop.gateway.refuses = {"prepay": "NOAUTH"}

    with pytest.raises(GatewayRefused):
        shop.ask(order)

    assert [paid.status for paid in attempts(shop, order).values()] == ["created"]


def test_order_of_nothing_that_was_cancelled_while_it_is_paid_is_not_paid(shop: Shop) -> None:
    order = shop.open(shop.activity(seats=2, price_fen=0), shop.buyer())

    with interleaved(lambda: shop.cancel(order)), pytest.raises(OrderClosed):
        shop.ask(order)

    assert shop.order(order.order_id).status == "closed"
    assert attempts(shop, order) == {}  # a payment of nothing that found no seat is none


def lower(shop: Shop, order: OrderItem, total_fen: int) -> None:
    price_changes.lower(shop.merchant_id, order.order_id, total_fen, staff=STAFF, now_s=shop.now_s)


def test_no_attempt_is_begun_at_a_price_that_was_lowered_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    with interleaved(lambda: lower(shop, order, 5000)), pytest.raises(PriceChanged) as refusal:
        shop.ask(order)

    assert refusal.value.details == {"old_fen": 5900, "new_fen": 5000}
    assert attempts(shop, order) == {}
    shop.pay(shop.order(order.order_id))
    assert attempts(shop, order)["01"].amount_fen == 5000
    shop.check()


def test_price_is_not_lowered_of_an_order_that_was_paid_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    with interleaved(lambda: shop.pay(order)), pytest.raises(AlreadyPaid):
        lower(shop, order, 5000)

    stored = shop.order(order.order_id)
    assert (stored.total_fen, stored.status) == (5900, "paid")
    shop.check()


def test_attempt_begun_meanwhile_keeps_the_price_until_it_is_closed(
    shop: Shop, order: OrderItem
) -> None:
    with interleaved(lambda: shop.ask(order)):
        lower(shop, order, 5000)

    assert shop.order(order.order_id).total_fen == 5000
    assert attempts(shop, order)["01"].status is PaymentStatus.CLOSED
    shop.check()


@pytest.mark.parametrize("alone", [True, False])
def test_payment_at_a_price_that_was_lowered_meanwhile_is_one_too_many(
    shop: Shop, order: OrderItem, alone: bool
) -> None:
    if alone:
        order = shop.buy_alone(shop.activity(product_stock=200), shop.buyer())
    number = shop.ask(order)
    paid = Trade(
        number,
        TradeStatus.SUCCEEDED,
        amount_fen=order.total_fen,
        transaction_id=f"t{number}",
        paid_at_s=shop.now_s,
        attach=order.group_id or "",
    )

    with interleaved(lambda: lower(shop, order, 5000)):
        outcome = shop.notify(paid)

    shop.gateway.pay_in_spite(number, at_s=shop.now_s)
    assert outcome is Outcome.LATE
    stored = shop.order(order.order_id)
    assert (stored.total_fen, stored.status) == (5000, "pending")
    assert stored.view().refunds["01L"].amount_fen == order.total_fen
    shop.check()


def test_order_cancelled_while_it_is_about_to_be_paid_is_closed(shop: Shop) -> None:
    _, _, order = group_of_two(shop)

    with interleaved(lambda: shop.cancel(order)), pytest.raises(OrderClosed):
        shop.ask(order)

    stored = shop.order(order.order_id)
    assert (stored.status, stored.payments.as_dict()) == ("closed", {})


def test_two_attempts_begun_at_once_have_two_numbers(shop: Shop) -> None:
    _, _, order = group_of_two(shop)

    with interleaved(lambda: shop.ask(order, OTHER_PAY)):
        shop.ask(order)

    known = shop.order(order.order_id).view().payments
    assert {key: paid.method for key, paid in known.items()} == {
        "01": OTHER_PAY,
        "02": "wechat_pay",
    }


def test_attempt_paid_while_it_is_stored_as_closed_is_paid(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    trade = shop.capture(order)
    attempt = shop.order(order.order_id).view().payments["01"]

    with interleaved(lambda: shop.notify(trade)):
        payments.store_attempt(order, "01", attempt)

    assert shop.order(order.order_id).view().payments["01"].status == "succeeded"
