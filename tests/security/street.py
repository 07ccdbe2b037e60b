"""Two shops side by side, furnished alike, in tables that hold nothing else.

What is refused changes nothing, so one street serves every case. A case that has sent a write,
successful or not, is followed by a comparison of every item of the three tables with what it was
before; the last look at the street compares once more, whatever was sent.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.domain.after_sale import AfterSaleStatus
from chalicelib.domain.reconcile import Difference
from chalicelib.domain.rights import Role
from chalicelib.gateways.accounts import account_id
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.services.money import differences, rejected_gateway_results
from chalicelib.services.money.comparing import Found
from chalicelib.services.people import staff
from chalicelib.tables.base import connection
from chalicelib.tables.shop import StaffItem
from chalicelib.tables.trade import ReconcilingItem
from infra.local.wechat_views import trade_view
from tests.drawings import photograph, uploaded
from tests.faults import WRITES
from tests.own_tables import BASES, own_tables
from tests.support import Activity, Buyer, Caller, Reply, Town, settled_in

PASSWORD = "correct horse battery"
OWNER, CLERK = "boss", "clerk"
INVITED, DISABLED = "invited", "disabled"  # owners: with a first password only, and no more
PAY_BY_S = 600

Items = Mapping[tuple[str, str, str], Mapping[str, Any]]  # (table, pk, sk) -> item


@dataclass(frozen=True)
class Shop:
    """One merchant with something of every kind."""

    town: Town
    activity: Activity
    group_id: str  # open, with one seat free
    leader: Buyer
    paid: str  # the leader's order
    member: Buyer
    held: str  # the member's order, not yet paid
    formed_group_id: str
    fulfilling: str  # the leader's order in the formed group
    share_id: str
    failed_refund: str  # of another order of the leader's, waiting for a person
    after_sale_id: str  # asked for by the leader on the fulfilling order
    outsider: Buyer  # who has nothing yet
    export_id: str  # its file is there
    picture_id: str  # uploaded by staff, not accepted yet
    store_id: str
    template_id: str  # of freight
    pickup_code: str  # of another order of the leader's, which waits in the store
    result_id: str  # of a gateway's, refused
    difference_id: str
    clerk: str  # a username of nobody else's

    @property
    def merchant_id(self) -> str:
        return self.town.merchant_id

    @property
    def ids(self) -> dict[str, str]:
        """What stands in the paths of this shop."""
        return {
            "merchant_id": self.merchant_id,
            "activity_id": self.activity.activity_id,
            "group_id": self.group_id,
            "share_id": self.share_id,
            "order_id": self.fulfilling,
            "product_id": self.activity.product_id,
            "category_id": self.town.category_id,
            "out_refund_no": self.failed_refund,
            "after_sale_id": self.after_sale_id,
            "letter": self.after_sale_id[-1],
            "parcel_id": "1",
            "export_id": self.export_id,
            "picture_id": self.picture_id,
            "store_id": self.store_id,
            "template_id": self.template_id,
            "code": self.pickup_code,
            "result_id": self.result_id,
            "difference_id": self.difference_id,
            "username": self.clerk,
            "account": account_id(self.merchant_id, "wechat_pay", ("1900000001",)),
        }

    @property
    def secrets(self) -> set[str]:
        """Every id of the shop that is somebody's own, and what people told it."""
        everybodys = ("merchant_id", "letter", "parcel_id", "account")
        return {
            *(self.ids[name] for name in self.ids if name not in everybodys),
            *(self.paid, self.held, self.leader.buyer_id, self.member.buyer_id),
            "西溪花园",
        }


