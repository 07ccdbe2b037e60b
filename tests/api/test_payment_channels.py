"""Stories of payments by where the buyer pays: mini-program, official account, browser."""

import datetime as dt
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from chalicelib.api import limits
from chalicelib.domain.beijing import DAY_S, day_of
from chalicelib.domain.own_order import Tab, tabs_of
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import Channel
from chalicelib.services.money import payments
from chalicelib.services.money.payers import Payer
from chalicelib.tables.buyers import BuyerItem
from infra.local.limits import LOOPBACK
from infra.local.wechat_oauth import Visitor
from tests.fixtures.callbacks import held_seat
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply
from tests.fixtures.order_states import group_of_two
from tests.fixtures.payment_fixtures import ALIPAY
from tests.fixtures.shop import OTHER_PAY, Shop

pytestmark = pytest.mark.slow

SHOP = "https://shop.example.com"  # the setting WEB_URL
BILLS_ARE_READY_S = 10 * 3600
IN_A_BROWSER, IN_AN_OFFICIAL_ACCOUNT = {"channel": "browser"}, {"channel": "official_account"}


@pytest.fixture(params=["direct", "partner"])
def shop_in_wechat(request: pytest.FixtureRequest, merchant: MerchantFixture) -> MerchantFixture:
    """A merchant with an official account, in each mode."""
    with_official_account(merchant, partner=request.param == "partner")
    return merchant


def with_official_account(merchant: MerchantFixture, **how: Any) -> None:
    label = f"official-{merchant.merchant_id}"
    merchant.account = merchant.wechat.new_account(label, official_account=True, **how)
    merchant.keep_wechat_pay_account(merchant.account.wechat_pay)
    merchant.wechat.cashier.domains = {"shop.example.com", *LOOPBACK}


def log_in_there(merchant: MerchantFixture, buyer: Buyer) -> None:
    """The buyer has an openid in the merchant's official account."""
    item = BuyerItem.at(merchant.merchant_id, buyer.buyer_id)
    app = merchant.account.wechat_account["appid"]
    item.update(actions=[BuyerItem.openids.set({app: "oInTheOfficialAccount"})])


def pay_on_page(merchant: MerchantFixture, reply: Reply) -> str:
    """Tap through the gateway's page as a browser does; return where it leads the buyer."""
    assert reply.status == 201, reply.body
    url = reply.body["parameters"]["url"]
    given = urllib.request.Request(url, headers={"Referer": f"{SHOP}/"})
    with urllib.request.urlopen(given) as answer:
        assert "立即支付" in answer.read().decode()
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    form = {"prepay_id": query["prepay_id"], "back": query["redirect_url"]}
    at = f"{merchant.wechat.base_url}/cashier/pay"
    tapped = urllib.request.Request(at, urlencode(form).encode())
    opener = urllib.request.build_opener(NoRedirect)
    with opener.open(tapped) as answer:
        assert answer.status == 303
        back = str(answer.headers["Location"])
    assert merchant.gateway.quiet()
    return back


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, request: Any, answer: Any, *rest: Any) -> Any:
        return answer


def states(merchant: MerchantFixture, order_id: str) -> dict[str, str]:
    """What the gateway says of the order's attempts."""
    trades = merchant.wechat.ledger.summaries()
    return {
        trade["out_trade_no"][-2:]: trade["trade_state"]
        for trade in trades
        if trade["out_trade_no"].startswith(order_id)
    }


def mismatches_of_the_bill(merchant: MerchantFixture, day: dt.date) -> list[str]:
    rows = payment_gateway(merchant.merchant_id, "wechat_pay").bill(day)
    return [row.mismatch for row in rows]


