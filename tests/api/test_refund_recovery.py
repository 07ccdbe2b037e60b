"""Refunds that only a person can mend: a fresh number, or paid back in another way, on record."""

from typing import Any

import pytest

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from chalicelib.services.money.day_book import READY_AFTER_S
from tests.fixtures.merchant import Buyer, MerchantFixture

pytestmark = pytest.mark.slow

MINUTE_S = 60
Returned = tuple[Buyer, str, str]  # buyer, order, number of the refund


def order_of_two(merchant: MerchantFixture) -> tuple[Buyer, str]:
    """A paid order of two units, bought alone, to be fulfilled."""
    activity = merchant.activity(stock=10, product_stock=30)
    buyer = merchant.buyer()
    order_id = buyer.buy_alone(activity, quantity=2).body["order_id"]
    merchant.pay(buyer, order_id)
    merchant.run_jobs()
    return buyer, order_id


def given_up(
    merchant: MerchantFixture, status: str = "CLOSED", *, amount_fen: int = 3000
) -> Returned:
    """A part of an order asked back and approved, which the gateway then gave up."""
    buyer, order_id = order_of_two(merchant)
    merchant.gateway.faults.add("refund", "stays_processing")
    approve(merchant, buyer, order_id, amount_fen)
    merchant.run_jobs()
    assert merchant.gateway.settle_refunds(status=status) == 1
    assert merchant.gateway.quiet()
    return buyer, order_id, f"{order_id}01A"


def approve(
    merchant: MerchantFixture, buyer: Buyer, order_id: str, amount_fen: int, letter: str = "A"
) -> None:
    claim = {"amount_fen": amount_fen, "reason": "damaged"}
    assert buyer.post(f"/v1/orders/{order_id}/after-sales", claim).status in (200, 201)
    path = f"/v1/merchant/after-sales/{order_id}{letter}/approval"
    assert merchant.owner().post(path, {"amount_fen": amount_fen, "units_back": 0}).status == 200


def retry(merchant: MerchantFixture, number: str) -> Any:
    return merchant.owner().post(f"/v1/merchant/refunds/{number}/retry")


def outside(
    merchant: MerchantFixture,
    number: str,
    amount_fen: int,
    *,
    way: str = "bank_transfer",
    proof: str = "R-77",
) -> Any:
    body = {"way": way, "amount_fen": amount_fen, "proof": proof}
    return merchant.owner().post(f"/v1/merchant/refunds/{number}/outside", body)


def listed(merchant: MerchantFixture) -> list[tuple[str, str]]:
    items = merchant.owner().get("/v1/merchant/refunds").body["items"]
    return [(row["out_refund_no"], row["reason"]) for row in items]


def at_the_gateway(merchant: MerchantFixture) -> dict[str, str]:
    return {
        refund["out_refund_no"]: refund["status"]
        for trade in merchant.gateway.ledger.summaries()
        for refund in trade["refunds"]
    }


def refunded_by_hand(
    merchant: MerchantFixture, order_id: str, number: str, amount_fen: int
) -> None:
    """Staff refund a payment in WeChat Pay's back office, which wants a minute in between, too."""
    merchant.clock.forward(MINUTE_S)
    asked = {
        "out_trade_no": f"{order_id}01",
        "out_refund_no": number,
        "amount": {"refund": amount_fen, "total": merchant.stored_order(order_id).total_fen},
        "notify_url": "",
    }
    refund, _ = merchant.wechat.ledger.request_refund(merchant.gateway.mchid, asked)
    merchant.wechat.ledger.settle(refund, "SUCCESS")


def ledger(merchant: MerchantFixture, order_id: str) -> dict[str, int]:
    shown: dict[str, int] = (
        merchant.owner().get(f"/v1/merchant/orders/{order_id}/ledger").body["balances"]
    )
    return shown


def bill_day(merchant: MerchantFixture) -> None:
    """Go on to when the bill of today is compared."""
    merchant.clock.forward(
        midnight_s(day_of(merchant.now_s)) + DAY_S + READY_AFTER_S - merchant.now_s
    )
    merchant.run_jobs(3)


def differences(merchant: MerchantFixture) -> list[tuple[str, bool]]:
    items: list[dict[str, Any]] = []
    for status in ("open", "closed"):
        items += merchant.owner().get(f"/v1/merchant/differences?status={status}").body["items"]
    return [(row["difference"], row["repaired"]) for row in items]


