"""Products put on sale, taken off it, or copied, without going through their form."""

from chalicelib.domain.product import TITLE_MAX, ProductDraft, SkuDraft
from chalicelib.errors import Changed
from chalicelib.services.catalogue import products
from chalicelib.services.catalogue.products import Stocked
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.catalogue import ProductCardItem, ProductItem

COPY = " 副本"
SHELVED = {True: "product_shelved", False: "product_unshelved"}  # what the audit log calls it


def put(
    merchant_id: str, product_id: str, *, on_sale: bool, revision: int, staff: str, now_s: int
) -> Stocked:
    """Put a product that was read at `revision` on sale, or take it off; a repeat changes nothing.

    Activities that sell it go on. Written together: product, card, audit row. Raises NotFound,
    Changed or Busy.
    """

    def step() -> Stocked:
        old = products.read(merchant_id, product_id)
        if old.product.on_sale == on_sale:
            return old
        if old.product.revision != revision:
            raise Changed
        card = ProductCardItem.at(merchant_id, product_id, old.product.created_at_s)
        with transaction() as writes:
            writes.update(
                old.product,
                [ProductItem.revision.add(1), ProductItem.on_sale.set(on_sale)],
                condition=ProductItem.revision == revision,
                refuse=LostRace,
            )
            writes.update(
                card,
                [ProductCardItem.on_sale.set(on_sale)],
                condition=ProductCardItem.pk.exists(),
                refuse=LostRace,
            )
            action = SHELVED[on_sale]
            was, is_now = {"on_sale": not on_sale}, {"on_sale": on_sale}
            audit(writes, merchant_id, staff, action, f"product#{product_id}", was, is_now, now_s)
        return products.read(merchant_id, product_id)

    return retried(step)


def copy(
    merchant_id: str,
    product_id: str,
    *,
    copy_id: str,
    body_hash: str,
    staff: str,
    now_s: int,
) -> Stocked:
    """Make another product like this one: not on sale, with nothing in stock.

    A repeat with the same `copy_id` gets the first copy. Raises NotFound, InvalidRequest when
    what it names is no longer there (its category), or Busy.
    """
    item = products.read(merchant_id, product_id).product
    draft = ProductDraft(
        title=item.title[: TITLE_MAX - len(COPY)] + COPY,
        category_id=item.category_id,
        description=item.description,
        images=tuple(item.images),
        on_sale=False,
        selling_point=item.selling_point,
        unit=item.unit,
        warn_below=item.warn_below,
        freight_template_id=item.freight_template_id,
        skus=tuple(SkuDraft(**(sku | {"sku_id": None, "stock": 0})) for sku in item.skus),
    )
    return products.create(
        merchant_id, draft, staff=staff, now_s=now_s, product_id=copy_id, body_hash=body_hash
    )
