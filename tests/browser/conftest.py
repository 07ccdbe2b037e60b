"""A browser at the merchant's console, which talks to a whole local system behind it.

The system runs from its sources, with the demonstration shop in it, once for all of these tests.
Whatever the console may never do fails the test it happens in: an error on the browser's console,
a breach of its content policy, a request to anybody but its own host, the API and the pictures.
"""

import json
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize, expect

from infra.local import console, dev, h5, pace, process, welcome
from infra.local.demo_data import MERCHANT_ID, OWNER, PASSWORD
from infra.local.phone import Placed
from infra.local.shop import Offer, Staff
from infra.local.system import System

if TYPE_CHECKING:
    from tests.browser.shoppers import Shopper

# The shell has no window to draw, and takes half the CPU time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
LATE_MS = pace.patient(15) * 1000  # what comes late on a busy machine has come
expect.set_options(timeout=LATE_MS)
REFUSED = (
    "Failed to load resource: the server responded with a status of 4",
    "Failed to load resource: net::ERR_FAILED",  # what a test itself keeps from arriving
)
HURRY = 60  # an hour of a group's life is a minute
HELD_S = 20  # a seat, in the shop that is in a hurry

# What the console keeps of a login, put there before it starts; once, for people log out again.
KEEP_SESSION = """
if (location.protocol.startsWith('http') && !sessionStorage.getItem(%(login)s)) {
    sessionStorage.setItem(%(login)s, 'kept')
    localStorage.setItem('tuan.session', %(session)s)
    localStorage.setItem('tuan.shop', %(shop)s)
}"""


@dataclass(frozen=True)
class Shop:
    """The console's address and the system that it belongs to."""

    url: str
    system: System
    demo: welcome.DemoShop
    _staff: dict[tuple[str, str], Staff] = field(default_factory=dict)

    def staff(self, username: str = OWNER, password: str = PASSWORD) -> Staff:
        """Return somebody who is logged in, the owner unless told otherwise.

        They log in once, and again when their session was ended: more than 60 logins in a minute
        from one address are refused, which these tests can reach.
        """
        known = self._staff.get((username, password))
        if known is None or known.api.call("GET", "/v1/merchant/me").status != 200:
            known = Staff(self.system.api, MERCHANT_ID, username, password)
            self._staff[username, password] = known
        return known

    def at_home(self, page: Page) -> None:
        """Wait until the page is the first one, wherever it was sent to: its address is the last
        thing to change when a page that somebody may not open leads back to it."""
        expect(page).to_have_url(re.compile("#/$"))
        expect(page.get_by_role("heading", name="首页")).to_be_visible()


@pytest.fixture(scope="package")  # its jobs and its stream take a tenth of a processor
def shop() -> Iterator[Shop]:
    if CHROMIUM is None or shutil.which("npm") is None:
        pytest.skip("apt-get install npm chromium-headless-shell: the console's tests need both")
    ports = process.free_port(), process.free_port()
    with dev.from_sources(*ports) as (system, _):
        demo = welcome.fill(system)
        with console.CONSOLE.beside(console.config_of(system), port=0) as url:
            assert url is not None
            yield Shop(url, system, demo)


@pytest.fixture(scope="package")
def web(shop: Shop) -> Iterator[str]:
    """The address of the buyers' shop, which the API knows as well."""
    port = urlsplit(shop.system.web_url).port or 0
    phones = welcome.phones_page(shop.system, shop.demo)
    with h5.H5.beside(console.config_of(shop.system), port=port, files=phones) as url:
        assert url is not None
        yield url


@pytest.fixture(scope="package")
def hurried() -> Iterator[Shop]:
    """Another shop, in which groups live and seats are held for a sixtieth of the time; there is
    nothing to buy in it yet, and no console."""
    ports = process.free_port(), process.free_port()
    with dev.from_sources(*ports, time_divisor=HURRY) as (system, _):
        nobody = welcome.DemoShop(Offer("", 0, "", "", 0, (), ()), Placed("", "", 0, 0), ())
        hurried = Shop("", system, nobody)
        hurried.staff().set_up(pay_by_s=HELD_S * HURRY)
        yield hurried


@pytest.fixture
def arrive(browser: Browser, shop: Shop, web: str) -> Iterator[Callable[..., "Shopper"]]:
    """Buyers with a phone each, at the H5 shop; what they may never do fails the test."""
    yield from _arrivals(browser, shop, web)


@pytest.fixture
def arrive_in_a_hurry(browser: Browser, hurried: Shop) -> Iterator[Callable[..., "Shopper"]]:
    """The same, at the shop where time is short."""
    port = urlsplit(hurried.system.web_url).port or 0
    with h5.H5.beside(console.config_of(hurried.system), port=port) as url:
        assert url is not None
        yield from _arrivals(browser, hurried, url)


def _arrivals(browser: Browser, shop: Shop, web: str) -> Iterator[Callable[..., "Shopper"]]:
    from tests.browser.shoppers import shopper  # it knows this module

    there: list[Shopper] = []

    def arrive(name: str = "", **context: object) -> "Shopper":
        there.append(shopper(browser, shop, web, name=name, **context))
        return there[-1]

    yield arrive
    breaches = [it for one in there for it in one.breaches]
    for one in there:
        one.page.context.close()
    assert breaches == []


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    return {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    # A clock elsewhere: what people read is Beijing's time, whatever their computer's.
    return {"viewport": WIDE, "locale": "zh-CN", "timezone_id": "America/New_York"}


@pytest.fixture
def watched(page: Page, shop: Shop) -> Iterator[Page]:
    """A page that fails the test when the console does what it may never do."""
    ours = {urlsplit(url).netloc for url in (shop.url, shop.system.api_url, shop.system.aws_url)}
    breaches: list[str] = []

    def read(message: ConsoleMessage) -> None:
        # A refusal that a page shows in words is no error; the browser reports it all the same.
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            breaches.append(message.text)

    def see(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme.startswith("http") and address.netloc not in ours:
            breaches.append(f"a request to {request.url}")

    page.set_default_timeout(LATE_MS)
    page.on("console", read)
    page.on("pageerror", lambda error: breaches.append(str(error)))
    page.on("request", see)
    yield page
    assert breaches == []


@pytest.fixture
def log_in(watched: Page, shop: Shop) -> Callable[..., Page]:
    """Open the console as somebody who has logged in, the owner unless told otherwise.

    (What the login page does is tried in test_staff, test_pages and test_new_shop.)
    """

    def log_in(username: str = OWNER, password: str = PASSWORD) -> Page:
        session = shop.staff(username, password).session
        kept = {**session, "merchant_id": MERCHANT_ID, "began_at_s": int(time.time())}
        login = secrets.token_hex(8)  # somebody may come back to the same session
        words = {"login": login, "session": json.dumps(kept), "shop": MERCHANT_ID}
        watched.add_init_script(KEEP_SESSION % {it: json.dumps(words[it]) for it in words})
        watched.goto(shop.url)
        shop.at_home(watched)
        return watched

    return log_in
