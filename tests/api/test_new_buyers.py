"""老带新, 新客团 and 团长价 over HTTP: who may buy, at which price, and what others are told."""

from typing import Any

import pytest

from chalicelib.domain.activity import NewBuyers
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture, Reply

JOINERS = "这个团只邀请新客参加，你已在本店买过。可以自己开一个团，邀请新朋友参加。"
ALL = "这个活动仅限新客，你已在本店买过。可以单独购买，或看看其他活动。"
UNPAID = "这个活动仅限新客的第一笔订单。你有一笔订单还没付款，取消那一笔后再来。"


def sold(merchant: MerchantFixture, new_buyers: NewBuyers, **terms: Any) -> Activity:
    how = {"seats": 3, "stock": 20, "product_stock": 40, **terms}
    return merchant.activity(new_buyers=new_buyers, **how)


def old_buyer(merchant: MerchantFixture) -> Buyer:
    """A buyer who has received something."""
    buyer = merchant.buyer("老客")
    order_id = buyer.buy_alone(sold(merchant, NewBuyers.NOBODY)).body["order_id"]
    merchant.pay(buyer, order_id)
    return buyer


def refused(reply: Reply, words: str) -> None:
    assert (reply.status, reply.body["code"]) == (409, "new_buyers_only"), reply.body
    assert reply.body["message"] == words


def test_old_buyer_leads_and_new_ones_join(merchant: MerchantFixture) -> None:
    activity, old = sold(merchant, NewBuyers.JOINERS), old_buyer(merchant)
    path = f"/v1/merchants/{merchant.merchant_id}"
    shown = old.get(f"{path}/activities/{activity.activity_id}").body
    group_id, _, _ = merchant.open_group(activity, old)
    page = old.get(f"{path}/groups/{group_id}/page").body

    other = old_buyer(merchant)
    refused(other.quote(activity, group_id=group_id, province="浙江省"), JOINERS)
    refused(other.join(activity, group_id), JOINERS)
    merchant.member(activity, group_id)
    merchant.member(activity, group_id)

    assert (shown["new_buyers"], page["new_buyers"]) == ("joiners", "joiners")
    assert merchant.stored_group(group_id).status == "formed"
    assert other.open(activity).status == 201  # leads one of their own
    assert other.buy_alone(activity).status == 201
    merchant.check_laws(quiescent=False)


def test_activity_for_new_buyers_sells_to_no_other_but_alone(merchant: MerchantFixture) -> None:
    activity, old = sold(merchant, NewBuyers.ALL), old_buyer(merchant)

    refused(old.quote(activity, province="浙江省"), ALL)
    refused(old.open(activity), ALL)

    group_id, leader, _ = merchant.open_group(activity)
    refused(old.join(activity, group_id), ALL)
    refused(leader.open(activity), ALL)  # new once
    assert old.buy_alone(activity).status == 201
    visitor = merchant.visitor().post(
        f"/v1/merchants/{merchant.merchant_id}/quotes",
        {"activity_id": activity.activity_id, "sku_id": activity.sku_id, "province": "浙江省"},
    )
    assert visitor.body["total_fen"] == 5900  # nobody knows yet who asks
    merchant.check_laws(quiescent=False)


def test_who_bought_nothing_after_all_is_new_again(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant, NewBuyers.ALL), merchant.buyer()
    plain = sold(merchant, NewBuyers.NOBODY)
    unpaid = buyer.buy_alone(plain).body["order_id"]
    refusal = buyer.open(activity)
    refused(refusal, UNPAID)
    assert refusal.body["details"] == {"order_id": unpaid}

    assert buyer.cancel(unpaid).status == 200
    failed, _, order_id = merchant.open_group(plain, buyer)
    refused(buyer.open(activity), ALL)
    merchant.wait(25 * 3600, every_s=3600)

    assert (buyer.status(order_id), merchant.stored_group(failed).status) == ("refunded", "failed")
    assert buyer.open(activity).status == 201
    merchant.check_laws(quiescent=False)


def test_unpaid_order_does_not_hide_that_its_buyer_bought_before(
    merchant: MerchantFixture,
) -> None:
    activity, old = sold(merchant, NewBuyers.ALL), old_buyer(merchant)
    assert old.buy_alone(sold(merchant, NewBuyers.NOBODY)).status == 201

    refused(old.open(activity), ALL)


