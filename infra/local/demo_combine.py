"""Acts of the demonstration about combined groups: who agreed goes on in another one."""

import time

from infra.local.demo_data import HONEY
from infra.local.demo_play import TIME_DIVISOR, Play
from infra.local.demo_prices import expect
from infra.local.demo_story import cast, join_and_pay

LIFE_H = 2
LATER_S = 2400 // TIME_DIVISOR  # the other group is opened so much later, and due as much


def combine_two_groups(play: Play) -> None:
    """Two of three are in each group. When the first is due, who agreed goes on in the other, which
    forms by it; who did not agree is refunded."""
    play.act(
        "合并 到时未满，并入同款的团", "两个 3 人团各差 1 人：同意合并的并入另一个团，当场成团"
    )
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(HONEY, life_h=LIFE_H)
    agreed = play.open_group(xiaoman, HONEY, offer, agrees=True)
    play.tell(xiaoman.name, "下单时选了「到时未满，同意与同款的团合并」")
    refused = join_and_pay(play, xingyuan, offer, agreed.group_id)
    play.tell(xingyuan.name, "没有选同意")
    time.sleep(LATER_S)
    host = play.open_group(zhixia, HONEY, offer)
    join_and_pay(play, play.buyer("neighbour", "邻居甲"), offer, host.group_id)

    def is_formed() -> bool:
        return str(play.group(host.group_id)["status"]) == "formed"

    play.until("第一个团到时，两个团合并成团", is_formed)
    order = play.until_order(xiaoman, agreed, "已成团待发货")
    expect(order["group_id"] == host.group_id, "同意的人在另一个团里")
    expect(order["total_fen"] == offer.group_fen[0], "价格不变")
    play.tell("系统", f"到时还差 1 人：{xiaoman.name}并入{zhixia.name}的团，凑满 3 人，立即成团")
    play.tell_messages(xiaoman, agreed)
    play.until_order(xingyuan, refused, "已退款", "未成团·已退款")
    play.tell_messages(xingyuan, refused)
