"""What staff may write of an activity: every problem of a draft, and the terms it becomes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from chalicelib.domain import tier_draft
from chalicelib.domain.activity import (
    LevelSeats,
    NewBuyers,
    Terms,
    TermsSku,
    Tier,
    buckets_for,
)
from chalicelib.domain.money import yuan
from chalicelib.domain.pricing import Reduction
from chalicelib.domain.product import PRICE_FEN_MAX, STOCK_MAX, Problem, normal, trouble
from chalicelib.text import Text

TITLE_MAX = 28
SKUS_MAX = 48
SEATS_MIN, SEATS_MAX = 2, 100  # SEATS_MIN is the least of seats_least, too
LIFE_H_MIN, LIFE_H_MAX = 1, 72
WINDOW_MIN_S = 3600
WINDOW_MAX_S = 366 * 86400
LIMIT_PER_BUYER_MAX = 9_999
PROMISED_POINTS_MAX = 100_000
LIMIT_PER_ORDER_MAX = 999
REDUCTIONS_MAX = 5
PER_MINUTE_MAX = 1_000
TIERS_MAX = 5  # beside the first one, which everybody pays


@dataclass(frozen=True)
class DraftSku:
    sku_id: str
    group_price_fen: int
    stock: int | None = None  # units to move from the product; None when terms are changed
    leader_price_fen: int | None = None  # of who opens a group; None: as everybody


@dataclass(frozen=True)
class Draft:
    """An activity as staff wrote it."""

    product_id: str
    title: str
    skus: tuple[DraftSku, ...]
    seats_total: int
    life_h: int
    ends_at_s: int
    starts_at_s: int = 0  # 0, or a time that has passed: at once; in a change, 0: as it is
    limit_per_buyer: int = 0
    limit_per_order: int = 1
    reductions: tuple[Reduction, ...] = ()
    coupons: bool = True  # whether they can be used for its groups
    points: bool = False  # whether they can
    new_buyers: NewBuyers = NewBuyers.NOBODY
    compensation_id: str = ""  # coupon template, for who is in a group that fails
    compensation_points: int = 0  # for the same
    seats_least: int = 0  # paid seats with which a group forms at its deadline; 0: all
    leader_free: bool = False  # once the group has formed
    tiers: tuple[Tier, ...] = ()
    member_prices: bool = False  # whether members' prices count in its groups
    members_from: int = 0  # the level that buying in its groups takes; 0: none
    level_seats: tuple[LevelSeats, ...] = ()  # smaller groups, by the level of who opens them
    leader_points: int = 0  # earned by who opened a group
    leader_coupon_id: str = ""  # coupon template, for the same
    combines: bool = False  # at their deadline, of whose members agree
    crowd_tiers: tuple[Tier, ...] = ()  # 万人团: by the people of all its groups
    per_minute: int = 0  # seats that are taken in one minute at most; 0: any number
    confirms_free: bool = False  # that a group price of 0 is meant

    @property
    def least_price_fen(self) -> int:
        """The least that a unit of any SKU costs whoever buys it; 0 without SKUs."""
        each = [sku.group_price_fen for sku in self.skus]
        leaders = [sku.leader_price_fen for sku in self.skus if sku.leader_price_fen is not None]
        return min([*each, *leaders], default=0)


@dataclass(frozen=True)
class Offer:
    """What the product gives an activity to sell: a SKU, its prices and its stock."""

    sku_id: str
    spec: str
    list_price_fen: int
    solo_price_fen: int
    available: int
    member_price_fen: int | None = None


def found_by(title: str, product_title: str) -> str:
    """What a search for words looks in."""
    return normal(f"{title}\n{product_title}")


def problems_of(
    draft: Draft, offers: Mapping[str, Offer], *, now_s: int, window_min_s: int = WINDOW_MIN_S
) -> list[Problem]:
    """Everything that keeps `draft` from being published, each with its field; empty when nothing.

    offers: the product's SKUs by id. window_min_s: the shortest time an activity may run.
    """
    return [
        *_of_rules(draft),
        *_of_limits(draft),
        *_of_window(draft, now_s, window_min_s),
        *_of_skus(draft, offers),
        *_of_free(draft),
        *_of_reductions(draft),
        *_of_tiers(draft),
        *_of_level_seats(draft),
        *_of_crowd(draft, max(draft.starts_at_s, now_s)),
        *_of_stock(draft, offers),
    ]


def start_of_change(draft: Draft, terms: Terms, *, now_s: int) -> int:
    """When an activity of these terms starts after the change.

    A start that has passed means at once, which for an activity that has begun is as it is.
    """
    has_begun, at_once = terms.starts_at_s <= now_s, draft.starts_at_s <= now_s
    if not draft.starts_at_s or (has_begun and at_once):
        return terms.starts_at_s
    return max(draft.starts_at_s, now_s)


def change_problems_of(
    draft: Draft,
    terms: Terms,
    offers: Mapping[str, Offer],
    *,
    now_s: int,
    window_min_s: int = WINDOW_MIN_S,
) -> list[Problem]:
    """Everything that keeps `terms` from being changed to `draft`; empty when nothing does."""
    problems = [
        *_of_rules(draft),
        *_of_limits(draft),
        *_of_skus(draft, offers),
        *_of_free(draft, {sku.sku_id for sku in terms.skus if not sku.group_price_fen}),
        *_of_reductions(draft),
        *_of_tiers(draft),
        *_of_level_seats(draft),
    ]
    starts_at_s = start_of_change(draft, terms, now_s=now_s)
    problems += _of_crowd(draft, starts_at_s)
    if draft.crowd_tiers != terms.crowd_tiers:
        words = "万人团的档位发布后不能改，对先买的人要一样。可以复制为新活动。"
        problems.append(trouble("crowd_tiers", words))
    if starts_at_s != terms.starts_at_s:
        if terms.starts_at_s <= now_s:
            problems.append(trouble("starts_at_s", "活动已经开始，开始时间不能再改。"))
        elif draft.ends_at_s - starts_at_s < window_min_s:
            length = _length(window_min_s)
            text = Text("活动至少要进行{length}，请提前开始时间或延后结束时间。", length=length)
            problems.append(trouble("starts_at_s", text))
    if draft.ends_at_s < terms.ends_at_s:
        words = "结束时间只能延后。想早些结束，请用“结束活动”。"
        problems.append(trouble("ends_at_s", words))
    if draft.ends_at_s > max(now_s + WINDOW_MAX_S, terms.ends_at_s):
        problems.append(trouble("ends_at_s", "结束时间最晚为一年之后，请提前。"))
    if {sku.sku_id for sku in draft.skus} != {sku.sku_id for sku in terms.skus}:
        words = "活动发布后不能增减规格。可以复制为新活动。"
        problems.append(trouble("skus", words))
    return problems


def first_terms(
    draft: Draft,
    offers: Mapping[str, Offer],
    *,
    activity_id: str,
    category_id: str,
    image: str,
    life_s: int,
    compensation_words: str = "",
) -> Terms:
    """Version 1 of an activity. The draft has no problems and its stocks are given."""
    return Terms(
        activity_id=activity_id,
        version=1,
        product_id=draft.product_id,
        category_id=category_id,
        title=draft.title,
        image=image,
        skus=_priced(draft, offers),
        seats_total=draft.seats_total,
        life_h=draft.life_h,
        life_s=life_s,
        starts_at_s=draft.starts_at_s,
        ends_at_s=draft.ends_at_s,
        limit_per_buyer=draft.limit_per_buyer,
        limit_per_order=draft.limit_per_order,
        buckets=buckets_for(
            [sku.stock or 0 for sku in draft.skus], writes=1 if draft.crowd_tiers else 0
        ),
        reductions=draft.reductions,
        coupons=draft.coupons,
        points=draft.points,
        new_buyers=draft.new_buyers,
        compensation_id=draft.compensation_id,
        compensation_words=compensation_words,
        compensation_points=draft.compensation_points,
        seats_least=draft.seats_least,
        leader_free=draft.leader_free,
        tiers=draft.tiers,
        member_prices=draft.member_prices,
        members_from=draft.members_from,
        level_seats=draft.level_seats,
        leader_points=draft.leader_points,
        leader_coupon_id=draft.leader_coupon_id,
        combines=draft.combines,
        crowd_tiers=draft.crowd_tiers,
        per_minute=draft.per_minute,
    )


def changed_terms(
    terms: Terms,
    draft: Draft,
    offers: Mapping[str, Offer],
    *,
    life_s: int,
    compensation_words: str = "",
    now_s: int,
) -> Terms:
    """The next version of `terms`; `terms` itself when nothing would change."""
    changed = replace(
        terms,
        title=draft.title,
        skus=_priced(draft, offers),
        seats_total=draft.seats_total,
        life_h=draft.life_h,
        life_s=life_s,
        starts_at_s=start_of_change(draft, terms, now_s=now_s),
        ends_at_s=draft.ends_at_s,
        limit_per_buyer=draft.limit_per_buyer,
        limit_per_order=draft.limit_per_order,
        reductions=draft.reductions,
        coupons=draft.coupons,
        points=draft.points,
        new_buyers=draft.new_buyers,
        compensation_id=draft.compensation_id,
        compensation_words=compensation_words,
        compensation_points=draft.compensation_points,
        seats_least=draft.seats_least,
        leader_free=draft.leader_free,
        tiers=draft.tiers,
        member_prices=draft.member_prices,
        members_from=draft.members_from,
        level_seats=draft.level_seats,
        leader_points=draft.leader_points,
        leader_coupon_id=draft.leader_coupon_id,
        combines=draft.combines,
        crowd_tiers=draft.crowd_tiers,
        per_minute=draft.per_minute,
    )
    return terms if changed == terms else replace(changed, version=terms.version + 1)


def _priced(draft: Draft, offers: Mapping[str, Offer]) -> tuple[TermsSku, ...]:
    return tuple(
        TermsSku(
            sku_id=sku.sku_id,
            spec=offers[sku.sku_id].spec,
            list_price_fen=offers[sku.sku_id].list_price_fen,
            solo_price_fen=offers[sku.sku_id].solo_price_fen,
            group_price_fen=sku.group_price_fen,
            leader_price_fen=sku.leader_price_fen,
            member_price_fen=offers[sku.sku_id].member_price_fen,
        )
        for sku in draft.skus
    )


def _of_rules(draft: Draft) -> Iterator[Problem]:
    if not 1 <= len(draft.title.strip()) <= TITLE_MAX:
        yield trouble("title", Text("活动名称要有 1 到 {max} 个字，请修改。", max=TITLE_MAX))
    if not SEATS_MIN <= draft.seats_total <= SEATS_MAX:
        yield trouble(
            "seats_total",
            Text("成团人数要在 {min} 到 {max} 人之间，请修改。", min=SEATS_MIN, max=SEATS_MAX),
        )
    elif draft.seats_least and not SEATS_MIN <= draft.seats_least < draft.seats_total:
        yield trouble("seats_least", _least_words(draft.seats_total))
    if not LIFE_H_MIN <= draft.life_h <= LIFE_H_MAX:
        words = Text(
            "成团时限要在 {min} 到 {max} 小时之间，请修改。", min=LIFE_H_MIN, max=LIFE_H_MAX
        )
        yield trouble("life_h", words)


def _least_words(seats_total: int) -> str:
    if seats_total == SEATS_MIN:
        return Text("{seats} 人团不能再少，请关闭「到时也成团」。", seats=seats_total)
    most = seats_total - 1
    allowed = f"{SEATS_MIN}" if most == SEATS_MIN else f"{SEATS_MIN}–{most}"
    return Text("到时也成团的人数要比成团人数少，请填 {allowed}。", allowed=allowed)


def _of_limits(draft: Draft) -> Iterator[Problem]:
    if not 0 <= draft.limit_per_buyer <= LIMIT_PER_BUYER_MAX:
        words = Text("每人限购最多 {max} 件，填 0 表示不限，请修改。", max=LIMIT_PER_BUYER_MAX)
        yield trouble("limit_per_buyer", words)
    if not 1 <= draft.limit_per_order <= LIMIT_PER_ORDER_MAX:
        words = Text("每单限购要在 1 到 {max} 件之间，请修改。", max=LIMIT_PER_ORDER_MAX)
        yield trouble("limit_per_order", words)
    elif 0 < draft.limit_per_buyer < draft.limit_per_order:
        words = Text("每单限购不能超过每人限购的 {max} 件，请改小。", max=draft.limit_per_buyer)
        yield trouble("limit_per_order", words)
    elif draft.leader_free and draft.limit_per_order > 1:
        yield trouble("limit_per_order", "团长免单的活动每单只能买 1 件，请改为 1。")
    if not 0 <= draft.per_minute <= PER_MINUTE_MAX:
        words = Text("每分钟名额最多 {max} 个，填 0 表示不限，请修改。", max=PER_MINUTE_MAX)
        yield trouble("per_minute", words)
    if draft.leader_free and any(sku.leader_price_fen is not None for sku in draft.skus):
        yield trouble("leader_free", "团长免单时不用再设团长价，请清空团长价。")
    if draft.combines:
        yield from _of_combining(draft)


def _of_combining(draft: Draft) -> Iterator[Problem]:
    """What is promised to who opens a group, or asked of who joins one, goes with that group."""
    if draft.leader_free:
        yield trouble("combines", "团长免单的活动不能合并未满的团，请关闭其中一个。")
    if draft.new_buyers is NewBuyers.JOINERS:
        yield trouble("combines", "老带新的活动不能合并未满的团，请关闭其中一个。")


def _of_window(draft: Draft, now_s: int, window_min_s: int) -> Iterator[Problem]:
    starts_at_s = max(draft.starts_at_s, now_s)
    if draft.ends_at_s <= now_s:
        yield trouble("ends_at_s", "结束时间已经过了，请选一个以后的时间。")
    elif draft.ends_at_s <= starts_at_s:
        yield trouble("ends_at_s", "结束时间要晚于开始时间，请修改。")
    elif draft.ends_at_s - starts_at_s < window_min_s:
        yield trouble(
            "ends_at_s",
            Text("活动至少要进行{length}，请延后结束时间。", length=_length(window_min_s)),
        )
    if draft.ends_at_s > now_s + WINDOW_MAX_S:
        yield trouble("ends_at_s", "结束时间最晚为一年之后，请提前。")


def _of_skus(draft: Draft, offers: Mapping[str, Offer]) -> Iterator[Problem]:
    if not 1 <= len(draft.skus) <= SKUS_MAX:
        yield trouble("skus", Text("参加活动的规格要有 1 到 {max} 个，请增减。", max=SKUS_MAX))
    seen: set[str] = set()
    for i, sku in enumerate(draft.skus):
        offer = offers.get(sku.sku_id)
        if offer is None:
            yield trouble(f"skus[{i}].sku_id", "商品没有这个规格，请刷新后重新选择。")
        elif sku.sku_id in seen:
            yield trouble(
                f"skus[{i}].sku_id", Text("「{spec}」重复了，请去掉一个。", spec=offer.spec)
            )
        else:
            yield from _of_price(f"skus[{i}].group_price_fen", sku, offer)
            yield from _of_leader_price(f"skus[{i}].leader_price_fen", sku)
        seen.add(sku.sku_id)


def _of_price(field: str, sku: DraftSku, offer: Offer) -> Iterator[Problem]:
    highest = min(offer.solo_price_fen - 1, PRICE_FEN_MAX)
    if sku.group_price_fen < 0:
        yield trouble(field, Text("拼团价不能低于 {min}，请修改。", min=yuan(0)))
    elif sku.group_price_fen > highest:
        words = Text(
            "拼团价要低于单买价 {solo}，请改为 {max} 或更低。",
            solo=yuan(offer.solo_price_fen),
            max=yuan(highest),
        )
        yield trouble(field, words)


def _of_free(draft: Draft, before: Collection[str] = ()) -> Iterator[Problem]:
    """before: SKUs that cost nothing already. No rule but the group price brings anybody to 0."""
    free = {sku.sku_id for sku in draft.skus if not sku.group_price_fen}
    if free.difference(before) and not draft.confirms_free:
        words = "有规格的拼团价是 0 元，买家不用付款。确定要送，请勾选「确认 0 元」；写错了请改价。"
        yield trouble("confirms_free", words)


def _of_leader_price(field: str, sku: DraftSku) -> Iterator[Problem]:
    price_fen = sku.leader_price_fen
    if price_fen is not None and not 1 <= price_fen < sku.group_price_fen:
        words = "团长价要大于 0，并低于拼团价，请修改；没有团长价就不填。"
        yield trouble(field, words)


def _of_reductions(draft: Draft) -> Iterator[Problem]:
    if len(draft.reductions) > REDUCTIONS_MAX:
        yield trouble("reductions", Text("满减最多 {max} 档，请减少。", max=REDUCTIONS_MAX))
    dearest_fen = max((sku.group_price_fen for sku in draft.skus), default=0)
    most_fen = dearest_fen * draft.limit_per_order
    before = Reduction(0, 0)
    for i, one in enumerate(draft.reductions):
        if not 1 <= one.off_fen < one.from_fen:
            words = "减的金额要大于 0，并小于门槛，请修改。"
            yield trouble(f"reductions[{i}].off_fen", words)
        elif one.from_fen <= before.from_fen or one.off_fen <= before.off_fen:
            words = "门槛和减的金额都要比上一档高，请修改。"
            yield trouble(f"reductions[{i}].from_fen", words)
        elif one.from_fen > most_fen:
            words = Text(
                "每单最多 {units} 件、{most}，够不到这个门槛。请调低门槛，或放宽每单限购。",
                units=draft.limit_per_order,
                most=yuan(most_fen),
            )
            yield trouble(f"reductions[{i}].from_fen", words)
        before = one


def _of_tiers(draft: Draft) -> Iterator[Problem]:
    if not draft.tiers:
        return
    if draft.seats_least < SEATS_MIN:
        words = "阶梯价要和「到时也成团」一起用：到时也成团的人数就是第一档，请先打开它。"
        yield trouble("tiers", words)
    if draft.leader_free:
        yield trouble("tiers", "阶梯价不能和团长免单一起用，请关闭其中一个。")
    if len(draft.tiers) > TIERS_MAX:
        yield trouble("tiers", Text("阶梯价最多再加 {max} 档，请减少。", max=TIERS_MAX))
    before = Tier(draft.seats_least, 0)
    for i, tier in enumerate(draft.tiers):
        if tier.seats <= before.seats:
            words = Text("这一档的人数要比上一档的 {before} 人多，请修改。", before=before.seats)
            yield trouble(f"tiers[{i}].seats", words)
        elif i == len(draft.tiers) - 1 and tier.seats != draft.seats_total:
            words = Text(
                "最后一档的人数要等于成团人数，请改为 {seats} 人。", seats=draft.seats_total
            )
            yield trouble(f"tiers[{i}].seats", words)
        yield from tier_draft.of_off(f"tiers[{i}].off_fen", tier, before, draft.least_price_fen)
        before = tier


def _of_level_seats(draft: Draft) -> Iterator[Problem]:
    if draft.level_seats and draft.tiers:
        yield trouble("level_seats", "会员小团不能和阶梯价一起用，请去掉其中一个。")
    before = LevelSeats(0, draft.seats_total)
    for i, one in enumerate(draft.level_seats):
        if one.level <= before.level:
            yield trouble(f"level_seats[{i}].level", "等级要比上一行高，请修改。")
        if not SEATS_MIN <= one.seats < before.seats:
            words = Text(
                "人数要在 {min} 到 {max} 之间，请修改。", min=SEATS_MIN, max=before.seats - 1
            )
            if before.seats <= SEATS_MIN:
                words = Text("前面已经是 {seats} 人团，不能再少，请去掉。", seats=before.seats)
            yield trouble(f"level_seats[{i}].seats", words)
        before = one


def _of_crowd(draft: Draft, starts_at_s: int) -> Iterator[Problem]:
    return tier_draft.of_crowd(
        draft.crowd_tiers,
        excluded=bool(draft.tiers) or draft.leader_free,
        skus=len(draft.skus),
        days=(draft.ends_at_s - starts_at_s) / 86400,
        least_price_fen=draft.least_price_fen,
    )


def _of_stock(draft: Draft, offers: Mapping[str, Offer]) -> Iterator[Problem]:
    for i, sku in enumerate(draft.skus):
        units = sku.stock or 0
        offer = offers.get(sku.sku_id)
        if not 1 <= units <= STOCK_MAX:
            words = Text(
                "活动库存要在 1 到 {max} 件之间。请修改，或不让这个规格参加。", max=STOCK_MAX
            )
            yield trouble(f"skus[{i}].stock", words)
        elif offer is not None and units > offer.available:
            words = Text(
                "活动库存最多 {available} 件（当前可售库存）。请减少数量，或先补充库存。",
                available=offer.available,
            )
            yield trouble(f"skus[{i}].stock", words)
    if sum(sku.stock or 0 for sku in draft.skus) < draft.seats_total:
        words = Text(
            "活动库存合计至少要有 {seats} 件，才够成一个团。请增加数量。", seats=draft.seats_total
        )
        yield trouble("skus", words)


def _length(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    if rest == 0:
        return Text(" {hours} 小时", hours=hours)
    if seconds % 60 == 0:
        return Text(" {minutes} 分钟", minutes=seconds // 60)
    return Text(" {seconds} 秒", seconds=seconds)
