"""Workflows of staff: activities and their stock."""

from chalicelib.domain import activity_draft, product
from chalicelib.services import activities, adjustments, due, products, publishing
from chalicelib.tables.trade import ClosingItem
from tests.shop import DAY_S, STAFF, Shop, Sold
from tests.torture.stage import Act
from tests.torture.workflow import workflow

# Staff.


@workflow
def publishing_an_activity(shop: Shop) -> Act:
    sku = product.SkuDraft({"规格": "3斤装"}, 12900, 9900, stock=50)
    draft = product.ProductDraft("云南高原红颜草莓", shop.category_id, (sku,))
    made = products.create(shop.merchant_id, draft, staff=STAFF, now_s=shop.now_s).product
    sku_id = made.skus[0]["sku_id"]
    shop.initial_stock[sku_id] = 50
    offer = activity_draft.Draft(
        product_id=made.product_id,
        title="周末一起拼",
        skus=(activity_draft.DraftSku(sku_id, 5900, 40),),
        seats_total=2,
        life_h=24,
        ends_at_s=shop.now_s + 7 * DAY_S,
        limit_per_buyer=0,
        limit_per_order=5,
    )
    key = made.product_id[::-1]
    return lambda: publishing.publish(
        shop.merchant_id, offer, staff=STAFF, now_s=shop.now_s, activity_id=key
    )


@workflow
def adding_stock_to_an_activity(shop: Shop) -> Act:
    sold = shop.activity(stock=10, product_stock=20)
    return lambda: adjustments.add_stock(
        shop.merchant_id,
        sold.activity_id,
        sold.sku_id,
        quantity=5,
        staff=STAFF,
        now_s=shop.now_s,
        adjustment_id="one",
    )


@workflow
def ending_an_activity(shop: Shop) -> Act:
    sold = shop.activity()
    shop.opened(sold)
    return lambda: activities.end(shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s)


@workflow
def closing_an_activity(shop: Shop) -> Act:
    sold = shop.activity()
    shop.now_s += 8 * DAY_S
    return lambda: _attend_closing(shop, sold)


def _attend_closing(shop: Shop, sold: Sold) -> None:
    key = ClosingItem.at(shop.merchant_id, sold.activity_id)
    due.attend(key.pk, key.sk, now_s=shop.now_s)
