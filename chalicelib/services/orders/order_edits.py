"""What staff write into an order beside shipping: another address, notes for each other."""

from collections.abc import Mapping

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import Changed, Conflict, IdempotencyMismatch
from chalicelib.services.orders import order_search, orders
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import LostRace, as_read, retried, transaction
from chalicelib.tables.trade import OrderDetailItem, OrderItem, with_entry
from chalicelib.text import Text

NOTES_MAX = 50  # of one order
BEFORE_SHIPPING = (OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.FULFILLING)


def change_address(
    merchant_id: str,
    order_id: OrderId,
    address: Mapping[str, str],
    *,
    changes: int,
    staff: str,
    now_s: int,
) -> OrderDetailItem:
    """Send an order elsewhere, as long as nothing of it was shipped; what was paid stays.

    changes: how often it had been changed when it was read. A repeat changes nothing more.
    Raises NotFound, ShippingRefused, Changed or Busy.
    """

    def step() -> OrderDetailItem:
        order, detail = orders.detail(merchant_id, order_id)
        before = detail.address.as_dict()
        if before == dict(address):
            return detail
        if order.pickup:
            raise ShippingRefused("到店自提的订单没有收货地址。")
        if order.status not in BEFORE_SHIPPING or order.shipped:
            raise ShippingRefused("订单已发货或已结束，不能再改地址。", state=order.status)
        if (detail.address_changes or 0) != changes:
            raise Changed
        with transaction() as writes:
            writes.update(
                detail,
                [
                    OrderDetailItem.address.set(dict(address)),
                    OrderDetailItem.address_changes.set(changes + 1),
                    OrderDetailItem.address_changed_at_s.set(now_s),
                    OrderDetailItem.address_changed_by.set(staff),
                ],
                condition=OrderDetailItem.pk.exists()
                & as_read(OrderDetailItem.address_changes, detail.address_changes),
                refuse=LostRace,
            )
            writes.check(
                order,
                condition=(OrderItem.status == order.status) & OrderItem.shipped.does_not_exist(),
                refuse=LostRace,
            )
            order_search.add_word(writes, order, order_search.phone_word(address["phone"]))
            order_search.add_name(writes, order, address["name"])
            audit_item(writes, order, staff, "address_changed", before, address, now_s)
        return orders.detail(merchant_id, order_id)[1]

    return retried(step)


def add_note(
    merchant_id: str, order_id: OrderId, note_id: str, text: str, *, staff: str, now_s: int
) -> OrderDetailItem:
    """Note something that only staff read. The same note_id again changes nothing.

    Raises NotFound, IdempotencyMismatch for another text under it, Conflict when there are too
    many, or Busy.
    """

    def step() -> OrderDetailItem:
        order, detail = orders.detail(merchant_id, order_id)
        notes = list(detail.notes or ())
        written = next((note["text"] for note in notes if note["note_id"] == note_id), None)
        if written is not None and written != text:
            raise IdempotencyMismatch
        if written is not None:
            return detail
        if len(notes) >= NOTES_MAX:
            raise Conflict(Text("一个订单最多写 {max} 条备注。", max=NOTES_MAX))
        note = {"note_id": note_id, "at_s": now_s, "staff": staff, "text": text}
        added, same = with_entry(OrderDetailItem.notes, notes, note)
        with transaction() as writes:
            writes.update(detail, added, condition=same, refuse=LostRace)
            audit_item(writes, order, staff, "order_noted", {}, {"text": text}, now_s)
        return orders.detail(merchant_id, order_id)[1]

    return retried(step)
