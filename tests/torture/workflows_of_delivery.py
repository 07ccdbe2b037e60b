"""Workflows of delivery: purchases with freight, orders made ready in a store and handed over."""

from chalicelib.domain.freight import Measure, Rule, Template
from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Delivery
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.services.catalogue import products
from chalicelib.services.fulfilment import freight_templates, pickups, stores
from chalicelib.services.fulfilment.stores import StoreDraft
from chalicelib.services.trade import orders, terms
from chalicelib.services.trade.ordering import Purchase
from chalicelib.tables.trade import OrderItem
from tests.shop import STAFF, Shop, Sold
from tests.torture.stage import Act
from tests.torture.workflow import workflow

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


def sent_by_template(shop: Shop) -> Sold:
    """An activity whose product has a freight template."""
    sold, template_id = shop.activity(), new_id()
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
    terms.forget()
    return sold


def new_store(shop: Shop) -> str:
    draft = StoreDraft("西湖店", "文一西路 1 号", "0571-88880000")
    store = stores.create(shop.merchant_id, new_id(), draft, staff=STAFF, now_s=shop.now_s)
    return str(store.store_id)


def buy_for_pickup(shop: Shop, sold: Sold, store_id: str, buyer: str) -> OrderItem:
    purchase = Purchase(
        sku_id=sold.sku_id,
        quantity=2,
        address={"name": "王小明", "phone": "13800138000"},
        delivery=Delivery.PICKUP,
        store_id=store_id,
    )
    return orders.buy_alone(
        shop.merchant_id, buyer, sold.activity_id, purchase, key="one", now_s=shop.now_s
    )


def to_collect(shop: Shop) -> OrderItem:
    """An order that is paid and to be made ready."""
    sold = shop.activity(product_stock=120)
    order = buy_for_pickup(shop, sold, new_store(shop), shop.buyer())
    shop.pay(order)
    return order
