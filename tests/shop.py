"""A shop to race in and to break: tables of its own, gateways in memory, time in its own hands.

Where tests.support.Town goes through the routes, a Shop calls the services, so that a thousand
rounds are cheap. Its tables hold nothing else: a check reads them whole, and jobs find no work
that another test left.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from chalicelib.domain import activity_draft, product
from chalicelib.domain.ids import OrderId, new_id, out_trade_no
from chalicelib.domain.order import Intent, RefundStatus
from chalicelib.gateways.accounts import Place
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import Trade
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.catalogue import (
    activities,
    categories,
    products,
    publishing,
)
from chalicelib.services.groups import releases, seats
from chalicelib.services.groups.seats import Hint
from chalicelib.services.money import captures, payments, refunds
from chalicelib.services.money.captures import Outcome
from chalicelib.services.orders import orders
from chalicelib.services.orders.ordering import Purchase
from chalicelib.services.people import merchants
from chalicelib.services.work import due
from chalicelib.tables.base import StoredItem, put_new, retried
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.trade import GroupItem, OrderItem, StockItem
from chalicelib.tables.trade_item import TradeItem
from tests import laws
from tests.caches import clear_caches
from tests.crowd import patiently
from tests.gateway import FakeGateway, Record, plugged_in
from tests.own_tables import own_tables
from tests.stored import Books

NOW_S = 1_790_000_000
DAY_S = 86400
LIFE_S = 24 * 3600
PAY_BY_S = merchants.PAY_BY_S
GRACE_S = 60
TIME_TO_PAY_S = 90
OTHER_PAY = "other_pay"
STAFF = "test"
ADDRESS = {
    "name": "王小明",
    "phone": "13800138000",
    "province": "浙江省",
    "street": "文一西路969号",
}
# As the schedules would, and as the stream would: every kind in turn.
JOBS = (
    Intent.QUERY,
    Intent.RELEASE,
    Intent.GROUP,
    Intent.REFUND,
    Intent.CLOSING,
    Intent.RECEIPT,
    Intent.RECONCILE,
    Intent.EXPORT,
)


@dataclass(frozen=True)
class Sold:
    """A running activity, and what was put into it."""

    activity_id: str
    version: int
    product_id: str
    sku_id: str

    @property
    def hint(self) -> Hint:
        return Hint(self.activity_id, self.version)


class Shop:
    """One merchant. `initial_stock`: units ever brought in, by SKU. `tills`: its accounts by
    method, the present one last."""

    def __init__(self) -> None:
        self.now_s = NOW_S
        self.merchant_id = new_id()
        self.tills = {method: [FakeGateway(method)] for method in (WECHAT_PAY, OTHER_PAY)}
        self.initial_stock: dict[str, int] = {}
        merchants.create("果园小店", merchant_id=self.merchant_id, now_s=self.now_s)
        made = categories.create(
            self.merchant_id, name="水果", position=1, staff=STAFF, now_s=self.now_s
        )
        self.category_id = str(made.category_id)

    @property
    def gateway(self) -> FakeGateway:
        return self.tills[WECHAT_PAY][-1]

    @property
    def other_gateway(self) -> FakeGateway:
        return self.tills[OTHER_PAY][-1]

    @property
    def gateways(self) -> list[FakeGateway]:
        """All accounts that the shop ever had."""
        return [gateway for tills in self.tills.values() for gateway in tills]

    def account(self, method: str, account: str | None) -> FakeGateway:
        """What the services find: the account of that id, or the present one."""
        for gateway in reversed(self.tills[method]):
            if account in (None, gateway.place.account):
                return gateway
        raise NotConfigured(parameter=f"{method} {account}")

    def change_account(self, method: str = WECHAT_PAY) -> FakeGateway:
        """The owner saves another account, which is the present one from now on."""
        account = f"account{len(self.tills[method])}"
        before = self.tills[method][-1]
        gateway = FakeGateway(method, Place(account, account))
        gateway.silent, gateway.confirms_at_once = set(before.silent), before.confirms_at_once
        gateway.around = before.around
        self.tills[method].append(gateway)
        return gateway

    def gateway_of(self, number: str) -> FakeGateway:
        """Where a payment, or the payment of a refund, was begun."""
        return next(g for g in self.gateways if g.knows(number))

    @property
    def record(self) -> Record:
        """What all gateways have in their books, at all accounts."""
        return reduce(or_, (gateway.record for gateway in self.gateways))

    def activity(
        self,
        *,
        seats: int = 3,
        stock: int = 100,
        product_stock: int | None = None,
        price_fen: int = 5900,
        limit_per_buyer: int = 0,
        limit_per_order: int = 5,
        days: int = 7,
    ) -> Sold:
        """A running activity of a product of its own."""
        units = product_stock or stock
        sku = product.SkuDraft({"规格": "3斤装"}, 12900, 9900, stock=units)
        draft = product.ProductDraft("云南高原红颜草莓", self.category_id, (sku,))
        made = products.create(self.merchant_id, draft, staff=STAFF, now_s=self.now_s)
        sku_id = made.product.skus[0]["sku_id"]
        offer = activity_draft.Draft(
            product_id=made.product.product_id,
            title="周末一起拼",
            skus=(activity_draft.DraftSku(sku_id, price_fen, stock),),
            seats_total=seats,
            life_h=LIFE_S // 3600,
            ends_at_s=self.now_s + days * DAY_S,
            limit_per_buyer=limit_per_buyer,
            limit_per_order=limit_per_order,
        )
        item = publishing.publish(self.merchant_id, offer, staff=STAFF, now_s=self.now_s)
        self.initial_stock[sku_id] = units
        return Sold(item.activity_id, item.version, made.product.product_id, sku_id)

    def edit(self, sold: Sold, **changes: Any) -> None:
        """Publish the next version of an activity's terms: fields of activity_draft.Draft."""
        now = activities.read(self.merchant_id, sold.activity_id)
        skus = tuple(activity_draft.DraftSku(s["sku_id"], s["group_price_fen"]) for s in now.skus)
        draft = activity_draft.Draft(
            product_id=now.product_id,
            title=now.title,
            skus=skus,
            seats_total=now.seats_total,
            life_h=now.life_h,
            ends_at_s=now.ends_at_s,
            limit_per_buyer=now.limit_per_buyer,
            limit_per_order=now.limit_per_order,
        )
        publishing.change(
            self.merchant_id,
            sold.activity_id,
            replace(draft, **changes),
            revision=now.revision,
            staff=STAFF,
            now_s=self.now_s,
        )
        clear_caches()

    def buyer(self) -> str:
        buyer_id = new_id()
        item = BuyerItem.at(self.merchant_id, buyer_id, openid=f"o{buyer_id}", name="小明")
        retried(lambda: put_new(item))
        return buyer_id

    def open(
        self, sold: Sold, buyer_id: str, *, quantity: int = 1, key: str | None = None
    ) -> OrderItem:
        return seats.open_group(
            self.merchant_id,
            buyer_id,
            "小明",
            sold.activity_id,
            purchase(sold, quantity),
            key=key or secrets.token_hex(8),
            now_s=self.now_s,
        )

    def join(
        self,
        sold: Sold,
        group_id: str,
        buyer_id: str,
        *,
        quantity: int = 1,
        now_s: int | None = None,
    ) -> OrderItem:
        now_s = self.now_s if now_s is None else now_s
        return seats.join(
            self.merchant_id,
            buyer_id,
            group_id,
            purchase(sold, quantity),
            hint=sold.hint,
            now_s=now_s,
        )

    def buy_alone(
        self, sold: Sold, buyer_id: str, *, quantity: int = 1, key: str | None = None
    ) -> OrderItem:
        return orders.buy_alone(
            self.merchant_id,
            buyer_id,
            sold.activity_id,
            purchase(sold, quantity),
            key=key or secrets.token_hex(8),
            now_s=self.now_s,
        )

    def ask(self, order: OrderItem, method: str = WECHAT_PAY) -> str:
        """Ask to pay; the number of the attempt that the gateway now knows."""
        asked = payments.ask(self.merchant_id, order.order_id, method, now_s=self.now_s)
        return asked.parameters.get("package", "").removeprefix("prepay_id=")

    def capture(self, order: OrderItem, *, at_s: int | None = None) -> Trade:
        """The buyer asks and pays; the callback is still on its way."""
        number = patiently(lambda: self.ask(order))
        return self.gateway.pay(number, at_s=self.now_s if at_s is None else at_s)

    def hear(self, trade: Trade, method: str = WECHAT_PAY, *, now_s: int | None = None) -> Outcome:
        """The callback of a payment, from the account that took it."""
        now_s = self.now_s if now_s is None else now_s
        tills = self.tills.get(method, ())
        took = [g.place.account for g in tills if g.knows(trade.out_trade_no)]
        account = took[0] if took else ""
        return captures.record(self.merchant_id, trade, method, account=account, now_s=now_s)

    def pay(self, order: OrderItem) -> Outcome:
        trade = self.capture(order)
        return patiently(lambda: self.hear(trade))

    def opened(self, sold: Sold, *, quantity: int = 1) -> str:
        """The id of a group whose leader has paid."""
        leader, key = patiently(self.buyer), secrets.token_hex(8)
        order = patiently(lambda: self.open(sold, leader, quantity=quantity, key=key))
        patiently(lambda: self.pay(order))
        return str(order.group_id)

    def cancel(self, order: OrderItem) -> None:
        releases.cancel(self.merchant_id, order.order_id, now_s=self.now_s)

    def confirm(self, out_refund_no: str) -> RefundStatus | None:
        """The gateway confirms a refund and calls back; None when it has none to confirm."""
        gateway = self.gateway_of(out_refund_no)
        said = gateway.settle(out_refund_no) or gateway.refund_state(out_refund_no)
        return refunds.hear(self.merchant_id, said, now_s=self.now_s)

    def run_jobs(self, times: int = 1, *, forward_s: int = 0) -> None:
        for _ in range(times):
            self.now_s += forward_s
            for intent in JOBS:
                due.run(intent, now_s=self.now_s)

    def check(self, *, quiescent: bool = False, items: Sequence[StoredItem] | None = None) -> Books:
        """Hold the shop to every law; `items`: its own, when they have been read already."""
        return laws.check(
            self.merchant_id,
            ledger=self.record,
            initial_stock=self.initial_stock,
            now_s=self.now_s,
            quiescent=quiescent,
            items=items,
        )

    def order(self, order_id: OrderId) -> OrderItem:
        return orders.get(self.merchant_id, order_id)

    def group(self, group_id: str) -> GroupItem:
        found = orders.find_group(self.merchant_id, group_id)
        assert found is not None
        return found

    def left(self, sold: Sold) -> int:
        """Units that the activity has left, over all buckets."""
        key = f"{self.merchant_id}#S#{sold.activity_id}#"
        items = TradeItem.scan(TradeItem.pk.startswith(key), consistent_read=True)
        return sum(item.available for item in items if isinstance(item, StockItem))


def purchase(sold: Sold, quantity: int = 1) -> Purchase:
    return Purchase(sku_id=sold.sku_id, quantity=quantity, address=ADDRESS)


def number_of(order: OrderItem, attempt: str = "01") -> str:
    return out_trade_no(order.order_id, attempt)


@contextmanager
def new_shops() -> Iterator[Callable[[], Shop]]:
    """What makes shops, all in the same new tables, each with gateways of its own plugged in."""
    shops: dict[str, Shop] = {}

    def make() -> Shop:
        shop = Shop()
        shops[shop.merchant_id] = shop
        return shop

    finders = {
        method: lambda merchant_id, account, method=method: shops[merchant_id].account(
            method, account
        )
        for method in (WECHAT_PAY, OTHER_PAY)
    }
    with own_tables(), plugged_in(finders):
        yield make


@contextmanager
def new_shop() -> Iterator[Shop]:
    """A shop in tables of its own."""
    with new_shops() as make:
        yield make()
