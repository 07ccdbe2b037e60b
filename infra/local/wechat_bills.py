"""The local WeChat Pay's bill of a day's trades (交易账单, ALL), made from its own ledger.

A payment stands on the day it was paid; a refund on the day it was accepted, with the status it
had when the bill was made: nobody brings a bill up to date. Days are Beijing's.
"""

import datetime as dt
import gzip
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from infra.local.wechat_accounts import Account
from infra.local.wechat_http import Refusal
from infra.local.wechat_pay import Ledger, Refund, Trade
from infra.local.wechat_views import BEIJING

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS_HEADER = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
SUMMED = ("应结订单金额", "退款金额", "充值券退款金额", "手续费", "订单金额", "申请退款金额")
NONE = {  # in a payment's row where a refund's has something, and the reverse
    "设备号": "",
    "代金券金额": "0.00",
    "微信退款单号": "0",
    "商户退款单号": "0",
    "退款金额": "0.00",
    "充值券退款金额": "0.00",
    "退款类型": "",
    "退款状态": "",
    "应结订单金额": "0.00",
    "订单金额": "0.00",
    "申请退款金额": "0.00",
    "费率备注": "",
}
STATUSES = {"CLOSED": "FAIL", "ABNORMAL": "CHANGE"}  # what a bill calls them
RATE = Fraction(6, 1000)
RATE_WORD = "0.60%"
READY_AFTER_S = 10 * 3600  # after the day's end
KEPT_DAYS = 90
LINK_LIFE_S = 300
BOM = "\ufeff"

Row = dict[str, str]  # by column
Edit = Callable[[list[Row]], list[Row]]


@dataclass(frozen=True)
class _File:
    content: bytes
    mchid: str  # who may fetch it
    until: float


class Bills:
    """`edits`: applied in turn to the rows of every bill before its totals are made, so that a
    bill can be believable and yet differ from the ledger."""

    def __init__(self, ledger: Ledger, now: Callable[[], float]) -> None:
        self._ledger, self._now = ledger, now
        self._files: dict[str, _File] = {}
        self.edits: list[Edit] = []

    def make(self, account: Account, query: dict[str, str], base_url: str) -> dict[str, str]:
        """The answer to who asks for a day's bill. Raises Refusal when there is none."""
        day = _day(query.get("bill_date", ""))
        if query.get("bill_type", "ALL") != "ALL" or query.get("tar_type") != "GZIP":
            raise Refusal(400, "PARAM_ERROR", "本机替身只出 ALL 类型、GZIP 压缩的账单")
        made_at = _midnight(day + dt.timedelta(days=1)) + READY_AFTER_S
        today = dt.datetime.fromtimestamp(self._now(), BEIJING).date()
        if not today - dt.timedelta(days=KEPT_DAYS) <= day < today:
            raise Refusal(400, "INVALID_REQUEST", "请检查 bill_date")
        if self._now() < made_at:
            raise Refusal(400, "STATEMENT_CREATING", "账单生成中")
        rows = self.rows(account, day)
        if not rows:
            raise Refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        text = _text(rows)
        token = secrets.token_urlsafe(24)
        until = self._now() + LINK_LIFE_S
        self._files[token] = _File(gzip.compress(text), account.signing_mchid, until)
        return {
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(text, usedforsecurity=False).hexdigest(),
            "download_url": f"{base_url}/v3/billdownload/file?token={token}",
        }

    def file(self, token: str, mchid: str) -> bytes:
        """The file behind a link, for who asked for it. Raises Refusal."""
        found = self._files.get(token)
        if found is None or self._now() >= found.until:
            raise Refusal(400, "INVALID_REQUEST", "请重新获取账单地址后再请求")
        if found.mchid != mchid:
            raise Refusal(403, "NO_AUTH", "请检查本次请求的商户是否与申请账单的商户一致")
        return found.content

    def rows(self, account: Account, day: dt.date) -> list[Row]:
        begin = _midnight(day)
        end, made_at = begin + 86400, begin + 86400 + READY_AFTER_S
        dated = [
            (at, row)
            for trade in self._ledger.paid(account.mchid)
            for at, row in _rows(trade, account, made_at)
            if begin <= at < end
        ]
        rows = [row for _, row in sorted(dated, key=lambda pair: pair[0])]
        for edit in self.edits:
            rows = edit(rows)
        return rows


def yuan(fen: int, decimals: int = 2) -> str:
    return f"{Decimal(fen) / 100:.{decimals}f}"


def fees_fen(trade: Trade) -> tuple[int, dict[str, int]]:
    """(of the payment, given back with each refund): whole fen. What is left of the fee goes
    back in proportion to what is left of the money, half a fen to the even side."""
    fee = left_fee = int(trade.total_fen * RATE + Fraction(1, 2))
    left, back = trade.total_fen, {}
    for refund in trade.refunds.values():
        part = round(Fraction(refund.amount_fen, left) * left_fee) if _counts(refund) else 0
        back[refund.out_refund_no] = part
        left_fee -= part
        left -= refund.amount_fen if _counts(refund) else 0
    return fee, back


def _counts(refund: Refund) -> bool:
    return refund.status != "CLOSED"


def _rows(trade: Trade, account: Account, made_at: float) -> Iterator[tuple[float, Row]]:
    """(when, the row) of the payment and of each refund."""
    fee, back = fees_fen(trade)
    order: dict[str, Any] = trade.order
    common = NONE | {
        "公众账号ID": order.get("sp_appid") or order["appid"],
        "商户号": account.signing_mchid,
        "特约商户号": account.mchid if account.is_partner else "0",
        "微信订单号": trade.transaction_id,
        "商户订单号": trade.out_trade_no,
        "用户标识": next(iter(trade.payer.values())),
        "交易类型": trade.trade_type,
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "商品名称": order["description"],
        "商户数据包": order.get("attach", ""),
        "费率": RATE_WORD,
    }
    total = yuan(trade.total_fen)
    paid = {"交易状态": "SUCCESS", "应结订单金额": total, "订单金额": total}
    yield trade.paid_at, _row(common | paid, trade.paid_at, fee)
    for refund in trade.refunds.values():
        settled = 0 < refund.settled_at <= made_at
        status = refund.status if settled else "PROCESSING"
        amount = yuan(refund.amount_fen)
        returned = {
            "交易状态": "REFUND",
            "微信退款单号": refund.refund_id,
            "商户退款单号": refund.out_refund_no,
            "退款金额": amount,
            "申请退款金额": amount,
            "退款类型": "ORIGINAL",
            "退款状态": STATUSES.get(status, status),
        }
        row = _row(common | returned, refund.created_at, -back[refund.out_refund_no])
        yield refund.created_at, row


def _row(cells: Row, at: float, fee_fen: int) -> Row:
    moment = dt.datetime.fromtimestamp(int(at), BEIJING)
    cells |= {"交易时间": f"{moment:%Y-%m-%d %H:%M:%S}", "手续费": yuan(fee_fen, 5)}
    return {column: cells[column] for column in HEADER.split(",")}


def _text(rows: list[Row]) -> bytes:
    sums = [sum((Decimal(row[column]) for row in rows), Decimal("0.00")) for column in SUMMED]
    totals = [str(len(rows)), *(str(total) for total in sums)]
    lines = [HEADER, *(_line(list(row.values())) for row in rows), TOTALS_HEADER, _line(totals)]
    return (BOM + "".join(f"{line}\r\n" for line in lines)).encode()


def _line(cells: list[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def _day(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BEIJING).date()
    except ValueError as error:
        raise Refusal(400, "PARAM_ERROR", "参数 bill_date 有误") from error


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(), BEIJING).timestamp()
