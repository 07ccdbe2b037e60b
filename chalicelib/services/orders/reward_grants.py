"""Giving rewards for groups that formed, and taking them back.

Whatever may change what a person is owed marks them (growth.rewards); the job of the next minute
reckons it from all their orders. So a merge of buyers, a refund or another rule needs no count to
be put right. Each reward is one transaction: the reward under its number, its coupon, its points
and the message.
"""

import hashlib
from collections.abc import Sequence

from chalicelib import observability
from chalicelib.domain import points_account
from chalicelib.domain.coupon import CouponId, terms_of
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.points_account import PointsEntry, PointsKind
from chalicelib.domain.rewards import Counted, RewardFor, RewardsRule, reckon
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Conflict, IdempotencyMismatch, NotFound, SessionSuperseded
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.growth import coupon_grants, coupons, points, rewards
from chalicelib.services.orders import notifications, orders
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, Writes, as_read, get_or_none, retried, transaction
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.rewards import RewardItem, RewardsItem, rewards_list
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import buyer_pk


class _Merged(Exception):
    """The person was merged since they were read: what they are owed is reckoned anew."""


def process(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Give what a person who is marked is owed, under whichever of their ids, and take back what
    they were given for orders that have gone back. Safe to run twice and at once: a reward has a
    number that nobody writes twice, and the mark goes only when nothing has moved since."""

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        items = rewards.items_of(merchant_id, person.ids)
        marked = items.get(buyer_id)
        if marked is None or marked.due_at_s is None or marked.due_at_s > now_s:
            return
        is_closed = person.erased_at_s is not None
        waiting = () if is_closed else _settle(person, now_s)
        try:
            with transaction() as writes:
                if not is_closed:
                    # A mark that a merge has made since the person was read is not to be taken off.
                    buyers.check_ids(writes, merchant_id, person.ids)
                _fold(writes, person, items, waiting)
        except SessionSuperseded:
            raise LostRace from None

    retried(step)


def _settle(person: BuyerItem, now_s: int) -> tuple[int, ...]:
    """Take back and give. Returns when the groups were completed that wait for the next reward."""
    rule = rewards.present_rule(person.merchant_id)
    given = rewards.given(person.merchant_id, person.ids)
    counted = _counted(person)
    reckoned = reckon(rule, counted, [item.view() for item in given], now_s=now_s)
    there = {one.order_id for one in counted}
    for i in reckoned.broken:
        gone = next(one for one in given[i].orders if one not in there)
        _take_back(given[i], _order(person.merchant_id, gone), now_s)
    number = max((it.number for it in given if it.buyer_id == person.buyer_id), default=0)
    for why, owed in reckoned.owed:
        number += 1
        reward = RewardItem.at(
            person.merchant_id,
            person.buyer_id,
            number,
            why=why.value,
            orders=[one.order_id for one in owed],
            at_s=now_s,
            list_key=rewards_list(person.merchant_id),
            list_rank=f"{now_s:010d}#{person.buyer_id}#{number:05d}",
        )
        _give(person, reward, rule, owed[-1], now_s)
    return reckoned.waiting


def _counted(person: BuyerItem) -> list[Counted]:
    """The orders of a person that count: completed ones of groups."""
    pages = (
        OrderItem.query(
            buyer_pk(person.merchant_id, one),
            OrderItem.sk.startswith("order#"),
            consistent_read=True,
        )
        for one in person.ids
    )
    return [
        Counted(str(order.order_id), order.received_at_s or 0, order.leader_coupon or "")
        for page in pages
        for order in page
        if order.status == OrderStatus.COMPLETED and order.group_id is not None
    ]


def _give(
    person: BuyerItem, reward: RewardItem, rule: RewardsRule, last: Counted, now_s: int
) -> None:
    """Give a reward, with its coupon where there is one to give. last: the order that brought it,
    about which its buyer is told."""
    about = _order(person.merchant_id, last.order_id)
    template_id = last.leader_coupon
    if reward.why == RewardFor.GROUPS:
        template_id = rule.coupon_id
        reward.points = rule.points if points.rule(person.merchant_id, now_s).on else 0
    if not template_id or not _give_coupon(person, reward, about, template_id, now_s):
        try:
            with transaction() as writes:
                buyers.check_ids(writes, person.merchant_id, person.ids)
                _put(writes, reward, about, now_s)
        except SessionSuperseded:  # merged, or closed, since the person was read
            raise LostRace from None


def _give_coupon(
    person: BuyerItem, reward: RewardItem, about: OrderItem, template_id: str, now_s: int
) -> bool:
    """Give a reward with its coupon. False where there is none left, or the buyer has as many as
    one person may: the rest of the reward does not wait for it."""

    def also(writes: Writes, coupon: CouponItem) -> None:
        if coupon.place.buyer_id != person.buyer_id:
            raise _Merged
        reward.coupon_id, reward.coupon = coupon.coupon_id, coupon.name
        _put(writes, reward, about, now_s)
        leads = reward.why == RewardFor.LEADER
        facts = {"coupon": coupon.name, "worth": str(terms_of(coupon.terms.as_dict()).words)}
        if not leads:
            facts["groups"] = str(len(reward.orders))
        key = TextKey.LEADER_COUPON if leads else TextKey.GROUPS_COUPON
        notifications.put(writes, about, key, _suffix(reward), now_s=now_s, **facts)

    # Another run may have given this number meanwhile, for orders that it found to be owed.
    what = hashlib.sha256("#".join([reward.why, *reward.orders]).encode()).hexdigest()[:16]
    try:
        coupon = coupon_grants.grant(
            person.merchant_id,
            person.buyer_id,
            template_id,
            f"reward#{_suffix(reward)}",
            body_hash=what,
            also=also,
            now_s=now_s,
        )
    except (_Merged, IdempotencyMismatch):
        raise LostRace from None
    except (Conflict, NotFound) as refusal:
        # Where there are points, they are all that the reward was.
        template = catalogue_cache.coupon(person.merchant_id, template_id, now_s)
        missed = template.name if template is not None and not reward.points else ""
        reward.coupon_id, reward.coupon = None, missed
        observability.logger.info(
            "no coupon for a reward",
            extra={"details": {"buyer_id": person.buyer_id, "why": refusal.code}},
        )
        return False
    if coupon is None:  # the account was closed meanwhile
        raise LostRace
    return True


def _put(writes: Writes, reward: RewardItem, about: OrderItem, now_s: int) -> None:
    """Write a reward, and the points that it brings."""
    writes.put(reward, refuse=LostRace)
    if not reward.points:
        return
    merchant_id = reward.merchant_id
    [item] = points.read(merchant_id, [reward.buyer_id]).values()
    lot = points_account.lot_of(points.rule(merchant_id, now_s), now_s)
    entry = PointsEntry(now_s, reward.points, PointsKind.REWARDED, str(about.order_id))
    account = item.view().on(now_s).added({lot: reward.points}, entry)
    points.put(writes, item, account)
    notifications.put(
        writes,
        about,
        TextKey.GROUPS_POINTS,
        _suffix(reward),
        now_s=now_s,
        points=reward.points,
        groups=str(len(reward.orders)),
    )


def _take_back(reward: RewardItem, about: OrderItem, now_s: int) -> None:
    """Take a reward back: its points, though they were spent, and its coupon unless it is used.
    about: the order that went back."""
    merchant_id = reward.merchant_id
    coupon = _coupon_of(reward)
    is_kept = coupon is not None and coupon.order_id is not None
    with transaction() as writes:
        writes.update(
            reward,
            [
                RewardItem.taken_back_at_s.set(now_s),
                *([RewardItem.coupon_kept.set(True)] if is_kept else []),
            ],
            condition=RewardItem.pk.exists() & RewardItem.taken_back_at_s.does_not_exist(),
            refuse=LostRace,
        )
        if coupon is not None and not is_kept:
            coupons.take_back(writes, coupon, now_s=now_s)
        [item] = points.read(merchant_id, [reward.buyer_id]).values()
        if reward.points and item.closed_at_s is None:
            entry = PointsEntry(
                now_s, -reward.points, PointsKind.REWARD_TAKEN_BACK, str(about.order_id)
            )
            points.put(writes, item, item.view().on(now_s).taken(entry))
        if reward.points or (coupon is not None and not is_kept):
            key = TextKey.REWARD_TAKEN_BACK
            notifications.put(writes, about, key, _suffix(reward), now_s=now_s)


def _coupon_of(reward: RewardItem) -> CouponItem | None:
    place = CouponId.parse(reward.coupon_id or "")
    return get_or_none(CouponItem.at(reward.merchant_id, place)) if place is not None else None


def _order(merchant_id: str, order_id: str) -> OrderItem:
    found = OrderId.parse(order_id)
    assert found is not None
    return orders.get(merchant_id, found)


def _suffix(reward: RewardItem) -> str:
    """Tells a reward from all others of the shop."""
    return f"{reward.buyer_id}#{reward.number:05d}"


def _fold(
    writes: Writes, person: BuyerItem, items: dict[str, RewardsItem], waiting: Sequence[int]
) -> None:
    """Write what a person waits for into the one item of theirs, and take the marks off all that
    there are, as they were read."""
    for one in {person.buyer_id, *items}:
        revision = items[one].revision if one in items else None
        after = RewardsItem.at(
            person.merchant_id,
            one,
            waiting=list(waiting) if one == person.buyer_id else [],
            revision=(revision or 0) + 1,
        )
        writes.put(after, condition=as_read(RewardsItem.revision, revision), refuse=LostRace)
