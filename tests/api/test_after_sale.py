"""After-sale: money back after forming, by request and approval, through the one machinery."""

from typing import Any

import pytest

from tests.fixtures.images import accepted
from tests.fixtures.merchant import Activity, Buyer, MerchantFixture, concurrently

ASKED = {"amount_fen": 5900, "reason": "damaged", "words": "到货时已变质"}


def formed(
    merchant: MerchantFixture, **terms: Any
) -> tuple[Activity, str, list[tuple[Buyer, str]]]:
    """(activity, group_id, members) of a group of two that is formed and settled."""
    activity = merchant.activity(seats=2, stock=10, **terms)
    group_id, leader, first = merchant.open_group(activity)
    friend, second = merchant.member(activity, group_id)
    merchant.run_jobs()
    return activity, group_id, [(leader, first), (friend, second)]


def ask(buyer: Buyer, order_id: str, **changes: Any) -> Any:
    given = {**ASKED, "pictures": [picture_of(buyer)], **changes}
    return buyer.post(f"/v1/orders/{order_id}/after-sales", given)


def picture_of(buyer: Buyer) -> str:
    return accepted(buyer.merchant_id, buyer.buyer_id)


def approve(
    merchant: MerchantFixture, after_sale_id: str, amount_fen: int, units_back: int = 0
) -> Any:
    given = {"amount_fen": amount_fen, "units_back": units_back}
    return merchant.owner().post(f"/v1/merchant/after-sales/{after_sale_id}/approval", given)


def refuse(merchant: MerchantFixture, after_sale_id: str, reply: str = "签收时完好") -> Any:
    return merchant.owner().post(
        f"/v1/merchant/after-sales/{after_sale_id}/refusal", {"reply": reply}
    )


def waiting(merchant: MerchantFixture, status: str = "requested") -> list[Any]:
    rows: list[Any] = (
        merchant.owner().get(f"/v1/merchant/after-sales?status={status}").body["items"]
    )
    return rows


def ledger(merchant: MerchantFixture, order_id: str) -> Any:
    return merchant.owner().get(f"/v1/merchant/orders/{order_id}/ledger").body


def test_one_member_is_refunded_and_the_group_stays_formed(merchant: MerchantFixture) -> None:
    activity, group_id, [(leader, first), (friend, second)] = formed(merchant)
    asked = ask(friend, second)
    assert (asked.status, asked.body["status_text"]) == (201, "等待商家处理")
    [row] = waiting(merchant)
    assert (row["after_sale_id"], row["pictures"]) == (
        asked.body["after_sale_id"],
        [picture_of(friend)],
    )

    approved = approve(merchant, row["after_sale_id"], 5900, units_back=1)
    assert (approved.status, approved.body["status"]) == (200, "approved")
    assert friend.order(second)["status_text"] == "退款中"
    merchant.run_jobs()

    assert friend.status(second) == "refunded"
    assert (leader.status(first), leader.order(first)["refunds"]) == ("fulfilling", [])
    group = merchant.stored_group(group_id)
    assert (group.status, group.seats_paid) == ("formed", 2)
    assert merchant.stock(activity) == 9
    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 5900, "refunding_fen": 0}
    titles = [m["title"] for m in friend.get("/v1/me/messages").body["items"]]
    assert {"商家已同意退款", "退款已到账"} <= set(titles)
    merchant.check_laws()


def test_part_of_an_order_is_refunded_and_the_rest_is_shipped(merchant: MerchantFixture) -> None:
    activity, _, [_, (friend, second)] = formed(merchant)
    asked = ask(friend, second, amount_fen=2000)

    approve(merchant, asked.body["after_sale_id"], 1500)
    assert friend.order(second)["status_text"] == "已成团待发货·部分退款中"
    merchant.run_jobs()

    shown = friend.order(second)
    assert (shown["status"], shown["status_text"]) == ("fulfilling", "已成团待发货·已部分退款")
    assert [(r["amount_fen"], r["status"]) for r in shown["refunds"]] == [(1500, "succeeded")]
    own = friend.get(f"/v1/orders/{second}/after-sales").body
    assert (own["refundable_fen"], own["items"][0]["amount_fen"]) == (4400, 1500)
    assert own["units_left"] == 1
    assert merchant.stock(activity) == 8
    merchant.check_laws()


@pytest.mark.slow
def test_parts_that_are_agreed_to_in_a_row_are_sent_over_a_minute_apart(
    merchant: MerchantFixture,
) -> None:
    """As gateways want it; none is refused for coming too soon."""
    _, _, [_, (friend, second)] = formed(merchant)
    began_s = merchant.now_s
    for amount_fen in (1000, 2000, 300):
        asked = ask(friend, second, amount_fen=amount_fen)
        assert approve(merchant, asked.body["after_sale_id"], amount_fen).status == 200
        merchant.clock.forward(1)

    refunds = merchant.stored_order(second).view().refunds
    assert [refunds[f"01{letter}"].next_at_s - began_s for letter in "ABC"] == [0, 90, 180]

    for at_s in (3, 90, 180):
        merchant.clock.forward(began_s + at_s - merchant.now_s)
        merchant.run_jobs()
        refunds = merchant.stored_order(second).view().refunds
        assert not any(refund.reason for refund in refunds.values())
    merchant.run_jobs()

    assert merchant.money() == {"captured_fen": 11800, "refunded_fen": 3300, "refunding_fen": 0}
    merchant.check_laws()


