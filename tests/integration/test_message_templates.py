"""What buyers are told in the shop's own words: by whom, from when, and what stays as it was."""

from typing import Any

import pytest

from chalicelib.domain.texts import TextKey
from tests.meanwhile import meanwhile
from tests.streams import change_of, deliver
from tests.support import Buyer, Caller, Town

TEMPLATES = "/v1/merchant/message-templates"
FORMED = "「{商品}」成团啦，48 小时内从果园发出。"


def change(caller: Caller, texts: dict[str, str], revision: int = 0) -> Any:
    return caller.put(TEMPLATES, {"texts": texts, "revision": revision})


def own_words(town: Town) -> dict[str, str]:
    items = town.owner().get(TEMPLATES).body["items"]
    return {item["key"]: item["text"] for item in items if item["text"]}


def rows(town: Town) -> list[Any]:
    found = town.owner().get("/v1/merchant/audit?subject=merchant").body["items"]
    return [row for row in found if row["action"] == "messages_changed"]


def form(town: Town, activity: Any) -> Buyer:
    """The leader of a group of two that has formed, and whose members were told."""
    group_id, leader, _ = town.open_group(activity)
    town.member(activity, group_id)
    assert deliver(town, change_of(town, town.stored_group(group_id))) == []
    return leader


def told(buyer: Buyer) -> str:
    text: str = buyer.get("/v1/me/messages").body["items"][0]["text"]
    return text


def test_every_message_is_listed_as_usual_before_anything_is_changed(town: Town) -> None:
    shown = town.staff("service").get(TEMPLATES).body

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


def test_buyers_are_told_in_the_shops_words_from_then_on(town: Town) -> None:
    activity = town.activity(seats=2, stock=20)
    before = form(town, activity)

    reply = change(town.staff("manager"), {"formed": f" {FORMED} ", "waiting": ""})
    assert (reply.status, reply.body["revision"]) == (200, 1)
    town.clock.forward(60)
    after = form(town, activity)

    assert told(before) == "「周末三人团」拼团成功，商家会尽快发货。"
    assert told(after) == "「周末三人团」成团啦，48 小时内从果园发出。"
    again = change(town.owner(), {}, revision=1)
    assert again.status == 200
    assert told(after) == "「周末三人团」成团啦，48 小时内从果园发出。"  # as it was told
    town.clock.forward(60)
    assert told(form(town, activity)) == "「周末三人团」拼团成功，商家会尽快发货。"


def test_change_is_audited_once_however_often_it_is_sent(town: Town) -> None:
    texts = {"formed": FORMED}

    replies = [change(town.owner(), texts) for _ in range(2)]

    assert [reply.body["revision"] for reply in replies] == [1, 1]
    [row] = rows(town)
    assert (row["staff"], row["before"], row["after"]) == ("owner", {}, {"拼团成功": FORMED})
    town.clock.forward(1)
    usual = "「{商品}」拼团成功，商家会尽快发货。"
    assert change(town.owner(), {"formed": usual}, revision=1).body["revision"] == 2
    assert own_words(town) == {}
    assert rows(town)[0]["before"] == {"拼团成功": FORMED}


def test_change_of_what_somebody_else_has_changed_is_refused(town: Town) -> None:
    assert change(town.owner(), {"formed": FORMED}).status == 200

    late = change(town.owner(), {"failed": "没拼成，{金额}退给你。"})

    assert (late.status, late.code) == (409, "changed")
    assert own_words(town) == {"formed": FORMED}
    assert len(rows(town)) == 1


def test_every_problem_is_told_and_nothing_changes(town: Town) -> None:
    wrong = {"formed": "{姓名}成团", "shipped": "发货了", "waiting": "还差 {还差人数} 人"}

    reply = change(town.owner(), wrong)

    assert (reply.status, reply.code) == (400, "invalid_request")
    fields = {problem["field"] for problem in reply.body["details"]["problems"]}
    assert fields == {"texts.formed", "texts.shipped"}
    assert change(town.owner(), {"no such message": "x"}).status == 400
    assert change(town.owner(), {"formed": "x" * 481}).status == 400
    assert own_words(town) == {}
    assert rows(town) == []


def test_only_those_who_run_the_shop_change_what_is_told(town: Town) -> None:
    for role in ("service", "fulfilment"):
        assert change(town.staff(role), {"formed": FORMED}).status == 403

    assert own_words(town) == {}
    assert town.buyer().get(TEMPLATES).status == 401


@pytest.mark.parametrize("known", [0, 1], ids=["first", "next"])
def test_templates_changed_by_two_at_once_are_the_first_ones(town: Town, known: int) -> None:
    owner, colleague = town.owner(), town.staff("manager")
    if known:
        change(owner, {"waiting": "还差 {还差人数} 人，再等等。"})

    with meanwhile(lambda: change(colleague, {"formed": FORMED}, revision=known)):
        reply = change(owner, {"formed": "成团了！"}, revision=known)

    assert (reply.status, reply.code) == (409, "changed")
    assert own_words(town) == {"formed": FORMED}
    assert len(rows(town)) == known + 1
