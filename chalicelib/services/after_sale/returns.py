"""Goods on their way back: staff agree, the buyer sends the units in time, the shop has them.

The order names the request as long as it is open, and keeps the time until which its buyer may send
the goods, or say that the replacement has come: its due marker ends what nobody ended. Of a return,
confirming that the goods came is approving it (after_sale_decisions); exchanges go on
(exchanges).
"""

from chalicelib.domain import after_sale as rules
from chalicelib.domain import carriers
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus
from chalicelib.domain.ids import OrderId
from chalicelib.domain.texts import TextKey
from chalicelib.services.after_sale import after_sales, exchanges
from chalicelib.services.orders import notifications, order_search, orders
from chalicelib.services.people import merchants
from chalicelib.services.people.audit import audit_item
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.trade import OrderItem

ENDED_BY_TIME = {
    AfterSaleStatus.RETURN_AGREED: AfterSaleStatus.EXPIRED,
    AfterSaleStatus.REPLACEMENT_SENT: AfterSaleStatus.EXCHANGED,
}


def agree(
    merchant_id: str, order_id: OrderId, letter: str, *, staff: str, now_s: int
) -> AfterSaleItem:
    """Agree to a return or an exchange: its buyer is told where to send the units, and until when;
    of an exchange, as many others are taken from the product's stock.

    A repeat changes nothing. Raises NotFound, AfterSaleRefused, also when there are too few others.
    """

    def step() -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if asked.agreed_at_s is not None and asked.status in rules.OPEN:
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
            after_sales.wait_until(writes, order, letter, return_by_s)
            if asked.exchange:
                exchanges.reserve(writes, order, asked, return_to, days, now_s=now_s)
            else:
                key, facts = TextKey.RETURN_AGREED, {"address": return_to, "days": days}
                notifications.put(writes, order, key, letter, now_s=now_s, **facts)
            before, after = {"status": asked.status}, {"status": "return_agreed"}
            kind = "exchange" if asked.exchange else "return"
            action = f"after_sale_{kind}_agreed"
            audit_item(writes, asked, staff, action, before, after, now_s)
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
            raise AfterSaleRefused("商家还没有同意，请先不要寄出。", state=asked.status)
        if asked.goods_at_s is not None:
            raise AfterSaleRefused("商家已收到商品，不用再填单号。", state=asked.status)
        more = [AfterSaleItem.carrier.set(found.code), AfterSaleItem.number.set(number)]
        with transaction() as writes:
            if asked.status == AfterSaleStatus.RETURN_AGREED:
                more.append(AfterSaleItem.sent_at_s.set(now_s))
                after_sales.wait_until(writes, order, letter, None)
            after_sales.move(writes, asked, AfterSaleStatus.RETURNING, more)
            order_search.add_word(writes, order, order_search.after_sale_word(number))
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def close_due(order: OrderItem, *, now_s: int) -> None:
    """End a request whose buyer has let the time pass; the order goes on as it was.

    What was not sent is closed, a replacement counts as received. Safe to run twice: the order's
    own time decides.
    """

    def step() -> None:
        now = orders.get(order.merchant_id, order.order_id)
        if now.after_sale is None or now.return_by_s is None or now.return_by_s > now_s:
            return
        letter = now.after_sale
        known, asked = after_sales.read(order.merchant_id, order.order_id, letter)
        ended = ENDED_BY_TIME.get(AfterSaleStatus(asked.status))
        if ended is None:  # sent or decided between two reads
            raise LostRace
        with transaction() as writes:
            after_sales.decide(writes, asked, ended, [], now_s)
            after_sales.end_request(writes, known, letter)
            if ended is AfterSaleStatus.EXPIRED:
                after_sales.release_replacement(writes, known, asked)
                key = TextKey.EXCHANGE_EXPIRED if asked.exchange else TextKey.RETURN_EXPIRED
                notifications.put(writes, known, key, letter, now_s=now_s)

    if order.return_by_s is not None and order.return_by_s <= now_s:
        retried(step)