def test_who_gave_goods_back_has_bought(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant, NewBuyers.ALL), merchant.buyer()
    order_id = buyer.buy_alone(sold(merchant, NewBuyers.NOBODY)).body["order_id"]
    merchant.pay(buyer, order_id)
    asked = {"amount_fen": 9900, "reason": "changed_mind", "words": "", "pictures": []}
    request = buyer.post(f"/v1/orders/{order_id}/after-sales", asked).body["after_sale_id"]
    approval = f"/v1/merchant/after-sales/{request}/approval"
    given = {"amount_fen": 9900, "units_back": 1}
    assert merchant.owner().post(approval, given).status == 200
    merchant.wait(3600)

    assert buyer.status(order_id) == "refunded"
    refused(buyer.open(activity), ALL)


def test_repeated_purchase_of_a_new_buyer_gets_its_order(merchant: MerchantFixture) -> None:
    activity, leader, friend = (
        sold(merchant, NewBuyers.ALL),
        merchant.buyer(),
        merchant.buyer(),
    )

    opened = [leader.open(activity, key="the-same-key") for _ in range(2)]
    merchant.pay(leader, opened[0].body["order_id"])
    joined = [friend.join(activity, opened[0].body["group_id"]) for _ in range(2)]

    for answers in (opened, joined):
        assert [reply.status for reply in answers] == [201, 201]
        assert answers[0].body == answers[1].body


def test_repeat_of_an_old_session_gets_the_first_answer(merchant: MerchantFixture) -> None:
    activity, leader = sold(merchant, NewBuyers.ALL), merchant.buyer()
    placed = leader.open(activity, key="the-same-key")
    assert leader.cancel(placed.body["order_id"]).status == 200
    assert leader.call("DELETE", "/v1/me/account").status == 200

    again = leader.open(activity, key="the-same-key")
    other = leader.open(activity, key="another-key")

    assert (again.status, again.body["code"]) == (409, "order_closed")
    assert (other.status, other.body["code"]) == (401, "session_superseded")


def test_who_has_a_seat_is_quoted_it(merchant: MerchantFixture) -> None:
    activity = sold(merchant, NewBuyers.JOINERS)
    group_id, _, _ = merchant.open_group(activity)
    friend, order_id = merchant.join(activity, group_id)

    quoted = friend.quote(activity, group_id=group_id, province="浙江省")

    assert (quoted.status, quoted.body["total_fen"]) == (200, 5900)
    assert friend.join(activity, group_id).body["order_id"] == order_id


def test_leader_pays_the_leaders_price_and_members_the_groups(merchant: MerchantFixture) -> None:
    activity = sold(merchant, NewBuyers.NOBODY, seats=2, leader_price_fen=4900)
    leader = merchant.buyer("团长")
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    (sku,) = leader.get(path).body["skus"]
    quoted = [
        leader.quote(activity, province="浙江省").body["total_fen"],
        leader.quote(activity, province="浙江省", alone=True).body["total_fen"],
    ]

    group_id, _, order_id = merchant.open_group(activity, leader, quantity=2)
    quoted.append(leader.quote(activity, group_id=group_id, province="浙江省").body["total_fen"])
    _, second = merchant.member(activity, group_id)

    assert (sku["leader_price_fen"], sku["group_price_fen"], quoted) == (
        4900,
        5900,
        [4900, 9900, 5900],
    )
    assert merchant.stored_order(order_id).total_fen == 9800
    assert merchant.stored_order(second).total_fen == 5900
    assert merchant.stored_group(group_id).status == "formed"
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize("price_fen", [0, 5900, 6000])
def test_leaders_price_is_lower_and_not_nothing(merchant: MerchantFixture, price_fen: int) -> None:
    activity = sold(merchant, NewBuyers.JOINERS, leader_price_fen=4900)
    draft = merchant.owner().post(f"/v1/merchant/activities/{activity.activity_id}/copy").body
    assert (draft["new_buyers"], draft["skus"][0]["leader_price_fen"]) == ("joiners", 4900)
    draft |= {"starts_at_s": merchant.now_s + 8 * 86400, "ends_at_s": merchant.now_s + 9 * 86400}
    draft["skus"][0] |= {"stock": 5, "leader_price_fen": price_fen}

    checked = merchant.owner().post("/v1/merchant/activities/check", draft).body

    assert [one["field"] for one in checked["problems"]] == ["skus[0].leader_price_fen"]
    draft["skus"][0]["leader_price_fen"] = 4900
    checked = merchant.owner().post("/v1/merchant/activities/check", draft).body
    assert [one["unit_price_fen"] for one in checked["lowest"]] == [4900]
    assert merchant.owner().post("/v1/merchant/activities", draft).status == 201
