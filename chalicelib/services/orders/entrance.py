"""Who may buy in an activity's groups by their level (会员团)."""

from chalicelib.domain.activity import Terms
from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.errors import MembersOnly
from chalicelib.services.growth import levels
from chalicelib.services.growth.levels import Standing
from chalicelib.text import Text

_NO_LEVELS = "这个活动只有会员可以参加，店铺现在没有会员等级。可以单独购买，或看看其他活动。"


def asks_level(offer: Terms, *, leads: bool) -> bool:
    """Whether it takes the level of who opens a group, or joins it, to say whether they may, or how
    large the group is."""
    return offer.members_from > 0 or (leads and bool(offer.level_seats))


def check(merchant_id: str, offer: Terms, buyer: Standing, *, now_s: int) -> None:
    """Raise MembersOnly when the activity wants a higher level, with what is missing from it."""
    if buyer.rank >= offer.members_from:
        return
    rule = levels.rule(merchant_id, now_s)
    wanted = rule.wanted(offer.members_from)
    raise MembersOnly(_NO_LEVELS) if wanted is None else _refusal(rule, wanted, buyer)


def _refusal(rule: LevelsRule, wanted: MemberLevel, buyer: Standing) -> MembersOnly:
    words = "这个活动只有「{name}」可以参加，你{missing}。可以单独购买，或看看其他活动。"
    missing = rule.missing_words(buyer.growth, wanted)
    told = Text(words, name=wanted.name, missing=missing)
    return MembersOnly(told, level=wanted.no, missing=wanted.from_growth - buyer.growth)
