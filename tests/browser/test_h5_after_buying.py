"""What buyers do in a phone's browser after they have bought: orders, after-sale, addresses."""

import io
import json
import re
import secrets
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import expect

from infra.local.demo_data import address
from infra.local.phone import Phone
from tests.browser.accessibility import unusable_on_a_phone
from tests.browser.buyers import WAIT_S, buy, buy_alone, buyer, sell, wait_until
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api

Arrive = Callable[..., Shopper]


def test_every_page_can_be_used_by_everybody(shop: Shop, arrive: Arrive) -> None:
    who = arrive("什么都有")
    phone = over_the_api(who)
    sent = shipped(shop, phone, "册亨糯米蕉")
    ask_back(phone, sent)
    phone.api.post("/v1/me/addresses", address(phone.name))
    pages = {
        "/pages/orders/orders": "orders",
        f"/pages/order/order?id={sent}": "order",
        f"/after/requests/requests?id={sent}": "after-sales",
        f"/after/apply/apply?id={shipped(shop, phone, '融安金桔')}": "apply",
        "/pages/messages/messages": "message",
        "/pages/mine/mine": "head",
        "/account/addresses/addresses": "address",
        "/account/address/address": "paste",
        "/account/profile/profile": "name",
        "/account/shop/shop": "shop",
        "/account/questions/questions": "answer",
        "/account/agreements/agreements": "agreement",
        "/account/settings/settings": "large",
    }
    found: dict[str, object] = {}

    for path, testid in pages.items():
        who.open(path)
        expect(who.see(testid)).to_be_visible()
        if wrong := unusable_on_a_phone(who.page):
            found[path] = wrong

    assert found == {}


def test_goods_go_back_with_a_picture_and_a_number(shop: Shop, arrive: Arrive) -> None:
    who = arrive("要退货")
    order_id = shipped(shop, over_the_api(who), "丹东草莓")

    who.open(f"/after/apply/apply?id={order_id}")
    who.tap("submit")
    expect(who.page.get_by_text("请选择原因")).to_be_visible()
    who.tap("option-return")
    who.tap("option-damaged")
    who.see("words").locator("textarea").fill("压坏了一半")
    with who.page.expect_file_chooser() as chooser:
        who.tap("add-picture")
    chooser.value.set_files({"name": "坏.png", "mimeType": "image/png", "buffer": picture()})
    expect(who.see("picture")).to_be_visible()
    who.page.reload()  # what was filled in is there again
    expect(who.see("picture")).to_be_visible()
    sent: list[str] = []
    who.page.on("request", lambda it: sent.append(it.url) if it.method == "POST" else None)
    who.see("submit").dblclick()

    who.says("request-status", "等待商家处理")
    assert [it.rsplit("/", 1)[-1] for it in sent] == ["after-sales"]
    asked = over_the_api(who).api.get(f"/v1/orders/{order_id}/after-sales")["items"][0]
    assert (asked["kind"], asked["words"], len(asked["pictures"])) == ("return", "压坏了一半", 1)
    agree_to_return(shop, asked["after_sale_id"])
    who.open("/pages/messages/messages")
    who.page.get_by_text("商家同意退货，请寄回商品").click()
    who.tap("act-parcel")
    who.tap("save-parcel")
    expect(who.page.get_by_text("请填写快递单号").last).to_be_visible()
    who.tap("chip-顺丰")
    who.write("number", "123")
    who.tap("save-parcel")
    who.says("parcel-problem", "请核对")
    who.write("number", "SF1234567890777")
    who.tap("save-parcel")
    who.says("request-status", "商品已寄出，等待商家收货")


def test_who_is_alone_in_a_group_leaves_it_and_sees_the_money_arrive(
    shop: Shop, arrive: Arrive
) -> None:
    who = arrive("不拼了")
    phone = over_the_api(who)
    order_id = buy(phone, sell(shop, "盱眙小龙虾"))
    shop.system.quiet(WAIT_S)

    who.open("/pages/orders/orders")
    who.says("chip-waiting", "待成团 1")
    who.tap("chip-waiting")
    who.says("order-state", "待成团")
    who.tap("open-order")
    who.tap("act-cancel")
    who.page.get_by_text("取消开团", exact=True).click()

    who.says("refund", "¥19.90 原路退回微信支付")
    wait_until(shop, order_id, "refunded")
    who.page.reload()
    who.says("order-state", "已退款")
    who.says("refund", "已原路退回")


def test_order_page_tells_by_itself_that_a_friend_has_filled_the_group(
    shop: Shop, arrive: Arrive
) -> None:
    who = arrive("等一等")
    phone = over_the_api(who)
    sale = sell(shop, "赣南脐橙")
    order_id = buy(phone, sale)
    shop.system.quiet(WAIT_S)

    who.open(f"/pages/order/order?id={order_id}")
    who.says("order-state", "待成团")
    buy(buyer(shop, "钱多多"), sale, phone.order(order_id)["group_id"])

    who.says("order-state", "已成团待发货")


def test_the_pickup_code_is_there_without_a_network(shop: Shop, arrive: Arrive) -> None:
    who = arrive("自提")
    phone = over_the_api(who)
    owner = shop.staff().api
    store_id = owner.get("/v1/merchant/stores")["items"][0]["store_id"]
    pickup = {"store_id": store_id, "name": "王小明", "phone": "13800138000"}
    sale = sell(shop, "容县沙田柚")
    order_id = buy_alone(phone, sale, delivery="pickup", address=None, pickup=pickup)
    wait_until(shop, order_id, "fulfilling")
    owner.post(f"/v1/merchant/orders/{order_id}/readiness", {}, key=secrets.token_hex(16))
    code = phone.order(order_id)["pickup_code"]

    who.open(f"/pages/order/order?id={order_id}")
    who.says("pickup-code", f"{code[:4]} {code[4:]}")
    who.page.route("**/v1/**", lambda route: route.abort())
    who.page.reload()

    who.says("stale", "网络不太稳定")
    who.says("pickup-code", f"{code[:4]} {code[4:]}")
    expect(who.see("pickup-qr").locator("img")).to_have_attribute("src", re.compile("^data:image"))


