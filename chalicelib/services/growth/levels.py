"""Levels of members: the shop's rule, how much a person has grown, and which level that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.errors import MembersOnly
from chalicelib.services.growth import points
from chalicelib.services.people import merchants, shop_cache
from chalicelib.text import Text


@dataclass(frozen=True)
class Standing:
    """level: None where the person has none, or the shop has no levels. rank: as
    domain.levels.LevelsRule.rank."""

    growth: int = 0
    level: MemberLevel | None = None
    rank: int = 0


NOBODY = Standing()


def rule(merchant_id: str, now_s: int) -> LevelsRule:
    """The shop's rule, as old as its other settings."""
    return merchants.levels_of_shop(shop_cache.merchant(merchant_id, now_s))


def standing(merchant_id: str, ids: Sequence[str], *, now_s: int) -> Standing:
    """How much a person has grown, under all their ids, and their level; as it is now."""
    growth = sum(item.growth for item in points.read(merchant_id, ids).values())
    return of_growth(rule(merchant_id, now_s), growth)


def check(merchant_id: str, buyer: Standing, level_from: int, words: str, *, now_s: int) -> None:
    """Raise MembersOnly when a higher level is wanted. words: that say so, with {name} of the level
    and what is {missing} from it."""
    if buyer.rank >= level_from:
        return
    known = rule(merchant_id, now_s)
    wanted = known.wanted(level_from)
    if wanted is None:
        raise MembersOnly("只有会员可以，店铺现在没有会员等级。看看其他活动，或单独购买。")
    told = Text(words, name=wanted.name, missing=known.missing_words(buyer.growth, wanted))
    raise MembersOnly(told, level=wanted.no, missing=wanted.from_growth - buyer.growth)


def of_growth(known: LevelsRule, growth: int) -> Standing:
    level = known.reached(growth)
    return Standing(growth, level, known.rank(level))
