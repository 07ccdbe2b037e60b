"""Laws of coupons: who uses one, when it is back, and how many there are."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.coupon import CouponFor, CouponId
from chalicelib.tables.trade import OrderItem
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]


def uses(snapshot: TableSnapshot) -> Violations:
    """A coupon is used by the order that was bought with it while that lives, and by no other."""
    for coupon_id, coupon in snapshot.coupons.items():
        order = snapshot.orders.get(coupon.order_id or "")
        if coupon.order_id is not None and (order is None or order.coupon != coupon_id):
            yield f"29 coupons: {coupon_id} is used by {coupon.order_id}, which knows nothing of it"
        is_unused = coupon.order_id is None and coupon.taken_back_at_s is None
        if is_unused != (coupon.list_key is not None):
            yield f"29 coupons: {coupon_id} stands in {coupon.list_key}, used: {coupon.order_id}"
    for order_id, order in snapshot.orders.items():
        if order.coupon is None:
            continue
        used = snapshot.coupons.get(order.coupon)
        uses_it = used is not None and used.order_id == order_id
        if uses_it != order.view().holds_coupon:
            what = "uses" if uses_it else "does not use"
            yield f"29 coupons: {order.status} order {order_id} {what} {order.coupon}"
        if order.coupon_late and (uses_it or order.coupon_by_s is None):
            yield f"29 coupons: {order.coupon} of order {order_id} has not come back late"


def worth(snapshot: TableSnapshot) -> Violations:
    """An order's coupon takes off what its terms say, of goods that reach its threshold."""
    for order_id, order in snapshot.orders.items():
        detail = snapshot.details.get(order_id)
        lines = detail.lines.as_dict() if detail else {}
        off_fen = lines.get("coupon_fen", 0)
        coupon = snapshot.coupons.get(order.coupon or "")
        if coupon is None:
            if off_fen or order.coupon is not None:
                yield f"29 coupons: order {order_id} has {off_fen} fen off by {order.coupon}"
            continue
        goods_fen = lines["unit_price_fen"] * order.quantity - lines.get("reduction_fen", 0)
        terms = coupon.view().terms
        right = {CouponFor.GROUPS: order.group_id is not None, CouponFor.ALONE: not order.group_id}
        if goods_fen < terms.from_fen or not right.get(terms.usable_for, True):
            yield f"29 coupons: order {order_id} of {goods_fen} fen may not use {order.coupon}"
        if off_fen != terms.off_of(goods_fen) or off_fen <= 0:
            yield f"29 coupons: order {order_id} has {off_fen} fen off by {terms.words}"


def numbers(snapshot: TableSnapshot) -> Violations:
    """Of each template as many are claimed as are missing; nobody has more than one may have."""
    claimed, of_buyer = Counter[str](), Counter[tuple[str, str]]()
    written = Counter[str]()  # codes without a coupon
    for batch in snapshot.coupon_batches:
        written[batch.template_id] += batch.codes - batch.used
    for coupon_id in snapshot.coupons:
        place = CouponId.parse(coupon_id)
        assert place is not None
        claimed[place.template_id] += 1
        of_buyer[place.template_id, place.buyer_id] += 1
    for template_id in {*claimed, *snapshot.coupon_templates, *snapshot.coupon_stocks}:
        template = snapshot.coupon_templates.get(template_id)
        stock = snapshot.coupon_stocks.get(template_id)
        count = claimed[template_id]
        what = f"29 coupons: {count} of template {template_id} are claimed"
        if template is None or stock is None or stock.left < 0:
            yield f"{what}, left: {stock and stock.left}"
        elif stock.left + count + written[template_id] != template.total:
            codes = written[template_id]
            yield f"{what}, {stock.left} left and {codes} codes of {template.total}"
    for (template_id, buyer_id), count in of_buyer.items():
        template = snapshot.coupon_templates.get(template_id)
        if template is not None and count > template.per_buyer:
            yield f"29 coupons: {buyer_id} has {count} of {template_id}, not {template.per_buyer}"


def once(snapshot: TableSnapshot) -> Violations:
    """A code is used for one coupon, and a reason to give one is, too."""
    used = Counter(item.pk for item in snapshot.coupon_codes)
    for batch in snapshot.coupon_batches:
        if not used[batch.pk] == batch.used <= batch.codes:
            what = f"{used[batch.pk]} codes of batch {batch.batch} are used"
            yield f"29 coupons: {what}, counted {batch.used} of {batch.codes}"
    by_code = Counter(item.coupon_id for item in snapshot.coupon_codes)
    given = Counter(item.coupon_id for item in snapshot.coupon_grants)
    for coupon_id, count in (by_code + given).items():
        coupon = snapshot.coupons.get(coupon_id)
        if coupon is None or count > 1:
            yield f"29 coupons: {coupon_id} was claimed {count} times, there: {coupon is not None}"
    coded = {batch.template_id for batch in snapshot.coupon_batches}
    for coupon_id, coupon in snapshot.coupons.items():
        if coupon.template_id in coded and coupon_id not in by_code:
            yield f"29 coupons: {coupon_id} was claimed without a code"


def tallies(snapshot: TableSnapshot) -> Violations:
    """What was counted of each template is what the paid orders with its coupons add up to."""
    there: Counter[tuple[str, str]] = Counter()
    for item in snapshot.coupon_tallies:
        template_id = item.pk.split("#")[2]
        for name in ("orders", "paid_fen", "off_fen"):
            there[template_id, name] += getattr(item, name) or 0
    expected: Counter[tuple[str, str]] = Counter()
    for order in snapshot.orders.values():
        for template_id, name, count in _counted(snapshot, order):
            expected[template_id, name] += count
    for key in {*there, *expected}:
        if there[key] != expected[key]:
            what = f"{there[key]} {key[1]} of template {key[0]}"
            yield f"26 counts: {what} counted, not {expected[key]}"


def _counted(snapshot: TableSnapshot, order: OrderItem) -> Iterator[tuple[str, str, int]]:
    """(template, what, how many) was counted of an order, once its payment was posted."""
    place, seat = CouponId.parse(order.coupon or ""), order.view().seat_payment
    if place is None or seat is None or seat[0] not in (order.posted or ()):
        return
    detail = snapshot.details[str(order.order_id)]
    yield place.template_id, "orders", 1
    yield place.template_id, "paid_fen", seat[1].amount_fen
    yield place.template_id, "off_fen", detail.lines.as_dict()["coupon_fen"]


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (uses, worth, numbers, once, tallies)
