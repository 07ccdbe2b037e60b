"""Cuts a run off at any of its outgoing calls: the process dies there, or gets no answer.

A process dies before a call, or after its effect; whether the answer had come by then makes no
difference to what is stored, and nobody else can tell. One that lives on may lose the answer to
a call that took effect, once or as often as it asks, or not reach the other side at all.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from chalicelib.errors import GatewayFailed
from tests.faults import WRITES, Fault, in_turn, injected, send
from tests.shop import Shop

Around = Callable[[str, Callable[[], object]], object]
GATEWAY_EFFECTS = frozenset({"prepay", "close", "refund"})
EFFECTS = WRITES | GATEWAY_EFFECTS


class Way(StrEnum):
    """What happens at the call where a run is cut off."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    LOSES_ONE = "loses an answer of"  # botocore asks again
    UNANSWERED = "gets no answer from"  # whose effect takes place
    UNREACHED = "does not reach"

    @property
    def dies(self) -> bool:
        return self in (Way.DIES_BEFORE, Way.DIES_AFTER)

    @property
    def takes_effect(self) -> bool:
        return self in (Way.DIES_AFTER, Way.LOSES_ONE, Way.UNANSWERED)


def ways_at(operation: str) -> tuple[Way, ...]:
    """The ways that differ: what only reads has no effect, a gateway is asked but once."""
    if operation in WRITES:
        return tuple(Way)
    if operation in GATEWAY_EFFECTS:
        return tuple(way for way in Way if way is not Way.LOSES_ONE)
    return (Way.DIES_BEFORE, Way.UNREACHED)


class Crash(BaseException):
    """The end of the process: nothing that handles exceptions handles this."""


@dataclass
class Cut:
    """Where a run is cut off: at its call number `at`, counted from 0."""

    at: int
    way: Way = Way.DIES_BEFORE
    calls: int = 0
    operation: str = ""  # the one at which it was cut off
    made: list[str] = field(default_factory=list)  # the operations before it
    _body: bytes | None = None  # of the request that gets no answer, to know its repeats by

    def __str__(self) -> str:
        return f"{self.way} {self.operation} ({self.at})" if self.operation else "comes through"

    def dynamodb(self, operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if not self._cuts(operation, request.body):
            return None
        if self.way.takes_effect and operation in EFFECTS:
            send(request)
        if self.way.dies:
            raise Crash
        raise ReadTimeoutError(endpoint_url=request.url)

    def gateway(self, operation: str, act: Callable[[], object]) -> None:
        if not self._cuts(operation, None):
            act()
            return
        if self.way.takes_effect and operation in EFFECTS:
            act()
        if self.way.dies:
            raise Crash
        raise GatewayFailed(reason="no_answer")

    def _cuts(self, operation: str, body: bytes | None) -> bool:
        """Count the call; whether it is the one, or a repeat of it that is lost as well."""
        number, self.calls = self.calls, self.calls + 1
        if self.operation:
            if self.way.dies:
                raise Crash  # in another thread: the process is dead
            return self._is_lost_again(body)
        if number != self.at:
            self.made.append(operation)
            return False
        self.operation, self._body = operation, body
        return True

    def _is_lost_again(self, body: bytes | None) -> bool:
        """Repeats of one request, until another is sent."""
        again = self.way is not Way.LOSES_ONE and body is not None and body == self._body
        self._body = body if again else None
        return again


@contextmanager
def cut_off(shop: Shop, cut: Cut, *, under: Fault | None = None) -> Iterator[None]:
    """Everything the block sends out goes by `cut`, and then `under`; its crash ends here."""
    gateways = shop.gateways
    before = [gateway.around for gateway in gateways]
    for gateway in gateways:
        gateway.around = _first_by(cut, gateway.around)
    try:
        with injected(in_turn(cut.dynamodb, under) if under else cut.dynamodb):
            yield
    except Crash:
        pass
    finally:
        for gateway, around in zip(gateways, before, strict=True):
            gateway.around = around


def _first_by(cut: Cut, then: Around) -> Around:
    return lambda operation, act: cut.gateway(operation, lambda: then(operation, act))
