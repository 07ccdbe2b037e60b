"""The shop's members over HTTP: who they are, tags, notes, files, merges and closed accounts."""

from typing import Any

import pytest

from chalicelib.domain.member import NOTES_MAX, TAGS_OF_MEMBER_MAX
from chalicelib.services.growth import members
from chalicelib.services.people import identities
from tests.api.test_exports import exported, let_be_found
from tests.api.test_shop_acts import refund
from tests.fixtures.interleavings import after_once, interleaved
from tests.fixtures.levels import have_levels
from tests.fixtures.merchant import ADDRESS, DAY_S, Buyer, Caller, MerchantFixture
from tests.fixtures.merges import PHONE, merge_into_an_older_one
from tests.fixtures.points import received, sold
from tests.fixtures.shipping import ship

MEMBERS, TAGS = "/v1/merchant/members", "/v1/merchant/member-tags"


def bought(merchant: MerchantFixture, buyer: Buyer, *, quantity: int = 1, **more: Any) -> str:
    """A paid order of ¥99.00 a unit, which makes its buyer a member."""
    activity = merchant.activity(stock=5, product_stock=50)
    order_id = str(buyer.buy_alone(activity, quantity=quantity, **more).body["order_id"])
    merchant.pay(buyer, order_id)
    let_be_found(merchant, order_id)
    merchant.run_jobs()
    return order_id


def rows(caller: Caller, **wish: str | int) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in wish.items())
    reply = caller.get(f"{MEMBERS}?{query}")
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.body["items"]
    return found


def names(caller: Caller, **wish: str | int) -> list[str]:
    return [row["name"] for row in rows(caller, **wish)]


def tag(caller: Caller, name: str, **rule: int) -> str:
    made = caller.post(TAGS, {"name": name, "rule": rule or None})
    assert made.status == 201, made.body
    return str(made.body["tag_id"])


def give(caller: Caller, *buyers: Buyer, add: list[str], remove: list[str] | None = None) -> Any:
    body = {"buyer_ids": [one.buyer_id for one in buyers], "add": add, "remove": remove or []}
    return caller.post(f"{MEMBERS}/tags", body)


def test_a_member_is_found_tagged_and_noted(merchant: MerchantFixture) -> None:
    owner, first, second = merchant.owner(), merchant.buyer("小满"), merchant.buyer("大山")
    merchant.buyer("路人")
    bought(merchant, first, quantity=2)
    merchant.clock.forward(60)
    phone = "13911112222"
    bought(merchant, second, address={**ADDRESS, "name": "赵大山", "phone": phone})

    listed = {sort: names(owner, sort=sort) for sort in ("last", "spent", "since")}
    assert listed["last"] == ["大山", "小满"]
    assert listed["spent"] == ["小满", "大山"]
    assert sorted(listed["since"]) == ["大山", "小满"]
    for q in ("2222", phone, "赵大", "大山"):
        (row,) = rows(owner, q=q)
        assert (row["name"], row["phone"], row["recipient"]) == ("大山", "139****2222", "赵*")
    assert (row["orders"], row["spent_fen"]) == (1, 9900)
    assert rows(owner, q="13900002222") == []

    regular, rich = tag(owner, "常客"), tag(owner, "大客户", spent_least_fen=10000)
    given = give(owner, first, second, add=[regular])
    note = owner.post(f"{MEMBERS}/{second.buyer_id}/notes", {"text": "爱吃甜的"})

    assert given.body == {"done": 2, "refused": []}
    assert sorted(names(owner, tag_id=regular)) == ["大山", "小满"]
    assert names(owner, tag_id=rich) == names(owner, tag_id=rich, q="8000") == ["小满"]
    told = owner.get(f"{MEMBERS}/{second.buyer_id}").body
    assert [one["text"] for one in told["notes"]] == ["爱吃甜的"]
    assert (note.status, told) == (201, note.body)
    copy = second.get("/v1/me/data").body
    assert (copy["tags"], [one["text"] for one in copy["notes"]]) == (["常客"], ["爱吃甜的"])

    file = exported(merchant, "members", "buyer", "phone", "orders", "spent", "tags", tag_id=rich)
    assert [list(one.values()) for one in file] == [
        ["小满", "138****8000", "1", "198.00", "常客；大客户"]
    ]
    assert give(owner, first, add=[], remove=[regular]).body["done"] == 1
    assert names(owner, tag_id=regular) == ["大山"]
    merchant.check_laws()


