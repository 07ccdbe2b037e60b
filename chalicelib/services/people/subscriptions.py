"""How many messages a buyer lets the mini-program send to their WeChat, by template.

WeChat has the true number and tells it to nobody: ours only spares calls that would be refused.
So a report that was sent twice does no harm. It never falls below 0.
"""

from collections.abc import Iterable, Mapping

from pynamodb.expressions.condition import Condition

from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.subscribe_message import SubscribeKind
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.gateways.wechat_login import mini_program
from chalicelib.services.people import buyers, identities, shop_cache
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, transaction
from chalicelib.tables.buyers import BuyerItem, SubscriptionsItem

LEFT_MAX = 20  # of a template; more are not counted


def offered(merchant_id: str, wanted: Iterable[SubscribeKind], *, now_s: int) -> list[str]:
    """The templates that a buyer may be asked about who wants to be told such things."""
    templates = shop_cache.subscribe_templates(merchant_id, now_s)
    kinds = (kind for kind in wanted if kind in templates)
    return list(dict.fromkeys(templates[kind].template_id for kind in kinds))


def add(merchant_id: str, buyer_id: str, template_ids: Iterable[str], *, now_s: int) -> None:
    """Count one more message of each of these templates, which the buyer has agreed to.

    What is no template of the shop's is left out, and so is who never came by the mini-program.
    Raises SessionSuperseded for who closed their account, Busy.
    """
    known = {one.template_id for one in shop_cache.subscribe_templates(merchant_id, now_s).values()}
    agreed = known & set(template_ids)
    appid = appid_of(merchant_id)

    def step() -> None:
        buyer = identities.root(merchant_id, buyer_id)
        buyers.refuse_closed(buyer)
        identity_id = identity_of(buyer, appid) if appid else None
        if identity_id is None or not agreed:
            return
        item = get_or_none(SubscriptionsItem.at(merchant_id, identity_id))
        left = item.left.as_dict() if item else {}
        more = {one: min(LEFT_MAX, left.get(one, 0) + 1) for one in agreed}
        with transaction() as writes:
            buyers.check_open(writes, merchant_id, buyer.buyer_id)
            if item is None:
                key = SubscriptionsItem.at(merchant_id, identity_id, left=more)
                writes.put(key, refuse=LostRace)
            else:
                write(writes, item, left | more)

    retried(step)


def appid_of(merchant_id: str) -> str | None:
    """The merchant's mini-program; None while it has none."""
    try:
        return mini_program(merchant_id).appid
    except NotConfigured:
        return None


def identity_of(buyer: BuyerItem, appid: str) -> str | None:
    """The id of who the buyer is in the mini-program; None when they never came by it."""
    found: str | None = buyer.identities.as_dict().get(Identity(Way.WECHAT_MINI, "", appid).slot)
    return found


def write(writes: Writes, item: SubscriptionsItem, left: Mapping[str, int]) -> None:
    """Write what is left, on condition that it is as it was read; refused as LostRace."""
    same: Condition = SubscriptionsItem.revision == item.revision
    writes.update(
        item,
        [
            SubscriptionsItem.left.set({one: count for one, count in left.items() if count > 0}),
            SubscriptionsItem.revision.set(item.revision + 1),
        ],
        condition=same,
        refuse=LostRace,
    )
