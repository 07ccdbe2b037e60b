"""Shipping: which orders may be sent now, and what a parcel is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.order import Order, OrderStatus
from chalicelib.errors import Conflict, InvalidRequest
from chalicelib.text import Text

PARCELS_MAX = 20  # of one order
CORRECTION_S = 24 * 3600  # after shipping, a number may be corrected


class ShippingRefused(Conflict):
    """The order is not to be shipped, or not now: the message says why."""

    code = "shipping_refused"
    default_message = "这个订单现在不能发货。"


REFUSALS: Mapping[OrderStatus, str] = {
    OrderStatus.PENDING: "订单还没有付款，不能发货。",
    OrderStatus.PAID: "还没有成团，成团后才能发货。",
    OrderStatus.SHIPPED: "订单已全部发货。单号有误可在发货后 24 小时内更正。",
    OrderStatus.READY_FOR_PICKUP: "到店自提的订单不用发货。",
    OrderStatus.COMPLETED: "订单已完成，不用再发货。",
    OrderStatus.CLOSED: "订单已关闭，不能发货。",
    OrderStatus.REFUNDING: "订单正在退款，不能发货。",
    OrderStatus.REFUNDED: "订单已退款，不能发货。",
}


@dataclass(frozen=True)
class Parcel:
    """One parcel of an order. parcel_id: its place among them, from 1."""

    parcel_id: str
    carrier: str  # domain.carriers.Carrier.code
    number: str
    units: int
    shipped_at_s: int
    staff: str
    corrections: int = 0
    corrected_at_s: int = 0
    corrected_by: str = ""

    @property
    def stored(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in ("", 0)}


def parcels_of(stored: Sequence[Any] | None) -> list[Parcel]:
    """Parcels as an order's detail keeps them."""
    return [Parcel(**entry) for entry in stored or ()]


def check(order: Order, group: Group | None) -> None:
    """Return only when (a part of) the order may be shipped now. Raises ShippingRefused.

    group: the order's, when it is still `paid`.
    """
    if order.pickup:
        raise ShippingRefused("到店自提的订单不用发货。", state=order.status.value)
    if order.status is OrderStatus.PAID and group is not None:
        raise ShippingRefused(_unformed(group), state=order.status.value)
    if order.status is not OrderStatus.FULFILLING:
        raise ShippingRefused(REFUSALS[order.status], state=order.status.value)
    if order.disputed:
        raise ShippingRefused(
            "买家申请了售后。请先处理售后申请，再发货。", state=order.status.value
        )


def check_units(units: int | None, *, left: int) -> int:
    """How many units a parcel holds: all that are left, unless it says fewer.

    Raises ShippingRefused when none is left, InvalidRequest for more than there are.
    """
    if left <= 0:
        raise ShippingRefused("商品都已退回库存，没有要发的了。")
    if units is None:
        return left
    if not 1 <= units <= left:
        raise InvalidRequest(
            Text("还有 {left} 件没有发，最多填 {left}。", left=left), field="units", max=left
        )
    return units


def check_correction(parcel: Parcel, *, now_s: int) -> None:
    """Raises ShippingRefused when the number of `parcel` may be corrected no more."""
    if now_s - parcel.shipped_at_s > CORRECTION_S:
        raise ShippingRefused("发货已超过 24 小时，不能再改单号。请在备注里说明并告诉买家。")


def _unformed(group: Group) -> str:
    if group.status is GroupStatus.FORMED:
        return "刚刚成团，请过几秒再发货。"
    if group.status is GroupStatus.FAILED:
        return "没有成团，正在退款，不能发货。"
    if group.has_least:
        return Text("已满 {least} 人，到时成团，成团后才能发货。", least=group.seats_least)
    return Text("还差 {missing} 人成团，成团后才能发货。", missing=group.seats_lacking)
