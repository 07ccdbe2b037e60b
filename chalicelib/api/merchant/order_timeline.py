"""What happened to an order, in sentences for staff, from what is stored of it."""

from collections.abc import Iterator

from chalicelib.api.merchant.order_schemas import Happening
from chalicelib.domain import carriers
from chalicelib.domain.after_sale import REASON_WORDS, AfterSaleStatus, Reason, status_words
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ledger import Movement
from chalicelib.domain.manual_refund import METHOD_WORDS, ManualRefundMethod
from chalicelib.domain.money import yuan
from chalicelib.domain.order_words import method_text, movement_text
from chalicelib.domain.shipping import parcels_of
from chalicelib.domain.texts import TextKey
from chalicelib.services.reports.order_files import OrderFile
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.text import Text

MONEY = {
    Movement.CAPTURED: "paid",
    Movement.REFUND_REQUESTED: "refund_requested",
    Movement.REFUNDED: "refunded",
    Movement.REFUNDED_OUTSIDE: "refunded",
}
GOES_BACK = (MONEY[Movement.REFUND_REQUESTED], MONEY[Movement.REFUNDED])


def of(file: OrderFile) -> list[Happening]:
    """Everything with a time, the first one first; of one second, what goes back comes last."""
    parts = (
        _placed,
        _money,
        _moves,
        _group,
        _parcels,
        _pickup,
        _receipt,
        _after_sales,
        _gifts,
        _by_hand,
    )
    happenings = [happening for part in parts for happening in part(file)]
    return sorted(happenings, key=lambda one: (one.at_s, one.what in GOES_BACK))


def _told(at_s: int, what: str, text: str, by: str = "") -> Happening:
    return Happening(at_s=at_s, what=what, text=Text(text), by=by)


def _placed(file: OrderFile) -> Iterator[Happening]:
    yield _told(file.detail.placed_at_s, "placed", "买家下单")


def _money(file: OrderFile) -> Iterator[Happening]:
    known = file.order.view()
    for entry in file.order.entries():
        if entry.movement not in MONEY:
            continue
        method = method_text(known.payments[entry.of[:2]].method)
        if entry.movement is Movement.REFUNDED_OUTSIDE:
            method = METHOD_WORDS[ManualRefundMethod(known.refunds[entry.of].outside)]
        text = Text(
            "{movement} {amount}（{method}）",
            movement=Text(movement_text(entry.movement, entry.of)),
            amount=yuan(entry.amount_fen),
            method=Text(method),
        )
        yield _told(entry.at_s, MONEY[entry.movement], text)


def _group(file: OrderFile) -> Iterator[Happening]:
    group = file.group
    if group is None or group.decided_at_s is None:
        return
    if group.status == GroupStatus.FORMED:
        yield _told(group.decided_at_s, "formed", Text("{seats} 人成团", seats=group.seats_paid))
    else:
        yield _told(group.decided_at_s, "failed", "没有成团")


def _parcels(file: OrderFile) -> Iterator[Happening]:
    for parcel in parcels_of(file.detail.parcels):
        carrier = Text(carriers.by_code(parcel.carrier).name)
        number = parcel.number
        text = Text(
            "发货 {units} 件：{carrier} {number}",
            units=parcel.units,
            carrier=carrier,
            number=number,
        )
        yield _told(parcel.shipped_at_s, "shipped", text, parcel.staff)
        if parcel.corrections:
            text = Text("更正单号：现为 {carrier} {number}", carrier=carrier, number=number)
            yield _told(parcel.corrected_at_s, "parcel_corrected", text, parcel.corrected_by)


def _pickup(file: OrderFile) -> Iterator[Happening]:
    if file.detail.ready_at_s is not None:
        by = file.detail.ready_by or ""
        yield _told(file.detail.ready_at_s, "ready", "备货完成，可到店自提", by)


def _receipt(file: OrderFile) -> Iterator[Happening]:
    order = file.order
    if order.received_at_s is not None:
        yield _told(order.received_at_s, "received", _received_text(file, order.received_at_s))


def _received_text(file: OrderFile, at_s: int) -> str:
    if file.order.pickup:
        return "买家到店取货"
    return "到期自动确认收货" if at_s >= (file.order.receive_by_s or 0) else "买家确认收货"


