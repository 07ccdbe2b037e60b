"""What staff read for a group's state and for what happened to it."""

from collections.abc import Mapping

from chalicelib.domain.group import FailedReason, GroupStatus

STATUS_WORDS: Mapping[GroupStatus, str] = {
    GroupStatus.PENDING: "待团长付款",
    GroupStatus.OPEN: "拼团中",
    GroupStatus.FORMED: "已成团",
    GroupStatus.FAILED: "未成团",
}
FAILED_WORDS: Mapping[FailedReason, str] = {
    FailedReason.LEADER_CANCELLED: "团长取消",
    FailedReason.LEADER_UNPAID: "团长未付款",
    FailedReason.CLOSED_BY_MERCHANT: "商家结束",
}


def group_text(status: GroupStatus, failed_reason: str | None) -> str:
    """The short words of a group's state; a failed one says why, where it was not its deadline."""
    if status is GroupStatus.FAILED and failed_reason is not None:
        return FAILED_WORDS.get(FailedReason(failed_reason), STATUS_WORDS[status])
    return STATUS_WORDS[status]
