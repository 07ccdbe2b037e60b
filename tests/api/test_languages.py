"""Answers in the language that the request prefers: refusals of every kind, and texts for staff."""

import json
import re
from typing import Any

import pytest

from tests.fixtures.merchant import ADDRESS, Caller, MerchantFixture, Reply
from tests.fixtures.shipping import SF, ship, to_ship
from tests.fixtures.staff_logins import create_staff

CHINESE_TEXT = re.compile("[\u3000-\u303f一-鿿\uff00-\uffef]")
NO_ORDER = "0" * 30


def is_chinese(part: Any) -> bool:
    return CHINESE_TEXT.search(json.dumps(part, ensure_ascii=False)) is not None


def refused(caller: Caller, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """A refusal in English, of a call that is refused in Chinese as well."""
    reply = caller.call(method, path, body, Accept_Language="en-GB,en;q=0.9,zh;q=0.1", **headers)
    chinese = caller.call(method, path, body, **headers)

    assert reply.status >= 400
    assert not is_chinese(reply.body), reply.body
    assert (reply.headers["content-language"], reply.headers["vary"]) == ("en", "Accept-Language")
    assert (chinese.status, chinese.code) == (reply.status, reply.code)
    assert is_chinese(chinese.body["message"])
    assert chinese.headers["content-language"] == "zh-CN"
    return reply


def message(reply: Reply) -> tuple[str, str]:
    return reply.code, reply.body["message"]


def test_what_does_not_fit_is_told_in_english_field_by_field(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    product = {
        "title": "",
        "category_id": merchant.category_id,
        "skus": [],
        "selling_point": "x" * 200,
    }
    rule = {"first": 0, "first_fen": 0, "next": 1, "next_fen": 0}
    rule |= {"free_from_fen": 0, "free_from_units": 0}
    freight = {"name": "x", "measure": "piece", "rule": rule, "regions": [], "not_delivered": ["x"]}

    blank = refused(owner, "POST", "/v1/merchant/categories", {"name": " ", "position": 1})
    wrong = refused(owner, "POST", "/v1/merchant/categories", {"name": 7, "position": 1})
    page = refused(owner, "GET", "/v1/merchant/audit?next=AAAA")
    draft = refused(owner, "POST", "/v1/merchant/products", product)
    fees = refused(owner, "POST", "/v1/merchant/freight-templates", freight)
    large = refused(owner, "POST", "/v1/merchant/products", b"x" * 200_000)
    broken = refused(owner, "POST", "/v1/merchant/products", b"{")

    assert message(blank) == ("invalid_request", "Fill in “name”; it cannot be blank.")
    assert message(wrong) == ("invalid_request", "“name” is not right. Correct it and try again.")
    assert message(page)[1] == "The page token is not valid. Start again from the first page."
    assert message(draft)[1] == "3 to change; then it can be saved."
    assert draft.body["details"]["problems"][0] == {
        "field": "title",
        "problem": "The product's name takes 1 to 60 characters.",
    }
    assert [problem["problem"] for problem in fees.body["details"]["problems"]] == [
        "First units must be between 1 and 999 units.",
        "There is no province “x”. Choose again.",
    ]
    assert message(large) == ("body_too_large", "What you submitted is too large.")
    assert message(broken)[0] == "invalid_request"


@pytest.mark.slow
def test_who_may_not_is_told_in_english(merchant: MerchantFixture) -> None:
    create_staff(merchant, "boss")
    path = f"/v1/merchants/{merchant.merchant_id}/staff-sessions"
    guess = {"username": "boss", "password": "no such password"}

    wrong = refused(merchant.visitor(), "POST", path, guess)
    for _ in range(8):
        merchant.visitor().post(path, guess)
    many = refused(merchant.visitor(), "POST", path, guess)

    assert message(wrong) == ("wrong_password", "The username or password is not right.")
    assert many.code == "too_many_requests"
    assert re.fullmatch(r"Too many wrong passwords\. Try again in \d+ min\.", many.body["message"])
    nobody = refused(merchant.visitor(), "GET", "/v1/merchant/orders")
    assert message(nobody) == ("unauthenticated", "Please log in first.")
    service = refused(merchant.staff("service"), "GET", "/v1/merchant/refunds")
    assert service.code == "forbidden"


def test_orders_and_groups_refuse_in_english(merchant: MerchantFixture) -> None:
    """Some of them: every answer that a test gets is translated (tests/conftest.py)."""
    activity = merchant.activity(seats=2, stock=2)
    group_id, _, paid = merchant.open_group(activity)
    late, seat = merchant.buyer("late"), {"sku_id": activity.sku_id, "address": ADDRESS}
    merchant.member(activity, group_id)

    full = refused(late, "POST", f"/v1/groups/{group_id}/seats", seat)
    none = refused(late, "GET", f"/v1/orders/{NO_ORDER}")
    unwanted = refused(merchant.owner(), "POST", f"/v1/merchant/orders/{paid}/readiness")

    words = "This group has just filled. Join another, or open one yourself."
    assert message(full) == ("group_full", words)
    assert message(none) == ("not_found", "There is no such order.")
    words = "This order is to be shipped; it is not for pickup."
    assert message(unwanted) == ("pickup_refused", words)


def test_texts_for_staff_are_in_english_and_what_people_wrote_stays(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = to_ship(merchant, remark="请尽快发货")
    assert ship(merchant, order_id).status == 200
    owner = merchant.owner()
    note = {"text": "买家来电催货"}
    assert owner.post(f"/v1/merchant/orders/{order_id}/notes", note).status in (200, 201)

    def read(path: str) -> Any:
        reply = owner.get(f"/v1/merchant/{path}", Accept_Language="en")
        assert (reply.status, reply.headers["content-language"]) == (200, "en")
        return reply.body

    order = read(f"orders/{order_id}")
    assert order["status_text"] == "Shipped"
    assert order["parcels"][0]["carrier_name"] == "SF Express"
    texts = {happening["what"]: happening["text"] for happening in order["timeline"]}
    assert texts["placed"] == "Ordered by the buyer"
    assert texts["paid"] == "Paid by the buyer ¥59.00 (WeChat Pay)"
    assert texts["shipped"] == f"1 shipped: SF Express {SF}"
    assert texts["noted"] == "Note: 买家来电催货"
    assert (order["title"], order["ship_refusal"]) == (
        "周末三人团",
        "The order has been shipped in full. A wrong tracking number can be corrected within 24 "
        "hours of shipping.",
    )
    assert {row["words"] for row in read("audit")["items"]} >= {
        "Order shipped",
        "Note added to the order",
    }
    assert not is_chinese([one["name"] for one in read("carriers")["items"]])
    assert not is_chinese([one["form"] for one in read("carriers")["items"]])
    assert not is_chinese(
        [(one["title"], one["when"]) for one in read("message-templates")["items"]]
    )
    assert not is_chinese(read("exports/form"))
    listed = read("orders?status=shipped")["items"]
    assert [row["status_text"] for row in listed] == ["Shipped"]
    assert not is_chinese(
        [row["movement_text"] for row in read(f"orders/{order_id}/ledger")["rows"]]
    )

    # A buyer's own words and messages are content, whatever the language.
    told = buyer.get("/v1/me/messages", Accept_Language="en").body["items"]
    assert all(is_chinese(one["text"]) for one in told)


def test_an_answer_without_texts_is_the_same_in_every_language(merchant: MerchantFixture) -> None:
    reply = merchant.owner().get("/v1/merchant/staff", Accept_Language="en")

    assert reply.status == 200
    assert {"content-language", "vary"}.isdisjoint(reply.headers)
