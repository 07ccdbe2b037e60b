"""Races in a shop: each sets the scene, lets everybody act at once, and says what must have come.

What is asserted holds under injected faults too; how often somebody was told what is left to
the callers, who know whether answers are lost.
"""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from chalicelib.domain.order import Intent
from chalicelib.gateways.payment import GatewayRefused
from chalicelib.services import activities, due
from chalicelib.services.waits import CLOSING_AFTER_S, GATEWAY_PATIENCE_S
from chalicelib.tables.trade import OrderItem
from tests.crowd import at_once, patiently, together
from tests.shop import GRACE_S, LIFE_S, OTHER_PAY, PAY_BY_S, STAFF, Shop, number_of

Tally = Counter[str]
ENDS = (
    "formed fulfilling []",
    "failed closed ['succeeded']",  # the payment found the group decided
)


def tally(answers: list[Any]) -> Tally:
    """How many got what: refusals and outcomes by name, orders together."""
    return Counter("order" if isinstance(answer, OrderItem) else str(answer) for answer in answers)


def many_buyers_for_two_seats(shop: Shop, *, buyers: int) -> Tally:
    sold = shop.activity(seats=3, stock=100)
    group_id = shop.opened(sold)
    everybody = at_once(lambda _: shop.buyer(), range(buyers))

    answers = at_once(lambda buyer: shop.join(sold, group_id, buyer), everybody)

    assert len(shop.group(group_id).members.as_dict()) == 3
    assert shop.left(sold) == 97
    seated = [answer for answer in answers if isinstance(answer, OrderItem)]
    paid = at_once(shop.pay, seated)
    assert shop.group(group_id).status == "formed"
    assert "late" not in tally(paid)
    return tally(answers)


def many_buyers_for_little_stock(shop: Shop, *, buyers: int, stock: int, leaders: int) -> Tally:
    sold = shop.activity(seats=stock, stock=stock)
    group_ids = at_once(lambda _: shop.opened(sold), range(leaders))
    everybody = list(enumerate(at_once(lambda _: shop.buyer(), range(buyers))))

    answers = at_once(lambda one: shop.join(sold, group_ids[one[0] % leaders], one[1]), everybody)

    assert shop.left(sold) == 0
    held = sum(len(shop.group(group_id).members.as_dict()) for group_id in group_ids)
    assert held == stock
    return tally(answers)


def one_buyer_joins_over_and_over(shop: Shop, *, times: int) -> set[str]:
    """The different answers that the buyer got."""
    sold = shop.activity(seats=10)
    group_id = shop.opened(sold)
    buyer = shop.buyer()

    answers = at_once(lambda _: shop.join(sold, group_id, buyer), range(times))

    assert len(shop.group(group_id).members.as_dict()) == 2
    assert shop.left(sold) == 98
    return {_named(answer) for answer in answers}


def one_key_opens_over_and_over(shop: Shop, *, times: int) -> set[str]:
    sold = shop.activity(seats=10)
    buyer = shop.buyer()

    answers = at_once(lambda _: shop.open(sold, buyer, key="the same"), range(times))

    assert shop.left(sold) == 99
    return {_named(answer) for answer in answers}


def one_callback_over_and_over(shop: Shop, *, times: int) -> Tally:
    sold = shop.activity(seats=10)
    group_id = shop.opened(sold)
    order = patiently(lambda: shop.join(sold, group_id, shop.buyer()))
    trade = shop.capture(order)

    answers = at_once(lambda _: shop.hear(trade), range(times))

    assert shop.group(group_id).seats_paid == 2
    assert shop.order(order.order_id).status == "paid"
    return tally(answers)


def one_limit_over_many_groups(shop: Shop, *, groups: int, limit: int) -> Tally:
    sold = shop.activity(seats=10, limit_per_buyer=limit, limit_per_order=1)
    group_ids = at_once(lambda _: shop.opened(sold), range(groups))
    buyer = shop.buyer()

    answers = at_once(lambda group_id: shop.join(sold, group_id, buyer), group_ids)

    seats = [buyer in shop.group(group_id).members.as_dict() for group_id in group_ids]
    assert sum(seats) == limit
    return tally(answers)


