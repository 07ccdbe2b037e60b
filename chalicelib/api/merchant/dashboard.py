"""/v1/merchant/dashboard: the shop at a glance."""

from dataclasses import asdict
from typing import Annotated

from msgspec import Meta

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.schemas import Fen, ResponseModel, Seconds, from_attributes
from chalicelib.domain.counts import Sums
from chalicelib.domain.rights import Area, view
from chalicelib.services.reports import dashboard

api = Api(__name__, prefix="/v1/merchant")

Waiting = Annotated[int, Meta(ge=0, le=dashboard.TO_DO_MAX, description="100: or more.")]


class SumsShown(ResponseModel, frozen=True, kw_only=True):
    paid_fen: Annotated[Fen, Meta(description="Captured, by the time of payment.")]
    refunded_fen: Annotated[Fen, Meta(description="Confirmed, by the gateway's time.")]
    rebated_fen: Annotated[
        Fen, Meta(description="Of refunded_fen: by the terms of groups that have formed.")
    ]
    orders_paid: int
    groups_opened: int
    groups_formed: int
    groups_failed: int
    formed_permille: Annotated[
        int | None, Meta(description="Formed of formed and failed, in thousandths.")
    ]


class DayShown(SumsShown, frozen=True, kw_only=True):
    day: Annotated[str, Meta(description="YYYY-MM-DD in Beijing.")]


class Comparison(ResponseModel, frozen=True, kw_only=True):
    until_s: Annotated[Seconds, Meta(description="The last whole hour of today.")]
    today: SumsShown
    yesterday: Annotated[SumsShown, Meta(description="Until the same hour.")]


class ToDoShown(ResponseModel, frozen=True, kw_only=True):
    """Each is null for staff who cannot work on what waits there."""

    to_ship: Waiting | None
    after_sales: Waiting | None
    refunds: Annotated[Waiting | None, Meta(description="That only a person can mend.")]
    groups_ending_soon: Annotated[
        Waiting | None, Meta(description="Within 2 hours; null: too many activities run.")
    ]
    low_stock: Annotated[
        Waiting | None,
        Meta(description="Products below their warning level; null: too many have one."),
    ]
    differences: Annotated[Waiting | None, Meta(description="From bills, open.")]
    rejected_results: Annotated[
        Waiting | None, Meta(description="Told by gateways, and the books do not take them.")
    ]


class Dashboard(ResponseModel, frozen=True, kw_only=True):
    """today, compared, days: what the shop takes in; null for staff who may not see it."""

    now_s: Seconds
    to_do: ToDoShown
    today: SumsShown | None
    compared: Comparison | None
    days: Annotated[list[DayShown] | None, Meta(description="The newest first, today among them.")]


@api.operation("GET", "/dashboard")
def read_dashboard(who: Staff) -> Dashboard:
    """What happened today and in 30 days, by day, and what waits for whoever asks."""
    now_s = clock.now_s()
    waiting = ToDoShown(**asdict(dashboard.to_do(who.merchant_id, who.rights, now_s=now_s)))
    if not who.may(view(Area.STATISTICS)):
        return Dashboard(now_s=now_s, to_do=waiting, today=None, compared=None, days=None)
    figures = dashboard.figures(who.merchant_id, now_s=now_s)
    return Dashboard(
        now_s=now_s,
        to_do=waiting,
        today=_sums(figures.today),
        compared=Comparison(
            until_s=figures.until_s,
            today=_sums(figures.today_until),
            yesterday=_sums(figures.yesterday_until),
        ),
        days=[from_attributes(DayShown, sums, day=day.isoformat()) for day, sums in figures.days],
    )


def _sums(sums: Sums) -> SumsShown:
    return from_attributes(SumsShown, sums)
