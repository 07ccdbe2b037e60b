"""Members in an export: those that are found, else all by when they came, which never changes, so
that each stands in the file once."""

from typing import Any

from chalicelib.domain import recipient
from chalicelib.domain.exports import Moment, Row, Wanted, Yuan
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.member import MemberSort, MemberWish
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.services.growth import levels, member_tags
from chalicelib.services.reports import member_lists
from chalicelib.services.reports.member_lists import Member
from chalicelib.text import Text

PAGE = 49  # members of one reading: who they are and for whom their last order was, in one call


def page(
    merchant_id: str, wanted: Wanted, after: Any, now_s: int
) -> tuple[list[Row], dict[str, Any] | None]:
    """(rows, where the next page begins). A tag that was removed meanwhile is nobody's."""
    limit = member_lists.MATCHES_MAX if wanted.q else PAGE
    try:
        wish = _wish(merchant_id, wanted, now_s)
    except NotFound:
        return [], None
    found = member_lists.find(merchant_id, wish, after=after, limit=limit, now_s=now_s)
    rows = [_row(member, wanted, wish.levels) for member in found.found]
    return rows, found.next_key


def refuse_left_out(merchant_id: str, wanted: Wanted, now_s: int) -> None:
    """Raise InvalidRequest where a file of who is sought would lack somebody and not say so."""
    limit, wish = member_lists.MATCHES_MAX, _wish(merchant_id, wanted, now_s)
    if (
        wish.q
        and member_lists.find(merchant_id, wish, after=None, limit=limit, now_s=now_s).left_out
    ):
        words = Text("「{q}」找到的会员太多，导出会不完整。请输入更完整的内容再导出。", q=wish.q)
        raise InvalidRequest(words, field="q")


def _wish(merchant_id: str, wanted: Wanted, now_s: int) -> MemberWish:
    tag = member_tags.find(merchant_id, wanted.tag_id) if wanted.tag_id else None
    rule = levels.rule(merchant_id, now_s)
    return MemberWish(MemberSort.SINCE, tag, wanted.q, wanted.level, rule)


def _row(member: Member, wanted: Wanted, rule: LevelsRule) -> Row:
    """Recipients in full where that was asked for."""
    address = member.address if wanted.personal else recipient.masked(member.address)
    names = ("name", "phone", "province", "city", "district", "street")
    figures = member.stored.figures
    level = rule.reached(figures.growth)
    return {
        "buyer_id": member.stored.buyer_id,
        "buyer": member.buyer.name,
        **{name: address.get(name, "") for name in names},
        "level": level.name if level else None,
        "growth": figures.growth,
        "orders": figures.orders,
        "spent": Yuan(figures.spent_fen),
        "last_at": Moment(figures.last_at_s),
        "since": Moment(member.stored.since_s),
        "tags": "；".join(tag.name for tag in member.tags),
    }
