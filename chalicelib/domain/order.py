"""An order: its states, its money, and what is still to be done about it.

    pending ─▶ paid ─▶ fulfilling ─▶ shipped | ready_for_pickup ─▶ completed
       └▶ closed  └▶ refunding ─▶ refunded    (after-sale: from fulfilling on)

After-sale ends an order as refunded when all of its money or all of its units have gone back: then
there is nothing left to do about it. What was kept (freight, say) may still be refunded later.

The state of an order and of its refunds are apart: a late or second payment adds a refund and
leaves the order's state as it is. What moves an order is in domain.order_transitions.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.domain.order_units import Units

REFUND_RETRY_MIN_S = 60
REFUND_RETRY_MAX_S = 3600
REFUND_PATIENCE_S = 6 * 3600  # refused for so long, a refund needs a person
QUERY_MIN_S = 60
QUERY_MAX_S = 3600


class OrderStatus(StrEnum):
    PENDING = "pending"  # holds a seat and stock until its pay-by time
    PAID = "paid"  # waits for its group (待成团)
    FULFILLING = "fulfilling"  # to be shipped or made ready for pickup
    SHIPPED = "shipped"
    READY_FOR_PICKUP = "ready_for_pickup"
    COMPLETED = "completed"
    CLOSED = "closed"  # never paid in time; never revived
    REFUNDING = "refunding"  # the group failed; or all the money, or all units, go back after-sale
    REFUNDED = "refunded"  # and the gateway confirmed what was to go back


class Delivery(StrEnum):
    EXPRESS = "express"
    PICKUP = "pickup"  # at a store of the merchant's


class PaymentStatus(StrEnum):
    CREATED = "created"  # asked for at a gateway; may still be paid
    SUCCEEDED = "succeeded"
    CLOSED = "closed"  # can never be paid any more


class RefundStatus(StrEnum):
    REQUESTED = "requested"  # to be sent to the gateway
    PROCESSING = "processing"  # accepted by the gateway
    SUCCEEDED = "succeeded"  # confirmed by the gateway
    FAILED = "failed"  # needs a person, who can send it again, or pay it in another way
    OUTSIDE = "outside"  # paid back by staff in another way, which they put on record


class RefundReason(StrEnum):
    """The letter of out_refund_no: one refund per payment and reason, however often sent.

    Each after-sale refund of a payment has a letter of its own, the first one A.
    """

    FAILED_GROUP = "F"
    LATE_PAYMENT = "L"  # no seat was left, or the order was paid already
    # Part of what was paid, by the terms of a group that formed; the order goes on. What a failed
    # group gives back has none, should a gateway not tell f from F.
    REBATE = "f"
    AFTER_SALE = "A"


AFTER_SALE_LETTERS = "ABCDEGHIJKMNOPQRSTUVWXYZ"
CROWD_DIGITS = "123456"  # what a tier of a crowd gives back: the number of the tier


def reason_of(refund_key: str) -> RefundReason:
    """Why the refund of that key (attempt and letter) is made. Raises ValueError."""
    letter = refund_key[2:]
    if len(letter) == 1 and letter in CROWD_DIGITS:
        return RefundReason.REBATE
    after_sale = len(letter) == 1 and letter in AFTER_SALE_LETTERS
    return RefundReason.AFTER_SALE if after_sale else RefundReason(letter)


class Intent(StrEnum):
    """What is to be done about an item next; also the name of its queue in the due index."""

    QUERY = "query"  # ask the gateway about a payment attempt
    RELEASE = "release"  # the pay-by time
    REFUND = "refund"
    GROUP = "group"  # a deadline to decide or a decision to settle
    CLOSING = "closing"  # an activity's unsold stock goes back
    CROWD = "crowd"  # what an activity's groups add up to may have reached a tier
    RECONCILE = "reconcile"  # a gateway's bill is to be compared with the ledger
    EXPORT = "export"  # a file that staff asked for is to be written
    # Of a buyer: points and coupons that run out soon are told of, points that have are taken off;
    # a birthday; what they are owed for groups that formed is reckoned.
    POINTS = "points"
    MEMBER = "member"  # a buyer's money has moved: what their orders come to is added up
    SUBSCRIBE_MESSAGE = "subscribe_message"  # a message goes to its buyer's WeChat, too
    REMINDER = "reminder"  # what a buyer waits for may be there
    RECEIPT = "receipt"  # what was shipped so long ago is received; goods not sent back in time


@dataclass(frozen=True)
class Payment:
    """One attempt to pay an order, at one gateway."""

    status: PaymentStatus
    method: str
    amount_fen: int
    at_s: int  # when it was first asked for
    query_at_s: int = 0  # when to ask the gateway, while CREATED
    transaction_id: str = ""
    paid_at_s: int = 0  # the gateway's own time
    account: str = ""  # of the merchant's, that it was begun with; empty: the first one
    until_s: int = 0  # while CREATED: until when it was asked to be payable
    sent: str = ""  # while CREATED: a digest of what was sent under its number
    channel: str = ""  # where it was paid (gateways.payment.Channel); empty: in the mini program
    payer: str = ""  # once it is captured: a digest of who paid; empty: the gateway did not say


@dataclass(frozen=True)
class Refund:
    """One refund of one payment, for one reason."""

    status: RefundStatus
    amount_fen: int
    at_s: int  # when it was requested, or sent again by a person
    # When to send or ask again, while open; once it failed, until when a request that was begun
    # before may still reach the gateway.
    next_at_s: int = 0
    reason: str = ""  # what the gateway last said against it
    serial: int = 0  # of its number: how many numbers before were proven dead at the gateway
    trouble_at_s: int = 0  # since when only a person can mend it; 0 while nobody has to
    number: str = ""  # at the gateway, when staff refunded it there by hand
    outside: str = ""  # domain.manual_refund.Outside, when it was paid back in another way
    proof: str = ""  # of that
    whole: bool = False  # of a rebate: all that the goods cost

    @property
    def is_done(self) -> bool:
        """Whether the buyer has the money."""
        return self.status in (RefundStatus.SUCCEEDED, RefundStatus.OUTSIDE)


@dataclass(frozen=True)
class OrderPoints:
    """used: what the order was bought with, by lots (domain.points_account). rate: what it earns
    for each whole yuan, by the rule when it was placed; percent: of that, by its buyer's level.
    bonus: what it earns on top. each: what a unit took of a points offer, beside its price; 0: the
    order is of none."""

    used: Mapping[str, int] = field(default_factory=dict)
    rate: int = 0
    percent: int = 100
    bonus: int = 0
    each: int = 0

    @property
    def total(self) -> int:
        return sum(self.used.values())

    def earned(self, paid_fen: int) -> int:
        """What is earned by so much that is paid and kept, with the bonus."""
        return self.rate * self.percent * (paid_fen // 100) // 100 + self.bonus

    def stored(self) -> dict[str, Any] | None:
        """As an order keeps it; None: nothing to keep."""
        kept: dict[str, Any] = {"used": dict(self.used)} if self.used else {}
        if self.rate:
            kept["rate"] = self.rate
            if self.percent != 100:
                kept["percent"] = self.percent
        if self.bonus:
            kept["bonus"] = self.bonus
        if self.each:
            kept["each"] = self.each
        return kept or None


@dataclass(frozen=True)
class GrowthRates:
    """What an order adds to its buyer's growth, by the rule when it was placed: for each whole
    yuan, and for its seat in a group that formed."""

    per_yuan: int = 0
    per_group: int = 0

    def stored(self) -> list[int] | None:
        """As an order keeps it; None: nothing to keep."""
        return [self.per_yuan, self.per_group] if self.per_yuan or self.per_group else None


@dataclass(frozen=True)
class Order:
    """What decisions about an order need."""

    status: OrderStatus
    total_fen: int
    pay_by_s: int
    payments: Mapping[str, Payment] = field(default_factory=dict)
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    unposted: bool = False  # a capture is yet to be put into the day book, its buyer to be told
    units: Units = field(default_factory=Units)
    receive_by_s: int = 0  # once all is shipped: when it counts as received by itself
    return_by_s: int = 0  # when a return of goods is closed, unless its buyer has sent them
    received_at_s: int = 0  # by its buyer, or by itself
    after_sale: str = ""  # the letter of the request that is open
    pickup: bool = False  # its buyer collects it in a store
    coupon: str = ""  # that it was bought with
    points: OrderPoints = field(default_factory=OrderPoints)
    growth: GrowthRates = GrowthRates()

    @property
    def open_refunds(self) -> dict[str, Refund]:
        """Refunds that still have to be sent or confirmed."""
        under_way = (RefundStatus.REQUESTED, RefundStatus.PROCESSING)
        return {key: refund for key, refund in self.refunds.items() if refund.status in under_way}

    @property
    def created_attempts(self) -> dict[str, Payment]:
        created = PaymentStatus.CREATED
        return {key: paid for key, paid in self.payments.items() if paid.status is created}

    @property
    def seat_payment(self) -> tuple[str, Payment] | None:
        """(attempt, payment) that took the seat: the one that was not refunded as late."""
        for attempt, payment in sorted(self.payments.items()):
            late = attempt + RefundReason.LATE_PAYMENT in self.refunds
            if payment.status is PaymentStatus.SUCCEEDED and not late:
                return attempt, payment
        return None

    def is_surplus(self, refund_key: str) -> bool:
        """Whether the refund gives back another payment than the one that took the seat: the buyer
        paid twice, and the order is not refunded."""
        seat = self.seat_payment
        return seat is not None and refund_key[:2] != seat[0]

    @property
    def refundable_fen(self) -> int:
        """What after-sale may yet give back of the payment that took the seat."""
        seat = self.seat_payment
        if seat is None:
            return 0
        return seat[1].amount_fen - sum(refund.amount_fen for refund in self._own_refunds.values())

    @property
    def is_free(self) -> bool:
        """Whether it was paid with nothing: it cost nothing."""
        seat = self.seat_payment
        return seat is not None and seat[1].amount_fen == 0

    @property
    def rebated_fen(self) -> int:
        """What went back, or is on its way, by the terms of its group."""
        own = self._own_refunds.items()
        return sum(it.amount_fen for key, it in own if reason_of(key) is RefundReason.REBATE)

    @property
    def refunded_fen(self) -> int:
        """What has gone back of the payment that took the seat, beyond doubt."""
        return sum(refund.amount_fen for refund in self._own_refunds.values() if refund.is_done)

    @property
    def _own_refunds(self) -> dict[str, Refund]:
        """Refunds of the payment that took the seat."""
        seat = self.seat_payment
        attempt = seat[0] if seat else None
        return {key: refund for key, refund in self.refunds.items() if key[:2] == attempt}

    @property
    def has_free_goods(self) -> bool:
        """Whether the goods were free by the terms of its group: money tells nothing of them."""
        return any(refund.whole for refund in self._own_refunds.values())

    @property
    def is_given_back(self) -> bool:
        """Whether nothing is left of the order: all of its money, or all of its units, went back
        or are on their way."""
        return (self.refundable_fen == 0 and not self.has_free_goods) or self.units.all_back

    @property
    def is_refunded(self) -> bool:
        """Whether all that was to go back of the payment that took the seat has gone back, beyond
        doubt."""
        if self.seat_payment is None or not self.is_given_back:
            return False
        return all(refund.is_done for refund in self._own_refunds.values())

    @property
    def holds_coupon(self) -> bool:
        """Whether its coupon is used: it is its buyer's again once there is no sale."""
        over = (OrderStatus.CLOSED, OrderStatus.REFUNDING, OrderStatus.REFUNDED)
        return self.coupon != "" and self.status not in over

    @property
    def is_purchase(self) -> bool:
        """Whether its buyer bought something by it, or is about to: it was not closed unpaid, and
        its group did not fail."""
        if self.status in (OrderStatus.REFUNDING, OrderStatus.REFUNDED):
            return any(reason_of(key) is RefundReason.AFTER_SALE for key in self.refunds)
        return self.status is not OrderStatus.CLOSED

    @property
    def disputed(self) -> bool:
        """Whether an after-sale request is open."""
        return self.after_sale != ""

    @property
    def is_held_up(self) -> bool:
        """Whether its receipt has to wait: for a decision about after-sale, or a failed refund."""
        failed = RefundStatus.FAILED
        return self.disputed or any(refund.status is failed for refund in self.refunds.values())

    def is_succeeded(self, attempt: str) -> bool:
        payment = self.payments.get(attempt)
        return payment is not None and payment.status is PaymentStatus.SUCCEEDED


