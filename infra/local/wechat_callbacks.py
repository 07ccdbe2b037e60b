"""Telling merchants of payments and refunds: signed, encrypted, and again until they answer 2xx."""

import contextlib
import heapq
import itertools
import json
import secrets
import threading
import time
import traceback
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local import pace
from infra.local.wechat_accounts import Account
from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_http import Refusal
from infra.local.wechat_keys import Platform

RETRY_AFTER_S = (0.2, 0.4, 0.8, 1.6, 3.2)  # WeChat Pay: 15 times, from 15 s to 6 h apart
ANSWER_TIMEOUT_S = 5.0  # on a machine that does nothing else
WORKERS = 4

Send = Callable[[str, dict[str, str], bytes], int]
_Job = Callable[[], None]


class Agenda:
    """Jobs to be done later, by a few threads."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, _Job]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running, self._stopped = 0, False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What has begun is finished, what has not is forgotten."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def after(self, delay_s: float, job: _Job) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._order), job))
            self._changed.notify_all()

    def quiet(self, timeout_s: float) -> bool:
        """Wait until nothing is due or under way; False when that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._running, timeout_s)

    def _work(self) -> None:
        while job := self._next():
            try:
                job()
            except Exception:
                traceback.print_exc()  # one bad job must not end the thread
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._stopped:
                wait_s = self._due[0][0] - time.monotonic() if self._due else None
                if wait_s is not None and wait_s <= 0:
                    self._running += 1
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait_s)
        return None


@dataclass
class Delivery:
    """One callback: the same id and body however often it is sent."""

    kind: str  # payment or refund
    number: str  # out_trade_no or out_refund_no
    url: str
    body: bytes
    state: str = "pending"  # pending, delivered, given_up, dropped
    answers: list[int] = field(default_factory=list)  # HTTP statuses; 0: no answer
    delivery_id: str = field(default_factory=lambda: f"EV-{secrets.token_hex(12)}")

    def summary(self) -> dict[str, Any]:
        names = ("delivery_id", "kind", "number", "url", "state", "answers")
        return {name: getattr(self, name) for name in names}


class Carrier(ABC):
    """Sends callbacks, again and again until one is taken, and remembers what became of each.

    `send` posts (url, headers, body) and returns the HTTP status; 0 when it was not taken for
    another reason.
    """

    def __init__(self, agenda: Agenda, faults: Faults, send: Send) -> None:
        self._agenda, self._faults = agenda, faults
        self.send = send
        self._deliveries: list[Delivery] = []

    def dispatch(self, delivery: Delivery) -> None:
        """Send a callback for the first time, or let it meet its fault."""
        self._deliveries.append(delivery)
        fault = self._faults.take(f"{delivery.kind}_callback")
        if fault and fault.kind is Kind.DROPPED:
            delivery.state = "dropped"
            return
        delay_s = fault.seconds if fault and fault.kind is Kind.DELAYED else 0.0
        for _ in range(2 if fault and fault.kind is Kind.DUPLICATED else 1):
            self._agenda.after(delay_s, lambda: self._attempt(delivery, RETRY_AFTER_S))

    def resend(self, number: str) -> int:
        """Send the callbacks of a delivery id, out_trade_no or out_refund_no again; how many."""
        found = [d for d in self._deliveries if number in (d.delivery_id, d.number)]
        if not found:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个回调")
        for delivery in found:
            self._agenda.after(0, lambda d=delivery: self._attempt(d, RETRY_AFTER_S))  # type: ignore[misc]
        return len(found)

    def summaries(self, state: str = "") -> list[dict[str, Any]]:
        return [d.summary() for d in list(self._deliveries) if state in ("", d.state)]

    def signed(self, number: str) -> tuple[dict[str, str], bytes]:
        """The latest callback of `number` as it would go out now: (headers, body)."""
        found = [d for d in self._deliveries if number in (d.delivery_id, d.number)]
        if not found:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "没有这个回调")
        return self._headers(found[-1].body), found[-1].body

    @abstractmethod
    def _headers(self, body: bytes) -> dict[str, str]:
        """What goes before `body` when it is sent now."""

    def _attempt(self, delivery: Delivery, retry_after_s: tuple[float, ...]) -> None:
        status = self.send(delivery.url, self._headers(delivery.body), delivery.body)
        delivery.answers.append(status)
        if status in (200, 204):
            delivery.state = "delivered"
        elif retry_after_s:
            wait_s, *rest = retry_after_s
            self._agenda.after(wait_s, lambda: self._attempt(delivery, tuple(rest)))
        elif delivery.state != "delivered":
            delivery.state = "given_up"


class Courier(Carrier):
    """WeChat Pay's. `serial`: which of its keys signs, the public key if empty."""

    def __init__(
        self, platform: Platform, agenda: Agenda, faults: Faults, now: Callable[[], float]
    ) -> None:
        super().__init__(agenda, faults, post)
        self._platform, self._now = platform, now
        self.serial = ""

    def tell(self, account: Account, kind: str, number: str, event: dict[str, Any]) -> None:
        """event: `url`, `type` (TRANSACTION.SUCCESS, …), `summary`, `original_type`, `resource`."""
        delivery = Delivery(kind, number, event["url"], b"")
        resource = account.seal(event["resource"], event["original_type"])
        envelope = {
            "id": delivery.delivery_id,
            "create_time": time.strftime(
                "%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(self._now() + 28800)
            ),
            "resource_type": "encrypt-resource",
            "event_type": event["type"],
            "summary": event["summary"],
            "resource": resource,
        }
        delivery.body = json.dumps(envelope, ensure_ascii=False).encode()
        self.dispatch(delivery)

    def _headers(self, body: bytes) -> dict[str, str]:
        signature = self._platform.sign(body, at_s=self._now(), serial=self.serial)
        return {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0", **signature}


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """Over HTTP, past any proxy: the receiver is on this machine."""
    request = urllib.request.Request(url, body, headers)
    wait_s = pace.patient(ANSWER_TIMEOUT_S)
    try:
        with contextlib.closing(_opener.open(request, timeout=wait_s)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
