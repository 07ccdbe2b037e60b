"""Buyers of the console's tests: they buy over the API what staff then see in the browser."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local import pace
from infra.local.demo_data import MERCHANT_ID, address
from infra.local.phone import Phone, Placed, log_in
from tests.browser.conftest import Shop

WAIT_S = pace.patient(30)
CATALOGUE_KEPT_S = 5  # how old a price may be that buyers are shown


@dataclass(frozen=True)
class Sale:
    """A product of one SKU with an activity that sells it for ¥19.90."""

    product_id: str
    sku_id: str
    activity_id: str
    title: str


def sell(
    shop: Shop,
    title: str,
    *,
    seats: int = 2,
    stock: int = 200,
    group_price_fen: int = 1990,
    leader_price_fen: int | None = None,
    member_price_fen: int | None = None,
    **changes: Any,
) -> Sale:
    """changes: of the activity's terms."""
    owner = shop.staff().api
    sku: dict[str, Any] = {"specs": {"规格": "一箱"}, "solo_price_fen": 2990, "stock": 500}
    sku |= {"list_price_fen": 2990, "member_price_fen": member_price_fen}
    category = owner.get("/v1/merchant/categories")["items"][0]["category_id"]
    body = {"title": title, "category_id": category, "skus": [sku]}
    product = owner.post("/v1/merchant/products", body, key=secrets.token_hex(16))
    sku_id = product["skus"][0]["sku_id"]
    now_s = int(time.time())
    prices = {"group_price_fen": group_price_fen, "leader_price_fen": leader_price_fen}
    terms = {
        "product_id": product["product_id"],
        "title": title,
        "skus": [{"sku_id": sku_id, "stock": stock, **prices}],
        "seats_total": seats,
        "life_h": 24,
        "starts_at_s": 0,
        "ends_at_s": now_s + 7 * 86400,
        "limit_per_buyer": 0,
        "limit_per_order": 5,
    }
    activity = owner.post("/v1/merchant/activities", terms | changes, key=secrets.token_hex(16))
    return Sale(product["product_id"], sku_id, activity["activity_id"], title)


def reprice(shop: Shop, sale: Sale, price_fen: int) -> None:
    """Sell it at another price from now on, as soon as buyers' prices are read again."""
    owner = shop.staff().api
    path = f"/v1/merchant/activities/{sale.activity_id}"
    now = owner.get(path)
    names = ("title", "seats_total", "life_h", "ends_at_s", "limit_per_buyer", "limit_per_order")
    kept = {name: now[name] for name in (*names, "revision")}
    owner.put(path, kept | {"skus": [{"sku_id": sale.sku_id, "group_price_fen": price_fen}]})
    time.sleep(CATALOGUE_KEPT_S)


def give_out(shop: Shop, name: str, **terms: Any) -> str:
    """Nine coupons; the id of their template."""
    body = {"name": name, "kind": "amount", "days": 3, "total": 9} | terms
    made = shop.staff().api.post("/v1/merchant/coupons", body, key=secrets.token_hex(16))
    return str(made["template_id"])


def claim(phone: Phone, template_id: str) -> str:
    """Claim one of a template; the coupon's id."""
    path = f"/v1/coupons/{template_id}/claims"
    return str(phone.api.post(path, key=secrets.token_hex(16))["coupon_id"])


def buyer(shop: Shop, name: str) -> Phone:
    code = f"demo-{secrets.token_hex(6)}"
    return log_in(shop.system.api, shop.system.local_gateways, MERCHANT_ID, code, name)


def buy(phone: Phone, sale: Sale, group_id: str = "", **changes: Any) -> str:
    """Open a group, or join one, and pay; the order's id. changes: of what is sent."""
    path = (
        f"/v1/groups/{group_id}/seats" if group_id else f"/v1/activities/{sale.activity_id}/groups"
    )
    return _paid(phone, path, sale, changes)


def buy_alone(phone: Phone, sale: Sale, **changes: Any) -> str:
    return _paid(phone, f"/v1/activities/{sale.activity_id}/orders", sale, changes)


def form_group(shop: Shop, sale: Sale, *buyers: tuple[Phone, dict[str, Any]]) -> list[str]:
    """A group of these buyers, formed, its orders waiting to be shipped; their ids."""
    (first, given), *others = buyers
    opened = buy(first, sale, **given)
    group_id = first.order(opened)["group_id"]
    shop.system.quiet(WAIT_S)
    orders = [opened, *(buy(phone, sale, group_id, **given) for phone, given in others)]
    for order_id in orders:
        wait_until(shop, order_id, "fulfilling")
    return orders


def pair(shop: Shop, title: str, **changes: Any) -> list[str]:
    """The orders of a formed group of two; `changes` are of both purchases."""
    return pair_of(shop, sell(shop, title), **changes)


def pair_of(shop: Shop, sale: Sale, **changes: Any) -> list[str]:
    return form_group(shop, sale, *((buyer(shop, name), changes) for name in ("钱多多", "孙小美")))


def wait_until(shop: Shop, order_id: str, status: str) -> Any:
    """The order's file once it is in `status`."""

    def look() -> Any:
        file = shop.staff().api.get(f"/v1/merchant/orders/{order_id}")
        return file if file["status"] == status else None

    return until(look, f"{order_id} is not {status}")


def until(look: Callable[[], Any], otherwise: str = "it did not come") -> Any:
    """What `look` finds, once it finds something."""
    ends_s = time.monotonic() + WAIT_S
    while not (found := look()):
        assert time.monotonic() < ends_s, otherwise
        time.sleep(0.2)
    return found


def _paid(phone: Phone, path: str, sale: Sale, changes: dict[str, Any]) -> str:
    body = {"sku_id": sale.sku_id, "quantity": 1, "address": address(phone.name)} | changes
    answer = phone.api.post(path, body, key=secrets.token_hex(16))
    phone.pay(Placed(answer["order_id"], "", answer["total_fen"], answer["pay_by_s"]))
    return str(answer["order_id"])
