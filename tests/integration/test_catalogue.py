"""The catalogue on the engine: publications move stock exactly, and give it back exactly."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import pytest

from chalicelib.domain.activity import ActivityState
from chalicelib.domain.activity_draft import Draft, DraftSku
from chalicelib.domain.ids import new_id
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import (
    ActivityClosed,
    ActivityOverlaps,
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    ServiceError,
    SoldOut,
    WrongPassword,
)
from chalicelib.services.catalogue import (
    activities,
    activity_lists,
    adjustments,
    categories,
    product_lists,
    products,
    publishing,
)
from chalicelib.services.people import merchants, staff
from chalicelib.services.trade import reservations, terms, waits
from chalicelib.tables.base import retried, transaction
from chalicelib.tables.catalogue import ActivityItem, VersionItem
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.records import AuditItem, RecordItem
from chalicelib.tables.trade import ClosingItem

NOW_S = 1_800_000_000
DAY_S = 86_400
END_S = NOW_S + 7 * DAY_S
BOSS = "boss"


@dataclass(frozen=True)
class Shop:
    """A merchant with one category and one product of two SKUs, 100 and 50 units."""

    merchant_id: str
    category_id: str
    product_id: str
    red: str
    green: str

    def stock(self) -> tuple[int, int]:
        stocks = products.read(self.merchant_id, self.product_id).stocks
        return stocks[self.red].available, stocks[self.green].available

    def draft(self, red: int = 40, green: int = 10, **changes: object) -> Draft:
        draft = Draft(
            product_id=self.product_id,
            title="周末三人团",
            skus=(DraftSku(self.red, 2990, red), DraftSku(self.green, 0, green)),
            seats_total=3,
            life_h=24,
            ends_at_s=END_S,
        )
        return replace(draft, **changes)  # type: ignore[arg-type]

    def publish(self, **changes: object) -> ActivityItem:
        draft = self.draft(**changes)  # type: ignore[arg-type]
        return publishing.publish(self.merchant_id, draft, staff=BOSS, now_s=NOW_S)

    def audits(self) -> list[AuditItem]:
        month = AuditItem.at(self.merchant_id, NOW_S, "").pk
        return [row for row in RecordItem.query(month) if isinstance(row, AuditItem)]


@pytest.fixture
def shop() -> Shop:
    terms.forget()
    merchant_id = merchants.create("果园直送", now_s=NOW_S).merchant_id
    category_id = categories.create(
        merchant_id, name="水果", position=1, staff=BOSS, now_s=NOW_S
    ).category_id
    stocked = products.create(merchant_id, product_draft(category_id), staff=BOSS, now_s=NOW_S)
    red, green = (sku["sku_id"] for sku in stocked.product.skus)
    return Shop(merchant_id, category_id, stocked.product.product_id, red, green)


def product_draft(category_id: str, **changes: object) -> ProductDraft:
    skus = (
        SkuDraft({"颜色": "红色"}, list_price_fen=5900, solo_price_fen=3990, stock=100),
        SkuDraft({"颜色": "绿色"}, list_price_fen=5900, solo_price_fen=4990, stock=50),
    )
    draft = ProductDraft("红富士苹果", category_id, skus)
    return replace(draft, **changes)  # type: ignore[arg-type]


def outcome(step: Callable[[], object]) -> str:
    try:
        step()
    except ServiceError as refusal:
        return refusal.code
    return "done"


def at_once(steps: list[Callable[[], object]]) -> list[str]:
    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(outcome, steps))


def take(activity: ActivityItem, sku_id: str, units: int) -> None:
    """Take units from the activity's buckets, as an order does."""
    shelf = activities.shelf_of(activity, sku_id)

    def attempt(plan: reservations.Plan) -> None:
        with transaction() as writes:
            reservations.take(writes, shelf, plan)

    retried(lambda: reservations.taking(shelf, units, attempt))


def closing_due_at_s(activity: ActivityItem) -> int | None:
    item = stored(ClosingItem.at(activity.merchant_id, activity.activity_id))
    assert item is not None
    return item.due_at_s


# Publishing


def test_publishing_moves_stock_from_the_product_to_the_activity(shop):
    activity = shop.publish()

    assert shop.stock() == (60, 40)
    assert activity_lists.stock_left(activity) == {shop.red: 40, shop.green: 10}
    assert (activity.status, activity.version, activity.buckets) == ("published", 1, 8)
    assert closing_due_at_s(activity) == END_S + waits.CLOSING_AFTER_S
    version = terms.version(shop.merchant_id, activity.activity_id, 1)
    assert version == terms.terms_of(activity)
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

        assert at_once(steps) == ["activity_overlaps"] * 5 + ["done"]
        assert shop.stock() == (100 - 4 * (day + 1), 50 - (day + 1))


