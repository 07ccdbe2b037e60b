"""What activities promise to members: whether the shop has the levels that a draft names."""

from chalicelib.domain.activity import Terms
from chalicelib.domain.activity_draft import Draft
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.product import Problem, trouble
from chalicelib.services.people import merchants
from chalicelib.text import Text

LEVELS_OFF = "店铺没有打开会员等级，请先打开，或去掉这一项。"


def rule_now(merchant_id: str) -> LevelsRule:
    """The levels of the shop as they are now."""
    return merchants.levels_of_shop(merchants.read(merchant_id))


def problems(merchant_id: str, draft: Draft, before: Terms | None = None) -> list[Problem]:
    """Why a draft cannot promise what it does to members. before: the terms that it changes; what
    they promised already is not looked at again."""
    wanted: dict[str, int] = {}
    if before is None or before.members_from != draft.members_from:
        wanted["members_from"] = draft.members_from
    if before is None or before.level_seats != draft.level_seats:
        wanted |= {f"level_seats[{i}].level": it.level for i, it in enumerate(draft.level_seats)}
    wanted = {field: level for field, level in wanted.items() if level}
    if not wanted:
        return []
    rule = rule_now(merchant_id)
    if not rule.on:
        return [trouble(field, LEVELS_OFF) for field in wanted]
    most = len(rule.levels)
    words = Text("店铺只有 {most} 个等级，请重新选择。", most=most)
    return [trouble(field, words) for field, level in wanted.items() if level > most]
