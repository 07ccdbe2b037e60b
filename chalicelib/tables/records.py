"""Table `records`: what happened, written once and never changed.

The functions may only put and query here; the table's policy allows nothing else.
"""

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
    """One change by staff: who, what, before and after. Key: merchant and month, time and id."""

    staff = UnicodeAttribute()
    action = UnicodeAttribute()
    subject = UnicodeAttribute()  # kind#id of what was changed
    before: MapAttribute[str, Any] = MapAttribute(default=dict)
    after: MapAttribute[str, Any] = MapAttribute(default=dict)


class RefusedCallbackItem(RecordItem, discriminator="refused_callback"):
    """A callback with a right signature and wrong contents: somebody has to look at it."""

    number = UnicodeAttribute()  # out_trade_no or out_refund_no
    reason = UnicodeAttribute()
