"""Logging in by a code that is sent to the phone, and proving a phone while logged in."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.api import limits
from chalicelib.domain import lockout
from chalicelib.domain.identity import Identity, Way
from chalicelib.gateways import secrets
from chalicelib.services.people import buyers, identities
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import PhoneCodeItem
from infra.local.sms import Sms
from infra.local.wechat_oauth import Visitor
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply, concurrently
from tests.fixtures.payment_fixtures import local_sms

PHONE = "13800138000"


@pytest.fixture
def sms(merchant: MerchantFixture) -> Iterator[Sms]:
    sms = local_sms(merchant.clock)
    merchant.use_sms(sms)
    yield sms
    sms.stop()


def ask(merchant: MerchantFixture, phone: str = PHONE, device: str = "device-0001") -> Reply:
    path = f"/v1/merchants/{merchant.merchant_id}/phone-codes"
    return merchant.visitor().post(path, {"phone": phone, "device_id": device})


def enter(merchant: MerchantFixture, code: str, phone: str = PHONE) -> Reply:
    path = f"/v1/merchants/{merchant.merchant_id}/phone-sessions"
    return merchant.visitor().post(path, {"phone": phone, "code": code})


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def by_wechat(merchant: MerchantFixture, openid: str, unionid: str = "") -> Reply:
    code = merchant.wechat.codes.issue(openid, unionid)
    return merchant.visitor().post(f"/v1/merchants/{merchant.merchant_id}/sessions", {"code": code})


def caller(merchant: MerchantFixture, reply: Reply) -> Buyer:
    assert reply.status in (200, 201), reply.body
    return Buyer(
        merchant.api_client, reply.body["token"], merchant.merchant_id, reply.body["buyer_id"]
    )


def proven(merchant: MerchantFixture, buyer: Buyer, sms: Sms, phone: str = PHONE) -> Reply:
    merchant.clock.forward(60)
    assert ask(merchant, phone).status == 201
    return buyer.put("/v1/me/phone", {"phone": phone, "code": sms.code_for(phone)})


def test_code_that_was_sent_logs_in_once(merchant: MerchantFixture, sms: Sms) -> None:
    asked = ask(merchant, "+86 138-0013-8000")
    code = sms.code_for(PHONE)

    first, again = enter(merchant, code), enter(merchant, code)

    assert asked.body == {"expires_at_s": merchant.now_s + 300, "again_at_s": merchant.now_s + 60}
    assert (first.status, again.status, again.code) == (201, 400, "phone_code_refused")
    merchant.clock.forward(60)
    ask(merchant)
    assert enter(merchant, sms.code_for(PHONE)).body["buyer_id"] == first.body["buyer_id"]
    stored = [str(item.attribute_values) for item in CatalogueItem.scan()]
    assert not [text for text in stored if PHONE in text or code in text]


def test_code_is_good_for_five_minutes_and_five_tries(merchant: MerchantFixture, sms: Sms) -> None:
    ask(merchant)
    old = sms.code_for(PHONE)
    merchant.clock.forward(300)
    assert enter(merchant, old).code == "phone_code_refused"

    ask(merchant)
    code = sms.code_for(PHONE)
    tries = [enter(merchant, other_than(code)).code for _ in range(5)]
    assert tries == ["phone_code_refused"] * 5
    assert enter(merchant, code).code == "phone_code_refused"

    merchant.clock.forward(60)
    ask(merchant)
    code = sms.code_for(PHONE)
    assert [enter(merchant, other_than(code)).status for _ in range(4)] == [400] * 4
    assert enter(merchant, code).status == 201


@pytest.mark.slow
def test_of_forty_guesses_at_once_five_are_judged(merchant: MerchantFixture, sms: Sms) -> None:
    ask(merchant)
    code = sms.code_for(PHONE)

    entered = concurrently([lambda: enter(merchant, code)] * 4)
    assert Counter(reply.status for reply in entered) == {201: 1, 400: 3}

    merchant.clock.forward(60)
    ask(merchant)
    item = next(i for i in CatalogueItem.scan() if isinstance(i, PhoneCodeItem))
    concurrently([lambda: enter(merchant, other_than(sms.code_for(PHONE)))] * 40)
    item.refresh(consistent_read=True)
    assert item.tries_left == 0
    assert enter(merchant, sms.code_for(PHONE)).status == 400


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let what follows come from an address that nobody has asked from."""
    numbers = itertools.count(1)

    def move() -> None:
        address = f"10.0.0.{next(numbers)}"
        monkeypatch.setattr(limits, "address_of", lambda _: address)

    return move


