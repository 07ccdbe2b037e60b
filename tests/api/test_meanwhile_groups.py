"""Staff close groups, give them more time, or end their activity, while the groups move on."""

from collections.abc import Callable, Iterator

import pytest

from chalicelib.errors import ActivityClosed, Changed, GroupClosed, NotFound
from chalicelib.services import timeouts
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import activity_closing, group_controls, quoting, settlement
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.trade import ClosingItem, GroupItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import DAY_S, LIFE_S, STAFF, Shop, Sold, new_shop, purchase
from tests.fixtures.staff_requests import audited, close, close_is_due, end

HOUR_S = 3600


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


@pytest.fixture
def sold(shop: Shop) -> Sold:
    return shop.activity(seats=2)


def extend(shop: Shop, group: GroupItem, hours: int) -> GroupItem:
    return group_controls.extend(
        shop.merchant_id,
        group.group_id,
        hours=hours,
        expires_at_s=int(group.expires_at_s or 0),
        staff=STAFF,
        now_s=shop.now_s,
    )


def close_group(shop: Shop, group: GroupItem, reason: str = "原料短缺") -> GroupItem:
    return group_controls.close(
        shop.merchant_id, group.group_id, reason=reason, staff=STAFF, now_s=shop.now_s
    )


def opened(shop: Shop, sold: Sold) -> GroupItem:
    return shop.group(shop.opened(sold))


def activity_of(shop: Shop, sold: Sold) -> ActivityItem:
    return activities.read(shop.merchant_id, sold.activity_id)


def closing_of(shop: Shop, sold: Sold) -> ClosingItem:
    found = stored(ClosingItem.at(shop.merchant_id, sold.activity_id))
    assert found is not None
    return found


def test_group_closed_by_two_at_once_is_closed_once(shop: Shop, sold: Sold) -> None:
    group = opened(shop, sold)

    with interleaved(lambda: close_group(shop, group, "同事的理由")):
        assert close_group(shop, group).closed_words == "同事的理由"

    assert audited(shop, "group_closed") == 1


@pytest.mark.parametrize("act", [close_group, lambda shop, group: extend(shop, group, 2)])
def test_group_that_formed_while_it_is_closed_or_extended_stays_formed(
    shop: Shop, sold: Sold, act: Callable[[Shop, GroupItem], object]
) -> None:
    group = opened(shop, sold)
    trade = shop.capture(shop.join(sold, group.group_id, shop.buyer()))

    with interleaved(lambda: shop.hear(trade)), pytest.raises(GroupClosed):
        act(shop, group)

    assert shop.group(group.group_id).status == "formed"


def test_group_that_failed_while_it_is_extended_stays_failed(shop: Shop, sold: Sold) -> None:
    """Its deadline and its marker are what they were: only its state tells."""
    group = opened(shop, sold)
    due_s = int(group.expires_at_s or 0) + timeouts.GRACE_S

    with (
        interleaved(lambda: settlement.fail_if_due(group, now_s=due_s)),
        pytest.raises(GroupClosed),
    ):
        extend(shop, group, 2)

    failed = shop.group(group.group_id)
    assert (failed.status, failed.expires_at_s) == ("failed", group.expires_at_s)


def test_group_that_was_extended_while_it_falls_due_stays_open(shop: Shop, sold: Sold) -> None:
    """A request that came before the deadline and was held up until after it."""
    group = opened(shop, sold)
    due_s = int(group.expires_at_s or 0) + timeouts.GRACE_S

    with interleaved(lambda: extend(shop, group, 2)):
        settlement.fail_if_due(group, now_s=due_s)

    assert shop.group(group.group_id).status == "open"


def test_group_extended_by_two_at_once_has_the_first_ones_deadline(shop: Shop, sold: Sold) -> None:
    extend(shop, opened(shop, sold), 24)  # from now on the activity's longest life stays
    group = opened(shop, sold)

    with interleaved(lambda: extend(shop, group, 5)), pytest.raises(Changed):
        extend(shop, group, 2)

    assert shop.group(group.group_id).expires_at_s == int(group.expires_at_s or 0) + 5 * HOUR_S


def test_group_extended_twice_alike_is_extended_once(shop: Shop, sold: Sold) -> None:
    extend(shop, opened(shop, sold), 24)
    group = opened(shop, sold)

    with interleaved(lambda: extend(shop, group, 5)):
        extend(shop, group, 5)

    assert audited(shop, "group_extended") == 2


def test_group_of_an_activity_that_was_ended_meanwhile_gets_no_more_time(
    shop: Shop, sold: Sold
) -> None:
    group = opened(shop, sold)

    with interleaved(lambda: end(shop, sold)), pytest.raises(ActivityClosed):
        extend(shop, group, 5)

    assert shop.group(group.group_id).expires_at_s == group.expires_at_s


