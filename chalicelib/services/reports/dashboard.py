"""The shop at a glance: what happened today and in the last days, and what waits for somebody."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.after_sale import FOR_STAFF
from chalicelib.domain.beijing import BEIJING, day_of, midnight_s
from chalicelib.domain.counts import Sums
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.rights import Area, Right, Rights, act, may, view
from chalicelib.errors import InvalidRequest
from chalicelib.services.catalogue import product_lists
from chalicelib.services.groups import group_lists
from chalicelib.services.orders import counting
from chalicelib.tables.buyers import after_sales_list
from chalicelib.tables.review_queue import differences_list, refund_reviews, rejected_results
from chalicelib.tables.trade import orders_list
from chalicelib.tables.trade_item import listed_count

DAYS = 30  # today included
TO_DO_MAX = 100  # "99+"


@dataclass(frozen=True)
class Figures:
    """Sums by day. Whole hours alone can be compared with yesterday: counters know no minutes."""

    today: Sums
    until_s: int  # the last whole hour
    today_until: Sums
    yesterday_until: Sums  # until the same hour
    days: list[tuple[dt.date, Sums]]  # the newest first, today among them


@dataclass(frozen=True)
class ToDo:
    """How many of each wait, up to TO_DO_MAX. None: whoever asks cannot work on them.

    groups_ending_soon, low_stock: None too when there are too many activities or products to look
    at.
    """

    to_ship: int | None
    after_sales: int | None
    refunds: int | None  # that only a person can mend
    groups_ending_soon: int | None
    low_stock: int | None  # products
    differences: int | None  # between bills and ledger, open
    rejected_results: int | None  # of gateways, that the books do not take


def figures(merchant_id: str, *, now_s: int) -> Figures:
    """What the shop's counters say of the last DAYS, in three calls."""
    today = day_of(now_s)
    last_days = [today - dt.timedelta(days=ago) for ago in range(DAYS)]
    shards = counting.days(merchant_id, last_days)
    hours = dt.datetime.fromtimestamp(now_s, BEIJING).hour
    return Figures(
        today=counting.sums_until(shards[today]),
        until_s=midnight_s(today) + hours * 3600,
        today_until=counting.sums_until(shards[today], hours=hours),
        yesterday_until=counting.sums_until(shards[last_days[1]], hours=hours),
        days=[(day, counting.sums_until(shards[day])) for day in last_days],
    )


def to_do(merchant_id: str, rights: Rights, *, now_s: int) -> ToDo:
    """What waits for somebody with these rights: each count is one call, but that of groups one
    per activity, and that of stock some more where products have a warning level."""

    def waits(count: Callable[[], int | None], *needed: Right) -> int | None:
        return count() if all(may(rights, right) for right in needed) else None

    def listed(key: str) -> Callable[[], int]:
        return lambda: listed_count(key, most=TO_DO_MAX)

    to_ship = orders_list(merchant_id, OrderStatus.FULFILLING)
    deal = (view(Area.RECONCILIATION), act(Area.REFUNDS))
    return ToDo(
        to_ship=waits(listed(to_ship), act(Area.SHIPPING)),
        after_sales=waits(lambda: _after_sales(merchant_id), act(Area.AFTER_SALES)),
        refunds=waits(listed(refund_reviews(merchant_id)), act(Area.REFUNDS)),
        groups_ending_soon=waits(
            lambda: _groups_ending_soon(merchant_id, now_s), act(Area.ACTIVITIES)
        ),
        low_stock=waits(
            lambda: product_lists.short_of_stock(merchant_id, at_most=TO_DO_MAX), act(Area.GOODS)
        ),
        differences=waits(listed(differences_list(merchant_id, is_open=True)), *deal),
        rejected_results=waits(listed(rejected_results(merchant_id)), *deal),
    )


def _after_sales(merchant_id: str) -> int:
    """Requests to be decided, goods to be received, and replacements to be sent or handed over."""
    lists = (after_sales_list(merchant_id, status) for status in FOR_STAFF)
    return min(TO_DO_MAX, sum(listed_count(key, most=TO_DO_MAX) for key in lists))


def _groups_ending_soon(merchant_id: str, now_s: int) -> int | None:
    try:
        return group_lists.ending_soon(merchant_id, at_most=TO_DO_MAX, now_s=now_s)
    except InvalidRequest:
        return None
