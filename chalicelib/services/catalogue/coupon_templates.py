"""Coupon templates: what a shop gives out, how many, and until when.

The terms of a template never change: a coupon keeps those that it was claimed with. Staff rename
it, change how many there are, or withdraw it; what was claimed stays good then, or is revoked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.coupon import CouponTerms, Scope
from chalicelib.domain.coupon_draft import CouponDraft, TemplateState, problems_of
from chalicelib.domain.product import raise_problems, trouble
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.catalogue import crud, level_references
from chalicelib.services.catalogue.crud import Kind
from chalicelib.tables.base import Writes, get_or_none
from chalicelib.tables.catalogue import ActivityItem, ProductItem
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.growth import TALLY_SHARDS, CouponStockItem, CouponTallyItem, unused_list
from chalicelib.tables.shop import CategoryItem, CouponTemplateItem
from chalicelib.tables.trade_item import TradeItem, listed_count
from chalicelib.text import Text

TEMPLATES_MAX = 500
UNUSED_MAX = 10_000  # counted
SCOPE_NAME_MAX = 28  # characters, of a name in the words of a coupon


class _CouponKind(Kind[CouponTemplateItem]):
    def refuse(self, item: CouponTemplateItem, after: Mapping[str, Any], now_s: int) -> None:
        if not after and state_of(item, 1, now_s=now_s) is TemplateState.GIVEN_OUT:
            raise Conflict("还在发放，请先停止发放，再删除。")

    def write_linked(
        self,
        writes: Writes,
        merchant_id: str,
        item_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        stock = CouponStockItem.at(merchant_id, item_id)
        if not after:
            return
        if not before:
            stock.left = after["total"]
            writes.put(stock, refuse=lambda old: Conflict())
        elif "withdrawn_at_s" in after:
            writes.update(
                stock,
                [CouponStockItem.withdrawn.set(True)],
                condition=CouponStockItem.left.exists(),
                refuse=lambda old: Conflict(),
            )
        else:
            more = after["total"] - before["total"]
            writes.update(
                stock,
                [CouponStockItem.left.add(more)],
                condition=CouponStockItem.left >= -more,
                refuse=_too_few(before["total"]),
            )


KIND = _CouponKind(CouponTemplateItem, "优惠券", most=TEMPLATES_MAX, kept_for_ever=True)


def everything(merchant_id: str) -> list[CouponTemplateItem]:
    """All templates, the newest first."""
    found = crud.everything(KIND, merchant_id)
    return sorted(found, key=lambda item: (-item.created_at_s, item.template_id))


def read(merchant_id: str, template_id: str) -> CouponTemplateItem:
    """The template as it is now. Raises NotFound."""
    return crud.read(KIND, merchant_id, template_id)


def missing() -> NotFound:
    """The refusal of a template that is not there for who asks."""
    return crud.missing(KIND)


def create(
    merchant_id: str,
    template_id: str,
    draft: CouponDraft,
    *,
    body_hash: str = "",
    staff: str,
    now_s: int,
) -> CouponTemplateItem:
    """As crud.create. Raises InvalidRequest with all problems, too."""
    terms = draft.terms
    if get_or_none(CouponTemplateItem.at(merchant_id, template_id)) is None:
        raise_problems(problems_of(draft, now_s=now_s))
        terms = replace(
            terms,
            scope_name=_name_of_scope(merchant_id, terms),
            level_name=level_references.name_of(merchant_id, terms.level_from),
        )
    fields = {
        "name": draft.name.strip(),
        "terms": terms.stored(),
        "given": draft.given.value,
        "total": draft.total,
        "per_buyer": draft.per_buyer,
        "from_s": draft.from_s,
        "until_s": draft.until_s,
        "days": draft.days,
        "grace_days": draft.grace_days,
        "points": draft.points,
        "created_at_s": now_s,
    }
    return crud.create(
        KIND, merchant_id, template_id, fields, body_hash=body_hash, staff=staff, now_s=now_s
    )


def change(
    merchant_id: str,
    template_id: str,
    name: str,
    total: int,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> CouponTemplateItem:
    """Rename a template, or change how many coupons it has: no fewer than were claimed.

    As crud.change. Raises Conflict, too.
    """
    fields = {"name": name.strip(), "total": total}
    return crud.change(
        KIND, merchant_id, template_id, fields, revision=revision, staff=staff, now_s=now_s
    )


def withdraw(
    merchant_id: str, template_id: str, *, revoke: bool, staff: str, now_s: int
) -> CouponTemplateItem:
    """Give no more out; with `revoke` those that were and are not used are good no more, within
    the seconds for which templates are cached. A repeat changes nothing. Raises NotFound, Conflict
    for what buyers paid with points, Busy."""
    item = read(merchant_id, template_id)
    if item.withdrawn_at_s is not None and (item.revoked or not revoke):
        return item
    if revoke and item.points:
        raise Conflict("这些券是买家用积分换的，不能收回，只能停止兑换。")
    withdrawn_at_s = item.withdrawn_at_s or now_s
    fields = {"withdrawn_at_s": withdrawn_at_s, "revoked": revoke}
    return crud.change(
        KIND, merchant_id, template_id, fields, revision=item.revision, staff=staff, now_s=now_s
    )


def remove(merchant_id: str, template_id: str, *, staff: str, now_s: int) -> None:
    """Remove a template that is over from the lists; what was claimed stays as it is. A repeat
    changes nothing. Raises NotFound, Conflict, Busy."""
    crud.remove(KIND, merchant_id, template_id, staff=staff, now_s=now_s)


def state_of(item: CouponTemplateItem, left: int, *, now_s: int) -> TemplateState:
    """What becomes of who wants to claim one now."""
    if item.withdrawn_at_s is not None:
        return TemplateState.REVOKED if item.revoked else TemplateState.WITHDRAWN
    if item.until_s and now_s >= item.until_s:
        return TemplateState.ENDED
    return TemplateState.GIVEN_OUT if left > 0 else TemplateState.GONE


def left(merchant_id: str, template_ids: Sequence[str]) -> dict[str, int]:
    """How many coupons of each template may yet be claimed."""
    keys = {CouponStockItem.at(merchant_id, one).pk: one for one in template_ids}
    found = TradeItem.batch_get([(pk, "coupon_stock") for pk in keys]) if keys else ()
    return {keys[item.pk]: item.left for item in found if isinstance(item, CouponStockItem)}


@dataclass(frozen=True)
class Tally:
    """What a template's coupons did: orders that were paid with one, and amounts in fen."""

    orders: int = 0
    paid_fen: int = 0
    off_fen: int = 0