def test_longest_of_two_extensions_at_once_counts_for_the_activity(shop: Shop, sold: Sold) -> None:
    first, second = opened(shop, sold), opened(shop, sold)

    with interleaved(lambda: extend(shop, first, 24)):
        extend(shop, second, 2)

    assert activity_of(shop, sold).life_max_s == LIFE_S + 24 * HOUR_S


def test_time_that_a_group_got_while_its_activity_is_changed_or_ended_counts(
    shop: Shop, sold: Sold
) -> None:
    longer_s = LIFE_S + 5 * HOUR_S

    with interleaved(lambda: extend(shop, opened(shop, sold), 5), after_writes=0):
        shop.edit(sold, title="新的标题")

    assert activity_of(shop, sold).life_max_s == longer_s
    shop.now_s += HOUR_S
    group = opened(shop, sold)
    with interleaved(lambda: extend(shop, group, 20)):
        end(shop, sold)
    decided_s = shop.now_s + HOUR_S + LIFE_S + 20 * HOUR_S
    assert closing_of(shop, sold).due_at_s == decided_s + timeouts.CLOSING_AFTER_S


def test_groups_of_an_activity_are_closed_once_by_two_at_once(shop: Shop, sold: Sold) -> None:
    """At the very second at which its stock goes back, too."""
    opened(shop, sold)
    end(shop, sold)
    shop.now_s = int(closing_of(shop, sold).due_at_s or 0)

    with interleaved(lambda: end(shop, sold, close_groups=True)):
        end(shop, sold, close_groups=True)

    assert audited(shop, "activity_groups_closed") == 1


def test_groups_of_an_activity_whose_stock_went_back_meanwhile_are_all_decided(
    shop: Shop, sold: Sold
) -> None:
    end(shop, sold)

    with interleaved(lambda: close(shop, sold, later_s=30 * DAY_S)):
        end(shop, sold, close_groups=True)

    closing = closing_of(shop, sold)
    assert closing.due_at_s is None
    assert closing.groups_until_s is None
    assert activity_closing.groups_are_closed(shop.merchant_id, sold.activity_id, now_s=shop.now_s)
    assert audited(shop, "activity_groups_closed") == 0


def test_closing_that_another_run_has_finished_does_not_come_back(shop: Shop, sold: Sold) -> None:
    end(shop, sold, close_groups=True)

    def later_run() -> None:
        later_s = int(closing_of(shop, sold).groups_until_s or 0)
        assert activity_closing.groups_are_closed(shop.merchant_id, sold.activity_id, now_s=later_s)
        assert activities.close(shop.merchant_id, sold.activity_id, now_s=later_s) == 100

    with interleaved(later_run):
        assert not activity_closing.groups_are_closed(
            shop.merchant_id, sold.activity_id, now_s=shop.now_s
        )

    assert closing_of(shop, sold).due_at_s is None
    assert not activity_closing.groups_are_closed(
        shop.merchant_id, sold.activity_id, now_s=shop.now_s
    )


def test_group_that_formed_while_it_is_closed_with_its_activity_stays_formed(
    shop: Shop, sold: Sold
) -> None:
    group = opened(shop, sold)
    trade = shop.capture(shop.join(sold, group.group_id, shop.buyer()))

    with interleaved(lambda: shop.hear(trade)):
        settlement.close(group, now_s=shop.now_s)

    formed = shop.group(group.group_id)
    assert (formed.status, formed.failed_reason) == ("formed", None)


def test_groups_that_are_to_be_closed_later_are_not_closed_now(shop: Shop, sold: Sold) -> None:
    group = opened(shop, sold)
    end(shop, sold, close_groups=True)
    shop.now_s -= 1

    assert not activity_closing.groups_are_closed(
        shop.merchant_id, sold.activity_id, now_s=shop.now_s
    )

    assert shop.group(group.group_id).status == "open"


def test_group_of_another_shop_or_of_nobody_is_not_there(shop: Shop, sold: Sold) -> None:
    group = opened(shop, sold)
    unpaid = shop.open(sold, shop.buyer())
    stranger = Shop()

    with pytest.raises(NotFound):
        close_group(stranger, group)
    with pytest.raises(NotFound):
        extend(stranger, group, 1)
    for asked, group_id in ((stranger, group.group_id), (shop, str(unpaid.group_id))):
        with pytest.raises(NotFound):
            quoting.to_join(asked.merchant_id, group_id, purchase(sold), now_s=shop.now_s)
    close_is_due(shop, sold)
    assert activity_closing.groups_are_closed(
        stranger.merchant_id, sold.activity_id, now_s=shop.now_s
    )
