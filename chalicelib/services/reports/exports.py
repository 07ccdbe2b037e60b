"""Exports: asked for and on record, written part by part, put together, fetched by a link.

A part is written first and then counted, under a name that nobody else uses, with the place where
the next one begins: a run that is cut off leaves at most a part that nobody knows, and of two runs
at once only one counts its part. The bucket forgets all of it after some days.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import deadline
from chalicelib.domain import exports
from chalicelib.domain.exports import ExportStatus, Filled, Subject, Wanted
from chalicelib.domain.order import Intent
from chalicelib.errors import (
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.gateways import object_storage
from chalicelib.services.orders import order_query
from chalicelib.services.people.audit import audit
from chalicelib.services.reports import export_rows, member_rows
from chalicelib.tables.base import (
    LostRace,
    PageKey,
    Writes,
    get_or_none,
    retried,
    transaction,
    update_one,
)
from chalicelib.tables.exports import ExportItem, OpenExportsItem, exports_list
from chalicelib.tables.trade_item import TradeItem, not_due
from chalicelib.text import Text

PART_ROWS = 1000
RUN_S = 30.0  # of a job; the stream gives less
RUN_SHARE = 2 / 3
LEASE_S = 120  # longer than any function lives: until then nobody else takes an export up
NEXT_S = 5  # after a run that ran out of time; so the schedule goes on, not the stream
TRIES_MAX = 8  # runs without a part; then it is given up
OPEN_MAX = 5  # under way at a time
LINK_S = 600
_UNSAID = ("", False, 0, exports.EVER_S)  # of a wish: what is not wished
JOIN_S = 0.3  # for each part that is put into the file


@dataclass(frozen=True)
class Link:
    url: str
    expires_at_s: int


def ask(
    merchant_id: str, export_id: str, wanted: Wanted, *, body_hash: str, staff: str, now_s: int
) -> ExportItem:
    """Have a file written; who wants what is in the audit log with it.

    A repeat under the same id gets the same export; with another body it raises
    IdempotencyMismatch. Raises InvalidRequest, LimitReached, Busy.
    """
    exports.check(wanted, now_s=now_s)
    _refuse_left_out(merchant_id, wanted, now_s)
    item = ExportItem.at(
        merchant_id,
        export_id,
        staff=staff,
        wanted=_stored(wanted),
        status=ExportStatus.WRITING.value,
        asked_at_s=now_s,
        body_hash=body_hash,
        list_key=exports_list(merchant_id),
        list_rank=f"{now_s:010d}#{export_id}",
    ).marked(Intent.EXPORT, now_s)

    def step() -> ExportItem:
        first = get_or_none(ExportItem.at(merchant_id, export_id))
        if first is not None:
            if first.body_hash != body_hash:
                raise IdempotencyMismatch
            return first
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            _register(writes, merchant_id, export_id)
            after = {name: value for name, value in _stored(wanted).items() if value not in _UNSAID}
            subject = f"export#{export_id}"
            audit(writes, merchant_id, staff, "export_asked", subject, {}, after, now_s)
        return item

    return retried(step)


def _refuse_left_out(merchant_id: str, wanted: Wanted, now_s: int) -> None:
    """Raise InvalidRequest where a file of what is sought would lack some of it and not say so."""
    q = wanted.q
    if wanted.subject is Subject.MEMBERS:
        member_rows.refuse_left_out(merchant_id, wanted, now_s)
    elif q and order_query.parse(merchant_id, q, now_s=now_s).left_out:
        words = Text(
            "名称里有「{q}」的商品或活动太多，导出会不完整。请清空搜索词，选中一个商品再导出。", q=q
        )
        raise InvalidRequest(words, field="q")


def recent(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[ExportItem], PageKey | None]:
    """A page of the shop's exports, the newest first, and the key that the next starts after."""
    page = TradeItem.by_list.query(
        exports_list(merchant_id), scan_index_forward=False, limit=limit, last_evaluated_key=after
    )
    keys = [(item.pk, item.sk) for item in page]
    found = {item.pk: item for item in ExportItem.batch_get(keys)} if keys else {}
    return [found[pk] for pk, _ in keys if pk in found], page.last_evaluated_key


