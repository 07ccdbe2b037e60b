"""Buyers say that they have received what was shipped."""

from chalicelib import clock
from chalicelib.api import schemas, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers.buyer import own_order
from chalicelib.api.http import Api, Audience
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.fulfilment import receipts

api = Api(__name__)


@api.operation(
    "POST", "/orders/{order_id}/receipt", audience=Audience.BUYER, refusals=[NotFound, Conflict]
)
def confirm_receipt(who: Buyer, order_id: str) -> schemas.OrderShown:
    """Confirm that all of an order has arrived; it is completed."""
    own = own_order(who, order_id)
    return shapes.order(receipts.confirm(who.merchant_id, own, now_s=clock.now_s()))
