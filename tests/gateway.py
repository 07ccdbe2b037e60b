"""A payment gateway in memory: the port's real behaviour, with a ledger of its own.

It obeys what WeChat Pay does: a number is one trade for ever, a paid trade cannot be closed and
a closed one cannot be paid, a refund is accepted first and confirmed later, the same refund
number again is the same refund, and no more goes back than came in. Time is the caller's.
"""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from chalicelib.domain.beijing import day_of
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import directory
from chalicelib.gateways.accounts import FIRST_PLACE, Place
from chalicelib.gateways.payment import (
    BillKind,
    BillRow,
    GatewayRefused,
    PaymentGateway,
    Prepay,
    Refund,
    RefundRequest,
    RefundStatus,
    Trade,
    TradeStatus,
)

_T = TypeVar("_T")
MINUTE_S = 60
OPEN_REFUNDS = (RefundStatus.PROCESSING, RefundStatus.ABNORMAL)


@dataclass(frozen=True)
class HeldRefund:
    """A refund as a gateway's own record has it."""

    out_trade_no: str
    amount_fen: int
    status: RefundStatus


@dataclass(frozen=True)
class Record:
    """What a gateway knows of one merchant's money: the other side of every comparison."""

    captured: Mapping[str, int]  # out_trade_no -> fen
    refunds: Mapping[str, HeldRefund]  # out_refund_no -> its state
    places: Mapping[str, str] = field(default_factory=dict)  # out_trade_no -> account that took it
    asked: Mapping[str, int] = field(default_factory=dict)  # number -> in how many words it came

    def __or__(self, other: "Record") -> "Record":
        """Both together. What both took under one number was taken twice."""
        twice = self.captured.keys() & other.captured.keys()
        captured = {**self.captured, **other.captured}
        captured |= {n: self.captured[n] + other.captured[n] for n in twice}
        asked = {n: self.asked.get(n, 0) + other.asked.get(n, 0) for n in self.asked | other.asked}
        return Record(
            captured,
            {**self.refunds, **other.refunds},
            {**self.places, **other.places},
            asked,
        )


@dataclass
class _Account:
    prepay: Prepay
    trade: Trade
    refunds: dict[str, HeldRefund] = field(default_factory=dict)


