"""Exports over HTTP: asked for, written in the background, fetched by a link that expires."""

import csv
import io
import urllib.request
from typing import Any

import pytest

from chalicelib.api import auth
from chalicelib.domain import exports as domain
from chalicelib.domain.exports import KEPT_S
from chalicelib.domain.identity import Identity, Way
from chalicelib.gateways import object_storage
from chalicelib.services.people import identities
from chalicelib.services.reports import export_rows, exports
from chalicelib.services.work import due
from chalicelib.tables.exports import ExportItem
from chalicelib.tables.shop import StaffItem
from tests.fixtures.merchant import ADDRESS, DAY_S, Caller, MerchantFixture, Reply, concurrently
from tests.fixtures.shipping import ship
from tests.fixtures.stream_events import change_of, deliver

pytestmark = pytest.mark.slow

EXPORTS = "/v1/merchant/exports"
Table = list[dict[str, str]]


def ask(caller: Caller, subject: str = "orders", *columns: str, **more: Any) -> Reply:
    wanted = {"subject": subject, "columns": list(columns) or ["order_id", "status"]}
    return caller.post(EXPORTS, wanted | more)


def shown(caller: Caller, export_id: str) -> dict[str, Any]:
    body: dict[str, Any] = caller.get(f"{EXPORTS}/{export_id}").body
    return body


def fetched(caller: Caller, export_id: str) -> bytes:
    link = caller.post(f"{EXPORTS}/{export_id}/link")
    assert link.status == 200, link.body
    with urllib.request.urlopen(link.body["url"]) as answer:
        content: bytes = answer.read()
    return content


def table(content: bytes) -> Table:
    text = content.decode()
    assert text.startswith(domain.BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(domain.BOM))))


def let_be_found(merchant: MerchantFixture, *order_ids: str) -> None:
    """What the stream does for every new order."""
    for order_id in order_ids:
        assert deliver(merchant, change_of(merchant, merchant.stored_order(order_id))) == []


def exported(merchant: MerchantFixture, subject: str, *columns: str, **more: Any) -> Table:
    owner = merchant.owner()
    asked = ask(owner, subject, *columns, **more)
    assert asked.status == 201, asked.body
    merchant.run_jobs()
    assert shown(owner, asked.body["export_id"])["status"] == "done"
    return table(fetched(owner, asked.body["export_id"]))


def stored(merchant: MerchantFixture, export_id: str) -> ExportItem:
    key = ExportItem.at(merchant.merchant_id, export_id)
    return ExportItem.get(key.pk, key.sk, consistent_read=True)


def created_staff(merchant: MerchantFixture, **rights: str) -> Caller:
    """Somebody of customer service with other rights."""
    of = {"name": "小李", "role": "service", "rights": rights, "password_hash": ""}
    StaffItem.at(merchant.merchant_id, "xiaoli", **of).save()
    token, _ = auth.staff_token(merchant.merchant_id, "xiaoli", 1, now_s=merchant.now_s)
    return Caller(merchant.api_client, token)


@pytest.fixture
def orders(merchant: MerchantFixture) -> list[str]:
    """A formed group of two and one who waits; the first order is shipped."""
    activity = merchant.activity(seats=2)
    group_id, _, first = merchant.open_group(activity)
    _, second = merchant.member(activity, group_id)
    _, _, third = merchant.open_group(activity)
    merchant.run_jobs(2)
    assert ship(merchant, first, "SF1234567890123").status == 200
    let_be_found(merchant, first, second, third)
    return [first, second, third]


def test_orders_are_written_in_the_background_and_fetched_by_a_link(
    merchant: MerchantFixture, orders: list[str]
) -> None:
    owner = merchant.owner()
    columns = ("order_id", "status", "total", "captured", "name", "phone", "street", "tracking")

    asked = ask(owner, "orders", *columns)

    assert (asked.status, asked.body["status"], asked.body["may_fetch"]) == (201, "writing", False)
    export_id = asked.body["export_id"]
    early = owner.post(f"{EXPORTS}/{export_id}/link")
    assert (early.status, early.code) == (409, "conflict")
    merchant.run_jobs()
    done = shown(owner, export_id)
    assert (done["status"], done["rows"], done["cut"]) == ("done", 3, False)
    assert done["expires_at_s"] == merchant.now_s + KEPT_S
    rows = {row["系统单号"]: row for row in table(fetched(owner, export_id))}
    assert rows.keys() == set(orders)
    assert rows[orders[0]] == {
        "系统单号": orders[0],
        "状态": "已发货",
        "订单金额（元）": "59.00",
        "实收（元）": "59.00",
        "收件人": f"{ADDRESS['name'][0]}*",
        "收件电话": f"{ADDRESS['phone'][:3]}****{ADDRESS['phone'][-4:]}",
        "详细地址": "****",
        "快递单号": "SF1234567890123",
    }
    assert stored(merchant, export_id).due_at_s is None
    assert [one["export_id"] for one in owner.get(EXPORTS).body["items"]] == [export_id]


