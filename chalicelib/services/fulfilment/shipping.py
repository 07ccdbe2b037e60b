"""Shipping: an order's units go into parcels, all at once or in parts.

The order, the parcel in its detail, the word by which it is found, the message to its buyer and
the audit row are written together. The same parcel again changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain import carriers, shipping
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.order_transitions import shipped
from chalicelib.domain.shipping import Parcel, ShippingRefused, parcels_of
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.services.orders import notifications, order_search, orders, state_changes
from chalicelib.services.people import shop_cache
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.trade import OrderDetailItem, OrderItem, with_entry
from chalicelib.text import Text


@dataclass(frozen=True)
class Draft:
    """A parcel as staff enter it, its carrier and number checked. units: None: all that is left."""

    carrier: str
    number: str
    units: int | None = None


@dataclass(frozen=True)
class Prepared:
    """A parcel that may be sent now; or, with `again`, one that was."""

    order: OrderItem
    detail: OrderDetailItem
    parcel: Parcel
    again: bool = False


def draft(carrier: str, number: str, units: int | None = None) -> Draft:
    """What staff typed, as it is meant. Raises InvalidRequest with the field."""
    found = carriers.find(carrier)
    return Draft(found.code, carriers.number_of(found, number), units)


def prepare(
    merchant_id: str, order_id: OrderId, given: Draft, *, staff: str, now_s: int
) -> Prepared:
    """What shipping would do, without doing it.

    Raises NotFound, ShippingRefused, or InvalidRequest with the field.
    """
    order, detail = orders.detail(merchant_id, order_id)
    parcels = parcels_of(detail.parcels)
    for parcel in parcels:
        if (parcel.carrier, parcel.number) == (given.carrier, given.number):
            return Prepared(order, detail, parcel, again=True)
        if parcel.number == given.number:
            raise InvalidRequest(
                "这个订单已有相同单号的包裹。快递公司选错了，请更正那个包裹。", field="carrier"
            )
    known = order.view()
    group = None
    if known.status is OrderStatus.PAID and order.group_id is not None:
        group = orders.find_group(merchant_id, order.group_id)
    shipping.check(known, group.view() if group else None)
    units = shipping.check_units(given.units, left=known.units.to_deliver)
    if len(parcels) >= shipping.PARCELS_MAX:
        raise ShippingRefused(Text("一个订单最多分 {max} 个包裹。", max=shipping.PARCELS_MAX))
    check_unused(merchant_id, order_id, given.number)
    parcel_id = str(len(parcels) + 1)
    made = Parcel(parcel_id, given.carrier, given.number, units, now_s, staff)
    return Prepared(order, detail, made)


def ship(merchant_id: str, order_id: OrderId, given: Draft, *, staff: str, now_s: int) -> Prepared:
    """Send a parcel; with its last units the order is `shipped`. A repeat changes nothing.

    Raises as `prepare` does, or Busy.
    """

    def step() -> Prepared:
        ready = prepare(merchant_id, order_id, given, staff=staff, now_s=now_s)
        if not ready.again:
            with transaction() as writes:
                _write(writes, ready, staff, now_s)
        return ready

    return retried(step)


def correct(
    merchant_id: str,
    order_id: OrderId,
    parcel_id: str,
    given: Draft,
    *,
    staff: str,
    now_s: int,
) -> Parcel:
    """Give a parcel its right carrier and number, within a day of its shipping.

    A repeat changes nothing. Raises NotFound, ShippingRefused, InvalidRequest or Busy.
    """

    def step() -> Parcel:
        order, detail = orders.detail(merchant_id, order_id)
        parcels = parcels_of(detail.parcels)
        at = next((n for n, parcel in enumerate(parcels) if parcel.parcel_id == parcel_id), None)
        if at is None:
            raise NotFound("没有找到这个包裹。")
        before = parcels[at]
        if (before.carrier, before.number) == (given.carrier, given.number):
            return before
        shipping.check_correction(before, now_s=now_s)
        if any(parcel.number == given.number for parcel in parcels if parcel is not before):
            raise InvalidRequest("这个订单的另一个包裹已用这个单号，请核对。", field="number")
        check_unused(merchant_id, order_id, given.number)
        after = replace(
            before,
            carrier=given.carrier,
            number=given.number,
            corrections=before.corrections + 1,
            corrected_at_s=now_s,
            corrected_by=staff,
        )
        with transaction() as writes:
            writes.update(
                detail,
                [OrderDetailItem.parcels[at].set(after.stored)],
                condition=OrderDetailItem.parcels[at] == before.stored,
                refuse=LostRace,
            )
            order_search.add_word(writes, order, order_search.tracking_word(after.number))
            notifications.put_shipped(writes, order, after, corrected=True, now_s=now_s)
            facts = _facts(before), _facts(after)
            audit_item(writes, order, staff, "parcel_corrected", *facts, now_s)
        return after

    return retried(step)


def _write(writes: Writes, ready: Prepared, staff: str, now_s: int) -> None:
    order, parcel = ready.order, ready.parcel
    receive_by_s = shop_cache.receive_by_s(order.merchant_id, now_s)
    change = shipped(order.view(), parcel.units, receive_by_s=receive_by_s)
    state_changes.write(writes, order, change)
    added, same = with_entry(OrderDetailItem.parcels, ready.detail.parcels, parcel.stored)
    writes.update(ready.detail, added, condition=same, refuse=LostRace)
    order_search.add_word(writes, order, order_search.tracking_word(parcel.number))
    notifications.put_shipped(writes, order, parcel, now_s=now_s)
    audit_item(writes, order, staff, "order_shipped", {}, _facts(parcel), now_s)


def check_unused(merchant_id: str, order_id: OrderId, number: str) -> None:
    """Two orders of one buyer may share a parcel; those of two buyers never do."""
    for other in order_search.with_number(merchant_id, number):
        if other.buyer_id != order_id.buyer_id:
            raise InvalidRequest(
                Text(
                    "单号 {number} 已用于另一位买家的订单 {other}，请核对。",
                    number=number,
                    other=other,
                ),
                field="number",
                order_id=str(other),
            )


def _facts(parcel: Parcel) -> Mapping[str, Any]:
    return {"carrier": parcel.carrier, "number": parcel.number, "units": parcel.units}
