"""Workflows of what shares bring: a seat that is counted, and a share of the shop's own."""

from chalicelib.domain.ids import new_id
from chalicelib.services.groups import shop_shares
from chalicelib.services.groups.shares import ShareChannel
from chalicelib.services.orders import attributions
from tests.fixtures.shop import STAFF, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.invitations import come, shared
from tests.laws.faults.workflows.registry import workflow


@workflow
def counting_a_seat_for_two_shares(shop: Shop) -> Act:
    sold, buyer = shop.activity(seats=3), shop.buyer()
    group_id = shop.opened(sold)
    for _ in range(2):
        come(shop, buyer, shared(shop, shop.buyer(), group_id))
        shop.now_s += 1
    order = shop.join(sold, group_id, buyer)
    shop.pay(order)
    return lambda: attributions.follow(shop.merchant_id, order.order_id, now_s=shop.now_s)


@workflow
def telling_of_a_share_on_another_phone(shop: Shop) -> Act:
    group_id, buyer = shop.opened(shop.activity(seats=3)), shop.buyer()
    share_id = shared(shop, shop.buyer(), group_id)
    come(shop, buyer, share_id)
    return lambda: come(shop, buyer, share_id)


@workflow
def making_a_share_of_the_shops(shop: Shop) -> Act:
    sold, share_id = shop.activity(seats=3), new_id()
    return lambda: shop_shares.make(
        shop.merchant_id,
        sold.activity_id,
        share_id,
        ShareChannel.STORE,
        "门店海报",
        staff=STAFF,
        now_s=shop.now_s,
    )
