"""Buying alone: at the solo price, without a group, from the product's own stock."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.domain.ids import OrderId, derived_id, new_order_no
from chalicelib.domain.pricing import PriceKind
from chalicelib.domain.product import spec_text
from chalicelib.errors import IdempotencyMismatch, InvalidRequest, NotFound, SessionSuperseded
from chalicelib.gateways import secrets
from chalicelib.services.catalogue import catalogue_cache, reservations
from chalicelib.services.growth import entitlements
from chalicelib.services.growth.levels import Standing
from chalicelib.services.orders import deliveries, newness, ordering, orders, unpaid_order_limit
from chalicelib.services.orders.ordering import Line, Purchase, Quote
from chalicelib.services.orders.unpaid_order_limit import Register
from chalicelib.services.people import shop_cache
from chalicelib.settings import settings
from chalicelib.tables.base import Writes, retried, transaction
from chalicelib.tables.buyers import KeyItem
from chalicelib.tables.catalogue import ActivityItem, ProductItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem


class _Repeat(Exception):
    def __init__(self, old: KeyItem) -> None:
        super().__init__("repeat")
        self.old = old


def buy_alone(
    merchant_id: str,
    buyer_id: str,
    activity_id: str,
    purchase: Purchase,
    *,
    key: str,
    other_ids: Sequence[str] = (),
    now_s: int,
) -> OrderItem:
    """Order at the solo price, from the product's own stock: order, detail, hold, stock and key.

    The price is the product's present one, whatever the activity's terms said once. other_ids: of
    the same person. Raises NotFound, InvalidRequest, UnpaidOrdersLimit, SoldOut,
    IdempotencyMismatch, SessionSuperseded, Busy, and as deliveries.quoted.
    """

    def quoted() -> Quote:
        activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
        ordering.check_quantity(purchase.quantity, limit_per_order=activity.limit_per_order)
        ids = (buyer_id, *other_ids)
        matters = deliveries.level_matters(merchant_id, purchase, prices=True, now_s=now_s)
        coupon, buyer = entitlements.of_purchase(
            merchant_id, ids, purchase.coupon_id, matters=matters, now_s=now_s
        )
        line = solo_line(merchant_id, activity, purchase.sku_id, buyer, now_s)
        return deliveries.quoted(merchant_id, line, purchase, coupon=coupon, now_s=now_s)

    def reserve(writes: Writes, line: Line) -> None:
        reservations.take_from_product(
            writes, merchant_id, line.product_id, line.sku_id, purchase.quantity
        )

    return ordered_once(
        merchant_id,
        buyer_id,
        quoted,
        reserve,
        key=key,
        body_hash=purchase.fingerprint(activity_id),
        other_ids=other_ids,
        now_s=now_s,
    )


def ordered_once(
    merchant_id: str,
    buyer_id: str,
    quoted: Callable[[], Quote],
    reserve: Callable[[Writes, Line], None],
    *,
    key: str,
    body_hash: str,
    other_ids: Sequence[str],
    now_s: int,
) -> OrderItem:
    """Place the order that `quoted` is the price of, without a group; a repeat under the same key
    gets the same one. reserve: writes what it takes besides, with the order."""

    def attempt(quote: Quote, shop: MerchantItem, register: Register) -> OrderItem:
        order_id = OrderId(buyer_id, new_order_no(now_s))
        once = _key_at(merchant_id, buyer_id, key, order_no=order_id.order_no, body_hash=body_hash)
        with transaction() as writes:
            writes.put(once, refuse=_Repeat)
            unpaid_order_limit.register(
                writes, merchant_id, order_id, register, limit=shop.unpaid_orders_max
            )
            reserve(writes, quote.line)
            return ordering.place(
                writes,
                merchant_id,
                order_id,
                quote,
                group_id=None,
                pay_by_s=now_s + settings.shortened(shop.pay_by_s),
                other_ids=other_ids,
                now_s=now_s,
            )

    def first_answer(old: KeyItem) -> OrderItem:
        if old.body_hash != body_hash:
            raise IdempotencyMismatch
        return orders.get(merchant_id, OrderId(old.buyer_id, old.order_no))

    try:
        _refuse_repeat(merchant_id, other_ids, key)
        quote, shop = quoted(), shop_cache.merchant(merchant_id, now_s)
        return unpaid_order_limit.within_limit(
            merchant_id,
            buyer_id,
            lambda register: retried(lambda: attempt(quote, shop, register)),
            check=newness.check_of(merchant_id, (buyer_id, *other_ids), quote),
            other_ids=other_ids,
            now_s=now_s,
        )
    except _Repeat as repeat:
        return first_answer(repeat.old)
    except (NotFound, InvalidRequest, SessionSuperseded, *ordering.CHANGED_SINCE):
        # Was it me? What is sold may have changed since the first request.
        try:
            _refuse_repeat(merchant_id, [buyer_id], key)
        except _Repeat as repeat:
            return first_answer(repeat.old)
        raise


def _key_at(merchant_id: str, buyer_id: str, key: str, **more: str) -> KeyItem:
    key_id = derived_id(secrets.secret("id-key").encode(), "buy", merchant_id, buyer_id, key)
    return KeyItem.at(merchant_id, buyer_id, key_id, **more)


def _refuse_repeat(merchant_id: str, ids: Sequence[str], key: str) -> None:
    """Raise _Repeat when a request with this key has placed an order under one of these ids."""
    wanted = [_key_at(merchant_id, buyer_id, key) for buyer_id in ids]
    keys = [(item.pk, item.sk) for item in wanted]
    for item in TradeItem.batch_get(keys, consistent_read=True) if keys else ():
        if isinstance(item, KeyItem):
            raise _Repeat(item)


def solo_line(
    merchant_id: str, activity: ActivityItem, sku_id: str, buyer: Standing, now_s: int
) -> Line:
    """A SKU of the activity's product at its present solo price, or that of the buyer's level.
    Raises NotFound."""
    product, sku = sold_now(merchant_id, activity.product_id, sku_id, now_s)
    price_fen, kind = sku["solo_price_fen"], PriceKind.SOLO
    if buyer.level is not None:
        member_fen = buyer.level.price_fen(price_fen, sku.get("member_price_fen"))
        if member_fen < price_fen:
            price_fen, kind = member_fen, PriceKind.MEMBER
    return Line(
        activity_id=activity.activity_id,
        version=0,
        product_id=activity.product_id,
        sku_id=sku_id,
        title=product.title,
        spec=spec_text(dict(sku["specs"])),
        image=sku["image"] or (product.images[0] if product.images else ""),
        list_price_fen=sku["list_price_fen"],
        unit_price_fen=price_fen,
        kind=kind,
        buyer=buyer,
    )


def sold_now(
    merchant_id: str, product_id: str, sku_id: str, now_s: int
) -> tuple[ProductItem, Mapping[str, Any]]:
    """The product, and its SKU, as they can be bought without an activity. Raises NotFound."""
    product = catalogue_cache.product(merchant_id, product_id, now_s)
    sku = next((sku for sku in product.skus if sku["sku_id"] == sku_id), None)
    if sku is None or not product.on_sale:
        raise NotFound("这个规格已下架，看看其他规格。")
    return product, sku
