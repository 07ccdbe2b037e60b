"""One person, several identities: logins that lead to one buyer, merges, and what they refuse."""

from contextlib import suppress
from typing import Any

import pytest

from chalicelib.domain.identity import IDS_MAX, Identity, Way
from chalicelib.errors import IdentityTaken
from chalicelib.services.people import identities
from chalicelib.tables.buyers import BuyerItem
from tests.fixtures.fault_injection import injected
from tests.fixtures.interruptions import Crash
from tests.fixtures.merchant import ADDRESS, Buyer, Caller, MerchantFixture
from tests.fixtures.stream_events import change_of, deliver

APP = "wx-mini"


def mini(openid: str, app: str = APP) -> Identity:
    return Identity(Way.WECHAT_MINI, openid, app)


def union(unionid: str) -> Identity:
    return Identity(Way.WECHAT_UNION, unionid)


def phone(number: str) -> Identity:
    return Identity(Way.PHONE, number)


def log_in(merchant: MerchantFixture, *stated: Identity) -> BuyerItem:
    return identities.log_in(merchant.merchant_id, stated, now_s=merchant.now_s)


def prove(merchant: MerchantFixture, buyer: BuyerItem, proven: Identity) -> BuyerItem:
    merchant_id, now_s = merchant.merchant_id, merchant.now_s
    return identities.prove(merchant_id, buyer.buyer_id, proven, now_s=now_s)


def session(merchant: MerchantFixture, buyer: BuyerItem) -> Buyer:
    """A session as a login gives it, with the buyer as they are."""
    return merchant.session(buyer)


def two_buyers(merchant: MerchantFixture) -> tuple[BuyerItem, BuyerItem]:
    """Each came by a mini-program of their own; the younger has proven a phone, too."""
    older = log_in(merchant, mini("openid-1"))
    merchant.clock.forward(1)
    younger = log_in(merchant, mini("openid-2", "wx-other"))
    return older, prove(merchant, younger, phone("13800138000"))


def order_ids(buyer: Caller, path: str = "/v1/orders?") -> list[str]:
    """All orders of a list, page by page of two."""
    found: list[str] = []
    token = ""
    while True:
        page = buyer.get(f"{path}limit=2" + (f"&next={token}" if token else "")).body
        found += [item["order_id"] for item in page["items"]]
        token = page["next"]
        if not token:
            return found


def test_login_links_what_it_states_and_finds_it_again(merchant: MerchantFixture) -> None:
    first = log_in(merchant, mini("openid-1"))

    linked = log_in(merchant, mini("openid-1"), union("union-1"))
    by_other_app = log_in(merchant, mini("openid-2", "wx-other"), union("union-1"))

    assert first.buyer_id == linked.buyer_id == by_other_app.buyer_id
    assert by_other_app.openids.as_dict() == {APP: "openid-1", "wx-other": "openid-2"}
    assert by_other_app.openid == "openid-2"  # of the app that it pays in now
    merchant.check_laws()


@pytest.mark.slow
def test_stated_unionid_merges_two_buyers_and_orders_stay(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=20)
    older = log_in(merchant, mini("openid-1"), union("union-1"))
    merchant.clock.forward(1)
    younger = log_in(merchant, mini("openid-2", "wx-other"))
    before: list[str] = []
    session(merchant, younger).post("/v1/me/addresses", ADDRESS)
    for buyer in (older, younger, older, younger, older):
        merchant.clock.forward(1)
        by = session(merchant, buyer)
        placed = by.open(activity).body["order_id"]
        merchant.pay(by, placed)
        before.insert(0, placed)

    person = log_in(merchant, mini("openid-2", "wx-other"), union("union-1"))
    now = session(merchant, person)
    merchant.wait(600, every_s=300)

    assert person.ids == (older.buyer_id, younger.buyer_id)
    assert [item["name"] for item in now.get("/v1/me/addresses").body["items"]] == ["王小明"]
    assert order_ids(now) == before
    assert set(order_ids(now, "/v1/me/messages?")) == set(before)
    for buyer_id in person.ids:
        assert order_ids(merchant.owner(), f"/v1/merchant/orders?buyer_id={buyer_id}&") == before
    assert [now.get(f"/v1/orders/{order_id}").status for order_id in before] == [200] * 5
    assert session(merchant, younger).get(f"/v1/orders/{before[0]}").status == 404
    merchant.check_laws()


