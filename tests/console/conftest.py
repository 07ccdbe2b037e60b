"""A browser at the merchant's console, which talks to a whole local system behind it.

The system runs from its sources, with the demonstration shop in it, once for all of these tests.
Whatever the console may never do fails the test it happens in: an error on the browser's console,
a breach of its content policy, a request to anybody but its own host, the API and the pictures.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, ViewportSize, expect

from infra.local import console, dev, process, welcome
from infra.local.demo_data import OWNER, PASSWORD
from infra.local.system import System

CHROMIUM = shutil.which("chromium")
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
expect.set_options(timeout=15_000)  # milliseconds; what comes late on a busy machine has come
REFUSED = (
    "Failed to load resource: the server responded with a status of 4",
    "Failed to load resource: net::ERR_FAILED",  # what a test itself keeps from arriving
)


@dataclass(frozen=True)
class Shop:
    """The console's address and the system that it belongs to."""

    url: str
    system: System


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    if CHROMIUM is None or shutil.which("npm") is None:
        pytest.skip("the console's tests need npm and chromium (apt-get install npm chromium)")
    ports = process.free_port(), process.free_port()
    with dev.from_sources(*ports) as (system, _):
        welcome.fill(system)
        with console.beside(system) as url:
            assert url is not None
            yield Shop(url, system)


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

    page.on("console", read)
    page.on("pageerror", lambda error: breaches.append(str(error)))
    page.on("request", see)
    yield page
    assert breaches == []


@pytest.fixture
def log_in(watched: Page, shop: Shop) -> Callable[..., Page]:
    """Log in as somebody, the owner unless told otherwise."""

    def log_in(username: str = OWNER, password: str = PASSWORD) -> Page:
        watched.goto(shop.url)
        watched.get_by_label("账号").fill(username)
        watched.get_by_label("密码").fill(password)
        watched.get_by_role("button", name="登录").click()
        watched.get_by_role("heading", name="首页").wait_for()
        return watched

    return log_in
