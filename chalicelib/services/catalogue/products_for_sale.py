"""What a product gives an activity, or a points offer, to sell."""

from chalicelib.domain.activity_draft import Offer
from chalicelib.domain.product import spec_text
from chalicelib.errors import InvalidRequest
from chalicelib.services.catalogue import products
from chalicelib.services.catalogue.products import Stocked


def source_of(merchant_id: str, product_id: str) -> Stocked:
    """The product that is to be sold. Raises InvalidRequest when it cannot."""
    found = products.find(merchant_id, product_id)
    if found is None:
        raise InvalidRequest("没有这个商品，请重新选择。", field="product_id")
    if not found.product.on_sale:
        raise InvalidRequest("这个商品已下架，请先上架，或选择其他商品。", field="product_id")
    return found


def offers_of(source: Stocked) -> dict[str, Offer]:
    """What the product gives an activity to sell, by SKU."""
    return {
        sku["sku_id"]: Offer(
            sku_id=sku["sku_id"],
            spec=spec_text(sku["specs"]),
            list_price_fen=sku["list_price_fen"],
            solo_price_fen=sku["solo_price_fen"],
            available=source.stocks[sku["sku_id"]].available,
            member_price_fen=sku.get("member_price_fen"),
        )
        for sku in source.product.skus
    }
