"""What staff do while an answer is on its way: neither of them undoes the other."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from chalicelib.domain.short_number import short_of
from tests.browser.buyers import pair_of, sell
from tests.browser.conftest import Shop
from tests.browser.users import only


def test_a_parcel_belongs_to_the_order_that_was_opened_last(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = sell(shop, "先后打开的柚子")
    slow, quick = pair_of(shop, sale)
    page = log_in()
    held: list[Route] = []
    page.route(f"**/v1/merchant/orders/{slow}", lambda it: held.append(it))
    page.goto(f"{shop.url}#/orders?tab=fulfilling&product={sale.product_id}")
    drawer = page.get_by_role("dialog", name="发货")

    page.get_by_role("button", name=f"发货 {short_of(slow)}").click()
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.get_by_role("button", name=f"发货 {short_of(quick)}").click()
    expect(drawer.get_by_label("快递单号")).to_be_visible()
    with page.expect_response(lambda answer: answer.url.endswith(slow)):
        only(page, held).continue_()
    drawer.get_by_label("快递公司").fill("顺丰")
    page.get_by_role("option", name="顺丰").first.click()
    drawer.get_by_label("快递单号").fill("SF1212121212121")
    with page.expect_request(
        lambda asked: asked.method == "POST" and "parcels" in asked.url
    ) as sent:
        drawer.get_by_role("button", name="发货", exact=True).click()

    assert quick in sent.value.url


def test_nothing_is_typed_into_a_form_that_is_being_saved(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/settings")
    name = page.get_by_label("店铺名称")
    expect(name).not_to_have_value("")
    was = name.input_value()
    held: list[Route] = []
    page.route(
        "**/v1/merchant/settings",
        lambda it: held.append(it) if it.request.method == "PUT" else it.continue_(),
    )

    name.fill(f"{was}一")
    name.press("Enter")
    expect(page.locator(".columns")).to_have_attribute("inert", "")
    page.keyboard.type("二")
    only(page, held).continue_()

    expect(page.get_by_text("已保存")).to_be_visible()
    expect(name).to_have_value(f"{was}一")
    expect(name).to_be_focused()
    page.unroute("**/v1/merchant/settings")
    name.fill(was)
    name.press("Enter")
    expect(page.get_by_text("未保存")).to_have_count(0)


def test_who_saves_second_is_offered_what_is_stored(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = sell(shop, "两处修改的柚子")
    page, path = log_in(), f"/v1/merchant/products/{sale.product_id}"
    page.goto(f"{shop.url}#/products/{sale.product_id}")
    title = page.get_by_label("商品名称")
    expect(title).to_have_value("两处修改的柚子")
    api = shop.staff().api
    shelf = {"on_sale": False, "revision": api.get(path)["revision"]}
    api.put(f"{path}/shelf", shelf)

    title.fill("来晚了的柚子")
    page.get_by_role("button", name="保存商品").click()
    page.get_by_role("alert").get_by_role("button", name="重新载入（放弃我的修改）").click()

    expect(title).to_have_value("两处修改的柚子")
    title.fill("再改一次的柚子")
    page.get_by_role("button", name="保存商品").click()
    expect(page.get_by_role("heading", name="再改一次的柚子", level=1)).to_be_visible()
    assert api.get(path)["on_sale"] is False


def test_a_session_that_ended_while_it_was_renewed_stays_ended(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    held: list[Route] = []
    renewal = "**/v1/merchant/me/sessions/renewal"
    page.route(renewal, lambda it: held.append(it))
    page.evaluate("""() => {
        const kept = JSON.parse(localStorage.getItem('tuan.session'))
        localStorage.setItem('tuan.session', JSON.stringify({ ...kept, began_at_s: 0 }))
    }""")
    with page.expect_request(renewal):
        page.reload()

    page.locator("header .el-dropdown button").click()
    page.get_by_role("menuitem", name="退出登录").click()
    page.get_by_role("button", name="登录", exact=True).wait_for()
    with page.expect_response(renewal):
        only(page, held).continue_()

    page.reload()
    page.get_by_role("button", name="登录", exact=True).wait_for()
