"""Codes of coupons: written in batches, each used once to claim a coupon.

A batch takes its number of coupons out of the template's stock when it is written, so that every
code that a shop has printed finds its coupon until the template ends or is withdrawn.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.coupon_code import CODES_MAX, CouponCode, batch_name
from chalicelib.domain.coupon_draft import CouponGiven, TemplateState
from chalicelib.errors import (
    Conflict,
    CouponCodeRefused,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import coupon_templates
from chalicelib.services.growth import coupons
from chalicelib.services.people import buyers
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.growth import (
    CouponBatchItem,
    CouponCodeItem,
    CouponItem,
    CouponStockItem,
    batches_list,
)
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

BATCHES_MAX = 100  # of one template
TURNS_MAX = 8  # names of a batch that are tried
KEY_BYTES = 32

USED = "这个兑换码已经用过了。"


@dataclass(frozen=True)
class Code:
    """A code as it is written; used_at_s: None while nobody has claimed with it."""

    text: str
    used_at_s: int | None


def write_batch(
    merchant_id: str, template_id: str, batch_id: str, count: int, *, staff: str, now_s: int
) -> CouponBatchItem:
    """Write `count` codes of a template, with an audit row; a repeat with the same id returns them.

    Raises NotFound, InvalidRequest, Conflict when the template is given out in another way or has
    too few coupons left, LimitReached, IdempotencyMismatch, Busy.
    """
    if not 1 <= count <= CODES_MAX:
        words = Text("一次生成 1 到 {max} 个兑换码。", max=CODES_MAX)
        raise InvalidRequest(words, field="count")

    def step() -> CouponBatchItem:
        name = _name_of(merchant_id, template_id, batch_id)
        first = get_or_none(CouponBatchItem.at(merchant_id, name))
        if first is not None:
            if first.codes != count:
                raise IdempotencyMismatch
            return first
        template = coupon_templates.read(merchant_id, template_id)
        if template.given != CouponGiven.CODE:
            raise Conflict("这种优惠券不用兑换码领取。请新建一种「兑换码」优惠券。")
        if coupon_templates.state_of(template, 1, now_s=now_s) is not TemplateState.GIVEN_OUT:
            raise Conflict("这种优惠券已停止发放，不能再生成兑换码。")
        batch = CouponBatchItem.at(
            merchant_id,
            name,
            template_id=template_id,
            batch_id=batch_id,
            codes=count,
            key=secrets.token_hex(KEY_BYTES),
            made_at_s=now_s,
            made_by=staff,
            list_key=batches_list(merchant_id, template_id),
            list_rank=f"{now_s:010d}#{name}",
        )
        with transaction() as writes:
            writes.put(batch, refuse=LostRace)
            writes.update(
                CouponStockItem.at(merchant_id, template_id),
                [CouponStockItem.left.add(-count), CouponStockItem.batches.add(1)],
                condition=(CouponStockItem.left >= count)
                & CouponStockItem.withdrawn.does_not_exist()
                & (
                    CouponStockItem.batches.does_not_exist()
                    | (CouponStockItem.batches < BATCHES_MAX)
                ),
                refuse=_refused,
            )
            subject = f"coupon#{template_id}"
            after = {"codes": count, "batch": name}
            audit(writes, merchant_id, staff, "coupon_codes_written", subject, {}, after, now_s)
        return batch

    return retried(step)


def batches(merchant_id: str, template_id: str) -> list[CouponBatchItem]:
    """The batches of a template, the newest first."""
    places = TradeItem.by_list.query(batches_list(merchant_id, template_id), limit=BATCHES_MAX)
    keys = [(item.pk, item.sk) for item in places]
    found = TradeItem.batch_get(keys) if keys else ()
    items = [item for item in found if isinstance(item, CouponBatchItem)]
    return sorted(items, key=lambda item: (item.made_at_s, item.batch), reverse=True)


def codes(merchant_id: str, batch: str) -> list[Code]:
    """All codes of a batch in the order of their numbers. Raises NotFound."""
    item = get_or_none(CouponBatchItem.at(merchant_id, batch))
    if item is None:
        raise NotFound("没有找到这批兑换码。")
    used = CouponCodeItem.query(item.pk, CouponCodeItem.sk.startswith("code#"))
    times = {one.number: one.used_at_s for one in used}
    return [
        Code(str(CouponCode.made(item.batch, number, item.key)), times.get(number))
        for number in range(item.codes)
    ]


def claim(merchant_id: str, ids: Sequence[str], text: str, *, now_s: int) -> CouponItem:
    """Claim the coupon that a code stands for; who used it already gets the same coupon.

    ids: of the person. Raises CouponCodeRefused, CouponsGone, LimitReached, MembersOnly,
    SessionSuperseded, Busy.
    """
    buyers.read_open(merchant_id, ids[0])  # who has closed their account is told nothing
    code = CouponCode.parse(text)
    if code is None:
        raise CouponCodeRefused

    def step() -> CouponItem:
        batch = get_or_none(CouponBatchItem.at(merchant_id, code.batch))
        if batch is None or not code.is_proven(batch.key, batch.codes):
            raise CouponCodeRefused
        held = coupons.of_template(merchant_id, ids, batch.template_id)
        used = get_or_none(CouponCodeItem.at(merchant_id, code.batch, code.number))
        if used is not None:
            first = next((item for item in held if item.coupon_id == used.coupon_id), None)
            if first is None:
                raise CouponCodeRefused(USED)
            return first
        template = coupon_templates.read(merchant_id, batch.template_id)
        coupons.check_level(template, ids, now_s=now_s)
        coupon = coupons.next_of(template, ids, held, claim_key=str(code), now_s=now_s)
        spent = CouponCodeItem.at(
            merchant_id, code.batch, code.number, coupon_id=coupon.coupon_id, used_at_s=now_s
        )
        with transaction() as writes:
            writes.put(spent, refuse=LostRace)
            coupons.put(writes, coupon, ids, coded=True)
            writes.update(
                batch,
                [CouponBatchItem.used.add(1)],
                condition=CouponBatchItem.pk.exists(),
                refuse=LostRace,
            )
        return coupon

    return retried(step)


def _name_of(merchant_id: str, template_id: str, batch_id: str) -> str:
    """The name of this batch: its own already, or one that no other has."""
    for turn in range(TURNS_MAX):
        name = batch_name(f"{template_id}#{batch_id}", turn)
        item = get_or_none(CouponBatchItem.at(merchant_id, name))
        if item is None or (item.template_id, item.batch_id) == (template_id, batch_id):
            return name
    raise Conflict


def _refused(old: CouponStockItem | None) -> Conflict:
    if old is not None and (old.batches or 0) >= BATCHES_MAX:
        words = Text("一种优惠券最多生成 {max} 批兑换码。", max=BATCHES_MAX)
        return LimitReached(words, limit=BATCHES_MAX)
    left = old.left if old else 0
    words = Text("只剩 {left} 张可以生成兑换码，请减少数量，或先增加总数。", left=left)
    return Conflict(words, field="count", left=left)
