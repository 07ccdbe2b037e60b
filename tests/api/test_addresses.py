"""The addresses that a buyer keeps."""

import itertools
from functools import partial

from chalicelib.services.people import address_book
from tests.fixtures.api_clients import concurrently
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import ADDRESS, Buyer, MerchantFixture, Reply

PATH = "/v1/me/addresses"


def save(buyer: Buyer, name: str, **more: object) -> Reply:
    return buyer.post(PATH, {**ADDRESS, "name": name, **more})


def kept(buyer: Buyer) -> list[tuple[str, bool]]:
    return [(one["name"], one["is_default"]) for one in buyer.get(PATH).body["items"]]


def test_addresses_are_kept_changed_and_forgotten_and_one_is_the_default(
    merchant: MerchantFixture,
) -> None:
    buyer, friend = merchant.buyer(), merchant.buyer()
    first = save(buyer, "家", phone="+86 138-0013-8000").body
    again = save(buyer, "家")
    office = save(buyer, "公司", is_default=True).body
    save(buyer, "父母家")
    before = kept(buyer)
    path = f"{PATH}/{first['address_id']}"

    moved = buyer.put(path, {**ADDRESS, "name": "新家", "street": "文三路 1 号"})
    foreign = [friend.put(path, ADDRESS), friend.call("DELETE", path)]
    gone = buyer.call("DELETE", f"{PATH}/{office['address_id']}")
    gone_again = buyer.call("DELETE", f"{PATH}/{office['address_id']}")

    assert first == {**ADDRESS, "name": "家", "address_id": first["address_id"], "is_default": True}
    assert (again.status, again.body) == (201, first)
    assert before == [("公司", True), ("父母家", False), ("家", False)]
    assert (moved.status, moved.body["street"]) == (200, "文三路 1 号")
    assert [(reply.status, reply.code) for reply in foreign] == [(404, "not_found")] * 2
    assert [gone.body, gone_again.status] == [{"done": True}, 404]
    assert kept(buyer) == [("父母家", True), ("新家", False)]
    assert kept(friend) == []


def test_address_is_held_to_what_an_order_takes(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()

    replies = [save(buyer, "名", phone="12345"), save(buyer, ""), save(buyer, "名", city="")]

    assert [(reply.status, reply.body["details"]["field"]) for reply in replies] == [
        (400, "phone"),
        (400, "name"),
        (400, "city"),
    ]
    assert kept(buyer) == []


def test_at_most_twenty_are_kept_however_they_come(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    for number in range(18):
        save(buyer, f"第{number}个")

    replies = concurrently([partial(save, buyer, f"新{number}") for number in range(4)])

    assert sorted(reply.status for reply in replies) == [201, 201, 409, 409]
    refused = next(reply for reply in replies if reply.status == 409)
    assert (refused.code, refused.body["message"]) == (
        "limit_reached",
        "最多保存 20 个收货地址，请先删除不用的。",
    )
    assert len(kept(buyer)) == 20
    assert save(buyer, "第3个").status == 201  # it is there already


def test_edit_that_met_another_is_made_of_what_that_one_left(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    first = save(buyer, "家").body["address_id"]

    with interleaved(lambda: save(buyer, "公司")):
        address_book.remove(merchant.merchant_id, buyer.buyer_id, first)

    assert kept(buyer) == [("公司", True)]


def test_address_that_becomes_one_that_is_kept_is_kept_once(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    home, office = save(buyer, "家").body, save(buyer, "公司").body

    changed = buyer.put(f"{PATH}/{office['address_id']}", {**ADDRESS, "name": "家"})

    assert changed.body == home | {"address_id": office["address_id"]}
    assert kept(buyer) == [("家", True)]


def test_order_keeps_the_address_that_it_was_placed_with(merchant: MerchantFixture) -> None:
    buyer, activity = merchant.buyer(), merchant.activity(stock=10)
    saved = save(buyer, "家").body
    _, _, order_id = merchant.open_group(activity, buyer)

    buyer.put(f"{PATH}/{saved['address_id']}", {**ADDRESS, "street": "别处"})

    assert buyer.order(order_id)["address"] == ADDRESS


def test_pasted_address_fills_in_the_form(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    text = "张三，138 0013 8000\n浙江省杭州市余杭区文一西路969号"

    parsed = buyer.post("/v1/me/parsed-addresses", {"text": text}).body
    part = buyer.post("/v1/me/parsed-addresses", {"text": "张三 浙江省杭州市"}).body

    assert (parsed.pop("missing"), part["missing"]) == ([], ["phone", "district", "street"])
    assert parsed == {**ADDRESS, "name": "张三", "street": "文一西路969号"}
    assert save(buyer, **parsed).status == 201


def test_regions_are_told_to_anybody_and_kept_for_a_day(merchant: MerchantFixture) -> None:
    reply = merchant.visitor().get("/v1/regions")

    assert reply.headers["cache-control"] == "public, max-age=86400"
    assert len(reply.body["regions"]) == 34
    assert "余杭区" in reply.body["regions"]["浙江省"]["杭州市"]
    names = itertools.chain.from_iterable(reply.body["regions"].values())
    assert "省直辖县级行政区划" not in names
