"""A small town to test in: one merchant, its products and activities, buyers, WeChat, a clock.

Requests go through the real routes, due work through the real jobs, money through the local
WeChat over the loopback with real signatures. Only time is ours: it stands still until moved.
"""

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalice.test import Client

import app as application
from chalicelib import clock
from chalicelib.api import auth
from chalicelib.domain import activity_draft, product
from chalicelib.domain.ids import OrderId, new_id
from chalicelib.domain.order import Intent
from chalicelib.gateways import secrets as parameters
from chalicelib.services import categories, due, merchants, products, publishing
from chalicelib.settings import settings
from chalicelib.tables.trade import BuyerItem, GroupItem, OrderItem, StockItem, TradeItem
from infra.local import engine
from infra.local.wechat import Wechat

ADDRESS = {
    "name": "王小明",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "余杭区",
    "street": "文一西路969号西溪花园12幢2单元1603室",
}
JOBS = (
    application.fail_due_groups,
    application.release_unpaid_seats,
    application.drive_refunds,
    application.query_payments,
    application.close_activities,
)
DAY_S = 86400


class Clock:
    """Stands still at `now_s` until it is moved."""

    def __init__(self) -> None:
        self.now_s = int(time.time())

    def forward(self, seconds: int) -> None:
        self.now_s += seconds


