"""Break a law by one change of what is stored, see it reported, and put it back."""

from collections.abc import Callable, Iterable, Sequence

import pytest
from pynamodb.expressions.update import Action

from chalicelib.tables.base import StoredItem


def assert_change_is_reported(
    check: Callable[[], object], reported: str, item: StoredItem, actions: Sequence[Action]
) -> None:
    before = item.serialize()
    item.update(actions=list(actions))
    _assert_reported(check, reported, [type(item).from_raw_data(before)])
    item.refresh(consistent_read=True)


def assert_loss_is_reported(
    check: Callable[[], object], reported: str, lost: Sequence[StoredItem]
) -> None:
    for item in lost:
        item.delete()
    _assert_reported(check, reported, lost)


def _assert_reported(
    check: Callable[[], object], reported: str, before: Iterable[StoredItem]
) -> None:
    try:
        with pytest.raises(AssertionError, match=reported):
            check()
    finally:
        for item in before:
            item.save()
    check()
