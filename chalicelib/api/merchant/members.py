"""/v1/merchant/members: who has paid in the shop, and the tags that they are sorted by."""

from typing import Any

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.buyers import coupons
from chalicelib.api.http import Api
from chalicelib.api.merchant import member_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain import recipient
from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.domain.member import MemberSort, MemberTag, MemberWish, TagRule
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.growth import levels, member_notes, member_tags
from chalicelib.services.reports import member_files, member_lists
from chalicelib.services.reports.member_lists import Member

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/members", right=view(Area.MEMBERS), refusals=[InvalidRequest, NotFound])
def list_members(who: Staff, query: schemas.MemberQuery) -> schemas.MemberRows:
    """Members in one order, those of a tag, or those found by a phone or a name."""
    tag = member_tags.find(who.merchant_id, query.tag_id) if query.tag_id else None
    now_s = clock.now_s()
    rule = levels.rule(who.merchant_id, now_s)
    wish = MemberWish(MemberSort(query.sort), tag, query.q.strip(), query.level, rule)
    narrowed = (query.sort, query.tag_id or "", wish.q, str(query.level))
    scope = ("members", who.merchant_id, *narrowed)
    page = member_lists.find(
        who.merchant_id,
        wish,
        after=pages.key_of(query.next, *scope),
        limit=query.limit,
        now_s=now_s,
    )
    return schemas.MemberRows(
        items=[schemas.MemberRow(**_fields(member, rule)) for member in page.found],
        levels=[level for it in rule.levels if rule.on and (level := _level(it))],
        next=pages.token_of(page.next_key, *scope),
        left_out=page.left_out,
    )


@api.operation("GET", "/members/{buyer_id}", right=view(Area.MEMBERS), refusals=[NotFound])
def read_member(who: Staff, buyer_id: str) -> schemas.MemberFileShown:
    """Everything of one member, by any id of theirs; their orders: GET /orders."""
    return _file(who, buyer_id)


@api.operation(
    "POST",
    "/members/{buyer_id}/notes",
    right=act(Area.MEMBERS),
    status=201,
    refusals=[NotFound, IdempotencyMismatch],
    headers=HEADERS,
)
def note_member(
    who: Staff, buyer_id: str, body: schemas.MemberNoteRequest
) -> schemas.MemberFileShown:
    """Note something about a member that staff read, and the member in their own data."""
    note_id = once(api.current_request, who, f"member note {buyer_id}").item_id
    member_notes.add(
        who.merchant_id, buyer_id, note_id, body.text, staff=who.username, now_s=clock.now_s()
    )
    return _file(who, buyer_id)


@api.operation("POST", "/members/tags", right=act(Area.MEMBERS), refusals=[InvalidRequest])
def tag_members(who: Staff, body: schemas.MembersTagged) -> schemas.TagsGiven:
    """Give members tags, and take others; each member for themselves. A repeat changes nothing."""
    refused: list[schemas.TagRefusal] = []
    for buyer_id in dict.fromkeys(body.buyer_ids):
        try:
            member_tags.give(
                who.merchant_id,
                buyer_id,
                add=body.add,
                remove=body.remove,
                staff=who.username,
                now_s=clock.now_s(),
            )
        except (NotFound, Conflict) as refusal:
            refused.append(schemas.TagRefusal(buyer_id=buyer_id, message=refusal.message))
    return schemas.TagsGiven(done=len(set(body.buyer_ids)) - len(refused), refused=refused)


@api.operation("GET", "/member-tags", right=view(Area.MEMBERS))
def list_member_tags(who: Staff) -> schemas.MemberTagList:
    """The shop's tags, the first one first."""
    return schemas.MemberTagList([_tag(tag) for tag in member_tags.everything(who.merchant_id)])


@api.operation(
    "POST",
    "/member-tags",
    right=act(Area.MEMBERS),
    status=201,
    refusals=[InvalidRequest, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_member_tag(who: Staff, body: schemas.MemberTagInput) -> schemas.MemberTagShown:
    """Make a tag, given by hand or by a rule."""
    made = once(api.current_request, who, "member tag")
    return _tag(
        member_tags.create(
            who.merchant_id,
            made.item_id,
            body.name.strip(),
            _rule(body),
            staff=who.username,
            now_s=clock.now_s(),
        )
    )


@api.operation(
    "PUT",
    "/member-tags/{tag_id}",
    right=act(Area.MEMBERS),
    refusals=[NotFound, InvalidRequest, Changed],
)
def change_member_tag(
    who: Staff, tag_id: str, body: schemas.MemberTagChange
) -> schemas.MemberTagShown:
    """Rename a tag, or change its rule, which acts at once."""
    return _tag(
        member_tags.edit(
            who.merchant_id,
            tag_id,
            body.name.strip(),
            _rule(body),
            revision=body.revision,
            staff=who.username,
            now_s=clock.now_s(),
        )
    )


@api.operation("DELETE", "/member-tags/{tag_id}", right=act(Area.MEMBERS), refusals=[NotFound])
def remove_member_tag(who: Staff, tag_id: str) -> Done:
    """Remove a tag from the shop and from all members."""
    member_tags.remove(who.merchant_id, tag_id, staff=who.username, now_s=clock.now_s())
    return Done()


def _rule(body: schemas.MemberTagInput) -> TagRule | None:
    return None if body.rule is None else from_attributes(TagRule, body.rule)


def _tag(tag: MemberTag) -> schemas.MemberTagShown:
    rule = None if tag.rule is None else from_attributes(schemas.TagRuleShown, tag.rule)
    return from_attributes(schemas.MemberTagShown, tag, rule=rule)


def _level(level: MemberLevel | None) -> schemas.LevelOfMember | None:
    return None if level is None else from_attributes(schemas.LevelOfMember, level)


def _fields(member: Member, rule: LevelsRule) -> dict[str, Any]:
    figures = member.stored.figures
    return {
        "buyer_id": member.stored.buyer_id,
        "name": member.buyer.name,
        "avatar": member.buyer.avatar,
        "phone": member.phone,
        "recipient": recipient.masked(member.address).get("name", ""),
        "orders": figures.orders,
        "spent_fen": figures.spent_fen,
        "last_at_s": figures.last_at_s,
        "since_s": member.stored.since_s,
        "growth": figures.growth,
        "level": _level(rule.reached(figures.growth)),
        "tags": [
            schemas.TagOfMember(tag_id=tag.tag_id, name=tag.name, by_rule=tag.rule is not None)
            for tag in member.tags
        ],
    }


def _file(who: Staff, buyer_id: str) -> schemas.MemberFileShown:
    now_s = clock.now_s()
    found = member_files.read(who.merchant_id, buyer_id, now_s=now_s)
    return schemas.MemberFileShown(
        **_fields(found.member, levels.rule(who.merchant_id, now_s)),
        notes=[from_attributes(schemas.MemberNote, note) for note in found.notes],
        points=found.points,
        coupons=coupons.all_shown(who.merchant_id, found.coupons, now_s),
    )
