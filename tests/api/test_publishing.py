"""Publications and changed terms: stock moves exactly, versions are for good."""

from functools import partial
from typing import Any

import pytest

from chalicelib.domain.activity_draft import WINDOW_MIN_S, DraftSku
from chalicelib.domain.ids import new_id
from chalicelib.domain.product import SkuDraft
from chalicelib.errors import (
    ActivityClosed,
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
from chalicelib.tables.base import get_or_none
from chalicelib.tables.catalogue import ActivityItem, VersionItem
from tests.fixtures.catalogue import (
    BOSS,
    DAY_S,
    END_S,
    NOW_S,
    CatalogueFixture,
    change,
    closing_due_at_s,
    concurrently,
    kept_draft,
    product_draft,
)
from tests.fixtures.group_requests import formed_group, request_closing
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.shop import STAFF, ActivityIds, Shop
from tests.fixtures.staff_requests import end


def test_publishing_moves_stock_from_the_product_to_the_activity(
    catalogue: CatalogueFixture,
) -> None:
    activity = catalogue.publish()

    assert catalogue.stock() == (60, 40)
    assert activity_lists.stock_left(activity) == {catalogue.red: 40, catalogue.green: 10}
    assert (activity.status, activity.version, activity.buckets) == ("published", 1, 8)
    assert closing_due_at_s(activity) == END_S + timeouts.CLOSING_AFTER_S
    version = catalogue_cache.version(catalogue.merchant_id, activity.activity_id, 1)
    assert version == catalogue_cache.terms_of(activity)
    assert (version.sku(catalogue.red).group_price_fen, version.sku(catalogue.green).spec) == (
        2990,
        "绿色",
    )


def test_every_change_leaves_one_audit_row(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()
    activities.pause(catalogue.merchant_id, activity.activity_id, staff="li", now_s=NOW_S)
    activities.pause(catalogue.merchant_id, activity.activity_id, staff="li", now_s=NOW_S)

    actions = sorted(row.action for row in catalogue.audits())

    assert actions == [
        "activity_paused",
        "activity_published",
        "category_created",
        "merchant_created",
        "product_created",
    ]
    paused = next(row for row in catalogue.audits() if row.action == "activity_paused")
    assert (paused.staff, paused.subject) == ("li", f"activity#{activity.activity_id}")
    assert (paused.before.as_dict(), paused.after.as_dict()) == (
        {"status": "published"},
        {"status": "paused"},
    )


def test_a_refused_publication_tells_every_problem_and_changes_nothing(
    catalogue: CatalogueFixture,
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        catalogue.publish(red=101, seats_total=1)

    problems: Any = refusal.value.details["problems"]
    assert [problem["field"] for problem in problems] == ["seats_total", "skus[0].stock"]
    assert refusal.value.message == "还有 2 处需要修改，改好就能发布。"
    assert catalogue.stock() == (100, 50)
    assert activity_lists.page(catalogue.merchant_id, limit=10, now_s=NOW_S) == ([], None)


def test_publishing_a_product_that_is_not_there_or_not_on_sale_is_refused(
    catalogue: CatalogueFixture,
) -> None:
    with pytest.raises(InvalidRequest):
        catalogue.publish(product_id=new_id())

    off_sale = kept_draft(catalogue, on_sale=False)
    products.change(
        catalogue.merchant_id, catalogue.product_id, off_sale, revision=1, staff=BOSS, now_s=NOW_S
    )
    with pytest.raises(InvalidRequest):
        catalogue.publish()
    assert catalogue.stock() == (100, 50)


def test_an_overlap_is_refused_and_a_later_window_is_not(catalogue: CatalogueFixture) -> None:
    catalogue.publish(red=10, green=5)

    with pytest.raises(ActivityOverlaps):
        catalogue.publish(red=10, green=5)
    assert catalogue.stock() == (90, 45)

    catalogue.publish(red=10, green=5, starts_at_s=END_S, ends_at_s=END_S + DAY_S)
    assert catalogue.stock() == (80, 40)


@pytest.mark.slow
def test_publications_race_for_the_same_window_and_one_wins(catalogue: CatalogueFixture) -> None:
    for day in range(5):
        window = {"starts_at_s": NOW_S + day * DAY_S, "ends_at_s": NOW_S + (day + 1) * DAY_S}
        steps = [partial(catalogue.publish, red=4, green=1, **window)] * 6

        assert concurrently(steps) == ["activity_overlaps"] * 5 + ["done"]
        assert catalogue.stock() == (100 - 4 * (day + 1), 50 - (day + 1))


def test_publications_in_different_windows_race_for_the_same_stock(
    catalogue: CatalogueFixture,
) -> None:
    windows = [(END_S + n * DAY_S, END_S + (n + 1) * DAY_S) for n in range(6)]
    steps = [
        lambda window=window: catalogue.publish(
            red=30, green=1, starts_at_s=window[0], ends_at_s=window[1]
        )
        for window in windows
    ]

    outcomes = concurrently(steps)

    assert outcomes == ["done"] * 3 + ["invalid_request"] * 3
    assert catalogue.stock() == (10, 47)


def test_a_repeated_publication_gets_the_first_activity(catalogue: CatalogueFixture) -> None:
    def publish(body_hash: str) -> ActivityItem:
        return publishing.publish(
            catalogue.merchant_id,
            catalogue.draft(),
            staff=BOSS,
            now_s=NOW_S,
            activity_id=activity_id,
            body_hash=body_hash,
        )

    activity_id = new_id()
    first, again = publish("one"), publish("one")

    assert first.activity_id == again.activity_id
    assert catalogue.stock() == (60, 40)
    with pytest.raises(IdempotencyMismatch):
        publish("other")


def test_the_largest_publication_is_one_transaction(catalogue: CatalogueFixture) -> None:
    skus = tuple(
        SkuDraft({"编号": str(n)}, list_price_fen=200, solo_price_fen=100, stock=20)
        for n in range(48)
    )
    draft = product_draft(catalogue.category_id, skus=skus)
    stocked = products.create(catalogue.merchant_id, draft, staff=BOSS, now_s=NOW_S)
    chosen = tuple(DraftSku(sku["sku_id"], 90, 20) for sku in stocked.product.skus)

    activity = publishing.publish(
        catalogue.merchant_id,
        catalogue.draft(product_id=stocked.product.product_id, skus=chosen),
        staff=BOSS,
        now_s=NOW_S,
    )

    assert activity.buckets == 1
    assert set(activity_lists.stock_left(activity).values()) == {20}
    left = products.read(catalogue.merchant_id, stocked.product.product_id).stocks
    assert {stock.available for stock in left.values()} == {0}


def test_a_change_makes_a_version_and_the_old_one_stays(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()

    after = change(catalogue, activity, seats_total=5)

    assert (after.version, after.revision, after.seats_total) == (2, 2, 5)
    first = catalogue_cache.version(catalogue.merchant_id, activity.activity_id, 1)
    second = catalogue_cache.version(catalogue.merchant_id, activity.activity_id, 2)
    assert (first.seats_total, first.sku(catalogue.red).group_price_fen) == (3, 2990)
    assert (second.seats_total, second.sku(catalogue.red).group_price_fen) == (5, 2000)
    assert catalogue.stock() == (60, 40)


def test_a_repeated_change_makes_one_version_and_a_stale_one_is_refused(
    catalogue: CatalogueFixture,
) -> None:
    activity = catalogue.publish()
    change(catalogue, activity, seats_total=5)

    assert change(catalogue, activity, seats_total=5).version == 2
    with pytest.raises(Changed):
        change(catalogue, activity, seats_total=6)
    assert get_or_none(VersionItem.at(catalogue.merchant_id, activity.activity_id, 3)) is None


def test_changes_at_once_make_one_version(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()
    steps = [
        lambda seats=seats: change(catalogue, activity, seats_total=seats) for seats in range(4, 10)
    ]

    assert concurrently(steps) == ["changed"] * 5 + ["done"]
    assert activities.read(catalogue.merchant_id, activity.activity_id).version == 2


def test_a_later_end_moves_the_closing_the_claims_and_the_place_in_lists(
    catalogue: CatalogueFixture,
) -> None:
    activity = catalogue.publish()
    later_s = END_S + DAY_S

    after = change(catalogue, activity, ends_at_s=later_s)

    assert closing_due_at_s(activity) == later_s + timeouts.CLOSING_AFTER_S
    assert after.list_rank == f"{later_s:010d}#{activity.activity_id}"
    with pytest.raises(ActivityOverlaps):
        catalogue.publish(red=1, green=2, starts_at_s=END_S, ends_at_s=END_S + 2 * DAY_S)


def test_a_later_end_must_not_run_into_the_next_activity(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()
    catalogue.publish(red=10, green=5, starts_at_s=END_S, ends_at_s=END_S + DAY_S)

    with pytest.raises(ActivityOverlaps):
        change(catalogue, activity, ends_at_s=END_S + 60)

    assert activities.read(catalogue.merchant_id, activity.activity_id).ends_at_s == END_S
    assert closing_due_at_s(activity) == END_S + timeouts.CLOSING_AFTER_S


def test_a_start_that_has_not_come_is_moved_and_one_that_has_is_not(
    catalogue: CatalogueFixture,
) -> None:
    later_s = NOW_S + DAY_S
    activity = catalogue.publish(starts_at_s=later_s)

    sooner = change(catalogue, activity, starts_at_s=later_s - 3600)
    immediate = change(catalogue, activity, revision=2, starts_at_s=1)
    repeated = change(catalogue, activity, revision=2, starts_at_s=1)
    with pytest.raises(InvalidRequest) as refusal:
        change(catalogue, activity, revision=3, starts_at_s=later_s)

    assert (sooner.version, sooner.starts_at_s) == (2, later_s - 3600)
    assert (immediate.version, immediate.starts_at_s) == (3, NOW_S + 60)
    assert (repeated.version, repeated.starts_at_s) == (3, NOW_S + 60)
    problems: Any = refusal.value.details["problems"]
    fields = [problem["field"] for problem in problems]
    assert fields == ["starts_at_s"]
    assert catalogue.stock() == (60, 40)


def test_a_moved_start_must_not_run_into_another_activity_nor_up_to_the_end(
    catalogue: CatalogueFixture,
) -> None:
    begins_s = NOW_S + 2 * DAY_S
    catalogue.publish(red=10, green=5, ends_at_s=NOW_S + DAY_S)
    activity = catalogue.publish(red=10, green=5, starts_at_s=begins_s)

    with pytest.raises(ActivityOverlaps):
        change(catalogue, activity, starts_at_s=NOW_S + DAY_S - 60)
    with pytest.raises(InvalidRequest):
        change(catalogue, activity, starts_at_s=END_S - 60)
    change(catalogue, activity, starts_at_s=NOW_S + DAY_S)
    with pytest.raises(ActivityOverlaps):  # the hours that it took are its own now
        catalogue.publish(red=2, green=1, starts_at_s=NOW_S + DAY_S + 60, ends_at_s=begins_s)


def test_an_earlier_end_and_other_skus_are_refused(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()

    with pytest.raises(InvalidRequest) as refusal:
        change(catalogue, activity, ends_at_s=END_S - 1, skus=(DraftSku(catalogue.red, 2000),))

    problems: Any = refusal.value.details["problems"]
    fields = [problem["field"] for problem in problems]
    assert fields == ["ends_at_s", "skus"]
    assert activities.read(catalogue.merchant_id, activity.activity_id).version == 1


def test_activity_paused_while_it_is_changed_stays_paused(shop: Shop) -> None:
    sold = shop.activity()

    with (
        interleaved(
            lambda: activities.pause(
                shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s
            )
        ),
        pytest.raises(Changed),
    ):
        shop.edit(sold, title="新的标题")

    found = activities.read(shop.merchant_id, sold.activity_id)
    assert (found.status, found.title, found.version) == ("paused", "周末一起拼", 1)


def test_activity_ended_while_it_is_made_longer_is_over(shop: Shop) -> None:
    sold: ActivityIds = shop.activity()
    ends_at_s = activities.read(shop.merchant_id, sold.activity_id).ends_at_s

    with interleaved(lambda: end(shop, sold)), pytest.raises(ActivityClosed):
        shop.edit(sold, ends_at_s=ends_at_s + 86400)

    assert activities.read(shop.merchant_id, sold.activity_id).ends_at_s == ends_at_s


def test_draft_is_checked_without_writing_anything(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=30)
    copied = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    before = merchant.product_stock(activity)

    checked = merchant.owner().post("/v1/merchant/activities/check", copied).body

    assert copied["ends_at_s"] == merchant.now_s + 7 * DAY_S
    assert [sku["stock"] for sku in copied["skus"]] == [0]
    assert [problem["field"] for problem in checked["problems"]] == ["skus[0].stock", "skus"]
    (overlap,) = checked["overlaps"]
    assert (overlap["activity_id"], overlap["name"]) == (activity.activity_id, "周末三人团")
    copied["skus"][0]["stock"] = 5
    copied |= {"starts_at_s": merchant.now_s + 8 * DAY_S, "ends_at_s": merchant.now_s + 9 * DAY_S}
    fine = merchant.owner().post("/v1/merchant/activities/check", copied).body
    assert (fine["problems"], fine["overlaps"]) == ([], [])
    assert merchant.product_stock(activity) == before
    assert merchant.owner().post("/v1/merchant/activities", copied).status == 201


def test_a_group_price_of_nothing_has_to_be_meant(merchant: MerchantFixture) -> None:
    owner, paid = merchant.owner(), merchant.activity(product_stock=200)
    path = f"/v1/merchant/activities/{paid.activity_id}"
    copied = owner.post(f"{path}/copy").body
    times = {"starts_at_s": merchant.now_s + 8 * DAY_S, "ends_at_s": merchant.now_s + 9 * DAY_S}
    free = {**copied["skus"][0], "group_price_fen": 0, "stock": 5}

    refused = owner.post("/v1/merchant/activities", copied | times | {"skus": [free]})
    meant = owner.post(
        "/v1/merchant/activities", copied | times | {"skus": [free], "confirms_free": True}
    )

    (problem,) = refused.body["details"]["problems"]
    assert (refused.status, problem["field"], meant.status) == (400, "confirms_free", 201)
    # What was paid for is not given away by a slip; what costs nothing already needs no word more.
    now = owner.get(path).body
    body = {name: now[name] for name in ("title", "seats_total", "life_h", "ends_at_s", "revision")}
    to_free = body | {"skus": [{"sku_id": paid.sku_id, "group_price_fen": 0}]}
    (problem,) = owner.put(path, to_free).body["details"]["problems"]
    assert problem["field"] == "confirms_free"
    changed = owner.put(path, to_free | {"confirms_free": True})
    assert (changed.status, changed.body["skus"][0]["group_price_fen"]) == (200, 0)
    renamed = to_free | {"title": "送一箱", "revision": changed.body["revision"]}
    assert owner.put(path, renamed).status == 200


def test_check_tells_every_problem_that_publishing_refuses(merchant: MerchantFixture) -> None:
    activity = merchant.activity()
    copied = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    copied |= {"title": "", "ends_at_s": merchant.now_s + WINDOW_MIN_S - 1}
    copied["skus"][0] |= {"group_price_fen": 9900, "stock": 10**6}

    checked = merchant.owner().post("/v1/merchant/activities/check", copied)
    published = merchant.owner().post("/v1/merchant/activities", copied)

    assert checked.status == 200
    assert checked.body["problems"] == published.body["details"]["problems"]
    unknown = merchant.owner().post(
        "/v1/merchant/activities/check", copied | {"product_id": "0" * 22}
    )
    assert [problem["field"] for problem in unknown.body["problems"]] == ["product_id"]


def test_activity_rows_tell_their_state_and_what_became_of_their_groups(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=4)
    formed_group(merchant, activity)
    closed, _, _ = merchant.open_group(activity)
    merchant.run_jobs()
    assert request_closing(merchant, closed).status == 200
    merchant.open_group(activity)
    merchant.open_group(activity)
    merchant.wait(700, every_s=350)  # the stream would have been at once

    (row,) = merchant.owner().get("/v1/merchant/activities").body["items"]
    whole = merchant.owner().get(f"/v1/merchant/activities/{activity.activity_id}").body

    counted = {"opened": 4, "open": 2, "formed": 1, "failed": 1, "formed_permille": 500}
    assert (row["groups"], whole["groups"]) == (counted, counted)
    assert (row["state"], whole["state"]) == ("sold_out", "sold_out")
