"""Which buyer an identity leads to: made at the first login, linked, or merged with another.

Every identity has one item, put once; it names the buyer who had it first. A merged buyer names
the one it was merged into. So each buyer id leads to exactly one person, whoever logs in when.
"""

from collections.abc import Sequence
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import observability
from chalicelib.domain.identity import IDS_MAX, Identity, Way, compatible
from chalicelib.domain.ids import derived_id, new_id
from chalicelib.errors import Conflict, IdentityTaken, SessionSuperseded
from chalicelib.gateways import secrets
from chalicelib.services.people import address_book
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.buyers import BuyerItem, IdentityItem, UnpaidOrdersItem
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.members import MemberItem
from chalicelib.tables.rewards import RewardsItem
from chalicelib.tables.trade_item import TradeItem, get_two

ANOTHER_ALREADY = "你已验证过另一个手机号，不能再加一个。要换成这个号码，请选择更换手机号。"
ABSORBED = 0  # UnpaidOrdersItem.ids of a buyer who was merged into another


def log_in(merchant_id: str, stated: Sequence[Identity], *, now_s: int) -> BuyerItem:
    """The buyer whose first stated identity it is, made at the first login.

    The other stated identities are linked to that buyer, and the buyers who had them are merged
    with that one, where the identities of both can be one person's; else they stay as they are.
    Two round trips; one more for who was merged. Raises Busy.
    """

    def step() -> BuyerItem:
        found = _lookup(merchant_id, stated)
        first, others = stated[0], stated[1:]
        buyer = found.get(first.slot) or _first_that_fits(found, first)
        if buyer is None:
            free = [first, *(other for other in others if other.slot not in found)]
            return _create(merchant_id, free, now_s)
        for one in stated:
            try:
                buyer = _joined(buyer, one, found.get(one.slot), now_s)
            except Conflict as refusal:
                observability.logger.warning(
                    "identities not merged",
                    extra={"details": {"buyer_id": buyer.buyer_id, "slot": one.slot}},
                    exc_info=refusal,
                )
        return buyer

    return retried(step)


def prove(
    merchant_id: str, buyer_id: str, identity: Identity, *, replaces: bool = False, now_s: int
) -> BuyerItem:
    """The buyer after they have proven another identity: linked to them, or both merged.

    replaces: it takes the place of the one that they have in its slot, which is nobody's then.
    Raises IdentityTaken when it is somebody else's, or they have another in its place and it does
    not replace that; SessionSuperseded when they closed their account; Busy.
    """

    def step() -> BuyerItem:
        owner = _lookup(merchant_id, [identity]).get(identity.slot)
        buyer = root(merchant_id, buyer_id)
        if buyer.erased_at_s is not None:
            raise SessionSuperseded
        return _joined(buyer, identity, owner, now_s, replaces=replaces)

    return retried(step)


def root(merchant_id: str, buyer_id: str) -> BuyerItem:
    """The buyer that this one is, or was merged into."""
    for _ in range(IDS_MAX):
        key = BuyerItem.at(merchant_id, buyer_id)
        buyer = BuyerItem.get(key.pk, key.sk, consistent_read=True)
        if buyer.merged_into is None:
            return buyer
        buyer_id = buyer.merged_into
    raise AssertionError("A chain of merges is no longer than a person has ids.")


def ids_of(merchant_id: str, buyer_id: str) -> tuple[str, ...]:
    """All ids of the person whose buyer this is; of nobody's, the id alone."""
    try:
        return root(merchant_id, buyer_id).ids
    except BuyerItem.DoesNotExist:
        return (buyer_id,)


def identity_id(merchant_id: str, identity: Identity) -> str:
    key = secrets.secret("id-key").encode()
    return derived_id(key, "identity", merchant_id, identity.slot, identity.subject)


def _lookup(merchant_id: str, stated: Sequence[Identity]) -> dict[str, BuyerItem]:
    """The present buyer of each of these identities that somebody has, by slot."""
    items = [IdentityItem.at(merchant_id, identity_id(merchant_id, one)) for one in stated]
    found = TradeItem.batch_get([(item.pk, item.sk) for item in items], consistent_read=True)
    owners = {item.slot: item.buyer_id for item in found if isinstance(item, IdentityItem)}
    roots = {buyer_id: root(merchant_id, buyer_id) for buyer_id in set(owners.values())}
    return {slot: roots[buyer_id] for slot, buyer_id in owners.items()}


def _first_that_fits(found: dict[str, BuyerItem], first: Identity) -> BuyerItem | None:
    """A buyer of the other identities who may have this one, which nobody has."""
    return next((b for b in found.values() if first.slot not in b.identities.as_dict()), None)


def _create(merchant_id: str, stated: Sequence[Identity], now_s: int) -> BuyerItem:
    buyer = BuyerItem.at(merchant_id, new_id(), since_s=now_s)
    for name, value in _with(buyer, stated).items():
        setattr(buyer, name, value)
    with transaction() as writes:
        _put_identities(writes, buyer, stated)
        writes.put(buyer, refuse=LostRace)
    return buyer


def _joined(
    buyer: BuyerItem,
    one: Identity,
    owner: BuyerItem | None,
    now_s: int,
    *,
    replaces: bool = False,
) -> BuyerItem:
    """The buyer with an identity whose present owner was read. Raises IdentityTaken, LostRace."""
    if owner is not None and owner.buyer_id in buyer.ids:
        return buyer
    freed = buyer.identities.as_dict().get(one.slot) if replaces else None
    if owner is None:
        return _link(buyer, one, freed)
    return _merge(buyer, owner, now_s, freed)


