"""Every refusal's code and status, as clients rely on them."""

import re

import chalicelib.domain.after_sale
import chalicelib.domain.pickup
import chalicelib.domain.picture
import chalicelib.domain.shipping
import chalicelib.gateways.payment
import chalicelib.services.money.captures
import chalicelib.services.money.refund_recovery
import chalicelib.services.money.review_queue  # noqa: F401  (they declare refusals of their own)
from chalicelib import errors

CODES = {
    "account_in_use": 409,
    "account_disabled": 401,
    "activity_closed": 409,
    "activity_overlaps": 409,
    "after_sale_refused": 409,
    "already_dealt_with": 409,
    "already_paid": 409,
    "payer_unknown": 409,
    "payment_channel_off": 409,
    "payment_method_off": 409,
    "wrong_account": 409,
    "auth_code_refused": 400,
    "body_too_large": 413,
    "busy": 503,
    "callback_refused": 401,
    "changed": 409,
    "conflict": 409,
    "forbidden": 403,
    "gateway_failed": 502,
    "group_closed": 409,
    "group_full": 409,
    "idempotency_mismatch": 422,
    "identity_taken": 409,
    "internal_error": 500,
    "invalid_request": 400,
    "last_owner": 409,
    "limit_reached": 409,
    "too_fast_now": 409,
    "method_not_allowed": 405,
    "not_deliverable": 409,
    "not_found": 404,
    "order_closed": 409,
    "password_change_needed": 403,
    "payment_unsettled": 503,
    "phone_code_refused": 400,
    "picture_refused": 400,
    "pickup_refused": 409,
    "price_changed": 409,
    "new_buyers_only": 409,
    "members_only": 409,
    "coupon_code_refused": 409,
    "coupon_refused": 409,
    "points_refused": 409,
    "coupons_gone": 409,
    "refund_under_way": 409,
    "refunded_twice": 409,
    "session_superseded": 401,
    "shipping_refused": 409,
    "sold_out": 409,
    "state_refused": 400,
    "store_closed": 409,
    "too_little_time": 409,
    "too_many_requests": 429,
    "unsupported_media_type": 415,
    "totp_needed": 401,
    "unauthenticated": 401,
    "unpaid_orders_limit": 409,
    "wrong_amount": 409,
    "wrong_password": 401,
    "wrong_totp": 401,
}


def all_refusals(root: type[errors.ServiceError]) -> set[type[errors.ServiceError]]:
    found = {root}
    for refusal in root.__subclasses__():
        found |= all_refusals(refusal)
    return {refusal for refusal in found if refusal.__module__.startswith("chalicelib")}


def test_codes_and_statuses_are_what_clients_know() -> None:
    refusals = all_refusals(errors.ServiceError)

    assert {refusal.code: refusal.status for refusal in refusals} == CODES


def test_module_docstring_lists_every_code() -> None:
    assert set(re.findall(r"\d{3} (\w+)", errors.__doc__ or "")) == set(CODES)


def test_every_refusal_speaks_chinese_and_keeps_its_details() -> None:
    for refusal in all_refusals(errors.ServiceError):
        assert re.search("[一-鿿]", refusal.default_message), refusal

    full = errors.GroupFull(group_id="g1")
    assert (full.message, full.details) == (errors.GroupFull.default_message, {"group_id": "g1"})
