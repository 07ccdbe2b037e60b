"""Table `records`: what happened, written once and never changed.

The functions may only put and query here; the table's policy allows nothing else.

| item             | pk                        | sk             |
|------------------|---------------------------|----------------|
| audit row        | m#audit#YYYYMM (UTC)      | time#id        |
| stock adjustment | m#adjustments#product_id  | adjustment_id  |
| refused callback | m#callbacks               | time#id        |
"""

import datetime as dt
from typing import Any

from pynamodb.attributes import DiscriminatorAttribute, MapAttribute, UnicodeAttribute

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
    """One change by staff: who, what, and every field that differs, before and after."""

    staff = UnicodeAttribute()
    action = UnicodeAttribute()
    subject = UnicodeAttribute()  # kind#id of what was changed
    before: MapAttribute[str, Any] = MapAttribute(default=dict)
    after: MapAttribute[str, Any] = MapAttribute(default=dict)

    @classmethod
    def at(cls, merchant_id: str, at_s: int, audit_id: str, **more: Any) -> "AuditItem":
        month = dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y%m")
        return cls(
            f"{merchant_id}#audit#{month}",
            f"{at_s:010d}#{audit_id}",
            merchant_id=merchant_id,
            at_s=at_s,
            **more,
        )


class StockAdjustmentItem(RecordItem, discriminator="stock_adjustment"):
    """One change of a SKU's product stock by hand. Its key makes a repeat meet the first."""

    sku_id = UnicodeAttribute()
    delta = IntAttribute()  # units, + or -
    activity_id = UnicodeAttribute(null=True)  # where the units went; None: in or out of the shop
    reason = UnicodeAttribute()
    staff = UnicodeAttribute()

    @classmethod
    def at(
        cls, merchant_id: str, product_id: str, adjustment_id: str, **more: Any
    ) -> "StockAdjustmentItem":
        pk = f"{merchant_id}#adjustments#{product_id}"
        return cls(pk, adjustment_id, merchant_id=merchant_id, **more)


class RefusedCallbackItem(RecordItem, discriminator="refused_callback"):
    """A callback with a right signature and wrong contents: somebody has to look at it."""

    code = UnicodeAttribute()
    details: MapAttribute[str, Any] = MapAttribute()

    @classmethod
    def at(cls, merchant_id: str, at_s: int, row_id: str, **more: Any) -> "RefusedCallbackItem":
        return cls(
            f"{merchant_id}#callbacks",
            f"{at_s:010d}#{row_id}",
            merchant_id=merchant_id,
            at_s=at_s,
            **more,
        )
