"""What staff decide about invitations that are held: they count, or they do not."""

from chalicelib.domain.invitations import InvitationState, Verdict, Why
from chalicelib.domain.plain_text import within_sentence
from chalicelib.errors import Conflict, InvalidRequest, NotFound
from chalicelib.services.orders import invitation_gifts, invitation_grants
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import get_or_none, retried, transaction
from chalicelib.tables.invitations import InvitationItem


def allow(merchant_id: str, buyer_id: str, *, staff: str, now_s: int) -> InvitationItem:
    """Let an invitation count that was held; a repeat changes nothing. It goes on as any other, and
    whatever else is against it still is. Raises NotFound, Conflict, Busy."""

    def step() -> InvitationItem:
        item = _read(merchant_id, buyer_id)
        if item.allowed_by is not None:
            return item
        _check_held(item)
        item.allowed_by = staff
        invitation_grants.become(item, Verdict(InvitationState.PENDING), now_s, now_s)
        with transaction() as writes:
            invitation_gifts.put(writes, item)
            audit(writes, merchant_id, staff, "invitation_allowed", _subject(item), {}, {}, now_s)
        return item

    return retried(step)


def refuse(
    merchant_id: str, buyer_id: str, words: str, *, staff: str, now_s: int
) -> InvitationItem:
    """Let an invitation that was held come to nothing; a repeat changes nothing. words: why; who
    invited reads them. Raises InvalidRequest for words that say nothing, NotFound, Conflict,
    Busy."""
    reply = within_sentence(words)
    if not reply:
        raise InvalidRequest("请写明为什么不算，邀请人会看到。", field="reply")

    def step() -> InvitationItem:
        item = _read(merchant_id, buyer_id)
        if item.refused_by is not None:
            return item
        _check_held(item)
        item.refused_by, item.reply = staff, reply
        verdict = Verdict(InvitationState.REFUSED, Why.STAFF)
        invitation_grants.become(item, verdict, None, now_s)
        after = {"reply": reply}
        with transaction() as writes:
            invitation_gifts.put(writes, item)
            subject = _subject(item)
            audit(writes, merchant_id, staff, "invitation_refused", subject, {}, after, now_s)
        return item

    return retried(step)


def _read(merchant_id: str, buyer_id: str) -> InvitationItem:
    item = get_or_none(InvitationItem.at(merchant_id, buyer_id))
    if item is None or item.order_id is None:
        raise NotFound("没有找到这个邀请。")
    return item


def _check_held(item: InvitationItem) -> None:
    if item.known_state is not InvitationState.HELD:
        raise Conflict("这个邀请已经不用核对了，请刷新页面。")


def _subject(item: InvitationItem) -> str:
    """Who was invited: their file tells of them."""
    return f"member#{item.buyer_id}"
