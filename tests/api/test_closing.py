"""Activities are paused, ended and closed, and give their stock back exactly once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.errors import ActivityClosed, NotFound, SoldOut
from chalicelib.services import timeouts
from chalicelib.services.catalogue import activities, activity_lists, products, reservations
from chalicelib.services.people import merchants
from chalicelib.tables.base import retried, transaction
from tests.fixtures.catalogue import (
    BOSS,
    DAY_S,
    END_S,
    NOW_S,
    CatalogueFixture,
    change,
    closing_due_at_s,
    outcome,
    take,
)


def test_pause_and_resume_and_nothing_after_the_end(catalogue: CatalogueFixture) -> None:
    merchant_id, activity_id = catalogue.merchant_id, catalogue.publish().activity_id

    assert activities.pause(merchant_id, activity_id, staff=BOSS, now_s=NOW_S).status == "paused"
    resumed = activities.resume(merchant_id, activity_id, staff=BOSS, now_s=NOW_S)
    assert resumed.status == "published"
    activities.end(merchant_id, activity_id, staff=BOSS, now_s=NOW_S)
    with pytest.raises(ActivityClosed):
        activities.resume(merchant_id, activity_id, staff=BOSS, now_s=NOW_S)
    with pytest.raises(NotFound):
        activities.pause(merchant_id, new_id(), staff=BOSS, now_s=NOW_S)


def test_ending_frees_the_skus_and_waits_for_the_last_group(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()
    change(catalogue, activity, life_h=1)  # groups of version 1 still live 24 hours

    ended = activities.end(
        catalogue.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S + 100
    )

    last_group_s = NOW_S + 100 + merchants.PAY_BY_MAX_S + DAY_S
    assert closing_due_at_s(activity) == last_group_s + timeouts.CLOSING_AFTER_S
    assert (ended.status, ended.ended_at_s) == ("ended", NOW_S + 100)
    assert activity_lists.browse(catalogue.merchant_id, limit=10, now_s=NOW_S + 100) == ([], None)
    assert catalogue.publish(red=10, green=5, starts_at_s=NOW_S + 100).status == "published"


def test_ending_shortly_before_the_end_closes_no_later(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()

    activities.end(catalogue.merchant_id, activity.activity_id, staff=BOSS, now_s=END_S - 10)

    assert closing_due_at_s(activity) == END_S + timeouts.CLOSING_AFTER_S


def test_closing_gives_back_exactly_once_and_not_before_it_is_due(
    catalogue: CatalogueFixture,
) -> None:
    merchant_id, activity = catalogue.merchant_id, catalogue.publish()
    take(activity, catalogue.red, 7)
    due_at_s = END_S + timeouts.CLOSING_AFTER_S

    assert (
        activities.return_unsold_stock(merchant_id, activity.activity_id, now_s=due_at_s - 1) == 0
    )
    assert catalogue.stock() == (60, 40)
    assert activities.return_unsold_stock(merchant_id, activity.activity_id, now_s=due_at_s) == 43
    assert activities.return_unsold_stock(merchant_id, activity.activity_id, now_s=due_at_s) == 0

    assert catalogue.stock() == (93, 50)
    assert activity_lists.stock_left(activity) == {catalogue.red: 0, catalogue.green: 0}
    assert closing_due_at_s(activity) is None
    stocks = products.read(merchant_id, catalogue.product_id).stocks
    assert stocks[catalogue.red].activities.as_dict() == {}
    with pytest.raises(SoldOut):
        take(activity, catalogue.red, 1)


def test_closing_races_buyers_returns_and_itself_and_no_unit_is_lost(
    catalogue: CatalogueFixture,
) -> None:
    merchant_id, activity = catalogue.merchant_id, catalogue.publish()
    take(activity, catalogue.red, 10)  # to come back during the race
    shelf = activities.shelf_of(activity, catalogue.red)

    def close() -> None:
        activities.return_unsold_stock(merchant_id, activity.activity_id, now_s=END_S + DAY_S)

    def give_back() -> None:
        def step(to_product: bool) -> None:
            with transaction() as writes:
                reservations.give_back(writes, shelf, 1, to_product=to_product)

        retried(lambda: reservations.giving_back(step))

    def buy() -> None:
        take(activity, catalogue.red, 1)

    steps = [*[buy, give_back] * 5, close, close, *[buy, buy, give_back] * 5, close]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(zip(steps, pool.map(outcome, steps), strict=True))
    close()  # the job comes again for what was too busy

    bought = outcomes.count((buy, "done"))
    returned = outcomes.count((give_back, "done"))
    assert {how for step, how in outcomes if step is buy} <= {"done", "sold_out"}
    assert returned == 10
    assert catalogue.stock() == (100 - 10 - bought + returned, 50)
    assert activity_lists.stock_left(activity) == {catalogue.red: 0, catalogue.green: 0}
    assert closing_due_at_s(activity) is None
