"""Staff at work over HTTP: who may do what, what they send and what they get."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import clock
from chalicelib.domain.ids import new_id
from chalicelib.services.people import merchants, staff
from tests.fixtures.caches import clear_caches

PASSWORD = "correct horse battery"
WEEK_S = 7 * 86_400


@dataclass(frozen=True)
class Desk:
    """One person's way to the API."""

    client: Client
    merchant_id: str
    token: str | None = None

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        text = b"" if body is None else json.dumps(body).encode()
        answer = self.client.http.request(method, path, headers=headers, body=text)
        return answer.status_code, answer.json_body

    def get(self, path: str) -> tuple[int, Any]:
        return self.ask("GET", path)

    def made(self, path: str, body: Any) -> Any:
        status, answer = self.ask("POST", path, body)
        assert status == 201, answer
        return answer


@pytest.fixture
def anybody() -> Iterator[Desk]:
    clear_caches()
    now_s = clock.now_s()
    merchant_id = merchants.create("果园直送", service_phone="400-800", now_s=now_s).merchant_id
    for role in ("owner", "manager", "fulfilment", "service"):
        staff.add(
            merchant_id,
            role,
            name=role,
            role=role,
            password=PASSWORD,
            staff="system",
            now_s=now_s,
        )
    with Client(app) as client:
        yield Desk(client, merchant_id)


def log_in(anybody: Desk, username: str) -> Desk:
    path = f"/v1/merchants/{anybody.merchant_id}/staff-sessions"
    session = anybody.made(path, {"username": username, "password": PASSWORD})
    assert session["role"] == username
    return Desk(anybody.client, anybody.merchant_id, session["token"])


@pytest.fixture
def manager(anybody: Desk) -> Desk:
    return log_in(anybody, "manager")


def product_body(category_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "title": "红富士苹果",
        "category_id": category_id,
        "skus": [
            {
                "specs": {"颜色": "红色"},
                "list_price_fen": 5900,
                "solo_price_fen": 3990,
                "stock": 100,
            }
        ],
        **changes,
    }


def activity_body(product: Any, **changes: Any) -> dict[str, Any]:
    sku_id = product["skus"][0]["sku_id"]
    return {
        "product_id": product["product_id"],
        "title": "周末三人团",
        "skus": [{"sku_id": sku_id, "group_price_fen": 2990, "stock": 40}],
        "seats_total": 3,
        "life_h": 24,
        "ends_at_s": clock.now_s() + WEEK_S,
        **changes,
    }


def make_product(desk: Desk) -> Any:
    category = desk.made("/v1/merchant/categories", {"name": "水果"})
    return desk.made("/v1/merchant/products", product_body(category["category_id"]))


def test_a_wrong_password_and_no_session_are_refused(anybody: Desk) -> None:
    path = f"/v1/merchants/{anybody.merchant_id}/staff-sessions"
    status, answer = anybody.ask("POST", path, {"username": "owner", "password": "guess"})

    assert (status, answer["code"]) == (401, "wrong_password")
    status, answer = anybody.get("/v1/merchant/products")
    assert (status, answer["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("GET", "/v1/merchant/staff", {"owner"}),
        ("PUT", "/v1/merchant/settings", {"owner", "manager"}),
        ("POST", "/v1/merchant/products", {"owner", "manager"}),
        ("POST", "/v1/merchant/activities", {"owner", "manager"}),
        ("GET", "/v1/merchant/products", {"owner", "manager", "fulfilment", "service"}),
    ],
)
def test_roles_decide_who_may(anybody: Desk, method: str, path: str, roles: Any) -> None:
    for role in ("owner", "manager", "fulfilment", "service"):
        status, _ = log_in(anybody, role).ask(method, path, {})

        assert (status != 403) == (role in roles), role


def test_the_owner_adds_staff(anybody: Desk) -> None:
    owner = log_in(anybody, "owner")
    new = {"username": "xiaoli", "name": "小李", "role": "service"}

    assert set(owner.made("/v1/merchant/staff", new)) == {"username", "first_password"}
    assert owner.ask("POST", "/v1/merchant/staff", new)[0] == 409
    _, everyone = owner.get("/v1/merchant/staff")
    names = [one["username"] for one in everyone["items"]]
    assert names == ["fulfilment", "manager", "owner", "service", "xiaoli"]
    for wrong in ({"username": "X"}, {"password": "a" * 10}, {"role": "king"}, {"age": 3}):
        status, answer = owner.ask("POST", "/v1/merchant/staff", {**new, **wrong})
        assert (status, answer["code"]) == (400, "invalid_request")


