"""Acts of the demonstration about prices and kinds of groups: coupons, groups for new buyers, the
leader's price, groups that form with fewer, free leaders."""

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.domain.money import yuan
from infra.local.api_client import Reply
from infra.local.demo_data import HONEY, MUSHROOM, STRAWBERRY
from infra.local.demo_play import Play, StoryFailed
from infra.local.demo_story import CLIENTS, cast, join_and_pay
from infra.local.phone import Phone

FEW = 5  # coupons for many buyers
CLAIMERS = 20


def use_a_coupon(play: Play) -> None:
    """A coupon is claimed, suggested at the checkout, used, and counted."""
    play.act("领券 开团用券", "结算时自动选上最省的券，显示多少就付多少")
    xiaoman, xingyuan, zhixia = cast(play)
    gift = _give_out(play, name="见面礼", off_fen=500, from_fen=5000)
    small = _give_out(play, name="小红包", off_fen=100)
    offer = play.publish(STRAWBERRY)
    for template_id in (gift, small):
        coupon = xiaoman.claim(template_id).body
        play.tell(
            xiaoman.name, f"领到「{coupon['name']}」：{coupon['words']}，{coupon['scope_words']}"
        )
    quote = xiaoman.quote(offer)
    best = next(one for one in quote["coupons"] if one["coupon_id"] == quote["coupon_id"])
    play.tell(xiaoman.name, f"结算：已选最省的「{best['name']}」。{lines_of(quote)}")
    placed = play.open_group(xiaoman, STRAWBERRY, offer, coupon_id=quote["coupon_id"])
    expect(placed.total_fen == quote["total_fen"], "付的就是结算时看到的")
    for phone in (xingyuan, zhixia):
        join_and_pay(play, phone, offer, placed.group_id)
    play.until_order(xiaoman, placed, "已成团待发货")
    row = play.until("用券的订单已计入", lambda: _counted(play, gift))
    told = f"「{row['name']}」已领 {row['claimed']} 张，{row['orders']} 笔付款"
    play.tell("店主", f"{told}，用券实付 {yuan(row['paid_fen'])}，让利 {yuan(row['off_sum_fen'])}")


def get_a_coupon_back(play: Play) -> None:
    """The group fails: money and coupon are back, and the coupon is good for the next group."""
    play.act("退券 未成团，券也退", "钱原路退回的同时，券回到买家手里，接着能用")
    _, xingyuan, zhixia = cast(play)
    template_id = _give_out(play, name="蜂蜜券", off_fen=300)
    coupon_id = xingyuan.claim(template_id).body["coupon_id"]
    offer = play.publish(HONEY, life_h=1)
    placed = play.open_group(xingyuan, HONEY, offer, coupon_id=coupon_id)
    twice = xingyuan.try_to_join(offer, placed.group_id)
    expect(twice.status == 201, "再点一次得到的还是同一个订单")
    play.until("团到期未成团", lambda: play.group(placed.group_id)["status"] == "failed")
    shown = play.until_order(xingyuan, placed, "已退款")
    expect(shown["coupon_back"], "券已退回")
    play.tell(xingyuan.name, f"退款 {yuan(placed.total_fen)} 已到账，「蜂蜜券」已退回")
    offer = play.publish(HONEY, seats=2)
    again = play.open_group(xingyuan, HONEY, offer, coupon_id=coupon_id)
    join_and_pay(play, zhixia, offer, again.group_id)
    play.until_order(xingyuan, again, "已成团待发货")
    play.tell(xingyuan.name, f"用同一张券又开一团，成团，实付 {yuan(again.total_fen)}")


