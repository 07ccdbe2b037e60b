"""What buyers are told in the shop's own words: by whom, from when, and what stays as it was."""

from typing import Any

import pytest

from chalicelib.domain.texts import TextKey
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Buyer, Caller, MerchantFixture
from tests.fixtures.stream_events import change_of, deliver

TEMPLATES = "/v1/merchant/message-templates"
FORMED = "「{商品}」成团啦，48 小时内从果园发出。"


def change(caller: Caller, texts: dict[str, str], revision: int = 0) -> Any:
    return caller.put(TEMPLATES, {"texts": texts, "revision": revision})


def own_words(merchant: MerchantFixture) -> dict[str, str]:
    items = merchant.owner().get(TEMPLATES).body["items"]
    return {item["key"]: item["text"] for item in items if item["text"]}


def rows(merchant: MerchantFixture) -> list[Any]:
    found = merchant.owner().get("/v1/merchant/audit?subject=merchant").body["items"]
    return [row for row in found if row["action"] == "messages_changed"]


def form(merchant: MerchantFixture, activity: Any) -> Buyer:
    """The leader of a group of two that has formed, and whose members were told."""
    group_id, leader, _ = merchant.open_group(activity)
    merchant.member(activity, group_id)
    assert deliver(merchant, change_of(merchant, merchant.stored_group(group_id))) == []
    return leader


def told(buyer: Buyer) -> str:
    text: str = buyer.get("/v1/me/messages").body["items"][0]["text"]
    return text


def test_every_message_is_listed_as_usual_before_anything_is_changed(
    merchant: MerchantFixture,
) -> None:
    shown = merchant.staff("service").get(TEMPLATES).body

    assert [item["key"] for item in shown["items"]] == [key.value for key in TextKey]
    assert {item["text"] for item in shown["items"]} == {""}
    assert shown["revision"] == 0
    [shipped] = [item for item in shown["items"] if item["key"] == "shipped"]
    assert shipped == {
        "key": "shipped",
        "title": "已发货",
        "when": "发货",
        "usual": "「{商品}」已发货：{快递公司} {快递单号}，共 {件数} 件。",
        "text": "",
        "names": ["商品", "快递公司", "快递单号", "件数"],
        "needed": ["快递公司", "快递单号"],
    }


def test_buyers_are_told_in_the_shops_words_from_then_on(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20)
    before = form(merchant, activity)

    reply = change(merchant.staff("manager"), {"formed": f" {FORMED} ", "waiting": ""})
    assert (reply.status, reply.body["revision"]) == (200, 1)
    merchant.clock.forward(60)
    after = form(merchant, activity)

    assert told(before) == "「周末三人团」拼团成功，商家开始备货。"
    assert told(after) == "「周末三人团」成团啦，48 小时内从果园发出。"
    again = change(merchant.owner(), {}, revision=1)
    assert again.status == 200
    assert told(after) == "「周末三人团」成团啦，48 小时内从果园发出。"  # as it was told
    merchant.clock.forward(60)
    assert told(form(merchant, activity)) == "「周末三人团」拼团成功，商家开始备货。"


def test_change_is_audited_once_however_often_it_is_sent(merchant: MerchantFixture) -> None:
    texts = {"formed": FORMED}

    replies = [change(merchant.owner(), texts) for _ in range(2)]

    assert [reply.body["revision"] for reply in replies] == [1, 1]
    [row] = rows(merchant)
    assert (row["staff"], row["before"], row["after"]) == ("owner", {}, {"拼团成功": FORMED})
    merchant.clock.forward(1)
    usual = "「{商品}」拼团成功，商家开始备货。"
    assert change(merchant.owner(), {"formed": usual}, revision=1).body["revision"] == 2
    assert own_words(merchant) == {}
    assert rows(merchant)[0]["before"] == {"拼团成功": FORMED}


def test_change_of_what_somebody_else_has_changed_is_refused(merchant: MerchantFixture) -> None:
    assert change(merchant.owner(), {"formed": FORMED}).status == 200

    late = change(merchant.owner(), {"failed": "没拼成，{金额}退给你。"})

    assert (late.status, late.code) == (409, "changed")
    assert own_words(merchant) == {"formed": FORMED}
    assert len(rows(merchant)) == 1


def test_every_problem_is_told_and_nothing_changes(merchant: MerchantFixture) -> None:
    wrong = {"formed": "{姓名}成团", "shipped": "发货了", "waiting": "还差 {还差人数} 人"}

    reply = change(merchant.owner(), wrong)

    assert (reply.status, reply.code) == (400, "invalid_request")
    fields = {problem["field"] for problem in reply.body["details"]["problems"]}
    assert fields == {"texts.formed", "texts.shipped"}
    assert change(merchant.owner(), {"no such message": "x"}).status == 400
    assert change(merchant.owner(), {"formed": "x" * 481}).status == 400
    assert own_words(merchant) == {}
    assert rows(merchant) == []


@pytest.mark.parametrize("known", [0, 1], ids=["first", "next"])
def test_templates_changed_by_two_at_once_are_the_first_ones(
    merchant: MerchantFixture, known: int
) -> None:
    owner, colleague = merchant.owner(), merchant.staff("manager")
    if known:
        change(owner, {"waiting": "还差 {还差人数} 人，再等等。"})

    with interleaved(lambda: change(colleague, {"formed": FORMED}, revision=known)):
        reply = change(owner, {"formed": "成团了！"}, revision=known)

    assert (reply.status, reply.code) == (409, "changed")
    assert own_words(merchant) == {"formed": FORMED}
    assert len(rows(merchant)) == known + 1
