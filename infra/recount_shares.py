"""Count anew what a shop's shares have brought: `python -m infra.recount_shares --stage prod …`.

For changes that the stream has given up, which lie in the queue of failures. Every order of a group
is followed again, as the stream would have had it; then each share's counters are compared with
its visitors and with what was counted of its orders, and what they lack is added. A share that
something is counted for meanwhile is left for another run. A repeat changes nothing more.

It reads the whole table a few times, so run it when few people buy. The credentials are those of
the AWS command line; the tables are found by the stack's outputs, or named by CATALOGUE_TABLE and
TRADE_TABLE.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from infra import stage_environment
from infra.stage_environment import UnknownTables

if TYPE_CHECKING:
    from chalicelib.tables.shares import ShareItem

TABLES = ("CATALOGUE_TABLE", "TRADE_TABLE")
Figures = dict[str, int]  # those that are not 0
_Row = tuple[str, str]  # activity, share


@dataclass(frozen=True)
class Recounted:
    """orders: that were followed. mended: shares whose counters were wrong. moving: those that
    something was counted for meanwhile, which were not compared."""

    orders: int
    mended: int
    moving: int


def recount(merchant_id: str, *, now_s: int) -> Recounted:
    """Follow all orders of a shop again, and let its counters be what these and the visits say."""
    # Imported late: the app reads its settings from the environment once, on import.
    from chalicelib.services.orders import attributions
    from chalicelib.tables.trade import OrderItem

    followed = 0
    for order in OrderItem.scan(OrderItem.pk.startswith(f"{merchant_id}#")):
        if order.group_id is not None:
            attributions.follow(merchant_id, order.order_id, now_s=now_s)
            followed += 1
    before = counted(merchant_id)
    owed, shares = _owed(merchant_id)
    after = counted(merchant_id)
    mended = moving = 0
    for row in owed.keys() | before.keys() | after.keys():
        if before.get(row) != after.get(row):
            moving += 1
        elif _mend(merchant_id, shares[row[1]], owed.get(row, {}), before.get(row, {})):
            mended += 1
    return Recounted(followed, mended, moving)


def counted(merchant_id: str) -> dict[_Row, Figures]:
    """What the counters of each share say together."""
    from chalicelib.tables.shares import COUNTED, ShareCountsItem

    found: dict[_Row, Counter[str]] = {}
    start = ShareCountsItem.pk.startswith(f"{merchant_id}#F#")
    for item in ShareCountsItem.scan(start, consistent_read=True):
        sums = found.setdefault((item.pk.split("#")[2], item.share_id), Counter())
        sums.update({name: getattr(item, name) for name in COUNTED})
    return {row: _some(sums) for row, sums in found.items()}


def _owed(merchant_id: str) -> "tuple[dict[_Row, Figures], dict[str, ShareItem]]":
    """(what is to be counted for each share, the shares)."""
    from chalicelib.domain.touches import VisitState
    from chalicelib.tables.shares import AttributionItem, ShareItem, VisitItem

    start = ShareItem.pk.startswith(f"{merchant_id}#")
    shares = {it.share_id: it for it in ShareItem.scan(start, consistent_read=True)}
    owed: dict[str, Counter[str]] = {}
    for visit in VisitItem.scan(start, consistent_read=True):
        if visit.state in (VisitState.NEW, VisitState.TOLD):
            owed.setdefault(visit.pk.split("#")[2], Counter())["visits"] += 1
    for item in AttributionItem.scan(start, consistent_read=True):
        for prefix, touch in (("", item.last_touch), ("first_", item.first_touch)):
            figures = {prefix + name: n for name, n in item.counted.as_dict().items()}
            owed.setdefault(touch.share_id, Counter()).update(figures)
    rows = {(shares[one].activity_id, one): _some(sums) for one, sums in owed.items()}
    return rows, shares


def _some(figures: Figures) -> Figures:
    return {name: count for name, count in figures.items() if count}


def _mend(merchant_id: str, share: "ShareItem", owed: Figures, there: Figures) -> bool:
    """Add what the counters of a share lack. False: they lack nothing."""
    from chalicelib.tables.base import transaction
    from chalicelib.tables.shares import ShareCountsItem, counts_shards

    lacking = _some({name: owed.get(name, 0) - there.get(name, 0) for name in {*owed, *there}})
    if not lacking:
        return False
    row = ShareCountsItem.of(merchant_id, share, next(counts_shards(share.share_id)))
    with transaction() as writes:
        writes.add(row, row.adding(lacking))
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description="重新统计一家店的分享带来了什么。")
    parser.add_argument("--stage", required=True, help="环境，如 dev、prod")
    parser.add_argument("--stack", help="CloudFormation 的栈名，用来查数据表的名字")
    parser.add_argument("--merchant-id", required=True, help="商家编号")
    options = parser.parse_args()
    try:
        session = botocore.session.get_session()
        stage_environment.prepare(session, options.stage, options.stack, TABLES)
        from chalicelib import clock

        done = recount(options.merchant_id, now_s=clock.now_s())
    except (UnknownTables, BotoCoreError, ClientError) as failure:
        sys.exit(str(failure))
    later = f"；{done.moving} 个分享正在变化，请过一会儿再运行一次" if done.moving else ""
    sys.stdout.write(f"核对了 {done.orders} 个订单，改正了 {done.mended} 个分享{later}。\n")


if __name__ == "__main__":
    main()
