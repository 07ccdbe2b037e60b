"""Recipients in full: nobody is told one before it is on record that they look at it."""

from collections.abc import Sequence

from chalicelib.domain.ids import OrderId
from chalicelib.domain.recipient import Purpose
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.orders import order_lists
from chalicelib.services.orders.order_lists import Found
from chalicelib.services.people import buyers
from chalicelib.services.people.audit import audit_look


def look(
    merchant_id: str, order_ids: Sequence[OrderId], purpose: Purpose, *, staff: str, now_s: int
) -> list[Found]:
    """Return the orders, each once, in their order; the look is in the audit log by then.

    order_ids: at most domain.recipient.ORDERS_MAX. A look is one row, which names every order: if
    one is not there, or the row cannot be written, nothing is told and nothing recorded. Who looks
    twice is recorded twice. Raises NotFound, Conflict for who closed their account, Busy.
    """
    wanted = list(dict.fromkeys(order_ids))
    found = order_lists.read(merchant_id, wanted)
    if len(found) < len(wanted):
        raise NotFound("其中有订单没有找到，请刷新后再试。")
    if buyers.erased_among(merchant_id, {one.buyer_id for one in wanted}):
        raise Conflict("买家已注销账号，收件信息不再提供。")
    ids = [str(order_id) for order_id in wanted]
    audit_look(merchant_id, staff, "recipient_seen", ids, purpose.value, now_s)
    return found
