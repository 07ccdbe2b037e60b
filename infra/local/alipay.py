"""Alipay on this machine: its gateway, page and bills over the loopback.

Real RSA2 both ways; no money. In a test, or beside the local WeChat; nothing outlives it.
"""

import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from infra.local import pay_sheet
from infra.local.alipay_callbacks import Courier
from infra.local.alipay_control import control
from infra.local.alipay_gateway import OPERATIONS, Gateway
from infra.local.alipay_keys import Account, Refused
from infra.local.alipay_ledger import Ledger, Trade
from infra.local.alipay_login import DEMO, AuthCodes
from infra.local.alipay_views import sheet
from infra.local.wechat_callbacks import Agenda
from infra.local.wechat_faults import Faults
from infra.local.wechat_http import Answer, Call, Server
from infra.local.wechat_keys import key_pair

GATEWAY_PATH, CASHIER = "/gateway.do", "/cashier/"


class Alipay:
    """/gateway.do is Alipay, /cashier/ what buyers see and tap, /bill a bill, /_local the control.

    now: seconds since the epoch, the clock of everything here.
    """

    def __init__(self, *, port: int = 0, now: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, Account] = {}  # by app_id
        self.platform = key_pair("alipay")
        self.faults, self.ledger, self.codes = Faults(OPERATIONS), Ledger(now), AuthCodes(now)
        self._agenda = Agenda()
        self.courier = Courier(self.platform, self._agenda, self.faults, now)
        self.gateway = Gateway(
            self.platform, self.ledger, self.courier, self.codes, self.faults, self._accounts, now
        )
        self._server = Server(self._answer, port)
        self.base_url = self.gateway.base_url = self._server.base_url

    @property
    def gateway_url(self) -> str:
        """The setting ALIPAY_URL."""
        return self.base_url + GATEWAY_PATH

    def start(self) -> "Alipay":
        self._agenda.start()
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()
        self._agenda.stop()

    def new_account(
        self, merchant_id: str, *, balance_fen: int | None = None, name: str = ""
    ) -> Account:
        """The merchant's account, made and registered unless it is there already.

        balance_fen: what it can refund from, besides what it takes; None for no limit. name: what
        buyers read where they pay.
        """
        with self._lock:
            known = next((a for a in self._accounts.values() if a.merchant_id == merchant_id), None)
            account = known or Account.generate(merchant_id, self.platform, name)
            self._accounts[account.app_id] = account
            if balance_fen is not None:
                self.ledger.balances[account.mchid] = balance_fen
        return account

    def open(self, url: str) -> str:
        """Open a payment's address as a browser would; the trade_no. Raises Refused as the page
        would show it."""
        return self.gateway.open_page(Call("GET", url.removeprefix(self.base_url), {})).trade_no

    def pay(
        self,
        *,
        url: str = "",
        trade_no: str = "",
        out_trade_no: str = "",
        paid_at: float | None = None,
        payer: str = "",
    ) -> Trade:
        """The buyer pays, or `payer` for them, on the page at `url` or in the app, and the merchant
        is told."""
        trade = self.ledger.pay(
            trade_no=self.open(url) if url else trade_no,
            out_trade_no=out_trade_no,
            paid_at=paid_at,
            payer=payer,
        )
        self.gateway.tell_paid(trade)
        return trade

    def settle_refunds(self, *, out_refund_no: str = "", status: str = "SUCCESS") -> int:
        """Move unsettled refunds (one number, or all) on to `status`; how many moved."""
        return sum(
            self.gateway.settle(trade, refund, status)
            for trade, refund in self.ledger.unsettled(out_refund_no)
        )

    def quiet(self, timeout_s: float = 10.0) -> bool:
        """Wait until no notify is under way; False when that takes too long."""
        return self._agenda.quiet(timeout_s)

    def _answer(self, call: Call) -> Answer | None:
        if call.path.startswith("/_local/"):
            return control(self, call)
        if call.path == GATEWAY_PATH:
            return self.gateway.answer(call)
        if call.path == "/oauth2/publicAppAuthorize.htm":
            return self._authorise(call)
        if call.path == "/bill":
            return self.gateway.bill_file(call)
        if call.path.startswith(CASHIER):
            return self._cashier(call)
        return Answer(404)

    def _authorise(self, call: Call) -> Answer:
        """The page that asks who somebody is: whoever opens it is the demonstration's buyer."""
        asked = call.query
        known = asked.get("app_id") in self._accounts and asked.get("scope") == "auth_base"
        if not known or "redirect_uri" not in asked:
            return Answer(400)
        back = urlencode({"auth_code": DEMO + "h5", "state": asked.get("state", "")})
        return Answer(303, b"", {"Location": f"{asked['redirect_uri']}?{back}"})

    def _cashier(self, call: Call) -> Answer:
        """GET mini?trade_no=&redirect_url=: the sheet that my.tradePay opens, as a page that
        returns to an address of this machine. POST: the button of a sheet or a page; the browser
        goes back to the shop."""
        form = dict(parse_qsl(call.body.decode()))
        asked = call.query.get("redirect_url") or form.get("back", "")
        back = asked if pay_sheet.is_local(asked) else ""
        try:
            if call.method == "GET":
                return sheet(self.ledger.begun(call.query.get("trade_no", "")), back)
            trade = self.pay(trade_no=call.path.removeprefix(CASHIER))
        except Refused as refusal:
            return pay_sheet.notice(pay_sheet.ALIPAY, refusal.words, back=back)
        back = trade.return_url or back
        if not back:
            return pay_sheet.notice(pay_sheet.ALIPAY, "支付成功")
        return Answer(303, b"", {"Location": back})
