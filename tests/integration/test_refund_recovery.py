"""Refunds that only a person can mend: a fresh number, or paid back in another way, on record."""

from typing import Any

import pytest

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from chalicelib.services.money.day_book import READY_AFTER_S
from tests.support import Buyer, Town

MINUTE_S = 60
Returned = tuple[Buyer, str, str]  # buyer, order, number of the refund


def order_of_two(town: Town) -> tuple[Buyer, str]:
    """A paid order of two units, bought alone, to be fulfilled."""
    activity = town.activity(stock=10, product_stock=30)
    buyer = town.buyer()
    order_id = buyer.buy_alone(activity, quantity=2).body["order_id"]
    town.pay(buyer, order_id)
    town.run_jobs()
    return buyer, order_id


def given_up(town: Town, status: str = "CLOSED", *, amount_fen: int = 3000) -> Returned:
    """A part of an order asked back and approved, which the gateway then gave up."""
    buyer, order_id = order_of_two(town)
    town.till.faults.add("refund", "stays_processing")
    approve(town, buyer, order_id, amount_fen)
    town.run_jobs()
    assert town.till.settle_refunds(status=status) == 1
    assert town.till.quiet()
    return buyer, order_id, f"{order_id}01A"


def approve(town: Town, buyer: Buyer, order_id: str, amount_fen: int, letter: str = "A") -> None:
    claim = {"amount_fen": amount_fen, "reason": "damaged"}
    assert buyer.post(f"/v1/orders/{order_id}/after-sales", claim).status in (200, 201)
    path = f"/v1/merchant/after-sales/{order_id}{letter}/approval"
    assert town.owner().post(path, {"amount_fen": amount_fen, "units_back": 0}).status == 200


def retry(town: Town, number: str) -> Any:
    return town.owner().post(f"/v1/merchant/refunds/{number}/retry")


def outside(
    town: Town, number: str, amount_fen: int, *, way: str = "bank_transfer", proof: str = "R-77"
) -> Any:
    body = {"way": way, "amount_fen": amount_fen, "proof": proof}
    return town.owner().post(f"/v1/merchant/refunds/{number}/outside", body)


def listed(town: Town) -> list[tuple[str, str]]:
    items = town.owner().get("/v1/merchant/refunds").body["items"]
    return [(row["out_refund_no"], row["reason"]) for row in items]


def at_the_gateway(town: Town) -> dict[str, str]:
    return {
        refund["out_refund_no"]: refund["status"]
        for trade in town.till.ledger.summaries()
        for refund in trade["refunds"]
    }


def refunded_by_hand(town: Town, order_id: str, number: str, amount_fen: int) -> None:
    """Staff refund a payment in WeChat Pay's back office, which wants a minute in between, too."""
    town.clock.forward(MINUTE_S)
    asked = {
        "out_trade_no": f"{order_id}01",
        "out_refund_no": number,
        "amount": {"refund": amount_fen, "total": town.stored_order(order_id).total_fen},
        "notify_url": "",
    }
    refund, _ = town.wechat.ledger.request_refund(town.till.mchid, asked)
    town.wechat.ledger.settle(refund, "SUCCESS")


def ledger(town: Town, order_id: str) -> dict[str, int]:
    shown: dict[str, int] = (
        town.owner().get(f"/v1/merchant/orders/{order_id}/ledger").body["balances"]
    )
    return shown


def bill_day(town: Town) -> None:
    """Go on to when the bill of today is compared."""
    town.clock.forward(midnight_s(day_of(town.now_s)) + DAY_S + READY_AFTER_S - town.now_s)
    town.run_jobs(3)


def differences(town: Town) -> list[tuple[str, bool]]:
    items: list[dict[str, Any]] = []
    for status in ("open", "closed"):
        items += town.owner().get(f"/v1/merchant/differences?status={status}").body["items"]
    return [(row["difference"], row["repaired"]) for row in items]


