"""Exchanges of goods: staff keep others ready, have the buyer's back, and send or hand over these.

Agreeing and sending back are those of a return (services.after_sale.returns); money moves only when
staff refund the units instead (after_sale_decisions). The order names the request as long as it is
open; while the replacement is on its way, the order's due marker lets it be received by itself.
"""

from collections.abc import Mapping

from chalicelib.domain import after_sale as rules
from chalicelib.domain import carriers
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus, Kind
from chalicelib.domain.ids import OrderId
from chalicelib.domain.texts import TextKey
from chalicelib.services.after_sale import after_sales
from chalicelib.services.catalogue import reservations
from chalicelib.services.fulfilment import shipping
from chalicelib.services.orders import notifications, order_search, orders
from chalicelib.services.people import shop_cache
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import Writes, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.catalogue import ProductStockItem
from chalicelib.tables.trade import OrderItem
from chalicelib.text import Text

COMES_BACK = (AfterSaleStatus.RETURN_AGREED, AfterSaleStatus.RETURNING)
NOT_YET: Mapping[str, str] = {
    AfterSaleStatus.REQUESTED: "还没有同意换货，请先同意。",
    AfterSaleStatus.RETURN_AGREED: "还没有收到退回的商品。收到后请先点「确认收货」。",
    AfterSaleStatus.RETURNING: "还没有收到退回的商品。收到后请先点「确认收货」。",
}


def reserve(
    writes: Writes, order: OrderItem, asked: AfterSaleItem, return_to: str, days: int, *, now_s: int
) -> None:
    """Take the replacement from the product's stock, and tell the buyer where to send the goods.

    Refused with AfterSaleRefused when the product has too few.
    """
    units = asked.units or 0
    writes.update(
        ProductStockItem.at(order.merchant_id, order.product_id, order.sku_id),
        [ProductStockItem.available.add(-units)],
        condition=ProductStockItem.available >= units,
        refuse=lambda old: _too_few(old.available if old else 0, units),
    )
    facts = {"units": units, "address": return_to, "days": days}
    key = TextKey.EXCHANGE_AGREED
    notifications.put(writes, order, key, asked.letter, now_s=now_s, **facts)


