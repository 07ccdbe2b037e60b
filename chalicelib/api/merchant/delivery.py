"""/v1/merchant: pickup stores, freight templates, and handing over what is collected."""

from chalicelib import clock
from chalicelib.api import auth, shapes
from chalicelib.api.http import Api
from chalicelib.api.merchant import delivery_schemas as schemas
from chalicelib.api.merchant.orders import parsed
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain import freight
from chalicelib.domain.freight import Measure, Region, Rule, Template
from chalicelib.domain.order_words import staff_text
from chalicelib.domain.recipient import masked_phone
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import freight_templates, stores
from chalicelib.services.catalogue.stores import Hours, StoreDraft
from chalicelib.services.fulfilment import pickups
from chalicelib.tables.shop import FreightItem, StoreItem
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/stores", right=view(Area.DELIVERY))
def list_stores(who: auth.Staff) -> schemas.StoreList:
    """All pickup stores, by name."""
    return schemas.StoreList([_store(item) for item in stores.everything(who.merchant_id)])


@api.operation(
    "POST",
    "/stores",
    right=act(Area.DELIVERY),
    status=201,
    refusals=[LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_store(who: auth.Staff, body: schemas.StoreInput) -> schemas.Store:
    """Create a pickup store."""
    made = once(api.current_request, who, "store")
    item = stores.create(
        who.merchant_id,
        made.item_id,
        _draft(body),
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _store(item)


@api.operation("PUT", "/stores/{store_id}", right=act(Area.DELIVERY), refusals=[NotFound, Changed])
def change_store(store_id: str, who: auth.Staff, body: schemas.StoreChange) -> schemas.Store:
    """Change a pickup store, close or open it; for orders placed from now on."""
    item = stores.change(
        who.merchant_id,
        store_id,
        _draft(body),
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _store(item)


@api.operation("DELETE", "/stores/{store_id}", right=act(Area.DELIVERY), refusals=[NotFound])
def remove_store(store_id: str, who: auth.Staff) -> Done:
    """Remove a pickup store; what was bought for it is still collected there."""
    stores.remove(who.merchant_id, store_id, staff=who.username, now_s=clock.now_s())
    return Done()


@api.operation("GET", "/freight-templates", right=view(Area.DELIVERY))
def list_freight_templates(who: auth.Staff) -> schemas.FreightTemplateList:
    """All freight templates, by name."""
    items = freight_templates.everything(who.merchant_id)
    return schemas.FreightTemplateList([_freight(item) for item in items])


@api.operation(
    "POST",
    "/freight-templates",
    right=act(Area.DELIVERY),
    status=201,
    refusals=[InvalidRequest, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_freight_template(who: auth.Staff, body: schemas.FreightInput) -> schemas.FreightTemplate:
    """Create a freight template, which products then name."""
    made = once(api.current_request, who, "freight")
    item = freight_templates.create(
        who.merchant_id,
        made.item_id,
        body.name,
        _template(body),
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _freight(item)


@api.operation(
    "PUT",
    "/freight-templates/{template_id}",
    right=act(Area.DELIVERY),
    refusals=[InvalidRequest, NotFound, Changed],
)
def change_freight_template(
    template_id: str, who: auth.Staff, body: schemas.FreightChange
) -> schemas.FreightTemplate:
    """Change a freight template; for orders placed from now on."""
    item = freight_templates.change(
        who.merchant_id,
        template_id,
        body.name,
        _template(body),
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _freight(item)


@api.operation(
    "DELETE", "/freight-templates/{template_id}", right=act(Area.DELIVERY), refusals=[NotFound]
)
def remove_freight_template(template_id: str, who: auth.Staff) -> Done:
    """Offer a freight template no more; products that name it go on by it."""
    freight_templates.remove(who.merchant_id, template_id, staff=who.username, now_s=clock.now_s())
    return Done()


@api.operation(
    "POST", "/orders/{order_id}/readiness", right=act(Area.PICKUP), refusals=[NotFound, Conflict]
)
def make_ready(order_id: str, who: auth.Staff) -> schemas.Pickup:
    """Say that an order can be collected; its buyer is told the code."""
    of, now_s = parsed(order_id), clock.now_s()
    return _pickup(*pickups.make_ready(who.merchant_id, of, staff=who.username, now_s=now_s))


@api.operation("GET", "/pickups/{code}", right=act(Area.PICKUP), refusals=[NotFound])
def look_up_pickup(code: str, who: auth.Staff) -> schemas.Pickup:
    """The order of a pickup code, to look at before it is handed over."""
    now_s = clock.now_s()
    return _pickup(*pickups.look_up(who.merchant_id, code, staff=who.username, now_s=now_s))


@api.operation("POST", "/pickups", right=act(Area.PICKUP), refusals=[NotFound, Conflict])
def hand_over(who: auth.Staff, body: schemas.CodeRequest) -> schemas.Pickup:
    """Hand an order over to who shows its code; it is completed."""
    now_s = clock.now_s()
    return _pickup(*pickups.hand_over(who.merchant_id, body.code, staff=who.username, now_s=now_s))


def _draft(body: schemas.StoreInput) -> StoreDraft:
    hours = [Hours(one.days, one.hours) for one in body.hours]
    return StoreDraft(body.name, body.address, body.phone, hours, body.is_open)


def _store(item: StoreItem) -> schemas.Store:
    hours = [schemas.HoursInput(**one) for one in item.hours]
    return from_attributes(schemas.Store, item, hours=hours)


def _template(body: schemas.FreightInput) -> Template:
    return Template(
        measure=Measure(body.measure),
        rule=from_attributes(Rule, body.rule),
        regions=tuple(
            Region(tuple(r.provinces), from_attributes(Rule, r.rule)) for r in body.regions
        ),
        not_delivered=tuple(body.not_delivered),
    )


def _freight(item: FreightItem) -> schemas.FreightTemplate:
    rules = freight.template_of(item.rules.as_dict())
    return from_attributes(
        schemas.FreightTemplate,
        item,
        measure=rules.measure.value,
        rule=schemas.FreightRule(**vars(rules.rule)),
        regions=[
            schemas.FreightRegion(list(r.provinces), schemas.FreightRule(**vars(r.rule)))
            for r in rules.regions
        ],
        not_delivered=list(rules.not_delivered),
    )


def _pickup(item: OrderItem, detail: OrderDetailItem) -> schemas.Pickup:
    lines, collector = detail.lines.as_dict(), detail.address.as_dict()
    store = detail.store.as_dict() if detail.store is not None else {}
    view = item.view()
    return from_attributes(
        schemas.Pickup,
        item,
        order_id=str(item.order_id),
        status_text=Text(staff_text(view)),
        title=lines["title"],
        spec=shapes.spec(lines["spec"]),
        image=lines["image"],
        to_hand_over=view.units.to_deliver,
        handed_over=view.units.handed_over,
        buyer_name=collector["name"],
        buyer_phone=masked_phone(collector["phone"]),
        remark=detail.remark,
        store_name=store.get("name", ""),
        ready_at_s=detail.ready_at_s,
    )
