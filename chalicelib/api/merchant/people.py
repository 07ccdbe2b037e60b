"""/v1/merchant/staff: who works for the shop, as the owner decides."""

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.merchant import people_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import from_attributes
from chalicelib.domain import rights
from chalicelib.domain.rights import Area, Role, act
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    LastOwner,
    LimitReached,
    NotFound,
)
from chalicelib.services.people import staff, staff_accounts
from chalicelib.services.people.staff_accounts import Member

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/staff", right=act(Area.STAFF))
def list_staff(who: Staff) -> schemas.StaffList:
    """Everyone who works for the shop, by username."""
    found = staff_accounts.members(who.merchant_id, now_s=clock.now_s())
    return schemas.StaffList(items=[_shown(member) for member in found], areas=_areas())


@api.operation(
    "POST",
    "/staff",
    right=act(Area.STAFF),
    status=201,
    refusals=[Conflict, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def invite_staff(who: Staff, body: schemas.Invitation) -> schemas.FirstPassword:
    """Give somebody an account, and a password for its first login."""
    made = once(api.current_request, who, f"staff {body.username}")
    password = staff_accounts.invite(
        who.merchant_id,
        body.username,
        name=body.name,
        role=body.role.value,
        rights=rights.differences_from(body.role, body.rights or {}),
        seed=made.item_id,
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return schemas.FirstPassword(username=body.username, first_password=password)


@api.operation(
    "PUT", "/staff/{username}", right=act(Area.STAFF), refusals=[NotFound, Changed, LastOwner]
)
def change_staff(who: Staff, username: str, body: schemas.StaffChange) -> schemas.StaffMember:
    """Rename somebody, give them another role or other rights, disable or enable their account."""
    now_s = clock.now_s()
    staff_accounts.change(
        who.merchant_id,
        username,
        name=body.name,
        role=body.role.value,
        rights=None if body.rights is None else rights.differences_from(body.role, body.rights),
        disabled=body.disabled,
        revision=body.revision,
        staff=who.username,
        now_s=now_s,
    )
    return _shown(staff_accounts.member(who.merchant_id, username, now_s=now_s))


@api.operation(
    "POST",
    "/staff/{username}/password-reset",
    right=act(Area.STAFF),
    refusals=[NotFound, Conflict],
    headers=HEADERS,
)
def reset_staff_password(who: Staff, username: str) -> schemas.FirstPassword:
    """Give somebody a new first password; sessions end, codes are removed, a lock-out is lifted."""
    password = staff_accounts.reset_password(
        who.merchant_id,
        username,
        seed=once(api.current_request, who, f"password {username}").item_id,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return schemas.FirstPassword(username=username, first_password=password)


def _areas() -> list[schemas.AreaShown]:
    return [
        schemas.AreaShown(
            area=area,
            levels=list(rights.LEVELS[area]),
            presets={role: rights.PRESETS[role][area] for role in Role},
            needs={
                needed.area: needed.level
                for right, needs in rights.NEEDS.items()
                if right.area is area
                for needed in needs
            },
        )
        for area in Area
    ]


def _shown(member: Member) -> schemas.StaffMember:
    item = member.item
    return from_attributes(
        schemas.StaffMember,
        item,
        role=Role(item.role),
        rights=staff.rights_of(item),
        state=member.state,
        totp=item.totp_secret is not None,
        locked_until_s=member.locked_until_s,
    )