def claim_the_last_ones(play: Play) -> None:
    """Twenty buyers claim five coupons at once."""
    play.act("抢券 二十人抢五张券", "同时去领，恰好五人领到")
    template_id = _give_out(play, name="限量券", off_fen=1000, total=FEW)
    buyers = [play.buyer(f"claimer{n:02d}", f"领券{n:02d}") for n in range(CLAIMERS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        replies: list[Reply] = list(pool.map(lambda phone: phone.claim(template_id), buyers))
    answers = Counter(reply.code for reply in replies)
    expect(answers == {"": FEW, "coupons_gone": CLAIMERS - FEW}, f"得到的回答：{dict(answers)}")
    refusal = next(reply.body["message"] for reply in replies if reply.code)
    play.tell("系统", f"{FEW} 人领到，{CLAIMERS - FEW} 人得到回答：{refusal}")


def bring_new_buyers(play: Play) -> None:
    """Who has bought before leads at a lower price; only new buyers join."""
    play.act(
        "老带新 老客开团，新客参团", "老客开团享团长价，参团的都是新客；老客参团会被告知怎么办"
    )
    xiaoman, xingyuan, _ = cast(play)
    skus = [{"leader_price_fen": sku.group_fen - 500} for sku in MUSHROOM.skus]
    offer = play.publish(MUSHROOM, seats=3, new_buyers="joiners", skus=skus)
    placed = play.open_group(xiaoman, MUSHROOM, offer)
    expect(placed.total_fen == offer.group_fen[0] - 500, "团长付团长价")
    refused = xingyuan.try_to_join(offer, placed.group_id)
    expect(refused.code == "new_buyers_only", f"老客参团：{refused.code}")
    play.tell(xingyuan.name, f"参团得到回答：{refused.body['message']}")
    for code, name in (("newcomer1", "新朋友一"), ("newcomer2", "新朋友二")):
        join_and_pay(play, play.buyer(code, name), offer, placed.group_id)
    play.until_order(xiaoman, placed, "已成团待发货")
    play.tell("系统", f"成团：团长付 {yuan(placed.total_fen)}，新客各付 {yuan(offer.group_fen[0])}")


def form_with_fewer(play: Play) -> None:
    """Three are wanted, and two were promised to be enough at the deadline."""
    play.act(
        "到时 说好满 2 人也成团", "3 人团，到时满 2 人也成团：差的那一人没付款，团照样成，价格不变"
    )
    xiaoman, xingyuan, zhixia = cast(play)
    offer = play.publish(HONEY, life_h=1, seats_least=2)
    placed = {xiaoman: play.open_group(xiaoman, HONEY, offer)}
    group_id = placed[xiaoman].group_id
    placed[xingyuan] = join_and_pay(play, xingyuan, offer, group_id)
    held = zhixia.join(offer, group_id)
    play.tell(zhixia.name, "参团占住最后一个名额，一直没有付款")
    play.until("到时 2 人成团", lambda: play.group(group_id)["status"] == "formed")
    for phone, order in placed.items():
        play.until_order(phone, order, "已成团待发货")
        play.tell_messages(phone, order)
    play.until_order(zhixia, held, "已关闭")
    group = play.group(group_id)
    expect((group["seats_total"], group["seats_paid"]) == (3, 2), "3 人团，2 人成团")
    play.tell("系统", f"到截止时间已满 2 人：成团；{zhixia.name}的订单已关闭，没有扣款")


def free_the_leader(play: Play) -> None:
    """The group forms: what the goods cost who opened it goes back, and the order is shipped."""
    play.act("免单 团长免单", "成团后自动退还团长的商品金额，订单照常发货")
    xiaoman, xingyuan, _ = cast(play)
    offer = play.publish(MUSHROOM, seats=2, limit_per_order=1, leader_free=True)
    placed = play.open_group(xiaoman, MUSHROOM, offer)
    expect(placed.total_fen == offer.group_fen[0], "团长开团付全价")
    friend = join_and_pay(play, xingyuan, offer, placed.group_id)

    def rebate() -> Any:
        order = play.until_order(xiaoman, placed, "已成团待发货")
        return next((one for one in order["refunds"] if one["status"] == "succeeded"), None)

    back = play.until("团长的返还到账", rebate)
    told = f"{back['rebate_text']} {yuan(back['amount_fen'])} 已到账"
    expect(back["amount_fen"] == placed.total_fen - 1, "退回商品金额，包邮的留 ¥0.01")
    play.tell(xiaoman.name, f"{told}，订单照常：已成团待发货")
    play.tell_messages(xiaoman, placed)
    order = play.until_order(xingyuan, friend, "已成团待发货")
    expect(order["refunds"] == [], "参团的人照价付款")


def coupons_held(phones: list[Phone]) -> list[tuple[str, str, str | None]]:
    """(buyer, state, the order that uses it) of every coupon of theirs."""
    return [
        (phone.name, one["state"], one["order_id"])
        for phone in phones
        for one in phone.api.get("/v1/me/coupons")["items"]
    ]


def _give_out(play: Play, **terms: Any) -> str:
    body = {"kind": "amount", "total": 100, "days": 7, **terms}
    made = play.staff.api.post("/v1/merchant/coupons", body, key=secrets.token_hex(16))
    play.tell("店主", f"发放「{made['name']}」：{made['words']}，共 {made['total']} 张")
    return str(made["template_id"])


def _counted(play: Play, template_id: str) -> Any:
    row = play.staff.api.get(f"/v1/merchant/coupons/{template_id}")
    return row if row["orders"] else None


def lines_of(quote: Any) -> str:
    """What makes the price, line by line."""
    return "，".join(f"{it['text']} {_signed(it['amount_fen'])}" for it in quote["price_lines"])


def _signed(fen: int) -> str:
    return f"-{yuan(-fen)}" if fen < 0 else yuan(fen)


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise StoryFailed(f"应当：{what}")
