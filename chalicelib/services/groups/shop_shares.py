"""Shares of the shop's own: where staff spread an activity, each with a channel and a name."""

from chalicelib.domain.plain_text import within_sentence
from chalicelib.errors import Conflict, IdempotencyMismatch, InvalidRequest, NotFound
from chalicelib.services.catalogue import activities
from chalicelib.services.groups.shares import ShareChannel
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.shares import ShareItem, shop_shares_list
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

NAME_MAX = 20
SHARES_MAX = 50  # of one activity
CHANNELS = (
    ShareChannel.STORE,
    ShareChannel.FLYER,
    ShareChannel.POSTER,
    ShareChannel.OFFICIAL_ACCOUNT,
    ShareChannel.COMMUNITY,
    ShareChannel.LINK,
)


def make(
    merchant_id: str,
    activity_id: str,
    share_id: str,
    channel: ShareChannel,
    name: str,
    *,
    staff: str,
    now_s: int,
) -> ShareItem:
    """Make a share of the shop's, which never changes; a repeat makes no other. With its audit row.

    Raises NotFound, InvalidRequest for a name that says nothing, Conflict when the activity has as
    many as it may, IdempotencyMismatch, Busy.
    """
    activities.read(merchant_id, activity_id)
    said = within_sentence(name)
    if not said:
        raise InvalidRequest("请填写推广渠道的名称。", field="name")
    item = ShareItem.at(
        merchant_id,
        share_id,
        activity_id=activity_id,
        channel=channel.value,
        name=said,
        list_key=shop_shares_list(merchant_id, activity_id),
        list_rank=f"{now_s:010d}#{share_id}",
    )

    def step() -> ShareItem:
        known = get_or_none(item)
        if known is not None:
            return _same(known, item)
        if len(of_activity(merchant_id, activity_id)) >= SHARES_MAX:
            words = Text("一个活动最多建 {most} 个推广渠道。", most=SHARES_MAX)
            raise Conflict(words, most=SHARES_MAX)
        after = {"channel": channel.value, "name": said}
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            subject = f"activity#{activity_id}"
            audit(writes, merchant_id, staff, "activity_spread", subject, {}, after, now_s)
        return item

    return retried(step)


def of_activity(merchant_id: str, activity_id: str) -> list[ShareItem]:
    """The shop's own shares of an activity, the newest first, in two calls."""
    listed = TradeItem.by_list.query(
        shop_shares_list(merchant_id, activity_id), scan_index_forward=False, limit=SHARES_MAX
    )
    keys = [(row.pk, row.sk) for row in listed]
    found = {row.pk: row for row in TradeItem.batch_get(keys)} if keys else {}
    return [item for pk, _ in keys if isinstance(item := found.get(pk), ShareItem)]


def read(merchant_id: str, activity_id: str, share_id: str) -> ShareItem:
    """One of them. Raises NotFound."""
    item = get_or_none(ShareItem.at(merchant_id, share_id))
    if item is None or item.group_id or item.activity_id != activity_id:
        raise NotFound("没有找到这个推广渠道。")
    return item


def _same(known: ShareItem, item: ShareItem) -> ShareItem:
    """The share that was made before under the id, if it was asked for in the same words."""
    for name in ("activity_id", "channel", "name"):
        if getattr(known, name) != getattr(item, name):
            raise IdempotencyMismatch
    return known
