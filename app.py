"""Composition root: the API, and every function that a schedule or the stream starts.

Functions for schedules and streams are declared here and nowhere else: declared in a blueprint
they would run without the middleware.

On Lambda a process is one of these functions, and loads what that one needs. Of the API it loads
what buyers ask for, and what staff ask for when the first of them does.
"""

from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from chalice import Chalice, Rate, Response
from chalice.app import CloudWatchEvent, DynamoDBEvent

from chalicelib import clock, deadline, garbage_collection, observability
from chalicelib.domain.order import Intent
from chalicelib.settings import settings

if TYPE_CHECKING:
    from chalicelib.api import http

EVERY_MINUTE = Rate(1, unit=Rate.MINUTES)
API = "app.app"  # the handler that the template names
OPERATIONS: list["http.Operation"] = []  # of the routes that are declared


class App(Chalice):
    """Chalice that declares the routes of staff when the first of them asks."""

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        asked = event.get("requestContext", {})
        if asked.get("httpMethod") not in self.routes.get(asked.get("resourcePath"), {}):
            _declare_for_staff()
        return super().__call__(event, context)


app: Chalice = App(app_name="tuan", configure_logs=False)
observability.install(app)
app.register_middleware(deadline.middleware)


def _declare_for_all() -> None:
    from chalicelib.api import http
    from chalicelib.api.buyers import routes

    app.register_middleware(http.in_our_shape, "http")
    _declare(routes.ALL)

    @app.route("/v1/openapi.json", methods=["GET"], cors=http.CORS)
    def read_openapi() -> Response:
        """What this API takes and gives."""
        from chalicelib.api import openapi

        _declare_for_staff()
        return Response(openapi.document(OPERATIONS), headers={"Cache-Control": "max-age=300"})


@cache  # once
def _declare_for_staff() -> None:
    from chalicelib.api.merchant import routes

    _declare(routes.ALL)


def _declare(blueprints: Iterable["http.Api"]) -> None:
    for blueprint in blueprints:
        app.register_blueprint(blueprint, url_prefix=blueprint.prefix)
        OPERATIONS.extend(blueprint.operations)


def _due() -> ModuleType:
    from chalicelib.services.work import due

    return due


with garbage_collection.paused():
    if settings.handler in ("", API):
        _declare_for_all()
    if not settings.handler:  # no Lambda: a test, a tool, or who packages
        _declare_for_staff()
    if settings.handler != API:
        _due()


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


@app.schedule(EVERY_MINUTE, description="Points that run out, birthdays, rewards, invitations")
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
    return {"attended": _due().run(intent, now_s=clock.now_s())}
