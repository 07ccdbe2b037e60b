"""From a share to a seat that is paid, formed or refunded: counted by what the stream tells."""

from collections import Counter

from chalicelib.domain.ids import new_id
from chalicelib.services.groups import shares
from chalicelib.services.orders import attributions
from chalicelib.services.people import identities
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.coupons import refund
from tests.fixtures.merchant import DAY_S, Activity, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.shares import TOUCHES, came, rows_of, shared, visited, visits
from tests.fixtures.stream_events import change_of, deliver
from tests.laws.checkers.attribution_laws import COUNTED

SEAT = {"taken": 1, "paid": 1, "paid_fen": 5900}


def told(merchant: MerchantFixture, *order_ids: str) -> None:
    """The stream brings these orders as they are now."""
    records = [change_of(merchant, merchant.stored_order(one)) for one in order_ids]
    assert deliver(merchant, *records) == []


def brought(merchant: MerchantFixture, activity: Activity, share_id: str) -> dict[str, int]:
    """What was counted for a share, but for visits and what came by it first."""
    figures: Counter[str] = Counter()
    for row in rows_of(merchant.merchant_id, activity.activity_id):
        if row.share_id == share_id:
            figures.update({name: getattr(row, name) for name in COUNTED})
    ours = {name: count for name, count in figures.items() if count and name != "visits"}
    return {name: count for name, count in ours.items() if not name.startswith("first_")}


def first(merchant: MerchantFixture, activity: Activity, share_id: str) -> dict[str, int]:
    """What was counted for a share that buyers came by first."""
    rows = rows_of(merchant.merchant_id, activity.activity_id)
    figures: Counter[str] = Counter()
    for row in rows:
        if row.share_id == share_id:
            names = (name for name in COUNTED if name.startswith("first_"))
            figures.update({name.removeprefix("first_"): getattr(row, name) for name in names})
    return {name: count for name, count in figures.items() if count}