def test_publications_in_different_windows_race_for_the_same_stock(shop):
    windows = [(END_S + n * DAY_S, END_S + (n + 1) * DAY_S) for n in range(6)]
    steps = [
        lambda window=window: shop.publish(
            red=30, green=1, starts_at_s=window[0], ends_at_s=window[1]
        )
        for window in windows
    ]

    outcomes = at_once(steps)

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


def change(shop: Shop, activity: ActivityItem, revision: int = 1, **changes: object):
    draft = replace(shop.draft(), skus=(DraftSku(shop.red, 2000), DraftSku(shop.green, 0)))
    return publishing.change(
        shop.merchant_id,
        activity.activity_id,
        replace(draft, **changes),  # type: ignore[arg-type]
        revision=revision,
        staff=BOSS,
        now_s=NOW_S + 60,
    )


def test_a_change_makes_a_version_and_the_old_one_stays(shop):
    activity = shop.publish()

    after = change(shop, activity, seats_total=5)

    assert (after.version, after.revision, after.seats_total) == (2, 2, 5)
    first = terms.version(shop.merchant_id, activity.activity_id, 1)
    second = terms.version(shop.merchant_id, activity.activity_id, 2)
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

    assert at_once(steps) == ["changed"] * 5 + ["done"]
    assert activities.read(shop.merchant_id, activity.activity_id).version == 2


def test_a_later_end_moves_the_closing_the_claims_and_the_place_in_lists(shop):
    activity = shop.publish()
    later_s = END_S + DAY_S

    after = change(shop, activity, ends_at_s=later_s)

    assert closing_due_at_s(activity) == later_s + waits.CLOSING_AFTER_S
    assert after.list_rank == f"{later_s:010d}#{activity.activity_id}"
    with pytest.raises(ActivityOverlaps):
        shop.publish(red=1, green=2, starts_at_s=END_S, ends_at_s=END_S + 2 * DAY_S)


def test_a_later_end_must_not_run_into_the_next_activity(shop):
    activity = shop.publish()
    shop.publish(red=10, green=5, starts_at_s=END_S, ends_at_s=END_S + DAY_S)

    with pytest.raises(ActivityOverlaps):
        change(shop, activity, ends_at_s=END_S + 60)

    assert activities.read(shop.merchant_id, activity.activity_id).ends_at_s == END_S
    assert closing_due_at_s(activity) == END_S + waits.CLOSING_AFTER_S


def test_an_earlier_end_and_other_skus_are_refused(shop):
    activity = shop.publish()

    with pytest.raises(InvalidRequest) as refusal:
        change(shop, activity, ends_at_s=END_S - 1, skus=(DraftSku(shop.red, 2000),))

    fields = [problem["field"] for problem in refusal.value.details["problems"]]
    assert fields == ["ends_at_s", "skus"]
    assert activities.read(shop.merchant_id, activity.activity_id).version == 1


# Pausing, ending, closing


def test_pause_and_resume_and_nothing_after_the_end(shop):
    merchant_id, activity_id = shop.merchant_id, shop.publish().activity_id

    assert activities.pause(merchant_id, activity_id, staff=BOSS, now_s=NOW_S).status == "paused"
    resumed = activities.resume(merchant_id, activity_id, staff=BOSS, now_s=NOW_S)
    assert resumed.status == "published"
    activities.end(merchant_id, activity_id, staff=BOSS, now_s=NOW_S)
    with pytest.raises(ActivityClosed):
        activities.resume(merchant_id, activity_id, staff=BOSS, now_s=NOW_S)
    with pytest.raises(NotFound):
        activities.pause(merchant_id, new_id(), staff=BOSS, now_s=NOW_S)


def test_ending_frees_the_skus_and_waits_for_the_last_group(shop):
    activity = shop.publish()
    change(shop, activity, life_h=1)  # groups of version 1 still live 24 hours

    ended = activities.end(shop.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S + 100)

    last_group_s = NOW_S + 100 + merchants.PAY_BY_MAX_S + DAY_S
    assert closing_due_at_s(activity) == last_group_s + waits.CLOSING_AFTER_S
    assert (ended.status, ended.ended_at_s) == ("ended", NOW_S + 100)
    assert activity_lists.browse(shop.merchant_id, limit=10, now_s=NOW_S + 100) == ([], None)
    assert shop.publish(red=10, green=5, starts_at_s=NOW_S + 100).status == "published"


