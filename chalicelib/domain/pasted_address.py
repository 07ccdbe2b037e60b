"""An address as people paste it, in one line or several, told apart into what a form asks for.

Nothing is guessed that the text does not say: what is missing is told, and the buyer sees the form
before anything is kept. What is between labels, commas and line breaks is a piece; phone and region
are cut out of the pieces, one piece is the name, and the rest is the street in its order.
"""

import re
import unicodedata
from dataclasses import dataclass

from chalicelib.domain import phone, regions
from chalicelib.domain.plain_text import plain

PASTE_MAX = 300
NAME_MAX, STREET_MAX = 20, 100

_PHONE = re.compile(
    r"(?<![0-9])(?:(?:\+|00)?86[\s-]?)?1[3-9][0-9](?:[\s-]?[0-9]){8}(?:[-转][0-9]{1,6})?(?![0-9])"
    r"|(?<![0-9])0[0-9]{2,3}-?[0-9]{7,8}(?:[-转][0-9]{1,6})?(?![0-9])"
    r"|(?:\+|00)(?:852|853|886)[\s-]?(?:[0-9][\s-]?){7,8}[0-9](?![0-9])"
)
_LABEL = re.compile(
    r"(?:收货人姓名|收件人姓名|收货人|收件人|联系人|姓名|名字"
    r"|(?:收货人|收件人|联系)?(?:手机号码|手机号|手机|电话号码|电话)|联系方式"
    r"|所在地区|所在区域|省市区|地区|(?:收货|收件|详细|街道|邮寄)?地址|邮政编码|邮编)\s*[:：]"
)
_PHONE_LABEL = re.compile(  # in front of the number that was found
    r"(?:收货人|收件人|联系)?(?:手机号码|手机号|手机|电话号码|电话|联系方式)[\s:：]*\Z"
)
_NAME_LABEL = re.compile(r"(?:收货人姓名|收件人姓名|收货人|收件人|联系人|姓名|名字)\s*[:：]\s*$")
_BREAK = re.compile(r"(?:[\n,，;；、|/。]|(?<![A-Za-z])[ ]|[ ](?![A-Za-z]))+")  # Lily Wang is one
_POSTCODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_COUNTRY = re.compile(r"^(?:中国|中华人民共和国)(?=.)")
_WORD = re.compile(r"[一-鿿]{2,6}|[一-鿿·]{3,20}|[A-Za-z][A-Za-z .]{0,19}")
_OF_A_STREET = re.compile(r"[路街道巷号楼栋幢座室层村镇乡组园苑城区店厦场院寓府湾里弄]$|[0-9]")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"
    "姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧"
)
_TITLED = re.compile(r"^[一-鿿]{1,3}(?:先生|女士|小姐|老师|阿姨|大哥|师傅)$")
_NAME_AT_END = re.compile(rf"(?<=[0-9号室楼栋幢座层户元])([{_SURNAMES}][一-鿿]{{1,2}})$")


@dataclass(frozen=True)
class Parsed:
    """An empty string is what the text does not say; `missing` names those that are needed."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    street: str
    missing: tuple[str, ...]


def parse(pasted: str) -> Parsed:
    """Return what the text says."""
    text = unicodedata.normalize("NFKC", plain(pasted, lines=True))
    number, text = _cut_phone(text)
    labelled, text = _cut_labels(text)
    path, before, after = _cut_region(text)
    if not (number or labelled or path):
        before = after = []  # it is no address
    name, street = _name_and_street(labelled, before, after)
    province, city, district = (*path, "", "", "")[:3]
    return Parsed(
        name=name,
        phone=number,
        province=province,
        city=city,
        district=district,
        street=street,
        missing=_missing(name, number, path, street),
    )


def _cut_phone(text: str) -> tuple[str, str]:
    """(the first number that can be dialled, the text without it)."""
    for found in _PHONE.finditer(text):
        number = phone.normal(found[0])
        if re.fullmatch(phone.PATTERN, number):
            before = _PHONE_LABEL.sub("", text[: found.start()])
            return number, f"{before}\n{text[found.end() :]}"
    return "", text


def _cut_labels(text: str) -> tuple[str, str]:
    """(what stands behind a label for the name, the text with its labels as line breaks)."""
    name = ""
    for label in _LABEL.finditer(text):
        if not name and _NAME_LABEL.match(label[0]):
            rest = _LABEL.split(text[label.end() :].lstrip(), maxsplit=1)[0]
            name = next(iter(_pieces(rest)), "")
    return (name if len(name) <= NAME_MAX else ""), _LABEL.sub("\n", text)


def _cut_region(text: str) -> tuple[tuple[str, ...], list[str], list[str]]:
    """(the region's path, the pieces before it, those after it)."""
    place = regions.find(text)
    if place is None:
        return (), [], _pieces(text)
    before = [piece for piece in _pieces(text[: place.start]) if not re.fullmatch("中国", piece)]
    return place.path, before, _pieces(text[place.end :])


def _pieces(text: str) -> list[str]:
    parts = (_COUNTRY.sub("", part.strip(":-()")) for part in _BREAK.split(text))
    return [part for part in parts if part and not _POSTCODE.fullmatch(part)]


def _name_and_street(labelled: str, before: list[str], after: list[str]) -> tuple[str, str]:
    pieces = [*before, *after]
    name = labelled or _likeliest(pieces)
    if name:
        if name in pieces:
            pieces.remove(name)
        return name, _joined(pieces)
    for at, piece in enumerate(pieces):
        if found := _NAME_AT_END.search(piece):
            pieces[at] = piece[: found.start()]
            return found[1], _joined(pieces)
    return "", _joined(pieces)


def _likeliest(pieces: list[str]) -> str:
    """The piece that is a name: one with a surname or a title, else one that is no street's."""
    words = [one for one in pieces if _WORD.fullmatch(one) and not _OF_A_STREET.search(one)]
    named = [one for one in words if _TITLED.match(one) or (one[0] in _SURNAMES and len(one) <= 4)]
    return next(iter(named), words[0] if words and len(pieces) > 1 else "")


def _joined(pieces: list[str]) -> str:
    street = ""
    for piece in pieces:
        apart = street and street[-1].isascii() and piece[0].isascii()
        street += f" {piece}" if apart else piece
    return street[:STREET_MAX]


def _missing(name: str, number: str, path: tuple[str, ...], street: str) -> tuple[str, ...]:
    has_districts = len(path) < 2 or bool(regions.everywhere()[path[0]][path[1]])
    said = {
        "name": bool(name),
        "phone": bool(number),
        "province": len(path) > 0,
        "city": len(path) > 1,
        "district": len(path) > 2 or not has_districts,
        "street": bool(street),
    }
    return tuple(field for field, is_said in said.items() if not is_said)
