"""Logins in a browser, on WeChat's or Alipay's page: what a state is good for, and who returns."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.local.alipay import Alipay
from infra.local.wechat_oauth import Visitor
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply
from tests.fixtures.payment_fixtures import local_alipay

NONCE = "a-secret-of-the-browser"
USERINFO = "snsapi_userinfo"


def key(
    way: str = "wechat_account", path: str = "/g/group-1", nonce: str = NONCE
) -> dict[str, str]:
    return {"way": way, "return_path": path, "nonce": nonce}


def post(merchant: MerchantFixture, what: str, body: Any) -> Reply:
    return merchant.visitor().post(f"/v1/merchants/{merchant.merchant_id}/{what}", body)


def begin(merchant: MerchantFixture, **body: Any) -> dict[str, str]:
    """The query of the page's address."""
    reply = post(merchant, "authorizations", key() | body)
    assert reply.status == 201, reply.body
    assert reply.body["expires_at_s"] == merchant.now_s + 600
    query = parse_qs(urlsplit(reply.body["address"]).query)
    return {name: values[0] for name, values in query.items()}


def finish(merchant: MerchantFixture, state: str, code: str, **body: Any) -> Reply:
    return post(merchant, "authorized-sessions", key() | {"code": code, "state": state} | body)


@pytest.fixture
def appid(merchant: MerchantFixture) -> str:
    return merchant.use_official_account()


@pytest.fixture
def alipay(merchant: MerchantFixture) -> Iterator[Alipay]:
    alipay = local_alipay(merchant.clock, merchant.api_client)
    merchant.use_alipay(alipay)
    yield alipay
    alipay.stop()


def code_of(merchant: MerchantFixture, appid: str, openid: str = "oA", **more: Any) -> str:
    return merchant.wechat.web_logins.issue(Visitor(appid, openid, **more))


def test_address_is_wechats_and_leads_back_to_the_path(
    merchant: MerchantFixture, appid: str
) -> None:
    asked, told = begin(merchant), begin(merchant, profile=True)

    assert asked["redirect_uri"] == "https://shop.example.com/g/group-1"
    assert (asked["appid"], asked["scope"]) == (appid, "snsapi_base")
    assert told["scope"] == USERINFO
    assert asked["state"].isalnum()
    assert len(asked["state"]) <= 128
    assert NONCE not in asked["state"]


def test_who_comes_back_is_the_buyer_that_their_unionid_leads_to(
    merchant: MerchantFixture, appid: str
) -> None:
    code = merchant.wechat.codes.issue("openid-1", "union-1")
    in_mini = post(merchant, "sessions", {"code": code}).body["buyer_id"]

    silent = finish(merchant, begin(merchant)["state"], code_of(merchant, appid, unionid="union-1"))
    again = finish(merchant, begin(merchant)["state"], code_of(merchant, appid))
    stranger = finish(merchant, begin(merchant)["state"], code_of(merchant, appid, "oB"))

    assert [reply.status for reply in (silent, again, stranger)] == [201] * 3
    assert silent.body["buyer_id"] == again.body["buyer_id"] == in_mini
    assert stranger.body["buyer_id"] != in_mini
    merchant.check_laws()


def test_name_that_wechat_tells_is_tidied_as_typed_ones_are(
    merchant: MerchantFixture, appid: str
) -> None:
    code = code_of(merchant, appid, scope=USERINFO, name="\u202e小满\n" + "长" * 30)

    reply = finish(merchant, begin(merchant, profile=True)["state"], code)

    assert reply.body["name"] == "小满 " + "长" * 17


def test_picture_that_wechat_tells_is_taken_from_a_safe_address_alone(
    merchant: MerchantFixture, appid: str
) -> None:
    def shown(openid: str, avatar: str) -> str:
        code = code_of(merchant, appid, openid, scope=USERINFO, name="小满", avatar=avatar)
        return str(finish(merchant, begin(merchant, profile=True)["state"], code).body["avatar"])

    assert shown("oA", "https://thirdwx.qlogo.cn/a/132") == "https://thirdwx.qlogo.cn/a/132"
    for number, avatar in enumerate(
        (
            "http://thirdwx.qlogo.cn/a",
            "javascript:alert(1)",
            "https://thirdwx.qlogo.cn.example.com/a",
        )
    ):
        assert shown(f"o{number}", avatar) == ""


