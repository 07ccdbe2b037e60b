"""Orders change between what staff, or their buyers, have read and what they write: nothing is sent
or handed over twice, and no refund is forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.after_sale import Reason
from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Delivery
from chalicelib.domain.pickup import PickupRefused
from chalicelib.domain.shipping import PARCELS_MAX, ShippingRefused, parcels_of
from chalicelib.errors import Conflict, InvalidRequest, StoreClosed
from chalicelib.services.after_sale import after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.catalogue import stores
from chalicelib.services.fulfilment import pickups, receipts, shipping
from chalicelib.services.groups import seats
from chalicelib.tables.shop import StoreItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import STAFF, Shop, new_shop, purchase
from tests.fixtures.staff_requests import SF, audited, detail, give_back, ship, to_ship


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


def to_collect(shop: Shop) -> OrderItem:
    """The same, of who collects it in a store."""
    sold, store_id = shop.activity(seats=2), new_id()
    draft = stores.StoreDraft("城西店", "文一西路969号", "0571-88888888")
    stores.create(shop.merchant_id, store_id, draft, staff=STAFF, now_s=shop.now_s)
    order = seats.join(
        shop.merchant_id,
        shop.buyer(),
        shop.opened(sold),
        replace(purchase(sold), delivery=Delivery.PICKUP, store_id=store_id),
        hint=sold.hint,
        now_s=shop.now_s,
    )
    shop.pay(order)
    shop.run_jobs()
    return shop.order(order.order_id)


def correct(shop: Shop, order: OrderItem, number: str) -> None:
    given = shipping.draft("顺丰", number)
    shipping.correct(shop.merchant_id, order.order_id, "1", given, staff=STAFF, now_s=shop.now_s)


def numbers(shop: Shop, order: OrderItem) -> list[str]:
    return [parcel.number for parcel in parcels_of(detail(shop, order).parcels)]


def test_order_that_was_shipped_meanwhile_is_not_shipped_again(shop: Shop) -> None:
    order = to_ship(shop)

    with interleaved(lambda: ship(shop, order)), pytest.raises(ShippingRefused):
        ship(shop, order, "SF9999999999999")

    assert (numbers(shop, order), audited(shop, "order_shipped")) == ([SF], 1)


def test_parts_that_are_shipped_at_once_are_all_shipped(shop: Shop) -> None:
    order = to_ship(shop, quantity=3)

    with interleaved(lambda: ship(shop, order, units=1)):
        ship(shop, order, "SF2222222222222", units=1)
    with (
        interleaved(lambda: ship(shop, order, "SF3333333333333", units=1)),
        pytest.raises(ShippingRefused),
    ):
        ship(shop, order, "SF4444444444444", units=1)

    stored = shop.order(order.order_id)
    assert numbers(shop, order) == [SF, "SF2222222222222", "SF3333333333333"]
    assert (stored.shipped, stored.status, stored.is_marked()) == (3, "shipped", True)


def test_request_made_while_an_order_is_shipped_comes_first(shop: Shop) -> None:
    order = to_ship(shop)
    claim = Claim(900, Reason.LATE)

    def ask() -> None:
        after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)

    with interleaved(ask), pytest.raises(ShippingRefused):
        ship(shop, order)

    assert numbers(shop, order) == []


def test_units_that_came_back_while_an_order_is_shipped_are_not_shipped(shop: Shop) -> None:
    order = to_ship(shop)

    with interleaved(lambda: give_back(shop, order, 5900, units=1)):
        ship(shop, order)

    [parcel] = parcels_of(detail(shop, order).parcels)
    assert (parcel.units, shop.order(order.order_id).status) == (1, "shipped")


Step = Callable[[Shop, OrderItem], object]


def make_ready(shop: Shop, order: OrderItem) -> None:
    pickups.make_ready(shop.merchant_id, order.order_id, staff=STAFF, now_s=shop.now_s)


def hand_over(shop: Shop, order: OrderItem) -> None:
    code = str(detail(shop, order).pickup_code)
    pickups.hand_over(shop.merchant_id, code, staff=STAFF, now_s=shop.now_s)


def confirm(shop: Shop, order: OrderItem) -> None:
    receipts.confirm(shop.merchant_id, order.order_id, now_s=shop.now_s)


def to_hand_over(shop: Shop) -> OrderItem:
    order = to_collect(shop)
    make_ready(shop, order)
    return order


def on_its_way(shop: Shop) -> OrderItem:
    order = to_ship(shop)
    ship(shop, order)
    return order


@pytest.mark.parametrize(
    ("prepared", "step", "status"),
    [
        (to_ship, ship, "shipped"),
        (to_collect, make_ready, "ready_for_pickup"),
        (to_hand_over, hand_over, "completed"),
        (on_its_way, confirm, "completed"),
    ],
)
def test_refund_approved_while_an_order_goes_on_is_carried_out(
    shop: Shop, prepared: Callable[[Shop], OrderItem], step: Step, status: str
) -> None:
    order = prepared(shop)

    with interleaved(lambda: give_back(shop, order, 900)):
        step(shop, order)

    stored = shop.order(order.order_id)
    assert (stored.status, list(stored.view().refunds)) == (status, ["01A"])
    assert stored.is_marked()
    shop.run_jobs()
    assert shop.confirm(f"{order.order_id}01A") == "succeeded"


@pytest.mark.parametrize(
    ("prepared", "step", "action"),
    [(to_collect, make_ready, "order_ready"), (to_hand_over, hand_over, "order_handed_over")],
)
def test_order_treated_alike_by_two_at_once_is_so_once(
    shop: Shop, prepared: Callable[[Shop], OrderItem], step: Step, action: str
) -> None:
    order = prepared(shop)

    with interleaved(lambda: step(shop, order)):
        shop.now_s += 1
        step(shop, order)

    assert audited(shop, action) == 1


def test_order_is_received_when_it_was_first_received(shop: Shop) -> None:
    order, first_s = on_its_way(shop), shop.now_s

    def confirm_first() -> None:
        receipts.confirm(shop.merchant_id, order.order_id, now_s=first_s)

    shop.now_s += 60
    with interleaved(confirm_first):
        confirm(shop, order)

    assert shop.order(order.order_id).received_at_s == first_s


def test_order_refunded_while_it_is_received_is_not_completed(shop: Shop) -> None:
    order = on_its_way(shop)

    with interleaved(lambda: give_back(shop, order, order.total_fen)), pytest.raises(Conflict):
        confirm(shop, order)

    assert shop.order(order.order_id).status == "refunding"


def test_order_is_sent_or_collected_as_its_buyer_chose(shop: Shop) -> None:
    order = to_collect(shop)

    with pytest.raises(ShippingRefused):
        ship(shop, order)
    with pytest.raises(PickupRefused):
        make_ready(shop, to_ship(shop))


def test_order_goes_into_so_many_parcels_and_no_more(shop: Shop) -> None:
    order = to_ship(shop, quantity=PARCELS_MAX + 1)
    for number in range(PARCELS_MAX):
        ship(shop, order, f"SF{10**12 + number}", units=1)

    with pytest.raises(ShippingRefused):
        ship(shop, order)

    assert shop.order(order.order_id).shipped == PARCELS_MAX


def test_parcel_corrected_by_two_at_once_was_corrected_twice(shop: Shop) -> None:
    order = on_its_way(shop)

    with interleaved(lambda: correct(shop, order, "SF2222222222222")):
        correct(shop, order, "SF3333333333333")

    [parcel] = parcels_of(detail(shop, order).parcels)
    assert (parcel.number, parcel.corrections) == ("SF3333333333333", 2)


def test_parcel_does_not_get_a_number_that_is_taken(shop: Shop) -> None:
    order, strangers = to_ship(shop), to_ship(shop)
    ship(shop, order, units=1)
    ship(shop, order, "SF2222222222222")
    ship(shop, strangers, "SF3333333333333")

    for number in ("SF2222222222222", "SF3333333333333"):
        with pytest.raises(InvalidRequest) as refusal:
            correct(shop, order, number)
        assert refusal.value.details["field"] == "number"

    assert numbers(shop, order) == [SF, "SF2222222222222"]


def test_store_that_is_gone_or_closed_takes_no_order() -> None:
    open_store = StoreItem.at("m", "s", name="店", address="街", phone="1")
    closed = StoreItem.at("m", "s", name="店", address="街", phone="1", is_open=False)
    gone = StoreItem.at("m", "s", name="店", address="街", phone="1", removed_at_s=1)

    for store in (closed, gone, None):
        with pytest.raises(StoreClosed):
            stores.snapshot(store)
    assert stores.snapshot(open_store)["name"] == "店"
