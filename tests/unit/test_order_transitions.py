"""What each event makes of an order, and that nothing else can move one."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.domain import order_transitions as events
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import Order, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from chalicelib.domain.order_transitions import MOVES, STATUS_EDGES, Transition
from chalicelib.domain.order_units import Units
from chalicelib.errors import Changed

CODE = Path(__file__).parents[2] / "chalicelib"
WRITER = CODE / "services/orders/state_changes.py"
NOW_S = 1_790_000_000
ASKED = Payment(PaymentStatus.CREATED, "wechat_pay", 5900, NOW_S, query_at_s=NOW_S + 90)
PAID = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 5900, NOW_S, paid_at_s=NOW_S - 1)
PENDING = Order(
    OrderStatus.PENDING, total_fen=5900, pay_by_s=NOW_S + 600, payments={"01": ASKED},
    units=Units(bought=2),
)  # fmt: skip
SEATED = replace(PENDING, status=OrderStatus.PAID, payments={"01": PAID})
TO_SHIP = replace(SEATED, status=OrderStatus.FULFILLING)


def refunded(order: Order, amount_fen: int, units: int, **more: int) -> Transition:
    return events.refund_requested(
        order, "A", amount_fen, units, starts_s=NOW_S, receive_by_s=NOW_S + 9, now_s=NOW_S, **more
    )


def test_capture_takes_the_seat_and_leaves_the_due_work_to_its_driver() -> None:
    change = events.seat_paid(PENDING, "01", PAID, now_s=NOW_S)

    assert change.after == SEATED
    assert change.entries == (Entry("01", Movement.CAPTURED, 5900, NOW_S - 1),)
    assert (change.at_s, change.marks_due) == (NOW_S, False)


def test_money_of_what_is_bought_alone_is_earned_at_once() -> None:
    change = events.paid_alone(PENDING, "01", PAID, now_s=NOW_S)

    assert change.after == TO_SHIP
    assert [entry.movement for entry in change.entries] == ["captured", "earned"]


def test_late_capture_adds_its_refund_and_moves_nothing() -> None:
    closed = replace(PENDING, status=OrderStatus.CLOSED)

    change = events.captured_late(closed, "01", PAID, now_s=NOW_S)

    assert not change.moves
    assert change.after.refunds["01L"] == Refund(
        RefundStatus.REQUESTED, 5900, at_s=NOW_S, next_at_s=NOW_S
    )
    assert [entry.key for entry in change.entries] == ["01 captured", "01L requested"]


def test_release_overwrites_no_attempt_that_was_paid() -> None:
    done = replace(ASKED, status=PaymentStatus.CLOSED)

    assert events.released(PENDING, {"01": done}, now_s=NOW_S).after.payments == {"01": done}
    late = replace(PENDING, payments={"01": PAID})
    assert events.released(late, {"01": done}, now_s=NOW_S).after.payments == {"01": PAID}


def test_failed_group_refunds_what_took_the_seat() -> None:
    change = events.group_failed(SEATED, now_s=NOW_S)

    assert (change.after.status, list(change.after.refunds)) == ("refunding", ["01F"])
    assert change.entries == (Entry("01F", Movement.REFUND_REQUESTED, 5900, NOW_S),)


def test_failed_group_owes_nothing_to_who_paid_nothing() -> None:
    free = replace(SEATED, payments={"00": replace(PAID, amount_fen=0)})

    change = events.group_failed(free, now_s=NOW_S)

    assert (change.after.status, change.after.refunds, change.entries) == ("refunded", {}, ())


@pytest.mark.parametrize(
    ("amount_fen", "units", "status"),
    [(5900, 0, "refunding"), (1, 2, "refunding"), (1, 1, "fulfilling"), (5899, 0, "fulfilling")],
)
def test_order_ends_when_all_of_its_money_or_units_go_back(
    amount_fen: int, units: int, status: str
) -> None:
    change = refunded(TO_SHIP, amount_fen, units)

    assert (change.after.status, change.after.units.returned) == (status, units)
    assert change.entries == (Entry("01A", Movement.REFUND_REQUESTED, amount_fen, NOW_S),)


def test_order_is_shipped_when_the_rest_will_not_be_sent() -> None:
    part = events.shipped(TO_SHIP, 1, receive_by_s=NOW_S + 9).after
    assert (part.status, part.receive_by_s) == ("fulfilling", 0)

    whole = refunded(part, 1, 1).after

    assert (whole.status, whole.receive_by_s) == ("shipped", NOW_S + 9)


def test_goods_that_came_back_damaged_are_not_on_sale() -> None:
    sent = events.shipped(TO_SHIP, 2, receive_by_s=NOW_S).after

    units = refunded(sent, 1, 1, came_back=2).after.units

    assert (units.brought_back, units.returned, units.with_buyer) == (2, 1, 0)


def test_refund_that_is_confirmed_ends_the_order_once_all_is_back() -> None:
    asked = refunded(TO_SHIP, 5900, 0).after
    done = replace(asked.refunds["01A"], status=RefundStatus.SUCCEEDED, next_at_s=0)

    change = events.refund_stored(asked, "01A", done, at_s=NOW_S + 5)

    assert change.after.status is OrderStatus.REFUNDED
    assert change.entries == (Entry("01A", Movement.REFUNDED, 5900, NOW_S + 5),)
    failed = replace(done, status=RefundStatus.FAILED)
    assert events.refund_stored(asked, "01A", failed, at_s=NOW_S).after.status == "refunding"


@pytest.mark.parametrize(
    ("event", "order"),
    [
        (lambda order: events.seat_paid(order, "01", PAID, now_s=NOW_S), SEATED),
        (lambda order: events.released(order, now_s=NOW_S), SEATED),
        (lambda order: events.group_formed(order, now_s=NOW_S), PENDING),
        (lambda order: events.group_failed(order, now_s=NOW_S), TO_SHIP),
        (lambda order: events.shipped(order, 2, receive_by_s=NOW_S), SEATED),
        (lambda order: events.received(order, now_s=NOW_S), TO_SHIP),
        (lambda order: events.after_sale_requested(order, "B"), replace(TO_SHIP, after_sale="A")),
    ],
)
def test_event_that_cannot_happen_is_refused(
    event: Callable[[Order], Transition], order: Order
) -> None:
    with pytest.raises(Changed):
        event(order)


def test_published_edges_follow_from_what_can_happen() -> None:
    assert STATUS_EDGES[OrderStatus.PENDING] == {"paid", "fulfilling", "closed"}
    assert STATUS_EDGES[OrderStatus.CLOSED] == frozenset()
    assert STATUS_EDGES[OrderStatus.REFUNDED] == {"refunding"}
    assert {to for moves in MOVES.values() for to in moves.values()} == set(OrderStatus) - {
        OrderStatus.PENDING
    }


def test_no_other_module_writes_the_state_of_an_order_or_a_group() -> None:
    writers = {path for path in CODE.rglob("*.py") if writes_a_status(ast.parse(path.read_text()))}

    assert writers == {WRITER}


def writes_a_status(tree: ast.Module) -> bool:
    """Whether a module sets OrderItem.status or GroupItem.status, whatever the value."""
    return any(
        (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "set"
            and ast.unparse(node.func.value) in ("OrderItem.status", "GroupItem.status")
        )
        or (
            isinstance(node, ast.Assign)
            and any(ast.unparse(t) in ("order.status", "group.status") for t in node.targets)
        )
        for node in ast.walk(tree)
    )
