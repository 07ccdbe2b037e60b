"""WeChat Pay's bill of a day's trades (交易账单, ALL): proven, then read. No network.

A table with a header, a row for every payment and every refund, and two lines of totals.
Columns are found by their names, as WeChat Pay adds some. Each cell of a row begins with a
back-quote; amounts are in yuan. A refund stands on the day on which WeChat Pay accepted it, with
the status it had when the bill was made, which is not brought up to date.
"""

import datetime as dt
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.beijing import BEIJING, day_of
from chalicelib.domain.ids import split_out_refund_no, split_out_trade_no
from chalicelib.gateways.payment import FOREIGN, BillKind, BillRow, RefundStatus
from chalicelib.gateways.verification import VerificationError
from chalicelib.gateways.wechat_pay_account import WechatAccount
from chalicelib.gateways.wechat_pay_statements import CURRENCY

FILE_BYTES_MAX = 8 * 1024 * 1024  # as it is downloaded
BILL_BYTES_MAX = 32 * 1024 * 1024  # unpacked: about 100,000 trades
GZIP_MAGIC = b"\x1f\x8b"

PAYMENTS = frozenset({"SUCCESS"})
REFUNDS = frozenset({"REFUND", "REVOKED"})
REFUND_STATUSES = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "PROCESSING": RefundStatus.PROCESSING,
    "FAIL": RefundStatus.CLOSED,
    "CLOSED": RefundStatus.CLOSED,
    "CHANGE": RefundStatus.ABNORMAL,
    "ABNORMAL": RefundStatus.ABNORMAL,
}
COUNT = "总交易单数"
TOTALS = {  # each total -> the column it is of
    "应结订单总金额": "应结订单金额",
    "退款总金额": "退款金额",
    "充值券退款总金额": "充值券退款金额",
    "手续费总金额": "手续费",
    "订单总金额": "订单金额",
    "申请退款总金额": "申请退款金额",
}
COLUMNS = (
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "货币种类",
    "商户退款单号",
    "退款状态",
    *TOTALS.values(),
)
AT = "交易时间"
PRODUCT = "商品名称"  # a shop's own words, which other systems do not rid of what breaks a row
# Where a row begins: what a product's name breaks off goes on in the next line.
_BEGINS = re.compile(b"`[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},`")
_YUAN = re.compile(r"(-?)([0-9]{1,10})(?:\.([0-9]{1,5}))?")
_COUNT = re.compile(r"[0-9]{1,9}")

_Cells = dict[str, str]  # by column