def test_group_forms_of_three_who_pay_in_three_places(shop_in_wechat: MerchantFixture) -> None:
    merchant = shop_in_wechat
    activity, day = merchant.activity(seats=3, stock=10), day_of(merchant.now_s)
    group_id, _, _ = merchant.open_group(activity)
    in_a_browser, first = merchant.join(activity, group_id)
    in_wechat, second = merchant.join(activity, group_id)
    log_in_there(merchant, in_wechat)

    back = pay_on_page(merchant, in_a_browser.ask_to_pay(first, **IN_A_BROWSER))
    reply = in_wechat.ask_to_pay(second, **IN_AN_OFFICIAL_ACCOUNT)
    assert reply.status == 201, reply.body
    merchant.gateway.pay(merchant.gateway.key_of(reply.body["parameters"]))
    assert merchant.gateway.quiet()
    merchant.run_jobs()

    assert back == f"{SHOP}/#/pages/payment/payment?id={first}"
    assert reply.body["parameters"]["appId"] == merchant.account.wechat_account["appid"]
    assert [in_a_browser.status(first), in_wechat.status(second)] == ["fulfilling"] * 2
    shown = merchant.owner().get(f"/v1/merchant/orders/{second}").body["payments"]
    assert [payment["channel"] for payment in shown] == ["official_account"]
    merchant.clock.forward(DAY_S + BILLS_ARE_READY_S)
    assert mismatches_of_the_bill(merchant, day) == [""] * 3
    assert merchant.refused_callbacks() == []
    merchant.check_laws(quiescent=False)


def test_buyer_who_logged_in_on_a_page_in_wechat_pays_there(
    shop_in_wechat: MerchantFixture,
) -> None:
    merchant = shop_in_wechat
    appid = merchant.use_official_account(merchant.account.wechat_account)
    shop, who = f"/v1/merchants/{merchant.merchant_id}", merchant.visitor()
    key = {"way": "wechat_account", "return_path": "/", "nonce": "a-secret-of-the-browser"}
    address = who.post(f"{shop}/authorizations", key).body["address"]
    code = merchant.wechat.web_logins.issue(Visitor(appid, "oOnThePage"))
    back = {"code": code, "state": parse_qs(urlsplit(address).query)["state"][0]}
    session = who.post(f"{shop}/authorized-sessions", key | back).body
    buyer = Buyer(merchant.api_client, session["token"], merchant.merchant_id, session["buyer_id"])
    order_id = buyer.open(merchant.activity(seats=2)).body["order_id"]

    elsewhere = buyer.ask_to_pay(order_id, channel="mini_program")
    asked = buyer.ask_to_pay(order_id, **IN_AN_OFFICIAL_ACCOUNT)
    merchant.gateway.pay(merchant.gateway.key_of(asked.body["parameters"]))
    assert merchant.gateway.quiet()

    assert (elsewhere.status, elsewhere.code) == (409, "payer_unknown")
    trade = merchant.wechat.ledger.trade(merchant.gateway.mchid, f"{order_id}01")
    assert list(trade.payer.values()) == ["oOnThePage"]
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def test_another_place_is_another_number_and_the_earlier_one_is_closed(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_official_account(merchant)
    _, _, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)

    first = buyer.ask_to_pay(order_id, **IN_A_BROWSER)
    again = buyer.ask_to_pay(order_id, **IN_A_BROWSER)
    assert states(merchant, order_id) == {"01": "CLOSED", "02": "NOTPAY"}
    monkeypatch.setattr(limits, "address_of", lambda request: "2001:db8::7")  # another network
    pay_on_page(merchant, buyer.ask_to_pay(order_id, **IN_A_BROWSER))

    assert [first.status, again.status] == [201, 201]
    assert states(merchant, order_id) == {"01": "CLOSED", "02": "CLOSED", "03": "SUCCESS"}
    told = merchant.wechat.ledger.trade(merchant.gateway.mchid, f"{order_id}03").order
    assert told["scene_info"]["payer_client_ip"] == "2001:db8::7"
    assert buyer.status(order_id) == "paid"
    merchant.check_laws(quiescent=False)


def kept_money(merchant: MerchantFixture, order_id: str) -> dict[str, int]:
    """What each account has of an order: merchant number -> fen."""
    return {
        trade["mchid"]: trade["captured_fen"] - trade["refunded_fen"]
        for trade in merchant.wechat.ledger.summaries()
        if trade["out_trade_no"].startswith(order_id) and trade["captured_fen"]
    }