def test_refund_that_the_gateway_closed_goes_on_under_a_fresh_number(town: Town) -> None:
    buyer, order_id, number = given_up(town)
    assert listed(town) == [(number, "closed")]

    assert retry(town, number).body == {"done": True}
    assert listed(town) == []
    town.run_jobs()
    assert at_the_gateway(town) == {number: "CLOSED"}  # a minute has to pass between two
    town.clock.forward(MINUTE_S)
    town.run_jobs()

    assert at_the_gateway(town) == {number: "CLOSED", f"{number}1": "SUCCESS"}
    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == (f"{number}1", "succeeded")
    assert buyer.order(order_id)["status_text"] == "待发货·已部分退款"
    assert retry(town, number).code == "not_found"
    town.check_laws()
    bill_day(town)
    assert differences(town) == []
    town.check_laws()


def test_all_of_an_order_closed_twice_is_refunded_by_the_third_number(town: Town) -> None:
    buyer, order_id, number = given_up(town, amount_fen=order_total(town))
    town.till.faults.add("refund", "stays_processing")
    retry(town, number)
    town.clock.forward(MINUTE_S)
    town.run_jobs()
    town.till.settle_refunds(status="CLOSED")
    assert town.till.quiet()
    assert listed(town) == [(f"{number}1", "closed")]

    retry(town, f"{number}1")
    town.clock.forward(MINUTE_S)
    town.run_jobs()

    assert at_the_gateway(town) == {
        number: "CLOSED",
        f"{number}1": "CLOSED",
        f"{number}2": "SUCCESS",
    }
    assert buyer.order(order_id)["status_text"] == "已退款"
    assert town.money()["refunding_fen"] == 0
    town.check_laws()


def order_total(town: Town) -> int:
    """What order_of_two costs, with the solo price of the town's activities."""
    return 2 * 9900


@pytest.mark.parametrize(
    ("now", "status"), [("PROCESSING", "processing"), ("SUCCESS", "succeeded")]
)
def test_no_fresh_number_while_the_gateway_does_not_say_closed(
    town: Town, now: str, status: str
) -> None:
    buyer, order_id, number = given_up(town)
    held = town.wechat.ledger.refund(town.till.mchid, number)
    held.status = now  # what it said before was not the last word
    held.settled_at = float(town.now_s)

    assert retry(town, number).body == {"done": True}

    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == (number, status)
    assert list(at_the_gateway(town)) == [number]


def test_silent_gateway_gives_no_fresh_number_and_nothing_outside(town: Town) -> None:
    _, order_id, number = given_up(town)
    before = town.stored_order(order_id).refunds.as_dict()
    town.till.faults.add("query_refund", "server_error", times=2)

    assert retry(town, number).code == "gateway_failed"
    assert outside(town, number, 3000).code == "gateway_failed"

    assert town.stored_order(order_id).refunds.as_dict() == before
    assert listed(town) == [(number, "closed")]


def test_abnormal_refund_is_mended_at_the_gateway_or_paid_outside(town: Town) -> None:
    _, order_id, number = given_up(town, "ABNORMAL")
    refused = retry(town, number)
    assert (refused.code, "商家后台" in refused.body["message"]) == ("conflict", True)
    assert listed(town) == [(number, "abnormal")]

    assert outside(town, number, 3000).body == {"done": True}

    assert listed(town) == []
    assert town.stored_order(order_id).refunds.as_dict()["01A"]["status"] == "outside"
    town.till.settle_refunds(status="SUCCESS")  # and then it is paid there after all
    assert town.till.quiet()
    assert [code for code, _ in town.refused_callbacks()] == ["refunded_twice"]
    bill_day(town)
    assert differences(town) == [("refunded_twice", False)]


def test_refund_paid_outside_is_in_every_book_and_its_buyer_reads_how(town: Town) -> None:
    buyer, order_id, number = given_up(town)
    assert outside(town, number, 2999).body["details"]["expected_fen"] == 3000
    assert (
        town.staff("service")
        .post(
            f"/v1/merchant/refunds/{number}/outside",
            {"way": "cash", "amount_fen": 3000, "proof": "x"},
        )
        .code
        == "forbidden"
    )
    assert listed(town) == [(number, "closed")]

    for _ in range(2):  # a repeat changes nothing
        assert outside(town, number, 3000).body == {"done": True}

    assert listed(town) == []
    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["status"], shown["status_text"]) == (
        "outside",
        "商家已用银行转账退款，凭证：R-77",
    )
    assert buyer.order(order_id)["status_text"] == "待发货·已部分退款"
    assert buyer.messages()[-1] == "refunded_outside"
    assert ledger(town, order_id) == {
        "gateway": order_total(town),
        "held": 0,
        "sales": 3000 - order_total(town),
        "refunds_due": 0,
        "fees": 0,
        "outside": -3000,
    }
    today = town.owner().get("/v1/merchant/dashboard").body["today"]
    assert today["refunded_fen"] == 3000
    (row,) = town.owner().get(f"/v1/merchant/audit?subject=refund%23{number}").body["items"]
    assert (row["after"]["outside"], row["after"]["proof"]) == ("bank_transfer", "R-77")
    assert retry(town, number).code == "conflict"
    town.check_laws()
    approve(town, buyer, order_id, 1000, "B")  # what is left can be asked back
    town.wait(120)
    assert at_the_gateway(town) == {number: "CLOSED", f"{order_id}01B": "SUCCESS"}
    bill_day(town)
    assert differences(town) == []
    town.check_laws()


