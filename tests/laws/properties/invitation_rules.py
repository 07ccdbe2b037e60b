"""Rules of the shop machine: buyers come by each other's shares, and staff decide what is held.

The laws say that what was granted was deserved (tests/laws/checkers/invitation_laws.py); the model
here says that what is deserved is granted in the end, to whose share came first.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import hypothesis
import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain import touches
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.invitations import FINAL, InvitationState, Why
from chalicelib.domain.order import OrderStatus
from chalicelib.services.fulfilment import receipts
from chalicelib.services.orders import invitation_decisions
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import STAFF
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws.checkers.invitation_laws import invitations_of
from tests.laws.faults.workflows.invitations import come, shared
from tests.laws.properties.machine import ANY, Machine

PER_MONTH = 2
GONE_BACK = (OrderStatus.REFUNDING, OrderStatus.REFUNDED)


@dataclass(frozen=True)
class Came:
    """When a buyer came by somebody's share, the first time and the last."""

    sharer: str
    first_s: int
    last_s: int

    def before(self, placed_at_s: int) -> list[int]:
        """Those of the visits that count for a purchase."""
        since_s = placed_at_s - touches.DAYS * DAY_S
        return [at_s for at_s in (self.first_s, self.last_s) if since_s <= at_s <= placed_at_s]


