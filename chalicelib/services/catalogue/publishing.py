"""Publishing activities and changing their terms; each with all its items, or not at all.

| step    | written together                                                               |
|---------|--------------------------------------------------------------------------------|
| publish | activity, version 1, closing intent, the count of a 万人团; per SKU: stock and    |
|         | claim of the product, buckets of the activity; audit row                       |
| change  | activity, the next version; a later end: closing intent, claims; audit row     |
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from chalicelib.domain import activity_draft
from chalicelib.domain.activity import ActivityStatus, StockClaim, Terms, refuse_overlap, spread
from chalicelib.domain.activity_draft import Draft
from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Intent
from chalicelib.domain.product import Problem
from chalicelib.errors import Changed, IdempotencyMismatch, InvalidRequest
from chalicelib.services import timeouts
from chalicelib.services.catalogue import (
    catalogue_cache,
    level_references,
    products_for_sale,
    promised_coupons,
)
from chalicelib.services.catalogue.activities import claim, not_over, read, set_closing, update
from chalicelib.services.catalogue.products import Stocked
from chalicelib.services.catalogue.promised_coupons import Promised
from chalicelib.services.people.audit import audit
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, transaction
from chalicelib.tables.catalogue import ActivityItem, VersionItem, activities_list, rank
from chalicelib.tables.crowd import CrowdItem
from chalicelib.tables.trade import ClosingItem, StockItem
from chalicelib.text import Text

LISTS = ("skus", "reductions", "tiers", "level_seats", "crowd_tiers")  # of what terms are made


def publish(
    merchant_id: str,
    draft: Draft,
    *,
    staff: str,
    now_s: int,
    activity_id: str | None = None,
    body_hash: str = "",
) -> ActivityItem:
    """Publish an activity; its stock moves from the product, all of it or none.

    A repeat with the same `activity_id` gets the first activity; with another `body_hash`,
    IdempotencyMismatch. Raises InvalidRequest with all problems, ActivityOverlaps, or Busy.
    """
    key = activity_id or new_id()
    draft = replace(draft, title=draft.title.strip(), starts_at_s=max(draft.starts_at_s, now_s))

    def step() -> ActivityItem:
        first = get_or_none(ActivityItem.at(merchant_id, key))
        if first is not None:
            if first.body_hash != body_hash:
                raise IdempotencyMismatch
            return first
        source = products_for_sale.source_of(merchant_id, draft.product_id)
        offers = products_for_sale.offers_of(source)
        window_min_s = settings.shortened(activity_draft.WINDOW_MIN_S)
        compensation = promised_coupons.promise(
            merchant_id, draft.compensation_id, ends_at_s=draft.ends_at_s, now_s=now_s
        )
        problems = activity_draft.problems_of(draft, offers, now_s=now_s, window_min_s=window_min_s)
        promised = promised_coupons.to_leaders(merchant_id, draft, now_s=now_s)
        levels = level_references.problems(merchant_id, draft)
        _refuse([*problems, *compensation.problems, *promised, *levels])
        images = source.product.images
        fresh = activity_draft.first_terms(
            draft,
            offers,
            activity_id=key,
            category_id=source.product.category_id,
            image=images[0] if images else "",
            life_s=_life_s(draft),
            compensation_words=compensation.words,
        )
        _refuse_overlaps(source, fresh)
        with transaction() as writes:
            _put_activity(writes, merchant_id, fresh, source, body_hash, now_s)
            for sku in draft.skus:
                stock = source.stocks[sku.sku_id]
                claim(writes, stock, fresh, fresh.ends_at_s, units=sku.stock or 0)
                _put_buckets(writes, merchant_id, fresh, sku.sku_id, sku.stock or 0)
            after = _fields(fresh) | {"stock": {sku.sku_id: sku.stock for sku in draft.skus}}
            subject = f"activity#{key}"
            audit(writes, merchant_id, staff, "activity_published", subject, {}, after, now_s)
        return read(merchant_id, key)

    return retried(step)


def change(
    merchant_id: str,
    activity_id: str,
    draft: Draft,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> ActivityItem:
    """Make the next version of an activity that was read at `revision`; a repeat makes no other.

    Groups that are open keep the version they were opened with. Prices not in `draft` are the
    product's of now. Raises NotFound, ActivityClosed, Changed, InvalidRequest with all problems,
    ActivityOverlaps, or Busy.
    """

    def step() -> ActivityItem:
        old = not_over(merchant_id, activity_id, now_s)
        before = catalogue_cache.terms_of(old)
        source = products_for_sale.source_of(merchant_id, before.product_id)
        offers = products_for_sale.offers_of(source)
        window_min_s = settings.shortened(activity_draft.WINDOW_MIN_S)
        compensation = _compensation(merchant_id, draft, before, now_s)
        problems = activity_draft.change_problems_of(
            draft, before, offers, now_s=now_s, window_min_s=window_min_s
        )
        promised = promised_coupons.to_leaders(merchant_id, draft, before, now_s=now_s)
        levels = level_references.problems(merchant_id, draft, before)
        _refuse([*problems, *compensation.problems, *promised, *levels])
        changed = activity_draft.changed_terms(
            before,
            draft,
            offers,
            life_s=_life_s(draft),
            compensation_words=compensation.words,
            now_s=now_s,
        )
        if changed is before:
            return old
        if old.revision != revision:
            raise Changed
        longer = changed.ends_at_s > before.ends_at_s
        moved = longer or changed.starts_at_s != before.starts_at_s
        if moved:
            _refuse_overlaps(source, changed)
        with transaction() as writes:
            update(writes, old, [*_differences(before, changed), *_along(old, changed, source)])
            version = VersionItem.at(merchant_id, activity_id, changed.version, **_terms(changed))
            writes.put(version, refuse=LostRace)
            if longer:
                set_closing(writes, old, changed.ends_at_s + timeouts.CLOSING_AFTER_S)
            if moved:
                for sku in changed.skus:
                    claim(writes, source.stocks[sku.sku_id], changed, changed.ends_at_s)
            subject = f"activity#{activity_id}"
            was, is_now = _fields(before), _fields(changed)
            audit(writes, merchant_id, staff, "activity_changed", subject, was, is_now, now_s)
        return read(merchant_id, activity_id)

    return retried(step)


def _compensation(merchant_id: str, draft: Draft, before: Terms, now_s: int) -> Promised:
    """What the next version promises: a promise that stays is not looked at again."""
    if draft.compensation_id == before.compensation_id:
        return Promised(before.compensation_words, [])
    return promised_coupons.promise(
        merchant_id, draft.compensation_id, ends_at_s=draft.ends_at_s, now_s=now_s
    )


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        words = Text("还有 {count} 处需要修改，改好就能发布。", count=len(problems))
        raise InvalidRequest(words, problems=list(problems))


def _refuse_overlaps(source: Stocked, offered: Terms) -> None:
    for sku in offered.skus:
        claims = claims_of(source, sku.sku_id)
        refuse_overlap(claims, offered.activity_id, offered.starts_at_s, offered.ends_at_s)


def claims_of(source: Stocked, sku_id: str) -> list[StockClaim]:
    """The activities that sell a SKU of the product, until each has given its stock back."""
    claims = source.stocks[sku_id].activities.as_dict()
    return [StockClaim(activity_id=activity_id, **kept) for activity_id, kept in claims.items()]


def _life_s(draft: Draft) -> int:
    return settings.shortened(draft.life_h * 3600)


def _put_activity(
    writes: Writes, merchant_id: str, fresh: Terms, source: Stocked, body_hash: str, now_s: int
) -> None:
    activity_id = fresh.activity_id
    item = ActivityItem.at(
        merchant_id,
        activity_id,
        **_terms(fresh),
        version=fresh.version,
        status=ActivityStatus.PUBLISHED.value,
        life_max_s=fresh.life_s,
        body_hash=body_hash,
        words=activity_draft.found_by(fresh.title, source.product.title),
        list_key=activities_list(merchant_id),
        category_key=activities_list(merchant_id, fresh.category_id),
        list_rank=rank(fresh.ends_at_s, activity_id),
    )
    closing = ClosingItem.at(merchant_id, activity_id)
    closes_at_s = fresh.ends_at_s + timeouts.CLOSING_AFTER_S
    writes.put(item, refuse=LostRace)
    writes.put(
        VersionItem.at(merchant_id, activity_id, fresh.version, **_terms(fresh)), refuse=LostRace
    )
    writes.put(closing.marked(Intent.CLOSING, closes_at_s), refuse=LostRace)
    if fresh.crowd_tiers:
        crowd = CrowdItem.at(merchant_id, activity_id)
        at_s = timeouts.next_look_at_crowd_s(fresh.starts_at_s, now_s=now_s)
        writes.put(crowd.marked(Intent.CROWD, at_s), refuse=LostRace)


def _put_buckets(writes: Writes, merchant_id: str, fresh: Terms, sku_id: str, units: int) -> None:
    for bucket, available in enumerate(spread(units, fresh.buckets)):
        item = StockItem.at(merchant_id, fresh.activity_id, sku_id, bucket, available=available)
        writes.put(item, refuse=LostRace)


def _differences(before: Terms, after: Terms) -> list[Any]:
    was, is_now = _fields(before), _fields(after)
    return [
        getattr(ActivityItem, name).set(value)
        for name, value in is_now.items()
        if was[name] != value
    ]


def _along(old: ActivityItem, changed: Terms, source: Stocked) -> list[Any]:
    """What goes with other terms: the longest life of any version, the place in lists, and what a
    search finds it by."""
    words = activity_draft.found_by(changed.title, source.product.title)
    return [
        ActivityItem.words.set(words),
        ActivityItem.life_max_s.set(max(old.life_max_s, changed.life_s)),
        ActivityItem.list_rank.set(rank(changed.ends_at_s, changed.activity_id)),
    ]


def _fields(offered: Terms) -> dict[str, Any]:
    """Terms as attributes of ActivityItem and VersionItem."""
    fields = asdict(offered)
    fields |= {name: list(fields[name]) for name in LISTS}
    fields["new_buyers"] = offered.new_buyers.value
    return fields


def _terms(offered: Terms) -> dict[str, Any]:
    """As `_fields`, without what the items' keys are made of."""
    keys = ("activity_id", "version")
    return {name: value for name, value in _fields(offered).items() if name not in keys}
