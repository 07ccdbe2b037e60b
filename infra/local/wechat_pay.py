"""The ledger of the local WeChat Pay: its trades, refunds and balances, and the rules they obey."""

import datetime as dt
import json
import math
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.local.wechat_http import Refusal
from infra.local.wechat_limits import MINUTE_S, REFUNDS_MAX

PREPAY_LIFE_S = 7200
REFUNDABLE_S = 365 * 86400
TRADE_WORDS = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "REFUND": "订单发生过退款",
    "CLOSED": "订单已关闭",
}
FINAL = {"SUCCESS", "CLOSED"}  # states that a refund never leaves


@dataclass
class Refund:
    mchid: str
    out_trade_no: str
    out_refund_no: str
    amount_fen: int
    notify_url: str
    created_at: float
    status: str = "PROCESSING"
    settled_at: float = 0
    refund_id: str = field(default_factory=lambda: f"503{secrets.randbelow(10**26):026d}")


@dataclass
class Trade:
    mchid: str
    order: dict[str, Any]  # the prepay request as it was first made
    prepaid_at: float  # when the latest prepay_id was given
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid_at: float = 0
    refunds: dict[str, Refund] = field(default_factory=dict)
    paid_by: str = ""  # another's openid, who paid for the buyer
    opened_by: str = field(default_factory=lambda: f"o{secrets.token_hex(14)[:27]}")

    @property
    def out_trade_no(self) -> str:
        return str(self.order["out_trade_no"])

    @property
    def total_fen(self) -> int:
        return int(self.order["amount"]["total"])

    @property
    def trade_type(self) -> str:
        return "MWEB" if "scene_info" in self.order else "JSAPI"

    @property
    def payer(self) -> dict[str, str]:
        """Who paid; in a browser, whoever's WeChat that opened."""
        name = "sp_openid" if "sp_mchid" in self.order else "openid"
        payer: dict[str, str] = self.order.get("payer") or {name: self.opened_by}
        return dict.fromkeys(payer, self.paid_by) if self.paid_by else payer

    @property
    def trade_state(self) -> str:
        """What WeChat Pay calls it: REFUND from the first refund on that is not refused."""
        refunding = any(refund.status != "CLOSED" for refund in self.refunds.values())
        return "REFUND" if refunding else self.state

    def refunded_fen(self, *statuses: str) -> int:
        return sum(r.amount_fen for r in self.refunds.values() if r.status in statuses)


