"""Staff in the browser: invited, logged in for the first time, with a second step, let go."""

import base64
import re
import secrets
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from chalicelib.domain import totp
from tests.browser.conftest import Shop
from tests.browser.users import created_staff, fill_login, log_out

DONE = {"activity": "发布", "merchant": "修改店铺设置"}  # in the log; else: 新建


def test_somebody_invited_chooses_a_password_and_adds_a_second_step(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    username, password = f"zhou-{secrets.token_hex(4)}", "zhou-chose-this"

    first = invited(page, username)
    log_out(page, shop)
    fill_login(page, username, first)
    page.get_by_label("新密码").fill(password)
    page.get_by_label("再输入一次").fill(password)
    page.get_by_role("button", name="保存并进入").click()
    page.get_by_role("heading", name="首页").wait_for()

    page.goto(f"{shop.url}#/account")
    page.get_by_role("button", name="开启两步验证").click()
    expect(page.get_by_role("img", name="两步验证的二维码")).to_be_visible()
    secret = _secret(page)
    step = totp.step_of(int(time.time()))
    page.get_by_label("动态验证码").fill(totp.code_at(secret, step))
    page.get_by_role("button", name="确认开启").click()
    expect(page.get_by_text("两步验证已开启")).to_be_visible()

    log_out(page, shop)
    fill_login(page, username, password)
    code = page.get_by_label("动态验证码")
    code.fill(totp.code_at(secret, step))  # it has been used, and is good once
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    code.fill(totp.code_at(secret, step + 1))
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("heading", name="首页").wait_for()

    page.goto(f"{shop.url}#/account")
    page.get_by_role("button", name="关闭两步验证").click()
    asked = page.get_by_role("dialog", name="关闭两步验证？")
    asked.get_by_label("密码").fill(password)
    asked.get_by_role("button", name="关闭两步验证").click()
    expect(page.get_by_role("button", name="开启两步验证")).to_be_visible()


def test_a_password_is_changed_and_every_session_ended(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    username, password = created_staff(shop, "service")
    page = log_in(username, password)
    page.goto(f"{shop.url}#/account")

    page.get_by_label("现在的密码").fill("not-my-password")
    page.get_by_label("新密码").fill("another-password")
    page.get_by_label("再输入一次").fill("another-password")
    page.get_by_role("button", name="修改密码").click()
    expect(page.locator(".field.bad")).to_contain_text("密码")
    page.get_by_label("现在的密码").fill(password)
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_text("密码已修改")).to_be_visible()

    page.get_by_role("button", name="退出所有登录").click()
    asked = page.get_by_role("dialog", name="退出所有登录？")
    asked.get_by_role("button", name="退出所有登录").click()
    page.get_by_role("button", name="登录", exact=True).wait_for()
    fill_login(page, username, "another-password")
    page.get_by_role("heading", name="首页").wait_for()


def test_an_owner_changes_resets_and_disables_somebody(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    username, password = created_staff(shop, "service")
    page = log_in()
    page.goto(f"{shop.url}#/staff")
    row = page.get_by_role("row").filter(has_text=username)

    row.get_by_role("button", name="编辑").click()
    dialog = page.get_by_role("dialog", name="修改员工")
    dialog.get_by_label("姓名").fill("改名了")
    dialog.get_by_label("角色").select_option("发货")
    dialog.get_by_role("button", name="保存修改").click()
    expect(row).to_contain_text("改名了")
    expect(row).to_contain_text("发货")

    row.get_by_role("button", name="重置密码").click()
    asked = page.get_by_role("dialog", name="重置「改名了」的密码？")
    asked.get_by_role("button", name="重置密码").click()
    told = page.get_by_role("dialog", name="密码已重置")
    assert told.locator(".mono").inner_text() != password
    told.get_by_role("button", name="已告诉本人").click()

    row.get_by_role("button", name="停用").click()
    page.get_by_role("dialog", name="停用「改名了」？").get_by_role("button", name="停用").click()
    expect(row).to_contain_text("已停用")

    log_out(page, shop)
    fill_login(page, username, password)
    expect(page.get_by_role("alert")).to_have_text(re.compile("密码|停用"))


def test_a_smaller_role_sees_and_can_do_less(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in("xiaowu", "xiaowu-2026")

    for name in ("员工", "收款、登录和短信", "操作日志"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    page.goto(f"{shop.url}#/staff")
    expect(page.get_by_text("你没有「员工」的权限，已回到首页。")).to_be_visible()
    for path in ("staff", "payment-accounts", "payment-accounts/alipay", "audit"):
        page.goto(f"{shop.url}#/{path}")
        shop.at_home(page)
    page.goto(f"{shop.url}#/groups")
    page.get_by_role("heading", name="团列表").wait_for()
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="成员").wait_for()
    expect(page.get_by_role("button", name="结束并退款")).to_have_count(0)
    expect(page.get_by_role("button", name="延长时间")).to_have_count(0)
    page.goto(f"{shop.url}#/settings")
    expect(page.get_by_label("店铺名称")).to_be_disabled()
    page.goto(f"{shop.url}#/categories")
    page.get_by_role("cell", name="时令水果", exact=True).wait_for()
    expect(page.get_by_role("button", name="删除")).to_have_count(0)


def test_service_sees_no_takings_until_the_owner_gives_a_right(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    username, password = created_staff(shop, "service")
    page = log_in(username, password)
    for name in ("退款异常", "对账", "差异", "批量发货"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.get_by_role("heading", name="进行中的活动")).to_be_visible()
    for name in ("待办", "今日"):  # nothing that they could work on, and no takings
        expect(page.get_by_role("heading", name=name)).to_have_count(0)
    page.goto(f"{shop.url}#/orders")
    page.get_by_role("link", name="详情").first.wait_for()
    expect(page.get_by_role("button", name="导出")).to_have_count(0)

    log_out(page, shop)
    log_in()
    page.goto(f"{shop.url}#/staff")
    row = page.get_by_role("row").filter(has_text=username)
    row.get_by_role("button", name="编辑").click()
    dialog = page.get_by_role("dialog", name="修改员工")
    dialog.get_by_role("button", name="调整权限").click()
    dialog.get_by_label("退款和资金流水").select_option("可查看")
    dialog.get_by_label("经营数据").select_option("可查看")
    dialog.get_by_role("button", name="保存修改").click()
    expect(row).to_contain_text("另外调整了 2 项权限")

    log_out(page, shop)
    log_in(username, password)
    expect(page.get_by_role("heading", name="今日")).to_be_visible()
    page.get_by_role("link", name="退款异常").first.click()
    page.get_by_role("heading", name="退款异常").wait_for()
    expect(page.get_by_role("button", name="重新发起")).to_have_count(0)
    expect(page.get_by_role("link", name="对账")).to_have_count(0)


def test_the_log_tells_every_field_in_words(log_in: Callable[..., Page], shop: Shop) -> None:
    page, api = log_in(), shop.staff().api
    settings = api.get("/v1/merchant/settings")
    kept = {name: settings[name] for name in ("name", "service_phone", "pay_by_s")}
    was = settings["after_sale_days"]
    for days, revision in ((33, settings["revision"]), (was, settings["revision"] + 1)):
        changed = {"after_sale_days": days, "revision": revision}
        api.put("/v1/merchant/settings", kept | changed)
    for kind, told in (
        ("merchant", ("33 天", f"{was} 天")),
        ("store", ("门店地址", "电话")),
        ("freight", ("计费方式 按件", "新疆、西藏")),
        ("activity", ("成团人数", "拼团价 ¥")),
    ):
        page.goto(f"{shop.url}#/audit?subject={kind}")
        rows = page.get_by_role("row").filter(has_text=DONE.get(kind, "新建"))
        for words in told:
            rows = rows.filter(has_text=words)
        expect(rows.first).to_be_visible()
        fields = page.locator("tbody li > span").all_text_contents()
        assert [field for field in fields if field.isascii()] == []


def invited(page: Page, username: str) -> str:
    """Invite somebody by hand; their first password, as it is shown and copied."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="员工").click()
    page.get_by_role("button", name="添加员工").click()
    dialog = page.get_by_role("dialog", name="添加员工")
    dialog.get_by_label("姓名").fill("周小舟")
    dialog.get_by_label("账号").fill(username.upper())
    dialog.get_by_label("角色").select_option("客服")
    dialog.get_by_role("button", name="添加员工").click()
    told = page.get_by_role("dialog", name="已添加员工")
    first = told.locator(".mono").inner_text()
    expect(told.get_by_role("link")).to_have_attribute("href", re.compile(r"#/login\?shop=\w+$"))
    told.get_by_role("button", name="复制").click()
    expect(told.get_by_role("button", name="已复制")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == first
    told.get_by_role("button", name="已告诉本人").click()
    expect(told).to_be_hidden()
    row = page.get_by_role("row").filter(has_text=username)
    expect(row).to_contain_text("待首次登录")
    return first


def _secret(page: Page) -> bytes:
    text = page.locator(".begun .mono").inner_text().replace(" ", "")
    return base64.b32decode(text + "=" * (-len(text) % 8))
