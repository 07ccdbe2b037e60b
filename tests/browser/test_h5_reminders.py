"""到时提醒我, in a shop where seats are held for seconds: asked for with a tap, told in time."""

import time
from collections.abc import Callable

from playwright.sync_api import expect

from infra.local import pace
from infra.local.demo_data import address
from tests.browser.buyers import buyer, sell
from tests.browser.conftest import HELD_S, Shop
from tests.browser.shoppers import Shopper
from tests.browser.test_h5_deadlines import opened

Arrive = Callable[..., Shopper]
REST_MS = pace.patient(30) * 1000
MESSAGES = "/pages/messages/messages"


def read(who: Shopper, title: str) -> None:
    """Open the message with that title, once it has come."""
    message = who.page.get_by_test_id("message").filter(has_text=title)
    ends_s = time.monotonic() + REST_MS / 1000
    who.open(MESSAGES)
    while not message.count() and time.monotonic() < ends_s:
        who.page.wait_for_timeout(1000)
        who.open(MESSAGES)
    message.first.click()


def test_who_finds_a_group_held_or_a_sale_not_begun_is_told_when_it_is_time(
    hurried: Shop, arrive_in_a_hurry: Arrive
) -> None:
    held = sell(hurried, "蒙自石榴", life_h=5)
    group_id = opened(hurried, held)
    later = sell(hurried, "烟台苹果", starts_at_s=int(time.time()) + HELD_S + 5)
    seat = {"sku_id": held.sku_id, "quantity": 1, "address": address("钱多多")}
    buyer(hurried, "钱多多").api.post(f"/v1/groups/{group_id}/seats", seat)  # and does not pay

    who = arrive_in_a_hurry()
    who.open(f"/pages/group/group?g={group_id}")
    who.says("sentence", "名额正在付款中，请稍候")
    who.tap("act-remind")
    who.log_in("13800138021")
    who.says("hint", "已设提醒：空出名额")  # the login has led on to what was tapped
    who.open(f"/pages/activity/activity?a={later.activity_id}")
    who.says("remind", "提醒我")
    who.tap("remind")
    who.says("remind", "已设提醒")
    who.tap("remind")
    who.page.get_by_text("取消提醒", exact=True).click()
    expect(who.see("remind")).not_to_contain_text("已设提醒")
    who.tap("remind")
    who.says("remind", "已设提醒")

    read(who, "有名额了，快去参团")
    who.says("hint", "加上你就成团")
    expect(who.see("act-join")).to_be_visible()
    read(who, "开始了，快去开团")
    expect(who.see("open")).to_be_visible()
