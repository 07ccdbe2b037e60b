"""Races in a shop: each prepares it, runs acts at the same time, and asserts the outcome.

What is asserted holds under injected faults too; how often somebody was told what is left to
the callers, who know whether answers are lost.
"""

import random
from collections import Counter
from typing import Any

from chalicelib.domain.activity import NewBuyers
from chalicelib.domain.coupon import CouponId
from chalicelib.domain.coupon_code import CouponCode
from chalicelib.domain.coupon_draft import CouponGiven
from chalicelib.services.fulfilment import receipts
from chalicelib.services.groups import shares
from chalicelib.services.timeouts import PACE_S
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.concurrency import concurrently, retry_while_busy, run_together
from tests.fixtures.shares import visits
from tests.fixtures.shop import OTHER_PAY, Shop, number_of
from tests.fixtures.staff_requests import give_back, ship

Tally = Counter[str]


def tally(answers: list[Any]) -> Tally:
    """Count the answers: refusals and outcomes by name, orders together."""
    return Counter("order" if isinstance(answer, OrderItem) else str(answer) for answer in answers)


def many_buyers_for_two_seats(shop: Shop, *, buyers: int) -> Tally:
    sold = shop.activity(seats=3, stock=100)
    group_id = shop.opened(sold)
    everybody = concurrently(lambda _: shop.buyer(), range(buyers))

    answers = concurrently(lambda buyer: shop.join(sold, group_id, buyer), everybody)

    assert len(shop.group(group_id).members.as_dict()) == 3
    assert shop.left(sold) == 97
    seated = [answer for answer in answers if isinstance(answer, OrderItem)]
    paid = concurrently(shop.pay, seated)
    assert shop.group(group_id).status == "formed"
    assert "late" not in tally(paid)
    return tally(answers)


def many_visitors_of_one_share(shop: Shop, *, visitors: int, rounds: int) -> int:
    """Each comes in one round, and twice. Returns how many were counted."""
    sharer, group_id = shop.buyer(), shop.opened(shop.activity(seats=3))
    invitation, _ = shares.share(shop.merchant_id, group_id, sharer, shares.ShareChannel.LINK)

    def come(visitor: str) -> str:
        shares.visit(shop.merchant_id, invitation.share_id, visitor, now_s=shop.now_s)
        return "counted"

    for number in range(rounds):
        names = [f"visitor-{number}-{one}" for one in range(visitors)]
        assert set(concurrently(come, [*names, *names])) == {"counted"}
    return visits(shop.merchant_id, invitation.share_id)


def many_buyers_in_one_minute(shop: Shop, *, buyers: int, per_minute: int) -> Tally:
    """Half of them open groups, half join one."""
    sold = shop.activity(seats=100, stock=200, per_minute=per_minute)
    group_id = shop.opened(sold)
    shop.now_s += PACE_S
    everybody = list(enumerate(concurrently(lambda _: shop.buyer(), range(buyers))))

    def take(one: tuple[int, str]) -> OrderItem:
        number, buyer = one
        if number % 2:
            return shop.join(sold, group_id, buyer)
        return shop.open(sold, buyer, key=f"of {buyer}")

    return tally(concurrently(take, everybody))


def many_buyers_for_little_stock(shop: Shop, *, buyers: int, stock: int, leaders: int) -> Tally:
    sold = shop.activity(seats=stock, stock=stock)
    group_ids = concurrently(lambda _: shop.opened(sold), range(leaders))
    everybody = list(enumerate(concurrently(lambda _: shop.buyer(), range(buyers))))

    answers = concurrently(
        lambda one: shop.join(sold, group_ids[one[0] % leaders], one[1]), everybody
    )

    assert shop.left(sold) == 0
    held = sum(len(shop.group(group_id).members.as_dict()) for group_id in group_ids)
    assert held == stock
    return tally(answers)


def one_buyer_joins_over_and_over(shop: Shop, *, times: int) -> set[str]:
    """Return the different answers that the buyer got."""
    sold = shop.activity(seats=10)
    group_id = shop.opened(sold)
    buyer = shop.buyer()

    answers = concurrently(lambda _: shop.join(sold, group_id, buyer), range(times))

    assert len(shop.group(group_id).members.as_dict()) == 2
    assert shop.left(sold) == 98
    return {_named(answer) for answer in answers}


