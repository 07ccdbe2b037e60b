"""Calls that time out: whoever made them is told that all are busy, and nothing else."""

from collections.abc import Callable

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.errors import Busy
from chalicelib.tables.base import put_new, transaction, update_one
from chalicelib.tables.buyers import BuyerItem
from tests.fixtures.fault_injection import Faults, injected
from tests.fixtures.shop import new_shop


def put() -> None:
    put_new(BuyerItem.at(new_id(), new_id(), openid="o"))


def update() -> None:
    buyer = BuyerItem.at(new_id(), new_id())
    exists = BuyerItem.pk.exists()
    update_one(buyer, [BuyerItem.name.set("小明")], condition=exists, refuse=ValueError)


def transact() -> None:
    with transaction() as writes:
        writes.put(BuyerItem.at(new_id(), new_id(), openid="o"), refuse=ValueError)


@pytest.mark.parametrize("write", [put, update, transact])
def test_write_that_times_out_says_busy(write: Callable[[], None]) -> None:
    with new_shop(), injected(Faults(seed=1, unreached=1)), pytest.raises(Busy):
        write()
