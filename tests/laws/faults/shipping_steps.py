"""What staff and buyers do about parcels, as chance likes; often about orders that have none."""

import random
from collections.abc import Sequence

from chalicelib.services.fulfilment import receipts, shipping
from chalicelib.services.fulfilment.shipping import Draft
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import STAFF, Shop


def ship_or_receive(
    shop: Shop, orders: Sequence[OrderItem], chance: random.Random, *, now_s: int
) -> None:
    """Ship an order, or let its buyer confirm that it has arrived."""
    if not orders:
        return
    order_id = chance.choice(orders).order_id
    if chance.random() < 0.3:
        receipts.confirm(shop.merchant_id, order_id, now_s=now_s)
        return
    number = f"SF{chance.randrange(10**12, 10**13)}"
    shipping.ship(shop.merchant_id, order_id, Draft("SF", number), staff=STAFF, now_s=now_s)
