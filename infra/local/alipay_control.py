"""The hand on the local Alipay, as that on the local WeChat: JSON under /_local/."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.local.alipay_keys import Refused
from infra.local.alipay_views import trade_view
from infra.local.wechat_http import Answer, Call, Refusal

if TYPE_CHECKING:
    from infra.local.alipay import Alipay

_Act = Callable[["Alipay", Call], object]


def control(alipay: "Alipay", call: Call) -> Answer:
    """Answers 400 for a body that lacks something or has something wrong."""
    act = _ROUTES.get((call.method, call.path))
    if act is None:
        return Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个接口").answer()
    try:
        return Answer.json(act(alipay, call))
    except Refusal as refusal:
        return refusal.answer()
    except Refused as refused:
        return Refusal(400, refused.sub_code, refused.words).answer()
    except (KeyError, TypeError, ValueError) as error:
        return Refusal(400, "PARAM_ERROR", f"{type(error).__name__}: {error}").answer()


def _add_account(alipay: "Alipay", call: Call) -> object:
    """{merchant_id, balance_fen?, name?} -> the secret."""
    return {"alipay": dict(alipay.new_account(**call.json()).alipay)}


def _pay(alipay: "Alipay", call: Call) -> object:
    """{url | trade_no | out_trade_no, paid_at?}, as the buyer's browser or phone would."""
    return trade_view(alipay.pay(**call.json()))


def _issue_code(alipay: "Alipay", call: Call) -> object:
    """{open_id}, as my.getAuthCode would."""
    return {"code": alipay.codes.issue(**call.json())}


def _add_fault(alipay: "Alipay", call: Call) -> object:
    """{operation, kind, times?, seconds?}"""
    alipay.faults.add(**call.json())
    return _faults(alipay, call)


def _clear_faults(alipay: "Alipay", call: Call) -> object:
    alipay.faults.clear()
    return _faults(alipay, call)


def _faults(alipay: "Alipay", call: Call) -> object:
    return {"faults": alipay.faults.waiting()}


def _ledger(alipay: "Alipay", call: Call) -> object:
    """?out_trade_no="""
    trades = alipay.ledger.summaries(call.query.get("out_trade_no", ""))
    return {"trades": trades, "balances": dict(alipay.ledger.balances)}


def _callbacks(alipay: "Alipay", call: Call) -> object:
    """?state=pending|delivered|given_up|dropped"""
    return {"callbacks": alipay.courier.summaries(call.query.get("state", ""))}


def _resend(alipay: "Alipay", call: Call) -> object:
    """{number}: a delivery_id, out_trade_no or out_refund_no."""
    return {"sent": alipay.courier.resend(str(call.json()["number"]))}


def _settle(alipay: "Alipay", call: Call) -> object:
    """{out_refund_no?, status?}: one refund or all, to SUCCESS unless said otherwise."""
    body: dict[str, Any] = call.json()
    return {"settled": alipay.settle_refunds(**body)}


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
