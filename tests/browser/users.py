"""People in front of the console, and behind it on their phones."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route

from chalicelib.domain.ids import new_id
from infra.local import demo_data, dev, pace, phone
from infra.local.demo_data import MERCHANT_ID
from infra.local.phone import Phone
from infra.local.shop import Offer
from infra.local.system import STAGE, environment
from infra.package import ROOT
from tests.browser.conftest import Shop

CATEGORIES = "/v1/merchant/categories"
PATIENCE_S = pace.patient(30)


def log_out(page: Page, shop: Shop) -> None:
    """Forget the session, and come back to the login."""
    page.evaluate("() => localStorage.removeItem('tuan.session')")
    page.goto("about:blank")
    page.goto(shop.url)
    page.get_by_role("button", name="登录", exact=True).wait_for()


def fill_login(page: Page, username: str, password: str) -> None:
    page.get_by_label("账号").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()


def created_staff(shop: Shop, role: str) -> tuple[str, str]:
    """Somebody new with `role` who has chosen a password: (username, password)."""
    username, password = f"p{secrets.token_hex(6)}", "a-password-2026"
    member = {"username": username, "name": "新同事", "role": role, "password": password}
    shop.staff().create_staff(member)
    return username, password


def opened(shop: Shop) -> tuple[str, str, str]:
    """Another shop, without anything, as an operator opens it: (merchant_id, owner, password)."""
    merchant_id, owner, password = new_id(), "laoban", "laoban-2026"
    who = ["--stage", STAGE, "--name", "另一家店", "--owner", owner, "--merchant-id", merchant_id]
    env = environment(dev._environment(shop.system.aws_url)) | {"OWNER_PASSWORD": password}
    command = [sys.executable, "-m", "infra.new_merchant", *who]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)
    return merchant_id, owner, password


def buyer(shop: Shop, name: str = "何小鱼") -> Phone:
    """A buyer who was never here before."""
    code = f"demo-{secrets.token_hex(6)}"
    return phone.log_in(shop.system.api, shop.system.local_gateways, MERCHANT_ID, code, name)


def offered(shop: Shop, product: demo_data.Product = demo_data.HONEY) -> Offer:
    """A product of its own with an activity that runs."""
    api, activity = shop.staff().api, product.activity
    assert activity is not None
    categories = {it["name"]: it["category_id"] for it in api.get(CATEGORIES)["items"]}
    body = product.body(categories[product.category])
    made = api.post("/v1/merchant/products", body, key=secrets.token_hex(16))
    sku_ids = tuple(sku["sku_id"] for sku in made["skus"])
    terms = product.activity_body(activity, made["product_id"], sku_ids, now_s=int(time.time()))
    sold = api.post("/v1/merchant/activities", terms, key=secrets.token_hex(16))
    return Offer(
        activity_id=sold["activity_id"],
        version=sold["version"],
        product_id=made["product_id"],
        title=sold["title"],
        seats=sold["seats_total"],
        sku_ids=sku_ids,
        group_fen=tuple(sku.group_fen for sku in product.skus),
    )


def until(look: Callable[[], Any], page: Page | None = None) -> Any:
    """Return what `look` finds, once it finds something; fail when it does not in PATIENCE_S.

    page: one whose events are handled meanwhile.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        if page is not None:
            page.wait_for_timeout(50)
        else:
            time.sleep(0.5)
    raise AssertionError("nothing came of it")


def only(page: Page, held: list[Route]) -> Route:
    """The one request that is held; what the page does may be seen before it arrives."""
    until(lambda: held, page)
    assert len(held) == 1
    return held[0]
