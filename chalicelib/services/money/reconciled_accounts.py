"""Which of a merchant's accounts a bill is of: those with one merchant number share one."""

from contextlib import suppress
from datetime import date

from chalicelib.domain.beijing import DAY_S, midnight_s
from chalicelib.gateways import accounts
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import PaymentGateway
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.tables.base import LostRace, update_one
from chalicelib.tables.records import DayBookItem, RecordItem, day_book
from chalicelib.tables.trade import ReconcilingItem
from chalicelib.tables.trade_item import not_due

# WeChat Pay refunds for a year, and what was refunded then stands in a later bill.
BILLS_AFTER_S = 400 * DAY_S


def billing_account(merchant_id: str, method: str, account: str) -> str:
    """The account under which the bills of `account` are compared."""
    try:
        return payment_gateway(merchant_id, method, account).place.bills if account else account
    except NotConfigured:
        return account


def gateway_on_bill(item: ReconcilingItem, account: str) -> PaymentGateway | None:
    """The gateway of an account whose payments stand in the item's bills; else None."""
    bills = item.account or accounts.FIRST
    try:
        gateway = payment_gateway(item.merchant_id, item.method, account)
    except NotConfigured:
        return None
    return gateway if account == bills or gateway.place.bills == bills else None


def day_book_rows(item: ReconcilingItem, day: date) -> list[DayBookItem]:
    """What our day book has of the day at the accounts of the item's bills."""
    rows = RecordItem.query(day_book(item.merchant_id, day), consistent_read=True)
    return [
        row
        for row in rows
        if isinstance(row, DayBookItem)
        and row.method == item.method
        and (row.account == item.account or gateway_on_bill(item, row.account or "") is not None)
    ]


def is_earlier_account(item: ReconcilingItem) -> bool:
    """Whether no new payments come into the item's bills."""
    return _last_used_s(item) is not None


def stop_when_over(item: ReconcilingItem) -> bool:
    """Whether nothing of an account of before can stand in the bill of the item's day: it is not
    read any more then."""
    used_s = _last_used_s(item)
    if used_s is None or midnight_s(date.fromisoformat(item.day)) < used_s + BILLS_AFTER_S:
        return False
    with suppress(LostRace):  # another run has done it
        update_one(item, not_due(), condition=item.marker_as_read(), refuse=LostRace)
    return True


def _last_used_s(item: ReconcilingItem) -> int | None:
    """Until when new payments came into the item's bills; None: they still do."""
    bills = item.account or accounts.FIRST
    try:
        if payment_gateway(item.merchant_id, item.method).place.bills == bills:
            return None
        _, content = accounts.content_of(item.merchant_id, item.method, None)
    except NotConfigured:
        return None
    history = accounts.history_of(content)
    ended = [one.until_s for one in history.earlier if one.bills == bills]
    return None if history.place.bills == bills or not ended else max(ended)
