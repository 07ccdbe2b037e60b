"""Races on the engine, 16 threads at once; afterwards every law holds."""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from chalicelib.domain.activity import Tier
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.rewards import RewardItem
from tests.fixtures.shop import LIFE_S, PAY_BY_S, Shop
from tests.fixtures.table_snapshot import rebate_fen
from tests.laws.races import (
    combining_scenarios,
    deadline_scenarios,
    invitation_scenarios,
    merge_scenarios,
    reward_scenarios,
    scenarios,
)
from tests.laws.races.scenarios import Tally
from tests.laws.run_statistics import sized


def test_fifty_buyers_race_for_two_seats(shop: Shop) -> None:
    answers = scenarios.many_buyers_for_two_seats(shop, buyers=50)

    assert answers == {"order": 2, "group_full": 48}
    shop.run_jobs()
    shop.check(quiescent=True)


def test_sixty_buyers_race_for_the_ten_seats_of_a_minute(shop: Shop) -> None:
    answers = scenarios.many_buyers_in_one_minute(shop, buyers=60, per_minute=10)

    assert answers == {"order": 10, "too_fast_now": 50}
    shop.check()


def test_three_hundred_buyers_race_for_a_hundred_units(shop: Shop) -> None:
    answers = scenarios.many_buyers_for_little_stock(shop, buyers=300, stock=100, leaders=4)

    assert answers == {"order": 96, "sold_out": 204}
    shop.check()
    shop.run_jobs(3, forward_s=PAY_BY_S)
    shop.check(quiescent=True)


def test_one_buyer_who_joins_twenty_times_at_once_has_one_seat(shop: Shop) -> None:
    answers = scenarios.one_buyer_joins_over_and_over(shop, times=20)

    assert len(answers) == 1
    shop.check()


def test_one_key_that_opens_twenty_times_at_once_opens_one_group(shop: Shop) -> None:
    answers = scenarios.one_key_opens_over_and_over(shop, times=20)

    assert len(answers) == 1
    shop.check()


def test_ten_callbacks_of_one_payment_at_once_have_one_effect(shop: Shop) -> None:
    answers = scenarios.one_callback_over_and_over(shop, times=10)

    assert answers == {"paid": 1, "duplicate": 9}
    shop.check()


def test_limit_of_two_holds_over_eight_groups_at_once(shop: Shop) -> None:
    answers = scenarios.one_limit_over_many_groups(shop, groups=8, limit=2)

    assert answers == {"order": 2, "limit_reached": 6}
    shop.check()


def test_thousand_purchases_at_once_use_a_coupon_once(shop: Shop) -> None:
    answers = scenarios.one_coupon_over_and_over(
        shop, times=sized(1000, 200), chance=random.Random(3)
    )

    snapshot = shop.check()
    using = [order for order in snapshot.orders.values() if order.view().holds_coupon]
    assert len(using) <= 1
    assert answers["order"] > 0 < answers["coupon_refused"], answers
    shop.run_jobs(3, forward_s=PAY_BY_S)
    shop.check(quiescent=True)


def test_hundred_purchases_at_once_spend_the_same_points_once(shop: Shop) -> None:
    answers = scenarios.same_points_over_and_over(
        shop, times=sized(500, 100), chance=random.Random(3)
    )

    snapshot = shop.check()
    live = [order.view() for order in snapshot.orders.values() if order.status != "closed"]
    spent = sum(order.points.total for order in live)
    assert spent + 900 * len(snapshot.coupons) <= 1000
    assert answers["order"] + len(snapshot.coupons) > 0 < answers["points_refused"], answers
    shop.run_jobs(3, forward_s=PAY_BY_S)
    shop.check(quiescent=True)


def test_orders_earn_what_is_kept_when_they_are_received_while_money_goes_back(shop: Shop) -> None:
    scenarios.receipts_against_refunds(shop, rounds=12)

    snapshot = shop.check()
    assert {account.balance for account in snapshot.points.values()} == {740}
    assert {account.growth for account in snapshot.points.values()} == {74}


def test_new_buyer_who_is_new_in_many_places_at_once_is_new_in_one(shop: Shop) -> None:
    told = scenarios.new_buyer_in_many_groups(shop, buyers=sized(40, 10), groups=8)

    shop.check()
    for answers in told:
        refused = answers["new_buyers_only"] + answers["coupon_refused"]
        assert (answers["order"], refused) == (1, 9), answers


