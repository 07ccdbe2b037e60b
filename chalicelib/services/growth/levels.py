"""Levels of members: the shop's rule, how much a person has grown, and which level that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.services.growth import points
from chalicelib.services.people import merchants, shop_cache


@dataclass(frozen=True)
class Standing:
    """level: None where the person has none, or the shop has no levels."""

    growth: int
    level: MemberLevel | None

    @property
    def no(self) -> int:
        return self.level.no if self.level is not None else 0


NOBODY = Standing(0, None)


def rule(merchant_id: str, now_s: int) -> LevelsRule:
    """The shop's rule, as old as its other settings."""
    return merchants.levels_of_shop(shop_cache.merchant(merchant_id, now_s))


def standing(merchant_id: str, ids: Sequence[str], *, now_s: int) -> Standing:
    """How much a person has grown, under all their ids, and their level; as it is now."""
    growth = sum(item.growth for item in points.read(merchant_id, ids).values())
    return Standing(growth, rule(merchant_id, now_s).reached(growth))
