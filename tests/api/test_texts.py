"""What people type into any field: tidied before it is checked, refused in words for people."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk
from tests.fixtures.merchant import ADDRESS, MerchantFixture, Reply
from tests.fixtures.shipping import POSTED_S, ship, to_ship


def buy(merchant: MerchantFixture, **address: Any) -> tuple[Reply, list[TradeItem]]:
    """The answer to a purchase, and everything that is stored of its buyer."""
    buyer, activity = merchant.buyer(), merchant.activity()
    body = {"sku_id": activity.sku_id, "address": ADDRESS | address}
    path = f"/v1/activities/{activity.activity_id}/groups"
    reply = buyer.post(path, body, **{"Idempotency-Key": new_id()})
    return reply, list(TradeItem.query(buyer_pk(merchant.merchant_id, buyer.buyer_id)))


@pytest.mark.parametrize(
    ("field", "blank"),
    [("name", "   "), ("province", "\u200b"), ("city", "\u3164\u2060"), ("street", "\ufeff\u3000")],
)
def test_blank_recipient_is_refused(merchant: MerchantFixture, field: str, blank: str) -> None:
    reply, stored = buy(merchant, **{field: blank})

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.body["message"] == f"请填写「address.{field}」，不能是空白。"
    assert reply.body["details"]["field"] == f"address.{field}"
    assert [item for item in stored if isinstance(item, OrderItem)] == []


def test_recipient_is_stored_as_it_is_meant(merchant: MerchantFixture) -> None:
    reply, stored = buy(
        merchant,
        name=" 王\u200b小明 ",
        phone="\u202d+86 138 0013 8000\u202c",
        street="文一西路\n969 号 ",
    )

    assert reply.status == 201
    [detail] = [item for item in stored if isinstance(item, OrderDetailItem)]
    kept = detail.address.as_dict()
    assert (kept["name"], kept["phone"], kept["street"]) == (
        "王小明",
        "13800138000",
        "文一西路 969 号",
    )


def test_wrong_phone_is_refused_in_words_and_without_a_pattern(merchant: MerchantFixture) -> None:
    reply, _ = buy(merchant, phone="12345")

    assert reply.body["message"].startswith("电话号码不对。请填 11 位手机号")
    assert reply.body["details"] == {
        "field": "address.phone",
        "problem": "Expected `str` of another form",
    }


@pytest.mark.parametrize("number", ["13700137001-1234", "0571-88880000", "+852 9123 4567"])
def test_order_is_found_by_the_phone_that_its_recipient_says(
    merchant: MerchantFixture, number: str
) -> None:
    _, order_id = to_ship(merchant, address=ADDRESS | {"phone": number})
    merchant.wait(POSTED_S, every_s=POSTED_S)

    for q in (number, number.split("-1234")[0], number.replace("-1234", "")[-4:]):
        found = merchant.owner().get(f"/v1/merchant/orders?q={quote(q)}").body["items"]
        assert [row["order_id"] for row in found] == [order_id], q


@pytest.mark.parametrize(
    "number", ["SF1234567890123\u200b", " sf 1234567890123 ", "78123456789012.0"]
)
def test_tracking_number_is_read_from_what_was_pasted(
    merchant: MerchantFixture, number: str
) -> None:
    _, order_id = to_ship(merchant)
    carrier = "顺丰" if "SF" in number.upper() else "中通"

    reply = ship(merchant, order_id, number, carrier=carrier)

    assert reply.status == 200, reply.body
    [parcel] = reply.body["parcels"]
    assert parcel["number"] in ("SF1234567890123", "78123456789012")
