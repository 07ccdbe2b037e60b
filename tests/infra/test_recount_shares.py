"""What shares have brought is counted anew, whatever the stream has given up."""

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.services.groups import shares
from chalicelib.tables.shares import ShareCountsItem
from infra import recount_shares
from infra.recount_shares import Recounted, recount
from tests.fixtures.shares import rows_of
from tests.fixtures.shop import Shop
from tests.laws.faults.workflows.invitations import come, shared

SEAT = {"visits": 1, "taken": 1, "paid": 1, "paid_fen": 5900}


def bought(shop: Shop) -> tuple[str, str]:
    """(activity, share) of a paid seat that the stream has told nobody of."""
    sold, buyer = shop.activity(seats=3), shop.buyer()
    group_id = shop.opened(sold)
    share_id = shared(shop, shop.buyer(), group_id)
    come(shop, buyer, share_id)
    shop.pay(shop.join(sold, group_id, buyer))
    return sold.activity_id, share_id


def firsts(figures: dict[str, int]) -> dict[str, int]:
    own = {name: count for name, count in figures.items() if name != "visits"}
    return {**figures, **{f"first_{name}": count for name, count in own.items()}}


def test_orders_are_followed_and_counters_mended_once(shop: Shop) -> None:
    one, other = bought(shop), bought(shop)

    assert recount(shop.merchant_id, now_s=shop.now_s) == Recounted(4, 0, 0)
    right = recount_shares.counted(shop.merchant_id)
    [row] = rows_of(shop.merchant_id, one[0])
    row.update(actions=[ShareCountsItem.paid.add(2), ShareCountsItem.visits.add(-2)])
    [lost] = rows_of(shop.merchant_id, other[0])
    lost.delete()

    assert right == dict.fromkeys((one, other), firsts(SEAT))
    assert recount(shop.merchant_id, now_s=shop.now_s) == Recounted(4, 2, 0)
    assert recount_shares.counted(shop.merchant_id) == right
    assert recount(shop.merchant_id, now_s=shop.now_s) == Recounted(4, 0, 0)
    shop.check()


def test_share_that_somebody_comes_by_meanwhile_is_left_for_another_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, share_id = bought(shop)
    recount(shop.merchant_id, now_s=shop.now_s)
    read = recount_shares._owed

    def slowly(merchant_id: str) -> object:
        owed = read(merchant_id)
        shares.visit(merchant_id, share_id, new_id(), now_s=shop.now_s)
        return owed

    monkeypatch.setattr(recount_shares, "_owed", slowly)

    assert recount(shop.merchant_id, now_s=shop.now_s) == Recounted(2, 0, 1)
    shop.check()
