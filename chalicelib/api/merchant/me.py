"""Staff sessions, and /v1/merchant/me: what people do with their own account."""

import io

from chalicelib import clock
from chalicelib.api import auth, limits
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api, Audience
from chalicelib.api.merchant import people_schemas as schemas
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain import totp
from chalicelib.domain.rights import Role
from chalicelib.errors import (
    AccountDisabled,
    Changed,
    Conflict,
    NotFound,
    TotpNeeded,
    WrongPassword,
    WrongTotp,
)
from chalicelib.services.people import merchants, own_account, staff
from chalicelib.tables.shop import StaffItem

api = Api(__name__)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/staff-sessions",
    audience=Audience.PUBLIC,
    status=201,
    refusals=[NotFound, WrongPassword, AccountDisabled, TotpNeeded, WrongTotp],
    limited=[limits.STAFF_LOGINS],
)
def create_staff_session(merchant_id: str, body: schemas.StaffLogin) -> schemas.StaffSession:
    """Log in as staff."""
    now_s = clock.now_s()
    item = staff.login(merchant_id, body.username, body.password, code=body.code, now_s=now_s)
    return _session(item, item.session_version, now_s=now_s)


@api.operation("GET", "/merchant/me")
def read_own_account(who: Staff) -> schemas.Me:
    """Whose session this is."""
    item = staff.read(who.merchant_id, who.username)
    return from_attributes(
        schemas.Me,
        item,
        role=Role(item.role),
        rights=staff.rights_of(item),
        totp=item.totp_secret is not None,
    )


@api.operation("GET", "/merchant/me/colleagues")
def list_colleagues(who: Staff) -> schemas.Colleagues:
    """What everybody in the shop is called, those who have left included."""
    return schemas.Colleagues(
        items=[
            schemas.Colleague(username=item.username, name=item.name)
            for item in staff.everyone(who.merchant_id)
        ]
    )


@api.operation("PUT", "/merchant/me/password", refusals=[Changed], before_password_change=True)
def change_own_password(who: Staff, body: schemas.PasswordChange) -> schemas.StaffSession:
    """Choose another password: every session ends, and the answer is a new one."""
    now_s = clock.now_s()
    version = own_account.change_password(
        who.merchant_id, who.username, body.old_password, body.new_password, now_s=now_s
    )
    item = staff.read(who.merchant_id, who.username)
    return _session(item, version, now_s=now_s)


@api.operation("POST", "/merchant/me/sessions/renewal", status=201)
def renew_own_session(who: Staff) -> schemas.StaffSession:
    """A fresh session while the old one is good, up to a week from the login."""
    item = staff.read(who.merchant_id, who.username)
    return _session(item, item.session_version, now_s=clock.now_s(), since_s=who.since_s)


@api.operation("POST", "/merchant/me/sessions/end")
def end_own_sessions(who: Staff) -> Done:
    """End every session of one's own, this one too."""
    own_account.end_sessions(who.merchant_id, who.username, now_s=clock.now_s())
    return Done()


@api.operation("POST", "/merchant/me/totp", status=201, refusals=[Conflict])
def begin_own_totp(who: Staff) -> schemas.TotpBegun:
    """A secret for an authenticator app; in use when its first code is confirmed."""
    secret = own_account.begin_totp(who.merchant_id, who.username)
    shop = merchants.read(who.merchant_id)
    url = totp.address(secret, issuer=shop.name, account=who.username)
    return schemas.TotpBegun(secret=totp.base32(secret), url=url, qr_svg=_qr_svg(url))


@api.operation("POST", "/merchant/me/totp/confirmation", refusals=[Conflict])
def confirm_own_totp(who: Staff, body: schemas.TotpConfirmation) -> Done:
    """Ask for codes at every login from now on."""
    own_account.confirm_totp(who.merchant_id, who.username, body.code, now_s=clock.now_s())
    return Done()


@api.operation("POST", "/merchant/me/totp/removal", refusals=[Changed])
def remove_own_totp(who: Staff, body: schemas.TotpRemoval) -> Done:
    """Ask for codes no more."""
    own_account.remove_totp(who.merchant_id, who.username, body.password, now_s=clock.now_s())
    return Done()


def _session(
    item: StaffItem, version: int, *, now_s: int, since_s: int | None = None
) -> schemas.StaffSession:
    token, expires_at_s = auth.staff_token(
        item.merchant_id, item.username, version, now_s=now_s, since_s=since_s
    )
    return schemas.StaffSession(
        token=token,
        username=item.username,
        name=item.name,
        role=Role(item.role),
        rights=staff.rights_of(item),
        expires_at_s=expires_at_s,
        must_change_password=item.must_change,
    )


def _qr_svg(text: str) -> str:
    import segno  # only who sets up an authenticator app needs it

    picture = io.BytesIO()
    segno.make(text, micro=False).save(picture, kind="svg", scale=4, xmldecl=False)
    return picture.getvalue().decode()
