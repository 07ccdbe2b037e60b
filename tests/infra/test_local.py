"""The local system: its data are what the API takes, its books find what is wrong, its story ends
well."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.domain.ids import new_id
from chalicelib.errors import WrongPassword
from chalicelib.services.people import staff
from infra import new_merchant
from infra.local import demo_books, demo_data, engine, jobs, pace
from infra.local.demo_books import Books, Entry
from infra.local.demo_play import Staged
from infra.local.demo_story import RACERS, Race
from infra.local.function_logs import complaint
from infra.local.printing import table
from infra.local.shop import Offer
from infra.package import ROOT
from tests.conftest import ON_DYNAMODB_LOCAL
from tests.fixtures.levels import have_levels
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.staff_logins import invite, log_in, staff_session

STORY_S = pace.patient(900)  # the stories take five minutes, and a clean clone packages first
RACE = Race(2, Counter({"": 2, "group_full": RACERS - 2}))


def test_demo_data_are_what_the_routes_take(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    assert have_levels(merchant, **demo_data.LEVELS).status == 200
    states = Counter[str]()
    categories: dict[str, str] = {}
    for position, name in enumerate(demo_data.CATEGORIES):
        made = owner.post(
            "/v1/merchant/categories",
            {"name": name, "position": position},
            Idempotency_Key=f"category-{position}",
        )
        assert made.status == 201, made.body
        categories[name] = made.body["category_id"]
        for product in demo_data.PRODUCTS:
            if product.category == name:
                states[_offered(merchant, product, categories[name])] += 1
    for n, body in enumerate(demo_data.coupon_bodies(categories)):
        given = owner.post("/v1/merchant/coupons", body, Idempotency_Key=f"coupon-{n}-of-the-demo")
        assert given.status == 201, given.body

    assert states == {"running": 10, "scheduled": 1, "": 1}


def test_demo_staff_can_log_in(merchant: MerchantFixture) -> None:
    for member in demo_data.STAFF:
        username, role, password = member["username"], member["role"], member["password"]
        first = invite(merchant, merchant.owner(), username, role)
        chosen = {"old_password": first, "new_password": password}
        assert (
            staff_session(merchant, username, first).put("/v1/merchant/me/password", chosen).status
            == 200
        )

        assert log_in(merchant, username, password).body["role"] == role


def test_operator_opens_a_shop_once(engine: str) -> None:
    merchant_id = new_id()
    new_merchant.open_shop(merchant_id, "果园", owner="boss", password="first-password")

    with pytest.raises(new_merchant.CannotOpen):
        new_merchant.open_shop(merchant_id, "果园", owner="boss", password="other-password")

    assert staff.login(merchant_id, "boss", "first-password", now_s=clock.now_s()).role == "owner"


def test_owner_who_has_forgotten_the_password_gets_a_first_one(engine: str) -> None:
    merchant_id = new_id()
    new_merchant.open_shop(
        merchant_id, "果园", owner="boss", password="first-password", must_change=True
    )
    assert staff.read(merchant_id, "boss").must_change

    password = new_merchant.reset_password(merchant_id, "boss")

    logged_in = staff.login(merchant_id, "boss", password, now_s=clock.now_s())
    assert logged_in.must_change
    with pytest.raises(WrongPassword):
        staff.login(merchant_id, "boss", "first-password", now_s=clock.now_s())
    with pytest.raises(new_merchant.CannotOpen, match="没有找到账号 nobody"):
        new_merchant.reset_password(merchant_id, "nobody")


def test_accounts_of_a_shop_are_written_over_what_is_there(engine: str, tmp_path: Path) -> None:
    ssm, prefix, file = _ssm(engine), f"/tuan/{new_id()}", tmp_path / "accounts.json"
    for app_id in ("2021000000000001", "2021000000000002"):
        file.write_text(json.dumps({"alipay": {"app_id": app_id}}))
        new_merchant.write_accounts(ssm, prefix, "m1", new_merchant._read_accounts(str(file)))

    kept = ssm.get_parameter(Name=f"{prefix}/merchants/m1/alipay", WithDecryption=True)
    content = json.loads(kept["Parameter"]["Value"])
    assert content["app_id"] == "2021000000000002"
    assert [one["account"] for one in content["history"]["earlier"]] == [""]
    first = ssm.get_parameter(Name=f"{prefix}/merchants/m1/alipay/first", WithDecryption=True)
    assert json.loads(first["Parameter"]["Value"])["app_id"] == "2021000000000001"
    file.write_text('{"paypal": {}}')
    with pytest.raises(
        new_merchant.CannotOpen, match="wechat-pay、wechat-login、wechat-account、alipay、sms"
    ):
        new_merchant._read_accounts(str(file))


def test_operator_is_told_of_a_short_password() -> None:
    with pytest.raises(new_merchant.CannotOpen, match="密码要有 10 到 128 个字符"):
        new_merchant.check_account("boss", "short")


def test_keys_of_a_stage_are_written_once(engine: str) -> None:
    ssm, prefix = _ssm(engine), f"/tuan/{new_id()}"
    new_merchant.write_stage_keys(ssm, prefix)
    first = ssm.get_parameter(Name=f"{prefix}/session-key", WithDecryption=True)
    new_merchant.write_stage_keys(ssm, prefix)

    again = ssm.get_parameter(Name=f"{prefix}/session-key", WithDecryption=True)
    assert again["Parameter"]["Value"] == first["Parameter"]["Value"]
    assert len(first["Parameter"]["Value"]) == 64


@pytest.mark.skipif(ON_DYNAMODB_LOCAL, reason="its streams are at another address")
def test_stream_is_carried_to_the_app(merchant: MerchantFixture) -> None:
    poller = jobs.Poller()
    activity = merchant.activity(seats=2)
    group_id, leader, order_id = merchant.open_group(activity)
    buyer, joined = merchant.join(activity, group_id)
    merchant.pay(buyer, joined)
    for _ in range(20):
        poller.poll()

    assert leader.order(order_id)["status_text"] == "已成团待发货"
    assert "formed" in buyer.messages()


def _points(kind: str, points: int) -> dict[str, Any]:
    """Of who has 58, by one entry."""
    entry = {"kind": kind, "points": points, "order_id": "o1"}
    return {"小满": {"balance": 58, "entries": [entry]}, "行远": {"balance": 0, "entries": []}}


def test_books_that_agree_break_no_law() -> None:
    assert _broken(_books()) == []


@pytest.mark.parametrize(
    ("entry", "law"),
    [
        ({"captured_fen": 5800}, "每笔订单：收款 = 留存 + 退款，没有在途"),
        ({"refunding_fen": 100}, "每笔订单：收款 = 留存 + 退款，没有在途"),
        ({"captured_fen": 11800, "refunded_fen": 5900}, "订单里记的退款 = 微信支付退的款"),
        ({"told": ("failed",)}, "该收到的消息都收到了，没有相反的消息"),
    ],
)
def test_books_find_an_order_that_is_wrong(entry: dict[str, Any], law: str) -> None:
    books = _books()
    first, second = books.entries

    assert law in _broken(replace(books, entries=[replace(first, **entry), second]))


def test_books_find_money_taken_without_a_seat() -> None:
    books = _books()
    closed = {**books.entries[0].order, "status": "closed"}
    unseated = replace(books.entries[0], order=closed, told=())

    broken = _broken(replace(books, entries=[unseated, books.entries[1]]))
    assert "没有名额的人，没有被扣钱，或已全额退回" in broken
    assert "成团的名额全部付清，未成团的一个不留" in broken


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"strangers": ["x"]}, "微信支付的每笔流水都有对应的订单"),
        ({"stock": [("s", "2 斤装", 10, 7)]}, "每个规格：期初库存 = 剩余 + 卖出"),
        ({"to_ship": frozenset()}, "店员看到的待发货 = 买家的待发货"),
        ({"coupons": [("小满", "used", "o9")]}, "每张券最多用于一笔有效订单，没成交的都退回了"),
        ({"coupons": [("小满", "used", "o1")] * 2}, "每张券最多用于一笔有效订单，没成交的都退回了"),
        ({"points": _points("granted", 57)}, "每位买家：积分余额 = 每条记录之和"),
        ({"points": _points("earned", 58)}, "每笔订单用去、退回、得到的积分 = 记录里的"),
    ],
)
def test_books_find_what_is_wrong_beside_the_orders(change: dict[str, Any], law: str) -> None:
    assert _broken(replace(_books(), **change)) == [law]


def test_books_find_a_third_winner() -> None:
    race = Race(2, Counter({"": 3, "group_full": RACERS - 3}))

    assert _broken(_books(), race) == [f"{RACERS} 人抢 2 个名额，恰好 2 人占到"]


def test_table_stands_in_line_with_chinese() -> None:
    assert table(("名", "数"), [("草莓", "3"), ("tea", "12")], right={1}) == [
        "名    数",
        "────  ──",
        "草莓   3",
        "tea   12",
    ]


def test_only_complaints_of_functions_are_shown() -> None:
    assert complaint('{"level": "INFO", "message": "hello"}') == ""
    assert complaint("START RequestId: 1") == ""
    assert complaint("Task timed out after 10.00 seconds\n").startswith("Task timed out")
    error = '{"level": "ERROR", "function_name": "f", "message": "m", "exception": "Traceback"}'
    assert complaint(error) == "ERROR f m\nTraceback"


@pytest.mark.by_the_clock
def test_the_stories_end_with_whole_books() -> None:
    story = subprocess.run(
        [sys.executable, "-m", "infra.local.demo", "all"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STORY_S,
    )

    assert story.returncode == 0, story.stdout + story.stderr
    assert "✓ 50 人抢 2 个名额，恰好 2 人占到" in story.stdout
    assert "✓ 每张券最多用于一笔有效订单，没成交的都退回了" in story.stdout
    assert "5 人领到，15 人得到回答" in story.stdout
    assert "到截止时间已满 2 人：成团" in story.stdout
    assert "成团返还 ¥8.00 已到账，实付 ¥110.00" in story.stdout
    assert "✓ 每笔订单用去、退回、得到的积分 = 记录里的" in story.stdout
    assert "退款 ¥20.00 已到账，退回 416 积分" in story.stdout
    assert "金卡会员安宁的团 2 人成团，两人都按会员价，各省 ¥3.00" in story.stdout


def _offered(merchant: MerchantFixture, product: demo_data.Product, category_id: str) -> str:
    """The state of the product's activity; empty when it has none."""
    owner, key = merchant.owner(), f"product-{product.name}"
    made = owner.post("/v1/merchant/products", product.body(category_id), Idempotency_Key=key)
    assert made.status == 201, made.body
    if product.activity is None:
        return ""
    sku_ids = [sku["sku_id"] for sku in made.body["skus"]]
    body = product.activity_body(
        product.activity, made.body["product_id"], sku_ids, now_s=merchant.now_s
    )
    published = owner.post("/v1/merchant/activities", body, Idempotency_Key=key)
    assert published.status == 201, published.body
    return str(published.body["state"])