def test_who_exports_what_is_on_record_once_and_each_fetch_too(
    merchant: MerchantFixture, orders: list[str]
) -> None:
    owner = merchant.owner()
    range_ = {"from_s": merchant.now_s - DAY_S, "to_s": merchant.now_s}

    export_id = ask(owner, "orders", "order_id", "street", personal=True, **range_).body[
        "export_id"
    ]
    merchant.run_jobs(2)
    rows = table(fetched(owner, export_id))

    assert {row["详细地址"] for row in rows} == {ADDRESS["street"]}
    found = owner.get("/v1/merchant/audit?subject=export").body["items"]
    by_action = {(row["action"], row["staff"]): row["after"] for row in found}
    assert len(found) == len(by_action) == 2
    assert by_action["export_fetched", "owner"] == {"rows": 3}
    assert by_action["export_asked", "owner"] == {
        "subject": "orders",
        "columns": ["order_id", "street"],
        "personal": True,
        **range_,
    }


def test_recipients_in_full_and_money_need_their_rights_to_ask_and_to_fetch(
    merchant: MerchantFixture, orders: list[str]
) -> None:
    owner, service = merchant.owner(), merchant.staff("service")
    assert ask(service).code == "forbidden"
    clerk = created_staff(merchant, exports="act", recipients="none")
    assert ask(clerk).status == 201

    full = ask(clerk, "orders", "street", personal=True)
    money = ask(clerk, "movements", "at", from_s=merchant.now_s - DAY_S)

    assert full.body["details"] == {"right": "recipients:view"}
    assert money.body["details"] == {"right": "reconciliation:view"}
    made = ask(owner, "orders", "street", personal=True).body["export_id"]
    merchant.run_jobs()
    assert shown(clerk, made)["may_fetch"] is False
    assert clerk.post(f"{EXPORTS}/{made}/link").body["details"] == {"right": "recipients:view"}
    form = clerk.get(f"{EXPORTS}/form").body
    assert [one["subject"] for one in form["subjects"]] == ["orders", "customers", "members"]
    assert {one["name"]: one["personal"] for one in form["presets"]} == {
        "orders": False,
        "shipping": False,
        "customers": False,
        "members": False,
    }


def test_filters_are_those_of_the_order_list(merchant: MerchantFixture, orders: list[str]) -> None:
    other = merchant.open_group(merchant.activity(seats=2))[2]
    let_be_found(merchant, other)
    product_id = merchant.owner().get(f"/v1/merchant/orders/{other}").body["product_id"]

    by_status = exported(merchant, "orders", "order_id", order_status="paid")
    by_product = exported(merchant, "orders", "order_id", product_id=product_id)
    by_time = exported(merchant, "orders", "order_id", to_s=merchant.now_s - DAY_S)
    by_word = exported(merchant, "orders", "order_id", q=orders[1])

    assert {row["系统单号"] for row in by_status} == {orders[2], other}
    assert [row["系统单号"] for row in by_product] == [other]
    assert by_time == []
    assert [row["系统单号"] for row in by_word] == [orders[1]]


def test_accounts_have_a_row_for_each_movement_with_both_numbers(
    merchant: MerchantFixture, orders: list[str]
) -> None:
    _, buyer, given_back = merchant.open_group(merchant.activity(seats=2))
    assert buyer.cancel(given_back).status == 200
    merchant.wait(700, every_s=175)

    rows = exported(
        merchant,
        "movements",
        *("movement", "incoming", "outgoing", "number", "transaction_id", "order_id"),
        from_s=merchant.now_s - DAY_S,
    )

    assert sorted((row["类型"], row["收入（元）"], row["支出（元）"]) for row in rows) == [
        *[("买家付款", "59.00", "")] * 4,
        ("退款到账", "", "59.00"),
    ]
    order = merchant.owner().get(f"/v1/merchant/orders/{given_back}").body
    theirs = {row["类型"]: row for row in rows if row["系统单号"] == given_back}
    assert theirs["退款到账"]["商户单号"] == order["refunds"][0]["out_refund_no"]
    assert theirs["买家付款"]["商户单号"] == order["payments"][0]["out_trade_no"]
    transaction_id = order["payments"][0]["transaction_id"]
    assert {row["支付平台单号"].strip() for row in theirs.values()} == {transaction_id}


