"""What keeps somebody from using a page: what axe finds, inputs without a name, too much width."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, expect

from infra.local.console import NODE_MODULES

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
NAMELESS = """() => [...document.querySelectorAll('input, select, textarea')]
    .filter((it) => it.offsetParent && !it.labels?.length && !it.getAttribute('aria-label'))
    .map((it) => it.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
IS_DARK = "() => document.documentElement.classList.contains('dark')"
COLOURS = ["color-contrast"]
STILL = """() => document.getAnimations().every(
    (it) => it.playState !== 'running' || it.effect.getComputedTiming().iterations === Infinity)"""


def stand_still(page: Page) -> None:
    """Wait until the page has what it asked for, and nothing moves on it."""
    page.wait_for_load_state("networkidle")
    expect(page.locator(".el-skeleton")).to_have_count(0)
    page.wait_for_function(STILL)  # a colour that is still changing is nobody's to read


def unusable(page: Page) -> list[Any]:
    """Whatever of it the page has."""
    stand_still(page)
    wrong = [*_serious(page), *page.evaluate(NAMELESS)]
    return [*wrong, "wider than the window"] if page.evaluate(TOO_WIDE) else wrong


def unusable_on_a_phone(page: Page) -> list[Any]:
    """The same by day, and its colours by night, of a page that uni-app draws: its inputs have no
    names of their own."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function(STILL)
    by_day = _serious(page)
    if page.evaluate(TOO_WIDE):
        by_day.append({"rule": "wider than the window"})
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(STILL)
    by_night = _serious(page, rules=COLOURS)
    page.emulate_media(color_scheme="light")
    return by_day + by_night


def go_by_night(page: Page) -> None:
    """Let the page, which is loaded, turn dark; those it goes to from here will be."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(IS_DARK)


def _serious(page: Page, rules: Sequence[str] = ()) -> list[dict[str, Any]]:
    """rules: those to look at, all unless said."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())  # not as a script: the policy would refuse it
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        {"rule": it["id"], "where": [node["html"][:300] for node in it["nodes"][:5]]}
        for it in found["violations"]
        if it["impact"] in ("serious", "critical")
    ]
