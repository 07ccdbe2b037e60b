"""Alipay's bill of a day: a zip of GBK CSV files, believed only when their own sums are right."""

import csv
import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from chalicelib.domain.ids import split_out_refund_no, split_out_trade_no
from chalicelib.gateways.alipay_statements import epoch_s, signed_fen
from chalicelib.gateways.payment import FOREIGN, BillKind, BillRow, RefundStatus
from chalicelib.gateways.verification import VerificationError, must_be

UNZIPPED_BYTES_MAX = 64 * 1024 * 1024  # some 200,000 lines
FILES_MAX = 50
DETAILS, SUMMARY = "业务明细", "汇总"  # in the names of the files
KINDS = {"交易": BillKind.PAYMENT, "退款": BillKind.REFUND}
TRANSACTION, NUMBER, KIND = "支付宝交易号", "商户订单号", "业务类型"
AT, TOTAL, RECEIVED = "完成时间", "订单金额（元）", "商家实收（元）"
REFUND_NUMBER, FEE = "退款批次号/请求号", "服务费（元）"
PRODUCT = "商品名称"
COLUMNS = (TRANSACTION, NUMBER, KIND, AT, TOTAL, RECEIVED, REFUND_NUMBER, FEE)

_BEGINS_LINE = re.compile(r"\s*[0-9]{10,}\s*,")
_ACCOUNT = re.compile(r"#账号[:：]\[([0-9]+)\]")
_BEGINS = re.compile(r"#起始日期[:：]\[([0-9]{4})年([0-9]{2})月([0-9]{2})日")
# "#交易合计：3笔，商家实收共29.90元，…", "#退款合计：1笔，商家实收退款共-9.90元，…"
_SUM = re.compile(r"#+(交易|退款)合计[:：]([0-9]+)笔[,，]商家实收(?:退款)?共(-?[0-9.]+)元")


def rows_of(archive: bytes, *, day: dt.date, seller_id: str) -> list[BillRow]:
    """Every line of the bill. Raises VerificationError for a file that is not this account's
    of `day`, that cannot be read, or whose lines do not add up to what it says they do."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive), metadata_encoding="gbk") as zipped:
            return [
                row
                for entry in _entries(zipped)
                for row in _rows(zipped.read(entry), day=day, seller_id=seller_id)
            ]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise VerificationError("unreadable", "bill") from error
    except UnicodeDecodeError as error:
        raise VerificationError("unreadable", "file name") from error


def _entries(zipped: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of single lines, if they are not too much to hold. There is always one."""
    found = [e for e in zipped.infolist() if DETAILS in e.filename and SUMMARY not in e.filename]
    if not found or len(found) > FILES_MAX:
        raise VerificationError("incomplete", "files", str(len(found)))
    if sum(entry.file_size for entry in found) > UNZIPPED_BYTES_MAX:
        raise VerificationError("too_long", "bill")
    return found


def _rows(content: bytes, *, day: dt.date, seller_id: str) -> list[BillRow]:
    """The lines of one file, once its sums are checked."""
    # A product's name that was cut inside a character must not cost the bill.
    lines = content.decode("gb18030", errors="replace").split("\n")
    lines = [line.rstrip("\r") for line in lines]
    remarks = [line for line in lines if line.startswith("#")]
    _check_head(remarks, day=day, seller_id=seller_id)
    sums = {match[1]: match for line in remarks if (match := _SUM.match(line))}
    rows: list[BillRow] = []
    received = {word: [0, 0] for word in KINDS}  # lines, fen
    for it in _cells([line for line in lines if line.strip() and not line.startswith("#")]):
        row, received_fen = _read(it)
        rows.append(row)
        if received_fen is not None:
            received[it[KIND]][0] += 1
            received[it[KIND]][1] += abs(received_fen)
    unread = len(rows) - sum(count for count, _ in received.values())
    for word, (count, fen) in received.items():
        stated = sums.get(word)
        if stated is None:
            raise VerificationError("incomplete", f"{word}合计")
        if unread and count <= int(stated[2]) <= count + unread:
            continue  # what of it is another system's, and cannot be read, nobody can add up
        must_be(f"{word}合计", str(count), stated[2])
        must_be(f"{word}合计", str(fen), str(abs(signed_fen("合计", stated[3]))))
    return rows