def test_ending_shortly_before_the_end_closes_no_later(shop):
    activity = shop.publish()

    activities.end(shop.merchant_id, activity.activity_id, staff=BOSS, now_s=END_S - 10)

    assert closing_due_at_s(activity) == END_S + waits.CLOSING_AFTER_S


def test_closing_gives_back_exactly_once_and_not_before_it_is_due(shop):
    merchant_id, activity = shop.merchant_id, shop.publish()
    take(activity, shop.red, 7)
    due_at_s = END_S + waits.CLOSING_AFTER_S

    assert activities.close(merchant_id, activity.activity_id, now_s=due_at_s - 1) == 0
    assert shop.stock() == (60, 40)
    assert activities.close(merchant_id, activity.activity_id, now_s=due_at_s) == 43
    assert activities.close(merchant_id, activity.activity_id, now_s=due_at_s) == 0

    assert shop.stock() == (93, 50)
    assert activity_lists.stock_left(activity) == {shop.red: 0, shop.green: 0}
    assert closing_due_at_s(activity) is None
    stocks = products.read(merchant_id, shop.product_id).stocks
    assert stocks[shop.red].activities.as_dict() == {}
    with pytest.raises(SoldOut):
        take(activity, shop.red, 1)


def test_closing_races_buyers_returns_and_itself_and_no_unit_is_lost(shop):
    merchant_id, activity = shop.merchant_id, shop.publish()
    take(activity, shop.red, 10)  # to come back during the race
    shelf = activities.shelf_of(activity, shop.red)

    def close() -> None:
        activities.close(merchant_id, activity.activity_id, now_s=END_S + DAY_S)

    def give_back() -> None:
        def step(to_product: bool) -> None:
            with transaction() as writes:
                reservations.give_back(writes, shelf, 1, to_product=to_product)

        retried(lambda: reservations.giving_back(step))

    def buy() -> None:
        take(activity, shop.red, 1)

    steps = [*[buy, give_back] * 5, close, close, *[buy, buy, give_back] * 5, close]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(zip(steps, pool.map(outcome, steps), strict=True))
    close()  # the job comes again for what was too busy

    bought = outcomes.count((buy, "done"))
    returned = outcomes.count((give_back, "done"))
    assert {how for step, how in outcomes if step is buy} <= {"done", "sold_out"}
    assert returned == 10
    assert shop.stock() == (100 - 10 - bought + returned, 50)
    assert activity_lists.stock_left(activity) == {shop.red: 0, shop.green: 0}
    assert closing_due_at_s(activity) is None


# Stock by hand


def adjust(shop: Shop, delta: int, adjustment_id: str | None = None, sku_id: str | None = None):
    return adjustments.adjust_stock(
        shop.merchant_id,
        shop.product_id,
        sku_id or shop.red,
        delta=delta,
        reason="盘点",
        staff=BOSS,
        now_s=NOW_S,
        adjustment_id=adjustment_id,
    )


def test_an_adjustment_happens_once_however_often_it_is_sent(shop):
    adjustment_id = new_id()

    assert adjust(shop, 5, adjustment_id).available == 105
    assert adjust(shop, 5, adjustment_id).available == 105
    with pytest.raises(IdempotencyMismatch):
        adjust(shop, 6, adjustment_id)
    assert shop.stock() == (105, 50)


def test_adjustments_race_and_stock_never_goes_below_nothing(shop):
    outcomes = at_once([lambda: adjust(shop, -15) for _ in range(10)])

    assert outcomes == ["done"] * 6 + ["sold_out"] * 4
    assert shop.stock() == (10, 50)


def test_adjustments_that_cannot_be_change_nothing(shop):
    for delta in (0, 10_000_000):
        with pytest.raises(InvalidRequest):
            adjust(shop, delta)
    with pytest.raises(InvalidRequest):
        adjust(shop, 9_999_900)
    with pytest.raises(NotFound):
        adjust(shop, 1, sku_id=new_id())
    assert shop.stock() == (100, 50)


def test_stock_is_added_to_an_activity_until_it_is_over(shop):
    activity = shop.publish()

    def add(quantity: int, now_s: int = NOW_S, adjustment_id: str | None = None) -> int:
        return adjustments.add_stock(
            shop.merchant_id,
            activity.activity_id,
            shop.red,
            quantity=quantity,
            staff=BOSS,
            now_s=now_s,
            adjustment_id=adjustment_id,
        )

    once = new_id()
    assert (add(11, adjustment_id=once), add(11, adjustment_id=once)) == (49, 49)
    assert activity_lists.stock_left(activity)[shop.red] == 51
    with pytest.raises(SoldOut) as refusal:
        add(50)
    assert refusal.value.details == {"available": 49}
    with pytest.raises(ActivityClosed):
        add(1, now_s=END_S)
    assert shop.stock() == (49, 40)


