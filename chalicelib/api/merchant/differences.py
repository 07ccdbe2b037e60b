"""Differences between gateways' bills and the books, and what staff note about them."""

from functools import partial

from chalicelib import clock
from chalicelib.api import after_sale_schemas as schemas
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain.reconcile import Difference, DifferenceStatus, words_of
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import NotFound
from chalicelib.services.money import differences
from chalicelib.services.money.review_queue import AlreadyDealtWith
from chalicelib.tables.review_queue import DifferenceReviewItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/differences", right=view(Area.RECONCILIATION))
def list_differences(who: Staff, query: schemas.DifferenceQuery) -> schemas.DifferenceRows:
    """Where a bill and the ledger did not say the same: what is open, the longest waiting first, or
    what is closed, the last closed first."""
    scope = ("differences", who.merchant_id, query.status)
    read = partial(differences.page, who.merchant_id, is_open=query.status == "open")
    return pages.page(schemas.DifferenceRows, query, scope, read, _shown)


@api.operation(
    "POST",
    "/differences/{difference_id}/dealt-with",
    right=act(Area.REFUNDS),
    refusals=[NotFound, AlreadyDealtWith],
)
def deal_with_difference(who: Staff, difference_id: str, body: schemas.DealtWithRequest) -> Done:
    """Close it, with a note of what was done about it."""
    differences.resolve(
        who.merchant_id,
        difference_id,
        note=body.note.strip(),
        staff=who.username,
        now_s=clock.now_s(),
    )
    return Done()


def _shown(item: DifferenceReviewItem) -> schemas.DifferenceRow:
    status = differences.status_of(item)
    return from_attributes(
        schemas.DifferenceRow,
        item,
        status=status.value,
        difference_text=Text(words_of(Difference(item.difference), repaired=item.repaired)),
        repaired=status is DifferenceStatus.REPAIRED,
        ours=item.ours.as_dict(),
        theirs=item.theirs.as_dict(),
        found_at_s=item.at_s,
        closed_at_s=item.dealt_at_s,
    )
