"""Coupons: what a template promises, what a coupon takes off, and why one cannot be used.

A coupon keeps the terms of its template as they were when it was claimed. It is used by one order
at a time, and is its buyer's again when that order ends without a sale: closed unpaid, its group
failed, or given back after-sale.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from chalicelib.domain.beijing import DAY_S, TOLD_S, day_of, midnight_s
from chalicelib.domain.ids import ID_LENGTH, is_id
from chalicelib.domain.money import round_yuan
from chalicelib.text import Text

LEAST_PAID_FEN = 1  # of the goods: a coupon never makes them free
NUMBER_LENGTH = 2  # of a buyer's coupons of one template
WARN_DAYS = 3  # before its last day, of a coupon that nobody has used


class CouponKind(StrEnum):
    AMOUNT = "amount"
    PERCENT = "percent"


class CouponFor(StrEnum):
    """Which orders it may be used for."""

    ANY = "any"
    GROUPS = "groups"
    ALONE = "alone"


class Scope(StrEnum):
    """What its ids are of."""

    SHOP = "shop"  # everything; no ids
    CATEGORIES = "categories"
    PRODUCTS = "products"
    ACTIVITIES = "activities"


class CouponState(StrEnum):
    """What its buyer sees."""

    USABLE = "usable"
    NOT_YET = "not_yet"
    USED = "used"  # by an order that lives
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Bought:
    """What a coupon is to be used for. categories: the product's, and the one above it."""

    activity_id: str
    product_id: str
    categories: tuple[str, ...]
    in_group: bool
    takes_coupons: bool  # whether the activity does
    is_new: bool = True  # whether the buyer is new to the shop
    rank: int = 0  # of the buyer's level (domain.levels.LevelsRule.rank)


@dataclass(frozen=True)
class CouponTerms:
    """off_fen: of an amount. percent: what is still paid, of a percentage; most_off_fen: at most so
    much is taken off then, 0: no cap. from_fen: what the goods have to cost, 满减 taken off."""

    kind: CouponKind
    off_fen: int = 0
    percent: int = 0
    most_off_fen: int = 0
    from_fen: int = 0
    usable_for: CouponFor = CouponFor.ANY
    scope: Scope = Scope.SHOP
    scope_ids: tuple[str, ...] = ()
    first_order: bool = False  # of who is new to the shop
    scope_name: str = ""  # of the first of its scope, as it was called then
    level_from: int = 0  # of who has that level, or a higher one; 0: of anybody
    level_name: str = ""  # as it was called then

    @property
    def words(self) -> str:
        """What it takes off: 满 59 减 10; 8.5 折，最多减 20 元."""
        if self.kind is CouponKind.AMOUNT:
            off = round_yuan(self.off_fen)
            if self.from_fen:
                return Text("满 {least} 减 {off}", least=round_yuan(self.from_fen), off=off)
            return Text("立减 {off} 元", off=off)
        tenths = f"{self.percent / 10:g}"
        words = Text("{tenths} 折", tenths=tenths)
        if self.from_fen:
            least = round_yuan(self.from_fen)
            words = Text("满 {least} 打 {tenths} 折", least=least, tenths=tenths)
        return self._with_cap(words)

    @property
    def off_words(self) -> str:
        """The amount alone, as a ticket shows it: ¥10; 8.5 折."""
        if self.kind is CouponKind.AMOUNT:
            return f"¥{round_yuan(self.off_fen)}"
        return Text("{tenths} 折", tenths=f"{self.percent / 10:g}")

    @property
    def from_words(self) -> str:
        """What a ticket says beneath its amount: 满 59 可用，最多减 20 元."""
        words = Text("无门槛")
        if self.from_fen:
            words = Text("满 {least} 可用", least=round_yuan(self.from_fen))
        return self._with_cap(words)

    def _with_cap(self, words: Text) -> Text:
        if self.kind is CouponKind.AMOUNT or not self.most_off_fen:
            return words
        return Text("{words}，最多减 {most} 元", words=words, most=round_yuan(self.most_off_fen))

    @property
    def scope_words(self) -> str:
        """What it may be used for: 拼团可用 · 指定商品."""
        scope: str = _OF[self.scope]
        if self.scope_name:
            count = len(self.scope_ids)
            several = "限「{name}」等 {count} 项" if count > 1 else "限「{name}」"
            scope = Text(several, name=self.scope_name, count=count)
        words = Text("{usable_for} · {scope}", usable_for=_FOR[self.usable_for], scope=scope)
        if self.first_order:
            words = Text("{words} · 新客首单", words=words)
        if self.level_from:
            words = Text("{words} · 限{name}及以上", words=words, name=self.level_name)
        return words

    def off_of(self, goods_fen: int) -> int:
        """What is taken off goods that cost `goods_fen`, threshold or not; something is left to
        pay."""
        off_fen = self.off_fen
        if self.kind is CouponKind.PERCENT:
            off_fen = goods_fen * (100 - self.percent) // 100
            off_fen = min(off_fen, self.most_off_fen or off_fen)
        return max(0, min(off_fen, goods_fen - LEAST_PAID_FEN))

    def is_for(self, bought: Bought) -> bool:
        """Whether it may be used for that, once its threshold is reached."""
        way_is_right = self.is_for_way(in_group=bought.in_group)
        return bought.takes_coupons and way_is_right and self.covers(bought)

    def is_for_way(self, *, in_group: bool) -> bool:
        return self.usable_for in (CouponFor.ANY, CouponFor.GROUPS if in_group else CouponFor.ALONE)

    def covers(self, bought: Bought) -> bool:
        """Whether what is bought is in its scope."""
        wanted = {
            Scope.CATEGORIES: bought.categories,
            Scope.PRODUCTS: (bought.product_id,),
            Scope.ACTIVITIES: (bought.activity_id,),
        }.get(self.scope)
        return wanted is None or not set(wanted).isdisjoint(self.scope_ids)

    def stored(self) -> dict[str, Any]:
        """As templates and coupons keep it; read by `terms_of`."""
        return {
            name: list(value) if isinstance(value, tuple) else getattr(value, "value", value)
            for name, value in asdict(self).items()
        }


