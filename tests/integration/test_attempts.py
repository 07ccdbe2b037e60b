"""What was sent to a gateway under a number is sent again unchanged, or under another number."""

from typing import Any

import pytest

from chalicelib.gateways import secrets
from chalicelib.tables.trade import OrderItem
from tests.support import Buyer, Reply, Town
from tests.tills import BOTH

GATEWAYS = BOTH
HOUR_S = 3600


def late_seat(town: Town) -> tuple[str, Buyer, str]:
    """(group_id, buyer, order_id) of a seat that is held past the group's deadline."""
    activity = town.activity(seats=3, stock=10)
    group_id, _, _ = town.open_group(activity)
    town.clock.forward(24 * HOUR_S - 300)
    buyer, order_id = town.join(activity, group_id)
    return group_id, buyer, order_id


def extend(town: Town, group_id: str) -> None:
    expires_at_s = town.stored_group(group_id).expires_at_s
    path = f"/v1/merchant/groups/{group_id}/extension"
    reply = town.owner().post(path, {"hours": 1, "expires_at_s": expires_at_s})
    assert reply.status == 200, reply.body


def forget_what_was_sent(town: Town, order_id: str) -> None:
    """Its first attempt is as attempts were before they kept that."""
    town.stored_order(order_id).update(
        actions=[
            OrderItem.payments["01"]["until_s"].remove(),
            OrderItem.payments["01"]["sent"].remove(),
        ],
        condition=OrderItem.pk.exists(),
    )


def states(town: Town, order_id: str) -> dict[str, str]:
    """What the gateway says of the order's attempts."""
    return {
        trade["out_trade_no"][-2:]: trade["trade_state"].removeprefix("TRADE_")
        for trade in town.till.ledger.summaries()
        if trade["out_trade_no"].startswith(order_id)
    }


def pay(town: Town, reply: Reply) -> str:
    assert reply.status == 201, reply.body
    number = town.till.pay(town.till.key_of(reply.body["parameters"]))
    assert town.till.quiet()
    return number


def test_joiner_of_a_group_that_is_extended_pays_under_another_number(town: Town) -> None:
    group_id, buyer, order_id = late_seat(town)
    town.prepay(buyer, order_id)
    extend(town, group_id)

    number = pay(town, buyer.ask_to_pay(order_id))

    assert number == f"{order_id}02"
    assert states(town, order_id) == {"01": "CLOSED", "02": "SUCCESS"}
    assert buyer.status(order_id) == "paid"
    town.check_laws(quiescent=False)


def test_asking_again_sends_the_same_again(town: Town) -> None:
    group_id, buyer, order_id = late_seat(town)

    for _ in range(3):
        town.prepay(buyer, order_id)

    assert list(states(town, order_id)) == ["01"]
    assert pay(town, buyer.ask_to_pay(order_id)) == f"{order_id}01"
    assert town.stored_group(group_id).seats_paid == 2
    town.check_laws(quiescent=False)


def test_payment_that_came_before_its_attempt_was_given_up_counts(town: Town) -> None:
    group_id, buyer, order_id = late_seat(town)
    town.pay_unheard(buyer, order_id)
    extend(town, group_id)

    reply = buyer.ask_to_pay(order_id)

    assert (reply.status, reply.code) == (409, "already_paid")
    assert buyer.status(order_id) == "paid"
    assert list(states(town, order_id)) == ["01"]
    town.check_laws(quiescent=False)


def test_attempt_that_cannot_be_closed_now_is_asked_for_as_it_was(town: Town) -> None:
    group_id, buyer, order_id = late_seat(town)
    town.prepay(buyer, order_id)
    extend(town, group_id)
    town.till.faults.add("close", "rate_limited")  # the buyer is typing the password, say

    number = pay(town, buyer.ask_to_pay(order_id))

    assert number == f"{order_id}01"
    assert buyer.status(order_id) == "paid"
    town.check_laws(quiescent=False)


def test_other_address_for_callbacks_is_sent_under_another_number(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, buyer, order_id = late_seat(town)
    town.prepay(buyer, order_id)
    reading = secrets.secret
    other = {"public-api-url": "https://pay.example.com/api"}
    monkeypatch.setattr(secrets, "secret", lambda name: other.get(name) or reading(name))

    reply = buyer.ask_to_pay(order_id)

    monkeypatch.undo()
    assert reply.status == 201, reply.body
    town.till.key_of(reply.body["parameters"])
    assert states(town, order_id)["01"] == "CLOSED"
    assert len(states(town, order_id)) == 2


def test_attempt_of_before_that_the_gateway_has_in_other_words_is_closed_for_another(
    town: Town,
) -> None:
    """One that was stored when an attempt did not yet keep what was sent."""
    group_id, buyer, order_id = late_seat(town)
    town.prepay(buyer, order_id)
    forget_what_was_sent(town, order_id)
    extend(town, group_id)

    replies = [buyer.ask_to_pay(order_id)]
    if town.till.method == "alipay":  # its address is signed without asking; the page refuses it
        return
    number = pay(town, replies[-1])

    assert number == f"{order_id}02"
    assert states(town, order_id) == {"01": "CLOSED", "02": "SUCCESS"}


@pytest.mark.wechat_pay_only
@pytest.mark.parametrize("silent", ["query", "close"])
def test_refused_payment_of_which_the_gateway_tells_nothing_more_is_unsettled(
    town: Town, silent: str
) -> None:
    """Its number may have been paid, or closed: nobody is told that it failed."""
    group_id, buyer, order_id = late_seat(town)
    town.prepay(buyer, order_id)
    forget_what_was_sent(town, order_id)
    extend(town, group_id)  # so that the gateway refuses the number, which it has in other words
    before = town.image(town.stored_order(order_id))
    town.till.faults.add(silent, "lost_answer" if silent == "query" else "rate_limited")

    reply = buyer.ask_to_pay(order_id)

    assert (reply.status, reply.code) == (503, "payment_unsettled")
    assert reply.headers["retry-after"] == "3"
    assert town.image(town.stored_order(order_id)) == before
    assert states(town, order_id) == {"01": "NOTPAY"}
    assert pay(town, buyer.ask_to_pay(order_id)) == f"{order_id}02"


def test_order_with_attempts_at_three_accounts_stays_under_a_kilobyte(town: Town) -> None:
    _, buyer, order_id = late_seat(town)
    for label in ("second", "third"):
        town.prepay(buyer, order_id)
        town.change_account(label)

    town.prepay(buyer, order_id)
    open_bytes = size_of(town.image(town.stored_order(order_id)))
    pay(town, buyer.ask_to_pay(order_id))
    paid_bytes = size_of(town.image(town.stored_order(order_id)))

    assert len(states(town, order_id)) == 3
    assert max(open_bytes, paid_bytes) <= 1024, (open_bytes, paid_bytes)


def size_of(image: Any) -> int:
    """What DynamoDB charges an item for, in bytes: names, values, and a little for structure."""
    ((kind, value),) = image.items() if len(image) == 1 else (("M", image),)
    if kind == "M":
        return 3 + sum(1 + len(name) + size_of(part) for name, part in value.items())
    if kind in ("S", "N"):
        return len(value.encode()) if kind == "S" else (len(value) + 1) // 2 + 2
    return sum(len(part.encode()) for part in value) if kind == "SS" else 1
