"""What each step may cost: DynamoDB round trips and write units, exact.

Counted, not timed, so that they hold on any machine. The figures are those of docs/decisions.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.activity import NewBuyers, Tier
from chalicelib.domain.ids import OrderId
from chalicelib.errors import SoldOut
from chalicelib.gateways.payment import Trade, TradeStatus
from chalicelib.services.catalogue import catalogue_cache, reservations
from chalicelib.services.fulfilment import receipts
from chalicelib.services.groups import order_closing, seats, settlement
from chalicelib.services.groups.seats import Hint
from chalicelib.services.money import captures
from chalicelib.services.orders import orders, points_orders
from chalicelib.services.orders.ordering import Purchase
from chalicelib.services.people import shop_cache
from chalicelib.services.work import due
from chalicelib.tables.trade import StockItem
from tests.api.test_points_offers import offered
from tests.fixtures.caches import clear_caches
from tests.fixtures.capacity_meter import CapacityMeter, metered
from tests.fixtures.coupons import claimed
from tests.fixtures.levels import have_levels
from tests.fixtures.merchant import ADDRESS, Activity, Caller, MerchantFixture
from tests.fixtures.points import given, received, switch
from tests.fixtures.shipping import ship

pytestmark = pytest.mark.slow

COUNTED = 4  # a decided group is counted for its day and for its activity


@pytest.fixture
def meter(merchant: MerchantFixture) -> Iterator[CapacityMeter]:
    with metered() as meter:
        yield meter


class Shop:
    """Steps at the service layer, so that only their own calls are counted."""

    def __init__(self, merchant: MerchantFixture, **terms_of_activity: Any) -> None:
        self.merchant = merchant
        self.activity: Activity = merchant.activity(**terms_of_activity)
        self.hint = Hint(self.activity.activity_id, self.activity.version)
        self.purchase = Purchase(self.activity.sku_id, 1, ADDRESS)
        self.warm_up()

    def warm_up(self) -> None:
        merchant_id, now_s = self.merchant.merchant_id, self.merchant.now_s
        shop_cache.merchant(merchant_id, now_s)
        catalogue_cache.version(merchant_id, self.activity.activity_id, self.activity.version)
        catalogue_cache.product(merchant_id, self.activity.product_id, now_s)

    def open(self, key: str = "a-key-of-mine") -> tuple[str, OrderId]:
        buyer = self.merchant.buyer("团长")
        placed = seats.open_group(
            self.merchant.merchant_id,
            buyer.buyer_id,
            "团长",
            self.activity.activity_id,
            self.purchase,
            key=key,
            now_s=self.merchant.now_s,
        )
        return str(placed.group_id), placed.order_id

    def join(self, group_id: str, hint: Hint | None = None) -> OrderId:
        buyer = self.merchant.buyer()
        return self._join(group_id, buyer.buyer_id, hint or self.hint)

    def _join(self, group_id: str, buyer_id: str, hint: Hint) -> OrderId:
        return seats.join(
            self.merchant.merchant_id,
            buyer_id,
            group_id,
            self.purchase,
            hint=hint,
            now_s=self.merchant.now_s,
        ).order_id

    def pay(self, group_id: str, order_id: OrderId, attempt: str = "01") -> str:
        trade = Trade(
            f"{order_id}{attempt}",
            TradeStatus.SUCCEEDED,
            amount_fen=5900,
            transaction_id="4200002377777777777777777777",
            paid_at_s=self.merchant.now_s,
            attach=group_id,
        )
        return captures.record(
            self.merchant.merchant_id, trade, "wechat_pay", now_s=self.merchant.now_s
        )

    def opened(self, key: str = "a-key-of-mine") -> str:
        group_id, order_id = self.open(key)
        self.pay(group_id, order_id)
        self.told(order_id)
        return group_id

    def joined_and_paid(self, group_id: str) -> OrderId:
        order_id = self.join(group_id)
        self.pay(group_id, order_id)
        self.told(order_id)
        return order_id

    def told(self, order_id: OrderId) -> None:
        """What the stream does at once after a payment."""
        due.process_order(self.merchant.merchant_id, order_id, now_s=self.merchant.now_s)


def empty_bucket(merchant: MerchantFixture, activity: Activity, *, number: int) -> None:
    bucket = StockItem.at(merchant.merchant_id, activity.activity_id, activity.sku_id, number)
    bucket.update(actions=[StockItem.available.set(0)], condition=StockItem.available.exists())


def spent(meter: CapacityMeter) -> tuple[int, int]:
    return len(meter.calls), meter.units


def test_activity_detail_reads_its_groups_and_the_orders_of_a_buyer(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant)
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{shop.activity.activity_id}"
    assert merchant.visitor().get(path).status == 200
    meter.reset()

    assert merchant.visitor().get(path).status == 200
    assert spent(meter) == (1, 0), meter.calls
    shop.opened()
    meter.reset()
    assert merchant.visitor().get(path).status == 200
    assert spent(meter) == (2, 0), meter.calls
    buyer = merchant.buyer()
    meter.reset()
    assert buyer.get(path).status == 200
    assert spent(meter) == (3, 0), meter.calls


def test_activity_detail_reads_activity_buckets_and_product_every_five_seconds(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant)
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{shop.activity.activity_id}"
    assert merchant.visitor().get(path).status == 200
    merchant.clock.forward(5)
    meter.reset()

    assert merchant.visitor().get(path).status == 200

    assert (meter.calls, meter.units) == (["GetItem", "Query", "GetItem", "BatchGetItem"], 0)


def test_group_progress_is_one_read(merchant: MerchantFixture, meter: CapacityMeter) -> None:
    shop = Shop(merchant)
    path = f"/v1/merchants/{merchant.merchant_id}/groups/{shop.opened()}"
    meter.reset()

    assert merchant.visitor().get(path).status == 200

    assert spent(meter) == (1, 0), meter.calls


def test_join_is_one_call_of_eleven_units(merchant: MerchantFixture, meter: CapacityMeter) -> None:
    shop = Shop(merchant)
    group_id, buyer = shop.opened(), merchant.buyer()
    meter.reset()

    shop._join(group_id, buyer.buyer_id, shop.hint)

    assert spent(meter) == (1, 11), meter.parts


def test_join_with_a_wrong_hint_reads_the_group_first(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant)
    group_id, buyer = shop.opened(), merchant.buyer()
    meter.reset()

    seats.join(
        merchant.merchant_id,
        buyer.buyer_id,
        group_id,
        shop.purchase,
        hint=None,
        now_s=merchant.now_s,
    )

    assert spent(meter) == (2, 11), meter.parts


@pytest.mark.parametrize("term", ["limit_per_buyer", "per_minute"])
def test_join_with_a_limit_or_a_pace_costs_two_units_more(
    merchant: MerchantFixture, meter: CapacityMeter, term: str
) -> None:
    shop = Shop(merchant, **{term: 5})
    group_id, buyer = shop.opened(), merchant.buyer()
    meter.reset()

    shop._join(group_id, buyer.buyer_id, shop.hint)

    assert spent(meter) == (1, 13), meter.parts


def test_join_with_a_coupon_costs_a_read_and_three_units_more(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant)
    group_id, buyers = shop.opened(), [merchant.buyer() for _ in range(2)]
    made = {"name": "见面礼", "kind": "amount", "off_fen": 100, "total": 9, "days": 7}
    template = merchant.owner().post("/v1/merchant/coupons", made).body["template_id"]
    claims = f"/v1/coupons/{template}/claims"
    own = [who.post(claims, Idempotency_Key="the-one-claim").body["coupon_id"] for who in buyers]
    used = [replace(shop.purchase, coupon_id=coupon_id) for coupon_id in own]
    clear_caches()
    shop.warm_up()

    for buyer, shop.purchase in zip(buyers, used, strict=True):
        meter.reset()
        shop._join(group_id, buyer.buyer_id, shop.hint)
        assert meter.units == 14, meter.parts  # one is the list of unused coupons

    # The first of this container reads the template of the coupon, too.
    assert meter.calls == ["GetItem", "TransactWriteItems"]


@pytest.mark.parametrize("by_level", [False, True])
def test_join_with_coupon_points_and_limit_takes_three_round_trips(
    merchant: MerchantFixture, meter: CapacityMeter, by_level: bool
) -> None:
    """The level of who buys, where it may lower the price, is read with the coupon."""
    switch(merchant)
    half = {"name": "银卡会员", "from_growth": 99, "price_percent": 50}
    have_levels(merchant, half, on=by_level)
    shop = Shop(merchant, limit_per_buyer=5, points=True, member_prices=by_level, product_stock=200)
    group_id, buyer = shop.opened(), merchant.buyer()
    order_id = received(merchant, shop.activity, buyer)
    assert given(merchant, order_id, 5000).status == 201
    coupon_id = claimed(merchant, buyer, off_fen=100)
    catalogue_cache.coupons(merchant.merchant_id, [coupon_id[22:44]], merchant.now_s)
    shop.purchase = replace(shop.purchase, coupon_id=coupon_id, points=2000)
    shop.warm_up()
    meter.reset()

    joined = shop._join(group_id, buyer.buyer_id, shop.hint)

    first = "BatchGetItem" if by_level else "GetItem"
    assert meter.calls == [first, "BatchGetItem", "TransactWriteItems"]
    assert meter.units == 18, meter.parts
    assert merchant.stored_order(str(joined)).total_fen == (2850 if by_level else 3800)
    # It is given back in the same write as its coupon.
    meter.reset()
    order_closing.cancel(merchant.merchant_id, joined, now_s=merchant.now_s)
    assert meter.calls.count("TransactWriteItems") == 1


def test_exchange_for_points_reads_the_account_and_writes_once(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    switch(merchant)
    shop = Shop(merchant, product_stock=200)
    offer_id, buyer = offered(merchant, shop.activity, per_buyer=3), merchant.buyer()
    order_id = buyer.buy_alone(shop.activity).body["order_id"]
    assert given(merchant, order_id, 5000).status == 201
    shop.warm_up()
    catalogue_cache.points_offers_of(merchant.merchant_id, merchant.now_s)
    meter.reset()

    points_orders.exchange(
        merchant.merchant_id,
        buyer.buyer_id,
        offer_id,
        shop.purchase,
        key="a-key-of-mine",
        now_s=merchant.now_s,
    )

    assert meter.calls == ["BatchGetItem", "TransactWriteItems"]
    assert meter.units == 15, meter.parts


def test_receipt_that_earns_points_is_one_transaction_more(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    switch(merchant)
    activity, buyer = merchant.activity(product_stock=200), merchant.buyer()
    for number in range(2):
        order_id = str(buyer.buy_alone(activity).body["order_id"])
        merchant.pay(buyer, order_id)
        merchant.run_jobs()
        assert ship(merchant, order_id, f"SF{merchant.now_s + number:013d}").status == 200
        of = merchant.stored_order(order_id).order_id
        meter.reset()
        receipts.confirm(merchant.merchant_id, of, now_s=merchant.now_s)
        # The order as it is, the account, both at once, the order again.
        assert meter.calls[-3:] == ["GetItem", "TransactWriteItems", "GetItem"]
        assert meter.units == 7 - number, meter.parts  # the first marks when they run out


def test_join_of_a_new_buyer_reads_their_register_and_their_orders(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant, new_buyers=NewBuyers.JOINERS)
    group_id, buyer = shop.opened(), merchant.buyer()
    meter.reset()

    shop._join(group_id, buyer.buyer_id, shop.hint)

    assert meter.calls == ["GetItem", "Query", "TransactWriteItems"]
    assert meter.units == 11, meter.parts


def test_join_whose_buyers_earlier_orders_are_all_paid_reads_them_and_tries_once_more(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant)
    buyer = merchant.buyer()
    for number in range(3):
        earlier = shop.opened(f"key-of-group-{number}")
        shop.pay(earlier, shop._join(earlier, buyer.buyer_id, shop.hint))
    group_id = shop.opened("key-of-the-last")
    meter.reset()

    shop._join(group_id, buyer.buyer_id, shop.hint)

    assert meter.calls == ["TransactWriteItems", "BatchGetItem", "TransactWriteItems"]
    assert meter.units == 21, meter.parts  # of which 10 are refused


def test_join_whose_bucket_is_short_reads_all_buckets_and_tries_once_more(
    merchant: MerchantFixture, meter: CapacityMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(merchant)
    group_id, buyer = shop.opened(), merchant.buyer()
    empty_bucket(merchant, shop.activity, number=3)
    monkeypatch.setattr("random.randrange", lambda end: 3 % end)
    meter.reset()

    shop._join(group_id, buyer.buyer_id, shop.hint)

    assert meter.calls == ["TransactWriteItems", "BatchGetItem", "TransactWriteItems"]
    assert meter.units == 21, meter.parts  # a refused transaction is charged too: 10 of them


def test_sold_out_is_said_after_a_read_of_all_buckets(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant, stock=3, seats=3)
    group_id = shop.opened()
    merchant.open_group(shop.activity)
    merchant.open_group(shop.activity)
    buyer = merchant.buyer()
    reservations.clear_cache()  # as in a container that has not met the shortage
    meter.reset()

    with pytest.raises(SoldOut):
        shop._join(group_id, buyer.buyer_id, shop.hint)

    assert meter.calls == ["TransactWriteItems", "BatchGetItem", "GetItem"]
    assert merchant.stock(shop.activity) == 0


def test_open_is_two_calls_of_eleven_units(merchant: MerchantFixture, meter: CapacityMeter) -> None:
    shop = Shop(merchant)
    buyer = merchant.buyer("团长")
    clear_caches()
    shop.warm_up()
    meter.reset()

    seats.open_group(
        merchant.merchant_id,
        buyer.buyer_id,
        "团长",
        shop.activity.activity_id,
        shop.purchase,
        key="a-key-of-mine",
        now_s=merchant.now_s,
    )

    assert spent(meter) == (2, 11), (meter.calls, meter.parts)


def test_callbacks_of_leader_middle_and_last(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant, seats=3)
    group_id, leader_order = shop.open()
    meter.reset()
    shop.pay(group_id, leader_order)
    leader = spent(meter)
    middle_order, last_order = shop.join(group_id), shop.join(group_id)
    meter.reset()
    shop.pay(group_id, middle_order)
    middle = spent(meter)
    meter.reset()
    shop.pay(group_id, last_order)
    last = spent(meter)

    # One less than the budget of 8, 7 and 10 each: the order keeps its due marker until told.
    assert (leader, middle, last) == ((2, 7), (2, 6), (2, 9)), meter.parts


def test_duplicate_callback_is_one_read(merchant: MerchantFixture, meter: CapacityMeter) -> None:
    shop = Shop(merchant)
    group_id, order_id = shop.open()
    shop.pay(group_id, order_id)
    meter.reset()

    assert shop.pay(group_id, order_id) == "duplicate"

    assert spent(meter) == (1, 0), meter.calls


def test_late_callback_is_two_units(merchant: MerchantFixture, meter: CapacityMeter) -> None:
    shop = Shop(merchant)
    group_id = shop.opened()
    order_id = shop.join(group_id)
    order_closing.cancel(merchant.merchant_id, order_id, now_s=merchant.now_s)
    meter.reset()

    assert shop.pay(group_id, order_id) == "late"

    assert spent(meter) == (2, 2), meter.parts


@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_settling_a_formed_group(merchant: MerchantFixture, meter: CapacityMeter, n: int) -> None:
    shop = Shop(merchant, seats=n)
    group_id = shop.opened()
    for _ in range(n - 1):
        shop.joined_and_paid(group_id)
    meter.reset()

    settlement.settle(merchant.merchant_id, group_id, now_s=merchant.now_s)

    assert meter.calls == ["GetItem", "BatchGetItem", "TransactWriteItems"]
    group_kilobytes = 1 if n <= 10 else 2
    assert meter.units == 1 + 2 * group_kilobytes + COUNTED + 4 * n, meter.parts


@pytest.mark.parametrize(("paid", "limit"), [(1, 0), (2, 0), (3, 0), (5, 0), (10, 0), (3, 5)])
def test_failing_a_group(
    merchant: MerchantFixture, meter: CapacityMeter, paid: int, limit: int
) -> None:
    shop = Shop(merchant, seats=paid + 1, limit_per_buyer=limit)
    group_id = shop.opened()
    for _ in range(paid - 1):
        shop.joined_and_paid(group_id)
    merchant.clock.forward(24 * 3600 + 61)
    shop.warm_up()
    meter.reset()

    group = orders.find_group(merchant.merchant_id, group_id)
    assert group is not None
    settlement.decide_if_due(group, now_s=merchant.now_s)
    status = settlement.settle(merchant.merchant_id, group_id, now_s=merchant.now_s)

    assert status == "failed"
    units = 8 + COUNTED + 5 * paid + (2 * paid if limit else 0)
    assert spent(meter) == (5, units), meter.parts


@pytest.mark.parametrize(
    ("paid", "tiers", "crowd"), [(2, 0, 0), (3, 0, 0), (10, 0, 0), (3, 1, 0), (3, 0, 1)]
)
def test_forming_a_group_with_fewer_costs_what_failing_it_costs_but_for_stock_and_refunds(
    merchant: MerchantFixture, meter: CapacityMeter, paid: int, tiers: int, crowd: int
) -> None:
    """At a tier, one call more reads what all the goods cost, and each order is due. In a crowd,
    the group is listed as well."""
    ladder = (Tier(paid, 400), Tier(paid + 1, 1000))
    terms = {"tiers": ladder if tiers else (), "crowd_tiers": ladder if crowd else ()}
    shop = Shop(merchant, seats=paid + 1, seats_least=2, **terms)
    group_id = shop.opened()
    for _ in range(paid - 1):
        shop.joined_and_paid(group_id)
    merchant.clock.forward(24 * 3600 + 61)
    shop.warm_up()
    meter.reset()

    group = orders.find_group(merchant.merchant_id, group_id)
    assert group is not None
    settlement.decide_if_due(group, now_s=merchant.now_s)
    status = settlement.settle(merchant.merchant_id, group_id, now_s=merchant.now_s)

    assert status == "formed"
    assert spent(meter) == (5 + tiers, 6 + COUNTED + (4 + tiers) * paid + 3 * crowd), meter.parts


def test_failing_a_large_group_costs_one_call_more_per_forty_members(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant, seats=46)
    group_id = shop.opened()
    for _ in range(44):
        shop.joined_and_paid(group_id)
    merchant.clock.forward(24 * 3600 + 61)
    shop.warm_up()
    meter.reset()

    group = orders.find_group(merchant.merchant_id, group_id)
    assert group is not None
    settlement.decide_if_due(group, now_s=merchant.now_s)
    settlement.settle(merchant.merchant_id, group_id, now_s=merchant.now_s)

    # Stock returns with each chunk (2 more), and the group of 2 KB is written twice (3 more).
    assert spent(meter) == (6, 8 + COUNTED + 5 * 45 + 2 + 3), meter.parts


def test_group_page_is_two_reads_and_one_more_for_a_buyer_or_for_other_groups(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant, seats=2)
    group_id, buyer = shop.opened(), merchant.buyer()
    path = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page"
    merchant.visitor().get(path)
    calls = []

    def read_by(caller: Caller) -> None:
        meter.reset()
        assert caller.get(path).status == 200
        assert meter.units == 0
        calls.append(meter.calls.copy())

    read_by(merchant.visitor())
    read_by(buyer)
    shop._join(group_id, buyer.buyer_id, shop.hint)
    read_by(buyer)
    read_by(merchant.visitor())
    read_by(merchant.buyer())  # who may be reminded of a free seat

    assert calls == [
        ["GetItem", "BatchGetItem"],
        ["GetItem", "Query", "BatchGetItem"],
        ["GetItem", "Query", "BatchGetItem"],
        ["GetItem", "Query", "BatchGetItem"],
        ["GetItem", "Query", "Query", "BatchGetItem"],
    ]


def test_release_is_three_calls_of_seven_units(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant)
    group_id = shop.opened()
    order_id = shop.join(group_id)
    merchant.clock.forward(601)
    shop.warm_up()
    meter.reset()

    order_closing.release_due(orders.get(merchant.merchant_id, order_id), now_s=merchant.now_s)

    assert spent(meter) == (3, 7), meter.parts
    assert len(orders.of_group(merchant.stored_group(group_id))) == 1


def test_what_is_the_buyers_own_is_two_calls_at_most(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    buyer = merchant.buyer()
    shop_cache.agreement_versions(merchant.merchant_id, merchant.now_s)
    meter.reset()

    buyer.get("/v1/me/profile")
    buyer.get("/v1/me/messages")
    buyer.put("/v1/me/messages/read", {"up_to_s": merchant.now_s})
    buyer.get("/v1/me/addresses")

    profile, messages, marked = "BatchGetItem Query", "Query BatchGetItem", "UpdateItem Query"
    assert meter.calls == f"{profile} {messages} {marked} GetItem".split()
    assert meter.units == 1, meter.parts


def test_a_page_of_members_is_two_reads_of_a_tag_three_and_a_member_four(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    switch(merchant)
    have_levels(merchant)
    activity = merchant.activity(product_stock=200)
    buyer, owner = merchant.buyer(), merchant.owner()
    received(merchant, activity, buyer)
    merchant.run_jobs()
    tag = owner.post("/v1/merchant/member-tags", {"name": "老客", "rule": {"orders_least": 1}}).body
    calls = []

    def read(path: str) -> Any:
        meter.reset()
        reply = owner.get(f"/v1/merchant/members{path}")
        assert (reply.status, meter.units) == (200, 0), reply.body
        calls.append(meter.calls.copy())
        return reply.body

    read("")
    assert len(read("")["items"]) == 1
    assert len(read(f"?tag_id={tag['tag_id']}")["items"]) == 1
    read(f"/{buyer.buyer_id}")

    page, one = ["Query", "BatchGetItem"], ["GetItem", "Query", "BatchGetItem", "BatchGetItem"]
    assert calls == [page, page, ["GetItem", *page], one]


def test_result_of_a_payment_is_two_reads_and_its_capture_where_no_callback_came(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    activity = merchant.activity(seats=3)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.pay_unheard(buyer, order_id)
    calls = []

    for _ in range(2):
        meter.reset()
        reply = buyer.post(f"/v1/orders/{order_id}/payment-result")
        assert reply.body["state"] == "paid"
        calls.append((meter.calls.copy(), meter.units))

    captured = ["BatchGetItem", "BatchGetItem", "TransactWriteItems", "BatchGetItem"]
    templates = "GetItem"  # which messages go to WeChat: read once a minute
    assert calls == [([*captured, templates], 6), (["BatchGetItem", "BatchGetItem"], 0)]


def test_own_orders_are_a_query_and_a_read_and_one_order_is_a_read_and_its_group_while_it_waits(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    activity, buyer = merchant.activity(seats=2), merchant.buyer()
    group_id, _, order_id = merchant.open_group(activity, buyer)
    calls = []

    def read(path: str) -> None:
        meter.reset()
        assert buyer.get(path).status == 200
        assert meter.units == 0
        calls.append(meter.calls.copy())

    for path in ("/v1/orders", "/v1/orders?tab=waiting", "/v1/orders?tab=to_ship"):
        read(path)
    read(f"/v1/orders/{order_id}")
    merchant.member(activity, group_id)
    merchant.run_jobs()
    read(f"/v1/orders/{order_id}")
    read(f"/v1/orders/by-payment/{order_id}01")

    assert calls == [
        ["Query", "BatchGetItem"],
        ["Query", "BatchGetItem"],
        ["Query", "GetItem"],  # no row to read the account with: it may be closed
        ["BatchGetItem", "BatchGetItem", "GetItem"],  # its terms, which stay in memory
        ["BatchGetItem"],
        ["BatchGetItem"],
    ]


def test_groups_of_the_first_page_are_looked_up_every_15_s_and_read_each_time(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    shop = Shop(merchant, seats=2)
    shop.opened()
    buyer, path = merchant.buyer(), f"/v1/merchants/{merchant.merchant_id}/groups"
    calls = []

    for caller in (merchant.visitor(), merchant.visitor(), buyer):
        meter.reset()
        assert len(caller.get(path).body["nearly_full"]) == 1
        assert meter.units == 0
        calls.append(meter.calls.copy())

    assert calls == [
        ["Query", "Query", "BatchGetItem", "Query"],  # the last for the shelves, once a minute
        ["BatchGetItem"],
        ["Query", "BatchGetItem", "GetItem", "Query"],  # the latter two: unread messages
    ]
