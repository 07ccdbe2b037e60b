"""Lists of products for staff: by state, by category, by words; each row with its stock.

Every list reads the products' cards (ProductCardItem) in one query, which leaves aside what does
not fit before it counts to the page's length; then the page's products and stocks by their keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pynamodb.expressions.condition import Condition

from chalicelib.domain.product import sought
from chalicelib.services.catalogue.activity_lists import stocks_left
from chalicelib.tables.base import PageKey, all_of, chunks
from chalicelib.tables.catalogue import (
    ActivityItem,
    ProductCardItem,
    ProductItem,
    ProductStockItem,
    products_list,
)
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.trade import StockItem
from chalicelib.tables.trade_item import TradeItem

CARDS_MAX = 3_000  # evaluated by one call at most; DynamoDB ends it at 1 MB, some 3,000 cards
LOOKED_MAX = 300  # products whose stocks one page of a stock state may read
LOOKED_AT_ONCE = 50
COUNTED_MAX = 2_000  # products whose stocks are read to count those that are short


class State(StrEnum):
    ON_SALE = "on_sale"
    OFF_SALE = "off_sale"
    LOW_STOCK = "low_stock"  # on sale, and a SKU has fewer units than the product's `warn_below`
    SOLD_OUT = "sold_out"  # on sale, and no SKU has a unit


@dataclass(frozen=True)
class Row:
    """A product as lists show it.

    available: units that no activity holds, of all SKUs that it has now. activities: ids of those
    that sell some of them; `held`: units that they and points offers have left.
    """

    product: ProductItem
    available: int
    activities: Sequence[str]
    held: int


def page(
    merchant_id: str,
    *,
    state: State | None = None,
    category_id: str | None = None,
    q: str = "",
    key: PageKey | None = None,
    limit: int,
) -> tuple[list[Row], PageKey | None]:
    """Products, the newest first, and where the list goes on (None: at its end).

    q: words that the title or a SKU's code holds, all of them. In a state of stock a page may
    have fewer rows than `limit`, or none, and yet go on.
    """
    fits = _condition(state, category_id, q)
    by_stock = state in (State.LOW_STOCK, State.SOLD_OUT)
    found = CatalogueItem.query(
        products_list(merchant_id),
        filter_condition=fits,
        consistent_read=True,  # what was just made is there
        scan_index_forward=False,
        limit=LOOKED_MAX if by_stock else limit,
        page_size=CARDS_MAX,
        last_evaluated_key=key,
    )
    cards = [item for item in found if isinstance(item, ProductCardItem)]
    after = found.last_evaluated_key
    if by_stock:
        cards, more = _short_of_stock(cards, sold_out=state is State.SOLD_OUT, limit=limit)
        after = _key_of(cards[-1]) if more else after
    return _rows(cards), after


def ids_of(merchant_id: str, q: str, *, at_most: int) -> list[str]:
    """The newest products whose title or a SKU's code holds all words of `q`, in one query."""
    found = CatalogueItem.query(
        products_list(merchant_id),
        filter_condition=_condition(None, None, q),
        scan_index_forward=False,
        limit=at_most,
        page_size=CARDS_MAX,
    )
    return [item.product_id for item in found if isinstance(item, ProductCardItem)]


def short_of_stock(merchant_id: str, *, at_most: int) -> int | None:
    """How many products are in State.LOW_STOCK, up to `at_most`; None: too many to look at."""
    found = CatalogueItem.query(
        products_list(merchant_id),
        filter_condition=_condition(State.LOW_STOCK, None, ""),
        limit=COUNTED_MAX + 1,
        page_size=CARDS_MAX,
    )
    cards = [item for item in found if isinstance(item, ProductCardItem)]
    if len(cards) > COUNTED_MAX:
        return None
    return len(_short_of_stock(cards, sold_out=False, limit=at_most)[0])


def _condition(state: State | None, category_id: str | None, q: str) -> Condition | None:
    conditions: list[Condition] = []
    if state is not None:
        conditions.append(ProductCardItem.on_sale == (state is not State.OFF_SALE))
    if state is State.LOW_STOCK:
        conditions.append(ProductCardItem.warn_below > 0)
    if category_id is not None:
        conditions.append(ProductCardItem.category_id == category_id)
    conditions += [ProductCardItem.words.contains(word) for word in sought(q)]
    return all_of(conditions)


