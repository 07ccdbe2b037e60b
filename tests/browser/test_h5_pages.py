"""Every page of the H5 shop, by day and by night: it can be read and used, and is quick to come."""

import gzip
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Request, Response, expect

from infra.local.demo_data import address
from infra.local.h5 import H5
from tests.browser.accessibility import unusable_on_a_phone
from tests.browser.buyers import buy, buyer, claim, give_out, sell
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api

FIRST_LOAD_MAX_BYTES = 120 * 1024  # compressed: scripts and styles of a first page
Arrive = Callable[..., Shopper]


def test_pages_can_be_used_by_everybody(shop: Shop, arrive: Arrive) -> None:
    sale, leader = sell(shop, "横县茉莉花茶"), buyer(shop, "林小满")
    order_id = buy(leader, sale)
    shop.system.quiet(30)
    group_id = leader.order(order_id)["group_id"]
    pages = {
        "/": "activity-card",
        f"/pages/activity/activity?a={sale.activity_id}": "activity",
        f"/pages/group/group?g={group_id}": "group",
        f"/trade/checkout/checkout?g={group_id}&sku={sale.sku_id}&n=1&way=join": "checkout",
        "/growth/coupons/coupons": "offer",
        "/growth/mine/mine": "coupon",
        "/growth/code/code": "coupon-code",
        "/pages/login/login": "login",
    }
    found: dict[str, object] = {}

    who = arrive("看客")
    claim(over_the_api(who), give_out(shop, "品茗券", off_fen=500))
    for path, testid in pages.items():
        who.open(path)
        expect(who.see(testid)).to_be_visible()
        if wrong := unusable_on_a_phone(who.page):
            found[path] = wrong

    assert found == {}


def test_pages_that_links_lead_to_are_small(shop: Shop, arrive: Arrive) -> None:
    sale, leader = sell(shop, "正山小种"), buyer(shop, "林小满")
    order_id = buy(leader, sale)
    shop.system.quiet(30)
    pages = {
        "/": "activity-card",
        f"/pages/activity/activity?a={sale.activity_id}": "activity",
        f"/pages/group/group?g={leader.order(order_id)['group_id']}": "group",
    }

    for path, testid in pages.items():
        who = arrive()
        fetched = _files_of(who)
        who.open(path)
        expect(who.see(testid)).to_be_visible()
        who.page.wait_for_load_state("networkidle")
        sizes = {
            file: len(gzip.compress((H5.dist / file.lstrip("/")).read_bytes())) for file in fetched
        }
        assert 20_000 < sum(sizes.values()) <= FIRST_LOAD_MAX_BYTES, (path, sizes)


def _files_of(who: Shopper) -> set[str]:
    """The scripts and styles that the phone fetches from now on."""
    fetched = set[str]()

    def note(answer: Response) -> None:
        if re.search(r"\.(js|css)$", urlsplit(answer.url).path):
            fetched.add(urlsplit(answer.url).path)

    who.page.on("response", note)
    return fetched


def test_a_page_asks_the_api_no_more_than_it_must(shop: Shop, arrive: Arrive) -> None:
    sale, leader = sell(shop, "安溪铁观音"), buyer(shop, "林小满")
    order_id = buy(leader, sale)
    shop.system.quiet(30)
    group_id = leader.order(order_id)["group_id"]
    calls = {
        "/": ("activity-card", 2),
        f"/pages/activity/activity?a={sale.activity_id}": ("activity", 1),
        f"/pages/group/group?g={group_id}": ("group", 1),
        "/pages/orders/orders": ("chip-all", 1),
        "/growth/coupons/coupons": ("coupons", 1),
        "/growth/mine/mine": ("my-coupons", 1),
    }
    asked: dict[str, int] = {}

    for path, (testid, _) in calls.items():
        who = arrive("细心")
        seen = _calls_of(who)
        who.open(path)
        expect(who.see(testid)).to_be_visible()
        who.page.wait_for_timeout(1500)  # less than the time between two polls
        asked[path] = len(seen)

    assert asked == {path: most for path, (_, most) in calls.items()}

    over_the_api(who).api.post("/v1/me/addresses", address("王小明"))
    seen = _calls_of(who)
    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=open")
    expect(who.see("breakdown")).to_be_visible()
    who.page.wait_for_timeout(1500)
    ends = sorted(urlsplit(it).path.rsplit("/", 1)[-1] for it in seen)
    assert ends == sorted([sale.activity_id, "addresses", "stores", "quotes"])


def _calls_of(who: Shopper) -> list[str]:
    """The API's addresses that the phone asks from now on."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if "/v1/" in request.url and request.method != "OPTIONS":
            seen.append(request.url)

    who.page.on("request", note)
    return seen
