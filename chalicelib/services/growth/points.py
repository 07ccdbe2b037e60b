"""Points of buyers: spent by an order, given back by it, earned with it.

All of it is part of the order's own transactions (services.orders). An account is one item of its
buyer's, written on condition that it is as it was read; whoever loses that race reads it again.
Points are spent of all accounts of a person, and what an order gives back or earns goes to that of
the order's own buyer, so that a merge of buyers moves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain import points_account
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Intent
from chalicelib.domain.points import PointsMove, PointsRule
from chalicelib.domain.points_account import PointsAccount, PointsEntry, PointsKind
from chalicelib.errors import PointsRefused
from chalicelib.services.growth import members
from chalicelib.services.people import buyers, merchants, shop_cache
from chalicelib.tables.base import LostRace, Writes, as_read, get_or_none
from chalicelib.tables.growth import PointsItem, PointsPageItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

ENTRIES_MAX = 10  # in the account itself, which stays within 1 KB


def rule(merchant_id: str, now_s: int) -> PointsRule:
    """The shop's rule, as old as its other settings."""
    return merchants.rule_of_shop(shop_cache.merchant(merchant_id, now_s))


def read(merchant_id: str, ids: Sequence[str]) -> dict[str, PointsItem]:
    """The accounts of a person by their ids, as they are now, in one call; where there is none, one
    that is not yet stored."""
    found = {one: PointsItem.at(merchant_id, one) for one in ids}
    keys = [(item.pk, item.sk) for item in found.values()]
    for item in TradeItem.batch_get(keys, consistent_read=True):
        if isinstance(item, PointsItem):
            found[item.buyer_id] = item
    return found


def balance(merchant_id: str, ids: Sequence[str], *, now_s: int) -> int:
    """What a person can spend now."""
    items = read(merchant_id, ids).values()
    return points_account.spendable(item.view().on(now_s) for item in items)


def spend(
    writes: Writes,
    merchant_id: str,
    ids: Sequence[str],
    order_id: OrderId,
    points: int,
    *,
    now_s: int,
) -> dict[str, int]:
    """Spend points of a person for the order that is placed in the same transaction. Returns the
    lots that they are of. Raises PointsRefused when there are fewer, or SessionSuperseded."""
    spent = PointsEntry(now_s, -points, PointsKind.SPENT, str(order_id))
    return _take(writes, merchant_id, ids, spent)


def exchange_by_order(
    writes: Writes,
    merchant_id: str,
    ids: Sequence[str],
    order_id: OrderId,
    points: int,
    *,
    now_s: int,
) -> dict[str, int]:
    """As `spend`, for units of a points offer."""
    taken = PointsEntry(now_s, -points, PointsKind.EXCHANGED, str(order_id))
    return _take(writes, merchant_id, ids, taken)


def exchange(
    writes: Writes, merchant_id: str, ids: Sequence[str], points: int, name: str, *, now_s: int
) -> None:
    """Take points of a person for what the same transaction gives them; name: what it is called.
    Raises PointsRefused when there are fewer, or the shop has no points any more;
    SessionSuperseded."""
    check_on(rule(merchant_id, now_s))
    _take(writes, merchant_id, ids, PointsEntry(now_s, -points, PointsKind.EXCHANGED, "", name))


def check_on(known: PointsRule) -> None:
    """Raises PointsRefused while nothing can be exchanged for points."""
    if not known.on:
        raise PointsRefused("店铺暂停使用积分，积分还在你的账户里。")


def _take(
    writes: Writes, merchant_id: str, ids: Sequence[str], entry: PointsEntry
) -> dict[str, int]:
    """Take what an entry says out of the accounts of a person. Returns the lots it is of."""
    points, now_s = -entry.points, entry.at_s
    items = read(merchant_id, ids)
    accounts = {one: item.view().on(now_s) for one, item in items.items()}
    there = points_account.spendable(accounts.values())
    if there < points:
        buyers.refuse_other_ids(merchant_id, ids)  # a closed account has none, and a merged id few
        raise (missing if entry.kind is PointsKind.EXCHANGED else too_few)(there, points)
    used: dict[str, int] = {}
    for one, lots in points_account.spread(accounts, points).items():
        share = replace(entry, points=-sum(lots.values()))
        put(writes, items[one], accounts[one].taken(share))
        used |= {lot: used.get(lot, 0) + count for lot, count in lots.items()}
    return used


