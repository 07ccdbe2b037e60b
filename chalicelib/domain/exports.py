"""Tables to take away: what there is to choose, and how a cell is written.

A file is CSV with a byte order mark, so that Excel reads its Chinese. What people typed can never
become a formula, and numbers, sizes and days that they typed stay as they are.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.beijing import BEIJING, DAY_S
from chalicelib.domain.rights import Area, Right, view
from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

ROWS_MAX = 50_000
DAYS_MAX = 366  # of movements, which are read day by day
KEPT_S = 7 * DAY_S  # the file; a rule of the bucket deletes it some hours later
EVER_S = 9_999_999_999
BOM = "\ufeff"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
# What Excel changes: of a number it keeps 15 digits and no zeros at either end, and it reads 12E45
# as a power of ten, 1-2 and 3月5日 as days, 8:30 as a time.
_CONVERTED = re.compile(
    r"""[0-9]{12,} | 0[0-9]+ | [0-9]*\.[0-9]*0 | [0-9]+\.
    | [0-9]+(\.[0-9]*)?e[0-9]+
    | ([0-9]{1,4}[ ])?[0-9]{1,4}([-/][0-9]{1,4}){1,2}
    | ([0-9]{2,4}年)?[0-9]{1,2}月([0-9]{1,2}日)? | [0-9]{2,4}年([0-9]{1,2}月)?
    | [0-9]+(:[0-9]{1,2}){1,2}([ ]?[ap]m)?
    | [0-9.,]+% | \([0-9.,]+\) | [0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)? | true | false""",
    re.VERBOSE | re.IGNORECASE,
)
_BREAKS = re.compile(r"[\t\r\n\v\f\u2028\u2029\x00]+")


class Subject(StrEnum):
    """What a row is about."""

    ORDERS = "orders"
    MOVEMENTS = "movements"  # of money
    CUSTOMERS = "customers"
    MEMBERS = "members"


class ExportStatus(StrEnum):
    WRITING = "writing"  # asked for, and under way
    DONE = "done"
    FAILED = "failed"  # given up after many tries; nothing is left to do


@dataclass(frozen=True)
class Column:
    name: str
    title: str


@dataclass(frozen=True)
class Preset:
    """A choice of columns for one purpose. personal: recipients in full, who may see them."""

    name: str
    title: str
    subject: Subject
    columns: tuple[str, ...]
    personal: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is to be exported. Times are those of placing for orders and customers (of payment
    where one status is wished, as in the list of orders), of the movement for movements; both
    ends are included; members are of any time. personal: names, phones and addresses in full, else
    masked."""

    subject: Subject
    columns: tuple[str, ...]
    personal: bool = False
    status: str = ""
    product_id: str = ""
    buyer_id: str = ""
    q: str = ""
    from_s: int = 0
    to_s: int = EVER_S
    tag_id: str = ""
    level: int = 0


def _columns(**titles: str) -> tuple[Column, ...]:
    return tuple(Column(name, title) for name, title in titles.items())


_RECIPIENT = {
    "name": "收件人",
    "phone": "收件电话",
    "province": "省",
    "city": "市",
    "district": "区县",
    "street": "详细地址",
}

COLUMNS: Mapping[Subject, tuple[Column, ...]] = {
    Subject.ORDERS: _columns(
        short_no="订单号",
        order_id="系统单号",
        status="状态",
        placed_at="下单时间",
        paid_at="付款时间",
        title="商品",
        spec="规格",
        quantity="数量",
        unit_price="单价（元）",
        taken_off="优惠（元）",
        coupon="优惠券",
        points="使用积分",
        points_off="积分抵扣（元）",
        freight="运费（元）",
        total="订单金额（元）",
        captured="实收（元）",
        refunded="已退款（元）",
        method="支付方式",
        out_trade_no="商户单号",
        transaction_id="支付平台单号",
        delivery="配送方式",
        store="自提门店",
        **_RECIPIENT,
        buyer="买家昵称",
        remark="买家备注",
        notes="商家备注",
        to_ship="待发数量",
        carrier="快递公司",
        tracking="快递单号",
        shipped_at="发货时间",
        received_at="收货时间",
        group_id="团号",
        group_status="团状态",
    ),
    Subject.MOVEMENTS: _columns(
        at="时间",
        movement="类型",
        method="支付方式",
        incoming="收入（元）",
        outgoing="支出（元）",
        fee="手续费（元）",
        number="商户单号",
        transaction_id="支付平台单号",
        short_no="订单号",
        order_id="系统单号",
        title="商品",
        order_status="订单状态",
    ),
    Subject.CUSTOMERS: _columns(
        buyer_id="买家编号",
        buyer="买家昵称",
        **_RECIPIENT,
        orders="订单数",
        captured="实收（元）",
        refunded="已退款（元）",
        first_at="首次下单",
        last_at="最近下单",
    ),
    Subject.MEMBERS: _columns(
        buyer_id="买家编号",
        buyer="买家昵称",
        **_RECIPIENT,
        level="等级",
        growth="成长值",
        orders="订单数",
        spent="消费金额（元）",
        last_at="最近下单",
        since="注册时间",
        tags="标签",
    ),
}

