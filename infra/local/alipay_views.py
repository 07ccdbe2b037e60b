"""The local Alipay's trades and refunds as its answers, notifies, bills and pages say them."""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from infra.local import pay_sheet
from infra.local.alipay_keys import BEIJING, Account, beijing
from infra.local.alipay_ledger import Refund, Trade
from infra.local.wechat_http import Answer

COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
FEE_PER_MILLE = 6


def yuan(amount_fen: int) -> str:
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{abs(amount_fen) // 100}.{abs(amount_fen) % 100:02d}"


def trade_view(trade: Trade) -> dict[str, Any]:
    """A trade as a query answers it; what only a payment brings is absent before it."""
    view = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "buyer_logon_id": "159****5620",
        "buyer_open_id": trade.buyer_open_id,
        "trade_status": trade.trade_state,
        "total_amount": trade.order["total_amount"],
    }
    return view | ({"send_pay_date": beijing(trade.paid_at)} if trade.paid else {})


def notice(trade: Trade, refund: Refund | None = None) -> dict[str, str]:
    """What a notify tells of a paid trade, or of a refund of it."""
    order = trade.order
    told = {
        "app_id": trade.account.app_id,
        "auth_app_id": trade.account.app_id,
        "seller_id": trade.account.mchid,
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "subject": order["subject"],
        "buyer_logon_id": "159****5620",
        "buyer_open_id": trade.buyer_open_id,
        "trade_status": trade.trade_state,
        "total_amount": order["total_amount"],
        "receipt_amount": order["total_amount"],
        "gmt_create": beijing(trade.created_at),
        "gmt_payment": beijing(trade.paid_at),
        "fund_bill_list": f'[{{"amount":"{order["total_amount"]}","fundChannel":"ALIPAYACCOUNT"}}]',
    }
    if order.get("passback_params"):
        told["passback_params"] = order["passback_params"]
    if refund is not None:
        told |= {
            "refund_fee": yuan(trade.refunded_fen("SUCCESS")),
            "gmt_refund": f"{beijing(refund.settled_at)}.123",
            "out_biz_no": refund.out_refund_no,
        }
    return told


def refund_view(trade: Trade, refund: Refund) -> dict[str, Any]:
    """A refund as a query answers it; one that failed is as if it had never been."""
    if refund.status == "CLOSED":
        return {}
    view = {
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "out_request_no": refund.out_refund_no,
        "refund_amount": yuan(refund.amount_fen),
        "total_amount": trade.order["total_amount"],
    }
    if refund.status != "SUCCESS":
        return view | {"refund_status": "REFUND_PROCESSING"}
    return view | {
        "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": beijing(refund.settled_at),
    }


def bill(account: Account, trades: Iterable[Trade], day: dt.date) -> bytes | None:
    """The zip of what was done on `day`; None when nothing was."""
    lines = [line for trade in trades for line in _lines(trade, day)]
    if not lines:
        return None
    table = io.StringIO()
    csv.writer(table, lineterminator="\r\n").writerows(lines)
    paid = [line for line in lines if line[2] == "交易"]
    back = [line for line in lines if line[2] == "退款"]
    text = (
        "#支付宝业务明细查询\r\n"
        f"#账号：[{account.mchid}0156]\r\n"
        f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   "
        f"终止日期：[{day + dt.timedelta(days=1):%Y年%m月%d日} 00:00:00]\r\n"
        "#-----------------------------------------业务明细列表--------------------------------\r\n"
        f"{COLUMNS}\r\n{table.getvalue()}"
        "#-----------------------------------------业务明细列表结束----------------------------\r\n"
        f"#交易合计：{len(paid)}笔，商家实收共{_sum(paid)}元，商家优惠共0.00元\r\n"
        f"#退款合计：{len(back)}笔，商家实收退款共{_sum(back)}元，商家优惠退款共0.00元\r\n"
    )
    archive = io.BytesIO()
    name = f"{account.mchid}0156_{day:%Y%m%d}_业务明细"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        _add(zipped, f"{name}.csv", text)
        _add(zipped, f"{name}(汇总).csv", "#支付宝业务汇总查询\r\n")
    return archive.getvalue()


def _lines(trade: Trade, day: dt.date) -> Iterator[list[str]]:
    if not trade.paid:
        return
    if _day(trade.paid_at) == day:
        yield _line(trade, "交易", trade.paid_at, trade.total_fen)
    for refund in trade.refunds.values():
        if refund.status == "SUCCESS" and _day(refund.settled_at) == day:
            number = f"{refund.out_refund_no}\t"
            yield _line(trade, "退款", refund.settled_at, -refund.amount_fen, number)


def _line(trade: Trade, kind: str, at_s: float, amount_fen: int, number: str = "") -> list[str]:
    taken_fen = abs(amount_fen) * FEE_PER_MILLE // 1000  # and given back with a refund
    amount, fee = yuan(amount_fen), yuan(-taken_fen if amount_fen > 0 else taken_fen)
    subject = trade.order["subject"]
    head = [f"{trade.trade_no}\t", f"{trade.out_trade_no}\t", kind, subject]
    times = [beijing(trade.created_at), beijing(at_s)]
    zeros = ["0.00"] * 5
    return [
        *(*head, *times, "", "", "", "", "*小明(159****5620)", amount, amount, *zeros, ""),
        *("0.00", "0.00", number, fee, "0.00", ""),
    ]


def _sum(lines: list[list[str]]) -> str:
    return yuan(sum(int(line[12].replace(".", "")) for line in lines))


class _GbkName(zipfile.ZipInfo):
    """An entry whose name is in GBK without saying so, as in Alipay's own zips."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def _add(zipped: zipfile.ZipFile, name: str, text: str) -> None:
    zipped.writestr(_GbkName(name), text.encode("gbk", errors="replace"))


def _day(at_s: float) -> dt.date:
    return dt.datetime.fromtimestamp(at_s, BEIJING).date()


def sheet(trade: Trade, back: str) -> Answer:
    """What the buyer sees: the sum, and a button that pays."""
    return pay_sheet.sheet(
        pay_sheet.ALIPAY,
        shop=trade.account.name or f"商家 {trade.account.mchid}",
        goods=str(trade.order["subject"]),
        amount_fen=trade.total_fen,
        action=f"/cashier/{trade.trade_no}",
        fields={"back": back},
        back=back,
    )
