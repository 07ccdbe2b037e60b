"""The wire of the local WeChat Pay v3: who asks, what for, and the signed answer."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.wechat_callbacks import Agenda, Courier
from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_http import Answer, Call, Refusal
from infra.local.wechat_keys import Account, Platform, authenticate
from infra.local.wechat_pay import Ledger, Refund, Trade
from infra.local.wechat_views import refund_notice, refund_view, trade_view

_TRADE = r"/v3/pay/transactions/out-trade-no/([0-9A-Za-z_\-|*]{6,32})"
_REFUNDS = r"/v3/refund/domestic/refunds"
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{6,64}")
ATTACH_MAX, DESCRIPTION_MAX, REASON_MAX = 128, 127, 80
BEFORE_EFFECT = {
    Kind.SERVER_ERROR: (500, "SYSTEM_ERROR", "系统异常，请使用相同参数稍后重新调用"),
    Kind.RATE_LIMITED: (429, "FREQUENCY_LIMITED", "频率超限"),
    Kind.NOT_ENOUGH: (403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
}
STATUS_WORDS = {"SUCCESS": "退款成功", "CLOSED": "退款关闭", "ABNORMAL": "退款异常"}


@dataclass(frozen=True)
class Asked:
    """A proven request: by whom, and under which number of its path."""

    account: Account
    call: Call
    number: str
    fault: Kind | None


class Gateway:
    """`refund_delay_s`: how long a refund takes; None, until it is settled by hand."""

    def __init__(
        self,
        platform: Platform,
        ledger: Ledger,
        courier: Courier,
        agenda: Agenda,
        faults: Faults,
        accounts: Mapping[str, Account],
    ) -> None:
        self._platform, self._ledger, self._courier = platform, ledger, courier
        self._agenda, self._faults, self._accounts = agenda, faults, accounts
        self.refund_delay_s: float | None = 0.05
        self._routes: list[tuple[str, str, str, Callable[[Asked], Answer]]] = [
            ("POST", r"/v3/pay/transactions/jsapi", "prepay", self._prepay),
            ("GET", _TRADE, "query", self._query),
            ("POST", f"{_TRADE}/close", "close", self._close),
            ("POST", _REFUNDS, "refund", self._refund),
            ("GET", f"{_REFUNDS}/([^/]+)", "query_refund", self._query_refund),
        ]

    def answer(self, call: Call) -> Answer | None:
        """None: the answer is lost, its effect is not."""
        try:
            account = authenticate(call, self._accounts)
            operation, number, act = self._route(call)
        except Refusal as refusal:
            return refusal.answer()
        fault = self._faults.take(operation)
        kind = fault.kind if fault else None
        try:
            if kind and kind in BEFORE_EFFECT:
                raise Refusal(*BEFORE_EFFECT[kind])
            done = act(Asked(account, call, number, kind))
        except Refusal as refusal:
            done = refusal.answer()
        if kind is Kind.LOST_ANSWER:
            return None
        if fault and kind is Kind.SLOW:
            time.sleep(fault.seconds)
        return self._signed(done, call, forged=kind is Kind.FORGED_ANSWER)

    def _signed(self, done: Answer, call: Call, *, forged: bool) -> Answer:
        """By the key that the caller names, else by the old one: so WeChat Pay does it."""
        signature = self._platform.sign(
            b"forged" if forged else done.body,
            at_s=time.time(),
            serial=call.headers.get("wechatpay-serial") or self._platform.certificate_serial,
        )
        return Answer(done.status, done.body, {**done.headers, **signature})

    def tell_paid(self, trade: Trade) -> None:
        event = {
            "url": trade.order["notify_url"],
            "type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
            "original_type": "transaction",
            "resource": trade_view(trade),
        }
        self._courier.tell(self._accounts[trade.mchid], "payment", trade.out_trade_no, event)

    def settle(self, refund: Refund, status: str = "SUCCESS") -> bool:
        """Move a refund on and tell the merchant; False when it was there already."""
        if not self._ledger.settle(refund, status):
            return False
        trade = self._ledger.trade(refund.mchid, refund.out_trade_no)
        event = {
            "url": refund.notify_url,
            "type": f"REFUND.{status}",
            "summary": STATUS_WORDS[status],
            "original_type": "refund",
            "resource": refund_notice(refund, trade),
        }
        if refund.notify_url:
            self._courier.tell(self._accounts[refund.mchid], "refund", refund.out_refund_no, event)
        return True

    def _route(self, call: Call) -> tuple[str, str, Callable[[Asked], Answer]]:
        for method, path, operation, act in self._routes:
            match = re.fullmatch(path, call.path)
            if match and method == call.method:
                return operation, match[1] if match.groups() else "", act
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个接口")

    def _prepay(self, asked: Asked) -> Answer:
        order = asked.call.json()
        _must_have(order, "appid", "mchid", "description", "out_trade_no", "notify_url", "amount")
        _must_be_ours(asked.account, order["mchid"], order["appid"])
        _must(bool(re.fullmatch(r"[0-9A-Za-z_\-|*]{6,32}", order["out_trade_no"])), "out_trade_no")
        _must(len(order["description"]) <= DESCRIPTION_MAX, "description")
        _must(len(order.get("attach", "")) <= ATTACH_MAX, "attach")
        _must(bool(order.get("payer", {}).get("openid")), "payer.openid")
        _must("?" not in order["notify_url"], "notify_url")
        _must_be_amount(order["amount"], "total")
        return Answer.json({"prepay_id": self._ledger.prepay(asked.account.mchid, order)})

    def _query(self, asked: Asked) -> Answer:
        _must_be_ours(asked.account, asked.call.query.get("mchid"))
        return Answer.json(trade_view(self._ledger.trade(asked.account.mchid, asked.number)))

    def _close(self, asked: Asked) -> Answer:
        _must_be_ours(asked.account, asked.call.json().get("mchid"))
        self._ledger.close(asked.account.mchid, asked.number)
        return Answer(204)

    def _refund(self, asked: Asked) -> Answer:
        wanted = asked.call.json()
        _must_have(wanted, "out_trade_no", "out_refund_no", "amount")
        wanted.setdefault("notify_url", "")
        _must(bool(_NUMBER.fullmatch(wanted["out_refund_no"])), "out_refund_no")
        _must(len(wanted.get("reason", "")) <= REASON_MAX, "reason")
        _must_be_amount(wanted["amount"], "refund")
        _must_be_amount(wanted["amount"], "total")
        refund, new = self._ledger.request_refund(asked.account.mchid, wanted)
        stays = asked.fault is Kind.STAYS_PROCESSING
        if new and not stays and self.refund_delay_s is not None:
            self._agenda.after(self.refund_delay_s, lambda: self._settle_quietly(refund))
        return Answer.json(self._refund_view(refund))

    def _query_refund(self, asked: Asked) -> Answer:
        return Answer.json(
            self._refund_view(self._ledger.refund(asked.account.mchid, asked.number))
        )

    def _refund_view(self, refund: Refund) -> dict[str, Any]:
        return refund_view(refund, self._ledger.trade(refund.mchid, refund.out_trade_no))

    def _settle_quietly(self, refund: Refund) -> None:
        self.settle(refund)


def _must(right: bool, name: str) -> None:
    if not right:
        raise Refusal(400, "PARAM_ERROR", f"参数 {name} 有误")


def _must_have(body: Mapping[str, Any], *names: str) -> None:
    for name in names:
        _must(bool(body.get(name)), name)


def _must_be_amount(amount: Mapping[str, Any], name: str) -> None:
    fen = amount.get(name)
    _must(type(fen) is int and fen > 0, f"amount.{name}")
    _must(amount.get("currency", "CNY") == "CNY", "amount.currency")


def _must_be_ours(account: Account, mchid: object, appid: object = None) -> None:
    if mchid != account.mchid:
        raise Refusal(400, "PARAM_ERROR", "商户号与签名的商户号不一致")
    if appid is not None and appid != account.appid:
        raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配，请检查后再试")
