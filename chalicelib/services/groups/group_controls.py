"""What staff may do about one open group: close it with refund, or give it more time.

Each is one transaction with its audit row, conditional on the state that it was decided on, so
that the last payment, the deadline and a colleague race with it and one of them is first.
"""

from chalicelib.domain import group as rules
from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.errors import Changed, GroupClosed, NotFound
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import settlement
from chalicelib.services.orders import orders, state_changes
from chalicelib.services.people.audit import audit
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.trade import GroupItem

REASON_MAX = 60
HOURS_MIN, HOURS_MAX = 1, 24
SETTLED_AT_ONCE_MAX = 20  # members; whoever closes a larger group does not wait for the stream

REFUSALS_TO_CLOSE = {
    GroupStatus.PENDING: "团长还没有付款，这个团还没有开始。到时未付款会自动关闭。",
    GroupStatus.FORMED: "这个团已经成团，不能结束。需要退款请在订单里处理。",
    GroupStatus.FAILED: "这个团已经结束，付过的款会自动退回。",
}


TO_FORM = "这个团已到时，付款人数够了，马上会成团，不能结束。需要退款请在成团后的订单里处理。"


def read(merchant_id: str, group_id: str) -> GroupItem:
    """The group as it is. Raises NotFound."""
    group = orders.find_group(merchant_id, group_id)
    if group is None:
        raise NotFound("没有找到这个团。")
    return group


def close_group(
    merchant_id: str, group_id: str, *, reason: str, staff: str, now_s: int
) -> GroupItem:
    """Fail an open group at staff's word: its members are told why, and refunded by settling.

    A payment that comes later finds the group decided and is refunded, too. A repeat changes
    nothing. Raises NotFound, GroupClosed when it was decided otherwise or is to form, or Busy.
    """

    def step() -> None:
        group = read(merchant_id, group_id)
        if group.failed_reason == FailedReason.CLOSED_BY_MERCHANT:
            return  # it was me: the answer was lost, or this is a repeat
        if group.status != GroupStatus.OPEN:
            raise GroupClosed(REFUSALS_TO_CLOSE[GroupStatus(group.status)], state=group.status)
        if rules.is_to_form(group.view(), now_s=now_s):
            raise GroupClosed(TO_FORM, state=group.status)
        failed = rules.failed(FailedReason.CLOSED_BY_MERCHANT, now_s=now_s)
        before = {"status": group.status}
        after = {"status": GroupStatus.FAILED.value, "reason": reason}
        with transaction() as writes:
            writes.update(
                group,
                [
                    *state_changes.group_actions(group, failed),
                    GroupItem.closed_words.set(reason),
                ],
                condition=(GroupItem.status == failed.was.value) & settlement.is_not_to_form(now_s),
                refuse=LostRace,
            )
            subject = f"group#{group_id}"
            audit(writes, merchant_id, staff, "group_closed", subject, before, after, now_s)

    retried(step)
    closed = read(merchant_id, group_id)
    if len(closed.members.as_dict()) <= SETTLED_AT_ONCE_MAX:
        settlement.carry_out(closed, now_s=now_s)
    return closed


def extend(
    merchant_id: str, group_id: str, *, hours: int, expires_at_s: int, staff: str, now_s: int
) -> GroupItem:
    """Give an open group `hours` more than until `expires_at_s`, its deadline as staff saw it.

    It never outlives its activity. Written together: the group with its due marker and its place
    in the list, the audit row, and the activity's longest life, by which the stock of one that is
    ended early waits for its groups. A repeat finds the deadline moved already and changes
    nothing. Raises NotFound, GroupClosed at its deadline or later, Changed when somebody else has
    moved it, Conflict when it lasts as long as it may, ActivityClosed, or Busy.
    """
    longer_s = settings.shortened(hours * 3600)

    def step() -> GroupItem:
        group = read(merchant_id, group_id)
        was_s = group.expires_at_s or 0
        if was_s == min(expires_at_s + longer_s, group.ends_at_s) > expires_at_s:
            return group  # it was me
        longer = rules.extended(group.view(), longer_s, now_s=now_s)
        later_s = longer.expires_at_s or was_s
        if was_s != expires_at_s:
            raise Changed("这个团的截止时间刚刚变过，请刷新后再决定是否延长。")
        activity = activities.not_over(merchant_id, group.activity_id, now_s)
        with transaction() as writes:
            writes.update(
                group,
                state_changes.group_actions(group, longer),
                # An open group's marker moves with its deadline.
                condition=(GroupItem.status == longer.was.value) & group.marker_as_read(),
                refuse=LostRace,
            )
            activities.keep_for(writes, activity, later_s - now_s)
            before, after = {"expires_at_s": was_s}, {"expires_at_s": later_s}
            subject = f"group#{group_id}"
            audit(writes, merchant_id, staff, "group_extended", subject, before, after, now_s)
        return read(merchant_id, group_id)

    return retried(step)
