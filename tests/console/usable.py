"""What keeps somebody from using a page: what axe finds, inputs without a name, too much width."""

from typing import Any

from playwright.sync_api import Page, expect

from infra.local.console import NODE_MODULES

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
NAMELESS = """() => [...document.querySelectorAll('input, select, textarea')]
    .filter((it) => it.offsetParent && !it.labels?.length && !it.getAttribute('aria-label'))
    .map((it) => it.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
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


def _serious(page: Page) -> list[dict[str, Any]]:
    page.evaluate(AXE.read_text())  # not as a script: the policy would refuse it
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        {"rule": it["id"], "where": [node["html"][:300] for node in it["nodes"][:5]]}
        for it in found["violations"]
        if it["impact"] in ("serious", "critical")
    ]
