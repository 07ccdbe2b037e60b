"""Buying in a phone's browser: from a link to a formed group, and what goes otherwise."""

import re
import secrets
from collections.abc import Callable

from playwright.sync_api import Browser, Route, expect

from infra.local import pace
from infra.local.demo_data import BUYERS, MERCHANT_ID
from tests.browser.buyers import buy, buyer, reprice, sell
from tests.browser.conftest import LATE_MS, Shop
from tests.browser.shoppers import Shopper, over_the_api

FILLS_S = 6  # within which somebody sees another's seat fill, on a machine that is not busy
FILLS_MS = pace.patient(FILLS_S) * 1000
Arrive = Callable[..., Shopper]
IN_WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile MicroMessenger/8.0.50"
# What WeChat's browser has in every page: here its pay sheet is a page of the local WeChat.
BRIDGE = """
window.WeixinJSBridge = {
    invoke(name, given) {
        if (name !== 'getBrandWCPayRequest') return
        const query = new URLSearchParams({ ...given, redirect_url: location.href })
        location.assign(`%s/cashier/jsapi?${query}`)
    },
}"""

# How much of a page of phones is to be scrolled to, across and down.
HIDDEN = """() => {
    const main = document.querySelector('main')
    const across = main.scrollWidth - main.clientWidth
    return [across, document.documentElement.scrollHeight - innerHeight]
}"""


def lose_answer(route: Route) -> None:
    route.fetch()
    route.abort()


def number() -> str:
    return f"139{secrets.randbelow(10**8):08d}"


def test_two_friends_who_log_in_by_phone_form_a_group(shop: Shop, arrive: Arrive) -> None:
    sale = sell(shop, "阳山水蜜桃")
    first, second = arrive(), arrive()

    first.open("/")
    first.page.get_by_text(sale.title).click()
    first.tap("open")
    first.tap("sku-go")
    first.log_in(number())
    first.write_order()
    first.pay()
    first.says("sentence", "开团成功，还差 1 人")
    first.tap("act-group")
    first.says("sentence", "还差 1 人，快邀请好友")
    group_id = first.group_id()

    second.open(f"/pages/group/group?g={group_id}")
    second.says("hint", "还差 1 人，加上你就成团")
    for told in (sale.title, "¥19.90", "2 人团", "单买 ¥29.90"):
        second.says("group-product", told)
    second.says("left", re.compile(r"\d\d:\d\d:\d\d"))
    expect(second.page.get_by_test_id("seat-paid")).to_have_count(1)
    expect(second.page.get_by_test_id("seat-free")).to_have_count(1)
    second.tap("act-join")
    second.tap("sku-go")
    second.log_in(number())
    second.write_order()
    assert 0 < over_the_api(first).api.get(page_of(group_id))["next_poll_s"] < FILLS_S
    expect(first.see("seat-held")).to_be_visible(timeout=FILLS_MS)
    second.pay()
    second.says("sentence", "拼团成功！")
    second.says("bought", "¥19.90")
    second.page.go_back()  # not to the page of a payment that is done
    second.says("order-state", "待发货")

    expect(first.see("sentence")).to_contain_text("拼团成功", timeout=FILLS_MS)
    for who in (first, second):
        who.open("/pages/orders/orders")
        expect(who.page.get_by_text(sale.title)).to_be_visible()


def test_who_closes_the_pay_sheet_keeps_the_seat_and_can_pay_later(
    shop: Shop, arrive: Arrive
) -> None:
    group_id = _waiting(shop, "怀远石榴")
    who, other = arrive("迟疑"), arrive()

    who.open(f"/pages/group/group?g={group_id}")
    who.tap("act-join")
    who.order()
    who.decline()
    who.says("sentence", re.compile("正在查询付款结果|还没有付款"))
    who.open(f"/pages/group/group?g={group_id}")
    who.says("sentence", "名额已为你保留")
    other.open(f"/pages/group/group?g={group_id}")
    other.says("sentence", "名额正在付款中，请稍候")
    expect(other.see("seat-held")).to_be_visible()
    assert "失败" not in who.page.inner_text("body")

    who.tap("act-pay")
    who.tap("act-pay")
    who.pay()
    who.says("sentence", "拼团成功！")
    other.says("sentence", "来晚一步，这个团已满")


def test_a_price_that_changed_meanwhile_is_asked_about_and_two_taps_are_one_order(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "眉县猕猴桃")
    who = arrive("手快")
    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.tap("open")
    who.tap("sku-go")
    who.fill_address()
    reprice(shop, sale, 2190)

    who.tap("submit")
    expect(who.page.get_by_text("¥19.90 → ¥21.90")).to_be_visible()
    who.page.route("**/groups", lose_answer, times=1)
    who.see("accept-price").dblclick()
    who.says("trouble", "网络不太稳定")  # it was placed, and the phone does not know
    who.see("submit").dblclick()
    expect(who.page.get_by_role("heading")).to_have_text("¥21.90")
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")

    [order] = over_the_api(who).orders()
    assert (order["status"], order["total_fen"]) == ("paid", 2190)


def test_in_wechats_browser_wechat_says_who_the_buyer_is_and_takes_the_money(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "奉节脐橙")
    who = arrive(user_agent=IN_WECHAT)
    who.page.add_init_script(BRIDGE % shop.system.wechat.base_url)

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.tap("open")
    who.tap("sku-go")
    who.page.get_by_role("link").first.click()  # one of the people whom the local WeChat knows
    who.write_order()
    who.pay()

    who.says("sentence", "开团成功，还差 1 人")
    who.open("/account/profile/profile")
    who.tap("from-wechat")
    who.page.get_by_role("link").first.click()  # who lets the shop have their name, too
    expect(who.see("name").locator("input")).to_have_value("xiaoman")
    expect(who.page.get_by_test_id("from-wechat")).to_have_count(0)


