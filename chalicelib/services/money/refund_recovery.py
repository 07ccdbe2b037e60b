"""What staff do about refunds that only a person can mend: send them again, or pay in another way.

A refund gets a fresh number only when the gateway, asked at that moment, says that the present one
is closed: then nothing was paid under it and nothing ever will be. What was paid in another way is
put on record as a movement of an account of its own.
"""

from dataclasses import dataclass, replace

from chalicelib.domain.ids import SERIAL_MAX, OrderId, split_out_refund_no
from chalicelib.domain.manual_refund import ManualRefundMethod
from chalicelib.domain.money import yuan
from chalicelib.domain.order import Refund, RefundStatus, entry_of
from chalicelib.errors import Conflict, GatewayFailed, InvalidRequest, NotFound
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.money import refunds
from chalicelib.services.orders import notifications, orders
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import PageKey, retried, transaction
from chalicelib.tables.review_queue import RefundReviewItem, refund_reviews
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

DEAD = (port.RefundStatus.CLOSED.value, port.RefundStatus.ABNORMAL.value)
NOT_FOUND = "没有找到这笔退款。"


class RefundUnderWay(Conflict):
    """A request for the refund may still reach the gateway: to pay it in another way now could
    pay it twice."""

    code = "refund_under_way"
    default_message = "已停止自动重试。为避免重复退款，请 1 分钟后再登记。"


@dataclass(frozen=True)
class ManualPayment:
    """How staff have paid a buyer back. proof: the gateway's number of it for Outside.GATEWAY."""

    way: ManualRefundMethod
    amount_fen: int
    proof: str


def needing_person(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[tuple[OrderItem, str]], PageKey | None]:
    """([(order, key of its refund)] that only a person can mend, the longest waiting first; the
    key that the next page starts after)."""
    page = TradeItem.by_list.query(
        refund_reviews(merchant_id), limit=limit, last_evaluated_key=after
    )
    troubles = [item for item in page if isinstance(item, RefundReviewItem)]
    listed = [(item.pk, item.order_no, item.key) for item in troubles]
    keys = list({(pk, f"order#{order_no}") for pk, order_no, _ in listed})
    found = {(i.pk, i.sk): i for i in TradeItem.batch_get(keys, consistent_read=True)}
    pairs = [(found.get((pk, f"order#{order_no}")), key) for pk, order_no, key in listed]
    return [
        (order, key)
        for order, key in pairs
        if isinstance(order, OrderItem) and order.view().refunds[key].trouble_at_s
    ], page.last_evaluated_key


def resend(merchant_id: str, out_refund_no: str, *, staff: str, now_s: int) -> None:
    """Send a refund that needs a person again; audited.

    The gateway is asked first. What it has done is recorded; what it has closed goes on under a
    fresh number, everything else under the same. Raises NotFound, Conflict when it needs nobody
    or is stuck at the buyer's bank, GatewayFailed when the gateway must answer and does not.
    """
    order, key = _find(merchant_id, out_refund_no)
    known = order.view().refunds[key]
    if not known.trouble_at_s:
        raise Conflict("这笔退款正在处理或已到账，不用重新发起。")
    said = _query_gateway(order, key, must_answer=known.reason in DEAD)
    if said is not None and said.status is port.RefundStatus.SUCCEEDED:
        refunds.apply_result(merchant_id, said, now_s=now_s)
        return
    again = _resent(known, said, now_s)
    _write_decision(order, key, known, again, "refund_sent_again", staff, now_s)


