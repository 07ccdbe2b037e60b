"""Items of table `trade` about who invited whom to the shop, and what was given for it.

Their keys stand in the map of chalicelib.tables.trade.
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.domain.invitations import InvitationState, Why
from chalicelib.domain.order import Intent
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk


class InvitationItem(TradeItem, discriminator="invitation"):
    """By whom a buyer was invited, and what has become of it; in the list of the shop's invitations
    of that state. The due marker says when it is looked at next. An item without an order is a mark
    alone: its buyer has paid, or an order of theirs was completed or went back. Whoever changes it
    conditions on its revision.

    order_id: the first purchase. coupon_template, points, gift_template, wait_days: by the rule
    when it was made. granted_to: the inviter's id of then. coupon_id, gift_coupon_id: the coupons
    themselves. …_kept: was used when the rest was taken back.
    """

    inviter_id = UnicodeAttribute(null=True)
    share_id = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    touched_at_s = IntAttribute(null=True)
    order_id = UnicodeAttribute(null=True)
    made_at_s = IntAttribute(null=True)
    state = UnicodeAttribute(null=True)  # domain.invitations.InvitationState
    why = UnicodeAttribute(null=True)  # domain.invitations.Why
    doubts: ListAttribute[Any] = ListAttribute(null=True)
    coupon_template = UnicodeAttribute(default="")
    points = IntAttribute(default=0)
    gift_template = UnicodeAttribute(default="")
    wait_days = IntAttribute(default=0)
    coupon_id = UnicodeAttribute(null=True)
    coupon = UnicodeAttribute(default="")  # its name
    coupon_kept = BooleanAttribute(null=True)
    gift_coupon_id = UnicodeAttribute(null=True)
    gift = UnicodeAttribute(default="")
    gift_kept = BooleanAttribute(null=True)
    points_given = IntAttribute(default=0)
    granted_to = UnicodeAttribute(null=True)
    granted_at_s = IntAttribute(null=True)
    ended_at_s = IntAttribute(null=True)  # refused, or taken back
    allowed_by = UnicodeAttribute(null=True)  # of the staff, who had it in doubt
    refused_by = UnicodeAttribute(null=True)
    reply = UnicodeAttribute(default="")  # why
    revision = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "InvitationItem":
        return cls(buyer_pk(merchant_id, buyer_id), "invitation", **more)

    @property
    def merchant_id(self) -> str:
        return str(self.pk.partition("#")[0])

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])

    @property
    def known_state(self) -> InvitationState:
        return InvitationState(self.state or InvitationState.PENDING)

    @property
    def known_why(self) -> Why | None:
        return Why(self.why) if self.why else None

    def moved(self, now_s: int) -> list[Action]:
        """Actions that have it looked at anew, of a stored item or a new one."""
        due = self.due(Intent.POINTS, now_s)
        return [*due, InvitationItem.revision.add(1), InvitationItem.kind.set(InvitationItem)]


class InviteeItem(TradeItem, discriminator="invitee"):
    """That a buyer has invited somebody, of whose item this says where it is."""

    @classmethod
    def of(cls, invitation: InvitationItem) -> "InviteeItem":
        pk = buyer_pk(invitation.merchant_id, invitation.inviter_id or "")
        return cls(pk, f"invitee#{invitation.made_at_s or 0:010d}#{invitation.buyer_id}")

    @property
    def buyer_id(self) -> str:
        """Who was invited."""
        return str(self.sk.rpartition("#")[2])


class InviterItem(TradeItem, discriminator="inviter"):
    """How many invitations of a buyer's were granted in a month (Beijing); what was taken back
    since counts."""

    granted = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, month: str) -> "InviterItem":
        return cls(buyer_pk(merchant_id, buyer_id), f"inviter#{month}")


def invitations_list(merchant_id: str, state: InvitationState) -> str:
    """A shop's invitations of one state, by when they came to it."""
    return f"{merchant_id}#invitations#{state}"
