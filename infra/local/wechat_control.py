"""The hand on the local WeChat: pay, break, settle and look, as JSON under /_local/."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.local.wechat_http import Answer, Call, Refusal
from infra.local.wechat_views import trade_view

if TYPE_CHECKING:
    from infra.local.wechat import Wechat

_Act = Callable[["Wechat", Call], object]


def control(wechat: "Wechat", call: Call) -> Answer:
    """Answers 400 for a body that lacks something or has something wrong."""
    act = _ROUTES.get((call.method, call.path))
    if act is None:
        return Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个接口").answer()
    try:
        return Answer.json(act(wechat, call))
    except Refusal as refusal:
        return refusal.answer()
    except (KeyError, TypeError, ValueError) as error:
        return Refusal(400, "PARAM_ERROR", f"{type(error).__name__}: {error}").answer()


def _add_account(wechat: "Wechat", call: Call) -> object:
    """{merchant_id, mchid?, appid?, balance_fen?, with_certificate?} -> the two secrets."""
    account = wechat.new_account(**call.json())
    return {"wechat-pay": account.wechat_pay, "wechat-login": account.wechat_login}


def _pay(wechat: "Wechat", call: Call) -> object:
    """{prepay_id | out_trade_no, paid_at?}, as the buyer's phone would."""
    return trade_view(wechat.pay(**call.json()))


def _issue_code(wechat: "Wechat", call: Call) -> object:
    """{openid, unionid?}, as wx.login would."""
    return {"code": wechat.codes.issue(**call.json())}


def _add_fault(wechat: "Wechat", call: Call) -> object:
    """{operation, kind, times?, seconds?}"""
    wechat.faults.add(**call.json())
    return _faults(wechat, call)


def _clear_faults(wechat: "Wechat", call: Call) -> object:
    wechat.faults.clear()
    return _faults(wechat, call)


def _faults(wechat: "Wechat", call: Call) -> object:
    return {"faults": wechat.faults.waiting()}


def _ledger(wechat: "Wechat", call: Call) -> object:
    """?out_trade_no="""
    trades = wechat.ledger.summaries(call.query.get("out_trade_no", ""))
    return {"trades": trades, "balances": dict(wechat.ledger.balances)}


def _callbacks(wechat: "Wechat", call: Call) -> object:
    """?state=pending|delivered|given_up|dropped"""
    return {"callbacks": wechat.courier.summaries(call.query.get("state", ""))}


def _resend(wechat: "Wechat", call: Call) -> object:
    """{number}: a delivery_id, out_trade_no or out_refund_no."""
    return {"sent": wechat.courier.resend(str(call.json()["number"]))}


def _settle(wechat: "Wechat", call: Call) -> object:
    """{out_refund_no?, status?}: one refund or all, to SUCCESS unless said otherwise."""
    body: dict[str, Any] = call.json()
    return {"settled": wechat.settle_refunds(**body)}


_ROUTES: dict[tuple[str, str], _Act] = {
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
}
