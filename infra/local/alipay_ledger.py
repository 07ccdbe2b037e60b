"""The ledger of the local Alipay: its trades, refunds and balances, and the rules they obey."""

import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.alipay_keys import Account, Refused, epoch

REFUNDABLE_S = 365 * 86400
FINAL = {"SUCCESS", "CLOSED"}  # states that a refund never leaves
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,8})\.([0-9]{2})")


@dataclass
class Refund:
    out_trade_no: str
    out_refund_no: str
    amount_fen: int
    status: str  # SUCCESS at once, as a rule; PROCESSING until it is settled, or CLOSED
    settled_at: float = 0


@dataclass
class Trade:
    """`order`: what was asked for as it was first asked; `state` as Alipay names it."""

    account: Account
    order: dict[str, Any]
    notify_url: str
    return_url: str  # where the browser goes after paying
    created_at: float
    state: str = "WAIT_BUYER_PAY"
    paid_at: float = 0
    refunds: dict[str, Refund] = field(default_factory=dict)
    trade_no: str = field(default_factory=lambda: f"2026112222001{secrets.randbelow(10**15):015d}")
    paid_by: str = ""  # another's open id, who paid for the buyer
    opened_by: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def buyer_open_id(self) -> str:
        """Who pays; on a page, whoever's Alipay that opened."""
        return str(self.paid_by or self.order.get("buyer_open_id") or self.opened_by)

    @property
    def out_trade_no(self) -> str:
        return str(self.order["out_trade_no"])

    @property
    def total_fen(self) -> int:
        return fen(self.order["total_amount"])

    @property
    def paid(self) -> bool:
        return self.state == "TRADE_SUCCESS"

    @property
    def trade_state(self) -> str:
        """What Alipay calls it: TRADE_CLOSED again when all of it has gone back."""
        whole = self.paid and self.refunded_fen("SUCCESS") == self.total_fen
        return "TRADE_CLOSED" if whole else self.state

    def refunded_fen(self, *statuses: str) -> int:
        return sum(r.amount_fen for r in self.refunds.values() if r.status in statuses)