def test_name_that_the_buyer_shows_is_taken_unless_they_have_one(
    merchant: MerchantFixture, appid: str
) -> None:
    def shown(name: str) -> Reply:
        code = code_of(merchant, appid, scope=USERINFO, name=name)
        return finish(merchant, begin(merchant, profile=True)["state"], code)

    first = shown("微信里的名字")
    buyer = Buyer(merchant.api_client, first.body["token"])
    buyer.put("/v1/me/profile", {"name": "自己取的"})

    assert first.body["name"] == "微信里的名字"
    assert shown("又改了").body["name"] == "自己取的"


def test_state_is_good_once_in_its_browser_at_its_shop_for_ten_minutes(
    merchant: MerchantFixture, appid: str
) -> None:
    other_shop = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)
    other_appid = other_shop.use_official_account()
    state = begin(merchant)["state"]
    forged = ("A" if state[-1] != "A" else "B").join((state[:-1], ""))
    later = f"{state[:5]}z{state[6:]}"

    refused = [
        finish(merchant, state, code_of(merchant, appid), nonce="another-browser-1"),
        finish(merchant, state, code_of(merchant, appid), return_path="/elsewhere"),
        finish(merchant, state, code_of(merchant, appid), way="alipay"),
        finish(merchant, forged, code_of(merchant, appid)),
        finish(merchant, later, code_of(merchant, appid)),
        finish(merchant, "x", code_of(merchant, appid)),
        finish(other_shop, state, code_of(other_shop, other_appid)),
    ]
    first = finish(merchant, state, code_of(merchant, appid))
    replayed = finish(merchant, state, code_of(merchant, appid))
    old = begin(merchant)["state"]
    merchant.clock.forward(600)
    expired = finish(merchant, old, code_of(merchant, appid))

    assert first.status == 201
    for reply in (*refused, replayed, expired):
        assert (reply.status, reply.code) == (400, "state_refused")


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "@evil.example", ".evil.example",
     "", "/a?to=//evil.example", "/a#//evil.example", "/\t/evil.example", "/a\nb", "/" + "a" * 200],
)  # fmt: skip
def test_no_other_place_is_come_back_to(merchant: MerchantFixture, appid: str, path: str) -> None:
    reply = post(merchant, "authorizations", key(path=path))

    assert (reply.status, reply.code) == (400, "invalid_request")


def test_code_of_another_app_and_made_up_openids_log_nobody_in(
    merchant: MerchantFixture, appid: str
) -> None:
    code = code_of(merchant, appid)
    used = [finish(merchant, begin(merchant)["state"], code).status for _ in range(2)]
    of_another = finish(merchant, begin(merchant)["state"], code_of(merchant, "wx-another"))
    of_mini = finish(merchant, begin(merchant)["state"], merchant.wechat.codes.issue("openid-1"))
    snapshot = finish(
        merchant, begin(merchant)["state"], code_of(merchant, appid, "oC", snapshot=True)
    )

    assert used == [201, 400]
    for reply in (of_another, of_mini):
        assert (reply.status, reply.body["message"]) == (400, "登录凭证已失效，请重新登录。")
    assert (snapshot.status, "使用完整服务" in snapshot.body["message"]) == (400, True)


def test_same_openid_of_another_app_is_somebody_else(merchant: MerchantFixture, appid: str) -> None:
    mini = post(merchant, "sessions", {"code": merchant.wechat.codes.issue("oA")})

    web = finish(merchant, begin(merchant)["state"], code_of(merchant, appid, "oA"))

    assert mini.body["buyer_id"] != web.body["buyer_id"]


def test_alipay_logs_in_alike_on_its_page_and_in_its_app(
    merchant: MerchantFixture, alipay: Alipay
) -> None:
    asked = begin(merchant, way="alipay")
    code = alipay.codes.issue("open-id-1")

    web = finish(merchant, asked["state"], code, way="alipay")
    in_app = post(merchant, "alipay-sessions", {"code": alipay.codes.issue("open-id-1")})
    used = post(merchant, "alipay-sessions", {"code": code})

    assert (asked["scope"], asked["redirect_uri"]) == (
        "auth_base",
        "https://shop.example.com/g/group-1",
    )
    assert (web.status, in_app.status) == (201, 201)
    assert web.body["buyer_id"] == in_app.body["buyer_id"]
    assert (used.status, used.body["message"]) == (400, "登录凭证已失效，请重新登录。")
    merchant.check_laws()


def test_shop_without_such_accounts_says_so(merchant: MerchantFixture) -> None:
    for way in ("wechat_account", "alipay"):
        reply = post(merchant, "authorizations", key(way))
        assert (reply.status, reply.code) == (404, "not_found")
        assert reply.body["message"] == "店家还没有开通这种方式，请换一种方式，或联系店家。"
        assert reply.body["details"] == {}  # which parameter is missing is for staff
