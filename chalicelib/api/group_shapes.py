"""Activities and groups as buyers see them."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.api import schemas, shapes
from chalicelib.domain import group as group_rules
from chalicelib.domain.activity import ActivityState, Terms, state_of
from chalicelib.domain.counts import Sums
from chalicelib.domain.freight import Template, span_fen
from chalicelib.domain.group import Group
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.money import round_yuan, yuan
from chalicelib.domain.order import Delivery
from chalicelib.domain.plain_text import within_sentence
from chalicelib.domain.recipient import masked_name
from chalicelib.domain.subscribe_message import SubscribeKind
from chalicelib.services import timeouts
from chalicelib.services.catalogue import availability, catalogue_cache, promised_coupons
from chalicelib.services.groups import crowds
from chalicelib.services.groups.group_page import MEMBERS, GroupPage, Seat
from chalicelib.services.groups.joinable_groups import JoinableGroups
from chalicelib.services.groups.shares import Invitation
from chalicelib.services.growth import levels
from chalicelib.services.people import subscriptions
from chalicelib.tables.catalogue import ActivityItem, ProductItem
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.text import Text

NO_LEVELS = LevelsRule()
OTHERS_MAX = 3  # groups to join instead of one that is full or over
COMBINED = Text("到时未满，同意合并的团员已并入同款的另一个团")
POLL_REFUND_S = 15  # while the asker's money is on its way back


@dataclass(frozen=True)
class Offered:
    """An activity as it is now, its product, and what its shop promises. left: units by SKU, of
    those that are known."""

    activity: ActivityItem
    product: ProductItem
    left: Mapping[str, int]
    deliveries: list[Delivery]
    ship_within_h: int
    points_on: bool  # whether points can be used in the shop
    levels: LevelsRule

    def state(self, now_s: int) -> ActivityState:
        item = self.activity
        sold_out = availability.is_sold_out(item, self.left)
        return state_of(
            item.status, item.starts_at_s, item.ends_at_s, now_s=now_s, sold_out=sold_out
        )


def activity(
    offered: Offered,
    offer: Terms,
    groups: JoinableGroups,
    own: tuple[GroupItem, OrderItem] | None,
    *,
    freight: Template | None,
    formed: Sums,
    reminded: bool | None,
    opens_seats: int,
    now_s: int,
) -> schemas.ActivityDetail:
    """freight: by which its product is sent; None: always for nothing. reminded: the asker will be
    told of its start; None: there is none to wait for. opens_seats: of a group that they open."""
    product = offered.product
    return schemas.ActivityDetail(
        activity_id=offer.activity_id,
        version=offer.version,
        category_id=product.category_id,
        state=offered.state(now_s),
        title=offer.title,
        product_title=product.title,
        image=offer.image,
        images=list(product.images) or [offer.image],
        selling_point=product.selling_point,
        description=product.description,
        unit=product.unit,
        groups_formed=formed.groups_formed,
        skus=skus(offer, offered),
        seats_total=offer.seats_total,
        seats_least=offer.seats_least,
        life_s=offer.life_s,
        starts_at_s=offer.starts_at_s,
        ends_at_s=offer.ends_at_s,
        limit_per_buyer=offer.limit_per_buyer,
        limit_per_order=offer.limit_per_order,
        reductions=shapes.reductions(offer),
        new_buyers=offer.new_buyers,
        compensation=promised_coupons.told(
            offered.activity.merchant_id, offer.compensation_id, now_s
        ),
        compensation_points=offer.compensation_points if offered.points_on else 0,
        takes_coupons=offer.coupons,
        points=offer.points and offered.points_on,
        leader_free=offer.leader_free,
        leader_points=offer.leader_points if offered.points_on else 0,
        leader_coupon=promised_coupons.told(
            offered.activity.merchant_id, offer.leader_coupon_id, now_s
        ),
        tiers=shapes.tiers(offer),
        members_from=shapes.members_from(offer, offered.levels),
        level_seats=shapes.level_seats(offer, offered.levels),
        opens_seats=opens_seats,
        combines=offer.combines,
        crowd=crowd(offered.activity, formed, now_s),
        solo_on_sale=product.on_sale,
        deliveries=offered.deliveries,
        freight=freight_shown(
            freight,
            weight_g=min((sku.get("weight_g", 0) for sku in product.skus), default=0),
            goods_fen=offer.cheapest.group_price_fen,
        ),
        ship_within_h=offered.ship_within_h,
        joinable_groups=[joinable(group) for group in groups.items],
        joinable_more=groups.more,
        own_group=own_group(own) if own else None,
        reminder=_reminder(offered.activity.merchant_id, reminded, now_s),
        now_s=now_s,
    )


def _reminder(merchant_id: str, reminded: bool | None, now_s: int) -> schemas.ReminderOffer | None:
    if reminded is None:
        return None
    kinds = subscriptions.offered(merchant_id, [SubscribeKind.REMINDER], now_s=now_s)
    return schemas.ReminderOffer(is_set=reminded, subscribe=kinds)


def freight_shown(
    template: Template | None, *, weight_g: int, goods_fen: int
) -> schemas.FreightShown:
    """What sending one piece costs by a template; None: nothing."""
    if template is None:
        return schemas.FreightShown(
            least_fen=0, most_fen=0, free_from_fen=None, free_from_units=None
        )
    least_fen, most_fen = span_fen(template, weight_g=weight_g, goods_fen=goods_fen)
    return schemas.FreightShown(
        least_fen=least_fen,
        most_fen=most_fen,
        free_from_fen=template.rule.free_from_fen or None,
        free_from_units=template.rule.free_from_units or None,
    )


def crowd(item: ActivityItem, formed: Sums, now_s: int) -> schemas.CrowdShown | None:
    if not item.crowd_tiers:
        return None
    return schemas.CrowdShown(
        tiers=[schemas.TierShown(**tier) for tier in item.crowd_tiers],
        seats=formed.seats_formed,
        is_over=now_s >= crowds.counted_until_s(item),
    )


def goods(group: GroupItem, now_s: int) -> schemas.GroupGoods:
    """What a group buys, by the version that it was opened with."""
    offer = catalogue_cache.version(group.merchant_id, group.activity_id, group.version)
    sku = offer.cheapest
    return schemas.GroupGoods(
        activity_id=group.activity_id,
        title=offer.title,
        image=offer.image,
        group_price_fen=sku.group_price_fen,
        price_varies=offer.price_varies,
        solo_price_fen=sku.solo_price_fen,
        new_buyers=offer.new_buyers,
        leader_free=offer.leader_free,
        tiers=shapes.tiers(offer),
        members_from=shapes.members_from(offer, levels.rule(group.merchant_id, now_s)),
        is_crowd=bool(offer.crowd_tiers),
    )


def listed(group: GroupItem, now_s: int) -> schemas.ListedGroup:
    """A group in a list of several activities'."""
    return schemas.ListedGroup(goods=goods(group, now_s), group=joinable(group))


