"""What became of a payment, for the buyer who comes back from paying: the gateways are asked.

A callback is late or lost now and then, and the job that asks waits for it: whoever looks at the
result of a payment does not have to.
"""

from dataclasses import dataclass

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import PaymentStatus
from chalicelib.domain.payment_state import PaymentState, state_of
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.money import payments
from chalicelib.services.orders import orders
from chalicelib.tables.trade import GroupItem, OrderItem


@dataclass(frozen=True)
class PaymentResult:
    state: PaymentState
    order: OrderItem
    group: GroupItem | None  # None when it was bought alone
    image: str  # of what was bought


def find(merchant_id: str, order_id: OrderId, *, now_s: int) -> PaymentResult:
    """Ask the gateways once about the order's open attempts, and record what they say.

    Nothing is asked about an order whose payments are known. Raises NotFound, Busy,
    SessionSuperseded when its buyer closed their account.
    """
    before, detail = orders.detail_for_buyer(merchant_id, order_id)
    said = [_ask(before, attempt, now_s) for attempt in before.view().created_attempts]
    order, group = orders.with_group(merchant_id, order_id, before.group_id)
    state = state_of(order.view(), is_known=all(said), now_s=now_s)
    return PaymentResult(state, order, group, image=detail.lines.as_dict()["image"])


def _ask(order: OrderItem, attempt: str, now_s: int) -> bool:
    """Whether the attempt's gateway said what became of it."""
    try:
        found = payments.resolve(order, attempt, closing=False, now_s=now_s)
    except (GatewayFailed, NotConfigured):
        return False
    if found.status is PaymentStatus.CLOSED:
        payments.store_attempt(order, attempt, found)
    return True
