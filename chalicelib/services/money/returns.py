"""Returns of goods: staff agree, the buyer sends the units in time, staff confirm that they came.

The order names the request as long as it is open, and keeps the time until which its buyer may send
the goods: its due marker closes what was not sent. Confirming is approving (after_sale_decisions).
"""

from dataclasses import replace

from chalicelib.domain import after_sale as rules
from chalicelib.domain import carriers
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus
from chalicelib.domain.ids import OrderId
from chalicelib.services.money import after_sales
from chalicelib.services.people import merchants
from chalicelib.services.people.audit import audit
from chalicelib.services.trade import news, orders
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, Writes, as_read, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.trade import OrderItem


def agree(
    merchant_id: str, order_id: OrderId, letter: str, *, staff: str, now_s: int
) -> AfterSaleItem:
    """Agree to a return: its buyer is told where to send the units, and until when.

    A repeat changes nothing. Raises NotFound, AfterSaleRefused.
    """

    def step() -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if asked.status in (AfterSaleStatus.RETURN_AGREED, AfterSaleStatus.RETURNING):
            return asked
        after_sales.check_open(asked)
        if not asked.units:
            raise AfterSaleRefused("买家只申请退款，没有申请退货。请同意退款或拒绝。")
        return_to = merchants.read(merchant_id).return_address
        if not return_to:
            raise AfterSaleRefused("还没有退货地址。请先在「店铺设置」里填写，再同意退货。")
        days = rules.RETURN_WITHIN_DAYS
        return_by_s = now_s + settings.shortened(days * rules.DAY_S)
        with transaction() as writes:
            more = [
                AfterSaleItem.return_to.set(return_to),
                AfterSaleItem.return_by_s.set(return_by_s),
                AfterSaleItem.agreed_at_s.set(now_s),
                AfterSaleItem.agreed_by.set(staff),
            ]
            after_sales.move(writes, asked, AfterSaleStatus.RETURN_AGREED, more)
            _wait(writes, order, letter, return_by_s)
            news.put_return_agreed(writes, order, letter, return_to, days, now_s=now_s)
            subject = f"after_sale#{asked.order_id}{letter}"
            before, after = {"status": asked.status}, {"status": "return_agreed"}
            action = "after_sale_return_agreed"
            audit(writes, merchant_id, staff, action, subject, before, after, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def send(
    merchant_id: str, order_id: OrderId, letter: str, carrier: str, number: str, *, now_s: int
) -> AfterSaleItem:
    """The buyer has sent the units in this parcel; until the shop has them it may be corrected.

    Raises NotFound, AfterSaleRefused, InvalidRequest with the field.
    """
    found = carriers.find(carrier)
    number = carriers.number_of(found, number)

    def step() -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if (asked.carrier, asked.number) == (found.code, number):
            return asked
        after_sales.check_open(asked)
        if asked.status == AfterSaleStatus.REQUESTED:
            raise AfterSaleRefused("商家还没有同意退货，请先不要寄出。", state=asked.status)
        more = [AfterSaleItem.carrier.set(found.code), AfterSaleItem.number.set(number)]
        with transaction() as writes:
            if asked.status == AfterSaleStatus.RETURN_AGREED:
                more.append(AfterSaleItem.sent_at_s.set(now_s))
                _wait(writes, order, letter, None)
            after_sales.move(writes, asked, AfterSaleStatus.RETURNING, more)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def close_due(order: OrderItem, *, now_s: int) -> None:
    """Close a return whose buyer has not sent the goods in time; the order goes on as it was.

    Safe to run twice: the order's own time decides.
    """

    def step() -> None:
        now = orders.get(order.merchant_id, order.order_id)
        if now.after_sale is None or now.return_by_s is None or now.return_by_s > now_s:
            return
        letter = now.after_sale
        known, asked = after_sales.read(order.merchant_id, order.order_id, letter)
        if asked.status != AfterSaleStatus.RETURN_AGREED:  # sent or decided between two reads
            raise LostRace
        with transaction() as writes:
            after_sales.decide(writes, asked, AfterSaleStatus.EXPIRED, [], now_s)
            after_sales.forget(writes, known, letter)
            news.put_return_expired(writes, known, letter, now_s=now_s)

    if order.return_by_s is not None and order.return_by_s <= now_s:
        retried(step)


def _wait(writes: Writes, order: OrderItem, letter: str, return_by_s: int | None) -> None:
    """Let the order wait for its buyer until `return_by_s`; None: no more."""
    after = replace(order.view(), return_by_s=return_by_s or 0)
    until = OrderItem.return_by_s
    writes.update(
        order,
        [until.set(return_by_s) if return_by_s else until.remove(), *order.due_next(after)],
        condition=(OrderItem.status == order.status)
        & (OrderItem.after_sale == letter)
        & as_read(OrderItem.return_by_s, order.return_by_s)
        & order.marker_as_read(),
        refuse=LostRace,
    )
