"""What buyers see when time runs out, in a shop where a group's hour is a minute: of a seat, of a
group, of a gateway that does not answer."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from infra.local import pace
from infra.local.api_client import Unexpected
from infra.local.demo_data import MERCHANT_ID
from infra.local.wechat_faults import Faults
from tests.browser.buyers import WAIT_S, Sale, buy, buyer, sell, wait_until
from tests.browser.conftest import HELD_S, Shop
from tests.browser.shoppers import Shopper, over_the_api

Arrive = Callable[..., Shopper]
REST_MS = pace.patient(30) * 1000  # what is left to wait when somebody's time runs out
TWICE_S = 8  # within which every job runs at least twice
LATER_MS = 15_000  # between the deadlines of two groups, so that the jobs find one due alone
SLOW = "银行处理较慢"


@pytest.fixture
def faults(hurried: Shop) -> Iterator[Faults]:
    """Those of the local WeChat; none is left afterwards."""
    faults = hurried.system.wechat.faults
    yield faults
    faults.clear()


def test_who_paid_for_a_seat_that_another_has_is_told_so_and_paid_back(
    hurried: Shop, arrive_in_a_hurry: Arrive, faults: Faults
) -> None:
    sale = sell(hurried, "平谷大桃", life_h=5)
    group_id = opened(hurried, sale)
    late, quick = arrive_in_a_hurry("慢一步"), arrive_in_a_hurry("快一步")
    for who in (late, quick):
        who.open(f"/pages/group/group?g={group_id}")
        who.tap("act-join")
        who.tap("sku-go")
        who.fill_address()

    faults.add("payment_callback", "dropped")
    faults.add("query", "server_error", times=999)
    late.tap("submit")  # both tap; one comes first
    late.page.get_by_text("立即支付").wait_for()
    quick.tap("submit")
    quick.says("other-groups", "名额正在付款中，请稍候")
    late.pay()

    late.says("sentence", "正在查询付款结果")
    quick.open(f"/pages/group/group?g={group_id}")
    quick.says("sentence", "名额正在付款中，请稍候")
    expect(late.see("hint")).to_contain_text(SLOW)
    assert_never_failed(late)
    expect(quick.see("act-join")).to_be_visible(timeout=HELD_S * 1000 + REST_MS)
    assert_never_failed(late)
    quick.tap("act-join")
    quick.order()
    quick.pay()
    quick.says("sentence", "拼团成功！")
    faults.clear()
    late.says("sentence", "付款成功，但名额刚被占满")
    expect(late.see("act-open")).to_be_visible()

    late.tap("act-refund")
    late.says("refund", "¥19.90 原路退回微信支付")
    order = over_the_api(late).orders()[0]
    assert len(refunds_of(hurried, order["order_id"])) == 1
    assert sorted(names_in(hurried, group_id)) == ["快*", "林*"]


def test_whoever_does_not_pay_in_time_loses_the_seat_and_may_take_it_again(
    hurried: Shop, arrive_in_a_hurry: Arrive
) -> None:
    sale = sell(hurried, "东港草莓", life_h=5)
    group_id = opened(hurried, sale)
    who = arrive_in_a_hurry("忘了付")
    who.open(f"/pages/group/group?g={group_id}")
    who.tap("act-join")
    who.order()
    who.decline()

    who.says("sentence", "还没有付款")
    who.says("hint", "名额保留")
    expect(who.see("sentence")).to_contain_text(
        "超时没付款，名额已放出", timeout=HELD_S * 1000 + REST_MS
    )
    assert_never_failed(who)
    who.tap("act-again")  # to the group, with the SKU that was chosen
    assert f"sku={sale.sku_id}&n=1" in who.page.url
    who.says("hint", "加上你就成团")
    who.tap("act-join")
    who.order()
    who.pay()
    who.says("sentence", "拼团成功！")
    states = sorted(it["status"] for it in over_the_api(who).orders())
    assert (len(states), states[0]) == (2, "closed")


def test_a_group_that_fails_ends_for_page_and_api_at_one_second_and_pays_back_once(
    hurried: Shop, arrive_in_a_hurry: Arrive
) -> None:
    ends_at_s = int(time.time()) + 75
    sale = sell(hurried, "赣南脐橙", seats=3, life_h=24, ends_at_s=ends_at_s)
    leader = buyer(hurried, "林小满")
    first = buy(leader, sale)
    group_id = leader.order(first)["group_id"]
    hurried.system.quiet(WAIT_S)
    member, stranger = arrive_in_a_hurry("陈大年"), arrive_in_a_hurry()
    joiner = over_the_api(member)
    second = buy(joiner, sale, group_id)
    hurried.system.quiet(WAIT_S)
    assert progress(hurried, group_id)["expires_at_s"] == ends_at_s  # sooner than a day later

    member.open(f"/pages/group/group?g={group_id}")
    member.says("sentence", "还差 1 人，你也可以邀请")
    member.tap("act-invite")
    expect(member.see("invite-copy")).to_be_visible()
    member.tap("close-sheet")
    stranger.open(f"/pages/group/group?g={group_id}")
    expect(stranger.see("act-join")).to_be_visible()
    assert_same_second(hurried, stranger, group_id, ends_at_s)

    # What the page counts down to is when it stops to offer a seat, and the API to give one.
    stranger.page.evaluate(WHEN_GONE, "act-join")
    while not (gone_s := stranger.page.evaluate("window.goneAt")):
        assert time.time() < ends_at_s + REST_MS / 1000
        stranger.page.wait_for_timeout(200)
    assert ends_at_s <= gone_s < ends_at_s + 2
    with pytest.raises(Unexpected, match="group_closed"):
        buy(buyer(hurried, "来晚了"), sale, group_id)

    expect(member.see("sentence")).to_contain_text("这次没有拼成", timeout=REST_MS)
    member.says("hint", "到时没有凑满人数")
    expect(stranger.see("sentence")).to_contain_text("这个团已结束", timeout=REST_MS)
    wait_until(hurried, second, "refunded")
    member.tap("act-refund")
    member.says("refund", "已原路退回")
    before = [settled(hurried, it) for it in ((leader, first), (joiner, second))]
    stranger.page.wait_for_timeout(TWICE_S * 1000)
    assert [settled(hurried, it) for it in ((leader, first), (joiner, second))] == before
    assert [(len(refunds), told) for refunds, told in before] == [(1, 1), (1, 1)]


def test_a_group_forms_at_its_deadline_with_as_many_as_were_promised(
    hurried: Shop, arrive_in_a_hurry: Arrive
) -> None:
    sale = sell(hurried, "丹东板栗", seats=4, life_h=1, seats_least=2)
    group_id = opened(hurried, sale)
    member, stranger = arrive_in_a_hurry("陈大年"), arrive_in_a_hurry()
    stranger.open(f"/pages/activity/activity?a={sale.activity_id}")
    stranger.says("least", "4 人成团；到时满 2 人也成团")
    stranger.open(f"/pages/group/group?g={group_id}")
    stranger.says("least", "4 人成团；到时满 2 人也成团")
    order_id = buy(over_the_api(member), sale, group_id)
    hurried.system.quiet(WAIT_S)

    member.open(f"/pages/group/group?g={group_id}")
    member.says("sentence", "已满 2 人，到时成团")
    member.says("hint", "再来 2 人立即成团")
    stranger.says("hint", "已满 2 人，到时成团；再来 2 人立即成团")
    free = member.page.get_by_test_id("seat-free").locator("visible=true")
    expect(free).to_have_count(2)

    expect(member.see("sentence")).to_contain_text("拼团成功", timeout=60_000 + REST_MS)
    assert_never_failed(member)
    expect(free).to_have_count(0)
    expect(member.page.get_by_text(re.compile(r":\d\d 2 人成团"))).to_be_visible()
    expect(stranger.see("sentence")).to_contain_text("来晚一步，这个团已经成团", timeout=REST_MS)
    wait_until(hurried, order_id, "fulfilling")
    assert refunds_of(hurried, order_id) == []


def test_a_refund_that_the_gateway_refuses_is_said_to_be_looked_into(
    hurried: Shop, arrive_in_a_hurry: Arrive, faults: Faults
) -> None:
    who = arrive_in_a_hurry("等退款")
    phone = over_the_api(who)
    order_id = buy(phone, sell(hurried, "宁夏枸杞"))
    hurried.system.quiet(WAIT_S)
    faults.add("refund", "not_enough", times=99)

    phone.api.post(f"/v1/orders/{order_id}/cancellation")
    owner = hurried.staff().api
    while not owner.get("/v1/merchant/refunds")["items"]:
        who.page.wait_for_timeout(500)
    who.open(f"/pages/order/order?id={order_id}")

    who.says("refund", "商家正在处理")
    assert "失败" not in who.see("refund").inner_text()


def test_who_agreed_goes_on_in_another_group_when_their_own_is_due(
    hurried: Shop, arrive_in_a_hurry: Arrive
) -> None:
    sale = sell(hurried, "西湖藕粉", life_h=1, combines=True)
    who, stranger = arrive_in_a_hurry("周同意"), arrive_in_a_hurry()
    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=open")
    who.fill_address()
    who.says("combine", "不同意：到时没凑满，自动原路退款")
    who.tap("agree")
    who.says("combine", "就和同款的团合成一团，价格不变")
    who.tap("submit")
    who.pay()
    who.says("sentence", "开团成功")
    order = over_the_api(who).orders()[0]
    due, order_page = order["group_id"], f"/pages/order/order?id={order['order_id']}"
    who.open(order_page)
    who.says("combined", "到时未满，会和同款的团合并")
    stranger.page.wait_for_timeout(LATER_MS)
    other = opened(hurried, sale)

    who.open(f"/pages/group/group?g={due}")
    who.says("sentence", "还差 1 人")
    expect(who.see("sentence")).to_contain_text("拼团成功", timeout=60_000 + REST_MS)

    assert who.group_id() == other
    who.open(order_page)
    who.says("combined", "原来的团到时未满，已和这个团合并")
    stranger.open(f"/pages/group/group?g={due}")
    stranger.says("sentence", "这个团已结束")
    stranger.says("hint", "同意合并的团员已并入同款的另一个团")


def opened(shop: Shop, sale: Sale) -> str:
    leader = buyer(shop, "林小满")
    order_id = buy(leader, sale)
    shop.system.quiet(WAIT_S)
    return str(leader.order(order_id)["group_id"])


def progress(shop: Shop, group_id: str) -> Any:
    return shop.system.api.get(f"/v1/merchants/{MERCHANT_ID}/groups/{group_id}")


def names_in(shop: Shop, group_id: str) -> list[str]:
    page = shop.system.api.get(f"/v1/merchants/{MERCHANT_ID}/groups/{group_id}/page")
    return [seat["name"] for seat in page["seats"]]


def refunds_of(shop: Shop, order_id: str) -> list[Any]:
    """The refunds of an order at WeChat, which were made or asked for."""
    trades = shop.system.wechat.ledger.summaries("")
    ours = [it for it in trades if it["out_trade_no"].startswith(order_id)]
    return [refund for it in ours for refund in it["refunds"]]


def settled(shop: Shop, whose: tuple[Any, str]) -> tuple[list[Any], int]:
    """(its refunds at WeChat, how many messages tell that the group failed)."""
    phone, order_id = whose
    told = [it for it in phone.messages(order_id) if "没有" in it["text"] + it["title"]]
    return refunds_of(shop, order_id), len(told)


# When, by the computer's clock, there is nothing of that name any more.
WHEN_GONE = """(testid) => {
    const look = () => {
        if (document.querySelector(`[data-testid=${testid}]`)) requestAnimationFrame(look)
        else window.goneAt = Date.now() / 1000
    }
    look()
}"""


def assert_same_second(shop: Shop, who: Shopper, group_id: str, ends_at_s: int) -> None:
    """What is left on the page is what is left by the API, asked before and after; a busy machine
    may show it a little late."""
    seen = []
    for _ in range(10):
        before_s = ends_at_s - progress(shop, group_id)["now_s"]
        shown = re.search(r"\b(\d\d):(\d\d)\b", who.see("left").inner_text())
        after_s = ends_at_s - progress(shop, group_id)["now_s"]
        assert shown is not None
        seen.append((after_s, int(shown[1]) * 60 + int(shown[2]), before_s))
        if after_s <= seen[-1][1] <= before_s + 1:  # the page counts whole seconds from its answer
            return
    raise AssertionError(seen)


def assert_never_failed(who: Shopper) -> None:
    assert "失败" not in who.page.inner_text("body")
