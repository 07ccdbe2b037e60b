"""Texts for people in two languages: every Chinese one in the source has its English one."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from chalicelib.api.languages import CHINESE, ENGLISH, english, preferred
from chalicelib.domain.message_template import EXAMPLE, NAMES
from chalicelib.domain.subscribe_message import (
    DATE,
    EXAMPLES,
    FREE_NOTE,
    NOT_FORMED,
    NOTES,
    RESULTS,
    TIME,
)
from chalicelib.domain.texts import TITLES
from chalicelib.text import Text

SOURCE = Path(__file__).parents[2] / "chalicelib"
CHINESE_TEXT = re.compile("[\u3000-\u303f一-鿿\uff00-\uffef]")
VALUES = re.compile(r"{(\w+)}")

# Chinese that no answer translates: it is no text of ours, is kept as it was written, or is meant
# for buyers. A whole module, or its single texts.
EVERY = frozenset[str]()
CONTENTS = {
    "api/openapi.py": {"Group buying (拼团) API"},
    "api/group_shapes.py": {  # the title of an invitation
        "【还差",
        "【再来",
        "人立即成团】",
        "再返",
        "返",
        "人",
        "】",
        "人】",
        " 拼",
        " 起",
    },
    "domain/agreements.py": {"（电话 {phone}）"},  # in a text for buyers
    "domain/carriers.py": {  # what people call them in tables, besides their names
        *("顺丰", "顺丰快递", "顺丰速递", "中通", "圆通", "圆通快递", "申通", "韵达", "韵达速递"),
        *("极兔", "极兔快递", "京东", "京东物流", "邮政特快专递", "邮政速递", "中国邮政速递"),
        *(
            "邮政",
            "中国邮政",
            "邮政包裹",
            "邮政小包",
            "德邦",
            "德邦物流",
            "菜鸟",
            "丹鸟",
            "丹鸟快递",
        ),
        *("丹鸟物流", "跨越", "安能", "安能快运", "其他", "其它", "其它快递"),
    },
    "domain/exports.py": {"=+-@\t\r\n＝＋－＠"},
    "domain/message_template.py": {
        text
        for text in (*NAMES.values(), *EXAMPLE.values(), "、")
        if CHINESE_TEXT.search(text) and text not in english()
    },
    "api/buyers/link_pages.py": EVERY,  # one page for all who open a link
    "domain/pasted_address.py": EVERY,  # what addresses are made of
    "domain/plain_text.py": EVERY,  # characters that show nothing
    "domain/regions.py": EVERY,
    "domain/subscribe_message.py": {  # what buyers read in WeChat
        text
        for text in (
            *(*EXAMPLES.values(), *NOTES.values(), *RESULTS.values(), FREE_NOTE),
            *(NOT_FORMED, DATE, TIME, "、"),
        )
        if CHINESE_TEXT.search(text) and text not in english()
    },
    "domain/texts.py": EVERY,  # messages to buyers, but for their titles
    "domain/recipient.py": {"拼友"},  # in place of a buyer's name
    "gateways/alipay.py": {"交易已支付", "交易已经关闭"},  # Alipay's own words
    "gateways/alipay_bills.py": EVERY,  # columns of its bills
    "gateways/wechat_pay_bills.py": EVERY,
    "services/catalogue/product_shelf.py": {" 副本"},
    "services/money/refunds.py": {  # what buyers read in their payment app
        "未成团，自动退款",
        "名额已满、订单已关闭或重复付款，自动退款",
        "售后退款",
    },
    "services/people/message_templates.py": {"订阅消息："},  # kept in the audit log
    "services/reports/export_rows.py": {"快递", "到店自提", "；"},  # files are in Chinese
    "services/reports/member_rows.py": {"；"},
}


@cache
def sources() -> dict[str, ast.Module]:
    found = sorted(SOURCE.rglob("*.py"))
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text()) for path in found}


@pytest.fixture(scope="module", autouse=True)
def forgotten_at_the_end() -> Iterator[None]:
    """Leave no third of a million nodes for the garbage collector to look through."""
    yield
    for kept in (sources, skipped, chinese_in):
        kept.cache_clear()


@cache
def skipped(module: ast.Module) -> set[int]:
    """Return the ids of docstrings, regular expressions and descriptions of fields, which are not
    for people."""
    return {
        id(part)
        for node in ast.walk(module)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in ("Meta", "re.compile"))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for part in ast.walk(node)
    }


def fields_in(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """What is given for fields by name, in calls and in dicts."""
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg is not None:
            yield node.arg, node.value
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


@cache
def chinese_in(module: ast.Module) -> set[str]:
    left_out = skipped(module)
    return {
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in left_out
        and CHINESE_TEXT.search(node.value)
    }


def test_every_chinese_text_has_an_english_one() -> None:
    untranslated = {
        name: chinese_in(module) - set(english())
        for name, module in sources().items()
        if CONTENTS.get(name) is not EVERY
    }

    found = {name: texts for name, texts in untranslated.items() if texts}
    assert found == {name: texts for name, texts in CONTENTS.items() if texts}


def test_no_chinese_text_is_put_together_where_it_cannot_be_translated() -> None:
    """By an f-string, by + or by str.format: only Text(template, name=value) can be translated."""
    put_together = [
        (name, ast.unparse(node))
        for name, module in sources().items()
        if CONTENTS.get(name) is not EVERY and name != "api/group_shapes.py"
        for node in ast.walk(module)
        if (
            isinstance(node, ast.JoinedStr | ast.BinOp)
            or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".format"))
        )
        and id(node) not in skipped(module)
        and any(
            isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and CHINESE_TEXT.search(part.value)
            for part in ast.iter_child_nodes(node)
        )
    ]

    assert put_together == []


def test_fields_for_texts_of_ours_hold_texts_that_can_be_translated() -> None:
    given = [
        (name, field, ast.unparse(value))
        for name, module in sources().items()
        if name.startswith("api/")
        for field, value in fields_in(module)
        if field.endswith(("_text", "carrier_name"))
    ]

    assert len(given) > 15
    assert [one for one in given if not one[2].startswith("Text(")] == []


def test_both_languages_name_the_same_values_and_none_is_unused() -> None:
    said = set().union(*(chinese_in(module) for module in sources().values()))

    for chinese, translation in english().items():
        assert set(VALUES.findall(chinese)) == set(VALUES.findall(translation)), chinese
        assert not CHINESE_TEXT.search(translation), chinese
        assert translation.strip(), chinese
    assert set(TITLES.values()) < set(english()) <= said


def test_a_text_is_the_chinese_string_and_translates_with_its_values() -> None:
    text = Text(
        "{movement} {amount}（{method}）", movement=Text("买家付款"), amount="¥{1}", method="x"
    )

    assert text == "买家付款 ¥{1}（x）"
    assert text.translated(english()) == "Paid by the buyer ¥{1} (x)"
    assert Text("没有{这一句}。").translated(english()) == "没有{这一句}。"
    assert Text(text) is text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", CHINESE),
        ("en", ENGLISH),
        ("en-GB,en;q=0.9", ENGLISH),
        ("zh-TW", CHINESE),
        ("en;q=0.8, zh-CN", CHINESE),
        ("zh;q=0.1, en;q=0.2", ENGLISH),
        ("zh-CN,en", CHINESE),
        ("en,zh-CN", ENGLISH),
        ("fr, en;q=0.5", ENGLISH),
        ("fr", CHINESE),
        ("*", CHINESE),
        ("en;q=0, *;q=0.1", CHINESE),
        ("EN-us ; Q=0.7", ENGLISH),
        ("en;q=high", CHINESE),
        ("en;q=nan", CHINESE),
        (";;,,q=1", CHINESE),
    ],
)
def test_the_language_with_the_highest_weight_is_preferred(header: str, language: str) -> None:
    assert preferred(header) == language
