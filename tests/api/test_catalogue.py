"""What staff and buyers find in the catalogue; settings, staff, categories, caches."""

import pytest

from chalicelib.domain.activity import ActivityState
from chalicelib.domain.ids import new_id
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import activities, activity_lists, catalogue_cache, categories
from chalicelib.services.people import shop_cache
from tests.fixtures.catalogue import BOSS, DAY_S, END_S, NOW_S, CatalogueFixture


def test_activities_are_listed_by_state_and_browsed_until_they_end(
    catalogue: CatalogueFixture,
) -> None:
    running = catalogue.publish(red=10, green=2)
    scheduled = catalogue.publish(red=10, green=2, starts_at_s=END_S, ends_at_s=END_S + DAY_S)
    paused = catalogue.publish(
        red=10, green=2, starts_at_s=END_S + DAY_S, ends_at_s=END_S + 2 * DAY_S
    )
    activities.pause(catalogue.merchant_id, paused.activity_id, staff=BOSS, now_s=NOW_S)

    def listed(state: ActivityState | None, now_s: int = NOW_S) -> list[str]:
        items, _ = activity_lists.page(catalogue.merchant_id, state=state, limit=10, now_s=now_s)
        return [item.activity_id for item in items]

    assert listed(ActivityState.RUNNING) == [running.activity_id]
    assert listed(ActivityState.SCHEDULED) == [scheduled.activity_id]
    assert listed(ActivityState.PAUSED) == [paused.activity_id]
    assert listed(ActivityState.ENDED) == []
    assert listed(ActivityState.ENDED, now_s=END_S) == [running.activity_id]
    by_end = [running.activity_id, scheduled.activity_id, paused.activity_id]
    assert listed(None) == by_end[::-1]
    shown, after = activity_lists.browse(catalogue.merchant_id, limit=2, now_s=NOW_S)
    rest, _ = activity_lists.browse(catalogue.merchant_id, key=after, limit=2, now_s=NOW_S)
    assert [item.activity_id for item in [*shown, *rest]] == by_end
    in_category, _ = activity_lists.browse(
        catalogue.merchant_id, category_id=catalogue.category_id, limit=10, now_s=END_S
    )
    assert [item.activity_id for item in in_category] == by_end[1:]


# Settings, staff, categories, caches


def test_categories_come_in_their_order(catalogue: CatalogueFixture) -> None:
    first = categories.create(
        catalogue.merchant_id, name="蔬菜", position=0, staff=BOSS, now_s=NOW_S
    )
    assert [item.name for item in categories.everything(catalogue.merchant_id)] == ["蔬菜", "水果"]

    categories.change(
        catalogue.merchant_id,
        first.category_id,
        name="时蔬",
        position=9,
        revision=1,
        staff=BOSS,
        now_s=NOW_S,
    )

    assert [item.name for item in categories.everything(catalogue.merchant_id)] == ["水果", "时蔬"]


def test_kept_reads_grow_no_older_than_promised(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()
    assert (
        catalogue_cache.activity(catalogue.merchant_id, activity.activity_id, NOW_S).status
        == "published"
    )
    activities.pause(catalogue.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S)

    assert (
        catalogue_cache.activity(catalogue.merchant_id, activity.activity_id, NOW_S + 1).status
        == "published"
    )
    later_s = NOW_S + catalogue_cache.KEPT_S
    assert (
        catalogue_cache.activity(catalogue.merchant_id, activity.activity_id, later_s).status
        == "paused"
    )
    for read in (catalogue_cache.activity, catalogue_cache.product):
        with pytest.raises(NotFound):
            read(catalogue.merchant_id, new_id(), NOW_S)
    with pytest.raises(NotFound):
        shop_cache.merchant(new_id(), NOW_S)
