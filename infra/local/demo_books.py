"""The books after the story: what the gateway says, what the shop says, and whether they agree."""

from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.money import yuan
from infra.local import demo_points
from infra.local.demo_play import Play, Staged
from infra.local.demo_prices import coupons_held
from infra.local.demo_story import CLIENTS, RACER, RACERS, Race
from infra.local.printing import say, table

ORDER_ID_LENGTH = 30  # of an out_trade_no
TO_SHIP = "fulfilling"
SOLD = (TO_SHIP, "shipped", "completed")


@dataclass(frozen=True)
class Entry:
    """One order: the shop's record beside the gateway's."""

    act: str
    buyer: str
    order: Any
    captured_fen: int
    refunded_fen: int
    refunding_fen: int
    told: tuple[str, ...]  # the keys of its messages

    @property
    def kept_fen(self) -> int:
        return self.captured_fen - self.refunded_fen - self.refunding_fen

    @property
    def owed_fen(self) -> int:
        """What the shop may keep: the price of what it will ship, without what goes back of it."""
        if self.order["status"] not in SOLD:
            return 0
        back_fen = sum(one["amount_fen"] for one in self.order["refunds"])
        return int(self.order["total_fen"] - back_fen)

    @property
    def rebates(self) -> list[Any]:
        """What goes back of the price by the terms of its group, or of all groups together."""
        return [one for one in self.order["refunds"] if one["rebate_text"]]

    @property
    def rebate_fen(self) -> int:
        return sum(one["amount_fen"] for one in self.rebates)


@dataclass(frozen=True)
class Books:
    entries: list[Entry]
    strangers: list[str]  # trades at the gateway that no order knows
    groups: list[tuple[Staged, Any]]
    stock: list[tuple[str, str, int, int]]  # (sku_id, in words, at the start, left now)
    sold: Counter[str]  # units by sku_id
    to_ship: frozenset[str]  # order ids that staff see
    coupons: list[tuple[str, str, str | None]]  # (buyer, state, the order that uses it)
    points: dict[str, Any]  # the account of each buyer

    @property
    def racers(self) -> int:
        """How many buyers of the race have an order; 0 without a race."""
        return len({entry.buyer for entry in self.entries if entry.buyer.startswith(RACER)})


@dataclass(frozen=True)
class Check:
    law: str
    broken: list[str]  # what breaks it; empty when it holds