def test_last_of_a_hundred_coupons_are_claimed_by_a_hundred_of_three_hundred(shop: Shop) -> None:
    answers = scenarios.many_buyers_for_few_coupons(shop, buyers=300, total=100)

    assert answers["coupon"] == 100
    assert answers["coupons_gone"] + answers["limit_reached"] == 500
    shop.check()


def test_code_that_many_try_at_once_is_used_by_one_of_them(shop: Shop) -> None:
    answers = scenarios.many_buyers_for_few_codes(shop, buyers=10, count=6)

    assert answers["coupon"] == 6
    assert answers["coupon_code_refused"] + answers["limit_reached"] == 54
    shop.check()


def test_invitations_are_granted_once_while_their_people_merge_and_money_goes_back(
    shop: Shop,
) -> None:
    shop.gateway.confirms_at_once = True
    invitation_scenarios.invitations_against_everything(
        shop, rounds=sized(20, 4), chance=random.Random(13)
    )

    shop.check()
    shop.run_jobs(3, forward_s=PAY_BY_S)
    snapshot = shop.check(quiescent=True)
    assert any(isinstance(it, InvitationItem) and it.granted_at_s for it in snapshot.items)


def test_fifty_visitors_at_once_are_counted(shop: Shop) -> None:
    counted = scenarios.many_visitors_of_one_share(shop, visitors=50, rounds=sized(20, 4))

    assert counted == 50 * sized(20, 4)
    shop.check()


@pytest.mark.parametrize(
    ("race", "rounds", "ends"),
    [
        (deadline_scenarios.last_payment_against_the_deadline, sized(200, 40), "formed failed"),
        (
            partial(deadline_scenarios.last_payment_against_the_deadline, seats=3, least=2),
            sized(100, 30),
            "formed failed",
        ),
        (
            partial(deadline_scenarios.last_payment_against_the_deadline, seats=3, least=2, paid=2),
            sized(100, 30),
            "fulfilling closed",
        ),
        (
            partial(
                deadline_scenarios.last_payment_against_the_deadline,
                seats=4,
                least=2,
                paid=2,
                tiers=(Tier(3, 400), Tier(4, 1000)),
            ),
            sized(200, 30),
            "fulfilling closed",
        ),
        (deadline_scenarios.last_payment_against_closing, sized(60, 20), "formed failed"),
        (deadline_scenarios.extension_against_the_deadline, sized(60, 20), "open failed"),
        (deadline_scenarios.payment_against_release, sized(100, 30), "paid closed"),
    ],
    ids=["deadline", "least", "more than least", "tier", "closing by hand", "extension", "release"],
)
def test_each_race_has_one_end_and_both_happen(
    shop: Shop, race: Callable[..., Tally], rounds: int, ends: str
) -> None:
    outcomes = race(shop, rounds=rounds, chance=random.Random(1))

    assert outcomes.total() == rounds
    assert all(outcomes[end] > 0 for end in ends.split()), f"nobody raced: {outcomes}"
    shop.check(quiescent=True)


def test_group_that_is_due_is_combined_with_what_the_other_one_has_become(shop: Shop) -> None:
    outcomes = combining_scenarios.combining_against_everything(shop, rounds=sized(120, 24))

    # Who joins, or closes, first leaves nowhere to go; a payment takes no free seat, and of two
    # groups that are due one comes into the other.
    for beside, ends in {
        "join": "combined failed",
        "closing": "combined failed",
        "payment": "combined",
        "deadline": "combined",
    }.items():
        assert all(outcomes[f"{beside}: {end}"] > 0 for end in ends.split()), outcomes
    assert outcomes["payment: failed"] == outcomes["deadline: failed"] == 0, outcomes
    shop.gateway.confirms_at_once = True
    shop.run_jobs(4, forward_s=LIFE_S)
    shop.check(quiescent=True)


def test_tier_that_many_groups_reach_together_is_given_once_whoever_counts(shop: Shop) -> None:
    back_fen = deadline_scenarios.groups_against_the_count(
        shop, rounds=sized(100, 20), chance=random.Random(5)
    )

    assert back_fen == {900}


def test_no_unit_is_lost_when_an_activity_closes_under_its_buyers(shop: Shop) -> None:
    deadline_scenarios.joins_against_closing(shop, buyers=60)

    shop.check()
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=8 * 86400)
    snapshot = shop.check(quiescent=True)
    assert [stock.available for stock in snapshot.product_stocks.values()] == [110]


