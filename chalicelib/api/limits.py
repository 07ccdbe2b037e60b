"""How often one caller may ask: a brake inside each container, beside the stage's own throttle.

It costs no round trip, so joins keep their budget; and it is no exact count, because every
container counts for itself. What must be exact (guesses at passwords and codes) is counted in the
table (services.people.brute_force_guard), and so are unpaid orders
(services.orders.unpaid_order_limit). The numbers leave room for a shop's rush hour behind one
carrier's address.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from chalice.app import Request

from chalicelib import observability
from chalicelib.api.auth import Buyer, Staff
from chalicelib.errors import ServiceError, TooManyRequests

CALLERS_MAX = 1024  # remembered per limit; the one who asked longest ago is forgotten first
NETWORK_BITS = 64  # of an IPv6 address: what one subscriber has for their own


class Window:
    """Asks of each caller in the last `per_s` seconds, to the second."""

    def __init__(self, times: int, per_s: int, *, callers_max: int = CALLERS_MAX) -> None:
        self.times, self.per_s, self.callers_max = times, per_s, callers_max
        self._asks: OrderedDict[str, deque[tuple[int, int]]] = OrderedDict()  # (second, asks)
        self._lock = threading.Lock()

    def wait_s(self, caller: str, *, now_s: int) -> int:
        """Seconds until `caller` may ask again; 0: now."""
        with self._lock:
            recent = self._recent(caller, now_s)
            if sum(asks for _, asks in recent) < self.times:
                return 0
            return recent[0][0] + self.per_s - now_s

    def count(self, caller: str, *, now_s: int) -> None:
        with self._lock:
            recent = self._recent(caller, now_s)
            asks = recent.pop()[1] if recent and recent[-1][0] == now_s else 0
            recent.append((now_s, asks + 1))
            self._asks[caller] = recent
            self._asks.move_to_end(caller)
            while len(self._asks) > self.callers_max:
                self._asks.popitem(last=False)

    def reset(self) -> None:
        with self._lock:
            self._asks.clear()

    def _recent(self, caller: str, now_s: int) -> deque[tuple[int, int]]:
        recent = self._asks.get(caller) or deque()
        while recent and recent[0][0] <= now_s - self.per_s:
            recent.popleft()
        while recent and recent[-1][0] > now_s:  # a clock that was set back
            recent.pop()
        return recent


class By(StrEnum):
    """Who a caller is, for a limit."""

    ADDRESS = "address"
    ADDRESS_AND_MERCHANT = "address_and_merchant"  # the merchant of the path
    PERSON = "person"  # of the session


@dataclass(frozen=True)
class Limit:
    """A window for each caller of an operation; for refused asks only, if it says so."""

    window: Window
    by: By
    refused_only: bool = False


BUYER_LOGINS = Limit(Window(600, per_s=60), By.ADDRESS_AND_MERCHANT)
PHONE_CODES = Limit(Window(60, per_s=60), By.ADDRESS_AND_MERCHANT)
WRONG_CODES = Limit(Window(60, per_s=60), By.ADDRESS_AND_MERCHANT, refused_only=True)
STAFF_LOGINS = Limit(Window(60, per_s=60), By.ADDRESS)
QUOTES = Limit(Window(600, per_s=60), By.ADDRESS)
VISITS = Limit(Window(600, per_s=60), By.ADDRESS)
PURCHASES = Limit(Window(30, per_s=60), By.PERSON)
COUPON_CLAIMS = Limit(Window(30, per_s=60), By.PERSON)
WRONG_COUPON_CODES = Limit(Window(20, per_s=600), By.PERSON, refused_only=True)
REMINDERS = Limit(Window(30, per_s=60), By.PERSON)
PAYMENT_RESULTS = Limit(Window(30, per_s=60), By.PERSON)  # each may ask a gateway
ACCOUNT_CHECKS = Limit(Window(10, per_s=60), By.PERSON)  # each asks a gateway
BUYER_PICTURES = Limit(Window(30, per_s=60), By.PERSON)  # forms and acceptances
STAFF_PICTURES = Limit(Window(120, per_s=60), By.PERSON)
ALL = (
    BUYER_LOGINS,
    PHONE_CODES,
    WRONG_CODES,
    STAFF_LOGINS,
    QUOTES,
    VISITS,
    PURCHASES,
    COUPON_CLAIMS,
    WRONG_COUPON_CODES,
    REMINDERS,
    PAYMENT_RESULTS,
    ACCOUNT_CHECKS,
    BUYER_PICTURES,
    STAFF_PICTURES,
)


@contextmanager
def kept(
    limits: Sequence[Limit], request: Request, who: Buyer | Staff | None, *, now_s: int
) -> Iterator[None]:
    """Count the block as an ask. Raises TooManyRequests instead when it would be one too many."""
    callers = [(limit, _caller(limit.by, request, who)) for limit in limits]
    for limit, caller in callers:
        wait_s = limit.window.wait_s(caller, now_s=now_s)
        if wait_s:
            observability.count("RequestsLimited")
            raise TooManyRequests(retry_after_s=wait_s)
    for limit, caller in callers:
        if not limit.refused_only:
            limit.window.count(caller, now_s=now_s)
    try:
        yield
    except ServiceError as error:
        for limit, caller in callers:
            if limit.refused_only and error.status < 500:
                limit.window.count(caller, now_s=now_s)
        raise


def reset() -> None:
    """Let everybody begin anew."""
    for limit in ALL:
        limit.window.reset()


def _caller(by: By, request: Request, who: Buyer | Staff | None) -> str:
    if by is By.PERSON:
        return _person(who)
    address = network_of(request)
    if by is By.ADDRESS_AND_MERCHANT:
        return f"{address} {(request.uri_params or {})['merchant_id']}"
    return address


def _person(who: Buyer | Staff | None) -> str:
    if isinstance(who, Buyer):
        return f"{who.merchant_id} {who.buyer_id}"
    if isinstance(who, Staff):
        return f"{who.merchant_id} {who.username}"
    raise TypeError("Only an operation that wants a session can limit by person.")


def address_of(request: Request) -> str:
    """Where a request comes from, as API Gateway saw it; what a header says is anybody's word."""
    return str(request.context["identity"]["sourceIp"])


def network_of(request: Request) -> str:
    """The address of one subscriber, or of those who share it."""
    source = address_of(request)
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        return str(ip_network((address, NETWORK_BITS), strict=False))
    return source
