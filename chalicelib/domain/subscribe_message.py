"""WeChat's subscribe messages (订阅消息): which messages also go to the buyer's phone, and how.

A shop chooses a template for each kind in WeChat's console. Its keywords (thing1, amount2, …)
differ from shop to shop, so the shop says which keyword takes which of our facts. A keyword's name
tells its type, and WeChat refuses a message with a value that does not fit it.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.domain.beijing import BEIJING
from chalicelib.domain.order import Order, OrderStatus
from chalicelib.domain.product import Problem, trouble
from chalicelib.domain.texts import TextKey, is_free, words_for
from chalicelib.text import Text

PROMPT_MAX = 3  # templates that WeChat asks about at once
KEYWORDS_MAX = 5  # of a template
DATE, TIME = "%Y年%m月%d日", "%Y年%m月%d日 %H:%M"
EMPTY = "-"  # WeChat takes no empty value
TEMPLATE_ID = re.compile(r"[A-Za-z0-9_-]{20,64}")
WRONG_ID = "模板 ID 不对：它有 20 到 64 个字母、数字、“-”或“_”，请从微信后台“我的模板”整段复制。"
KEYWORD = re.compile(r"([a-z_]+)[0-9]{1,2}")
_PASTED = re.compile(r"\{*([a-z_]+[0-9]+)(?:\.DATA)?\}*")


class SubscribeKind(StrEnum):
    RESULT = "result"  # of the group: formed or not
    SHIPPED = "shipped"
    READY = "ready"  # for pickup
    REFUNDED = "refunded"
    REMINDER = "reminder"  # which the buyer asked for


class Fact(StrEnum):
    TITLE = "title"
    RESULT = "result"
    AMOUNT = "amount"
    CARRIER = "carrier"
    NUMBER = "number"
    UNITS = "units"
    STORE = "store"
    CODE = "code"
    ORDER = "order"
    TIME = "time"
    SHOP = "shop"
    NOTE = "note"


KIND_OF: Mapping[TextKey, SubscribeKind] = {
    TextKey.FORMED: SubscribeKind.RESULT,
    TextKey.FAILED: SubscribeKind.RESULT,
    TextKey.CLOSED: SubscribeKind.RESULT,
    TextKey.SHIPPED: SubscribeKind.SHIPPED,
    TextKey.READY: SubscribeKind.READY,
    TextKey.REFUNDED: SubscribeKind.REFUNDED,
    TextKey.REBATED: SubscribeKind.REFUNDED,
    TextKey.REFUNDED_OUTSIDE: SubscribeKind.REFUNDED,
    TextKey.ACTIVITY_BEGUN: SubscribeKind.REMINDER,
    TextKey.ACTIVITY_SOLD_OUT: SubscribeKind.REMINDER,
    TextKey.ACTIVITY_OVER: SubscribeKind.REMINDER,
    TextKey.SEAT_FREE: SubscribeKind.REMINDER,
    TextKey.AWAITED_FORMED: SubscribeKind.REMINDER,
    TextKey.AWAITED_FAILED: SubscribeKind.REMINDER,
}
KIND_WORDS: Mapping[SubscribeKind, str] = {
    SubscribeKind.RESULT: "拼团结果",
    SubscribeKind.SHIPPED: "发货",
    SubscribeKind.READY: "自提备好",
    SubscribeKind.REFUNDED: "退款到账",
    SubscribeKind.REMINDER: "开始和名额提醒",
}
FACT_WORDS: Mapping[Fact, str] = {
    Fact.TITLE: "商品",
    Fact.RESULT: "拼团结果",
    Fact.AMOUNT: "金额",
    Fact.CARRIER: "快递公司",
    Fact.NUMBER: "快递单号",
    Fact.UNITS: "件数",
    Fact.STORE: "门店",
    Fact.CODE: "取货码",
    Fact.ORDER: "订单编号",
    Fact.TIME: "时间",
    Fact.SHOP: "店铺名称",
    Fact.NOTE: "温馨提示",
}
EXAMPLES: Mapping[Fact, str] = {
    Fact.TITLE: "云南高原红颜草莓",
    Fact.RESULT: "拼团成功",
    Fact.AMOUNT: "¥59.00",
    Fact.CARRIER: "顺丰速运",
    Fact.NUMBER: "SF1234567890123",
    Fact.UNITS: "1",
    Fact.STORE: "南山店",
    Fact.CODE: "20261127",
    Fact.ORDER: "261127-123456",
    Fact.TIME: "2026年11月27日 18:30",
    Fact.SHOP: "果园小店",
}
_OF_ALL = (Fact.TITLE, Fact.ORDER, Fact.TIME, Fact.SHOP, Fact.NOTE)
FACTS: Mapping[SubscribeKind, tuple[Fact, ...]] = {
    SubscribeKind.RESULT: (*_OF_ALL, Fact.RESULT, Fact.AMOUNT),
    SubscribeKind.SHIPPED: (*_OF_ALL, Fact.CARRIER, Fact.NUMBER, Fact.UNITS),
    SubscribeKind.READY: (*_OF_ALL, Fact.STORE, Fact.CODE),
    SubscribeKind.REFUNDED: (*_OF_ALL, Fact.AMOUNT),
    SubscribeKind.REMINDER: (Fact.TITLE, Fact.TIME, Fact.SHOP, Fact.NOTE),
}
# Types of keywords, as their names begin, that a fact fits into.
TYPES: Mapping[Fact, tuple[str, ...]] = {
    Fact.TITLE: ("thing",),
    Fact.RESULT: ("phrase", "thing"),
    Fact.AMOUNT: ("amount",),
    Fact.CARRIER: ("thing",),
    Fact.NUMBER: ("character_string",),
    Fact.UNITS: ("number", "character_string"),
    Fact.STORE: ("thing",),
    Fact.CODE: ("character_string", "number"),
    Fact.ORDER: ("character_string",),
    Fact.TIME: ("time", "date"),
    Fact.SHOP: ("thing",),
    Fact.NOTE: ("thing",),
}
LENGTHS: Mapping[str, int] = {"thing": 20, "phrase": 5, "character_string": 32, "number": 32}
RESULTS: Mapping[TextKey, str] = {TextKey.FORMED: "拼团成功"}
NOT_FORMED = "未成团"
NOTES: Mapping[TextKey, str] = {  # at most 20 characters, as a thing
    TextKey.FORMED: "商家正在备货，请留意后续通知",
    TextKey.FAILED: "已付的钱原路退回，无需操作",
    TextKey.CLOSED: "已付的钱原路退回，无需操作",
    TextKey.SHIPPED: "点开查看订单和快递单号",
    TextKey.READY: "到店出示取货码，不要告诉别人",
    TextKey.REFUNDED: "请在付款账户的账单中查看",
    TextKey.REBATED: "成团返还，请在付款账户的账单中查看",
    TextKey.REFUNDED_OUTSIDE: "没有收到请联系商家",
    TextKey.ACTIVITY_BEGUN: "开始了，快去开团吧",
    TextKey.ACTIVITY_SOLD_OUT: "已经抢完，点开看看还能怎么买",
    TextKey.ACTIVITY_OVER: "活动已结束，点开看看还能怎么买",
    TextKey.SEAT_FREE: "有名额了，先到先得，快去参团吧",
    TextKey.AWAITED_FORMED: "团已成团，点开看看还能怎么拼",
    TextKey.AWAITED_FAILED: "团已结束，点开看看还能怎么拼",
}
FREE_NOTE = "可以再开一团"  # where nothing was paid, nothing goes back


@dataclass(frozen=True)
class SubscribeTemplate:
    """keywords: which keyword of the template takes a fact."""

    template_id: str
    keywords: Mapping[Fact, str] = field(default_factory=dict)

    @property
    def stored(self) -> dict[str, Any]:
        keywords = {fact.value: keyword for fact, keyword in self.keywords.items()}
        return {"template_id": self.template_id, "keywords": keywords}

    @property
    def words(self) -> str:
        """As the audit log tells it; empty when nothing is given."""
        facts = (f"{FACT_WORDS[fact]}={keyword}" for fact, keyword in self.keywords.items())
        return " ".join((self.template_id, *facts)).strip()


def example_of(kind: SubscribeKind, fact: Fact) -> str:
    """What such a message may say."""
    notes = (note for key, note in NOTES.items() if KIND_OF[key] is kind)
    return next(notes) if fact is Fact.NOTE else EXAMPLES[fact]


def template_of(stored: Mapping[str, Any]) -> SubscribeTemplate:
    keywords = {Fact(fact): keyword for fact, keyword in sorted(stored["keywords"].items())}
    return SubscribeTemplate(stored["template_id"], keywords)


def tidied(template: SubscribeTemplate) -> SubscribeTemplate:
    """The template as it is stored. A keyword may come as WeChat shows it: {{thing1.DATA}}."""
    keywords = {}
    for fact, typed in sorted(template.keywords.items()):
        pasted = _PASTED.fullmatch(typed.strip())
        if typed.strip():
            keywords[fact] = pasted[1] if pasted else typed.strip()
    return SubscribeTemplate(template.template_id.strip(), keywords)


def problems_of(templates: Mapping[SubscribeKind, SubscribeTemplate]) -> list[Problem]:
    """Everything that is wrong with tidied templates, each with its field."""
    return [problem for kind, one in templates.items() for problem in _problems(kind, one)]


def _problems(kind: SubscribeKind, template: SubscribeTemplate) -> list[Problem]:
    found = []
    name = f"subscribe.{kind.value}"
    if not TEMPLATE_ID.fullmatch(template.template_id):
        words = WRONG_ID if template.template_id else "请填写微信后台“我的模板”里的模板 ID。"
        found.append(trouble(f"{name}.template_id", words))
    elif not 1 <= len(template.keywords) <= KEYWORDS_MAX:
        words = Text("请填写 1 到 {max} 个关键词，和模板里的一样多。", max=KEYWORDS_MAX)
        found.append(trouble(f"{name}.template_id", words))
    taken = list(template.keywords.values())
    for fact, keyword in template.keywords.items():
        if words := _keyword_problem(kind, fact, keyword, taken):
            found.append(trouble(f"{name}.keywords.{fact.value}", words))
    return found


def _keyword_problem(kind: SubscribeKind, fact: Fact, keyword: str, taken: list[str]) -> str:
    match = KEYWORD.fullmatch(keyword)
    if fact not in FACTS[kind]:
        return "这种消息里没有这项内容。"
    if match is None or match[1] not in TYPES[fact]:
        may = "、".join(f"{kind_of_keyword}1" for kind_of_keyword in TYPES[fact])
        return Text("请填写这类关键词：{may}（数字以微信后台为准）。", may=may)
    if taken.count(keyword) > 1:
        return "同一个关键词只能填一次。"
    return ""


def data_of(
    template: SubscribeTemplate,
    key: TextKey,
    facts: Mapping[str, Any],
    *,
    order: str,
    shop: str,
    at_s: int,
) -> dict[str, dict[str, str]]:
    """The data of a message as WeChat takes it. facts: of the message; at_s: when it happened."""
    said = words_for(facts)
    values = {
        Fact.RESULT: RESULTS.get(key, NOT_FORMED),
        Fact.ORDER: order,
        Fact.SHOP: shop,
        Fact.NOTE: FREE_NOTE if is_free(key, facts) else NOTES[key],
    }
    data = {}
    for fact, keyword in template.keywords.items():
        kind = keyword.rstrip("0123456789")
        if fact is Fact.TIME:
            value = _time(at_s, kind)
        else:
            value = str(values.get(fact, said.get(fact.value, "")))
        data[keyword] = {"value": _fitted(value, kind)}
    return data


def _time(at_s: int, kind: str) -> str:
    return dt.datetime.fromtimestamp(at_s, BEIJING).strftime(DATE if kind == "date" else TIME)


def _fitted(value: str, kind: str) -> str:
    """The value in one line, cut to what a keyword of that type takes."""
    text, most = " ".join(value.split()), LENGTHS.get(kind)
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…" if kind == "thing" else text[:most]
    return text or EMPTY


def wanted_kinds(order: Order) -> list[SubscribeKind]:
    """What a buyer may like to be told of an order as it stands, PROMPT_MAX at most."""
    if order.open_refunds:
        return [SubscribeKind.REFUNDED]
    delivery = SubscribeKind.READY if order.pickup else SubscribeKind.SHIPPED
    if order.status is OrderStatus.PAID:
        return [SubscribeKind.RESULT, delivery, SubscribeKind.REFUNDED]
    if order.status is OrderStatus.FULFILLING:
        return [delivery, SubscribeKind.REFUNDED]
    return []