def next_intent(order: Order) -> tuple[Intent, int] | None:
    """(what, when) is to be done next about an order; None when nothing is.

    A refund that failed waits for a person, not for a job. Receipt comes last, and waits for it
    and for an open after-sale request.
    """
    intents = [(payment.query_at_s, Intent.QUERY) for payment in order.created_attempts.values()]
    intents += [(refund.next_at_s, Intent.REFUND) for refund in order.open_refunds.values()]
    if order.status is OrderStatus.PENDING or order.unposted:  # a capture leaves the marker alone
        intents.append((order.pay_by_s, Intent.RELEASE))
    if not intents and order.return_by_s:
        intents = [(order.return_by_s, Intent.RECEIPT)]
    if not intents and order.status is OrderStatus.SHIPPED and not order.is_held_up:
        intents = [(order.receive_by_s, Intent.RECEIPT)]
    if not intents:
        return None
    at_s, intent = min(intents)
    return intent, at_s


def retry_at_s(asked_at_s: int, *, now_s: int, shortest_s: int, longest_s: int) -> int:
    """When to try again something first tried at `asked_at_s`: waits double, within bounds."""
    return now_s + max(shortest_s, min(now_s - asked_at_s, longest_s))


def payment_of(entry: Mapping[str, Any]) -> Payment:
    return Payment(**{**entry, "status": PaymentStatus(entry["status"])})


def refund_of(entry: Mapping[str, Any]) -> Refund:
    return Refund(**{**entry, "status": RefundStatus(entry["status"])})


def entry_of(record: Payment | Refund) -> dict[str, Any]:
    """A record as it is stored: enums as words, what is empty left out to keep items small."""
    return {
        name: str(value) if isinstance(value, StrEnum) else value
        for name, value in asdict(record).items()
        if value not in ("", 0) or name == "amount_fen"
    }
