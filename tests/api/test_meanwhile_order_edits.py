"""Two people write into the same order, or it goes off meanwhile: its address and its notes."""

from collections.abc import Callable, Iterator

import pytest

from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import Changed, Conflict, IdempotencyMismatch
from chalicelib.services.orders import order_edits
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import ADDRESS, STAFF, Shop, new_shop
from tests.fixtures.staff_requests import audited, detail, give_back, ship, to_ship

MOVED = {**ADDRESS, "street": "新街 1 号", "phone": "13900139001"}
ELSEWHERE = {**ADDRESS, "street": "老街 2 号"}
Step = Callable[[Shop, OrderItem], object]


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


def change_address(
    shop: Shop, order: OrderItem, address: dict[str, str] = MOVED, changes: int = 0
) -> None:
    order_edits.change_address(
        shop.merchant_id,
        order.order_id,
        address,
        changes=changes,
        staff=STAFF,
        now_s=shop.now_s,
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
