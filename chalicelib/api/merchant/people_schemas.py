"""Staff accounts and sessions: what is sent and told. Times are epoch seconds, UTC."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import RequestModel, ResponseModel, Seconds
from chalicelib.domain.rights import Area, Level, Role
from chalicelib.services.people import staff
from chalicelib.services.people.staff_accounts import StaffState

Username = Annotated[str, Meta(pattern=staff.USERNAME_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=staff.NAME_MAX)]
Password = Annotated[str, Meta(max_length=staff.PASSWORD_MAX)]
NewPassword = Annotated[str, Meta(min_length=staff.PASSWORD_MIN, max_length=staff.PASSWORD_MAX)]
Code = Annotated[str, Meta(pattern=r"^[0-9]{6}\Z", description="From an authenticator app.")]
Revision = Annotated[
    int, Meta(ge=1, description="As read; when somebody changed the item since: 409 changed.")
]


RightsShown = Annotated[dict[Area, Level], Meta(description="Of every area.")]
RightsGiven = Annotated[
    dict[Area, Level],
    Meta(description="By area; those left out follow the role. With what they need of others."),
]


class StaffLogin(RequestModel, frozen=True, kw_only=True):
    username: Annotated[str, Meta(max_length=32)]
    password: Password
    code: Annotated[Code | None, Meta(description="After 401 totp_needed.")] = None


class StaffSession(ResponseModel, frozen=True, kw_only=True):
    token: str
    username: str
    name: str
    role: Role
    rights: RightsShown
    expires_at_s: Seconds
    must_change_password: Annotated[
        bool, Meta(description="The session may do nothing but choose another password.")
    ]


class Me(ResponseModel, frozen=True, kw_only=True):
    merchant_id: str
    username: str
    name: str
    role: Role
    rights: RightsShown
    totp: bool
    last_login_at_s: Seconds | None


class Colleague(ResponseModel, frozen=True, kw_only=True):
    username: Annotated[str, Meta(description="what notes, parcels and the like are signed with")]
    name: str


class Colleagues(ResponseModel, frozen=True, kw_only=True):
    items: list[Colleague]


class PasswordChange(RequestModel, frozen=True, kw_only=True):
    old_password: Password
    new_password: NewPassword


class TotpBegun(ResponseModel, frozen=True, kw_only=True):
    """Told this once. `secret` is for apps that cannot see `qr_svg`, which shows `url`."""

    secret: str
    url: str
    qr_svg: str


class TotpConfirmation(RequestModel, frozen=True, kw_only=True):
    code: Code


class TotpRemoval(RequestModel, frozen=True, kw_only=True):
    password: Password


class StaffMember(ResponseModel, frozen=True, kw_only=True):
    username: str
    name: str
    role: Role
    rights: RightsShown
    state: StaffState
    totp: bool
    locked_until_s: Annotated[
        Seconds | None, Meta(description="Too many wrong passwords; a reset lifts it.")
    ]
    last_login_at_s: Seconds | None
    revision: int


class AreaShown(ResponseModel, frozen=True, kw_only=True):
    """What can be given of an area, and what each role has of it without more words."""

    area: Area
    levels: list[Level]
    presets: dict[Role, Level]
    needs: Annotated[dict[Area, Level], Meta(description="What comes with any of it.")]


class StaffList(ResponseModel, frozen=True, kw_only=True):
    items: list[StaffMember]
    areas: Annotated[list[AreaShown], Meta(description="In the order to show them.")]


class Invitation(RequestModel, frozen=True, kw_only=True):
    username: Username
    name: Name
    role: Role
    rights: RightsGiven | None = None


class FirstPassword(ResponseModel, frozen=True, kw_only=True):
    """Told this once, to be passed on: it is good until its first login chooses another."""

    username: str
    first_password: str


class StaffChange(RequestModel, frozen=True, kw_only=True):
    name: Name
    role: Role
    rights: Annotated[
        RightsGiven | None,
        Meta(description="Left out: as they are, or the role's own when the role changes."),
    ] = None
    disabled: bool
    revision: Revision
