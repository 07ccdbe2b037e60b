"""Law 28: buyer ids and identities belong to one person each, who buys as one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from chalicelib.domain.order import OrderStatus
from chalicelib.services.orders.account_deletion import ENDED
from chalicelib.services.orders.subscribe_messages import State
from chalicelib.services.people.subscriptions import LEFT_MAX
from chalicelib.tables.buyers import AddressBookItem, BuyerItem, MessageItem, SubscriptionsItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.shares import TouchesItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.table_snapshot import LIVE, TableSnapshot

Violations = Iterator[str]


def root_of(snapshot: TableSnapshot, buyer_id: str) -> str:
    """Return the id of the person whose buyer this is."""
    met = set()
    while buyer_id in snapshot.buyers and buyer_id not in met:
        met.add(buyer_id)
        buyer_id = snapshot.buyers[buyer_id].merged_into or buyer_id
    return buyer_id


def ids(snapshot: TableSnapshot) -> Violations:
    owners: dict[str, str] = {}
    for buyer_id, buyer in persons(snapshot).items():
        for one in buyer.ids:
            if one in owners:
                yield f"28 persons: buyer {one} is of {owners[one]} and of {buyer_id}"
            owners[one] = buyer_id
    for buyer_id, buyer in snapshot.buyers.items():
        root = root_of(snapshot, buyer_id)
        if owners.get(buyer_id) != root:
            yield f"28 persons: buyer {buyer_id} of {root} is listed by {owners.get(buyer_id)}"
        holds = snapshot.holds.get(buyer_id)
        wanted = 0 if buyer.merged_into or buyer.erased_at_s else len(buyer.ids)
        if (holds.ids if holds and holds.ids is not None else 1) != wanted:
            yield f"28 persons: purchases of buyer {buyer_id} do not expect {wanted} ids"


def identities(snapshot: TableSnapshot) -> Violations:
    for identity_id, item in snapshot.identities.items():
        root = snapshot.buyers.get(root_of(snapshot, item.buyer_id))
        if root is None or root.identities.as_dict().get(item.slot) != identity_id:
            yield f"28 persons: identity {identity_id} leads to {item.buyer_id}, who lacks it"
    for buyer_id, buyer in snapshot.buyers.items():
        if buyer.merged_into and (buyer.identities.as_dict() or buyer.phone):
            yield f"28 persons: buyer {buyer_id}, who was merged, keeps identities"
        unknown = set(buyer.identities.as_dict().values()) - snapshot.identities.keys()
        if unknown:
            yield f"28 persons: buyer {buyer_id} has identities {unknown} that lead nowhere"


def subscriptions(snapshot: TableSnapshot) -> Violations:
    """What a person agreed to is counted of an identity that leads to somebody; and a message is
    due while it is being sent, and no longer when it is known what became of it."""
    for item in snapshot.items:
        if isinstance(item, SubscriptionsItem):
            identity_id, left = item.pk.rpartition("#")[2], item.left.as_dict()
            if identity_id not in snapshot.identities:
                yield f"28 persons: subscriptions of identity {identity_id}, which nobody has"
            if any(not 1 <= count <= LEFT_MAX for count in left.values()):
                yield f"28 persons: subscriptions of identity {identity_id} are {left}"
        if not isinstance(item, MessageItem) or item.wechat_state is None:
            continue
        if (item.wechat_state == State.SENDING) != (item.due_at_s is not None):
            what = f"{item.wechat_state}, due {item.due_at_s}"
            yield f"24 messages: {item.pk} {item.sk} is {what}"


def reminders(snapshot: TableSnapshot) -> Violations:
    """What a person waits for is looked at in time, was not told yet, and ends with the account."""
    told = {(item.pk, item.name) for item in snapshot.items if isinstance(item, MessageItem)}
    for item in snapshot.items:
        if not isinstance(item, ReminderItem):
            continue
        buyer_id = item.pk.rpartition("#")[2]
        which, root = f"{item.sk} of {buyer_id}", snapshot.buyers.get(root_of(snapshot, buyer_id))
        if item.due_at_s is None:
            yield f"15 work: {which} is not due"
        if (item.pk, f"{item.sk}#{item.asked_at_s:010d}") in told:
            yield f"24 messages: {which} was told and is waited for"
        if root is not None and root.erased_at_s is not None:
            yield f"28 persons: {which}, a closed account, is waited for"


def merged_books(snapshot: TableSnapshot) -> Violations:
    """An id that was merged into another keeps no addresses: nobody would read them."""
    books = address_books(snapshot)
    for buyer_id, buyer in snapshot.buyers.items():
        book = books.get(buyer_id)
        if buyer.merged_into and (book is None or book.addresses):
            yield f"28 persons: buyer {buyer_id}, who was merged, may keep addresses"


def address_books(snapshot: TableSnapshot) -> dict[str, AddressBookItem]:
    """Return the address books by buyer."""
    books = (item for item in snapshot.items if isinstance(item, AddressBookItem))
    return {item.pk.rpartition("#")[2]: item for item in books}


def closed_accounts(snapshot: TableSnapshot) -> Violations:
    """Nothing tells who closed an account, and nothing of theirs is under way but what the shop has
    given back of its own accord since."""
    books = address_books(snapshot)
    for buyer_id, buyer in snapshot.buyers.items():
        root = snapshot.buyers.get(root_of(snapshot, buyer_id), buyer)
        if root.erased_at_s is None:
            continue
        told = [buyer.name, buyer.avatar, buyer.openid, buyer.phone, buyer.openids.as_dict()]
        book = books.get(buyer_id)
        if any(told) or book is None or book.addresses:
            yield f"28 persons: closed account {buyer_id} still tells who it was"
        if any(isinstance(it, TouchesItem) and it.buyer_id == buyer_id for it in snapshot.items):
            yield f"28 persons: closed account {buyer_id} still tells by whom it came"
        for order_id, order in snapshot.orders.items():
            if order.buyer_id != buyer_id or order.status in ENDED:
                continue
            if not _given_back_since(order, root.erased_at_s):
                yield f"28 persons: order {order_id} of a closed account is {order.status}"


def _given_back_since(order: OrderItem, closed_at_s: int) -> bool:
    refunds = order.view().refunds.values()
    waiting = [refund.at_s for refund in refunds if not refund.is_done]
    return order.status == OrderStatus.REFUNDING and min(waiting, default=-1) >= closed_at_s


def orders(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        buyer = snapshot.buyers.get(order.buyer_id)
        if buyer and buyer.merged_at_s and order.order_id.placed_at_s > buyer.merged_at_s:
            yield f"28 persons: order {order_id} was placed under an id that was merged before"


def purchases(snapshot: TableSnapshot) -> Violations:
    """What a person has bought since the last merge was within what their ids have together."""
    shop = next((item for item in snapshot.items if isinstance(item, MerchantItem)), None)
    unpaid_max = shop.unpaid_orders_max if shop else 0
    for buyer_id, buyer in persons(snapshot).items():
        orders = [order for order in snapshot.orders.values() if order.buyer_id in buyer.ids]
        merged_s = max((snapshot.buyers[one].merged_at_s or 0 for one in buyer.ids), default=0)
        if not any(order.order_id.placed_at_s > merged_s for order in orders):
            continue
        for what, held, allowed in _held(snapshot, orders):
            newest_s = max(order.order_id.placed_at_s for order in held)
            units = sum(o.quantity for o in held) if what.startswith("units") else len(held)
            if newest_s > merged_s and units > (allowed or unpaid_max):
                text = f"has {units} {what}, allowed {allowed or unpaid_max}"
                yield f"28 persons: buyer {buyer_id} {text}"


def persons(snapshot: TableSnapshot) -> dict[str, BuyerItem]:
    """Return the buyers who were merged into no other."""
    return {key: item for key, item in snapshot.buyers.items() if item.merged_into is None}


def _held(
    snapshot: TableSnapshot, orders: Iterable[OrderItem]
) -> Iterator[tuple[str, list[OrderItem], int]]:
    """Yield (what is limited, the orders that have it, how many are allowed; 0: the shop says)."""
    found: dict[str, list[OrderItem]] = defaultdict(list)
    limits = {}
    for order in orders:
        offer = snapshot.terms_of(order)
        if order.status == OrderStatus.PENDING:
            found["unpaid orders"].append(order)
        if order.status in LIVE and offer:
            found[f"seats in group {order.group_id}"].append(order)
            limits[f"seats in group {order.group_id}"] = 1
        for_points = snapshot.points_offers.get(order.activity_id)
        limit = for_points.per_buyer if for_points else offer.limit_per_buyer if offer else 0
        if order.status in LIVE and order.limited and limit:
            what = f"units of activity {order.activity_id}"
            found[what].append(order)
            limits[what] = max(limits.get(what, 0), limit)
    for what, held in found.items():
        yield what, held, limits.get(what, 0)


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (
    ids,
    identities,
    subscriptions,
    reminders,
    merged_books,
    closed_accounts,
    orders,
    purchases,
)
