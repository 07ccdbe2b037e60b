"""Lists of limited length, counted before something is added to them.

What is added at the same instant is counted one after the other: an addition requires that there
was no other since `seen`, which is read before the list is.
"""

from chalicelib.tables.base import LostRace, Writes, get_or_none
from chalicelib.tables.shop import AdditionsItem


def seen(merchant_id: str, what: str) -> AdditionsItem:
    """The additions to one of the merchant's lists so far; one consistent read."""
    key = AdditionsItem.at(merchant_id, what, revision=0)
    return get_or_none(key) or key


def add(writes: Writes, before: AdditionsItem) -> None:
    """Count one more. Raises LostRace when something was added since `before`."""
    number = AdditionsItem.revision
    writes.update(
        before,
        [
            number.set(before.revision + 1),
            AdditionsItem.kind.set(AdditionsItem),
            AdditionsItem.merchant_id.set(before.merchant_id),
        ],
        condition=(number == before.revision) if before.revision else number.does_not_exist(),
        refuse=LostRace,
    )
