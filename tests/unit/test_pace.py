"""The local system on a slow machine: it waits longer, and buys again what was paid too late."""

import time
from dataclasses import dataclass, field

import pytest

from infra.local import pace, phone
from infra.local.api_client import Api, Unexpected
from infra.local.phone import Phone, Placed


@dataclass(frozen=True)
class LatePhone(Phone):
    """Its first payments are refused."""

    refusals: list[str] = field(default_factory=list, hash=False)

    def pay(self, placed: Placed, method: str = "wechat_pay") -> str:
        if self.refusals:
            raise Unexpected(self.refusals.pop())
        return f"{placed.order_id}01"


def late_phone(*refusals: str) -> LatePhone:
    return LatePhone("小满", "token", Api("http://127.0.0.1:9"), {}, list(refusals))


def place_each(*pay_by_s: float) -> list[Placed]:
    return [Placed(f"order-{n}", "", 100, int(it)) for n, it in enumerate(pay_by_s)]


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "RELEASED_S", 0)


def test_order_whose_time_to_pay_was_over_is_placed_again() -> None:
    orders = iter(place_each(time.time() - 1, time.time() + 600))

    paid = late_phone("ORDER_EXPIRED").buy(lambda: next(orders))

    assert paid.order_id == "order-1"


def test_order_that_is_refused_in_time_is_not_placed_again() -> None:
    orders = iter(place_each(time.time() + 600, time.time() + 600))

    with pytest.raises(Unexpected, match="NOAUTH"):
        late_phone("NOAUTH").buy(lambda: next(orders))

    assert next(orders).order_id == "order-1"


@pytest.mark.parametrize(("took_s", "factor"), [(0.1, 3.0), (0.45, 6.0), (60.0, 30.0)])
def test_waits_grow_with_what_a_known_step_takes(
    took_s: float, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((100.0, 100.0 + took_s))
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(pace.subprocess, "run", lambda *_, **__: None)

    assert pace.factor.__wrapped__() == pytest.approx(factor)
