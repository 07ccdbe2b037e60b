"""The local system on a slow machine: it waits longer, asks again what had no time to be answered,
and buys again what was paid too late."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.local import api_client, deploy, pace, phone
from infra.local.api_client import Api, Reply, Unexpected
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
    monkeypatch.setattr("infra.local.pace.time.monotonic", lambda: next(times))
    monkeypatch.setattr("infra.local.pace.subprocess.run", lambda *_, **__: None)

    assert pace.factor.__wrapped__() == pytest.approx(factor)


def answering(*statuses: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Answer requests with these statuses, one after another; what was asked, with its key."""
    left, asked = list(statuses), []

    def send(method: str, url: str, headers: dict[str, str], raw: bytes | None) -> Reply:
        asked.append((f"{method} {raw!r}", headers["Idempotency-Key"]))
        return Reply(left.pop(0), {"number": len(asked)})

    monkeypatch.setattr(api_client, "_send", send)
    monkeypatch.setattr(api_client, "ASK_AGAIN_S", 0)
    return asked


def test_what_had_no_time_to_be_answered_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(502, 503, 504, 201, monkeypatch=monkeypatch)

    answer = Api("http://127.0.0.1:9").post("/v1/orders", {"n": 1}, key="once")

    assert answer == {"number": 4}
    assert asked == [("POST b'{\"n\": 1}'", "once")] * 4


def test_what_is_refused_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(409, 201, monkeypatch=monkeypatch)

    with pytest.raises(Unexpected, match="409"):
        Api("http://127.0.0.1:9").post("/v1/orders", key="once")

    assert len(asked) == 1


def test_trouble_that_does_not_pass_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(503, 503, 503, monkeypatch=monkeypatch)
    times = iter((0.0, 1.0, 2.0, 1000.0))
    monkeypatch.setattr("infra.local.api_client.time.monotonic", lambda: next(times))
    monkeypatch.setattr(pace, "factor", lambda: 3.0)

    with pytest.raises(Unexpected, match="503"):
        Api("http://127.0.0.1:9").post("/v1/orders", key="once")


@pytest.mark.parametrize(
    ("factor", "api_s", "job_s"), [(3.0, 10, 60), (4.0, 14, 80), (30.0, 100, 600)]
)
def test_functions_have_more_time_where_everything_takes_longer(
    factor: float, api_s: int, job_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "factor", lambda: factor)
    functions: dict[str, dict[str, Any]] = {
        name: {"Type": "AWS::Serverless::Function", "Properties": {"Timeout": seconds}}
        for name, seconds in (("Api", 10), ("Job", 60))
    }
    template = {"Resources": {**functions, "Table": {"Type": "AWS::DynamoDB::Table"}}}

    deploy.give_time(template)

    given = [functions[name]["Properties"]["Timeout"] for name in ("Api", "Job")]
    assert given == [api_s, job_s]
