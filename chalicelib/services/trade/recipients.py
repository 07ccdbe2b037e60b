"""Recipients in full: nobody is told one before it is on record that they look at it."""

from collections.abc import Sequence

from chalicelib.domain.ids import OrderId
from chalicelib.domain.recipient import Purpose
from chalicelib.errors import NotFound
from chalicelib.services.people.audit import audit
from chalicelib.services.trade import order_lists
from chalicelib.services.trade.order_lists import Found
from chalicelib.tables.base import retried, transaction


def look(
    merchant_id: str, order_ids: Sequence[OrderId], purpose: Purpose, *, staff: str, now_s: int
) -> list[Found]:
    """The orders, each once, in their order; a look at each of them is in the audit log by then.

    order_ids: at most domain.recipient.ORDERS_MAX. The rows are written together: one order that
    is not there, or a write that fails, and nothing is told and nothing recorded. Each look is one
    of its own: who looks twice is recorded twice. Raises NotFound, Busy.
    """
    wanted = list(dict.fromkeys(order_ids))
    found = order_lists.read(merchant_id, wanted)
    if len(found) < len(wanted):
        raise NotFound("其中有订单没有找到，请刷新后再试。")

    def record() -> None:
        with transaction() as writes:
            for order_id in wanted:
                subject, after = f"order#{order_id}", {"purpose": purpose.value}
                audit(writes, merchant_id, staff, "recipient_seen", subject, {}, after, now_s)

    retried(record)  # a lost answer records a look twice, which is better than never
    return found
