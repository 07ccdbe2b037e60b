"""Who calls the API in tests, and the door they come through."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from chalice.config import Config
from chalice.local import LambdaContext, LocalChalice, LocalGateway, LocalGatewayException

import app as application
from tests import usage

ADDRESS = {
    "name": "王小明",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "余杭区",
    "street": "文一西路969号西溪花园12幢2单元1603室",
}

INVOCATION_S = 3600  # a test on a slow machine is no reason to end a function

_T = TypeVar("_T")


def lambda_context(name: str, *, seconds: float = INVOCATION_S) -> LambdaContext:
    """What Lambda hands to a function that it ends after so many seconds."""
    return LambdaContext(name, 256, max_runtime_ms=int(seconds * 1000))


@dataclass
class Reply:
    """An answer of the API."""

    status: int
    body: Any
    headers: Mapping[str, str]  # names in lower case

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Door:
    """The app behind API Gateway. Every thread that calls is a container of its own."""

    def __init__(self, *, invocation_s: int = INVOCATION_S) -> None:
        application.app.__class__ = LocalChalice  # whose current request is the thread's own
        self._gateway = LocalGateway(application.app, Config.create(lambda_timeout=invocation_s))

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        try:
            with usage.running("api_handler"):
                answer = self._gateway.handle_request(method, path, headers, body)
        except LocalGatewayException as error:  # no such route
            return Reply(error.CODE, json.loads(error.body or b"null"), error.headers)
        text = answer["body"]
        return Reply(
            answer["statusCode"],
            _content(text),
            {name.lower(): value for name, value in answer["headers"].items()},
        )


def _content(text: str) -> Any:
    """JSON, or a text as it is: Alipay takes no other answer."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


@dataclass
class Caller:
    """Somebody with a session (or without) who calls the API."""

    door: Door
    token: str | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """body: sent as JSON, or as it is when it is bytes. A header's _ stands for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        raw = b""
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.door.request(method, path, sent, raw)

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Reply:
        return self.call("PUT", path, body, **headers)


@dataclass(frozen=True)
class Activity:
    activity_id: str
    version: int
    product_id: str
    sku_id: str
    sku_ids: tuple[str, ...] = ()


@dataclass
class Buyer(Caller):
    """A buyer who is logged in."""

    merchant_id: str = ""
    buyer_id: str = ""
    method: str = "wechat_pay"  # how they pay

    def open(self, activity: Activity, *, key: str | None = None, **more: Any) -> Reply:
        body = {"sku_id": activity.sku_id, "address": ADDRESS, **more}
        path = f"/v1/activities/{activity.activity_id}/groups"
        return self.post(path, body, Idempotency_Key=key or secrets.token_hex(8))

    def join(self, activity: Activity, group_id: str, **more: Any) -> Reply:
        hints = {"activity_id": activity.activity_id, "version": activity.version}
        body = {"sku_id": activity.sku_id, "address": ADDRESS, **hints, **more}
        return self.post(f"/v1/groups/{group_id}/seats", body)

    def buy_alone(self, activity: Activity, *, key: str | None = None, **more: Any) -> Reply:
        body = {"sku_id": activity.sku_id, "address": ADDRESS, **more}
        path = f"/v1/activities/{activity.activity_id}/orders"
        return self.post(path, body, Idempotency_Key=key or secrets.token_hex(8))

    def ask_to_pay(self, order_id: str, **more: str) -> Reply:
        return self.post(f"/v1/orders/{order_id}/payments", {"method": self.method, **more})

    def cancel(self, order_id: str) -> Reply:
        return self.post(f"/v1/orders/{order_id}/cancellation")

    def order(self, order_id: str) -> Any:
        return self.get(f"/v1/orders/{order_id}").body

    def status(self, order_id: str) -> str:
        return str(self.order(order_id)["status"])

    def messages(self) -> list[str]:
        """Keys of the buyer's messages, the oldest order's first, each order's as they came."""
        return [item["text_key"] for item in self.get("/v1/me/messages").body["items"]][::-1]


def at_once(calls: Sequence[Callable[[], _T]]) -> list[_T]:
    """Make the calls at the same time, each in a thread of its own; their results in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [made.result() for made in [pool.submit(call) for call in calls]]