def page(
    seen: GroupPage, offered: Offered, *, formed: Sums | None, now_s: int
) -> schemas.GroupPage:
    """A group for who asks. offered: its activity. formed: of a 万人团."""
    group, offer = seen.group, seen.terms
    shown = progress(group, offer, now_s=now_s)
    had_seat = seen.role in MEMBERS
    open_refunds = seen.order is not None and seen.order.view().open_refunds
    return schemas.GroupPage(
        progress=shown,
        seats=[seat(one) for one in seen.seats],
        role=seen.role,
        order=None if seen.order is None else shapes.order(seen.order),
        own_group=own_group(seen.own) if seen.own else None,
        reminder=_reminder(group.merchant_id, seen.reminded, now_s),
        others=[joinable(one) for one in seen.others.items[:OTHERS_MAX]] if seen.others else [],
        similar=[listed(one, now_s) for one in seen.similar[:OTHERS_MAX]],
        skus=skus(offer, offered),
        solo_price_fen=offer.cheapest.solo_price_fen,
        solo_on_sale=offered.product.on_sale,
        activity_state=offered.state(now_s),
        limit_per_buyer=offer.limit_per_buyer,
        limit_per_order=offer.limit_per_order,
        reductions=shapes.reductions(offer),
        new_buyers=offer.new_buyers,
        compensation=(
            promised_coupons.words_of(
                group.merchant_id,
                offer.compensation_id,
                now_s,
                kept_words=offer.compensation_words,
            )
            if seen.compensated
            else promised_coupons.told(group.merchant_id, offer.compensation_id, now_s)
        ),
        compensated=seen.compensated,
        compensation_points=seen.compensated_points
        or (offer.compensation_points if offered.points_on else 0),
        compensated_points=seen.compensated_points > 0,
        takes_coupons=offer.coupons,
        points=offer.points and offered.points_on,
        leader_free=offer.leader_free,
        tiers=shapes.tiers(offer),
        members_from=shapes.members_from(offer, offered.levels),
        level_seats=shapes.level_seats(offer, offered.levels),
        combines=offer.combines,
        combined=_combined(seen),
        crowd=crowd(offered.activity, formed, now_s) if formed else None,
        deliveries=offered.deliveries,
        ship_within_h=offered.ship_within_h,
        decided_at_s=group.decided_at_s,
        closed_words=within_sentence(group.closed_words or "") if had_seat else "",
        next_poll_s=shown.next_poll_s or (POLL_REFUND_S if open_refunds else 0),
    )


