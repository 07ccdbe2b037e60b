"""Two buyers turn out to be one person, or a buyer closes the account, while they join, open, pay,
cancel and leave what they have paid for."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from chalicelib.domain.coupon import CouponId
from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import new_id
from chalicelib.services.orders import account_deletion
from chalicelib.services.people import identities
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.concurrency import concurrently, retry_while_busy, run_together
from tests.fixtures.shop import ActivityIds, Shop

DELAYS_S = {"merge": 0.05, "pay": 0.05, "cancel": 0.1, "leave": 0.1}
DELAY_S = 0.8  # of purchases: so long takes a merge on a busy machine
ACTS = 3  # of a round, beside the merge
PURCHASES = ("older joins", "younger joins", "older opens", "younger opens")


def merges_against_everything(
    shop: Shop, sold: ActivityIds, *, rounds: int, chance: random.Random
) -> Counter[str]:
    """Run the rounds at the same time; count what each act was answered."""
    seeds = [chance.random() for _ in range(rounds)]
    found: Counter[str] = Counter()
    gift, claimable, apart = shop.coupons(), shop.coupons(), shop.activity()
    for answers in concurrently(
        lambda seed: _round(shop, sold, apart, gift, claimable, random.Random(seed)), seeds
    ):
        found.update(answers)
    return found


def accounts_closed_while_they_buy(
    shop: Shop, sold: ActivityIds, *, rounds: int, chance: random.Random
) -> Counter[str]:
    """Close accounts that buy and prove a phone at the same time; count what each was answered."""
    found: Counter[str] = Counter()
    for answers in concurrently(
        lambda seed: _closing(shop, sold, random.Random(seed)),
        [chance.random() for _ in range(rounds)],
    ):
        found.update(answers)
    return found


def logins_at_once(shop: Shop, number: int, *, times: int) -> int:
    """Log in by different identities of one person at once; return how many persons there are."""
    union = Identity(Way.WECHAT_UNION, f"union-{number}")
    apps = [Identity(Way.WECHAT_MINI, f"o{number}", f"wx-{n % 3}") for n in range(times)]
    found = concurrently(
        lambda app: identities.log_in(shop.merchant_id, [app, union], now_s=shop.now_s), apps
    )
    return len({identities.root(shop.merchant_id, buyer.buyer_id).buyer_id for buyer in found})


def _round(
    shop: Shop,
    sold: ActivityIds,
    apart: ActivityIds,
    gift: str,
    claimable: str,
    chance: random.Random,
) -> list[str]:
    """apart: what the younger buyer has paid for and leaves again, so that it is refunded. gift,
    claimable: coupon templates, of which the younger buyer has a gift."""
    phone = Identity(Way.PHONE, new_id())
    older = _log_in(shop, Identity(Way.WECHAT_MINI, new_id(), "wx-1"), shop.now_s - 1)
    younger = _log_in(shop, Identity(Way.WECHAT_MINI, new_id(), "wx-2"), shop.now_s)
    _prove(shop, younger, phone)
    group_id = shop.opened(sold)
    coupon_id = retry_while_busy(lambda: shop.claim(gift, younger.buyer_id, key="gift"))
    left = retry_while_busy(lambda: shop.open(apart, younger.buyer_id))
    retry_while_busy(lambda: shop.pay(left))
    retry_while_busy(lambda: shop.give_points(left, 100, new_id()))
    acts: dict[str, Callable[[], Any]] = {
        "older joins": lambda: shop.join(sold, group_id, older.buyer_id),
        "younger joins": lambda: shop.join(sold, group_id, younger.buyer_id, points=100),
        "older opens": lambda: shop.open(sold, older.buyer_id),
        "younger opens": lambda: shop.open(sold, younger.buyer_id, coupon_id=coupon_id),
        "older claims": lambda: shop.claim(claimable, older.buyer_id),
        "younger claims": lambda: shop.claim(claimable, younger.buyer_id),
    }
    held: OrderItem | None = None
    if chance.random() < 0.5:
        held = retry_while_busy(lambda: shop.join(sold, group_id, younger.buyer_id))
        acts |= {"pay": lambda: shop.pay(held), "cancel": lambda: shop.cancel(held)}
    acts = {name: acts[name] for name in chance.sample(list(acts), ACTS)}
    acts |= {"merge": lambda: _prove(shop, older, phone), "leave": lambda: shop.cancel(left)}
    names = chance.sample(list(acts), len(acts))
    times: dict[str, tuple[float, float]] = {}
    waits = [chance.random() * DELAYS_S.get(name, DELAY_S) for name in names]
    timed = [_timed(times, n, acts[n], wait_s) for n, wait_s in zip(names, waits, strict=True)]
    answers = dict(zip(names, run_together(*timed), strict=True))

    person = identities.root(shop.merchant_id, older.buyer_id)
    assert person.ids == (older.buyer_id, younger.buyer_id)
    for name in acts.keys() & set(PURCHASES):
        placed = answers[name]
        if times[name][0] > times["merge"][1] and isinstance(placed, OrderItem):
            assert held is not None, f"{name} after the merge"
            assert placed.order_id == held.order_id, f"{name} after the merge"
    assert shop.order(left.order_id).view().refunds["01F"].amount_fen == left.total_fen
    _buys_as_one(shop, sold, group_id, person)
    for refused in concurrently(lambda one: shop.claim(claimable, one), person.ids):
        assert refused in ("session_superseded", "limit_reached")
    return [f"{n}: {_told(a)}" for n, a in answers.items()]


def _told(answer: Any) -> str:
    """A refusal as it is; an order, or the id of a coupon, is done."""
    refused = isinstance(answer, str) and CouponId.parse(answer) is None
    return answer if refused else "done"


def _closing(shop: Shop, sold: ActivityIds, chance: random.Random) -> list[str]:
    one, now_s = Identity(Way.WECHAT_MINI, new_id(), "wx-1"), shop.now_s
    buyer = _log_in(shop, one, now_s)
    group_id = shop.opened(sold)
    acts: dict[str, Callable[[], Any]] = {
        "join": lambda: shop.join(sold, group_id, buyer.buyer_id),
        "open": lambda: shop.open(sold, buyer.buyer_id),
        "prove": lambda: _prove(shop, buyer, Identity(Way.PHONE, new_id())),
        "log in": lambda: _log_in(shop, one, now_s),
    }
    if chance.random() < 0.5:
        held = retry_while_busy(lambda: shop.join(sold, group_id, buyer.buyer_id))
        acts = {"cancel": lambda: shop.cancel(held), "prove": acts["prove"]}
    acts["close"] = lambda: account_deletion.close(shop.merchant_id, buyer.buyer_id, now_s=now_s)
    names = chance.sample(list(acts), len(acts))
    waits = [chance.random() * (DELAY_S if n in ("join", "open") else 0.1) for n in names]
    if chance.random() < 0.5:  # in turn, so that some buy when the account is closed
        answers = {name: run_together(acts[name])[0] for name in names}
    else:
        timed = [_timed({}, n, acts[n], wait_s) for n, wait_s in zip(names, waits, strict=True)]
        answers = dict(zip(names, run_together(*timed), strict=True))
    if answers["close"] is None:
        assert concurrently(lambda buy: buy(), [lambda: shop.open(sold, buyer.buyer_id)]) == [
            "session_superseded"
        ]
        assert _log_in(shop, one, now_s).buyer_id != buyer.buyer_id
    return [f"{n}: {a if isinstance(a, str) else 'done'}" for n, a in answers.items()]


def _buys_as_one(shop: Shop, sold: ActivityIds, group_id: str, person: BuyerItem) -> None:
    """Sessions from before the merge place nothing; a new one takes no second seat."""
    for refused in concurrently(lambda one: shop.open(sold, one), person.ids):
        assert refused in ("session_superseded", "limit_reached")
    before = _seats(shop, group_id, person)
    (joined,) = concurrently(
        lambda other_ids: shop.join(sold, group_id, person.buyer_id, other_ids=other_ids),
        [person.other_ids],
    )
    if before:
        assert str(joined.order_id) in before
        assert _seats(shop, group_id, person) == before
    else:
        assert len(_seats(shop, group_id, person)) == isinstance(joined, OrderItem)


def _seats(shop: Shop, group_id: str, person: BuyerItem) -> set[str]:
    """Return the ids of the orders of the person's seats."""
    members = shop.group(group_id).members.as_dict()
    return {one + members[one] for one in person.ids if one in members}


def _timed(
    times: dict[str, tuple[float, float]], name: str, act: Callable[[], Any], wait_s: float
) -> Callable[[], Any]:
    """Return the act with a delay; it keeps when its last try began and ended."""

    def timed() -> Any:
        time.sleep(wait_s)
        began_s = time.monotonic()
        try:
            return act()
        finally:
            times[name] = (began_s, time.monotonic())

    return timed


def _log_in(shop: Shop, one: Identity, now_s: int) -> BuyerItem:
    return retry_while_busy(lambda: identities.log_in(shop.merchant_id, [one], now_s=now_s))


def _prove(shop: Shop, buyer: BuyerItem, one: Identity) -> BuyerItem:
    return retry_while_busy(
        lambda: identities.prove(shop.merchant_id, buyer.buyer_id, one, now_s=shop.now_s)
    )
