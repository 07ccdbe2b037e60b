"""The life of a published activity: paused, resumed, ended early, and closed when it is over.

| step          | written together                                                     |
|---------------|----------------------------------------------------------------------|
| pause, resume | activity, audit row                                                  |
| end           | activity, closing intent, claims on the product's stock, audit row   |
| close         | per SKU: all buckets, the product's stock without the claim          |

Publishing and changing terms are in services.publishing.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from pynamodb.expressions.update import Action

from chalicelib.domain.activity import ActivityState, ActivityStatus, Terms, state_of
from chalicelib.domain.order import Intent
from chalicelib.errors import ActivityClosed, Conflict, NotFound
from chalicelib.services import timeouts
from chalicelib.services.catalogue import catalogue_cache, products, reservations
from chalicelib.services.catalogue.reservations import Shelf
from chalicelib.services.people import merchants
from chalicelib.services.people.audit import audit
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, transaction, update_one
from chalicelib.tables.catalogue import ActivityItem, ProductItem, ProductStockItem, rank
from chalicelib.tables.trade import ClosingItem, StockItem
from chalicelib.tables.trade_item import not_due

SWITCHED = {  # the audit log's words
    ActivityStatus.PAUSED: "activity_paused",
    ActivityStatus.PUBLISHED: "activity_resumed",
}


def read(merchant_id: str, activity_id: str) -> ActivityItem:
    """The activity as it is now. Raises NotFound."""
    item = get_or_none(ActivityItem.at(merchant_id, activity_id))
    if item is None:
        raise NotFound("没有找到这个活动。")
    return item


def pause(merchant_id: str, activity_id: str, *, staff: str, now_s: int) -> ActivityItem:
    """Let no new groups open; those that are open go on. Raises NotFound, ActivityClosed, Busy."""
    return _switch(merchant_id, activity_id, ActivityStatus.PAUSED, staff, now_s)


def resume(merchant_id: str, activity_id: str, *, staff: str, now_s: int) -> ActivityItem:
    """Let groups open again. Raises NotFound, ActivityClosed, Conflict when the product was taken
    off sale meanwhile, Busy."""
    return _switch(merchant_id, activity_id, ActivityStatus.PUBLISHED, staff, now_s)


def end(merchant_id: str, activity_id: str, *, staff: str, now_s: int) -> ActivityItem:
    """End an activity before its time: no new groups; those that are open keep their deadlines.

    Its SKUs are free for another activity at once. Unsold stock goes back to the product when
    the last open group can have been decided. A repeat changes nothing. Raises NotFound, Busy.
    """

    def step() -> ActivityItem:
        old = read(merchant_id, activity_id)
        if state_of(old.status, old.starts_at_s, old.ends_at_s, now_s=now_s) is (
            ActivityState.ENDED
        ):
            return old
        ended = catalogue_cache.terms_of(old)
        # A leader may still pay until the pay-by time, and the group then lives its whole life.
        last_pay_by_s = now_s + settings.shortened(merchants.PAY_BY_MAX_S)
        decided_by_s = min(old.ends_at_s, last_pay_by_s + old.life_max_s)
        stocks = products.read(merchant_id, old.product_id).stocks
        with transaction() as writes:
            status = ActivityStatus.ENDED.value
            actions = [
                ActivityItem.status.set(status),
                ActivityItem.ended_at_s.set(now_s),
                ActivityItem.list_rank.set(rank(now_s, activity_id)),
            ]
            update(writes, old, actions)
            set_closing(writes, old, decided_by_s + timeouts.CLOSING_AFTER_S)
            for sku in ended.skus:
                claim(writes, stocks[sku.sku_id], ended, now_s)
            before, after = {"status": old.status}, {"status": status}
            subject = f"activity#{activity_id}"
            audit(writes, merchant_id, staff, "activity_ended", subject, before, after, now_s)
        return read(merchant_id, activity_id)

    return retried(step)


def return_unsold_stock(merchant_id: str, activity_id: str, *, now_s: int) -> int:
    """Give the unsold stock of an activity that is over back to the product; returns the units.

    Does nothing before the closing intent is due. Each SKU is one transaction, and the intent
    goes with the last, so that any number of runs, at once or one after another, give back what
    is there once. Units that return later go to the product (reservations.give_back).
    Raises Busy when buyers were faster each time; the next run goes on.
    """
    closing = _find_closing(merchant_id, activity_id)
    if closing is None or closing.due_at_s is None or closing.due_at_s > now_s:
        return 0
    activity = read(merchant_id, activity_id)
    units = 0
    for sku in catalogue_cache.terms_of(activity).skus:
        shelf = shelf_of(activity, sku.sku_id)
        units += retried(partial(_empty, closing, shelf))
    with suppress(LostRace):  # another run closed it, too
        update_one(closing, not_due(), condition=closing.marker_as_read(), refuse=LostRace)
    return units


def _find_closing(merchant_id: str, activity_id: str) -> ClosingItem | None:
    return get_or_none(ClosingItem.at(merchant_id, activity_id))


def _empty(closing: ClosingItem, shelf: Shelf) -> int:
    """Move what the shelf has left to the product; buckets that are emptied stay so."""
    buckets = [bucket for bucket in reservations.buckets_of(shelf) if not bucket.ended]
    if not buckets:
        return 0
    units = sum(bucket.available for bucket in buckets)
    with transaction() as writes:
        writes.check(closing, condition=closing.marker_as_read(), refuse=LostRace)
        for bucket in buckets:
            writes.update(
                bucket,
                [StockItem.available.set(0), StockItem.ended.set(True)],
                condition=StockItem.available == bucket.available,
                refuse=LostRace,
            )
        writes.update(
            ProductStockItem.at(shelf.merchant_id, shelf.product_id, shelf.sku_id),
            [
                ProductStockItem.available.add(units),
                ProductStockItem.activities[shelf.activity_id].remove(),
                ProductStockItem.revision.add(1),
            ],
            # Whoever emptied the shelf first has taken the claim away.
            condition=ProductStockItem.activities[shelf.activity_id].exists(),
            refuse=LostRace,
        )
    return units


def shelf_of(activity: ActivityItem, sku_id: str) -> Shelf:
    return Shelf(
        activity.merchant_id,
        activity.activity_id,
        activity.product_id,
        sku_id,
        activity.buckets,
    )


def _switch(
    merchant_id: str, activity_id: str, status: ActivityStatus, staff: str, now_s: int
) -> ActivityItem:
    def step() -> ActivityItem:
        old = not_over(merchant_id, activity_id, now_s)
        if old.status == status:
            return old
        with transaction() as writes:
            update(writes, old, [ActivityItem.status.set(status.value)])
            if status is ActivityStatus.PUBLISHED:
                _require_on_sale(writes, old)
            before, after = {"status": old.status}, {"status": status.value}
            subject = f"activity#{activity_id}"
            audit(writes, merchant_id, staff, SWITCHED[status], subject, before, after, now_s)
        return read(merchant_id, activity_id)

    return retried(step)


def _require_on_sale(writes: Writes, activity: ActivityItem) -> None:
    """What cannot be published cannot be resumed."""
    writes.check(
        ProductItem.at(activity.merchant_id, activity.product_id),
        condition=ProductItem.on_sale == True,  # noqa: E712  (an expression of the table)
        refuse=lambda old: Conflict("这个商品已下架，请先上架，再恢复活动。"),
    )


def not_over(merchant_id: str, activity_id: str, now_s: int) -> ActivityItem:
    """The activity as it is now. Raises NotFound, or ActivityClosed when it has ended."""
    item = read(merchant_id, activity_id)
    if state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s) is ActivityState.ENDED:
        raise ActivityClosed("活动已结束，不能再修改。可以复制为新活动。")
    return item


def claim(
    writes: Writes, stock: ProductStockItem, offered: Terms, ends_at_s: int, *, units: int = 0
) -> None:
    """Say in the product's stock until when the activity sells it, and take `units` from it."""
    claim = {
        "name": offered.title,
        "starts_at_s": offered.starts_at_s,
        "ends_at_s": ends_at_s,
    }
    writes.update(
        stock,
        [
            ProductStockItem.activities[offered.activity_id].set(claim),
            ProductStockItem.revision.add(1),
            ProductStockItem.available.add(-units),
        ],
        condition=(ProductStockItem.revision == stock.revision)
        & (ProductStockItem.available >= units),
        refuse=LostRace,
    )


