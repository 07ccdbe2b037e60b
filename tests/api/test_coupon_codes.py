"""Coupons that are not claimed of one's own accord: by a code, or given by the shop."""

from typing import Any

from chalicelib.tables.growth import CouponStockItem
from tests.fixtures.coupons import COUPONS, claim, given_out, sold, state
from tests.fixtures.merchant import Buyer, MerchantFixture, Reply

CLAIMS = "/v1/coupon-codes/claims"


def codes(merchant: MerchantFixture, template_id: str, count: int) -> list[dict[str, Any]]:
    """Write codes of a template; return them as the shop exports them."""
    batch = merchant.owner().post(f"{COUPONS}/{template_id}/codes", {"count": count})
    assert batch.status == 201, batch.body
    return exported(merchant, batch.body["batch"])


def exported(merchant: MerchantFixture, batch: str) -> list[dict[str, Any]]:
    return list(merchant.owner().get(f"/v1/merchant/coupon-codes/{batch}").body["items"])


def gift(merchant: MerchantFixture, order_id: str, template_id: str, key: str = "gift") -> Reply:
    body = {"template_id": template_id, "reason": "路上碰坏了一个，抱歉"}
    path = f"/v1/merchant/orders/{order_id}/coupons"
    return merchant.owner().post(path, body, Idempotency_Key=key)


def told(buyer: Buyer) -> list[dict[str, Any]]:
    items = buyer.get("/v1/me/messages").body["items"]
    return [one for one in items if one["text_key"] == "coupon_given"]


def test_a_code_gives_one_coupon_to_who_types_it_first(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant, given="code", total=5, name="传单")
    first, second, spare = codes(merchant, template_id, 3)
    code = first["code"]
    assert (len(code), code[4], first["used_at_s"]) == (14, "-", None)
    buyer, other = merchant.buyer(), merchant.buyer()

    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    got = buyer.post(CLAIMS, {"code": f" {typed}"})
    assert (got.status, got.body["words"], got.body["state"]) == (201, "立减 10 元", "usable")
    assert buyer.post(CLAIMS, {"code": code}).body["coupon_id"] == got.body["coupon_id"]

    def refused(who: Buyer, wrong: str) -> tuple[int, str]:
        reply = who.post(CLAIMS, {"code": wrong})
        return reply.status, reply.code

    assert refused(other, code) == (409, "coupon_code_refused")
    assert refused(buyer, second["code"]) == (409, "limit_reached")
    wrong = spare["code"][:-1] + ("X" if spare["code"][-1] != "X" else "Y")
    for text in (wrong, "优惠券", "AAAA-BBBB-CCCC"):
        assert refused(other, text) == (409, "coupon_code_refused")

    batch = merchant.owner().get(f"{COUPONS}/{template_id}/codes").body["items"][0]
    assert (batch["codes"], batch["used"]) == (3, 1)
    written = exported(merchant, batch["batch"])
    assert [one["used_at_s"] is None for one in written] == [False, True, True]
    assert merchant.owner().get(f"{COUPONS}/{template_id}").body["claimed"] == 3
    order = buyer.buy_alone(sold(merchant), coupon_id=got.body["coupon_id"])
    assert order.body["total_fen"] == 8900
    merchant.check_laws(quiescent=False)


def test_no_more_codes_are_written_than_there_are_coupons(merchant: MerchantFixture) -> None:
    template_id = given_out(merchant, given="code", total=5)
    path, owner = f"{COUPONS}/{template_id}/codes", merchant.owner()

    first = owner.post(path, {"count": 4}, Idempotency_Key="one")
    assert owner.post(path, {"count": 4}, Idempotency_Key="one").body == first.body
    again = owner.post(path, {"count": 3}, Idempotency_Key="one")
    assert (again.status, again.code) == (422, "idempotency_mismatch")
    too_many = owner.post(path, {"count": 2})
    assert (too_many.status, too_many.body["details"]["left"]) == (409, 1)
    for count in (0, 10_001):
        assert owner.post(path, {"count": count}).code == "invalid_request"
    public = owner.post(f"{COUPONS}/{given_out(merchant)}/codes", {"count": 1})
    assert (public.status, public.code) == (409, "conflict")
    stock = CouponStockItem.at(merchant.merchant_id, template_id)
    stock.update(actions=[CouponStockItem.batches.set(100)])
    full = owner.post(path, {"count": 1})
    assert (full.status, full.code, full.body["details"]) == (409, "limit_reached", {"limit": 100})
    fewer = {"name": "传单", "total": 3, "revision": 1}
    assert owner.put(f"{COUPONS}/{template_id}", fewer).status == 409
    merchant.check_laws()


