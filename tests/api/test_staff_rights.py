"""Rights by area over HTTP: what a role sees, what the owner gives and takes, from when on."""

from typing import Any

import pytest

from chalicelib.services.people import sessions
from chalicelib.tables.shop import StaffItem
from tests.fixtures.caches import restore, snapshot
from tests.fixtures.merchant import Caller, MerchantFixture, Reply
from tests.fixtures.staff_logins import create_staff, member, staff_session

STAFF = "/v1/merchant/staff"
MONEY = ("/v1/merchant/refunds", "/v1/merchant/reconciliations", "/v1/merchant/differences")


@pytest.fixture
def boss(merchant: MerchantFixture) -> Caller:
    create_staff(merchant, "boss")
    return staff_session(merchant, "boss")


def change(boss: Caller, username: str, **changes: Any) -> Reply:
    now = member(boss, username)
    body = {name: now[name] for name in ("name", "role", "revision")} | {"disabled": False}
    return boss.put(f"{STAFF}/{username}", body | changes)


def test_service_sees_an_orders_amounts_and_not_what_the_shop_takes_in(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2)
    _, _, order_id = merchant.open_group(activity)
    service = merchant.staff("service")

    dashboard = service.get("/v1/merchant/dashboard").body

    assert (dashboard["today"], dashboard["compared"], dashboard["days"]) == (None, None, None)
    assert set(dashboard["to_do"].values()) == {None}  # nothing that they could work on
    fulfilment = merchant.staff("fulfilment").get("/v1/merchant/dashboard").body["to_do"]
    assert {kind for kind, n in fulfilment.items() if n is not None} == {"to_ship"}
    assert fulfilment["to_ship"] == 0
    assert [service.get(path).code for path in MONEY] == ["forbidden"] * 3
    assert service.get(f"/v1/merchant/orders/{order_id}/ledger").code == "forbidden"
    order = service.get(f"/v1/merchant/orders/{order_id}").body
    assert (order["total_fen"], order["payments"][0]["amount_fen"]) == (5900, 5900)


def test_owner_gives_a_right_which_is_in_force_within_half_a_minute(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "xiaoli", "service")
    xiaoli = staff_session(merchant, "xiaoli")
    assert xiaoli.get("/v1/merchant/refunds").code == "forbidden"
    before = snapshot(sessions._staff)

    given = change(boss, "xiaoli", rights={"refunds": "view", "statistics": "view"})

    assert given.body["rights"]["refunds"] == "view"
    assert given.body["rights"]["orders"] == "act"  # left out: as the role has it
    assert xiaoli.get("/v1/merchant/refunds").status == 200
    assert xiaoli.get("/v1/merchant/dashboard").body["today"]["orders_paid"] == 0
    assert xiaoli.post("/v1/merchant/refunds/x/retry").code == "forbidden"
    assert xiaoli.get("/v1/merchant/me").body["rights"] == given.body["rights"]
    restore(sessions._staff, before)  # a container that has not heard of it
    assert xiaoli.get("/v1/merchant/refunds").code == "forbidden"
    merchant.clock.forward(sessions.KEPT_S)
    assert xiaoli.get("/v1/merchant/refunds").status == 200
    rows = boss.get("/v1/merchant/audit?subject=staff%23xiaoli").body["items"]
    (row,) = [row for row in rows if row["action"] == "staff_changed"]
    assert row["before"] == {"rights": {}}
    assert row["after"] == {"rights": {"refunds": "view", "statistics": "view"}}


def test_owner_takes_a_right_from_a_manager(merchant: MerchantFixture, boss: Caller) -> None:
    create_staff(merchant, "xiaoli", "manager")
    xiaoli = staff_session(merchant, "xiaoli")
    assert xiaoli.get("/v1/merchant/reconciliations").status == 200

    change(boss, "xiaoli", rights={"reconciliation": "none", "goods": "view"})

    assert xiaoli.get("/v1/merchant/reconciliations").code == "forbidden"
    assert xiaoli.get("/v1/merchant/dashboard").body["to_do"]["differences"] is None
    assert xiaoli.get("/v1/merchant/products").status == 200
    refused = xiaoli.post("/v1/merchant/categories", {"name": "水果"})
    assert (refused.status, refused.body["details"]) == (403, {"right": "goods:act"})


