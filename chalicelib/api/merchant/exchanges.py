"""What staff do about an exchange of goods that was agreed to; the rest is as of any after-sale."""

from chalicelib import clock
from chalicelib.api import after_sale_schemas as schemas
from chalicelib.api.auth import Staff
from chalicelib.api.buyers.after_sales import shown
from chalicelib.api.http import Api
from chalicelib.api.merchant.money import after_sale_parts
from chalicelib.domain.after_sale import AfterSaleRefused
from chalicelib.domain.rights import Area, act
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.services.after_sale import exchanges

api = Api(__name__, prefix="/v1/merchant")


@api.operation(
    "POST",
    "/after-sales/{after_sale_id}/goods-receipt",
    right=act(Area.AFTER_SALES),
    refusals=[NotFound, AfterSaleRefused, InvalidRequest],
)
def receive_exchanged_goods(
    who: Staff, after_sale_id: str, body: schemas.GoodsReceiptRequest
) -> schemas.AfterSaleShown:
    """Say that the goods of an exchange have come, or need not; the replacement is sent next."""
    order_id, letter = after_sale_parts(after_sale_id)
    return shown(
        exchanges.receive_goods(
            who.merchant_id,
            order_id,
            letter,
            units_back=body.units_back,
            staff=who.username,
            now_s=clock.now_s(),
        )
    )


@api.operation(
    "PUT",
    "/after-sales/{after_sale_id}/replacement",
    right=act(Area.AFTER_SALES),
    refusals=[NotFound, AfterSaleRefused, InvalidRequest],
)
def send_replacement(
    who: Staff, after_sale_id: str, body: schemas.ReplacementRequest
) -> schemas.AfterSaleShown:
    """Say in which parcel the replacement is, or correct its number; its buyer is told."""
    order_id, letter = after_sale_parts(after_sale_id)
    return shown(
        exchanges.send_replacement(
            who.merchant_id,
            order_id,
            letter,
            body.carrier,
            body.number,
            corrects=body.corrects,
            staff=who.username,
            now_s=clock.now_s(),
        )
    )


@api.operation(
    "POST",
    "/after-sales/{after_sale_id}/hand-over",
    right=act(Area.AFTER_SALES),
    refusals=[NotFound, AfterSaleRefused],
)
def hand_over_replacement(who: Staff, after_sale_id: str) -> schemas.AfterSaleShown:
    """Say that the replacement of what is collected in a store was handed over."""
    order_id, letter = after_sale_parts(after_sale_id)
    now_s, staff = clock.now_s(), who.username
    return shown(exchanges.hand_over(who.merchant_id, order_id, letter, staff=staff, now_s=now_s))