def test_figures_follow_refunds(merchant: MerchantFixture) -> None:
    owner, buyer = merchant.owner(), merchant.buyer()
    kept, gone = bought(merchant, buyer, quantity=2), bought(merchant, buyer)

    assert refund(merchant, kept, 900).status == 201
    assert refund(merchant, gone, 9900, 1).status == 201
    assert merchant.gateway.quiet()
    merchant.run_jobs(2)

    (row,) = rows(owner)
    assert (row["orders"], row["spent_fen"]) == (1, 18900)
    merchant.check_laws()


def test_members_of_a_level_are_those_who_have_it_now(merchant: MerchantFixture) -> None:
    have_levels(merchant)
    activity, grown_one, other = sold(merchant), merchant.buyer("小满"), merchant.buyer("大山")
    order_id = received(merchant, activity, grown_one)
    bought(merchant, other)
    merchant.run_jobs()

    owner = merchant.owner()
    (row,) = rows(owner, level=1)
    assert (row["name"], row["growth"], row["level"]) == ("小满", 99, {"no": 1, "name": "银卡会员"})
    assert sorted(names(owner)) == ["大山", "小满"]
    file = exported(merchant, "members", "buyer", "level", "growth", level=1)
    assert [list(one.values()) for one in file] == [["小满", "银卡会员", "99"]]
    assert refund(merchant, order_id, 9900, 1).status == 201
    assert merchant.gateway.quiet()
    merchant.run_jobs(2)
    assert rows(owner, level=1) == []
    merchant.check_laws()


def test_pages_of_a_list_have_each_member_once(merchant: MerchantFixture) -> None:
    owner, found, query = merchant.owner(), [], "?limit=2"
    for name in ("甲甲", "乙乙", "丙丙"):
        bought(merchant, merchant.buyer(name))
    quiet = tag(owner, "沉睡", longer_ago_days=30)

    while query:
        page = owner.get(f"{MEMBERS}{query}").body
        found += [row["name"] for row in page["items"]]
        query = f"?limit=2&next={page['next']}" if page["next"] else ""

    assert sorted(found) == ["丙丙", "乙乙", "甲甲"]
    assert rows(owner, tag_id=quiet) == []
    merchant.clock.forward(31 * DAY_S)
    assert len(rows(merchant.owner(), tag_id=quiet)) == 3


def test_two_who_are_one_are_one_member(merchant: MerchantFixture) -> None:
    owner, buyer = merchant.owner(), merchant.buyer("小满")
    bought(merchant, buyer)
    regular = tag(owner, "常客")
    give(owner, buyer, add=[regular])
    owner.post(f"{MEMBERS}/{buyer.buyer_id}/notes", {"text": "爱吃甜的"})
    merge = merge_into_an_older_one(merchant, buyer)

    merged = merge()
    merchant.run_jobs()

    (row,) = rows(owner, tag_id=regular)
    assert (row["buyer_id"], row["orders"], row["spent_fen"]) == (merged.buyer_id, 1, 9900)
    told = owner.get(f"{MEMBERS}/{buyer.buyer_id}").body
    assert (told["buyer_id"], len(told["notes"])) == (merged.buyer_id, 1)
    merchant.check_laws()


