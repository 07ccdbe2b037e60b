"""Shipping: one parcel, many orders at once, a number put right."""

from collections import Counter

from chalicelib import clock
from chalicelib.api.auth import ANY_ROLE, SHIPPERS, Staff
from chalicelib.api.http import Api, Audience
from chalicelib.api.merchant import order_schemas as schemas
from chalicelib.api.merchant import order_shapes
from chalicelib.api.merchant.orders import parsed
from chalicelib.domain import carriers
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.services.fulfilment import shipments, shipping
from chalicelib.services.trade import order_files

api = Api(__name__, prefix="/v1/merchant")


@api.operation(
    "GET",
    "/carriers",
    audience=Audience.STAFF,
    roles=ANY_ROLE,
    answer=schemas.Carriers,
)
def list_carriers(who: Staff) -> schemas.Carriers:
    """Carriers, with what people call them and what their numbers look like."""
    return schemas.Carriers(items=[order_shapes.carrier(one) for one in carriers.CARRIERS])


@api.operation(
    "POST",
    "/orders/{order_id}/parcels",
    audience=Audience.STAFF,
    roles=SHIPPERS,
    body=schemas.ParcelGiven,
    answer=schemas.OrderFileShown,
    refusals=[InvalidRequest, NotFound, ShippingRefused],
)
def ship_parcel(who: Staff, order_id: str, body: schemas.ParcelGiven) -> schemas.OrderFileShown:
    """Ship an order, or some units of it; its buyer is told."""
    of, now_s = parsed(order_id), clock.now_s()
    given = shipping.draft(body.carrier, body.number, body.units)
    shipping.ship(who.merchant_id, of, given, staff=who.username, now_s=now_s)
    return order_shapes.file(order_files.read(who.merchant_id, of))


@api.operation(
    "PUT",
    "/orders/{order_id}/parcels/{parcel_id}",
    audience=Audience.STAFF,
    roles=SHIPPERS,
    body=schemas.ParcelCorrection,
    answer=schemas.OrderFileShown,
    refusals=[InvalidRequest, NotFound, ShippingRefused],
)
def correct_parcel(
    who: Staff, order_id: str, parcel_id: str, body: schemas.ParcelCorrection
) -> schemas.OrderFileShown:
    """Correct a parcel's carrier or number, within 24 hours of its shipping; its buyer is told."""
    of, now_s = parsed(order_id), clock.now_s()
    given = shipping.draft(body.carrier, body.number)
    shipping.correct(who.merchant_id, of, parcel_id, given, staff=who.username, now_s=now_s)
    return order_shapes.file(order_files.read(who.merchant_id, of))


@api.operation(
    "POST",
    "/shipments",
    audience=Audience.STAFF,
    roles=SHIPPERS,
    body=schemas.ShipmentsGiven,
    answer=schemas.ShipmentResults,
)
def ship_orders(who: Staff, body: schemas.ShipmentsGiven) -> schemas.ShipmentResults:
    """Ship up to 50 orders, or only check them; every row has an answer of its own."""
    rows = [shipments.Row(row.order_id, row.carrier, row.number) for row in body.rows]
    results = shipments.ship_all(
        who.merchant_id,
        rows,
        check_only=body.check_only,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return schemas.ShipmentResults(
        results=[
            schemas.ShipmentResult(
                order_id=row.order_id,
                result=result.outcome.value,
                field=result.field,
                words=result.words,
            )
            for row, result in zip(rows, results, strict=True)
        ],
        summary=dict(Counter(result.outcome.value for result in results)),
    )