def test_place_and_account_are_others_between_the_reads_and_the_writes(
    merchant: MerchantFixture,
) -> None:
    with_official_account(merchant)
    _, group_id, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)

    with interleaved(merchant.change_account):
        buyer.ask_to_pay(order_id, **IN_A_BROWSER)
    pay_on_page(merchant, buyer.ask_to_pay(order_id, **IN_A_BROWSER))
    merchant.run_jobs(2)

    assert kept_money(merchant, order_id) == {merchant.gateway.mchid: 5900}
    assert merchant.stored_group(group_id).status == "formed"
    merchant.check_laws()


def test_unheard_payment_at_the_account_of_before_is_found_by_who_asks_elsewhere(
    merchant: MerchantFixture,
) -> None:
    with_official_account(merchant)
    _, group_id, buyer, order_id = held_seat(merchant)
    key, before = merchant.prepay(buyer, order_id), merchant.gateway.mchid
    merchant.gateway.faults.add("payment_callback", "dropped")
    merchant.gateway.pay(key)
    merchant.change_account()

    asked = buyer.ask_to_pay(order_id, **IN_A_BROWSER)
    merchant.run_jobs(2)

    assert (asked.status, asked.code) == (409, "already_paid")
    assert kept_money(merchant, order_id) == {before: 5900}
    assert merchant.stored_group(group_id).status == "formed"
    merchant.check_laws()


def test_buyers_address_and_way_back_are_not_theirs_to_say(merchant: MerchantFixture) -> None:
    with_official_account(merchant)
    _, _, buyer, order_id = held_seat(merchant)
    path, body = f"/v1/orders/{order_id}/payments", {"method": "wechat_pay", **IN_A_BROWSER}

    for more in (
        {"return_url": "https://evil.example/"},
        {"payer_ip": "198.51.100.1"},
        {"channel": "https://evil.example/"},
    ):
        assert buyer.post(path, body | more).status == 400
    assert states(merchant, order_id) == {}
    reply = buyer.post(path, body, X_Forwarded_For="198.51.100.1")

    told = merchant.wechat.ledger.trade(merchant.gateway.mchid, f"{order_id}01").order
    assert told["scene_info"]["payer_client_ip"] == "127.0.0.1"
    back = parse_qs(urlsplit(reply.body["parameters"]["url"]).query)["redirect_url"]
    assert back == [f"{SHOP}/#/pages/payment/payment?id={order_id}"]


@pytest.mark.parametrize("code", ["payment_channel_off", "payer_unknown"])
def test_payment_that_cannot_be_made_there_begins_nothing(
    merchant: MerchantFixture, code: str
) -> None:
    if code == "payer_unknown":  # they have never logged in there
        with_official_account(merchant)
    _, _, buyer, order_id = held_seat(merchant)
    merchant.prepay(buyer, order_id)
    before = merchant.image(merchant.stored_order(order_id))

    reply = buyer.ask_to_pay(order_id, **IN_AN_OFFICIAL_ACCOUNT)

    assert (reply.status, reply.code) == (409, code)
    assert merchant.image(merchant.stored_order(order_id)) == before
    assert states(merchant, order_id) == {"01": "NOTPAY"}


def test_official_account_that_is_changed_loses_no_payment_of_before(
    merchant: MerchantFixture,
) -> None:
    with_official_account(merchant)
    day, content = day_of(merchant.now_s), merchant.account.wechat_pay
    _, _, buyer, order_id = held_seat(merchant)
    log_in_there(merchant, buyer)
    key = merchant.gateway.key_of(
        buyer.ask_to_pay(order_id, **IN_AN_OFFICIAL_ACCOUNT).body["parameters"]
    )

    merchant.save_account(
        merchant.account, {**content, "official_account_appid": "wx0123456789abcdef"}
    )
    merchant.gateway.pay(key)
    assert merchant.gateway.quiet()

    assert merchant.refused_callbacks() == []
    assert merchant.stored_order(order_id).view().is_succeeded("01")
    path = "/v1/merchant/payment-accounts"
    assert merchant.owner().get(f"{path}/wechat-pay/earlier").body["items"] == []
    [shown] = [
        it for it in merchant.owner().get(path).body["items"] if it["method"] == "wechat-pay"
    ]
    assert shown["official_account_appid"] == "wx0123456789abcdef"
    merchant.clock.forward(DAY_S + BILLS_ARE_READY_S)
    assert mismatches_of_the_bill(merchant, day) == ["", ""]
    merchant.save_account(merchant.account, {**content, "official_account_appid": ""})
    assert mismatches_of_the_bill(merchant, day) == ["", ""]
    merchant.check_laws(quiescent=False)