def one_key_opens_over_and_over(shop: Shop, *, times: int) -> set[str]:
    sold = shop.activity(seats=10)
    buyer = shop.buyer()

    answers = concurrently(lambda _: shop.open(sold, buyer, key="the same"), range(times))

    assert shop.left(sold) == 99
    return {_named(answer) for answer in answers}


def one_callback_over_and_over(shop: Shop, *, times: int) -> Tally:
    sold = shop.activity(seats=10)
    group_id = shop.opened(sold)
    order = retry_while_busy(lambda: shop.join(sold, group_id, shop.buyer()))
    trade = shop.capture(order)

    answers = concurrently(lambda _: shop.notify(trade), range(times))

    assert shop.group(group_id).seats_paid == 2
    assert shop.order(order.order_id).status == "paid"
    return tally(answers)


def one_limit_over_many_groups(shop: Shop, *, groups: int, limit: int) -> Tally:
    sold = shop.activity(seats=10, limit_per_buyer=limit, limit_per_order=1)
    group_ids = concurrently(lambda _: shop.opened(sold), range(groups))
    buyer = shop.buyer()

    answers = concurrently(lambda group_id: shop.join(sold, group_id, buyer), group_ids)

    seats = [buyer in shop.group(group_id).members.as_dict() for group_id in group_ids]
    assert sum(seats) == limit
    return tally(answers)


def one_coupon_over_and_over(shop: Shop, *, times: int, chance: random.Random) -> Tally:
    """One coupon for as many purchases of one buyer, who pays some and cancels some at once."""
    sold = shop.activity(seats=100, stock=1000, product_stock=2000, limit_per_order=1)
    group_ids = concurrently(lambda _: shop.opened(sold), range(8))
    buyer = shop.buyer()
    coupon_id = shop.claim(shop.coupons(), buyer)

    def buy(which: float) -> Any:
        if which < 0.4:
            return shop.buy_alone(sold, buyer, coupon_id=coupon_id)
        if which < 0.6:
            return shop.open(sold, buyer, coupon_id=coupon_id)
        group_id = group_ids[int(which * 100) % len(group_ids)]
        placed = shop.join(sold, group_id, buyer, coupon_id=coupon_id)
        if which > 0.8:
            retry_while_busy(lambda: shop.cancel(placed))
        return placed

    return tally(concurrently(buy, [chance.random() for _ in range(times)]))


def same_points_over_and_over(shop: Shop, *, times: int, chance: random.Random) -> Tally:
    """Points for one purchase, one coupon or one exchange, in as many of one buyer, who cancels
    some at once."""
    shop.take_points()
    sold = shop.activity(seats=100, stock=1000, product_stock=2000, points=True)
    group_ids = concurrently(lambda _: shop.opened(sold), range(8))
    buyer = shop.buyer()
    first = shop.buy_alone(sold, buyer)
    shop.cancel(first)
    shop.give_points(first, 1000)
    priced = shop.coupons(points=900, per_buyer=10)
    offer_id = shop.offer(sold, points=1000, per_buyer=5)

    def buy(which: float) -> Any:
        if which < 0.1:
            return shop.claim(priced, buyer)
        if which < 0.3:
            return shop.exchange(sold, offer_id, buyer)
        if which < 0.6:
            return shop.buy_alone(sold, buyer, points=1000)
        group_id = group_ids[int(which * 100) % len(group_ids)]
        placed = shop.join(sold, group_id, buyer, points=1000)
        if which > 0.8:
            retry_while_busy(lambda: shop.cancel(placed))
        return placed

    return tally(concurrently(buy, [chance.random() for _ in range(times)]))


def receipts_against_refunds(shop: Shop, *, rounds: int) -> Tally:
    """Orders that earn points are received while the shop gives part of their money back."""
    shop.take_points()
    sold = shop.activity(product_stock=200)

    shipped = [shop.buy_alone(sold, shop.buyer()) for _ in range(rounds)]
    for number, order in enumerate(shipped):
        shop.pay(order)
        ship(shop, order, f"SF{number:013d}")
    acts = [
        act
        for order in shipped
        for act in (
            lambda order=order: receipts.confirm(
                shop.merchant_id, order.order_id, now_s=shop.now_s
            ),
            lambda order=order: give_back(shop, order, 2500),
        )
    ]
    answers = run_together(*acts)
    assert {shop.order(order.order_id).status for order in shipped} == {"completed"}
    return tally(answers)


