"""Points over HTTP: earned by orders, used by others, given back with the money."""

from collections.abc import Callable

import pytest

from chalicelib.domain.beijing import day_of
from chalicelib.domain.points_account import end_s
from chalicelib.services.people import buyers
from tests.api.test_exports import exported, let_be_found
from tests.fixtures.coupons import COUPONS, GIFT, claim, claimed, given_out, refund, told
from tests.fixtures.merchant import DAY_S, Buyer, MerchantFixture, Reply
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.points import RULE, given, received, sold, switch
from tests.fixtures.shipping import ship


def balance(buyer: Buyer) -> int:
    return int(buyer.get("/v1/me/points").body["balance"])


def of_order(buyer: Buyer, order_id: str) -> tuple[int, int, int, int]:
    order = buyer.order(order_id)
    names = ("points_used", "points_back", "points_earned", "points_to_come")
    used, back, earned, to_come = (order[name] for name in names)
    return used, back, earned, to_come


def test_leader_whose_goods_are_free_uses_none(merchant: MerchantFixture) -> None:
    """They would be gone, and what they took off would come back to nobody."""
    switch(merchant)
    free = sold(merchant, limit_per_order=1, leader_free=True)
    leader, friend = merchant.buyer("团长"), merchant.buyer("团员")
    for buyer in (leader, friend):
        received(merchant, free, buyer)
    offered = leader.quote(free, province="浙江省", best_points=True).body["points"]
    assert (offered["most"], offered["used"]) == (0, 0)
    assert offered["words"] == "成团后货款返还，不用积分"
    refused = leader.open(free, points=900)
    assert (refused.status, refused.code) == (409, "points_refused")
    assert balance(leader) == 990

    group_id, _, _ = merchant.open_group(free, leader)
    _, order_id = merchant.join(free, group_id, friend, points=900)
    assert of_order(friend, order_id)[0] == 900


def entries(buyer: Buyer) -> list[tuple[str, int]]:
    items = buyer.get("/v1/me/points").body["entries"]
    return [(item["kind"], item["points"]) for item in items]


def test_they_are_earned_offered_used_and_told_to_the_fen(merchant: MerchantFixture) -> None:
    assert switch(merchant).body["points"] == RULE
    activity, buyer = sold(merchant), merchant.buyer("团长")
    first = received(merchant, activity, buyer)
    assert of_order(buyer, first) == (0, 0, 990, 0)
    place = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    assert buyer.get(place).body["points"] is True
    (card,) = merchant.visitor().get(place.rpartition("/")[0]).body["items"]
    assert card["points"] is True

    quoted = buyer.quote(activity, province="浙江省", best_points=True).body
    offered = quoted["points"]
    assert offered == {
        "on": True,
        "balance": 990,
        "step": 100,
        "step_fen": 100,
        "most": 900,
        "used": 900,
        "off_fen": 900,
        "words": "",
    }
    group_id, _, order_id = merchant.open_group(
        activity, buyer, points=offered["used"], expected_total_fen=quoted["total_fen"]
    )
    lines = [("goods", 5900), ("points", -900), ("freight", 0)]
    seen = [buyer.order(order_id), merchant.owner().get(f"/v1/merchant/orders/{order_id}").body]
    for answer in (quoted, *seen):
        assert [(it["code"], it["amount_fen"]) for it in answer["price_lines"]] == lines
        assert answer["total_fen"] == 5000
    assert of_order(buyer, order_id) == (900, 0, 0, 500)
    merchant.member(activity, group_id)
    merchant.run_jobs()

    account = buyer.get("/v1/me/points").body
    spent = {"kind": "spent", "points": -900, "words": "下单抵扣", "order_id": order_id}
    assert account["entries"][0].items() >= spent.items()
    assert (account["balance"], account["worth_fen"], account["step"]) == (90, 0, 100)
    last_day = f"{day_of(merchant.now_s).year + 1}-12-31"
    assert account["expiring"] == {"points": 90, "on": last_day}
    assert account["rules"] == [
        "每实付 1 元得 10 积分，订单完成后到账。",
        "每 100 积分抵 1 元，最多抵商品金额的 50%。",
        "积分在得到后的次年年底到期。",
    ]
    assert buyer.get("/v1/me/data").body["points"] == account
    shown = merchant.owner().get(f"/v1/merchant/orders/{order_id}/points").body
    assert (shown["balance"], len(shown["entries"])) == (90, 2)
    columns = ("order_id", "unit_price", "taken_off", "points", "points_off", "freight", "total")
    let_be_found(merchant, order_id)
    (row,) = exported(merchant, "orders", *columns)
    amounts = ["59.00", "0.00", "900", "9.00", "0.00", "50.00"]
    assert list(row.values()) == [order_id, *amounts]
    merchant.check_laws(quiescent=False)


