"""What a busy shop has behind it: products, and a month of orders. A program of its own, for the
app reads its settings on import: the environment names the tables, the input what the shop has.

Products are created by the service that staff use. Orders are written as they would lie there by
now (formed and shipped, received, still to be shipped; or failed and refunded), for buying ten
thousand times takes an hour. No gateway has ever heard of them, so no money of theirs is under way.
"""

import datetime as dt
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib import clock
from chalicelib.domain.beijing import BEIJING, day_of
from chalicelib.domain.counts import Counted
from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.ids import BASE62, ID_LENGTH, OrderId, base62
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import (
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    entry_of,
    next_intent,
)
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.domain.shipping import Parcel
from chalicelib.services.catalogue import products
from chalicelib.services.orders.order_search import (
    PLACED,
    folded,
    name_words,
    phone_word,
    product_word,
    tracking_word,
)
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.counts import DayItem, TallyItem
from chalicelib.tables.records import FoundOrderItem, RecordItem, ShortNumberItem
from chalicelib.tables.trade import (
    GroupItem,
    OrderDetailItem,
    OrderItem,
    decided_groups_list,
    orders_list,
)
from chalicelib.tables.trade_item import TradeItem

PRODUCTS, ORDERS, BUYERS = 1_000, 10_000, 2_500
DAY_S, HOUR_S = 86_400, 3_600
PAST_S = 30 * DAY_S
TO_SHIP_S = 30 * HOUR_S  # what formed since then is still to be shipped
RECEIVED_S = 6 * DAY_S  # what formed before has been received
RECEIPT_AFTER_S = 10 * DAY_S
FAILED_OF_100 = 8
WORKERS = 8
PART = 500
SEED = 20261122
KINDS = ("苹果", "脐橙", "草莓", "石榴", "猕猴桃", "松茸", "花菇", "木耳", "土蜂蜜", "红枣茶")
PLACES = ("阿克苏", "赣南", "云南", "会理", "周至", "香格里拉", "古田", "长白山", "秦岭", "武夷山")
SIZES = ("小箱", "中箱", "大箱", "家庭装", "礼盒", "尝鲜装", "分享装", "整箱", "双拼", "定制装")
FAMILIES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "晓雨思远嘉怡子涵明轩静雯浩然佳琪志强雅婷文博欣悦"
CITIES = (("浙江省", "杭州市"), ("江苏省", "南京市"), ("广东省", "深圳市"), ("四川省", "成都市"))


def main() -> None:
    given, now_s = json.load(sys.stdin), clock.now_s()
    create_products(given, now_s)
    past = Past(given["merchant_id"], now_s)
    past.trade_with(given["activities"])
    past.write()


def create_products(given: dict[str, Any], now_s: int) -> None:
    images, categories = given["images"], given["category_ids"]

    def create(number: int) -> None:
        kind, place, size = number % 10, number // 10 % 10, number // 100 % 10
        price_fen = 1_990 + number * 37 % 20_000
        sku = SkuDraft(
            specs={"规格": SIZES[size]},
            list_price_fen=price_fen + 1_000,
            solo_price_fen=price_fen,
            stock=number * 13 % 200,
            code=f"DEMO-{number:04d}",
        )
        draft = ProductDraft(
            title=f"{PLACES[place]}{KINDS[kind]} {SIZES[size]}",
            category_id=categories[kind % len(categories)],
            images=tuple(image for image in [images[kind % len(images)]] if image),
            skus=(sku,),
            warn_below=10,
        )
        products.create(given["merchant_id"], draft, staff="system", now_s=now_s - number)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(create, range(PRODUCTS)))