class Ledger:
    """Safe to use from many threads. Raises Refusal with WeChat Pay's codes.

    `balances`: fen that each mchid can refund from; a merchant not named has no limit.
    minute_s: how long its minute takes, where time is shortened.
    """

    def __init__(self, now: Callable[[], float], *, minute_s: float = MINUTE_S) -> None:
        self._now, self._minute_s = now, minute_s
        self._lock = threading.RLock()
        self._trades: dict[tuple[str, str], Trade] = {}
        self._prepays: dict[str, tuple[Trade, float]] = {}
        self._asked: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.balances: dict[str, int] = {}

    def prepay(self, mchid: str, order: dict[str, Any]) -> str:
        """A fresh prepay_id. The same number again must bring the same order."""
        with self._lock:
            self._hear(mchid, order["out_trade_no"], order)
            trade = self._trades.get((mchid, order["out_trade_no"]))
            if trade is None:
                self._must_end_later(order.get("time_expire"))
                trade = self._trades[mchid, order["out_trade_no"]] = Trade(mchid, order, 0)
            if trade.state == "SUCCESS":
                raise Refusal(400, "ORDERPAID", "该订单已支付")
            if trade.state == "CLOSED":
                raise Refusal(400, "ORDER_CLOSED", "该订单已关闭，请重新下单")
            if trade.order != order:
                raise Refusal(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")
            trade.prepaid_at = self._now()
            prepay_id = f"wx{secrets.token_hex(17)}"
            self._prepays[prepay_id] = (trade, trade.prepaid_at)
            return prepay_id

    def _must_end_later(self, time_expire: str | None) -> None:
        """A payment ends more than a minute after it was first asked for; what is asked for again
        may end sooner."""
        if time_expire and _epoch(time_expire) - self._now() <= self._minute_s:
            raise Refusal(400, "PARAM_ERROR", "time_expire时间过短，应晚于下单时间1分钟以上")

    def pay(
        self,
        *,
        prepay_id: str = "",
        out_trade_no: str = "",
        paid_at: float | None = None,
        payer: str = "",
    ) -> Trade:
        """The buyer pays, at `paid_at` (now) by WeChat Pay's clock; by the latest prepay when
        only the number is given. payer: the openid of another who pays for them."""
        with self._lock:
            at = self._now() if paid_at is None else paid_at
            if prepay_id:
                trade, prepaid_at = self._prepays.get(prepay_id, (None, 0.0))
            else:
                trade = next(self._numbered(out_trade_no), None)
                prepaid_at = trade.prepaid_at if trade else 0.0
            if trade is None:
                raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
            if trade.state != "NOTPAY":
                code = "ORDERPAID" if trade.state == "SUCCESS" else "ORDER_CLOSED"
                raise Refusal(400, code, TRADE_WORDS[trade.state])
            expires_at = trade.order.get("time_expire")
            if at >= prepaid_at + PREPAY_LIFE_S or (expires_at and at >= _epoch(expires_at)):
                raise Refusal(400, "ORDER_EXPIRED", "该订单已过期，请重新下单")
            trade.state, trade.paid_at, trade.paid_by = "SUCCESS", at, payer
            trade.transaction_id = f"4200{secrets.randbelow(10**24):024d}"
            if trade.mchid in self.balances:
                self.balances[trade.mchid] += trade.total_fen
            return trade

    def prepared(self, prepay_id: str) -> tuple[Trade, float]:
        """(the trade, since when it can be paid so) of a prepay_id. Raises Refusal."""
        with self._lock:
            if prepay_id not in self._prepays:
                raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
            return self._prepays[prepay_id]

    def trade(self, mchid: str, out_trade_no: str) -> Trade:
        with self._lock:
            trade = self._trades.get((mchid, out_trade_no))
        if trade is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return trade

    def paid(self, mchid: str) -> list[Trade]:
        """The merchant's trades that were ever paid."""
        with self._lock:
            ours = [trade for trade in self._trades.values() if trade.mchid == mchid]
        return [trade for trade in ours if trade.paid_at]

    def close(self, mchid: str, out_trade_no: str) -> None:
        with self._lock:
            trade = self.trade(mchid, out_trade_no)
            if trade.state == "SUCCESS":
                raise Refusal(400, "ORDERPAID", "该订单已支付")
            if trade.state == "CLOSED":
                raise Refusal(400, "ORDER_CLOSED", "该订单已关闭")
            trade.state = "CLOSED"

    def request_refund(self, mchid: str, asked: dict[str, Any]) -> tuple[Refund, bool]:
        """(the refund, whether it is new). The same number again is the same refund."""
        with self._lock:
            self._hear(mchid, asked["out_refund_no"], asked)
            trade = self._trades.get((mchid, asked["out_trade_no"]))
            if trade is None or trade.state != "SUCCESS":
                raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在")
            number, amount_fen = asked["out_refund_no"], asked["amount"]["refund"]
            known = next((r for r in self._refunds(mchid) if r.out_refund_no == number), None)
            if known is not None:
                if (known.out_trade_no, known.amount_fen) != (trade.out_trade_no, amount_fen):
                    raise Refusal(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致")
                return known, False
            self._may_refund(trade, asked["amount"])
            if mchid in self.balances:
                self.balances[mchid] -= amount_fen
            refund = trade.refunds[number] = Refund(
                mchid, trade.out_trade_no, number, amount_fen, asked["notify_url"], self._now()
            )
            return refund, True

    def _may_refund(self, trade: Trade, amount: dict[str, Any]) -> None:
        if amount["total"] != trade.total_fen:
            raise Refusal(400, "INVALID_REQUEST", "订单金额与支付时不一致")
        taken_fen = trade.refunded_fen("PROCESSING", "ABNORMAL", "SUCCESS")
        if taken_fen + amount["refund"] > trade.total_fen:
            raise Refusal(400, "INVALID_REQUEST", "申请退款金额大于订单可退金额")
        if len(trade.refunds) >= REFUNDS_MAX:
            raise Refusal(400, "INVALID_REQUEST", "部分退款次数超过限制")
        latest = max((refund.created_at for refund in trade.refunds.values()), default=-math.inf)
        if self._now() - latest < self._minute_s:
            raise Refusal(429, "FREQUENCY_LIMITED", "同一笔订单多次退款的请求需相隔1分钟")
        if self._now() - trade.paid_at > REFUNDABLE_S:
            raise Refusal(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
        if self.balances.get(trade.mchid, amount["refund"]) < amount["refund"]:
            raise Refusal(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")

    def refund(self, mchid: str, out_refund_no: str) -> Refund:
        with self._lock:
            found = next(
                (r for r in self._refunds(mchid) if r.out_refund_no == out_refund_no), None
            )
        if found is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return found

    def settle(self, refund: Refund, status: str) -> bool:
        """Move a refund on to SUCCESS, CLOSED or ABNORMAL; False when it is there or final."""
        if status not in FINAL | {"ABNORMAL"}:
            raise Refusal(400, "PARAM_ERROR", "status 应为 SUCCESS、CLOSED 或 ABNORMAL")
        with self._lock:
            if refund.status in FINAL or refund.status == status:
                return False
            refund.status, refund.settled_at = status, self._now()
            if status == "CLOSED" and refund.mchid in self.balances:
                self.balances[refund.mchid] += refund.amount_fen
            return True

    def unsettled(self, out_refund_no: str = "") -> list[Refund]:
        with self._lock:
            merchants = {mchid for mchid, _ in self._trades}
            every = [refund for mchid in merchants for refund in self._refunds(mchid)]
        wanted = [r for r in every if out_refund_no in ("", r.out_refund_no)]
        return [refund for refund in wanted if refund.status not in FINAL]

    def summaries(self, out_trade_no: str = "") -> list[dict[str, Any]]:
        """Every trade, or those of one number, with what was captured and refunded of it."""
        with self._lock:
            trades = self._numbered(out_trade_no) if out_trade_no else iter(self._trades.values())
            return [self._summary(trade) for trade in trades]

    def _hear(self, mchid: str, number: str, asked: dict[str, Any]) -> None:
        """Keep what was ever sent under a number, refused or not."""
        said = self._asked.setdefault((mchid, number), [])
        if asked not in said:
            said.append(json.loads(json.dumps(asked)))

    def _summary(self, trade: Trade) -> dict[str, Any]:
        """asked: in how many different requests a number came."""
        summary = _summary(trade)
        for part in (summary, *summary["refunds"]):
            number = part.get("out_refund_no") or part["out_trade_no"]
            part["asked"] = len(self._asked.get((trade.mchid, number), ()))
        return summary

    def _numbered(self, out_trade_no: str) -> Iterator[Trade]:
        return (t for (_, number), t in self._trades.items() if number == out_trade_no)

    def _refunds(self, mchid: str) -> Iterator[Refund]:
        return (r for t in self._trades.values() if t.mchid == mchid for r in t.refunds.values())


def _epoch(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def _summary(trade: Trade) -> dict[str, Any]:
    refunds = trade.refunds.values()
    return {
        "mchid": trade.mchid,
        "out_trade_no": trade.out_trade_no,
        "trade_state": trade.trade_state,
        "transaction_id": trade.transaction_id,
        "paid_at_s": int(trade.paid_at),
        "captured_fen": trade.total_fen if trade.state == "SUCCESS" else 0,
        "refunded_fen": trade.refunded_fen("SUCCESS"),
        "refunding_fen": trade.refunded_fen("PROCESSING", "ABNORMAL"),
        "refunds": [
            {"out_refund_no": r.out_refund_no, "amount_fen": r.amount_fen, "status": r.status}
            for r in refunds
        ],
    }
