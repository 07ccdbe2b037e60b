"""Each function may do what it does, and nothing else."""

from collections.abc import Iterator

import pytest

import app as application
from chalicelib.gateways import secrets
from chalicelib.tables.exports import ExportItem
from tests import usage
from tests.callers import lambda_context
from tests.own_tables import own_tables
from tests.shipping import POSTED_S, RECEIPT_S, ship
from tests.streams import change_of
from tests.support import DAY_S, Town, settled_in
from tests.tills import BOTH

FUNCTIONS = sorted(source.name for source in application.app.event_sources)
# Accounts of before, which a shop has once it has changed to others.
EARLIER: set[usage.Use] = {
    ("ssm:GetParameter", "merchants/*/wechat-pay/*"),
    ("ssm:GetParameter", "merchants/*/alipay/*"),
}
# Units that come back once their activity has closed go to the product.
RETURNED_LATE: usage.Use = ("dynamodb:UpdateItem", "CatalogueTable")
# What is allowed and such a month does not show.
RARE: dict[str, set[usage.Use]] = {
    "policy-bills.json": {
        # A refund that only the bill tells of: its buyer is told, in the shop's words.
        ("dynamodb:GetItem", "CatalogueTable"),
        *EARLIER,
    },
    "policy-orders.json": {RETURNED_LATE, *EARLIER},
    "policy-exports.json": {("dynamodb:GetItem", "TradeTable")},  # what fails is postponed
    "policy-groups.json": {
        # The group's held orders are asked about where Alipay knows of them.
        ("ssm:GetParameter", "merchants/*/alipay"),
        RETURNED_LATE,
        *EARLIER,
    },
    "policy-stream.json": {
        # It attends to whatever is due at once: an activity that ends, a bill, a refund.
        ("dynamodb:UpdateItem", "CatalogueTable"),
        ("ssm:GetParameter", "public-api-url"),
        *EARLIER,
    },
}


def stream(town: Town, order_id: str, **before: str) -> None:
    item = town.stored_order(order_id)
    image = {**town.image(item), "status": {"S": before["status"]}} if before else None
    records = [change_of(town, item, image)]
    application.on_trade_change({"Records": records}, lambda_context("stream"))
    assert town.till.quiet()


def export(town: Town, subject: str, column: str, **more: str | int) -> str:
    """Ask for a file; its id."""
    asked = town.owner().post(
        "/v1/merchant/exports", {"subject": subject, "columns": [column], **more}
    )
    return str(asked.body["export_id"])


def live(town: Town) -> None:
    """A month of a shop: whatever can become due does so."""
    activity = town.activity(seats=3, days=2, limit_per_buyer=5)
    group_id, _, first = town.open_group(activity)
    _, second = town.member(activity, group_id)
    buyer, third = town.join(activity, group_id)
    town.pay_unheard(buyer, third)
    town.clock.forward(120)
    stream(town, first)
    town.run_jobs(2)
    failing, _, _ = town.open_group(activity)
    town.member(activity, failing)
    late, unpaid = town.join(activity, failing)
    town.prepay(late, unpaid)
    _, leaver, left = town.open_group(town.activity(limit_per_buyer=5))
    town.till.faults.add("refund", "stays_processing")
    assert leaver.cancel(left).status == 200
    town.run_jobs()
    town.clock.forward(POSTED_S)
    town.run_jobs(2)
    assert ship(town, second).status == 200
    town.till.faults.add("payment_callback", "dropped")
    town.pay_in_spite(f"{unpaid}01")  # which only the bill will tell
    town.clock.forward(DAY_S - 3 * POSTED_S)
    hurried, _, _ = town.open_group(activity)
    town.clock.forward(DAY_S - 60)
    town.prepay(*town.join(activity, hurried))
    town.clock.forward(120)  # its group ends before its time to pay
    town.run_jobs()
    town.clock.forward(DAY_S)
    for order_id in (first, left, second):
        stream(town, order_id)
    town.run_jobs(4)
    town.clock.forward(RECEIPT_S + POSTED_S)
    town.run_jobs(4)
    export(town, "movements", "number", from_s=town.now_s - DAY_S)
    export(town, "customers", "buyer")
    export(town, "orders", "tracking", order_status="completed")
    town.run_jobs()
    item = ExportItem.at(town.merchant_id, export(town, "orders", "tracking"))
    application.on_trade_change({"Records": [change_of(town, item)]}, lambda_context("stream"))


@pytest.fixture(scope="module")
def uses(engine: str) -> Iterator[usage.Uses]:
    """What the functions asked for in such a month, at either gateway."""
    with pytest.MonkeyPatch.context() as patch, own_tables(), usage.noted() as uses:
        patch.setattr(secrets, "KEPT_S", 0)
        patch.setattr(secrets, "_kept", {})  # other tests' would be in use for five minutes yet
        for paid_by in BOTH:
            with settled_in(patch, paid_by=paid_by) as town:
                live(town)
        yield uses


@pytest.mark.parametrize("policy", sorted({usage.policy_of(name) for name in FUNCTIONS}))
def test_policy_allows_what_its_functions_do_and_nothing_else(
    uses: usage.Uses, policy: str
) -> None:
    used = {use for name in FUNCTIONS if usage.policy_of(name) == policy for use in uses[name]}

    assert used
    assert usage.allowed(policy) - used == RARE.get(policy, set())
