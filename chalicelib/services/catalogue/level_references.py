"""What activities and coupons promise to members: whether the shop has the levels they name."""

from chalicelib.domain.activity import Terms
from chalicelib.domain.activity_draft import Draft
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.product import Problem, trouble
from chalicelib.errors import InvalidRequest
from chalicelib.services.people import merchants
from chalicelib.text import Text


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
    found = ((field, _problem(rule, level)) for field, level in wanted.items())
    return [trouble(field, words) for field, words in found if words]


def name_of(merchant_id: str, level: int) -> str:
    """What a level is called that a coupon is for; empty: it is for anybody. Raises
    InvalidRequest."""
    if not level:
        return ""
    rule = rule_now(merchant_id)
    words = _problem(rule, level)
    if words:
        raise InvalidRequest(words, field="level_from")
    return rule.levels[level - 1].name


def _problem(rule: LevelsRule, level: int) -> str:
    if not rule.on:
        return "店铺没有打开会员等级，请先打开，或去掉这一项。"
    most = len(rule.levels)
    return Text("店铺只有 {most} 个等级，请重新选择。", most=most) if level > most else ""