def take(play: Play) -> Books:
    """Read everything anew: orders by their buyers, stock and shipments by staff, the ledger."""
    trades = defaultdict(list)
    for trade in play.system.wechat_control.get("/_local/ledger")["trades"]:
        trades[trade["out_trade_no"][:ORDER_ID_LENGTH]].append(trade)
    acts: dict[str | None, str] = {staged.group_id: staged.act for staged in play.groups}
    acts[None] = demo_points.EXCHANGE
    with ThreadPoolExecutor(CLIENTS // 2) as pool:
        of_each = pool.map(lambda phone: (phone, phone.orders()), play.phones)
        found = [(phone, order) for phone, orders in of_each for order in orders]
    entries = []
    for phone, order in found:
        paid = trades.pop(order["order_id"], [])
        entries.append(
            Entry(
                act=acts[order["group_id"]],
                buyer=phone.name,
                order=order,
                captured_fen=sum(trade["captured_fen"] for trade in paid),
                refunded_fen=sum(trade["refunded_fen"] for trade in paid),
                refunding_fen=sum(trade["refunding_fen"] for trade in paid),
                told=tuple(m["text_key"] for m in phone.messages(order["order_id"])),
            )
        )
    played = list(acts.values())
    entries.sort(key=lambda entry: played.index(entry.act))
    sold: Counter[str] = Counter()
    for entry in entries:
        if entry.order["status"] in SOLD:
            sold[entry.order["sku_id"]] += entry.order["quantity"]
    return Books(
        entries=entries,
        strangers=list(trades),
        groups=[(staged, _standing(play, staged)) for staged in play.groups],
        stock=_stock(play),
        sold=sold,
        to_ship=frozenset(order["order_id"] for order in play.staff.orders(TO_SHIP)),
        coupons=coupons_held(play.phones),
        points={phone.name: phone.points() for phone in play.phones},
    )


def checks(books: Books, race: Race | None, *, before: Books) -> list[Check]:
    """Every law, with what breaks it. race: if there was one. before: the books before callbacks
    were repeated."""
    raced = []
    if race is not None:
        law = f"{RACERS} 人抢 {race.seats} 个名额，恰好 {race.seats} 人占到"
        raced = [Check(law, _race(race))]
    entries = books.entries
    return [
        Check("每笔订单：收款 = 留存 + 退款，没有在途", _orders(entries, _unbalanced)),
        Check("没有名额的人，没有被扣钱，或已全额退回", _orders(entries, _charged)),
        Check("微信支付的每笔流水都有对应的订单", books.strangers),
        Check("订单里记的退款 = 微信支付退的款", _orders(entries, _misrecorded)),
        Check("成团的名额全部付清，未成团的一个不留", _seats(books)),
        Check("每个规格：期初库存 = 剩余 + 卖出", _shelves(books)),
        Check("店员看到的待发货 = 买家的待发货", _shipments(books)),
        Check("该收到的消息都收到了，没有相反的消息", _orders(entries, _mistold)),
        Check("每张券最多用于一笔有效订单，没成交的都退回了", _coupons(books)),
        Check("每位买家：积分余额 = 每条记录之和", demo_points.unbalanced(books.points)),
        Check(
            "每笔订单用去、退回、得到的积分 = 记录里的",
            demo_points.mistold(books.points, [(e.buyer, e.order) for e in entries]),
        ),
        *raced,
        Check("重复回调前后，账完全一样", [] if books == before else ["账有变化"]),
    ]


def show(books: Books) -> None:
    """Tables: every order's money, every SKU's units."""
    say("\n── 对账：微信支付的流水与商家的订单 ──\n")
    titles = ("幕", "买家", "商品", "订单状态", "微信收款", "微信退款", "商家留存")
    rows = [_row(entry) for entry in books.entries]
    sums = [sum(getattr(e, f"{k}_fen") for e in books.entries) for k in ("captured", "refunded")]
    kept = sum(entry.kept_fen for entry in books.entries)
    rows.append(("合计", "", "", "", *map(yuan, (*sums, kept))))
    shown = table(titles, rows, right={4, 5, 6})
    say("\n".join(f"  {line}" for line in shown))
    if books.racers:
        say(f"\n  其余 {RACERS - books.racers} 位抢购的买家没有占到名额，没有订单，也没有收款。")
    say("\n── 对账：库存 ──\n")
    units = [
        (name, str(start), str(left), str(books.sold[sku_id]))
        for sku_id, name, start, left in books.stock
    ]
    shown = table(("规格", "期初", "剩余", "卖出"), units, right={1, 2, 3})
    say("\n".join(f"  {line}" for line in shown))

    points = demo_points.table_of(books.points)
    if points:
        say("\n── 对账：积分 ──\n")
        say("\n".join(f"  {line}" for line in points))


def verdict(found: list[Check]) -> bool:
    """Say which laws hold; whether all do."""
    say("\n── 核对 ──\n")
    for check in found:
        say(f"  {'✗' if check.broken else '✓'} {check.law}")
        for what in check.broken:
            say(f"      {what}")
    return not any(check.broken for check in found)


def _row(entry: Entry) -> tuple[str, ...]:
    order = entry.order
    amounts = (yuan(f) for f in (entry.captured_fen, entry.refunded_fen, entry.kept_fen))
    words = (entry.act, entry.buyer, order["title"], order["status_text"])
    return (*words, *amounts)


def _standing(play: Play, staged: Staged) -> Any:
    """The group as anybody sees it, but for the time of day."""
    return {key: value for key, value in play.group(staged.group_id).items() if key != "now_s"}


def _stock(play: Play) -> list[tuple[str, str, int, int]]:
    """[(sku_id, in words, at the start, left)]."""
    found = []
    for staged in {staged.offer.activity_id: staged for staged in play.groups}.values():
        left = play.staff.available(staged.offer)
        for sku_id, sku in zip(staged.offer.sku_ids, staged.product.skus, strict=True):
            words = f"{staged.offer.title} {' / '.join(sku.specs.values())}"
            found.append((sku_id, words, sku.stock, left[sku_id]))
    return found


def _orders(entries: list[Entry], broken: Callable[[Entry], bool]) -> list[str]:
    return [f"{e.act} {e.buyer} {e.order['order_id']}" for e in entries if broken(e)]


def _unbalanced(entry: Entry) -> bool:
    return entry.refunding_fen != 0 or entry.kept_fen != entry.owed_fen


def _charged(entry: Entry) -> bool:
    seated = entry.order["status"] in SOLD
    return not seated and entry.captured_fen != entry.refunded_fen


def _misrecorded(entry: Entry) -> bool:
    refunds = entry.order["refunds"]
    done = sum(refund["amount_fen"] for refund in refunds if refund["status"] == "succeeded")
    others = len(refunds) - len(entry.rebates)
    return bool(done != entry.refunded_fen or others > 1)


def _mistold(entry: Entry) -> bool:
    """Formed is told to who gets goods, rebated to who gets part of their price back, refunded to
    who got money back otherwise, neither to others; each once, a rebate once for each."""
    seated, rebated = entry.order["status"] in SOLD, entry.rebate_fen > 0
    often = dict.fromkeys(("crowd_rebate", "rebated"), len(entry.rebates))
    return (
        ("formed" in entry.told) != (seated and entry.order["group_id"] is not None)
        or ("rebated" in entry.told) != rebated
        or ("refunded" in entry.told) != (entry.refunded_fen > entry.rebate_fen)
        or any(entry.told.count(key) > often.get(key, 1) for key in entry.told)
    )


def _seats(books: Books) -> list[str]:
    broken = []
    for staged, group in books.groups:
        members = [
            entry.buyer
            for entry in books.entries
            if entry.order["group_id"] == staged.group_id and entry.order["status"] in SOLD
        ]
        formed = group["status"] == "formed"
        wanted = group["seats_paid"] if formed else 0
        least = group["seats_least"] or group["seats_total"]
        full = wanted >= least if formed else group["status"] == "failed"
        if not full or len(members) != wanted or len(set(members)) != wanted:
            broken.append(f"{staged.act} {group['status']}：{'、'.join(members)}")
    return broken


def _shelves(books: Books) -> list[str]:
    return [
        f"{name}：{start} ≠ {left} + {books.sold[sku_id]}"
        for sku_id, name, start, left in books.stock
        if start != left + books.sold[sku_id]
    ]


def _shipments(books: Books) -> list[str]:
    bought = {e.order["order_id"] for e in books.entries if e.order["status"] == TO_SHIP}
    return sorted(bought ^ books.to_ship)


def _coupons(books: Books) -> list[str]:
    """Used coupons are of orders that are sold, each order has one at most, all others are good."""
    sold = {e.order["order_id"] for e in books.entries if e.order["status"] in SOLD}
    used = Counter(order_id for _, _, order_id in books.coupons if order_id)
    wrong = [f"{order_id}：{count} 张券" for order_id, count in used.items() if count > 1]
    wrong += [f"{order_id} 没有成交，却用着券" for order_id in used if order_id not in sold]
    return wrong + [
        f"{buyer}：{state}" for buyer, state, _ in books.coupons if state not in ("used", "usable")
    ]


def _race(race: Race) -> list[str]:
    wanted = Counter({"": race.seats, "group_full": RACERS - race.seats})
    return [] if race.answers == wanted else [f"得到的回答：{dict(race.answers)}"]
