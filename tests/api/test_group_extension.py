"""Extension of groups: how long, by whom, and what happens to a group at the same moment."""

import pytest

from chalicelib.errors import ActivityClosed, Changed, GroupClosed
from chalicelib.services import timeouts
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import settlement
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import GroupItem
from tests.fixtures import staff_requests
from tests.fixtures.group_requests import (
    HOUR_S,
    audited_changes,
    formed_group,
    group_ids,
    request_end,
    request_extension,
)
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import DAY_S, MerchantFixture
from tests.fixtures.shop import LIFE_S, ActivityIds, Shop
from tests.fixtures.staff_requests import audited, closing_of, extend_group

pytestmark = pytest.mark.slow

GRACE_S = 60


def test_extended_group_takes_members_beyond_its_old_deadline(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, life_h=1)
    group_id, leader, first = merchant.open_group(activity)
    was_s = merchant.now_s + HOUR_S
    merchant.clock.forward(HOUR_S - 1)

    reply = request_extension(merchant, group_id, 2, was_s)
    again = request_extension(merchant, group_id, 2, was_s)

    assert (reply.status, again.status) == (200, 200), again.body
    progress = (
        merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}").body
    )
    assert progress["expires_at_s"] == again.body["expires_at_s"] == was_s + 2 * HOUR_S
    assert audited_changes(merchant, "group_extended") == [{"expires_at_s": was_s + 2 * HOUR_S}]
    merchant.clock.forward(GRACE_S + 1)
    merchant.run_jobs()
    assert group_ids(merchant, tab="ends_soon") == [group_id]
    merchant.member(activity, group_id)
    merchant.run_jobs()
    assert leader.status(first) == "fulfilling"
    merchant.check_laws()


def test_extension_ends_with_the_activity(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, life_h=23, days=1)
    group_id, _, _ = merchant.open_group(activity)
    was_s = merchant.now_s + 23 * HOUR_S

    reply = request_extension(merchant, group_id, 24, was_s)
    more = request_extension(merchant, group_id, 1, was_s + HOUR_S)

    assert (reply.body["expires_at_s"], reply.body["extensible_until_s"]) == (was_s + HOUR_S, None)
    assert (more.status, more.code) == (409, "conflict")
    merchant.wait(DAY_S + GRACE_S, every_s=8 * HOUR_S)
    merchant.run_jobs(2)
    assert merchant.stored_group(group_id).failed_reason == "due"
    merchant.check_laws()


def test_extension_of_what_is_over_or_has_changed_is_refused(merchant: MerchantFixture) -> None:
    activity, ended = merchant.activity(seats=2, life_h=1), merchant.activity(seats=2, life_h=1)
    group_id, _, _ = merchant.open_group(activity)
    of_ended, _, _ = merchant.open_group(ended)
    was_s = merchant.now_s + HOUR_S
    assert request_end(merchant, ended, "keep").status == 200

    codes = [
        request_extension(merchant, group_id, 1, was_s - 1).code,
        request_extension(merchant, of_ended, 1, was_s).code,
        request_extension(merchant, formed_group(merchant, activity), 1, was_s).code,
    ]
    merchant.clock.forward(HOUR_S)
    codes.append(request_extension(merchant, group_id, 1, was_s).code)

    assert codes == ["changed", "activity_closed", "group_closed", "group_closed"]
    assert merchant.stored_group(group_id).expires_at_s == was_s
    assert audited_changes(merchant, "group_extended") == []


def test_stock_of_an_ended_activity_waits_for_a_group_that_was_extended(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10, life_h=1, product_stock=10)
    group_id, leader, first = merchant.open_group(activity)
    assert request_extension(merchant, group_id, 24, merchant.now_s + HOUR_S).status == 200
    assert request_end(merchant, activity, "keep").status == 200

    merchant.wait(24 * HOUR_S, every_s=4 * HOUR_S)
    assert merchant.stock(activity) == 9
    merchant.member(activity, group_id)
    merchant.wait(4 * HOUR_S, every_s=HOUR_S)

    assert leader.status(first) == "fulfilling"
    assert (merchant.stock(activity), merchant.product_stock(activity)) == (0, 8)
    merchant.check_laws()


