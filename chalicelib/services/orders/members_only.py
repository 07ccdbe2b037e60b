"""Who may buy in an activity's groups by their level (会员团)."""

from chalicelib.domain.activity import Terms
from chalicelib.services.growth import levels
from chalicelib.services.growth.levels import Standing

_WORDS = "这个活动只有「{name}」可以参加，你{missing}。可以单独购买，或看看其他活动。"


def asks_level(offer: Terms, *, leads: bool) -> bool:
    """Whether it takes the level of who opens a group, or joins it, to say whether they may, or how
    large the group is."""
    return offer.members_from > 0 or (leads and bool(offer.level_seats))


def check(merchant_id: str, offer: Terms, buyer: Standing, *, now_s: int) -> None:
    """Raise MembersOnly when the activity wants a higher level, with what is missing from it."""
    levels.check(merchant_id, buyer, offer.members_from, _WORDS, now_s=now_s)
