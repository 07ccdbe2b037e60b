"""Workflows of invitations: a visit, a touch, what a first purchase brings, and its end."""

import zlib

from chalicelib.domain.ids import new_id
from chalicelib.services.groups import shares
from chalicelib.services.growth import touches
from chalicelib.services.orders import invitation_decisions
from chalicelib.services.work import due
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import STAFF, ActivityIds, Shop
from tests.fixtures.staff_requests import give_back, ship
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import process_group, process_order, workflow
from tests.laws.faults.workflows.rewards import receive


def shared(shop: Shop, sharer: str, group_id: str) -> str:
    made, _ = shares.share(shop.merchant_id, group_id, sharer, shares.ShareChannel.LINK)
    return made.share_id


def come(shop: Shop, buyer: str, *share_ids: str) -> None:
    """Visit these shares as a stranger, and tell of it as the buyer."""
    visitor = new_id()
    for share_id in share_ids:
        shares.visit(shop.merchant_id, share_id, visitor, now_s=shop.now_s)
    touches.record(shop.merchant_id, buyer, visitor, share_ids, now_s=shop.now_s)


def first_order(
    shop: Shop, sold: ActivityIds, inviter: str, buyer: str, *, group_id: str = ""
) -> OrderItem:
    """The sent order of a buyer who came by the inviter's share, into a group that formed."""
    group_id = group_id or shop.opened(sold)
    come(shop, buyer, shared(shop, inviter, group_id))
    order = shop.join(sold, group_id, buyer)
    shop.pay(order)
    process_group(shop, group_id)
    process_order(shop, order)
    ship(shop, order, f"SF{zlib.crc32(str(order.order_id).encode()):013d}")
    return order


def decide(shop: Shop, buyer: str) -> None:
    key = InvitationItem.at(shop.merchant_id, buyer)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)


def brought(shop: Shop) -> tuple[str, str, OrderItem]:
    """(inviter, who they brought, the order of those, which is received and to be decided)."""
    template_id = shop.coupons(per_buyer=9)
    shop.invite(coupon_id=template_id, gift_id=template_id)
    inviter, buyer = shop.buyer(), shop.buyer()
    order = first_order(shop, shop.activity(seats=2), inviter, buyer)
    decide(shop, buyer)
    receive(shop, order)
    return inviter, buyer, order


@workflow
def visiting_a_share_and_telling_of_it(shop: Shop) -> Act:
    group_id, buyer = shop.opened(shop.activity(seats=3)), shop.buyer()
    share_id = shared(shop, shop.buyer(), group_id)
    return lambda: come(shop, buyer, share_id)


@workflow
def finding_out_who_invited_a_buyer(shop: Shop) -> Act:
    shop.invite()
    inviter, buyer = shop.buyer(), shop.buyer()
    first_order(shop, shop.activity(seats=2), inviter, buyer)
    return lambda: decide(shop, buyer)


@workflow
def granting_an_invitation(shop: Shop) -> Act:
    _, buyer, _ = brought(shop)
    return lambda: decide(shop, buyer)


@workflow
def taking_an_invitation_back(shop: Shop) -> Act:
    _, buyer, order = brought(shop)
    decide(shop, buyer)
    give_back(shop, order, order.total_fen)
    return lambda: decide(shop, buyer)


@workflow
def staff_refuse_an_invitation(shop: Shop) -> Act:
    shop.invite()
    sold, inviter, buyer = shop.activity(seats=2), shop.buyer(), shop.buyer()
    shop.pay(shop.open(sold, inviter))  # the same address
    first_order(shop, sold, inviter, buyer)
    decide(shop, buyer)
    return lambda: invitation_decisions.refuse(
        shop.merchant_id, buyer, "同一个人", staff=STAFF, now_s=shop.now_s
    )
