"""Every list that buyers see: while it loads, when it cannot be read, when nothing is in it; what
it was filtered by outlives a refresh; and nobody's whole name is shown to strangers."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Response, Route, expect

from infra.local.demo_data import address
from tests.browser.buyers import WAIT_S, buy, buyer, give_out, sell
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api

Arrive = Callable[..., Shopper]
API = "**/v1/**"
LISTS = {  # by its page: the address that answers it, and what is said when it is empty
    "/pages/index/index": ("/activities", "还没有拼团活动"),
    "/trade/search/search?q=没有这个词": ("/activities", "没有找到「没有这个词」"),
    "/pages/orders/orders": ("/orders", "还没有订单"),
    "/pages/messages/messages": ("/messages", "还没有消息"),
    "/growth/coupons/coupons": ("/coupons", "现在没有可领的优惠券"),
    "/growth/mine/mine": ("/coupons", "没有可用的优惠券"),
    "/account/addresses/addresses": ("/addresses", "还没有收货地址"),
    "/after/requests/requests?id=%s": ("/after-sales", "没有售后申请"),
}
FORGET = """for (const it of Object.keys(localStorage)) {
    if (it.startsWith('tuan.last')) localStorage.removeItem(it)
}"""
MOBILE = re.compile(r"1[3-9]\d{9}")


def test_every_list_loads_fails_and_is_empty_in_words(shop: Shop, arrive: Arrive) -> None:
    who = arrive("新来的")
    phone = over_the_api(who)
    order_id = buy(phone, sell(shop, "弥勒葡萄"))
    shop.system.quiet(WAIT_S)

    for path, (listed_at, empty) in LISTS.items():
        who.open("/account/questions/questions")
        who.page.evaluate(FORGET)  # an answer of another visit is shown meanwhile, if there is one
        who.page.route(API, lambda _: None)
        who.open(path.replace("%s", order_id))
        expect(who.see("skeleton")).to_be_visible()
        who.page.route(API, broken)  # comes before the other; taken away, that would let go on
        who.page.reload()
        who.says("empty", "出了点问题")
        assert "网络" not in who.see("empty").inner_text()
        who.page.route(API, without(listed_at))
        who.tap("empty-act")
        who.says("empty", empty)
        who.page.unroute_all(behavior="ignoreErrors")
    who.breaches[:] = [it for it in who.breaches if "status of 500" not in it]


def test_opened_again_without_network_pages_show_what_they_last_showed(
    shop: Shop, arrive: Arrive
) -> None:
    who = arrive("山里人")
    phone = over_the_api(who)
    give_out(shop, "山货券", off_fen=500)
    order_id = buy(phone, sell(shop, "临安山核桃"))
    shop.system.quiet(WAIT_S)
    group_id = phone.order(order_id)["group_id"]
    pages = {
        f"/pages/group/group?g={group_id}": ("sentence", "还差"),
        "/growth/coupons/coupons": ("coupons", "山货券"),
        "/": ("own-group", "你的团还差"),
    }

    for is_again in (False, True):
        if is_again:
            who.page.route(API, lambda route: route.abort())
        for path, (testid, text) in pages.items():
            who.open(path)
            who.says(testid, text)
            if is_again:
                who.says("stale", "网络不太稳定")
            who.page.wait_for_load_state("networkidle")
    who.breaches.clear()  # what the browser says about a network that is not there


def test_mine_says_what_is_wrong_and_tries_again(arrive: Arrive) -> None:
    who = arrive("初来的")
    who.page.route(API, lambda route: route.abort())
    who.open("/pages/mine/mine")
    who.says("failed", "网络不太稳定")
    who.page.route(API, broken)
    who.tap("again")
    who.says("failed", "出了点问题")
    who.page.unroute_all(behavior="ignoreErrors")
    who.tap("again")

    expect(who.see("count")).to_be_visible()
    expect(who.page.get_by_test_id("failed")).to_have_count(0)
    who.breaches.clear()  # as above


def test_what_was_filtered_by_is_there_after_a_refresh(shop: Shop, arrive: Arrive) -> None:
    who = arrive("爱刷新")
    sale = sell(shop, "文昌鸡")
    who.open("/")
    who.page.get_by_role("tab").nth(2).click()
    chosen = who.page.get_by_role("tab", selected=True).inner_text()
    who.page.reload()
    expect(who.page.get_by_role("tab", selected=True)).to_have_text(chosen)

    who.open("/trade/search/search")
    who.write("query", "文昌鸡")
    who.tap("search-go")
    who.tap("chip-price")
    expect(who.page.get_by_text(sale.title).last).to_be_visible()
    back = who.page.locator(".uni-page-head-btn >> visible=true")
    expect(back).to_be_visible()  # of a page that took the place of another
    who.page.reload()
    expect(who.see("chip-price")).to_have_attribute("aria-selected", "true")
    expect(who.see("query").locator("input")).to_have_value("文昌鸡")
    expect(who.see("activity-card")).to_contain_text(sale.title)
    back.click()
    expect(who.page).to_have_url(re.compile("#/$"))

    who.open("/pages/orders/orders")
    who.tap("chip-waiting")
    who.says("empty", "没有正在拼的订单")
    who.page.reload()
    expect(who.see("chip-waiting")).to_have_attribute("aria-selected", "true")
    who.says("empty", "没有正在拼的订单")

    who.open("/no/such/page")
    expect(who.see("activity-card")).to_be_visible()


def test_a_category_that_was_chosen_is_taken_off_again(shop: Shop, arrive: Arrive) -> None:
    who = arrive("逛一逛")
    sale = sell(shop, "清远鸡", group_price_fen=100)  # the first of all by price

    who.open("/trade/search/search")
    other = who.page.get_by_test_id("category").nth(1)
    chosen = other.inner_text()
    other.click()
    who.says("heading", chosen)
    who.page.reload()
    who.says("heading", chosen)
    who.tap("chip-price")
    expect(who.see("chip-price")).to_have_attribute("aria-selected", "true")
    who.says("heading", chosen)
    expect(who.page.get_by_text(sale.title)).to_have_count(0)  # it stands in another category
    who.tap("heading")
    expect(who.page.get_by_test_id("heading")).to_have_count(0)
    expect(who.see("chip-price")).to_have_attribute("aria-selected", "true")
    expect(who.page.get_by_text(sale.title).last).to_be_visible()


def test_countdown_of_a_page_that_is_opened_again_has_gone_on(shop: Shop, arrive: Arrive) -> None:
    sale, leader = sell(shop, "怀柔板栗"), buyer(shop, "林小满")
    order_id = buy(leader, sale)
    shop.system.quiet(WAIT_S)
    who, group_id = arrive(), leader.order(order_id)["group_id"]

    def left_s() -> int:
        who.open(f"/pages/group/group?g={group_id}")
        shown = re.search(r"(?:(\d+) 天 )?(\d+):(\d+):(\d+)", who.see("left").inner_text())
        assert shown is not None
        days, hours, minutes, seconds = (int(part or 0) for part in shown.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds

    first = left_s()
    who.page.wait_for_timeout(4000)  # nothing of the group has changed meanwhile

    assert left_s() <= first - 4


def test_strangers_see_nobodys_whole_name_or_number(shop: Shop, arrive: Arrive) -> None:
    sale = sell(shop, "奉化芋头", seats=4)
    people = [buyer(shop, name) for name in ("欧阳明月", "诸葛小亮")]
    order_id = buy(people[0], sale)
    shop.system.quiet(WAIT_S)
    group_id = people[0].order(order_id)["group_id"]
    buy(people[1], sale, group_id)
    shop.system.quiet(WAIT_S)
    stranger, member = arrive(), arrive("司马大光")
    buy(over_the_api(member), sale, group_id)
    shop.system.quiet(WAIT_S)
    heard: list[str] = []

    def hear(answer: Response) -> None:
        if "/v1/" in answer.url:
            heard.append(answer.text())

    stranger.page.on("response", hear)

    for path, testid in (
        (f"/pages/activity/activity?a={sale.activity_id}", "joinable"),
        (f"/pages/group/group?g={group_id}", "seat-paid"),
        ("/", "activity-card"),
    ):
        stranger.open(path)
        expect(stranger.see(testid)).to_be_visible()
        stranger.page.wait_for_load_state("networkidle")
        shown = stranger.page.inner_text("body")
        for told in (shown, *heard):
            assert not any(name in told for name in ("欧阳", "明月", "诸葛", "小亮", "司马"))
            assert not MOBILE.search(re.sub(r'"\w*(?:url|image)\w*":"[^"]*"', "", told))

    member.open(f"/pages/group/group?g={group_id}")
    expect(member.see("seat-paid")).to_contain_text("欧*")


def test_a_read_that_was_refused_is_sent_once_more_and_a_write_is_not(
    shop: Shop, arrive: Arrive
) -> None:
    who = arrive("耐心的")
    sale = sell(shop, "宣威火腿")
    over_the_api(who).api.post("/v1/me/addresses", address("王小明"))
    sent: list[str] = []

    def busy(route: Route) -> None:
        if route.request.method == "OPTIONS":
            return route.fallback()
        sent.append(route.request.method)
        if sent.count("GET") == 2:
            return route.fallback()
        return route.fulfill(status=503, body="{}", headers=_OPEN)

    who.page.route(f"**/activities/{sale.activity_id}", busy)
    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    expect(who.see("activity")).to_be_visible()
    assert sent == ["GET", "GET"]

    who.page.unroute_all(behavior="ignoreErrors")
    who.page.route(f"**/activities/{sale.activity_id}/groups", busy)
    sent.clear()
    who.tap("open")
    who.order()
    who.page.wait_for_timeout(1500)  # longer than until a read is sent again
    assert sent == ["POST"]
    expect(who.see("submit")).to_be_enabled()
    who.breaches.clear()  # what the browser says about the refusals


def broken(route: Route) -> None:
    route.fulfill(status=500, body="Internal Server Error", headers=_OPEN)


def without(address: str) -> Callable[[Route], None]:
    """Answer what is listed at that address with nothing, and all else as it is."""

    def answer(route: Route) -> None:
        real = route.fetch()
        if route.request.method != "GET" or not route.request.url.partition("?")[0].endswith(
            address
        ):
            route.fulfill(response=real)
        else:
            route.fulfill(response=real, body=json.dumps(real.json() | {"items": [], "next": None}))

    return answer


_OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
