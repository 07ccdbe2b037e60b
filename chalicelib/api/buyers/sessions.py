"""Logins of buyers. Whichever way a person comes, their session is of one buyer."""

from chalicelib import clock
from chalicelib.api import auth, limits, schemas
from chalicelib.api.auth import Buyer
from chalicelib.api.http import Api, Audience
from chalicelib.errors import GatewayFailed, IdentityTaken, NotFound, PhoneCodeRefused
from chalicelib.services.people import buyers, identities, phone_codes
from chalicelib.tables.buyers import BuyerItem

api = Api(__name__, audience=Audience.PUBLIC)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/sessions",
    status=201,
    refusals=[NotFound, GatewayFailed],
    limited=[limits.BUYER_LOGINS, limits.WRONG_CODES],
)
def log_in(merchant_id: str, body: schemas.LoginRequest) -> schemas.BuyerSession:
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
def log_in_by_phone(merchant_id: str, body: schemas.PhoneLoginRequest) -> schemas.BuyerSession:
    """Log a buyer in by the code that was sent to their phone."""
    now_s = clock.now_s()
    proven = phone_codes.prove(merchant_id, body.phone, body.code, caller=_caller(), now_s=now_s)
    return session_of(identities.log_in(merchant_id, [proven], now_s=now_s), now_s)


@api.operation(
    "PUT",
    "/me/phone",
    audience=Audience.BUYER,
    refusals=[PhoneCodeRefused, IdentityTaken],
)
def prove_phone(who: Buyer, body: schemas.PhoneLoginRequest) -> schemas.BuyerSession:
    """Prove a phone by its code: it logs this buyer in from now on. A buyer who has it already is
    merged with this one; the session that is answered is of the person as they are then."""
    now_s, merchant_id = clock.now_s(), who.merchant_id
    proven = phone_codes.prove(merchant_id, body.phone, body.code, caller=_caller(), now_s=now_s)
    return session_of(identities.prove(merchant_id, who.buyer_id, proven, now_s=now_s), now_s)


def session_of(buyer: BuyerItem, now_s: int) -> schemas.BuyerSession:
    """A new session of a buyer, which carries all ids of the person."""
    token = auth.buyer_token(
        buyer.merchant_id, buyer.buyer_id, buyer.name, other_ids=buyer.other_ids, now_s=now_s
    )
    return schemas.BuyerSession(
        token=token,
        buyer_id=buyer.buyer_id,
        name=buyer.name,
        avatar=buyer.avatar,
        expires_at_s=now_s + auth.BUYER_SESSION_S,
    )


def _caller() -> str:
    return limits.network_of(api.current_request)
