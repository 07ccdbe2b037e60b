"""The wire of the local Alipay: who asks, what for, and the signed answer."""

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local import alipay_limits as limits
from infra.local import alipay_views as views
from infra.local import pay_sheet
from infra.local.alipay_callbacks import Courier
from infra.local.alipay_keys import Account, Refused, authenticate, beijing, sign
from infra.local.alipay_ledger import Ledger, Refund, Trade
from infra.local.alipay_login import AuthCodes
from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_http import Answer, Call

PAGE = "alipay.trade.wap.pay"
_ANSWERS = {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW, Kind.FORGED_ANSWER}
_CALLBACKS = {Kind.DROPPED, Kind.DUPLICATED, Kind.DELAYED}
OPERATIONS = {
    "prepay": _ANSWERS,
    "query": _ANSWERS,
    "close": _ANSWERS,
    "refund": _ANSWERS | {Kind.NOT_ENOUGH, Kind.STAYS_PROCESSING},
    "query_refund": _ANSWERS,
    "login": _ANSWERS,
    "bill": _ANSWERS,
    "payment_callback": _CALLBACKS,
    "refund_callback": _CALLBACKS,
}
BEFORE_EFFECT = {
    Kind.SERVER_ERROR: Refused("20000", "aop.ACQ.SYSTEM_ERROR", "系统错误"),
    Kind.RATE_LIMITED: Refused("40005", "isv.app-call-limited", "应用调用次数超限"),
    Kind.NOT_ENOUGH: Refused("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
}


@dataclass(frozen=True)
class Asked:
    """A proven request: by whom, and for what."""

    account: Account
    fields: Mapping[str, str]
    biz: dict[str, Any]
    fault: Kind | None = None


class Gateway:
    def __init__(
        self,
        platform: rsa.RSAPrivateKey,
        ledger: Ledger,
        courier: Courier,
        codes: AuthCodes,
        faults: Faults,
        accounts: Mapping[str, Account],
        now: Callable[[], float],
    ) -> None:
        self._platform, self._ledger, self._courier, self._codes = platform, ledger, courier, codes
        self._faults, self._accounts, self._now = faults, accounts, now
        self.base_url = ""
        self._methods: dict[str, tuple[str, Callable[[Asked], dict[str, Any]]]] = {
            "alipay.trade.create": ("prepay", self._create),
            "alipay.trade.query": ("query", self._query),
            "alipay.trade.close": ("close", self._close),
            "alipay.trade.refund": ("refund", self._refund),
            "alipay.trade.fastpay.refund.query": ("query_refund", self._query_refund),
            "alipay.data.dataservice.bill.downloadurl.query": ("bill", self._bill),
            "alipay.system.oauth.token": ("login", self._token),
        }

    def answer(self, call: Call) -> Answer | None:
        """None: the answer is lost, its effect is not."""
        fields = _fields(call)
        if fields.get("method") == PAGE:
            return self._page(fields)
        name, act = self._methods.get(fields.get("method", ""), ("", self._unknown))
        fault = self._faults.take(name) if name else None
        kind = fault.kind if fault else None
        key = f"{fields.get('method', '').replace('.', '_')}_response"
        try:
            asked = self._asked(fields, kind)
            if kind in BEFORE_EFFECT:
                raise BEFORE_EFFECT[kind]
            content = {"code": "10000", "msg": "Success", **act(asked)}
        except Refused as refusal:
            content = refusal.content
            key = "error_response" if name == "login" else key
        if kind is Kind.LOST_ANSWER:
            return None
        if fault and kind is Kind.SLOW:
            time.sleep(fault.seconds)
        if name == "login" and key != "error_response":
            del content["code"], content["msg"]  # an authorisation has neither
        return self._signed(key, content, forged=kind is Kind.FORGED_ANSWER)

    def tell_paid(self, trade: Trade) -> None:
        if trade.notify_url:
            fields = views.notice(trade)
            self._courier.tell("payment", trade.out_trade_no, trade.notify_url, fields)

    def settle(self, trade: Trade, refund: Refund, status: str = "SUCCESS") -> bool:
        """Move a refund on and tell the merchant; False when it was final already."""
        moved = self._ledger.settle(trade, refund, status)
        if moved and refund.status == "SUCCESS":
            self._tell_refunded(trade, refund)
        return moved

    def bill_file(self, call: Call) -> Answer:
        """The file behind an address that the gateway gave: its token, as the fields say."""
        account = self._accounts.get(call.query.get("app_id", ""))
        day = dt.date.fromisoformat(call.query.get("bill_date", "2016-01-01"))
        found = (
            views.bill(account, self._ledger.of_merchant(account.mchid), day) if account else b""
        )
        return Answer(200, found, {"Content-Type": "application/zip"}) if found else Answer(404)

    def _signed(self, key: str, content: dict[str, Any], *, forged: bool) -> Answer:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        signature = sign(self._platform, b"forged" if forged else text).encode()
        body = b'{"%s":%s,"sign":"%s"}' % (key.encode(), text, signature)
        return Answer(200, body, {"Content-Type": "text/html;charset=utf-8"})

    def _asked(self, fields: Mapping[str, str], fault: Kind | None) -> Asked:
        account = authenticate(fields, self._accounts, now_s=self._now())
        try:
            biz = json.loads(fields.get("biz_content") or "{}")
        except ValueError as error:
            raise Refused("40002", "isv.invalid-biz-content", "biz_content 有误") from error
        return Asked(account, fields, biz, fault)

    def _page(self, fields: Mapping[str, str]) -> Answer:
        """The buyer opens the address in a browser: from now on there is a trade."""
        try:
            trade = self._opened(fields)
        except Refused as refusal:
            back = fields.get("return_url", "")
            may_go = pay_sheet.is_local(back)
            return pay_sheet.notice(pay_sheet.ALIPAY, refusal.words, back=back if may_go else "")
        return views.sheet(trade, trade.order.get("quit_url") or trade.return_url)

    def open_page(self, call: Call) -> Trade:
        """The trade that exists once its page is open. Raises Refused as the page would show."""
        return self._opened(_fields(call))

    def _opened(self, fields: Mapping[str, str]) -> Trade:
        asked = self._asked(fields, None)
        _must_be_order(asked, "QUICK_WAP_WAY")
        urls = (fields.get("notify_url", ""), fields.get("return_url", ""))
        return self._ledger.begin(asked.account, asked.biz, *urls)

    def _create(self, asked: Asked) -> dict[str, Any]:
        _must_be_order(asked, "JSAPI_PAY")
        if not asked.biz.get("buyer_open_id"):
            raise _wrong("buyer_open_id")
        if asked.biz.get("op_app_id") != asked.account.app_id:
            raise _wrong("op_app_id")
        url = asked.fields.get("notify_url", "")
        trade = self._ledger.begin(asked.account, asked.biz, url)
        return {"out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no}

    def _query(self, asked: Asked) -> dict[str, Any]:
        return views.trade_view(self._trade(asked))

    def _close(self, asked: Asked) -> dict[str, Any]:
        trade = self._ledger.close(asked.account.mchid, _text(asked.biz, "out_trade_no"))
        return {"out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no}

    def _refund(self, asked: Asked) -> dict[str, Any]:
        limits.check(asked.biz, limits.REFUND)
        stays = asked.fault is Kind.STAYS_PROCESSING
        refund, new = self._ledger.refund(asked.account.mchid, asked.biz, stays=stays)
        trade = self._trade(asked)
        moved = new and refund.status == "SUCCESS"
        if moved:
            self._tell_refunded(trade, refund)
        answer = {
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "fund_change": "Y" if moved else "N",
            "refund_fee": views.yuan(trade.refunded_fen("SUCCESS")),  # of the trade, in all
        }
        return answer | ({"gmt_refund_pay": beijing(refund.settled_at)} if moved else {})

    def _query_refund(self, asked: Asked) -> dict[str, Any]:
        trade = self._trade(asked)
        refund = trade.refunds.get(_text(asked.biz, "out_request_no"))
        return views.refund_view(trade, refund) if refund else {}

    def _bill(self, asked: Asked) -> dict[str, Any]:
        day = dt.date.fromisoformat(_text(asked.biz, "bill_date"))
        over = beijing(self._now())[:10] > day.isoformat()
        trades = self._ledger.of_merchant(asked.account.mchid)
        if asked.biz.get("bill_type") != "trade":
            raise _wrong("bill_type")
        if not over or not views.bill(asked.account, trades, day):
            raise Refused("40004", "isp.bill_not_exist", "账单不存在")
        query = f"app_id={asked.account.app_id}&bill_date={day.isoformat()}"
        return {"bill_download_url": f"{self.base_url}/bill?{query}"}

    def _token(self, asked: Asked) -> dict[str, Any]:
        if asked.fields.get("grant_type") != "authorization_code":
            raise Refused("40002", "isv.grant-type-invalid", "grant_type 有误")
        open_id = self._codes.exchange(asked.account.app_id, asked.fields.get("code", ""))
        return {"open_id": open_id, "access_token": "not-kept", "expires_in": "1296000"}

    def _unknown(self, asked: Asked) -> dict[str, Any]:
        raise Refused("40002", "isv.invalid-method", "不存在的方法名")

    def _tell_refunded(self, trade: Trade, refund: Refund) -> None:
        if trade.notify_url:
            fields = views.notice(trade, refund)
            self._courier.tell("refund", refund.out_refund_no, trade.notify_url, fields)

    def _trade(self, asked: Asked) -> Trade:
        return self._ledger.trade(asked.account.mchid, _text(asked.biz, "out_trade_no"))


def _fields(call: Call) -> dict[str, str]:
    body = parse_qsl(call.body.decode(), keep_blank_values=True)
    return dict(parse_qsl(call.target.partition("?")[2], keep_blank_values=True)) | dict(body)


def _must_be_order(asked: Asked, product_code: str) -> None:
    biz = asked.biz
    limits.check(biz, limits.ORDER)
    limits.check(dict(asked.fields), limits.COMMON)
    if biz.get("product_code") != product_code:
        raise _wrong("product_code")
    if biz.get("seller_id", asked.account.mchid) != asked.account.mchid:
        raise _wrong("seller_id")


def _text(biz: Mapping[str, Any], name: str) -> str:
    value = biz.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(name)
    return value


def _wrong(name: str) -> Refused:
    return Refused("40004", "ACQ.INVALID_PARAMETER", f"参数 {name} 无效")
