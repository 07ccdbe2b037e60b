"""What a container keeps of what it read: not too old, not too much, not read anew all at once."""

from collections import Counter

import pytest

from chalicelib.services.people import shop_cache
from chalicelib.tables.shop import MerchantItem
from chalicelib.timed_cache import SHORTEST, TimedCache

NOW_S = 1_800_000_000


def reads_until_gone(cache: TimedCache[str, int], key: str, kept_s: int) -> int:
    """How old the entry is when it is read anew."""
    cache.put(key, 1, NOW_S)
    return next(age for age in range(kept_s + 1) if cache.get(key, NOW_S + age) is None)


def test_an_entry_is_never_older_than_its_limit_nor_read_anew_much_earlier() -> None:
    cache: TimedCache[str, int] = TimedCache(60, 1000)

    ages = [reads_until_gone(cache, f"k{n}", 60) for n in range(500)]

    assert SHORTEST * 60 <= min(ages) <= max(ages) <= 60
    assert len(set(ages)) > 10


def test_what_was_read_in_one_second_is_not_all_read_again_in_one_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As containers do that one rush has started: each reads the shop in the same second."""
    shops = [f"m{n}" for n in range(100)]
    read_at_s: list[int] = []
    now_s = NOW_S

    def stored(item: MerchantItem) -> MerchantItem:
        read_at_s.append(now_s)
        return item

    shop_cache.clear_cache()
    monkeypatch.setattr(shop_cache, "get_or_none", stored)
    for now_s in range(NOW_S, NOW_S + shop_cache.MERCHANT_KEPT_S + 1):
        for shop in shops:
            shop_cache.merchant(shop, now_s)
    shop_cache.clear_cache()

    again = Counter(at_s for at_s in read_at_s if at_s > NOW_S)
    assert sum(again.values()) >= len(shops)
    assert max(again.values()) < len(shops) / 4


def test_nothing_is_as_well_kept_as_something_and_a_refusal_is_not_kept() -> None:
    cache: TimedCache[str, None] = TimedCache(60, 10)
    asked: list[str] = []

    def nothing() -> None:
        asked.append("nothing")

    def refused() -> None:
        asked.append("refused")
        raise LookupError

    for _ in range(2):
        assert cache.read("a", nothing, NOW_S) is None
        with pytest.raises(LookupError):
            cache.read("b", refused, NOW_S)

    assert asked == ["nothing", "refused", "refused"]


def test_a_clock_that_is_set_back_makes_nothing_last_longer() -> None:
    cache: TimedCache[str, int] = TimedCache(60, 10)
    cache.put("a", 1, NOW_S)

    assert cache.get("a", NOW_S - 1) is None


def test_a_full_cache_drops_what_was_read_longest_ago() -> None:
    cache: TimedCache[str, int] = TimedCache(60, 2)
    cache.put("a", 1, NOW_S)
    cache.put("b", 2, NOW_S)
    cache.put("a", 3, NOW_S + 1)

    cache.put("c", 4, NOW_S + 1)

    assert [cache.get(key, NOW_S + 1) for key in "abc"] == [3, None, 4]


def test_one_entry_and_all_entries_are_read_anew_when_told() -> None:
    cache: TimedCache[str, int] = TimedCache(60, 10)
    for key in "abc":
        cache.put(key, 1, NOW_S)

    cache.drop("a")
    cache.drop("a")
    assert [cache.get(key, NOW_S) for key in "abc"] == [None, 1, 1]

    cache.clear_cache()
    assert [cache.get(key, NOW_S) for key in "abc"] == [None, None, None]
