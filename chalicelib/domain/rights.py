"""What a member of staff may see and do: one level of rights in each area of the shop's work.

A role is a preset. The owner may give one person more or less in an area; only what differs from
the preset is stored, so that a person without differences follows the preset of their role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.errors import InvalidRequest


class Role(StrEnum):
    OWNER = "owner"  # everything, staff included; nothing of it can be taken
    MANAGER = "manager"  # everything but staff and payment accounts
    FULFILMENT = "fulfilment"  # reads orders, ships
    SERVICE = "service"  # reads orders, answers buyers


class Area(StrEnum):
    GOODS = "goods"  # products, categories, stock
    ACTIVITIES = "activities"  # activities and their groups
    ORDERS = "orders"  # what was bought; acting: address, notes
    RECIPIENTS = "recipients"  # names, phones and addresses in full
    MEMBERS = "members"  # who has paid: figures, tags, notes; acting: tags, notes
    SHIPPING = "shipping"  # parcels, batches, packing lists
    PICKUP = "pickup"  # ready for pickup, handed over
    AFTER_SALES = "after_sales"  # requests; acting: the decision
    REFUNDS = "refunds"  # ledgers, refunds that need a person; acting: money back, a lower price,
    # closing what is not paid
    RECONCILIATION = "reconciliation"  # the gateways' bills against the ledger
    STATISTICS = "statistics"  # what the shop takes in
    EXPORTS = "exports"  # files of orders, movements and customers
    DELIVERY = "delivery"  # stores and freight
    MESSAGES = "messages"  # what buyers are told
    SETTINGS = "settings"
    ACCOUNTS = "accounts"  # at payment gateways
    AUDIT = "audit"
    STAFF = "staff"  # the owner's alone: who gives rights has them all


class Level(StrEnum):
    NONE = "none"
    VIEW = "view"
    ACT = "act"  # includes to view


@dataclass(frozen=True)
class Right:
    area: Area
    level: Level

    def __str__(self) -> str:
        return f"{self.area.value}:{self.level.value}"


Rights = Mapping[Area, Level]  # every area, once


def view(area: Area) -> Right:
    return Right(area, Level.VIEW)


def act(area: Area) -> Right:
    return Right(area, Level.ACT)


_ORDER = (Level.NONE, Level.VIEW, Level.ACT)
_ONLY_VIEWED = {Area.RECIPIENTS, Area.RECONCILIATION, Area.STATISTICS, Area.AUDIT}
_ONLY_ACTED = {Area.SHIPPING, Area.PICKUP, Area.EXPORTS, Area.STAFF}
_WORK_ON_ORDERS = (Area.RECIPIENTS, Area.MEMBERS, Area.PICKUP, Area.AFTER_SALES, Area.REFUNDS)

# Levels that there are: an area of which nothing can be seen without acting has no "view".
LEVELS: Mapping[Area, tuple[Level, ...]] = {
    area: (Level.NONE, Level.VIEW)
    if area in _ONLY_VIEWED
    else (Level.NONE, Level.ACT)
    if area in _ONLY_ACTED
    else _ORDER
    for area in Area
}

# What work in an area cannot be done without.
NEEDS: Mapping[Right, tuple[Right, ...]] = {
    view(Area.ACTIVITIES): (view(Area.GOODS),),
    **{view(area): (view(Area.ORDERS),) for area in _WORK_ON_ORDERS},
    act(Area.SHIPPING): (view(Area.ORDERS), view(Area.RECIPIENTS)),
}

_DAILY = {
    Area.GOODS: Level.VIEW,
    Area.ACTIVITIES: Level.VIEW,
    Area.ORDERS: Level.ACT,
    Area.RECIPIENTS: Level.VIEW,
    Area.PICKUP: Level.ACT,
    Area.AFTER_SALES: Level.VIEW,
    Area.DELIVERY: Level.VIEW,
    Area.MESSAGES: Level.VIEW,
    Area.SETTINGS: Level.VIEW,
}
_OWNERS = {area: LEVELS[area][-1] for area in Area}
PRESETS: Mapping[Role, Rights] = {
    role: {area: given.get(area, Level.NONE) for area in Area}
    for role, given in {
        Role.OWNER: _OWNERS,
        Role.MANAGER: _OWNERS | {Area.STAFF: Level.NONE, Area.ACCOUNTS: Level.NONE},
        Role.FULFILMENT: _DAILY | {Area.SHIPPING: Level.ACT},
        Role.SERVICE: _DAILY | {Area.MEMBERS: Level.ACT},
    }.items()
}


def may(rights: Rights, right: Right) -> bool:
    """Whether these rights include `right`."""
    return _ORDER.index(rights[right.area]) >= _ORDER.index(right.level)


def rights_of(role: Role, differences: Mapping[str, str] | None) -> dict[Area, Level]:
    """The rights of somebody in that role, with what was given to or taken from them.

    An owner has them all whatever is stored. An area or a level that is known no more counts as
    the preset.
    """
    rights = dict(PRESETS[role])
    if role is Role.OWNER:
        return rights
    for area, level in (differences or {}).items():
        if area in set(Area) and level in LEVELS[Area(area)] and area != Area.STAFF:
            rights[Area(area)] = Level(level)
    return _with_needs(rights)


def differences_from(role: Role, wanted: Mapping[Area, Level]) -> dict[str, str]:
    """What to store for somebody who is to have `wanted`; areas left out follow the preset.

    Raises InvalidRequest for what an owner lacks, for staff management, for levels that are not.
    """
    preset = PRESETS[role]
    for area, level in wanted.items():
        if level == preset[area]:
            continue
        if role is Role.OWNER:
            raise InvalidRequest("店主拥有全部权限，不能减少。", field=f"rights.{area}")
        if area is Area.STAFF:
            raise InvalidRequest("员工管理只属于店主，不能单独开放。", field=f"rights.{area}")
        if level not in LEVELS[area]:
            raise InvalidRequest("这一项没有这种权限，请重新选择。", field=f"rights.{area}")
    rights = _with_needs({**preset, **wanted})
    return {area.value: level.value for area, level in rights.items() if level != preset[area]}


def _with_needs(rights: Rights) -> dict[Area, Level]:
    """These rights, and what the work that they allow cannot be done without."""
    whole = dict(rights)
    for right, needs in NEEDS.items():
        if may(whole, right):
            for needed in needs:
                if not may(whole, needed):
                    whole[needed.area] = needed.level
    return whole
