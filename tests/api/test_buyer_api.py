"""The buyer's API: sessions, pages, keys, limits of what is taken, and what a browser needs."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.http_client import Response
from tests.fixtures.fault_injection import injected, refusal
from tests.fixtures.merchant import ADDRESS, Activity, Buyer, Caller, MerchantFixture, Reply

WEEK_S = 7 * 86400


def log_in(merchant: MerchantFixture, code: str) -> Reply:
    return merchant.visitor().post(f"/v1/merchants/{merchant.merchant_id}/sessions", {"code": code})


def progress_path(merchant: MerchantFixture, group_id: str) -> str:
    return f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}"


def orders_of(buyer: Caller) -> list[Any]:
    items: list[Any] = buyer.get("/v1/orders?limit=50").body["items"]
    return items


@pytest.mark.slow
def test_login_by_a_code_makes_one_buyer_however_often(merchant: MerchantFixture) -> None:
    first = log_in(merchant, merchant.wechat.codes.issue("openid-of-xiaohong"))
    again = log_in(merchant, merchant.wechat.codes.issue("openid-of-xiaohong"))
    other = log_in(merchant, merchant.wechat.codes.issue("openid-of-xiaogang"))

    assert [reply.status for reply in (first, again, other)] == [201] * 3
    assert first.body["buyer_id"] == again.body["buyer_id"] != other.body["buyer_id"]
    assert first.body["expires_at_s"] == merchant.now_s + WEEK_S
    assert orders_of(Caller(merchant.api_client, first.body["token"])) == []


def test_code_is_good_once_and_never_for_another_shop(merchant: MerchantFixture) -> None:
    code = merchant.wechat.codes.issue("openid")
    log_in(merchant, code)

    used = log_in(merchant, code)
    nowhere = merchant.visitor().post(f"/v1/merchants/{new_id()}/sessions", {"code": "any"})
    merchant.wechat.faults.add("login", "server_error")
    unanswered = log_in(merchant, merchant.wechat.codes.issue("openid"))

    assert (used.status, used.code) == (400, "invalid_request")
    assert (nowhere.status, nowhere.body["message"]) == (404, "没有找到这家店铺。")
    assert (unanswered.status, unanswered.code) == (502, "gateway_failed")


def test_renamed_buyer_carries_the_name_into_the_next_group(merchant: MerchantFixture) -> None:
    buyer, activity = merchant.buyer(""), merchant.activity(stock=10)
    reply = buyer.put(
        "/v1/me/profile", {"name": "陈小满", "avatar": "https://thirdwx.qlogo.cn/a/132"}
    )
    buyer.token = reply.body["token"]

    group_id, _, _ = merchant.open_group(activity, buyer)

    assert (reply.status, reply.body["name"]) == (200, "陈小满")
    (seat,) = merchant.visitor().get(f"{progress_path(merchant, group_id)}/page").body["seats"]
    assert (seat["name"], seat["avatar"]) == ("陈*", "https://thirdwx.qlogo.cn/a/132")


def test_name_stays_when_a_buyer_logs_in_again(merchant: MerchantFixture) -> None:
    first = log_in(merchant, merchant.wechat.codes.issue("openid-of-xiaohong"))
    profile = {"name": "陈小满", "avatar": "https://thirdwx.qlogo.cn/a/132"}
    Caller(merchant.api_client, first.body["token"]).put("/v1/me/profile", profile)

    again = log_in(merchant, merchant.wechat.codes.issue("openid-of-xiaohong"))

    assert again.body["name"] == "陈小满"


def test_session_ends_after_its_week(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    merchant.clock.forward(WEEK_S - 1)
    assert buyer.get("/v1/orders").status == 200

    merchant.clock.forward(1)
    ended = buyer.get("/v1/orders")

    assert (ended.status, ended.code) == (401, "unauthenticated")


def test_group_is_answered_again_only_when_it_has_changed(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    visitor, path = merchant.visitor(), progress_path(merchant, group_id)
    first = visitor.get(path)

    merchant.clock.forward(5)
    unchanged = visitor.get(path, If_None_Match=first.headers["etag"])
    merchant.join(activity, group_id)
    changed = visitor.get(path, If_None_Match=first.headers["etag"])

    assert (first.status, first.headers["cache-control"]) == (200, "no-store")
    assert (unchanged.status, unchanged.body) == (304, None)
    assert unchanged.headers["etag"] == first.headers["etag"]
    assert (changed.status, changed.body["seats_taken"]) == (200, 2)
    assert changed.headers["etag"] != first.headers["etag"]


def test_group_says_how_soon_to_ask_again(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, life_h=1)
    group_id, _, _ = merchant.open_group(activity)
    failing, _, _ = merchant.open_group(activity)

    def next_poll_s(which: str) -> int:
        return int(merchant.visitor().get(progress_path(merchant, which)).body["next_poll_s"])

    assert next_poll_s(group_id) == 5
    buyer, order_id = merchant.join(activity, group_id)
    assert next_poll_s(group_id) == 5
    merchant.pay(buyer, order_id)
    assert next_poll_s(group_id) == 0
    merchant.clock.forward(3600)
    assert next_poll_s(failing) == 2
    merchant.clock.forward(60)
    merchant.run_jobs()
    assert next_poll_s(failing) == 0


def test_group_progress_tells_everything_but_who_is_in_it(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    merchant.join(activity, group_id)

    shown = merchant.visitor().get(progress_path(merchant, group_id)).body

    assert shown == {
        "group_id": group_id,
        "activity_id": activity.activity_id,
        "version": 1,
        "status": "open",
        "failed_reason": None,
        "title": "周末三人团",
        "image": "",
        "group_price_fen": 5900,
        "seats_total": 3,
        "seats_least": 0,
        "seats_taken": 2,
        "seats_paid": 1,
        "seats_missing": 2,
        "expires_at_s": merchant.now_s + 86400,
        "leader_name": "团*",
        "next_poll_s": 5,
        "now_s": merchant.now_s,
    }


def test_activity_shows_its_terms_and_the_groups_that_end_soonest_first(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=20)
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    groups = []
    for _ in range(3):
        groups.append(merchant.open_group(activity)[0])
        merchant.clock.forward(60)
    merchant.member(activity, groups[1])

    shown = merchant.visitor().get(path).body

    assert [group["group_id"] for group in shown["joinable_groups"]] == [groups[0], groups[2]]
    assert shown["joinable_groups"][0]["expires_at_s"] == merchant.now_s - 180 + 86400
    assert (shown["state"], shown["seats_total"], shown["life_s"]) == ("running", 2, 86400)
    (sku,) = shown["skus"]
    assert (sku["list_price_fen"], sku["solo_price_fen"], sku["group_price_fen"]) == (
        12900,
        9900,
        5900,
    )
    assert merchant.visitor().get(path.replace(activity.activity_id, new_id())).code == "not_found"


def test_orders_come_in_pages_the_newest_first(merchant: MerchantFixture) -> None:
    activity, buyer, placed = merchant.activity(stock=20), merchant.buyer(), []
    for _ in range(5):
        placed.append(buyer.open(activity).body["order_id"])
        assert buyer.cancel(placed[-1]).status == 200  # more would be too many that are unpaid
        merchant.clock.forward(1)

    found: list[str] = []
    path = "/v1/orders?limit=2"
    while path:
        page = buyer.get(path).body
        found += [item["order_id"] for item in page["items"]]
        path = f"/v1/orders?limit=2&next={page['next']}" if page["next"] else ""

    assert found == placed[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=x", "colour=red"])
def test_query_that_is_not_understood_is_refused(merchant: MerchantFixture, query: str) -> None:
    reply = merchant.buyer().get(f"/v1/orders?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_key_with_another_body_is_refused_and_changes_nothing(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10, skus=2), merchant.buyer()
    other = merchant.activity(stock=10)
    first = buyer.open(activity, key="the-same-key")
    solo = buyer.buy_alone(merchant.activity(stock=5, product_stock=9), key="the-same-key")

    refused = [
        buyer.open(activity, key="the-same-key", quantity=2),
        buyer.open(activity, key="the-same-key", sku_id=activity.sku_ids[1]),
        buyer.open(activity, key="the-same-key", remark="轻放"),
        buyer.open(activity, key="the-same-key", address=ADDRESS | {"street": "别处1号"}),
        buyer.open(other, key="the-same-key"),
        buyer.buy_alone(other, key="the-same-key"),
    ]

    assert [first.status, solo.status] == [201, 201]  # two kinds of purchase, two keys
    codes = {(reply.status, reply.code) for reply in refused}
    assert codes == {(422, "idempotency_mismatch")}
    assert len(orders_of(buyer)) == 2
    assert (merchant.stock(activity), merchant.stock(other)) == (9, 10)
    assert buyer.open(activity, key="the-same-key").body == first.body


def test_repeated_solo_purchase_is_one_order(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=5, product_stock=6), merchant.buyer()

    replies = [buyer.buy_alone(activity, key="the-same-key") for _ in range(3)]

    assert [reply.status for reply in replies] == [201] * 3
    assert len({reply.body["order_id"] for reply in replies}) == 1
    assert merchant.product_stock(activity) == 0


def test_repeated_opening_is_answered_although_the_stock_is_gone(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=2, limit_per_buyer=2, limit_per_order=2)
    buyer = merchant.buyer()
    first = buyer.open(activity, key="the-same-key", quantity=2)

    again = buyer.open(activity, key="the-same-key", quantity=2)

    assert (again.status, again.body) == (201, first.body)
    assert merchant.buyer().open(activity).code == "sold_out"
    assert len(orders_of(buyer)) == 1


def test_order_shows_what_was_bought_and_where_it_goes(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10), merchant.buyer()
    order_id = buyer.open(activity, quantity=2, remark="请放门口").body["order_id"]

    shown = buyer.order(order_id)

    assert shown["address"] == ADDRESS
    assert shown["remark"] == "请放门口"
    assert (shown["status_text"], shown["pay_by_s"]) == ("待付款", merchant.now_s + 600)
    assert shown["lines"] == {
        "title": "周末三人团",
        "spec": "1斤装",
        "image": "",
        "list_price_fen": 12900,
        "unit_price_fen": 5900,
        "quantity": 2,
        "freight_fen": 0,
        "total_fen": 11800,
        "price_kind": "group",
    }


def purchase(**changes: Any) -> dict[str, Any]:
    return {"sku_id": new_id(), "address": ADDRESS} | changes


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b"\xff\xfe", ""),
        (b"[" * 5000, ""),
        (purchase(total_fen=1), ""),
        (purchase(price_fen=1), ""),
        (purchase(quantity=0), "quantity"),
        (purchase(quantity=-1), "quantity"),
        (purchase(quantity=1.5), "quantity"),
        (purchase(quantity="2"), "quantity"),
        (purchase(quantity=1000), "quantity"),
        (purchase(sku_id="sku"), "sku_id"),
        (purchase(remark="长" * 101), "remark"),
        (purchase(address=None), "address"),
        (purchase(address=ADDRESS | {"phone": "12345"}), "address.phone"),
        (purchase(address=ADDRESS | {"name": ""}), "address.name"),
        (purchase(address=ADDRESS | {"planet": "Earth"}), "address"),
        ({"address": ADDRESS}, ""),
    ],
)
def test_purchase_that_does_not_fit_is_refused_with_its_field(
    merchant: MerchantFixture, body: Any, field: str
) -> None:
    activity, buyer = merchant.activity(stock=10), merchant.buyer()
    path = f"/v1/activities/{activity.activity_id}/groups"

    reply = buyer.post(path, body, Idempotency_Key="a-key-of-mine")

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.body["details"]["field"] == field
    assert orders_of(buyer) == []
    assert merchant.stock(activity) == 10


@pytest.mark.slow
def test_table_that_has_no_time_for_us_is_said_to_be_busy(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10), merchant.buyer()
    group_id, _, _ = merchant.open_group(activity)

    def throttled(operation: str, body: bytes) -> Response | None:
        if operation == "TransactWriteItems":
            return refusal("ThrottlingException")
        return None

    with injected(throttled):
        reply = buyer.join(activity, group_id)

    assert (reply.status, reply.code) == (503, "busy")
    assert orders_of(buyer) == []
    assert merchant.stock(activity) == 9
    assert buyer.join(activity, group_id).status == 201


def test_browsers_of_other_origins_may_read_every_answer(merchant: MerchantFixture) -> None:
    buyer, path = merchant.buyer(), "/v1/orders"

    answers = [buyer.get(path), merchant.visitor().get(path), buyer.get(f"{path}/nonsense")]
    preflight = merchant.visitor().call("OPTIONS", path, Origin="https://shop.example.com")

    assert [reply.status for reply in answers] == [200, 401, 404]
    assert {reply.headers["access-control-allow-origin"] for reply in answers} == {"*"}
    assert preflight.status == 200
    allowed = preflight.headers["access-control-allow-headers"].split(",")
    assert {"Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"} <= set(allowed)


def test_api_describes_itself(merchant: MerchantFixture) -> None:
    reply = merchant.visitor().get("/v1/openapi.json")

    assert (reply.status, reply.body["openapi"]) == (200, "3.1.0")
    seats = reply.body["paths"]["/v1/groups/{group_id}/seats"]["post"]
    assert seats["operationId"] == "join_group"
    assert "group_full" in seats["responses"]["409"]["description"]
    assert "/v1/callbacks/wechat-pay/{merchant_id}/payments" in reply.body["paths"]


def test_refusals_speak_chinese_and_keep_their_shape(merchant: MerchantFixture) -> None:
    activity: Activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    merchant.join(activity, group_id)
    late: Buyer = merchant.buyer()

    reply = late.join(activity, group_id)

    assert reply.body == {
        "code": "group_full",
        "message": "最后一个名额正在付款中。没有付款就会空出来，请稍后再看，或参加其他团。",
        "details": {},
    }
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
