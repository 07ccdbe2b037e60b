"""What WeChat shows of a payment: its page for other browsers, and the sheet over a shop's page.

A browser's link is good for five minutes, from a page of a registered domain, back to one of it,
and outside WeChat (pay.weixin.qq.com/doc/v3/merchant/4012791834). A sheet is opened by parameters
that the merchant signed, for the app in which it runs.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from infra.local import pay_sheet
from infra.local.limits import LOOPBACK
from infra.local.pay_sheet import WECHAT
from infra.local.wechat_accounts import Accounts
from infra.local.wechat_http import Answer, Call, Refusal
from infra.local.wechat_keys import is_signed_by
from infra.local.wechat_pay import Ledger, Trade

PAGE = "/cgi-bin/mmpayweb-bin/checkmweb"
CASHIER = "/cashier/"
PAY, SHEET = f"{CASHIER}pay", f"{CASHIER}jsapi"
LINK_LIFE_S = 300
IN_WECHAT = "MicroMessenger"
NO_REFERER = "商家参数格式有误，请联系商家解决"
OTHER_DOMAIN = "商家存在未配置的参数，请联系商家解决"
TOO_OLD = "支付请求已失效，请重新发起支付"
NOT_IN_WECHAT = "请在微信外打开订单，进行支付"
NOT_SIGNED = "支付验证签名失败"


class Cashier:
    """`domains`: where shops may send browsers from, as registered in the merchant platform."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Accounts,
        pay: Callable[..., Trade],
        now: Callable[[], float],
    ) -> None:
        self._ledger, self._accounts, self._pay, self._now = ledger, accounts, pay, now
        self.domains = set(LOOPBACK)

    def answer(self, call: Call) -> Answer:
        try:
            if (call.method, call.path) == ("POST", PAY):
                return self._paid(dict(parse_qsl(call.body.decode())))
            if (call.method, call.path) == ("GET", PAGE):
                return self._page(call)
            if (call.method, call.path) == ("GET", SHEET):
                return self._sheet(call.query)
        except Refusal as refusal:
            return pay_sheet.notice(WECHAT, refusal.message)
        return Answer(404)

    def _page(self, call: Call) -> Answer:
        """The page behind an h5_url, in a browser."""
        query, referer = call.query, call.headers.get("referer", "")
        back = query.get("redirect_url") or referer
        if IN_WECHAT in call.headers.get("user-agent", ""):
            raise _no(NOT_IN_WECHAT)
        if not referer:
            raise _no(NO_REFERER)
        if not all(urlsplit(page).hostname in self.domains for page in (referer, back)):
            raise _no(OTHER_DOMAIN)
        trade, since = self._ledger.prepared(query.get("prepay_id", ""))
        if trade.trade_type != "MWEB":
            raise _no(NO_REFERER)
        if self._now() >= since + LINK_LIFE_S:
            return pay_sheet.notice(WECHAT, TOO_OLD, back=back)
        return self._shown(trade, query["prepay_id"], back)

    def _sheet(self, query: dict[str, str]) -> Answer:
        """What wx.requestPayment and WeixinJSBridge open. appId: left out in the mini-program,
        which WeChat knows; redirect_url: where the local page returns to."""
        prepay_id = query.get("package", "").removeprefix("prepay_id=")
        trade, _ = self._ledger.prepared(prepay_id)
        account = self._accounts.at(trade.mchid)
        app = query.get("appId") or account.appid
        lines = (app, *(query.get(name, "") for name in ("timeStamp", "nonceStr", "package")))
        text = "".join(f"{line}\n" for line in lines).encode()
        back = query.get("redirect_url", "")
        right = (
            trade.trade_type == "JSAPI"
            and app == (trade.order.get("sub_appid") or trade.order.get("sp_appid", app))
            and app == trade.order.get("appid", app)
            and is_signed_by(account.certificate, text, query.get("paySign", ""))
        )
        if not right or (back and not pay_sheet.is_local(back)):
            raise _no(NOT_SIGNED)
        return self._shown(trade, prepay_id, back)

    def _shown(self, trade: Trade, prepay_id: str, back: str) -> Answer:
        account = self._accounts.at(trade.mchid)
        return pay_sheet.sheet(
            WECHAT,
            shop=account.name or f"商户 {account.mchid}",
            goods=str(trade.order["description"]),
            amount_fen=trade.total_fen,
            action=PAY,
            fields={"prepay_id": prepay_id, "back": back},
            back=back,
        )

    def _paid(self, form: dict[str, str]) -> Answer:
        """The button was tapped: the money moves, the merchant is told, the browser goes back."""
        back = form.get("back", "")
        may_go = pay_sheet.is_local(back) or urlsplit(back).hostname in self.domains
        try:
            self._pay(prepay_id=form.get("prepay_id", ""))
        except Refusal as refusal:
            return pay_sheet.notice(WECHAT, refusal.message, back=back if may_go else "")
        if not may_go:
            return pay_sheet.notice(WECHAT, "支付成功")
        return Answer(303, b"", {"Location": back})


def _no(words: str) -> Refusal:
    return Refusal(400, "", words)
