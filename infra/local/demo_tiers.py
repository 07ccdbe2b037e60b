"""Acts of the demonstration about groups with tiers: the more people, the more of each unit goes
back, once the group has formed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.domain.money import yuan
from infra.local.demo_data import KIWI
from infra.local.demo_play import Play, StoryFailed
from infra.local.demo_story import CLIENTS, cast
from infra.local.phone import Phone, Placed
from infra.local.shop import Offer

LADDER = ((3, 400), (5, 1000))  # (people, what goes back of each unit)
RULES: dict[str, Any] = {
    "seats_least": 2,
    "limit_per_order": 2,
    "tiers": [{"seats": seats, "off_fen": off_fen} for seats, off_fen in LADDER],
}


def reach_a_tier(play: Play) -> None:
    """Three have paid at the deadline: the first tier. Who bought two gets twice as much."""
    play.act("阶梯 到时 3 人成团", "2 人 ¥59、3 人 ¥55、5 人 ¥49：先付 ¥59，到时满 3 人，每件退 ¥4")
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(KIWI, seats=5, life_h=2, **RULES)
    placed = {xiaoman: play.open_group(xiaoman, KIWI, offer)}
    group_id = placed[xiaoman].group_id
    for phone, quantity in ((xingyuan, 1), (zhixia, 2)):
        placed[phone] = _join(phone, offer, group_id, quantity)
        play.tell(phone.name, f"参团 {quantity} 件，付款 {yuan(placed[phone].total_fen)}")
    play.until("到时 3 人成团", lambda: play.group(group_id)["status"] == "formed")
    _expect(play.group(group_id)["seats_paid"] == 3, "5 人团，3 人成团")
    for phone, back_fen in ((xiaoman, 400), (xingyuan, 400), (zhixia, 800)):
        _told_back(play, phone, placed[phone], back_fen)
    play.tell_messages(zhixia, placed[zhixia])


def fill_every_seat(play: Play) -> None:
    """The last seat is paid: the group forms at once, with the most that may go back."""
    play.act("满员 5 人立即成团", "最后一人付款，当场成团，每件退 ¥10")
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(KIWI, seats=5, **RULES)
    placed = {xiaoman: play.open_group(xiaoman, KIWI, offer)}
    group_id = placed[xiaoman].group_id
    friends = [xingyuan, zhixia, *(play.buyer(f"friend{n}", f"邻居{n}") for n in "甲乙")]
    with ThreadPoolExecutor(CLIENTS) as pool:
        joined = pool.map(lambda phone: _join(phone, offer, group_id, 1), friends)
        placed |= zip(friends, joined, strict=True)
    play.until("5 人成团", lambda: play.group(group_id)["status"] == "formed")
    play.tell("系统", "5 人付清，立即成团")
    for phone, order in placed.items():
        _told_back(play, phone, order, 1000)


def _join(phone: Phone, offer: Offer, group_id: str, quantity: int) -> Placed:
    return phone.buy(lambda: phone.join(offer, group_id, quantity=quantity))


def _told_back(play: Play, phone: Phone, placed: Placed, back_fen: int) -> None:
    """Wait until the difference has arrived, while the order goes on."""

    def arrived() -> Any:
        order = play.until_order(phone, placed, "已成团待发货")
        return next((one for one in order["refunds"] if one["status"] == "succeeded"), None)

    back = play.until(f"{phone.name}的差价到账", arrived)
    _expect(back["amount_fen"] == back_fen, f"退给{phone.name} {yuan(back_fen)}")
    kept = yuan(placed.total_fen - back_fen)
    play.tell(
        phone.name,
        f"{back['rebate_text']} {yuan(back_fen)} 已到账，实付 {kept}，订单照常：已成团待发货",
    )


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise StoryFailed(f"应当：{what}")