def test_big_group_failed_by_four_jobs_at_once_gives_everything_back_once(shop: Shop) -> None:
    paid = deadline_scenarios.big_group_is_decided(shop, seats=100)
    shop.check()

    refunds = deadline_scenarios.refunds_confirmed_over_and_over(shop, times=3)

    assert refunds == paid == 71  # the leader's, and of every ten others seven
    shop.run_jobs()
    shop.check(quiescent=True)


def test_big_group_whose_members_have_all_paid_is_refunded_once(shop: Shop) -> None:
    paid = deadline_scenarios.big_group_is_decided(shop, seats=60, paid_of_ten=10, limit=0)

    assert paid == 59
    shop.check()


def test_big_group_formed_by_four_jobs_at_once_lets_go_of_every_held_seat_once(shop: Shop) -> None:
    paid = deadline_scenarios.big_group_is_decided(shop, seats=100, least=70)

    snapshot = shop.check()
    (group,) = snapshot.groups.values()
    assert (paid, len(group.members.as_dict())) == (71, 71)
    assert {order.status for order in snapshot.orders.values()} == {"fulfilling", "closed"}
    back_fen = Counter(rebate_fen(order.view()) for order in snapshot.orders.values())
    assert (back_fen[400], back_fen[800], back_fen[1000]) == (1, 70, 0)


def test_last_two_payments_at_one_instant_form_the_group_once(shop: Shop) -> None:
    answers = scenarios.last_two_payments(shop, rounds=40)

    assert answers == {"paid": 40, "formed": 40}
    shop.run_jobs()
    shop.check(quiescent=True)


def test_of_two_attempts_paid_at_once_one_is_kept(shop: Shop) -> None:
    answers = scenarios.two_attempts_paid_at_once(shop)

    assert answers in ({"formed": 1, "late": 1},)
    shop.other_gateway.confirms_at_once = shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=70)
    shop.check(quiescent=True)


def test_two_buyers_are_merged_while_they_buy(shop: Shop) -> None:
    shop.take_points()
    sold = shop.activity(seats=4, stock=2000, limit_per_buyer=3, limit_per_order=3, points=True)
    chance, answers, batches = random.Random(5), Counter[str](), sized(20, 6)
    for _ in range(batches):
        answers += merge_scenarios.merges_against_everything(shop, sold, rounds=10, chance=chance)
        shop.check()

    assert answers["merge: done"] == 10 * batches
    told = Counter(dict.fromkeys(("done", "session_superseded"), 0))
    for name in merge_scenarios.PURCHASES:
        told.update({what: answers[f"{name}: {what}"] for what in told})
    assert min(*told.values(), answers["pay: paid"], answers["cancel: done"]) > 0, answers
    shop.gateway.confirms_at_once = True
    shop.run_jobs(3, forward_s=PAY_BY_S)
    shop.check(quiescent=True)


def test_accounts_are_closed_while_they_buy(shop: Shop) -> None:
    sold = shop.activity(seats=4, stock=2000)
    chance, answers = random.Random(7), Counter[str]()
    for _ in range(sized(10, 4)):
        answers += merge_scenarios.accounts_closed_while_they_buy(
            shop, sold, rounds=10, chance=chance
        )
        shop.check()

    told = {what: answers[what] for what in ("close: done", "close: account_in_use")}
    for what in ("done", "session_superseded"):
        told[what] = answers[f"join: {what}"] + answers[f"open: {what}"]
    assert min(told.values()) > 0, answers
    shop.run_jobs(3, forward_s=PAY_BY_S)
    shop.check(quiescent=True)


def test_identities_stated_at_once_make_one_buyer(shop: Shop) -> None:
    for number in range(20):
        assert merge_scenarios.logins_at_once(shop, number, times=6) == 1
    shop.check()


def test_rewards_are_given_once_while_they_are_reckoned_merged_used_and_refunded(
    shop: Shop,
) -> None:
    shop.gateway.confirms_at_once = True
    reward_scenarios.rewards_against_everything(shop, rounds=sized(20, 4), chance=random.Random(11))

    shop.check()
    shop.run_jobs(3, forward_s=PAY_BY_S)
    snapshot = shop.check(quiescent=True)
    rewards = [item for item in snapshot.items if isinstance(item, RewardItem)]
    assert rewards
