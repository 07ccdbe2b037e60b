"""FaultProfile: what goes wrong around a shop, and how often."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class GatewayFaultProfile:
    """Rates of what goes wrong at gateways, most of them by call."""

    lost: float = 0  # an effect without an answer, or with one too late
    unreached: float = 0  # no effect, and no answer
    limited: float = 0  # asked too often
    poor: float = 0  # the balance does not cover a refund
    processing: float = 0  # a refund stays in processing
    silent: float = 0  # a callback never comes
    repeating: float = 0  # it comes once more


@dataclass
class FaultProfile:
    """What goes wrong, and how often; skew_s: how far the clocks of functions may be apart."""

    name: str
    engine: dict[str, Any] = field(default_factory=dict)  # of tests.faults.Faults
    gateway: GatewayFaultProfile = field(default_factory=GatewayFaultProfile)
    index_lag_s: float = 0
    skew_s: int = 0
    jobs_die: float = 0
    jobs_run_out: float = 0