class InvitationRules(Machine):
    """Rules for who spreads groups, and the staff who look at what that brought."""

    invites = False
    come_in: Callable[..., None]
    come_in_and_pay: Callable[..., None]
    ship: Callable[..., None]

    def __init__(self) -> None:
        super().__init__()
        self.came: dict[str, dict[str, Came]] = {}  # by buyer and share
        self.brought_by: dict[str, set[str]] = defaultdict(set)  # by buyer: by whose shares, ever

    def invite(self, *, gives_points: bool, wait_days: int) -> None:
        """Switch invitations on: a coupon, and points if the shop has them, for who invited."""
        self.invites = True
        template_id = self.shop.coupons(total=50, per_buyer=20, grace_days=0)
        self.shop.invite(
            points=50 if gives_points else 0,
            coupon_id=template_id,
            gift_id=template_id,
            wait_days=wait_days,
            per_month=PER_MONTH,
        )

    def bring_buyers(self, seats: int, *, received: bool) -> None:
        """A group forms of whom somebody brought who has not bought anything themselves, and then
        its leader as well; buyers 0 and 1 have bought before, where there are levels. received: so
        far it goes at once, if it forms."""
        for buyer in (0, 2, 1)[:seats]:
            for sharer in (-1, 0) if self.visible_groups() else ():
                self.come_by_a_share(group=0, sharer=sharer, buyer=buyer, buys=False)
                self.shop.now_s += 1
            self.come_in(buyer=buyer, quantity=1, other=False, far=3)
        self.shop.run_jobs()
        self.settle_down(followed=True)
        for _ in range(len(self.ready_to_send()) if received else 0):
            self.send_and_receive(which=0)

    @precondition(lambda self: self.invites and self.visible_groups())
    @rule(group=ANY, sharer=ANY, buyer=ANY, buys=st.booleans())
    def come_by_a_share(self, group: int, sharer: int, buyer: int, buys: bool) -> None:
        groups, who = self.visible_groups(), self.buyers[buyer % len(self.buyers)]
        by = self.buyers[sharer % len(self.buyers)]
        share_id = shared(self.shop, by, groups[group % len(groups)])
        come(self.shop, who, share_id)
        now_s = self.shop.now_s
        if by != who:
            kept_s = now_s - touches.KEPT_DAYS * DAY_S
            kept = {key: it for key, it in self.came.get(who, {}).items() if it.last_s >= kept_s}
            self.brought_by[who].add(by)
            self.came[who] = kept | {share_id: Came(by, now_s, now_s)}
        self.settle_down(followed=False)
        if buys:
            self.come_in_and_pay(buyer=buyer)

    @precondition(lambda self: self.invites and self.came)
    @rule(which=ANY)
    def come_again(self, which: int) -> None:
        """By a share that they came by before, as another visitor."""
        visits = [(who, share_id) for who, shares in self.came.items() for share_id in shares]
        who, share_id = visits[which % len(visits)]
        come(self.shop, who, share_id)
        old = self.came[who][share_id]
        self.came[who][share_id] = replace(old, last_s=self.shop.now_s)
        self.settle_down(followed=False)

    @precondition(lambda self: self.invites and self.ready_to_send())
    @rule(which=ANY)
    def send_and_receive(self, which: int) -> None:
        """What an invitation waits for: seldom drawn step by step."""
        ready = self.ready_to_send()
        order_id = ready[which % len(ready)]
        self.ship(which=list(self.model.orders).index(order_id), whole=True)
        order = self.snapshot.orders[order_id].order_id
        receipts.confirm(self.shop.merchant_id, order, now_s=self.shop.now_s)
        self.model.orders[order_id].status = OrderStatus.COMPLETED
        self.shop.run_jobs()
        self.settle_down(followed=True)

    @precondition(lambda self: self.invites and self.made())
    @rule(which=ANY, allow=st.sampled_from([True, True, False]))
    def decide_invitation(self, which: int, allow: bool) -> None:
        """All buyers of the machine live at one address: who has ordered invites with a doubt."""
        made = self.made()
        item = made[which % len(made)]
        again = item.allowed_by if allow else item.refused_by
        may = item.known_state is InvitationState.HELD or again is not None
        merchant_id, now_s = self.shop.merchant_id, self.shop.now_s
        self.answer(
            (
                lambda: (
                    invitation_decisions.allow(merchant_id, item.buyer_id, staff=STAFF, now_s=now_s)
                    if allow
                    else invitation_decisions.refuse(
                        merchant_id, item.buyer_id, "同一个人", staff=STAFF, now_s=now_s
                    )
                )
            ),
            set() if may else {"conflict"},
        )
        self.shop.run_jobs()
        self.settle_down(followed=True)

    def ready_to_send(self) -> list[str]:
        """Orders of groups that have formed."""
        return [
            order_id
            for order_id, mine in self.model.orders.items()
            if mine.status is OrderStatus.FULFILLING
            and mine.group_id is not None
            and self.snapshot.orders[order_id].after_sale is None
        ]

    def visible_groups(self) -> list[str]:
        """Those whose leaders have paid."""
        groups = self.snapshot.groups
        return [one for one in self.model.teams if groups[one].expires_at_s is not None]

    def made(self) -> list[InvitationItem]:
        found = [it for it in invitations_of(self.snapshot) if it.order_id is not None]
        return sorted(found, key=lambda it: it.buyer_id)

    def check_invitations(self, snapshot: TableSnapshot) -> None:
        """When all is over: who brought a buyer has got what they deserve."""
        made = {item.buyer_id: item for item in invitations_of(snapshot)}
        for who, shares in self.came.items():
            bought = self.purchases_of(who, snapshot)
            if not bought or bought[0].group_id is None:
                continue
            placed_at_s = bought[0].order_id.placed_at_s
            visits = [
                (at_s, it.sharer) for it in shares.values() for at_s in it.before(placed_at_s)
            ]
            if not visits:
                continue
            item = made.get(who)
            assert item is not None, f"who brought {who} is forgotten"
            hypothesis.event(f"invitation {item.state}, {item.why}")
            if item.order_id != str(bought[0].order_id):
                # That was paid once this one had been decided for good.
                assert item.granted_at_s is not None or item.known_why in FINAL, item.order_id
                continue
            assert item.inviter_id in {by for at_s, by in visits if at_s == min(visits)[0]}
            self.check_state(item, bought[0], snapshot)

    def check_state(
        self,
        item: InvitationItem,
        order: OrderItem,
        snapshot: TableSnapshot,
    ) -> None:
        """Why an invitation brought nothing, or is yet to, is a fact of its order and people."""
        if item.known_state is InvitationState.PENDING and order.status == OrderStatus.COMPLETED:
            ready_s = (order.received_at_s or 0) + item.wait_days * DAY_S
            assert ready_s > snapshot.now_s, item.due_at_s
        if item.known_state is InvitationState.TAKEN_BACK:
            assert order.status in GONE_BACK, item.why
        if item.known_state is not InvitationState.REFUSED:
            return
        granted = [it for it in invitations_of(snapshot) if it.granted_at_s is not None]
        facts = {
            Why.STAFF: item.refused_by is not None,
            Why.REFUNDED: order.status in GONE_BACK,
            Why.FREE: order.view().is_free,
            Why.CYCLE: item.buyer_id in self.brought_by[str(item.inviter_id)],
            Why.LIMIT: sum(it.inviter_id == item.inviter_id for it in granted) >= PER_MONTH,
        }
        assert any(fact for why, fact in facts.items() if why is item.known_why), item.why

    @staticmethod
    def purchases_of(who: str, snapshot: TableSnapshot) -> list[OrderItem]:
        """What a buyer has paid for, the earliest first."""
        return sorted(
            (
                order
                for order in snapshot.orders.values()
                if order.buyer_id == who
                and order.view().is_purchase
                and order.status != OrderStatus.PENDING
            ),
            key=lambda order: (order.order_id.placed_at_s, str(order.order_id)),
        )