def _after_sales(file: OrderFile) -> Iterator[Happening]:
    for asked in file.after_sales:
        if asked.by_staff is not None:
            text = Text(
                "商家主动退款 {amount}：{reason}", amount=yuan(asked.amount_fen), reason=asked.words
            )
            yield _told(asked.requested_at_s, "refunded_by_shop", text, asked.by_staff)
            continue
        reason = Text(REASON_WORDS[Reason(asked.reason)])
        text = Text("买家申请{wanted}：{reason}", wanted=_wanted(asked), reason=reason)
        yield _told(asked.requested_at_s, "after_sale_requested", text)
        yield from _return(asked)
        if asked.decided_at_s is not None:
            status = AfterSaleStatus(asked.status)
            words = Text(status_words(status, asked.asks_for))
            if asked.reply:
                words = Text("{decision}：{reply}", decision=words, reply=asked.reply)
            by = asked.decided_by or ""
            yield _told(asked.decided_at_s, f"after_sale_{status.value}", words, by)


def _wanted(asked: AfterSaleItem) -> str:
    if asked.exchange:
        return Text("换货 {units} 件", units=asked.units)
    amount = yuan(asked.amount_fen)
    if asked.units:
        return Text("退货 {units} 件并退款 {amount}", units=asked.units, amount=amount)
    return Text("退款 {amount}", amount=amount)


def _return(asked: AfterSaleItem) -> Iterator[Happening]:
    if asked.agreed_at_s is not None:
        text = "商家同意换货" if asked.exchange else "商家同意退货"
        yield _told(asked.agreed_at_s, "return_agreed", text, asked.agreed_by or "")
    if asked.sent_at_s is not None and asked.carrier is not None:
        text = Text(
            "买家寄回：{carrier} {number}",
            carrier=Text(carriers.by_code(asked.carrier).name),
            number=asked.number,
        )
        yield _told(asked.sent_at_s, "return_sent", text)
    if asked.goods_at_s is not None:
        text = Text("商家收到退回的商品，退回库存 {units} 件", units=asked.units_back)
        yield _told(asked.goods_at_s, "goods_received", text, asked.goods_by or "")
    if asked.replacement_at_s is not None:
        text = "换新的商品已当面交给买家"
        if asked.replacement_carrier is not None:
            carrier = Text(carriers.by_code(asked.replacement_carrier).name)
            text = Text(
                "寄出换新的商品：{carrier} {number}",
                carrier=carrier,
                number=asked.replacement_number,
            )
        yield _told(asked.replacement_at_s, "replacement_sent", text, asked.replacement_by or "")


def _moves(file: OrderFile) -> Iterator[Happening]:
    for told in file.messages:
        if told.text_key == TextKey.COMBINED:
            yield _told(told.at_s, told.text_key, "到时未满，按买家同意并入同款的另一个团")


def _gifts(file: OrderFile) -> Iterator[Happening]:
    for told in file.messages:
        if told.text_key == TextKey.COMBINED:
            continue
        facts = told.facts.as_dict()
        if told.text_key == TextKey.COMPENSATED_POINTS:
            text = Text("未成团，补偿买家 {points} 积分", points=facts["points"])
            yield _told(told.at_s, told.text_key, text)
            continue
        coupon = {"coupon": facts["coupon"], "worth": facts["worth"]}
        text = Text("未成团，补偿买家优惠券「{coupon}」（{worth}）", **coupon)
        if told.text_key == TextKey.COUPON_GIVEN:
            text = Text(
                "送买家优惠券「{coupon}」（{worth}）：{reason}", **coupon, reason=facts["reason"]
            )
        yield _told(told.at_s, told.text_key, text)


def _by_hand(file: OrderFile) -> Iterator[Happening]:
    detail = file.detail
    if detail.urged_at_s is not None:
        yield _told(detail.urged_at_s, "urged", "买家催发货")
    if detail.address_changed_at_s is not None:
        by = detail.address_changed_by or ""
        yield _told(detail.address_changed_at_s, "address_changed", "改了收货地址", by)
    if detail.price_changed_at_s is not None:
        text = Text("改价，应付 {price}", price=yuan(file.order.total_fen))
        yield _told(detail.price_changed_at_s, "price_lowered", text, detail.price_changed_by or "")
    if detail.closed_at_s is not None:
        text = Text("商家关闭订单：{reason}", reason=detail.closed_words)
        yield _told(detail.closed_at_s, "closed_by_shop", text, detail.closed_by or "")
    for note in detail.notes or ():
        yield _told(note["at_s"], "noted", Text("备注：{note}", note=note["text"]), note["staff"])