class FakeGateway:
    """One account of a merchant's at one gateway. Safe to use from many threads.

    `silent`: operations that get no answer and have no effect. `refuses`: operation -> the code
    it is refused with. `edit_bill`: what becomes of the lines of a day's bill. `around`: wraps
    every call that the services make, by operation. `asked`: everything that was ever sent under a
    number, refused or not.
    """

    def __init__(self, method: str = directory.WECHAT_PAY, place: Place = FIRST_PLACE) -> None:
        self.method, self.place = method, place
        self.asked: dict[str, set[Prepay | RefundRequest]] = {}
        self.silent: set[str] = set()
        self.refuses: dict[str, str] = {}
        self.edit_bill: Callable[[list[BillRow]], list[BillRow]] = lambda rows: rows
        self.confirms_at_once = False  # a refund is confirmed when it is asked about
        self.around: Callable[[str, Callable[[], object]], object] = lambda name, act: act()
        self._lock = threading.RLock()
        self._accounts: dict[str, _Account] = {}

    # What the services call.

    def prepay(self, prepay: Prepay, *, now_s: int) -> dict[str, str]:
        self.asked.setdefault(prepay.out_trade_no, set()).add(prepay)
        return self._call("prepay", lambda: self._prepay(prepay, now_s))

    def query(self, out_trade_no: str) -> Trade:
        return self._call("query", lambda: self.trade(out_trade_no))

    def close(self, out_trade_no: str) -> None:
        self._call("close", lambda: self._close(out_trade_no))

    def refund(self, request: RefundRequest) -> Refund:
        self.asked.setdefault(request.out_refund_no, set()).add(request)
        return self._call("refund", lambda: self._refund(request))

    def query_refund(self, out_refund_no: str, *, out_trade_no: str = "") -> Refund:
        return self._call("query_refund", lambda: self._query_refund(out_refund_no, out_trade_no))

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now_s: int
    ) -> Trade | Refund:
        """The body names what it tells of; this gateway's callbacks are not signed."""
        told = json.loads(body)
        if "out_refund_no" in told:
            return self.refund_state(told["out_refund_no"])
        return self.trade(told["out_trade_no"])

    def bill(self, day: dt.date) -> Iterator[BillRow]:
        """Everything of that day; lines of refunds stand on the day of their payment."""
        rows = self._call("bill", lambda: list(self._bill(day)))
        yield from self.edit_bill(rows)

    def _bill(self, day: dt.date) -> Iterator[BillRow]:
        with self._lock:
            accounts = list(self._accounts.items())
        for number, account in accounts:
            paid = account.trade
            if paid.status is not TradeStatus.SUCCEEDED or day_of(paid.paid_at_s) != day:
                continue
            row = BillRow(
                BillKind.PAYMENT, number, paid.transaction_id, paid.amount_fen, 0, paid.paid_at_s
            )
            yield row
            for out_refund_no, refund in account.refunds.items():
                yield replace(
                    row,
                    kind=BillKind.REFUND,
                    amount_fen=refund.amount_fen,
                    out_refund_no=out_refund_no,
                    refund_status=refund.status,
                )

    # What buyers, banks and the gateway's own people do.

    def pay(self, out_trade_no: str, *, at_s: int) -> Trade:
        """The buyer pays on the phone. Raises GatewayRefused when it is too late for that."""
        with self._lock:
            account = self._accounts[out_trade_no]
            if account.trade.status is not TradeStatus.UNPAID:
                raise GatewayRefused("ORDERCLOSED", "")
            if at_s > account.prepay.expires_at_s:
                raise GatewayRefused("EXPIRED", "")
            account.trade = replace(
                account.trade,
                status=TradeStatus.SUCCEEDED,
                amount_fen=account.prepay.amount_fen,
                transaction_id=f"t{out_trade_no}",
                paid_at_s=at_s,
                attach=account.prepay.attach,
            )
            return account.trade

    def pay_in_spite(self, out_trade_no: str, *, at_s: int) -> Trade:
        """The gateway takes a payment that it had closed: what never happens, does."""
        with self._lock:
            account = self._accounts[out_trade_no]
            account.trade = replace(account.trade, status=TradeStatus.UNPAID)
            return self.pay(out_trade_no, at_s=at_s)

    def overrule(self, out_refund_no: str, status: RefundStatus) -> None:
        """The gateway takes back what it had said of a refund."""
        with self._lock:
            account = self._account_of_refund(out_refund_no)
            assert account is not None
            known = account.refunds[out_refund_no]
            account.refunds[out_refund_no] = replace(known, status=status)

    def forget(self, number: str) -> None:
        """The gateway has never heard of a trade, or of a refund."""
        with self._lock:
            self._accounts.pop(number, None)
            for account in self._accounts.values():
                account.refunds.pop(number, None)

    def refund_by_hand(self, out_trade_no: str, out_refund_no: str, amount_fen: int) -> None:
        """Staff refund a trade in the gateway's back office, under a number that is not ours."""
        request = RefundRequest(out_trade_no, out_refund_no, amount_fen, 0, "", "")
        with self._lock:
            self._refund(request)
            self.settle(out_refund_no)

    def settle(
        self, out_refund_no: str, status: RefundStatus = RefundStatus.SUCCEEDED
    ) -> Refund | None:
        """Move a refund on; None when it is final, or unknown."""
        with self._lock:
            account = self._account_of_refund(out_refund_no)
            known = account.refunds.get(out_refund_no) if account else None
            if account is None or known is None or known.status not in OPEN_REFUNDS:
                return None
            account.refunds[out_refund_no] = replace(known, status=status)
            return self.refund_state(out_refund_no)

    # What its ledger says.

    def trade(self, out_trade_no: str) -> Trade:
        with self._lock:
            account = self._accounts.get(out_trade_no)
            return account.trade if account else Trade(out_trade_no, TradeStatus.UNKNOWN)

    def refund_state(self, out_refund_no: str) -> Refund:
        with self._lock:
            account = self._account_of_refund(out_refund_no)
            known = account.refunds.get(out_refund_no) if account else None
            if known is None:
                return Refund(out_refund_no, RefundStatus.UNKNOWN)
            return Refund(out_refund_no, known.status, known.amount_fen)

    def knows(self, number: str) -> bool:
        """Whether a payment, or the payment of a refund, was begun here."""
        with self._lock:
            return number[:32] in self._accounts

    def payable(self, at_s: int) -> list[str]:
        """Numbers of trades that a buyer can pay at that time."""
        with self._lock:
            return [
                number
                for number, account in self._accounts.items()
                if account.trade.status is TradeStatus.UNPAID
                and at_s <= account.prepay.expires_at_s
            ]

    @property
    def record(self) -> Record:
        with self._lock:
            paid = TradeStatus.SUCCEEDED
            accounts = self._accounts.items()
            captured = {n: a.trade.amount_fen for n, a in accounts if a.trade.status is paid}
            refunds = {n: refund for _, a in accounts for n, refund in a.refunds.items()}
            places = dict.fromkeys(captured, self.place.account)
            asked = {number: len(said) for number, said in self.asked.items()}
            return Record(captured, refunds, places, asked)

    def _call(self, operation: str, act: Callable[[], _T]) -> _T:
        if operation in self.silent:
            raise GatewayFailed(reason="no_answer")
        if operation in self.refuses:
            raise GatewayRefused(self.refuses[operation], "")
        done: list[_T] = []

        def locked() -> None:
            with self._lock:
                done.append(act())

        self.around(operation, locked)
        return done[0]

    def _prepay(self, prepay: Prepay, now_s: int) -> dict[str, str]:
        number = prepay.out_trade_no
        unpaid = Trade(number, TradeStatus.UNPAID)
        if number not in self._accounts and prepay.expires_at_s - now_s <= MINUTE_S:
            raise GatewayRefused("PARAMERROR", "")  # what is begun ends more than a minute later
        account = self._accounts.setdefault(number, _Account(prepay, unpaid))
        if account.trade.status is TradeStatus.SUCCEEDED:
            raise GatewayRefused("ORDERPAID", "")
        if account.trade.status is TradeStatus.CLOSED:
            raise GatewayRefused("ORDERCLOSED", "")
        if account.prepay != prepay:
            raise GatewayRefused("INVALIDREQUEST", "")
        return {"package": f"prepay_id={number}", "timeStamp": str(now_s)}

    def _close(self, out_trade_no: str) -> None:
        account = self._accounts.get(out_trade_no)
        if account is None:
            return
        if account.trade.status is TradeStatus.SUCCEEDED:
            raise GatewayRefused("ORDERPAID", "")
        account.trade = replace(account.trade, status=TradeStatus.CLOSED)

    def _refund(self, request: RefundRequest) -> Refund:
        account = self._accounts.get(request.out_trade_no)
        if account is None or account.trade.status is not TradeStatus.SUCCEEDED:
            raise GatewayRefused("RESOURCENOTEXISTS", "")
        known = account.refunds.get(request.out_refund_no)
        if known is None:
            back = sum(
                refund.amount_fen
                for refund in account.refunds.values()
                if refund.status is not RefundStatus.CLOSED
            )
            if not 0 < request.amount_fen <= account.trade.amount_fen - back:
                raise GatewayRefused("INVALIDREQUEST", "")
            known = HeldRefund(request.out_trade_no, request.amount_fen, RefundStatus.PROCESSING)
            account.refunds[request.out_refund_no] = known
        if known.amount_fen != request.amount_fen:
            raise GatewayRefused("INVALIDREQUEST", "")
        return self.refund_state(request.out_refund_no)

    def _query_refund(self, out_refund_no: str, out_trade_no: str) -> Refund:
        if self.confirms_at_once:
            self.settle(out_refund_no)
        account = self._account_of_refund(out_refund_no)
        if account is not None and out_trade_no not in ("", account.prepay.out_trade_no):
            return Refund(out_refund_no, RefundStatus.UNKNOWN)
        return self.refund_state(out_refund_no)

    def _account_of_refund(self, out_refund_no: str) -> _Account | None:
        having = (a for a in self._accounts.values() if out_refund_no in a.refunds)
        return next(having, None)


@contextmanager
def plugged_in(
    finders: Mapping[str, Callable[[str, str | None], PaymentGateway]],
) -> Iterator[None]:
    """These gateways, by method, instead of the real ones for the length of the block."""
    before = dict(directory.GATEWAYS)
    directory.GATEWAYS.clear()
    directory.GATEWAYS.update(finders)
    try:
        yield
    finally:
        directory.GATEWAYS.clear()
        directory.GATEWAYS.update(before)
