"""Exports, in table `trade` because the stream and the jobs write them. Keys: m#E#export_id, and
m#E for the register of those under way."""

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem


class ExportItem(TradeItem, discriminator="export"):
    """One file that staff asked for, and how far it is written.

    wanted: domain.exports.Wanted as a map. parts: the keys of the parts written so far, in order.
    cursor: where the next part begins, as its source tells; empty before the first. read: nothing
    is left but to put the parts together. tries: runs since the last part.
    """

    merchant_id = UnicodeAttribute()
    export_id = UnicodeAttribute()
    staff = UnicodeAttribute()
    wanted: MapAttribute[str, Any] = MapAttribute()
    status = UnicodeAttribute()
    asked_at_s = IntAttribute()
    body_hash = UnicodeAttribute(default="")
    rows = IntAttribute(default=0)
    parts: ListAttribute[Any] = ListAttribute(default=list)
    cursor = UnicodeAttribute(default="")
    read = BooleanAttribute(default=False)
    cut = BooleanAttribute(default=False)  # there was more than a file may have
    tries = IntAttribute(default=0)
    done_at_s = IntAttribute(null=True)
    size = IntAttribute(null=True)  # bytes

    @classmethod
    def at(cls, merchant_id: str, export_id: str, **more: Any) -> "ExportItem":
        return cls(
            f"{merchant_id}#E#{export_id}",
            "export",
            merchant_id=merchant_id,
            export_id=export_id,
            **more,
        )


class OpenExportsItem(TradeItem, discriminator="open_exports"):
    """Exports of a shop that were asked for; those that are written may still be here
    (services.reports.exports)."""

    exports = UnicodeSetAttribute()  # export_id

    @classmethod
    def of(cls, merchant_id: str, **more: Any) -> "OpenExportsItem":
        return cls(f"{merchant_id}#E", "open_exports", **more)


def exports_list(merchant_id: str) -> str:
    """A shop's exports, by when they were asked for."""
    return f"{merchant_id}#exports"
