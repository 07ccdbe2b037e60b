"""What happened to an order, in sentences for staff, from what is stored of it."""

from collections.abc import Iterator

from chalicelib.api.merchant.order_schemas import Happening
from chalicelib.domain import carriers
from chalicelib.domain.after_sale import REASON_WORDS, AfterSaleStatus, Reason, status_words
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ledger import Movement
from chalicelib.domain.manual_refund import METHOD_WORDS, ManualRefundMethod
from chalicelib.domain.money import yuan
from chalicelib.domain.shipping import parcels_of
from chalicelib.domain.words import MOVEMENT_WORDS, method_text
from chalicelib.services.reports.order_files import OrderFile
from chalicelib.tables.buyers import AfterSaleItem

MONEY = {
    Movement.CAPTURED: "paid",
    Movement.REFUND_REQUESTED: "refund_requested",
    Movement.REFUNDED: "refunded",
    Movement.REFUNDED_OUTSIDE: "refunded",
}


def of(file: OrderFile) -> list[Happening]:
    """Everything with a time, the first one first; what is of one second keeps its order."""
    parts = (_placed, _money, _group, _parcels, _pickup, _receipt, _after_sales, _staffs)
    happenings = [happening for part in parts for happening in part(file)]
    return sorted(happenings, key=lambda happening: happening.at_s)


def _told(at_s: int, what: str, text: str, by: str = "") -> Happening:
    return Happening(at_s=at_s, what=what, text=text, by=by)


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
        text = f"{MOVEMENT_WORDS[entry.movement]} {yuan(entry.amount_fen)}（{method}）"
        yield _told(entry.at_s, MONEY[entry.movement], text)


def _group(file: OrderFile) -> Iterator[Happening]:
    group = file.group
    if group is None or group.decided_at_s is None:
        return
    if group.status == GroupStatus.FORMED:
        yield _told(group.decided_at_s, "formed", f"{group.seats_total} 人成团")
    else:
        yield _told(group.decided_at_s, "failed", "没有成团")


def _parcels(file: OrderFile) -> Iterator[Happening]:
    for parcel in parcels_of(file.detail.parcels):
        which = f"{carriers.by_code(parcel.carrier).name} {parcel.number}"
        text = f"发货 {parcel.units} 件：{which}"
        yield _told(parcel.shipped_at_s, "shipped", text, parcel.staff)
        if parcel.corrections:
            text = f"更正单号：现为 {which}"
            yield _told(parcel.corrected_at_s, "parcel_corrected", text, parcel.corrected_by)


def _pickup(file: OrderFile) -> Iterator[Happening]:
    if file.detail.ready_at_s is not None:
        yield _told(file.detail.ready_at_s, "ready", "备货完成，可到店自提")


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
            text = f"商家主动退款 {yuan(asked.amount_fen)}：{asked.words}"
            yield _told(asked.requested_at_s, "refunded_by_shop", text, asked.by_staff)
            continue
        reason = REASON_WORDS[Reason(asked.reason)]
        text = f"买家申请{_wanted(asked)}：{reason}"
        yield _told(asked.requested_at_s, "after_sale_requested", text)
        yield from _return(asked)
        if asked.decided_at_s is not None:
            status = AfterSaleStatus(asked.status)
            words = status_words(status, asked.asks_for)
            words += f"：{asked.reply}" if asked.reply else ""
            yield _told(asked.decided_at_s, f"after_sale_{status.value}", words)


def _wanted(asked: AfterSaleItem) -> str:
    if asked.exchange:
        return f"换货 {asked.units} 件"
    what = f"退货 {asked.units} 件并退款" if asked.units else "退款"
    return f"{what} {yuan(asked.amount_fen)}"


def _return(asked: AfterSaleItem) -> Iterator[Happening]:
    if asked.agreed_at_s is not None:
        text = "商家同意换货" if asked.exchange else "商家同意退货"
        yield _told(asked.agreed_at_s, "return_agreed", text, asked.agreed_by or "")
    if asked.sent_at_s is not None and asked.carrier is not None:
        text = f"买家寄回：{carriers.by_code(asked.carrier).name} {asked.number}"
        yield _told(asked.sent_at_s, "return_sent", text)
    if asked.goods_at_s is not None:
        text = f"商家收到退回的商品，退回库存 {asked.units_back} 件"
        yield _told(asked.goods_at_s, "goods_received", text, asked.goods_by or "")
    if asked.replacement_at_s is not None:
        text = "换新的商品已当面交给买家"
        if asked.replacement_carrier is not None:
            carrier = carriers.by_code(asked.replacement_carrier).name
            text = f"寄出换新的商品：{carrier} {asked.replacement_number}"
        yield _told(asked.replacement_at_s, "replacement_sent", text, asked.replacement_by or "")


def _staffs(file: OrderFile) -> Iterator[Happening]:
    detail = file.detail
    if detail.address_changed_at_s is not None:
        by = detail.address_changed_by or ""
        yield _told(detail.address_changed_at_s, "address_changed", "改了收货地址", by)
    if detail.price_changed_at_s is not None:
        text = f"改价，应付 {yuan(file.order.total_fen)}"
        yield _told(detail.price_changed_at_s, "price_lowered", text, detail.price_changed_by or "")
    if detail.closed_at_s is not None:
        text = f"商家关闭订单：{detail.closed_words}"
        yield _told(detail.closed_at_s, "closed_by_shop", text, detail.closed_by or "")
    for note in detail.notes or ():
        yield _told(note["at_s"], "noted", f"备注：{note['text']}", note["staff"])
