"""Rules of the shop machine: buyers ask for money back, return and exchange goods, staff decide.

Requests are for money alone, for a return or for an exchange of units; refused, agreed to, sent
back, received, replaced, withdrawn, or forgotten until they are closed. Of the requests the model
knows where each stands.
"""

import secrets
from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.after_sale import DAY_S, OPEN, STARTED, AfterSaleStatus, Kind, Reason
from chalicelib.domain.order import AFTER_SALE_LETTERS, OrderStatus
from chalicelib.services.after_sale import after_sale_decisions, after_sales, exchanges, returns
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.people import merchants
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import STAFF
from tests.laws.properties.fulfilment_rules import FulfilmentRules
from tests.laws.properties.machine import ANY
from tests.laws.properties.purchase_rules import PurchaseRules

RETURN_TO = "王师傅 13800138000 浙江省杭州市"
REFUSED = {"after_sale_refused"}
AGREED = (
    AfterSaleStatus.RETURN_AGREED,
    AfterSaleStatus.RETURNING,
    AfterSaleStatus.REPLACING,
    AfterSaleStatus.REPLACEMENT_SENT,
)
APPROVABLE = tuple(status for status in OPEN if status is not AfterSaleStatus.REPLACEMENT_SENT)


class AfterSaleRules(FulfilmentRules, PurchaseRules):
    """Rules for what is asked after the payment, and decided."""

    @precondition(lambda self: self.model.orders)
    @rule(which=ANY, kind=st.sampled_from(Kind), share=st.integers(0, 2), units=st.integers(1, 2))
    def ask_back(self, which: int, kind: Kind, share: int, units: int) -> None:
        order = self.an_order(which)
        left = order.view().refundable_fen
        units = 0 if kind is Kind.REFUND else units
        expected = self._refusals_to_ask_back(order, units)
        exchange = kind is Kind.EXCHANGE
        amount_fen = 0 if exchange else max(1, (1, left // 2, left)[share])
        words = secrets.token_hex(8)  # another claim each time
        claim = Claim(amount_fen, Reason.OTHER, words=words, units=units, exchange=exchange)
        made = self.answer(
            lambda: after_sales.request(
                self.shop.merchant_id, order.order_id, claim, now_s=self.shop.now_s
            ),
            expected,
        )
        if not expected:
            self.requests[made.order_id + made.letter] = AfterSaleStatus.REQUESTED
        self.settle_down(followed=False)

    @rule(
        buyer=ANY,
        kind=st.sampled_from([Kind.RETURN, Kind.EXCHANGE, Kind.EXCHANGE]),
        collected=st.booleans(),
        steps=st.integers(0, 5),
    )
    def deliver_and_ask_back(self, buyer: int, kind: Kind, collected: bool, steps: int) -> None:
        """Goods that came, and the usual steps of what is asked then: seldom drawn one by one."""
        new, requests = len(self.model.orders), len(self.requests)
        if collected:
            self.order_to_collect(buyer=buyer, pays=True)
        else:
            self.buy_alone(buyer=buyer, quantity=1)
        if len(self.model.orders) == new:
            return
        if collected:
            self.go_on_with_pickup(which=new)
            self.go_on_with_pickup(which=new)
        else:
            self.pay_alone(self.an_order(new))
            self.settle_down(followed=False)
            self.ship(which=new, whole=True)
        self.ask_back(which=new, kind=kind, share=2, units=1)
        if len(self.requests) == requests:
            return
        usual: list[Callable[[], None]] = [
            lambda: self.agree_to_return(which=requests),
            lambda: self.send_back(which=requests),
            lambda: self.receive_goods(which=requests, units=0),
            lambda: self.send_replacement(which=requests, corrects=False),
            lambda: self.hand_over_replacement(which=requests),
            lambda: self.confirm_replacement(which=requests),
        ]
        for step in usual[: steps + 1]:
            step()

    @precondition(lambda self: self.requests)
    @rule(which=ANY)
    def withdraw(self, which: int) -> None:
        asked = self.a_request(which)
        may = (AfterSaleStatus.REQUESTED, AfterSaleStatus.RETURN_AGREED, AfterSaleStatus.WITHDRAWN)
        self.decide(asked, after_sales.withdraw, AfterSaleStatus.WITHDRAWN, may)

    @precondition(lambda self: self.requests)
    @rule(which=ANY)
    def send_back(self, which: int) -> None:
        """The buyer sends the goods, or corrects the number of their parcel."""
        asked, number = self.a_request(which), f"SF{secrets.randbelow(10**13):013d}"
        may = (AfterSaleStatus.RETURN_AGREED, AfterSaleStatus.RETURNING)
        self.decide(asked, returns.send, AfterSaleStatus.RETURNING, may, "顺丰", number)

    @precondition(lambda self: self.requests)
    @rule(which=ANY)
    def agree_to_return(self, which: int) -> None:
        asked, now_is = self.a_request(which), self.standing(which)
        if now_is in AGREED:
            return self.decide(asked, returns.agree, now_is, (now_is,), staff=STAFF)
        units, sku_id = int(asked.units or 0), self.snapshot.orders[asked.order_id].sku_id
        enough = not asked.exchange or self.snapshot.product_stocks[sku_id].available >= units
        may = (AfterSaleStatus.REQUESTED,) if units and enough else ()
        return self.decide(asked, returns.agree, AfterSaleStatus.RETURN_AGREED, may, staff=STAFF)

    @precondition(lambda self: self.requests)
    @rule(which=ANY, units=st.integers(0, 2))
    def receive_goods(self, which: int, units: int) -> None:
        """Staff have the goods of an exchange; `units` of them are on sale again."""
        asked, now_is = self.a_request(which), self.standing(which)
        units = min(units, int(asked.units or 0))
        replacing, act = AfterSaleStatus.REPLACING, exchanges.receive_goods
        more = {"units_back": units, "staff": STAFF}
        if asked.exchange and asked.goods_at_s is not None and asked.units_back == units:
            return self.decide(asked, act, now_is, (now_is,), **more)
        comes_back = (AfterSaleStatus.RETURN_AGREED, AfterSaleStatus.RETURNING)
        return self.decide(asked, act, replacing, comes_back if asked.exchange else (), **more)

    @precondition(lambda self: self.requests)
    @rule(which=ANY, corrects=st.booleans())
    def send_replacement(self, which: int, corrects: bool) -> None:
        asked, sent = self.a_request(which), AfterSaleStatus.REPLACEMENT_SENT
        may: tuple[AfterSaleStatus, ...]
        may = (sent,) if corrects else (AfterSaleStatus.REPLACING,)
        may = may if asked.exchange and not asked.pickup else ()
        number, more = f"SF{secrets.randbelow(10**13):013d}", {"corrects": corrects, "staff": STAFF}
        self.decide(asked, exchanges.send_replacement, sent, may, "顺丰", number, **more)

    @precondition(lambda self: self.requests)
    @rule(which=ANY)
    def hand_over_replacement(self, which: int) -> None:
        asked, exchanged = self.a_request(which), AfterSaleStatus.EXCHANGED
        may = (AfterSaleStatus.REPLACING, exchanged) if asked.exchange and asked.pickup else ()
        self.decide(asked, exchanges.hand_over, exchanged, may, staff=STAFF)

    @precondition(lambda self: self.requests)
    @rule(which=ANY)
    def confirm_replacement(self, which: int) -> None:
        asked, exchanged = self.a_request(which), AfterSaleStatus.EXCHANGED
        may = (AfterSaleStatus.REPLACEMENT_SENT, exchanged) if asked.exchange else ()
        self.decide(asked, exchanges.confirm, exchanged, may)

    @precondition(lambda self: self.requests)
    @rule(which=ANY)
    def refuse_after_sale(self, which: int) -> None:
        more = {"reply": secrets.token_hex(8), "staff": STAFF}
        may = (AfterSaleStatus.REQUESTED, AfterSaleStatus.RETURNING)
        refused = AfterSaleStatus.REFUSED
        self.decide(self.a_request(which), after_sale_decisions.refuse, refused, may, **more)

    @precondition(lambda self: self.requests)
    @rule(which=ANY, whole=st.booleans(), units=st.integers(0, 2))
    def approve_after_sale(self, which: int, whole: bool, units: int) -> None:
        """Staff give back what was asked or less, with the goods or without them."""
        asked, now_is = self.a_request(which), self.standing(which)
        mine, known = self.model.orders[asked.order_id], self.snapshot.orders[asked.order_id].view()
        sent = now_is in (AfterSaleStatus.RETURNING, AfterSaleStatus.REPLACING)
        came_back = int(asked.units or 0) if sent else 0
        units = min(units, came_back or known.units.may_go_back, asked.units or units)
        if now_is is AfterSaleStatus.REPLACING:
            units = int(asked.units_back or 0)  # they are on sale already
        amount_fen = asked.amount_fen if whole else max(1, asked.amount_fen // 2)
        repeated = now_is is AfterSaleStatus.APPROVED and (amount_fen, units) == (
            asked.amount_fen,
            asked.units_back,
        )
        may = (AfterSaleStatus.APPROVED,) if repeated else APPROVABLE
        more = {"amount_fen": amount_fen, "units_back": units, "staff": STAFF}
        approved = AfterSaleStatus.APPROVED
        if now_is in APPROVABLE:
            before = known.units
            after = before.sent_back(came_back, units) if came_back else before.given_back(units)
            if amount_fen == known.refundable_fen or after.all_back:
                mine.status = OrderStatus.REFUNDING
            elif mine.status is OrderStatus.FULFILLING and after.to_deliver == 0:
                mine.status = OrderStatus.SHIPPED
        self.decide(asked, after_sale_decisions.approve, approved, may, **more)

    def decide(
        self,
        asked: AfterSaleItem,
        act: Callable[..., Any],
        then: AfterSaleStatus,
        may: tuple[AfterSaleStatus, ...],
        *what: Any,
        **more: Any,
    ) -> None:
        """What brings a request into another status, if it stands in one of which it may."""
        order_id = self.snapshot.orders[asked.order_id].order_id
        key, now_s = asked.order_id + asked.letter, self.shop.now_s
        expected = set() if self.requests[key] in may else REFUSED
        self.answer(
            lambda: act(self.shop.merchant_id, order_id, asked.letter, *what, **more, now_s=now_s),
            expected,
        )
        if not expected:
            hypothesis.event(f"{asked.asks_for}: {then}")
            self.requests[key] = then
        self.settle_down(followed=False)

    def follow_requests(self) -> None:
        """Hold the requests to what was foretold; what was not sent in time is closed,
        and a replacement counts as received once its time has passed."""
        for asked in (item for items in self.snapshot.after_sales.values() for item in items):
            key, is_now = asked.order_id + asked.letter, AfterSaleStatus(asked.status)
            if asked.by_staff is not None:
                continue
            known = self.requests[key]
            if known is AfterSaleStatus.RETURN_AGREED and is_now is AfterSaleStatus.EXPIRED:
                assert self.shop.now_s >= (asked.return_by_s or 0), f"{key} expired too early"
                self.requests[key] = known = is_now
            if known is AfterSaleStatus.REPLACEMENT_SENT and is_now is AfterSaleStatus.EXCHANGED:
                assert self.shop.now_s >= (asked.receive_by_s or 0), f"{key} received too early"
                self.requests[key] = known = is_now
            assert is_now is known, f"request {key}: {is_now}, not {known}"
            named = self.snapshot.orders[asked.order_id].after_sale == asked.letter
            assert named is (is_now in OPEN), f"request {key} is {is_now}, named: {named}"

    def take_returns(self) -> None:
        """Say where buyers send goods back to."""
        item = merchants.read(self.shop.merchant_id)
        item.update(actions=[MerchantItem.return_address.set(RETURN_TO)])

    def a_request(self, which: int) -> AfterSaleItem:
        key = list(self.requests)[which % len(self.requests)]
        asked = self.snapshot.after_sales[key[:-1]]
        return next(item for item in asked if item.letter == key[-1])

    def standing(self, which: int) -> AfterSaleStatus:
        asked = self.a_request(which)
        return self.requests[asked.order_id + asked.letter]

    def _refusals_to_ask_back(self, order: OrderItem, units: int) -> set[str]:
        mine, known = self.model.orders[str(order.order_id)], order.view()
        if order.after_sale is not None or mine.status not in STARTED:
            return REFUSED
        seat = known.seat_payment
        if seat is None or known.refundable_fen <= 0:
            return REFUSED
        days = merchants.read(self.shop.merchant_id).after_sale_days or 0
        if self.shop.now_s - seat[1].paid_at_s > days * DAY_S:
            return REFUSED
        if units and known.units.with_buyer <= 0:
            return REFUSED
        if units > known.units.with_buyer:
            return {"invalid_request"}
        used = len(self.snapshot.after_sales.get(str(order.order_id), ()))
        return REFUSED if used >= len(AFTER_SALE_LETTERS) else set()
