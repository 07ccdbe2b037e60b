"""The wire of the local WeChat Pay v3: who asks, what for, and the signed answer."""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from infra.local.wechat_accounts import ORDER_NAMES, Account, Accounts
from infra.local.wechat_bills import Bills
from infra.local.wechat_callbacks import Agenda, Courier
from infra.local.wechat_cashier import PAGE
from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_http import Answer, Call, Refusal
from infra.local.wechat_keys import Platform, authenticate
from infra.local.wechat_limits import OUT_TRADE_NO, check_order, check_page, check_refund
from infra.local.wechat_login import LoginCodes
from infra.local.wechat_pay import Ledger, Refund, Trade
from infra.local.wechat_views import refund_notice, refund_view, trade_view

_PAY = r"/v3/pay/(?:partner/)?transactions"
_TRADE = rf"{_PAY}/out-trade-no/({OUT_TRADE_NO})"
_REFUNDS = r"/v3/refund/domestic/refunds"
BILL_FILE = r"/v3/billdownload/file"
BEFORE_EFFECT = {
    Kind.SERVER_ERROR: (500, "SYSTEM_ERROR", "系统异常，请使用相同参数稍后重新调用"),
    Kind.RATE_LIMITED: (429, "FREQUENCY_LIMITED", "频率超限"),
    Kind.USER_PAYING: (202, "USERPAYING", "用户支付中，需要输入密码"),
    Kind.BILL_NOT_READY: (400, "STATEMENT_CREATING", "账单生成中"),
    Kind.NOT_ENOUGH: (403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
}
STATUS_WORDS = {"SUCCESS": "退款成功", "CLOSED": "退款关闭", "ABNORMAL": "退款异常"}


@dataclass(frozen=True)
class Asked:
    """A proven request: by whom (mchid), and under which number of its path."""

    signer: str
    call: Call
    number: str
    fault: Kind | None


class Gateway:
    """`refund_delay_s`: how long a refund takes; None, until it is settled by hand."""

    def __init__(
        self,
        platform: Platform,
        ledger: Ledger,
        bills: Bills,
        courier: Courier,
        agenda: Agenda,
        faults: Faults,
        accounts: Accounts,
        codes: LoginCodes,
    ) -> None:
        self._platform, self._ledger, self._courier = platform, ledger, courier
        self._bills, self._codes = bills, codes
        self._agenda, self._faults, self._accounts = agenda, faults, accounts
        self.refund_delay_s: float | None = 0.05
        self._routes: list[tuple[str, str, str, Callable[[Asked], Answer]]] = [
            ("POST", f"{_PAY}/jsapi", "prepay", self._prepay),
            ("POST", f"{_PAY}/h5", "prepay", self._prepay_page),
            ("GET", _TRADE, "query", self._query),
            ("POST", f"{_TRADE}/close", "close", self._close),
            ("POST", _REFUNDS, "refund", self._refund),
            ("GET", f"{_REFUNDS}/([^/]+)", "query_refund", self._query_refund),
            ("GET", "/v3/bill/tradebill", "bill", self._bill),
            ("GET", BILL_FILE, "bill_file", self._bill_file),
        ]

    def answer(self, call: Call) -> Answer | None:
        """None: the answer is lost, its effect is not."""
        try:
            _check_headers(call)
            signer = authenticate(call, self._accounts.certificate_of)
            operation, number, act = self._route(call)
        except Refusal as refusal:
            return refusal.answer()
        fault = self._faults.take(operation)
        kind = fault.kind if fault else None
        try:
            if kind and kind in BEFORE_EFFECT:
                raise Refusal(*BEFORE_EFFECT[kind])
            done = act(Asked(signer, call, number, kind))
        except Refusal as refusal:
            done = refusal.answer()
        if kind is Kind.LOST_ANSWER:
            return None
        if fault and kind is Kind.SLOW:
            time.sleep(fault.seconds)
        if operation == "bill_file":
            return done  # the only answer that is not signed
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
        account = self._accounts.at(trade.mchid)
        self._courier.tell(account, "payment", trade.out_trade_no, event)

    def settle(self, refund: Refund, status: str = "SUCCESS") -> bool:
        """Move a refund on and tell the merchant; False when it was there already."""
        if not self._ledger.settle(refund, status):
            return False
        trade = self._ledger.trade(refund.mchid, refund.out_trade_no)
        account = self._accounts.at(refund.mchid)
        event = {
            "url": refund.notify_url,
            "type": f"REFUND.{status}",
            "summary": STATUS_WORDS[status],
            "original_type": "refund",
            "resource": refund_notice(refund, trade, account),
        }
        if refund.notify_url:
            self._courier.tell(account, "refund", refund.out_refund_no, event)
        return True

    def _route(self, call: Call) -> tuple[str, str, Callable[[Asked], Answer]]:
        for method, path, operation, act in self._routes:
            match = re.fullmatch(path, unquote(call.path))
            if match and method == call.method:
                return operation, match[1] if match.groups() else "", act
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个接口")

    def _account(self, asked: Asked) -> Account:
        """For whom a request is made, which its signer must be allowed to do."""
        call = asked.call
        names = call.query if call.method == "GET" else call.json()
        partner = "/partner/" in call.path
        if call.path.startswith("/v3/pay/"):
            if names.get("sp_mchid" if partner else "mchid") != asked.signer:
                raise Refusal(400, "PARAM_ERROR", "商户号与签名的商户号不一致")
            sub_mchid = names.get("sub_mchid", "") if partner else ""
            if partner and not sub_mchid:
                raise Refusal(400, "PARAM_ERROR", "参数 sub_mchid 有误")
            return self._accounts.served(asked.signer, sub_mchid)
        return self._accounts.served(asked.signer, names.get("sub_mchid", ""))

    def _prepay(self, asked: Asked) -> Answer:
        order, account = self._order(asked)
        check_order(order)
        for name, openid in order["payer"].items():
            app = order.get(name.replace("openid", "appid"), "")
            if self._codes.is_of_another_app(openid, app):
                raise Refusal(500, "OPENID_MISMATCH", "appid和openid不匹配")
        return Answer.json({"prepay_id": self._ledger.prepay(account.mchid, order)})

    def _prepay_page(self, asked: Asked) -> Answer:
        order, account = self._order(asked)
        check_page(order)
        prepay_id = self._ledger.prepay(account.mchid, order)
        package = int.from_bytes(hashlib.sha256(prepay_id.encode()).digest()[:4], "big")
        query = f"prepay_id={prepay_id}&package={package}"
        return Answer.json({"h5_url": f"http://{asked.call.headers['host']}{PAGE}?{query}"})

    def _order(self, asked: Asked) -> tuple[dict[str, Any], Account]:
        """(what is to be paid, at whose account). Raises Refusal."""
        order, account = asked.call.json(), self._account(asked)
        if not account.takes({name: order[name] for name in ORDER_NAMES if name in order}):
            raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配，请检查后再试")
        return order, account

    def _query(self, asked: Asked) -> Answer:
        return Answer.json(trade_view(self._ledger.trade(self._account(asked).mchid, asked.number)))

    def _close(self, asked: Asked) -> Answer:
        self._ledger.close(self._account(asked).mchid, asked.number)
        return Answer(204)

    def _refund(self, asked: Asked) -> Answer:
        wanted = asked.call.json()
        check_refund(wanted)
        wanted.setdefault("notify_url", "")
        refund, new = self._ledger.request_refund(self._account(asked).mchid, wanted)
        stays = asked.fault is Kind.STAYS_PROCESSING
        if new and not stays and self.refund_delay_s is not None:
            self._agenda.after(self.refund_delay_s, lambda: self._settle_quietly(refund))
        return Answer.json(self._refund_view(refund))

    def _query_refund(self, asked: Asked) -> Answer:
        refund = self._ledger.refund(self._account(asked).mchid, asked.number)
        return Answer.json(self._refund_view(refund))

    def _bill(self, asked: Asked) -> Answer:
        call = asked.call
        made = self._bills.make(self._account(asked), call.query, f"http://{call.headers['host']}")
        bad = {"hash_value": "0" * 40} if asked.fault is Kind.BAD_HASH else {}
        return Answer.json(made | bad)

    def _bill_file(self, asked: Asked) -> Answer:
        file = self._bills.file(asked.call.query.get("token", ""), asked.signer)
        if asked.fault is Kind.TRUNCATED:
            file = file[: len(file) // 2]
        return Answer(200, file, {"Content-Type": "application/octet-stream"})

    def _refund_view(self, refund: Refund) -> dict[str, Any]:
        return refund_view(refund, self._ledger.trade(refund.mchid, refund.out_trade_no))

    def _settle_quietly(self, refund: Refund) -> None:
        self.settle(refund)


def _check_headers(call: Call) -> None:
    """Before the signature, as at WeChat Pay; there only in some of its interfaces."""
    if not call.headers.get("accept") or not call.headers.get("user-agent"):
        raise Refusal(400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent")
