"""The law of new buyers notices what breaks it."""

import re

import pytest

from chalicelib.domain.activity import NewBuyers
from chalicelib.tables.catalogue import VersionItem
from tests.fixtures.shop import Shop


@pytest.mark.parametrize(
    ("new_buyers", "said"),
    [
        (NewBuyers.ALL, "30 new buyers: order .* of .*, who had bought"),
        (NewBuyers.JOINERS, "30 new buyers: .* was new more than once"),
    ],
)
def test_buyer_who_is_new_twice_is_reported(shop: Shop, new_buyers: NewBuyers, said: str) -> None:
    sold, buyer = shop.activity(), shop.buyer()
    shop.buy_alone(shop.activity(product_stock=120), buyer)
    shop.now_s += 1
    groups = [shop.opened(sold) for _ in range(2)]
    for group_id in groups if new_buyers is NewBuyers.JOINERS else groups[:1]:
        shop.join(sold, group_id, buyer)
    shop.check()

    terms = VersionItem.at(shop.merchant_id, sold.activity_id, sold.version)
    terms.update(actions=[VersionItem.new_buyers.set(new_buyers.value)])

    with pytest.raises(AssertionError) as broken:
        shop.check()
    assert re.search(said, str(broken.value)), broken.value
