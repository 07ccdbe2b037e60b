"""The rewards that a shop has given, for its staff."""

from chalicelib.tables.base import PageKey
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.rewards import RewardItem, rewards_list
from chalicelib.tables.trade_item import TradeItem


def page(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[tuple[RewardItem, str]], PageKey | None]:
    """([(reward, what its buyer goes by)], the newest first; the key that the next page starts
    after), in two calls. Who was merged since goes by what they were called."""
    listed = TradeItem.by_list.query(
        rewards_list(merchant_id),
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=after,
    )
    places = [(item.pk, item.sk) for item in listed]
    keys = [*places, *{(pk, "buyer") for pk, _ in places}]
    found = {(item.pk, item.sk): item for item in TradeItem.batch_get(keys, consistent_read=True)}
    shown = []
    for key in places:
        reward, buyer = found.get(key), found.get((key[0], "buyer"))
        if isinstance(reward, RewardItem):
            shown.append((reward, buyer.name if isinstance(buyer, BuyerItem) else ""))
    return shown, listed.last_evaluated_key
