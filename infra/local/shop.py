"""The staff's hands: they open the demonstration shop through the API, as the console would."""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local import demo_data
from infra.local.api_client import Api, Unexpected, post_form
from infra.local.demo_data import Activity, Product
from infra.local.drawings import product_pictures


@dataclass(frozen=True)
class Offer:
    """An activity as buyers meet it. Amounts are whole fen; `sku_ids` as in its product."""

    activity_id: str
    version: int
    product_id: str
    title: str
    seats: int
    sku_ids: tuple[str, ...]
    group_fen: tuple[int, ...]


class Staff:
    """A member of staff who is logged in to the shop at `api`."""

    def __init__(self, api: Api, merchant_id: str, username: str, password: str) -> None:
        login = {"username": username, "password": password}
        self.session = api.post(f"/v1/merchants/{merchant_id}/staff-sessions", login)
        self.merchant_id, self.api = merchant_id, api.as_(self.session["token"])
        self.categories: dict[str, str] = {}
        self._freight_template_id = ""
        self._coupons: dict[str, str] = {}  # ids of templates by their names
        self._settings: dict[str, Any] = {}  # as they were set last

    def set_up(
        self, *, pay_by_s: int | None = None, levels: Mapping[str, Any] = demo_data.LEVELS
    ) -> None:
        """The shop's phone and pay-by time, what orders earn, its people, its categories, its store
        and freight."""
        now = self.api.get("/v1/merchant/settings")
        self._set(
            name=demo_data.SHOP,
            service_phone=demo_data.SERVICE_PHONE,
            business_name=demo_data.BUSINESS_NAME,
            return_address=demo_data.RETURN_ADDRESS,
            pay_by_s=pay_by_s or now["pay_by_s"],
            points=demo_data.POINTS,
            levels=levels,
            rewards=demo_data.REWARDS,
            invitations=demo_data.INVITATIONS,
        )
        for member in demo_data.STAFF:
            self.create_staff(member)
        self.furnish()

    def furnish(self) -> None:
        """The shop's categories, its store and freight."""
        for position, name in enumerate(demo_data.CATEGORIES):
            body = {"name": name, "position": position}
            made = self.api.post("/v1/merchant/categories", body, key=_key())
            self.categories[name] = made["category_id"]
        self.api.post("/v1/merchant/stores", demo_data.STORE, key=_key())
        made = self.api.post("/v1/merchant/freight-templates", demo_data.FREIGHT, key=_key())
        self._freight_template_id = made["template_id"]

    def use_subscribe_templates(self, wechat: Api, appid: str) -> list[str]:
        """Choose a template at WeChat for each kind of message that may go there; their ids."""
        now, sent = self.api.get("/v1/merchant/message-templates"), {}
        for kind in now["subscribe"]:
            facts = {fact["fact"]: fact for fact in kind["facts"]}
            shared = ("title", "order", "time", "shop", "note")
            its_own = [name for name in facts if name not in shared] or ["note"]
            keywords = {
                name: f"{facts[name]['types'][0]}{number}"
                for number, name in enumerate(("title", *its_own, "time"), start=1)
            }
            names = {fact["fact"]: fact["name"] for fact in kind["facts"]}
            labels = {keyword: names[fact] for fact, keyword in keywords.items()}
            asked = {"appid": appid, "title": f"{kind['title']}通知", "keywords": labels}
            template_id = wechat.post("/_local/templates", asked)["template_id"]
            sent[kind["kind"]] = {"template_id": template_id, "keywords": keywords}
        body = {"texts": {}, "subscribe": sent, "revision": now["revision"]}
        self.api.put("/v1/merchant/message-templates", body)
        return [one["template_id"] for one in sent.values()]

    def create_staff(self, member: Mapping[str, str]) -> None:
        """Invite somebody, who then chooses the password that the demonstration tells."""
        invitation = {name: member[name] for name in ("username", "name", "role")}
        invited = self.api.post("/v1/merchant/staff", invitation, key=_key())
        first = {"username": member["username"], "password": invited["first_password"]}
        session = self.api.post(f"/v1/merchants/{self.merchant_id}/staff-sessions", first)
        chosen = {"old_password": first["password"], "new_password": member["password"]}
        self.api.as_(session["token"]).put("/v1/merchant/me/password", chosen)

    def show(self, picture: bytes) -> str:
        """Upload a picture (JPEG) as the console does; the address where everybody sees it."""
        given = {"content_type": "image/jpeg", "size": len(picture)}
        upload = self.api.post("/v1/merchant/pictures", given)
        status = post_form(upload["url"], upload["fields"], picture)
        if status != 204:
            raise Unexpected(f"upload: {status}")
        accepted = self.api.post(f"/v1/merchant/pictures/{upload['picture_id']}/acceptance")
        return str(accepted["url"])

    def stock(self, product: Product) -> tuple[str, tuple[str, ...]]:
        """Create a product; (product_id, the ids of its SKUs in their order)."""
        pictures = [self.show(picture) for picture in product_pictures(product.name)]
        body = product.body(self.categories[product.category], pictures)
        body["freight_template_id"] = self._freight_template_id
        made = self.api.post("/v1/merchant/products", body, key=_key())
        return made["product_id"], tuple(sku["sku_id"] for sku in made["skus"])

    def publish(
        self,
        product: Product,
        activity: Activity,
        *,
        skus: Iterable[Mapping[str, Any]] = (),
        **terms: Any,
    ) -> Offer:
        """Create a product with an activity that sells it. skus: more of each SKU of the activity;
        terms: more of the activity."""
        product_id, sku_ids = self.stock(product)
        body = product.activity_body(activity, product_id, sku_ids, now_s=int(time.time()))
        body["compensation_id"] = self._coupons.get(activity.compensation, "")
        body |= terms
        for sku, more in zip(body["skus"], skus, strict=False):
            sku |= more
        made = self.api.post("/v1/merchant/activities", body, key=_key())
        return Offer(
            activity_id=made["activity_id"],
            version=made["version"],
            product_id=product_id,
            title=made["title"],
            seats=made["seats_total"],
            sku_ids=sku_ids,
            group_fen=tuple(sku.group_fen for sku in product.skus),
        )

    def offer_all(self, products: Iterable[Product]) -> dict[str, Offer]:
        """Create every product, and its activity when it has one; offers by product name."""
        offers = {}
        for product in products:
            if product.activity is None:
                self.stock(product)
            else:
                offers[product.name] = self.publish(product, product.activity)
        return offers

    def give_coupons(self) -> str:
        """Give out the demonstration's coupons, one on birthdays of the highest level's members; a
        code that one of them is claimed with."""
        code = ""
        for body in demo_data.coupon_bodies(self.categories):
            made = self.api.post("/v1/merchant/coupons", body, key=_key())
            self._coupons[made["name"]] = made["template_id"]
            if made["given"] == "code":
                code, *_ = self.write_codes(made["template_id"], demo_data.CODES)
        *lower, highest = self._settings["levels"]["levels"]
        gives = highest | {"birthday_coupon_id": self._coupons[demo_data.BIRTHDAY]}
        self._set(levels=self._settings["levels"] | {"levels": [*lower, gives]})
        return code

    def make_tags(self) -> None:
        """Make the tags that members are sorted by."""
        for body in demo_data.MEMBER_TAGS:
            self.api.post("/v1/merchant/member-tags", body, key=_key())

    def _set(self, **changed: Any) -> None:
        """Change settings of the shop; the others stay as they were set here."""
        now = self.api.get("/v1/merchant/settings")
        self._settings |= changed
        self.api.put("/v1/merchant/settings", self._settings | {"revision": now["revision"]})

    def ship(self, order_id: str, number: str) -> None:
        """Send all of an order in one parcel."""
        body = {"carrier": "顺丰", "number": number}
        self.api.post(f"/v1/merchant/orders/{order_id}/parcels", body)

    def give_points(self, order_id: str, points: int, reason: str) -> None:
        """Give the buyer of an order points."""
        path = f"/v1/merchant/orders/{order_id}/points"
        self.api.post(path, {"points": points, "reason": reason}, key=_key())

    def offer_for_points(
        self, offer: Offer, *, points: int, price_fen: int, units: int, sku: int = 0
    ) -> str:
        """Offer units of what an activity sells for points; the offer's id."""
        body = {
            "name": offer.title,
            "product_id": offer.product_id,
            "sku_id": offer.sku_ids[sku],
            "points": points,
            "price_fen": price_fen,
            "total": units,
        }
        return str(self.api.post("/v1/merchant/points-offers", body, key=_key())["offer_id"])

    def write_codes(self, template_id: str, count: int) -> list[str]:
        """Write so many codes of a coupon template."""
        path = f"/v1/merchant/coupons/{template_id}/codes"
        batch = self.api.post(path, {"count": count}, key=_key())["batch"]
        return [one["code"] for one in self.api.get(f"/v1/merchant/coupon-codes/{batch}")["items"]]

    def available(self, offer: Offer) -> dict[str, int]:
        """Units of each SKU that nobody holds: the activity's and the product's together."""
        activity = self.api.get(f"/v1/merchant/activities/{offer.activity_id}")
        product = self.api.get(f"/v1/merchant/products/{offer.product_id}")
        left = {sku["sku_id"]: sku["available"] for sku in product["skus"]}
        for sku in activity["skus"]:
            left[sku["sku_id"]] += sku["available"]
        return left

    def orders(self, status: str) -> list[Any]:
        return self.api.items(f"/v1/merchant/orders?status={status}")


def _key() -> str:
    """An Idempotency-Key of a request of its own."""
    return secrets.token_hex(16)