def receive_goods(
    merchant_id: str,
    order_id: OrderId,
    letter: str,
    *,
    units_back: int,
    staff: str,
    now_s: int,
) -> AfterSaleItem:
    """The shop has the goods, or does not want them; `units_back` of them are on sale again.

    A repeat changes nothing. Raises NotFound, AfterSaleRefused, InvalidRequest for the units.
    """

    def step() -> AfterSaleItem:
        order, asked = _exchange(merchant_id, order_id, letter)
        if asked.goods_at_s is not None and asked.units_back == units_back:
            return asked
        after_sales.check_open(asked)
        if asked.status not in COMES_BACK:
            early = asked.status == AfterSaleStatus.REQUESTED
            words = NOT_YET[asked.status] if early else "已确认收到商品，请刷新后查看。"
            raise AfterSaleRefused(words, state=asked.status)
        rules.check_units_back(order.view(), units_back, came_back=asked.units or 0)
        with transaction() as writes:
            more = [
                AfterSaleItem.goods_at_s.set(now_s),
                AfterSaleItem.goods_by.set(staff),
                AfterSaleItem.units_back.set(units_back),
            ]
            after_sales.move(writes, asked, AfterSaleStatus.REPLACING, more)
            after_sales.wait_until(writes, order, letter, None)
            if units_back:
                reservations.give_back_to_product(
                    writes, merchant_id, order.product_id, order.sku_id, units_back
                )
            if order.pickup:
                store = orders.detail(merchant_id, order_id)[1].store
                name = store.as_dict()["name"] if store is not None else ""
                facts = {"units": asked.units, "store": name}
                key = TextKey.EXCHANGE_READY
                notifications.put(writes, order, key, letter, now_s=now_s, **facts)
            after = {"units_back": units_back}
            audit_item(writes, asked, staff, "after_sale_goods_received", {}, after, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def send_replacement(
    merchant_id: str,
    order_id: OrderId,
    letter: str,
    carrier: str,
    number: str,
    *,
    corrects: bool = False,
    staff: str,
    now_s: int,
) -> AfterSaleItem:
    """The replacement is in this parcel; or it was sent already, and `corrects` its number.

    A repeat changes nothing. Raises NotFound, AfterSaleRefused, InvalidRequest with the field.
    """
    given = shipping.draft(carrier, number)

    def step() -> AfterSaleItem:
        order, asked = _exchange(merchant_id, order_id, letter)
        before = {"carrier": asked.replacement_carrier, "number": asked.replacement_number}
        after = {"carrier": given.carrier, "number": given.number}
        if before == after:
            return asked
        _check_sending(asked, corrects=corrects)
        if order.pickup:
            raise AfterSaleRefused("这个订单到店自提，请当面交给买家。", state=asked.status)
        shipping.check_unused(merchant_id, order_id, given.number)
        corrections = (asked.replacement_corrections or 0) + corrects
        with transaction() as writes:
            more = [
                AfterSaleItem.replacement_carrier.set(given.carrier),
                AfterSaleItem.replacement_number.set(given.number),
            ]
            if corrects:
                more.append(AfterSaleItem.replacement_corrections.set(corrections))
            else:
                receive_by_s = shop_cache.receive_by_s(merchant_id, now_s)
                more += [
                    AfterSaleItem.replacement_at_s.set(now_s),
                    AfterSaleItem.replacement_by.set(staff),
                    AfterSaleItem.receive_by_s.set(receive_by_s),
                ]
                after_sales.wait_until(writes, order, letter, receive_by_s)
            after_sales.move(writes, asked, AfterSaleStatus.REPLACEMENT_SENT, more)
            order_search.add_word(writes, order, order_search.after_sale_word(given.number))
            facts = {**after, "carrier": carriers.by_code(given.carrier).name, "units": asked.units}
            suffix = letter + (f"#{corrections}" if corrections else "")
            key = TextKey.EXCHANGE_SENT
            notifications.put(writes, order, key, suffix, now_s=now_s, **facts)
            before = before if corrects else {}
            audit_item(writes, asked, staff, "after_sale_replacement_sent", before, after, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def hand_over(
    merchant_id: str, order_id: OrderId, letter: str, *, staff: str, now_s: int
) -> AfterSaleItem:
    """The replacement of what is collected in a store is handed over: the exchange is done.

    A repeat changes nothing. Raises NotFound, AfterSaleRefused.
    """

    def step() -> AfterSaleItem:
        order, asked = _exchange(merchant_id, order_id, letter)
        if order.pickup and asked.status == AfterSaleStatus.EXCHANGED:
            return asked
        _check_replacing(asked)
        if not order.pickup:
            raise AfterSaleRefused("这个订单是快递发货，请填写快递单号寄出。", state=asked.status)
        with transaction() as writes:
            more = [
                AfterSaleItem.replacement_at_s.set(now_s),
                AfterSaleItem.replacement_by.set(staff),
            ]
            after_sales.decide(writes, asked, AfterSaleStatus.EXCHANGED, more, now_s)
            after_sales.end_request(writes, order, letter)
            after = {"units": asked.units}
            audit_item(writes, asked, staff, "after_sale_handed_over", {}, after, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def confirm(merchant_id: str, order_id: OrderId, letter: str, *, now_s: int) -> AfterSaleItem:
    """Its buyer has the replacement: the exchange is done, the order goes on as it was.

    A repeat changes nothing. Raises NotFound, AfterSaleRefused.
    """

    def step() -> AfterSaleItem:
        order, asked = _exchange(merchant_id, order_id, letter)
        if asked.status == AfterSaleStatus.EXCHANGED:
            return asked
        after_sales.check_open(asked)
        if asked.status != AfterSaleStatus.REPLACEMENT_SENT:
            raise AfterSaleRefused("换新的商品还没有寄出。收到后再确认。", state=asked.status)
        with transaction() as writes:
            after_sales.decide(writes, asked, AfterSaleStatus.EXCHANGED, [], now_s)
            after_sales.end_request(writes, order, letter)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def _exchange(merchant_id: str, order_id: OrderId, letter: str) -> tuple[OrderItem, AfterSaleItem]:
    order, asked = after_sales.read(merchant_id, order_id, letter)
    if asked.asks_for is not Kind.EXCHANGE:
        raise AfterSaleRefused("买家没有申请换货。", state=asked.status)
    return order, asked


def _check_replacing(asked: AfterSaleItem) -> None:
    """Raises AfterSaleRefused where no replacement waits to be sent or handed over."""
    after_sales.check_open(asked)
    if asked.status != AfterSaleStatus.REPLACING:
        words = NOT_YET.get(asked.status, "换新的商品已寄出，等买家收货。")
        raise AfterSaleRefused(words, state=asked.status)


def _check_sending(asked: AfterSaleItem, *, corrects: bool) -> None:
    """Raises AfterSaleRefused where no replacement waits to be sent, or none has a number that
    could be corrected."""
    sent = asked.status == AfterSaleStatus.REPLACEMENT_SENT
    if corrects and not sent:
        after_sales.check_open(asked)
        raise AfterSaleRefused("换新的商品还没有寄出，没有单号可更正。", state=asked.status)
    if sent and not corrects:
        words = Text(
            "换新的商品已寄出，单号 {number}。填错了请点「更正单号」。",
            number=asked.replacement_number,
        )
        raise AfterSaleRefused(words, state=asked.status)
    if not corrects:
        _check_replacing(asked)


def _too_few(available: int, units: int) -> AfterSaleRefused:
    return AfterSaleRefused(
        Text(
            "这个规格的商品库存只有 {available} 件，"
            "换不了 {units} 件（活动里的库存不算）。请先增加商品库存，或改为退款。",
            available=available,
            units=units,
        ),
        available=available,
    )
