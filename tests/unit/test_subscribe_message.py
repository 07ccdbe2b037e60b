"""Subscribe messages: every value fits the keyword that takes it, by WeChat's own rules."""

import re

import pytest

from chalicelib.domain.order import Order, OrderStatus, Refund, RefundStatus
from chalicelib.domain.subscribe_message import (
    FACTS,
    KIND_OF,
    NOTES,
    TYPES,
    Fact,
    SubscribeKind,
    SubscribeTemplate,
    data_of,
    wanted_kinds,
)
from chalicelib.domain.texts import TextKey
from infra.local.wechat_messages import FITS

LONG = {
    "title": "云南高原红颜草莓\n新鲜现摘 顺丰包邮 坏果包赔 三斤装",
    "carrier": "一家名字很长很长很长很长很长的快递公司",
    "number": "SF" + "1" * 40,
    "units": 2,
    "store": "南山科技园社区活动中心一楼西侧自提点门店",
    "code": "20261127",
    "amount_fen": 5900,
}
RESULT, SHIPPED, READY, REFUNDED, _ = SubscribeKind


@pytest.mark.parametrize("key", list(KIND_OF))
@pytest.mark.parametrize("facts", [LONG, {}], ids=["long", "none"])
def test_every_fact_fits_every_type_of_keyword_that_it_may_go_to(
    key: TextKey, facts: dict[str, object]
) -> None:
    for fact in FACTS[KIND_OF[key]]:
        for kind in TYPES[fact]:
            if kind == "number" and not facts:
                continue  # a message has its units and its code
            template = SubscribeTemplate("x" * 43, {fact: f"{kind}1"})
            data = data_of(template, key, facts, order="261127-123456", shop="果园小店", at_s=0)

            assert re.fullmatch(FITS[kind], data[f"{kind}1"]["value"]), (fact, kind, data)


@pytest.mark.parametrize("key", [TextKey.FAILED, TextKey.CLOSED])
def test_free_group_that_failed_speaks_of_no_money(key: TextKey) -> None:
    template = SubscribeTemplate("T" * 43, {Fact.NOTE: "thing1"})

    def note(amount_fen: int) -> str:
        facts = {"title": "草莓", "amount_fen": amount_fen}
        data = data_of(template, key, facts, order="1", shop="果园", at_s=0)
        return data["thing1"]["value"]

    assert (note(100), note(0)) == ("已付的钱原路退回，无需操作", "可以再开一团")


def test_notes_are_said_whole() -> None:
    assert [note for note in NOTES.values() if len(note) > 20] == []


def test_buyer_is_asked_about_what_may_yet_become_of_the_order() -> None:
    def kinds(status: OrderStatus, **more: object) -> list[SubscribeKind]:
        return wanted_kinds(Order(status, 5900, 0, **more))  # type: ignore[arg-type]

    refund = {"01F": Refund(RefundStatus.PROCESSING, 5900, 0)}
    assert kinds(OrderStatus.PAID) == [RESULT, SHIPPED, REFUNDED]
    assert kinds(OrderStatus.PAID, pickup=True) == [RESULT, READY, REFUNDED]
    assert kinds(OrderStatus.FULFILLING) == [SHIPPED, REFUNDED]
    assert kinds(OrderStatus.REFUNDING, refunds=refund) == [REFUNDED]
    assert kinds(OrderStatus.PENDING) == kinds(OrderStatus.COMPLETED) == []