def test_customers_stand_once_with_all_that_they_bought(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=20, product_stock=30)
    buyer = merchant.buyer("林小满")
    for _ in range(3):
        bought = buyer.buy_alone(activity)
        merchant.pay(buyer, bought.body["order_id"])
        let_be_found(merchant, bought.body["order_id"])
        merchant.clock.forward(60)
    let_be_found(merchant, buyer.buy_alone(activity).body["order_id"])  # never paid
    let_be_found(merchant, merchant.open_group(activity)[2])

    rows = exported(merchant, "customers", "buyer", "orders", "captured", "first_at", "last_at")

    assert len(rows) == 2
    (row,) = [row for row in rows if row["买家昵称"] == "林小满"]
    assert (row["订单数"], row["实收（元）"]) == ("3", "297.00")
    assert row["首次下单"] < row["最近下单"]


def test_merged_customer_stands_once_with_what_they_bought_under_every_id(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=20, product_stock=30)
    one, other = merchant.buyer("林小满"), merchant.buyer("")
    for buyer in (one, other, one):
        bought = buyer.buy_alone(activity).body["order_id"]
        merchant.pay(buyer, bought)
        let_be_found(merchant, bought)
        merchant.clock.forward(60)
    phone = Identity(Way.PHONE, "13800138000")
    for buyer in (one, other):
        person = identities.prove(merchant.merchant_id, buyer.buyer_id, phone, now_s=merchant.now_s)

    rows = exported(merchant, "customers", "buyer_id", "buyer", "orders", "captured")

    wanted = {"买家编号": person.buyer_id, "买家昵称": "林小满", "订单数": "3"}
    assert rows == [wanted | {"实收（元）": "297.00"}]


def test_customer_is_looked_up_once_in_a_run_however_much_they_bought(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "PAGE", 1)
    activity, buyer = merchant.activity(stock=20, product_stock=30), merchant.buyer("林小满")
    for _ in range(3):
        bought = buyer.buy_alone(activity).body["order_id"]
        merchant.pay(buyer, bought)
        let_be_found(merchant, bought)
        merchant.clock.forward(60)
    looked_up: list[str] = []
    look_up = export_rows._paid_orders

    def counted(merchant_id: str, buyer_id: str, *more: Any) -> Any:
        looked_up.append(buyer_id)
        return look_up(merchant_id, buyer_id, *more)

    monkeypatch.setattr(export_rows, "_paid_orders", counted)
    rows = exported(merchant, "customers", "buyer", "orders")

    assert rows == [{"买家昵称": "林小满", "订单数": "3"}]
    assert looked_up == [buyer.buyer_id]


def test_more_than_a_few_at_a_time_are_refused(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    for _ in range(exports.OPEN_MAX):
        assert ask(owner).status == 201

    refused = ask(owner)

    assert (refused.status, refused.code) == (409, "limit_reached")
    merchant.run_jobs()
    assert ask(owner).status == 201


def test_no_more_than_a_few_are_asked_for_at_once(merchant: MerchantFixture) -> None:
    owner = merchant.owner()

    replies = concurrently([lambda: ask(owner)] * 12)

    asked = [reply for reply in replies if reply.status == 201]
    assert len(asked) == exports.OPEN_MAX
    assert {r.code for r in replies if r.status != 201} <= {"limit_reached", "busy"}
    merchant.check_laws(quiescent=False)


def test_file_of_an_expired_export_is_told_to_be_gone(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]
    merchant.run_jobs()
    merchant.clock.forward(KEPT_S)
    owner = merchant.owner()

    gone = owner.post(f"{EXPORTS}/{export_id}/link")

    assert (gone.status, gone.code) == (409, "conflict")
    assert shown(owner, export_id)["may_fetch"] is False


def test_file_is_nobodys_without_its_link(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]
    merchant.run_jobs()
    url = owner.post(f"{EXPORTS}/{export_id}/link").body["url"]

    assert "Signature" in url
    assert f"X-Amz-Expires={exports.LINK_S}" in url


def test_stream_starts_an_export_at_once(merchant: MerchantFixture, orders: list[str]) -> None:
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]

    assert deliver(merchant, change_of(merchant, stored(merchant, export_id))) == []

    assert shown(owner, export_id)["status"] == "done"


def continue_export(merchant: MerchantFixture, export_id: str) -> None:
    due.process_item(f"{merchant.merchant_id}#E#{export_id}", "export", now_s=merchant.now_s)


