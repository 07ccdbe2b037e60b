"""What keeps the tiers of a draft from being published; those of a group: activity_draft."""

from collections.abc import Iterator, Sequence

from chalicelib.domain.activity import Tier
from chalicelib.domain.money import yuan
from chalicelib.domain.product import Problem, trouble
from chalicelib.text import Text

CROWD_TIERS_MIN, CROWD_TIERS_MAX = 2, 6
CROWD_SEATS_MIN, CROWD_SEATS_MAX = 2, 1_000_000
CROWD_DAYS_MAX = 90  # what was paid on the first day can still be refunded on the last
CROWD_SKUS_MAX = 47  # with one more, its item makes the transaction of a publication too long


def of_crowd(
    tiers: Sequence[Tier], *, excluded: bool, skus: int, days: float, least_price_fen: int
) -> Iterator[Problem]:
    """excluded: the draft has tiers of its groups, or free leaders. days: that it runs."""
    if not tiers:
        return
    if excluded:
        yield trouble("crowd_tiers", "万人团不能和阶梯价、团长免单一起用，请关闭其中一个。")
    if not CROWD_TIERS_MIN <= len(tiers) <= CROWD_TIERS_MAX:
        words = Text(
            "万人团要有 {min} 到 {max} 档，请增减。", min=CROWD_TIERS_MIN, max=CROWD_TIERS_MAX
        )
        yield trouble("crowd_tiers", words)
    if skus > CROWD_SKUS_MAX:
        words = Text("万人团最多 {max} 个规格，请减少。", max=CROWD_SKUS_MAX)
        yield trouble("crowd_tiers", words)
    if days > CROWD_DAYS_MAX:
        words = Text(
            "万人团最长 {max} 天：时间太长，先买的人就退不回差价了。请提前结束时间。",
            max=CROWD_DAYS_MAX,
        )
        yield trouble("ends_at_s", words)
    before = Tier(CROWD_SEATS_MIN - 1, 0)
    for i, tier in enumerate(tiers):
        if not before.seats < tier.seats <= CROWD_SEATS_MAX:
            words = Text(
                "这一档的人数要在 {min} 到 {max} 之间，请修改。",
                min=before.seats + 1,
                max=CROWD_SEATS_MAX,
            )
            yield trouble(f"crowd_tiers[{i}].seats", words)
        yield from of_off(f"crowd_tiers[{i}].off_fen", tier, before, least_price_fen)
        before = tier


def of_off(field: str, tier: Tier, before: Tier, least_price_fen: int) -> Iterator[Problem]:
    """What is wrong with what a tier gives back of a unit, the tier `before` giving less."""
    if tier.off_fen <= before.off_fen:
        words = Text("每件返的金额要比上一档的 {before} 多，请修改。", before=yuan(before.off_fen))
        yield trouble(field, words)
    elif tier.off_fen >= least_price_fen:
        words = Text(
            "每件返的金额要低于最低的拼团价或团长价 {price}，请改小。", price=yuan(least_price_fen)
        )
        yield trouble(field, words)
