"""Composition root: the API, and every function that a schedule or the stream starts.

Functions for schedules and streams are declared here and nowhere else: declared in a blueprint
they would run without the middleware.
"""

from typing import Any

from chalice import Chalice, Rate, Response
from chalice.app import CloudWatchEvent, DynamoDBEvent

from chalicelib import clock, deadline, observability
from chalicelib.api import callbacks, http, openapi, pictures
from chalicelib.api.buyers import (
    account,
    addresses,
    after_sales,
    agreements,
    browse,
    buyer,
    coupons,
    levels,
    link_pages,
    points,
    points_offers,
    public,
    quotes,
    receipts,
    reminders,
    rewards,
    sessions,
)
from chalicelib.api.buyers import me as buyer_me
from chalicelib.api.buyers import orders as own_orders
from chalicelib.api.buyers import payments as own_payments
from chalicelib.api.http import CORS
from chalicelib.api.merchant import (
    accounts,
    activities,
    audit,
    dashboard,
    delivery,
    differences,
    drafting,
    exchanges,
    exports,
    groups,
    me,
    members,
    messages,
    money,
    order_actions,
    orders,
    people,
    products,
    refunds,
    shipping,
    shop,
)
from chalicelib.api.merchant import agreements as merchant_agreements
from chalicelib.api.merchant import coupons as merchant_coupons
from chalicelib.api.merchant import points_offers as merchant_points_offers
from chalicelib.api.merchant import rewards as merchant_rewards
from chalicelib.domain.order import Intent
from chalicelib.services.work import due

EVERY_MINUTE = Rate(1, unit=Rate.MINUTES)
PUBLIC = (
    browse.api,
    public.api,
    sessions.api,
    buyer.api,
    buyer_me.api,
    account.api,
    addresses.api,
    agreements.api,
    coupons.api,
    points.api,
    points_offers.api,
    levels.api,
    link_pages.api,
    rewards.api,
    quotes.api,
    after_sales.api,
    own_orders.api,
    own_payments.api,
    receipts.api,
    reminders.api,
    pictures.api,
    callbacks.api,
)
STAFF = (
    me.api,
    people.api,
    accounts.api,
    audit.api,
    shop.api,
    messages.api,
    merchant_agreements.api,
    merchant_coupons.api,
    merchant_points_offers.api,
    products.api,
    activities.api,
    drafting.api,
    groups.api,
    dashboard.api,
    delivery.api,
    differences.api,
    orders.api,
    order_actions.api,
    shipping.api,
    refunds.api,
    money.api,
    exchanges.api,
    exports.api,
    members.api,
    merchant_rewards.api,
)

app = Chalice(app_name="tuan", configure_logs=False)
observability.install(app)
app.register_middleware(deadline.middleware)
app.register_middleware(http.in_our_shape, "http")
for blueprint in (*PUBLIC, *STAFF):
    app.register_blueprint(blueprint, url_prefix=blueprint.prefix)
OPERATIONS = [operation for api in (*PUBLIC, *STAFF) for operation in api.operations]


@app.route("/v1/openapi.json", methods=["GET"], cors=CORS)
def read_openapi() -> Response:
    """What this API takes and gives."""
    return Response(openapi.document(OPERATIONS), headers={"Cache-Control": "max-age=300"})


# Every job below is safe to run twice and in parallel: it finds due items in an index, and each
# item is decided by conditions on its own state, whichever run gets there first.


@app.schedule(EVERY_MINUTE, description="Fail groups that fell due, settle decided ones")
def fail_due_groups(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.GROUP)


@app.schedule(EVERY_MINUTE, description="Release seats that were not paid in time")
def release_unpaid_seats(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.RELEASE)


@app.schedule(EVERY_MINUTE, description="Send refunds and ask how they are")
def drive_refunds(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.REFUND)


@app.schedule(EVERY_MINUTE, description="Ask about payments that had no callback")
def query_payments(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.QUERY)


@app.schedule(EVERY_MINUTE, description="Give the unsold stock of ended activities back")
def close_activities(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.CLOSING)


@app.schedule(EVERY_MINUTE, description="Give back what all groups of an activity reach together")
def give_back_to_crowds(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.CROWD)


@app.schedule(EVERY_MINUTE, description="Complete orders that were shipped long ago")
def complete_received_orders(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.RECEIPT)


@app.schedule(EVERY_MINUTE, description="Compare the gateways' daily bills with the ledger")
def reconcile_bills(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.RECONCILE)


@app.schedule(EVERY_MINUTE, description="Write the files that staff asked for")
def write_exports(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.EXPORT)


@app.schedule(EVERY_MINUTE, description="Points that run out, coupons on birthdays, rewards")
def expire_points(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.POINTS)


@app.schedule(EVERY_MINUTE, description="Add up the orders of members whose money has moved")
def reckon_members(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.MEMBER)


@app.schedule(EVERY_MINUTE, description="Send messages to buyers' WeChat, where they agreed")
def send_subscribe_messages(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.SUBSCRIBE_MESSAGE)


@app.schedule(EVERY_MINUTE, description="Tell buyers what they asked to be reminded of")
def tell_reminders(event: CloudWatchEvent) -> dict[str, int]:
    return _run(Intent.REMINDER)


# The stream's real ARN comes from infra/template/functions.yaml.
@app.on_dynamodb_record("arn:aws:dynamodb:region:0:table/trade/stream/now", batch_size=25)
def on_trade_change(event: DynamoDBEvent) -> dict[str, Any]:
    """Carry out at once what a change has made due; the schedules repeat what is missed here."""
    from chalicelib.services.work import stream  # its batch processing is of no use to the others

    return stream.handle(event.to_dict(), now_s=clock.now_s())


def _run(intent: Intent) -> dict[str, int]:
    return {"attended": due.run(intent, now_s=clock.now_s())}
