"""Buyers: who they are at WeChat, and what they call themselves."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.picture import is_face
from chalicelib.errors import InvalidRequest, SessionSuperseded
from chalicelib.gateways.wechat_login import wechat_login
from chalicelib.services.people import brute_force_guard, identities, shop_cache
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, Writes, as_read, get_or_none, update_one
from chalicelib.tables.buyers import BuyerItem, ConsentsItem, UnpaidOrdersItem
from chalicelib.tables.trade_item import TradeItem

IS_OPEN = BuyerItem.pk.exists() & BuyerItem.erased_at_s.does_not_exist()


def log_in(merchant_id: str, code: str, *, caller: str, now_s: int) -> BuyerItem:
    """The buyer that a WeChat login code stands for, made at the first login.

    caller: the address that asks; its wrong codes are counted, right ones cost nothing. Raises
    NotFound for no such merchant, InvalidRequest for a spent code, and instead of telling it
    TooManyRequests when there were too many; GatewayFailed.
    """
    shop_cache.merchant(merchant_id, now_s)
    login = wechat_login(merchant_id)
    with counted(merchant_id, caller, now_s):
        known = login.identify(code)
    stated = [Identity(Way.WECHAT_MINI, known.openid, login.appid)]
    if known.unionid:
        stated.append(Identity(Way.WECHAT_UNION, known.unionid))
    return identities.log_in(merchant_id, stated, now_s=now_s)


@contextmanager
def counted(merchant_id: str, caller: str, now_s: int) -> Iterator[None]:
    """Count what the block refuses as a wrong code, and refuse it as TooManyRequests instead when
    there were too many."""
    try:
        yield
    except InvalidRequest:
        brute_force_guard.count_guess(
            brute_force_guard.LOGIN_CODES, merchant_id, caller, now_s=now_s
        )
        raise


def read(merchant_id: str, buyer_id: str) -> BuyerItem:
    """Return the buyer as they are now."""
    buyer = BuyerItem.at(merchant_id, buyer_id)
    return BuyerItem.get(buyer.pk, buyer.sk, consistent_read=True)


def read_open(merchant_id: str, buyer_id: str) -> BuyerItem:
    """Return the buyer as they are now. Raises SessionSuperseded for a closed account."""
    buyer = read(merchant_id, buyer_id)
    refuse_closed(buyer)
    return buyer


def read_with_consents(merchant_id: str, ids: Sequence[str]) -> tuple[BuyerItem, list[str]]:
    """(the buyer, the keys of the versions of agreements that they accepted), in one call.

    ids: of the person, the buyer's first. Raises SessionSuperseded for a closed account.
    """
    keys = [BuyerItem.at(merchant_id, ids[0]), *(ConsentsItem.at(merchant_id, i) for i in ids)]
    found = list(TradeItem.batch_get([(key.pk, key.sk) for key in keys], consistent_read=True))
    [buyer] = [item for item in found if isinstance(item, BuyerItem)]
    refuse_closed(buyer)
    given = [item.given.as_dict() for item in found if isinstance(item, ConsentsItem)]
    return buyer, sorted({key for one in given for key in one})


def refuse_closed(buyer: TradeItem | None) -> None:
    """Raise SessionSuperseded for a buyer who has closed their account: their sessions end then,
    and a login makes a new buyer."""
    if isinstance(buyer, BuyerItem) and buyer.erased_at_s is not None:
        raise SessionSuperseded


def check_open(writes: Writes, merchant_id: str, buyer_id: str) -> None:
    """Require in a transaction that the buyer has not closed their account. It refuses as
    SessionSuperseded."""
    writes.check(
        BuyerItem.at(merchant_id, buyer_id),
        condition=IS_OPEN,
        refuse=lambda old: SessionSuperseded(),
    )


def check_ids(writes: Writes, merchant_id: str, ids: Sequence[str]) -> None:
    """Require in a transaction that these are all ids of a person, whose account is not closed. It
    refuses as SessionSuperseded."""
    writes.check(
        UnpaidOrdersItem.at(merchant_id, ids[0]),
        condition=as_read(UnpaidOrdersItem.ids, len(ids) if len(ids) > 1 else None),
        refuse=lambda old: SessionSuperseded(),
    )


def refuse_other_ids(merchant_id: str, ids: Sequence[str]) -> None:
    """Raise SessionSuperseded unless these are all ids of a person now, whose account is not
    closed."""
    known = get_or_none(UnpaidOrdersItem.at(merchant_id, ids[0]))
    if (known.ids if known and known.ids is not None else 1) != len(ids):
        raise SessionSuperseded


def check_as_read(writes: Writes, buyer: BuyerItem) -> None:
    """Require in a transaction that the person is as they were read: neither merged nor closed, and
    with the same reminders. It refuses as LostRace."""
    writes.check(buyer, condition=BuyerItem.revision == buyer.revision, refuse=LostRace)


def keep_open(writes: Writes, merchant_id: str, buyer_id: str) -> None:
    """Require the same, and let a closing that has not seen this transaction look again."""
    writes.update(
        BuyerItem.at(merchant_id, buyer_id),
        [BuyerItem.revision.add(1)],
        condition=IS_OPEN,
        refuse=lambda old: SessionSuperseded(),
    )


def erased_among(merchant_id: str, ids: Iterable[str]) -> set[str]:
    """Those of the buyers who closed their account."""
    keys = [(BuyerItem.at(merchant_id, one).pk, "buyer") for one in ids]
    found = TradeItem.batch_get(keys) if keys else ()
    return {one.buyer_id for one in found if isinstance(one, BuyerItem) and one.erased_at_s}


def rename(merchant_id: str, ids: Sequence[str], name: str, avatar: str) -> BuyerItem:
    """Store what a person is called and looks like, under all their ids: each has seats that show
    it. The first is the one that the others were merged into.

    Raises InvalidRequest for a picture that is kept elsewhere; SessionSuperseded when the first was
    merged itself, or closed.
    """
    if avatar and not is_face(avatar, media_url=settings.media_url):
        raise InvalidRequest("头像只能用微信头像，或上传到本店的图片。", field="avatar")
    is_kept = BuyerItem.merged_into.does_not_exist()
    for buyer_id in ids:
        update_one(
            BuyerItem.at(merchant_id, buyer_id),
            [BuyerItem.name.set(name), BuyerItem.avatar.set(avatar)],
            condition=IS_OPEN & is_kept if buyer_id == ids[0] else IS_OPEN,
            refuse=SessionSuperseded,
        )
    return read(merchant_id, ids[0])
