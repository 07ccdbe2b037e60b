"""Each function may do what it does, and nothing else."""

from collections.abc import Iterator

import pytest

import app as application
from chalicelib.domain.activity import Tier
from chalicelib.domain.beijing import day_of
from chalicelib.gateways import secrets
from chalicelib.tables.exports import ExportItem
from chalicelib.tables.trade_item import TradeItem
from tests.fixtures import function_policies
from tests.fixtures.api_clients import lambda_context
from tests.fixtures.coupons import given_out, refund
from tests.fixtures.invitations import invite, invited, receive
from tests.fixtures.isolated_tables import isolated_tables
from tests.fixtures.levels import SILVER, have_levels
from tests.fixtures.merchant import DAY_S, Activity, Buyer, MerchantFixture, merchant_fixture
from tests.fixtures.payment_fixtures import BOTH
from tests.fixtures.points import switch
from tests.fixtures.rewards import completed, reward
from tests.fixtures.shipping import POSTED_S, RECEIPT_S, ship
from tests.fixtures.stream_events import change_of
from tests.fixtures.subscriptions import agree, log_in, use_templates

FUNCTIONS = sorted(source.name for source in application.app.event_sources)
# Accounts of before, which a shop has once it has changed to others.
EARLIER: set[function_policies.Use] = {
    ("ssm:GetParameter", "merchants/*/wechat-pay/*"),
    ("ssm:GetParameter", "merchants/*/alipay/*"),
}
# Units that come back once their activity has closed go to the product.
RETURNED_LATE: function_policies.Use = ("dynamodb:UpdateItem", "CatalogueTable")
# What is allowed and such a month does not show.
RARE: dict[str, set[function_policies.Use]] = {
    "policy-bills.json": {
        # A refund that only the bill tells of: its buyer is told, in the shop's words.
        ("dynamodb:GetItem", "CatalogueTable"),
        *EARLIER,
    },
    "policy-orders.json": {RETURNED_LATE, *EARLIER},
    "policy-groups.json": {
        # The group's held orders are asked about where Alipay knows of them.
        ("ssm:GetParameter", "merchants/*/alipay"),
        RETURNED_LATE,
        *EARLIER,
    },
    # Points that a completed order has earned are taken back, and their entries fill a page.
    "policy-crowds.json": {("dynamodb:PutItem", "TradeTable")},
    # What cannot be done now is postponed.
    "policy-members.json": {("dynamodb:UpdateItem", "TradeTable")},
    "policy-stream.json": {
        # It attends to whatever is due at once: an activity that ends, a bill, a refund.
        ("dynamodb:UpdateItem", "CatalogueTable"),
        ("ssm:GetParameter", "public-api-url"),
        *EARLIER,
    },
}


def stream(merchant: MerchantFixture, *order_ids: str) -> None:
    for order_id in order_ids:
        changed(merchant, merchant.stored_order(order_id))
        assert merchant.gateway.quiet()


def changed(merchant: MerchantFixture, item: TradeItem) -> None:
    records = [change_of(merchant, item)]
    application.on_trade_change({"Records": records}, lambda_context("stream"))


def export(merchant: MerchantFixture, subject: str, column: str, **more: str | int) -> str:
    """Ask for a file; its id."""
    asked = merchant.owner().post(
        "/v1/merchant/exports", {"subject": subject, "columns": [column], **more}
    )
    return str(asked.body["export_id"])


def told_in_wechat(merchant: MerchantFixture) -> Buyer:
    buyer, templates = log_in(merchant, "a"), use_templates(merchant)
    agree(merchant, buyer, "a", [templates["result"]])
    return buyer


def promising(merchant: MerchantFixture) -> Activity:
    """An activity that gives something to each group, whether it forms or fails."""
    compensation_id = given_out(merchant, given="shop")
    return merchant.activity(
        seats=4,
        seats_least=3,
        days=2,
        limit_per_buyer=5,
        compensation_id=compensation_id,
        tiers=(Tier(4, 400),),
    )


def crowded(merchant: MerchantFixture) -> None:
    """Form a group with as many people as the first tier of its activity takes."""
    activity = merchant.activity(seats=2, crowd_tiers=(Tier(2, 300), Tier(9, 900)))
    merchant.member(activity, merchant.open_group(activity)[0])


def rewarded(merchant: MerchantFixture, coupon_id: str) -> None:
    """Give a buyer a coupon and points for two groups, and take them back with one's order."""
    assert reward(merchant, coupon_id=coupon_id, points=50).status == 200
    activity, buyer = merchant.activity(seats=2, leader_coupon_id=coupon_id), merchant.buyer()
    first = completed(merchant, activity, buyer)
    completed(merchant, activity, buyer)
    refund(merchant, buyer, first, 5900, 1)


