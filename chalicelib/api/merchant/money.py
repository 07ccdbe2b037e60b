"""What staff see and decide of money: after-sale, an order's ledger, bills, rejected results."""

from functools import partial

from chalicelib import clock
from chalicelib.api import after_sale_schemas as schemas
from chalicelib.api import pages, shapes
from chalicelib.api.auth import Staff
from chalicelib.api.buyers.after_sales import shown
from chalicelib.api.http import Api
from chalicelib.api.schemas import Done, PageQuery, from_attributes
from chalicelib.domain import ledger
from chalicelib.domain.after_sale import AfterSaleRefused
from chalicelib.domain.ids import OUT_TRADE_NO_LENGTH, OrderId, split_out_trade_no
from chalicelib.domain.order_words import movement_text, statement_trouble
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import NotFound
from chalicelib.services.after_sale import after_sale_decisions, after_sales, returns
from chalicelib.services.money import reconciliation, rejected_gateway_results
from chalicelib.services.money.review_queue import AlreadyDealtWith
from chalicelib.services.orders import orders
from chalicelib.tables.records import ReconciliationItem
from chalicelib.tables.review_queue import RejectedResultItem
from chalicelib.tables.trade import OrderItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/after-sales", right=view(Area.AFTER_SALES))
def list_after_sales(who: Staff, query: schemas.AfterSaleQuery) -> schemas.AfterSaleRows:
    """Requests in one status, the longest waiting first."""
    scope = ("after_sales", who.merchant_id, query.status)
    read = partial(after_sales.in_status, who.merchant_id, query.status)
    return pages.page(schemas.AfterSaleRows, query, scope, read, _row)


@api.operation(
    "POST",
    "/after-sales/{after_sale_id}/approval",
    right=act(Area.AFTER_SALES),
    refusals=[NotFound, AfterSaleRefused],
)
def approve_after_sale(
    who: Staff, after_sale_id: str, body: schemas.ApprovalRequest
) -> schemas.AfterSaleShown:
    """Give money back, what was asked or less; it cannot be taken back."""
    order_id, letter = after_sale_parts(after_sale_id)
    return shown(
        after_sale_decisions.approve(
            who.merchant_id,
            order_id,
            letter,
            amount_fen=body.amount_fen,
            units_back=body.units_back,
            staff=who.username,
            now_s=clock.now_s(),
        )
    )


@api.operation(
    "POST",
    "/after-sales/{after_sale_id}/return-agreement",
    right=act(Area.AFTER_SALES),
    refusals=[NotFound, AfterSaleRefused],
)
def agree_to_return(who: Staff, after_sale_id: str) -> schemas.AfterSaleShown:
    """Agree to a return or an exchange of goods; its buyer is told where to send them. The refund
    comes later; what an exchange needs is taken from the product's stock."""
    order_id, letter = after_sale_parts(after_sale_id)
    now_s = clock.now_s()
    return shown(returns.agree(who.merchant_id, order_id, letter, staff=who.username, now_s=now_s))


@api.operation(
    "POST",
    "/after-sales/{after_sale_id}/refusal",
    right=act(Area.AFTER_SALES),
    refusals=[NotFound, AfterSaleRefused],
)
def refuse_after_sale(
    who: Staff, after_sale_id: str, body: schemas.RefusalRequest
) -> schemas.AfterSaleShown:
    """Refuse a request, with a reply to its buyer."""
    order_id, letter = after_sale_parts(after_sale_id)
    now_s = clock.now_s()
    return shown(
        after_sale_decisions.refuse(
            who.merchant_id, order_id, letter, reply=body.reply, staff=who.username, now_s=now_s
        )
    )


@api.operation("GET", "/orders/{order_id}/ledger", right=view(Area.REFUNDS), refusals=[NotFound])
def read_ledger(who: Staff, order_id: str) -> schemas.LedgerShown:
    """Every movement of an order's money, with both accounts, and what they add up to."""
    parsed = OrderId.parse(order_id)
    if parsed is None:
        raise NotFound("没有找到这个订单。")
    order = orders.get(who.merchant_id, parsed)
    entries = order.entries()
    return schemas.LedgerShown(
        order_id=order_id,
        short_no=order.short_no,
        rows=[
            schemas.LedgerRow(
                number=_number(order, entry),
                movement=entry.movement.value,
                movement_text=Text(movement_text(entry.movement, entry.of)),
                debit=entry.legs[0].value,
                credit=entry.legs[1].value,
                amount_fen=entry.amount_fen,
                at_s=entry.at_s,
            )
            for entry in entries
        ],
        balances={str(account): fen for account, fen in ledger.balances(entries).items()},
        refunds=shapes.refunds(order),
    )


@api.operation("GET", "/reconciliations", right=view(Area.RECONCILIATION))
def list_reconciliations(who: Staff, query: PageQuery) -> schemas.ReconciliationRows:
    """Days whose bills were compared with the ledger, the newest first."""
    scope = ("reconciliations", who.merchant_id)
    read = partial(reconciliation.days, who.merchant_id)
    return pages.page(schemas.ReconciliationRows, query, scope, read, _day)


@api.operation("GET", "/rejected-results", right=view(Area.RECONCILIATION))
def list_rejected_results(who: Staff, query: PageQuery) -> schemas.RejectedResultRows:
    """What gateways told, the books do not take and nobody has dealt with, the oldest first."""
    scope = ("rejected_results", who.merchant_id)
    read = partial(rejected_gateway_results.waiting, who.merchant_id)
    return pages.page(schemas.RejectedResultRows, query, scope, read, _rejected)


@api.operation(
    "POST",
    "/rejected-results/{result_id}/dealt-with",
    right=act(Area.REFUNDS),
    refusals=[NotFound, AlreadyDealtWith],
)
def deal_with_rejected_result(who: Staff, result_id: str, body: schemas.DealtWithRequest) -> Done:
    """Take it out of the list, with a note of what was done about it."""
    rejected_gateway_results.resolve(
        who.merchant_id,
        result_id,
        note=body.note.strip(),
        staff=who.username,
        now_s=clock.now_s(),
    )
    return Done()


def _row(one: after_sales.Asked) -> schemas.AfterSaleRow:
    return from_attributes(schemas.AfterSaleRow, shown(one.item), buyer_name=one.buyer_name)


def _rejected(item: RejectedResultItem) -> schemas.RejectedResultRow:
    told = item.told.as_dict()
    parts = split_out_trade_no(str(told.get("number", ""))[:OUT_TRADE_NO_LENGTH])
    return from_attributes(
        schemas.RejectedResultRow,
        item,
        trouble_text=Text(statement_trouble(item.code)),
        told=told,
        details=item.details.as_dict(),
        order_id=str(parts[0]) if parts and item.code != NotFound.code else None,
        first_at_s=item.at_s,
    )


def _number(order: OrderItem, entry: ledger.Entry) -> str:
    """The number at the gateway that a movement is of."""
    known = order.refunds.as_dict()
    return order.refund_number(entry.of) if entry.of in known else f"{order.order_id}{entry.of}"


def after_sale_parts(after_sale_id: str) -> tuple[OrderId, str]:
    """The order and the letter of an after-sale's id. Raises NotFound."""
    order_id = OrderId.parse(after_sale_id[:-1])
    if order_id is None:
        raise NotFound("没有找到这个售后申请。")
    return order_id, after_sale_id[-1]


def _day(item: ReconciliationItem) -> schemas.ReconciliationRow:
    return from_attributes(schemas.ReconciliationRow, item, compared_at_s=item.at_s)
