"""Simulations under faults of any strength, for a bounded time; after three job runs every law
holds."""

import pytest

from tests.fixtures.shop import Shop
from tests.laws import run_statistics
from tests.laws.faults.fault_profile import FaultProfile, GatewayFaultProfile
from tests.laws.faults.sandbox import new_sandbox
from tests.laws.faults.simulation import Simulation, no_unexplained_failures

RATES = (0.01, 0.1, 0.3, 1.0)
STEPS = run_statistics.sized(150, 25)
STORMS = run_statistics.sized(20, 2)
ENGINE = ("conflicts", "throttled", "unsent", "lost", "unreached", "unanswered")
GATEWAY = ("lost", "unreached", "limited", "poor")


def fault_profiles() -> list[FaultProfile]:
    """Each fault by itself at each rate; in a sample, at one of the rates."""
    kinds = (*ENGINE, *(f"gateway {kind}" for kind in GATEWAY))
    if run_statistics.FULL:
        chosen = [(kind, rate) for kind in kinds for rate in RATES]
    else:
        chosen = [(kind, run_statistics.chance("rate", kind).choice(RATES)) for kind in kinds]
    found = []
    for kind, rate in chosen:
        name, (where, _, what) = f"{kind} {rate:.0%}", kind.partition(" ")
        if what:
            found.append(FaultProfile(name, gateway=GatewayFaultProfile(**{what: rate})))
        else:
            found.append(FaultProfile(name, engine={where: rate}))
    return [
        *found,
        FaultProfile("conflicts of writes in flight", engine={"emulated": True}),
        FaultProfile("refunds in processing", gateway=GatewayFaultProfile(processing=1)),
        FaultProfile("no callbacks", gateway=GatewayFaultProfile(silent=1)),
        FaultProfile("callbacks over and over", gateway=GatewayFaultProfile(repeating=0.8)),
        FaultProfile("indexes up to 5 s late", index_lag_s=5),
        FaultProfile("clocks up to 5 min apart", skew_s=300),
        FaultProfile("jobs and streams that die", jobs_die=0.7),
        FaultProfile("jobs that run out of time", jobs_run_out=0.7),
    ]


@pytest.mark.parametrize("profile", fault_profiles(), ids=lambda profile: profile.name)
def test_every_law_holds_in_and_after(profile: FaultProfile) -> None:
    simulate(profile, profile.name)


@pytest.mark.parametrize("number", range(STORMS))
def test_every_law_holds_in_and_after_a_storm_of_everything(number: int) -> None:
    chance = run_statistics.chance("storm", number)
    strength = chance.choice([0.01, 0.03, 0.1])
    profile = FaultProfile(
        "storm",
        engine=dict.fromkeys(ENGINE, strength) | {"emulated": chance.random() < 0.5},
        gateway=GatewayFaultProfile(
            **{kind: chance.choice([0, strength, 0.3]) for kind in GATEWAY}
        ),
        index_lag_s=chance.choice([0, 5]),
        skew_s=chance.choice([0, 300]),
        jobs_die=chance.choice([0, 0.3]),
        jobs_run_out=chance.choice([0, 0.3]),
    )
    simulate(profile, f"storm {number}")


def simulate(profile: FaultProfile, name: str) -> None:
    with new_sandbox() as sandbox, no_unexplained_failures():
        shop: Shop = sandbox.shop()
        simulation = Simulation(shop, profile, run_statistics.chance("life", name))
        simulation.run(STEPS)
        run_statistics.count("faults injected", simulation.injected)
        run_statistics.count("orders under faults", len(simulation.orders))
        run_statistics.count("steps of simulations", STEPS)
        simulation.end()
