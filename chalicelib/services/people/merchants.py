"""A merchant and its settings."""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from chalicelib.domain import after_sale, invitations, levels, rewards
from chalicelib.domain.coupon_draft import CouponGiven
from chalicelib.domain.ids import new_id
from chalicelib.domain.invitations import InvitationsRule
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.points import PointsRule, rule_of
from chalicelib.domain.rewards import RewardsRule
from chalicelib.errors import Changed, Conflict, InvalidRequest, NotFound
from chalicelib.services.media import pictures
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.shop import CouponTemplateItem, MerchantItem

PAY_BY_S = 600
PAY_BY_MIN_S = 300  # WeChat Pay wants more than a minute, its older documents five
PAY_BY_MAX_S = 3600
RECEIPT_AFTER_D = 10
RECEIPT_AFTER_MIN_D, RECEIPT_AFTER_MAX_D = 1, 30
SHIP_WITHIN_H = 48
SHIP_WITHIN_MIN_H, SHIP_WITHIN_MAX_H = 1, 30 * 24  # presales promise weeks
AFTER_SALE_DAYS = 15  # of a new shop
AFTER_SALE_MIN_DAYS, AFTER_SALE_MAX_DAYS = 7, after_sale.PERIOD_S // after_sale.DAY_S
UNPAID_ORDERS = 3  # of one buyer at a time
UNPAID_ORDERS_MIN, UNPAID_ORDERS_MAX = 1, 20
NAME_MAX = 30
PHONE_MAX = 20
RETURN_ADDRESS_MAX = 150
BUSINESS_NAME_MAX = 60
LICENCES_MAX = 6  # pictures

_Rule = TypeVar("_Rule", RewardsRule, InvitationsRule)


@dataclass(frozen=True)
class Settings:
    """What staff decide about the whole shop, for orders placed from then on.

    pay_by_s: seconds that a seat is held for payment. receipt_after_d: days after shipping, then
    an order counts as received. ship_within_h: hours after forming. after_sale_days: after the
    payment, in which buyers may ask for after-sale. unpaid_orders_max: of one buyer at a time.
    attribution_days: before a purchase, in which a visit by a share counts.
    return_address: where buyers send goods back, with a name and a phone number. business_name,
    licence_number, licences: who runs the shop, as its licence has it, and pictures of licences.
    points: how they are earned and used. levels: of its members. rewards: for groups that formed;
    invitations: for who brings new buyers; since when is not theirs to say. None: as it is.
    """

    name: str
    service_phone: str
    pay_by_s: int
    logo: str | None = None
    receipt_after_d: int | None = None
    ship_within_h: int | None = None
    after_sale_days: int | None = None
    unpaid_orders_max: int | None = None
    attribution_days: int | None = None
    return_address: str | None = None
    business_name: str | None = None
    licence_number: str | None = None
    licences: list[str] | None = None
    points: PointsRule | None = None
    levels: LevelsRule | None = None
    rewards: RewardsRule | None = None
    invitations: InvitationsRule | None = None


def create(
    name: str,
    *,
    service_phone: str = "",
    pay_by_s: int = PAY_BY_S,
    merchant_id: str | None = None,
    staff: str = "system",
    now_s: int,
) -> MerchantItem:
    """Create a merchant, with its audit row. Raises Conflict when the id is taken.

    pay_by_s: how long a seat is held for payment.
    """
    merchant_id = merchant_id or new_id()
    settings = {"name": name, "service_phone": service_phone, "pay_by_s": pay_by_s}
    item = MerchantItem.at(merchant_id, **settings, after_sale_days=AFTER_SALE_DAYS)
    with transaction() as writes:
        writes.put(item, refuse=lambda old: Conflict("这个商家编号已存在，请换一个。"))
        subject = f"merchant#{merchant_id}"
        audit(writes, merchant_id, staff, "merchant_created", subject, {}, settings, now_s)
    return item


def read(merchant_id: str) -> MerchantItem:
    """The merchant as it is now. Raises NotFound."""
    item = get_or_none(MerchantItem.at(merchant_id))
    if item is None:
        raise NotFound("没有找到这家店铺。")
    return item


def rule_of_shop(item: MerchantItem) -> PointsRule:
    """How points are earned and used in the shop."""
    return rule_of(item.points.as_dict() if item.points is not None else None)


def levels_of_shop(item: MerchantItem) -> LevelsRule:
    """The levels of the shop's members."""
    return levels.rule_of(item.levels.as_dict() if item.levels is not None else None)


def rewards_of_shop(item: MerchantItem) -> RewardsRule:
    """What buyers are given for groups that formed."""
    return rewards.rule_of(item.rewards.as_dict() if item.rewards is not None else None)


def invitations_of_shop(item: MerchantItem) -> InvitationsRule:
    """What is given to who brings a new buyer."""
    stored = item.invitations.as_dict() if item.invitations is not None else None
    return invitations.rule_of(stored)


