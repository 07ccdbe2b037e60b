"""Before an activity is published: what is wrong with a draft, and a draft like an activity.

Nothing is written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain import activity_draft, pricing
from chalicelib.domain.activity import LevelSeats, NewBuyers, StockClaim, Tier, overlaps_of
from chalicelib.domain.activity_draft import Draft, DraftSku, Offer
from chalicelib.domain.coupon import Bought, CouponTerms, terms_of
from chalicelib.domain.coupon_draft import TemplateState
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.pricing import Reduction
from chalicelib.domain.product import Problem, trouble
from chalicelib.errors import InvalidRequest
from chalicelib.services.catalogue import (
    activities,
    catalogue_cache,
    coupon_templates,
    level_references,
    products,
    products_for_sale,
    promised_coupons,
    publishing,
)
from chalicelib.services.catalogue.products import Stocked
from chalicelib.settings import settings


@dataclass(frozen=True)
class LowestPrice:
    """The least that one unit of a SKU may be sold for, in an order of `quantity` units with that
    coupon; empty: with none. cost_fen: what the shop paid for it; None: not known."""

    sku_id: str
    unit_price_fen: int
    quantity: int
    coupon_name: str
    cost_fen: int | None

    @property
    def is_below_cost(self) -> bool:
        return self.cost_fen is not None and self.unit_price_fen < self.cost_fen


@dataclass(frozen=True)
class Checked:
    """What keeps a draft from being published: each problem with its field, and every other
    activity that sells one of its SKUs at the same time. lowest: empty while there are problems."""

    problems: list[Problem]
    overlaps: list[StockClaim]
    lowest: list[LowestPrice]


def check(merchant_id: str, draft: Draft, *, now_s: int) -> Checked:
    """Everything that publishing `draft` now would be refused for, by the same rules."""
    draft = replace(draft, title=draft.title.strip(), starts_at_s=max(draft.starts_at_s, now_s))
    try:
        source = products_for_sale.source_of(merchant_id, draft.product_id)
    except InvalidRequest as refusal:
        return Checked([trouble(str(refusal.details["field"]), refusal.message)], [], [])
    offers = products_for_sale.offers_of(source)
    window_min_s = settings.shortened(activity_draft.WINDOW_MIN_S)
    problems = [
        *activity_draft.problems_of(draft, offers, now_s=now_s, window_min_s=window_min_s),
        *promised_coupons.promise(
            merchant_id, draft.compensation_id, ends_at_s=draft.ends_at_s, now_s=now_s
        ).problems,
        *promised_coupons.to_leaders(merchant_id, draft, now_s=now_s),
        *level_references.problems(merchant_id, draft),
    ]
    overlaps = {
        claim.activity_id: claim
        for sku in draft.skus
        if sku.sku_id in offers
        for claim in overlaps_of(
            publishing.claims_of(source, sku.sku_id), "", draft.starts_at_s, draft.ends_at_s
        )
    }
    lowest = []
    if not problems:
        coupons = _coupons(merchant_id, draft, source, now_s)
        lowest = _lowest(draft, source, level_references.rule_now(merchant_id), coupons)
    return Checked(problems, sorted(overlaps.values(), key=lambda claim: claim.starts_at_s), lowest)


def _coupons(
    merchant_id: str, draft: Draft, source: Stocked, now_s: int
) -> list[tuple[str, CouponTerms]]:
    """The coupons that are given out and could be used for groups of the draft."""
    if not draft.coupons:
        return []
    bought = Bought(
        activity_id="",
        product_id=draft.product_id,
        categories=catalogue_cache.with_parent(merchant_id, source.product.category_id, now_s),
        in_group=True,
        takes_coupons=True,
    )
    found = [
        (item.name, terms_of(item.terms.as_dict()))
        for item in coupon_templates.everything(merchant_id)
        if coupon_templates.state_of(item, 1, now_s=now_s) is TemplateState.GIVEN_OUT
    ]
    return [(name, terms) for name, terms in found if terms.is_for(bought)]


def _lowest(
    draft: Draft,
    source: Stocked,
    rule: LevelsRule,
    coupons: Sequence[tuple[str, CouponTerms]],
) -> list[LowestPrice]:
    """A tier brings nobody below its own price, whatever they paid less than others before."""
    offers = products_for_sale.offers_of(source)
    costs = {sku["sku_id"]: sku.get("cost_fen") for sku in source.product.skus}
    back_fen = max((tier.off_fen for tier in (*draft.tiers, *draft.crowd_tiers)), default=0)
    found = []
    for sku in draft.skus:
        least_fen = sku.leader_price_fen or sku.group_price_fen
        price = pricing.lowest(least_fen, draft.limit_per_order, draft.reductions, coupons)
        each_fen = max(price.goods_fen // price.quantity - back_fen, 0)
        for member_fen in _member_prices(draft, rule, offers[sku.sku_id]):
            of_member = pricing.lowest(member_fen, draft.limit_per_order, draft.reductions, coupons)
            if of_member.goods_fen // of_member.quantity < each_fen:
                price, each_fen = of_member, of_member.goods_fen // of_member.quantity
        each_fen = 0 if draft.leader_free else each_fen
        cost_fen = costs[sku.sku_id]
        found.append(LowestPrice(sku.sku_id, each_fen, price.quantity, price.coupon_name, cost_fen))
    return found


def _member_prices(draft: Draft, rule: LevelsRule, offer: Offer) -> list[int]:
    """What a unit costs members of each level in groups of the draft."""
    if not draft.member_prices or not rule.on:
        return []
    return [it.price_fen(offer.solo_price_fen, offer.member_price_fen) for it in rule.levels]


def copied(merchant_id: str, activity_id: str, *, now_s: int) -> Draft:
    """A draft like an activity: it starts at once and runs as long, with the SKUs that the product
    still has. How many units it gets is for staff to say. Raises NotFound.
    """
    item = activities.read(merchant_id, activity_id)
    sold = {sku["sku_id"] for sku in products.read(merchant_id, item.product_id).product.skus}
    return Draft(
        product_id=item.product_id,
        title=item.title,
        skus=tuple(
            DraftSku(sku["sku_id"], sku["group_price_fen"], 0, sku.get("leader_price_fen"))
            for sku in item.skus
            if sku["sku_id"] in sold
        ),
        seats_total=item.seats_total,
        life_h=item.life_h,
        ends_at_s=now_s + item.ends_at_s - item.starts_at_s,
        limit_per_buyer=item.limit_per_buyer,
        limit_per_order=item.limit_per_order,
        reductions=tuple(Reduction(**one) for one in item.reductions),
        coupons=item.coupons,
        points=item.points,
        new_buyers=NewBuyers(item.new_buyers),
        compensation_id=item.compensation_id,
        compensation_points=item.compensation_points,
        seats_least=item.seats_least,
        leader_free=item.leader_free,
        tiers=tuple(Tier(**one) for one in item.tiers),
        member_prices=item.member_prices,
        members_from=item.members_from,
        level_seats=tuple(LevelSeats(**one) for one in item.level_seats),
        leader_points=item.leader_points,
        leader_coupon_id=item.leader_coupon_id,
        combines=item.combines,
        crowd_tiers=tuple(Tier(**one) for one in item.crowd_tiers),
        per_minute=item.per_minute,
    )
