"""Publications and changed terms: stock moves exactly, versions are for good."""

from functools import partial

import pytest

from chalicelib.domain.activity_draft import DraftSku
from chalicelib.domain.ids import new_id
from chalicelib.domain.product import SkuDraft
from chalicelib.errors import (
    ActivityOverlaps,
    Changed,
    IdempotencyMismatch,
    InvalidRequest,
)
from chalicelib.services import timeouts
from chalicelib.services.catalogue import (
    activities,
    activity_lists,
    catalogue_cache,
    products,
    publishing,
)
from chalicelib.tables.catalogue import ActivityItem, VersionItem
from chalicelib.tables.catalogue_item import stored
from tests.fixtures.catalogue import (
    BOSS,
    DAY_S,
    END_S,
    NOW_S,
    Shop,
    change,
    closing_due_at_s,
    concurrently,
    kept_draft,
    new_shop,
    product_draft,
)


@pytest.fixture
def shop() -> Shop:
    return new_shop()


def test_publishing_moves_stock_from_the_product_to_the_activity(shop):
    activity = shop.publish()

    assert shop.stock() == (60, 40)
    assert activity_lists.stock_left(activity) == {shop.red: 40, shop.green: 10}
    assert (activity.status, activity.version, activity.buckets) == ("published", 1, 8)
    assert closing_due_at_s(activity) == END_S + timeouts.CLOSING_AFTER_S
    version = catalogue_cache.version(shop.merchant_id, activity.activity_id, 1)
    assert version == catalogue_cache.terms_of(activity)
    assert (version.sku(shop.red).group_price_fen, version.sku(shop.green).spec) == (2990, "绿色")


def test_every_change_leaves_one_audit_row(shop):
    activity = shop.publish()
    activities.pause(shop.merchant_id, activity.activity_id, staff="li", now_s=NOW_S)
    activities.pause(shop.merchant_id, activity.activity_id, staff="li", now_s=NOW_S)

    actions = sorted(row.action for row in shop.audits())

    assert actions == [
        "activity_paused",
        "activity_published",
        "category_created",
        "merchant_created",
        "product_created",
    ]
    paused = next(row for row in shop.audits() if row.action == "activity_paused")
    assert (paused.staff, paused.subject) == ("li", f"activity#{activity.activity_id}")
    assert (paused.before.as_dict(), paused.after.as_dict()) == (
        {"status": "published"},
        {"status": "paused"},
    )


def test_a_refused_publication_tells_every_problem_and_changes_nothing(shop):
    with pytest.raises(InvalidRequest) as refusal:
        shop.publish(red=101, seats_total=1)

    problems = refusal.value.details["problems"]
    assert [problem["field"] for problem in problems] == ["seats_total", "skus[0].stock"]
    assert refusal.value.message == "还有 2 处需要修改，改好就能发布。"
    assert shop.stock() == (100, 50)
    assert activity_lists.page(shop.merchant_id, limit=10, now_s=NOW_S) == ([], None)


def test_publishing_a_product_that_is_not_there_or_not_on_sale_is_refused(shop):
    with pytest.raises(InvalidRequest):
        shop.publish(product_id=new_id())

    off_sale = kept_draft(shop, on_sale=False)
    products.change(
        shop.merchant_id, shop.product_id, off_sale, revision=1, staff=BOSS, now_s=NOW_S
    )
    with pytest.raises(InvalidRequest):
        shop.publish()
    assert shop.stock() == (100, 50)


def test_an_overlap_is_refused_and_a_later_window_is_not(shop):
    shop.publish(red=10, green=5)

    with pytest.raises(ActivityOverlaps):
        shop.publish(red=10, green=5)
    assert shop.stock() == (90, 45)

    shop.publish(red=10, green=5, starts_at_s=END_S, ends_at_s=END_S + DAY_S)
    assert shop.stock() == (80, 40)


def test_publications_race_for_the_same_window_and_one_wins(shop):
    for day in range(5):
        window = {"starts_at_s": NOW_S + day * DAY_S, "ends_at_s": NOW_S + (day + 1) * DAY_S}
        steps = [partial(shop.publish, red=4, green=1, **window)] * 6

        assert concurrently(steps) == ["activity_overlaps"] * 5 + ["done"]
        assert shop.stock() == (100 - 4 * (day + 1), 50 - (day + 1))


def test_publications_in_different_windows_race_for_the_same_stock(shop):
    windows = [(END_S + n * DAY_S, END_S + (n + 1) * DAY_S) for n in range(6)]
    steps = [
        lambda window=window: shop.publish(
            red=30, green=1, starts_at_s=window[0], ends_at_s=window[1]
        )
        for window in windows
    ]

    outcomes = concurrently(steps)

    assert outcomes == ["done"] * 3 + ["invalid_request"] * 3
    assert shop.stock() == (10, 47)


def test_a_repeated_publication_gets_the_first_activity(shop):
    def publish(body_hash: str) -> ActivityItem:
        return publishing.publish(
            shop.merchant_id,
            shop.draft(),
            staff=BOSS,
            now_s=NOW_S,
            activity_id=activity_id,
            body_hash=body_hash,
        )

    activity_id = new_id()
    first, again = publish("one"), publish("one")

    assert first.activity_id == again.activity_id
    assert shop.stock() == (60, 40)
    with pytest.raises(IdempotencyMismatch):
        publish("other")