@dataclass
class Street:
    ours: Shop
    theirs: Shop
    baseline: Items
    touched: bool = False  # a write has been sent since the last look

    @property
    def town(self) -> Town:
        return self.ours.town

    def visitor(self) -> Caller:
        return self.town.visitor()

    def changes(self) -> Counter[str]:
        """What has happened to the tables since the last look: "added kind", "changed kind",
        "removed kind", each with its count."""
        if not self.touched:
            return Counter()
        self.touched = False
        before, self.baseline = self.baseline, everything()
        found: Counter[str] = Counter()
        for key in before.keys() | self.baseline.keys():
            old, new = before.get(key), self.baseline.get(key)
            if old != new:
                what = "added" if old is None else "removed" if new is None else "changed"
                found[f"{what} {_kind(new or old)}"] += 1
        return found

    @contextmanager
    def at(self, later_s: int) -> Iterator[None]:
        """The block as if so many seconds had passed."""
        self.town.clock.forward(later_s)
        try:
            yield
        finally:
            self.town.clock.forward(-later_s)

    def callback(self, number: str) -> tuple[dict[str, str], bytes]:
        """WeChat's own callback of a payment or refund, signed now."""
        return self.town.wechat.courier.signed(number)

    def told(self, kind: str, resource: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """A callback that WeChat signs for our merchant, of whatever it is made to say."""
        event = {
            "url": self.callback_path(f"{kind}s"),
            "type": "TOLD",
            "summary": "",
            "original_type": "transaction" if kind == "payment" else kind,
            "resource": dict(resource),
        }
        number = secrets.token_hex(8)
        self.town.wechat.faults.add(f"{kind}_callback", "dropped")
        self.town.wechat.courier.tell(self.town.account, kind, number, event)
        return self.callback(number)

    def payment_said(self, out_trade_no: str) -> dict[str, Any]:
        """What WeChat says of a payment."""
        return trade_view(self.town.wechat.ledger.trade(self.town.account.mchid, out_trade_no))

    def callback_path(self, what: str = "payments", shop: Shop | None = None) -> str:
        return f"/v1/callbacks/wechat-pay/{(shop or self.ours).merchant_id}/{what}"

    def post(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        return self.town.door.request("POST", path, headers, body)


@contextmanager
def built() -> Iterator[Street]:
    """A street that is as it was when the block ends."""
    with furnished() as street, _watched(street):
        yield street
        assert everything() == street.baseline


@contextmanager
def furnished() -> Iterator[Street]:
    with pytest.MonkeyPatch.context() as patch, own_tables(), settled_in(patch) as town:
        ours = _furnished(town)
        theirs = _furnished(Town(town.wechat, town.clock, town.door))
        yield Street(ours, theirs, everything())


@contextmanager
def _watched(street: Street) -> Iterator[None]:
    """Note every write that is sent in the block."""

    def note(model: Any, **_: Any) -> None:
        street.touched = street.touched or model.name in WRITES

    events = connection.client.meta.events
    events.register("before-call.dynamodb.*", note)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb.*", note)


def everything() -> Items:
    """Every item of the three tables."""
    found = {}
    for kind, base in BASES.items():
        pages = connection.client.get_paginator("scan")
        for page in pages.paginate(TableName=base.Meta.table_name, ConsistentRead=True):
            for item in page["Items"]:
                found[kind, item["pk"]["S"], item["sk"]["S"]] = item
    return found


def _kind(item: Mapping[str, Any] | None) -> str:
    return str((item or {})["kind"]["S"])


def _furnished(town: Town) -> Shop:
    activity = town.activity(seats=3, stock=50, product_stock=80, skus=2)
    group_id, leader, paid = town.open_group(activity)
    member, held = town.join(activity, group_id)
    pair = town.activity(seats=2, stock=10)
    formed_group_id, _, fulfilling = town.open_group(pair, leader)
    town.member(pair, formed_group_id)
    failed_refund = _refund_that_needs_a_person(town, leader)
    town.run_jobs(2)
    share = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "chat"})
    claim = {"amount_fen": 100, "reason": "damaged"}
    asked = leader.post(f"/v1/orders/{fulfilling}/after-sales", claim)
    assert asked.body["status"] == AfterSaleStatus.REQUESTED, asked.body
    for job in Role:
        town.staff(job)  # at work before a case begins
    clerk = f"clerk-{secrets.token_hex(4)}"
    people = ((OWNER, "owner"), (CLERK, "service"), (clerk, "service"))
    for username, role in (*people, (INVITED, "owner"), (DISABLED, "owner")):
        staff.add(
            town.merchant_id,
            username,
            name="店员",
            role=role,
            password=PASSWORD,
            staff="test",
            now_s=town.now_s,
            must_change=username == INVITED,
        )
    disabled = StaffItem.at(town.merchant_id, DISABLED)
    disabled.update(actions=[StaffItem.disabled.set(True)])
    return Shop(
        town=town,
        activity=activity,
        group_id=group_id,
        leader=leader,
        paid=paid,
        member=member,
        held=held,
        formed_group_id=formed_group_id,
        fulfilling=fulfilling,
        share_id=share.body["share_id"],
        failed_refund=failed_refund,
        after_sale_id=asked.body["after_sale_id"],
        outsider=town.buyer("路人"),
        export_id=_exported(town),
        picture_id=uploaded(town.owner(), photograph()),
        **_delivery(town, leader),
        result_id=_rejected_result(town),
        difference_id=_difference(town),
        clerk=clerk,
    )


