"""/v1/me: a copy of all that is kept of the buyer, and the end of their account."""

from chalicelib import clock
from chalicelib.api import invitation_shapes, pages, reward_shapes, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import after_sales, coupons, levels, order_shapes, points
from chalicelib.api.buyers import me_schemas as schemas
from chalicelib.api.buyers.addresses import saved_addresses
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import Done, PageQuery, from_attributes
from chalicelib.errors import AccountInUse, SessionSuperseded
from chalicelib.services.growth import coupons as growth
from chalicelib.services.growth import levels as growth_levels
from chalicelib.services.growth import touches
from chalicelib.services.orders import account_deletion
from chalicelib.services.people import address_book, buyers
from chalicelib.services.reports import member_files, own_data

api = Api(__name__, audience=Audience.BUYER)


@api.operation("GET", "/me/data")
def read_own_data(who: Buyer, query: PageQuery) -> schemas.OwnData:
    """All that the shop keeps of the buyer; orders and what belongs to them page by page."""
    scope = ("data", who.merchant_id, who.buyer_id)
    before = (pages.key_of(query.next, *scope) or {}).get("before")
    buyer, accepted = buyers.read_with_consents(who.merchant_id, who.ids)
    page = own_data.page(who.merchant_id, who.ids, before=before, limit=query.limit)
    now_s = clock.now_s()
    tags, notes = member_files.own(who.merchant_id, who.ids, now_s=now_s)
    own_coupons = growth.of_buyer(who.merchant_id, who.ids)
    return schemas.OwnData(
        buyer_id=buyer.buyer_id,
        name=buyer.name,
        avatar=buyer.avatar,
        phone=buyer.phone,
        accepted=accepted,
        addresses=saved_addresses(address_book.read(who.merchant_id, who.buyer_id)),
        coupons=coupons.all_shown(who.merchant_id, own_coupons, now_s),
        points=points.account(
            who.merchant_id,
            who.ids,
            None,
            ("points", who.merchant_id, who.buyer_id),
            now_s=now_s,
        ),
        rewards=reward_shapes.of_person(who.merchant_id, who.ids),
        growth=growth_levels.standing(who.merchant_id, who.ids, now_s=now_s).growth,
        birthday=levels.birthday_shown(who.merchant_id, who.ids),
        orders=[order_shapes.detail(found, now_s=now_s) for found in page.found],
        after_sales=[after_sales.shown(item) for item in page.after_sales],
        messages=[shapes.message(item, read_up_to_s=buyer.read_up_to_s) for item in page.messages],
        reminders=[from_attributes(schemas.ReminderShown, item) for item in page.reminders],
        invitations=invitation_shapes.of_person(who.merchant_id, who.ids),
        touches=[
            from_attributes(schemas.TouchShown, one)
            for one in touches.of_person(who.merchant_id, who.ids)
        ],
        tags=tags,
        notes=[from_attributes(schemas.NoteOnBuyer, note) for note in notes],
        next=pages.token_of({"before": page.next_no} if page.next_no else None, *scope),
    )


@api.operation("DELETE", "/me/account", refusals=[AccountInUse, SessionSuperseded])
def delete_account(who: Buyer) -> Done:
    """Erase the buyer's name, picture, addresses and logins; orders stay in the shop's books."""
    account_deletion.close(who.merchant_id, who.buyer_id, now_s=clock.now_s())
    return Done()
