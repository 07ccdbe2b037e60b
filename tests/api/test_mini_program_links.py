"""Ways into the mini-program: codes and links that WeChat makes, kept until they end."""

import urllib.request
from urllib.parse import urlencode

import pytest

from chalicelib.gateways import secrets
from chalicelib.services.catalogue import mini_program_links
from tests.fixtures.api_clients import Reply
from tests.fixtures.merchant import Buyer, MerchantFixture, concurrently

pytestmark = pytest.mark.slow
DAY_S = 86400


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    mini_program_links.clear_cache()


@pytest.fixture
def shared(merchant: MerchantFixture) -> tuple[Buyer, str]:
    """(the leader of a group, the share that they made)."""
    group_id, leader, _ = merchant.open_group(merchant.activity(seats=2, stock=20))
    made = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "qr"}).body
    return leader, made["share_id"]


def image_of(buyer: Buyer, share_id: str) -> str | None:
    reply = buyer.get(f"/v1/shares/{share_id}/code")
    assert reply.status == 200, reply.body
    image: str | None = reply.body["image"]
    return image


def ways_of(merchant: MerchantFixture, path: str) -> tuple[bool, bool, str | None, int | None]:
    """(whether there is a mini-program, and a code; the link, when it ends)."""
    body = merchant.staff("service").get(path).body
    image = body["code_image"]
    return body["has_one"], bool(image), body["url_link"], body["url_link_ends_at_s"]


def test_share_is_a_code_that_wechat_draws_once(
    merchant: MerchantFixture, shared: tuple[Buyer, str]
) -> None:
    leader, share_id = shared
    codes = merchant.wechat.server_api.codes

    image = image_of(leader, share_id)
    assert image is not None
    with urllib.request.urlopen(image) as answer:
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.read() == codes.drawn_for[f"pages/group/group?scene=s={share_id}"]
    assert image_of(leader, share_id) == image
    assert codes.drawn_calls == 1

    merchant.clock.forward(46 * DAY_S)  # its picture goes soon
    newcomer = merchant.buyer()
    assert image_of(newcomer, share_id) == image
    assert codes.drawn_calls == 2
    assert newcomer.get(f"/v1/shares/{'x' * 22}/code").status == 404


def test_code_waits_for_the_release_and_wechat_is_asked_once_a_minute(
    merchant: MerchantFixture, shared: tuple[Buyer, str]
) -> None:
    leader, share_id = shared
    codes = merchant.wechat.server_api.codes
    codes.released = False

    assert [image_of(leader, share_id) for _ in range(3)] == [None] * 3
    assert codes.drawn_calls == 1

    codes.released = True
    merchant.clock.forward(mini_program_links.UNRELEASED_S)
    assert image_of(leader, share_id)


def test_activity_has_a_link_that_is_renewed_a_week_before_its_end(
    merchant: MerchantFixture,
) -> None:
    path = f"/v1/merchant/activities/{merchant.activity().activity_id}/mini-program"
    now_s = merchant.clock.now_s

    has_one, has_code, link, ends_at_s = ways_of(merchant, path)
    assert (has_one, has_code, ends_at_s) == (True, True, now_s + 30 * DAY_S)
    merchant.clock.forward(22 * DAY_S)
    assert ways_of(merchant, path)[2:] == (link, ends_at_s)
    merchant.clock.forward(2 * DAY_S)
    *_, renewed, later_s = ways_of(merchant, path)
    assert (renewed != link, later_s) == (True, now_s + 54 * DAY_S)

    codes = merchant.wechat.server_api.codes
    assert (codes.link_calls, codes.drawn_calls) == (2, 1)


def test_nothing_is_kept_of_what_wechat_refuses(
    merchant: MerchantFixture, shared: tuple[Buyer, str]
) -> None:
    leader, share_id = shared
    merchant.wechat.faults.add("code", "rate_limited")
    merchant.wechat.faults.add("code", "server_error")
    merchant.wechat.server_api.end_tokens()

    for _ in range(2):
        reply = leader.get(f"/v1/shares/{share_id}/code")
        assert (reply.status, reply.body["code"]) == (502, "gateway_failed")

    assert image_of(leader, share_id)


def test_page_of_the_shop_is_signed_by_one_ticket_for_all(merchant: MerchantFixture) -> None:
    appid = merchant.use_official_account()
    tickets = merchant.wechat.server_api.tickets
    page = "https://shop.example.com/?from=groupmessage#/pages/group/group"

    signed = concurrently([lambda: sign(merchant, page)] * 8)

    for reply in signed:
        body, url = reply.body, page.partition("#")[0]
        assert (reply.status, body["appid"]) == (200, appid)
        given = str(body["timestamp_s"]), body["nonce"], body["signature"]
        assert tickets.fits(appid, url, *given)
        assert not tickets.fits(appid, f"{url}&more", *given)
    assert tickets.calls == 1

    assert sign(merchant, "https://shop.example.com.evil.cn/").code == "invalid_request"
    assert sign(merchant, "http://shop.example.com/").code == "invalid_request"


def sign(merchant: MerchantFixture, url: str) -> Reply:
    path = f"/v1/merchants/{merchant.merchant_id}/wechat-page"
    return merchant.visitor().get(f"{path}?{urlencode({'url': url})}")


def test_shop_without_a_mini_program_has_its_web_page_alone(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/merchant/activities/{merchant.activity().activity_id}/mini-program"

    def none(name: str) -> dict[str, str]:
        raise secrets.NotConfigured(parameter=name)

    monkeypatch.setattr(secrets, "json_secret", none)

    assert ways_of(merchant, path) == (False, False, None, None)
