"""A buyer's phone: the shop through its API, the money through the local WeChat or Alipay."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.api_client import Api, Reply, Unexpected
from infra.local.demo_data import MERCHANT_ID, address
from infra.local.shop import Offer

BUYS_MAX = 5
TOO_LATE_S = 2  # before the end, where it is not begun to pay
RELEASED_S = 5.0  # until the job has let go of what was not paid


@dataclass(frozen=True)
class Placed:
    """An order that waits for its payment."""

    order_id: str
    group_id: str  # '' of an order bought alone
    total_fen: int
    pay_by_s: int


@dataclass(frozen=True)
class Phone:
    """The phone of a buyer who is logged in."""

    name: str
    token: str
    api: Api
    local_gateways: Mapping[str, Api] = field(hash=False)  # by the method of payment

    def claim(self, template_id: str) -> Reply:
        """Claim a coupon; the answer, whatever it is."""
        path = f"/v1/coupons/{template_id}/claims"
        return self.api.call("POST", path, {}, key=f"claim-{template_id}")

    def quote(self, offer: Offer, *, with_points: bool = False) -> Any:
        """What opening a group would cost, with the best coupon; with_points: with as many points
        as can be used instead."""
        asked = {
            "activity_id": offer.activity_id,
            "sku_id": offer.sku_ids[0],
            "province": address(self.name)["province"],
            "best_coupon": not with_points,
            "best_points": with_points,
        }
        return self.api.post(f"/v1/merchants/{MERCHANT_ID}/quotes", asked)

    def open(
        self,
        offer: Offer,
        *,
        sku: int = 0,
        quantity: int = 1,
        coupon_id: str | None = None,
        points: int = 0,
        agrees: bool = False,
    ) -> Placed:
        """agrees: to go on in another group, if this one is not full in time."""
        path = f"/v1/activities/{offer.activity_id}/groups"
        with_ = {"coupon_id": coupon_id, "points": points, "agrees_to_combine": agrees}
        body = self.purchase(offer, sku, quantity) | with_
        return placed_of(self.api.post(path, body, key=secrets.token_hex(16)))

    def join(self, offer: Offer, group_id: str, *, sku: int = 0, quantity: int = 1) -> Placed:
        """Take a seat. Raises Unexpected when it is refused."""
        path = f"/v1/groups/{group_id}/seats"
        return placed_of(self.api.post(path, self.seat(offer, sku, quantity)))

    def buy_alone(self, offer: Offer, *, sku: int = 0, quantity: int = 1) -> Placed:
        path = f"/v1/activities/{offer.activity_id}/orders"
        body = self.purchase(offer, sku, quantity)
        return placed_of(self.api.post(path, body, key=secrets.token_hex(16)))

    def exchange(self, offer: Offer, offer_id: str, *, sku: int = 0) -> Placed:
        """Order a unit of a points offer."""
        body = self.purchase(offer, sku, 1)
        path = f"/v1/points-offers/{offer_id}/orders"
        return placed_of(self.api.post(path, body, key=secrets.token_hex(16)))

    def try_to_open(self, offer: Offer) -> Reply:
        """Ask for a group; the answer, whatever it is."""
        path = f"/v1/activities/{offer.activity_id}/groups"
        body = self.purchase(offer, 0, 1)
        return self.api.call("POST", path, body, key=secrets.token_hex(16))

    def try_to_join(self, offer: Offer, group_id: str) -> Reply:
        """Ask for a seat; the answer, whatever it is."""
        return self.api.call("POST", f"/v1/groups/{group_id}/seats", self.seat(offer, 0, 1))

    def pay(self, placed: Placed, method: str = "wechat_pay") -> str:
        """Pay on the phone; returns the out_trade_no. The shop hears of it by callback."""
        asked = self.api.post(f"/v1/orders/{placed.order_id}/payments", {"method": method})
        given = asked["parameters"]
        if method == "alipay":
            what = {"url": given["url"]}
        else:
            what = {"prepay_id": given["package"].removeprefix("prepay_id=")}
        return str(self.local_gateways[method].post("/_local/pay", what)["out_trade_no"])

    def buy(self, place: Callable[[], Placed], method: str = "wechat_pay") -> Placed:
        """Place an order and pay it; again, when the time to pay was over before it was asked for,
        as happens on a slow machine with a fast clock. Raises Unexpected for any other refusal."""
        for _ in range(BUYS_MAX):
            placed = place()
            try:
                self.pay(placed, method)
            except Unexpected as refusal:
                if time.time() < placed.pay_by_s - TOO_LATE_S:
                    raise
                late = refusal
                time.sleep(RELEASED_S)
            else:
                return placed
        raise late

    def ask_back(self, placed: Placed, amount_fen: int, reason: str, words: str) -> None:
        """Ask for money of a paid order; the shop will answer."""
        path = f"/v1/orders/{placed.order_id}/after-sales"
        body = {"amount_fen": amount_fen, "reason": reason, "words": words}
        self.api.post(path, body, key=secrets.token_hex(16))

    def receive(self, placed: Placed) -> None:
        """Confirm that the goods came."""
        self.api.post(f"/v1/orders/{placed.order_id}/receipt")

    def points(self) -> Any:
        """The buyer's points, with every entry."""
        account = page = self.api.get("/v1/me/points")
        while page["next"]:
            page = self.api.get(f"/v1/me/points?next={page['next']}")
            account["entries"] += page["entries"]
        return account

    def order(self, order_id: str) -> Any:
        return self.api.get(f"/v1/orders/{order_id}")

    def orders(self) -> list[Any]:
        return self.api.items("/v1/orders")

    def messages(self, order_id: str) -> list[Any]:
        """The messages about one order, the oldest first."""
        told = [m for m in self.api.items("/v1/me/messages") if m["order_id"] == order_id]
        return sorted(told, key=lambda message: str(message["message_id"]))

    def purchase(self, offer: Offer, sku: int, quantity: int) -> dict[str, Any]:
        """What opening a group, and buying alone, takes."""
        return {
            "sku_id": offer.sku_ids[sku],
            "quantity": quantity,
            "address": address(self.name),
        }

    def seat(self, offer: Offer, sku: int, quantity: int) -> dict[str, Any]:
        """What joining takes."""
        hint = {"activity_id": offer.activity_id, "version": offer.version}
        return self.purchase(offer, sku, quantity) | hint


def log_in(
    api: Api, local_gateways: Mapping[str, Api], merchant_id: str, code: str, name: str
) -> Phone:
    """Log a buyer in by a WeChat code (demo-<anything>), and give them a name."""
    session = api.post(f"/v1/merchants/{merchant_id}/sessions", {"code": code})
    named = api.as_(session["token"]).put("/v1/me/profile", {"name": name})
    return Phone(name, named["token"], api.as_(named["token"]), local_gateways)


def placed_of(answer: Any) -> Placed:
    group_id = answer["group_id"] or ""
    return Placed(answer["order_id"], group_id, answer["total_fen"], answer["pay_by_s"])
