"""Stock: every unit is in a bucket, held, or sold; never two of them, never none."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain import activity_draft, product
from chalicelib.domain.ids import new_id
from chalicelib.errors import (
    ActivityClosed,
    Busy,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    SoldOut,
)
from chalicelib.services.catalogue import activities, adjustments, publishing
from chalicelib.tables.catalogue import ActivityItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.shop import LIFE_S, STAFF, ActivityIds, Shop
from tests.fixtures.staff_requests import (
    add_stock,
    adjust,
    audited,
    close,
    close_is_due,
    closing_of,
    end,
    pause,
    stock_of,
)

PAY_BY_S = 600


def outcomes(replies: list[Reply]) -> Counter[str]:
    return Counter("placed" if reply.status == 201 else reply.code for reply in replies)


def joins(activity: Activity, group_id: str, buyers: list[Buyer]) -> list[Callable[[], Reply]]:
    return [lambda b=buyer: b.join(activity, group_id) for buyer in buyers]  # type: ignore[misc]


def test_sold_out_says_what_is_left_and_changes_nothing(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=4)
    group_id, _, _ = merchant.open_group(activity, quantity=2)
    buyer = merchant.buyer()

    refused = buyer.join(activity, group_id, quantity=3)

    assert (refused.status, refused.code) == (409, "sold_out")
    assert refused.body["details"] == {"available": 2}
    assert buyer.get("/v1/orders").body["items"] == []
    assert len(merchant.stored_group(group_id).members.as_dict()) == 1
    assert merchant.stock(activity) == 2
    assert buyer.join(activity, group_id, quantity=2).status == 201


def test_order_takes_its_units_from_several_buckets(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=8)

    group_id, _, _ = merchant.open_group(activity, quantity=5)
    buyer, order_id = merchant.join(activity, group_id, quantity=3)

    assert merchant.stock(activity) == 0
    buyer.cancel(order_id)
    assert merchant.stock(activity) == 3
    merchant.check_laws(quiescent=False)


@pytest.mark.slow
def test_flood_of_unpaid_orders_gives_everything_back_after_the_pay_by_time(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=20, stock=20)
    group_id, _, _ = merchant.open_group(activity)
    flood = [merchant.buyer() for _ in range(19)]
    assert outcomes(concurrently(joins(activity, group_id, flood))) == {"placed": 19}
    assert merchant.buyer().open(activity).code == "sold_out"

    merchant.wait(PAY_BY_S, every_s=300)

    assert merchant.stock(activity) == 19
    assert len(merchant.stored_group(group_id).members.as_dict()) == 1
    assert {order["status"] for b in flood for order in b.get("/v1/orders").body["items"]} == {
        "closed"
    }
    merchant.check_laws()


@pytest.mark.slow
def test_flood_of_groups_that_are_never_paid_gives_everything_back(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    replies = [merchant.buyer().open(activity) for _ in range(11)]
    assert outcomes(replies) == {"placed": 10, "sold_out": 1}

    merchant.wait(PAY_BY_S, every_s=PAY_BY_S)

    assert merchant.stock(activity) == 10
    assert {merchant.stored_group(r.body["group_id"]).status for r in replies[:10]} == {"failed"}
    merchant.check_laws()


@pytest.mark.slow
def test_cancelling_releasing_and_failing_at_once_give_a_unit_back_once(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    merchant.clock.forward(DAY_S - 30)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)

    merchant.clock.forward(PAY_BY_S + 30)
    concurrently([lambda: buyer.cancel(order_id), merchant.run_jobs, merchant.run_jobs])
    merchant.run_jobs(2)

    assert buyer.status(order_id) == "closed"
    assert merchant.stock(activity) == 10
    merchant.check_laws()


def test_skus_of_an_activity_are_sold_apart(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=3, skus=2)
    red, green = activity.sku_ids
    group_id, _, _ = merchant.open_group(activity, sku_id=red, quantity=3)

    refused = merchant.buyer().join(activity, group_id, sku_id=red)
    taken = merchant.buyer().join(activity, group_id, sku_id=green, quantity=2)

    assert (refused.code, taken.status) == ("sold_out", 201)
    assert (merchant.stock(activity, red), merchant.stock(activity, green)) == (0, 1)


def test_activity_and_solo_purchases_do_not_take_each_others_units(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=2, product_stock=3)
    group_id, _, _ = merchant.open_group(activity)
    assert merchant.buyer().buy_alone(activity).status == 201

    assert merchant.buyer().buy_alone(activity).code == "sold_out"
    merchant.join(activity, group_id)
    assert merchant.buyer().open(activity).code == "sold_out"

    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 0)


def test_sold_out_group_is_open_again_when_a_unit_returns(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=3)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id, quantity=2)
    assert merchant.buyer().join(activity, group_id).code == "sold_out"

    buyer.cancel(order_id)

    assert merchant.buyer().join(activity, group_id).status == 201


def test_units_are_back_on_the_shelf_while_refunds_are_still_on_their_way(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=2)
    merchant.open_group(activity, quantity=2)
    merchant.gateway.faults.add("refund", "stays_processing")

    merchant.clock.forward(DAY_S + 60)
    merchant.run_jobs()

    assert merchant.money()["refunding_fen"] == 11800
    assert merchant.buyer().open(activity, quantity=2).status == 201


@pytest.fixture
def sold(shop: Shop) -> ActivityIds:
    """100 units in the activity, 100 with the product."""
    return shop.activity(seats=2, product_stock=200)


def units(shop: Shop, sold: ActivityIds) -> tuple[int, int]:
    """(of the product, of the activity)"""
    return stock_of(shop, sold).available, shop.left(sold)


def publish(shop: Shop, sold: ActivityIds, stock: int, key: str | None = None) -> ActivityItem:
    """Another activity of the same product, after the one that there is."""
    starts_at_s = shop.now_s + 8 * DAY_S
    draft = activity_draft.Draft(
        product_id=sold.product_id,
        title="下周再拼",
        skus=(activity_draft.DraftSku(sold.sku_id, 4900, stock),),
        seats_total=2,
        life_h=24,
        starts_at_s=starts_at_s,
        ends_at_s=starts_at_s + DAY_S,
    )
    return publishing.publish(
        shop.merchant_id, draft, staff=STAFF, now_s=shop.now_s, activity_id=key
    )


def test_units_sold_while_they_are_taken_away_are_no_longer_there(
    shop: Shop, sold: ActivityIds
) -> None:
    with interleaved(lambda: adjust(shop, sold, -60)), pytest.raises(SoldOut) as refusal:
        adjust(shop, sold, -50)

    assert refusal.value.details == {"available": 40}
    assert (units(shop, sold), audited(shop, "stock_adjusted")) == ((40, 100), 1)


def test_same_adjustment_twice_at_once_is_one(shop: Shop, sold: ActivityIds) -> None:
    key = new_id()

    with interleaved(lambda: adjust(shop, sold, 5, key)):
        assert adjust(shop, sold, 5, key) == 105

    with pytest.raises(IdempotencyMismatch):
        add_stock(shop, sold, 5, adjustment_id=key)
    assert (units(shop, sold), audited(shop, "stock_adjusted")) == ((105, 100), 1)


def test_units_taken_away_while_they_are_moved_to_an_activity_stay_away(
    shop: Shop, sold: ActivityIds
) -> None:
    with interleaved(lambda: adjust(shop, sold, -60)), pytest.raises(SoldOut):
        add_stock(shop, sold, 50)

    assert units(shop, sold) == (40, 100)


def test_nothing_is_moved_to_an_activity_that_was_ended_meanwhile(
    shop: Shop, sold: ActivityIds
) -> None:
    with interleaved(lambda: end(shop, sold)), pytest.raises(ActivityClosed):
        add_stock(shop, sold, 10)

    assert units(shop, sold) == (100, 100)


def test_nothing_is_moved_into_buckets_that_were_emptied_meanwhile(
    shop: Shop, sold: ActivityIds
) -> None:
    """A request that was held up from before the end until after the closing."""
    with interleaved(lambda: close(shop, sold, later_s=8 * DAY_S)), pytest.raises(ActivityClosed):
        add_stock(shop, sold, 10)

    assert units(shop, sold) == (200, 0)


def test_units_are_moved_only_to_an_activity_of_ones_own_that_sells_them(
    shop: Shop, sold: ActivityIds
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        add_stock(shop, sold, 1, sku_id=new_id())
    assert refusal.value.details == {"field": "sku_id"}

    for asked, activity in ((shop, replace(sold, activity_id=new_id())), (Shop(), sold)):
        with pytest.raises(NotFound):
            add_stock(asked, activity, 1)
    assert units(shop, sold) == (100, 100)


def test_changes_of_stock_are_told_to_the_shop_alone(shop: Shop, sold: ActivityIds) -> None:
    adjust(shop, sold, 5)

    rows, _ = adjustments.history(shop.merchant_id, sold.product_id, limit=10)
    with pytest.raises(NotFound):
        adjustments.history(Shop().merchant_id, sold.product_id, limit=10)

    assert [row.delta for row in rows] == [5]


@pytest.mark.parametrize("quantity", [0, -5, product.STOCK_MAX + 1])
def test_impossible_quantity_is_not_moved(shop: Shop, sold: ActivityIds, quantity: int) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        add_stock(shop, sold, quantity)

    assert refusal.value.details == {"field": "quantity"}
    assert units(shop, sold) == (100, 100)


def test_units_sold_alone_while_they_are_published_are_not_published(
    shop: Shop, sold: ActivityIds
) -> None:
    buyer = shop.buyer()

    with (
        interleaved(lambda: shop.buy_alone(sold, buyer, quantity=2)),
        pytest.raises(InvalidRequest) as refusal,
    ):
        publish(shop, sold, 100)

    problems: Any = refusal.value.details["problems"]
    assert [problem["field"] for problem in problems] == ["skus[0].stock"]
    assert (units(shop, sold), audited(shop, "activity_published")) == ((98, 100), 1)


def test_same_publication_twice_at_once_is_one(shop: Shop, sold: ActivityIds) -> None:
    key = new_id()

    with interleaved(lambda: publish(shop, sold, 30, key)):
        second = publish(shop, sold, 30, key)

    assert (second.activity_id, second.revision) == (key, 1)
    assert (units(shop, sold), audited(shop, "activity_published")) == ((70, 100), 2)


def test_repeated_publication_of_something_else_is_refused(shop: Shop, sold: ActivityIds) -> None:
    with pytest.raises(IdempotencyMismatch):
        publishing.publish(
            shop.merchant_id,
            activity_draft.Draft(sold.product_id, "另一个", (), 2, 24, shop.now_s + DAY_S),
            staff=STAFF,
            now_s=shop.now_s,
            activity_id=sold.activity_id,
            body_hash="another",
        )


def test_two_who_pause_at_once_pause_once(shop: Shop, sold: ActivityIds) -> None:
    with interleaved(lambda: pause(shop, sold)):
        assert pause(shop, sold).revision == 2

    assert audited(shop, "activity_paused") == 1


def test_activity_that_was_ended_while_it_is_paused_stays_ended(
    shop: Shop, sold: ActivityIds
) -> None:
    with interleaved(lambda: end(shop, sold)), pytest.raises(ActivityClosed):
        pause(shop, sold)

    assert activities.read(shop.merchant_id, sold.activity_id).status == "ended"


def test_two_who_end_at_once_end_once(shop: Shop, sold: ActivityIds) -> None:
    with interleaved(lambda: end(shop, sold)):
        shop.now_s += 60
        assert end(shop, sold).revision == 2

    assert audited(shop, "activity_ended") == 1


def test_stock_goes_back_once_however_many_run_at_once(shop: Shop, sold: ActivityIds) -> None:
    close_is_due(shop, sold)

    with interleaved(lambda: close(shop, sold)):
        assert close(shop, sold) == 0

    assert units(shop, sold) == (200, 0)
    assert stock_of(shop, sold).activities.as_dict() == {}
    assert closing_of(shop, sold).due_at_s is None


def test_units_that_return_while_the_stock_goes_back_go_with_it(
    shop: Shop, sold: ActivityIds
) -> None:
    shop.now_s += 6 * DAY_S
    order = shop.join(sold, shop.opened(sold), shop.buyer(), quantity=3)
    close_is_due(shop, sold)

    with interleaved(lambda: shop.cancel(order)):
        assert close(shop, sold) == 99

    assert units(shop, sold) == (199, 0)


@pytest.mark.slow
def test_closing_that_was_moved_while_the_stock_goes_back_waits(
    shop: Shop, sold: ActivityIds
) -> None:
    """The activity had been ended; now its groups are to be closed, too."""
    shop.opened(sold)
    end(shop, sold)
    shop.now_s += LIFE_S * 2

    with interleaved(lambda: end(shop, sold, close_groups=True)), pytest.raises(Busy):
        close(shop, sold)

    assert units(shop, sold) == (100, 99)


def test_groups_that_are_to_be_closed_are_not_forgotten_with_the_closing(
    shop: Shop, sold: ActivityIds
) -> None:
    shop.opened(sold)
    end(shop, sold)
    shop.now_s += LIFE_S * 2

    with interleaved(lambda: end(shop, sold, close_groups=True), after_writes=1):
        assert close(shop, sold) == 99

    assert closing_of(shop, sold).due_at_s == shop.now_s


def test_activity_that_is_not_there_has_nothing_to_give_back(shop: Shop, sold: ActivityIds) -> None:
    assert close(shop, replace(sold, activity_id=new_id()), later_s=30 * DAY_S) == 0


def test_sold_out_activity_is_closed_once_although_a_run_was_cut_off(shop: Shop) -> None:
    """Between the stock and the intent: only the product's claim tells that the stock went back."""
    sold = shop.activity(seats=2, stock=2)
    shop.pay(shop.join(sold, shop.opened(sold), shop.buyer()))
    close_is_due(shop, sold)
    before = stock_of(shop, sold).revision

    def stop() -> None:
        raise KeyboardInterrupt

    def run_that_is_cut_off() -> None:
        with pytest.raises(KeyboardInterrupt), interleaved(stop, after_writes=1):
            close(shop, sold)

    with interleaved(run_that_is_cut_off):
        assert close(shop, sold) == 0

    assert stock_of(shop, sold).revision == before + 1
    assert closing_of(shop, sold).due_at_s is None
