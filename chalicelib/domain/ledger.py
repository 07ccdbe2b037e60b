"""The double-entry ledger of an order: what moved, from which account to which, once for ever.

An entry is written together with the change of state that it belongs to, under a key that makes
it once: what moved (an attempt to pay, or a refund of it) and how. Nothing changes or removes
one. Balances are sums over entries and are stored nowhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.order import RefundReason, reason_of


class Account(StrEnum):
    GATEWAY = "gateway"  # the merchant's money at the gateway
    HELD = "held"  # paid by buyers whose order is not yet to be fulfilled
    SALES = "sales"  # earned: the order is to be fulfilled
    REFUNDS_DUE = "refunds_due"  # owed to buyers until the gateway confirms
    FEES = "fees"  # what the gateway keeps for itself
    OUTSIDE = "outside"  # the merchant's money elsewhere, out of which staff paid a buyer back


class Movement(StrEnum):
    CAPTURED = "captured"
    EARNED = "earned"
    REFUND_REQUESTED = "requested"
    REFUNDED = "refunded"
    REFUNDED_OUTSIDE = "outside"
    FEE = "fee"  # less than 0 fen when the gateway gives some back


# movement -> (debit, credit); a refund of what was earned takes it from the sales.
LEGS: Mapping[Movement, tuple[Account, Account]] = {
    Movement.CAPTURED: (Account.GATEWAY, Account.HELD),
    Movement.EARNED: (Account.HELD, Account.SALES),
    Movement.REFUND_REQUESTED: (Account.HELD, Account.REFUNDS_DUE),
    Movement.REFUNDED: (Account.REFUNDS_DUE, Account.GATEWAY),
    Movement.REFUNDED_OUTSIDE: (Account.REFUNDS_DUE, Account.OUTSIDE),
    Movement.FEE: (Account.FEES, Account.GATEWAY),
}


EARNED = (RefundReason.AFTER_SALE, RefundReason.REBATE)  # before it went back


@dataclass(frozen=True)
class Entry:
    """One movement of an order's money, with both legs. of: an attempt, or a refund's key."""

    of: str
    movement: Movement
    amount_fen: int
    at_s: int

    @property
    def key(self) -> str:
        return f"{self.of} {self.movement}"

    @property
    def legs(self) -> tuple[Account, Account]:
        """(debit, credit)."""
        debit, credit = LEGS[self.movement]
        earned = self.movement is Movement.REFUND_REQUESTED and reason_of(self.of) in EARNED
        return (Account.SALES if earned else debit), credit

    @property
    def stored(self) -> list[int]:
        """As it is stored under its key; short, because an order pays for every KB."""
        return [self.amount_fen, self.at_s]


def entries_of(stored: Mapping[str, Sequence[int]]) -> list[Entry]:
    """The entries of an order, in the order in which they happened."""
    found = []
    for key, (amount_fen, at_s) in stored.items():
        of, _, movement = key.partition(" ")
        found.append(Entry(of, Movement(movement), amount_fen, at_s))
    order = list(Movement)
    return sorted(found, key=lambda entry: (entry.at_s, order.index(entry.movement), entry.of))


def moved(entries: Iterable[Entry]) -> tuple[int, int]:
    """(what came in, what went back), in fen, whatever the kinds of movement are called."""
    captured = refunded = 0
    for entry in entries:
        debit, credit = entry.legs
        captured += entry.amount_fen if (debit, credit) == (Account.GATEWAY, Account.HELD) else 0
        refunded += entry.amount_fen if debit is Account.REFUNDS_DUE else 0
    return captured, refunded


def balances(entries: Iterable[Entry]) -> dict[Account, int]:
    """Fen on each account, debits positive, credits negative: they add up to 0."""
    sums: Counter[Account] = Counter()
    for entry in entries:
        debit, credit = entry.legs
        sums[debit] += entry.amount_fen
        sums[credit] -= entry.amount_fen
    return {account: sums[account] for account in Account}
