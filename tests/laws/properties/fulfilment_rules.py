"""Rules of the shop machine: what staff do to orders by hand, before and after their payment.

Orders are shipped whole or in parts, or collected; refunded by the shop with and without units;
made cheaper or closed while they are unpaid.
"""

import secrets
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.after_sale import STARTED
from chalicelib.domain.order import AFTER_SALE_LETTERS, Delivery, OrderStatus
from chalicelib.services.after_sale import shop_refunds
from chalicelib.services.fulfilment import pickups, receipts, shipping
from chalicelib.services.groups import order_closing
from chalicelib.services.money import price_changes
from chalicelib.services.orders import solo_orders
from chalicelib.services.orders.ordering import Purchase
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import STAFF
from tests.fixtures.table_snapshot import GIVEN_BACK
from tests.laws.faults.workflows.delivery import new_store
from tests.laws.properties.machine import ANY, Machine

HAS_ORDERS = precondition(lambda self: self.model.orders)


class FulfilmentRules(Machine):
    """Rules for staff and the orders that they see to."""

    store_id = ""

    @rule(buyer=ANY, pays=st.booleans())
    def order_to_collect(self, buyer: int, pays: bool) -> None:
        self.store_id = self.store_id or new_store(self.shop)
        who = self.buyers[buyer % len(self.buyers)]
        purchase = Purchase(
            sku_id=self.sold.sku_id,
            quantity=self.activity.limit_per_order,
            address={"name": "王小明", "phone": "13800138000"},
            delivery=Delivery.PICKUP,
            store_id=self.store_id,
        )
        expected = self.model.refusals_to_buy_alone(
            self.activity, who, purchase.quantity, self.snapshot
        )
        key = secrets.token_hex(8)
        order = self.answer(
            lambda: solo_orders.buy_alone(
                self.shop.merchant_id,
                who,
                self.sold.activity_id,
                purchase,
                key=key,
                now_s=self.shop.now_s,
            ),
            expected,
        )
        if isinstance(order, OrderItem):
            self.place(order, self.activity)
            if pays:
                self.pay_alone(order)
        self.settle_down(followed=False)

    def pay_alone(self, order: OrderItem) -> None:
        """Pay an order that was bought alone, unless the gateways are silent."""
        if not self.silent:
            self.shop.pay(order)
            self.model.orders[str(order.order_id)].status = OrderStatus.FULFILLING
            self.model.orders[str(order.order_id)].heard.add(f"{order.order_id}01")

    @HAS_ORDERS
    @rule(which=ANY, whole=st.booleans())
    def ship(self, which: int, whole: bool) -> None:
        order = self.an_order(which)
        mine = self.model.orders[str(order.order_id)]
        may = mine.status is OrderStatus.FULFILLING and not order.pickup
        may = may and order.after_sale is None
        left = order.units.to_deliver
        given = shipping.draft(
            "顺丰", f"SF{secrets.randbelow(10**13):013d}", None if whole or left < 2 else 1
        )
        self.answer(
            lambda: shipping.ship(
                self.shop.merchant_id, order.order_id, given, staff=STAFF, now_s=self.shop.now_s
            ),
            set() if may else {"shipping_refused"},
        )
        if may and left == (given.units or left):
            mine.status = OrderStatus.SHIPPED
        self.settle_down(followed=False)

    @HAS_ORDERS
    @rule(which=ANY)
    def go_on_with_pickup(self, which: int) -> None:
        """What waits in the store is handed over; else it is made ready, if it may be."""
        order = self.an_order(which)
        mine = self.model.orders[str(order.order_id)]
        at: dict[str, Any] = {"staff": STAFF, "now_s": self.shop.now_s}
        if mine.status is OrderStatus.READY_FOR_PICKUP:
            code = str(self.snapshot.details[str(order.order_id)].pickup_code)
            disputed = order.after_sale is not None
            self.answer(
                lambda: pickups.hand_over(self.shop.merchant_id, code, **at),
                {"pickup_refused"} if disputed else set(),
            )
            if not disputed:
                mine.status = OrderStatus.COMPLETED
        else:
            may = bool(order.pickup) and mine.status is OrderStatus.FULFILLING
            may = may and order.after_sale is None
            done = bool(order.pickup) and mine.status is OrderStatus.COMPLETED
            self.answer(
                lambda: pickups.make_ready(self.shop.merchant_id, order.order_id, **at),
                set() if may or done else {"pickup_refused"},
            )
            if may:
                mine.status = OrderStatus.READY_FOR_PICKUP
        self.settle_down(followed=False)

    @HAS_ORDERS
    @rule(which=ANY, share=st.integers(0, 2), units=st.integers(0, 2))
    def refund_by_the_shop(self, which: int, share: int, units: int) -> None:
        order = self.an_order(which)
        mine, known = self.model.orders[str(order.order_id)], order.view()
        left, before = known.refundable_fen, known.units
        may = mine.status in {*STARTED, *GIVEN_BACK} and left > 0 and order.after_sale is None
        amount_fen = max(1, (1, left // 2, left)[share])
        units = min(units, before.may_go_back)
        if len(self.snapshot.after_sales.get(str(order.order_id), ())) >= len(AFTER_SALE_LETTERS):
            return
        self.answer(
            lambda: shop_refunds.refund(
                self.shop.merchant_id,
                order.order_id,
                amount_fen=amount_fen,
                units_back=units,
                reason="缺货",
                key=secrets.token_hex(8),
                staff=STAFF,
                now_s=self.shop.now_s,
            ),
            set() if may else {"after_sale_refused"},
        )
        if may:
            unsent = min(units, before.to_deliver)
            all_money = amount_fen == left and not known.has_free_goods
            if all_money or units == before.may_go_back:
                mine.status = OrderStatus.REFUNDING
            elif mine.status is OrderStatus.FULFILLING and unsent == before.to_deliver:
                mine.status = OrderStatus.SHIPPED
        self.settle_down(followed=False)

    @HAS_ORDERS
    @rule(which=ANY, less_fen=st.sampled_from([1, 100, 5899]))
    def lower_a_price(self, which: int, less_fen: int) -> None:
        order = self.an_order(which)
        mine = self.model.orders[str(order.order_id)]
        total_fen = order.total_fen - less_fen
        expected = self._refusals_of_unpaid(order, late="order_closed", wrong=total_fen < 1)
        self.answer(
            lambda: price_changes.lower(
                self.shop.merchant_id, order.order_id, total_fen, staff=STAFF, now_s=self.shop.now_s
            ),
            expected,
        )
        if not expected:
            mine.total_fen = total_fen
        self.settle_down(followed=bool(expected))

    @HAS_ORDERS
    @rule(which=ANY)
    def close_unpaid(self, which: int) -> None:
        order = self.an_order(which)
        order_id, mine = str(order.order_id), self.model.orders[str(order.order_id)]
        expected = self._refusals_of_unpaid(order)
        if mine.status is OrderStatus.CLOSED:
            expected = set()
        self.answer(
            lambda: order_closing.close_by_shop(
                self.shop.merchant_id, order.order_id, "缺货", staff=STAFF, now_s=self.shop.now_s
            ),
            expected,
        )
        if not expected and mine.status is OrderStatus.PENDING:
            self.model.close(order_id)
        self.settle_down(followed=bool(expected))

    def receive_all(self, who: str, quantity: int) -> None:
        """An order that was bought alone is paid, sent, and received: its buyer grows by it."""
        order = self.shop.buy_alone(self.sold, who, quantity=quantity)
        self.place(order, None)
        self.pay_alone(order)
        sent = shipping.draft("顺丰", f"SF{secrets.randbelow(10**13):013d}", None)
        at: dict[str, Any] = {"now_s": self.shop.now_s}
        shipping.ship(self.shop.merchant_id, order.order_id, sent, staff=STAFF, **at)
        receipts.confirm(self.shop.merchant_id, order.order_id, **at)
        self.model.orders[str(order.order_id)].status = OrderStatus.COMPLETED

    def _refusals_of_unpaid(
        self, order: OrderItem, *, late: str = "", wrong: bool = False
    ) -> set[str]:
        """Why staff cannot change an unpaid order; captures that gateways tell of are heard."""
        mine, attempts = self.model.orders[str(order.order_id)], order.view().created_attempts
        if mine.status is OrderStatus.CLOSED:
            return {"order_closed"}
        if mine.status is not OrderStatus.PENDING:
            return {"already_paid"}
        if late and self.shop.now_s >= order.pay_by_s:
            return {late}
        if wrong:
            return {"invalid_request"}
        if self.silent and attempts:
            return {"payment_unsettled"}
        for attempt in attempts:
            number = f"{order.order_id}{attempt}"
            if number in self.shop.record.captured:
                self.model.notify(str(order.order_id), self.trade(number), self.shop.now_s)
        return {"already_paid"} if mine.status is not OrderStatus.PENDING else set()
