"""A history of visits and purchases: what shares have brought equals what is counted anew of it.

The recount knows what people did and what the gateway took and gave back, and nothing that the
counting wrote down.
"""

import random
from collections import Counter
from dataclasses import asdict, dataclass, field

import pytest

from chalicelib.domain.attribution import together
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.ids import new_id
from chalicelib.gateways.payment import RefundStatus
from chalicelib.services.groups import shares, shop_shares
from chalicelib.services.growth import touches
from chalicelib.services.reports import share_figures
from chalicelib.services.work import stream
from chalicelib.tables.trade import OrderItem
from tests.fixtures.fault_injection import injected
from tests.fixtures.interruptions import Interruption, InterruptionKind, interrupted
from tests.fixtures.shares import rows_of
from tests.fixtures.shop import STAFF, ActivityIds, Shop, number_of
from tests.fixtures.staff_requests import give_back
from tests.laws import run_statistics
from tests.laws.checkers.attribution_laws import COUNTED, FIGURES
from tests.laws.faults.change_log import ChangeLog, is_of_trade, stream_record
from tests.laws.run_statistics import sized

VISITS = sized(10_000, 1_000)
DAYS_OF_IT = 12  # no touch is forgotten meanwhile
WINDOW_S = 7 * DAY_S
AGAIN_S = 3600  # who comes again sooner has not come again
SHARES, SHARERS = 12, 5

Figures = dict[tuple[str, str], int]


@dataclass
class Person:
    """Somebody with one phone or two, who logs in one day. came: (phone, share) -> times of the
    first visit and the latest; told: the same by share, as far as they have told of it."""

    phones: list[str]
    buyer_id: str = ""
    came: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    told_phones: set[tuple[str, str]] = field(default_factory=set)
    told: dict[str, tuple[int, int]] = field(default_factory=dict)

    def visits(self, phone: str, share_id: str, now_s: int) -> None:
        first_s, last_s = self.came.get((phone, share_id), (now_s, now_s))
        self.came[phone, share_id] = (first_s, now_s if now_s - last_s >= AGAIN_S else last_s)

    def tells(self, phone: str, share_ids: list[str]) -> None:
        for share_id in share_ids:
            self.told_phones.add((phone, share_id))
            times = [*self.came[phone, share_id], *self.told.get(share_id, ())]
            self.told[share_id] = (min(times), max(times))


@dataclass
class Bought:
    """One seat: the shares that were last and first, and whether it was paid in time."""

    order: OrderItem
    last: str
    first: str
    paid: bool = False