def change_settings(
    merchant_id: str,
    settings: Settings,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> MerchantItem:
    """Change the settings that were read at `revision`; a repeat changes nothing more.

    Orders placed before keep their pay-by time. Raises NotFound, Changed, InvalidRequest or Busy.
    """
    if settings.levels is not None:
        levels.check(settings.levels)

    def step() -> MerchantItem:
        item = read(merchant_id)
        after = _stored(settings, item, now_s)
        rules = {
            "points": rule_of_shop(item).stored(),
            "levels": levels_of_shop(item).stored(),
            "rewards": rewards_of_shop(item).stored(),
            "invitations": invitations_of_shop(item).stored(),
        }
        before = {field: rules.get(field, getattr(item, field)) for field in after}
        if before == after:
            return item
        if item.revision != revision:
            raise Changed
        _check_pictures(merchant_id, settings)
        if settings.levels is not None:
            _check_birthday_coupons(merchant_id, settings.levels, levels_of_shop(item))
        if settings.rewards is not None and before["rewards"] != after["rewards"]:
            _check_rewards(settings.rewards, settings.points, item)
        if settings.invitations is not None and before["invitations"] != after["invitations"]:
            _check_invitations(settings.invitations, settings.points, item)
        with transaction() as writes:
            writes.update(
                item,
                [
                    MerchantItem.revision.add(1),
                    *(getattr(MerchantItem, field).set(value) for field, value in after.items()),
                ],
                condition=MerchantItem.revision == revision,
                refuse=LostRace,
            )
            subject = f"merchant#{merchant_id}"
            audit(writes, merchant_id, staff, "settings_changed", subject, before, after, now_s)
        return read(merchant_id)

    return retried(step)


def _stored(settings: Settings, item: MerchantItem, now_s: int) -> dict[str, Any]:
    """The settings that are given, as the shop keeps them."""
    settings = replace(
        settings,
        rewards=_since(settings.rewards, rewards_of_shop(item), now_s),
        invitations=_since(settings.invitations, invitations_of_shop(item), now_s),
    )
    rules = PointsRule | LevelsRule | RewardsRule | InvitationsRule
    return {
        field: value.stored() if isinstance(value, rules) else value
        for field, value in vars(settings).items()
        if value is not None
    }


def _since(rule: _Rule | None, before: _Rule, now_s: int) -> _Rule | None:
    """The rule, with when it was switched on."""
    if rule is None:
        return None
    return replace(rule, since_s=now_s if rule.on and not before.on else before.since_s)


def _check_pictures(merchant_id: str, settings: Settings) -> None:
    if settings.logo and not pictures.is_accepted(merchant_id, settings.logo):
        raise InvalidRequest("店铺头像不是在本店上传的图片，请重新上传。", field="logo")
    if not all(pictures.is_accepted(merchant_id, url) for url in settings.licences or ()):
        raise InvalidRequest("证照不是在本店上传的图片，请重新上传。", field="licences")


def _check_birthday_coupons(merchant_id: str, rule: LevelsRule, before: LevelsRule) -> None:
    """Raise InvalidRequest for a coupon that no level had and that cannot be given."""
    known = {"", *(level.birthday_coupon_id for level in before.levels)}
    for i, level in enumerate(rule.levels):
        if level.birthday_coupon_id in known:
            continue
        if not _can_be_given(merchant_id, level.birthday_coupon_id):
            words = "这种优惠券不能用作生日券，请换一种。"
            raise InvalidRequest(words, field=f"levels.levels[{i}].birthday_coupon_id")


def _check_rewards(rule: RewardsRule, points: PointsRule | None, item: MerchantItem) -> None:
    """Raise InvalidRequest for a rule that the shop cannot keep. points: those that are saved with
    it; a coupon that cannot be given any more may stay."""
    rewards.check(rule, has_points=(points or rule_of_shop(item)).on)
    known = {"", rewards_of_shop(item).coupon_id}
    if rule.coupon_id not in known and not _can_be_given(item.merchant_id, rule.coupon_id):
        words = "这种优惠券不能用作奖励，请换一种。"
        raise InvalidRequest(words, field="rewards.coupon_id")


def _check_invitations(
    rule: InvitationsRule, points: PointsRule | None, item: MerchantItem
) -> None:
    """Raise InvalidRequest for a rule that the shop cannot keep, as `_check_rewards`."""
    invitations.check(rule, has_points=(points or rule_of_shop(item)).on)
    before = invitations_of_shop(item)
    known = {"", before.coupon_id, before.gift_id}
    for name in ("coupon_id", "gift_id"):
        template_id = getattr(rule, name)
        if template_id not in known and not _can_be_given(item.merchant_id, template_id):
            words = "这种优惠券不能用于邀请有礼，请换一种。"
            raise InvalidRequest(words, field=f"invitations.{name}")


def _can_be_given(merchant_id: str, template_id: str) -> bool:
    item = get_or_none(CouponTemplateItem.at(merchant_id, template_id))
    return item is not None and item.withdrawn_at_s is None and item.given != CouponGiven.CODE