# Products


def kept_draft(shop: Shop, **changes: object) -> ProductDraft:
    """The shop's product as it is, ready to be saved."""
    skus = (
        SkuDraft({"颜色": "红色"}, 5900, 3990, sku_id=shop.red),
        SkuDraft({"颜色": "绿色"}, 5900, 4990, sku_id=shop.green),
    )
    return product_draft(shop.category_id, **{"skus": skus, **changes})


def save(shop: Shop, draft: ProductDraft, revision: int = 1) -> products.Stocked:
    return products.change(
        shop.merchant_id, shop.product_id, draft, revision=revision, staff=BOSS, now_s=NOW_S
    )


def test_saving_a_product_keeps_stock_adds_skus_and_repeats_safely(shop):
    new = SkuDraft({"颜色": "黄色"}, 5900, 3990, stock=7)
    draft = kept_draft(shop, title="阿克苏苹果")
    draft = replace(draft, skus=(*draft.skus, new))

    saved = save(shop, draft)
    again = save(shop, draft)

    assert (saved.product.title, saved.product.revision) == ("阿克苏苹果", 2)
    assert [saved.stocks[sku["sku_id"]].available for sku in saved.product.skus] == [100, 50, 7]
    assert again.product.revision == 2
    assert len(again.stocks) == 3
    with pytest.raises(Changed):
        save(shop, kept_draft(shop, title="别的"))


def test_a_sku_in_an_activity_cannot_be_removed(shop):
    shop.publish()
    draft = kept_draft(shop)

    with pytest.raises(InvalidRequest) as refusal:
        save(shop, replace(draft, skus=draft.skus[:1]))

    assert refusal.value.message == "「绿色」正在「周末三人团」中使用，请先结束那个活动。"
    assert products.read(shop.merchant_id, shop.product_id).product.revision == 1


def test_a_sku_can_be_removed_once_its_activity_is_closed(shop):
    activity = shop.publish()
    activities.end(shop.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S)
    draft = kept_draft(shop)
    draft = replace(draft, skus=draft.skus[:1])

    with pytest.raises(InvalidRequest) as refusal:
        save(shop, draft)
    assert refusal.value.message == "「周末三人团」刚结束，它的库存退回后才能删除「绿色」。"

    activities.close(shop.merchant_id, activity.activity_id, now_s=END_S + DAY_S)
    saved = save(shop, draft)
    assert [sku["sku_id"] for sku in saved.product.skus] == [shop.red]
    assert saved.stocks[shop.green].available == 50  # kept, for what may still come back


def test_removing_a_sku_races_its_publication_and_one_of_them_wins(shop):
    draft = kept_draft(shop)

    outcomes = at_once([lambda: save(shop, replace(draft, skus=draft.skus[:1])), shop.publish])

    assert outcomes == ["done", "invalid_request"]
    skus = products.read(shop.merchant_id, shop.product_id).product.skus
    published, _ = activity_lists.page(shop.merchant_id, limit=10, now_s=NOW_S)
    assert (len(skus), len(published)) in [(1, 0), (2, 1)]


def test_a_product_of_200_skus_is_created_whole(shop):
    skus = tuple(
        SkuDraft({"编号": str(n)}, list_price_fen=200, solo_price_fen=100, stock=n)
        for n in range(200)
    )

    stocked = products.create(
        shop.merchant_id, product_draft(shop.category_id, skus=skus), staff=BOSS, now_s=NOW_S
    )

    order = [stocked.stocks[sku["sku_id"]].available for sku in stocked.product.skus]
    assert order == list(range(200))


def test_an_unknown_category_is_refused(shop):
    with pytest.raises(InvalidRequest) as refusal:
        products.create(shop.merchant_id, product_draft(new_id()), staff=BOSS, now_s=NOW_S)

    assert refusal.value.details == {"field": "category_id"}


# Lists