@dataclass
class History:
    shop: Shop
    sold: ActivityIds
    chance: random.Random
    changes: ChangeLog
    people: list[Person] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    delivered: int = 0

    def visit(self, share_id: str) -> None:
        person = self.chance.choice(self.people)
        phone = self.chance.choice(person.phones)
        for _ in range(self.chance.choice((1, 1, 2))):  # a reload
            shares.visit(self.shop.merchant_id, share_id, phone, now_s=self.shop.now_s)
            person.visits(phone, share_id, self.shop.now_s)
        if person.buyer_id or self.chance.random() < 0.2:
            self._log_in(person, phone)
        if person.buyer_id and self.chance.random() < 0.12:
            begin = len(self.changes.made)
            with injected(self.changes):
                self._buy(person)
            self._tell_of_new(begin)

    def _log_in(self, person: Person, phone: str) -> None:
        """The client of one phone tells what it has kept."""
        person.buyer_id = person.buyer_id or self.shop.buyer()
        mine = [share_id for one, share_id in person.came if one == phone]
        told = self.chance.sample(mine, min(len(mine), 10))
        merchant_id, now_s = self.shop.merchant_id, self.shop.now_s
        touches.record(merchant_id, person.buyer_id, phone, told, now_s=now_s)
        person.tells(phone, told)

    def _buy(self, person: Person) -> None:
        now_s = self.shop.now_s
        times = sorted(
            (at_s, share_id)
            for share_id, both in person.told.items()
            for at_s in both
            if now_s - WINDOW_S <= at_s
        )
        order = self._seat(person)
        bought = Bought(order, times[-1][1], times[0][1])
        self.bought.append(bought)
        ends = self.chance.random()
        if ends < 0.7:
            bought.paid = self.shop.pay(order) != "late"
        elif ends < 0.8:  # late: it takes no seat, and goes back
            number = self.shop.ask(order)
            self.shop.cancel(order)
            trade = self.shop.gateway.pay_in_spite(number, at_s=now_s)
            assert self.shop.notify(trade) == "late"

    def _seat(self, person: Person) -> OrderItem:
        for group_id in self.groups[-3:]:
            group = self.shop.group(group_id)
            free = group.status == "open" and group.seats_total > len(group.members.as_dict())
            is_in = person.buyer_id in group.members.as_dict()
            if free and not is_in and (group.expires_at_s or 0) > self.shop.now_s + 600:
                return self.shop.join(self.sold, group_id, person.buyer_id)
        order = self.shop.open(self.sold, person.buyer_id)
        self.groups.append(str(order.group_id))
        return order

    def give_back(self, count: int) -> None:
        """After-sale of some seats, all of the money or a part."""
        kept = [one for one in self.bought if one.paid]
        for one in self.chance.sample(kept, min(count, len(kept))):
            order = self.shop.order(one.order.order_id)
            if order.status == "fulfilling":
                left_fen = order.view().refundable_fen
                give_back(self.shop, order, self.chance.choice((left_fen, min(left_fen, 500))))

    def _tell_of_new(self, begin: int) -> None:
        """What is new comes before the buyer has been elsewhere; all of it comes once more."""
        new = [it for it in self.changes.made[begin:] if is_of_trade(it) and it.before is None]
        self._batch([stream_record(it, n) for n, it in enumerate(new)])

    def deliver(self) -> None:
        """The stream brings what has changed, in any order and some of it twice; the function may
        die over a batch, which comes again."""
        while self.delivered < len(self.changes.made):
            new = self.changes.made[self.delivered :]
            self.delivered = len(self.changes.made)
            records = [stream_record(it, n) for n, it in enumerate(new) if is_of_trade(it)]
            records += self.chance.sample(records, len(records) // 5)
            self.chance.shuffle(records)
            for start in range(0, len(records), 25):
                self._batch(records[start : start + 25])

    def _batch(self, records: list[dict[str, object]]) -> None:
        if self.chance.random() < 0.2:
            cut = Interruption(self.chance.randrange(60), InterruptionKind.DIES_AFTER)
            with interrupted(self.shop, cut, under=self.changes):
                stream.handle({"Records": records}, now_s=self.shop.now_s)
        with injected(self.changes):
            answer = stream.handle({"Records": records}, now_s=self.shop.now_s)
        assert answer == {"batchItemFailures": []}

    def recounted(self) -> Figures:
        """What each share has brought, of what people did."""
        figures: Counter[tuple[str, str]] = Counter()
        for person in self.people:
            mine = {share_id for _, share_id in person.told_phones}
            figures.update((share_id, "visits") for share_id in mine)
            untold = person.came.keys() - person.told_phones
            figures.update((share_id, "visits") for _, share_id in untold)
        for one in self.bought:
            for name, count in self._brought(one).items():
                figures[one.last, name] += count
                figures[one.first, f"first_{name}"] += count
        return {key: count for key, count in figures.items() if count}

    def _brought(self, one: Bought) -> dict[str, int]:
        if not one.paid:
            return {"taken": 1}
        order = self.shop.order(one.order.order_id)
        group = self.shop.group(str(order.group_id))
        back_fen = sum(
            refund.amount_fen
            for refund in self.shop.gateway.record.refunds.values()
            if refund.out_trade_no == number_of(order) and refund.status is RefundStatus.SUCCEEDED
        )
        return {
            "taken": 1,
            "paid": 1,
            "paid_fen": order.total_fen,
            "formed": int(group.status == "formed"),
            "refunded": int(order.status == "refunded"),
            "refunded_fen": back_fen,
        }


def counted(shop: Shop, sold: ActivityIds) -> Figures:
    figures: Counter[tuple[str, str]] = Counter()
    for row in rows_of(shop.merchant_id, sold.activity_id):
        figures.update({(row.share_id, name): getattr(row, name) for name in COUNTED})
    return {key: count for key, count in figures.items() if count}


def own_share(shop: Shop, sold: ActivityIds, name: str) -> str:
    made = shop_shares.make(
        shop.merchant_id,
        sold.activity_id,
        new_id(),
        shares.ShareChannel.STORE,
        name,
        staff=STAFF,
        now_s=shop.now_s,
    )
    return str(made.share_id)


@pytest.mark.slow
def test_figures_of_a_history_equal_a_recount_of_it(shop: Shop) -> None:
    chance = run_statistics.chance("shares")
    sold = shop.activity(seats=3, stock=5_000, days=30)
    changes = ChangeLog(lambda operation, body: None, lambda: shop.now_s, chance)
    history = History(shop, sold, chance, changes)
    history.people = [
        Person([new_id() for _ in range(chance.choice((1, 1, 2)))]) for _ in range(VISITS // 8)
    ]
    sharers, group_id = [shop.buyer() for _ in range(SHARERS)], shop.opened(sold)
    channels = list(shares.ShareChannel)
    spread = [
        shares.share(shop.merchant_id, group_id, sharers[n % SHARERS], channels[n % 6])[0].share_id
        for n in range(SHARES - 2)
    ]
    spread[1:1] = [own_share(shop, sold, name) for name in ("门店海报", "传单")]
    shop.gateway.confirms_at_once = True

    for number in range(VISITS):
        history.visit(spread[int(SHARES * chance.random() ** 2)])
        shop.now_s += chance.randrange(2 * DAYS_OF_IT * DAY_S // VISITS)
        if number % (VISITS // 20) == 0:
            with injected(changes):
                shop.run_jobs()
                history.give_back(2)
            history.deliver()
    with injected(changes):
        shop.run_jobs(3, forward_s=DAY_S)
    history.deliver()

    run_statistics.count("visits of a history", VISITS)
    run_statistics.count("seats of a history", len(history.bought))
    figures = history.recounted()
    assert counted(shop, sold) == figures
    told = share_figures.of_activity(shop.merchant_id, sold.activity_id)
    for name, count in asdict(told.total.last).items():
        assert count == sum(n for (_, figure), n in figures.items() if figure == name)
    own = together(one.sums for one in told.own)
    assert together([own, *(one.sums for one in told.sharers)]) == told.total
    assert together([own, *(one.sums for one in told.shares)]) == told.total
    assert together(told.channels.values()) == told.total
    brought = Counter(name for _, name in figures)
    assert all(brought[name] and brought[f"first_{name}"] for name in FIGURES), brought
    shop.check()