def new_buyer_in_many_groups(shop: Shop, *, buyers: int, groups: int) -> list[Tally]:
    """Each new buyer joins many groups for new buyers, opens one and buys alone, all at once."""
    sold = shop.activity(seats=100, stock=5000, product_stock=6000, new_buyers=NewBuyers.JOINERS)
    other = shop.activity(seats=2, stock=500, new_buyers=NewBuyers.ALL)
    group_ids = concurrently(lambda _: shop.opened(sold), range(groups))

    gift = shop.coupons(first_order=True)

    def buy(one: tuple[str, str]) -> Any:
        who, where = one
        if where == "alone":
            return shop.buy_alone(sold, who, coupon_id=shop.claim(gift, who))
        return shop.open(other, who) if where == "new" else shop.join(sold, where, who)

    told = []
    for _ in range(buyers):
        who = retry_while_busy(shop.buyer)
        told.append(tally(concurrently(buy, [(who, it) for it in (*group_ids, "new", "alone")])))
    return told


def many_buyers_for_few_coupons(shop: Shop, *, buyers: int, total: int) -> Tally:
    template_id = shop.coupons(total=total)
    everybody = concurrently(lambda _: shop.buyer(), range(buyers))
    claims = concurrently(lambda who: shop.claim(template_id, who), [*everybody, *everybody])
    return Tally("coupon" if CouponId.parse(claim) else claim for claim in claims)


def many_buyers_for_few_codes(shop: Shop, *, buyers: int, count: int) -> Tally:
    """Everybody tries every code at once, and may have one of these coupons."""
    batch = shop.codes(shop.coupons(total=count, given=CouponGiven.CODE), count)
    codes = [str(CouponCode.made(batch.batch, number, batch.key)) for number in range(count)]
    everybody = concurrently(lambda _: shop.buyer(), range(buyers))
    tries = [(code, who) for code in codes for who in everybody]

    claims = concurrently(lambda one: shop.claim_by_code(*one), tries)

    return Tally("coupon" if isinstance(it, CouponItem) else str(it) for it in claims)


def last_two_payments(shop: Shop, *, rounds: int) -> Tally:
    """The last two seats of each group are paid at the same instant."""
    sold = shop.activity(seats=3, stock=1000)
    group_ids = concurrently(lambda _: shop.opened(sold), range(rounds))
    seats = [group_id for group_id in group_ids for _ in range(2)]
    members = concurrently(lambda group_id: shop.join(sold, group_id, shop.buyer()), seats)
    trades = concurrently(shop.capture, members)
    answers: list[Any] = []
    for number in range(0, len(trades), 2):
        answers += concurrently(shop.notify, trades[number : number + 2])
    for group_id in group_ids:
        group = shop.group(group_id)
        assert (group.status, group.seats_paid) == ("formed", 3), group_id
    return tally(answers)


def two_attempts_paid_at_once(shop: Shop) -> Tally:
    sold = shop.activity(seats=2)
    group_id = shop.opened(sold)
    order = retry_while_busy(lambda: shop.join(sold, group_id, shop.buyer()))
    retry_while_busy(lambda: shop.ask(order))
    retry_while_busy(lambda: shop.ask(order, OTHER_PAY))
    first = shop.gateway.pay(number_of(order, "01"), at_s=shop.now_s)
    second = shop.other_gateway.pay(number_of(order, "02"), at_s=shop.now_s)

    answers = run_together(lambda: shop.notify(first), lambda: shop.notify(second, OTHER_PAY))

    stored = shop.order(order.order_id)
    assert len(stored.refunds.as_dict()) == 1
    assert shop.group(group_id).status == "formed"
    assert stored.status == "paid"
    return tally(answers)


def _named(answer: OrderItem | str) -> str:
    return answer if isinstance(answer, str) else f"{answer.order_id} of {answer.group_id}"