def test_several_parts_add_up_to_the_whole_and_never_to_more(merchant: MerchantFixture) -> None:
    activity, _, [_, (friend, second)] = formed(merchant, limit_per_buyer=1, limit_per_order=1)
    for amount_fen in (2000, 3000):
        asked = ask(friend, second, amount_fen=amount_fen)
        approve(merchant, asked.body["after_sale_id"], amount_fen)
        merchant.wait(120)

    too_much = ask(friend, second, amount_fen=901)
    assert (too_much.status, too_much.code) == (400, "invalid_request")
    assert too_much.body["details"]["max"] == 900
    last = ask(friend, second, amount_fen=900)
    approve(merchant, last.body["after_sale_id"], 900, units_back=1)
    merchant.wait(120)

    assert friend.status(second) == "refunded"
    assert (ask(friend, second).status, ask(friend, second).code) == (409, "after_sale_refused")
    assert merchant.limit_used(activity, friend) == 0
    assert merchant.money()["refunded_fen"] == 5900
    merchant.check_laws()


def test_ledger_of_an_order_tells_every_movement_and_adds_up(merchant: MerchantFixture) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    asked = ask(friend, second, amount_fen=900)
    approve(merchant, asked.body["after_sale_id"], 900)
    merchant.run_jobs()

    told = ledger(merchant, second)

    assert [(r["movement"], r["debit"], r["credit"], r["amount_fen"]) for r in told["rows"]] == [
        ("captured", "gateway", "held", 5900),
        ("earned", "held", "sales", 5900),
        ("requested", "sales", "refunds_due", 900),
        ("refunded", "refunds_due", "gateway", 900),
    ]
    assert told["balances"] == {
        "gateway": 5000,
        "held": 0,
        "sales": -5000,
        "refunds_due": 0,
        "fees": 0,
        "outside": 0,
    }


def test_same_claim_again_is_the_same_request_and_another_is_refused(
    merchant: MerchantFixture,
) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    first = ask(friend, second)

    again, other = ask(friend, second), ask(friend, second, amount_fen=1)

    assert again.body == first.body
    assert (other.status, other.code) == (409, "after_sale_refused")
    assert len(waiting(merchant)) == 1


@pytest.mark.slow
def test_twenty_claims_at_once_are_one_request(merchant: MerchantFixture) -> None:
    _, _, [_, (friend, second)] = formed(merchant)

    replies = concurrently([lambda: ask(friend, second)] * 20)

    assert {reply.status for reply in replies} <= {201, 503}
    assert len(waiting(merchant)) == 1
    merchant.check_laws()


def test_refused_request_tells_its_buyer_why_and_leaves_the_order(
    merchant: MerchantFixture,
) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    asked = ask(friend, second)

    refused = refuse(merchant, asked.body["after_sale_id"])

    assert (refused.status, refused.body["reply"]) == (200, "签收时完好")
    assert refuse(merchant, asked.body["after_sale_id"]).body == refused.body
    assert approve(merchant, asked.body["after_sale_id"], 5900).code == "after_sale_refused"
    assert friend.order(second)["refunds"] == []
    [message] = [
        m for m in friend.get("/v1/me/messages").body["items"] if m["title"] == "商家未同意售后申请"
    ]
    assert "签收时完好" in message["text"]
    said = merchant.owner().get(f"/v1/merchant/orders/{second}").body["timeline"][-1]
    assert (said["text"], said["by"]) == ("商家未同意：签收时完好", "owner")
    assert ask(friend, second).status == 201
    merchant.check_laws()


def test_withdrawn_request_is_decided_no_more(merchant: MerchantFixture) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    asked = ask(friend, second)
    path = f"/v1/orders/{second}/after-sales/A/withdrawal"

    assert friend.post(path).body["status"] == "withdrawn"
    assert friend.post(path).status == 200

    assert approve(merchant, asked.body["after_sale_id"], 5900).code == "after_sale_refused"
    assert waiting(merchant) == []
    merchant.check_laws()


@pytest.mark.slow
def test_approval_and_withdrawal_at_once_have_one_outcome(merchant: MerchantFixture) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    after_sale_id = ask(friend, second).body["after_sale_id"]

    def approval() -> Any:
        return approve(merchant, after_sale_id, 5900)

    def withdrawal() -> Any:
        return friend.post(f"/v1/orders/{second}/after-sales/A/withdrawal")

    concurrently([approval, withdrawal] * 4)
    merchant.run_jobs(2)

    own = friend.get(f"/v1/orders/{second}/after-sales").body["items"][0]["status"]
    expected = {"approved": "refunded", "withdrawn": "fulfilling"}
    assert friend.status(second) == expected[own]
    merchant.check_laws()