def last_two_payments(shop: Shop, *, rounds: int) -> Tally:
    """The last two seats of each group are paid at the same instant."""
    sold = shop.activity(seats=3, stock=1000)
    group_ids = at_once(lambda _: shop.opened(sold), range(rounds))
    seats = [group_id for group_id in group_ids for _ in range(2)]
    members = at_once(lambda group_id: shop.join(sold, group_id, shop.buyer()), seats)
    trades = at_once(shop.capture, members)
    answers: list[Any] = []
    for number in range(0, len(trades), 2):
        answers += at_once(shop.hear, trades[number : number + 2])
    for group_id in group_ids:
        group = shop.group(group_id)
        assert (group.status, group.seats_paid) == ("formed", 3), group_id
    return tally(answers)


def last_payment_against_the_deadline(shop: Shop, *, rounds: int, chance: random.Random) -> Tally:
    """The last member pays while two jobs find the group past its deadline.

    In every other round the gateway has been silent for so long that the jobs no longer wait
    for it; in the others the buyer pays while they ask. Returns what became of the groups.
    """
    sold = shop.activity(seats=2, stock=1000)
    group_ids = at_once(lambda _: shop.opened(sold), range(rounds))
    expires_at_s = shop.now_s + LIFE_S
    shop.now_s = expires_at_s - 100
    members = at_once(lambda group_id: shop.join(sold, group_id, shop.buyer()), group_ids)
    numbers = at_once(shop.ask, members)

    def race(number: int) -> None:
        patient = number % 2 == 0
        now_s = expires_at_s + GRACE_S + (0 if patient else GATEWAY_PATIENCE_S)
        shop.gateway.silent = set() if patient else {"query"}
        trade = None if patient else shop.gateway.pay(numbers[number], at_s=expires_at_s - 30)

        def pay() -> None:
            at_s = expires_at_s + GRACE_S
            shop.hear(trade or shop.gateway.pay(numbers[number], at_s=at_s), now_s=now_s)

        def fail() -> None:
            due.drive_group(shop.merchant_id, group_ids[number], now_s=now_s)

        acts: list[Callable[[], None]] = [pay, fail, fail]
        chance.shuffle(acts)
        together(*acts)

    for number in range(rounds):
        race(number)
    shop.gateway.silent = set()
    shop.gateway.confirms_at_once = True
    shop.now_s = expires_at_s + GRACE_S + GATEWAY_PATIENCE_S
    outcomes: Tally = Counter()
    shop.run_jobs(6, forward_s=3600)  # one run takes 50 items of a shard; waits double
    for group_id, member in zip(group_ids, members, strict=True):
        group, order = shop.group(group_id), shop.order(member.order_id)
        refunds = [r["status"] for r in order.refunds.as_dict().values()]
        what = f"{group.status} {order.status} {refunds}"
        assert what in ENDS, what
        outcomes[group.status] += 1
    return outcomes


def payment_against_release(shop: Shop, *, rounds: int, chance: random.Random) -> Tally:
    """A member pays at the last moment, two jobs release the seat, and a new buyer wants it."""
    # In every other round the payment is the last one; in the others a seat stays free.
    kinds = [shop.activity(seats=seats, stock=1000) for seats in (2, 3)]
    solds = [kinds[number % 2] for number in range(rounds)]
    group_ids = at_once(shop.opened, solds)
    scenes = list(zip(solds, group_ids, strict=True))
    members = at_once(lambda scene: shop.join(*scene, shop.buyer()), scenes)
    numbers = at_once(shop.ask, members)
    newcomers = at_once(lambda _: shop.buyer(), range(rounds))
    shop.now_s += PAY_BY_S
    outcomes: Tally = Counter()
    for number, member in enumerate(members):

        def pay(trade_no: str = numbers[number]) -> None:
            try:
                trade = shop.gateway.pay(trade_no, at_s=shop.now_s)
            except GatewayRefused:
                return  # the phone says that it is too late
            shop.hear(trade)

        def release(order_id: Any = member.order_id) -> None:
            due.drive_order(shop.merchant_id, order_id, now_s=shop.now_s)

        def take_seat(number: int = number) -> None:
            shop.join(*scenes[number], newcomers[number])

        acts = [pay, release, release, take_seat]
        chance.shuffle(acts)
        together(*acts)
        outcomes[shop.order(member.order_id).status] += 1
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=70)
    assert set(outcomes) <= {"paid", "closed", "fulfilling"}
    return outcomes


