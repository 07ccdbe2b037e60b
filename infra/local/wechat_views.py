"""The local WeChat Pay's trades and refunds as its answers and callbacks say them."""

import datetime as dt
from typing import Any

from infra.local.wechat_accounts import ORDER_NAMES, Account
from infra.local.wechat_pay import TRADE_WORDS, Refund, Trade

BEIJING = dt.timezone(dt.timedelta(hours=8))


def trade_view(trade: Trade) -> dict[str, Any]:
    """A trade in WeChat Pay's words; what only a payment brings is absent before it."""
    order = trade.order
    view: dict[str, Any] = {
        **{name: order[name] for name in ORDER_NAMES if name in order},
        "out_trade_no": trade.out_trade_no,
        "trade_state": trade.trade_state,
        "trade_state_desc": TRADE_WORDS[trade.trade_state],
        "attach": order.get("attach", ""),
        "amount": {"total": trade.total_fen, "payer_currency": "CNY"},
    }
    if trade.state == "SUCCESS":
        view["amount"] |= {"currency": "CNY", "payer_total": trade.total_fen}
        view |= {
            "transaction_id": trade.transaction_id,
            "trade_type": trade.trade_type,
            "bank_type": "OTHERS",
            "success_time": rfc3339(trade.paid_at),
            "payer": trade.payer,
        }
    return view


def refund_view(refund: Refund, trade: Trade) -> dict[str, Any]:
    """A refund as an answer says it."""
    amounts = refund_amounts(refund, trade)
    view = {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": trade.transaction_id,
        "out_trade_no": refund.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.created_at),
        "status": refund.status,
        "funds_account": "UNSETTLED",
        "amount": amounts
        | {
            "settlement_refund": refund.amount_fen,
            "settlement_total": trade.total_fen,
            "discount_refund": 0,
            "currency": "CNY",
        },
    }
    return view | (
        {"success_time": rfc3339(refund.settled_at)} if refund.status == "SUCCESS" else {}
    )


def refund_notice(refund: Refund, trade: Trade, account: Account) -> dict[str, Any]:
    """A refund as a callback says it: with the merchant, without the currency."""
    notice = {
        **account.merchant_names,
        "out_trade_no": refund.out_trade_no,
        "transaction_id": trade.transaction_id,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": refund.status,
        "amount": refund_amounts(refund, trade),
        "user_received_account": "支付用户零钱",
    }
    done = refund.status == "SUCCESS"
    return notice | ({"success_time": rfc3339(refund.settled_at)} if done else {})


def refund_amounts(refund: Refund, trade: Trade) -> dict[str, int]:
    return {
        "total": trade.total_fen,
        "refund": refund.amount_fen,
        "payer_total": trade.total_fen,
        "payer_refund": refund.amount_fen,
    }


def rfc3339(at_s: float) -> str:
    return dt.datetime.fromtimestamp(int(at_s), BEIJING).isoformat()