PRESETS = (
    Preset(
        "orders",
        "订单",
        Subject.ORDERS,
        (
            *(
                "short_no",
                "order_id",
                "status",
                "placed_at",
                "paid_at",
                "title",
                "spec",
                "quantity",
            ),
            *("freight", "total", "captured", "refunded", "method", "delivery"),
            *("name", "phone", "province", "city", "carrier", "tracking", "remark", "notes"),
        ),
    ),
    Preset(
        "shipping",
        "发货",
        Subject.ORDERS,
        (
            *(
                "short_no",
                "order_id",
                "title",
                "spec",
                "quantity",
                "to_ship",
                *_RECIPIENT,
                "remark",
                "notes",
            ),
            *("delivery", "store", "carrier", "tracking", "shipped_at"),
        ),
        personal=True,
    ),
    Preset(
        "accounts",
        "账务",
        Subject.MOVEMENTS,
        tuple(column.name for column in COLUMNS[Subject.MOVEMENTS]),
    ),
    Preset(
        "customers",
        "客户",
        Subject.CUSTOMERS,
        tuple(column.name for column in COLUMNS[Subject.CUSTOMERS]),
    ),
    Preset(
        "members",
        "会员",
        Subject.MEMBERS,
        tuple(column.name for column in COLUMNS[Subject.MEMBERS]),
    ),
)

_NEEDED: Mapping[Subject, tuple[Right, ...]] = {
    Subject.ORDERS: (view(Area.ORDERS),),
    Subject.MOVEMENTS: (view(Area.RECONCILIATION),),
    Subject.CUSTOMERS: (view(Area.ORDERS),),
    Subject.MEMBERS: (view(Area.MEMBERS),),
}


def rights_for(subject: Subject, *, personal: bool) -> tuple[Right, ...]:
    """What is needed beside the right to export: to ask for such a file, and to fetch it."""
    return _NEEDED[subject] + ((view(Area.RECIPIENTS),) if personal else ())


def check(wanted: Wanted, *, now_s: int) -> None:
    """Return only when that can be exported. Raises InvalidRequest with its field."""
    known = {column.name for column in COLUMNS[wanted.subject]}
    if set(wanted.columns) - known or len(set(wanted.columns)) < len(wanted.columns):
        raise InvalidRequest("选择的列有误，请重新选择。", field="columns")
    if wanted.from_s > wanted.to_s:
        raise InvalidRequest("开始时间晚于结束时间，请改一下日期。", field="from_s")
    _check_filters(wanted)
    days_s = min(wanted.to_s, now_s) - wanted.from_s
    if wanted.subject is Subject.MOVEMENTS and days_s > DAYS_MAX * DAY_S:
        words = Text("账务明细一次最多导出 {max} 天，请缩短时间范围。", max=DAYS_MAX)
        raise InvalidRequest(words, field="from_s")


def _check_filters(wanted: Wanted) -> None:
    """Return only when rows of that subject can be chosen so. Raises InvalidRequest."""
    subject, of_orders = wanted.subject, wanted.product_id or wanted.buyer_id
    timed = wanted.from_s > 0 or wanted.to_s < EVER_S
    if subject is not Subject.ORDERS and wanted.status:
        raise InvalidRequest("只有订单可以按状态导出。", field="status")
    if subject not in (Subject.ORDERS, Subject.MEMBERS) and wanted.q:
        raise InvalidRequest("只有订单和会员可以按搜索词导出。", field="q")
    if subject is Subject.MOVEMENTS and of_orders:
        raise InvalidRequest("账务明细不能按商品或买家筛选。", field="product_id")
    if subject is Subject.MEMBERS and (of_orders or timed):
        raise InvalidRequest("会员只能按标签、等级或搜索词导出。", field="from_s")
    if subject is not Subject.MEMBERS and (wanted.tag_id or wanted.level):
        raise InvalidRequest("只有会员可以按标签或等级导出。", field="tag_id")


def header(subject: Subject, columns: Sequence[str]) -> list[str]:
    titles = {column.name: column.title for column in COLUMNS[subject]}
    return [titles[name] for name in columns]


@dataclass(frozen=True)
class Yuan:
    """An amount, written as a number of yuan with two decimals."""

    fen: int


@dataclass(frozen=True)
class Moment:
    """A time, written as people in Beijing read it; nothing for 0."""

    at_s: int


Cell = str | int | Yuan | Moment | None
Row = Mapping[str, Cell]


def lines(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as lines of a file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([written(cell) for cell in r] for r in rows)
    return text.getvalue()


def written(cell: Cell) -> str:
    """A cell as it stands in the file."""
    match cell:
        case None:
            return ""
        case int():
            return str(cell)
        case Yuan(fen):
            yuan, rest = divmod(abs(fen), 100)
            return f"{'-' if fen < 0 else ''}{yuan}.{rest:02d}"
        case Moment(at_s):
            return f"{dt.datetime.fromtimestamp(at_s, BEIJING):%Y-%m-%d %H:%M:%S}" if at_s else ""
        case str():
            return _text(cell)


def _text(value: str) -> str:
    """Words that nobody's spreadsheet program takes for a formula, a number or a time."""
    value = _BREAKS.sub(" ", value).strip()
    if _CONVERTED.fullmatch(value):
        return f"\t{value}"  # read as text, and shown without the tab
    return f"'{value}" if value.startswith(_FORMULA) else value


@dataclass(frozen=True)
class Filled:
    """Rows that were made, and where to go on; None at the end."""

    rows: list[list[Cell]] = field(default_factory=list)
    next: str | None = None