def record_manual_refund(
    merchant_id: str, out_refund_no: str, paid: ManualPayment, *, staff: str, now_s: int
) -> None:
    """Put on record that staff have paid a refund in another way; audited. A repeat changes
    nothing.

    Raises NotFound, InvalidRequest for another amount or an unproven number, RefundUnderWay while
    a request may still reach the gateway, Conflict when the gateway pays or has paid it itself,
    GatewayFailed when it does not answer.
    """
    order, key = _find(merchant_id, out_refund_no)
    known = order.view().refunds[key]
    if _is_recorded(known, paid):
        return
    if not known.trouble_at_s:
        raise Conflict("这笔退款正在处理或已到账，不用登记。")
    if paid.amount_fen != known.amount_fen:
        words = Text("登记的金额应等于这笔退款：{amount}。", amount=yuan(known.amount_fen))
        raise InvalidRequest(words, field="amount_fen", expected_fen=known.amount_fen)
    if known.status is RefundStatus.PROCESSING:
        raise Conflict("支付平台已受理这笔退款，请等它的结果，不要重复退款。")
    if known.status is not RefundStatus.FAILED:
        stopped = refunds.failed(known, known.reason, now_s)
        _write_decision(order, key, known, stopped, "refund_stopped", staff, now_s)
        raise RefundUnderWay
    said = _query_gateway(order, key, must_answer=True)
    _check_not_paid_by_gateway(merchant_id, known, said, now_s)
    done, at_s = (
        _confirm_at_gateway(order, key, paid, now_s)
        if paid.way is ManualRefundMethod.GATEWAY
        else (None, now_s)
    )
    stored = done or replace(
        known, status=RefundStatus.OUTSIDE, outside=paid.way.value, proof=paid.proof
    )
    stored = replace(stored, next_at_s=0, reason="", trouble_at_s=0)
    _write_decision(order, key, known, stored, "refund_outside", staff, now_s, at_s=at_s)


def adopt_gateway_refund(
    merchant_id: str, order_id: OrderId, key: str, number: str, *, now_s: int
) -> bool:
    """Record that a refund which needs a person was made by hand in the gateway's back office,
    when the gateway confirms it. False when it does not, or the refund needs nobody."""
    order = orders.get(merchant_id, order_id)
    known = order.view().refunds[key]
    said = _gateway(order, key).query_refund(number, out_trade_no=f"{order_id}{key[:2]}")
    confirmed = said.status is port.RefundStatus.SUCCEEDED
    if not known.trouble_at_s or not confirmed or said.amount_fen != known.amount_fen:
        return False
    stored = replace(
        known,
        status=RefundStatus.SUCCEEDED,
        number=number,
        next_at_s=0,
        reason="",
        trouble_at_s=0,
    )
    notifications.tell_refunded(order, key, stored, now_s=now_s)
    refunds.store(order, key, stored, at_s=said.succeeded_at_s or now_s)
    return True


def _find(merchant_id: str, out_refund_no: str) -> tuple[OrderItem, str]:
    """(order, key) of a refund by its present number. Raises NotFound."""
    parts = split_out_refund_no(out_refund_no)
    if parts is None:
        raise NotFound(NOT_FOUND)
    order_id, key, serial = parts
    order = orders.get(merchant_id, order_id)
    known = order.view().refunds.get(key)
    if known is None or serial != known.serial:
        raise NotFound(NOT_FOUND)
    return order, key


def _gateway(order: OrderItem, key: str) -> port.PaymentGateway:
    payment = order.view().payments[key[:2]]
    return payment_gateway(order.merchant_id, payment.method, payment.account)


def _query_gateway(order: OrderItem, key: str, *, must_answer: bool) -> port.Refund | None:
    """What the gateway says of a refund now; None when it will not or cannot say.

    An account that may not even ask gets nothing paid either. Raises GatewayFailed for silence,
    when it must answer.
    """
    try:
        return _gateway(order, key).query_refund(order.refund_number(key))
    except (port.GatewayRefused, NotConfigured):
        return None
    except GatewayFailed:
        if must_answer:
            raise
        return None