@pytest.mark.parametrize("before", ["the items are read", "anything is written"])
def test_a_merge_that_comes_while_figures_are_reckoned_is_not_lost(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    buyer = merchant.buyer("小满")
    bought(merchant, buyer)
    merge = merge_into_an_older_one(merchant, buyer)
    activity = merchant.activity(stock=5, product_stock=20)
    order_id = str(buyer.buy_alone(activity).body["order_id"])
    merchant.pay(buyer, order_id)
    let_be_found(merchant, order_id)

    def reckoned() -> None:
        members.process(merchant.merchant_id, buyer.buyer_id, now_s=merchant.now_s)

    if before == "anything is written":
        with interleaved(merge):
            reckoned()
    else:
        with monkeypatch.context() as patch:
            patch.setattr(members, "read", after_once(merge, members.read))
            reckoned()
    merchant.run_jobs()

    (row,) = rows(merchant.owner())
    assert (row["orders"], row["spent_fen"]) == (2, 19800)
    merchant.check_laws()


def test_a_closed_account_leaves_no_member(merchant: MerchantFixture) -> None:
    owner, buyer = merchant.owner(), merchant.buyer("小满")
    order_id = bought(merchant, buyer)
    give(owner, buyer, add=[tag(owner, "常客")])
    owner.post(f"{MEMBERS}/{buyer.buyer_id}/notes", {"text": "爱吃甜的"})
    ship(merchant, order_id, "SF1234567890123")
    buyer.post(f"/v1/orders/{order_id}/receipt")

    assert buyer.call("DELETE", "/v1/me/account").status == 200
    assert refund(merchant, order_id, 100).status == 201
    assert merchant.gateway.quiet()
    merchant.run_jobs(2)

    late = owner.post(f"{MEMBERS}/{buyer.buyer_id}/notes", {"text": "还在吗"})
    assert (rows(owner), rows(owner, q="8000")) == ([], [])
    assert owner.get(f"{MEMBERS}/{buyer.buyer_id}").status == late.status == 404
    refused = give(owner, buyer, add=[]).body["refused"]
    assert [one["buyer_id"] for one in refused] == [buyer.buyer_id]
    merchant.check_laws()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "常客"}, ("invalid_request", "name")),
        ({"name": "空的", "rule": {}}, ("invalid_request", "rule")),
        (
            {"name": "没有人", "rule": {"within_days": 7, "longer_ago_days": 7}},
            ("invalid_request", "rule.longer_ago_days"),
        ),
    ],
)
def test_a_tag_that_says_nothing_is_refused(
    merchant: MerchantFixture, body: dict[str, Any], said: tuple[str, str]
) -> None:
    owner = merchant.owner()
    tag(owner, "常客")

    refused = owner.post(TAGS, body)

    assert (refused.code, refused.body["details"]["field"]) == said
    assert [one["name"] for one in owner.get(TAGS).body["items"]] == ["常客"]


def test_a_tag_is_changed_as_it_was_read_and_removed_everywhere(merchant: MerchantFixture) -> None:
    owner, buyer = merchant.owner(), merchant.buyer()
    bought(merchant, buyer)
    by_hand, by_rule = tag(owner, "常客"), tag(owner, "买过", orders_least=1)
    give(owner, buyer, add=[by_hand])

    renamed = owner.put(f"{TAGS}/{by_hand}", {"name": "老朋友", "rule": None, "revision": 1})
    late = owner.put(f"{TAGS}/{by_hand}", {"name": "老客", "rule": None, "revision": 1})
    rule = {"orders_least": 2}
    turned = owner.put(f"{TAGS}/{by_hand}", {"name": "老客", "rule": rule, "revision": 2})
    narrowed = owner.put(f"{TAGS}/{by_rule}", {"name": "买过", "rule": rule, "revision": 1})

    assert (renamed.body["revision"], narrowed.status) == (2, 200)
    assert (late.code, turned.code) == ("changed", "invalid_request")
    assert [one["name"] for one in rows(owner)[0]["tags"]] == ["老朋友"]
    assert give(owner, buyer, add=[by_rule]).code == "invalid_request"
    removed = [owner.call("DELETE", f"{TAGS}/{by_hand}").status for _ in range(2)]
    assert (removed, rows(owner)[0]["tags"]) == ([200, 404], [])
    assert owner.get(f"{MEMBERS}?tag_id={by_hand}").status == 404
    assert give(owner, buyer, add=[by_hand]).body["done"] == 0