def test_codes_of_a_withdrawn_coupon_are_good_no_more(merchant: MerchantFixture) -> None:
    template_id, buyer = given_out(merchant, given="code"), merchant.buyer()
    used, unused = codes(merchant, template_id, 2)
    coupon_id = buyer.post(CLAIMS, {"code": used["code"]}).body["coupon_id"]
    owner = merchant.owner()
    assert owner.post(f"{COUPONS}/{template_id}/withdrawal", {"revoke": False}).status == 200

    late = merchant.buyer().post(CLAIMS, {"code": unused["code"]})
    assert (late.status, late.code) == (409, "coupons_gone")
    assert owner.post(f"{COUPONS}/{template_id}/codes", {"count": 1}).status == 409
    assert state(buyer, coupon_id) == ("usable", None)
    merchant.check_laws()


def test_who_wants_more_than_a_code_is_worth_finds_nothing(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    for given in ("code", "shop"):
        template_id = given_out(merchant, given=given)
        assert claim(buyer, template_id).status == 404
        centre = f"/v1/merchants/{merchant.merchant_id}/coupons"
        assert buyer.get(f"{centre}/{template_id}").status == 404
        assert template_id not in str(buyer.get(centre).body)
    merchant.check_laws()


def test_staff_give_the_buyer_of_an_order_a_coupon_once(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    template_id = given_out(merchant, given="shop", name="一点心意")

    assert gift(merchant, order_id, template_id).status == 201
    assert gift(merchant, order_id, template_id).status == 201
    (coupon,) = buyer.get("/v1/me/coupons").body["items"]
    assert (coupon["name"], coupon["state"]) == ("一点心意", "usable")
    (message,) = told(buyer)
    assert "「一点心意」（立减 10 元）：路上碰坏了一个，抱歉。已放进" in message["text"]
    rows = merchant.owner().get("/v1/merchant/audit").body["items"]
    (row,) = [row for row in rows if row["action"] == "coupon_given"]
    assert (row["subject"], row["after"]["coupon"]) == (f"order#{order_id}", "一点心意")

    timeline = merchant.owner().get(f"/v1/merchant/orders/{order_id}").body["timeline"]
    (happened,) = [one["text"] for one in timeline if one["what"] == "coupon_given"]
    assert happened == "送买家优惠券「一点心意」（立减 10 元）：路上碰坏了一个，抱歉"

    path = f"/v1/merchant/orders/{order_id}/coupons"
    held = merchant.owner().get(path).body["items"]
    assert held == [{"template_id": template_id, "held": 1}]
    second = gift(merchant, order_id, template_id, key="another")
    assert (second.status, second.code) == (409, "limit_reached")
    by_code = gift(merchant, order_id, given_out(merchant, given="code"), key="third")
    assert (by_code.status, by_code.code) == (409, "conflict")
    assert gift(merchant, order_id, "0" * 22, key="fourth").status == 404
    over = given_out(merchant)
    assert merchant.owner().post(f"{COUPONS}/{over}/withdrawal", {}).status == 200
    stopped = gift(merchant, order_id, over, key="fifth")
    assert stopped.body["message"] == "这张优惠券已停止发放或已发完，请换一张。"
    mute = {"template_id": given_out(merchant), "reason": "。。。"}
    assert merchant.owner().post(path, mute).status == 400
    assert len(told(buyer)) == 1
    merchant.check_laws(quiescent=False)


def test_a_closed_account_is_given_nothing(merchant: MerchantFixture) -> None:
    activity, buyer = sold(merchant), merchant.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    assert buyer.cancel(order_id).status == 200
    assert buyer.call("DELETE", "/v1/me/account").status == 200

    refused = gift(merchant, order_id, given_out(merchant))
    asked = merchant.owner().get(f"/v1/merchant/orders/{order_id}/coupons")

    assert (refused.status, refused.code) == (asked.status, asked.code) == (409, "conflict")
    merchant.check_laws()