class Past:
    """A month of trade. orders: what it has left behind, among other things."""

    def __init__(self, merchant_id: str, now_s: int) -> None:
        self._merchant_id, self._now_s = merchant_id, now_s
        self._chance = random.Random(SEED)
        self._counted: Counter[tuple[Counted, int]] = Counter()  # by the second
        self._tallied: Counter[tuple[str, Counted]] = Counter()
        people = [(self._id(), self._name()) for _ in range(BUYERS)]
        self._buyers = [
            BuyerItem.at(merchant_id, buyer_id, openid=f"demo-{buyer_id}", name=name)
            for buyer_id, name in people
        ]
        self.orders: list[OrderItem] = []
        self._trade: list[StoredItem] = [*self._buyers]
        self._records: list[StoredItem] = []
        self._numbers: dict[str, list[OrderId]] = {}

    def trade_with(self, activities: Sequence[Any]) -> None:
        """Groups of the activities until there are ORDERS."""
        left = ORDERS
        while left:
            activity = self._chance.choice(activities)
            failed = self._chance.randrange(100) < FAILED_OF_100
            members = min(left, activity["seats_total"] - int(failed))
            left -= members
            self._group(activity, self._chance.sample(self._buyers, members), failed=failed)

    def write(self) -> None:
        """Put all of it into the tables."""
        for base, items in ((TradeItem, [*self.orders, *self._trade]), (RecordItem, self._records)):
            parts = [items[start : start + PART] for start in range(0, len(items), PART)]
            with ThreadPoolExecutor(WORKERS) as pool:
                list(pool.map(lambda part, base=base: _put(base, part), parts))
        self._count()

    def _count(self) -> None:
        """Add what happened to the counters of its days and activities."""
        of_day: dict[dt.date, Counter[tuple[Counted, int]]] = {}
        for (counted, at_s), number in self._counted.items():
            hour = _hour(at_s)
            of_day.setdefault(day_of(at_s), Counter())[counted, hour] += number
        for day, sums in of_day.items():
            item = DayItem.at(self._merchant_id, day, 0)
            item.update(actions=item.adding(sums))
        for (activity_id, counted), number in self._tallied.items():
            tally = TallyItem.at(self._merchant_id, activity_id, 0)
            added = getattr(TallyItem, counted.value).add(number)
            tally.update(actions=[added, TallyItem.kind.set(TallyItem)])

    def _group(self, activity: Any, buyers: Sequence[BuyerItem], *, failed: bool) -> None:
        life_s = activity["life_h"] * HOUR_S
        opened_s = self._now_s - life_s - self._chance.randrange(PAST_S - life_s)
        decided_s = opened_s + (life_s if failed else self._chance.randrange(HOUR_S, life_s))
        status = GroupStatus.FAILED if failed else GroupStatus.FORMED
        group_id = self._id()
        orders = [
            self._order(activity, group_id, buyer, opened_s + 60 * place, decided_s, status)
            for place, buyer in enumerate(buyers)
        ]
        group = GroupItem.at(
            self._merchant_id,
            group_id,
            activity_id=activity["activity_id"],
            version=activity["version"],
            status=status.value,
            failed_reason=FailedReason.DUE.value if failed else None,
            members={order.buyer_id: order.order_no for order in orders},
            seats_total=len(orders) + int(failed),
            seats_paid=len(orders),
            leader_id=buyers[0].buyer_id,
            leader_name=buyers[0].name,
            body_hash="",
            life_s=life_s,
            ends_at_s=opened_s + life_s,
            expires_at_s=opened_s + life_s,
            decided_at_s=decided_s,
            list_key=decided_groups_list(self._merchant_id, status),
            list_rank=f"{decided_s:010d}#{group_id}",
        )
        self._trade.append(group)
        outcome = Counted.GROUPS_FAILED if failed else Counted.GROUPS_FORMED
        for counted, at_s in ((Counted.GROUPS_OPENED, opened_s), (outcome, decided_s)):
            self._counted[counted, at_s] += 1
            self._tallied[activity["activity_id"], counted] += 1

    def _order(
        self,
        activity: Any,
        group_id: str,
        buyer: BuyerItem,
        paid_s: int,
        decided_s: int,
        group_status: GroupStatus,
    ) -> OrderItem:
        order_id = OrderId(buyer.buyer_id, base62(paid_s - 30, 6) + base62(len(self.orders), 2))
        sku = self._chance.choice(activity["skus"])
        fen = sku["group_price_fen"]
        status = self._status(decided_s, group_status)
        shipped = status in (OrderStatus.SHIPPED, OrderStatus.COMPLETED)
        shipped_s = decided_s + DAY_S
        paid = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", fen, paid_s - 10, paid_at_s=paid_s)
        entries = [Entry("01", Movement.CAPTURED, fen, paid_s)]
        refunds = {}
        if status is OrderStatus.REFUNDED:
            key = f"01{RefundReason.FAILED_GROUP}"
            refunds[key] = entry_of(Refund(RefundStatus.SUCCEEDED, fen, decided_s))
            entries.append(Entry(key, Movement.REFUND_REQUESTED, fen, decided_s))
            entries.append(Entry(key, Movement.REFUNDED, fen, decided_s + 60))
            self._counted[Counted.REFUNDED_FEN, decided_s + 60] += fen
        else:
            entries.append(Entry("01", Movement.EARNED, fen, decided_s))
        order = OrderItem.at(
            self._merchant_id,
            order_id,
            group_id=group_id,
            activity_id=activity["activity_id"],
            version=activity["version"],
            product_id=activity["product_id"],
            sku_id=sku["sku_id"],
            status=status.value,
            title=activity["title"],
            quantity=1,
            total_fen=fen,
            pay_by_s=paid_s + 570,
            limited=False,
            payments={"01": entry_of(paid)},
            refunds=refunds,
            ledger={entry.key: entry.stored for entry in entries},
            posted={"01"},
            shipped=1 if shipped else None,
            receive_by_s=shipped_s + RECEIPT_AFTER_S if shipped else None,
            received_at_s=shipped_s + 4 * DAY_S if status is OrderStatus.COMPLETED else None,
            list_key=orders_list(self._merchant_id, status),
            list_rank=f"{paid_s:010d}#{order_id.order_no}",
        )
        intent = next_intent(order.view())
        self.orders.append(order if intent is None else order.marked(*intent))
        number = f"SF{self._chance.randrange(10**12, 10**13)}" if shipped else ""
        detail = self._detail(order_id, sku, activity, paid_s - 30, number, shipped_s)
        self._trade.append(detail)
        named = {w: folded(n) for n in (detail.address["name"], buyer.name) for w in name_words(n)}
        words = dict.fromkeys(
            [
                PLACED,
                phone_word(detail.address["phone"]),
                product_word(order.product_id),
                *([tracking_word(number)] if number else []),
            ]
        )
        for word, text in (words | named).items():
            row = FoundOrderItem.at(
                self._merchant_id,
                word,
                order_id.placed_at_s,
                str(order_id),
                group_id=group_id,
                text=text,
            )
            self._records.append(row)
        self._number(order)
        self._counted[Counted.PAID_FEN, paid_s] += fen
        self._counted[Counted.ORDERS_PAID, paid_s] += 1
        return order

    def _number(self, order: OrderItem) -> None:
        """As order_search.put_words does it: the later of two with one number has a serial."""
        number, of = order.short_no, order.order_id
        holders = self._numbers.setdefault(number, [])
        holders.append(of)
        serial = 0 if len(holders) == 1 else len(holders)
        order.short_serial = serial or None
        row = ShortNumberItem.at(self._merchant_id, number, serial, of.placed_at_s, str(of))
        self._records.append(row)

    def _status(self, decided_s: int, group_status: GroupStatus) -> OrderStatus:
        if group_status is GroupStatus.FAILED:
            return OrderStatus.REFUNDED
        ago_s = self._now_s - decided_s
        if ago_s < TO_SHIP_S:
            return OrderStatus.FULFILLING
        return OrderStatus.COMPLETED if ago_s > RECEIVED_S else OrderStatus.SHIPPED

    def _detail(
        self, order_id: OrderId, sku: Any, activity: Any, placed_s: int, number: str, shipped_s: int
    ) -> OrderDetailItem:
        province, city = self._chance.choice(CITIES)
        parcel = Parcel("1", "SF", number, 1, shipped_s, "xiaowu")
        fen = sku["group_price_fen"]
        return OrderDetailItem.at(
            self._merchant_id,
            order_id,
            address={
                "name": self._name(),
                "phone": f"138{self._chance.randrange(10**8):08d}",
                "province": province,
                "city": city,
                "district": "",
                "street": f"幸福路 {self._chance.randrange(1, 999)} 号",
            },
            lines={
                "title": activity["title"],
                "spec": sku["spec"],
                "image": activity["image"],
                "list_price_fen": sku["list_price_fen"],
                "unit_price_fen": fen,
                "quantity": 1,
                "freight_fen": 0,
                "total_fen": fen,
            },
            placed_at_s=placed_s,
            parcels=[parcel.stored] if number else None,
        )

    def _id(self) -> str:
        return "".join(self._chance.choices(BASE62, k=ID_LENGTH))

    def _name(self) -> str:
        return self._chance.choice(FAMILIES) + "".join(self._chance.choices(GIVEN, k=2))


def _hour(at_s: int) -> int:
    """The hour of the day in Beijing."""
    return dt.datetime.fromtimestamp(at_s, BEIJING).hour


def _put(base: Any, items: Sequence[StoredItem]) -> None:
    with base.batch_write() as batch:
        for item in items:
            batch.save(item)


if __name__ == "__main__":
    main()
