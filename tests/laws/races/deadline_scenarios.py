"""Races against time: deadlines, releases, closings, and what the jobs make of them."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from chalicelib.domain.activity import Tier
from chalicelib.gateways.payment import GatewayRefused, Refund, RefundStatus
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import crowds, group_controls
from chalicelib.services.money import refunds
from chalicelib.services.orders import orders
from chalicelib.services.timeouts import (
    BETWEEN_REFUNDS_S,
    CLOSING_AFTER_S,
    CROWD_LOOK_S,
    GATEWAY_PATIENCE_S,
)
from chalicelib.services.work import due
from chalicelib.tables.trade import OrderItem
from tests.fixtures.concurrency import concurrently, race, retry_while_busy, run_together
from tests.fixtures.shop import GRACE_S, LIFE_S, PAY_BY_S, STAFF, ActivityIds, Shop
from tests.fixtures.table_snapshot import rebate_fen
from tests.laws.races.scenarios import Tally, tally

ENDS = (
    "formed fulfilling []",
    "failed closed ['succeeded']",  # the payment found the group decided
)


def last_payment_against_the_deadline(
    shop: Shop,
    *,
    rounds: int,
    chance: random.Random,
    seats: int = 2,
    least: int = 0,
    paid: int = 1,
    tiers: tuple[Tier, ...] = (),
) -> Tally:
    """The last member pays while two jobs find the group past its deadline.

    In every other round the gateway has been silent for so long that the jobs no longer wait
    for it; in the others the buyer pays while they ask. Returns what became of the groups, or
    where each forms anyhow (least, paid: seats before that), of the orders. The last payment may
    reach a tier: law 31 tells whether the others get of it what their group makes of it.
    """
    sold = shop.activity(seats=seats, stock=1000, seats_least=least, tiers=tiers)
    group_ids = concurrently(lambda _: shop.opened(sold), range(rounds))
    for _ in range(paid - 1):
        others = concurrently(lambda group_id: shop.join(sold, group_id, shop.buyer()), group_ids)
        concurrently(shop.pay, others)
    forms = 0 < least <= paid
    rebate = ["succeeded"] if tiers else []
    ends = (f"formed fulfilling {rebate}", "formed closed ['succeeded']") if forms else ENDS
    expires_at_s = shop.now_s + LIFE_S
    shop.now_s = expires_at_s - 100
    members = concurrently(lambda group_id: shop.join(sold, group_id, shop.buyer()), group_ids)
    numbers = concurrently(shop.ask, members)

    def one(number: int) -> None:
        patient = number % 2 == 0
        now_s = expires_at_s + GRACE_S + (0 if patient else GATEWAY_PATIENCE_S)
        shop.gateway.silent = set() if patient else {"query"}
        trade = None if patient else shop.gateway.pay(numbers[number], at_s=expires_at_s - 30)

        def pay() -> None:
            at_s = expires_at_s + GRACE_S
            shop.notify(trade or shop.gateway.pay(numbers[number], at_s=at_s), now_s=now_s)

        def fail() -> None:
            due.process_group(shop.merchant_id, group_ids[number], now_s=now_s)

        acts: list[Callable[[], None]] = [pay, fail, fail]
        race(chance, *acts)

    for number in range(rounds):
        one(number)
    shop.gateway.silent = set()
    shop.gateway.confirms_at_once = True
    shop.now_s = expires_at_s + GRACE_S + GATEWAY_PATIENCE_S
    outcomes: Tally = Counter()
    shop.run_jobs(6, forward_s=3600)  # one run takes 50 items of a shard; waits double
    for group_id, member in zip(group_ids, members, strict=True):
        group, order = shop.group(group_id), shop.order(member.order_id)
        refunds = [r["status"] for r in order.refunds.as_dict().values()]
        what = f"{group.status} {order.status} {refunds}"
        assert what in ends, what
        assert group.seats_paid == paid + (order.status == "fulfilling")
        if tiers:
            assert _given_back(shop, group_id) == [_off_fen(tiers, group.seats_paid)]
        outcomes[order.status if forms else group.status] += 1
    return outcomes


def _given_back(shop: Shop, group_id: str) -> list[int]:
    """Return what went back of the orders of a group that formed, each amount once."""
    members = orders.of_group(shop.group(group_id))
    return sorted({rebate_fen(order.view()) for order in members})


def _off_fen(tiers: tuple[Tier, ...], seats_paid: int) -> int:
    return next((it.off_fen for it in reversed(tiers) if it.seats <= seats_paid), 0)


def groups_against_the_count(shop: Shop, *, rounds: int, chance: random.Random) -> set[int]:
    """A third group is settled, whose people reach the second tier of their activity, while two
    jobs count; the first tier is yet to be given. Returns the amounts that went back of a unit."""
    ladder = (Tier(4, 300), Tier(6, 900))
    sold = concurrently(
        lambda _: shop.activity(seats=2, stock=9, crowd_tiers=ladder), range(rounds)
    )

    def formed(activity: ActivityIds) -> str:
        group_id = shop.opened(activity)
        shop.pay(shop.join(activity, group_id, shop.buyer()))
        return group_id

    for _ in range(2):
        for group_id in concurrently(formed, sold):
            due.process_group(shop.merchant_id, group_id, now_s=shop.now_s)
    last = concurrently(formed, sold)
    shop.now_s += CROWD_LOOK_S
    for activity, group_id in zip(sold, last, strict=True):
        place = (shop.merchant_id, activity.activity_id)

        def settle(group_id: str = group_id) -> None:
            due.process_group(shop.merchant_id, group_id, now_s=shop.now_s)

        def count(place: tuple[str, str] = place) -> None:
            crowds.process(*place, now_s=shop.now_s)

        race(chance, settle, count, count)
    shop.check()
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=CROWD_LOOK_S + BETWEEN_REFUNDS_S)
    snapshot = shop.check(quiescent=True)
    assert all(len(crowd.reached_at_s) == 2 for crowd in snapshot.crowds.values())
    return {rebate_fen(order.view()) for order in snapshot.orders.values()}


def last_payment_against_closing(shop: Shop, *, rounds: int, chance: random.Random) -> Tally:
    """The last member pays while staff close the group, twice. Returns what became of each."""
    sold = shop.activity(seats=2, stock=1000)
    group_ids = concurrently(lambda _: shop.opened(sold), range(rounds))
    members = concurrently(lambda group_id: shop.join(sold, group_id, shop.buyer()), group_ids)
    trades = concurrently(shop.capture, members)

    def close(group_id: str) -> None:
        group_controls.close_group(
            shop.merchant_id, group_id, reason="缺货", staff=STAFF, now_s=shop.now_s
        )

    for group_id, trade in zip(group_ids, trades, strict=True):
        acts: list[Callable[[], object]] = [
            partial(shop.notify, trade),
            partial(close, group_id),
            partial(close, group_id),
        ]
        race(chance, *acts)
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=PAY_BY_S)
    outcomes: Tally = Counter()
    for group_id, member in zip(group_ids, members, strict=True):
        group, order = shop.group(group_id), shop.order(member.order_id)
        refunds = [r["status"] for r in order.refunds.as_dict().values()]
        what = f"{group.status} {order.status} {refunds}"
        assert what in ENDS, what
        outcomes[group.status] += 1
    return outcomes


def extension_against_the_deadline(shop: Shop, *, rounds: int, chance: random.Random) -> Tally:
    """Staff extend a group at its last second, by their clock; a job whose clock is ahead finds it
    due. Returns how many got their time."""
    sold = shop.activity(seats=2, stock=1000)
    group_ids = concurrently(lambda _: shop.opened(sold), range(rounds))
    expires_at_s = shop.now_s + LIFE_S

    def extend(group_id: str) -> None:
        group_controls.extend(
            shop.merchant_id,
            group_id,
            hours=1,
            expires_at_s=expires_at_s,
            staff=STAFF,
            now_s=expires_at_s - 1,
        )

    def fail(group_id: str) -> None:
        due.process_group(shop.merchant_id, group_id, now_s=expires_at_s + GRACE_S)

    for group_id in group_ids:
        acts = [partial(extend, group_id), partial(extend, group_id), partial(fail, group_id)]
        race(chance, *acts)
    shop.now_s = expires_at_s + GRACE_S
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3)
    outcomes: Tally = Counter()
    for group_id in group_ids:
        group = shop.group(group_id)
        later_s = expires_at_s + (3600 if group.status == "open" else 0)
        assert (group.status, group.expires_at_s) in (("open", later_s), ("failed", later_s))
        outcomes[group.status] += 1
    return outcomes


def payment_against_release(shop: Shop, *, rounds: int, chance: random.Random) -> Tally:
    """A member pays at the last moment, two jobs release the seat, and a new buyer wants it.

    In every other round the payment is the last of its group. In half of them the gateway has
    been silent for so long that the jobs no longer wait for it.
    """
    kinds = [shop.activity(seats=seats, stock=1000) for seats in (2, 3)]
    solds = [kinds[number % 2] for number in range(rounds)]
    group_ids = concurrently(shop.opened, solds)
    scenes = list(zip(solds, group_ids, strict=True))
    members = concurrently(lambda scene: shop.join(*scene, shop.buyer()), scenes)
    numbers = concurrently(shop.ask, members)
    before_password_change = concurrently(lambda _: shop.buyer(), range(rounds))
    paid_at_s = shop.now_s + PAY_BY_S
    shop.now_s = paid_at_s + GATEWAY_PATIENCE_S

    def one(number: int) -> None:
        silent = number % 4 > 1
        shop.gateway.silent = {"query", "close"} if silent else set()
        trade = shop.gateway.pay(numbers[number], at_s=paid_at_s) if silent else None

        def pay() -> None:
            with suppress(GatewayRefused):  # the phone says that it is too late
                shop.notify(trade or shop.gateway.pay(numbers[number], at_s=paid_at_s))

        def release() -> None:
            due.process_order(shop.merchant_id, members[number].order_id, now_s=shop.now_s)

        def take_seat() -> None:
            shop.join(*scenes[number], before_password_change[number])

        acts = [pay, release, release, take_seat]
        race(chance, *acts)

    for number in range(rounds):
        one(number)
    outcomes = Counter(str(shop.order(member.order_id).status) for member in members)
    assert set(outcomes) <= {"paid", "closed"}, outcomes
    shop.gateway.silent = set()
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=3600)
    return outcomes


def joins_against_closing(shop: Shop, *, buyers: int) -> Tally:
    """Buyers join and let go while the ended activity's stock goes back to the product."""
    sold = shop.activity(seats=buyers, stock=buyers, product_stock=buyers + 50)
    group_id = shop.opened(sold)
    early = concurrently(lambda _: shop.join(sold, group_id, shop.buyer()), range(buyers // 3))
    late = concurrently(lambda _: shop.buyer(), range(buyers // 3))
    retry_while_busy(
        lambda: activities.end(shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s)
    )
    over_s = shop.now_s + 8 * LIFE_S + CLOSING_AFTER_S

    def close() -> int:
        return activities.return_unsold_stock(shop.merchant_id, sold.activity_id, now_s=over_s)

    acts: list[Callable[[], Any]] = [close, close, close]
    for order in early:
        acts.insert(random.randrange(len(acts)), partial(shop.cancel, order))
    for buyer in late:
        acts.append(partial(shop.join, sold, group_id, buyer))
    answers = run_together(*acts)

    assert shop.left(sold) == 0
    return tally([answer for answer in answers if not isinstance(answer, int | None)])


def big_group_is_decided(
    shop: Shop, *, seats: int, paid_of_ten: int = 7, limit: int = 2, least: int = 0
) -> int:
    """A large group is decided by four jobs at once and settled by all; how many had paid.

    One seat stays free, and of every ten members as many pay as is said: with `least` it forms, at
    its first tier.
    """
    sold = shop.activity(
        seats=seats,
        stock=1000,
        limit_per_buyer=limit,
        limit_per_order=2,
        seats_least=least,
        tiers=(Tier(least + 1, 400), Tier(seats, 1000)) if least else (),
    )
    group_id = shop.opened(sold)

    def join(number: int) -> None:
        order = retry_while_busy(lambda: shop.join(sold, group_id, buyers[number], quantity=2))
        if number % 10 < paid_of_ten:
            shop.pay(order)

    buyers = concurrently(lambda _: shop.buyer(), range(seats - 2))
    concurrently(join, range(seats - 2))
    shop.now_s += LIFE_S + GRACE_S
    process = partial(due.process_group, shop.merchant_id, group_id, now_s=shop.now_s)
    answers = run_together(process, process, process, process)

    group = shop.group(group_id)
    decided = "formed" if least else "failed"
    assert (group.status, group.due_at_s) == (decided, None), answers
    assert shop.left(sold) == 1000 - (2 * group.seats_paid - 1 if least else 0)
    return group.seats_paid


def refunds_confirmed_over_and_over(shop: Shop, *, times: int) -> int:
    """Every refund of the shop is sent, and confirmed at once several times, while answers from
    before its confirmation still come in; how many there are."""
    shop.run_jobs()
    numbers = list(shop.record.refunds)

    def hear_old_news(number: str) -> None:
        said = Refund(
            number, RefundStatus.PROCESSING, amount_fen=shop.record.refunds[number].amount_fen
        )
        refunds.apply_result(shop.merchant_id, said, now_s=shop.now_s)

    acts = [(act, number) for number in numbers for act in (shop.confirm, hear_old_news)]
    concurrently(lambda one: one[0](one[1]), acts * times)

    for number in numbers:
        order = next(o for o in OrderItem.scan() if number.startswith(str(o.order_id)))
        assert order.refunds.as_dict()[number[30:]]["status"] == "succeeded"
    return len(numbers)