def test_they_come_back_with_the_order_and_by_share_with_a_part_of_its_money(
    merchant: MerchantFixture,
) -> None:
    switch(merchant)
    activity, buyer = sold(merchant, seats=3), merchant.buyer()
    first = received(merchant, activity, buyer)
    given(merchant, first, 1010)
    coupon_id = claimed(merchant, buyer)

    order_id = buyer.buy_alone(activity, points=1000, coupon_id=coupon_id).body["order_id"]
    assert balance(buyer) == 1000
    assert buyer.cancel(order_id).status == 200
    assert of_order(buyer, order_id) == (1000, 1000, 0, 0)
    merchant.open_group(activity, buyer, points=2000)
    assert balance(buyer) == 0
    merchant.wait(25 * 3600, every_s=3600)
    assert balance(buyer) == 2000

    kept = received(merchant, activity, buyer, points=2000)  # ¥79.00 are paid
    assert of_order(buyer, kept) == (2000, 0, 790, 0)
    refund(merchant, buyer, kept, 2500, 0)
    assert of_order(buyer, kept) == (2000, 632, 540, 0)
    refund(merchant, buyer, kept, 5400, 1)
    assert of_order(buyer, kept) == (2000, 2000, 0, 0)
    assert balance(buyer) == 2000
    merchant.check_laws()


def test_what_was_earned_and_spent_again_leaves_a_debt_that_the_next_order_pays(
    merchant: MerchantFixture,
) -> None:
    switch(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    first = received(merchant, activity, buyer)
    second = received(merchant, activity, buyer, points=900)  # ¥90.00 are paid
    assert balance(buyer) == 990
    third = buyer.buy_alone(activity, points=900).body["order_id"]
    merchant.pay(buyer, third)

    refund(merchant, buyer, first, 9900, 1)

    assert balance(buyer) == -900
    quoted = buyer.quote(activity, alone=True, province="浙江省").body["points"]
    assert (quoted["most"], quoted["words"]) == (0, "满 100 积分可用，你有 0")
    refused = buyer.buy_alone(activity, points=100)
    assert (refused.status, refused.code) == (409, "points_refused")
    assert ship(merchant, third, "SF0000000000001").status == 200
    buyer.post(f"/v1/orders/{third}/receipt")
    assert balance(buyer) == 0
    assert of_order(buyer, second)[2] == 900
    merchant.check_laws(quiescent=False)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("too few", "你现在有 990 积分，不够用 1000，请重新选择。"),
        ("no step", "这笔订单最多可用 4900 积分，且要是 100 的整数倍，请重新选择。"),
        ("more than allowed", "这笔订单最多可用 4900 积分，且要是 100 的整数倍，请重新选择。"),
        ("not taken", "这笔订单不能用积分：这个活动不能用积分。"),
        ("off", "这笔订单不能用积分：店铺现在不能用积分。"),
    ],
)
def test_what_cannot_be_used_is_refused_and_changes_nothing(
    merchant: MerchantFixture, case: str, words: str
) -> None:
    switch(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    received(merchant, activity, buyer)
    if case == "off":
        switch(merchant, on=False)
    count = {"too few": 1000, "no step": 150, "more than allowed": 5000}.get(case, 100)
    plain = sold(merchant, points=False)
    for way in ("quote", "buy"):
        if case == "not taken":
            quoted = buyer.quote(plain, province="浙江省", points=count)
            reply = buyer.open(plain, points=count) if way == "buy" else quoted
        elif way == "buy":
            reply = buyer.buy_alone(activity, points=count)
        else:
            reply = buyer.quote(activity, alone=True, province="浙江省", points=count)
        assert (reply.status, reply.code, reply.body["message"]) == (409, "points_refused", words)
    assert (balance(buyer), len(entries(buyer))) == (990, 1)
    assert merchant.stock(plain) == 20
    merchant.check_laws(quiescent=False)


def test_repeat_of_a_purchase_that_spent_them_gets_the_same_order(
    merchant: MerchantFixture,
) -> None:
    switch(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    received(merchant, activity, buyer)
    group_id, _, _ = merchant.open_group(activity)

    ways: list[Callable[[], Reply]] = [
        lambda: buyer.open(activity, key="the-same-key", points=400),
        lambda: buyer.buy_alone(activity, key="the-same-key", points=400),
        lambda: buyer.join(activity, group_id, points=100),
    ]
    for way in ways:
        placed, again = way(), way()
        assert (placed.status, again.body["order_id"]) == (201, placed.body["order_id"])
    assert balance(buyer) == 90
    other = buyer.open(activity, key="the-same-key", points=0)
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    merchant.check_laws(quiescent=False)


def test_they_are_warned_of_once_then_taken_off(merchant: MerchantFixture) -> None:
    switch(merchant, expiry="days", days=30)
    activity, buyer = sold(merchant, days=60), merchant.buyer()
    received(merchant, activity, buyer)
    last = str(buyer.get("/v1/me/points").body["expiring"]["on"])

    merchant.clock.forward(22 * DAY_S)
    merchant.run_jobs()
    buyer = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))
    assert "积分" not in told(buyer)
    merchant.clock.forward(2 * DAY_S)
    merchant.run_jobs(2)
    assert told(buyer).count(f"提醒：你有 990 积分 {last} 到期，到期后不能再用。") == 1
    merchant.clock.forward(7 * DAY_S)
    buyer = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))
    assert balance(buyer) == 0  # before any job
    assert buyer.buy_alone(activity, points=100).code == "points_refused"
    merchant.run_jobs(2)

    assert entries(buyer) == [("expired", -990), ("earned", 990)]
    assert told(buyer).count("到期，到期后") == 1
    merchant.check_laws()


