"""How many of a buyer's points can be used for a purchase, and what it costs with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.points import PointsRule
from chalicelib.services.growth import points
from chalicelib.services.orders import deliveries
from chalicelib.services.orders.ordering import Quote
from chalicelib.text import Text


@dataclass(frozen=True)
class PointsChoice:
    """quote: the purchase with the points that are used. most: that can be used. refusal: why none
    can; None: some can."""

    rule: PointsRule
    balance: int
    most: int
    refusal: str | None
    quote: Quote


def of_buyer(
    merchant_id: str, ids: Sequence[str], plain: Quote, wanted: int, *, best: bool, now_s: int
) -> PointsChoice:
    """The purchase, which was quoted with its coupon and no points, with so many points of the
    person, or (best) with as many as can be used. ids: none without a session.

    Raises PointsRefused when so many cannot be used.
    """
    rule = points.rule(merchant_id, now_s)
    balance = points.balance(merchant_id, ids, now_s=now_s) if rule.on and ids else 0
    refusal = deliveries.points_refusal(plain.line, plain.price, rule)
    if refusal is None and not ids:
        refusal = "登录后可用积分"
    if refusal is None and balance < rule.for_yuan:
        refusal = Text("满 {step} 积分可用，你有 {balance}", step=rule.for_yuan, balance=balance)
    most = 0 if refusal else rule.usable(balance, plain.price.goods_fen)
    if wanted:
        if refusal:
            raise deliveries.points_refused(refusal)
        deliveries.check_points(plain.line, plain.price, rule, wanted)
        if wanted > balance:
            raise points.too_few(balance, wanted)
    used = wanted or (most if best else 0)
    if used:
        plain = deliveries.quoted(
            merchant_id,
            plain.line,
            replace(plain.purchase, points=used),
            coupon=plain.coupon,
            now_s=now_s,
        )
    return PointsChoice(rule, balance, most, refusal, plain)
