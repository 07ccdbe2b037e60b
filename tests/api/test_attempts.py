"""What was sent to a gateway under a number is sent again unchanged, or under another number."""

from typing import Any

import pytest

from chalicelib.gateways import secrets
from chalicelib.tables.trade import OrderItem
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply
from tests.fixtures.payment_fixtures import BOTH

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
