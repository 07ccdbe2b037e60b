"""What staff do in a life: close a group, or give it more time; most of it is refused."""

import random
from collections.abc import Sequence

from chalicelib.services.groups import group_controls
from tests.fixtures.shop import STAFF, Shop


def close_or_extend(
    shop: Shop, group_ids: Sequence[str], chance: random.Random, *, now_s: int
) -> None:
    if not group_ids:
        return
    ours = (shop.merchant_id, chance.choice(group_ids))
    if chance.random() < 0.3:
        group_controls.close_group(*ours, reason="缺货", staff=STAFF, now_s=now_s)
        return
    until_s = group_controls.read(*ours).expires_at_s or 0
    hours = chance.randint(1, 24)
    group_controls.extend(*ours, hours=hours, expires_at_s=until_s, staff=STAFF, now_s=now_s)
