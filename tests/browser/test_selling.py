"""From nothing to an activity that buyers can join, by hand in the browser."""

import datetime as dt
import re
from collections.abc import Callable
from itertools import count

from playwright.sync_api import Page, expect

from tests.browser import buyers
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper
from tests.browser.users import offered

NUMBERS = count(1)


def test_a_category_a_product_and_an_activity_are_made_and_listed(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()

    page.get_by_role("link", name="商品分类").click()
    page.get_by_role("button", name="新建分类").click()
    page.get_by_label("分类名称").fill("坚果炒货")
    page.get_by_role("button", name="保存分类").click()
    expect(page.get_by_role("cell", name="坚果炒货", exact=True)).to_be_visible()

    new_product(page, shop, "临安手剥山核桃", category="坚果炒货")
    page.goto(f"{shop.url}#/products?q=临安手剥山核桃")
    page.locator("tbody").get_by_role("link", name="临安手剥山核桃").click()
    page.get_by_role("button", name="发起拼团").click()
    page.get_by_label("默认规格 拼团价").fill("39.9")
    page.get_by_label("默认规格 活动库存").fill("30")
    summary = "3 人成团，开团后 24 小时内有效；拼团价 ¥39.90，比单买省 ¥20.00；未成团自动原路退款。"
    expect(page.get_by_text(summary)).to_be_visible()
    page.get_by_role("button", name="发布活动").click()
    page.get_by_role("dialog").get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("活动已发布")).to_be_visible()

    page.goto(f"{shop.url}#/activities?tab=running")
    page.get_by_label("活动或商品名称").fill("临安手剥")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="临安手剥山核桃")).to_be_visible()

    page.get_by_role("button", name="推广 临安手剥山核桃").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="活动二维码")).to_be_visible()
    code = dialog.get_by_role("img", name="小程序码")
    expect(code).to_have_js_property("naturalWidth", 430)
    expect(dialog).to_contain_text("短信链接")
    expect(dialog).to_contain_text("pages/activity/activity?m=")


def test_money_off_that_an_owner_writes_down_is_what_a_buyer_is_shown_and_charged(
    log_in: Callable[..., Page], shop: Shop, arrive: Callable[..., Shopper]
) -> None:
    page = log_in()
    begin(page, shop, "昭通丑苹果")
    page.wait_for_url(re.compile(r"product=\w{22}$"))
    buyers.give_out(
        shop,
        "半价券",
        kind="percent",
        percent=50,
        scope="products",
        scope_ids=[page.url.partition("product=")[2]],
    )
    page.get_by_text("更多设置").click()
    page.get_by_role("button", name="添加一档满减").click()
    page.get_by_label("满", exact=True).fill("100")
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("请填写门槛和减的金额").last).to_be_visible()
    page.get_by_label("减", exact=True).fill("15")
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("每单最多 1 件、¥39.90，够不到这个门槛").last).to_be_visible()
    page.get_by_label("每单限购").fill("3")
    expect(page.get_by_text("满 100 减 15；")).to_be_visible()
    page.get_by_role("button", name="发布活动").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        "含优惠券「半价券」），每件最低 ¥17.45（「默认规格」一单买 3 件时）"
    )
    dialog.get_by_role("button", name="取消").click()
    page.get_by_role("switch", name="可以用优惠券").locator("..").click()
    page.get_by_role("button", name="发布活动").click()
    expect(dialog).to_contain_text("每件最低 ¥34.90（「默认规格」一单买 3 件时）")
    dialog.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("活动已发布")).to_be_visible()
    page.wait_for_url(re.compile(r"activities/\w{22}"))

    who = arrive("精打细算")
    who.open(f"/pages/activity/activity?a={page.url.rsplit('/', 1)[-1]}")
    who.says("reductions", "满 100 减 15")
    who.tap("open")
    who.tap("more")
    who.tap("more")
    who.tap("sku-go")
    who.fill_address()
    expect(who.see("breakdown")).to_contain_text("满 100 减 15")
    expect(who.see("breakdown")).to_contain_text("−¥15.00")
    who.tap("submit")
    expect(who.page.get_by_text("104.70").first).to_be_visible()
    who.pay()
    who.says("sentence", "开团成功，还差 2 人")


