"""Acts of the demonstration about points: earned, used, given back whole and by share."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.money import yuan
from infra.local.demo_data import HONEY, MUSHROOM
from infra.local.demo_play import Play
from infra.local.demo_prices import expect, lines_of
from infra.local.demo_story import cast, join_and_pay
from infra.local.phone import Phone, Placed
from infra.local.printing import table

GIVEN = 942  # by the shop: with what the first order earns, exactly ¥10
MADE_UP = 50  # for a group that fails
EXCHANGE = "换积分"  # its act: such orders have no group
PART_FEN = 2000  # of the money, that is asked back
EXCHANGED, PRICE_FEN = 600, 800  # for a bottle
COLUMNS = {  # of the books, and the kinds of entries that they sum
    "得到": ("earned", "taken_back"),
    "用去": ("spent", "exchanged"),
    "退回": ("returned",),
    "商家加减": (
        "granted",
        "deducted",
        "compensated",
        "rewarded",
        "reward_taken_back",
        "invited",
        "invitation_taken_back",
    ),
}


def earn_points(play: Play) -> None:
    """An order is received, and earns a point for each yuan; the shop gives more."""
    play.act("得积分 收货后到账", "付款时还没有，确认收货的同一笔事务里到账；商家还可以送")
    xiaoman, xingyuan, _ = cast(play)
    offer = play.publish(HONEY, seats=2)
    placed = play.open_group(xiaoman, HONEY, offer)
    join_and_pay(play, xingyuan, offer, placed.group_id)
    order = play.until_order(xiaoman, placed, "已成团待发货")
    expect(xiaoman.points()["balance"] == 0, "收货前没有积分")
    play.tell(
        xiaoman.name, f"实付 {yuan(placed.total_fen)}，收货后得 {order['points_to_come']} 积分"
    )
    order = received(play, xiaoman, placed)
    expect(order["points_earned"] == placed.total_fen // 100, "实付每满 1 元得 1 积分")
    play.staff.give_points(placed.order_id, GIVEN, "老客回馈")
    account = xiaoman.points()
    play.tell("店主", f"送给{xiaoman.name} {GIVEN} 积分：老客回馈")
    told = f"现有 {account['balance']} 积分，可抵 {yuan(account['worth_fen'])}"
    play.tell(xiaoman.name, f"{told}；{account['expiring']['on']} 到期")


def get_points_back(play: Play) -> None:
    """The group fails: money and points are back, with the days that they had, and the points that
    its activity promised come on top."""
    play.act(
        "退积分 未成团，积分也退",
        f"钱原路退回的同时，用掉的积分全部回来，到期日不变；按活动的约定再补偿 {MADE_UP} 积分",
    )
    xiaoman, _, _ = cast(play)
    before = xiaoman.points()
    offer = play.publish(MUSHROOM, life_h=1, points=True, compensation_points=MADE_UP)
    quote = xiaoman.quote(offer, with_points=True)
    play.tell(xiaoman.name, f"结算：用 {quote['points']['used']} 积分。{lines_of(quote)}")
    placed = play.open_group(xiaoman, MUSHROOM, offer, points=quote["points"]["used"])
    expect(placed.total_fen == quote["total_fen"], "付的就是结算时看到的")
    play.until("团到期未成团", lambda: play.group(placed.group_id)["status"] == "failed")
    order = play.until_order(xiaoman, placed, "已退款")
    expect(order["points_back"] == order["points_used"], "积分全部退回")
    after = xiaoman.points()
    expect(after["balance"] == before["balance"] + MADE_UP, f"余额比下单之前多补偿的 {MADE_UP}")
    day, day_before = (it["expiring"]["on"] for it in (after, before))
    expect(day == day_before, "到期日同下单之前")
    back = f"{order['points_back']} 积分已退回，补偿 {MADE_UP} 积分"
    play.tell(xiaoman.name, f"退款 {yuan(placed.total_fen)} 已到账，{back}")


def use_points(play: Play) -> None:
    """Points are used and the order received; a part of its money goes back, and its share of
    the points."""
    play.act("用积分 抵扣，再退一部分", "退一部分钱：用掉的积分按比例退回，这部分钱得到的积分扣回")
    xiaoman, _, zhixia = cast(play)
    offer = play.publish(HONEY, seats=2, points=True)
    quote = xiaoman.quote(offer, with_points=True)
    used = quote["points"]["used"]
    play.tell(xiaoman.name, f"结算：用 {used} 积分。{lines_of(quote)}")
    placed = play.open_group(xiaoman, HONEY, offer, points=used)
    join_and_pay(play, zhixia, offer, placed.group_id)
    play.until_order(xiaoman, placed, "已成团待发货")
    earned = received(play, xiaoman, placed)["points_earned"]
    xiaoman.ask_back(placed, PART_FEN, "damaged", "坏了一瓶")
    [asked] = play.staff.api.items("/v1/merchant/after-sales?status=requested")
    approval = {"amount_fen": PART_FEN}
    play.staff.api.post(f"/v1/merchant/after-sales/{asked['after_sale_id']}/approval", approval)

    def arrived() -> Any:
        order = xiaoman.order(placed.order_id)
        return order if any(one["arrived_at_s"] for one in order["refunds"]) else None

    order = play.until("退款到账", arrived)
    share = used * PART_FEN // placed.total_fen
    expect(order["points_back"] == share, f"按比例退回 {share} 积分")
    told = (
        f"退款 {yuan(PART_FEN)} 已到账，退回 {share} 积分，扣回 {earned - order['points_earned']}"
    )
    play.tell(xiaoman.name, f"{told}，现有 {xiaoman.points()['balance']}")


def exchange_points(play: Play) -> None:
    """A bottle is had for points and some money, and received."""
    play.act(
        f"{EXCHANGE} 积分加一点钱换商品", "提交订单的同一笔事务里扣积分；没付款的订单关闭时退回"
    )
    xiaoman, _, _ = cast(play)
    sold = play.groups[-1].offer
    offer_id = play.staff.offer_for_points(sold, points=EXCHANGED, price_fen=PRICE_FEN, units=1)
    play.tell("店主", f"发布积分商品「{sold.title}」：{EXCHANGED} 积分 + {yuan(PRICE_FEN)}，1 件")
    play.staff.give_points(xiaoman.orders()[0]["order_id"], EXCHANGED, "生日快乐")
    had = xiaoman.points()["balance"]
    placed = xiaoman.buy(lambda: xiaoman.exchange(sold, offer_id))
    expect(xiaoman.points()["balance"] == had - EXCHANGED, "积分随订单扣走")
    play.tell(xiaoman.name, f"兑换：用 {EXCHANGED} 积分，另付 {yuan(placed.total_fen)}")
    order = play.until_order(xiaoman, placed, "待发货")
    expect(order["points_used"] == EXCHANGED, "订单记着用了多少积分")
    received(play, xiaoman, placed)


def received(play: Play, phone: Phone, placed: Placed) -> Any:
    """The shop ships the order and its buyer confirms: the order as it is then."""
    number = f"SF{phone.order(placed.order_id)['short_no'].replace('-', '')}"
    play.staff.ship(placed.order_id, number)
    phone.receive(placed)
    order = play.until_order(phone, placed, "已完成")
    play.tell(phone.name, f"收到包裹 {number}，确认收货：得到 {order['points_earned']} 积分")
    return order


def table_of(points: Mapping[str, Any]) -> list[str]:
    """Lines of a table of who has moved any. points: the account of each buyer."""
    rows = [
        (buyer, *(str(_sum(it["entries"], *of)) for of in COLUMNS.values()), str(it["balance"]))
        for buyer, it in points.items()
        if it["entries"]
    ]
    return table(("买家", *COLUMNS, "余额"), rows, right={1, 2, 3, 4, 5}) if rows else []


def unbalanced(points: Mapping[str, Any]) -> list[str]:
    """Whose balance is not the sum of their entries."""
    return [
        f"{buyer}：{it['balance']}"
        for buyer, it in points.items()
        if it["balance"] != sum(entry["points"] for entry in it["entries"])
    ]


def mistold(points: Mapping[str, Any], orders: Sequence[tuple[str, Any]]) -> list[str]:
    """Orders that tell of their points what the entries about them do not; each with its buyer."""
    wrong = []
    for buyer, order in orders:
        entries = [it for it in points[buyer]["entries"] if it["order_id"] == order["order_id"]]
        told = (order["points_earned"], -order["points_used"], order["points_back"])
        said = tuple(_sum(entries, *COLUMNS[column]) for column in ("得到", "用去", "退回"))
        if told != said:
            wrong.append(f"{buyer} {order['order_id']} {told} ≠ {said}")
    return wrong


def _sum(entries: Sequence[Any], *kinds: str) -> int:
    return sum(it["points"] for it in entries if it["kind"] in kinds)