@pytest.mark.slow
def test_number_is_sent_one_code_a_minute_five_an_hour_ten_a_day(
    merchant: MerchantFixture, sms: Sms, elsewhere: Callable[[], None]
) -> None:
    devices = (f"device-{number:04}" for number in itertools.count())

    def ask_from_elsewhere(phone: str = PHONE) -> Reply:
        elsewhere()
        return ask(merchant, phone, next(devices))

    assert ask_from_elsewhere().status == 201
    soon = ask_from_elsewhere()
    assert (soon.status, soon.body["details"]["retry_after_s"]) == (429, 60)

    sent = 1
    for _ in range(22):
        merchant.clock.forward(3600)
        sent += ask_from_elsewhere().status == 201
    assert sent == len(sms.messages) == 10
    merchant.clock.forward(86400)
    assert ask_from_elsewhere().status == 201
    assert ask_from_elsewhere("13900139000").status == 201


def test_wrong_guesses_of_a_stranger_leave_the_owner_their_five(
    merchant: MerchantFixture, sms: Sms, elsewhere: Callable[[], None]
) -> None:
    with pytest.MonkeyPatch.context() as at_home:
        at_home.setattr(limits, "address_of", lambda _: "10.1.0.1")
        ask(merchant)
    code = sms.code_for(PHONE)
    for _ in range(6):
        elsewhere()
        assert enter(merchant, other_than(code)).code == "phone_code_refused"
    assert enter(merchant, code).code == "phone_code_refused"  # the stranger's are used up

    with pytest.MonkeyPatch.context() as at_home:
        at_home.setattr(limits, "address_of", lambda _: "10.1.0.1")
        wrong = [enter(merchant, other_than(code)).status for _ in range(4)]
        right = enter(merchant, code)

    assert (wrong, right.status) == ([400] * 4, 201)


@pytest.mark.parametrize(("by", "most"), [("one address", 4), ("one device", 3)])
def test_stranger_leaves_codes_of_the_hour_to_the_numbers_owner(
    merchant: MerchantFixture, sms: Sms, elsewhere: Callable[[], None], by: str, most: int
) -> None:
    answers = []
    for minute in range(5):
        merchant.clock.forward(60)
        if by == "one device":
            elsewhere()
        device = "device-9999" if by == "one device" else f"device-{minute:04}"
        answers.append(ask(merchant, device=device).status)
    elsewhere()

    owner = ask(merchant, device="device-of-the-owner")

    assert answers == [201] * most + [429] * (5 - most)
    assert owner.status == 201


@pytest.mark.parametrize(("by", "most"), [("one address", 7), ("one device", 5)])
def test_stranger_leaves_codes_of_the_day_to_the_numbers_owner(
    merchant: MerchantFixture, sms: Sms, elsewhere: Callable[[], None], by: str, most: int
) -> None:
    answers = []
    for hour in range(most + 1):
        merchant.clock.forward(3600)
        if by == "one device":
            elsewhere()
        device = "device-9999" if by == "one device" else f"device-{hour:04}"
        answers.append(ask(merchant, device=device))
    elsewhere()

    owner = ask(merchant, device="device-of-the-owner")

    assert [one.status for one in answers] == [201] * most + [429]
    assert answers[-1].body["details"]["retry_after_s"] == 86400 - most * 3600
    assert owner.status == 201
    assert enter(merchant, sms.code_for(PHONE)).status == 201


def test_code_is_taken_as_it_is_typed(merchant: MerchantFixture, sms: Sms) -> None:
    ask(merchant)
    wide = sms.code_for(PHONE).translate({ord("0") + n: ord("０") + n for n in range(10)})

    assert enter(merchant, f" {wide} ").status == 201


def test_hour_of_a_number_has_five_codes(
    merchant: MerchantFixture, sms: Sms, elsewhere: Callable[[], None]
) -> None:
    answers = []
    for number in range(7):
        elsewhere()
        answers.append(ask(merchant, device=f"device-{number:04}").status)
        merchant.clock.forward(120)

    assert answers == [201] * 5 + [429] * 2
    assert len(sms.messages) == 5


