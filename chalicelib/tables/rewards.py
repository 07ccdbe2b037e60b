"""Items of table `trade` about what buyers are given for groups that formed.

Their keys stand in the map of chalicelib.tables.trade.
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.domain.order import Intent
from chalicelib.domain.rewards import Reward, RewardFor, RewardState, state_of
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk


class RewardsItem(TradeItem, discriminator="rewards"):
    """What a person has towards their next reward, under the first of their ids; under another one
    only until it is reckoned. The due marker says that an order of theirs was completed since, or
    has gone back. Whoever changes it conditions on its revision.

    waiting: when the groups were completed that are in no reward, as of the last reckoning.
    """

    waiting: ListAttribute[Any] = ListAttribute(default=list)
    revision = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "RewardsItem":
        return cls(buyer_pk(merchant_id, buyer_id), "rewards", **more)

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])

    def moved(self, now_s: int) -> list[Action]:
        """Actions that have the person's rewards reckoned anew, of a stored item or a new one."""
        due = self.due(Intent.POINTS, now_s)
        return [*due, RewardsItem.revision.add(1), RewardsItem.kind.set(RewardsItem)]


class RewardItem(TradeItem, discriminator="reward"):
    """A reward that a person was given, under the id that was their first then; it stands in the
    list of the shop's. Its number is its key, so that of two reckonings at once one writes it.

    orders: the order_ids that it was given for. coupon_id: of the coupon itself; None: it brought
    none. coupon_kept: that was used when the reward was taken back.
    """

    merchant_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    number = IntAttribute()
    why = UnicodeAttribute()  # domain.rewards.RewardFor
    orders: ListAttribute[Any] = ListAttribute()
    points = IntAttribute(default=0)
    coupon_id = UnicodeAttribute(null=True)
    coupon = UnicodeAttribute(default="")  # its name; of one that could not be given, too
    at_s = IntAttribute()
    taken_back_at_s = IntAttribute(null=True)
    coupon_kept = BooleanAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, number: int, **more: Any) -> "RewardItem":
        return cls(
            buyer_pk(merchant_id, buyer_id),
            f"reward#{number:05d}",
            merchant_id=merchant_id,
            buyer_id=buyer_id,
            number=number,
            **more,
        )

    def view(self) -> Reward:
        taken_back = self.taken_back_at_s is not None
        return Reward(RewardFor(self.why), tuple(self.orders), taken_back)

    @property
    def state(self) -> RewardState:
        return state_of(
            taken_back=self.taken_back_at_s is not None,
            coupon_kept=bool(self.coupon_kept),
            given=bool(self.points or self.coupon_id),
        )


def rewards_list(merchant_id: str) -> str:
    """The list of a shop's rewards, by when they were given."""
    return f"{merchant_id}#rewards"