def unpacked(file: bytes, *, sha1: str) -> bytes:
    """Return the bill in a downloaded file with that digest. Raises VerificationError."""
    bill = file
    if file.startswith(GZIP_MAGIC):
        try:
            bill = gzip.GzipFile(fileobj=io.BytesIO(file)).read(BILL_BYTES_MAX + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise VerificationError("unreadable", "gzip") from error
    if len(bill) > BILL_BYTES_MAX:
        raise VerificationError("too_large", "bill")
    seen = hashlib.sha1(bill, usedforsecurity=False).hexdigest()
    if seen != sha1.lower():
        raise VerificationError("mismatch", "hash_value", seen)
    return bill


def rows(bill: bytes, day: dt.date, account: WechatAccount) -> Iterator[BillRow]:
    """The rows of a day's bill. Raises VerificationError at once unless every row under a number
    of ours can be read and the totals are those of the rows; a row of another account is no reason,
    but says so. Another system's row that cannot be read is FOREIGN; where not even its amounts
    can, the totals prove nothing."""
    table = _Table.of(bill)
    count, sums, summed = 0, dict.fromkeys(TOTALS, 0), True
    for cells in table.rows():
        _read(cells, day, account)
        count += 1
        try:
            amounts = {total: _exact(cells, column) for total, column in TOTALS.items()}
        except VerificationError:
            if _is_ours(cells):
                raise
            summed = False
            continue
        for total, amount in amounts.items():
            sums[total] += amount
    if not _COUNT.fullmatch(table.totals[COUNT]) or int(table.totals[COUNT]) != count:
        raise VerificationError("totals", COUNT, table.totals[COUNT][:32])
    for total, amount in sums.items() if summed else ():
        if _exact(table.totals, total) != amount:
            raise VerificationError("totals", total, table.totals[total][:32])
    return (_read(cells, day, account) for cells in table.rows())


def _is_ours(cells: _Cells) -> bool:
    """Whether a row claims to be of this system: by the form of its numbers."""
    number, refund = cells.get("商户订单号", ""), cells.get("商户退款单号", "")
    return bool(split_out_trade_no(number) or split_out_refund_no(refund))


def _read(cells: _Cells, day: dt.date, account: WechatAccount) -> BillRow:
    try:
        return _row(cells, day, account)
    except VerificationError:
        if _is_ours(cells):
            raise
        return FOREIGN


@dataclass(frozen=True)
class _Table:
    """A bill taken apart. The rows are read when they are wanted, so as not to hold them all."""

    names: list[str]
    details: bytes
    totals: _Cells

    @classmethod
    def of(cls, bill: bytes) -> "_Table":
        head, _, rest = bill.rstrip().partition(b"\n")
        rest, _, totals = rest.rpartition(b"\n")
        details, _, totals_head = rest.rpartition(b"\n")
        names = _header(head, COLUMNS)
        totals_names = _header(totals_head, (COUNT, *TOTALS))
        return cls(names, details, _cells(totals, totals_names))

    def rows(self) -> Iterator[_Cells]:
        begins = self.names[0] == AT  # else nothing tells where a row begins
        lines = _lines(self.details) if begins else io.BytesIO(self.details)
        return (_row_cells(line, self.names) for line in lines)


def _lines(details: bytes) -> Iterator[bytes]:
    """Each row whole: a line that begins none belongs to the one before."""
    whole = b""
    for line in io.BytesIO(details):
        if whole and _BEGINS.match(line):
            yield whole
            whole = b""
        whole += line
    if whole:
        yield whole


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise VerificationError("unreadable", "bill") from error


def _header(line: bytes, wanted: Sequence[str]) -> list[str]:
    names = [name.removeprefix("`") for name in _text(line).split(",")]
    for name in wanted:
        if names.count(name) != 1:
            raise VerificationError("columns", name)
    return names


def _cells(line: bytes, names: list[str]) -> _Cells:
    """Cells are parted by a comma and a back-quote: the words of a shop may hold commas."""
    text = _text(line)
    cells = text[1:].split(",`")
    if not text.startswith("`") or len(cells) != len(names):
        raise VerificationError("unreadable", "row", text[:32])
    return dict(zip(names, cells, strict=True))


def _row_cells(line: bytes, names: list[str]) -> _Cells:
    """The cells of a row. One whose product's name holds what parts cells is put together again,
    from both ends; it is never ours, whose names are rid of that."""
    text = _text(line)
    cells = text[1:].split(",`")
    more = len(cells) - len(names)
    if not more or not text.startswith("`") or more < 0 or PRODUCT not in names:
        return _cells(line, names)
    at = names.index(PRODUCT)
    mended = [*cells[:at], ",`".join(cells[at : at + more + 1]), *cells[at + more + 1 :]]
    found = dict(zip(names, mended, strict=True))
    if _is_ours(found):
        raise VerificationError("unreadable", "row", text[:32])
    return found


def _row(cells: _Cells, day: dt.date, account: WechatAccount) -> BillRow:
    state = cells["交易状态"]
    if state not in PAYMENTS | REFUNDS:
        raise VerificationError("unknown_state", "交易状态", state[:32])
    refund = state in REFUNDS
    return BillRow(
        kind=BillKind.REFUND if refund else BillKind.PAYMENT,
        out_trade_no=_number(cells, "商户订单号"),
        transaction_id=_number(cells, "微信订单号"),
        amount_fen=_fen(cells, "申请退款金额" if refund else "订单金额"),
        fee_fen=_fen(cells, "手续费"),
        at_s=_at_s(cells["交易时间"], day),
        out_refund_no=_number(cells, "商户退款单号") if refund else "",
        # A word we do not know claims nothing: the rest of the bill is worth comparing.
        refund_status=REFUND_STATUSES.get(cells["退款状态"], RefundStatus.UNKNOWN),
        mismatch=_mismatch(cells, account),
    )


def _number(cells: _Cells, column: str) -> str:
    if cells[column] in ("", "0"):
        raise VerificationError("incomplete", column)
    return cells[column]


def _fen(cells: _Cells, column: str) -> int:
    """Yuan as fen, exactly. Fees have five decimals and are whole fen all the same."""
    match = _YUAN.fullmatch(cells[column])
    decimals = (match[3] or "").ljust(5, "0") if match else ""
    if match is None or decimals[2:] != "000":
        raise VerificationError("unreadable", column, cells[column][:32])
    fen = int(match[2]) * 100 + int(decimals[:2])
    return -fen if match[1] else fen


def _exact(cells: _Cells, column: str) -> int:
    """Yuan in units of the fifth decimal, which other systems' fees have."""
    match = _YUAN.fullmatch(cells[column])
    if match is None:
        raise VerificationError("unreadable", column, cells[column][:32])
    units = int(match[2]) * 100_000 + int((match[3] or "").ljust(5, "0"))
    return -units if match[1] else units


def _at_s(text: str, day: dt.date) -> int:
    """Seconds of `text` in Beijing. A day beside `day` is borne with: WeChat Pay's accounts may
    turn the day a moment before or after the clock does."""
    try:
        moment = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError as error:
        raise VerificationError("unreadable", "交易时间", text[:32]) from error
    at_s = int(moment.timestamp())
    if abs(day_of(at_s) - day) > dt.timedelta(days=1):
        raise VerificationError("mismatch", "交易时间", text[:32])
    return at_s


def _mismatch(cells: _Cells, account: WechatAccount) -> str:
    """The first thing in the row that is not this account's."""
    no_sub_mchid = ("0", "")
    ours = {
        "appid": cells["公众账号ID"] in account.apps,
        "mchid": cells["商户号"] == account.mchid,
        "sub_mchid": cells["特约商户号"]
        in ((account.sub_mchid,) if account.is_partner else no_sub_mchid),
        "currency": cells["货币种类"] == CURRENCY,
    }
    return next((name for name, right in ours.items() if not right), "")
