"""The page of a group: one answer for each role and state, and for nobody else."""

from typing import Any

import pytest

from chalicelib.api import auth
from chalicelib.domain.activity_draft import Draft, DraftSku
from chalicelib.domain.ids import new_id
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.services.catalogue import products, publishing
from chalicelib.services.groups import joinable_groups
from tests.fixtures.merchant import DAY_S, Activity, Buyer, Caller, MerchantFixture, Reply


def read(merchant: MerchantFixture, caller: Caller, group_id: str, **headers: str) -> Reply:
    path = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page"
    return caller.get(path, **headers)


def page(merchant: MerchantFixture, caller: Caller, group_id: str) -> Any:
    reply = read(merchant, caller, group_id)
    assert reply.status == 200, reply.body
    return reply.body


def detail(merchant: MerchantFixture, caller: Caller, activity: Activity) -> Any:
    path = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    return caller.get(path).body


def roles(merchant: MerchantFixture, group_id: str, *callers: Caller) -> list[str]:
    return [page(merchant, caller, group_id)["role"] for caller in callers]


def ids(groups: list[dict[str, Any]]) -> list[str]:
    return [group["group_id"] for group in groups]


def test_page_tells_each_role_what_it_is_and_what_it_holds(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=4, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    merchant.clock.forward(1)
    member, second = merchant.member(activity, group_id)
    merchant.clock.forward(1)
    holder, held = merchant.join(activity, group_id)
    visitor, outsider = merchant.visitor(), merchant.buyer()

    everybody = (leader, member, holder, visitor, outsider)
    assert roles(merchant, group_id, *everybody) == [
        "leader",
        "member",
        "holder",
        "stranger",
        "stranger",
    ]
    shown = page(merchant, holder, group_id)
    assert shown["order"]["order_id"] == held
    assert (shown["order"]["status"], shown["order"]["pay_by_s"]) == (
        "pending",
        merchant.now_s + 600,
    )
    flags = [(s["is_leader"], s["is_paid"], s["is_mine"]) for s in shown["seats"]]
    assert flags == [(True, True, False), (False, True, False), (False, False, True)]
    assert page(merchant, leader, group_id)["order"]["order_id"] == first
    assert page(merchant, member, group_id)["order"]["order_id"] == second
    stranger = page(merchant, visitor, group_id)
    assert (stranger["order"], stranger["own_group"], stranger["others"]) == (None, None, [])
    assert stranger["progress"]["seats_missing"] == 2
    assert (stranger["solo_price_fen"], stranger["solo_on_sale"]) == (9900, True)
    assert [sku["group_price_fen"] for sku in stranger["skus"]] == [5900]
    assert (stranger["activity_state"], stranger["deliveries"]) == ("running", ["express"])
    assert not any(seat["is_mine"] for seat in stranger["seats"])


@pytest.mark.slow
def test_full_group_offers_others_that_can_be_joined_fewest_missing_first(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = merchant.activity(seats=3, stock=40)
    full, _, _ = merchant.open_group(activity)
    members = [merchant.member(activity, full)[0] for _ in range(2)]
    stranger = merchant.buyer()
    two_left, _, _ = merchant.open_group(activity)
    merchant.clock.forward(60)
    one_left, _, _ = merchant.open_group(activity)
    merchant.member(activity, one_left)
    last_held, _, _ = merchant.open_group(activity)
    merchant.member(activity, last_held)
    _, held = merchant.join(activity, last_held)
    own, _, _ = merchant.open_group(activity, stranger)

    assert ids(page(merchant, merchant.visitor(), full)["others"]) == [one_left, two_left, own]
    assert ids(page(merchant, stranger, full)["others"]) == [one_left, two_left]
    assert page(merchant, stranger, full)["own_group"]["group_id"] == own
    assert page(merchant, members[0], full)["others"] == []
    assert ids(page(merchant, merchant.visitor(), last_held)["others"]) == [one_left, two_left, own]
    shown = detail(merchant, merchant.visitor(), activity)
    assert ids(shown["joinable_groups"]) == [one_left, two_left, own]
    assert [g["seats_taken"] for g in shown["joinable_groups"]] == [2, 1, 1]
    assert not shown["joinable_more"]
    with monkeypatch.context() as patched:
        patched.setattr(joinable_groups, "LOOKED_AT", 1)  # the soonest due
        short = detail(merchant, merchant.visitor(), activity)
    assert (ids(short["joinable_groups"]), short["joinable_more"]) == ([two_left], True)
    mine = detail(merchant, stranger, activity)
    assert ids(mine["joinable_groups"]) == [one_left, two_left]
    assert (mine["own_group"]["group_id"], mine["own_group"]["seats_missing"]) == (own, 2)

    merchant.wait(601)  # the held seat is let go of
    assert merchant.stored_order(held).status == "closed"
    assert last_held in ids(page(merchant, merchant.visitor(), full)["others"])


def test_hold_that_ran_out_is_no_seat_but_its_order_is_shown(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.wait(601)

    shown = page(merchant, buyer, group_id)

    assert (shown["role"], shown["order"]["order_id"]) == ("stranger", order_id)
    assert shown["order"]["status"] == "closed"
    assert len(shown["seats"]) == 1
    merchant.join(activity, group_id, buyer)
    assert roles(merchant, group_id, buyer) == ["holder"]


def test_failed_group_tells_its_members_of_their_money_and_strangers_of_none(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=20, life_h=1)
    group_id, leader, order_id = merchant.open_group(activity)
    merchant.clock.forward(1800)
    other, _, _ = merchant.open_group(activity)
    merchant.clock.forward(1860)
    merchant.gateway.faults.add("refund", "stays_processing")
    merchant.run_jobs()

    shown = page(merchant, leader, group_id)

    assert (shown["progress"]["status"], shown["progress"]["failed_reason"]) == ("failed", "due")
    assert (shown["role"], shown["order"]["order_id"]) == ("leader", order_id)
    assert shown["decided_at_s"] == merchant.now_s
    (refund,) = shown["order"]["refunds"]
    assert (refund["amount_fen"], refund["arrived_at_s"]) == (5900, None)
    assert refund["expected_by_s"] >= merchant.now_s + 3 * 86400
    assert shown["next_poll_s"] == 15
    assert ids(shown["others"]) == [other]
    merchant.gateway.settle_refunds()
    merchant.wait(60)
    (refund,) = page(merchant, leader, group_id)["order"]["refunds"]
    assert (refund["arrived_at_s"], refund["expected_by_s"]) == (merchant.now_s - 60, None)
    assert page(merchant, leader, group_id)["next_poll_s"] == 0
    stranger = page(merchant, merchant.visitor(), group_id)
    assert (stranger["order"], ids(stranger["others"])) == (None, [other])


def test_reason_of_the_shop_is_for_its_members(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=20)
    group_id, leader, _ = merchant.open_group(activity)
    body = {"reason": "水果没有到货"}
    assert merchant.owner().post(f"/v1/merchant/groups/{group_id}/closing", body).status == 200

    assert page(merchant, leader, group_id)["closed_words"] == "水果没有到货"
    assert page(merchant, merchant.visitor(), group_id)["closed_words"] == ""


def test_page_is_answered_again_only_when_it_has_changed_for_its_reader(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    visitor = merchant.visitor()
    public, own = read(merchant, visitor, group_id), read(merchant, leader, group_id)
    assert {page.headers["cache-control"] for page in (public, own)} == {"no-store"}
    assert public.headers["etag"] != own.headers["etag"]
    merchant.clock.forward(5)

    def statuses() -> list[int]:
        asks = [(c, e) for c in (visitor, leader) for e in (public, own)]
        return [
            read(merchant, caller, group_id, If_None_Match=earlier.headers["etag"]).status
            for caller, earlier in asks
        ]

    assert statuses() == [304, 200, 200, 304]
    buyer, order_id = merchant.join(activity, group_id)
    assert statuses() == [200] * 4
    held = read(merchant, visitor, group_id)
    merchant.pay(buyer, order_id)
    again = read(merchant, visitor, group_id, If_None_Match=held.headers["etag"])
    assert (again.status, again.body["seats"][1]["is_paid"]) == (200, True)


def test_session_of_another_shop_is_a_strangers_and_a_bad_one_is_refused(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    token = auth.buyer_token(new_id(), leader.buyer_id, "", now_s=merchant.now_s)
    elsewhere = Caller(merchant.api_client, token)

    assert roles(merchant, group_id, elsewhere) == ["stranger"]
    for token in ("nonsense", str(merchant.owner().token)):
        reply = read(merchant, Caller(merchant.api_client, token), group_id)
        assert (reply.status, reply.code) == (401, "unauthenticated")


def test_activity_tells_what_its_page_shows_before_anybody_logs_in(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=20, skus=2)
    group_id, _, _ = merchant.open_group(activity)
    merchant.member(activity, group_id)
    merchant.run_jobs()
    merchant.clock.forward(60)

    shown = detail(merchant, merchant.visitor(), activity)

    assert [(sku["left"], sku["sold_out"]) for sku in shown["skus"]] == [(18, False), (20, False)]
    assert (shown["groups_formed"], shown["deliveries"]) == (1, ["express"])
    assert (shown["ship_within_h"], shown["now_s"]) == (48, merchant.now_s)
    assert shown["images"] == [shown["image"]]
    store = {"name": "西湖店", "address": "文一西路 1 号", "phone": "0571-88880000"}
    made = merchant.owner().post("/v1/merchant/stores", store, Idempotency_Key="store-once")
    assert made.status == 201, made.body
    merchant.clock.forward(60)
    assert detail(merchant, merchant.visitor(), activity)["deliveries"] == ["express", "pickup"]


def test_quote_needs_no_session_and_tells_a_buyer_what_the_limit_leaves(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=20, limit_per_buyer=3, limit_per_order=3)
    buyer = merchant.buyer()
    assert buyer.open(activity, quantity=2).status == 201
    visitor = Buyer(merchant.api_client, None, merchant.merchant_id)

    def quote(caller: Buyer, **more: Any) -> tuple[int, int | None]:
        shown = caller.quote(activity, **more).body
        return shown["total_fen"], shown["limit_left"]

    assert quote(visitor) == (5900, None)
    assert quote(buyer) == (5900, 1)
    assert quote(merchant.buyer(), quantity=2) == (11800, 3)
    assert quote(buyer, alone=True) == (9900, None)


def test_page_in_another_language_is_another_answer(merchant: MerchantFixture) -> None:
    group_id, leader, _ = merchant.open_group(merchant.activity(seats=2, stock=10))
    chinese = read(merchant, leader, group_id)
    etag = chinese.headers["etag"]

    english = read(merchant, leader, group_id, If_None_Match=etag, Accept_Language="en")
    again = read(merchant, leader, group_id, If_None_Match=f"W/{etag}")  # weakened on the way

    assert (english.status, english.body["order"]["status_text"]) == (200, "Waiting for group")
    assert (again.status, again.headers["vary"]) == (304, "Accept-Language")


def two_activities_of_one_product(merchant: MerchantFixture) -> list[Activity]:
    """Each sells one of its SKUs."""
    kinds = tuple(SkuDraft({"规格": name}, 12900, 9900, stock=20) for name in ("小箱", "大箱"))
    draft = ProductDraft("赣南脐橙", merchant.category_id, kinds)
    made = products.create(merchant.merchant_id, draft, staff="test", now_s=merchant.now_s)
    found = []
    for sku in made.product.skus:
        offer = Draft(
            product_id=made.product.product_id,
            title="脐橙三人团",
            skus=(DraftSku(sku["sku_id"], 5900, 20),),
            seats_total=3,
            life_h=24,
            ends_at_s=merchant.now_s + 7 * DAY_S,
        )
        item = publishing.publish(merchant.merchant_id, offer, staff="test", now_s=merchant.now_s)
        skus = (sku["sku_id"],)
        found.append(Activity(item.activity_id, 1, made.product.product_id, skus[0], skus))
    return found


def test_page_of_a_failed_group_offers_others_of_its_product_then_of_its_category(
    merchant: MerchantFixture,
) -> None:
    ours, same = two_activities_of_one_product(merchant)
    alike = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(ours)
    merchant.wait(3600)
    of_category, _, _ = merchant.open_group(alike)
    merchant.wait(60)
    own, _, _ = merchant.open_group(alike, leader)
    merchant.wait(60)
    of_product, _, _ = merchant.open_group(same)
    assert page(merchant, leader, group_id)["similar"] == []

    merchant.wait(DAY_S - 3600)

    for asker, expected in (
        (leader, [of_product, of_category]),
        (merchant.visitor(), [of_product, of_category, own]),
    ):
        shown = page(merchant, asker, group_id)
        assert (shown["progress"]["status"], shown["others"]) == ("failed", [])
        assert ids([it["group"] for it in shown["similar"]]) == expected
        assert [it["goods"]["title"] for it in shown["similar"]][:2] == ["脐橙三人团", "周末三人团"]
