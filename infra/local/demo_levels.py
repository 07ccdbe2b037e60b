"""Acts of the demonstration about members' levels: how they are reached, what they give."""

from dataclasses import replace
from typing import Any

from chalicelib.domain.money import yuan
from infra.local import demo_data
from infra.local.demo_data import HONEY, POMEGRANATE
from infra.local.demo_play import Play
from infra.local.demo_points import received
from infra.local.demo_prices import expect, lines_of
from infra.local.demo_story import join_and_pay
from infra.local.phone import Phone, Placed

# Growth that the levels take: a bottle of honey is enough for the first, two for the second.
FROM = (60, 120, 1000)
RULE = demo_data.LEVELS | {
    "levels": [
        level | {"from_growth": least}
        for level, least in zip(demo_data.LEVELS["levels"], FROM, strict=True)
    ]
}
SILVER, GOLD, _ = (level["name"] for level in RULE["levels"])
FEWER = 2  # seats of a group that the second level opens
MEMBERS_ONLY: dict[str, Any] = {
    "title": "软籽石榴会员团",
    "starts_at_s": 0,
    "members_from": 1,
    "level_seats": [{"level": 2, "seats": FEWER}],
}


def become_members(play: Play) -> None:
    """Two orders of a group are received: their buyers grow, and have a level at once."""
    grown = f"每实付 1 元得 {RULE['per_yuan']} 成长值，拼成再得 {RULE['per_group']}"
    play.act("会员等级 收货后升级", f"{grown}，收货后计入；达到就升级")
    anning, heyan, _ = _people(play)
    offer = play.publish(HONEY, seats=2)
    two = play.open_group(anning, HONEY, offer, quantity=2)
    one = join_and_pay(play, heyan, offer, two.group_id)
    for phone, order, level in ((anning, two, GOLD), (heyan, one, SILVER)):
        play.until_order(phone, order, "已成团待发货")
        _grow(play, phone, order, level)


def open_a_group_for_members(play: Play) -> None:
    """Who is no member is told what is missing; a member pays the member's price, and the higher
    level opens the smaller group."""
    play.act(
        "会员团 会员价，人数也少", f"{SILVER}起才能参加，按会员价付；{GOLD}开的团 {FEWER} 人成团"
    )
    anning, heyan, shulan = _people(play)
    offer = play.publish(POMEGRANATE, **MEMBERS_ONLY)
    refused = shulan.try_to_open(offer)
    expect(refused.code == "members_only", "不是会员不能开团")
    play.tell(shulan.name, f"想开团，得到回答：{refused.body['message']}")
    quote = anning.quote(offer)
    expect(quote["unit_price_kind"] == "member", "会员价比拼团价低")
    play.tell(anning.name, f"结算：{lines_of(quote)}")
    placed = play.open_group(anning, POMEGRANATE, replace(offer, seats=FEWER))
    expect(placed.total_fen == quote["total_fen"], "付的就是结算时看到的")
    joined = join_and_pay(play, heyan, offer, placed.group_id)
    group = play.until(f"{FEWER} 人成团", lambda: _formed(play, placed.group_id))
    expect(group["seats_total"] == FEWER < offer.seats, "人数比别人开的团少")
    expect(joined.total_fen == placed.total_fen, "参团的会员付的也是会员价")
    saved = yuan(offer.group_fen[0] - joined.total_fen)
    play.tell("系统", f"{GOLD}{anning.name}的团 {FEWER} 人成团，两人都按会员价，各省 {saved}")


def _grow(play: Play, phone: Phone, placed: Placed, name: str) -> None:
    """The order is received, and its buyer has the level of that name."""
    received(play, phone, placed)
    level = phone.api.get("/v1/me/level")
    grown = placed.total_fen // 100 * RULE["per_yuan"] + RULE["per_group"]
    expect(level["growth"] == grown, f"成长值是 {grown}")
    expect(level["name"] == name, f"升到了{name}")
    play.tell(phone.name, f"成长值 {grown}，升为{name}；下一级{level['next']['words']}")


def _people(play: Play) -> list[Phone]:
    """Two who become members, and one who does not; none of them acts elsewhere."""
    names = {"member1": "安宁", "member2": "禾言", "guest": "书岚"}
    return [play.buyer(code, name) for code, name in names.items()]


def _formed(play: Play, group_id: str) -> Any:
    group = play.group(group_id)
    return group if group["status"] == "formed" else None