def test_addresses_are_pasted_chosen_by_region_and_removed(shop: Shop, arrive: Arrive) -> None:
    who = arrive("搬家")

    who.open("/account/addresses/addresses")
    who.tap("add-address")
    who.tap("save")
    expect(who.page.get_by_text("请选择所在地区")).to_be_visible()
    for pasted, parsed, region in (
        ("你好", "没有认出地址，请检查后再试", "省、市、区县"),
        ("张三 13800138000", "已填好一部分，还缺：所在地区、详细地址", "省、市、区县"),
        ("上海市浦东新区世纪大道 1 号 张三 13800138000", "已填好，请核对", "上海市 浦东新区"),
        ("广东省东莞市南城街道鸿福路 1 号 赵六 13811112222", "已填好", "广东省 东莞市"),
        ("李雷 139 1234 5678 江苏省南京市鼓楼区中山北路 200 号", "已填好", "江苏省 南京市 鼓楼区"),
    ):
        who.see("paste").locator("textarea").fill("在吗")
        who.see("paste").locator("textarea").fill(pasted)  # at once, over what was just typed
        who.tap("parse")
        who.says("parsed", parsed)
        expect(who.see("open-regions")).to_have_text(f"所在地区{region}›")
    who.tap("open-regions")
    who.page.get_by_test_id("region").get_by_text("鼓楼区", exact=True).wait_for()
    who.tap("chip-0")
    for name in ("浙江省", "杭州市", "西湖区"):
        who.page.get_by_test_id("region").get_by_text(name, exact=True).click()
    who.says("open-regions", "浙江省 杭州市 西湖区")
    who.tap("save")

    who.says("address", "李雷")
    kept = over_the_api(who).api.get("/v1/me/addresses")["items"]
    assert [(it["phone"], it["district"], it["is_default"]) for it in kept] == [
        ("13912345678", "西湖区", True)
    ]
    who.tap("edit-address")
    who.tap("remove")
    who.page.get_by_text("删除地址", exact=True).click()
    who.says("empty", "还没有收货地址")


def test_who_logs_out_leaves_nothing_on_the_phone(shop: Shop, arrive: Arrive) -> None:
    who = arrive("走了")
    who.open("/pages/orders/orders")
    who.says("empty", "还没有订单")
    who.open("/trade/search/search")
    who.write("query", "送妈妈的")
    who.tap("search-go")
    expect(who.page).to_have_url(re.compile("q="))

    who.open("/account/settings/settings")
    who.tap("large")
    who.tap("log-out")
    who.page.get_by_text("退出登录", exact=True).last.click()

    who.says("head", "登录 / 注册")
    kept = who.page.evaluate("Object.keys(localStorage)")
    assert [name for name in kept if name.startswith("tuan.last")] == []
    assert {"tuan.session", "tuan.searches"}.isdisjoint(kept)
    who.tap("all-orders")
    who.says("empty", "登录后查看你的订单")


def test_an_account_is_exported_and_deleted_once_nothing_is_open(
    shop: Shop, arrive: Arrive
) -> None:
    who = arrive("再见")
    phone = over_the_api(who)
    order_id = buy(phone, sell(shop, "勐海生茶"))
    shop.system.quiet(WAIT_S)

    who.open("/account/settings/settings")
    with who.page.expect_download() as export:
        who.tap("export")
    copied = json.loads(export.value.path().read_text())
    assert (copied["name"], [it["order_id"] for it in copied["orders"]]) == ("再见", [order_id])
    delete_account(who)
    who.says("trouble", "还有 1 个订单没有结束")
    phone.api.post(f"/v1/orders/{order_id}/cancellation")
    wait_until(shop, order_id, "refunded")
    delete_account(who)

    who.says("head", "登录 / 注册")
    assert phone.api.call("GET", "/v1/me/profile").status == 401


def delete_account(who: Shopper) -> None:
    who.tap("delete-account")
    who.page.get_by_text("确定注销", exact=True).click()


def shipped(shop: Shop, phone: Phone, title: str) -> str:
    order_id = buy_alone(phone, sell(shop, title))
    wait_until(shop, order_id, "fulfilling")
    parcel = {"carrier": "SF", "number": f"SF{secrets.randbelow(10**13):013d}", "units": 1}
    path = f"/v1/merchant/orders/{order_id}/parcels"
    shop.staff().api.post(path, parcel, key=secrets.token_hex(16))
    return order_id


def ask_back(phone: Phone, order_id: str) -> None:
    claim = {"amount_fen": 100, "reason": "other"}
    phone.api.post(f"/v1/orders/{order_id}/after-sales", claim)


def agree_to_return(shop: Shop, after_sale_id: str) -> None:
    owner = shop.staff().api
    settings = owner.get("/v1/merchant/settings")
    if not settings["return_address"]:
        names = ("name", "service_phone", "pay_by_s", "revision")
        changed = {name: settings[name] for name in names} | {"return_address": "杭州市西湖区 1 号"}
        owner.put("/v1/merchant/settings", changed)
    path = f"/v1/merchant/after-sales/{after_sale_id}/return-agreement"
    owner.post(path, {}, key=secrets.token_hex(16))


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (640, 480), "#c63").save(drawn, "PNG")
    return drawn.getvalue()