def test_run_that_ends_in_the_middle_is_gone_on_with(
    merchant: MerchantFixture, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "PAGE", 1)
    monkeypatch.setattr(exports, "PART_ROWS", 1)
    export_id = ask(merchant.owner()).body["export_id"]
    monkeypatch.setattr(exports, "RUN_S", 0)  # time for one step
    rows = []

    for _ in orders:
        continue_export(merchant, export_id)
        rows.append(shown(merchant.owner(), export_id)["rows"])
        assert not exports.read(merchant.merchant_id, export_id).read
        merchant.clock.forward(exports.NEXT_S)
    merchant.run_jobs()
    merchant.clock.forward(exports.NEXT_S)
    merchant.run_jobs()

    assert rows == [1, 2, 3]
    assert stored(merchant, export_id).due_at_s is None
    told = table(fetched(merchant.owner(), export_id))
    assert sorted(row["系统单号"] for row in told) == sorted(orders)


@pytest.mark.parametrize("at", ["put", "count", "put_in_parts", "finish"])
def test_run_that_dies_anywhere_is_gone_on_with(
    merchant: MerchantFixture, orders: list[str], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(export_rows, "PAGE", 1)
    monkeypatch.setattr(exports, "PART_ROWS", 1)
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]

    class Dead(BaseException):
        pass

    def die(*_: object, **__: object) -> Any:
        raise Dead

    with monkeypatch.context() as broken:
        if at in ("put", "put_in_parts"):
            broken.setattr(object_storage, at, die)
        else:  # it is taken up, and counts no part or all three
            lived = [exports._change] * {"count": 1, "finish": 4}[at]
            changes = iter([*lived, die])
            broken.setattr(exports, "_change", lambda *given: next(changes)(*given))
        with pytest.raises(Dead):
            continue_export(merchant, export_id)

    assert shown(owner, export_id)["status"] == "writing"
    continue_export(merchant, export_id)  # nobody else takes it up while it may be under way
    assert shown(owner, export_id)["status"] == "writing"
    merchant.clock.forward(exports.LEASE_S)
    merchant.run_jobs()
    assert shown(owner, export_id)["status"] == "done"
    assert sorted(r["系统单号"] for r in table(fetched(owner, export_id))) == sorted(orders)
    assert stored(merchant, export_id).due_at_s is None


def test_two_runs_at_once_write_one_file(merchant: MerchantFixture, orders: list[str]) -> None:
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]

    concurrently([lambda: continue_export(merchant, export_id)] * 4)

    assert shown(owner, export_id)["rows"] == 3
    assert sorted(r["系统单号"] for r in table(fetched(owner, export_id))) == sorted(orders)


def test_part_that_another_run_has_counted_is_counted_once(
    merchant: MerchantFixture, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that slept over its lease finds its part written by another."""
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]
    write = object_storage.put

    def slow(key: str, content: bytes) -> None:
        monkeypatch.setattr(object_storage, "put", write)
        merchant.clock.forward(exports.LEASE_S)
        continue_export(merchant, export_id)
        write(key, content)

    monkeypatch.setattr(object_storage, "put", slow)
    continue_export(merchant, export_id)

    assert (shown(owner, export_id)["status"], shown(owner, export_id)["rows"]) == ("done", 3)
    assert sorted(r["系统单号"] for r in table(fetched(owner, export_id))) == sorted(orders)


def test_export_that_never_gets_on_is_given_up(
    merchant: MerchantFixture, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]

    def broken(*_: object) -> None:
        raise ValueError

    with monkeypatch.context() as at_fault:
        at_fault.setattr(object_storage, "put", broken)
        for _ in range(exports.TRIES_MAX + 1):
            continue_export(merchant, export_id)
            merchant.clock.forward(exports.LEASE_S)

    assert shown(owner, export_id)["status"] == "failed"
    assert stored(merchant, export_id).due_at_s is None


def test_file_has_so_many_rows_at_most_and_says_so(
    merchant: MerchantFixture, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "ROWS_MAX", 2)
    owner = merchant.owner()
    export_id = ask(owner).body["export_id"]

    merchant.run_jobs()

    assert (shown(owner, export_id)["rows"], shown(owner, export_id)["cut"]) == (2, True)
    assert len(table(fetched(owner, export_id))) == 2


def test_large_file_is_put_together_of_parts(merchant: MerchantFixture) -> None:
    key = f"{object_storage.PREFIX}{merchant.merchant_id}/large/export.csv"
    pieces = [bytes([65 + n]) * (3 * 1024 * 1024) for n in range(5)]

    size = object_storage.put_in_parts(key, iter(pieces))

    assert size == 15 * 1024 * 1024
    assert object_storage.get(key) == b"".join(pieces)
