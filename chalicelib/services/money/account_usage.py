"""What still hangs on each of a shop's payment accounts: open attempts, and refunds not yet done.

Every order with something open stands in the index of due work, or in the list of refunds that
need a person; both are looked through up to a limit, and the orders themselves are read. Nothing
is counted on the way to a payment, and no table is scanned.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.order import Intent
from chalicelib.services.money import refund_recovery
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, due_shards

LOOKED_AT_MAX = 400  # of each queue, across the merchants of the stage; and refunds of this one
QUEUES = (Intent.QUERY, Intent.RELEASE, Intent.REFUND)
Where = tuple[str, str]  # method, account


@dataclass
class AccountUsage:
    attempts: int = 0  # may still be paid
    refunds: int = 0  # on their way, or to be sent again
    troubles: int = 0  # of those: need a person


@dataclass(frozen=True)
class UsageReport:
    """complete: nothing more can be there."""

    by_account: dict[Where, AccountUsage]
    complete: bool

    def at(self, method: str, account: str) -> AccountUsage:
        return self.by_account.get((method, account), AccountUsage())


def report(merchant_id: str) -> UsageReport:
    """What is open at every account of the shop."""
    keys: set[tuple[str, str]] = set()
    complete = True
    for shard in (shard for intent in QUEUES for shard in due_shards(intent)):
        found = list(TradeItem.by_due.query(shard, limit=LOOKED_AT_MAX))
        complete &= len(found) < LOOKED_AT_MAX
        ours = (item for item in found if item.pk.startswith(f"{merchant_id}#B#"))
        keys |= {(item.pk, item.sk) for item in ours if item.sk.startswith("order#")}
    troubled, more = refund_recovery.needing_person(merchant_id, after=None, limit=LOOKED_AT_MAX)
    keys |= {(order.pk, order.sk) for order, _ in troubled}
    by_account: dict[Where, AccountUsage] = {}
    for item in TradeItem.batch_get(list(keys), consistent_read=True):
        if isinstance(item, OrderItem):
            _add(by_account, item)
    return UsageReport(by_account, complete and more is None)


def _add(by_account: dict[Where, AccountUsage], order: OrderItem) -> None:
    known = order.view()
    for payment in known.created_attempts.values():
        by_account.setdefault((payment.method, payment.account), AccountUsage()).attempts += 1
    for key in _open_refunds(order):
        payment = known.payments[key[:2]]
        hanging = by_account.setdefault((payment.method, payment.account), AccountUsage())
        hanging.refunds += 1
        hanging.troubles += bool(known.refunds[key].trouble_at_s)


def _open_refunds(order: OrderItem) -> Iterator[str]:
    return (key for key, refund in order.view().refunds.items() if not refund.is_done)