def _resent(known: Refund, said: port.Refund | None, now_s: int) -> Refund:
    """The refund once it is sent again, after what the gateway has just said of it."""
    status = said.status if said is not None else port.RefundStatus.UNKNOWN
    if status is port.RefundStatus.ABNORMAL:
        raise Conflict(
            "支付平台仍显示退款异常。请先在它的商家后台处理；"
            "已用其他方式退给买家的，请登记线下退款。"
        )
    if said is None and known.reason in DEAD:
        raise Conflict("收款账户现在查不到这笔退款，不能重新发起。请先检查收款账户。")
    serial, starts_s = known.serial, now_s
    if status is port.RefundStatus.CLOSED:
        if serial >= SERIAL_MAX:
            raise Conflict("这笔退款已多次被支付平台关闭。请用其他方式退给买家，再登记线下退款。")
        serial += 1
        if known.status is RefundStatus.FAILED:
            # A request under the old number may be under way until then, and WeChat Pay wants a
            # minute between two refunds of one payment.
            starts_s = max(now_s, known.next_at_s)
    processing = status is port.RefundStatus.PROCESSING
    return replace(
        known,
        status=RefundStatus.PROCESSING if processing else RefundStatus.REQUESTED,
        at_s=now_s,
        next_at_s=starts_s,
        reason="",
        serial=serial,
        trouble_at_s=0,
    )


def _check_not_paid_by_gateway(
    merchant_id: str, known: Refund, said: port.Refund | None, now_s: int
) -> None:
    """Return only when the gateway does not pay the refund itself, now or later."""
    status = said.status if said is not None else port.RefundStatus.UNKNOWN
    if said is not None and status is port.RefundStatus.SUCCEEDED:
        refunds.apply_result(merchant_id, said, now_s=now_s)
        raise Conflict("支付平台刚刚退款成功，不用登记。")
    if status is port.RefundStatus.PROCESSING:
        raise Conflict("支付平台正在处理这笔退款。请点「重新发起」更新结果，不要重复退款。")
    if status is port.RefundStatus.UNKNOWN and now_s < known.next_at_s:
        raise RefundUnderWay


def _confirm_at_gateway(
    order: OrderItem, key: str, paid: ManualPayment, now_s: int
) -> tuple[Refund, int]:
    """(the refund, when it was made) in the gateway's back office, as the gateway confirms it.

    Raises InvalidRequest when it does not.
    """
    known = order.view().refunds
    number = paid.proof
    if split_out_refund_no(number) or any(refund.number == number for refund in known.values()):
        raise InvalidRequest("请填写商家后台里手工退款的退款单号。", field="proof")
    said = _gateway(order, key).query_refund(number, out_trade_no=f"{order.order_id}{key[:2]}")
    if said.status is not port.RefundStatus.SUCCEEDED or said.amount_fen != paid.amount_fen:
        raise InvalidRequest(
            "支付平台没有查到这笔付款的这个退款单号，或金额不符、还没有退款成功。请核对后再登记。",
            field="proof",
            status=said.status.value,
        )
    done = replace(known[key], status=RefundStatus.SUCCEEDED, number=number)
    return done, said.succeeded_at_s or now_s


def _is_recorded(known: Refund, paid: ManualPayment) -> bool:
    proof = known.number if paid.way is ManualRefundMethod.GATEWAY else known.proof
    way = ManualRefundMethod.GATEWAY.value if known.number else known.outside
    return known.is_done and (way, proof, known.amount_fen) == (
        paid.way.value,
        paid.proof,
        paid.amount_fen,
    )


def _write_decision(
    order: OrderItem,
    key: str,
    known: Refund,
    stored: Refund,
    action: str,
    staff: str,
    now_s: int,
    *,
    at_s: int = 0,
) -> None:
    """Write what staff decided about a refund that is still as it was read, with its audit row.

    Raises Conflict when it is not.
    """
    number = order.refund_number(key)
    if stored.status is RefundStatus.SUCCEEDED:
        notifications.tell_refunded(order, key, stored, now_s=now_s)

    def step() -> None:
        current = orders.get(order.merchant_id, order.order_id)
        if current.view().refunds[key] != known:
            raise Conflict("这笔退款刚刚有了变化，请刷新后再看。")
        with transaction() as writes:
            refunds.write(writes, current, key, stored, at_s=at_s or now_s)
            if stored.status is RefundStatus.OUTSIDE:
                notifications.put_refunded_outside(writes, current, key, stored, now_s=now_s)
            subject = f"refund#{number}"
            before, after = entry_of(known), entry_of(stored)
            audit(writes, order.merchant_id, staff, action, subject, before, after, now_s)

    retried(step)