def bringing(merchant: MerchantFixture, coupon_id: str) -> None:
    """Give a buyer and whom they brought what that brings, and take it back with the order."""
    assert invite(merchant, coupon_id=coupon_id, gift_id=coupon_id).status == 200
    activity, inviter, buyer = merchant.activity(seats=2), merchant.buyer(), merchant.buyer()
    order_id = invited(merchant, activity, inviter, buyer)
    receive(merchant, buyer, order_id)
    refund(merchant, buyer, order_id, 5900, 1)


def last_seat(merchant: MerchantFixture, activity: Activity, group_id: str) -> tuple[Buyer, str]:
    """Take a group's last seat, while somebody asks to be told when one is free, and when an
    activity begins."""
    held, other = merchant.join(activity, group_id), merchant.buyer()
    later = merchant.activity(starts_at_s=merchant.now_s + 4 * DAY_S)
    for path in (f"groups/{group_id}", f"activities/{later.activity_id}"):
        assert other.put(f"/v1/{path}/reminder", None).status == 200
    return held


def member_with_birthday(merchant: MerchantFixture, activity: Activity, group_id: str) -> str:
    """The order of one of two members, whose birthday comes once they have grown."""
    merchant.member(activity, group_id)
    friend, order_id = merchant.member(activity, group_id)
    day = day_of(merchant.now_s + RECEIPT_S + 20 * DAY_S)
    told = friend.put("/v1/me/birthday", {"month": day.month, "day": day.day})
    assert told.status == 200
    return order_id


def live(merchant: MerchantFixture) -> None:
    """A month of a shop: whatever can become due does so."""
    activity = promising(merchant)
    group_id, _, first = merchant.open_group(activity, told_in_wechat(merchant))
    second = member_with_birthday(merchant, activity, group_id)
    buyer, third = last_seat(merchant, activity, group_id)
    merchant.pay_unheard(buyer, third)
    merchant.clock.forward(120)
    stream(merchant, first)
    merchant.run_jobs(2)
    failing, _, _ = merchant.open_group(activity)
    merchant.member(activity, failing)
    late, unpaid = merchant.join(activity, failing)
    merchant.prepay(late, unpaid)
    _, leaver, left = merchant.open_group(merchant.activity(limit_per_buyer=5))
    merchant.gateway.faults.add("refund", "stays_processing")
    assert leaver.cancel(left).status == 200
    merchant.run_jobs()
    merchant.clock.forward(POSTED_S)
    merchant.run_jobs(2)
    assert ship(merchant, second).status == 200
    merchant.gateway.faults.add("payment_callback", "dropped")
    merchant.pay_in_spite(f"{unpaid}01")  # which only the bill will tell
    merchant.clock.forward(DAY_S - 3 * POSTED_S)
    hurried, _, _ = merchant.open_group(activity)
    merchant.clock.forward(DAY_S - 60)
    merchant.prepay(*merchant.join(activity, hurried))
    merchant.clock.forward(120)  # its group ends before its time to pay
    changed(merchant, merchant.stored_group(failing))
    merchant.run_jobs()
    merchant.clock.forward(DAY_S)
    stream(merchant, first, left, second)
    merchant.run_jobs(4)
    merchant.clock.forward(RECEIPT_S + POSTED_S)
    merchant.run_jobs(4)
    export(merchant, "movements", "number", from_s=merchant.now_s - DAY_S)
    export(merchant, "customers", "buyer")
    export(merchant, "orders", "tracking", order_status="completed")
    merchant.run_jobs()
    item = ExportItem.at(merchant.merchant_id, export(merchant, "orders", "tracking"))
    changed(merchant, item)


def live_on(merchant: MerchantFixture) -> None:
    """What the orders of that month have earned runs out soon, and a member has a birthday."""
    merchant.clock.forward(24 * DAY_S)
    merchant.run_jobs()


@pytest.fixture(scope="module")
def uses(engine: str) -> Iterator[function_policies.Uses]:
    """What the functions asked for in such a month, at either gateway."""
    with (
        pytest.MonkeyPatch.context() as patch,
        isolated_tables(),
        function_policies.noted() as uses,
    ):
        patch.setattr(secrets._values, "kept_s", 0)
        secrets.clear_cache()  # other tests' would be in use for five minutes yet
        for paid_by in BOTH:
            with merchant_fixture(patch, paid_by=paid_by) as merchant:
                switch(merchant, expiry="days", days=30)
                coupon = given_out(merchant, given="shop")
                have_levels(merchant, {**SILVER, "from_growth": 1, "birthday_coupon_id": coupon})
                crowded(merchant)
                rewarded(merchant, given_out(merchant, given="shop", per_buyer=9))
                bringing(merchant, given_out(merchant, given="shop"))
                live(merchant)
                live_on(merchant)
        yield uses


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy", sorted({function_policies.policy_of(name) for name in FUNCTIONS})
)
def test_policy_allows_what_its_functions_do_and_nothing_else(
    uses: function_policies.Uses, policy: str
) -> None:
    used = {
        use
        for name in FUNCTIONS
        if function_policies.policy_of(name) == policy
        for use in uses[name]
    }

    assert used
    assert function_policies.allowed(policy) - used == RARE.get(policy, set())
