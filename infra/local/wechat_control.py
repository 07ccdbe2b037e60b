"""The hand on the local WeChat: pay, break, settle and look, as JSON under /_local/."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.local.wechat_accounts import Account
from infra.local.wechat_callbacks import Courier
from infra.local.wechat_faults import Faults
from infra.local.wechat_http import Answer, Call, Refusal
from infra.local.wechat_login import LoginCodes
from infra.local.wechat_messages import ServerApi
from infra.local.wechat_pay import Ledger, Trade
from infra.local.wechat_views import trade_view


@dataclass(frozen=True)
class Control:
    """The first three are Wechat's methods of these names."""

    new_account: Callable[..., Account]
    pay: Callable[..., Trade]
    settle_refunds: Callable[..., int]
    codes: LoginCodes
    server_api: ServerApi
    faults: Faults
    ledger: Ledger
    courier: Courier

    def answer(self, call: Call) -> Answer:
        """Answers 400 for a body that lacks something or has something wrong."""
        act = _ROUTES.get((call.method, call.path))
        if act is None:
            return Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个接口").answer()
        try:
            return Answer.json(act(self, call))
        except Refusal as refusal:
            return refusal.answer()
        except (KeyError, TypeError, ValueError) as error:
            return Refusal(400, "PARAM_ERROR", f"{type(error).__name__}: {error}").answer()


def _add_account(hand: Control, call: Call) -> object:
    """{merchant_id, mchid?, appid?, balance_fen?, with_certificate?, partner?, own_app?,
    official_account?, name?} -> the secrets."""
    account = hand.new_account(**call.json())
    secrets = {"wechat-pay": account.wechat_pay, "wechat-login": account.wechat_login}
    official = {"wechat-account": account.wechat_account} if account.wechat_account else {}
    return secrets | official


def _pay(hand: Control, call: Call) -> object:
    """{prepay_id | out_trade_no, paid_at?}, as the buyer's phone would."""
    return trade_view(hand.pay(**call.json()))


def _issue_code(hand: Control, call: Call) -> object:
    """{openid, unionid?}, as wx.login would."""
    return {"code": hand.codes.issue(**call.json())}


def _add_fault(hand: Control, call: Call) -> object:
    """{operation, kind, times?, seconds?}"""
    hand.faults.add(**call.json())
    return _faults(hand, call)


def _clear_faults(hand: Control, call: Call) -> object:
    hand.faults.clear()
    return _faults(hand, call)


def _faults(hand: Control, call: Call) -> object:
    return {"faults": hand.faults.waiting()}


def _ledger(hand: Control, call: Call) -> object:
    """?out_trade_no="""
    trades = hand.ledger.summaries(call.query.get("out_trade_no", ""))
    return {"trades": trades, "balances": dict(hand.ledger.balances)}


def _callbacks(hand: Control, call: Call) -> object:
    """?state=pending|delivered|given_up|dropped"""
    return {"callbacks": hand.courier.summaries(call.query.get("state", ""))}


def _resend(hand: Control, call: Call) -> object:
    """{number}: a delivery_id, out_trade_no or out_refund_no."""
    return {"sent": hand.courier.resend(str(call.json()["number"]))}


def _settle(hand: Control, call: Call) -> object:
    """{out_refund_no?, status?}: one refund or all, to SUCCESS unless said otherwise."""
    return {"settled": hand.settle_refunds(**call.json())}


def _add_template(hand: Control, call: Call) -> object:
    """{appid, title, keywords: {thing1: what buyers read}} -> {template_id}"""
    return {"template_id": hand.server_api.new_template(**call.json())}


def _agree(hand: Control, call: Call) -> object:
    """{name, template_ids}: who logs in by the code demo-<name> taps 允许."""
    return {"agreed": hand.server_api.agree_as(**call.json())}


def _messages(hand: Control, call: Call) -> object:
    return {"messages": hand.server_api.summaries()}


_ROUTES: dict[tuple[str, str], Callable[[Control, Call], object]] = {
    ("POST", "/_local/accounts"): _add_account,
    ("POST", "/_local/pay"): _pay,
    ("POST", "/_local/codes"): _issue_code,
    ("GET", "/_local/faults"): _faults,
    ("POST", "/_local/faults"): _add_fault,
    ("DELETE", "/_local/faults"): _clear_faults,
    ("GET", "/_local/ledger"): _ledger,
    ("GET", "/_local/callbacks"): _callbacks,
    ("POST", "/_local/callbacks/resend"): _resend,
    ("POST", "/_local/refunds/settle"): _settle,
    ("POST", "/_local/templates"): _add_template,
    ("POST", "/_local/subscriptions"): _agree,
    ("GET", "/_local/messages"): _messages,
}