def tallies(merchant_id: str, template_ids: Sequence[str]) -> dict[str, Tally]:
    """What the coupons of each template did so far."""
    of_key = {
        CouponTallyItem.at(merchant_id, one, shard).pk: one
        for one in template_ids
        for shard in range(TALLY_SHARDS)
    }
    sums = dict.fromkeys(template_ids, Tally())
    for item in TradeItem.batch_get([(pk, "coupon_tally") for pk in of_key]) if of_key else ():
        if isinstance(item, CouponTallyItem):
            known = sums[of_key[item.pk]]
            sums[of_key[item.pk]] = Tally(
                known.orders + (item.orders or 0),
                known.paid_fen + (item.paid_fen or 0),
                known.off_fen + (item.off_fen or 0),
            )
    return sums


def unused(merchant_id: str, template_id: str) -> int:
    """How many claimed coupons no order uses, those that have run out included; UNUSED_MAX when
    there are more."""
    return listed_count(unused_list(merchant_id, template_id), most=UNUSED_MAX)


def _name_of_scope(merchant_id: str, terms: CouponTerms) -> str:
    """What the first of its scope is called; empty of the whole shop. Raises InvalidRequest when
    one of them is not there."""
    places: dict[Scope, Callable[[str, str], CatalogueItem]] = {
        Scope.CATEGORIES: CategoryItem.at,
        Scope.PRODUCTS: ProductItem.at,
        Scope.ACTIVITIES: ActivityItem.at,
    }
    place = places.get(terms.scope)
    if place is None:
        return ""
    items = [place(merchant_id, one) for one in terms.scope_ids]
    found = CatalogueItem.batch_get([(item.pk, item.sk) for item in items], consistent_read=True)
    names = {
        (one.pk, one.sk): one.title if isinstance(one, ActivityItem | ProductItem) else one.name
        for one in found
        if isinstance(one, ActivityItem | ProductItem)
        or (isinstance(one, CategoryItem) and one.removed_at_s is None)
    }
    missing = len(items) - len(names)
    if missing:
        words = Text("所选的有 {count} 项已经不在了，请重新选择。", count=missing)
        raise_problems([trouble("scope_ids", words)])
    return str(names[items[0].pk, items[0].sk])[:SCOPE_NAME_MAX]


def _too_few(total: int) -> Any:
    def refuse(old: CouponStockItem | None) -> Conflict:
        claimed = total - (old.left if old else 0)
        words = "已领取或已生成兑换码 {claimed} 张，总数不能更少。"
        return Conflict(Text(words, claimed=claimed), field="total", claimed=claimed)

    return refuse
