"""What is kept of a buyer, for themselves: their orders, and what belongs to them, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.services.groups import reminders
from chalicelib.services.orders import notifications, own_orders
from chalicelib.services.orders.own_orders import OwnOrder
from chalicelib.tables.buyers import AfterSaleItem, MessageItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.trade_item import buyer_pk


@dataclass(frozen=True)
class Page:
    """next_no: the page goes on with the orders before this number; None: it does not. reminders:
    what the buyer waits to be told of, and, with the messages, what they were told: on the first
    page."""

    found: list[OwnOrder]
    after_sales: list[AfterSaleItem]
    messages: list[MessageItem]
    reminders: list[ReminderItem]
    next_no: str | None


def page(merchant_id: str, ids: Sequence[str], *, before: str | None, limit: int) -> Page:
    """Return some orders, newest first, and the requests and messages about them."""
    orders = own_orders.page(merchant_id, ids, None, before=before, limit=limit)
    after_sales: list[AfterSaleItem] = []
    messages: list[MessageItem] = []
    if orders.found:
        numbers = [one.order.order_no for one in orders.found]
        first, last = min(numbers), f"{max(numbers)}~"
        for pk in (buyer_pk(merchant_id, one) for one in ids):
            asked = AfterSaleItem.sk.between(f"after_sale#{first}", f"after_sale#{last}")
            after_sales += AfterSaleItem.query(pk, asked)
            told = MessageItem.sk.between(f"message#{first}", f"message#{last}")
            messages += MessageItem.query(pk, told)
    waiting: list[ReminderItem] = []
    if before is None:
        waiting = reminders.of_person(merchant_id, ids)
        messages += notifications.of_no_order(merchant_id, ids)
    return Page(orders.found, after_sales, messages, waiting, orders.next_no)