def _combined(seen: GroupPage) -> schemas.CombinedGroup | None:
    """Where members went on; for the asker who did, the group that they are in now."""
    into = seen.group.combined_into
    if into is None:
        return None
    if seen.moved is not None and seen.moved.group_id:
        return schemas.CombinedGroup(group_id=seen.moved.group_id, mine=True, text=COMBINED)
    return schemas.CombinedGroup(group_id=into, mine=False, text=COMBINED)


def skus(offer: Terms, offered: Offered) -> list[schemas.SkuShown]:
    images = {sku["sku_id"]: sku["image"] for sku in offered.product.skus}
    return [
        schemas.SkuShown(
            sku_id=sku.sku_id,
            spec=shapes.spec(sku.spec),
            list_price_fen=sku.list_price_fen,
            solo_price_fen=sku.solo_price_fen,
            group_price_fen=sku.group_price_fen,
            leader_price_fen=sku.leader_price_fen,
            member_prices=_member_prices(
                offered.levels if offer.member_prices else NO_LEVELS,
                sku.solo_price_fen,
                sku.member_price_fen,
                below_fen=sku.group_price_fen,
            ),
            solo_member_prices=_solo_member_prices(offered, sku.sku_id),
            image=images.get(sku.sku_id, ""),
            left=offered.left.get(sku.sku_id),
            sold_out=offered.left.get(sku.sku_id) == 0,
        )
        for sku in offer.skus
    ]


def _member_prices(
    rule: LevelsRule, solo_price_fen: int, member_price_fen: int | None, *, below_fen: int
) -> list[schemas.LevelPriceShown]:
    """What a unit costs members by level, where that is less."""
    prices = (
        (level, level.price_fen(solo_price_fen, member_price_fen))
        for level in rule.levels
        if rule.on
    )
    return [
        schemas.LevelPriceShown(no=level.no, name=level.name, price_fen=price_fen)
        for level, price_fen in prices
        if price_fen < below_fen
    ]


def _solo_member_prices(offered: Offered, sku_id: str) -> list[schemas.LevelPriceShown]:
    """By the product as it is now, at whose price it is sold alone."""
    for sku in offered.product.skus:
        if sku["sku_id"] == sku_id:
            solo_fen, own_fen = sku["solo_price_fen"], sku.get("member_price_fen")
            return _member_prices(offered.levels, solo_fen, own_fen, below_fen=solo_fen)
    return []