def test_session_from_before_a_merge_places_no_order_and_writes_into_no_void(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    older, younger = two_buyers(merchant)
    stale = [session(merchant, buyer) for buyer in (older, younger)]
    group_id, _, _ = merchant.open_group(activity)

    person = prove(merchant, older, phone("13800138000"))

    for buyer in stale:
        for refused in (
            buyer.open(activity),
            buyer.join(activity, group_id),
            buyer.buy_alone(activity),
        ):
            assert (refused.status, refused.code) == (401, "session_superseded")
    gone = next(one for one in stale if one.buyer_id != person.buyer_id)
    for refused in (
        gone.post("/v1/me/addresses", ADDRESS),
        gone.get("/v1/me/addresses"),
        gone.put("/v1/me/profile", {"name": "陈小满"}),
    ):
        assert (refused.status, refused.code) == (401, "session_superseded")
    assert merchant.stock(activity) == 9
    assert session(merchant, person).get("/v1/me/addresses").body["items"] == []
    assert session(merchant, person).get("/v1/me/profile").body["name"] != "陈小满"
    assert session(merchant, person).join(activity, group_id).status == 201
    assert [order_ids(buyer) for buyer in stale[1:]] == [[]]
    merchant.check_laws()


def test_merged_person_has_one_seat_one_limit_and_one_number_of_unpaid_orders(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(
        seats=10, stock=30, product_stock=60, limit_per_buyer=3, limit_per_order=3
    )
    older, younger = two_buyers(merchant)
    group_id, _, _ = merchant.open_group(activity)
    _, seat = merchant.member(activity, group_id, session(merchant, younger), quantity=2)
    unpaid = session(merchant, younger).buy_alone(activity, key="key-of-younger").body["order_id"]

    person = session(merchant, prove(merchant, older, phone("13800138000")))

    assert person.join(activity, group_id).body["order_id"] == seat
    too_many = person.open(activity, quantity=2)
    assert (too_many.code, too_many.body["details"]["used"]) == ("limit_reached", 2)
    repeated = person.buy_alone(activity, key="key-of-younger")
    assert repeated.body["order_id"] == unpaid
    other_body = person.buy_alone(activity, key="key-of-younger", quantity=2)
    assert (other_body.status, other_body.code) == (422, "idempotency_mismatch")
    assert person.open(activity).status == 201
    assert person.open(activity).code == "limit_reached"
    assert person.buy_alone(activity).status == 201
    full = person.buy_alone(activity)
    assert (full.code, full.body["details"]["limit"]) == ("unpaid_orders_limit", 3)
    assert unpaid in full.body["details"]["order_ids"]
    merchant.check_laws()


def test_person_reads_what_they_have_under_every_id(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=20, limit_per_buyer=3, limit_per_order=3)
    older, younger = two_buyers(merchant)
    group_id, _, _ = merchant.open_group(activity)
    _, seat = merchant.member(activity, group_id, session(merchant, younger), quantity=2)
    merchant.clock.forward(1)
    let_go = session(merchant, older).join(activity, group_id).body["order_id"]
    session(merchant, older).post(f"/v1/orders/{let_go}/cancellation")

    person = session(merchant, prove(merchant, older, phone("13800138000")))
    shop = f"/v1/merchants/{merchant.merchant_id}"
    page = person.get(f"{shop}/groups/{group_id}/page").body
    home = person.get(f"{shop}/groups").body

    assert (page["role"], page["order"]["order_id"]) == ("member", seat)
    assert [seat["is_mine"] for seat in page["seats"]] == [False, True]
    assert home["nearly_full"] == []
    assert [waiting["group"]["order_id"] for waiting in home["own"]] == [seat]
    assert person.quote(activity).body["limit_left"] == 1
    merchant.check_laws()


def test_what_was_unread_before_a_merge_is_unread_after_it(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=20)
    older, younger = two_buyers(merchant)
    orders = [
        merchant.open_group(activity, session(merchant, buyer))[2] for buyer in (older, younger)
    ]
    for order_id in orders:
        deliver(merchant, change_of(merchant, merchant.stored_order(order_id)))
    merchant.clock.forward(1)
    session(merchant, older).put("/v1/me/messages/read", {"up_to_s": merchant.now_s})

    person = session(merchant, prove(merchant, older, phone("13800138000")))
    late = session(merchant, younger).put("/v1/me/messages/read", {"up_to_s": merchant.now_s})
    assert (late.status, late.code) == (401, "session_superseded")
    told = {m["order_id"]: m["unread"] for m in person.get("/v1/me/messages").body["items"]}
    unread = person.get("/v1/me/profile").body["unread_messages"]

    assert (told[orders[1]], unread) == (True, list(told.values()).count(True))
    seen = {"up_to_s": merchant.now_s}
    assert person.put("/v1/me/messages/read", seen).body["unread_messages"] == 0
    merchant.clock.forward(1)
    again = log_in(merchant, Identity(Way.WECHAT_ACCOUNT, "oa-1", "wx-oa"))
    grown = session(merchant, prove(merchant, again, phone("13800138000")))
    assert grown.get("/v1/me/profile").body["unread_messages"] == 0  # who is new was told nothing
    merchant.check_laws()


def test_merge_that_is_cut_short_loses_no_address(merchant: MerchantFixture) -> None:
    older, younger = two_buyers(merchant)
    session(merchant, younger).post("/v1/me/addresses", ADDRESS)

    def dies(operation: str, _: bytes) -> None:
        if operation == "UpdateItem":  # the merge itself is a transaction
            raise Crash

    with injected(dies), suppress(Crash):
        prove(merchant, older, phone("13800138000"))
    person = session(merchant, prove(merchant, older, phone("13800138000")))

    assert [item["name"] for item in person.get("/v1/me/addresses").body["items"]] == ["王小明"]


def test_key_that_opened_a_group_before_the_merge_opens_no_other(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    older, younger = two_buyers(merchant)
    first = session(merchant, younger).open(activity, key="the-same-key").body

    person = session(merchant, prove(merchant, older, phone("13800138000")))

    assert person.open(activity, key="the-same-key").body == first
    merchant.check_laws()


def test_order_of_a_merged_buyer_is_paid_by_the_persons_openid(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    older, younger = log_in(merchant, mini("openid-1")), log_in(merchant, phone("13800138000"))
    order_id = session(merchant, younger).buy_alone(activity).body["order_id"]

    person = session(merchant, prove(merchant, older, phone("13800138000")))
    merchant.pay(person, order_id)  # which no gateway takes without a payer

    assert person.status(order_id) == "fulfilling"
    merchant.check_laws()


def test_two_accounts_of_one_app_are_two_persons(merchant: MerchantFixture) -> None:
    older, younger = two_buyers(merchant)
    person = prove(merchant, older, phone("13800138000"))
    other = log_in(merchant, mini("openid-3"))

    with pytest.raises(IdentityTaken):
        prove(merchant, other, phone("13800138000"))
    with pytest.raises(IdentityTaken, match="你已验证过另一个手机号"):
        prove(merchant, person, phone("13900139000"))
    log_in(merchant, mini("openid-1"), union("union-1"))
    conflicting = log_in(merchant, mini("openid-3"), union("union-1"))

    assert conflicting.ids == (other.buyer_id,)
    assert log_in(merchant, phone("13800138000")).ids == (older.buyer_id, younger.buyer_id)
    merchant.check_laws()


def test_person_has_a_limited_number_of_ids(merchant: MerchantFixture) -> None:
    person = log_in(merchant, phone("13800138000"))
    buyers = [log_in(merchant, mini(f"openid-{n}", f"wx-{n}")) for n in range(IDS_MAX)]
    for buyer in buyers[:-1]:
        person = prove(merchant, person, mini(*_told(buyer)))

    with pytest.raises(IdentityTaken, match="已合并过太多次"):
        prove(merchant, person, mini(*_told(buyers[-1])))

    assert len(person.ids) == IDS_MAX
    assert log_in(merchant, mini(*_told(buyers[0]))).buyer_id == person.buyer_id
    merchant.check_laws()


def test_name_is_shown_under_every_id(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    older, younger = two_buyers(merchant)
    group_id, _, _ = merchant.open_group(activity, session(merchant, younger))
    person = session(merchant, prove(merchant, older, phone("13800138000")))

    named = person.put("/v1/me/profile", {"name": "陈小满"})

    path = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}/page"
    assert [seat["name"] for seat in merchant.visitor().get(path).body["seats"]] == ["陈*"]
    renewed = Buyer(merchant.api_client, named.body["token"], merchant.merchant_id)
    assert len(order_ids(renewed)) == 1


def test_pages_know_a_merged_person_under_every_id(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, limit_per_buyer=3, limit_per_order=3)
    older, younger = two_buyers(merchant)
    group_id, _, _ = merchant.open_group(activity, session(merchant, younger))
    assert session(merchant, older).open(activity).status == 201

    person = session(merchant, prove(merchant, older, phone("13800138000")))

    shop = f"/v1/merchants/{merchant.merchant_id}"
    page = person.get(f"{shop}/groups/{group_id}/page").body
    assert (page["role"], page["seats"][0]["is_mine"]) == ("leader", True)
    shown = person.get(f"{shop}/activities/{activity.activity_id}").body
    assert (shown["joinable_groups"], shown["own_group"]["group_id"]) == ([], group_id)
    own = person.get(f"{shop}/groups").body["own"]
    assert [one["group"]["group_id"] for one in own] == [group_id]
    assert person.quote(activity).body["limit_left"] == 1
    counts = person.get("/v1/orders").body["counts"]
    assert (counts["all"], counts["to_pay"], counts["waiting"]) == (2, 1, 1)


def _told(buyer: BuyerItem) -> tuple[Any, Any]:
    ((app, openid),) = buyer.openids.as_dict().items()
    return openid, app
