"""The law of how many seats are taken in a minute notices what breaks it."""

import pytest

from chalicelib.services.timeouts import PACE_S
from chalicelib.tables.catalogue import SeatMinuteItem, VersionItem
from tests.fixtures.shop import Shop
from tests.laws.planting import assert_change_is_reported


@pytest.mark.parametrize("breaks", ["count", "promise"])
def test_seats_beyond_the_pace_are_reported(shop: Shop, breaks: str) -> None:
    sold = shop.activity(per_minute=5)
    shop.join(sold, shop.opened(sold), shop.buyer())

    if breaks == "count":
        minute = shop.now_s // PACE_S
        item = SeatMinuteItem.at(shop.merchant_id, sold.activity_id, minute)
        item.refresh()
        said, action = "has 2 seats, 3 counted, 5 allowed", SeatMinuteItem.taken.add(1)
        assert_change_is_reported(shop.check, said, item, [action])
    else:
        terms = VersionItem.at(shop.merchant_id, sold.activity_id, sold.version)
        terms.refresh()
        said = "has 2 seats, 2 counted, 1 allowed"
        assert_change_is_reported(shop.check, said, terms, [VersionItem.per_minute.set(1)])