def test_a_group_that_forms_with_fewer_is_told_to_staff(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    tiers = [{"seats": 3, "off_fen": 300}, {"seats": 4, "off_fen": 500}]
    sale = buyers.sell(shop, "大连樱桃", seats=4, seats_least=2, tiers=tiers)
    leader = buyers.buyer(shop, "林小满")
    group_id = leader.order(buyers.buy(leader, sale))["group_id"]
    shop.system.quiet(buyers.WAIT_S)
    page = log_in()
    page.goto(f"{shop.url}#/groups?q={group_id}")
    expect(page.locator("tbody")).to_contain_text("到时满 2 人也成团")
    buyers.buy(buyers.buyer(shop, "陈大年"), sale, group_id)
    shop.system.quiet(buyers.WAIT_S)

    page.goto(f"{shop.url}#/groups/{group_id}")
    expect(page.get_by_text("已满 2 人，到时自动成团")).to_be_visible()
    expect(page.get_by_text("4 人团 · 24 小时 · 到时满 2 人也成团")).to_be_visible()
    expect(page.get_by_text("满 3 人每件返 ¥3.00")).to_be_visible()
    page.goto(f"{shop.url}#/activities?q=大连樱桃")
    expect(page.locator("tbody")).to_contain_text("到时满 2 人也成团")
    expect(page.locator("tbody")).to_contain_text("阶梯价")


def test_money_that_goes_back_to_a_leader_is_called_so_in_the_console(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = buyers.sell(shop, "凯特杏", limit_per_order=1, leader_free=True)
    order_id, _ = buyers.pair_of(shop, sale)
    group_id = shop.staff().api.get(f"/v1/merchant/orders/{order_id}")["group"]["group_id"]
    page = log_in()

    def told() -> bool:
        file = shop.staff().api.get(f"/v1/merchant/orders/{order_id}")
        return [one["status"] for one in file["refunds"]] == ["succeeded"]

    buyers.until(told)
    page.goto(f"{shop.url}#/orders/{order_id}")
    expect(page.get_by_text("返还到账 ¥19.89（微信支付）")).to_be_visible()
    expect(page.get_by_text("成团返还").first).to_be_visible()
    expect(page.get_by_text("已返还").first).to_be_visible()
    expect(page.get_by_text("已退款")).to_have_count(0)
    page.goto(f"{shop.url}#/groups/{group_id}")
    expect(page.get_by_text("团长免单", exact=True)).to_be_visible()
    expect(page.get_by_text("返还钱多多的 ¥19.89 已到账")).to_be_visible()
    expect(page.get_by_text("已返还")).to_be_visible()


def test_a_product_is_searched_for_where_one_is_chosen(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    new_product(page, shop, "塘栖枇杷膏", category="蜂蜜茶饮")

    dialog = page.get_by_role("dialog", name="选择商品")
    page.goto(f"{shop.url}#/orders")
    page.get_by_role("button", name="全部商品").click()
    dialog.get_by_label("商品名称或规格编码").fill("枇杷")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="塘栖枇杷膏").click()
    expect(page.get_by_role("button", name="商品 塘栖枇杷膏")).to_be_visible()
    expect(page.get_by_text("没有符合条件的内容")).to_be_visible()
    page.get_by_role("button", name="全部商品", exact=True).click()
    expect(page.get_by_role("link", name="详情").first).to_be_visible()

    page.goto(f"{shop.url}#/activities/new")
    page.get_by_role("button", name="选择商品").click()
    dialog.get_by_label("分类").select_option("蜂蜜茶饮")
    expect(dialog.get_by_role("button", name="赣南脐橙")).to_have_count(0)
    dialog.get_by_label("商品名称或规格编码").fill("枇杷")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    dialog.get_by_role("button", name="塘栖枇杷膏").click()
    expect(page.get_by_label("默认规格 拼团价")).to_be_visible()


def test_adding_stock_to_a_running_activity_leaves_nothing_to_save(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/activities?q=秦岭土蜂蜜三人团")
    page.locator("tbody").get_by_role("link", name="秦岭土蜂蜜三人团").click()
    expect(page.get_by_text("活动已经开始，开始时间不能再改")).to_be_visible()

    page.get_by_role("button", name="增加库存").first.click()
    page.get_by_role("dialog").get_by_label("数量").fill("1")
    page.get_by_role("dialog").get_by_role("button", name="增加库存").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("有修改还没保存")).to_have_count(0)
    page.get_by_role("link", name="首页").click()
    expect(page.get_by_role("heading", name="首页")).to_be_visible()


def test_an_activity_with_problems_tells_all_of_them_and_keeps_what_was_written(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    new_product(page, shop, "问题商品")
    page.get_by_role("button", name="发起拼团").click()

    page.get_by_label("活动名称").fill("")
    page.get_by_label("成团人数").fill("1")
    page.get_by_label("默认规格 拼团价").fill("59.9")
    page.get_by_role("button", name="发布活动").click()

    alert = page.get_by_role("alert").filter(has_text="处需要修改")
    expect(alert).to_contain_text("还有 4 处需要修改")
    expect(alert.get_by_role("listitem")).to_have_count(3)  # more of them would hide the form
    alert.get_by_role("button", name="还有 1 处，全部显示").click()
    expect(alert.get_by_role("listitem")).to_have_count(4)
    expect(alert).to_contain_text("拼团价要低于单买价 ¥59.90，请改为 ¥59.89 或更低")
    alert.get_by_role("button", name="成团人数要在 2 到 100 人之间").click()
    expect(page.get_by_label("成团人数")).to_be_focused()
    expect(page.get_by_label("默认规格 拼团价")).to_have_value("59.90")


def test_stock_is_filled_in_at_once_and_a_start_that_has_not_come_is_moved(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/activities/new?product={offered(shop).product_id}")
    page.get_by_label("批量填活动库存").fill("8")
    page.get_by_role("button", name="应用到全部").last.click()
    stocks = page.locator('[data-field^="stock."] input')
    expect(stocks).to_have_count(3)
    for stock in stocks.all():
        expect(stock).to_have_value("8")

    for price in page.locator('[data-field^="price."] input').all():
        price.fill("20")
    page.get_by_label("发布后立即开始").uncheck()
    first, second, last = (
        dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days) for days in (40, 41, 50)
    )
    page.get_by_label("开始时间").fill(f"{first}T08:00")
    page.get_by_label("结束时间").fill(f"{last}T08:00")
    page.get_by_role("button", name="发布活动").click()
    page.get_by_role("dialog").get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("活动已发布")).to_be_visible()

    page.get_by_label("开始时间").fill(f"{second}T08:00")
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    page.reload()
    expect(page.get_by_label("开始时间")).to_have_value(f"{second}T08:00")


def test_renaming_and_adding_spec_values_keeps_prices_and_stock(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/products/new")
    page.get_by_label("商品名称").fill("手工酱油")
    page.get_by_role("button", name="添加规格项").click()
    page.get_by_label("第 1 个规格项", exact=True).last.fill("容量")
    page.get_by_label("容量 第 1 个规格值").fill("小瓶")
    page.get_by_role("button", name="添加值").click()
    page.get_by_label("容量 第 2 个规格值").fill("大瓶")
    page.get_by_label("小瓶 单买价").fill("18")
    page.get_by_label("小瓶 库存").fill("7")

    page.get_by_label("容量 第 1 个规格值").fill("500 毫升")
    page.get_by_role("button", name="添加值").click()
    page.get_by_label("容量 第 3 个规格值").fill("1 升")

    expect(page.get_by_label("500 毫升 单买价")).to_have_value("18.00")
    expect(page.get_by_label("500 毫升 库存")).to_have_value("7")
    expect(page.get_by_label("1 升 单买价")).to_have_value("")


def test_leaving_a_page_with_changes_asks_first(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/products/new")
    page.get_by_label("商品名称").fill("还没写完")

    page.get_by_role("link", name="订单").first.click()
    page.get_by_role("button", name="继续编辑").click()
    expect(page.get_by_label("商品名称")).to_have_value("还没写完")

    page.get_by_role("link", name="订单").first.click()
    page.get_by_role("button", name="放弃修改").click()
    expect(page).to_have_url(re.compile(r"#/orders$"))


def test_an_ended_session_asks_for_the_password_and_goes_on(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/categories")
    expect(page.get_by_role("cell", name="时令水果", exact=True)).to_be_visible()
    page.evaluate("""() => {
        const kept = JSON.parse(localStorage.getItem('tuan.session'))
        localStorage.setItem('tuan.session', JSON.stringify({ ...kept, token: 'over' }))
    }""")
    page.reload()

    page.get_by_role("dialog", name="登录已过期").get_by_label("密码").fill("shanye-2026")
    page.get_by_role("button", name="继续").click()

    expect(page.get_by_role("cell", name="时令水果", exact=True)).to_be_visible()
    expect(page.get_by_role("dialog", name="登录已过期")).to_be_hidden()


def test_staff_see_and_open_only_what_their_role_may(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in("xiaowu", "xiaowu-2026")

    expect(page.get_by_role("link", name="员工")).to_have_count(0)
    page.goto(f"{shop.url}#/products")
    expect(page.get_by_role("heading", name="商品列表")).to_be_visible()
    expect(page.get_by_role("button", name="新建商品")).to_have_count(0)
    page.goto(f"{shop.url}#/staff")
    shop.at_home(page)


def test_a_wrong_password_is_told_beside_the_form(shop: Shop, watched: Page) -> None:
    watched.goto(shop.url)
    expect(watched.get_by_text("店主请找为你开店的人重置")).to_be_visible()
    watched.get_by_label("账号").fill(f"nobody-{next(NUMBERS)}")
    watched.get_by_label("密码").fill("not-the-password")
    watched.get_by_role("button", name="登录").click()

    expect(watched.get_by_role("alert")).to_have_text("账号或密码不正确。")


def new_product(page: Page, shop: Shop, title: str, category: str = "时令水果") -> None:
    """Save a product with one SKU, 100 units at ¥59.90."""
    page.goto(f"{shop.url}#/products/new")
    page.get_by_label("商品名称").fill(title)
    page.get_by_label("分类").select_option(category)
    page.get_by_label("默认规格 单买价").fill("59.9")
    page.get_by_label("默认规格 库存").fill("100")
    page.get_by_role("button", name="保存商品").click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def begin(page: Page, shop: Shop, title: str) -> None:
    """An activity of a new product, with a price and stock."""
    new_product(page, shop, title)
    page.get_by_role("button", name="发起拼团").click()
    page.get_by_label("默认规格 拼团价").fill("39.9")
    page.get_by_label("默认规格 活动库存").fill("30")


def test_ending_an_activity_names_what_becomes_of_its_open_groups(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/activities?q=冰糖心苹果五人团")
    page.get_by_role("button", name="更多 冰糖心苹果五人团").click()
    page.get_by_role("menuitem", name="结束活动").click()

    dialog = page.get_by_role("dialog", name="结束「冰糖心苹果五人团」？")
    dialog.get_by_label("立即结束所有团，退款 2 笔共 ¥114.80，不能撤回").check()
    expect(dialog.get_by_role("button", name="结束活动并退款")).to_be_disabled()
    dialog.get_by_label("让 1 个拼团中的团继续到各自的截止时间").check()
    dialog.get_by_role("button", name="结束活动").click()

    expect(page.get_by_text("「冰糖心苹果五人团」已结束")).to_be_visible()