def test_refund_that_the_gateway_closed_goes_on_under_a_fresh_number(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id, number = given_up(merchant)
    assert listed(merchant) == [(number, "closed")]

    assert retry(merchant, number).body == {"done": True}
    assert listed(merchant) == []
    merchant.run_jobs()
    assert at_the_gateway(merchant) == {number: "CLOSED"}  # a minute has to pass between two
    merchant.clock.forward(MINUTE_S)
    merchant.run_jobs()

    assert at_the_gateway(merchant) == {number: "CLOSED", f"{number}1": "SUCCESS"}
    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == (f"{number}1", "succeeded")
    assert buyer.order(order_id)["status_text"] == "待发货·已部分退款"
    assert retry(merchant, number).code == "not_found"
    merchant.check_laws()
    bill_day(merchant)
    assert differences(merchant) == []
    merchant.check_laws()


def test_all_of_an_order_closed_twice_is_refunded_by_the_third_number(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id, number = given_up(merchant, amount_fen=order_total(merchant))
    merchant.gateway.faults.add("refund", "stays_processing")
    retry(merchant, number)
    merchant.clock.forward(MINUTE_S)
    merchant.run_jobs()
    merchant.gateway.settle_refunds(status="CLOSED")
    assert merchant.gateway.quiet()
    assert listed(merchant) == [(f"{number}1", "closed")]

    retry(merchant, f"{number}1")
    merchant.clock.forward(MINUTE_S)
    merchant.run_jobs()

    assert at_the_gateway(merchant) == {
        number: "CLOSED",
        f"{number}1": "CLOSED",
        f"{number}2": "SUCCESS",
    }
    assert buyer.order(order_id)["status_text"] == "已退款"
    assert merchant.money()["refunding_fen"] == 0
    merchant.check_laws()


def order_total(merchant: MerchantFixture) -> int:
    """What order_of_two costs, with the solo price of the merchant's activities."""
    return 2 * 9900


@pytest.mark.parametrize(
    ("now", "status"), [("PROCESSING", "processing"), ("SUCCESS", "succeeded")]
)
def test_no_fresh_number_while_the_gateway_does_not_say_closed(
    merchant: MerchantFixture, now: str, status: str
) -> None:
    buyer, order_id, number = given_up(merchant)
    held = merchant.wechat.ledger.refund(merchant.gateway.mchid, number)
    held.status = now  # what it said before was not the last word
    held.settled_at = float(merchant.now_s)

    assert retry(merchant, number).body == {"done": True}

    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == (number, status)
    assert list(at_the_gateway(merchant)) == [number]


def test_silent_gateway_gives_no_fresh_number_and_nothing_outside(
    merchant: MerchantFixture,
) -> None:
    _, order_id, number = given_up(merchant)
    before = merchant.stored_order(order_id).refunds.as_dict()
    merchant.gateway.faults.add("query_refund", "server_error", times=2)

    assert retry(merchant, number).code == "gateway_failed"
    assert outside(merchant, number, 3000).code == "gateway_failed"

    assert merchant.stored_order(order_id).refunds.as_dict() == before
    assert listed(merchant) == [(number, "closed")]


def test_abnormal_refund_is_mended_at_the_gateway_or_paid_outside(
    merchant: MerchantFixture,
) -> None:
    _, order_id, number = given_up(merchant, "ABNORMAL")
    refused = retry(merchant, number)
    assert (refused.code, "商家后台" in refused.body["message"]) == ("conflict", True)
    assert listed(merchant) == [(number, "abnormal")]

    assert outside(merchant, number, 3000).body == {"done": True}

    assert listed(merchant) == []
    assert merchant.stored_order(order_id).refunds.as_dict()["01A"]["status"] == "outside"
    merchant.gateway.settle_refunds(status="SUCCESS")  # and then it is paid there after all
    assert merchant.gateway.quiet()
    assert [code for code, _ in merchant.refused_callbacks()] == ["refunded_twice"]
    bill_day(merchant)
    assert differences(merchant) == [("refunded_twice", False)]


def test_refund_paid_outside_is_in_every_book_and_its_buyer_reads_how(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id, number = given_up(merchant)
    assert outside(merchant, number, 2999).body["details"]["expected_fen"] == 3000
    assert (
        merchant.staff("service")
        .post(
            f"/v1/merchant/refunds/{number}/outside",
            {"way": "cash", "amount_fen": 3000, "proof": "x"},
        )
        .code
        == "forbidden"
    )
    assert listed(merchant) == [(number, "closed")]

    for _ in range(2):  # a repeat changes nothing
        assert outside(merchant, number, 3000).body == {"done": True}

    assert listed(merchant) == []
    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["status"], shown["status_text"]) == (
        "outside",
        "商家已用银行转账退款，凭证：R-77",
    )
    assert buyer.order(order_id)["status_text"] == "待发货·已部分退款"
    assert buyer.messages()[-1] == "refunded_outside"
    assert ledger(merchant, order_id) == {
        "gateway": order_total(merchant),
        "held": 0,
        "sales": 3000 - order_total(merchant),
        "refunds_due": 0,
        "fees": 0,
        "outside": -3000,
    }
    today = merchant.owner().get("/v1/merchant/dashboard").body["today"]
    assert today["refunded_fen"] == 3000
    (row,) = merchant.owner().get(f"/v1/merchant/audit?subject=refund%23{number}").body["items"]
    assert (row["after"]["outside"], row["after"]["proof"]) == ("bank_transfer", "R-77")
    assert retry(merchant, number).code == "conflict"
    merchant.check_laws()
    approve(merchant, buyer, order_id, 1000, "B")  # what is left can be asked back
    merchant.wait(120)
    assert at_the_gateway(merchant) == {number: "CLOSED", f"{order_id}01B": "SUCCESS"}
    bill_day(merchant)
    assert differences(merchant) == []
    merchant.check_laws()


def test_whole_order_paid_outside_is_refunded(merchant: MerchantFixture) -> None:
    buyer, order_id, number = given_up(merchant, amount_fen=order_total(merchant))
    assert buyer.order(order_id)["status_text"] == "退款中"

    outside(merchant, number, order_total(merchant), way="cash", proof="收据 12")

    assert buyer.status(order_id) == "refunded"
    merchant.check_laws()


def test_refund_that_is_still_tried_is_stopped_before_it_is_paid_outside(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id = order_of_two(merchant)
    merchant.gateway.set_balance(0)
    approve(merchant, buyer, order_id, 3000)
    merchant.run_jobs()
    number = f"{order_id}01A"
    assert listed(merchant) == [(number, "NOTENOUGH")]

    assert [outside(merchant, number, 3000).code for _ in range(2)] == ["refund_under_way"] * 2
    merchant.gateway.set_balance(9900)
    merchant.clock.forward(60)
    merchant.run_jobs()
    assert at_the_gateway(merchant) == {}
    assert outside(merchant, number, 3000).body == {"done": True}

    merchant.wait(3600, every_s=1800)
    assert at_the_gateway(merchant) == {}
    assert listed(merchant) == []
    merchant.check_laws()


def test_refund_made_by_hand_at_the_gateway_is_recorded_when_it_confirms_it(
    merchant: MerchantFixture,
) -> None:
    buyer, order_id, number = given_up(merchant)
    _, other_id = order_of_two(merchant)
    refunded_by_hand(merchant, other_id, "hand-of-another", 3000)
    for proof in ("hand-1", "hand-of-another", f"{order_id}01B"):
        refused = outside(merchant, number, 3000, way="gateway", proof=proof)
        assert (refused.code, refused.body["details"]["field"]) == ("invalid_request", "proof")
    assert listed(merchant) == [(number, "closed")]

    refunded_by_hand(merchant, order_id, "hand-1", 3000)
    for _ in range(2):
        assert outside(merchant, number, 3000, way="gateway", proof="hand-1").body == {"done": True}

    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == ("hand-1", "succeeded")
    assert listed(merchant) == []
    assert ledger(merchant, order_id)["gateway"] == order_total(merchant) - 3000
    bill_day(merchant)
    assert differences(merchant) == [("unknown_refund", False)]  # that of the other order
    assert outside(merchant, number, 3000, way="gateway", proof="hand-2").code == "conflict"


def test_bill_tells_of_a_refund_made_by_hand(merchant: MerchantFixture) -> None:
    buyer, order_id, _ = given_up(merchant)
    refunded_by_hand(merchant, order_id, "hand-1", 3000)

    bill_day(merchant)

    assert differences(merchant) == [("refund_by_hand", True)]
    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == ("hand-1", "succeeded")
    assert buyer.messages()[-1] == "refunded"
    assert listed(merchant) == []
    merchant.check_laws()


def test_callback_about_a_number_given_up_changes_nothing_and_is_kept(
    merchant: MerchantFixture,
) -> None:
    _, order_id, number = given_up(merchant)
    retry(merchant, number)
    merchant.run_jobs()
    before = merchant.stored_order(order_id).refunds.as_dict()

    merchant.resend(number)  # CLOSED, once more
    assert merchant.refused_callbacks() == []
    held = merchant.wechat.ledger.refund(merchant.gateway.mchid, number)
    held.status = "PROCESSING"
    merchant.gateway.settle_refunds(status="SUCCESS")
    assert merchant.gateway.quiet()

    assert merchant.stored_order(order_id).refunds.as_dict() == before
    assert [code for code, _ in merchant.refused_callbacks()] == ["refunded_twice"]
