"""/v1/merchant: settings and categories."""

from chalicelib import clock
from chalicelib.api import auth
from chalicelib.api.http import Api
from chalicelib.api.merchant import shop_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain.invitations import InvitationsRule
from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.domain.points import PointsRule
from chalicelib.domain.rewards import RewardsRule
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import categories
from chalicelib.services.people import merchants
from chalicelib.tables.shop import MerchantItem

api = Api(__name__)


@api.operation("GET", "/merchant/settings", right=view(Area.SETTINGS))
def read_settings(who: auth.Staff) -> schemas.Settings:
    """The shop's settings."""
    return _settings(merchants.read(who.merchant_id))


@api.operation(
    "PUT", "/merchant/settings", right=act(Area.SETTINGS), refusals=[InvalidRequest, Changed]
)
def change_settings(who: auth.Staff, body: schemas.SettingsChange) -> schemas.Settings:
    """Change the shop's settings; for orders placed from now on."""
    item = merchants.change_settings(
        who.merchant_id,
        from_attributes(
            merchants.Settings,
            body,
            points=from_attributes(PointsRule, body.points) if body.points else None,
            levels=_levels_rule(body.levels) if body.levels else None,
            rewards=from_attributes(RewardsRule, body.rewards, since_s=0) if body.rewards else None,
            invitations=from_attributes(InvitationsRule, body.invitations, since_s=0)
            if body.invitations
            else None,
        ),
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _settings(item)


@api.operation("GET", "/merchant/categories", right=view(Area.GOODS))
def list_categories(who: auth.Staff) -> schemas.CategoryList:
    """All categories, in their order."""
    items = categories.everything(who.merchant_id)
    return schemas.CategoryList([from_attributes(schemas.Category, item) for item in items])


@api.operation(
    "POST",
    "/merchant/categories",
    right=act(Area.GOODS),
    status=201,
    refusals=[InvalidRequest, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_category(who: auth.Staff, body: schemas.NewCategory) -> schemas.Category:
    """Create a category."""
    made = once(api.current_request, who, "category")
    item = categories.create(
        who.merchant_id,
        name=body.name,
        position=body.position,
        parent_id=body.parent_id,
        staff=who.username,
        now_s=clock.now_s(),
        category_id=made.item_id,
        body_hash=made.body_hash,
    )
    return from_attributes(schemas.Category, item)


@api.operation(
    "PUT",
    "/merchant/categories/{category_id}",
    right=act(Area.GOODS),
    refusals=[InvalidRequest, NotFound, Changed],
)
def change_category(
    category_id: str, who: auth.Staff, body: schemas.CategoryChange
) -> schemas.Category:
    """Rename or move a category, in its level or to the other one."""
    item = categories.change(
        who.merchant_id,
        category_id,
        name=body.name,
        position=body.position,
        parent_id=body.parent_id,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return from_attributes(schemas.Category, item)


@api.operation(
    "DELETE",
    "/merchant/categories/{category_id}",
    right=act(Area.GOODS),
    refusals=[NotFound, Conflict],
)
def remove_category(category_id: str, who: auth.Staff) -> Done:
    """Remove a category in which there is nothing."""
    categories.remove(who.merchant_id, category_id, staff=who.username, now_s=clock.now_s())
    return Done()


def _settings(item: MerchantItem) -> schemas.Settings:
    rule = merchants.levels_of_shop(item)
    levels = [from_attributes(schemas.MemberLevelSettings, level) for level in rule.levels]
    return from_attributes(
        schemas.Settings,
        item,
        licences=list(item.licences),
        points=from_attributes(schemas.PointsSettings, merchants.rule_of_shop(item)),
        levels=from_attributes(schemas.LevelsSettings, rule, levels=levels),
        rewards=from_attributes(schemas.RewardsSettings, merchants.rewards_of_shop(item)),
        invitations=from_attributes(
            schemas.InvitationsSettings, merchants.invitations_of_shop(item)
        ),
    )


def _levels_rule(asked: schemas.LevelsSettings) -> LevelsRule:
    levels = (
        from_attributes(MemberLevel, level, no=no, name=level.name.strip())
        for no, level in enumerate(asked.levels, 1)
    )
    return from_attributes(LevelsRule, asked, levels=tuple(levels))
