"""Workflows of staff: activities and their stock."""

from chalicelib.domain import activity_draft, product
from chalicelib.domain.exports import Subject, Wanted
from chalicelib.services.catalogue import (
    activities,
    adjustments,
    product_shelf,
    products,
    publishing,
)
from chalicelib.services.groups import activity_closing, group_controls
from chalicelib.services.orders import order_search
from chalicelib.services.reports import exports
from chalicelib.services.work import due
from chalicelib.tables.trade import ClosingItem
from tests.fixtures.shop import DAY_S, LIFE_S, STAFF, ActivityIds, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import workflow

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
def saving_a_product(shop: Shop) -> Act:
    sku = product.SkuDraft({"规格": "3斤装"}, 12900, 9900, stock=50)
    draft = product.ProductDraft("云南高原红颜草莓", shop.category_id, (sku,))
    product_id = shop.category_id[::-1]
    return lambda: products.create(
        shop.merchant_id, draft, staff=STAFF, now_s=shop.now_s, product_id=product_id
    )


@workflow
def taking_a_product_off_sale(shop: Shop) -> Act:
    sold = shop.activity()
    return lambda: product_shelf.put(
        shop.merchant_id, sold.product_id, on_sale=False, revision=1, staff=STAFF, now_s=shop.now_s
    )


@workflow
def copying_a_product(shop: Shop) -> Act:
    sold = shop.activity()
    copy_id = sold.product_id[::-1]
    return lambda: product_shelf.copy(
        shop.merchant_id,
        sold.product_id,
        copy_id=copy_id,
        body_hash="",
        staff=STAFF,
        now_s=shop.now_s,
    )


@workflow
def adjusting_the_stock_of_a_product(shop: Shop) -> Act:
    sold = shop.activity(stock=10, product_stock=20)
    return lambda: adjustments.adjust_stock(
        shop.merchant_id,
        sold.product_id,
        sold.sku_id,
        delta=5,
        reason="盘点",
        staff=STAFF,
        now_s=shop.now_s,
        adjustment_id="one",
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
    return lambda: _process_closing(shop, sold)


# Groups.


@workflow
def closing_a_group(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id = shop.opened(sold)
    shop.ask(shop.join(sold, group_id, shop.buyer()))
    return lambda: group_controls.close_group(
        shop.merchant_id, group_id, reason="缺货", staff=STAFF, now_s=shop.now_s
    )


@workflow
def extending_a_group(shop: Shop) -> Act:
    group_id = shop.opened(shop.activity())
    expires_at_s = shop.now_s + LIFE_S
    return lambda: group_controls.extend(
        shop.merchant_id,
        group_id,
        hours=24,
        expires_at_s=expires_at_s,
        staff=STAFF,
        now_s=shop.now_s,
    )


@workflow
def ending_an_activity_with_its_groups(shop: Shop) -> Act:
    sold = shop.activity()
    shop.opened(sold)
    return lambda: activity_closing.end(
        shop.merchant_id, sold.activity_id, close_groups=True, staff=STAFF, now_s=shop.now_s
    )


@workflow
def closing_the_groups_of_an_ended_activity(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    shop.pay(shop.join(sold, shop.opened(sold), shop.buyer()))
    shop.opened(sold)
    activity_closing.end(
        shop.merchant_id, sold.activity_id, close_groups=True, staff=STAFF, now_s=shop.now_s
    )
    return lambda: _process_closing(shop, sold)


def _process_closing(shop: Shop, sold: ActivityIds) -> None:
    key = ClosingItem.at(shop.merchant_id, sold.activity_id)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)


@workflow
def exporting_orders(shop: Shop) -> Act:
    """Asked for, and begun by the stream."""
    order = shop.open(shop.activity(), shop.buyer())
    shop.pay(order)
    order_search.put_words(order)
    wanted = Wanted(Subject.ORDERS, ("order_id", "status"))
    export_id = order.order_id.buyer_id[::-1]

    def act() -> None:
        exports.ask(
            shop.merchant_id, export_id, wanted, body_hash="", staff=STAFF, now_s=shop.now_s
        )
        due.process_item(f"{shop.merchant_id}#E#{export_id}", "export", now_s=shop.now_s)

    return act