def test_they_outlive_their_day_in_an_order_that_nobody_pays_once(
    merchant: MerchantFixture,
) -> None:
    switch(merchant, expiry="days", days=30)
    activity, buyer = sold(merchant, days=60), merchant.buyer()
    received(merchant, activity, buyer)

    def held_over_the_end_of_their_day() -> int:
        again = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))
        last = str(again.get("/v1/me/points").body["expiring"]["on"])
        merchant.clock.forward(end_s(last.replace("-", "")) - 60 - merchant.now_s)
        again = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))
        order_id = again.buy_alone(activity, points=900).body["order_id"]
        merchant.clock.forward(120)
        assert again.cancel(order_id).status == 200
        assert of_order(again, order_id)[:2] == (900, 900)
        return balance(again)

    assert held_over_the_end_of_their_day() == 900  # what was left is over
    assert held_over_the_end_of_their_day() == 0
    again = merchant.session(buyers.read(merchant.merchant_id, buyer.buyer_id))
    assert entries(again)[:3] == [("expired", -900), ("returned", 900), ("spent", -900)]
    merchant.check_laws(quiescent=False)


def test_staff_give_and_take_with_a_reason_once(merchant: MerchantFixture) -> None:
    switch(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    order_id = received(merchant, activity, buyer)

    made = [given(merchant, order_id, 500) for _ in range(2)]
    other = given(merchant, order_id, 600)
    taken = given(merchant, order_id, -1400, key="taken")
    more = given(merchant, order_id, -91, key="more")
    nothing = given(merchant, order_id, 0, key="nothing")

    assert [(it.status, it.body["balance"]) for it in (*made, taken)] == [
        (201, 1490),
        (201, 1490),
        (201, 90),
    ]
    assert (other.code, more.code, nothing.code) == (
        "idempotency_mismatch",
        "conflict",
        "invalid_request",
    )
    assert more.body["message"] == "这位买家现在有 90 积分，最多扣这么多。"
    assert entries(buyer) == [("deducted", -1400), ("granted", 500), ("earned", 990)]
    words = [it["words"] for it in buyer.get("/v1/me/points").body["entries"]]
    assert words[:2] == ["商家扣减：等了很久", "商家赠送：等了很久"]
    assert told(buyer).count("的商家送你 500 积分：等了很久。") == 1
    log = merchant.owner().get("/v1/merchant/audit").body["items"]
    assert sum(row["action"] == "points_changed" for row in log) == 2
    merchant.check_laws(quiescent=False)


def test_leader_earns_what_the_activity_adds_until_all_is_given_back(
    merchant: MerchantFixture,
) -> None:
    switch(merchant)
    activity, leader, member = sold(merchant, leader_points=200), merchant.buyer(), merchant.buyer()
    place = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    assert leader.get(place).body["leader_points"] == 200
    group_id, _, opened = merchant.open_group(activity, leader)
    _, joined = merchant.join(activity, group_id, member)
    merchant.pay(member, joined)
    merchant.run_jobs()
    assert of_order(leader, opened)[3] == 790

    for number, (buyer, order_id) in enumerate(((leader, opened), (member, joined))):
        ship(merchant, order_id, f"SF{merchant.now_s:012d}{number}")
        assert buyer.post(f"/v1/orders/{order_id}/receipt").status == 200
    assert (balance(leader), balance(member)) == (790, 590)

    refund(merchant, leader, opened, 1000, 0)
    assert balance(leader) == 690
    refund(merchant, leader, opened, 4900, 1)
    assert balance(leader) == 0
    switch(merchant, on=False)
    assert leader.get(place).body["leader_points"] == 0
    merchant.check_laws()


def test_coupon_is_got_for_them_and_kept(merchant: MerchantFixture) -> None:
    switch(merchant)
    activity, buyer, poor = sold(merchant), merchant.buyer(), merchant.buyer()
    received(merchant, activity, buyer)
    template_id = given_out(merchant, points=600, per_buyer=2)
    offer = buyer.get(f"/v1/merchants/{merchant.merchant_id}/coupons/{template_id}").body

    got = [claim(buyer, template_id) for _ in range(2)]
    again = claim(buyer, template_id, key="another-claim")
    refused = claim(poor, template_id)

    assert offer["points"] == 600
    assert {(it.status, it.body["coupon_id"]) for it in got} == {(201, got[0].body["coupon_id"])}
    assert (again.code, refused.code) == ("points_refused", "points_refused")
    assert refused.body["message"] == "兑换需要 600 积分，你有 0，还差 600。"
    assert entries(buyer) == [("exchanged", -600), ("earned", 990)]
    told = buyer.get("/v1/me/points").body["entries"][0]
    assert (told["words"], told["order_id"]) == ("兑换优惠券：见面礼", None)
    order = buyer.buy_alone(activity, coupon_id=got[0].body["coupon_id"]).body
    assert order["total_fen"] == 8900

    withdrawal = f"/v1/merchant/coupons/{template_id}/withdrawal"
    revoked = merchant.owner().post(withdrawal, {"revoke": True})
    stopped = merchant.owner().post(withdrawal, {"revoke": False})
    assert (revoked.code, stopped.body["state"]) == ("conflict", "withdrawn")
    by_code = merchant.owner().post(COUPONS, GIFT | {"points": 600, "given": "code"})
    assert by_code.body["details"]["problems"][0]["field"] == "points"

    switch(merchant, on=False)
    other = given_out(merchant, points=100)
    assert claim(buyer, other).body["message"] == "店铺暂停使用积分，积分还在你的账户里。"
    merchant.check_laws(quiescent=False)


def test_person_of_several_ids_has_one_balance(merchant: MerchantFixture) -> None:
    switch(merchant)
    activity, younger = sold(merchant), merchant.buyer()
    first = received(merchant, activity, younger)
    merge = merge_into_an_older_one(merchant, younger)
    person = merchant.session(merge())
    second = received(merchant, activity, person)
    assert balance(person) == 1980

    order_id = person.buy_alone(activity, points=1900).body["order_id"]
    assert balance(person) == 80
    assert person.cancel(order_id).status == 200
    refund(merchant, person, first, 9900, 1)

    assert balance(person) == 990
    assert of_order(person, second)[2] == 990
    staff = merchant.owner().get(f"/v1/merchant/orders/{first}/points").body
    assert staff["balance"] == 990
    assert given(merchant, first, -990).body["balance"] == 0
    merchant.check_laws()


def test_closed_account_loses_them_and_gets_no_more(merchant: MerchantFixture) -> None:
    switch(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    first = received(merchant, activity, buyer)
    second = received(merchant, activity, buyer, points=900, key="the-second")
    group_id, _, _ = merchant.open_group(activity)

    assert buyer.call("DELETE", "/v1/me/account").status == 200
    for reply in (
        buyer.buy_alone(activity, points=100),
        buyer.open(activity, points=100),
        buyer.join(activity, group_id, points=100),
        claim(buyer, given_out(merchant, points=100)),
    ):
        assert (reply.status, reply.code) == (401, "session_superseded")
    again = buyer.buy_alone(activity, points=900, key="the-second")
    assert (again.status, again.body["order_id"]) == (201, second)
    refused = given(merchant, first, 100)
    back = {"amount_fen": 9000, "units_back": 1, "reason": "补偿"}
    shop = merchant.owner().post(f"/v1/merchant/orders/{second}/refunds", back)
    merchant.wait(3600)

    assert (refused.status, refused.body["message"]) == (
        409,
        "这位买家已注销账号，不能再增减积分。",
    )
    assert shop.status == 201
    assert buyer.get("/v1/me/points").code == "session_superseded"
    account = merchant.owner().get(f"/v1/merchant/orders/{first}/points").body
    assert account["balance"] == 0
    assert account["entries"][0]["words"] == "账号注销"
    merchant.check_laws()


def test_all_entries_are_told_page_by_page(merchant: MerchantFixture) -> None:
    switch(merchant)
    activity, buyer = sold(merchant), merchant.buyer()
    order_id = received(merchant, activity, buyer)
    for number in range(24):
        assert given(merchant, order_id, number + 1, key=f"gift-{number}").status == 201
        merchant.clock.forward(1)

    seen: list[int] = []
    token: str | None = ""
    while token is not None:
        page = buyer.get("/v1/me/points" + (f"?next={token}" if token else "")).body
        seen += [one["points"] for one in page["entries"]]
        token = page["next"]

    assert seen == [*range(24, 0, -1), 990]
    merchant.check_laws(quiescent=False)
