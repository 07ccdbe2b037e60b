"""限时团 over HTTP: so many seats of an activity are taken in a minute, and no more."""

import pytest

from tests.api.test_deadlines import change, detail
from tests.fixtures.merchant import MerchantFixture

pytestmark = pytest.mark.slow


def test_seats_beyond_those_of_the_minute_wait_for_the_next_one(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=9, per_minute=2, product_stock=200)
    merchant.clock.forward(60 - merchant.now_s % 60)
    group_id, _, _ = merchant.open_group(activity)
    friend, held = merchant.join(activity, group_id)
    late = merchant.buyer()

    refused = late.join(activity, group_id)
    assert (refused.status, refused.code) == (409, "too_fast_now")
    assert refused.body["details"] == {"retry_at_s": merchant.now_s // 60 * 60 + 60}
    assert late.open(activity).code == "too_fast_now"
    assert friend.join(activity, group_id).body["order_id"] == held  # a repeat takes none again
    assert friend.cancel(held).status == 200
    assert late.join(activity, group_id).code == "too_fast_now"  # what is let go of is not free yet
    assert late.buy_alone(activity).status == 201
    assert detail(merchant, activity)["joinable_groups"][0]["seats_taken"] == 1

    merchant.clock.forward(60)
    assert late.join(activity, group_id).status == 201
    merchant.check_laws(quiescent=False)


def test_pace_is_a_term_that_groups_keep(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=9, per_minute=1)
    merchant.clock.forward(60 - merchant.now_s % 60)
    group_id, _, _ = merchant.open_group(activity)
    assert change(merchant, activity, per_minute=0)["per_minute"] == 0

    assert merchant.buyer().join(activity, group_id).code == "too_fast_now"
    assert [merchant.buyer().open(activity).status for _ in range(2)] == [201, 201]
    path = f"/v1/merchant/activities/{activity.activity_id}/copy"
    assert merchant.owner().post(path).body["per_minute"] == 0
    merchant.check_laws(quiescent=False)