def test_settings_are_read_and_changed(anybody: Desk) -> None:
    owner = log_in(anybody, "owner")
    change = {"name": "新果园", "service_phone": "400-801-1234", "pay_by_s": 300, "revision": 1}

    assert owner.get("/v1/merchant/settings")[1]["pay_by_s"] == 600
    status, answer = owner.ask("PUT", "/v1/merchant/settings", change)

    assert (status, answer["name"], answer["revision"]) == (200, "新果园", 2)
    assert owner.ask("PUT", "/v1/merchant/settings", {**change, "pay_by_s": 299})[0] == 400
    status, answer = owner.ask("PUT", "/v1/merchant/settings", {**change, "pay_by_s": 900})
    assert (status, answer["code"]) == (409, "changed")


def test_a_product_is_made_changed_and_stocked(manager: Desk) -> None:
    product = make_product(manager)
    path = f"/v1/merchant/products/{product['product_id']}"
    sku = product["skus"][0]
    kept = {name: sku[name] for name in ("sku_id", "specs", "list_price_fen", "solo_price_fen")}
    change = product_body(product["category_id"], title="阿克苏苹果", skus=[kept], revision=1)

    status, changed = manager.ask("PUT", path, change)
    assert (status, changed["title"], changed["revision"]) == (200, "阿克苏苹果", 2)
    adjustment = {"sku_id": sku["sku_id"], "delta": -30, "reason": "破损"}
    stock_path = f"{path}/stock-adjustments"
    for _ in range(2):
        status, stock = manager.ask("POST", stock_path, adjustment, key="one")
        assert (status, stock) == (201, {"sku_id": sku["sku_id"], "available": 70})
    status, refusal = manager.ask("POST", stock_path, {**adjustment, "delta": -71})
    assert (status, refusal["code"], refusal["details"]) == (409, "sold_out", {"available": 70})
    _, read = manager.get(path)
    assert (read["skus"][0]["available"], read["skus"][0]["activities"]) == (70, [])


def test_a_repeated_creation_makes_one_product(manager: Desk) -> None:
    category = manager.made("/v1/merchant/categories", {"name": "水果"})
    body = product_body(category["category_id"])

    first = manager.ask("POST", "/v1/merchant/products", body, key="click")
    again = manager.ask("POST", "/v1/merchant/products", body, key="click")
    other = manager.ask("POST", "/v1/merchant/products", {**body, "title": "梨"}, key="click")

    assert first == again
    assert (other[0], other[1]["code"]) == (422, "idempotency_mismatch")
    _, page = manager.get("/v1/merchant/products")
    assert [item["title"] for item in page["items"]] == ["红富士苹果"]


def test_products_come_in_pages_that_only_their_reader_can_turn(
    manager: Desk, anybody: Desk
) -> None:
    category = manager.made("/v1/merchant/categories", {"name": "水果"})
    for title in ("一", "二", "三"):
        body = product_body(category["category_id"], title=title)
        manager.made("/v1/merchant/products", body)

    listed = f"/v1/merchant/products?category={category['category_id']}&limit=2"
    _, first = manager.get(listed)
    _, second = manager.get(f"{listed}&next={first['next']}")

    titles = [item["title"] for item in first["items"] + second["items"]]
    assert (sorted(titles), len(first["items"])) == (sorted(["一", "二", "三"]), 2)
    status, refusal = manager.get(f"/v1/merchant/products?next={first['next']}")
    assert (status, refusal["code"]) == (400, "invalid_request")
    assert manager.get("/v1/merchant/products?limit=51")[0] == 400


def test_a_draft_with_problems_says_where_and_what_to_do(manager: Desk) -> None:
    product = make_product(manager)
    sku_id = product["skus"][0]["sku_id"]
    skus = [{"sku_id": sku_id, "group_price_fen": 3990, "stock": 101}]
    body = activity_body(product, skus=skus, life_h=73)

    status, refusal = manager.ask("POST", "/v1/merchant/activities", body)

    assert (status, refusal["code"]) == (400, "invalid_request")
    assert refusal["message"] == "还有 3 处需要修改，改好就能发布。"
    assert refusal["details"]["problems"] == [
        {"field": "life_h", "problem": "成团时限要在 1 到 72 小时之间，请修改。"},
        {
            "field": "skus[0].group_price_fen",
            "problem": "拼团价要低于单买价 ¥39.90，请改为 ¥39.89 或更低。",
        },
        {
            "field": "skus[0].stock",
            "problem": "活动库存最多 100 件（当前可售库存）。请减少数量，或先补充库存。",
        },
    ]


