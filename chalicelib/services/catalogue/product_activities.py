"""Which activities sell a product: they go on when it is taken off sale, and staff are told so."""

from chalicelib.domain.activity import ActivityState, state_of
from chalicelib.services.catalogue.products import Stocked
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.catalogue_item import CatalogueItem


def activities_of(stocked: Stocked, *, now_s: int) -> list[ActivityItem]:
    """The activities that sell the product and are not over, the soonest to end first.

    Known from its stock, which names them; one consistent call more where there are any.
    """
    keys = {
        ActivityItem.at(stocked.product.merchant_id, activity_id).pk
        for stock in stocked.stocks.values()
        for activity_id, claim in stock.activities.as_dict().items()
        if claim["ends_at_s"] > now_s
    }
    if not keys:
        return []
    pairs = [(pk, "activity") for pk in sorted(keys)]
    found = [
        item
        for item in CatalogueItem.batch_get(pairs, consistent_read=True)
        if isinstance(item, ActivityItem) and not _is_over(item, now_s)
    ]
    return sorted(found, key=lambda item: (item.ends_at_s, item.activity_id))


def _is_over(item: ActivityItem, now_s: int) -> bool:
    state = state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s)
    return state is ActivityState.ENDED