def test_closing_the_sheet_of_a_group_and_opening_one_opens_a_new_group(
    shop: Shop, arrive: Arrive
) -> None:
    group_id = _waiting(shop, "库尔勒香梨")
    who = arrive("改主意")

    who.open(f"/pages/group/group?g={group_id}")
    who.tap("act-join")
    expect(who.see("sku-go")).to_be_visible()
    who.page.go_back()  # closes the sheet
    expect(who.page.get_by_test_id("sku-go")).to_have_count(0)
    who.tap("act-join")
    who.tap("close-sheet")
    who.tap("act-open")
    expect(who.see("sku-go")).to_be_visible()
    who.tap("close-sheet")
    who.page.go_back()  # leaves the page, for nothing is open on it
    expect(who.see("act-join")).to_be_visible()
    who.tap("act-open")
    who.order()
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")
    who.tap("act-group")

    assert who.group_id() != group_id


def test_a_phone_whose_clock_is_wrong_shows_the_same_time_left(shop: Shop, arrive: Arrive) -> None:
    group_id = _waiting(shop, "砀山酥梨")
    activity = shop.system.api.get(f"/v1/merchants/{MERCHANT_ID}/groups/{group_id}")["activity_id"]
    pages = {
        f"/pages/group/group?g={group_id}": ("act-join", "left"),
        f"/pages/activity/activity?a={activity}": ("open", "ends"),
    }
    shown: dict[str, list[int]] = {path: [] for path in pages}

    for days in (0, 1, -1):
        who = arrive()
        who.page.add_init_script(f"const now = Date.now; Date.now = () => now() + {days} * 864e5")
        for path, (button, left) in pages.items():
            who.open(path)
            expect(who.see(button)).to_be_enabled()
            who.says(left, re.compile(r"\d\d:\d\d:\d\d"))
            shown[path].append(_seconds(who.see(left).inner_text()))

    for path, seconds in shown.items():
        assert max(seconds) - min(seconds) < 120, (path, seconds)  # what opening six pages takes


def test_without_network_the_last_answer_stays_and_says_so(shop: Shop, arrive: Arrive) -> None:
    group_id = _waiting(shop, "烟台樱桃")
    who = arrive()
    who.open(f"/pages/group/group?g={group_id}")
    who.says("hint", "还差 1 人")

    who.page.context.set_offline(True)
    expect(who.see("stale")).to_contain_text("网络不太稳定", timeout=60_000)
    who.says("hint", "还差 1 人")
    who.page.context.set_offline(False)
    who.tap("stale")
    expect(who.page.get_by_test_id("stale")).to_have_count(0)

    gone = {"code": "not_found", "message": "没有找到这个团。", "details": {}}
    page_of_group = re.compile(rf"/groups/{group_id}/page")
    who.page.route(page_of_group, lambda route: route.fulfill(status=404, json=gone))
    who.page.reload()
    expect(who.page.get_by_text("没有找到这个团")).to_be_visible()
    expect(who.page.get_by_test_id("hint")).to_have_count(0)
    who.breaches.clear()  # what the browser says about a network that is not there


def test_one_person_plays_three_buyers_on_one_page(browser: Browser, shop: Shop, web: str) -> None:
    page = browser.new_page(viewport={"width": 1300, "height": 950})
    page.set_default_timeout(LATE_MS)
    page.goto(f"{web}phones.html")
    group_id = shop.demo.inviting.group_id
    phones = {name: page.frame_locator(f"iframe[title={name}]") for name in BUYERS.values()}
    expect(page.locator("iframe")).to_have_count(3)
    assert page.evaluate(HIDDEN) == [0, 0]
    leader, member, stranger = phones.values()

    link = f"一起拼 {web}g/{group_id}"
    for name in list(phones)[:2]:
        page.get_by_label(f"{name}收到的链接").fill(link)
        page.get_by_label(f"{name}收到的链接").press("Enter")

    expect(leader.get_by_test_id("sentence")).to_have_text("还差 1 人，快邀请好友")
    expect(member.get_by_test_id("sentence")).to_have_text("还差 1 人，你也可以邀请")
    expect(stranger.get_by_test_id("hint")).to_have_text("还差 1 人，加上你就成团")

    other = page.get_by_label(f"{list(phones)[-1]}收到的链接")
    other.fill("快来一起拼")
    other.press("Enter")
    expect(page.get_by_text("没有找到本店的链接")).to_have_count(1)
    other.fill(link.replace(group_id, _waiting(shop, "潜江小龙虾")))
    other.press("Enter")
    expect(stranger.get_by_test_id("group-product")).to_contain_text("潜江小龙虾")
    page.close()


def page_of(group_id: str) -> str:
    return f"/v1/merchants/{MERCHANT_ID}/groups/{group_id}/page"


def _seconds(text: str) -> int:
    """Of the time left, as the page writes it."""
    found = re.search(r"(?:(\d+) 天 )?(\d\d):(\d\d):(\d\d)", text)
    assert found is not None, text
    days, hours, minutes, seconds = (int(it or 0) for it in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _waiting(shop: Shop, title: str) -> str:
    """A group of two, of a new activity, that waits for its second member."""
    sale, leader = sell(shop, title), buyer(shop, "林小满")
    order_id = buy(leader, sale)
    shop.system.quiet(30)
    return str(leader.order(order_id)["group_id"])
