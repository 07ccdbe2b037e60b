"""The tags that a shop sorts its members by, and who is given which by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.member import (
    TAGS_MAX,
    TAGS_OF_MEMBER_MAX,
    MemberTag,
    TagRule,
    check_rule,
)
from chalicelib.errors import (
    Changed,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.growth import members
from chalicelib.services.people import identities
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, as_read, get_or_none, retried, transaction
from chalicelib.tables.members import MemberItem, MemberTagsItem
from chalicelib.text import Text

Tags = Mapping[str, MemberTag]


def everything(merchant_id: str) -> list[MemberTag]:
    """A shop's tags, the first one first."""
    return _read(merchant_id).view()


def find(merchant_id: str, tag_id: str) -> MemberTag:
    """One of them. Raises NotFound."""
    return _one({tag.tag_id: tag for tag in everything(merchant_id)}, tag_id)


def create(
    merchant_id: str, tag_id: str, name: str, rule: TagRule | None, *, staff: str, now_s: int
) -> MemberTag:
    """Make a tag; a repeat with the same id returns it. Raises InvalidRequest, LimitReached,
    IdempotencyMismatch for another tag under the id, Busy."""
    made = MemberTag(tag_id, name, rule)

    def change(tags: Tags) -> Tags:
        if tag_id in tags:
            if replace(tags[tag_id], revision=made.revision) != made:
                raise IdempotencyMismatch
            return tags
        if len(tags) >= TAGS_MAX:
            words = Text("标签最多 {max} 个，请先删除不用的。", max=TAGS_MAX)
            raise LimitReached(words, limit=TAGS_MAX)
        _check(made, tags)
        return {**tags, tag_id: made}

    return _change_audited(merchant_id, tag_id, change, "member_tag_created", staff, now_s)[tag_id]


def edit(
    merchant_id: str,
    tag_id: str,
    name: str,
    rule: TagRule | None,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> MemberTag:
    """Change the tag that was read at `revision`; a repeat changes nothing more. Raises NotFound,
    InvalidRequest, Changed, Busy."""

    def change(tags: Tags) -> Tags:
        before = _one(tags, tag_id)
        after = replace(before, name=name, rule=rule)
        if after == before:
            return tags
        if before.revision != revision:
            raise Changed
        if (rule is None) != (before.rule is None):
            words = "手动标签和自动标签不能互相转换，请新建一个标签。"
            raise InvalidRequest(words, field="rule")
        _check(after, tags)
        return {**tags, tag_id: replace(after, revision=revision + 1)}

    return _change_audited(merchant_id, tag_id, change, "member_tag_changed", staff, now_s)[tag_id]


def remove(merchant_id: str, tag_id: str, *, staff: str, now_s: int) -> None:
    """Remove a tag, from all members that have it. Raises NotFound, Busy."""

    def change(tags: Tags) -> Tags:
        _one(tags, tag_id)
        return {one: tag for one, tag in tags.items() if one != tag_id}

    _change_audited(merchant_id, tag_id, change, "member_tag_removed", staff, now_s)


def give(
    merchant_id: str,
    buyer_id: str,
    *,
    add: Sequence[str],
    remove: Sequence[str],
    staff: str,
    now_s: int,
) -> None:
    """Give a member some of the tags that are given by hand, and take others away; what is so
    already stays. Raises NotFound, InvalidRequest, LimitReached, Conflict, Busy."""

    def step() -> None:
        tags = {tag.tag_id: tag for tag in everything(merchant_id)}
        for tag_id in add:
            if _one(tags, tag_id).rule is not None:
                raise InvalidRequest("自动标签按条件算出，不能手动添加。", field="add")
        before = of_member(merchant_id, buyer_id)
        had = [one for one in before.tags if one in tags]
        has = [one for one in dict.fromkeys([*had, *add]) if one not in remove]
        if has == had:
            return
        # Of two who were merged, more may be there; they can be taken away one by one.
        if len(has) > TAGS_OF_MEMBER_MAX and not set(has) <= set(had):
            words = Text("一位会员最多 {max} 个标签。", max=TAGS_OF_MEMBER_MAX)
            raise LimitReached(words, limit=TAGS_OF_MEMBER_MAX)
        after = MemberItem(**before.attribute_values | {"tags": has})
        with transaction() as writes:
            members.put(writes, before, after)
            was, now = ({"tags": [tags[one].name for one in some]} for some in (had, has))
            subject = f"member#{before.buyer_id}"
            audit(writes, merchant_id, staff, "member_tagged", subject, was, now, now_s)

    retried(step)


def of_member(merchant_id: str, buyer_id: str) -> MemberItem:
    """A member, by any id of theirs, as they are now. Raises NotFound, for a closed account too."""
    ids = identities.ids_of(merchant_id, buyer_id)
    item = members.read(merchant_id, ids[:1]).get(ids[0])
    if item is None or not item.is_listed:
        raise missing()
    return item


def missing() -> NotFound:
    return NotFound("没有找到这位会员。付过款的买家才是会员，注销后不再保留。")


def _check(tag: MemberTag, tags: Tags) -> None:
    """Raise the refusal of a tag that cannot be one of the shop's."""
    if tag.rule is not None:
        check_rule(tag.rule)
    names = {one.name.casefold() for one in tags.values() if one.tag_id != tag.tag_id}
    if tag.name.casefold() in names:
        raise InvalidRequest("已有同名的标签，请换一个名称。", field="name")


def _one(tags: Tags, tag_id: str) -> MemberTag:
    if tag_id not in tags:
        raise NotFound("没有找到这个标签，可能刚被删除，请刷新。")
    return tags[tag_id]


def _read(merchant_id: str) -> MemberTagsItem:
    key = MemberTagsItem.of(merchant_id)
    return get_or_none(key) or key


def _change_audited(
    merchant_id: str,
    tag_id: str,
    change: Callable[[Tags], Tags],
    action: str,
    staff: str,
    now_s: int,
) -> Tags:
    """Write what `change` makes of the shop's tags, with an audit row about the one that differs;
    nothing where it makes the same."""

    def step() -> Tags:
        item = _read(merchant_id)
        before = {tag.tag_id: tag for tag in item.view()}
        after = change(before)
        if after == before:
            return before
        revision = item.revision + 1
        stored = {one: tag.stored() for one, tag in after.items()}
        was, now = (_told(tags.get(tag_id)) for tags in (before, after))
        with transaction() as writes:
            writes.put(
                MemberTagsItem.of(merchant_id, tags=stored, revision=revision),
                condition=as_read(MemberTagsItem.revision, item.revision or None),
                refuse=LostRace,
            )
            audit(writes, merchant_id, staff, action, f"member_tag#{tag_id}", was, now, now_s)
        return after

    return retried(step)


def _told(tag: MemberTag | None) -> dict[str, Any]:
    """A tag as the audit log shows it."""
    if tag is None:
        return {}
    return {"name": tag.name} | (tag.rule.stored() if tag.rule else {})
