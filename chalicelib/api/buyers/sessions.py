"""Logins of buyers. Whichever way a person comes, their session is of one buyer."""

from chalicelib import clock
from chalicelib.api import auth, limits
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import session_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import BuyerSession
from chalicelib.domain.identity import Way
from chalicelib.errors import (
    GatewayFailed,
    IdentityTaken,
    NotFound,
    PhoneCodeRefused,
    StateRefused,
)
from chalicelib.services.people import (
    authorizations,
    buyers,
    identities,
    phone_codes,
    wechat_phones,
)
from chalicelib.tables.buyers import BuyerItem

api = Api(__name__, audience=Audience.PUBLIC)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/sessions",
    status=201,
    refusals=[NotFound, GatewayFailed],
    limited=[limits.BUYER_LOGINS, limits.WRONG_CODES],
)
def log_in(merchant_id: str, body: schemas.LoginRequest) -> BuyerSession:
    """Log a buyer in by the code of wx.login."""
    now_s = clock.now_s()
    return session_of(buyers.log_in(merchant_id, body.code, caller=_caller(), now_s=now_s), now_s)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/phone-codes",
    status=201,
    refusals=[NotFound, GatewayFailed],
    limited=[limits.PHONE_CODES],
)
def send_phone_code(merchant_id: str, body: schemas.PhoneCodeRequest) -> schemas.PhoneCodeSent:
    """Send a code to a phone, to log in with or to prove that it is the buyer's."""
    sent = phone_codes.send(
        merchant_id, body.phone, device_id=body.device_id, caller=_caller(), now_s=clock.now_s()
    )
    return schemas.PhoneCodeSent(expires_at_s=sent.expires_at_s, again_at_s=sent.again_at_s)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/phone-sessions",
    status=201,
    refusals=[NotFound, PhoneCodeRefused],
    limited=[limits.BUYER_LOGINS, limits.WRONG_CODES],
)
def log_in_by_phone(merchant_id: str, body: schemas.PhoneLoginRequest) -> BuyerSession:
    """Log a buyer in by the code that was sent to their phone."""
    now_s = clock.now_s()
    proven = phone_codes.prove(merchant_id, body.phone, body.code, caller=_caller(), now_s=now_s)
    return session_of(identities.log_in(merchant_id, [proven], now_s=now_s), now_s)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/authorizations",
    status=201,
    refusals=[NotFound],
    limited=[limits.BUYER_LOGINS],
)
def begin_authorization(
    merchant_id: str, body: schemas.AuthorizationRequest
) -> schemas.Authorization:
    """Begin a login in a browser: the address of WeChat's or Alipay's page, which comes back to
    `return_path` with a code and the state."""
    begun = authorizations.begin(
        _request(merchant_id, body), profile=body.profile, now_s=clock.now_s()
    )
    return schemas.Authorization(address=begun.address, expires_at_s=begun.expires_at_s)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/authorized-sessions",
    status=201,
    refusals=[NotFound, StateRefused, GatewayFailed],
    limited=[limits.BUYER_LOGINS, limits.WRONG_CODES],
)
def log_in_by_authorization(merchant_id: str, body: schemas.AuthorizedLoginRequest) -> BuyerSession:
    """Log a buyer in who came back from WeChat's or Alipay's page."""
    now_s, request = clock.now_s(), _request(merchant_id, body)
    buyer = authorizations.finish(request, body.code, body.state, caller=_caller(), now_s=now_s)
    return session_of(buyer, now_s)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/alipay-sessions",
    status=201,
    refusals=[NotFound, GatewayFailed],
    limited=[limits.BUYER_LOGINS, limits.WRONG_CODES],
)
def log_in_by_alipay(merchant_id: str, body: schemas.LoginRequest) -> BuyerSession:
    """Log a buyer in by the code of my.getAuthCode, in Alipay's mini-program."""
    now_s = clock.now_s()
    buyer = authorizations.log_in_by_alipay(merchant_id, body.code, caller=_caller(), now_s=now_s)
    return session_of(buyer, now_s)


@api.operation(
    "PUT", "/me/phone", audience=Audience.BUYER, refusals=[PhoneCodeRefused, IdentityTaken]
)
def prove_phone(who: Buyer, body: schemas.PhoneProof) -> BuyerSession:
    """Prove a phone by its code: it logs this buyer in from now on. A buyer who has it already is
    merged with this one; the session that is answered is of the person as they are then."""
    now_s, merchant_id = clock.now_s(), who.merchant_id
    proven = phone_codes.prove(merchant_id, body.phone, body.code, caller=_caller(), now_s=now_s)
    buyer = identities.prove(merchant_id, who.buyer_id, proven, replaces=body.replaces, now_s=now_s)
    return session_of(buyer, now_s)


@api.operation(
    "PUT",
    "/me/wechat-phone",
    audience=Audience.BUYER,
    refusals=[NotFound, IdentityTaken, GatewayFailed],
)
def prove_wechat_phone(who: Buyer, body: schemas.WechatPhoneProof) -> BuyerSession:
    """Prove the phone that WeChat knows, by the code of its phone button; as by a code sent."""
    now_s, merchant_id = clock.now_s(), who.merchant_id
    proven = wechat_phones.prove(
        merchant_id, who.buyer_id, body.code, caller=_caller(), now_s=now_s
    )
    buyer = identities.prove(merchant_id, who.buyer_id, proven, replaces=body.replaces, now_s=now_s)
    return session_of(buyer, now_s)


def session_of(buyer: BuyerItem, now_s: int, *, until_s: int | None = None) -> BuyerSession:
    """A new session of a buyer, which carries all ids of the person. until_s: of the session that
    it takes the place of; None: somebody has just proven who they are."""
    token = auth.buyer_token(
        buyer.merchant_id,
        buyer.buyer_id,
        buyer.name,
        other_ids=buyer.other_ids,
        now_s=now_s,
        until_s=until_s,
    )
    return BuyerSession(
        token=token,
        buyer_id=buyer.buyer_id,
        name=buyer.name,
        avatar=buyer.avatar,
        expires_at_s=now_s + auth.BUYER_SESSION_S if until_s is None else until_s,
    )


def _request(merchant_id: str, body: schemas.AuthorizationKey) -> authorizations.Request:
    return authorizations.Request(merchant_id, Way(body.way), body.return_path, body.nonce)


def _caller() -> str:
    return limits.network_of(api.current_request)
