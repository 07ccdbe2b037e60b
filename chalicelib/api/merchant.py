"""/v1/merchant: staff sessions, settings, staff and categories."""

from chalicelib import clock
from chalicelib.api import auth, limits
from chalicelib.api import merchant_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.api.once import HEADERS, once
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    LimitReached,
    NotFound,
    WrongPassword,
)
from chalicelib.services import categories, merchants, staff
from chalicelib.tables.catalogue import CategoryItem, MerchantItem, StaffItem

api = Api(__name__)
OWNER = (auth.Role.OWNER,)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/staff-sessions",
    audience=Audience.PUBLIC,
    body=schemas.Login,
    answer=schemas.Session,
    status=201,
    refusals=[NotFound, WrongPassword],
    limited=[limits.STAFF_LOGINS],
)
def create_staff_session(merchant_id: str, body: schemas.Login) -> schemas.Session:
    """Log in as staff."""
    now_s = clock.now_s()
    item = staff.login(merchant_id, body.username, body.password, now_s=now_s)
    token = auth.staff_token(merchant_id, item.username, item.role, now_s=now_s)
    expires_at_s = now_s + auth.STAFF_SESSION_S
    return schemas.Session(token, auth.Role(item.role), item.name, expires_at_s)


@api.operation(
    "GET",
    "/merchant/settings",
    audience=Audience.STAFF,
    roles=auth.ANY_ROLE,
    answer=schemas.Settings,
)
def read_settings(who: auth.Staff) -> schemas.Settings:
    """The shop's settings."""
    return _settings(merchants.read(who.merchant_id))


@api.operation(
    "PUT",
    "/merchant/settings",
    audience=Audience.STAFF,
    roles=OWNER,
    body=schemas.SettingsChange,
    answer=schemas.Settings,
    refusals=[Changed],
)
def change_settings(who: auth.Staff, body: schemas.SettingsChange) -> schemas.Settings:
    """Change the shop's settings; for orders placed from now on."""
    item = merchants.change_settings(
        who.merchant_id,
        name=body.name,
        service_phone=body.service_phone,
        pay_by_s=body.pay_by_s,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _settings(item)


@api.operation(
    "GET", "/merchant/staff", audience=Audience.STAFF, roles=OWNER, answer=schemas.StaffList
)
def list_staff(who: auth.Staff) -> schemas.StaffList:
    """Everyone who works for the shop."""
    return schemas.StaffList([_member(item) for item in staff.everyone(who.merchant_id)])


@api.operation(
    "POST",
    "/merchant/staff",
    audience=Audience.STAFF,
    roles=OWNER,
    body=schemas.NewStaff,
    answer=schemas.StaffMember,
    status=201,
    refusals=[Conflict],
)
def add_staff(who: auth.Staff, body: schemas.NewStaff) -> schemas.StaffMember:
    """Add a member of staff with a role."""
    item = staff.add(
        who.merchant_id,
        body.username,
        name=body.name,
        role=body.role.value,
        password=body.password,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _member(item)


@api.operation(
    "GET",
    "/merchant/categories",
    audience=Audience.STAFF,
    roles=auth.ANY_ROLE,
    answer=schemas.CategoryList,
)
def list_categories(who: auth.Staff) -> schemas.CategoryList:
    """All categories, in their order."""
    items = categories.everything(who.merchant_id)
    return schemas.CategoryList([_category(item) for item in items])


@api.operation(
    "POST",
    "/merchant/categories",
    audience=Audience.STAFF,
    roles=auth.MANAGERS,
    body=schemas.NewCategory,
    answer=schemas.Category,
    status=201,
    refusals=[LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_category(who: auth.Staff, body: schemas.NewCategory) -> schemas.Category:
    """Create a category."""
    made = once(api.current_request, who, "category")
    item = categories.create(
        who.merchant_id,
        name=body.name,
        position=body.position,
        staff=who.username,
        now_s=clock.now_s(),
        category_id=made.item_id,
        body_hash=made.body_hash,
    )
    return _category(item)


@api.operation(
    "PUT",
    "/merchant/categories/{category_id}",
    audience=Audience.STAFF,
    roles=auth.MANAGERS,
    body=schemas.CategoryChange,
    answer=schemas.Category,
    refusals=[NotFound, Changed],
)
def change_category(
    category_id: str, who: auth.Staff, body: schemas.CategoryChange
) -> schemas.Category:
    """Rename or move a category."""
    item = categories.change(
        who.merchant_id,
        category_id,
        name=body.name,
        position=body.position,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _category(item)


def _settings(item: MerchantItem) -> schemas.Settings:
    return schemas.Settings(
        item.merchant_id, item.name, item.service_phone, item.pay_by_s, item.revision
    )


def _member(item: StaffItem) -> schemas.StaffMember:
    return schemas.StaffMember(item.username, item.name, auth.Role(item.role))


def _category(item: CategoryItem) -> schemas.Category:
    return schemas.Category(item.category_id, item.name, item.position, item.revision)