def _link(buyer: BuyerItem, one: Identity, freed: str | None) -> BuyerItem:
    """freed: the identity_id of the buyer's that this one takes the place of."""
    if one.slot in buyer.identities.as_dict() and freed is None:
        raise IdentityTaken(ANOTHER_ALREADY)
    with transaction() as writes:
        _free(writes, buyer, freed)
        _put_identities(writes, buyer, [one])
        _update(writes, buyer, _with(buyer, [one]))
    return root(buyer.merchant_id, buyer.buyer_id)


def _merge(one: BuyerItem, other: BuyerItem, now_s: int, freed: str | None) -> BuyerItem:
    """Merge the younger buyer into the older: both, and what their purchases are conditional on.

    freed: the identity_id of the first's in whose place the other's comes. Orders, numbers and
    seats stay under the id that they were made with.
    """
    kept, gone = sorted((one, other), key=lambda buyer: (buyer.since_s, buyer.buyer_id))
    staying = {slot: i for slot, i in one.identities.as_dict().items() if i != freed}
    if not compatible(staying, other.identities.as_dict()):
        raise IdentityTaken
    phones = (other.phone, one.phone) if freed else (kept.phone, gone.phone)
    ids = (*kept.ids, *gone.ids)
    if len(ids) > IDS_MAX:
        raise IdentityTaken("这个账号已合并过太多次，请联系商家处理。")
    together = {
        "openid": kept.openid or gone.openid,
        "openids": gone.openids.as_dict() | kept.openids.as_dict(),
        "identities": staying | other.identities.as_dict(),
        "phone": phones[0] or phones[1],
        "name": kept.name or gone.name,
        "avatar": kept.avatar or gone.avatar,
        "absorbed": list(ids[1:]),
        "read_up_to_s": min(_read_up_to_s(kept), _read_up_to_s(gone)),  # nothing unread is lost
    }
    # What the kept one has now would be told of the other for ever, whoever gets it next.
    left: dict[str, Any] = {
        "identities": {},
        "phone": None,
        "merged_into": kept.buyer_id,
        "merged_at_s": now_s,
    }
    place = (gone.merchant_id, gone.buyer_id)
    reckoned = get_two(MemberItem.at(*place), RewardsItem.at(*place))
    invited = _invited(kept.merchant_id, ids)
    with transaction() as writes:
        _free(writes, one, freed)
        _update(writes, gone, left)
        _update(writes, kept, together)
        for buyer, count in ((gone, ABSORBED), (kept, len(ids))):
            holds = UnpaidOrdersItem.at(buyer.merchant_id, buyer.buyer_id)
            kind = UnpaidOrdersItem.kind.set(UnpaidOrdersItem)
            writes.add(holds, [UnpaidOrdersItem.ids.set(count), kind])
        for item in (*reckoned, *invited):
            if item is not None:  # what comes meanwhile is marked by the payment, or the receipt
                writes.add(item, item.moved(now_s))
        address_book.adopt(writes, kept.merchant_id, kept.buyer_id, gone.buyer_id)
    observability.count("BuyersMerged")
    return root(kept.merchant_id, kept.buyer_id)


def _invited(merchant_id: str, ids: Sequence[str]) -> list[InvitationItem]:
    """By whom both were invited: one of them at most was a new buyer, and none by the other."""
    keys = [(item.pk, item.sk) for item in (InvitationItem.at(merchant_id, one) for one in ids)]
    found = TradeItem.batch_get(keys, consistent_read=True)
    return [item for item in found if isinstance(item, InvitationItem)]


def _read_up_to_s(buyer: BuyerItem) -> int:
    """Until when a buyer has read what they were told: who has just come has nothing to read."""
    return max(buyer.read_up_to_s, buyer.since_s - 1)


def _free(writes: Writes, buyer: BuyerItem, identity_id: str | None) -> None:
    """Let an identity of a buyer's be nobody's; their item, which names it, is written with it."""
    if identity_id is not None:
        writes.delete(IdentityItem.at(buyer.merchant_id, identity_id))


def _put_identities(writes: Writes, buyer: BuyerItem, stated: Sequence[Identity]) -> None:
    for one in stated:
        key = identity_id(buyer.merchant_id, one)
        item = IdentityItem.at(buyer.merchant_id, key, slot=one.slot, buyer_id=buyer.buyer_id)
        writes.put(item, refuse=LostRace)


def _update(writes: Writes, buyer: BuyerItem, values: dict[str, Any]) -> None:
    """Write these attributes of a buyer who is as they were read; None: none any more. Raises
    LostRace for one who closed their account since their identity was looked up."""
    if buyer.erased_at_s is not None:
        raise LostRace
    actions: list[Action] = []
    for name, value in values.items():
        attribute = getattr(BuyerItem, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    same: Condition = BuyerItem.revision == buyer.revision
    bumped = BuyerItem.revision.set(buyer.revision + 1)
    writes.update(buyer, [*actions, bumped], condition=same, refuse=LostRace)


def _with(buyer: BuyerItem, stated: Sequence[Identity]) -> dict[str, Any]:
    """What is stored of a buyer who has these identities, too."""
    openids, identities = buyer.openids.as_dict(), buyer.identities.as_dict()
    values: dict[str, Any] = {"openids": openids, "identities": identities}
    for one in stated:
        openids |= one.openids
        identities[one.slot] = identity_id(buyer.merchant_id, one)
        if one.way is Way.WECHAT_MINI:
            values["openid"] = one.subject
        if one.phone is not None:
            values["phone"] = one.phone
    return values
