"""Buyers with a phone's browser at the H5 shop; each in a context of their own."""

import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from infra.local.demo_data import MERCHANT_ID
from infra.local.phone import Phone
from tests.browser.conftest import LATE_MS, REFUSED, Shop

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
ADDRESS = "王小明 13800138000 浙江省杭州市西湖区文一西路 969 号"
# uni-app keeps what it stores in this form.
KEEP = """if (location.protocol !== 'about:' && !sessionStorage.kept) {
    localStorage.setItem('tuan.%s', %s)
    sessionStorage.kept = 1
}"""


@dataclass
class Shopper:
    """A phone at the shop. breaches: what it may never do, and did."""

    page: Page
    shop: Shop
    web: str
    breaches: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """By a link, as from a message: in a page of its own."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.web}#{path}")

    def see(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid).locator("visible=true").first

    def tap(self, testid: str) -> None:
        self.see(testid).click()

    def says(self, testid: str, text: str | re.Pattern[str]) -> None:
        expect(self.see(testid)).to_contain_text(text)

    def write(self, testid: str, text: str) -> None:
        self.see(testid).locator("input").fill(text)

    def log_in(self, phone: str) -> None:
        """Through the login page, with the code that the local gateway was given."""
        self.write("login-phone", phone)
        self.tap("send-code")
        self.says("sent", f"验证码已发送到 {phone[:3]}****{phone[-4:]}")
        self.write("login-code", self.code_for(phone))
        self.tap("agree")
        self.tap("login-go")

    def order(self) -> None:
        """From the sheet of SKUs to the pay sheet of the gateway."""
        self.tap("sku-go")
        self.write_order()

    def write_order(self) -> None:
        """Write the order down and submit it; its address too, where the buyer has none."""
        self.fill_address()
        self.tap("submit")

    def fill_address(self) -> None:
        """All that is to be written before an order is submitted; done when it has a price."""
        expect(self.see("choose-address")).not_to_contain_text("正在加载")
        if self.see("choose-address").get_by_test_id("no-address").count():
            self.tap("choose-address")
            self.see("paste").locator("textarea").fill(ADDRESS)
            self.tap("parse")
            self.says("open-regions", "西湖区")
            self.tap("save")
        expect(self.see("breakdown")).to_be_visible()

    def pay(self) -> None:
        self.page.get_by_text("立即支付").click()

    def decline(self) -> None:
        self.page.get_by_text("取消").click()

    def group_id(self) -> str:
        """Of the page that is shown."""
        self.page.wait_for_url(re.compile(r"group/group\?.*g="))
        found = re.search(r"[?&]g=(\w+)", self.page.url)
        assert found is not None
        return found[1]

    def code_for(self, phone: str) -> str:
        """Return the code that was sent to the phone."""
        until_s = time.monotonic() + LATE_MS / 1000
        while time.monotonic() < until_s:
            for message in self.shop.system.sms.messages:
                if message.phone.endswith(phone):
                    return str(message.code)
            self.page.wait_for_timeout(200)
        raise AssertionError(f"no code was sent to {phone}")


def shopper(browser: Browser, shop: Shop, web: str, *, name: str = "", **context: Any) -> Shopper:
    """Somebody with a phone of their own. name: of a buyer who is logged in on it already."""
    options = {**PHONE, "locale": "zh-CN", "timezone_id": "America/New_York", **context}
    page = browser.new_context(**options).new_page()
    it = Shopper(page, shop, web)
    system = shop.system
    gateways = [system.wechat.base_url, system.alipay.base_url]
    ours = {urlsplit(url).netloc for url in (web, system.api_url, system.aws_url, *gateways)}

    def read(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            it.breaches.append(message.text)

    def see(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme.startswith("http") and address.netloc not in ours:
            it.breaches.append(f"a request to {request.url}")

    page.set_default_timeout(LATE_MS)
    page.on("console", read)
    page.on("pageerror", lambda error: it.breaches.append(str(error)))
    page.on("request", see)
    if name:
        page.add_init_script(KEEP % ("session", json.dumps(json.dumps(_session(shop, name)))))
    return it


def over_the_api(who: Shopper) -> Phone:
    """The same buyer, at the API."""
    if not who.page.url.startswith("http"):
        who.open("/")
    token = json.loads(who.page.evaluate("localStorage['tuan.session']"))["data"]["token"]
    system = who.shop.system
    return Phone("王小明", token, system.api.as_(token), system.local_gateways)


def _session(shop: Shop, name: str) -> dict[str, object]:
    code = f"demo-{secrets.token_hex(6)}"
    api = shop.system.api
    session = api.post(f"/v1/merchants/{MERCHANT_ID}/sessions", {"code": code})
    named = api.as_(session["token"]).put("/v1/me/profile", {"name": name})
    return {"type": "object", "data": named}
