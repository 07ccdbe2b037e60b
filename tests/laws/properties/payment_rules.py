"""Rules of the shop machine: buyers pay and cancel, gateways answer, are silent, refuse refunds.

Of what a gateway refused, staff send it again or pay it in another way.
"""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.manual_refund import ManualRefundMethod
from chalicelib.domain.order import RefundStatus
from chalicelib.errors import Conflict, GatewayFailed, InvalidRequest
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import Channel
from chalicelib.services.money import payments, refund_recovery, refunds
from chalicelib.services.money.payers import Payer
from chalicelib.services.money.refund_recovery import ManualPayment
from tests.fixtures.shop import OTHER_PAY, STAFF
from tests.laws.properties.machine import ANY, Machine

ACCOUNTS_MAX = 5  # of both methods together
SILENT = {"prepay", "query", "close", "refund", "query_refund"}


class PaymentRules(Machine):
    """Rules for who pays, and for the gateways."""

    @precondition(lambda self: self.model.orders)
    @rule(
        order=ANY,
        method=st.sampled_from([WECHAT_PAY, WECHAT_PAY, OTHER_PAY]),
        channel=st.sampled_from([Channel.MINI_PROGRAM, Channel.MINI_PROGRAM, Channel.BROWSER]),
    )
    def ask(self, order: int, method: str, channel: Channel = Channel.MINI_PROGRAM) -> None:
        item = self.an_order(order)
        order_id, free = str(item.order_id), item.total_fen == 0
        now_s = self.shop.now_s
        open_attempts = item.view().created_attempts.items()
        present = (method, self.shop.gateways_by_method[method][-1].place.account)
        here = [p.channel for _, p in open_attempts if (p.method, p.account) == present]
        begun = ("" if channel is Channel.MINI_PROGRAM else channel.value) in here
        elsewhere = len(set(here)) > begun
        short = self.model.is_short(order_id, now_s) and not begun
        numbers = [order_id + a for a, p in open_attempts if short or p.method == method]
        captured = [n for n in numbers if n in self.shop.record.captured]
        expected = self.model.refusals_to_ask(order_id, now_s, unheard=bool(captured), begun=begun)
        if self.silent and not free and expected <= {"already_paid", "too_little_time"}:
            known = self.model.orders[order_id].status == "pending"
            unsure = {"payment_unsettled"} if numbers else {"too_little_time"}
            unanswered = {"payment_unsettled"} if elsewhere else {"gateway_failed"}
            expected = (unsure if short else unanswered) if known else expected
        elif captured and expected == {"already_paid"}:
            self.model.notify(order_id, self.trade(captured[0]), now_s)
        answer = self.answer(
            lambda: payments.ask(
                self.shop.merchant_id, item.order_id, method, Payer(channel), now_s=now_s
            ),
            expected,
        )
        if free and not expected:
            assert answer.paid
            self.model.notify(order_id, port.Trade(f"{order_id}00", port.TradeStatus.SUCCEEDED,
                                                 paid_at_s=now_s), now_s)  # fmt: skip
        self.settle_down(followed=False)

    @precondition(lambda self: self.payable())
    @rule(which=ANY, told=st.booleans())
    def pay(self, which: int, told: bool) -> None:
        numbers = self.payable()
        number = numbers[which % len(numbers)]
        gateway = self.gateway_of(number)
        gateway.pay(number, at_s=self.shop.now_s)
        if told:
            self.notify(number)
        self.settle_down(followed=False)

    @precondition(lambda self: self.shop.record.captured)
    @rule(which=ANY)
    def call_back(self, which: int) -> None:
        numbers = list(self.shop.record.captured)
        self.notify(numbers[which % len(numbers)])
        self.settle_down(followed=False)

    @precondition(lambda self: self.model.orders)
    @rule(order=ANY)
    def cancel(self, order: int) -> None:
        item = self.an_order(order)
        order_id, known = str(item.order_id), item.view()
        pending = known.status == "pending"
        if pending and self.silent and known.created_attempts:
            expected = {"payment_unsettled"}
        else:
            for attempt in known.created_attempts if pending else ():
                if order_id + attempt in self.shop.record.captured:
                    self.model.notify(order_id, self.trade(order_id + attempt), self.shop.now_s)
            if pending and self.model.orders[order_id].status != "pending":
                refusal: str | None = "already_paid"  # a payment unheard of until now
            else:
                refusal = self.model.cancel(order_id, self.shop.now_s)
            expected = {refusal} if refusal else set()
        self.answer(lambda: self.shop.cancel(item), expected)
        # What a cancellation finds paid may be the last payment: then it settles the group at once.
        self.settle_down(followed=expected == {"already_paid"})

    @precondition(lambda self: len(self.shop.gateways) < ACCOUNTS_MAX)
    @rule()
    def change_account(self) -> None:
        """The owner saves another account, whatever is under way at the present one."""
        self.shop.change_account()
        self.settle_down(followed=False)

    @rule(silent=st.sampled_from([False, False, False, True]))
    def fall_silent(self, silent: bool) -> None:
        self.silent, self.was_silent = silent, self.was_silent or silent
        for gateway in self.shop.gateways:
            gateway.silent = set(SILENT) if silent else set()
        self.settle_down(followed=False)

    @precondition(lambda self: self.shop.record.refunds)
    @rule(
        which=ANY,
        told=st.integers(0, 2),
        status=st.sampled_from(
            [
                port.RefundStatus.SUCCEEDED,
                port.RefundStatus.SUCCEEDED,
                port.RefundStatus.CLOSED,
                port.RefundStatus.ABNORMAL,
            ]
        ),
    )
    def refund(self, which: int, told: int, status: port.RefundStatus) -> None:
        numbers = list(self.shop.record.refunds)
        number = numbers[which % len(numbers)]
        gateway = self.gateway_of(number[:32])
        if self.is_paid_outside(number):
            return  # staff have seen to it there before they put it on record
        gateway.settle(number, status)
        for _ in range(told):
            said = gateway.refund_state(number)
            refunds.apply_result(self.shop.merchant_id, said, now_s=self.shop.now_s)
        self.settle_down(followed=True)

    @precondition(lambda self: self.failed_refunds())
    @rule(which=ANY)
    def send_again(self, which: int) -> None:
        numbers = self.failed_refunds()
        self.remedy(refund_recovery.resend, numbers[which % len(numbers)])

    @precondition(lambda self: self.failed_refunds())
    @rule(which=ANY, by_hand=st.booleans())
    def pay_outside(self, which: int, by_hand: bool) -> None:
        """Staff pay a refund in another way, some of them in the gateway's back office."""
        numbers = self.failed_refunds()
        number = numbers[which % len(numbers)]
        mine = self.snapshot.refund_of(number)
        assert mine is not None
        amount_fen = mine[0].view().refunds[mine[1]].amount_fen
        gateway = self.gateway_of(number[:32])
        hand = f"hand-{number}"
        paid = ManualPayment(
            ManualRefundMethod.GATEWAY if by_hand else ManualRefundMethod.CASH, amount_fen, hand
        )
        closed = gateway.refund_state(number).status is port.RefundStatus.CLOSED
        if by_hand and closed and not self.silent:
            gateway.refund_by_hand(number[:32], hand, amount_fen)
        self.remedy(refund_recovery.record_manual_refund, number, paid)

    def remedy(self, act: Callable[..., None], number: str, *what: Any) -> None:
        """What staff do about a refund; a gateway that is silent or stuck refuses it."""
        state = self.gateway_of(number[:32]).refund_state(number).status
        unsure = self.silent or state is not port.RefundStatus.CLOSED
        try:
            act(self.shop.merchant_id, number, *what, staff=STAFF, now_s=self.shop.now_s)
        except (Conflict, GatewayFailed, InvalidRequest):
            assert unsure, f"refund {number} is {state} at the gateway"
        self.settle_down(followed=True)

    def notify(self, number: str) -> None:
        trade, order_id = self.trade(number), number[:30]
        expected = self.model.notify(order_id, trade, self.shop.now_s)
        method = self.gateway_of(number).method
        assert self.shop.notify(trade, method) is expected

    def payable(self) -> list[str]:
        """Numbers of attempts that can still be paid on the phone."""
        gateways = self.shop.gateways
        return [number for gateway in gateways for number in gateway.payable(self.shop.now_s)]

    def failed_refunds(self) -> list[str]:
        return [
            order.refund_number(key)
            for order in (self.snapshot.orders[order_id] for order_id in self.model.orders)
            for key, refund in sorted(order.view().refunds.items())
            if refund.status is RefundStatus.FAILED
        ]

    def is_paid_outside(self, number: str) -> bool:
        mine = self.snapshot.refund_of(number)
        outside = RefundStatus.OUTSIDE
        return mine is not None and mine[0].view().refunds[mine[1]].status is outside
