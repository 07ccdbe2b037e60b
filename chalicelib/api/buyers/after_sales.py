"""Buyers ask for money back on an order that was to be fulfilled, or for an exchange of goods."""

from chalicelib import clock
from chalicelib.api import after_sale_schemas as schemas
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers.buyer import own_order
from chalicelib.api.http import Api, Audience
from chalicelib.domain import carriers
from chalicelib.domain.after_sale import (
    REASON_WORDS,
    AfterSaleRefused,
    AfterSaleStatus,
    Reason,
    status_words,
)
from chalicelib.errors import NotFound
from chalicelib.services.after_sale import after_sales, exchanges, returns
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.orders import orders
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.text import Text

api = Api(__name__)
BY_SHOP = "商家主动退款"


@api.operation(
    "POST",
    "/orders/{order_id}/after-sales",
    audience=Audience.BUYER,
    status=201,
    refusals=[NotFound, AfterSaleRefused],
)
def request_after_sale(
    who: Buyer, order_id: str, body: schemas.AfterSaleRequest
) -> schemas.AfterSaleShown:
    """Ask for money back on an order, all or part of it, with or without sending goods back; staff
    decide."""
    reason = Reason(body.reason)
    claim = Claim(body.amount_fen, reason, body.words, body.pictures, units=body.units)
    return _requested(who, order_id, claim)


@api.operation(
    "POST",
    "/orders/{order_id}/exchanges",
    audience=Audience.BUYER,
    status=201,
    refusals=[NotFound, AfterSaleRefused],
)
def request_exchange(
    who: Buyer, order_id: str, body: schemas.ExchangeRequest
) -> schemas.AfterSaleShown:
    """Ask for other units of the same SKU instead of some that came; no money is settled. It is an
    after-sale like the others, one of which is open at a time; staff decide."""
    reason = Reason(body.reason)
    claim = Claim(0, reason, body.words, body.pictures, units=body.units, exchange=True)
    return _requested(who, order_id, claim)


@api.operation(
    "GET", "/orders/{order_id}/after-sales", audience=Audience.BUYER, refusals=[NotFound]
)
def list_own_after_sales(who: Buyer, order_id: str) -> schemas.OwnAfterSales:
    """What was asked back on an order, the newest first, and what may be yet."""
    own = own_order(who, order_id)
    order = orders.get_for_buyer(who.merchant_id, own).view()
    asked = after_sales.of_order(who.merchant_id, own)
    refundable_fen = after_sales.refundable_fen(order)
    return schemas.OwnAfterSales(
        refundable_fen=refundable_fen,
        units_left=order.units.may_go_back,
        items=[shown(item) for item in reversed(asked)],
    )


@api.operation(
    "POST",
    "/orders/{order_id}/after-sales/{letter}/withdrawal",
    audience=Audience.BUYER,
    refusals=[NotFound, AfterSaleRefused],
)
def withdraw_after_sale(who: Buyer, order_id: str, letter: str) -> schemas.AfterSaleShown:
    """Take back a request that staff have not decided."""
    own = own_order(who, order_id)
    return shown(after_sales.withdraw(who.merchant_id, own, letter, now_s=clock.now_s()))


@api.operation(
    "PUT",
    "/orders/{order_id}/after-sales/{letter}/parcel",
    audience=Audience.BUYER,
    refusals=[NotFound, AfterSaleRefused],
)
def send_return(
    who: Buyer, order_id: str, letter: str, body: schemas.ReturnParcelRequest
) -> schemas.AfterSaleShown:
    """Say in which parcel goods come back; it may be corrected until the shop has them."""
    own, now_s = own_order(who, order_id), clock.now_s()
    return shown(returns.send(who.merchant_id, own, letter, body.carrier, body.number, now_s=now_s))


@api.operation(
    "POST",
    "/orders/{order_id}/after-sales/{letter}/receipt",
    audience=Audience.BUYER,
    refusals=[NotFound, AfterSaleRefused],
)
def confirm_exchange(who: Buyer, order_id: str, letter: str) -> schemas.AfterSaleShown:
    """Say that the replacement has come: the exchange is done. After the days in which an order
    counts as received it is done by itself."""
    own = own_order(who, order_id)
    return shown(exchanges.confirm(who.merchant_id, own, letter, now_s=clock.now_s()))


def _requested(who: Buyer, order_id: str, claim: Claim) -> schemas.AfterSaleShown:
    own, now_s = own_order(who, order_id), clock.now_s()
    asked = after_sales.request(who.merchant_id, own, claim, other_ids=who.ids, now_s=now_s)
    return shown(asked)


def shown(item: AfterSaleItem) -> schemas.AfterSaleShown:
    by_shop = item.by_staff is not None
    return schemas.AfterSaleShown(
        after_sale_id=item.order_id + item.letter,
        order_id=item.order_id,
        short_no=item.short_no,
        title=item.title,
        kind=item.asks_for.value,
        status=item.status,
        status_text=Text(
            BY_SHOP if by_shop else status_words(AfterSaleStatus(item.status), item.asks_for)
        ),
        amount_fen=item.amount_fen,
        reason=item.reason,
        reason_text=Text(BY_SHOP if by_shop else REASON_WORDS[Reason(item.reason)]),
        words=item.words,
        pictures=list(item.pictures),
        reply=item.reply,
        units_back=item.units_back,
        units=item.units or 0,
        return_to=item.return_to or "",
        return_by_s=item.return_by_s,
        carrier=item.carrier or "",
        carrier_name=Text(_carrier_name(item.carrier)),
        number=item.number or "",
        sent_at_s=item.sent_at_s,
        goods_at_s=item.goods_at_s,
        pickup=bool(item.pickup),
        replacement_carrier=item.replacement_carrier or "",
        replacement_carrier_name=Text(_carrier_name(item.replacement_carrier)),
        replacement_number=item.replacement_number or "",
        replacement_at_s=item.replacement_at_s,
        receive_by_s=item.receive_by_s,
        by_shop=by_shop,
        requested_at_s=item.requested_at_s,
        decided_at_s=item.decided_at_s,
    )


def _carrier_name(code: str | None) -> str:
    return carriers.by_code(code).name if code else ""
