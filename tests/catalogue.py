"""A shop with one product on its shelf, for tests of what staff do with goods and activities."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from chalicelib.domain.activity_draft import Draft, DraftSku
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import (
    ServiceError,
)
from chalicelib.services.catalogue import (
    activities,
    categories,
    products,
    publishing,
    reservations,
)
from chalicelib.services.people import merchants
from chalicelib.tables.base import retried, transaction
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.records import AuditItem, RecordItem
from chalicelib.tables.trade import ClosingItem
from tests.caches import clear_caches

NOW_S = 1_800_000_000
DAY_S = 86_400
END_S = NOW_S + 7 * DAY_S
BOSS = "boss"


@dataclass(frozen=True)
class Shop:
    """A merchant with one category and one product of two SKUs, 100 and 50 units."""

    merchant_id: str
    category_id: str
    product_id: str
    red: str
    green: str

    def stock(self) -> tuple[int, int]:
        stocks = products.read(self.merchant_id, self.product_id).stocks
        return stocks[self.red].available, stocks[self.green].available

    def draft(self, red: int = 40, green: int = 10, **changes: object) -> Draft:
        draft = Draft(
            product_id=self.product_id,
            title="周末三人团",
            skus=(DraftSku(self.red, 2990, red), DraftSku(self.green, 0, green)),
            seats_total=3,
            life_h=24,
            ends_at_s=END_S,
        )
        return replace(draft, **changes)  # type: ignore[arg-type]

    def publish(self, **changes: object) -> ActivityItem:
        draft = self.draft(**changes)  # type: ignore[arg-type]
        return publishing.publish(self.merchant_id, draft, staff=BOSS, now_s=NOW_S)

    def audits(self) -> list[AuditItem]:
        month = AuditItem.at(self.merchant_id, NOW_S, "").pk
        return [row for row in RecordItem.query(month) if isinstance(row, AuditItem)]


def new_shop() -> Shop:
    clear_caches()
    merchant_id = merchants.create("果园直送", now_s=NOW_S).merchant_id
    category_id = categories.create(
        merchant_id, name="水果", position=1, staff=BOSS, now_s=NOW_S
    ).category_id
    stocked = products.create(merchant_id, product_draft(category_id), staff=BOSS, now_s=NOW_S)
    red, green = (sku["sku_id"] for sku in stocked.product.skus)
    return Shop(merchant_id, category_id, stocked.product.product_id, red, green)


def product_draft(category_id: str, **changes: object) -> ProductDraft:
    skus = (
        SkuDraft({"颜色": "红色"}, list_price_fen=5900, solo_price_fen=3990, stock=100),
        SkuDraft({"颜色": "绿色"}, list_price_fen=5900, solo_price_fen=4990, stock=50),
    )
    draft = ProductDraft("红富士苹果", category_id, skus)
    return replace(draft, **changes)  # type: ignore[arg-type]


def outcome(step: Callable[[], object]) -> str:
    try:
        step()
    except ServiceError as refusal:
        return refusal.code
    return "done"


def at_once(steps: list[Callable[[], object]]) -> list[str]:
    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(outcome, steps))


def take(activity: ActivityItem, sku_id: str, units: int) -> None:
    """Take units from the activity's buckets, as an order does."""
    shelf = activities.shelf_of(activity, sku_id)

    def attempt(plan: reservations.Plan) -> None:
        with transaction() as writes:
            reservations.take(writes, shelf, plan)

    retried(lambda: reservations.taking(shelf, units, attempt))


def closing_due_at_s(activity: ActivityItem) -> int | None:
    item = stored(ClosingItem.at(activity.merchant_id, activity.activity_id))
    assert item is not None
    return item.due_at_s


def change(shop: Shop, activity: ActivityItem, revision: int = 1, **changes: object):
    draft = replace(shop.draft(), skus=(DraftSku(shop.red, 2000), DraftSku(shop.green, 0)))
    return publishing.change(
        shop.merchant_id,
        activity.activity_id,
        replace(draft, **changes),  # type: ignore[arg-type]
        revision=revision,
        staff=BOSS,
        now_s=NOW_S + 60,
    )


def kept_draft(shop: Shop, **changes: object) -> ProductDraft:
    """The shop's product as it is, ready to be saved."""
    skus = (
        SkuDraft({"颜色": "红色"}, 5900, 3990, sku_id=shop.red),
        SkuDraft({"颜色": "绿色"}, 5900, 4990, sku_id=shop.green),
    )
    return product_draft(shop.category_id, **{"skus": skus, **changes})