def test_a_seat_is_followed_from_the_share_to_its_refund(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    share_id, buyer = shared(leader, group_id, "chat"), merchant.buyer()
    came(merchant, buyer, share_id)
    _, order_id = merchant.join(activity, group_id, buyer)
    told(merchant, order_id)
    steps = [brought(merchant, activity, share_id)]
    merchant.pay(buyer, order_id)
    told(merchant, order_id)
    steps.append(brought(merchant, activity, share_id))
    merchant.run_jobs()
    told(merchant, order_id)
    steps.append(brought(merchant, activity, share_id))
    refund(merchant, buyer, order_id, 5900, 1)
    told(merchant, order_id)
    steps.append(brought(merchant, activity, share_id))

    assert steps == [
        {"taken": 1},
        SEAT,
        {**SEAT, "formed": 1},
        {**SEAT, "formed": 1, "refunded": 1, "refunded_fen": 5900},
    ]
    assert first(merchant, activity, share_id) == steps[-1]
    assert visits(merchant.merchant_id, share_id) == 1
    merchant.check_laws()


def test_the_last_share_has_brought_a_seat_and_the_first_is_kept_beside_it(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10, days=20)
    group_id, leader, _ = merchant.open_group(activity)
    early, late = shared(leader, group_id, "moments"), shared(merchant.buyer(), group_id)
    buyer = merchant.buyer()
    came(merchant, buyer, early)
    merchant.clock.forward(60)
    came(merchant, buyer, late)
    own = merchant.buyer()  # who opens a group comes by a share as well
    came(merchant, own, early)
    _, order_id = merchant.member(activity, group_id, buyer)
    _, _, opened = merchant.open_group(activity, own)

    told(merchant, order_id, opened)

    assert brought(merchant, activity, late) == SEAT
    assert first(merchant, activity, late) == {}
    assert brought(merchant, activity, early) == SEAT
    assert first(merchant, activity, early) == {name: 2 * count for name, count in SEAT.items()}
    merchant.check_laws()


def test_what_a_purchase_says_itself_and_visits_that_are_too_old_bring_nothing(
    merchant: MerchantFixture,
) -> None:
    activity, other = (merchant.activity(seats=3, stock=10, days=30) for _ in range(2))
    group_id, leader, _ = merchant.open_group(activity)
    elsewhere, sharer, _ = merchant.open_group(other)
    share_id = shared(leader, group_id)
    claims = merchant.member(activity, group_id, share_id=share_id)[1]
    stranger = merchant.buyer()
    came(merchant, stranger, shared(sharer, elsewhere))  # of another activity
    _, seat = merchant.member(activity, group_id, stranger)
    late = merchant.buyer()
    came(merchant, late, share_id)
    merchant.clock.forward(7 * DAY_S + 1)
    again = merchant.session(identities.root(merchant.merchant_id, late.buyer_id))
    _, _, opened = merchant.open_group(activity, again)

    told(merchant, claims, seat, opened)

    assert brought(merchant, activity, share_id) == {}
    assert first(merchant, activity, share_id) == {}


def test_late_payment_takes_no_seat_and_its_refund_is_none(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    share_id, buyer = shared(leader, group_id), merchant.buyer()
    came(merchant, buyer, share_id)
    _, order_id = merchant.join(activity, group_id, buyer)
    merchant.prepay(buyer, order_id)
    buyer.cancel(order_id)
    merchant.pay_in_spite(f"{order_id}01")
    merchant.run_jobs(2)

    told(merchant, order_id)

    assert brought(merchant, activity, share_id) == {"taken": 1}
    merchant.check_laws()


def test_seat_of_a_group_that_fails_is_refunded_and_has_not_formed(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    share_id, buyer = shared(leader, group_id), merchant.buyer()
    came(merchant, buyer, share_id)
    _, order_id = merchant.member(activity, group_id, buyer)
    merchant.clock.forward(DAY_S + 60)
    merchant.run_jobs(3)

    told(merchant, order_id)  # of nothing before

    assert brought(merchant, activity, share_id) == {**SEAT, "refunded": 1, "refunded_fen": 5900}
    merchant.check_laws()


def test_records_again_late_and_in_the_wrong_order_count_once(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    share_id, buyer = shared(leader, group_id), merchant.buyer()
    came(merchant, buyer, share_id)
    _, order_id = merchant.join(activity, group_id, buyer)
    placed = change_of(merchant, merchant.stored_order(order_id))
    held = merchant.image(merchant.stored_order(order_id))
    merchant.pay(buyer, order_id)
    paid = change_of(merchant, merchant.stored_order(order_id), held)

    assert deliver(merchant, paid, placed, paid) == []
    assert deliver(merchant, placed) == []

    assert brought(merchant, activity, share_id) == SEAT
    merchant.run_jobs()
    told(merchant, order_id, order_id)
    assert brought(merchant, activity, share_id) == {**SEAT, "formed": 1}
    merchant.check_laws()


def test_a_person_with_two_phones_is_one_visitor_and_a_phone_of_two_people_too(
    merchant: MerchantFixture,
) -> None:
    group_id, leader, _ = merchant.open_group(merchant.activity(seats=3, stock=10))
    share_id, buyer, other = shared(leader, group_id), merchant.buyer(), merchant.buyer()
    counts = []
    for _ in range(2):  # phones
        visitor_id = came(merchant, buyer, share_id)
        counts.append(visits(merchant.merchant_id, share_id))
        visited(merchant, share_id, visitor_id)
    assert other.post(TOUCHES, {"visitor_id": visitor_id, "share_ids": [share_id]}).status == 200
    visited(merchant, share_id)  # a stranger

    assert [*counts, visits(merchant.merchant_id, share_id)] == [1, 1, 2]
    merchant.check_laws()


def test_a_share_of_who_turns_out_to_be_the_buyer_has_brought_nothing(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    buyer = merchant.buyer()
    share_id = shared(leader, group_id)
    came(merchant, buyer, share_id)
    opened = buyer.open(activity).body["order_id"]
    merge_into_an_older_one(merchant, buyer, leader)()

    told(merchant, opened)

    assert brought(merchant, activity, share_id) == {}


def test_visits_of_a_share_that_many_come_by_are_spread_when_they_meet(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    share_id = shared(leader, group_id)
    for _ in range(5):
        shares.visit(merchant.merchant_id, share_id, new_id(), now_s=merchant.now_s)

    [row] = rows_of(merchant.merchant_id, activity.activity_id)

    assert (row.visits, row.sharer_id, row.channel) == (5, leader.buyer_id, "link")


def test_a_step_of_a_seat_costs_four_units_by_one_share_and_three_reads_by_none(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, opened = merchant.open_group(activity)
    buyer = merchant.buyer()
    came(merchant, buyer, shared(leader, group_id))
    _, order_id = merchant.join(activity, group_id, buyer)
    records = [change_of(merchant, merchant.stored_order(one)) for one in (order_id, opened)]
    spent = []

    for record in (*records, records[0]):
        order = TradeItem.from_raw_data(record["dynamodb"]["NewImage"])
        assert isinstance(order, OrderItem)
        with metered() as meter:
            attributions.follow(merchant.merchant_id, order.order_id, now_s=merchant.now_s)
        spent.append((meter.calls, meter.units))

    choosing = ["BatchGetItem", "GetItem", "BatchGetItem"]
    assert spent == [
        ([*choosing, "TransactWriteItems"], 4),
        (choosing, 0),
        (["BatchGetItem"], 0),
    ]