@pytest.fixture
def sold(shop: Shop) -> ActivityIds:
    return shop.activity(seats=2)


def opened(shop: Shop, sold: ActivityIds) -> GroupItem:
    return shop.group(shop.opened(sold))


def activity_of(shop: Shop, sold: ActivityIds) -> ActivityItem:
    return activities.read(shop.merchant_id, sold.activity_id)


def test_group_that_failed_while_it_is_extended_stays_failed(shop: Shop, sold: ActivityIds) -> None:
    """Its deadline and its marker are what they were: only its state tells."""
    group = opened(shop, sold)
    due_s = int(group.expires_at_s or 0) + timeouts.GRACE_S

    with (
        interleaved(lambda: settlement.decide_if_due(group, now_s=due_s)),
        pytest.raises(GroupClosed),
    ):
        extend_group(shop, group, 2)

    failed = shop.group(group.group_id)
    assert (failed.status, failed.expires_at_s) == ("failed", group.expires_at_s)


def test_group_that_was_extended_while_it_falls_due_stays_open(
    shop: Shop, sold: ActivityIds
) -> None:
    """A request that came before the deadline and was held up until after it."""
    group = opened(shop, sold)
    due_s = int(group.expires_at_s or 0) + timeouts.GRACE_S

    with interleaved(lambda: extend_group(shop, group, 2)):
        settlement.decide_if_due(group, now_s=due_s)

    assert shop.group(group.group_id).status == "open"


def test_group_extended_by_two_at_once_has_the_first_ones_deadline(
    shop: Shop, sold: ActivityIds
) -> None:
    extend_group(shop, opened(shop, sold), 24)  # from now on the activity's longest life stays
    group = opened(shop, sold)

    with interleaved(lambda: extend_group(shop, group, 5)), pytest.raises(Changed):
        extend_group(shop, group, 2)

    assert shop.group(group.group_id).expires_at_s == int(group.expires_at_s or 0) + 5 * HOUR_S


def test_group_extended_twice_alike_is_extended_once(shop: Shop, sold: ActivityIds) -> None:
    extend_group(shop, opened(shop, sold), 24)
    group = opened(shop, sold)

    with interleaved(lambda: extend_group(shop, group, 5)):
        extend_group(shop, group, 5)

    assert audited(shop, "group_extended") == 2


def test_group_of_an_activity_that_was_ended_meanwhile_gets_no_more_time(
    shop: Shop, sold: ActivityIds
) -> None:
    group = opened(shop, sold)

    with interleaved(lambda: staff_requests.end(shop, sold)), pytest.raises(ActivityClosed):
        extend_group(shop, group, 5)

    assert shop.group(group.group_id).expires_at_s == group.expires_at_s


def test_longest_of_two_extensions_at_once_counts_for_the_activity(
    shop: Shop, sold: ActivityIds
) -> None:
    first, second = opened(shop, sold), opened(shop, sold)

    with interleaved(lambda: extend_group(shop, first, 24)):
        extend_group(shop, second, 2)

    assert activity_of(shop, sold).life_max_s == LIFE_S + 24 * HOUR_S


def test_time_that_a_group_got_while_its_activity_is_changed_or_ended_counts(
    shop: Shop, sold: ActivityIds
) -> None:
    longer_s = LIFE_S + 5 * HOUR_S

    with interleaved(lambda: extend_group(shop, opened(shop, sold), 5), after_writes=0):
        shop.edit(sold, title="新的标题")

    assert activity_of(shop, sold).life_max_s == longer_s
    shop.now_s += HOUR_S
    group = opened(shop, sold)
    with interleaved(lambda: extend_group(shop, group, 20)):
        staff_requests.end(shop, sold)
    decided_s = shop.now_s + HOUR_S + LIFE_S + 20 * HOUR_S
    assert closing_of(shop, sold).due_at_s == decided_s + timeouts.CLOSING_AFTER_S