def _read(it: Mapping[str, str]) -> tuple[BillRow, int | None]:
    """(a line, what was received by it); FOREIGN and None for one of another system that cannot
    be read. Raises VerificationError for one under a number of ours."""
    try:
        return _row(it), signed_fen(RECEIVED, it[RECEIVED])
    except VerificationError:
        if _is_ours(it):
            raise
        return FOREIGN, None


def _is_ours(it: Mapping[str, str]) -> bool:
    """Whether a line claims to be of this system: by the form of its numbers."""
    return bool(split_out_trade_no(it[NUMBER]) or split_out_refund_no(it[REFUND_NUMBER]))


def _check_head(remarks: list[str], *, day: dt.date, seller_id: str) -> None:
    """Whose bill it is (an account's number is the seller's, and 0156 for its currency), and of
    which day, where it says so."""
    for line in remarks:
        if account := _ACCOUNT.match(line):
            must_be("seller_id", account[1][: len(seller_id)], seller_id)
        if begins := _BEGINS.match(line):
            must_be("bill_date", "-".join(begins.groups()), day.isoformat())


def _cells(lines: list[str]) -> Iterator[Mapping[str, str]]:
    """Each line by the names of its columns; their order is Alipay's to change."""
    names = [name.strip() for name in _split(lines[0])] if lines else []
    for column in COLUMNS:
        if column not in names:
            raise VerificationError("incomplete", column)
    for line in _whole(lines[1:], names):
        cells = [cell.strip() for cell in _split(line)]
        more = len(cells) - len(names)
        mended = cells
        if more > 0 and PRODUCT in names:  # its product's name holds commas
            at = names.index(PRODUCT)
            mended = [*cells[:at], ",".join(cells[at : at + more + 1]), *cells[at + more + 1 :]]
        elif more < 0:
            mended = [*cells, *([""] * -more)]
        # Numbers end in a tab, so that a spreadsheet does not round them.
        it = dict(zip(names, mended[: len(names)], strict=True))
        if more and _is_ours(it):
            raise VerificationError("unreadable", "line", str(len(cells)))
        yield it


def _split(line: str) -> list[str]:
    """One line at a time: a quotation mark that another system leaves open must not swallow the
    lines after it."""
    return next(csv.reader([line]), [])


def _whole(lines: list[str], names: list[str]) -> Iterator[str]:
    """Each line whole: one that does not begin with Alipay's number, where that comes first,
    belongs to the line before."""
    whole = ""
    for line in lines:
        begins = names[0] != TRANSACTION or _BEGINS_LINE.match(line)
        if whole and begins:
            yield whole
            whole = ""
        whole = f"{whole} {line}" if whole else line
    if whole:
        yield whole


def _row(it: Mapping[str, str]) -> BillRow:
    kind = KINDS.get(it[KIND])
    if kind is None:
        raise VerificationError("unknown_state", KIND, it[KIND][:32])
    refunded = kind is BillKind.REFUND  # a bill lists what was carried out, nothing else
    return BillRow(
        kind=kind,
        out_trade_no=it[NUMBER],
        transaction_id=it[TRANSACTION],
        amount_fen=abs(signed_fen(TOTAL, it[TOTAL])),
        fee_fen=-signed_fen(FEE, it[FEE] or "0"),  # what Alipay takes stands below nothing
        at_s=epoch_s(AT, it[AT]),
        out_refund_no=it[REFUND_NUMBER] if refunded else "",
        refund_status=RefundStatus.SUCCEEDED if refunded else RefundStatus.UNKNOWN,
    )
