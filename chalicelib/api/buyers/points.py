"""/v1/me/points: what a buyer has of points, and how it came so."""

from collections.abc import Sequence

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import points_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.points_account import PointsEntry
from chalicelib.services.growth import points, points_statements
from chalicelib.services.people import buyers

api = Api(__name__, audience=Audience.BUYER)


@api.operation("GET", "/me/points")
def read_own_points(who: Buyer, query: schemas.PointsQuery) -> schemas.PointsAccountShown:
    """The buyer's points, with their latest entries or an earlier page of them."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    scope = ("points", who.merchant_id, who.buyer_id)
    return account(who.merchant_id, who.ids, query.next, scope, now_s=clock.now_s())


def account(
    merchant_id: str, ids: Sequence[str], token: str | None, scope: tuple[str, ...], *, now_s: int
) -> schemas.PointsAccountShown:
    """The points of a person, or an earlier page of their entries. scope: of the page's token."""
    before = (pages.key_of(token, *scope) or {}).get("before")
    found = points_statements.read(merchant_id, ids, before=before, now_s=now_s)
    rule = points.rule(merchant_id, now_s)
    expiring = None
    if found.expiring is not None:
        lot, count = found.expiring
        expiring = schemas.PointsExpiringShown(points=count, on=points_statements.ends_on(lot))
    key = {"before": found.next_page} if found.next_page else None
    return schemas.PointsAccountShown(
        on=rule.on,
        balance=found.balance,
        worth_fen=rule.off_fen(max(found.balance, 0)) if rule.on else 0,
        step=rule.for_yuan,
        expiring=expiring,
        rules=rule.words,
        entries=[_entry(one) for one in found.entries],
        next=pages.token_of(key, *scope),
    )


def _entry(one: PointsEntry) -> schemas.PointsEntryShown:
    return from_attributes(schemas.PointsEntryShown, one, order_id=one.order_id or None)