class Ledger:
    """Safe to use from many threads. Raises Refused with Alipay's codes.

    `balances`: fen that each seller can refund from; a seller not named has no limit.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.RLock()
        self._trades: dict[tuple[str, str], Trade] = {}
        self._asked: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.balances: dict[str, int] = {}

    def begin(
        self, account: Account, order: dict[str, Any], notify_url: str, return_url: str = ""
    ) -> Trade:
        """A buyer opens the page, or the merchant makes the trade for one. The same number again
        must bring the same order."""
        with self._lock:
            key = (account.mchid, order["out_trade_no"])
            self._hear(*key, {**order, "notify_url": notify_url})
            trade = self._trades.get(key)
            if trade is None:
                expires_at = order.get("time_expire")
                if expires_at and self._now() >= epoch(expires_at):
                    raise _no("ACQ.TRADE_HAS_CLOSE", "订单已超过支付时间")
                trade = Trade(account, order, notify_url, return_url, self._now())
                self._trades[key] = trade
            self._expire(trade)
            if trade.paid:
                raise _no("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
            if trade.state == "TRADE_CLOSED":
                raise _no("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
            if trade.order != order:
                raise _no("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
            return trade

    def pay(
        self,
        *,
        trade_no: str = "",
        out_trade_no: str = "",
        paid_at: float | None = None,
        payer: str = "",
    ) -> Trade:
        """The buyer pays, at `paid_at` (now) by Alipay's clock. payer: the open id of another who
        pays for them."""
        with self._lock:
            at = self._now() if paid_at is None else paid_at
            trade = next(self._numbered(out_trade_no, trade_no), None)
            if trade is None:
                raise _no("ACQ.TRADE_NOT_EXIST", "交易不存在")
            self._expire(trade, at)
            if trade.paid:
                raise _no("ACQ.TRADE_HAS_SUCCESS", "支付成功的交易不能再付")
            if trade.state == "TRADE_CLOSED":
                raise _no("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
            trade.state, trade.paid_at, trade.paid_by = "TRADE_SUCCESS", at, payer
            seller = trade.account.mchid
            if seller in self.balances:
                self.balances[seller] += trade.total_fen
            return trade

    def trade(self, mchid: str, out_trade_no: str) -> Trade:
        with self._lock:
            trade = self._trades.get((mchid, out_trade_no))
            if trade is None:
                raise _no("ACQ.TRADE_NOT_EXIST", "交易不存在")
            self._expire(trade)
            return trade

    def begun(self, trade_no: str) -> Trade:
        """The trade of that number of Alipay's. Raises Refused."""
        with self._lock:
            trade = next(self._numbered("", trade_no), None)
            if trade is None:
                raise _no("ACQ.TRADE_NOT_EXIST", "交易不存在")
            return trade

    def close(self, mchid: str, out_trade_no: str) -> Trade:
        with self._lock:
            trade = self.trade(mchid, out_trade_no)
            if trade.state != "WAIT_BUYER_PAY":
                raise _no("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
            trade.state = "TRADE_CLOSED"
            return trade

    def refund(
        self, mchid: str, asked: Mapping[str, Any], *, stays: bool = False
    ) -> tuple[Refund, bool]:
        """(the refund, whether it is new). The same number again is the same refund. stays: the
        money moves only when it is settled."""
        with self._lock:
            self._hear(mchid, asked["out_request_no"], asked)
            trade = self.trade(mchid, asked["out_trade_no"])
            number, amount_fen = asked["out_request_no"], fen(asked["refund_amount"])
            known = trade.refunds.get(number)
            if known is not None and known.status != "CLOSED":
                if known.amount_fen != amount_fen:
                    raise _no("ACQ.DISCORDANT_REPEAT_REQUEST", "退款请求不一致")
                return known, False
            self._may_refund(trade, amount_fen)
            if mchid in self.balances:
                self.balances[mchid] -= amount_fen
            refund = Refund(trade.out_trade_no, number, amount_fen, "PROCESSING")
            trade.refunds[number] = refund
            if not stays:
                refund.status, refund.settled_at = "SUCCESS", self._now()
            return refund, True

    def settle(self, trade: Trade, refund: Refund, status: str) -> bool:
        """Move a refund on to SUCCESS or CLOSED; False when it is final already."""
        if status not in FINAL:
            raise Refused("40004", "ACQ.INVALID_PARAMETER", "status 应为 SUCCESS 或 CLOSED")
        with self._lock:
            if refund.status in FINAL:
                return False
            refund.status, refund.settled_at = status, self._now()
            if status == "CLOSED" and trade.account.mchid in self.balances:
                self.balances[trade.account.mchid] += refund.amount_fen
            return True

    def unsettled(self, out_refund_no: str = "") -> list[tuple[Trade, Refund]]:
        with self._lock:
            return [
                (trade, refund)
                for trade in self._trades.values()
                for refund in trade.refunds.values()
                if out_refund_no in ("", refund.out_refund_no) and refund.status not in FINAL
            ]

    def of_merchant(self, mchid: str) -> list[Trade]:
        with self._lock:
            return [trade for (seller, _), trade in self._trades.items() if seller == mchid]

    def summaries(self, out_trade_no: str = "") -> list[dict[str, Any]]:
        """Every trade, or those of one number, with what was captured and refunded of it."""
        with self._lock:
            if not out_trade_no:
                return [self._summary(trade) for trade in self._trades.values()]
            return [self._summary(trade) for trade in self._numbered(out_trade_no, "")]

    def _hear(self, mchid: str, number: str, asked: Mapping[str, Any]) -> None:
        """Keep what was ever sent under a number, refused or not."""
        said = self._asked.setdefault((mchid, number), [])
        if asked not in said:
            said.append(dict(asked))

    def _summary(self, trade: Trade) -> dict[str, Any]:
        """asked: in how many different requests a number came."""
        summary = _summary(trade)
        for part in (summary, *summary["refunds"]):
            number = part.get("out_refund_no") or part["out_trade_no"]
            part["asked"] = len(self._asked.get((trade.account.mchid, number), ()))
        return summary

    def _numbered(self, out_trade_no: str, trade_no: str) -> Iterator[Trade]:
        wanted = {out_trade_no, trade_no} - {""}
        return (t for t in self._trades.values() if wanted & {t.out_trade_no, t.trade_no})

    def _expire(self, trade: Trade, at: float | None = None) -> None:
        """Alipay closes what is not paid in time by itself."""
        expires_at = trade.order.get("time_expire")
        over = expires_at and (self._now() if at is None else at) >= epoch(expires_at)
        if over and trade.state == "WAIT_BUYER_PAY":
            trade.state = "TRADE_CLOSED"

    def _may_refund(self, trade: Trade, amount_fen: int) -> None:
        if not trade.paid:
            raise _no("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        taken_fen = trade.refunded_fen("PROCESSING", "SUCCESS")
        if not 0 < amount_fen <= trade.total_fen - taken_fen:
            raise _no("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
        if self._now() - trade.paid_at > REFUNDABLE_S:
            raise _no("ACQ.TRADE_HAS_FINISHED", "交易已完结")
        if self.balances.get(trade.account.mchid, amount_fen) < amount_fen:
            raise _no("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")


def fen(text: Any) -> int:
    """Raises Refused for anything but yuan with two digits after the point."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise _no("ACQ.INVALID_PARAMETER", "金额有误")
    return int(match[1]) * 100 + int(match[2])


def _no(sub_code: str, words: str) -> Refused:
    return Refused("40004", sub_code, words)


def _summary(trade: Trade) -> dict[str, Any]:
    return {
        "mchid": trade.account.mchid,
        "out_trade_no": trade.out_trade_no,
        "trade_state": trade.trade_state,
        "transaction_id": trade.trade_no,
        "paid_at_s": int(trade.paid_at),
        "captured_fen": trade.total_fen if trade.paid else 0,
        "refunded_fen": trade.refunded_fen("SUCCESS"),
        "refunding_fen": trade.refunded_fen("PROCESSING"),
        "refunds": [
            {"out_refund_no": r.out_refund_no, "amount_fen": r.amount_fen, "status": r.status}
            for r in trade.refunds.values()
        ],
    }