def joins_against_closing(shop: Shop, *, buyers: int) -> Tally:
    """Buyers join and let go while the ended activity's stock goes back to the product."""
    sold = shop.activity(seats=buyers, stock=buyers, product_stock=buyers + 50)
    group_id = shop.opened(sold)
    early = at_once(lambda _: shop.join(sold, group_id, shop.buyer()), range(buyers // 3))
    late = at_once(lambda _: shop.buyer(), range(buyers // 3))
    patiently(
        lambda: activities.end(shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s)
    )
    over_s = shop.now_s + 8 * LIFE_S + CLOSING_AFTER_S

    def close() -> int:
        return activities.close(shop.merchant_id, sold.activity_id, now_s=over_s)

    acts: list[Callable[[], Any]] = [close, close, close]
    for order in early:
        acts.insert(random.randrange(len(acts)), lambda order=order: shop.cancel(order))
    for buyer in late:
        acts.append(lambda buyer=buyer: shop.join(sold, group_id, buyer))
    answers = together(*acts)

    assert shop.left(sold) == 0
    return tally([answer for answer in answers if not isinstance(answer, int | None)])


def big_group_fails(shop: Shop, *, seats: int, paid_of_ten: int = 7, limit: int = 2) -> int:
    """A large group is failed by four jobs at once and settled by all; how many had paid.

    One seat stays free, and of every ten members as many pay as is said.
    """
    sold = shop.activity(seats=seats, stock=1000, limit_per_buyer=limit, limit_per_order=2)
    group_id = shop.opened(sold)

    def join(number: int) -> None:
        order = patiently(lambda: shop.join(sold, group_id, buyers[number], quantity=2))
        if number % 10 < paid_of_ten:
            shop.pay(order)

    buyers = at_once(lambda _: shop.buyer(), range(seats - 2))
    at_once(join, range(seats - 2))
    shop.now_s += LIFE_S + GRACE_S
    drive = partial(due.drive_group, shop.merchant_id, group_id, now_s=shop.now_s)
    answers = together(drive, drive, drive, drive)

    group = shop.group(group_id)
    assert (group.status, group.due_at_s) == ("failed", None), answers
    assert shop.left(sold) == 1000
    return group.seats_paid


def refunds_confirmed_over_and_over(shop: Shop, *, times: int) -> int:
    """Every refund of the shop is sent, and confirmed at once several times; how many there are."""
    due.run(Intent.REFUND, now_s=shop.now_s)
    numbers = list(shop.record.refunds)

    at_once(shop.confirm, numbers * times)

    for number in numbers:
        order = next(o for o in OrderItem.scan() if number.startswith(str(o.order_id)))
        assert order.refunds.as_dict()[number[30:]]["status"] == "succeeded"
    return len(numbers)


def two_attempts_paid_at_once(shop: Shop) -> Tally:
    sold = shop.activity(seats=2)
    group_id = shop.opened(sold)
    order = patiently(lambda: shop.join(sold, group_id, shop.buyer()))
    patiently(lambda: shop.ask(order))
    patiently(lambda: shop.ask(order, OTHER_PAY))
    first = shop.gateway.pay(number_of(order, "01"), at_s=shop.now_s)
    second = shop.other_gateway.pay(number_of(order, "02"), at_s=shop.now_s)

    answers = together(lambda: shop.hear(first), lambda: shop.hear(second, OTHER_PAY))

    stored = shop.order(order.order_id)
    assert len(stored.refunds.as_dict()) == 1
    assert shop.group(group_id).status == "formed"
    assert stored.status == "paid"
    return tally(answers)


def _named(answer: OrderItem | str) -> str:
    return answer if isinstance(answer, str) else f"{answer.order_id} of {answer.group_id}"
