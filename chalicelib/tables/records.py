"""Table `records`: what happened, written once and never changed.

The functions may only put and query here; the table's policy allows nothing else.

| item             | pk                        | sk             |
|------------------|---------------------------|----------------|
| audit row        | m#audit#YYYYMM (Beijing)  | time#id        |
| stock adjustment | m#adjustments#product_id  | adjustment_id  |
| … in lists       | m#adjusted#product_id     | time#adjustment_id |
| refused callback | m#callbacks               | time#id        |
| day-book row     | m#ledger#YYYYMMDD         | out_trade_no, out_refund_no |
| difference       | m#differences             | day#method(#account)#number#kind |
| reconciliation   | m#reconciliations         | day#method(#account) |
| part of a batch  | m#batches                 | time#batch_id#part |
| order found      | m#find#word               | time#order_id  |
| short number     | m#find#short#number       | serial         |
"""

import datetime as dt
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
)

from chalicelib.domain.beijing import day_of
from chalicelib.settings import settings
from chalicelib.tables.base import IntAttribute, StoredItem


class RecordItem(StoredItem):
    """Any record; reads give the class that `kind` names."""

    class Meta:
        table_name = settings.records_table

    kind = DiscriminatorAttribute()
    merchant_id = UnicodeAttribute()
    at_s = IntAttribute()


class AuditItem(RecordItem, discriminator="audit"):
    """One change by staff: who, what, and every field that differs, before and after; or one look
    at recipients, whose `after` says what for, and at which orders when there are several."""

    staff = UnicodeAttribute()
    action = UnicodeAttribute()
    subject = UnicodeAttribute()  # kind#id of what was changed; the kind alone of several
    before: MapAttribute[str, Any] = MapAttribute(default=dict)
    after: MapAttribute[str, Any] = MapAttribute(default=dict)

    @classmethod
    def at(cls, merchant_id: str, at_s: int, audit_id: str, **more: Any) -> "AuditItem":
        return cls(
            audited(merchant_id, f"{day_of(at_s):%Y%m}"),
            f"{at_s:010d}#{audit_id}",
            merchant_id=merchant_id,
            at_s=at_s,
            **more,
        )


class _StockChange(RecordItem):
    """A change of a SKU's product stock by hand."""

    sku_id = UnicodeAttribute()
    delta = IntAttribute()  # units, + or -
    activity_id = UnicodeAttribute(null=True)  # where the units went; None: in or out of the shop
    reason = UnicodeAttribute()
    staff = UnicodeAttribute()


class StockAdjustmentItem(_StockChange, discriminator="stock_adjustment"):
    """One change, under an id that makes a repeat meet the first."""

    @classmethod
    def at(
        cls, merchant_id: str, product_id: str, adjustment_id: str, **more: Any
    ) -> "StockAdjustmentItem":
        pk = f"{merchant_id}#adjustments#{product_id}"
        return cls(pk, adjustment_id, merchant_id=merchant_id, **more)


class StockHistoryItem(_StockChange, discriminator="stock_history"):
    """The same change, in the order of time."""

    @classmethod
    def at(
        cls, merchant_id: str, product_id: str, at_s: int, adjustment_id: str, **more: Any
    ) -> "StockHistoryItem":
        return cls(
            adjusted(merchant_id, product_id),
            f"{at_s:010d}#{adjustment_id}",
            merchant_id=merchant_id,
            at_s=at_s,
            **more,
        )


class RefusedCallbackItem(RecordItem, discriminator="refused_callback"):
    """A callback with a right signature and wrong contents: somebody has to look at it."""

    code = UnicodeAttribute()
    details: MapAttribute[str, Any] = MapAttribute()
    told: MapAttribute[str, Any] = MapAttribute(default=dict)  # what it says of which money

    @classmethod
    def at(cls, merchant_id: str, at_s: int, row_id: str, **more: Any) -> "RefusedCallbackItem":
        return cls(
            f"{merchant_id}#callbacks",
            f"{at_s:010d}#{row_id}",
            merchant_id=merchant_id,
            at_s=at_s,
            **more,
        )


class DayBookItem(RecordItem, discriminator="day_book"):
    """One movement at a gateway, with both legs, under the day (Beijing) that bills it.

    Derived from the orders' ledgers, so that a day can be compared with the gateway's bill.
    """

    number = UnicodeAttribute()  # out_trade_no or out_refund_no
    method = UnicodeAttribute()
    account = UnicodeAttribute(null=True)  # None: the first one
    movement = UnicodeAttribute()
    debit = UnicodeAttribute()
    credit = UnicodeAttribute()
    amount_fen = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, at_s: int, number: str, **more: Any) -> "DayBookItem":
        return cls(
            day_book(merchant_id, day_of(at_s)),
            number,
            merchant_id=merchant_id,
            at_s=at_s,
            number=number,
            **more,
        )