_FOR: Mapping[CouponFor, Text] = {
    CouponFor.ANY: Text("拼团、单独购买都可用"),
    CouponFor.GROUPS: Text("拼团可用"),
    CouponFor.ALONE: Text("单独购买可用"),
}
_OF: Mapping[Scope, Text] = {
    Scope.SHOP: Text("全店通用"),
    Scope.CATEGORIES: Text("指定分类"),
    Scope.PRODUCTS: Text("指定商品"),
    Scope.ACTIVITIES: Text("指定活动"),
}


def terms_of(stored: Mapping[str, Any]) -> CouponTerms:
    """The terms that an item keeps."""
    kept = {field.name: stored[field.name] for field in fields(CouponTerms) if field.name in stored}
    return CouponTerms(
        **kept
        | {
            "kind": CouponKind(kept["kind"]),
            "usable_for": CouponFor(kept["usable_for"]),
            "scope": Scope(kept["scope"]),
            "scope_ids": tuple(kept["scope_ids"]),
        }
    )


@dataclass(frozen=True)
class CouponId:
    """Where a coupon is: its buyer, its template, and its number among theirs of that template."""

    buyer_id: str
    template_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.buyer_id}{self.template_id}{self.number:0{NUMBER_LENGTH}d}"

    @classmethod
    def parse(cls, text: str) -> "CouponId | None":
        """The parts of a coupon's id, or None when `text` is no such thing."""
        buyer_id, template_id = text[:ID_LENGTH], text[ID_LENGTH : 2 * ID_LENGTH]
        number = text[2 * ID_LENGTH :]
        numbered = len(number) == NUMBER_LENGTH and number.isascii() and number.isdigit()
        right = is_id(buyer_id) and is_id(template_id) and numbered
        return cls(buyer_id, template_id, int(number)) if right else None


@dataclass(frozen=True)
class Coupon:
    """One coupon of a buyer. Times are seconds since the epoch; it is good from `from_s` until
    before `until_s`. back_at_s: when an order last gave it back; if it had run out by then, it is
    good for `grace_days` more. order_id: of the order that uses it; empty: none does."""

    terms: CouponTerms
    from_s: int
    until_s: int
    grace_days: int = 0
    order_id: str = ""
    back_at_s: int = 0
    revoked: bool = False

    @property
    def good_until_s(self) -> int:
        """Before when it can be used, time after it came back included."""
        return max(self.until_s, _until_with_grace(self))

    @property
    def back_by_s(self) -> int | None:
        """Before when the order that uses it has to give it back, so that it is good for another;
        None: whenever it does, its days of grace are to come."""
        return None if self.grace_days and self.good_until_s == self.until_s else self.good_until_s

    def state(self, now_s: int) -> CouponState:
        if self.order_id:
            return CouponState.USED
        if self.revoked:
            return CouponState.REVOKED
        if now_s >= self.good_until_s:
            return CouponState.EXPIRED
        return CouponState.NOT_YET if now_s < self.from_s else CouponState.USABLE


def _until_with_grace(coupon: Coupon) -> int:
    late = coupon.back_at_s >= coupon.until_s
    return coupon.back_at_s + coupon.grace_days * DAY_S if late else 0


def warn_at_s(until_s: int) -> int:
    """When the buyer of a coupon that is good until then is told that it runs out: some days
    before its last day."""
    return midnight_s(last_day(until_s) - dt.timedelta(days=WARN_DAYS)) + TOLD_S


def last_day(until_s: int) -> dt.date:
    """The last day in Beijing on which a coupon that is good until then can be used."""
    return day_of(until_s - 1)


def refusal_to_use(coupon: Coupon, bought: Bought, goods_fen: int, *, now_s: int) -> str | None:
    """Why the coupon cannot be used for these goods, 满减 taken off; None when it can.

    The order of the reasons is that in which a buyer can do something about them.
    """
    state, terms = coupon.state(now_s), coupon.terms
    if state is not CouponState.USABLE:
        return _STATES[state]
    if not bought.takes_coupons:
        return "这个活动不能用优惠券"
    if not terms.is_for_way(in_group=bought.in_group):
        return "单独购买时可用" if bought.in_group else "拼团时可用"
    if not terms.covers(bought):
        return "这件商品不在可用范围"
    if terms.first_order and not bought.is_new:
        return FIRST_ORDER
    if terms.level_from > bought.rank:
        return Text("「{name}」可用", name=terms.level_name)
    missing_fen = terms.from_fen - goods_fen
    if missing_fen > 0:
        return Text("还差 {missing} 元可用", missing=round_yuan(missing_fen))
    return None if terms.off_of(goods_fen) else "这笔订单没有可减的金额"


FIRST_ORDER = "新客首单可用"
_STATES: Mapping[CouponState, str] = {
    CouponState.NOT_YET: "还没到可用时间",
    CouponState.USED: "已用于另一笔订单",
    CouponState.EXPIRED: "已过期",
    CouponState.REVOKED: "店铺已收回",
}
