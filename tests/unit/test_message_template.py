"""Message templates: what they may and must name, and that they only ever say facts."""

from string import Formatter

import pytest

from chalicelib.domain import message_template
from chalicelib.domain.message_template import NAMES, NEEDED, WHEN, problems_of, sentence
from chalicelib.domain.texts import ENDED, SEE_OTHERS, TEXTS, TextKey, text_of

FACTS = {
    "title": "红颜草莓",
    "groups": "5",
    "missing": 2,
    "seats": 5,
    "amount_fen": 5900,
    "reason": "没货了",
    "reply": "看不出破损",
    "address": "王师傅 13800138000",
    "days": 7,
    "carrier": "顺丰速运",
    "number": "SF1234567890123",
    "units": 1,
    "way": "现金",
    "proof": "R-77",
    "code": "12345678",
    "store": "南山店",
    "coupon": "见面礼",
    "worth": "满 50 减 10",
    "points": 300,
    "day": "2027-12-31",
    "coupons": 2,
}


@pytest.mark.parametrize("key", TextKey)
def test_usual_sentence_is_a_template_that_says_the_same(key: TextKey) -> None:
    usual = message_template.original(key)

    assert problems_of({key: usual}) == []
    told = sentence(key, FACTS, usual)
    assert told == sentence(key, FACTS, None)
    assert told == text_of(key, FACTS) + (SEE_OTHERS[1:] if key in ENDED else "")


@pytest.mark.parametrize("key", TextKey)
def test_every_message_says_when_it_is_told_and_names_what_its_sentence_does(key: TextKey) -> None:
    facts = {fact for _, fact, _, _ in Formatter().parse(TEXTS[key]) if fact}

    assert WHEN[key]
    assert {NAMES[fact] for fact in facts} == set(message_template.allowed(key))
    assert set(NEEDED.get(key, ())) <= facts
    assert set(message_template.allowed(key)) <= message_template.EXAMPLE.keys()


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{商品}发出了：{快递公司}{快递单号}", ""),
        ("{商品}发出了：{快递公司}", "请写上{快递单号}，买家需要知道。"),
        ("{快递公司}{快递单号} {姓名}", "这条消息里没有「{姓名}」"),
        ("{快递公司}{快递单号} {金额}", "这条消息里没有「{金额}」"),
        ("{快递公司}{快递单号.__class__}", "这条消息里没有「{快递单号.__class__}」"),
        ("{快递公司}{快递单号} {}", "这条消息里没有「{}」"),
        ("{快递公司}{快递单号} {商品", "大括号没有成对"),
        ("{快递公司}{快递单号} }", "大括号没有成对"),
        ("{{快递公司}}{快递单号}", "大括号没有成对"),
        ("{快递公司}{快递单号}\n", "请写在一行里。"),
        ("{快递公司}{快递单号}" + "好" * 108, ""),
        ("{快递公司}{快递单号}" + "好" * 109, "最多 120 个字，现在是 121 个。"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(template: str, problem: str) -> None:
    found = problems_of({TextKey.SHIPPED: template})

    assert [one["field"] for one in found] == (["texts.shipped"] if problem else [])
    assert all(one["problem"].startswith(problem) for one in found)


def test_facts_are_said_and_not_read() -> None:
    facts = {**FACTS, "title": "{快递单号}", "number": "{商品}"}

    told = sentence(TextKey.SHIPPED, facts, "{商品} {快递公司} {快递单号}")

    assert told == "{快递单号} 顺丰速运 {商品}"


def test_nothing_is_said_of_money_that_was_not_paid() -> None:
    told = sentence(TextKey.FAILED, {**FACTS, "amount_fen": 0}, "没拼成，{金额}退给你。")

    assert told == "「红颜草莓」这次没有拼成。点开看看还能怎么拼。"