class DifferenceItem(RecordItem, discriminator="difference"):
    """Where a gateway's bill and our ledger do not say the same; both sides as they were."""

    day = UnicodeAttribute()
    method = UnicodeAttribute()
    account = UnicodeAttribute(null=True)  # None: the first one
    number = UnicodeAttribute()
    difference = UnicodeAttribute()  # domain.reconcile.Kind
    ours: MapAttribute[str, Any] = MapAttribute(default=dict)
    theirs: MapAttribute[str, Any] = MapAttribute(default=dict)
    repaired = BooleanAttribute()  # what the bill told was safe to take over, and was

    @classmethod
    def at(
        cls,
        merchant_id: str,
        day: str,
        method: str,
        account: str,
        number: str,
        difference: str,
        **more: Any,
    ) -> "DifferenceItem":
        return cls(
            f"{merchant_id}#differences",
            f"{day}#{_at_gateway(method, account)}#{number}#{difference}",
            merchant_id=merchant_id,
            day=day,
            method=method,
            account=account or None,
            number=number,
            difference=difference,
            **more,
        )


class ReconciliationItem(RecordItem, discriminator="reconciliation"):
    """One gateway's bill of one day, compared: its totals by the gateway."""

    day = UnicodeAttribute()
    method = UnicodeAttribute()
    account = UnicodeAttribute(null=True)  # None: the first one
    payments = IntAttribute()
    paid_fen = IntAttribute()
    refunds = IntAttribute()
    refunded_fen = IntAttribute()
    fee_fen = IntAttribute()
    foreign = IntAttribute(
        default=0
    )  # lines of other systems on the same account, in none of these

    @classmethod
    def at(
        cls, merchant_id: str, day: str, method: str, account: str, **more: Any
    ) -> "ReconciliationItem":
        return cls(
            f"{merchant_id}#reconciliations",
            f"{day}#{_at_gateway(method, account)}",
            merchant_id=merchant_id,
            day=day,
            method=method,
            account=account or None,
            **more,
        )


class ShippingBatchItem(RecordItem, discriminator="shipping_batch"):
    """What became of one part of a table of shipments, under the time at which its batch began.

    summary {services.fulfilment.shipments.Outcome: rows}; failures [{order_id, carrier, number,
    words}], as they were typed.
    """

    batch_id = UnicodeAttribute()
    part = IntAttribute()
    staff = UnicodeAttribute()
    summary: MapAttribute[str, Any] = MapAttribute()
    failures: ListAttribute[Any] = ListAttribute(default=list)

    @classmethod
    def at(
        cls, merchant_id: str, started_at_s: int, batch_id: str, part: int, **more: Any
    ) -> "ShippingBatchItem":
        return cls(
            shipping_batches(merchant_id),
            f"{started_at_s:010d}#{batch_id}#{part:03d}",
            merchant_id=merchant_id,
            at_s=started_at_s,
            batch_id=batch_id,
            part=part,
            **more,
        )


class FoundOrderItem(RecordItem, discriminator="found_order"):
    """An order under a word by which staff look for it; what it is now, the order itself says.

    word: chalicelib.services.orders.order_search makes them. text: the whole name that a part of
    a name is of.
    """

    order_id = UnicodeAttribute()
    group_id = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)

    @classmethod
    def at(
        cls, merchant_id: str, word: str, at_s: int, order_id: str, **more: Any
    ) -> "FoundOrderItem":
        return cls(
            found_by(merchant_id, word),
            f"{at_s:010d}#{order_id}",
            merchant_id=merchant_id,
            at_s=at_s,
            order_id=order_id,
            **more,
        )


class ShortNumberItem(RecordItem, discriminator="short_number"):
    """Which order has a short number with this serial; at_s: when it was placed."""

    order_id = UnicodeAttribute()

    @classmethod
    def at(
        cls, merchant_id: str, number: str, serial: int, at_s: int, order_id: str
    ) -> "ShortNumberItem":
        pk = found_by(merchant_id, f"short#{number}")
        return cls(pk, str(serial), merchant_id=merchant_id, at_s=at_s, order_id=order_id)


def _at_gateway(method: str, account: str) -> str:
    """An account in a key; the first one has none."""
    return f"{method}#{account}" if account else method


def shipping_batches(merchant_id: str) -> str:
    """The parts of a shop's batches of shipments, by when the batch began."""
    return f"{merchant_id}#batches"


def adjusted(merchant_id: str, product_id: str) -> str:
    """The changes of a product's stock, by time."""
    return f"{merchant_id}#adjusted#{product_id}"


def found_by(merchant_id: str, word: str) -> str:
    """The orders of one word, by time."""
    return f"{merchant_id}#find#{word}"


def audited(merchant_id: str, month: str) -> str:
    """The audit rows of a month (YYYYMM, Beijing), by time."""
    return f"{merchant_id}#audit#{month}"


def day_book(merchant_id: str, day: dt.date) -> str:
    return f"{merchant_id}#ledger#{day:%Y%m%d}"