def read(merchant_id: str, export_id: str) -> ExportItem:
    """One export. Raises NotFound."""
    item = get_or_none(ExportItem.at(merchant_id, export_id))
    if item is None:
        raise NotFound("没有找到这次导出。")
    return item


def wanted_of(item: ExportItem) -> Wanted:
    stored = item.wanted.as_dict()
    columns = tuple(stored.pop("columns"))
    return Wanted(**stored | {"subject": Subject(stored["subject"]), "columns": columns})


def expires_at_s(item: ExportItem) -> int | None:
    """Until when the file can be fetched; None while there is none."""
    return None if item.done_at_s is None else item.done_at_s + exports.KEPT_S


def link(merchant_id: str, export_id: str, name: str, *, staff: str, now_s: int) -> Link:
    """A link to the file, which soon expires; who fetches it is in the audit log.

    Raises NotFound; Conflict while there is no file, or none any more; Busy.
    """
    item = read(merchant_id, export_id)
    ends_at_s = expires_at_s(item)
    if ends_at_s is None:
        raise Conflict("文件还没有生成好，请稍候再下载。")
    if ends_at_s <= now_s:
        raise Conflict("文件已过期删除，请重新导出。")

    def record() -> None:
        with transaction() as writes:
            subject, after = f"export#{export_id}", {"rows": item.rows}
            audit(writes, merchant_id, staff, "export_fetched", subject, {}, after, now_s)

    retried(record)
    lives_s = min(LINK_S, ends_at_s - now_s)
    return Link(object_storage.signed_url(_file(item), name, expires_s=lives_s), now_s + lives_s)


def process(merchant_id: str, export_id: str, *, now_s: int) -> None:
    """Write as much as there is time for. Safe to run twice and at once, and cut off anywhere."""
    item = get_or_none(ExportItem.at(merchant_id, export_id))
    if item is None or item.due_at_s is None or item.due_at_s > now_s:
        return
    stop_s = time.monotonic() + min(RUN_S, deadline.left_s() * RUN_SHARE)
    met: set[str] = set()
    try:
        item = _taken_up(item, now_s)
        while item.status == ExportStatus.WRITING:  # a step at least, or it would never end
            item = _finished(item, now_s) if item.read else _with_part(item, stop_s, met)
            needed_s = JOIN_S * len(item.parts) if item.read else 0
            if item.due_at_s is not None and stop_s - time.monotonic() <= needed_s:
                _change(item, item.due(Intent.EXPORT, now_s + NEXT_S))
                return
    except LostRace:
        return  # somebody else has it


def _taken_up(item: ExportItem, now_s: int) -> ExportItem:
    """The export, with a marker that keeps others away; given up after too many tries."""
    if item.tries >= TRIES_MAX:
        failed = ExportItem.status.set(ExportStatus.FAILED.value)
        return _change(item, [failed, *not_due()])
    tried = ExportItem.tries.set(item.tries + 1)
    return _change(item, [tried, *item.due(Intent.EXPORT, now_s + LEASE_S)])