def test_numbers_with_a_fraction_and_unknown_fields_are_refused(manager: Desk) -> None:
    product = make_product(manager)

    for wrong in ({"seats_total": 3.5}, {"seats_total": "3"}, {"auto_form": True}):
        body = activity_body(product, **wrong)
        status, refusal = manager.ask("POST", "/v1/merchant/activities", body)
        assert (status, refusal["code"]) == (400, "invalid_request")


def test_an_activity_is_published_changed_filled_paused_and_ended(manager: Desk) -> None:
    product = make_product(manager)
    activity = manager.made("/v1/merchant/activities", activity_body(product))
    path = f"/v1/merchant/activities/{activity['activity_id']}"
    sku_id = product["skus"][0]["sku_id"]
    assert (activity["state"], activity["skus"][0]["available"]) == ("running", 40)

    change = {
        "title": "周末五人团",
        "skus": [{"sku_id": sku_id, "group_price_fen": 1990}],
        "seats_total": 5,
        "life_h": 24,
        "ends_at_s": activity["ends_at_s"],
        "revision": activity["revision"],
    }
    status, changed = manager.ask("PUT", path, change)
    assert (status, changed["version"], changed["seats_total"]) == (200, 2, 5)
    status, filled = manager.ask("POST", f"{path}/stock", {"sku_id": sku_id, "quantity": 5})
    assert (status, filled["skus"][0]["available"]) == (200, 45)
    states = [manager.ask("POST", f"{path}/{verb}", {}) for verb in ("pause", "resume", "end")]
    assert [(status, answer["state"]) for status, answer in states] == [
        (200, "paused"),
        (200, "running"),
        (200, "ended"),
    ]
    status, refusal = manager.ask("POST", f"{path}/resume")
    assert (status, refusal["code"]) == (409, "activity_closed")
    _, ended = manager.get("/v1/merchant/activities?state=ended")
    assert [item["activity_id"] for item in ended["items"]] == [activity["activity_id"]]
    assert manager.get("/v1/merchant/activities?state=running")[1]["items"] == []


def test_nobody_reaches_another_shop(manager: Desk) -> None:
    product = make_product(manager)
    activity = manager.made("/v1/merchant/activities", activity_body(product))
    now_s = clock.now_s()
    rival_id = merchants.create("别家", now_s=now_s).merchant_id
    staff.add(
        rival_id,
        "manager",
        name="对手",
        role="manager",
        password=PASSWORD,
        staff="system",
        now_s=now_s,
    )
    rival = log_in(Desk(manager.client, rival_id), "manager")

    for path in (
        f"/v1/merchant/products/{product['product_id']}",
        f"/v1/merchant/activities/{activity['activity_id']}",
    ):
        status, refusal = rival.get(path)
        assert (status, refusal["code"]) == (404, "not_found")
    pause = f"/v1/merchant/activities/{activity['activity_id']}/pause"
    assert rival.ask("POST", pause)[0] == 404
    assert rival.get("/v1/merchant/products")[1]["items"] == []


def test_anybody_browses_what_is_not_over(anybody: Desk, manager: Desk) -> None:
    product = make_product(manager)
    activity = manager.made("/v1/merchant/activities", activity_body(product))
    shop = f"/v1/merchants/{anybody.merchant_id}"

    assert anybody.get(shop)[1] == {
        "merchant_id": anybody.merchant_id,
        "name": "果园直送",
        "service_phone": "400-800",
        "logo": "",
        "ship_within_h": 48,
    }
    _, shelves = anybody.get(f"{shop}/categories")
    assert [item["name"] for item in shelves["items"]] == ["水果"]
    _, page = anybody.get(f"{shop}/activities?category={product['category_id']}")
    (card,) = page["items"]
    assert (card["activity_id"], card["state"]) == (activity["activity_id"], "running")
    assert (card["group_price_fen"], card["solo_price_fen"]) == (2990, 3990)
    manager.ask("POST", f"/v1/merchant/activities/{activity['activity_id']}/end", {})
    assert anybody.get(f"{shop}/activities")[1] == {"items": [], "next": None}
    for path in ("", "/categories", "/activities"):
        assert anybody.get(f"/v1/merchants/{new_id()}{path}")[0] == 404
