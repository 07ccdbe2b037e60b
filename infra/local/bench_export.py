"""`make bench-export`: how long, how often and with how much memory a large export is written.

The local engine answers at another speed than AWS; what counts is how many invocations a file
takes, how each ends before its time, and how much it holds at once.
"""

import os
import resource
import subprocess
import sys
import time

from chalicelib import clock, deadline
from chalicelib.domain.exports import DAYS_MAX, PRESETS, ExportStatus, Preset, Wanted
from chalicelib.domain.ledger import Account, Entry
from chalicelib.domain.order import Intent
from chalicelib.services.orders.order_search import PLACED
from chalicelib.services.reports import exports
from chalicelib.services.work import due
from chalicelib.tables.base import connection
from chalicelib.tables.records import DayBookItem, found_by
from chalicelib.tables.trade import OrderItem
from infra.local import demo_past, engine, system

ORDERS = 50_000
STAGE = "bench"
MERCHANT_ID = "bench-merchant"
SECONDS = 60  # of an invocation, as infra/template/functions.yaml has them
MINUTE_S = 60  # from one to the next
INVOCATIONS_MAX = 100
PATIENCE_S = 50


def main() -> None:
    """Start an engine, and measure in a process that knows no other."""
    with engine.running() as server:
        tables = engine.create_tables(server.url)
        bucket = engine.media_bucket(STAGE)
        env = system.environment(engine.credentials(server.url)) | {
            **{f"{kind.upper()}_TABLE": name for kind, name in tables.items()},
            "STAGE": STAGE,
            "MEDIA_BUCKET": bucket,
            "MEDIA_URL": engine.create_bucket(server.url, bucket),
            "PARAMETERS_PREFIX": f"/tuan/{STAGE}",
            "ORDERS": os.environ.get("ORDERS", str(ORDERS)),
        }
        for part in ("fill", "measure"):  # apart, for the peak of memory is a process's own
            command = [sys.executable, "-m", "infra.local.bench_export", part]
            subprocess.run(command, cwd=engine.ROOT, env=env, check=True)


def fill() -> None:
    began_s = time.monotonic()
    print(f"{_fill(clock.now_s()):,} orders in {time.monotonic() - began_s:.0f} s", flush=True)


def measure() -> None:
    # The engine reads a whole list for each page of it, which AWS does not.
    setattr(connection, "_read_timeout_seconds", PATIENCE_S)  # noqa: B010  not declared
    print(f"{_peak_mb():.0f} MB before the first file", flush=True)
    now_s = clock.now_s()
    for preset in PRESETS:
        now_s = _export(preset, now_s)


def _fill(now_s: int) -> int:
    """Orders of a month, and what an export finds them by. Returns how many there are."""
    demo_past.ORDERS = int(os.environ["ORDERS"])
    activity = {
        "activity_id": "bench-activity",
        "product_id": "bench-product",
        "version": 1,
        "title": "赣南脐橙 10 斤装",
        "image": "",
        "seats_total": 5,
        "life_h": 24,
        "skus": [{"sku_id": "s", "spec": "大果", "group_price_fen": 5900, "list_price_fen": 9900}],
    }

    class Past(demo_past.Past):
        def keep_what_exports_read(self) -> None:
            """No words but the one that all orders are found by; movements by their day."""
            everything = found_by(MERCHANT_ID, PLACED)
            self._records = [row for row in self._records if row.pk == everything]
            self._records += [_movement(order, e) for order in self.orders for e in _moved(order)]

    past = Past(MERCHANT_ID, now_s)
    past.trade_with([activity])
    past.keep_what_exports_read()
    past.write()
    return len(past.orders)


def _moved(order: OrderItem) -> list[Entry]:
    """What of an order moved at the gateway."""
    return [entry for entry in order.entries() if Account.GATEWAY in entry.legs]


def _movement(order: OrderItem, entry: Entry) -> DayBookItem:
    debit, credit = entry.legs
    return DayBookItem.at(
        MERCHANT_ID,
        entry.at_s,
        f"{order.order_id}{entry.of}",
        method="wechat_pay",
        movement=entry.movement.value,
        debit=debit.value,
        credit=credit.value,
        amount_fen=entry.amount_fen,
    )


def _export(preset: Preset, now_s: int) -> int:
    """Ask for a file and write it as the job does, once a minute. Returns when it was done."""
    from_s = now_s - DAYS_MAX * demo_past.DAY_S + 1
    wanted = Wanted(preset.subject, preset.columns, personal=preset.personal, from_s=from_s)
    export_id = f"bench-{preset.name}"
    exports.ask(MERCHANT_ID, export_id, wanted, body_hash="", staff="bench", now_s=now_s)
    print(f"\n{preset.name}: {len(preset.columns)} columns", flush=True)
    total_s = total_cpu_s = 0.0
    for invocation in range(1, INVOCATIONS_MAX + 1):
        began_s, cpu_s = time.monotonic(), time.process_time()
        with deadline.ends_in(SECONDS - deadline.RESERVE_S):
            due.run(Intent.EXPORT, now_s=now_s)
        took_s, used_s = time.monotonic() - began_s, time.process_time() - cpu_s
        total_s, total_cpu_s = total_s + took_s, total_cpu_s + used_s
        item = exports.read(MERCHANT_ID, export_id)
        print(
            f"  {invocation}: {took_s:.1f} s ({used_s:.1f} s of CPU), "
            f"{item.rows:,} rows, {len(item.parts)} parts, peak {_peak_mb():.0f} MB",
            flush=True,
        )
        now_s += MINUTE_S
        if item.status != ExportStatus.WRITING:
            break
    size_mb = (item.size or 0) / 1024**2
    work = f"{total_s:.0f} s, {total_cpu_s:.0f} s of CPU"
    print(f"  {item.status}: {item.rows:,} rows, {size_mb:.1f} MB in {work}", flush=True)
    return now_s


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    {"fill": fill, "measure": measure}.get("".join(sys.argv[1:]), main)()