def test_rename_leaves_rights_as_they_are_and_another_role_begins_with_its_own(
    merchant: MerchantFixture, boss: Caller
) -> None:
    create_staff(merchant, "xiaoli", "service")
    change(boss, "xiaoli", rights={"statistics": "view"})

    renamed = change(boss, "xiaoli", name="李")
    names = staff_session(merchant, "xiaoli").get("/v1/merchant/me/colleagues").body["items"]
    assert {"username": "xiaoli", "name": "李"} in names
    promoted = change(boss, "xiaoli", role="fulfilment")

    assert renamed.body["rights"]["statistics"] == "view"
    assert promoted.body["rights"]["statistics"] == "none"
    assert promoted.body["rights"]["shipping"] == "act"


@pytest.mark.parametrize(
    ("username", "rights"),
    [
        ("boss", {"staff": "none"}),
        ("boss", {"audit": "none"}),
        ("xiaoli", {"staff": "act"}),
        ("xiaoli", {"shipping": "view"}),
        ("xiaoli", {"flying": "act"}),
    ],
)
def test_owner_keeps_everything_and_staff_stays_the_owners(
    merchant: MerchantFixture, boss: Caller, username: str, rights: dict[str, str]
) -> None:
    create_staff(merchant, "xiaoli", "manager")
    before = member(boss, username)

    refused = change(boss, username, rights=rights)

    assert (refused.status, refused.code) == (400, "invalid_request")
    assert member(boss, username) == before


def test_invitation_gives_rights_and_a_repeat_with_others_is_another(
    merchant: MerchantFixture, boss: Caller
) -> None:
    body = {"username": "xiaoli", "name": "小李", "role": "service"}
    key = {"Idempotency_Key": "a-key-of-mine"}

    invited = [boss.post(STAFF, body | {"rights": {"exports": "act"}}, **key) for _ in range(2)]
    other = boss.post(STAFF, body, **key)

    assert [reply.status for reply in invited] == [201, 201]
    assert other.code == "idempotency_mismatch"
    assert member(boss, "xiaoli")["rights"]["exports"] == "act"
    assert StaffItem.get(f"{merchant.merchant_id}#M", "staff#xiaoli").rights.as_dict() == {
        "exports": "act"
    }


def test_list_of_staff_says_what_can_be_given(boss: Caller) -> None:
    areas = {one["area"]: one for one in boss.get(STAFF).body["areas"]}

    assert areas["statistics"] == {
        "area": "statistics",
        "levels": ["none", "view"],
        "presets": {"owner": "view", "manager": "view", "fulfilment": "none", "service": "none"},
        "needs": {},
    }
    assert areas["refunds"]["levels"] == ["none", "view", "act"]
    assert areas["refunds"]["needs"] == {"orders": "view"}


def test_what_the_shop_paid_is_for_those_who_see_what_it_takes_in(
    merchant: MerchantFixture, boss: Caller
) -> None:
    category_id = boss.get("/v1/merchant/categories").body["items"][0]["category_id"]
    sku = {"specs": {"规格": "一箱"}, "list_price_fen": 2990, "solo_price_fen": 2990}
    body = {
        "title": "脐橙",
        "category_id": category_id,
        "skus": [sku | {"stock": 5, "cost_fen": 950}],
    }
    made = boss.post("/v1/merchant/products", body, key="costs-something-1").body
    path = f"/v1/merchant/products/{made['product_id']}"
    create_staff(merchant, "xiaoli", "service")
    change(boss, "xiaoli", rights={"goods": "act"})
    xiaoli = staff_session(merchant, "xiaoli")

    (listed,) = xiaoli.get("/v1/merchant/products?q=脐橙").body["items"]
    (seen,) = xiaoli.get(path).body["skus"]

    assert (listed["skus"][0]["cost_fen"], seen["cost_fen"]) == (None, None)
    assert boss.get(path).body["skus"][0]["cost_fen"] == 950
    same = sku | {"sku_id": seen["sku_id"]}
    saved = xiaoli.put(path, body | {"title": "甜橙", "skus": [same], "revision": 1})
    assert (saved.status, saved.body["title"]) == (200, "甜橙")
    refused = xiaoli.put(path, body | {"skus": [same | {"cost_fen": 1}], "revision": 2})
    assert (refused.code, refused.body["details"]["field"]) == (
        "invalid_request",
        "skus[0].cost_fen",
    )
    assert boss.get(path).body["skus"][0]["cost_fen"] == 950
    change(boss, "xiaoli", rights={"goods": "act", "statistics": "view"})
    assert xiaoli.get(path).body["skus"][0]["cost_fen"] == 950
