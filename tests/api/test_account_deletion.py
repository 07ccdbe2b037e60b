"""A buyer closes their account, or takes a copy of what is kept of them."""

import pytest

from chalicelib.domain.identity import Identity, Way
from chalicelib.errors import AccountInUse, SessionSuperseded
from chalicelib.services.orders import account_deletion
from chalicelib.services.people import buyers, identities
from chalicelib.tables.buyers import BuyerItem
from tests.api.test_shop_acts import refund
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import ADDRESS, Activity, Buyer, MerchantFixture
from tests.fixtures.shipping import ship

ACCOUNT = "/v1/me/account"


def stored(buyer: Buyer) -> BuyerItem:
    return buyers.read(buyer.merchant_id, buyer.buyer_id)


def bought(merchant: MerchantFixture, activity: Activity, buyer: Buyer) -> str:
    """An order that its buyer has received."""
    order_id = str(buyer.buy_alone(activity).body["order_id"])
    merchant.pay(buyer, order_id)
    merchant.run_jobs()
    assert ship(merchant, order_id, f"SF{merchant.now_s:013d}").status == 200
    assert buyer.post(f"/v1/orders/{order_id}/receipt").body["status"] == "completed"
    return order_id


def test_account_is_closed_once_nothing_is_under_way(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    buyer = merchant.buyer("小满")
    openid = stored(buyer).openid
    buyer.post("/v1/me/addresses", ADDRESS)
    received = bought(merchant, activity, buyer)
    pending = str(buyer.buy_alone(activity).body["order_id"])

    early = buyer.call("DELETE", ACCOUNT)
    untouched = buyer.get("/v1/me/profile").body["name"]
    buyer.cancel(pending)
    closed = buyer.call("DELETE", ACCOUNT)
    again = buyer.call("DELETE", ACCOUNT)

    assert (early.status, early.code, early.body["details"]["order_ids"]) == (
        409,
        "account_in_use",
        [pending],
    )
    assert (untouched, closed.status, again.status) == ("小满", 200, 200)
    purchase = buyer.buy_alone(activity)
    after = [
        buyer.get("/v1/me/profile"),
        buyer.put("/v1/me/profile", {"name": "小满"}),
        buyer.post("/v1/me/addresses", ADDRESS),
        buyer.post(f"/v1/orders/{received}/after-sales", {"amount_fen": 100, "reason": "damaged"}),
        purchase,
        buyer.get("/v1/me/addresses"),
        buyer.get("/v1/me/messages"),
        buyer.get("/v1/orders"),
        buyer.get(f"/v1/orders/{received}"),
        buyer.get(f"/v1/orders/{received}/after-sales"),
        buyer.post(f"/v1/orders/{received}/payment-result"),
        buyer.ask_to_pay(received),
        buyer.cancel(received),
        buyer.post(f"/v1/orders/{received}/urges"),
    ]
    assert {(reply.status, reply.code) for reply in after} == {(401, "session_superseded")}
    look = {"order_ids": [received], "purpose": "view"}
    seen = merchant.owner().post("/v1/merchant/recipients", look)
    assert (seen.status, seen.body["message"]) == (409, "买家已注销账号，收件信息不再提供。")
    order = merchant.owner().get(f"/v1/merchant/orders/{received}").body
    assert (order["status"], order["order_id"]) == ("completed", received)
    login = merchant.visitor().post(
        f"/v1/merchants/{merchant.merchant_id}/sessions",
        {"code": merchant.wechat.codes.issue(openid)},
    )
    assert login.body["buyer_id"] != buyer.buyer_id
    assert login.body["name"] == ""
    merchant.check_laws()


def test_closed_account_without_an_order_lists_none(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer("小满")
    before = buyer.get("/v1/orders")
    buyer.call("DELETE", ACCOUNT)

    after = buyer.get("/v1/orders")

    assert (before.status, before.body["items"]) == (200, [])
    assert (after.status, after.code) == (401, "session_superseded")


def test_merged_person_is_forgotten_under_every_id(merchant: MerchantFixture) -> None:
    now_s, merchant_id = merchant.now_s, merchant.merchant_id
    one, other = merchant.buyer("小满"), merchant.buyer("大满")
    union = Identity(Way.PHONE, "13800138000")
    identities.prove(merchant_id, one.buyer_id, union, now_s=now_s)
    by_app = Identity(Way.WECHAT_ACCOUNT, "openid-of-account", "wx-account")
    stranger = identities.log_in(merchant_id, [by_app], now_s=now_s)
    kept = identities.prove(merchant_id, stranger.buyer_id, union, now_s=now_s)
    assert len(kept.ids) == 2

    account_deletion.close(merchant_id, kept.buyer_id, now_s=now_s)

    with pytest.raises(SessionSuperseded):
        identities.prove(merchant_id, kept.buyer_id, Identity(Way.ALIPAY, "2088"), now_s=now_s)
    fresh = identities.log_in(merchant_id, [by_app], now_s=now_s)
    assert fresh.buyer_id not in kept.ids
    assert identities.log_in(merchant_id, [union], now_s=now_s).buyer_id not in kept.ids
    assert stored(other).name == "大满"
    merchant.check_laws()


def test_order_that_is_placed_meanwhile_keeps_the_account(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10, product_stock=20), merchant.buyer("小满")

    with interleaved(lambda: buyer.buy_alone(activity)), pytest.raises(AccountInUse):
        account_deletion.close(merchant.merchant_id, buyer.buyer_id, now_s=merchant.now_s)

    assert stored(buyer).name == "小满"
    merchant.check_laws()


def test_request_that_is_made_meanwhile_keeps_the_account(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10, product_stock=20), merchant.buyer("小满")
    received = bought(merchant, activity, buyer)
    claim = {"amount_fen": 100, "reason": "damaged"}

    def ask() -> None:
        assert buyer.post(f"/v1/orders/{received}/after-sales", claim).status == 201

    with interleaved(ask), pytest.raises(AccountInUse):
        account_deletion.close(merchant.merchant_id, buyer.buyer_id, now_s=merchant.now_s)

    assert stored(buyer).name == "小满"
    merchant.check_laws()


def test_request_under_another_id_that_is_made_meanwhile_keeps_the_account(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    one, other = merchant.buyer("小满"), merchant.buyer("大满")
    received = {}
    for buyer in (one, other):
        received[buyer.buyer_id] = bought(merchant, activity, buyer)
        merchant.clock.forward(5)
    phone = Identity(Way.PHONE, "13800138000")
    for buyer in (one, other):
        person = identities.prove(merchant.merchant_id, buyer.buyer_id, phone, now_s=merchant.now_s)
    claim = {"amount_fen": 100, "reason": "damaged"}
    order_id = received[person.other_ids[0]]

    def ask() -> None:
        asked = merchant.session(person).post(f"/v1/orders/{order_id}/after-sales", claim)
        assert asked.status == 201

    with interleaved(ask), pytest.raises(AccountInUse):
        account_deletion.close(merchant.merchant_id, person.buyer_id, now_s=merchant.now_s)
    merchant.check_laws()


def test_name_of_who_closed_their_account_stands_in_no_group(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10, product_stock=20)
    group_id, leader, order_id = merchant.open_group(activity, merchant.buyer("小满"))
    friend_group, _, _ = merchant.open_group(activity, merchant.buyer("大满"))
    _, joined = merchant.member(activity, friend_group, leader)
    merchant.member(activity, group_id)
    merchant.run_jobs()
    for number, one in enumerate((order_id, joined)):
        assert ship(merchant, one, f"SF{number:013}").status == 200
        assert leader.post(f"/v1/orders/{one}/receipt").status == 200

    page = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page"
    assert leader.get(page).body["role"] == "leader"
    assert leader.call("DELETE", ACCOUNT).status == 200

    assert leader.get(page).body == merchant.visitor().get(page).body
    assert merchant.stored_group(group_id).leader_name == ""
    assert merchant.stored_group(friend_group).leader_name == "大满"
    shown = merchant.owner().get("/v1/merchant/groups?tab=formed").body["items"]
    assert sorted(one["leader_name"] for one in shown) == ["", "大满"]
    merchant.check_laws()


def test_shop_gives_money_back_to_who_has_closed_their_account(merchant: MerchantFixture) -> None:
    activity, buyer = merchant.activity(stock=10, product_stock=20), merchant.buyer("小满")
    received = bought(merchant, activity, buyer)
    paid_fen = merchant.money()["captured_fen"]
    assert buyer.call("DELETE", ACCOUNT).status == 200

    given = refund(merchant, received, paid_fen)
    merchant.check_laws(quiescent=False)
    merchant.run_jobs(2)

    assert given.status in (200, 201), given.body
    assert merchant.money()["refunded_fen"] == paid_fen
    assert merchant.stored_order(received).status == "refunded"
    merchant.check_laws()


def test_copy_of_ones_data_has_all_orders_page_by_page(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    buyer = merchant.buyer("小满")
    buyer.post("/v1/me/addresses", ADDRESS)
    orders = []
    for _ in range(3):
        orders.append(bought(merchant, activity, buyer))
        merchant.clock.forward(5)

    first = buyer.get("/v1/me/data?limit=2").body
    second = buyer.get(f"/v1/me/data?limit=2&next={first['next']}").body

    assert [one["order_id"] for one in first["orders"] + second["orders"]] == orders[::-1]
    assert second["next"] is None
    assert (first["name"], first["addresses"][0]["street"]) == ("小满", ADDRESS["street"])
    assert first["orders"][0]["address"] == ADDRESS
    told = {one["order_id"] for one in first["messages"]}
    assert told == set(orders[1:])
