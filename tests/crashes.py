"""Cuts a run off at any of its outgoing calls, as a container that dies would be.

Before the call, or after its effect and without its answer. From then on nothing gets out any
more, whatever still runs in other threads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.awsrequest import AWSPreparedRequest

from tests.faults import WRITES, injected, send
from tests.shop import Shop

EFFECTS = WRITES | {"prepay", "close", "refund"}


class Crash(BaseException):
    """The end of the process: nothing that handles exceptions handles this."""


@dataclass
class Cut:
    """Where a run is cut off: at its call number `at`, counted from 0."""

    at: int
    after_effect: bool = False
    calls: int = 0
    operation: str = ""  # the one at which it was cut off

    def dynamodb(self, operation: str, request: AWSPreparedRequest) -> None:
        self._call(operation, lambda: send(request).content)

    def gateway(self, operation: str, act: Callable[[], object]) -> None:
        if not self._call(operation, act):
            act()

    def _call(self, operation: str, act: Callable[[], object]) -> bool:
        """Crash, or count the call; always False: it is still to be made."""
        number, self.calls = self.calls, self.calls + 1
        if number == self.at:
            self.operation = operation
            if self.after_effect and operation in EFFECTS:
                act()
        if number >= self.at:
            raise Crash
        return False


@contextmanager
def cut_off(shop: Shop, cut: Cut) -> Iterator[None]:
    """Everything the block sends out goes by `cut`; its crash ends here."""
    gateways = (shop.gateway, shop.other_gateway)
    before = [gateway.around for gateway in gateways]
    for gateway in gateways:
        gateway.around = cut.gateway
    try:
        with injected(cut.dynamodb):
            yield
    except Crash:
        pass
    finally:
        for gateway, around in zip(gateways, before, strict=True):
            gateway.around = around
