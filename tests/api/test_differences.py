"""Differences between bills and books as work for staff: open until somebody notes what was done
about them, or until bill and books agree."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.tables.base import get_or_none
from chalicelib.tables.trade import ReconcilingItem
from infra.local.wechat_bills import Row
from tests.api.test_bills import start_of_a_day, until_bills_are_compared
from tests.fixtures.merchant import Caller, MerchantFixture, concurrently

pytestmark = pytest.mark.wechat_pay_only
PATH = "/v1/merchant/differences"


def differences(caller: Caller, status: str = "open") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = caller.get(f"{PATH}?status={status}").body["items"]
    return items


def to_do(merchant: MerchantFixture) -> int:
    return int(merchant.owner().get("/v1/merchant/dashboard").body["to_do"]["differences"])


def dearer(number: str, yuan: str) -> Callable[[list[Row]], list[Row]]:
    """The bill says that another amount was paid under that number."""

    def edit(rows: list[Row]) -> list[Row]:
        return [
            {**row, "订单金额": yuan, "应结订单金额": yuan} if row["商户订单号"] == number else row
            for row in rows
        ]

    return edit


@pytest.fixture
def order_id(merchant: MerchantFixture) -> str:
    """A payment of 59.00 that its day's bill knows as 60.00."""
    start_of_a_day(merchant)
    order_id = merchant.open_group(merchant.activity())[2]
    merchant.wait(600, every_s=600)
    merchant.wechat.bills.edits.append(dearer(f"{order_id}01", "60.00"))
    return order_id


def test_difference_is_in_the_list_until_staff_note_what_was_done(
    merchant: MerchantFixture, order_id: str
) -> None:
    until_bills_are_compared(merchant)
    owner = merchant.owner()
    [told] = differences(owner)
    assert (told["status"], told["difference"], told["repaired"]) == (
        "open",
        "payment_amount",
        False,
    )
    assert (to_do(merchant), differences(owner, "closed")) == (1, [])
    merchant.check_laws(quiescent=False)

    done = f"{PATH}/{told['difference_id']}/dealt-with"
    assert merchant.staff("fulfilment").post(done, {"note": "已退"}).code == "forbidden"
    assert owner.post(f"{PATH}/nonsense/dealt-with", {"note": "已退"}).code == "not_found"
    assert owner.post(done, {"note": " "}).code == "invalid_request"
    assert differences(owner) == [told]
    merchant.clock.forward(60)
    for _ in range(2):  # a phone asks again after a lost answer
        assert owner.post(done, {"note": "多收的 1 元已退给买家"}).body == {"done": True}

    assert (to_do(merchant), differences(owner)) == (0, [])
    assert differences(owner, "closed") == [
        {
            **told,
            "status": "dealt_with",
            "closed_at_s": merchant.now_s,
            "dealt_by": "owner",
            "note": "多收的 1 元已退给买家",
        }
    ]
    subject = f"difference%23{told['difference_id']}"
    (row,) = owner.get(f"/v1/merchant/audit?subject={subject}").body["items"]
    assert (row["action"], row["words"]) == ("difference_dealt_with", "处理对账差异")
    assert row["after"] == {
        "day": told["day"],
        "number": f"{order_id}01",
        "difference": "payment_amount",
        "note": "多收的 1 元已退给买家",
    }
    merchant.check_laws(quiescent=False)


def test_same_difference_stays_dealt_with_and_a_new_one_of_the_order_is_open(
    merchant: MerchantFixture, order_id: str
) -> None:
    key = ReconcilingItem.at(merchant.merchant_id, WECHAT_PAY)
    begun = get_or_none(key)
    assert begun is not None
    until_bills_are_compared(merchant)
    owner = merchant.owner()
    [first] = differences(owner)
    owner.post(f"{PATH}/{first['difference_id']}/dealt-with", {"note": "已核对"})

    begun.save()  # as if that day's run had been cut off before it said so
    merchant.run_jobs(3)
    assert (differences(owner), len(differences(owner, "closed"))) == ([], 1)

    def once_more(rows: list[Row]) -> list[Row]:
        sample = next((row for row in rows if row["商户订单号"] == later), None)
        again = {"商户订单号": f"{order_id}01", "订单金额": "1.00", "应结订单金额": "1.00"}
        return [*rows, {**sample, **again}] if sample else rows

    later = f"{merchant.open_group(merchant.activity())[2]}01"
    merchant.wechat.bills.edits[:] = [once_more]
    until_bills_are_compared(merchant)

    owner = merchant.owner()  # sessions end after half a day
    new = differences(owner)
    assert {row["number"] for row in new} == {f"{order_id}01"}
    assert {row["day"] > first["day"] for row in new} == {True}
    assert to_do(merchant) == len(new) > 0
    assert [row["difference_id"] for row in differences(owner, "closed")] == [
        first["difference_id"]
    ]
    merchant.check_laws(quiescent=False)


@pytest.mark.slow
def test_two_who_deal_with_one_at_once_are_told_who_was_first(
    merchant: MerchantFixture, order_id: str
) -> None:
    until_bills_are_compared(merchant)
    owner, manager = merchant.owner(), merchant.staff("manager")
    [told] = differences(owner)
    done = f"{PATH}/{told['difference_id']}/dealt-with"

    notes = {"owner": "已退 1 元", "manager": "买家说不用退"}
    replies = concurrently(
        [
            lambda: owner.post(done, {"note": notes["owner"]}),
            lambda: manager.post(done, {"note": notes["manager"]}),
        ]
    )

    assert sorted(reply.status for reply in replies) == [200, 409]
    [lost] = [reply for reply in replies if reply.status == 409]
    [kept] = differences(owner, "closed")
    assert kept["note"] == notes[kept["dealt_by"]]
    assert lost.code == "already_dealt_with"
    assert lost.body["details"] == {"by": kept["dealt_by"], "note": kept["note"]}
    subject = f"difference%23{told['difference_id']}"
    assert len(owner.get(f"/v1/merchant/audit?subject={subject}").body["items"]) == 1
    merchant.check_laws(quiescent=False)