@dataclass
class Reply:
    """An answer of the API."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])


@dataclass
class Caller:
    """Somebody with a session (or without) who calls the API."""

    client: Client
    token: str | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        raw = b""
        if body is not None:
            sent["Content-Type"] = "application/json"
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.client.http.request(method, path, headers=sent, body=raw)
        said = json.loads(answer.body) if answer.body else None
        return Reply(answer.status_code, said, {k.lower(): v for k, v in answer.headers.items()})

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call("POST", path, body, **headers)


@dataclass
class Buyer(Caller):
    """A buyer who is logged in."""

    merchant_id: str = ""
    buyer_id: str = ""
    activity: "Activity | None" = None
    placed: dict[str, str] = field(default_factory=dict)

    def open(self, activity: "Activity", *, key: str | None = None, **more: Any) -> Reply:
        body = {"sku_id": activity.sku_id, "address": ADDRESS, **more}
        key = key or secrets.token_hex(8)
        path = f"/v1/activities/{activity.activity_id}/groups"
        return self.post(path, body, Idempotency_Key=key)

    def join(self, activity: "Activity", group_id: str, **more: Any) -> Reply:
        hints = {"activity_id": activity.activity_id, "version": activity.version}
        body = {"sku_id": activity.sku_id, "address": ADDRESS, **hints, **more}
        return self.post(f"/v1/groups/{group_id}/seats", body)

    def buy_alone(self, activity: "Activity", *, key: str | None = None, **more: Any) -> Reply:
        body = {"sku_id": activity.sku_id, "address": ADDRESS, **more}
        path = f"/v1/activities/{activity.activity_id}/orders"
        return self.post(path, body, Idempotency_Key=key or secrets.token_hex(8))

    def ask_to_pay(self, order_id: str) -> Reply:
        return self.post(f"/v1/orders/{order_id}/payments", {"method": "wechat_pay"})

    def cancel(self, order_id: str) -> Reply:
        return self.post(f"/v1/orders/{order_id}/cancellation")

    def order(self, order_id: str) -> Any:
        return self.get(f"/v1/orders/{order_id}").body

    def messages(self) -> list[str]:
        """Keys of the buyer's messages, the latest order's first, oldest message first."""
        return [item["text_key"] for item in self.get("/v1/me/messages").body["items"]][::-1]


@dataclass(frozen=True)
class Activity:
    activity_id: str
    version: int
    product_id: str
    sku_id: str
    sku_ids: tuple[str, ...] = ()


class Town:
    """One merchant with everything around it."""

    def __init__(self, wechat: Wechat, time_of_day: Clock) -> None:
        self.clock, self.wechat = time_of_day, wechat
        self.client = Client(application.app)
        self.merchant_id = new_id()
        merchants.create("果园小店", merchant_id=self.merchant_id, now_s=self.now_s)
        account = wechat.new_account(self.merchant_id)
        self.account = account
        path = f"{settings.parameters_prefix}/merchants/{self.merchant_id}"
        engine.put_parameters(
            self.aws,
            {
                f"{path}/wechat-pay": json.dumps(account.wechat_pay),
                f"{path}/wechat-login": json.dumps(account.wechat_login),
            },
        )
        self.category_id = self._category()

    @property
    def aws(self) -> str:
        import os

        return os.environ["AWS_ENDPOINT_URL"]

    @property
    def now_s(self) -> int:
        return self.clock.now_s

    def _category(self) -> str:
        made = categories.create(
            self.merchant_id, name="水果", position=1, staff="test", now_s=self.now_s
        )
        return str(made.category_id)

    def visitor(self) -> Caller:
        return Caller(self.client)

    def owner(self) -> Caller:
        token = auth.staff_token(self.merchant_id, "owner", "owner", now_s=self.now_s)
        return Caller(self.client, token)

    def buyer(self, name: str = "小明") -> Buyer:
        """A new buyer with a session, as a login would have made them."""
        buyer_id, openid = new_id(), f"o{secrets.token_hex(8)}"
        BuyerItem.at(self.merchant_id, buyer_id, openid=openid, name=name).save()
        token = auth.buyer_token(self.merchant_id, buyer_id, name, now_s=self.now_s)
        return Buyer(self.client, token, self.merchant_id, buyer_id)

    def activity(
        self,
        *,
        seats: int = 3,
        stock: int = 100,
        price_fen: int = 5900,
        life_h: int = 24,
        limit_per_buyer: int = 0,
        limit_per_order: int = 5,
        days: int = 7,
        skus: int = 1,
        product_stock: int | None = None,
    ) -> Activity:
        """A running activity of a product of its own."""
        kinds = [
            product.SkuDraft({"规格": f"{n + 1}斤装"}, 12900, 9900, stock=product_stock or stock)
            for n in range(skus)
        ]
        draft = product.ProductDraft("云南高原红颜草莓 新鲜现摘", self.category_id, tuple(kinds))
        made = products.create(self.merchant_id, draft, staff="test", now_s=self.now_s)
        sku_ids = tuple(sku["sku_id"] for sku in made.product.skus)
        offer = activity_draft.Draft(
            product_id=made.product.product_id,
            title="周末三人团",
            skus=tuple(activity_draft.DraftSku(s, price_fen, stock) for s in sku_ids),
            seats_total=seats,
            life_h=life_h,
            ends_at_s=self.now_s + days * DAY_S,
            limit_per_buyer=limit_per_buyer,
            limit_per_order=limit_per_order,
        )
        item = publishing.publish(self.merchant_id, offer, staff="test", now_s=self.now_s)
        return Activity(
            item.activity_id, item.version, made.product.product_id, sku_ids[0], sku_ids
        )

    def open_group(
        self, activity: Activity, leader: Buyer | None = None, **more: Any
    ) -> tuple[str, Buyer, str]:
        """(group_id, leader, order_id) of a group whose leader has paid."""
        leader = leader or self.buyer("团长")
        reply = leader.open(activity, **more)
        assert reply.status == 201, reply.body
        order_id = reply.body["order_id"]
        self.pay(leader, order_id)
        return reply.body["group_id"], leader, order_id

    def join(
        self, activity: Activity, group_id: str, buyer: Buyer | None = None
    ) -> tuple[Buyer, str]:
        """(buyer, order_id) of a seat that is held."""
        buyer = buyer or self.buyer()
        reply = buyer.join(activity, group_id)
        assert reply.status == 201, reply.body
        return buyer, reply.body["order_id"]

    def prepay(self, buyer: Buyer, order_id: str) -> str:
        """The prepay id that the buyer's phone would pay."""
        reply = buyer.ask_to_pay(order_id)
        assert reply.status == 201, reply.body
        return str(reply.body["parameters"]["package"]).removeprefix("prepay_id=")

    def pay(self, buyer: Buyer, order_id: str, *, quietly: bool = True) -> str:
        """The buyer pays on the phone; returns the out_trade_no. Waits for the callback."""
        trade = self.wechat.pay(prepay_id=self.prepay(buyer, order_id))
        if quietly:
            assert self.wechat.quiet()
        return str(trade.out_trade_no)

    def run_jobs(self, times: int = 1) -> None:
        for _ in range(times):
            for intent in (
                Intent.QUERY,
                Intent.RELEASE,
                Intent.GROUP,
                Intent.REFUND,
                Intent.CLOSING,
            ):
                due.run(intent, now_s=self.now_s)
            assert self.wechat.quiet()

    def stored_order(self, order_id: str) -> OrderItem:
        parsed = OrderId.parse(order_id)
        assert parsed is not None
        key = OrderItem.at(self.merchant_id, parsed)
        return OrderItem.get(key.pk, key.sk, consistent_read=True)

    def stored_group(self, group_id: str) -> GroupItem:
        return GroupItem.get(
            GroupItem.at(self.merchant_id, group_id).pk, "group", consistent_read=True
        )

    def stock(self, activity: Activity, sku_id: str | None = None) -> int:
        """Units in all buckets of one SKU."""
        sku = sku_id or activity.sku_id
        keys = [
            (StockItem.at(self.merchant_id, activity.activity_id, sku, n).pk, "stock")
            for n in range(8)
        ]
        found = TradeItem.batch_get(keys, consistent_read=True)
        left = [item.available for item in found if isinstance(item, StockItem)]
        assert all(units >= 0 for units in left)
        return sum(left)


@contextmanager
def settled_in(monkeypatch: Any) -> Iterator[Town]:
    """A town of its own, with WeChat beside it, and the clock stopped."""
    time_of_day = Clock()
    monkeypatch.setattr(clock, "now_s", lambda: time_of_day.now_s)
    port = int(settings.wechat_pay_url.rpartition(":")[2])
    wechat = Wechat(port=port, now=lambda: float(time_of_day.now_s))
    client = Client(application.app)
    wechat.courier.send = lambda url, headers, body: _deliver(client, url, headers, body)
    wechat.start()
    try:
        yield Town(wechat, time_of_day)
    finally:
        wechat.stop()


def _deliver(client: Client, url: str, headers: dict[str, str], body: bytes) -> int:
    """A callback on its way to the route that it names."""
    path = url.removeprefix(parameters.secret("public-api-url"))
    answer = client.http.request("POST", path, headers=headers, body=body)
    return int(answer.status_code)