def test_the_largest_publication_is_one_transaction(shop):
    skus = tuple(
        SkuDraft({"编号": str(n)}, list_price_fen=200, solo_price_fen=100, stock=20)
        for n in range(48)
    )
    draft = product_draft(shop.category_id, skus=skus)
    stocked = products.create(shop.merchant_id, draft, staff=BOSS, now_s=NOW_S)
    chosen = tuple(DraftSku(sku["sku_id"], 90, 20) for sku in stocked.product.skus)

    activity = publishing.publish(
        shop.merchant_id,
        shop.draft(product_id=stocked.product.product_id, skus=chosen),
        staff=BOSS,
        now_s=NOW_S,
    )

    assert activity.buckets == 1
    assert set(activity_lists.stock_left(activity).values()) == {20}
    left = products.read(shop.merchant_id, stocked.product.product_id).stocks
    assert {stock.available for stock in left.values()} == {0}


# Changing terms


def test_a_change_makes_a_version_and_the_old_one_stays(shop):
    activity = shop.publish()

    after = change(shop, activity, seats_total=5)

    assert (after.version, after.revision, after.seats_total) == (2, 2, 5)
    first = catalogue_cache.version(shop.merchant_id, activity.activity_id, 1)
    second = catalogue_cache.version(shop.merchant_id, activity.activity_id, 2)
    assert (first.seats_total, first.sku(shop.red).group_price_fen) == (3, 2990)
    assert (second.seats_total, second.sku(shop.red).group_price_fen) == (5, 2000)
    assert shop.stock() == (60, 40)


def test_a_repeated_change_makes_one_version_and_a_stale_one_is_refused(shop):
    activity = shop.publish()
    change(shop, activity, seats_total=5)

    assert change(shop, activity, seats_total=5).version == 2
    with pytest.raises(Changed):
        change(shop, activity, seats_total=6)
    assert stored(VersionItem.at(shop.merchant_id, activity.activity_id, 3)) is None


def test_changes_at_once_make_one_version(shop):
    activity = shop.publish()
    steps = [
        lambda seats=seats: change(shop, activity, seats_total=seats) for seats in range(4, 10)
    ]

    assert concurrently(steps) == ["changed"] * 5 + ["done"]
    assert activities.read(shop.merchant_id, activity.activity_id).version == 2


def test_a_later_end_moves_the_closing_the_claims_and_the_place_in_lists(shop):
    activity = shop.publish()
    later_s = END_S + DAY_S

    after = change(shop, activity, ends_at_s=later_s)

    assert closing_due_at_s(activity) == later_s + timeouts.CLOSING_AFTER_S
    assert after.list_rank == f"{later_s:010d}#{activity.activity_id}"
    with pytest.raises(ActivityOverlaps):
        shop.publish(red=1, green=2, starts_at_s=END_S, ends_at_s=END_S + 2 * DAY_S)


def test_a_later_end_must_not_run_into_the_next_activity(shop):
    activity = shop.publish()
    shop.publish(red=10, green=5, starts_at_s=END_S, ends_at_s=END_S + DAY_S)

    with pytest.raises(ActivityOverlaps):
        change(shop, activity, ends_at_s=END_S + 60)

    assert activities.read(shop.merchant_id, activity.activity_id).ends_at_s == END_S
    assert closing_due_at_s(activity) == END_S + timeouts.CLOSING_AFTER_S


def test_a_start_that_has_not_come_is_moved_and_one_that_has_is_not(shop):
    later_s = NOW_S + DAY_S
    activity = shop.publish(starts_at_s=later_s)

    sooner = change(shop, activity, starts_at_s=later_s - 3600)
    concurrently = change(shop, activity, revision=2, starts_at_s=1)
    repeated = change(shop, activity, revision=2, starts_at_s=1)
    with pytest.raises(InvalidRequest) as refusal:
        change(shop, activity, revision=3, starts_at_s=later_s)

    assert (sooner.version, sooner.starts_at_s) == (2, later_s - 3600)
    assert (concurrently.version, concurrently.starts_at_s) == (3, NOW_S + 60)
    assert (repeated.version, repeated.starts_at_s) == (3, NOW_S + 60)
    fields = [problem["field"] for problem in refusal.value.details["problems"]]
    assert fields == ["starts_at_s"]
    assert shop.stock() == (60, 40)


def test_a_moved_start_must_not_run_into_another_activity_nor_up_to_the_end(shop):
    begins_s = NOW_S + 2 * DAY_S
    shop.publish(red=10, green=5, ends_at_s=NOW_S + DAY_S)
    activity = shop.publish(red=10, green=5, starts_at_s=begins_s)

    with pytest.raises(ActivityOverlaps):
        change(shop, activity, starts_at_s=NOW_S + DAY_S - 60)
    with pytest.raises(InvalidRequest):
        change(shop, activity, starts_at_s=END_S - 60)
    change(shop, activity, starts_at_s=NOW_S + DAY_S)
    with pytest.raises(ActivityOverlaps):  # the hours that it took are its own now
        shop.publish(red=2, green=1, starts_at_s=NOW_S + DAY_S + 60, ends_at_s=begins_s)


def test_an_earlier_end_and_other_skus_are_refused(shop):
    activity = shop.publish()

    with pytest.raises(InvalidRequest) as refusal:
        change(shop, activity, ends_at_s=END_S - 1, skus=(DraftSku(shop.red, 2000),))

    fields = [problem["field"] for problem in refusal.value.details["problems"]]
    assert fields == ["ends_at_s", "skus"]
    assert activities.read(shop.merchant_id, activity.activity_id).version == 1
