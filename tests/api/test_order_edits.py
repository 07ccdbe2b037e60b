"""Addresses and notes of orders: who changes them, until when, and two people at once."""

from collections.abc import Callable

import pytest

from chalicelib.domain import recipient
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import Changed, Conflict, IdempotencyMismatch
from chalicelib.services.orders import order_edits
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import ADDRESS as BUYERS_ADDRESS
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.shipping import POSTED_S, file_of, rows
from tests.fixtures.shipping import ship as ship_over_http
from tests.fixtures.shipping import to_ship as order_to_ship
from tests.fixtures.shop import ADDRESS, STAFF, Shop
from tests.fixtures.staff_requests import audited, detail, give_back, ship, to_ship

pytestmark = pytest.mark.slow

MOVED = {**ADDRESS, "street": "新街 1 号", "phone": "13900139001"}
ELSEWHERE = {**ADDRESS, "street": "老街 2 号"}
Step = Callable[[Shop, OrderItem], object]


def change_address(
    shop: Shop, order: OrderItem, address: dict[str, str] = MOVED, changes: int = 0
) -> None:
    order_edits.change_address(
        shop.merchant_id, order.order_id, address, changes=changes, staff=STAFF, now_s=shop.now_s
    )


def note(shop: Shop, order: OrderItem, note_id: str, text: str = "周末送") -> None:
    order_edits.add_note(
        shop.merchant_id, order.order_id, note_id, text, staff=STAFF, now_s=shop.now_s
    )


def test_address_changed_by_two_at_once_is_the_first_ones(shop: Shop) -> None:
    order = to_ship(shop)

    with interleaved(lambda: change_address(shop, order)), pytest.raises(Changed):
        change_address(shop, order, ELSEWHERE)
    with (
        interleaved(lambda: change_address(shop, order, ELSEWHERE, changes=1)),
        pytest.raises(Changed),
    ):
        change_address(shop, order, dict(ADDRESS), changes=1)

    assert detail(shop, order).address.as_dict() == ELSEWHERE
    assert audited(shop, "address_changed") == 2


@pytest.mark.parametrize(
    "leave",
    [
        ship,
        lambda shop, order: ship(shop, order, units=1),
        lambda shop, order: give_back(shop, order, order.total_fen),
    ],
    ids=["whole", "in part", "back"],
)
def test_address_of_what_went_off_meanwhile_stays(shop: Shop, leave: Step) -> None:
    order = to_ship(shop)

    with interleaved(lambda: leave(shop, order)), pytest.raises(ShippingRefused):
        change_address(shop, order)

    assert detail(shop, order).address.as_dict() == ADDRESS


def test_address_of_what_was_sent_in_part_or_refunded_stays(shop: Shop) -> None:
    sent, refunded = to_ship(shop), to_ship(shop)
    ship(shop, sent, units=1)
    give_back(shop, refunded, refunded.total_fen)

    for order in (sent, refunded):
        with pytest.raises(ShippingRefused):
            change_address(shop, order)


def test_notes_written_at_once_are_all_kept_and_each_once(shop: Shop) -> None:
    order = to_ship(shop)

    for number in ("1", "2"):
        with interleaved(lambda n=number: note(shop, order, f"mine{n}")):  # type: ignore[misc]
            note(shop, order, f"theirs{number}")
    with interleaved(lambda: note(shop, order, "same")):
        note(shop, order, "same")
    with pytest.raises(IdempotencyMismatch):
        note(shop, order, "same", "另一句话")

    kept = [one["note_id"] for one in detail(shop, order).notes or ()]
    assert kept == ["mine1", "theirs1", "mine2", "theirs2", "same"]


def test_order_has_so_many_notes_and_no_more(shop: Shop) -> None:
    order = to_ship(shop)
    for number in range(order_edits.NOTES_MAX):
        note(shop, order, str(number))

    with pytest.raises(Conflict):
        note(shop, order, "more")

    note(shop, order, "0")
    assert len(detail(shop, order).notes or ()) == order_edits.NOTES_MAX


def test_address_is_changed_before_shipping_and_never_after(merchant: MerchantFixture) -> None:
    friend, order_id = order_to_ship(merchant)
    path = f"/v1/merchant/orders/{order_id}/address"
    moved = {**BUYERS_ADDRESS, "phone": "13900139001", "street": "新街 1 号"}
    body = {"address": moved, "address_changes": 0}

    changed = merchant.staff("service").put(path, body)
    again = merchant.staff("service").put(path, body)
    stale = merchant.owner().put(path, {**body, "address": BUYERS_ADDRESS})
    ship_over_http(merchant, order_id)
    late = merchant.owner().put(path, {"address": BUYERS_ADDRESS, "address_changes": 1})

    assert (changed.status, changed.body["address"]) == (200, recipient.masked(moved))
    assert again.body == changed.body
    assert (stale.status, stale.code) == (409, "changed")
    assert (late.status, late.code) == (409, "shipping_refused")
    assert friend.order(order_id)["address"] == moved
    merchant.wait(POSTED_S, every_s=POSTED_S)
    assert rows(merchant, "q=9001") == [order_id]
    assert order_id not in rows(merchant, f"q={BUYERS_ADDRESS['phone']}")
    merchant.check_laws()


def test_notes_are_for_staff(merchant: MerchantFixture) -> None:
    friend, order_id = order_to_ship(merchant)
    path = f"/v1/merchant/orders/{order_id}/notes"

    for text, key in (("买家要求周末送", "note-0001"), ("已电话确认", "note-0002")):
        first = merchant.staff("service").post(path, {"text": text}, Idempotency_Key=key)
        again = merchant.staff("service").post(path, {"text": text}, Idempotency_Key=key)
        assert (first.status, again.body) == (201, first.body)

    seen = file_of(merchant, order_id)
    assert [note["text"] for note in seen["notes"]] == ["买家要求周末送", "已电话确认"]
    assert "周末送" not in str(friend.order(order_id))
    merchant.check_laws()