def test_activities_are_listed_by_state_and_browsed_until_they_end(shop):
    running = shop.publish(red=10, green=2)
    scheduled = shop.publish(red=10, green=2, starts_at_s=END_S, ends_at_s=END_S + DAY_S)
    paused = shop.publish(red=10, green=2, starts_at_s=END_S + DAY_S, ends_at_s=END_S + 2 * DAY_S)
    activities.pause(shop.merchant_id, paused.activity_id, staff=BOSS, now_s=NOW_S)

    def listed(state: ActivityState | None, now_s: int = NOW_S) -> list[str]:
        items, _ = activity_lists.page(shop.merchant_id, state=state, limit=10, now_s=now_s)
        return [item.activity_id for item in items]

    assert listed(ActivityState.RUNNING) == [running.activity_id]
    assert listed(ActivityState.SCHEDULED) == [scheduled.activity_id]
    assert listed(ActivityState.PAUSED) == [paused.activity_id]
    assert listed(ActivityState.ENDED) == []
    assert listed(ActivityState.ENDED, now_s=END_S) == [running.activity_id]
    by_end = [running.activity_id, scheduled.activity_id, paused.activity_id]
    assert listed(None) == by_end[::-1]
    shown, after = activity_lists.browse(shop.merchant_id, limit=2, now_s=NOW_S)
    rest, _ = activity_lists.browse(shop.merchant_id, key=after, limit=2, now_s=NOW_S)
    assert [item.activity_id for item in [*shown, *rest]] == by_end
    in_category, _ = activity_lists.browse(
        shop.merchant_id, category_id=shop.category_id, limit=10, now_s=END_S
    )
    assert [item.activity_id for item in in_category] == by_end[1:]


def test_lists_keep_merchants_apart(shop):
    shop.publish()
    other = merchants.create("别家", now_s=NOW_S).merchant_id

    assert activity_lists.browse(other, limit=10, now_s=NOW_S) == ([], None)
    assert product_lists.page(other, limit=10) == ([], None)
    with pytest.raises(NotFound):
        products.read(other, shop.product_id)


# Settings, staff, categories, caches


def test_settings_are_changed_by_who_read_them_last(shop):
    def change_pay_by(pay_by_s: int, revision: int) -> int:
        return merchants.change_settings(
            shop.merchant_id,
            merchants.Settings("果园直送", "400-800-1234", pay_by_s),
            revision=revision,
            staff=BOSS,
            now_s=NOW_S,
        ).pay_by_s

    assert change_pay_by(300, 1) == 300
    assert change_pay_by(300, 1) == 300  # a repeat
    with pytest.raises(Changed):
        change_pay_by(900, 1)
    assert merchants.read(shop.merchant_id).pay_by_s == 300


def test_only_the_right_password_of_the_right_person_logs_in(shop):
    def login(username: str, password: str, merchant_id: str = shop.merchant_id) -> str:
        return staff.login(merchant_id, username, password, now_s=NOW_S).username

    new = {"name": "小李", "role": "manager", "password": "correct horse", "staff": BOSS}
    item = staff.add(shop.merchant_id, "xiaoli", now_s=NOW_S, **new)

    assert login("xiaoli", "correct horse") == "xiaoli"
    assert item.password_hash.startswith("$argon2id$")
    for username, password in [
        ("xiaoli", "wrong horse"),
        ("nobody", "correct horse"),
        ("nobody", "nobody's password"),
    ]:
        with pytest.raises(WrongPassword):
            login(username, password)
    with pytest.raises(NotFound):
        login("xiaoli", "correct horse", new_id())
    with pytest.raises(Conflict):
        staff.add(shop.merchant_id, "xiaoli", now_s=NOW_S, **new)
    assert [one.username for one in staff.everyone(shop.merchant_id)] == ["xiaoli"]


def test_categories_come_in_their_order(shop):
    first = categories.create(shop.merchant_id, name="蔬菜", position=0, staff=BOSS, now_s=NOW_S)
    assert [item.name for item in categories.everything(shop.merchant_id)] == ["蔬菜", "水果"]

    categories.change(
        shop.merchant_id,
        first.category_id,
        name="时蔬",
        position=9,
        revision=1,
        staff=BOSS,
        now_s=NOW_S,
    )

    assert [item.name for item in categories.everything(shop.merchant_id)] == ["水果", "时蔬"]


def test_kept_reads_grow_no_older_than_promised(shop):
    activity = shop.publish()
    assert terms.activity(shop.merchant_id, activity.activity_id, NOW_S).status == "published"
    activities.pause(shop.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S)

    assert terms.activity(shop.merchant_id, activity.activity_id, NOW_S + 1).status == "published"
    later_s = NOW_S + terms.KEPT_S
    assert terms.activity(shop.merchant_id, activity.activity_id, later_s).status == "paused"
    for read in (terms.activity, terms.product):
        with pytest.raises(NotFound):
            read(shop.merchant_id, new_id(), NOW_S)
    with pytest.raises(NotFound):
        terms.merchant(new_id(), NOW_S)
