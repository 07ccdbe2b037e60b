"""Bad weather for a bounded time, at any strength; then three job runs, and every law holds."""

import pytest

from tests.shop import Shop
from tests.torture import figures
from tests.torture.life import Life, no_failures_of_our_own
from tests.torture.stage import new_stage
from tests.torture.weather import GatewayWeather, Weather

RATES = (0.01, 0.1, 0.3, 1.0)
STEPS = figures.sized(150, 25)
STORMS = figures.sized(20, 2)
ENGINE = ("conflicts", "throttled", "unsent", "lost", "unreached", "unanswered")
GATEWAY = ("lost", "unreached", "limited", "poor")


def weathers() -> list[Weather]:
    """Each fault by itself at each rate; in a sample, at one of the rates."""
    kinds = (*ENGINE, *(f"gateway {kind}" for kind in GATEWAY))
    if figures.FULL:
        chosen = [(kind, rate) for kind in kinds for rate in RATES]
    else:
        chosen = [(kind, figures.chance("rate", kind).choice(RATES)) for kind in kinds]
    found = []
    for kind, rate in chosen:
        name, (where, _, what) = f"{kind} {rate:.0%}", kind.partition(" ")
        if what:
            found.append(Weather(name, gateway=GatewayWeather(**{what: rate})))
        else:
            found.append(Weather(name, engine={where: rate}))
    return [
        *found,
        Weather("conflicts of writes in flight", engine={"emulated": True}),
        Weather("refunds in processing", gateway=GatewayWeather(processing=1)),
        Weather("no callbacks", gateway=GatewayWeather(silent=1)),
        Weather("callbacks over and over", gateway=GatewayWeather(repeating=0.8)),
        Weather("indexes up to 5 s late", index_lag_s=5),
        Weather("clocks up to 5 min apart", skew_s=300),
        Weather("jobs and streams that die", jobs_die=0.7),
        Weather("jobs that run out of time", jobs_run_out=0.7),
    ]


@pytest.mark.parametrize("weather", weathers(), ids=lambda weather: weather.name)
def test_every_law_holds_in_and_after(weather: Weather) -> None:
    live_through(weather, weather.name)


@pytest.mark.parametrize("number", range(STORMS))
def test_every_law_holds_in_and_after_a_storm_of_everything(number: int) -> None:
    chance = figures.chance("storm", number)
    strength = chance.choice([0.01, 0.03, 0.1])
    weather = Weather(
        "storm",
        engine=dict.fromkeys(ENGINE, strength) | {"emulated": chance.random() < 0.5},
        gateway=GatewayWeather(**{kind: chance.choice([0, strength, 0.3]) for kind in GATEWAY}),
        index_lag_s=chance.choice([0, 5]),
        skew_s=chance.choice([0, 300]),
        jobs_die=chance.choice([0, 0.3]),
        jobs_run_out=chance.choice([0, 0.3]),
    )
    live_through(weather, f"storm {number}")


def live_through(weather: Weather, name: str) -> None:
    with new_stage() as stage, no_failures_of_our_own():
        shop: Shop = stage.shop()
        life = Life(shop, weather, figures.chance("life", name))
        life.live(STEPS)
        figures.count("faults injected", life.injected)
        figures.count("orders in bad weather", len(life.orders))
        figures.count("steps of shops' lives", STEPS)
        life.end()
