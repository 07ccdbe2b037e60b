"""The acts of the demonstration: formed, failed at the deadline, paid too late, a race."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib.domain.money import yuan
from infra.local.api_client import Reply
from infra.local.demo_data import BUYERS, HONEY, MATSUTAKE, MERCHANT_ID, MUSHROOM, STRAWBERRY
from infra.local.demo_play import Play, StoryFailed
from infra.local.phone import Phone, Placed, log_in
from infra.local.shop import Offer

RACER = "抢购"  # how the buyers of the race are called, with a number
RACERS = 50
CLIENTS = 10  # at once: every one that runs at the same time starts a process of the function
SILENT_CALLS = 1000  # more than are made while WeChat Pay is silent


@dataclass(frozen=True)
class Race:
    """How the race for the last seats ended: answers by code, "" for a seat."""

    seats: int
    answers: Counter[str]


def form_a_group(play: Play) -> None:
    """Three buyers pay, and the orders are to be shipped."""
    play.act("第一幕 三人成团", "三个人都付了款，团就成了，订单进入待发货")
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(STRAWBERRY)
    placed = {xiaoman: play.open_group(xiaoman, STRAWBERRY, offer)}
    group_id = placed[xiaoman].group_id
    for phone in (xingyuan, zhixia):
        placed[phone] = join_and_pay(play, phone, offer, group_id)
    for phone, order in placed.items():
        play.until_order(phone, order, "已成团待发货")
    play.tell("系统", "最后一个名额付款，同一笔事务里成团；三个订单：已成团待发货")
    for phone, order in placed.items():
        play.tell_messages(phone, order)
    to_ship = play.staff.orders("fulfilling")
    total = yuan(sum(order["total_fen"] for order in to_ship))
    play.tell("店主", f"后台待发货 {len(to_ship)} 单，共 {total}")


def miss_the_deadline(play: Play) -> list[Phone]:
    """Two of three pay, the third does not: everybody's money goes back by itself.

    Returns the racers of the last act, who log in while nothing happens here: that starts the
    processes of the function, which take a second of a processor each.
    """
    play.act("第二幕 到期未成团", "差一个人没付款，到时自动原路退款，不用任何人操作")
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(HONEY, life_h=1)
    placed = {xiaoman: play.open_group(xiaoman, HONEY, offer)}
    group_id = placed[xiaoman].group_id
    placed[xingyuan] = join_and_pay(play, xingyuan, offer, group_id)
    held = zhixia.join(offer, group_id)
    group = play.group(group_id)
    left_s = group["expires_at_s"] - group["now_s"]
    play.tell(zhixia.name, f"参团占住最后一个名额，一直没有付款。离截止还有 {left_s} 秒……")
    with ThreadPoolExecutor(CLIENTS) as pool:
        arriving = [pool.submit(_log_in_racer, play, n) for n in range(1, RACERS + 1)]
        _watch_it_fail(play, group_id, zhixia, held)
        racers = [one.result() for one in arriving]
    for phone, order in placed.items():
        shown = play.until_order(phone, order, "已退款")
        amount = yuan(shown["refunds"][0]["amount_fen"])
        play.tell(phone.name, f"微信支付确认退款 {amount}，订单：{shown['status_text']}")
        play.tell_messages(phone, order)
    return racers


def _watch_it_fail(play: Play, group_id: str, zhixia: Phone, held: Placed) -> None:
    play.until_order(zhixia, held, "已关闭")
    play.tell("系统", f"{zhixia.name}超时未付款，名额释放，订单已关闭，没有扣款")
    play.until("团到期未成团", lambda: play.group(group_id)["status"] == "failed")
    play.tell("系统", "到截止时间仍差 1 人：未成团，自动发起两笔退款")


def pay_too_late(play: Play) -> None:
    """A payment is heard of only after its seat was released and taken by another."""
    play.act("第三幕 迟到的付款", "付款的消息到得太晚，名额已归别人：钱退回，别人的团不受影响")
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(MUSHROOM)
    first = play.open_group(xingyuan, MUSHROOM, offer)
    late = xiaoman.join(offer, first.group_id)
    play.tell(xiaoman.name, f"参团占住最后一个名额，待付款 {yuan(late.total_fen)}")
    out_trade_no = _pay_unheard(play, xiaoman, late)
    play.until_order(xiaoman, late, "已关闭")
    play.tell("系统", "保留时间已过，问不到付款结果：名额释放，订单已关闭")
    second = join_and_pay(play, zhixia, offer, first.group_id)
    for phone, order in ((xingyuan, first), (zhixia, second)):
        play.until_order(phone, order, "已成团待发货")
    play.tell("系统", f"{zhixia.name}补上名额，成团；{xingyuan.name}和{zhixia.name}待发货")
    control = play.system.wechat_control
    control.post("/_local/callbacks/resend", {"number": out_trade_no})
    play.tell("微信支付", f"恢复，送来{xiaoman.name}的付款回调")
    shown = play.until_order(xiaoman, late, "已关闭·退款中", "已关闭·已退款")
    control.delete("/_local/faults")
    if shown["status_text"] == "已关闭·退款中":
        play.tell("系统", "名额已被占满：不改动任何订单，全额退款")
    play.until_order(xiaoman, late, "已关闭·已退款")
    play.tell(xiaoman.name, f"微信支付确认退款 {yuan(late.total_fen)}，订单：已关闭·已退款")
    play.tell_messages(xiaoman, late)


def race_for_seats(play: Play, racers: list[Phone]) -> Race:
    """Fifty buyers ask for two seats at once."""
    play.act("第四幕 五十人抢两个名额", "同时下单，恰好两人占到，其余的人没有被扣一分钱")
    _, xingyuan, _ = cast(play)
    play.phones += racers
    offer = play.publish(MATSUTAKE)
    placed = play.open_group(xingyuan, MATSUTAKE, offer)
    play.tell("系统", f"{RACERS} 位买家已经登录，{CLIENTS} 个并发，一起下单……")
    together = threading.Barrier(CLIENTS)

    def rush(n: int) -> Reply:
        if n < CLIENTS:
            together.wait()  # the first of each client start at one moment
        return _rush(racers[n], offer, placed.group_id)

    with ThreadPoolExecutor(CLIENTS) as pool:
        replies = list(pool.map(rush, range(RACERS)))
    answers = Counter(reply.code for reply in replies)
    winners = [r.name for r, reply in zip(racers, replies, strict=True) if not reply.code]
    refusal = next((reply.body["message"] for reply in replies if reply.code), "")
    play.tell("系统", f"{len(winners)} 人占到名额并付款：{'、'.join(winners)}")
    play.tell("系统", f"{answers['group_full']} 人得到回答：{refusal}")
    play.until_order(xingyuan, placed, "已成团待发货")
    play.tell("系统", "成团，三个订单待发货")
    return Race(offer.seats - 1, answers)


def repeat_every_callback(play: Play) -> int:
    """WeChat Pay sends every callback again, as it may; how many."""
    play.act("尾声 重复的回调", "微信支付把每一个回调再发一遍，账不能有任何变化")
    control = play.system.wechat_control
    told = control.get("/_local/callbacks")["callbacks"]
    before = sum(len(one["answers"]) for one in told)
    for one in told:
        control.post("/_local/callbacks/resend", {"number": one["delivery_id"]})

    def all_answered() -> bool:
        now = control.get("/_local/callbacks")["callbacks"]
        return sum(len(one["answers"]) for one in now) >= before + len(told)

    play.until("重复的回调都得到回答", all_answered)
    answered = control.get("/_local/callbacks")["callbacks"]
    refused = [one["number"] for one in answered if one["answers"][-1] != 200]
    if refused:
        raise StoryFailed(f"这些重复的回调没有得到 200：{refused}")
    play.tell("微信支付", f"{len(told)} 个回调各重发一次，全部得到 200")
    return len(told)


def cast(play: Play) -> list[Phone]:
    """The three who act throughout."""
    return [play.buyer(code, name) for code, name in BUYERS.items()]


def join_and_pay(play: Play, phone: Phone, offer: Offer, group_id: str) -> Placed:
    """Take a seat, pay it, and tell how many are missing."""
    placed = phone.buy(lambda: phone.join(offer, group_id))
    play.until_order(phone, placed, "待成团", "已成团待发货")
    group = play.group(group_id)
    missing = f"还差 {group['seats_missing']} 人" if group["seats_missing"] else "人齐了"
    play.tell(phone.name, f"参团并付款 {yuan(placed.total_fen)}，{missing}")
    return placed


def _pay_unheard(play: Play, phone: Phone, placed: Placed) -> str:
    """The buyer pays in time, but the callback is lost and WeChat Pay answers no question."""
    control = play.system.wechat_control
    for operation in ("query", "close"):
        fault = {"operation": operation, "kind": "server_error", "times": SILENT_CALLS}
        control.post("/_local/faults", fault)
    control.post("/_local/faults", {"operation": "payment_callback", "kind": "dropped"})
    out_trade_no = phone.pay(placed)
    play.tell(phone.name, f"微信付款 {yuan(placed.total_fen)}；但回调丢了，查单也得不到回答……")
    return out_trade_no


def _log_in_racer(play: Play, n: int) -> Phone:
    system, name = play.system, f"{RACER}{n:02d}"
    return log_in(system.api, system.local_gateways, MERCHANT_ID, f"demo-racer{n:02d}", name)


def _rush(phone: Phone, offer: Offer, group_id: str) -> Reply:
    """Ask for a seat; who gets one pays at once."""
    reply = phone.try_to_join(offer, group_id)
    if reply.status == 201:
        body = reply.body
        phone.pay(Placed(body["order_id"], group_id, body["total_fen"], body["pay_by_s"]))
    return reply
