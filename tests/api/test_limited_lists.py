"""Lists of a shop that have a limit: additions at the same instant do not pass it together."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.services.catalogue import categories, freight_templates, stores
from chalicelib.services.people import staff
from infra.local.demo_data import FREIGHT, STORE
from tests.fixtures.merchant import Caller, MerchantFixture, Reply, concurrently

LIMIT = 4
Add = Callable[[Caller, int], Reply]


def add_store(owner: Caller, number: int) -> Reply:
    return owner.post("/v1/merchant/stores", STORE | {"name": f"{number} 号店"})


def add_freight(owner: Caller, number: int) -> Reply:
    return owner.post("/v1/merchant/freight-templates", FREIGHT | {"name": f"模板 {number}"})


def add_category(owner: Caller, number: int) -> Reply:
    return owner.post("/v1/merchant/categories", {"name": f"分类 {number}", "position": number})


def add_staff(owner: Caller, number: int) -> Reply:
    body = {"username": f"staff-{number}", "name": "小李", "role": "service"}
    return owner.post("/v1/merchant/staff", body)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (categories, stores, freight_templates):
        monkeypatch.setattr(module, "KIND", replace(module.KIND, most=LIMIT))
    monkeypatch.setattr(staff, "STAFF_MAX", LIMIT)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "add"),
    [
        ("stores", add_store),
        ("freight-templates", add_freight),
        ("categories", add_category),
        ("staff", add_staff),
    ],
)
def test_additions_at_once_do_not_pass_the_limit_together(
    merchant: MerchantFixture, path: str, add: Add
) -> None:
    owner = merchant.owner()
    there = len(owner.get(f"/v1/merchant/{path}").body["items"])

    replies = concurrently([lambda n=n: add(owner, n) for n in range(10)])  # type: ignore[misc]

    refused = {reply.code for reply in replies if reply.status != 201}
    assert sum(reply.status == 201 for reply in replies) == LIMIT - there
    assert refused <= {"limit_reached", "busy"}
    assert add(owner, 10).code == "limit_reached"
    assert len(owner.get(f"/v1/merchant/{path}").body["items"]) == LIMIT


@pytest.mark.slow
def test_invitation_that_comes_twice_at_once_tells_one_password(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    body = {"username": "xiaoli", "name": "小李", "role": "service"}

    replies = concurrently(
        [lambda: owner.post("/v1/merchant/staff", body, Idempotency_Key="k")] * 6
    )

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["first_password"] for reply in replies}) == 1
