"""Receipt and handover: who confirms, when the job does, and an order that changes meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from chalicelib.domain.after_sale import Reason
from chalicelib.domain.ids import OrderId, new_id
from chalicelib.domain.order import Delivery
from chalicelib.domain.pickup import PickupRefused
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import Conflict, StoreClosed
from chalicelib.services.after_sale import after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.catalogue import stores
from chalicelib.services.fulfilment import pickups, receipts
from chalicelib.services.groups import seats
from chalicelib.services.work import due
from chalicelib.tables.shop import StoreItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures import staff_requests
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture, concurrently
from tests.fixtures.shipping import RECEIPT_S, file_of, rows, ship, status_of, to_ship
from tests.fixtures.shop import STAFF, Shop, purchase
from tests.fixtures.staff_requests import audited, detail, give_back, on_its_way

CLAIM = {"amount_fen": 900, "reason": "late"}
Step = Callable[[Shop, OrderItem], object]


@pytest.mark.slow
def test_buyer_confirms_receipt_once(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    early = friend.post(f"/v1/orders/{order_id}/receipt")
    ship(merchant, order_id)

    received = friend.post(f"/v1/orders/{order_id}/receipt")
    again = friend.post(f"/v1/orders/{order_id}/receipt")

    assert (early.status, early.code) == (409, "conflict")
    assert (received.status, received.body["status_text"]) == (200, "已完成")
    assert again.body == received.body
    assert file_of(merchant, order_id)["received_at_s"] == merchant.now_s
    assert rows(merchant, "status=completed") == [order_id]
    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    merchant.check_laws()


@pytest.mark.slow
def test_order_is_received_by_itself_after_the_days_of_the_shop(merchant: MerchantFixture) -> None:
    _, order_id = to_ship(merchant)
    ship(merchant, order_id)

    merchant.wait(RECEIPT_S - 1, every_s=RECEIPT_S)
    before = status_of(merchant, order_id)
    merchant.wait(1)

    assert (before, status_of(merchant, order_id)) == ("shipped", "completed")
    last = file_of(merchant, order_id)["timeline"][-1]
    assert (last["what"], last["text"]) == ("received", "到期自动确认收货")
    merchant.check_laws()


@pytest.mark.slow
def test_open_request_for_money_back_holds_up_receipt(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    ship(merchant, order_id)
    asked = friend.post(f"/v1/orders/{order_id}/after-sales", CLAIM)

    merchant.wait(RECEIPT_S, every_s=RECEIPT_S)
    waiting = status_of(merchant, order_id)
    refusal = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/refusal"
    merchant.owner().post(refusal, {"reply": "已按时发出"})
    merchant.run_jobs()

    assert (waiting, status_of(merchant, order_id)) == ("shipped", "completed")
    merchant.check_laws()


def test_refund_that_needs_a_person_is_not_hidden_behind_receipt(merchant: MerchantFixture) -> None:
    friend, order_id = to_ship(merchant)
    ship(merchant, order_id)
    asked = friend.post(f"/v1/orders/{order_id}/after-sales", CLAIM)
    merchant.gateway.faults.add("refund", "stays_processing")
    approval = f"/v1/merchant/after-sales/{asked.body['after_sale_id']}/approval"
    merchant.owner().post(approval, {"amount_fen": 900})
    merchant.run_jobs()
    merchant.wechat.settle_refunds(out_refund_no=f"{order_id}01A", status="ABNORMAL")
    assert merchant.wechat.quiet()

    [refund] = merchant.owner().get("/v1/merchant/refunds").body["items"]

    assert refund["order_id"] == order_id
    [shown] = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body["refunds"]
    assert (shown["status"], shown["reason"]) == ("failed", "abnormal")
    assert shown["reason_text"].startswith("买家的收款账户异常")
    merchant.check_laws()


@pytest.mark.slow
def test_receipt_asking_back_and_the_job_at_once_leave_one_state(merchant: MerchantFixture) -> None:
    claim, late_s = Claim(900, Reason.LATE), merchant.now_s + RECEIPT_S
    for round_number in range(3):
        _, order_id = to_ship(merchant)
        ship(merchant, order_id, f"SF{10**12 + round_number}")
        parsed = OrderId.parse(order_id)
        assert parsed is not None
        own = (merchant.merchant_id, parsed)

        concurrently(
            [
                partial(receipts.confirm, *own, now_s=late_s),
                partial(due.process_order, *own, now_s=late_s),
                partial(after_sales.request, *own, claim, now_s=late_s),
            ]
        )

        kept = merchant.stored_order(order_id)
        assert (kept.status, kept.after_sale, kept.is_marked()) == ("completed", "A", True)
        merchant.check_laws(quiescent=False)


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prepared", "step", "status"),
    [
        (staff_requests.to_ship, staff_requests.ship, "shipped"),
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


@pytest.mark.slow
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
        staff_requests.ship(shop, order)
    with pytest.raises(PickupRefused):
        make_ready(shop, staff_requests.to_ship(shop))


def test_store_that_is_gone_or_closed_takes_no_order() -> None:
    open_store = StoreItem.at("m", "s", name="店", address="街", phone="1")
    closed = StoreItem.at("m", "s", name="店", address="街", phone="1", is_open=False)
    gone = StoreItem.at("m", "s", name="店", address="街", phone="1", removed_at_s=1)

    for store in (closed, gone, None):
        with pytest.raises(StoreClosed):
            stores.snapshot(store)
    assert stores.snapshot(open_store)["name"] == "店"
