"""Thousands of buyers for a few units over many groups: every unit is sold, and none twice."""

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.tables.trade import OrderItem
from tests.fixtures.concurrency import concurrently
from tests.fixtures.fault_injection import Faults, injected
from tests.fixtures.shop import PAY_BY_S, ActivityIds, Shop, new_shop
from tests.laws import run_statistics

BUYERS = run_statistics.sized(5000, 500)
UNITS = run_statistics.sized(100, 10)
GROUPS = run_statistics.sized(500, 50)


def groups_with(shop: Shop, sold: ActivityIds) -> list[str]:
    """GROUPS open groups, each with its paid leader."""
    return [str(group_id) for group_id in concurrently(lambda _: shop.opened(sold), range(GROUPS))]


def rush(shop: Shop, sold: ActivityIds, group_ids: list[str], buyers: list[str]) -> list[OrderItem]:
    """Everybody joins some group at once; the seats that were got. The others were sold out."""
    joiners = list(enumerate(buyers))
    answers = concurrently(lambda one: shop.join(sold, group_ids[one[0] % GROUPS], one[1]), joiners)
    seated = [answer for answer in answers if isinstance(answer, OrderItem)]
    assert {answer for answer in answers if isinstance(answer, str)} == {"sold_out"}
    return seated


@pytest.mark.parametrize("emulated", [False, True], ids=["", "writes in flight conflict"])
def test_every_unit_is_sold_once_while_buyers_wait(emulated: bool) -> None:
    with new_shop() as shop:
        sold = shop.activity(seats=30, stock=GROUPS + UNITS)
        group_ids = groups_with(shop, sold)
        buyers = [new_id() for _ in range(BUYERS)]
        faults = Faults(seed=run_statistics.SEED, emulated=emulated)

        with injected(faults):
            seated = rush(shop, sold, group_ids, buyers)
        assert len(seated) == UNITS
        assert shop.left(sold) == 0
        shop.check()

        shop.now_s += PAY_BY_S  # nobody pays: every unit is there again, and sold again
        shop.run_jobs(1 + UNITS // 50)
        assert shop.left(sold) == UNITS
        with injected(faults):
            again = rush(shop, sold, group_ids, buyers)
        assert len(again) == UNITS
        assert shop.left(sold) == 0
        shop.check()
        assert bool(faults.seen["emulated"]) == emulated
    run_statistics.count("buyers in a crowd", 2 * BUYERS)
    run_statistics.count("faults injected", faults.seen.total())
