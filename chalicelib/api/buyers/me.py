"""/v1/me: what belongs to the buyer who asks."""

from chalicelib import clock
from chalicelib.api import pages, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import me_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import Done, MessageList, PageQuery
from chalicelib.domain.agreements import to_accept
from chalicelib.errors import SessionSuperseded
from chalicelib.services.growth import touches
from chalicelib.services.orders import inbox
from chalicelib.services.people import buyers, shop_cache, subscriptions

api = Api(__name__, audience=Audience.BUYER)


@api.operation("GET", "/me/profile")
def read_profile(who: Buyer) -> schemas.Profile:
    """The buyer's name and picture, how many messages are unread, which agreements changed."""
    now_s = clock.now_s()
    buyer, accepted = buyers.read_with_consents(who.merchant_id, who.ids)
    versions = shop_cache.agreement_versions(who.merchant_id, now_s)
    return schemas.Profile(
        buyer_id=buyer.buyer_id,
        name=buyer.name,
        avatar=buyer.avatar,
        phone=buyer.phone,
        unread_messages=inbox.unread(buyer, who.ids),
        to_accept=to_accept(versions, accepted),
    )


@api.operation("GET", "/me/messages")
def list_messages(who: Buyer, query: PageQuery) -> MessageList:
    """The buyer's messages, the latest first."""
    scope = ("messages", who.merchant_id, who.buyer_id)
    after = pages.key_of(query.next, *scope)
    page = inbox.read(
        who.merchant_id, who.ids, after=after["rank"] if after else None, limit=query.limit
    )
    items = [shapes.message(item, read_up_to_s=page.read_up_to_s) for item in page.messages]
    key = {"rank": page.next_rank} if page.next_rank else None
    return MessageList(items=items, next=pages.token_of(key, *scope))


@api.operation("PUT", "/me/messages/read")
def mark_messages_read(who: Buyer, body: schemas.ReadMark) -> schemas.Unread:
    """Mark the messages told until then as read."""
    unread = inbox.mark_read(who.merchant_id, who.ids, body.up_to_s, now_s=clock.now_s())
    return schemas.Unread(unread_messages=unread)


@api.operation("POST", "/me/subscriptions", refusals=[SessionSuperseded])
def add_subscriptions(who: Buyer, body: schemas.Subscriptions) -> Done:
    """Tell that the buyer agreed, at WeChat, to one more message of each of these templates."""
    now_s = clock.now_s()
    subscriptions.add(who.merchant_id, who.buyer_id, body.template_ids, now_s=now_s)
    return Done()


@api.operation("POST", "/me/touches", refusals=[SessionSuperseded])
def bring_visits(who: Buyer, body: schemas.Visits) -> Done:
    """Tell by which shares the buyer came; what the server has seen no visit of changes nothing."""
    now_s = clock.now_s()
    touches.record(who.merchant_id, who.buyer_id, body.visitor_id, body.share_ids, now_s=now_s)
    return Done()
