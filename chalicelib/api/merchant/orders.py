"""Orders for staff: finding them, reading one, and writing into it what is not shipping."""

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.merchant import order_schemas as schemas
from chalicelib.api.merchant import order_shapes
from chalicelib.api.once import HEADERS, once
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.recipient import check_look
from chalicelib.domain.rights import Area, act, view
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
)
from chalicelib.services.orders import order_edits, order_lists, recipients
from chalicelib.services.orders.order_lists import Wish
from chalicelib.services.reports import order_files

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/orders", right=view(Area.ORDERS), refusals=[InvalidRequest])
def list_shop_orders(who: Staff, query: schemas.OrderQuery) -> schemas.OrderRows:
    """Orders in one status or found by a word; what waits for staff the longest first, else the
    newest."""
    wish = _wish(query)
    scope = ("orders", who.merchant_id, repr(wish))
    page = order_lists.find(
        who.merchant_id,
        wish,
        after=pages.key_of(query.next, *scope),
        limit=query.limit,
        now_s=clock.now_s(),
    )
    return schemas.OrderRows(
        items=[order_shapes.row(one) for one in page.found],
        next=pages.token_of(page.next_key, *scope),
        left_out=page.left_out,
    )


@api.operation("GET", "/orders/counts", right=view(Area.ORDERS))
def count_orders(who: Staff) -> schemas.OrderCounts:
    """How many orders each list has, up to 100."""
    return schemas.OrderCounts(counts=order_lists.counts(who.merchant_id))


@api.operation("GET", "/orders/{order_id}", right=view(Area.ORDERS), refusals=[NotFound])
def read_order_file(who: Staff, order_id: str) -> schemas.OrderFileShown:
    """Everything of one order; its recipient is masked."""
    return file_of(who, parsed(order_id))


@api.operation(
    "POST", "/recipients", right=view(Area.RECIPIENTS), refusals=[InvalidRequest, NotFound]
)
def see_recipients(who: Staff, body: schemas.RecipientsWanted) -> schemas.RecipientsResponse:
    """Who gets these orders, in full; each look is in the audit log before it is answered."""
    order_ids, now_s = [parsed(order_id) for order_id in body.order_ids], clock.now_s()
    check_look(body.purpose, len(set(order_ids)), may_ship=who.may(act(Area.SHIPPING)))
    seen = recipients.look(
        who.merchant_id, order_ids, body.purpose, staff=who.username, now_s=now_s
    )
    return schemas.RecipientsResponse(items=[order_shapes.in_full(one) for one in seen])


@api.operation(
    "PUT",
    "/orders/{order_id}/address",
    right=act(Area.ORDERS),
    refusals=[NotFound, ShippingRefused, Changed],
)
def change_address(
    who: Staff, order_id: str, body: schemas.AddressChange
) -> schemas.OrderFileShown:
    """Send an order elsewhere, before anything of it is shipped; audited."""
    of, now_s = parsed(order_id), clock.now_s()
    address = {name: getattr(body.address, name) for name in body.address.__struct_fields__}
    order_edits.change_address(
        who.merchant_id, of, address, changes=body.address_changes, staff=who.username, now_s=now_s
    )
    return file_of(who, of)


@api.operation(
    "POST",
    "/orders/{order_id}/notes",
    right=act(Area.ORDERS),
    status=201,
    refusals=[NotFound, Conflict, IdempotencyMismatch],
    headers=HEADERS,
)
def add_note(who: Staff, order_id: str, body: schemas.NoteRequest) -> schemas.OrderFileShown:
    """Note something about an order that only staff read."""
    of, now_s = parsed(order_id), clock.now_s()
    note_id = once(api.current_request, who, f"note {order_id}").item_id
    order_edits.add_note(who.merchant_id, of, note_id, body.text, staff=who.username, now_s=now_s)
    return file_of(who, of)


def parsed(order_id: str) -> OrderId:
    """The id of an order. Raises NotFound for what is none."""
    found = OrderId.parse(order_id)
    if found is None:
        raise NotFound("没有找到这个订单。")
    return found


def file_of(who: Staff, order_id: OrderId) -> schemas.OrderFileShown:
    """Everything of one order as `who` may see it. Raises NotFound."""
    return order_shapes.file(order_files.read(who.merchant_id, order_id), who)


def _wish(query: schemas.OrderQuery) -> Wish:
    return Wish(
        status=OrderStatus(query.status) if query.status else None,
        q=query.q.strip(),
        product_id=query.product_id or "",
        buyer_id=query.buyer_id or "",
        from_s=query.from_s,
        to_s=query.to_s,
    )