@pytest.mark.slow
def test_device_and_address_ask_for_a_limited_number_of_codes(
    merchant: MerchantFixture, sms: Sms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from many containers: none of them alone has heard enough to refuse."""
    monkeypatch.setattr(limits.PHONE_CODES.window, "times", 1000)
    numbers = (f"139{number:08}" for number in itertools.count())

    by_device = [ask(merchant, next(numbers)).status for _ in range(12)]
    rest = [ask(merchant, next(numbers), f"device-{n:04}x").status for n in range(60)]

    assert by_device == [201] * lockout.CODES_BY_DEVICE.tries_max + [429] * 2
    assert rest.count(201) + 12 == lockout.CODES_BY_ADDRESS.tries_max
    assert len(sms.messages) == 10 + rest.count(201)


def test_answer_tells_nothing_of_who_has_the_number(merchant: MerchantFixture, sms: Sms) -> None:
    ask(merchant)
    enter(merchant, sms.code_for(PHONE))
    merchant.clock.forward(60)

    known, unknown = ask(merchant), ask(merchant, "13900139000")
    wrong = enter(merchant, other_than(sms.code_for(PHONE)))
    nobody = enter(merchant, "000000", "13700137000")

    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert (wrong.status, wrong.body) == (nobody.status, nobody.body)


def test_account_that_the_owner_has_written_is_checked_and_sends_codes(
    merchant: MerchantFixture, sms: Sms
) -> None:
    path, account = "/v1/merchant/payment-accounts/sms", sms.new_account(merchant.merchant_id)
    merchant._keep_secret("sms", {})
    owner = merchant.owner()
    said = [owner.post(f"{path}/check").body]
    for revision, key in enumerate(("0" * 32, account["secret_key"])):
        body = {**account, "secret_key": key, "revision": revision}
        assert owner.put(path, body).status == 200
        said.append(owner.post(f"{path}/check").body)

    assert [one["reason"] for one in said] == [
        "not_configured",
        "AuthFailure.SignatureFailure",
        "",
    ]
    assert "SecretKey" in said[1]["words"]
    assert sms.messages == []
    assert ask(merchant).status == 201


def test_message_that_is_not_sent_is_refused_in_words(merchant: MerchantFixture, sms: Sms) -> None:
    sms.faults.add("send", "server_error")
    down = ask(merchant)
    merchant.clock.forward(60)
    sms.faults.add("send", "rate_limited")
    limited = ask(merchant)
    merchant.clock.forward(60)
    sms.faults.add("send", "lost_answer")
    lost = ask(merchant)

    assert (down.status, down.code) == (502, "gateway_failed")
    assert down.body["message"].startswith("短信暂时发不出去")
    assert limited.status == 429
    assert lost.status == 502
    assert enter(merchant, sms.code_for(PHONE)).status == 201  # it came all the same


def on_page(merchant: MerchantFixture, unionid: str = "") -> Reply:
    """Log in on a page in WeChat, as the same person each time."""
    app = secrets.json_secret(f"merchants/{merchant.merchant_id}/wechat-account")["appid"]
    visitor = Visitor(app, "openid-2", unionid)
    shop = f"/v1/merchants/{merchant.merchant_id}"
    key = {"way": "wechat_account", "return_path": "/me", "nonce": "a-secret-of-the-browser"}
    begun = merchant.visitor().post(f"{shop}/authorizations", key).body["address"]
    (state,) = parse_qs(urlsplit(begun).query)["state"]
    back = {"code": merchant.wechat.web_logins.issue(visitor), "state": state}
    return merchant.visitor().post(f"{shop}/authorized-sessions", key | back)


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(("mini", "page", "phone"))))
def test_three_ways_in_any_order_are_one_buyer(
    merchant: MerchantFixture, sms: Sms, order: tuple[str, ...]
) -> None:
    """Each login comes with nothing but itself; then the phone and the unionid tie them."""
    activity = merchant.activity(stock=10, product_stock=20)
    merchant.use_official_account()

    def log_in(way: str) -> Buyer:
        merchant.clock.forward(60)
        if way == "phone":
            ask(merchant)
            return caller(merchant, enter(merchant, sms.code_for(PHONE)))
        if way == "mini":
            return caller(merchant, by_wechat(merchant, "openid-1"))
        return caller(merchant, on_page(merchant))

    first = {way: log_in(way) for way in order}
    placed = []
    for way in order:
        merchant.clock.forward(1)
        placed.append(first[way].buy_alone(activity).body["order_id"])
    proven(merchant, first["mini"], sms)
    on_page(merchant, "union-1")
    by_wechat(merchant, "openid-1", "union-1")

    last = [log_in(way) for way in order]
    assert len({buyer.buyer_id for buyer in last}) == 1
    assert last[0].buyer_id == first[order[0]].buyer_id  # the oldest
    for buyer in last:
        listed = [item["order_id"] for item in buyer.get("/v1/orders").body["items"]]
        assert listed == placed[::-1]
    merchant.check_laws()


def test_phone_of_another_wechat_account_is_not_taken(merchant: MerchantFixture, sms: Sms) -> None:
    activity = merchant.activity(stock=10, product_stock=20)
    owner = caller(merchant, by_wechat(merchant, "openid-1"))
    order_id = owner.buy_alone(activity).body["order_id"]
    assert proven(merchant, owner, sms).body["buyer_id"] == owner.buyer_id
    stranger = caller(merchant, by_wechat(merchant, "openid-2"))

    unproven = stranger.put("/v1/me/phone", {"phone": PHONE, "code": "000000"})
    taken = proven(merchant, stranger, sms)
    second = proven(merchant, owner, sms, "13900139000")

    assert unproven.code == "phone_code_refused"
    assert (taken.status, taken.code) == (409, "identity_taken")
    assert (second.status, second.code) == (409, "identity_taken")
    assert stranger.get(f"/v1/orders/{order_id}").status == 404
    assert owner.get(f"/v1/orders/{order_id}").status == 200
    merchant.check_laws()


def replaced(merchant: MerchantFixture, buyer: Buyer, sms: Sms, phone: str) -> Reply:
    merchant.clock.forward(60)
    assert ask(merchant, phone).status == 201
    body = {"phone": phone, "code": sms.code_for(phone), "replaces": True}
    return buyer.put("/v1/me/phone", body)


def test_new_phone_takes_the_place_of_the_old_one_which_is_free_then(
    merchant: MerchantFixture, sms: Sms
) -> None:
    ask(merchant)
    owner = caller(merchant, enter(merchant, sms.code_for(PHONE)))
    new = "13900139000"

    refused = proven(merchant, owner, sms, new)
    unproven = owner.put("/v1/me/phone", {"phone": new, "code": "000000", "replaces": True})
    before = owner.get("/v1/me/profile").body["phone"]
    moved = replaced(merchant, owner, sms, new)
    again = replaced(merchant, owner, sms, new)

    assert (refused.code, unproven.code) == ("identity_taken", "phone_code_refused")
    assert before == "138****8000"
    assert [one.body["buyer_id"] for one in (moved, again)] == [owner.buyer_id] * 2
    assert owner.get("/v1/me/profile").body["phone"] == "139****9000"
    merchant.clock.forward(3600)
    ask(merchant, new)
    assert enter(merchant, sms.code_for(new), new).body["buyer_id"] == owner.buyer_id
    ask(merchant)
    next_owner = caller(merchant, enter(merchant, sms.code_for(PHONE)))
    assert next_owner.buyer_id != owner.buyer_id
    merchant.check_laws()


def test_new_phone_of_another_buyer_merges_them_as_a_first_one_does(
    merchant: MerchantFixture, sms: Sms
) -> None:
    new, of_wechat = "13900139000", "13700137000"
    owner = caller(merchant, by_wechat(merchant, "openid-1"))
    proven(merchant, owner, sms)
    merchant.clock.forward(1)
    ask(merchant, new)
    other = caller(merchant, enter(merchant, sms.code_for(new), new))
    stranger = caller(merchant, by_wechat(merchant, "openid-2"))
    proven(merchant, stranger, sms, of_wechat)

    taken = replaced(merchant, owner, sms, of_wechat)
    kept = owner.get("/v1/me/profile").body["phone"]
    merged = replaced(merchant, owner, sms, new)

    assert (taken.status, taken.code, kept) == (409, "identity_taken", "138****8000")
    assert merged.body["buyer_id"] == owner.buyer_id
    assert caller(merchant, merged).get("/v1/me/profile").body["phone"] == "139****9000"
    assert buyers.read(merchant.merchant_id, other.buyer_id).merged_into == owner.buyer_id
    merchant.clock.forward(60)
    ask(merchant)
    assert enter(merchant, sms.code_for(PHONE)).body["buyer_id"] not in (
        owner.buyer_id,
        other.buyer_id,
    )
    merchant.check_laws()


def test_number_given_up_after_a_merge_is_told_to_its_next_owner_alone(
    merchant: MerchantFixture, sms: Sms
) -> None:
    owner = caller(merchant, by_wechat(merchant, "openid-1"))
    merchant.clock.forward(60)
    ask(merchant)
    merged = caller(merchant, enter(merchant, sms.code_for(PHONE)))
    assert proven(merchant, owner, sms).body["buyer_id"] == owner.buyer_id
    owner = caller(merchant, replaced(merchant, owner, sms, "13900139000"))
    merchant.check_laws()
    merchant.clock.forward(60)
    ask(merchant)
    next_owner = caller(merchant, enter(merchant, sms.code_for(PHONE)))

    phones = [one.get("/v1/me/profile").body["phone"] for one in (owner, next_owner, merged)]
    assert phones == ["139****9000", "138****8000", None]
    merchant.check_laws()


def test_phone_replaced_by_two_at_once_is_one_of_theirs(merchant: MerchantFixture) -> None:
    merchant_id, now_s = merchant.merchant_id, merchant.now_s
    old, one, other = (Identity(Way.PHONE, f"1380013800{n}") for n in range(3))
    buyer = identities.log_in(merchant_id, [old], now_s=now_s)

    def replace(proven: Identity) -> None:
        identities.prove(merchant_id, buyer.buyer_id, proven, replaces=True, now_s=now_s)

    with interleaved(lambda: replace(one)):
        replace(other)

    assert identities.log_in(merchant_id, [other], now_s=now_s).buyer_id == buyer.buyer_id
    for free in (old, one):
        assert identities.log_in(merchant_id, [free], now_s=now_s).buyer_id != buyer.buyer_id
    merchant.check_laws()


def test_number_that_takes_no_messages_is_refused_in_words(merchant: MerchantFixture) -> None:
    landline = ask(merchant, "0571-88880000")

    assert (landline.status, landline.code) == (400, "invalid_request")
    assert landline.body["message"] == "手机号不对。请填 11 位的中国大陆手机号，才能收到验证码。"


def test_code_is_good_at_the_shop_that_sent_it(merchant: MerchantFixture, sms: Sms) -> None:
    other_shop = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    other_shop.use_sms(sms)
    ask(merchant)

    assert enter(other_shop, sms.code_for(PHONE)).code == "phone_code_refused"
    assert enter(merchant, sms.code_for(PHONE)).status == 201


def by_button(merchant: MerchantFixture, buyer: Buyer, number: str, **more: Any) -> Reply:
    """Tap WeChat's phone button in the mini-program."""
    appid = merchant.account.wechat_login["appid"]
    code = merchant.wechat.server_api.tap_phone(appid, number, more.pop("country", "86"))
    return buyer.put("/v1/me/wechat-phone", {"code": code, **more})


def test_phone_that_wechat_knows_is_proven_like_one_that_was_sent_a_code(
    merchant: MerchantFixture, sms: Sms
) -> None:
    ask(merchant)
    by_phone = caller(merchant, enter(merchant, sms.code_for(PHONE)))
    merchant.clock.forward(1)
    in_wechat = caller(merchant, by_wechat(merchant, "openid-1"))

    merged = by_button(merchant, in_wechat, PHONE)
    second = by_button(merchant, in_wechat, "13900139000")
    moved = by_button(merchant, in_wechat, "13900139000", replaces=True)

    assert [one.body.get("buyer_id") for one in (merged, moved)] == [by_phone.buyer_id] * 2
    assert (second.status, second.code) == (409, "identity_taken")
    assert caller(merchant, moved).get("/v1/me/profile").body["phone"] == "139****9000"
    merchant.check_laws()


def test_code_of_the_phone_button_is_good_once_in_its_app_and_tokens_are_renewed(
    merchant: MerchantFixture,
) -> None:
    server, buyer = merchant.wechat.server_api, caller(merchant, by_wechat(merchant, "openid-1"))
    appid = merchant.account.wechat_login["appid"]
    code, old = (server.tap_phone(appid, PHONE) for _ in range(2))
    foreign = server.tap_phone(merchant.wechat.new_account("another").wechat_login["appid"], PHONE)

    def put(sent: str) -> Reply:
        return buyer.put("/v1/me/wechat-phone", {"code": sent})

    abroad = by_button(merchant, buyer, "61234567", country="852")
    server.end_tokens()
    first, again = put(code), put(code)
    refused = [put("guess"), put(foreign)]
    merchant.clock.forward(300)
    refused.append(put(old))

    assert (first.status, again.status) == (200, 400)
    assert [one.status for one in refused] == [400, 400, 400]
    assert again.body["message"] == "授权已失效，请重新点一次。"
    assert (abroad.status, "短信验证码" in abroad.body["message"]) == (400, True)
    merchant.check_laws()