def test_a_member_has_so_many_tags_and_notes(merchant: MerchantFixture) -> None:
    owner, buyer = merchant.owner(), merchant.buyer()
    bought(merchant, buyer)
    some = [tag(owner, f"标签{number}") for number in range(TAGS_OF_MEMBER_MAX + 1)]
    notes = f"{MEMBERS}/{buyer.buyer_id}/notes"

    full = give(owner, buyer, add=some[:-1])
    more = give(owner, buyer, add=some[-1:])
    for number in range(NOTES_MAX + 1):
        owner.post(notes, {"text": f"第 {number} 条"}, Idempotency_Key=f"note-{number}")
    repeated = owner.post(
        notes, {"text": f"第 {NOTES_MAX} 条"}, Idempotency_Key=f"note-{NOTES_MAX}"
    )
    other = owner.post(notes, {"text": "别的"}, Idempotency_Key=f"note-{NOTES_MAX}")

    assert (full.body["done"], more.body["done"]) == (1, 0)
    texts = [one["text"] for one in repeated.body["notes"]]
    assert (len(texts), "第 0 条" in texts, other.code) == (
        NOTES_MAX,
        False,
        "idempotency_mismatch",
    )


def test_who_has_more_tags_since_they_were_merged_can_lose_them_one_by_one(
    merchant: MerchantFixture,
) -> None:
    owner, one, other = merchant.owner(), merchant.buyer(), merchant.buyer()
    some = [tag(owner, f"标签{number}") for number in range(2 * TAGS_OF_MEMBER_MAX)]
    halves = some[:TAGS_OF_MEMBER_MAX], some[TAGS_OF_MEMBER_MAX:]
    for buyer, half in zip((one, other), halves, strict=True):
        bought(merchant, buyer)
        assert give(owner, buyer, add=half).body["done"] == 1
    merge_into_an_older_one(merchant, one)()
    merged = identities.prove(merchant.merchant_id, other.buyer_id, PHONE, now_s=merchant.now_s)
    person = merchant.session(merged)
    merchant.run_jobs()

    assert len(rows(owner)[0]["tags"]) == len(some)
    assert give(owner, person, add=[], remove=some[:1]).body["done"] == 1
    assert give(owner, person, add=some[:1], remove=some[1:2]).body["done"] == 0
    merchant.check_laws()


def test_file_of_a_tag_that_is_removed_meanwhile_names_nobody(merchant: MerchantFixture) -> None:
    owner, buyer = merchant.owner(), merchant.buyer()
    bought(merchant, buyer)
    tag_id = tag(owner, "常客")
    give(owner, buyer, add=[tag_id])
    asked = {"subject": "members", "columns": ["buyer"], "tag_id": tag_id}
    export_id = owner.post("/v1/merchant/exports", asked).body["export_id"]
    assert owner.call("DELETE", f"{TAGS}/{tag_id}").status == 200

    merchant.run_jobs()

    shown = owner.get(f"/v1/merchant/exports/{export_id}").body
    assert (shown["status"], shown["rows"]) == ("done", 0)
    merchant.check_laws()


def test_files_of_members_are_for_who_may_see_them(merchant: MerchantFixture) -> None:
    bought(merchant, merchant.buyer("小满"))
    shipper, wanted = merchant.staff("fulfilment"), {"subject": "members", "columns": ["phone"]}

    assert shipper.get(MEMBERS).status == 403
    assert shipper.post("/v1/merchant/exports", wanted).status == 403
    in_full = exported(merchant, "members", "name", "phone", personal=True, q="小满")
    assert [list(one.values()) for one in in_full] == [[ADDRESS["name"], ADDRESS["phone"]]]
    timed = merchant.owner().post("/v1/merchant/exports", {**wanted, "from_s": 1})
    assert (timed.code, timed.body["details"]["field"]) == ("invalid_request", "from_s")
