"""Cases that wait for staff: each stands in a list until one of them notes what was done about it,
or until it has closed by itself."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, NotFound
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, PageKey, retried, transaction, update_one
from chalicelib.tables.review_queue import ReviewItem
from chalicelib.tables.trade_item import TradeItem, listed
from chalicelib.text import Text

_Review = TypeVar("_Review", bound=ReviewItem)


class AlreadyDealtWith(Conflict):
    """Somebody else has closed it, or it closed by itself."""

    code = "already_dealt_with"
    default_message = "这一条已经自动处理好了，不用再标记。请刷新列表。"


def page(
    case: type[_Review],
    list_key: str,
    *,
    after: PageKey | None,
    limit: int,
    is_newest_first: bool = False,
) -> tuple[list[_Review], PageKey | None]:
    """(cases of a list, in its order; the key that the next page starts after)."""
    read = TradeItem.by_list.query(
        list_key, scan_index_forward=not is_newest_first, limit=limit, last_evaluated_key=after
    )
    keys = [(item.pk, item.sk) for item in read]
    found = TradeItem.batch_get(keys, consistent_read=True) if keys else ()
    # The index may be a little behind.
    items = [item for item in found if isinstance(item, case) and item.list_key == list_key]
    items.sort(key=lambda item: item.list_rank or "", reverse=is_newest_first)
    return items, read.last_evaluated_key


def find(key: _Review) -> _Review:
    """The stored case under the key of `key`. Raises NotFound."""
    found = next(iter(TradeItem.batch_get([(key.pk, key.sk)], consistent_read=True)), None)
    if not isinstance(found, type(key)):
        raise NotFound("没有找到这条记录。")
    return found


def resolve_audited(
    key: _Review,
    *,
    subject: str,
    action: str,
    audited: Callable[[_Review], Mapping[str, Any]],
    note: str,
    staff: str,
    now_s: int,
) -> None:
    """Close a case with a note of what was done about it, beside which the audit log keeps what
    `audited` makes of it. A repeat changes nothing.

    Raises NotFound; AlreadyDealtWith when somebody else has closed it, or nobody had to.
    """

    def step() -> None:
        item = find(key)
        if item.dealt_at_s is not None:
            _check_same(item, note, staff)
            return
        with transaction() as writes:
            by = [ReviewItem.dealt_by.set(staff), ReviewItem.note.set(note)]
            actions = [*_closed(item, now_s), *by]
            writes.update(item, actions, condition=_is_open(), refuse=LostRace)
            after = {**audited(item), "note": note}
            audit(writes, item.merchant_id, staff, action, subject, {}, after, now_s)

    retried(step)


def close_case(item: ReviewItem, *, now_s: int) -> bool:
    """Close a case about which there is nothing to do any more. False when it is closed already."""
    try:
        update_one(item, _closed(item, now_s), condition=_is_open(), refuse=LostRace)
    except LostRace:
        return False
    return True


def _closed(item: ReviewItem, now_s: int) -> list[Action]:
    rank = f"{now_s:010d}#{item.review_id}" if item.closed_list else None
    return [ReviewItem.dealt_at_s.set(now_s), *listed(item.closed_list, rank)]


def _is_open() -> Condition:
    is_open: Condition = ReviewItem.pk.exists() & ReviewItem.dealt_at_s.does_not_exist()
    return is_open


def _check_same(item: ReviewItem, note: str, staff: str) -> None:
    if item.dealt_by is None:
        raise AlreadyDealtWith
    if (item.dealt_by, item.note) != (staff, note):
        words = Text("{name} 已经处理了这一条：{note}", name=item.dealt_by, note=item.note)
        raise AlreadyDealtWith(words, by=item.dealt_by, note=item.note or "")
