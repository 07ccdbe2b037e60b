"""The audit log: who changed what, the newest first, found by person and by thing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.audit_words import ACTION_WORDS
from chalicelib.domain.beijing import day_of, midnight_s
from chalicelib.services.catalogue import (
    activities,
    categories,
    coupon_templates,
    freight_templates,
    points_offers,
    product_shelf,
    stores,
)
from chalicelib.services.people import audit_log
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import transaction
from tests.fixtures.merchant import MerchantFixture

SERVICES = Path(activities.__file__).parent.parent
# Actions that are put together where they are written.
COMPUTED = {
    "after_sale_exchange_agreed",
    "after_sale_return_agreed",
    "payment_method_resumed",
    "payment_method_stopped",
    "refund_outside",
    "refund_sent_again",
    "refund_stopped",
    *activities.SWITCHED.values(),
    *product_shelf.SHELVED.values(),
    *(
        f"{kind.name}_{what}"
        for kind in (
            categories.KIND,
            coupon_templates.KIND,
            freight_templates.KIND,
            points_offers.KIND,
            stores.KIND,
        )
        for what in ("created", "changed", "removed")
    ),
}


def record(merchant: MerchantFixture, staff: str, subject: str, *, at_s: int | None = None) -> None:
    with transaction() as writes:
        now_s = merchant.now_s if at_s is None else at_s
        audit(writes, merchant.merchant_id, staff, "product_changed", subject, {}, {"n": 1}, now_s)


def rows(merchant: MerchantFixture, query: str = "") -> list[tuple[str, str]]:
    """(staff, subject) of every page."""
    found, after = [], ""
    while True:
        page = merchant.staff("manager").get(f"/v1/merchant/audit?limit=2{query}{after}").body
        found += [(row["staff"], row["subject"]) for row in page["items"]]
        if page["next"] is None:
            return found
        after = f"&next={page['next']}"


def test_newest_come_first_page_after_page_and_say_what_was_done(merchant: MerchantFixture) -> None:
    for n in range(5):
        merchant.clock.forward(1)
        record(merchant, "boss", f"product#{n}")

    assert rows(merchant)[:5] == [("boss", f"product#{n}") for n in (4, 3, 2, 1, 0)]
    newest = merchant.owner().get("/v1/merchant/audit?limit=1").body["items"]
    assert newest == [
        {
            "at_s": merchant.now_s,
            "staff": "boss",
            "action": "product_changed",
            "words": "修改商品",
            "subject": "product#4",
            "before": {},
            "after": {"n": 1},
        }
    ]


def test_rows_are_found_by_person_by_thing_and_by_kind(merchant: MerchantFixture) -> None:
    for n in range(3):
        merchant.clock.forward(1)
        record(merchant, "boss", f"product#{n}")
        record(merchant, "clerk", f"order#{n}")

    assert rows(merchant, "&staff=clerk") == [("clerk", f"order#{n}") for n in (2, 1, 0)]
    assert rows(merchant, "&subject=product%231") == [("boss", "product#1")]
    assert rows(merchant, "&staff=boss&subject=product") == [
        ("boss", f"product#{n}") for n in (2, 1, 0)
    ]
    assert rows(merchant, "&staff=clerk&subject=product") == []


def test_page_of_a_search_looks_through_a_bounded_number_of_rows(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "ROWS_LOOKED_THROUGH", 2)
    record(merchant, "boss", "needle#1")
    for n in range(audit_log.QUERIES_MAX * 2):
        merchant.clock.forward(1)
        record(merchant, "boss", f"hay#{n}")

    first = merchant.owner().get("/v1/merchant/audit?subject=needle").body

    assert (first["items"], first["next"] is None) == ([], False)
    assert rows(merchant, "&subject=needle") == [("boss", "needle#1")]


def test_month_is_that_of_beijing(merchant: MerchantFixture) -> None:
    today = day_of(merchant.now_s)
    begins_s = midnight_s(today.replace(day=1))
    record(merchant, "boss", "last#month", at_s=begins_s - 1)
    record(merchant, "boss", "this#month", at_s=begins_s)
    last = day_of(begins_s - 1)

    this_month = rows(merchant, f"&month={today:%Y%m}")
    assert ("boss", "this#month") in this_month
    assert ("boss", "last#month") not in this_month
    assert rows(merchant, f"&month={last:%Y%m}") == [("boss", "last#month")]
    assert rows(merchant) == this_month
    for wrong in ("2026", "202613", "199901", "2026-1"):
        assert merchant.owner().get(f"/v1/merchant/audit?month={wrong}").status == 400


def test_every_action_has_words_and_every_word_an_action() -> None:
    written = {action for path in SERVICES.rglob("*.py") for action in _actions_in(path)}

    assert written | COMPUTED == set(ACTION_WORDS)


def _actions_in(path: Path) -> Iterator[str]:
    """The actions that a module names where it calls `audit`, or a function of its own around it,
    whose name says so."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or "audit" not in _name(node.func):
            continue
        for given in [*node.args, *(word.value for word in node.keywords)]:
            text = given.value if isinstance(given, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch("[a-z]+(_[a-z]+)+", text):
                yield text


def _name(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]