def keep_for(writes: Writes, old: ActivityItem, life_s: int) -> None:
    """See to it that an activity which is not ended gives its groups `life_s` from now, should it
    be ended."""
    writes.update(
        old,
        [ActivityItem.life_max_s.set(max(old.life_max_s, life_s))],
        condition=ActivityItem.ended_at_s.does_not_exist()
        & (ActivityItem.life_max_s == old.life_max_s),
        refuse=LostRace,
    )


def set_closing(writes: Writes, old: ActivityItem, closes_at_s: int) -> None:
    """Move the closing intent of an activity that has not been ended."""
    closing = ClosingItem.at(old.merchant_id, old.activity_id)
    writes.update(
        closing,
        closing.due(Intent.CLOSING, closes_at_s),
        condition=ClosingItem.due_at_s == old.ends_at_s + timeouts.CLOSING_AFTER_S,
        refuse=LostRace,
    )


def update(writes: Writes, old: ActivityItem, actions: Sequence[Action]) -> None:
    """Change the activity, unless somebody else did since it was read, or a group of it was given
    more time, which is no edit and leaves the revision alone."""
    writes.update(
        old,
        [ActivityItem.revision.add(1), *actions],
        condition=(ActivityItem.revision == old.revision)
        & (ActivityItem.life_max_s == old.life_max_s),
        refuse=LostRace,
    )
