"""Carriers (快递公司): their codes, what people call them, what their numbers look like.

A form that is too strict would keep an honest parcel from being entered, one that is too loose
lets a slip pass: each is as wide as what the carrier is known to have given out.
"""

import re
import unicodedata
from dataclasses import dataclass

from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

ANY_NUMBER = "[0-9A-Z][0-9A-Z-]{7,28}[0-9A-Z]"  # 9 to 30 characters
ANY_FORM = "9–30 位字母或数字"


@dataclass(frozen=True)
class Carrier:
    """code: as the trade writes it. form: what its numbers look like, for people."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    number: str = ANY_NUMBER  # a regular expression for the whole number
    form: str = ANY_FORM


CARRIERS = (
    Carrier(
        "SF",
        "顺丰速运",
        ("顺丰", "顺丰快递", "顺丰速递", "shunfeng"),
        "(SF)?[0-9]{12,15}",
        "SF 加 12–15 位数字，或 12–15 位数字",
    ),
    Carrier("ZTO", "中通快递", ("中通", "zhongtong"), "[0-9]{12,15}", "12–15 位数字"),
    Carrier(
        "YTO",
        "圆通速递",
        ("圆通", "圆通快递", "yuantong"),
        "(YT|[A-Z])?[0-9]{10,18}",
        "YT 加 13 位数字，或 10–18 位数字",
    ),
    Carrier("STO", "申通快递", ("申通", "shentong"), "(STO)?[0-9]{12,15}", "12–15 位数字"),
    Carrier("YD", "韵达快递", ("韵达", "韵达速递", "yunda"), "[0-9]{13,15}", "13–15 位数字"),
    Carrier(
        "JTSD",
        "极兔速递",
        ("极兔", "极兔快递", "jt", "jtexpress"),
        "(JT)?[0-9]{12,15}",
        "JT 加 13 位数字，或 12–15 位数字",
    ),
    Carrier(
        "JD",
        "京东快递",
        ("京东", "京东物流", "jingdong"),
        "[0-9A-Z]{10,24}(-[0-9]+)*",
        "JD 开头的 10–24 位字母或数字",
    ),
    Carrier(
        "EMS",
        "邮政 EMS",
        ("邮政特快专递", "邮政速递", "中国邮政速递"),
        "[0-9]{13}|[A-Z]{2}[0-9]{9}[A-Z]{2}",
        "13 位数字，或两头各 2 个字母的 9 位数字",
    ),
    Carrier(
        "YZPY",
        "邮政快递包裹",
        ("邮政", "中国邮政", "邮政包裹", "邮政小包", "youzheng"),
        "[0-9]{13}|[A-Z]{2}[0-9]{9}[A-Z]{2}",
        "13 位数字，或两头各 2 个字母的 9 位数字",
    ),
    Carrier(
        "DBL",
        "德邦快递",
        ("德邦", "德邦物流", "debang"),
        "(DPK)?[0-9]{9,14}",
        "DPK 加 12 位数字，或 9–14 位数字",
    ),
    Carrier("CNSD", "菜鸟速递", ("菜鸟", "丹鸟", "丹鸟快递", "丹鸟物流")),
    Carrier("KYSY", "跨越速运", ("跨越", "kuayue")),
    Carrier("ZTOKY", "中通快运"),
    Carrier("ANE", "安能物流", ("安能", "安能快运")),
    Carrier("ZJS", "宅急送"),
    Carrier("OTHER", "其他快递", ("其他", "其它", "其它快递")),
)


def plain(text: str) -> str:
    """`text` without what typing and tables add: spaces, full-width letters, small letters."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def plain_number(text: str) -> str:
    """A parcel's number in what was typed, copied, scanned, or made a fraction by a spreadsheet."""
    return re.sub(r"^([0-9]+)\.0+$", r"\1", plain(text).rstrip("-"))


_BY_NAME = {
    plain(name): carrier
    for carrier in CARRIERS
    for name in (carrier.code, carrier.name, *carrier.aliases)
}


def by_code(code: str) -> Carrier:
    """The carrier of a code that was stored."""
    return _BY_NAME[code]


def find(text: str) -> Carrier:
    """The carrier that people call `text`: its code, name or an alias. Raises InvalidRequest."""
    carrier = _BY_NAME.get(plain(text))
    if not text.strip():
        raise InvalidRequest("请填写快递公司。", field="carrier")
    if carrier is None:
        raise InvalidRequest(
            Text("没有找到快递公司「{text}」。请从列表里选，或选「其他快递」。", text=text),
            field="carrier",
        )
    return carrier


def number_of(carrier: Carrier, text: str) -> str:
    """The parcel's number in `text`. Raises InvalidRequest when it is none of the carrier's."""
    number = plain_number(text)
    if re.fullmatch(carrier.number, number):
        return number
    if re.fullmatch(r"[0-9.]+E\+[0-9]+", number):
        raise InvalidRequest(
            "单号被表格改成了科学计数。请把这一列的格式设为「文本」后重新填写。", field="number"
        )
    raise InvalidRequest(
        Text(
            "{carrier}的单号应是 {form}，请核对。",
            carrier=Text(carrier.name),
            form=Text(carrier.form),
        ),
        field="number",
        form=Text(carrier.form),
    )
