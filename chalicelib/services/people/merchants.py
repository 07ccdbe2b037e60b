"""A merchant and its settings."""

from dataclasses import dataclass

from chalicelib.domain import after_sale, levels
from chalicelib.domain.coupon_draft import CouponGiven
from chalicelib.domain.ids import new_id
from chalicelib.domain.levels import LevelsRule
from chalicelib.domain.points import PointsRule, rule_of
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


@dataclass(frozen=True)
class Settings:
    """What staff decide about the whole shop, for orders placed from then on.

    pay_by_s: seconds that a seat is held for payment. receipt_after_d: days after shipping, then
    an order counts as received. ship_within_h: hours after forming. after_sale_days: after the
    payment, in which buyers may ask for after-sale. unpaid_orders_max: of one buyer at a time.
    return_address: where buyers send goods back, with a name and a phone number. business_name,
    licence_number, licences: who runs the shop, as its licence has it, and pictures of licences.
    points: how they are earned and used. levels: of its members. None: as it is.
    """

    name: str
    service_phone: str
    pay_by_s: int
    logo: str | None = None
    receipt_after_d: int | None = None
    ship_within_h: int | None = None
    after_sale_days: int | None = None
    unpaid_orders_max: int | None = None
    return_address: str | None = None
    business_name: str | None = None
    licence_number: str | None = None
    licences: list[str] | None = None
    points: PointsRule | None = None
    levels: LevelsRule | None = None


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
    after = {
        field: value.stored() if isinstance(value, PointsRule | LevelsRule) else value
        for field, value in vars(settings).items()
        if value is not None
    }

    def step() -> MerchantItem:
        item = read(merchant_id)
        rules = {
            "points": rule_of_shop(item).stored(),
            "levels": levels_of_shop(item).stored(),
        }
        before = {field: rules.get(field, getattr(item, field)) for field in after}
        if before == after:
            return item
        if item.revision != revision:
            raise Changed
        _check_pictures(merchant_id, settings)
        if settings.levels is not None:
            _check_birthday_coupons(merchant_id, settings.levels, levels_of_shop(item))
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
        item = get_or_none(CouponTemplateItem.at(merchant_id, level.birthday_coupon_id))
        if item is None or item.withdrawn_at_s is not None or item.given == CouponGiven.CODE:
            words = "这种优惠券不能用作生日券，请换一种。"
            raise InvalidRequest(words, field=f"levels.levels[{i}].birthday_coupon_id")