def _delivery(town: Town, leader: Buyer) -> dict[str, str]:
    """A store with an order that waits in it, and a freight template."""
    owner, shelf = town.owner(), town.activity(stock=10, product_stock=20)
    store = {"name": "西湖店", "address": "文一西路 1 号", "phone": "0571-88880000"}
    store_id = owner.post("/v1/merchant/stores", store).body["store_id"]
    rule = {"first": 1, "first_fen": 800, "next": 1, "next_fen": 200}
    template = {"name": "标准运费", "measure": "piece", "rule": rule}
    made = owner.post("/v1/merchant/freight-templates", template).body
    collector = {"store_id": store_id, "name": "团长", "phone": "13800138000"}
    order_id = leader.buy_alone(shelf, delivery="pickup", address=None, pickup=collector).body[
        "order_id"
    ]
    town.pay(leader, order_id)
    ready = owner.post(f"/v1/merchant/orders/{order_id}/readiness")
    assert ready.body["status"] == "ready_for_pickup", ready.body
    return {
        "store_id": store_id,
        "template_id": made["template_id"],
        "pickup_code": leader.order(order_id)["pickup_code"],
    }


def _rejected_result(town: Town) -> str:
    told = {"number": f"not-ours-{town.merchant_id}", "amount_fen": 100}
    rejected_gateway_results.keep(
        town.merchant_id, "wechat_pay", "not_found", {}, told, now_s=town.now_s
    )
    (row,) = town.owner().get("/v1/merchant/rejected-results").body["items"]
    return str(row["result_id"])


def _difference(town: Town) -> str:
    item = ReconcilingItem.at(town.merchant_id, WECHAT_PAY, day="2026-11-01")
    found = Found(f"not-ours-{town.merchant_id}", Difference.UNKNOWN_PAYMENT)
    differences.keep(item, found, repaired=False, now_s=town.now_s)
    (row,) = town.owner().get("/v1/merchant/differences").body["items"]
    return str(row["difference_id"])


def _exported(town: Town) -> str:
    wanted = {"subject": "orders", "columns": ["order_id"]}
    export_id = town.owner().post("/v1/merchant/exports", wanted).body["export_id"]
    town.run_jobs()
    return str(export_id)


def _refund_that_needs_a_person(town: Town, leader: Buyer) -> str:
    _, _, order_id = town.open_group(town.activity(seats=2, stock=10), leader)
    town.wechat.faults.add("refund", "stays_processing")
    assert leader.cancel(order_id).status == 200
    town.run_jobs()
    town.wechat.settle_refunds(out_refund_no=f"{order_id}01F", status="ABNORMAL")
    assert town.wechat.quiet()
    (row,) = town.owner().get("/v1/merchant/refunds").body["items"]
    return str(row["out_refund_no"])
