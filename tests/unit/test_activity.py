"""What an activity may promise, and what it shows."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.activity import (
    ActivityState,
    LevelSeats,
    StockClaim,
    TermsSku,
    Tier,
    buckets_for,
    refusal_to_open,
    refuse_overlap,
    spread,
    state_of,
)
from chalicelib.domain.activity_draft import (
    Draft,
    DraftSku,
    Offer,
    change_problems_of,
    changed_terms,
    first_terms,
    problems_of,
)
from chalicelib.domain.levels import MemberLevel
from chalicelib.domain.pricing import PriceKind
from chalicelib.errors import ActivityOverlaps, InvalidRequest

NOW_S = 1_795_312_800  # 2026-11-22 10:00 in Shanghai
DAY_S = 86_400
OFFERS = {
    "s1": Offer("s1", "红色 / XL", 5900, 3990, available=86),
    "s2": Offer("s2", "绿色 / XL", 5900, 4990, available=50),
}
DRAFT = Draft(
    product_id="p1",
    title="周末三人团",
    skus=(DraftSku("s1", 2990, 40), DraftSku("s2", 0, 10)),
    seats_total=3,
    life_h=24,
    starts_at_s=NOW_S,
    ends_at_s=NOW_S + 7 * DAY_S,
    limit_per_buyer=2,
    limit_per_order=1,
    confirms_free=True,
)
FEWER = {
    "seats_total": 8,
    "seats_least": 2,
    "skus": (DraftSku("s1", 2990, 40), DraftSku("s2", 1590, 10)),
}
LADDER = {"tiers": (Tier(5, 200), Tier(8, 500))}
CROWD = {"crowd_tiers": (Tier(2, 200), Tier(1000, 1589))}
TERMS = first_terms(DRAFT, OFFERS, activity_id="a1", category_id="c1", image="", life_s=24 * 3600)


def problems(**changes: object) -> list[tuple[str, str]]:
    draft = replace(DRAFT, **changes)  # type: ignore[arg-type]
    return [(p["field"], p["problem"]) for p in problems_of(draft, OFFERS, now_s=NOW_S)]


def fields(**changes: object) -> list[str]:
    return [field for field, _ in problems(**changes)]


def first_sku(**changes: object) -> tuple[DraftSku, ...]:
    return (replace(DRAFT.skus[0], **changes), DRAFT.skus[1])  # type: ignore[arg-type]


def test_a_right_draft_has_no_problems() -> None:
    assert problems() == []


def test_a_price_that_is_not_lower_says_which_would_do() -> None:
    words = "拼团价要低于单买价 ¥39.90，请改为 ¥39.89 或更低。"

    assert problems(skus=first_sku(group_price_fen=3990)) == [("skus[0].group_price_fen", words)]
    assert problems(skus=first_sku(group_price_fen=3989)) == []


def test_more_stock_than_there_is_says_how_much_there_is() -> None:
    words = "活动库存最多 86 件（当前可售库存）。请减少数量，或先补充库存。"

    assert problems(skus=first_sku(stock=87)) == [("skus[0].stock", words)]
    assert problems(skus=first_sku(stock=86)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "团" * 29}, "title"),
        ({"seats_total": 1}, "seats_total"),
        ({"life_h": 0}, "life_h"),
        ({"life_h": 73}, "life_h"),
        ({"ends_at_s": NOW_S}, "ends_at_s"),
        ({"ends_at_s": NOW_S + 3599}, "ends_at_s"),
        ({"ends_at_s": NOW_S + 366 * DAY_S + 1}, "ends_at_s"),
        ({"starts_at_s": NOW_S + 7 * DAY_S}, "ends_at_s"),
        ({"limit_per_buyer": -1}, "limit_per_buyer"),
        ({"limit_per_buyer": 10_000}, "limit_per_buyer"),
        ({"limit_per_order": 0}, "limit_per_order"),
        ({"limit_per_order": 3}, "limit_per_order"),
        ({"limit_per_buyer": 0, "limit_per_order": 1000}, "limit_per_order"),
        ({"skus": first_sku(sku_id="s9")}, "skus[0].sku_id"),
        ({"skus": first_sku(sku_id="s2")}, "skus[1].sku_id"),
        ({"skus": first_sku(group_price_fen=-1)}, "skus[0].group_price_fen"),
        ({"skus": first_sku(stock=0)}, "skus[0].stock"),
        ({"skus": first_sku(stock=None)}, "skus[0].stock"),
        ({"seats_total": 51}, "skus"),
        ({"seats_least": 1}, "seats_least"),
        ({"seats_least": 3}, "seats_least"),
        ({"seats_total": 2, "seats_least": 2}, "seats_least"),
        ({"seats_total": 1, "seats_least": 2}, "seats_total"),
        ({"per_minute": 1001}, "per_minute"),
        ({"per_minute": -1}, "per_minute"),
        ({**FEWER, **LADDER, **CROWD}, "crowd_tiers"),
        ({**FEWER, "leader_free": True, "limit_per_order": 1, **CROWD}, "crowd_tiers"),
        ({**FEWER, "crowd_tiers": (Tier(9, 100),)}, "crowd_tiers"),
        ({**FEWER, "crowd_tiers": tuple(Tier(n, n) for n in range(3, 10))}, "crowd_tiers"),
        ({**FEWER, "crowd_tiers": (Tier(1, 100), Tier(9, 200))}, "crowd_tiers[0].seats"),
        ({**FEWER, "crowd_tiers": (Tier(9, 100), Tier(9, 200))}, "crowd_tiers[1].seats"),
        ({**FEWER, "crowd_tiers": (Tier(9, 100), Tier(1_000_001, 200))}, "crowd_tiers[1].seats"),
        ({**FEWER, "crowd_tiers": (Tier(9, 100), Tier(99, 1590))}, "crowd_tiers[1].off_fen"),
        ({**FEWER, **CROWD, "ends_at_s": NOW_S + 91 * DAY_S}, "ends_at_s"),
        ({**FEWER, **LADDER, "seats_least": 0}, "tiers"),
        ({**FEWER, "leader_free": True, "limit_per_order": 1, **LADDER}, "tiers"),
        ({**FEWER, "tiers": (Tier(2, 100), Tier(8, 200))}, "tiers[0].seats"),
        ({**FEWER, "tiers": (Tier(5, 100), Tier(5, 200))}, "tiers[1].seats"),
        ({**FEWER, "tiers": (Tier(5, 100), Tier(7, 200))}, "tiers[1].seats"),
        ({**FEWER, "tiers": (Tier(5, 0), Tier(8, 200))}, "tiers[0].off_fen"),
        ({**FEWER, "tiers": (Tier(5, 200), Tier(8, 200))}, "tiers[1].off_fen"),
        ({**FEWER, "tiers": (Tier(5, 200), Tier(8, 1590))}, "tiers[1].off_fen"),
        ({**FEWER, "tiers": tuple(Tier(n, n) for n in range(3, 9))}, "tiers"),
    ],
)
def test_each_limit_names_its_field(changes: dict[str, Any], field: str) -> None:
    assert fields(**changes) == [field]


@pytest.mark.parametrize(
    "changes",
    [
        {"seats_total": 2},
        {"life_h": 1},
        {"life_h": 72},
        {"ends_at_s": NOW_S + 3600},
        {"ends_at_s": NOW_S + 366 * DAY_S},
        {"limit_per_buyer": 0, "limit_per_order": 999},
        {"limit_per_buyer": 9_999},
        {"seats_total": 50},
        {"seats_least": 2},
        {"seats_total": 50, "seats_least": 49},
        {**FEWER, **LADDER},
        {"per_minute": 1000},
        {**FEWER, **CROWD, "ends_at_s": NOW_S + 90 * DAY_S},
        {**FEWER, "crowd_tiers": tuple(Tier(10**n, n + 1) for n in range(1, 7))},
        {**FEWER, "tiers": tuple(Tier(n, n) for n in range(4, 9))},
        {**FEWER, "tiers": (Tier(8, 1589),)},
    ],
)
def test_the_limits_themselves_are_allowed(changes: dict[str, Any]) -> None:
    assert fields(**changes) == []


def test_no_sku_and_more_than_48_are_refused() -> None:
    many = {f"s{number}": Offer(f"s{number}", "", 200, 100, 10) for number in range(49)}
    skus = tuple(DraftSku(sku_id, 50, 10) for sku_id in many)

    assert fields(skus=()) == ["skus", "skus"]
    draft = replace(DRAFT, skus=skus)
    assert [p["field"] for p in problems_of(draft, many, now_s=NOW_S)] == ["skus"]


def test_all_problems_are_told_at_once() -> None:
    found = fields(title="", seats_total=0, skus=first_sku(group_price_fen=9999, stock=99))

    assert found == ["title", "seats_total", "skus[0].group_price_fen", "skus[0].stock"]


@pytest.mark.parametrize(
    ("stocks", "buckets"),
    [([100], 8), ([5], 5), ([1], 1), ([100, 3], 3), ([100] * 24, 3), ([100] * 48, 1)],
)
def test_buckets_are_as_many_as_stock_and_one_transaction_allow(stocks: Any, buckets: int) -> None:
    assert buckets_for(stocks) == buckets


@pytest.mark.parametrize(("skus", "crowd"), [(n, c) for n in range(1, 49) for c in (0, 1)][:-1])
def test_a_publication_never_passes_100_writes(skus: int, crowd: int) -> None:
    writes = 4 + crowd + skus * (1 + buckets_for([1_000_000] * skus, writes=crowd))

    assert writes <= 100


def test_a_crowd_has_47_skus_at_most() -> None:
    many = {f"s{number}": Offer(f"s{number}", "", 9000, 8000, 10) for number in range(48)}
    crowd = (Tier(2, 200), Tier(9, 300))

    def found(number: int) -> list[str]:
        skus = tuple(DraftSku(sku_id, 5000, 10) for sku_id in list(many)[:number])
        draft = replace(DRAFT, skus=skus, crowd_tiers=crowd)
        return [p["field"] for p in problems_of(draft, many, now_s=NOW_S)]

    assert (found(47), found(48)) == ([], ["crowd_tiers"])


@pytest.mark.parametrize(
    ("units", "buckets", "each"),
    [(21, 8, [3, 3, 3, 3, 3, 2, 2, 2]), (8, 8, [1] * 8), (0, 2, [0, 0])],
)
def test_units_are_spread_evenly_and_none_is_lost(units: int, buckets: int, each: Any) -> None:
    assert spread(units, buckets) == each


@pytest.mark.parametrize(
    ("status", "at_s", "state"),
    [
        ("published", NOW_S - 1, ActivityState.SCHEDULED),
        ("published", NOW_S, ActivityState.RUNNING),
        ("published", NOW_S + DAY_S - 1, ActivityState.RUNNING),
        ("published", NOW_S + DAY_S, ActivityState.ENDED),
        ("paused", NOW_S, ActivityState.PAUSED),
        ("paused", NOW_S + DAY_S, ActivityState.ENDED),
        ("ended", NOW_S, ActivityState.ENDED),
    ],
)
def test_the_state_is_the_status_and_the_clock(
    status: str, at_s: int, state: ActivityState
) -> None:
    assert state_of(status, NOW_S, NOW_S + DAY_S, now_s=at_s) is state


def test_a_running_activity_without_stock_is_sold_out() -> None:
    state = state_of("published", NOW_S, NOW_S + 1, now_s=NOW_S, sold_out=True)

    assert state is ActivityState.SOLD_OUT


@pytest.mark.parametrize(
    ("status", "at_s", "words"),
    [
        ("published", NOW_S - 1, "活动 11 月 22 日 10:00 开始，点「提醒我」到时告诉你。"),
        ("paused", NOW_S, "活动暂不可拼，看看其他正在拼的好物。"),
        ("ended", NOW_S, "活动已结束，看看其他正在拼的好物。"),
        ("published", NOW_S + DAY_S, "活动已结束，看看其他正在拼的好物。"),
    ],
)
def test_a_closed_activity_says_why(status: str, at_s: int, words: str) -> None:
    refusal = refusal_to_open(status, NOW_S, NOW_S + DAY_S, at_s)

    assert refusal is not None
    assert (refusal.code, refusal.message) == ("activity_closed", words)


def test_groups_open_in_a_running_activity() -> None:
    assert refusal_to_open("published", NOW_S, NOW_S + DAY_S, NOW_S) is None


def test_terms_take_words_and_prices_from_the_product() -> None:
    sku = TERMS.sku("s1")

    assert (TERMS.version, TERMS.buckets, TERMS.life_s) == (1, 8, 86_400)
    assert (sku.spec, sku.list_price_fen, sku.solo_price_fen) == ("红色 / XL", 5900, 3990)
    assert sku.group_price_fen == 2990


def test_terms_refuse_a_sku_that_they_do_not_sell() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        TERMS.sku("s9")

    assert refusal.value.details == {"field": "sku_id"}


def test_a_change_makes_the_next_version_and_leaves_the_old() -> None:
    change = replace(DRAFT, skus=first_sku(group_price_fen=2000), seats_total=5, seats_least=4)

    after = changed_terms(TERMS, change, OFFERS, life_s=86_400, now_s=NOW_S)

    assert (after.version, after.seats_total, after.sku("s1").group_price_fen) == (2, 5, 2000)
    assert (after.seats_least, TERMS.seats_least) == (4, 0)
    assert (TERMS.version, TERMS.seats_total, TERMS.sku("s1").group_price_fen) == (1, 3, 2990)


def test_a_change_of_nothing_makes_no_version() -> None:
    assert changed_terms(TERMS, DRAFT, OFFERS, life_s=86_400, now_s=NOW_S) is TERMS


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at_s": DRAFT.ends_at_s - 1}, "ends_at_s"),
        ({"ends_at_s": NOW_S + 366 * DAY_S + 1}, "ends_at_s"),
        ({"skus": DRAFT.skus[:1]}, "skus"),
        ({"skus": first_sku(group_price_fen=3990)}, "skus[0].group_price_fen"),
        ({"seats_total": 101}, "seats_total"),
    ],
)
def test_what_cannot_be_changed_names_its_field(changes: dict[str, Any], field: str) -> None:
    change = replace(DRAFT, **changes)

    found = change_problems_of(change, TERMS, OFFERS, now_s=NOW_S)

    assert [problem["field"] for problem in found] == [field]


def test_an_overlap_names_the_other_activity_and_its_days() -> None:
    other = StockClaim("a2", "周末三人团", NOW_S - 2 * DAY_S, NOW_S + 5 * DAY_S)

    with pytest.raises(ActivityOverlaps) as refusal:
        refuse_overlap([other], "a1", NOW_S, NOW_S + DAY_S)

    assert refusal.value.message == (
        "这个商品 11-20 至 11-27 已在「周末三人团」中。请换时间，或先结束那个活动。"
    )
    assert refusal.value.details["activity_id"] == "a2"


def test_windows_that_only_touch_and_its_own_claim_are_no_overlap() -> None:
    before = StockClaim("a2", "早场", NOW_S - DAY_S, NOW_S)
    after = StockClaim("a3", "晚场", NOW_S + DAY_S, NOW_S + 2 * DAY_S)
    own = StockClaim("a1", "自己", NOW_S, NOW_S + DAY_S)

    refuse_overlap([before, after, own], "a1", NOW_S, NOW_S + DAY_S)


def test_a_leaders_price_is_more_than_any_tier_gives_back() -> None:
    led = (DraftSku("s1", 2990, 40, leader_price_fen=500), DraftSku("s2", 1590, 10))

    assert fields(**{**FEWER, **LADDER, "skus": led}) == ["tiers[1].off_fen"]


def test_group_gives_back_what_the_highest_tier_does_that_it_reaches() -> None:
    terms = replace(TERMS, tiers=(Tier(5, 200), Tier(8, 500)))

    sku = terms.skus[0]

    given = [
        terms.rebate_fen(seats, sku.sku_id, sku.group_price_fen, leads=False)
        for seats in (2, 4, 5, 7, 8)
    ]

    assert given == [0, 0, 200, 200, 500]
    assert not TERMS.off_fen(8)


def test_who_paid_less_as_a_member_gets_back_what_brings_them_to_the_tiers_price() -> None:
    led = replace(TERMS.skus[0], group_price_fen=2000, leader_price_fen=1900)
    terms = replace(TERMS, skus=(led,), tiers=(Tier(5, 300),))

    def back(unit_price_fen: int, *, leads: bool) -> int:
        return terms.rebate_fen(5, led.sku_id, unit_price_fen, leads=leads)

    assert [back(fen, leads=False) for fen in (2000, 1900, 1700, 1500)] == [300, 200, 0, 0]
    assert [back(fen, leads=True) for fen in (1900, 1800, 1500)] == [300, 200, 0]


@pytest.mark.parametrize(
    ("leads", "member_fen", "expected"),
    [
        (False, None, (1990, PriceKind.GROUP)),
        (True, None, (1890, PriceKind.LEADER)),
        (False, 1500, (1500, PriceKind.MEMBER)),
        (True, 1500, (1500, PriceKind.MEMBER)),
        (True, 1890, (1890, PriceKind.LEADER)),
        (False, 2500, (1990, PriceKind.GROUP)),
    ],
)
def test_unit_costs_the_lowest_that_its_buyer_is_entitled_to(
    leads: bool, member_fen: int | None, expected: tuple[int, PriceKind]
) -> None:
    sku = TermsSku("s1", "", 3990, 2990, 1990, 1890, member_fen)
    level = MemberLevel(1, "银卡会员", 1, price_percent=90, member_prices=True)

    assert sku.price_of(leads=leads, level=level if member_fen else None) == expected


def test_group_is_as_small_as_its_leaders_level_makes_it() -> None:
    terms = replace(
        TERMS, seats_total=5, seats_least=3, level_seats=(LevelSeats(1, 4), LevelSeats(3, 2))
    )

    assert [terms.seats_for(rank) for rank in (0, 1, 2, 3, 6)] == [5, 4, 4, 2, 2]
    assert [terms.least_of(seats) for seats in (5, 4, 3, 2)] == [3, 3, 0, 0]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        (((1, 4), (2, 2)), []),
        (((1, 4), (1, 2)), ["level_seats[1].level"]),
        (((1, 5),), ["level_seats[0].seats"]),
        (((1, 1),), ["level_seats[0].seats"]),
        (((1, 2), (2, 2)), ["level_seats[1].seats"]),
    ],
)
def test_smaller_groups_are_for_higher_levels(
    rows: tuple[tuple[int, int], ...], problems: list[str]
) -> None:
    written = tuple(LevelSeats(*row) for row in rows)
    assert fields(seats_total=5, level_seats=written) == problems
    assert "level_seats" in fields(**{**FEWER, **LADDER, "level_seats": written})
