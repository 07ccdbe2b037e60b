"""Shipping: one parcel, many orders at once, a number put right."""

from collections import Counter
from functools import partial

from msgspec import structs

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.merchant import order_schemas as schemas
from chalicelib.api.merchant import order_shapes
from chalicelib.api.merchant.orders import file_of, parsed
from chalicelib.api.schemas import PageQuery, from_attributes
from chalicelib.domain import carriers
from chalicelib.domain.rights import Area, act, view
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.services.fulfilment import shipments, shipping, shipping_batches
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/carriers", right=view(Area.ORDERS))
def list_carriers(who: Staff) -> schemas.Carriers:
    """Carriers, with what people call them and what their numbers look like."""
    return schemas.Carriers(items=[order_shapes.carrier(one) for one in carriers.CARRIERS])


@api.operation(
    "POST",
    "/orders/{order_id}/parcels",
    right=act(Area.SHIPPING),
    refusals=[InvalidRequest, NotFound, ShippingRefused],
)
def ship_parcel(who: Staff, order_id: str, body: schemas.ParcelRequest) -> schemas.OrderFileShown:
    """Ship an order, or some units of it; its buyer is told."""
    of, now_s = parsed(order_id), clock.now_s()
    given = shipping.draft(body.carrier, body.number, body.units)
    shipping.ship(who.merchant_id, of, given, staff=who.username, now_s=now_s)
    return file_of(who, of)


@api.operation(
    "PUT",
    "/orders/{order_id}/parcels/{parcel_id}",
    right=act(Area.SHIPPING),
    refusals=[InvalidRequest, NotFound, ShippingRefused],
)
def correct_parcel(
    who: Staff, order_id: str, parcel_id: str, body: schemas.ParcelCorrection
) -> schemas.OrderFileShown:
    """Correct a parcel's carrier or number, within 24 hours of its shipping; its buyer is told."""
    of, now_s = parsed(order_id), clock.now_s()
    given = shipping.draft(body.carrier, body.number)
    shipping.correct(who.merchant_id, of, parcel_id, given, staff=who.username, now_s=now_s)
    return file_of(who, of)


@api.operation("POST", "/shipments", right=act(Area.SHIPPING), refusals=[InvalidRequest])
def ship_orders(who: Staff, body: schemas.ShipmentsRequest) -> schemas.ShipmentResults:
    """Ship up to 50 orders, or only check them; every row has an answer of its own."""
    rows = [shipments.Row(row.order_id, row.carrier, row.number) for row in body.rows]
    now_s, part = clock.now_s(), _part(body)
    left_out = [structs.asdict(row) for row in (body.batch and body.batch.left_out) or ()]
    if not (rows or left_out):
        raise InvalidRequest("没有要发货的订单，请先填好表格。", field="rows")
    if part is not None:
        shipping_batches.check(part, now_s=now_s)
    results = shipments.ship_all(
        who.merchant_id, rows, check_only=body.check_only, staff=who.username, now_s=now_s
    )
    if part is not None:
        outcomes = list(zip(rows, results, strict=True))
        shipping_batches.keep(who.merchant_id, part, outcomes, left_out, staff=who.username)
    return schemas.ShipmentResults(
        results=[
            schemas.ShipmentResult(
                order_id=row.order_id,
                result=result.outcome.value,
                field=result.field,
                words=Text(result.words),
            )
            for row, result in zip(rows, results, strict=True)
        ],
        summary=dict(Counter(result.outcome.value for result in results)),
    )


@api.operation("GET", "/shipping-batches", right=act(Area.SHIPPING))
def list_shipping_batches(who: Staff, query: PageQuery) -> schemas.ShippingBatches:
    """Tables of shipments that were sent, the newest first, with the rows that were not shipped."""
    scope = ("shipping batches", who.merchant_id)
    read = partial(shipping_batches.page, who.merchant_id)
    return pages.page(schemas.ShippingBatches, query, scope, read, _batch)


def _batch(batch: shipping_batches.Batch) -> schemas.ShippingBatch:
    failures = [schemas.FailedShipment(**failure) for failure in batch.failures]
    summary = dict(batch.summary)
    return from_attributes(schemas.ShippingBatch, batch, summary=summary, failures=failures)


def _part(body: schemas.ShipmentsRequest) -> shipping_batches.Part | None:
    """The part of the history that this is; None when it is none."""
    given = body.batch
    if given is None or body.check_only:
        return None
    return shipping_batches.Part(given.batch_id, given.started_at_s, given.part)
