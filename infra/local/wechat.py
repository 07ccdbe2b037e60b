"""WeChat on this machine: login and WeChat Pay v3 over the loopback, in a test or as a program.

    python -m infra.local.wechat --folder .local/wechat --port-file .local/wechat.port

Real signatures and encryption both ways; no money. Accounts and keys outlive a restart in
`--folder`; trades do not.
"""

import argparse
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from infra.local import wechat_store
from infra.local.wechat_accounts import Account, Accounts
from infra.local.wechat_bills import Bills
from infra.local.wechat_callbacks import Agenda, Courier
from infra.local.wechat_cashier import CASHIER, PAGE, Cashier
from infra.local.wechat_control import Control
from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_gateway import BEFORE_EFFECT, Gateway
from infra.local.wechat_http import Answer, Call, Server
from infra.local.wechat_limits import MINUTE_S
from infra.local.wechat_login import LoginCodes
from infra.local.wechat_messages import PAGE as MESSAGES
from infra.local.wechat_messages import ServerApi
from infra.local.wechat_mini_program_links import OPENED as URL_LINKS
from infra.local.wechat_oauth import WebLogins
from infra.local.wechat_pay import Ledger, Trade


class Wechat:
    """Both servers at one address: /sns and /cgi-bin are WeChat, /v3 is WeChat Pay, /_local is the
    control, and what its app shows of a payment, or of subscribe messages, are pages.

    now: seconds since the epoch; the ledger's clock, and that of callbacks' signatures. Requests
    are held to the real clock. folder: where keys and accounts are kept; None keeps nothing.
    time_divisor: the app's, whose minutes are so much shorter.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        folder: Path | None = None,
        now: Callable[[], float] = time.time,
        time_divisor: int = 1,
    ) -> None:
        self._file = folder / "wechat.json" if folder else None
        self._lock = threading.Lock()
        self.platform, known = wechat_store.load(self._file)
        self._accounts = Accounts(known)
        self.faults, self.codes = Faults(), LoginCodes(now)
        self.web_logins = WebLogins(self.codes, now)
        self.server_api = ServerApi(self.codes, self.faults, now)
        self.ledger = Ledger(now, minute_s=MINUTE_S / time_divisor)
        for account in known:
            for app in filter(None, (account.wechat_login, account.wechat_account)):
                self.codes.register(app["appid"], app["app_secret"])
        self.bills = Bills(self.ledger, now)
        self._agenda = Agenda()
        self.courier = Courier(self.platform, self._agenda, self.faults, now)
        self.gateway = Gateway(
            self.platform,
            self.ledger,
            self.bills,
            self.courier,
            self._agenda,
            self.faults,
            self._accounts,
            self.codes,
        )
        self.cashier = Cashier(self.ledger, self._accounts, self.pay, now)
        self._control = Control(
            new_account=self.new_account,
            pay=self.pay,
            settle_refunds=self.settle_refunds,
            codes=self.codes,
            server_api=self.server_api,
            faults=self.faults,
            ledger=self.ledger,
            courier=self.courier,
        )
        self._server = Server(self._answer, port)
        self.base_url = self._server.base_url

    def start(self) -> "Wechat":
        self._agenda.start()
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()
        self._agenda.stop()

    def new_account(
        self,
        merchant_id: str,
        *,
        mchid: str = "",
        appid: str = "",
        balance_fen: int | None = None,
        with_certificate: bool = False,
        partner: bool = False,
        own_app: bool = True,
        official_account: bool = False,
        name: str = "",
    ) -> Account:
        """The merchant's account, made and registered unless it is there already.

        balance_fen: what it can refund from, besides what it takes; None for no limit.
        with_certificate: its secret knows the platform certificate beside the public key.
        partner: a service provider signs for it. own_app: its buyers then pay in its own app,
        else in the provider's. official_account: it takes payments in one of its own, too. name:
        what buyers read where they pay.
        """
        with self._lock:
            account = self._accounts.new(
                merchant_id,
                self.platform.public_keys(with_certificate=with_certificate),
                mchid=mchid,
                appid=appid,
                partner=partner,
                own_app=own_app,
                official_account=official_account,
                name=name,
            )
            for app in filter(None, (account.wechat_login, account.wechat_account)):
                self.codes.register(app["appid"], app["app_secret"])
            if balance_fen is not None:
                self.ledger.balances[account.mchid] = balance_fen
            wechat_store.save(self._file, self.platform, self._accounts.all())
        return account

    def pay(
        self,
        *,
        prepay_id: str = "",
        out_trade_no: str = "",
        paid_at: float | None = None,
        payer: str = "",
    ) -> Trade:
        """The buyer pays, or `payer` for them, and the merchant is told. Raises Refusal as the
        phone would show it."""
        trade = self.ledger.pay(
            prepay_id=prepay_id, out_trade_no=out_trade_no, paid_at=paid_at, payer=payer
        )
        self.gateway.tell_paid(trade)
        return trade

    def settle_refunds(self, *, out_refund_no: str = "", status: str = "SUCCESS") -> int:
        """Move unsettled refunds (one number, or all) on to `status`; how many moved."""
        return sum(
            self.gateway.settle(refund, status) for refund in self.ledger.unsettled(out_refund_no)
        )

    def quiet(self, timeout_s: float = 10.0) -> bool:
        """Wait until no callback or refund is under way; False when that takes too long."""
        return self._agenda.quiet(timeout_s)

    def _answer(self, call: Call) -> Answer | None:
        if call.path.startswith("/_local/"):
            return self._control.answer(call)
        if call.path == PAGE or call.path.startswith(CASHIER):
            return self.cashier.answer(call)
        if call.path.startswith("/v3/"):
            return self.gateway.answer(call)
        if call.path == MESSAGES or call.path.startswith(("/cgi-bin/", "/wxa/", URL_LINKS)):
            return self.server_api.answer(call)
        if (call.method, call.path) == ("GET", "/sns/jscode2session"):
            return self._login(call)
        return self.web_logins.answer(call) or Answer(404)

    def _login(self, call: Call) -> Answer | None:
        fault = self.faults.take("login")
        if fault and fault.kind in BEFORE_EFFECT:
            return Answer(BEFORE_EFFECT[fault.kind][0])
        session = self.codes.exchange(call.query)
        if fault and fault.kind is Kind.LOST_ANSWER:
            return None
        if fault and fault.kind is Kind.SLOW:
            time.sleep(fault.seconds)
        return Answer.json(session, kind="text/plain")  # as WeChat does, although it is JSON


def main() -> None:
    parser = argparse.ArgumentParser(description="微信登录与微信支付的本机替身")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path, help="写入实际端口")
    parser.add_argument("--folder", type=Path, help="保存密钥与账户的目录")
    parser.add_argument("--refund-delay", type=float, default=3.0, help="退款到账所需秒数")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    wechat = Wechat(port=options.port, folder=options.folder)
    wechat.gateway.refund_delay_s = options.refund_delay
    wechat.start()
    if options.port_file:
        wechat_store.write(options.port_file, wechat.base_url.rpartition(":")[2])
    print(f"微信替身：{wechat.base_url}", flush=True)
    ended.wait()
    wechat.stop()


if __name__ == "__main__":
    main()