def test_whole_order_paid_outside_is_refunded(town: Town) -> None:
    buyer, order_id, number = given_up(town, amount_fen=order_total(town))
    assert buyer.order(order_id)["status_text"] == "退款中"

    outside(town, number, order_total(town), way="cash", proof="收据 12")

    assert buyer.status(order_id) == "refunded"
    town.check_laws()


def test_refund_that_is_still_tried_is_stopped_before_it_is_paid_outside(town: Town) -> None:
    buyer, order_id = order_of_two(town)
    town.till.set_balance(0)
    approve(town, buyer, order_id, 3000)
    town.run_jobs()
    number = f"{order_id}01A"
    assert listed(town) == [(number, "NOTENOUGH")]

    assert [outside(town, number, 3000).code for _ in range(2)] == ["refund_under_way"] * 2
    town.till.set_balance(9900)
    town.clock.forward(60)
    town.run_jobs()
    assert at_the_gateway(town) == {}
    assert outside(town, number, 3000).body == {"done": True}

    town.wait(3600, every_s=1800)
    assert at_the_gateway(town) == {}
    assert listed(town) == []
    town.check_laws()


def test_refund_made_by_hand_at_the_gateway_is_recorded_when_it_confirms_it(town: Town) -> None:
    buyer, order_id, number = given_up(town)
    _, other_id = order_of_two(town)
    refunded_by_hand(town, other_id, "hand-of-another", 3000)
    for proof in ("hand-1", "hand-of-another", f"{order_id}01B"):
        refused = outside(town, number, 3000, way="gateway", proof=proof)
        assert (refused.code, refused.body["details"]["field"]) == ("invalid_request", "proof")
    assert listed(town) == [(number, "closed")]

    refunded_by_hand(town, order_id, "hand-1", 3000)
    for _ in range(2):
        assert outside(town, number, 3000, way="gateway", proof="hand-1").body == {"done": True}

    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == ("hand-1", "succeeded")
    assert listed(town) == []
    assert ledger(town, order_id)["gateway"] == order_total(town) - 3000
    bill_day(town)
    assert differences(town) == [("unknown_refund", False)]  # that of the other order
    assert outside(town, number, 3000, way="gateway", proof="hand-2").code == "conflict"


def test_bill_tells_of_a_refund_made_by_hand(town: Town) -> None:
    buyer, order_id, _ = given_up(town)
    refunded_by_hand(town, order_id, "hand-1", 3000)

    bill_day(town)

    assert differences(town) == [("refund_by_hand", True)]
    (shown,) = buyer.order(order_id)["refunds"]
    assert (shown["out_refund_no"], shown["status"]) == ("hand-1", "succeeded")
    assert buyer.messages()[-1] == "refunded"
    assert listed(town) == []
    town.check_laws()


def test_callback_about_a_number_given_up_changes_nothing_and_is_kept(town: Town) -> None:
    _, order_id, number = given_up(town)
    retry(town, number)
    town.run_jobs()
    before = town.stored_order(order_id).refunds.as_dict()

    town.resend(number)  # CLOSED, once more
    assert town.refused_callbacks() == []
    held = town.wechat.ledger.refund(town.till.mchid, number)
    held.status = "PROCESSING"
    town.till.settle_refunds(status="SUCCESS")
    assert town.till.quiet()

    assert town.stored_order(order_id).refunds.as_dict() == before
    assert [code for code, _ in town.refused_callbacks()] == ["refunded_twice"]