def too_few(balance: int, wanted: int) -> PointsRefused:
    words = "你现在有 {balance} 积分，不够用 {points}，请重新选择。"
    return PointsRefused(Text(words, balance=balance, points=wanted), balance=balance)


def missing(balance: int, wanted: int) -> PointsRefused:
    """The refusal of an exchange for which there are too few."""
    words = "兑换需要 {points} 积分，你有 {balance}，还差 {missing}。"
    lack = wanted - balance
    told = Text(words, points=wanted, balance=balance, missing=lack)
    return PointsRefused(told, balance=balance, missing=lack)


def move(writes: Writes, order: OrderItem, moved: PointsMove, growth: int, *, now_s: int) -> None:
    """Write what an event of an order moves in its buyer's account, and what it adds to their
    growth; a closed one takes nothing."""
    key = PointsItem.at(order.merchant_id, order.buyer_id)
    item = get_or_none(key) or key
    if item.closed_at_s is not None:
        return
    account, order_id = item.view().on(now_s), str(order.order_id)
    if moved.returned:
        lots = points_account.back(moved.returned, now_s)
        back = PointsEntry(now_s, sum(lots.values()), PointsKind.RETURNED, order_id)
        account = account.added(lots, back).on(now_s)
    if moved.earned > 0:
        lot = points_account.lot_of(rule(order.merchant_id, now_s), now_s)
        earned = PointsEntry(now_s, moved.earned, PointsKind.EARNED, order_id)
        account = account.added({lot: moved.earned}, earned)
    elif moved.earned < 0:
        account = account.taken(PointsEntry(now_s, moved.earned, PointsKind.TAKEN_BACK, order_id))
    put(writes, item, account, growth=item.growth + growth, order_id=order_id)
    if growth:
        members.mark(writes, order.merchant_id, order.buyer_id, now_s=now_s)


def forfeit(writes: Writes, merchant_id: str, ids: Sequence[str], *, now_s: int) -> None:
    """Close all accounts of a person who has any, with what is left in them and what they have
    grown: nothing comes in after that."""
    items = read(merchant_id, ids)
    if not any(item.revision for item in items.values()):
        return
    for item in items.values():
        account = item.view().on(now_s)
        if account.balance:
            lost = PointsEntry(now_s, -account.balance, PointsKind.FORFEITED)
            account = PointsAccount(0, {}, (*account.entries, lost))
        put(writes, item, account, growth=0, closed_at_s=now_s)


def put(writes: Writes, item: PointsItem, account: PointsAccount, **more: Any) -> None:
    """Store the account that has become of an item as it was read: entries that it has no room for
    go into a page, and its marker says when its buyer is to be warned, or something runs out."""
    entries, pages = account.entries, item.pages
    if len(entries) > ENTRIES_MAX:
        page, entries, pages = entries[:ENTRIES_MAX], entries[ENTRIES_MAX:], pages + 1
        writes.put(
            PointsPageItem.at(
                item.merchant_id,
                item.buyer_id,
                pages,
                page[-1].at_s,
                entries=[entry.stored() for entry in page],
            ),
            refuse=LostRace,
        )
    orders = [entry.order_id for entry in entries if entry.order_id]
    kept: Mapping[str, Any] = {
        "order_id": orders[-1] if orders else item.order_id,
        "growth": item.growth,
        "warned": item.warned,
        "closed_at_s": item.closed_at_s,
    }
    after = PointsItem.at(
        item.merchant_id,
        item.buyer_id,
        balance=account.balance,
        lots=dict(account.lots),
        entries=[entry.stored() for entry in entries],
        pages=pages,
        revision=item.revision + 1,
        **{**kept, **more},
    )
    due_at_s = _due_at_s(account, after.warned)
    if due_at_s is not None:
        after.marked(Intent.POINTS, due_at_s)
    as_it_was = as_read(PointsItem.revision, item.revision or None)
    writes.put(after, condition=as_it_was, refuse=LostRace)


def _due_at_s(account: PointsAccount, warned: str | None) -> int | None:
    """When the next lot runs out; before its buyer was warned of it, some days earlier."""
    lot = account.next_lot
    if lot is None:
        return None
    end_s = points_account.end_s(lot)
    return end_s if lot == warned else end_s - points_account.WARN_DAYS * DAY_S
