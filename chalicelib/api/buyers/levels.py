"""/v1/me: the buyer's level among the shop's members, and what each gives."""

from collections.abc import Sequence

from chalicelib import clock
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import level_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import LevelShown, from_attributes
from chalicelib.domain.birthday import birthday_of
from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.errors import Conflict, InvalidRequest, SessionSuperseded
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.growth import invitations, levels, rewards
from chalicelib.services.orders import birthdays
from chalicelib.services.people import buyers
from chalicelib.text import Text

api = Api(__name__, audience=Audience.BUYER)


@api.operation("GET", "/me/level")
def read_own_level(who: Buyer) -> schemas.OwnLevel:
    """The buyer's level, how much they have grown, and what the levels of the shop give."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    now_s = clock.now_s()
    rule = levels.rule(who.merchant_id, now_s)
    found = levels.standing(who.merchant_id, who.ids, now_s=now_s)
    return schemas.OwnLevel(
        on=rule.on,
        no=found.level.no if found.level is not None else 0,
        name=found.level.name if found.level is not None else "",
        growth=found.growth,
        next=_next(rule, found.growth),
        rules=rule.words,
        levels=[_offered(who.merchant_id, it, now_s) for it in rule.levels if rule.on],
        birthday=birthday_shown(who.merchant_id, who.ids),
        rewards=rewards.rule(who.merchant_id, now_s).on,
        invitations=invitations.rule(who.merchant_id, now_s).on,
        birthday_gift=rule.on and any(it.birthday_coupon_id for it in rule.levels),
    )


@api.operation("PUT", "/me/birthday", refusals=[InvalidRequest, Conflict, SessionSuperseded])
def tell_birthday(who: Buyer, body: schemas.BirthdayTold) -> schemas.BirthdayShown:
    """Tell one's birthday; another one only a year later."""
    birthday = birthday_of(body.month, body.day)
    birthdays.tell(who.merchant_id, who.buyer_id, birthday, now_s=clock.now_s())
    return schemas.BirthdayShown(month=birthday.month, day=birthday.day)


def birthday_shown(merchant_id: str, ids: Sequence[str]) -> schemas.BirthdayShown | None:
    """The birthday that a person has told."""
    item = birthdays.read(merchant_id, ids)
    return from_attributes(schemas.BirthdayShown, item) if item is not None else None


def shown(level: MemberLevel | None) -> LevelShown | None:
    """A level as it is told with something else."""
    return LevelShown(no=level.no, name=level.name) if level is not None else None


def _next(rule: LevelsRule, growth: int) -> schemas.NextLevelShown | None:
    level = rule.after(growth)
    if level is None:
        return None
    return schemas.NextLevelShown(
        no=level.no,
        name=level.name,
        from_growth=level.from_growth,
        missing=level.from_growth - growth,
        words=Text("{missing} 升级", missing=rule.missing_words(growth, level)),
    )


def _offered(merchant_id: str, level: MemberLevel, now_s: int) -> schemas.LevelOffered:
    benefits = level.benefits
    coupon_id = level.birthday_coupon_id
    coupon = catalogue_cache.coupon(merchant_id, coupon_id, now_s) if coupon_id else None
    if coupon is not None:
        benefits = [*benefits, Text("生日送优惠券「{name}」", name=coupon.name)]
    return schemas.LevelOffered(
        no=level.no, name=level.name, from_growth=level.from_growth, benefits=benefits
    )
