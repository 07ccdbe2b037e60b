"""A small town to test in: one merchant, its products and activities, buyers, tills, a clock.

Requests go through the real routes, due work through the real jobs, money through the local
WeChat or Alipay over the loopback with real signatures. Only time is ours: it stands still until
moved.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, reduce
from operator import or_
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.api import auth
from chalicelib.domain import activity_draft, product
from chalicelib.domain.ids import OrderId, new_id
from chalicelib.gateways.accounts import FIRST
from chalicelib.gateways.directory import WECHAT_PAY, payment_gateway
from chalicelib.services.catalogue import categories, products, publishing
from chalicelib.services.people import merchants, sessions
from chalicelib.settings import settings
from chalicelib.tables.base import connection
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.records import RefusedCallbackItem
from chalicelib.tables.shop import StaffItem
from chalicelib.tables.trade import GroupItem, LimitItem, OrderItem, StockItem
from chalicelib.tables.trade_item import TradeItem
from infra.local import engine
from infra.local.alipay import Alipay
from infra.local.wechat import Wechat
from tests import laws, stored
from tests.callers import ADDRESS, Activity, Buyer, Caller, Door, Reply, at_once
from tests.minutes import Clock, run_every_job
from tests.tills import ALIPAY, AlipayTill, Till, WechatTill, local_alipay, local_wechat

__all__ = ["ADDRESS", "Activity", "Buyer", "Caller", "Reply", "Town", "at_once", "settled_in"]

DAY_S = 86400
BUCKETS_MAX = 8


class Town:
    """One merchant with everything around it. Buyers pay by Alipay where there is one."""

    def __init__(
        self, wechat: Wechat, time_of_day: Clock, door: Door, alipay: Alipay | None = None
    ) -> None:
        self.clock, self.wechat, self.door = time_of_day, wechat, door
        self.merchant_id = new_id()
        self.initial_stock: dict[str, int] = {}  # units that came with each product, by SKU
        self._hired: set[str] = set()  # roles that somebody has
        self.places: dict[str, str] = {}  # numbers at the gateway -> our account, once one changes
        merchants.create("果园小店", merchant_id=self.merchant_id, now_s=self.now_s)
        self.account = wechat.new_account(self.merchant_id)
        self.keep_wechat_pay_account(self.account.wechat_pay)
        self._keep_secret("wechat-login", self.account.wechat_login)
        self.till: Till = WechatTill(wechat, lambda: self.account)
        if alipay is not None:
            account = alipay.new_account(self.merchant_id)
            self._keep_secret("alipay", account.alipay)
            self.till = AlipayTill(alipay, lambda: account)
        category = categories.create(
            self.merchant_id, name="水果", position=1, staff="test", now_s=self.now_s
        )
        self.category_id = str(category.category_id)

    def change_account(self, label: str = "another", **how: Any) -> Any:
        """The owner saves another account at the gateway that buyers pay with; it, as the gateway
        knows it. label: one of its own for each account; how: see new_account."""
        self.places = self.places or {self.till.mchid: FIRST}
        account = self.till.new_account(f"{self.merchant_id} {label}", **how)
        content = account.wechat_pay if self.till.method == WECHAT_PAY else account.alipay
        return self.save_account(account, content)

    def save_account(self, account: Any, content: Mapping[str, Any]) -> Any:
        name = self.till.method.replace("_", "-")
        path = "/v1/merchant/payment-accounts"
        shown = self.owner().get(path).body["items"]
        revision = next(item["revision"] for item in shown if item["method"] == name)
        reply = self.owner().put(f"{path}/{name}", {**content, "revision": revision})
        assert reply.status == 200, reply.body
        self.till.use(account)
        gateway = payment_gateway(self.merchant_id, self.till.method)
        self.places[self.till.mchid] = gateway.place.account
        return account

    def keep_wechat_pay_account(self, account: Mapping[str, Any]) -> None:
        """Keep the merchant's account at WeChat Pay among its secrets, before it is first used."""
        self._keep_secret("wechat-pay", account)

    def _keep_secret(self, name: str, content: Mapping[str, Any]) -> None:
        _parameter_store().put_parameter(
            Name=f"{settings.parameters_prefix}/merchants/{self.merchant_id}/{name}",
            Value=json.dumps(content),
            Type="SecureString",
            Overwrite=True,
        )

    @property
    def now_s(self) -> int:
        return self.clock.now_s

    def visitor(self) -> Caller:
        return Caller(self.door)

    def staff(self, role: str = "owner") -> Caller:
        """Somebody with that role, and with a session as a login would have made it."""
        if role not in self._hired:
            item = StaffItem.at(self.merchant_id, role, name=role, role=role, password_hash="")
            item.save()
            sessions.forget(self.merchant_id, role)
            self._hired.add(role)
        token, _ = auth.staff_token(self.merchant_id, role, 1, now_s=self.now_s)
        return Caller(self.door, token)

    def rehire(self) -> None:
        """Whoever `staff` makes is again as hired, whatever has become of them."""
        self._hired.clear()

    def owner(self) -> Caller:
        return self.staff()

    def buyer(self, name: str = "小明") -> Buyer:
        """A new buyer with a session, as a login would have made them."""
        buyer_id, openid = new_id(), f"o{secrets.token_hex(8)}"
        BuyerItem.at(self.merchant_id, buyer_id, openid=openid, name=name).save()
        token = auth.buyer_token(self.merchant_id, buyer_id, name, now_s=self.now_s)
        return Buyer(self.door, token, self.merchant_id, buyer_id, self.till.method)

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
        """A running activity of a product of its own. stock, product_stock: units of each SKU."""
        kinds = [
            product.SkuDraft({"规格": f"{n + 1}斤装"}, 12900, 9900, stock=product_stock or stock)
            for n in range(skus)
        ]
        draft = product.ProductDraft("云南高原红颜草莓 新鲜现摘", self.category_id, tuple(kinds))
        made = products.create(self.merchant_id, draft, staff="test", now_s=self.now_s)
        sku_ids = tuple(sku["sku_id"] for sku in made.product.skus)
        self.initial_stock |= dict.fromkeys(sku_ids, product_stock or stock)
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
        self, activity: Activity, group_id: str, buyer: Buyer | None = None, **more: Any
    ) -> tuple[Buyer, str]:
        """(buyer, order_id) of a seat that is held."""
        buyer = buyer or self.buyer()
        reply = buyer.join(activity, group_id, **more)
        assert reply.status == 201, reply.body
        return buyer, reply.body["order_id"]

    def member(
        self, activity: Activity, group_id: str, buyer: Buyer | None = None, **more: Any
    ) -> tuple[Buyer, str]:
        """(buyer, order_id) of a seat that is paid."""
        buyer, order_id = self.join(activity, group_id, buyer, **more)
        self.pay(buyer, order_id)
        return buyer, order_id

    def prepay(self, buyer: Buyer, order_id: str) -> str:
        """What the buyer's phone would pay: a prepay id, or the trade of a page it opened."""
        reply = buyer.ask_to_pay(order_id)
        assert reply.status == 201, reply.body
        return self.till.key_of(reply.body["parameters"])

    def pay(self, buyer: Buyer, order_id: str, *, quietly: bool = True) -> str:
        """The buyer pays on the phone; returns the out_trade_no. Waits for the callback."""
        number = self.till.pay(self.prepay(buyer, order_id))
        if quietly:
            assert self.till.quiet()
        return number

    def pay_unheard(self, buyer: Buyer, order_id: str) -> str:
        """The buyer pays, and the callback is lost until it is sent again; the out_trade_no."""
        self.till.faults.add("payment_callback", "dropped")
        return self.pay(buyer, order_id)

    def pay_in_spite(self, out_trade_no: str, *, paid_at_s: int | None = None) -> None:
        """A payment that had expired or was closed is taken: what never happens, does."""
        self.till.pay_in_spite(out_trade_no, paid_at_s=paid_at_s)
        assert self.till.quiet()

    def resend(self, *numbers: str) -> None:
        """The gateway sends the callbacks of these numbers again, all at once."""
        for number in numbers:
            self.till.courier.resend(number)
        assert self.till.quiet()

    def run_jobs(self, times: int = 1) -> None:
        """Every scheduled function, as one minute runs them."""
        for _ in range(times):
            run_every_job()
            assert self.till.quiet()

    def wait(self, seconds: int, *, every_s: int = 60) -> None:
        """Time passes, and the jobs run every `every_s` seconds of it and at its end."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.clock.forward(min(every_s, end_s - self.now_s))
            self.run_jobs()

    def stored_order(self, order_id: str) -> OrderItem:
        parsed = OrderId.parse(order_id)
        assert parsed is not None
        key = OrderItem.at(self.merchant_id, parsed)
        return OrderItem.get(key.pk, key.sk, consistent_read=True)

    def stored_group(self, group_id: str) -> GroupItem:
        key = GroupItem.at(self.merchant_id, group_id)
        return GroupItem.get(key.pk, key.sk, consistent_read=True)

    def image(self, item: TradeItem) -> dict[str, Any]:
        """An item as it is stored: DynamoDB's own JSON, as the stream would carry it."""
        key = {"pk": {"S": item.pk}, "sk": {"S": item.sk}}
        answer = connection.client.get_item(
            TableName=TradeItem.Meta.table_name, Key=key, ConsistentRead=True
        )
        found: dict[str, Any] = answer["Item"]
        return found

    def stock(self, activity: Activity, sku_id: str | None = None) -> int:
        """Units in all buckets of one SKU."""
        sku = sku_id or activity.sku_id
        keys = [
            (StockItem.at(self.merchant_id, activity.activity_id, sku, n).pk, "stock")
            for n in range(BUCKETS_MAX)
        ]
        found = TradeItem.batch_get(keys, consistent_read=True)
        left = [item.available for item in found if isinstance(item, StockItem)]
        assert all(units >= 0 for units in left)
        return sum(left)

    def product_stock(self, activity: Activity, sku_id: str | None = None) -> int:
        """Units that no activity holds."""
        stocked = products.read(self.merchant_id, activity.product_id)
        return int(stocked.stocks[sku_id or activity.sku_id].available)

    def limit_used(self, activity: Activity, buyer: Buyer) -> int:
        """Units of the activity that count against the buyer's limit."""
        key = LimitItem.at(self.merchant_id, buyer.buyer_id, activity.activity_id)
        return LimitItem.get(key.pk, key.sk, consistent_read=True).used

    def money(self) -> dict[str, int]:
        """What the gateway's own ledger says, in fen, over all trades."""
        trades = self.till.ledger.summaries()
        names = ("captured_fen", "refunded_fen", "refunding_fen")
        return {name: sum(trade[name] for trade in trades) for name in names}

    def check_laws(self, *, quiescent: bool = True) -> None:
        """Everything that must hold of the merchant's items; by default also what must be done."""
        summaries = self.till.ledger.summaries()
        places = self.places or {self.till.mchid: FIRST}
        records = [stored.record_of(summaries, *place) for place in places.items()]
        ledger = reduce(or_, records)
        laws.check(
            self.merchant_id,
            ledger=ledger,
            initial_stock=self.initial_stock,
            now_s=self.now_s,
            quiescent=quiescent,
        )

    def refused_callbacks(self) -> list[tuple[str, dict[str, Any]]]:
        """(code, details) of the callbacks that were refused and kept."""
        kept = RefusedCallbackItem.query(f"{self.merchant_id}#callbacks", consistent_read=True)
        return [(row.code, row.details.as_dict()) for row in kept]


@contextmanager
def settled_in(monkeypatch: pytest.MonkeyPatch, *, paid_by: str = "wechat_pay") -> Iterator[Town]:
    """A town of its own, with WeChat (and Alipay, to pay by) beside it, and the clock stopped."""
    time_of_day, door = Clock(), Door()
    monkeypatch.setattr(clock, "now_s", lambda: time_of_day.now_s)
    wechat = local_wechat(time_of_day, door)
    alipay = local_alipay(time_of_day, door) if paid_by == ALIPAY else None
    try:
        yield Town(wechat, time_of_day, door, alipay)
    finally:
        wechat.stop()
        if alipay is not None:
            alipay.stop()


@lru_cache(maxsize=1)
def _parameter_store() -> Any:
    """One client for all towns: making one takes longer than many a test."""
    return engine.client("ssm", os.environ["AWS_ENDPOINT_URL"])
