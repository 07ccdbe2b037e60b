"""What points are worth, what an order moves of them, and what an account makes of that."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import order_transitions as events
from chalicelib.domain.beijing import DAY_S, midnight_s
from chalicelib.domain.order import Order, OrderPoints, OrderStatus, Payment, PaymentStatus
from chalicelib.domain.order_transitions import Transition
from chalicelib.domain.order_units import Units
from chalicelib.domain.points import (
    PointsExpiry,
    PointsRule,
    earned_of,
    refusal_to_use,
    returned_of,
    slice_of,
    to_come_of,
)
from chalicelib.domain.points_account import (
    FOR_EVER,
    LOTS_MAX,
    PointsAccount,
    PointsEntry,
    PointsKind,
    back,
    end_s,
    lot_of,
    spendable,
    spread,
)
from chalicelib.domain.pricing import price_of, priced, with_points

NOW_S = midnight_s(dt.date(2026, 11, 30)) + 3600
RULE = PointsRule(on=True)
LETTERS = "ABCDEGHIJKMNOPQRSTUVWXYZ"

rules = st.builds(
    PointsRule,
    on=st.just(True),
    for_yuan=st.integers(1, 10_000),
    share_max=st.integers(1, 100),
)


def paid(
    paid_fen: int, *, used: int = 0, rate: int = 1, units: int = 1, rebate_fen: int = 0
) -> Order:
    """An order that is to be fulfilled, of which a rebate went back when its group formed."""
    payment = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", paid_fen, NOW_S, paid_at_s=NOW_S)
    order = Order(
        OrderStatus.PAID,
        paid_fen,
        NOW_S,
        {"01": payment},
        units=Units(bought=units),
        points=OrderPoints({"20271231": used} if used else {}, rate),
    )
    return events.group_formed(order, rebate_fen=rebate_fen, goods_fen=0, now_s=NOW_S).after


def refunded(order: Order, letter: str, amount_fen: int, units: int = 0) -> Transition:
    return events.refund_requested(
        order, letter, amount_fen, units, starts_s=NOW_S, receive_by_s=NOW_S, now_s=NOW_S
    )


def received(order: Order) -> Transition:
    return events.received(events.shipped(order, order.units.to_deliver, receive_by_s=NOW_S).after,
                           now_s=NOW_S)  # fmt: skip


@given(st.integers(0, 2_000_000), rules, st.integers(0, 3_000_000))
def test_points_take_whole_steps_off_and_leave_something_to_pay(
    goods_fen: int, rule: PointsRule, balance: int
) -> None:
    points = rule.usable(balance, goods_fen)
    price = with_points(priced(goods_fen, 1), rule, points)

    assert points <= balance
    assert points % rule.for_yuan == 0
    assert price.points_fen == points // rule.for_yuan * 100
    assert price.points_fen <= goods_fen * rule.share_max // 100
    assert sum(line.amount_fen for line in price.lines) == price.total_fen
    assert price.total_fen >= min(goods_fen, 1)
    assert price_of(price.stored()) == price
    assert (refusal_to_use(rule, goods_fen, taken=True) is None) == (rule.most_of(goods_fen) > 0)


@pytest.mark.parametrize(
    ("share_max", "least"),
    [(100, "1.01"), (99, "1.02"), (50, "2"), (1, "100")],
)
def test_goods_that_cost_too_little_are_told_how_much_they_need(share_max: int, least: str) -> None:
    words = refusal_to_use(replace(RULE, share_max=share_max), 99, taken=True)

    assert words == f"商品金额满 {least} 元可用积分"


@given(
    st.integers(2, 1_000_000),
    st.integers(1, 1_000_000),
    st.lists(st.integers(1, 1_000_000), max_size=20),
    st.integers(0, 999_999),
    st.integers(0, 22),
)
def test_any_sequence_of_refunds_gives_back_what_was_used_and_no_more(
    paid_fen: int, used: int, amounts: list[int], rebate_fen: int, received_after: int
) -> None:
    order = paid(paid_fen, used=used, rate=3, rebate_fen=min(rebate_fen, paid_fen))
    back_fen = points_back = earned = 0
    for letter, wanted in zip(LETTERS, [*amounts, paid_fen], strict=False):
        if LETTERS.index(letter) == received_after and order.status is OrderStatus.FULFILLING:
            change = received(order)
            order, earned = change.after, earned + change.points.earned
            assert not change.points.returned
        amount_fen = min(wanted, order.refundable_fen)
        if not amount_fen:
            break
        change = refunded(order, letter, amount_fen)
        order, back_fen = change.after, back_fen + amount_fen
        points_back += sum(change.points.returned.values())
        earned += change.points.earned
        kept_fen = order.refundable_fen
        assert points_back == returned_of(order) <= used
        assert points_back == (used if not kept_fen else used * back_fen // paid_fen)
        assert earned == earned_of(order) >= 0
        assert earned <= 3 * kept_fen // 100
    assert (points_back, earned) == (used, 0)
    assert not events.refund_stored(order, "01A", order.refunds["01A"], at_s=NOW_S).points


def test_units_that_all_went_back_end_what_was_earned_and_return_what_was_used() -> None:
    done = received(paid(6700, used=300, units=2)).after
    part = refunded(done, "A", 1000, 1)
    rest = refunded(part.after, "B", 1000, 1)

    assert (to_come_of(paid(6700)), earned_of(done), to_come_of(done)) == (67, 67, 0)
    assert (part.points.returned, part.points.earned) == ({"20271231": 44}, -10)
    assert rest.after.status is OrderStatus.REFUNDING
    assert (rest.points.returned, rest.points.earned) == ({"20271231": 256}, -57)


@given(
    st.integers(1, 9),
    st.integers(1, 1000),
    st.integers(1, 100_000),
    st.lists(st.tuples(st.integers(1, 50_000), st.integers(0, 3)), max_size=20),
)
def test_units_of_an_offer_that_went_back_give_back_their_points(
    units: int, each: int, paid_fen: int, refunds: list[tuple[int, int]]
) -> None:
    order = paid(paid_fen, used=each * units, units=units)
    order = replace(order, points=replace(order.points, each=each))
    back_fen = points_back = 0
    for letter, (wanted_fen, wanted) in zip(LETTERS, [*refunds, (paid_fen, 0)], strict=False):
        amount_fen = min(wanted_fen, order.refundable_fen)
        if not amount_fen:
            break
        back = min(wanted, order.units.may_go_back)
        change = refunded(order, letter, amount_fen, back)
        order, back_fen = change.after, back_fen + amount_fen
        points_back += sum(change.points.returned.values())
        by_units = each * (units - order.units.may_go_back)
        assert points_back == returned_of(order)
        assert points_back == (
            each * units
            if order.is_given_back
            else max(by_units, each * units * back_fen // paid_fen)
        )
    assert points_back == each * units


def test_rebate_lowers_what_is_earned_and_returns_nothing() -> None:
    order = paid(6700, used=300, rebate_fen=1000)
    change = received(order)

    assert (change.points.returned, change.points.earned) == ({}, 57)
    assert (returned_of(order), to_come_of(order)) == (0, 57)


def test_order_without_a_sale_gives_all_back() -> None:
    pending = replace(paid(6700, used=300), status=OrderStatus.PENDING, payments={}, refunds={})
    waiting = replace(paid(6700, used=300), status=OrderStatus.PAID)

    assert events.released(pending, now_s=NOW_S).points.returned == {"20271231": 300}
    assert events.group_failed(waiting, now_s=NOW_S).points.returned == {"20271231": 300}
    assert to_come_of(pending) == 67


def test_what_comes_back_first_is_what_lasts_longest() -> None:
    lots = {"20261231": 100, "20271231": 50, FOR_EVER: 30}

    assert slice_of(lots, 0, 40) == {FOR_EVER: 30, "20271231": 10}
    assert slice_of(lots, 40, 180) == {"20271231": 40, "20261231": 100}


@pytest.mark.parametrize(
    ("expiry", "lot"),
    [
        (PointsExpiry.NEVER, FOR_EVER),
        (PointsExpiry.YEAR, "20271231"),
        (PointsExpiry.DAYS, "20261230"),
    ],
)
def test_lot_of_what_is_earned_follows_the_rule(expiry: PointsExpiry, lot: str) -> None:
    assert lot_of(replace(RULE, expiry=expiry, days=30), NOW_S) == lot


def test_lot_is_good_to_the_end_of_its_day_and_comes_back_for_three_more() -> None:
    account = PointsAccount(70, {"20261130": 40, "20271231": 30})
    end = end_s("20261130")

    assert account.on(end - 1) is account
    after = account.on(end)
    assert (after.balance, after.lots) == (30, {"20271231": 30})
    assert after.entries == (PointsEntry(end, -40, PointsKind.EXPIRED),)
    assert back({"20261130": 5, "20261203": 2, "20271231": 1}, end) == {
        "20261204+": 5,
        "20261203": 2,
        "20271231": 1,
    }
    late = PointsAccount(7, {"20261204+": 5, "20261204": 2})
    assert back(late.lots, end_s("20261204")) == {"20261204+": 5, "20261208+": 2}
    assert (late.next_lot, late.ending_with("20261204")) == ("20261204", 7)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "wait", "spend"]),
        st.integers(1, 1000),
        st.integers(0, 900),
    ),
    max_size=40,
)


@given(STEPS)
def test_balance_is_the_sum_of_entries_and_of_lots(steps: list[tuple[str, int, int]]) -> None:
    account, now_s = PointsAccount(), NOW_S
    for what, points, days in steps:
        if what == "wait":
            now_s += days * DAY_S
            account = account.on(now_s)
        elif what == "add":
            day = dt.date(2026, 12, 1) + dt.timedelta(days=days)
            lot = back({f"{day:%Y%m%d}" if days % 7 else FOR_EVER: points}, now_s)
            account = account.added(lot, PointsEntry(now_s, points, PointsKind.EARNED))
        elif what == "take":  # may go below zero
            account = account.taken(PointsEntry(now_s, -points, PointsKind.TAKEN_BACK))
        elif spendable([account]) >= points:
            [(_, lots)] = spread({"who": account}, points).items()
            assert sum(lots.values()) == points
            before = account.lots
            account = account.taken(PointsEntry(now_s, -points, PointsKind.SPENT))
            assert {lot: before[lot] - account.lots.get(lot, 0) for lot in lots} == lots
        assert account.balance == sum(entry.points for entry in account.entries)
        assert sum(account.lots.values()) == max(account.balance, 0)
        assert all(count > 0 for count in account.lots.values())
        assert len(account.lots) <= LOTS_MAX


def test_person_spends_the_oldest_of_all_accounts_less_what_one_owes() -> None:
    older = PointsAccount(30, {"20271231": 30})
    younger = PointsAccount(50, {"20261231": 20, FOR_EVER: 30})

    assert spread({"older": older, "younger": younger}, 45) == {
        "younger": {"20261231": 20},
        "older": {"20271231": 25},
    }
    assert spendable([older, PointsAccount(-20)]) == 10
    assert spendable([PointsAccount(-20)]) == 0