def _with_part(item: ExportItem, stop_s: float, met: set[str]) -> ExportItem:
    """Write the next part, and count it."""
    wanted = wanted_of(item)
    filled = _part(item, wanted, stop_s, met)
    head = exports.BOM + exports.lines([exports.header(wanted.subject, wanted.columns)])
    kept = filled.rows[: exports.ROWS_MAX - item.rows]
    text = ("" if item.parts else head) + exports.lines(kept)
    name = f"{len(item.parts):04d}-{secrets.token_hex(6)}"
    object_storage.put(f"{_folder(item)}parts/{name}", text.encode())
    rows = item.rows + len(kept)
    is_full = rows >= exports.ROWS_MAX
    is_more = filled.next is not None or len(kept) < len(filled.rows)
    actions: list[Action] = [
        ExportItem.parts.set([*item.parts, name]),
        ExportItem.rows.set(rows),
        ExportItem.cursor.set(filled.next or ""),
        ExportItem.read.set(filled.next is None or is_full),
        ExportItem.cut.set(is_full and is_more),
        ExportItem.tries.set(0),
    ]
    return _change(item, actions)


def _part(item: ExportItem, wanted: Wanted, stop_s: float, met: set[str]) -> Filled:
    """Rows of the next part: PART_ROWS or some more, fewer when the time is over."""
    filled = Filled(next=item.cursor)
    most = min(PART_ROWS, exports.ROWS_MAX - item.rows)
    while filled.next is not None and len(filled.rows) < most:
        page = export_rows.page(
            item.merchant_id, wanted, filled.next, now_s=item.asked_at_s, met=met
        )
        filled = Filled(filled.rows + page.rows, page.next)
        if time.monotonic() >= stop_s:
            break
    return filled


def _finished(item: ExportItem, now_s: int) -> ExportItem:
    """Put the parts together, and say that the file is there."""
    size = object_storage.put_in_parts(_file(item), _pieces(item))
    done: list[Action] = [
        ExportItem.status.set(ExportStatus.DONE.value),
        ExportItem.done_at_s.set(now_s),
        ExportItem.size.set(size),
    ]
    return _change(item, [*done, *not_due()])


def _pieces(item: ExportItem) -> Iterator[bytes]:
    for name in item.parts:
        yield object_storage.get(f"{_folder(item)}parts/{name}")


def _change(item: ExportItem, actions: list[Action]) -> ExportItem:
    """Change what was read, and read it again. Raises LostRace when it is no longer so."""
    same: Condition = (
        (ExportItem.status == ExportStatus.WRITING.value)
        & (ExportItem.tries == item.tries)
        & (ExportItem.rows == item.rows)
        & (ExportItem.cursor == item.cursor)
        & (ExportItem.read == item.read)
        & item.marker_as_read()
    )
    update_one(item, actions, condition=same, refuse=LostRace)
    return read(item.merchant_id, item.export_id)


def _register(writes: Writes, merchant_id: str, export_id: str) -> None:
    """Register an export that is put in the same transaction, in place of those that are written:
    one that has left `writing` never comes back to it. Raises LimitReached."""
    register = get_or_none(OpenExportsItem.of(merchant_id))
    listed = frozenset(register.exports if register is not None else ())
    keys = [(key.pk, key.sk) for key in (ExportItem.at(merchant_id, one) for one in listed)]
    found = ExportItem.batch_get(keys, consistent_read=True) if keys else ()
    writing = {item.export_id for item in found if item.status == ExportStatus.WRITING}
    if len(writing) >= OPEN_MAX:
        words = "已有多个导出正在进行，请等它们完成后再试。"
        raise LimitReached(words, max=OPEN_MAX)
    exports_now = OpenExportsItem.exports
    writes.update(
        OpenExportsItem.of(merchant_id),
        [
            exports_now.set({*writing, export_id}),
            OpenExportsItem.kind.set(OpenExportsItem),
        ],
        condition=(exports_now == set(listed)) if listed else exports_now.does_not_exist(),
        refuse=LostRace,
    )


def _stored(wanted: Wanted) -> dict[str, Any]:
    return asdict(wanted) | {"subject": wanted.subject.value, "columns": list(wanted.columns)}


def _folder(item: ExportItem) -> str:
    return f"{object_storage.PREFIX}{item.merchant_id}/{item.export_id}/"


def _file(item: ExportItem) -> str:
    return f"{_folder(item)}export.csv"