def progress(item: GroupItem, offer: Terms, *, now_s: int) -> schemas.GroupProgress:
    """What anybody may read of a group: no member is named in full."""
    view = item.view()
    shown = group_rules.shown_status(view, now_s=now_s, grace_s=timeouts.GRACE_S)
    overdue = shown is group_rules.GroupStatus.FAILED and item.failed_reason is None
    return schemas.GroupProgress(
        group_id=item.group_id,
        activity_id=item.activity_id,
        version=item.version,
        status=shown.value,
        failed_reason=group_rules.FailedReason.DUE.value if overdue else item.failed_reason,
        title=offer.title,
        image=offer.image,
        group_price_fen=offer.cheapest.group_price_fen,
        seats_total=view.seats_total,
        seats_least=view.seats_least,
        seats_taken=view.seats_taken,
        seats_paid=view.seats_paid,
        seats_missing=view.seats_missing,
        expires_at_s=view.expires_at_s,
        leader_name=masked_name(item.leader_name),
        next_poll_s=group_rules.next_poll_s(view, now_s=now_s, grace_s=timeouts.GRACE_S),
        now_s=now_s,
    )


def seat(one: Seat) -> schemas.Seat:
    """A seat; who has no name yet is shown as a WeChat user."""
    return schemas.Seat(
        name=masked_name(one.face.name if one.face else ""),
        avatar=one.face.avatar if one.face else "",
        is_leader=one.is_leader,
        is_paid=one.is_paid,
        is_mine=one.is_mine,
    )


def joinable(group: GroupItem) -> schemas.JoinableGroup:
    view = group.view()
    return schemas.JoinableGroup(
        group_id=group.group_id,
        leader_name=masked_name(group.leader_name),
        seats_total=view.seats_total,
        seats_least=view.seats_least,
        seats_taken=view.seats_taken,
        seats_paid=view.seats_paid,
        seats_missing=view.seats_missing,
        expires_at_s=view.expires_at_s or 0,
    )


def own_group(own: tuple[GroupItem, OrderItem]) -> schemas.OwnGroup:
    group, order = own
    view = group.view()
    return schemas.OwnGroup(
        group_id=group.group_id,
        order_id=str(order.order_id),
        seats_total=view.seats_total,
        seats_least=view.seats_least,
        seats_paid=view.seats_paid,
        seats_missing=view.seats_missing,
        expires_at_s=view.expires_at_s or 0,
    )


def invitation(
    made: Invitation, offer: Terms, group: GroupItem, *, now_s: int
) -> schemas.ShareMade:
    svg, png = shapes.qr_codes(made.link)
    return schemas.ShareMade(
        share_id=made.share_id,
        path=made.path,
        link=made.link,
        scene=made.scene,
        title=card_title(offer, group, now_s=now_s),
        qr_svg=svg,
        qr_png=png,
    )


def card_title(offer: Terms, group: GroupItem | None, *, now_s: int) -> str:
    """How the card of a shared group begins, or of its activity when there is none: what the group
    lacks while it can be joined, the price, and what it is for."""
    price = yuan(offer.cheapest.group_price_fen) + (" 起" if offer.price_varies else "")
    view = None if group is None else group.view()
    waits = view is not None and group_rules.is_joinable(view, now_s=now_s)
    return f"{_wanted(view, offer) if view and waits else ''}{price} 拼{offer.title}"


def _wanted(group: Group, offer: Terms) -> str:
    """How many it lacks; of one that forms at its deadline anyway, until more goes back, or until
    it forms at once."""
    if not group.has_least:
        return f"【还差{group.seats_lacking}人】"
    now_fen = offer.off_fen(group.seats_paid)
    following = (tier for tier in offer.tiers if tier.seats > group.seats_paid)
    if tier := next(following, None):
        more = "再返" if now_fen else "返"
        return (
            f"【再来{tier.seats - group.seats_paid}人{more}¥{round_yuan(tier.off_fen - now_fen)}】"
        )
    return f"【再来{group.seats_missing}人立即成团】"
