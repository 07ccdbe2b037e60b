"""Agreements: texts in force, their versions, consents, and who runs the shop."""

import pytest

from chalicelib.domain.agreements import AgreementKind, digest
from chalicelib.domain.identity import Identity, Way
from chalicelib.errors import Changed
from chalicelib.services.people import agreements, identities
from chalicelib.tables.buyers import ConsentsItem
from chalicelib.tables.shop import AgreementItem
from tests.fixtures.images import accepted
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply

STAFF_PATH = "/v1/merchant/agreements"
KINDS = ["user", "privacy", "group_rules"]


def in_force(merchant: MerchantFixture) -> dict[str, tuple[int, str]]:
    items = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/agreements").body["items"]
    return {one["kind"]: (one["version"], one["text"]) for one in items}


def change(merchant: MerchantFixture, revision: int, **texts: str) -> Reply:
    return merchant.owner().put(STAFF_PATH, {"texts": texts, "revision": revision})


def accept(buyer: Buyer, *versions: tuple[str, int]) -> Reply:
    accepted = [{"kind": kind, "version": version} for kind, version in versions]
    return buyer.post("/v1/me/consents", {"accepted": accepted})


def test_usual_texts_are_about_the_shop_until_it_writes_its_own(merchant: MerchantFixture) -> None:
    usual = in_force(merchant)
    read = merchant.owner().get(STAFF_PATH).body
    first = change(merchant, 0, privacy="一、本店自己的隐私政策\n\n二、联系方式")
    again = change(merchant, 0, privacy="一、本店自己的隐私政策\n\n二、联系方式")
    stale = change(merchant, 0, privacy="别的")
    merchant.clock.forward(1)
    back = change(merchant, 1, privacy="")

    assert [*usual] == [one["kind"] for one in read["items"]] == KINDS
    assert {version for version, _ in usual.values()} == {0}
    shop = merchant.owner().get("/v1/merchant/settings").body["name"]
    assert all(shop in text and "{" not in text for _, text in usual.values())
    assert [one["version"] for one in first.body["items"]] == [0, 1, 0]
    assert (again.status, again.body) == (200, first.body)
    assert (stale.status, stale.code) == (409, "changed")
    assert [one["version"] for one in back.body["items"]] == [0, 2, 0]
    assert in_force(merchant) == usual | {"privacy": (2, usual["privacy"][1])}
    rows = merchant.owner().get("/v1/merchant/audit").body["items"]
    acts = [(row["before"], row["after"]) for row in rows if row["action"] == "agreements_changed"]
    assert acts == [({"隐私政策": 1}, {"隐私政策": 2}), ({"隐私政策": 0}, {"隐私政策": 1})]


def test_consent_is_on_record_and_asked_for_again_once_the_text_is_another(
    merchant: MerchantFixture,
) -> None:
    buyer, begun_s = merchant.buyer(), merchant.now_s
    texts = in_force(merchant)
    before = buyer.get("/v1/me/profile").body["to_accept"]
    part = accept(buyer, ("user", 0), ("privacy", 0))
    merchant.clock.forward(60)
    whole = accept(buyer, ("privacy", 0), ("group_rules", 0))
    agreed = buyer.get("/v1/me/profile").body["to_accept"]

    change(merchant, 0, user="新的协议")
    merchant.clock.forward(61)  # what containers remember
    asked = buyer.get("/v1/me/profile").body["to_accept"]
    old = accept(buyer, ("user", 0))
    new = accept(buyer, ("user", 1))

    assert before == KINDS
    assert (part.status, part.body["to_accept"], whole.body["to_accept"]) == (
        201,
        ["group_rules"],
        [],
    )
    assert (agreed, asked) == ([], ["user"])
    assert (old.status, old.code, new.body["to_accept"]) == (409, "changed", [])
    key = ConsentsItem.at(merchant.merchant_id, buyer.buyer_id)
    given = ConsentsItem.get(key.pk, key.sk).given.as_dict()
    assert {name: one["at_s"] - begun_s for name, one in given.items()} == {
        "user#0": 0,
        "privacy#0": 0,
        "group_rules#0": 60,
        "user#1": 121,
    }
    assert given["privacy#0"]["digest"] == digest(texts["privacy"][1])
    kept = AgreementItem.at(merchant.merchant_id, "user", 1)
    assert AgreementItem.get(kept.pk, kept.sk).text == "新的协议"


def test_what_one_identity_accepted_is_not_asked_of_the_merged_person(
    merchant: MerchantFixture,
) -> None:
    older, younger = merchant.buyer(), merchant.buyer()
    mine = Identity(Way.PHONE, "13800138000")
    for buyer in (older, younger):
        accept(buyer, ("user" if buyer is older else "privacy", 0))
    identities.prove(merchant.merchant_id, younger.buyer_id, mine, now_s=merchant.now_s)
    person = merchant.session(
        identities.prove(merchant.merchant_id, older.buyer_id, mine, now_s=merchant.now_s)
    )

    asked = person.get("/v1/me/profile").body["to_accept"]
    rest = accept(person, ("group_rules", 0))

    assert (asked, rest.body["to_accept"]) == (["group_rules"], [])
    accepted = person.get("/v1/me/data").body["accepted"]
    assert sorted(accepted) == ["group_rules#0", "privacy#0", "user#0"]


def test_new_version_is_asked_for_within_five_seconds(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    accept(buyer, *((kind, 0) for kind in KINDS))
    assert buyer.get("/v1/me/profile").body["to_accept"] == []
    change(merchant, 0, user="新的协议")

    merchant.clock.forward(5)

    assert buyer.get("/v1/me/profile").body["to_accept"] == ["user"]


def test_texts_changed_by_two_at_once_are_the_first_ones(merchant: MerchantFixture) -> None:
    def changed(text: str) -> None:
        agreements.change(
            merchant.merchant_id,
            {AgreementKind.USER: text},
            revision=0,
            staff="boss",
            now_s=merchant.now_s,
        )

    with interleaved(lambda: changed("先来的")), pytest.raises(Changed):
        changed("后到的")

    assert in_force(merchant)["user"] == (1, "先来的")


def test_buyers_read_who_runs_the_shop_and_see_its_licences(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    picture = accepted(merchant.merchant_id)
    settings = owner.get("/v1/merchant/settings").body
    wish = {
        **{name: settings[name] for name in ("name", "service_phone", "pay_by_s", "revision")},
        "business_name": "杭州果园食品有限公司",
        "licence_number": "91330106MA2CFXXX0Q",
        "licences": [picture],
    }

    foreign = owner.put(
        "/v1/merchant/settings", {**wish, "licences": ["https://example.com/a.jpg"]}
    )
    odd = owner.put("/v1/merchant/settings", {**wish, "licence_number": "12"})
    saved = owner.put("/v1/merchant/settings", wish)
    merchant.clock.forward(61)
    seen = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}").body

    assert [(one.status, one.body["details"]["field"]) for one in (foreign, odd)] == [
        (400, "licences"),
        (400, "licence_number"),
    ]
    names = ("business_name", "licence_number", "licences")
    assert {name: saved.body[name] for name in names} == {name: wish[name] for name in names}
    assert {name: seen[name] for name in names} == {name: wish[name] for name in names}
    assert "由杭州果园食品有限公司经营" in in_force(merchant)["user"][1]
