"""The law of combined groups notices what breaks it, as do those that make exceptions of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.texts import TextKey
from chalicelib.services.orders import notifications
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.catalogue import VersionItem
from chalicelib.tables.trade import GroupItem, OrderItem
from tests.fixtures.shop import GRACE_S, LIFE_S, Shop, new_shop
from tests.laws.planting import assert_change_is_reported, assert_loss_is_reported


@dataclass
class Scene:
    """A group that was due, whose leader went on in another one."""

    shop: Shop
    source: GroupItem
    target: GroupItem
    moved: OrderItem
    message: MessageItem
    terms: VersionItem

    def check(self) -> object:
        return self.shop.check()


@pytest.fixture(scope="module")
def scene(engine: str) -> Iterator[Scene]:
    with new_shop() as shop:
        sold = shop.activity(seats=3, combines=True)
        source_id = shop.opened(sold, agrees=True)
        shop.now_s += 60
        target_id = shop.opened(sold)
        shop.now_s += LIFE_S + GRACE_S - 60
        shop.run_jobs()
        snapshot = shop.check()
        source, target = snapshot.groups[source_id], snapshot.groups[target_id]
        ((buyer_id, number),) = source.moved.items()
        moved = snapshot.orders[buyer_id + number]
        stage = notifications.STAGES[TextKey.COMBINED]
        told = snapshot.messages[str(moved.order_id)]
        (message,) = [one for one in told if one.sk.split("#")[2].startswith(stage)]
        terms = snapshot.versions[sold.activity_id, sold.version]
        assert target.seats_paid == 2
        yield Scene(shop, source, target, moved, message, terms)


Planted = tuple[str, Callable[[Scene], StoredItem], Callable[[Scene], list[Action]]]
BREAKS: dict[str, Planted] = {
    "moved without agreeing": (
        "35 combining: order .* was moved, is paid, agreed: None",
        lambda scene: scene.moved,
        lambda scene: [OrderItem.combinable.remove()],
    ),
    "not where it was moved to": (
        "35 combining: order .* is in .*, was moved to",
        lambda scene: scene.moved,
        lambda scene: [OrderItem.group_id.set(scene.source.group_id)],
    ),
    "moved out of nowhere": (
        "35 combining: order .* was moved to .*, its buyer was told otherwise",
        lambda scene: scene.source,
        lambda scene: [GroupItem.combined.set({})],
    ),
    "in both groups": (
        "1 seats: group .*: seat of .* without its order",
        lambda scene: scene.source,
        lambda scene: [GroupItem.members.set(scene.source.moved)],
    ),
    "in neither": (
        "1 seats: paid order .* has no seat",
        lambda scene: scene.target,
        lambda scene: [GroupItem.members[scene.moved.buyer_id].remove()],
    ),
    "unknown where they went": (
        "35 combining: group .* was combined with .*, which does not know",
        lambda scene: scene.target,
        lambda scene: [GroupItem.combined_from.set([])],
    ),
    "failed otherwise": (
        "35 combining: group .* was combined, and closed_by_merchant",
        lambda scene: scene.source,
        lambda scene: [GroupItem.failed_reason.set("closed_by_merchant")],
    ),
    "of other terms": (
        "35 combining: group .* was combined with .* of other terms",
        lambda scene: scene.target,
        lambda scene: [GroupItem.version.set(2)],
    ),
    "not offered": (
        "35 combining: order .* agrees to what its terms do not offer",
        lambda scene: scene.terms,
        lambda scene: [VersionItem.combines.set(False)],
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_planted_break_is_reported(scene: Scene, name: str) -> None:
    reported, item, actions = BREAKS[name]

    assert_change_is_reported(scene.check, reported, item(scene), actions(scene))


def test_message_that_nobody_got_is_reported(scene: Scene) -> None:
    assert_loss_is_reported(scene.check, "35 combining: .* was told otherwise", [scene.message])
