"""Buying in a phone's browser: from a link to a formed group, and what goes otherwise."""

import re
import secrets
from collections.abc import Callable

from playwright.sync_api import Browser, expect

from infra.local.demo_data import BUYERS
from tests.browser.buyers import buy, buyer, sell
from tests.browser.conftest import LATE_MS, Shop
from tests.browser.shoppers import Shopper

FILLS_MS = 6_000  # within which somebody sees another's seat fill
Arrive = Callable[..., Shopper]
IN_WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile MicroMessenger/8.0.50"
# What WeChat's browser has in every page: here its pay sheet is a page of the local WeChat.
BRIDGE = """
window.WeixinJSBridge = {
    invoke(_name, given) {
        const query = new URLSearchParams({ ...given, redirect_url: location.href })
        location.assign(`%s/cashier/jsapi?${query}`)
    },
}"""


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
    expect(second.see("left")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    second.tap("act-join")
    second.tap("sku-go")
    second.log_in(number())
    second.write_order()
    second.pay()
    second.says("sentence", "拼团成功！")
    second.says("bought", "¥19.90")
    second.page.go_back()  # not to the page of a payment that is done
    second.says("order-state", "待发货")

    expect(first.see("sentence")).to_contain_text("拼团成功", timeout=FILLS_MS + 10_000)
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
    who.says("sentence", re.compile("正在确认付款结果|还没有付款"))
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


def test_closing_the_sheet_of_a_group_and_opening_one_opens_a_new_group(
    shop: Shop, arrive: Arrive
) -> None:
    group_id = _waiting(shop, "库尔勒香梨")
    who = arrive("改主意")

    who.open(f"/pages/group/group?g={group_id}")
    who.tap("act-join")
    who.tap("close-sheet")
    who.tap("act-open")
    who.order()
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")
    who.tap("act-group")

    assert who.group_id() != group_id


def test_a_phone_whose_clock_is_wrong_shows_the_same_time_left(shop: Shop, arrive: Arrive) -> None:
    group_id = _waiting(shop, "砀山酥梨")
    shown = []

    for days in (0, 1, -1):
        who = arrive()
        who.page.add_init_script(f"const now = Date.now; Date.now = () => now() + {days} * 864e5")
        who.open(f"/pages/group/group?g={group_id}")
        expect(who.see("act-join")).to_be_enabled()
        expect(who.see("left")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
        shown.append(_seconds(who.see("left").inner_text()))

    assert max(shown) - min(shown) < 120, shown  # what opening three pages takes


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
    who.breaches.clear()  # what the browser says about a network that is not there


def test_one_person_plays_three_buyers_on_one_page(browser: Browser, shop: Shop, web: str) -> None:
    page = browser.new_page(viewport={"width": 1300, "height": 950})
    page.set_default_timeout(LATE_MS)
    page.goto(f"{web}phones.html")
    group_id = shop.demo.inviting.group_id
    phones = {name: page.frame_locator(f"iframe[title={name}]") for name in BUYERS.values()}
    leader, member, stranger = phones.values()

    link = f"一起拼 {web}g/{group_id}"
    for name in list(phones)[:2]:
        page.get_by_label(f"{name}收到的链接").fill(link)
        page.get_by_label(f"{name}收到的链接").press("Enter")

    expect(leader.get_by_test_id("sentence")).to_have_text("还差 1 人，快邀请好友")
    expect(member.get_by_test_id("sentence")).to_have_text("还差 1 人，你也可以邀请")
    expect(stranger.get_by_test_id("hint")).to_have_text("还差 1 人，加上你就成团")
    page.close()


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
