"""Races of groups that are due and may be combined: with each other, and with who else comes."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from chalicelib.services.groups import group_controls
from chalicelib.services.work import due
from tests.fixtures.concurrency import concurrently, run_together
from tests.fixtures.shop import GRACE_S, LIFE_S, STAFF, Shop
from tests.laws.races.scenarios import Tally

BESIDE = ("join", "payment", "deadline", "closing")


def combining_against_everything(shop: Shop, *, rounds: int) -> Tally:
    """A group is due while the only other one has its last seat taken, is paid for, is due itself,
    or is closed: before it, after it, or at the same time. Returns how often which was combined.

    Both are due at the same second, so that the other one may come into the first as well.
    """
    outcomes: Tally = Counter()
    for number in range(rounds):
        beside, when = BESIDE[number % len(BESIDE)], number // len(BESIDE) % 3
        outcomes[f"{beside}: {'combined' if _one(shop, beside, when) else 'failed'}"] += 1
    return outcomes


def _one(shop: Shop, beside: str, when: int) -> bool:
    """Run one race; return whether the members of one group went on in the other. when: 0, what is
    beside it comes first; 1, the deadline does; else both at once."""
    sold = shop.activity(seats=3 if beside == "payment" else 2, stock=10, combines=True)
    first, other = concurrently(lambda _: shop.opened(sold, agrees=True), range(2))
    now_s = shop.now_s + LIFE_S + GRACE_S

    def decide(group_id: str) -> None:
        due.process_group(shop.merchant_id, group_id, now_s=now_s)

    def close() -> None:
        group_controls.close_group(
            shop.merchant_id, other, reason="缺货", staff=STAFF, now_s=shop.now_s
        )

    acts: dict[str, Callable[[], object]] = {
        "join": partial(shop.join, sold, other, shop.buyer(), now_s=shop.now_s),
        "deadline": partial(decide, other),
        "closing": close,
    }
    if beside == "payment":  # of one who holds a seat; the third one is free
        trade = shop.capture(shop.join(sold, other, shop.buyer()))
        acts["payment"] = partial(shop.notify, trade)
    both: list[Callable[[], object]] = [acts[beside], partial(decide, first)]
    if when < 2:
        for act in both[:: 1 if when == 0 else -1]:
            run_together(act)
    else:
        run_together(*both)
    return any(shop.group(one).combined_into is not None for one in (first, other))
