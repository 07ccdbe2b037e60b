"""Laws of money: what orders say of it, and what the gateway has in its own ledger."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.coupon import LEAST_PAID_FEN
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import PaymentStatus, Refund, RefundStatus
from chalicelib.gateways import payment as port
from chalicelib.services.money.payments import FREE
from chalicelib.tables.trade import OrderItem
from tests.fixtures.fake_gateway import HeldRefund
from tests.fixtures.table_snapshot import (
    GIVEN_BACK,
    KEPT,
    TO_FULFIL,
    TableSnapshot,
    after_sale_fen,
    rebate_fen,
)

Violations = Iterator[str]


def money(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        known = order.view()
        after_sale = after_sale_fen(known)
        # Once all units are back, what is not refunded is kept (the freight, say).
        keeping = known.status in KEPT or (after_sale and known.units.all_back)
        kept_fen = order.total_fen - after_sale - rebate_fen(known) if keeping else 0
        captured_fen, refunded_fen, whole = 0, 0, 0
        for attempt, payment in known.payments.items():
            if payment.status is not PaymentStatus.SUCCEEDED or not payment.amount_fen:
                continue
            back = {key[2:]: r.amount_fen for key, r in known.refunds.items() if key[:2] == attempt}
            by_us = [fen for letter, fen in back.items() if letter in ("F", "L")]
            captured_fen += payment.amount_fen
            refunded_fen += sum(back.values())
            whole += not by_us
            if by_us and (len(back) > 1 or by_us != [payment.amount_fen]):
                yield f"5 payments: payment {order_id}{attempt} is refunded in parts, {back}"
        if captured_fen != kept_fen + refunded_fen:
            yield (
                f"4 money: {known.status} order {order_id}: captured {captured_fen} fen, "
                f"kept {kept_fen}, refunded or to be refunded {refunded_fen}"
            )
        keeps = order.total_fen and (known.status in KEPT or after_sale)
        if whole != (1 if keeps else 0):
            yield f"5 payments: {known.status} order {order_id} keeps {whole} payments"


def refunds(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        known = order.view()
        total: Counter[str] = Counter()
        for key, refund in known.refunds.items():
            total[key[:2]] += refund.amount_fen
            if not known.is_succeeded(key[:2]):
                yield f"6 refunds: {order_id}{key} refunds nothing that was paid"
        for attempt, fen in total.items():
            paid = known.payments.get(attempt)
            if paid is None or fen > paid.amount_fen:
                yield f"6 refunds: {order_id}{attempt} is refunded more than it was"


def rebates(snapshot: TableSnapshot) -> Violations:
    """What the terms of a group give back once it has formed is requested when it is settled."""
    for order_id, order in snapshot.orders.items():
        group = snapshot.groups.get(order.group_id or "")
        terms, detail = snapshot.terms_of(order), snapshot.details.get(order_id)
        promised_fen = 0
        settled = order.status in TO_FULFIL | GIVEN_BACK
        formed = group is not None and group.status == GroupStatus.FORMED and settled
        if group is not None and terms is not None and detail is not None and formed:
            goods_fen = order.total_fen - detail.lines.as_dict()["freight_fen"]
            if terms.leader_free and group.leader_id == order.buyer_id:
                promised_fen = max(min(goods_fen, order.total_fen - LEAST_PAID_FEN), 0)
            tiers = sorted((tier["seats"], tier["off_fen"]) for tier in terms.tiers)
            for seats, off_fen in tiers:
                if group.seats_paid >= seats:
                    unit_fen = off_fen - less_as_member(snapshot, order)
                    promised_fen = max(min(unit_fen * order.quantity, goods_fen - 1), 0)
        if terms is not None and terms.crowd_tiers:
            continue  # crowd_laws
        gives_fen = rebate_fen(order.view())
        if gives_fen != promised_fen:
            text = f"{gives_fen} fen of order {order_id} go back, {promised_fen} promised"
            yield f"31 rebates: {text}"


def less_as_member(snapshot: TableSnapshot, order: OrderItem) -> int:
    """By how much a unit cost a member less than who has no level, and took the same seat."""
    member_fen, terms = snapshot.member_price_fen(order), snapshot.terms_of(order)
    group = snapshot.first_group_of(order)
    if member_fen is None or terms is None or group is None:
        return 0
    sku = next(sku for sku in terms.skus if sku["sku_id"] == order.sku_id)
    leads = group.leader_id == order.buyer_id
    led_fen = sku.get("leader_price_fen") if leads else None
    return int(led_fen or sku["group_price_fen"]) - member_fen


def gateways_refunds(snapshot: TableSnapshot) -> Violations:
    back: Counter[str] = Counter()
    for number, held in snapshot.ledger.refunds.items():
        if held.status is not port.RefundStatus.CLOSED:
            back[held.out_trade_no] += held.amount_fen
        if snapshot.refund_of(number) is None:
            yield f"4 money: the gateway refunds {number}, which nobody recorded"
    for number, fen in back.items():
        if fen > snapshot.ledger.captured.get(number, 0):
            yield f"6 refunds: the gateway refunds {fen} fen of {number}"


def fresh_numbers(snapshot: TableSnapshot) -> Violations:
    """A refund has another number only after the gateway had closed the one before."""
    for number, held in snapshot.ledger.refunds.items():
        mine, closed = snapshot.refund_of(number), held.status is port.RefundStatus.CLOSED
        if mine is None or closed:
            continue
        order, key = mine
        present = order.refund_number(key)
        if number != present:
            yield f"6 refunds: {number} is {held.status} at the gateway, and now {present}"
        outside = order.view().refunds[key].status is RefundStatus.OUTSIDE
        if outside and held.status is not port.RefundStatus.ABNORMAL:
            yield f"6 refunds: {number} is {held.status} at the gateway, and paid outside"


def recorded_payments(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        known, detail = order.view(), snapshot.details.get(order_id)
        lowered = detail is not None and detail.price_changes is not None
        for attempt, payment in known.payments.items():
            too_much = payment.amount_fen > order.total_fen and not lowered
            if payment.amount_fen < order.total_fen or too_much:
                yield f"11 amounts: payment {order_id}{attempt} is of {payment.amount_fen} fen"
            if payment.status is not PaymentStatus.SUCCEEDED or payment.method == FREE:
                continue
            captured_fen = snapshot.ledger.captured.get(order_id + attempt)
            took = snapshot.ledger.places.get(order_id + attempt, payment.account)
            if took != payment.account:
                text = f"is of account {payment.account or 'first'}, {took or 'first'} took it"
                yield f"19 accounts: payment {order_id}{attempt} {text}"
            if captured_fen != payment.amount_fen:
                text = f"is {payment.amount_fen} fen, the gateway says {captured_fen}"
                yield f"4 money: payment {order_id}{attempt} {text}"


def recorded_refunds(snapshot: TableSnapshot) -> Violations:
    for number, refund, held in _refunds(snapshot):
        confirmed = held is not None and held.status is port.RefundStatus.SUCCEEDED
        if refund.status is RefundStatus.SUCCEEDED and not confirmed:
            yield f"4 money: refund {number} is not confirmed by the gateway"
        if held is not None and held.amount_fen != refund.amount_fen:  # whatever became of it
            yield f"4 money: refund {number} is of {held.amount_fen} fen at the gateway"


def nothing_in_flight(snapshot: TableSnapshot) -> Violations:
    for number in snapshot.ledger.captured:
        order = snapshot.orders.get(number[:30])
        if order is None or not order.view().is_succeeded(number[30:]):
            account = snapshot.ledger.places.get(number) or "first"
            yield f"19 accounts: {account} captured {number}, which nobody recorded"
    for number, refund, held in _refunds(snapshot):
        at_gateway = held.status if held else None
        # The gateway's own slowness, and what a person has to mend, are no fault of ours.
        slow = refund.status is RefundStatus.PROCESSING
        if slow and at_gateway is port.RefundStatus.PROCESSING:
            continue
        refused = at_gateway is not port.RefundStatus.SUCCEEDED
        if refund.trouble_at_s and refused:
            continue
        if not refund.is_done:
            yield f"5 payments: refund {number} is {refund.status}, at the gateway {at_gateway}"


def sent_unchanged(snapshot: TableSnapshot) -> Violations:
    """What a gateway was sent under a number came again unchanged, if it came again."""
    for number, words in snapshot.ledger.asked.items():
        if words > 1:
            yield f"22 numbers: {number} was sent to a gateway in {words} different requests"


def fulfilment(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        known = order.view()
        seat = known.seat_payment
        if known.status in KEPT and (seat is None or seat[1].amount_fen != order.total_fen):
            yield f"7 fulfilment: {known.status} order {order_id} has no payment that fits"
        group = snapshot.groups.get(order.group_id or "")
        unformed = group is not None and group.status != GroupStatus.FORMED
        if known.status in TO_FULFIL and unformed:
            yield f"7 fulfilment: order {order_id} is {known.status} in a group not formed"


def amounts(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        detail = snapshot.details.get(order_id)
        goods_fen = snapshot.group_goods_fen(order)
        more_fen = _beside_goods_fen(detail.lines.as_dict()) if detail else 0
        if goods_fen is not None and order.total_fen != goods_fen + more_fen:
            yield f"11 amounts: order {order_id} is of {order.total_fen} fen"
        if detail is None or detail.lines.as_dict()["total_fen"] != order.total_fen:
            yield f"11 amounts: order {order_id} and its detail differ"


def _beside_goods_fen(lines: dict[str, int]) -> int:
    """Freight, less what staff took off the price."""
    return lines["freight_fen"] - lines.get("discount_fen", 0)


def _refunds(snapshot: TableSnapshot) -> Iterator[tuple[str, Refund, HeldRefund | None]]:
    """Each refund of our orders beside the gateway's record of it."""
    for order in snapshot.orders.values():
        for key, refund in order.view().refunds.items():
            number = order.refund_number(key)
            yield number, refund, snapshot.ledger.refunds.get(number)


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (
    money,
    refunds,
    rebates,
    gateways_refunds,
    fresh_numbers,
    recorded_payments,
    recorded_refunds,
    sent_unchanged,
    fulfilment,
    amounts,
)
FINAL: tuple[Law, ...] = (nothing_in_flight,)
