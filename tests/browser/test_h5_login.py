"""Logins in browsers: in Alipay's own and by its page in others, and a phone that is replaced."""

import json
import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.buyers import buy, buyer, sell
from tests.browser.conftest import Shop
from tests.browser.shoppers import KEEP, Shopper, over_the_api
from tests.browser.users import until

Arrive = Callable[..., Shopper]
IN_ALIPAY = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile AlipayClient/10.5.90"
IN_WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile MicroMessenger/8.0.50"
SESSION = "localStorage.getItem('tuan.session')"
# What WeChat's browser has in every page: it lets the page say what its menu shares.
MENU = """
window.told = {}
window.WeixinJSBridge = {
    invoke(name, given, done) {
        window.told[name] = given
        done?.({ err_msg: `${name}:ok` })
    },
}"""


def test_who_opens_the_shop_in_alipay_is_logged_in_by_it_and_pays_with_it(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "砀山梨膏")
    who = arrive(user_agent=IN_ALIPAY)

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.tap("open")
    who.tap("sku-go")
    who.write_order()

    expect(who.page.get_by_text("立即支付")).to_be_visible()
    assert urlsplit(who.page.url).netloc == urlsplit(shop.system.alipay.base_url).netloc
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")


def test_login_page_offers_alipay_and_leads_back_to_what_one_was_at(
    shop: Shop, arrive: Arrive
) -> None:
    who = arrive()

    who.open("/pages/orders/orders")
    who.page.get_by_role("button", name="登录").click()
    who.tap("login-alipay")
    expect(who.page.get_by_text("请先阅读并同意")).to_be_visible()
    for link in who.page.get_by_role("link").filter(has_text="《").all():
        assert link.evaluate("it => it.getBoundingClientRect().height") >= 44
    who.tap("agree")
    who.tap("login-alipay")

    who.page.wait_for_url(re.compile(r"#/pages/orders/orders"))
    expect(who.see("chip-all")).to_be_visible()
    assert "auth_code" not in who.page.url
    assert over_the_api(who).api.get("/v1/me/profile")["to_accept"] == []  # it was agreed before


def test_menu_of_wechat_shares_the_group_as_it_is(shop: Shop, arrive: Arrive, web: str) -> None:
    sale = sell(shop, "枣阳桃子")
    leader = buyer(shop, "林小满")
    group_id = leader.order(buy(leader, sale))["group_id"]
    who = arrive(user_agent=IN_WECHAT)
    who.page.add_init_script(MENU)

    who.open(f"/pages/group/group?g={group_id}")
    until(lambda: "还差1人" in shared_by(who).get("title", ""), who.page)

    told, shared = who.page.evaluate("told"), shared_by(who)
    assert shared["link"] == f"{web}g/{group_id}"
    assert told["updateTimelineShareData"]["title"] == shared["title"]
    asked = told["preVerifyJSAPI"]
    assert shop.system.wechat.server_api.tickets.fits(
        asked["verifyAppId"],
        web,
        asked["verifyTimestamp"],
        asked["verifyNonceStr"],
        asked["verifySignature"],
    )

    who.tap("act-open")
    until(lambda: shared_by(who)["link"] == f"{web}a/{sale.activity_id}", who.page)
    who.open("/")
    until(lambda: shared_by(who).get("link") == web.rstrip("/"), who.page)


def shared_by(who: Shopper) -> dict[str, str]:
    """What the menu of WeChat's browser shares."""
    shared: dict[str, str] = who.page.evaluate("told.updateAppMessageShareData ?? {}")
    return shared


def test_state_that_is_forged_or_comes_back_again_logs_nobody_in(
    shop: Shop, arrive: Arrive, web: str
) -> None:
    who, returns = arrive(user_agent=IN_ALIPAY), []
    who.page.on("framenavigated", lambda frame: returns.append(frame.url))
    who.open("/pages/orders/orders")
    who.page.get_by_role("button", name="登录").click()
    expect(who.see("chip-all")).to_be_visible()
    back = next(url for url in returns if "auth_code" in url)
    forged = re.sub(r"state=\w{4}", "state=0000", back)

    for address in (back, forged):
        thief = arrive(user_agent=IN_ALIPAY)
        pending = {"way": "alipay", "nonce": "a-secret-of-another-browser", "target": "/"}
        kept = json.dumps(json.dumps({"type": "object", "data": pending}))
        thief.page.add_init_script(KEEP % ("authorization", kept))
        with thief.page.expect_response(re.compile("authorized-sessions")) as answer:
            thief.page.goto(address)
        assert (answer.value.status, answer.value.json()["code"]) == (400, "state_refused")
        expect(thief.page.get_by_text(answer.value.json()["message"])).to_be_visible()
        assert thief.page.evaluate(SESSION) is None


def test_new_phone_takes_the_place_of_the_old(shop: Shop, arrive: Arrive) -> None:
    who = arrive()
    first, second = (f"137{secrets.randbelow(10**8):08d}" for _ in range(2))
    who.open("/pages/orders/orders")
    who.page.get_by_role("button", name="登录").click()
    who.log_in(first)
    expect(who.see("chip-all")).to_be_visible()

    who.open("/account/profile/profile")
    who.says("phone", f"{first[:3]}****{first[-4:]}")
    who.tap("phone")
    who.write("login-phone", second)
    who.tap("send-code")
    who.write("login-code", who.code_for(second))
    who.tap("login-go")

    who.says("phone", f"{second[:3]}****{second[-4:]}")
    token = json.loads(who.page.evaluate(SESSION))["data"]["token"]
    profile = shop.system.api.as_(token).get("/v1/me/profile")
    assert profile["phone"] == f"{second[:3]}****{second[-4:]}"
