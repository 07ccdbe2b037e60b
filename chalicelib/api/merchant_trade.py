"""What staff do about the trade: look at groups and orders, mend refunds that need a person."""

from chalicelib import clock
from chalicelib.api import merchant_trade_schemas as schemas
from chalicelib.api import pages
from chalicelib.api.auth import ANY_ROLE, MANAGERS, Staff
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import Done, PageQuery
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus, RefundStatus
from chalicelib.domain.words import BUYER_WORDS, refund_trouble
from chalicelib.errors import Conflict, NotFound
from chalicelib.services import refunds, trade_lists
from chalicelib.tables.trade import GroupItem, OrderItem

api = Api(__name__, prefix="/v1/merchant")


@api.operation(
    "GET",
    "/groups",
    audience=Audience.STAFF,
    roles=ANY_ROLE,
    query=schemas.GroupQuery,
    answer=schemas.GroupRows,
)
def list_shop_groups(who: Staff, query: schemas.GroupQuery) -> schemas.GroupRows:
    """Groups of an activity in one status, the soonest due first."""
    scope = ("groups", who.merchant_id, query.activity_id, query.status)
    found, key = trade_lists.groups_of(
        who.merchant_id,
        query.activity_id,
        query.status,
        after=pages.key_of(query.next, *scope),
        limit=query.limit,
    )
    return schemas.GroupRows(items=[_group(g) for g in found], next=pages.token_of(key, *scope))


@api.operation(
    "GET",
    "/orders",
    audience=Audience.STAFF,
    roles=ANY_ROLE,
    query=schemas.OrderQuery,
    answer=schemas.OrderRows,
)
def list_shop_orders(who: Staff, query: schemas.OrderQuery) -> schemas.OrderRows:
    """Orders in one status, the longest paid first."""
    scope = ("orders", who.merchant_id, query.status)
    found, key = trade_lists.orders_in(
        who.merchant_id, query.status, after=pages.key_of(query.next, *scope), limit=query.limit
    )
    return schemas.OrderRows(items=[_order(o) for o in found], next=pages.token_of(key, *scope))


@api.operation(
    "GET",
    "/refunds",
    audience=Audience.STAFF,
    roles=ANY_ROLE,
    query=PageQuery,
    answer=schemas.RefundRows,
)
def list_refunds(who: Staff, query: PageQuery) -> schemas.RefundRows:
    """Refunds that need a person, the longest waiting first."""
    scope = ("refunds", who.merchant_id)
    found, key = refunds.needing_person(
        who.merchant_id, after=pages.key_of(query.next, *scope), limit=query.limit
    )
    rows = [row for order in found for row in _refunds(order)]
    return schemas.RefundRows(items=rows, next=pages.token_of(key, *scope))


@api.operation(
    "POST",
    "/refunds/{out_refund_no}/retry",
    audience=Audience.STAFF,
    roles=MANAGERS,
    answer=Done,
    refusals=[NotFound, Conflict],
)
def retry_refund(who: Staff, out_refund_no: str) -> Done:
    """Send a refund that needed a person again, under the same number."""
    refunds.send_again(who.merchant_id, out_refund_no, staff=who.username, now_s=clock.now_s())
    return Done()


def _group(item: GroupItem) -> schemas.GroupRow:
    return schemas.GroupRow(
        group_id=item.group_id,
        activity_id=item.activity_id,
        leader_name=item.leader_name,
        status=item.status,
        seats_total=item.seats_total,
        seats_paid=item.seats_paid,
        expires_at_s=int((item.list_rank or "0").partition("#")[0]),
    )


def _order(item: OrderItem) -> schemas.OrderRow:
    """From the list index, which knows the key and a few attributes of an order."""
    buyer_id = item.pk.rpartition("#")[2]
    order_no = item.sk.partition("#")[2]
    return schemas.OrderRow(
        order_id=str(OrderId(buyer_id, order_no)),
        group_id=item.group_id,
        title=item.title,
        total_fen=item.total_fen,
        status=item.status,
        status_text=BUYER_WORDS[OrderStatus(item.status)],
        listed_at_s=int((item.list_rank or "0").partition("#")[0]),
    )


def _refunds(item: OrderItem) -> list[schemas.RefundRow]:
    return [
        schemas.RefundRow(
            out_refund_no=f"{item.order_id}{key}",
            order_id=str(item.order_id),
            title=item.title,
            amount_fen=refund.amount_fen,
            reason=refund.reason,
            reason_text=refund_trouble(refund.reason),
            since_s=refund.at_s,
        )
        for key, refund in sorted(item.view().refunds.items())
        if refund.status is RefundStatus.FAILED
    ]