@pytest.mark.slow
def test_approval_told_ten_times_at_once_refunds_once(merchant: MerchantFixture) -> None:
    activity, _, [_, (friend, second)] = formed(merchant)
    after_sale_id = ask(friend, second).body["after_sale_id"]

    concurrently([lambda: approve(merchant, after_sale_id, 5900, units_back=1)] * 10)
    merchant.run_jobs()

    assert merchant.money()["refunded_fen"] == 5900
    assert merchant.stock(activity) == 9
    merchant.check_laws()


def test_after_sale_before_forming_is_refused_and_changes_nothing(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3)
    group_id, leader, first = merchant.open_group(activity)
    friend, second = merchant.join(activity, group_id)

    waits, unpaid = ask(leader, first), ask(friend, second)

    assert [(r.status, r.code) for r in (waits, unpaid)] == [(409, "after_sale_refused")] * 2
    assert "成团后" in waits.body["message"]
    assert waiting(merchant) == []
    merchant.check_laws(quiescent=False)


def test_solo_order_can_be_refunded_and_its_units_go_back_to_the_product(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=10, product_stock=12)
    buyer = merchant.buyer()
    order_id = buyer.buy_alone(activity, quantity=2).body["order_id"]
    merchant.pay(buyer, order_id)
    asked = ask(buyer, order_id, amount_fen=19800)

    approve(merchant, asked.body["after_sale_id"], 19800, units_back=2)
    merchant.run_jobs()

    assert buyer.status(order_id) == "refunded"
    assert merchant.product_stock(activity) == 2
    merchant.check_laws()


def test_part_that_the_gateway_cannot_refund_stands_with_staff(merchant: MerchantFixture) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    asked = ask(friend, second, amount_fen=900)
    merchant.gateway.faults.add("refund", "stays_processing")
    approve(merchant, asked.body["after_sale_id"], 900)
    merchant.run_jobs()
    merchant.gateway.settle_refunds(out_refund_no=f"{second}01A", status="CLOSED")
    assert merchant.gateway.quiet()
    merchant.run_jobs()

    [row] = merchant.owner().get("/v1/merchant/refunds").body["items"]

    assert (row["out_refund_no"], row["reason"]) == (f"{second}01A", "closed")
    assert friend.status(second) == "fulfilling"
    merchant.check_laws()


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 1.5},
        {"amount_fen": 5901},
        {"reason": "because"},
        {"words": "长" * 201},
        {"pictures": ["https://pictures.example.com/1.jpg"] * 7},
        {"pictures": ["https://pictures.example.com/1.jpg"]},
        {"pictures": ["javascript:alert(1)"]},
        {"status": "approved"},
    ],
)
def test_wrong_claim_is_refused_and_changes_nothing(
    merchant: MerchantFixture, changes: dict[str, Any]
) -> None:
    _, _, [_, (friend, second)] = formed(merchant)

    reply = ask(friend, second, **changes)

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert waiting(merchant) == []


def test_pictures_of_others_are_no_pictures_of_a_claim(merchant: MerchantFixture) -> None:
    _, _, [(leader, _), (friend, second)] = formed(merchant)
    shops, wrong = accepted(merchant.merchant_id), picture_of(leader)

    replies = [ask(friend, second, pictures=[picture_of(friend), url]) for url in (shops, wrong)]

    for reply in replies:
        assert (reply.status, reply.code) == (400, "invalid_request")
        assert reply.body["details"] == {"field": "pictures[1]"}
    assert waiting(merchant) == []


def test_staff_cannot_give_back_more_than_was_asked_or_return_more_than_was_bought(
    merchant: MerchantFixture,
) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    after_sale_id = ask(friend, second, amount_fen=900).body["after_sale_id"]

    more, units = approve(merchant, after_sale_id, 901), approve(merchant, after_sale_id, 900, 2)

    assert [(r.status, r.body["details"]["field"]) for r in (more, units)] == [
        (400, "amount_fen"),
        (400, "units_back"),
    ]
    assert len(waiting(merchant)) == 1


def test_list_tells_who_asks_as_they_call_themselves(merchant: MerchantFixture) -> None:
    _, _, [(leader, first), (friend, second)] = formed(merchant)
    assert friend.put("/v1/me/profile", {"name": "小满", "avatar": ""}).status == 200
    ask(friend, second)
    merchant.clock.forward(1)
    ask(leader, first)

    assert [row["buyer_name"] for row in waiting(merchant)] == ["小满", "团长"]


@pytest.mark.parametrize("letter", ["B", "a", "AA", "*", "x" * 2000])
def test_request_that_was_never_made_does_not_exist(merchant: MerchantFixture, letter: str) -> None:
    _, _, [_, (friend, second)] = formed(merchant)
    ask(friend, second)

    reply = friend.post(f"/v1/orders/{second}/after-sales/{letter}/withdrawal")

    assert (reply.status, reply.code) == (404, "not_found")
    assert approve(merchant, f"{second}{letter}", 1).status == 404
    assert len(waiting(merchant)) == 1
