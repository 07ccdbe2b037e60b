"""Laws of points and growth: what an account has, and what each order has moved in it."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.levels import growth_of
from chalicelib.domain.points import STEP_FEN, earned_of, returned_of
from chalicelib.domain.points_account import WARN_DAYS, PointsEntry, PointsKind, end_s
from chalicelib.tables.growth import BirthdayItem, PointsItem, points_entries_of
from chalicelib.tables.trade import StockItem
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]
OUT = (PointsKind.SPENT, PointsKind.EXCHANGED, PointsKind.DEDUCTED, PointsKind.EXPIRED)


def accounts(snapshot: TableSnapshot) -> Violations:
    """A balance is the sum of all its entries, and of its lots; only what orders take back brings
    it below zero."""
    for buyer_id, item in snapshot.points.items():
        what, account, balance = f"32 points: account of {buyer_id}", item.view(), 0
        for entry in entries_of(snapshot, item):
            balance += entry.points
            if entry.kind in OUT and balance < 0:
                yield f"{what}: {entry.kind} {entry.points} leaves {balance}"
        if balance != account.balance:
            yield f"{what} has {account.balance}, its entries {balance}"
        lots = account.lots.values()
        if sum(lots) != max(account.balance, 0) or any(count <= 0 for count in lots):
            yield f"{what} has {account.balance} in lots {dict(account.lots)}"


def pages(snapshot: TableSnapshot) -> Violations:
    """No page is missing, and a closed account has nothing and gets nothing."""
    for buyer_id, item in snapshot.points.items():
        what, there = f"32 points: account of {buyer_id}", snapshot.points_pages.get(buyer_id, ())
        if len(there) != item.pages:
            yield f"{what} has {len(there)} pages, not {item.pages}"
        closed_at_s = item.closed_at_s
        late = [it for it in entries_of(snapshot, item) if it.at_s > (closed_at_s or it.at_s)]
        if late or (closed_at_s is not None and item.balance):
            yield f"{what} was closed at {closed_at_s} and has {item.balance}"
    for buyer_id in snapshot.points_pages.keys() - snapshot.points.keys():
        yield f"32 points: there are pages of {buyer_id}, who has no account"


def orders(snapshot: TableSnapshot) -> Violations:
    """What the entries say of an order is what it was bought with, has given back and earned."""
    moved: Counter[tuple[str, str]] = Counter()
    for buyer_id, item in snapshot.points.items():
        for entry in entries_of(snapshot, item):
            moved[entry.order_id, _what(entry)] += entry.points
            order = snapshot.orders.get(entry.order_id)
            if entry.order_id and order is None:
                yield f"32 points: an entry of {buyer_id} is of no order: {entry.order_id}"
            elif order is not None and not _one_person(snapshot, buyer_id, order.buyer_id):
                yield f"32 points: an entry of {buyer_id} is of another's order {entry.order_id}"
    for order_id, order in snapshot.orders.items():
        known, what = order.view(), f"32 points: {order.status} order {order_id}"
        account = snapshot.points.get(order.buyer_id)
        closed = account is not None and account.closed_at_s is not None
        wanted = {
            "spent": -known.points.total,
            "returned": returned_of(known),
            "earned": earned_of(known),
        }
        for kind, count in wanted.items():
            if moved[order_id, kind] != count and (kind == "spent" or not closed):
                yield f"{what} {kind} {moved[order_id, kind]}, not {count}"


def growth(snapshot: TableSnapshot) -> Violations:
    """A buyer has grown by what their orders say; nobody does once their account is closed."""
    grown: Counter[str] = Counter()
    for order in snapshot.orders.values():
        grown[order.buyer_id] += growth_of(order.view())
    for buyer_id in grown.keys() | snapshot.points.keys():
        account = snapshot.points.get(buyer_id)
        closed = account is not None and account.closed_at_s is not None
        has, wanted = account.growth if account else 0, 0 if closed else grown[buyer_id]
        if has != wanted:
            yield f"33 growth: {buyer_id} has grown {has}, their orders {wanted}"


def worth(snapshot: TableSnapshot) -> Violations:
    """Points take whole yuan off, as many as were spent, and leave goods to pay for."""
    for order_id, order in snapshot.orders.items():
        detail = snapshot.details.get(order_id)
        lines = detail.lines.as_dict() if detail else {}
        used, off_fen = lines.get("points", 0), lines.get("points_fen", 0)
        what = f"32 points: order {order_id} has {off_fen} fen off by {used} points"
        if used != order.view().points.total:
            yield f"{what}, and spent {order.view().points.total}"
        if lines.get("points_each"):
            if off_fen or used != lines["points_each"] * order.quantity:
                yield f"{what}, each unit for {lines['points_each']}"
            continue
        steps = off_fen // STEP_FEN
        if off_fen % STEP_FEN or (steps == 0) != (used == 0) or (steps and used % steps):
            yield f"{what}, which is no rule's"
        goods_fen = lines.get("unit_price_fen", 0) * order.quantity
        goods_fen -= lines.get("reduction_fen", 0) + lines.get("coupon_fen", 0)
        if used and off_fen >= goods_fen:
            yield f"{what}, of {goods_fen}"


def grants(snapshot: TableSnapshot) -> Violations:
    """What the shop gave and took outside of orders was asked for, once."""
    asked = sum(grant.points for grant in snapshot.points_grants)
    granted = (PointsKind.GRANTED, PointsKind.DEDUCTED, PointsKind.COMPENSATED)
    written = sum(
        entry.points
        for item in snapshot.points.values()
        for entry in entries_of(snapshot, item)
        if entry.kind in granted
    )
    if asked != written:
        yield f"32 points: the shop gave {asked}, the accounts say {written}"


def exchanges(snapshot: TableSnapshot) -> Violations:
    """A person has paid what the coupons cost that they have got for points."""
    paid: Counter[str] = Counter()
    for coupon in snapshot.coupons.values():
        paid[root_of(snapshot, coupon.place.buyer_id)] += coupon.points or 0
    for buyer_id, item in snapshot.points.items():
        paid[root_of(snapshot, buyer_id)] += sum(
            entry.points
            for entry in entries_of(snapshot, item)
            if entry.kind is PointsKind.EXCHANGED and not entry.order_id
        )
    for buyer_id, count in paid.items():
        if count:
            yield f"32 points: coupons of {buyer_id} cost {count} more than was paid"


def offers(snapshot: TableSnapshot) -> Violations:
    """An order of an offer has its units for the points and the price of the offer."""
    for order_id, order in snapshot.orders.items():
        offer, what = snapshot.points_offers.get(order.activity_id), f"order {order_id}"
        if (offer is not None) != order.for_points:
            yield f"32 points: {what} is of {order.activity_id}, for points: {order.for_points}"
        if offer is None:
            continue
        detail = snapshot.details.get(order_id)
        lines = detail.lines.as_dict() if detail else {}
        each = (lines.get("unit_price_fen"), lines.get("points_each"), order.view().points.each)
        if each != (offer.price_fen, offer.points, offer.points):
            yield f"32 points: {what} has units for {each}, its offer for {offer.points}"
        beside_fen = lines.get("freight_fen", 0) - lines.get("discount_fen", 0)
        if order.total_fen != offer.price_fen * order.quantity + beside_fen:
            yield f"11 amounts: {what} is of {order.total_fen} fen"


def offered_units(snapshot: TableSnapshot) -> Violations:
    """An offer gives no more units than it has; one that has ended keeps none, and its product
    names it no more."""
    out: Counter[str] = Counter()
    for order in snapshot.orders.values():
        out[order.activity_id] += snapshot.gone(order)
    for offer_id, offer in snapshot.points_offers.items():
        pk = StockItem.at(snapshot.merchant_id, offer_id, offer.sku_id, 0).pk
        bucket, what = snapshot.buckets.get(pk), f"32 points: offer {offer_id}"
        left, ended = (bucket.available, bool(bucket.ended)) if bucket else (0, None)
        over = offer.removed_at_s is not None
        if ended != over or (over and left):
            yield f"{what} is over: {over}, its stock of {left} ended: {ended}"
        if left + out[offer_id] > offer.total:
            yield f"{what} has {left}, gave {out[offer_id]}, of {offer.total}"
        shelf = snapshot.product_stocks.get(offer.sku_id)
        if (shelf is not None and offer_id in (shelf.offers or ())) == over:
            yield f"{what} is over: {over}, its product says otherwise"


def markers(snapshot: TableSnapshot) -> Violations:
    """Who has something that runs out is warned of it, and it is taken off in time."""
    for buyer_id, item in snapshot.points.items():
        lot = item.view().next_lot
        if lot is None:
            if item.due_at_s is not None:
                yield f"32 points: account of {buyer_id} is due and nothing of it runs out"
            continue
        at_s = end_s(lot) - (0 if lot == item.warned else WARN_DAYS * DAY_S)
        if item.due_at_s is None or item.due_at_s > max(at_s, snapshot.now_s + DAY_S):
            yield f"15 work: points of {buyer_id} are due at {at_s}, marked for {item.due_at_s}"


def birthdays(snapshot: TableSnapshot) -> Violations:
    """A birthday that was told is due within a year; a closed account has none."""
    for item in snapshot.items:
        if not isinstance(item, BirthdayItem):
            continue
        root = snapshot.buyers.get(root_of(snapshot, item.buyer_id))
        if root is not None and root.erased_at_s is not None:
            yield f"28 persons: closed account {item.buyer_id} has a birthday"
        if item.due_at_s is None or item.due_at_s > snapshot.now_s + 367 * DAY_S:
            yield f"15 work: birthday of {item.buyer_id} is due at {item.due_at_s}"


def entries_of(snapshot: TableSnapshot, item: PointsItem) -> list[PointsEntry]:
    pages = sorted(snapshot.points_pages.get(item.buyer_id, ()), key=lambda page: page.sk)
    kept = [one for page in pages for one in page.entries]
    return [*points_entries_of([*kept, *item.entries])]


def _what(entry: PointsEntry) -> str:
    """What an entry is of an order: earned, spent or returned."""
    if entry.kind is PointsKind.EXCHANGED and entry.order_id:
        return PointsKind.SPENT.value
    return "earned" if entry.kind is PointsKind.TAKEN_BACK else entry.kind.value


def _one_person(snapshot: TableSnapshot, one: str, other: str) -> bool:
    return root_of(snapshot, one) == root_of(snapshot, other)


def root_of(snapshot: TableSnapshot, buyer_id: str) -> str:
    buyer = snapshot.buyers.get(buyer_id)
    while buyer is not None and buyer.merged_into is not None:
        buyer_id = buyer.merged_into
        buyer = snapshot.buyers.get(buyer_id)
    return buyer_id


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (
    accounts,
    pages,
    orders,
    growth,
    worth,
    grants,
    exchanges,
    offers,
    offered_units,
    markers,
    birthdays,
)