def _ssm(endpoint: str) -> Any:
    return engine.client("ssm", endpoint)


def _books() -> Books:
    """A group of two that formed, and nothing else."""
    product = demo_data.STRAWBERRY
    offer = Offer("a", 1, "p", "三人团", 2, ("s",), (5900,))
    entries = [_entry("小满", "o1"), _entry("行远", "o2")]
    group = {"status": "formed", "seats_total": 2, "seats_least": 0, "seats_paid": 2}
    return Books(
        entries=entries,
        strangers=[],
        groups=[(Staged("第一幕", product, offer, "g"), group)],
        stock=[("s", "2 斤装", 10, 8)],
        sold=Counter({"s": 2}),
        to_ship=frozenset({"o1", "o2"}),
        coupons=[("小满", "used", "o1"), ("行远", "usable", None)],
        points=_points("granted", 58),
    )


def _entry(buyer: str, order_id: str) -> Entry:
    order = {
        "order_id": order_id,
        "group_id": "g",
        "status": "fulfilling",
        "total_fen": 5900,
        "refunds": [],
        "points_used": 0,
        "points_back": 0,
        "points_earned": 0,
    }
    return Entry("第一幕", buyer, order, 5900, 0, 0, ("waiting", "formed"))


def _broken(books: Books, race: Race = RACE) -> list[str]:
    """The laws that do not hold."""
    return [check.law for check in demo_books.checks(books, race, before=books) if check.broken]
