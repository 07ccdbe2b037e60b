"""Workflows of delivery: purchases with freight, orders made ready in a store and handed over."""

from chalicelib.domain.freight import Measure, Rule, Template
from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Delivery
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.services.catalogue import freight_templates, products, stores
from chalicelib.services.catalogue.stores import StoreDraft
from chalicelib.services.fulfilment import pickups
from chalicelib.services.orders import orders, solo_orders
from chalicelib.services.orders.ordering import Purchase
from chalicelib.tables.trade import OrderItem
from tests.fixtures.caches import clear_caches
from tests.fixtures.shop import STAFF, ActivityIds, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.money import approve, ask_back
from tests.laws.faults.workflows.registry import process_group, workflow

TEMPLATE = Template(Measure.WEIGHT, Rule(first=1000, first_fen=800, next=500, next_fen=200))


@workflow
def opening_with_freight(shop: Shop) -> Act:
    sold, buyer = sent_by_template(shop), shop.buyer()
    return lambda: shop.open(sold, buyer, key="one")


@workflow
def joining_with_freight(shop: Shop) -> Act:
    sold = sent_by_template(shop)
    group_id, buyer = shop.opened(sold), shop.buyer()
    return lambda: shop.join(sold, group_id, buyer, quantity=2)


@workflow
def buying_alone_for_pickup(shop: Shop) -> Act:
    sold, store_id, buyer = shop.activity(product_stock=120), new_store(shop), shop.buyer()
    return lambda: buy_for_pickup(shop, sold, store_id, buyer)


@workflow
def making_an_order_ready(shop: Shop) -> Act:
    order_id = to_collect(shop).order_id
    return lambda: pickups.make_ready(shop.merchant_id, order_id, staff=STAFF, now_s=shop.now_s)


@workflow
def handing_an_order_over(shop: Shop) -> Act:
    order_id = to_collect(shop).order_id
    _, detail = pickups.make_ready(shop.merchant_id, order_id, staff=STAFF, now_s=shop.now_s)
    code = str(detail.pickup_code)
    return lambda: pickups.hand_over(shop.merchant_id, code, staff=STAFF, now_s=shop.now_s)


# With units given back.


@workflow
def approving_units_of_an_order_to_collect(shop: Shop) -> Act:
    order = ready_and_asked_back(shop, 9900)
    return lambda: approve(shop, order, 9900, units_back=1)


@workflow
def approving_all_units_of_an_order_to_collect(shop: Shop) -> Act:
    order = ready_and_asked_back(shop, 19799)
    return lambda: approve(shop, order, 19799, units_back=2)


@workflow
def handing_over_what_is_left(shop: Shop) -> Act:
    order = ready_and_asked_back(shop, 9900)
    approve(shop, order, 9900, units_back=1)
    _, detail = orders.detail(shop.merchant_id, order.order_id)
    code = str(detail.pickup_code)
    return lambda: pickups.hand_over(shop.merchant_id, code, staff=STAFF, now_s=shop.now_s)


@workflow
def approving_goods_and_keeping_the_freight(shop: Shop) -> Act:
    sold = sent_by_template(shop)
    group_id = shop.opened(sold)
    order = shop.join(sold, group_id, shop.buyer(), quantity=2)
    shop.pay(order)
    shop.pay(shop.join(sold, group_id, shop.buyer()))
    process_group(shop, group_id)
    ask_back(shop, order, 11800)
    return lambda: approve(shop, order, 11800, units_back=2)


def ready_and_asked_back(shop: Shop, amount_fen: int) -> OrderItem:
    """An order of two units that waits in its store, of which its buyer asks money back."""
    order = ready_to_collect(shop)
    ask_back(shop, order, amount_fen)
    return order


def ready_to_collect(shop: Shop) -> OrderItem:
    order = to_collect(shop)
    pickups.make_ready(shop.merchant_id, order.order_id, staff=STAFF, now_s=shop.now_s)
    return order


def sent_by_template(shop: Shop) -> ActivityIds:
    """An activity whose product has a freight template."""
    sold = shop.activity()
    charge_freight(shop, sold)
    return sold


def charge_freight(shop: Shop, sold: ActivityIds) -> None:
    """Give the product of an activity a freight template: 10.00 for one unit, 16.00 for two."""
    template_id = new_id()
    freight_templates.create(
        shop.merchant_id, template_id, "标准运费", TEMPLATE, staff=STAFF, now_s=shop.now_s
    )
    product = products.read(shop.merchant_id, sold.product_id).product
    skus = tuple(
        SkuDraft(
            dict(sku["specs"]),
            sku["list_price_fen"],
            sku["solo_price_fen"],
            sku_id=sku["sku_id"],
            weight_g=1300,
            member_price_fen=sku.get("member_price_fen"),
        )
        for sku in product.skus
    )
    draft = ProductDraft(product.title, shop.category_id, skus, freight_template_id=template_id)
    products.change(
        shop.merchant_id,
        sold.product_id,
        draft,
        revision=product.revision,
        staff=STAFF,
        now_s=shop.now_s,
    )
    clear_caches()


def new_store(shop: Shop) -> str:
    draft = StoreDraft("西湖店", "文一西路 1 号", "0571-88880000")
    store = stores.create(shop.merchant_id, new_id(), draft, staff=STAFF, now_s=shop.now_s)
    return str(store.store_id)


def buy_for_pickup(shop: Shop, sold: ActivityIds, store_id: str, buyer: str) -> OrderItem:
    purchase = Purchase(
        sku_id=sold.sku_id,
        quantity=2,
        address={"name": "王小明", "phone": "13800138000"},
        delivery=Delivery.PICKUP,
        store_id=store_id,
    )
    return solo_orders.buy_alone(
        shop.merchant_id, buyer, sold.activity_id, purchase, key="one", now_s=shop.now_s
    )


def to_collect(shop: Shop) -> OrderItem:
    """An order that is paid and to be made ready."""
    sold = shop.activity(product_stock=120)
    order = buy_for_pickup(shop, sold, new_store(shop), shop.buyer())
    shop.pay(order)
    return order