def _short_of_stock(
    cards: Sequence[ProductCardItem], *, sold_out: bool, limit: int
) -> tuple[list[ProductCardItem], bool]:
    """(the first `limit` cards that are short of stock, whether cards after them were left)."""
    short: list[ProductCardItem] = []
    for some in chunks(cards, LOOKED_AT_ONCE):
        stocks = _stocks(some)
        for card in some:
            if len(short) == limit:
                return short, True
            units = [stocks[card.product_id, sku_id].available for sku_id in card.sku_ids]
            if (max(units) == 0) if sold_out else (min(units) < card.warn_below):
                short.append(card)
    return short, False


def _rows(cards: Sequence[ProductCardItem]) -> list[Row]:
    """The cards with their products, stocks and activities: a few reads by key, whatever they
    are of, a hundred keys by one."""
    if not cards:
        return []
    merchant_id, stocks = cards[0].merchant_id, _stocks(cards)
    wanted = [ProductItem.at(merchant_id, card.product_id) for card in cards]
    products = {item.product_id: item for item in _read(wanted) if isinstance(item, ProductItem)}
    selling = {
        card.product_id: {
            activity_id
            for sku_id in card.sku_ids
            for activity_id in stocks[card.product_id, sku_id].activities.as_dict()
        }
        for card in cards
    }
    left = _left(merchant_id, set().union(*selling.values()))
    offered = _offered(stocks.values())
    return [
        Row(
            product=products[card.product_id],
            available=sum(stocks[card.product_id, sku_id].available for sku_id in card.sku_ids),
            activities=sorted(selling[card.product_id]),
            held=sum(left.get(activity_id, 0) for activity_id in selling[card.product_id])
            + sum(offered.get((card.product_id, sku_id), 0) for sku_id in card.sku_ids),
        )
        for card in cards
    ]


def _left(merchant_id: str, activity_ids: Iterable[str]) -> dict[str, int]:
    """Units that each activity has left, of all that it sells."""
    wanted = [ActivityItem.at(merchant_id, activity_id) for activity_id in activity_ids]
    found = [item for item in _read(wanted) if isinstance(item, ActivityItem)]
    return {key: sum(units.values()) for key, units in stocks_left(found).items()}


def _offered(stocks: Iterable[ProductStockItem]) -> dict[tuple[str, str], int]:
    """Units that points offers have left, by product and SKU."""
    of_bucket = {
        StockItem.at(stock.merchant_id, offer_id, stock.sku_id, 0).pk: stock
        for stock in stocks
        for offer_id in stock.offers or ()
    }
    found: dict[tuple[str, str], int] = {}
    keys = [(pk, "stock") for pk in of_bucket]
    for bucket in TradeItem.batch_get(keys, consistent_read=True) if keys else ():
        if isinstance(bucket, StockItem):
            stock = of_bucket[bucket.pk]
            place = stock.product_id, stock.sku_id
            found[place] = found.get(place, 0) + bucket.available
    return found


def _stocks(cards: Sequence[ProductCardItem]) -> dict[tuple[str, str], ProductStockItem]:
    """Stocks by product and SKU, a hundred by one call."""
    keys = [
        ProductStockItem.at(card.merchant_id, card.product_id, sku_id)
        for card in cards
        for sku_id in card.sku_ids
    ]
    stocks = [item for item in _read(keys) if isinstance(item, ProductStockItem)]
    return {(item.product_id, item.sku_id): item for item in stocks}


def _read(keys: Sequence[CatalogueItem]) -> list[CatalogueItem]:
    """The items with these keys, in any order; no call for no keys."""
    wanted = [(item.pk, item.sk) for item in keys]
    return list(CatalogueItem.batch_get(wanted, consistent_read=True)) if wanted else []


def _key_of(card: ProductCardItem) -> PageKey:
    return {"pk": {"S": card.pk}, "sk": {"S": card.sk}}