def test_two_places_asked_for_at_once_are_two_numbers_and_one_payment(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    browser = Payer(Channel.BROWSER, ip="203.0.113.9")

    def ask_in_a_browser() -> None:
        payments.ask(shop.merchant_id, order.order_id, "wechat_pay", browser, now_s=shop.now_s)

    with interleaved(ask_in_a_browser):
        shop.ask(order)
    known = shop.order(order.order_id).view().payments
    assert {key: paid.channel for key, paid in known.items()} == {"01": "browser", "02": ""}
    numbers = [f"{order.order_id}{attempt}" for attempt in known]
    outcomes = [shop.notify(shop.gateway.pay(n, at_s=shop.now_s)) for n in numbers]

    assert outcomes == ["formed", "late"]
    assert list(shop.order(order.order_id).view().refunds) == ["02L"]
    shop.run_jobs(2)
    shop.check(quiescent=False)


def test_both_gateways_pages_are_paid_and_the_second_is_refunded(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    browser = Payer(Channel.BROWSER, ip="203.0.113.9")
    for method in ("wechat_pay", OTHER_PAY):
        payments.ask(shop.merchant_id, order.order_id, method, browser, now_s=shop.now_s)

    other = shop.gateways_by_method[OTHER_PAY][0]
    second = shop.notify(other.pay(f"{order.order_id}02", at_s=shop.now_s), OTHER_PAY)
    first = shop.notify(shop.gateway.pay(f"{order.order_id}01", at_s=shop.now_s))

    assert [second, first] == ["formed", "late"]
    known = shop.order(order.order_id).view()
    assert list(known.refunds) == ["01L"]
    assert known.is_surplus("01L")  # the order goes on: it is in no list of refunds
    assert tabs_of(known) == {Tab.WAITING}


@pytest.mark.parametrize("paid_by", [ALIPAY], indirect=True)
def test_alipays_page_leads_back_to_the_shop(merchant: MerchantFixture) -> None:
    _, _, buyer, order_id = held_seat(merchant)
    trade_no = merchant.prepay(buyer, order_id)
    url = buyer.ask_to_pay(order_id).body["parameters"]["url"]
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()

    tapped = urllib.request.Request(f"{url.partition('/gateway.do')[0]}/cashier/{trade_no}", b"")
    with urllib.request.build_opener(NoRedirect).open(tapped) as answer:
        back = answer.headers["Location"]
    assert merchant.gateway.quiet()

    assert "¥59.00" in page
    assert back == f"{SHOP}/#/pages/payment/payment?id={order_id}"
    assert merchant.stored_order(order_id).view().payments["01"].channel == "browser"
    assert merchant.stored_order(order_id).view().is_succeeded("01")


@pytest.mark.parametrize("paid_by", [ALIPAY], indirect=True)
def test_alipay_takes_payments_in_its_mini_program_of_whom_it_knows(
    merchant: MerchantFixture,
) -> None:
    _, _, buyer, order_id = held_seat(merchant)

    for channel, code in (
        ("mini_program", "payer_unknown"),
        ("official_account", "payment_channel_off"),
    ):
        reply = buyer.ask_to_pay(order_id, channel=channel)
        assert (reply.status, reply.code) == (409, code)
    assert merchant.stored_order(order_id).payments.as_dict() == {}
