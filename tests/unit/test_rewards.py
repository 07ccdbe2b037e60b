"""What is owed for groups that formed, by the orders that count and what was given for them."""

from dataclasses import replace

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.rewards import (
    Counted,
    Reward,
    RewardFor,
    RewardsRule,
    RewardState,
    counting,
    reckon,
    state_of,
)

RULE = RewardsRule(on=True, every=3, points=10, since_s=100)
GROUPS, LEADER = RewardFor.GROUPS, RewardFor.LEADER


def orders(*times: int) -> list[Counted]:
    return [Counted(f"order-{at_s}", at_s) for at_s in times]


def owed(rule: RewardsRule, counted: list[Counted], *given: Reward, now_s: int = 10**9) -> object:
    found = reckon(rule, counted, given, now_s=now_s)
    return [(why, [one.at_s for one in of]) for why, of in found.owed]


def test_each_order_is_in_one_reward_the_earliest_first() -> None:
    counted = orders(500, 100, 300, 200, 400, 700, 600, 99)

    assert owed(RULE, counted) == [(GROUPS, [100, 200, 300]), (GROUPS, [400, 500, 600])]
    assert reckon(RULE, counted, (), now_s=10**9).waiting == (700,)
    first = Reward(GROUPS, ("order-100", "order-200", "order-300"))
    assert owed(RULE, counted, first) == [(GROUPS, [400, 500, 600])]
    assert owed(replace(RULE, on=False), counted) == []


def test_order_that_went_back_breaks_its_reward_and_frees_the_others() -> None:
    given = Reward(GROUPS, ("order-100", "order-200", "order-300"))
    found = reckon(RULE, orders(100, 300), [given], now_s=400)

    assert (found.broken, found.owed, found.waiting) == ((0,), (), (100, 300))
    assert owed(RULE, orders(100, 300, 400), given) == [(GROUPS, [100, 300, 400])]
    taken = replace(given, taken_back=True)
    assert reckon(RULE, orders(100, 300), [taken], now_s=400).broken == ()


def test_groups_count_together_that_lie_within_the_days() -> None:
    rule = replace(RULE, every=2, days=7, since_s=0)
    times = [0, 8 * DAY_S, 15 * DAY_S, 23 * DAY_S]

    found = reckon(rule, orders(*times), (), now_s=24 * DAY_S)

    assert [[one.at_s for one in of] for _, of in found.owed] == [times[1:3]]
    assert found.waiting == (23 * DAY_S,)
    assert reckon(rule, orders(*times), (), now_s=31 * DAY_S).waiting == ()
    assert counting(rule, [0, 8 * DAY_S], now_s=9 * DAY_S) == [8 * DAY_S]
    assert counting(replace(rule, on=False), [8 * DAY_S], now_s=9 * DAY_S) == []


def test_leader_gets_one_for_each_order_ever() -> None:
    led = Counted("order-5", 5, "template")

    assert owed(RewardsRule(), [led]) == [(LEADER, [5])]
    for given in (Reward(LEADER, ("order-5",)), Reward(LEADER, ("order-5",), taken_back=True)):
        assert owed(RewardsRule(), [led], given) == []
    assert reckon(RewardsRule(), [], [Reward(LEADER, ("order-5",))], now_s=9).broken == (0,)


def test_state_says_what_is_left_of_it() -> None:
    states = [
        state_of(taken_back=taken_back, coupon_kept=kept, given=given)
        for taken_back, kept, given in (
            (False, False, True),
            (True, False, True),
            (True, True, True),
            (True, False, False),
        )
    ]

    assert states == [
        RewardState.GIVEN,
        RewardState.TAKEN_BACK,
        RewardState.USED,
        RewardState.NONE_LEFT,
    ]
