"""Where a town's buyers pay: the local WeChat or the local Alipay, behind one face.

`faults`, `ledger` and `courier` of both are alike; what differs is here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib.gateways import secrets as parameters
from chalicelib.settings import settings
from infra.local.alipay import Alipay
from infra.local.alipay_callbacks import NOT_TAKEN
from infra.local.wechat import Wechat
from tests.callers import Door, Reply
from tests.minutes import Clock

WECHAT_PAY, ALIPAY = "wechat_pay", "alipay"
BOTH = (WECHAT_PAY, ALIPAY)


class Till(ABC):
    """One merchant's account at one gateway. `prepay_fault`: the operation that a fault of a
    payment's beginning is ordered for; `not_enough`: reason and words of an empty balance."""

    method: str
    prepay_fault: str
    not_enough: tuple[str, str]

    def __init__(self, gateway: Any, account_of: Callable[[], Any]) -> None:
        self._gateway, self._account_of = gateway, account_of
        self.faults, self.ledger, self.courier = gateway.faults, gateway.ledger, gateway.courier

    def new_account(self, label: str, **how: Any) -> Any:
        """Another account at the gateway."""
        return self._gateway.new_account(label, **how)

    def use(self, account: Any) -> None:
        """Buyers pay at this account from now on."""
        self._account_of = lambda: account

    @property
    def mchid(self) -> str:
        """The merchant's number at the gateway."""
        return str(self._account_of().mchid)

    @abstractmethod
    def key_of(self, parameters: Mapping[str, str]) -> str:
        """What the phone pays with, from the parameters of a payment."""

    @abstractmethod
    def pay(self, key: str, *, paid_at_s: int | None = None) -> str:
        """The buyer pays; the out_trade_no."""

    @abstractmethod
    def pay_in_spite(self, out_trade_no: str, *, paid_at_s: int | None = None) -> None:
        """A payment that had expired or was closed is taken: what never happens, does."""

    @abstractmethod
    def path(self, merchant_id: str, what: str) -> str:
        """Where the gateway tells of payments or refunds."""

    def set_balance(self, amount_fen: int) -> None:
        """What the merchant can refund from."""
        self.ledger.balances[self.mchid] = amount_fen

    def settle_refunds(self, **what: str) -> int:
        return int(self._gateway.settle_refunds(**what))

    def quiet(self) -> bool:
        return bool(self._gateway.quiet())


class WechatTill(Till):
    method, prepay_fault = WECHAT_PAY, "prepay"
    not_enough = ("NOTENOUGH", "商户号余额不足。请先充值，再点「重新发起」。")
    _gateway: Wechat

    def key_of(self, parameters: Mapping[str, str]) -> str:
        return parameters["package"].removeprefix("prepay_id=")

    def pay(self, key: str, *, paid_at_s: int | None = None) -> str:
        return str(self._gateway.pay(prepay_id=key, paid_at=paid_at_s).out_trade_no)

    def pay_in_spite(self, out_trade_no: str, *, paid_at_s: int | None = None) -> None:
        trade = self.ledger.trade(self.mchid, out_trade_no)
        trade.state = "NOTPAY"
        trade.order.pop("time_expire", None)
        self._gateway.pay(out_trade_no=out_trade_no, paid_at=paid_at_s)

    def path(self, merchant_id: str, what: str) -> str:
        return f"/v1/callbacks/wechat-pay/{merchant_id}/{what}"


class AlipayTill(Till):
    """Buyers pay on Alipay's page; nothing is known of a payment until they have opened it."""

    method, prepay_fault = ALIPAY, "query"  # its address is signed without asking Alipay
    not_enough = (
        "ACQ.SELLER_BALANCE_NOT_ENOUGH",
        "支付宝账户余额不足。请先充值，再点「重新发起」。",
    )
    _gateway: Alipay

    def key_of(self, parameters: Mapping[str, str]) -> str:
        return self._gateway.open(parameters["url"])

    def pay(self, key: str, *, paid_at_s: int | None = None) -> str:
        return self._gateway.pay(trade_no=key, paid_at=paid_at_s).out_trade_no

    def pay_in_spite(self, out_trade_no: str, *, paid_at_s: int | None = None) -> None:
        trade = self.ledger.trade(self.mchid, out_trade_no)
        trade.state = "WAIT_BUYER_PAY"
        trade.order.pop("time_expire", None)
        self._gateway.pay(out_trade_no=out_trade_no, paid_at=paid_at_s)

    def path(self, merchant_id: str, what: str) -> str:
        return f"/v1/callbacks/alipay/{merchant_id}"


def local_wechat(time_of_day: Clock, door: Door) -> Wechat:
    """WeChat by that clock, started; its callbacks come through the door."""
    port = urlsplit(settings.wechat_pay_url).port or 0
    wechat = Wechat(port=port, now=lambda: float(time_of_day.now_s))
    wechat.courier.send = lambda url, headers, body: _come(door, url, headers, body).status
    wechat.gateway.refund_delay_s = 0.01
    wechat.start()
    return wechat


def local_alipay(time_of_day: Clock, door: Door) -> Alipay:
    """Alipay by that clock, started; its notifies are taken only by the word it waits for."""

    def send(url: str, headers: dict[str, str], body: bytes) -> int:
        reply = _come(door, url, headers, body)
        return reply.status if reply.status >= 400 or reply.body == "success" else NOT_TAKEN

    port = urlsplit(settings.alipay_url).port or 0
    alipay = Alipay(port=port, now=lambda: float(time_of_day.now_s))
    alipay.courier.send = send
    return alipay.start()


def _come(door: Door, url: str, headers: dict[str, str], body: bytes) -> Reply:
    """A callback on its way to the route that it names."""
    path = url.removeprefix(parameters.secret("public-api-url"))
    return door.request("POST", path, headers, body)
