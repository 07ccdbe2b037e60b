"""The history of shipments from a table: what each batch shipped, and what it did not."""

from typing import Any

import pytest

from chalicelib.domain.short_number import short_of
from chalicelib.services.fulfilment import shipments, shipping_batches
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import MerchantFixture, Reply
from tests.fixtures.shipping import SF, ZTO, formed
from tests.fixtures.stream_events import change_of, deliver

BATCH = "a-table-of-shipments"


def send(
    merchant: MerchantFixture,
    rows: list[tuple[str, str, str]],
    part: int = 0,
    batch_id: str = BATCH,
    **more: Any,
) -> Reply:
    shipments = [{"order_id": o, "carrier": c, "number": n} for o, c, n in rows]
    about = {"batch_id": batch_id, "started_at_s": merchant.now_s, "part": part}
    body = {"rows": shipments, "check_only": False, "batch": about, **more}
    return merchant.staff("fulfilment").post("/v1/merchant/shipments", body)


def history(merchant: MerchantFixture, query: str = "") -> dict[str, Any]:
    reply = merchant.staff("fulfilment").get(f"/v1/merchant/shipping-batches?{query}")
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


def test_parts_of_a_table_are_one_batch_with_what_was_not_shipped(
    merchant: MerchantFixture,
) -> None:
    _, [(_, first), (_, second)] = formed(merchant)
    send(merchant, [(first, "顺丰", SF), ("no order", " 中通 ", ZTO)])

    send(merchant, [(second, "顺丰", "not a number")], part=1)

    assert history(merchant) == {
        "items": [
            {
                "batch_id": BATCH,
                "started_at_s": merchant.now_s,
                "staff": "fulfilment",
                "summary": {"shipped": 1, "needs_change": 2},
                "failures": [
                    {
                        "order_id": "no order",
                        "carrier": "中通",  # without the blanks around it
                        "number": ZTO,
                        "words": shipments.NO_NUMBER,
                    },
                    {
                        "order_id": second,
                        "carrier": "顺丰",
                        "number": "not a number",
                        "words": history(merchant)["items"][0]["failures"][1]["words"],
                    },
                ],
            }
        ],
        "next": None,
    }


def test_rows_that_the_check_refused_are_kept_with_what_was_sent(
    merchant: MerchantFixture,
) -> None:
    _, [(_, first), _] = formed(merchant)
    refused = {"order_id": "没有", "carrier": "中通", "number": ZTO, "words": "没有这个订单"}
    about = {"batch_id": BATCH, "started_at_s": merchant.now_s}

    send(merchant, [(first, "顺丰", SF)], batch={**about, "part": 0, "left_out": [refused]})
    send(merchant, [], batch={**about, "part": 1, "left_out": [refused | {"order_id": "也没有"}]})
    nothing = send(merchant, [], batch={**about, "part": 2})

    (batch,) = history(merchant)["items"]
    assert batch["summary"] == {"shipped": 1, "left_out": 2}
    assert batch["failures"] == [refused, refused | {"order_id": "也没有"}]
    assert (nothing.status, nothing.body["details"]["field"]) == (400, "rows")


def test_orders_are_named_by_the_number_that_people_see(merchant: MerchantFixture) -> None:
    _, [(_, first), (_, second)] = formed(merchant)
    changes = (change_of(merchant, merchant.stored_order(it)) for it in (first, second))
    assert deliver(merchant, *changes) == []
    shorts = [short_of(it) for it in (first, second)]

    reply = send(
        merchant,
        [
            (shorts[0].replace("-", "") + ".0", "顺丰", SF),  # as a spreadsheet program has it
            (f" {shorts[1]} ", "中通", ZTO),
            ("251130-000000", "中通", ZTO),
            (shorts[0][-6:], "中通", ZTO),  # might be another order's by a slip
        ],
    )

    results = reply.body["results"]
    assert [it["result"] for it in results] == ["shipped"] * 2 + ["needs_change"] * 2
    wrong = ["没有找到这个订单号，请核对。", shipments.ONLY_ITS_END]
    assert [it["words"] for it in results[2:]] == wrong
    again = send(merchant, [(first, "顺丰", SF), (shorts[0], "顺丰", SF)], part=1).body["results"]
    assert [it["result"] for it in again] == ["already_shipped", "skipped"]  # one and the same


def test_part_that_is_sent_again_is_kept_once_as_it_went_first(merchant: MerchantFixture) -> None:
    _, [(_, first), _] = formed(merchant)

    answers = [send(merchant, [(first, "顺丰", SF)]).body["summary"] for _ in range(2)]

    assert answers == [{"shipped": 1}, {"already_shipped": 1}]
    [batch] = history(merchant)["items"]
    assert batch["summary"] == {"shipped": 1}


def test_what_is_only_checked_or_is_no_part_leaves_nothing(merchant: MerchantFixture) -> None:
    _, [(_, first), (_, second)] = formed(merchant)

    assert send(merchant, [(first, "顺丰", SF)], check_only=True).body["summary"] == {
        "would_ship": 1
    }
    assert send(merchant, [(second, "中通", ZTO)], batch=None).status == 200

    assert history(merchant)["items"] == []


@pytest.mark.parametrize("off_s", [-86_401, 301])
def test_beginning_that_is_not_about_now_is_refused_and_nothing_is_shipped(
    merchant: MerchantFixture, off_s: int
) -> None:
    _, [(buyer, first), _] = formed(merchant)
    about = {"batch_id": BATCH, "started_at_s": merchant.now_s + off_s, "part": 0}

    reply = send(merchant, [(first, "顺丰", SF)], batch=about)

    assert (reply.status, reply.body["details"]["field"]) == (400, "batch.started_at_s")
    assert buyer.status(first) == "fulfilling"
    assert history(merchant)["items"] == []


def test_pages_have_whole_batches(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping_batches, "READ_MAX", 3)
    for number in range(3):
        for part in range(2):
            send(merchant, [("no order", "顺丰", SF)], part, batch_id=f"table-number-000{number}")
        merchant.clock.forward(1)

    seen, token = [], ""
    for _ in range(3):
        with metered() as meter:
            page = history(merchant, f"limit=1{token}")
        assert meter.calls.count("Query") == 1
        seen += [(it["batch_id"], it["summary"]) for it in page["items"]]
        token = f"&next={page['next']}"

    assert page["next"] is None
    assert seen == [(f"table-number-000{n}", {"needs_change": 2}) for n in (2, 1, 0)]
