"""What buyers are told, and how they invite others."""

import base64

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Refund, RefundStatus
from chalicelib.errors import OrderClosed
from chalicelib.services.groups import group_controls, settlement, shares
from chalicelib.services.orders import inbox, notifications
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.trade import OrderItem
from tests.api.test_message_templates import change
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import DAY_S, Buyer, MerchantFixture
from tests.fixtures.shares import visits
from tests.fixtures.shop import GRACE_S, LIFE_S, STAFF, ActivityIds, Shop
from tests.fixtures.stream_events import change_of, deliver


def deliver_changes(merchant: MerchantFixture, *order_ids: str) -> None:
    """The stream tells of these orders as they are now."""
    assert (
        deliver(merchant, *(change_of(merchant, merchant.stored_order(o)) for o in order_ids)) == []
    )


def titles_and_texts(buyer: Buyer) -> list[tuple[str, str]]:
    """(title, text) of the buyer's messages, the latest first."""
    return [(m["title"], m["text"]) for m in buyer.get("/v1/me/messages").body["items"]]


def test_payer_is_told_how_many_are_missing_and_the_others_when_it_is_one(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    deliver_changes(merchant, first)
    assert leader.messages() == ["opened"]
    idle, _ = merchant.join(activity, group_id)
    idle_order = merchant.stored_group(group_id).members.as_dict()[idle.buyer_id]
    idle.cancel(f"{idle.buyer_id}{idle_order}")
    member, second = merchant.member(activity, group_id)

    deliver_changes(merchant, second)

    assert leader.messages() == ["opened", "one_left"]
    assert member.messages() == ["waiting"]
    assert idle.messages() == []
    title = "周末三人团"
    assert titles_and_texts(leader) == [
        ("还差 1 人成团", f"「{title}」只差 1 人就成团了，快邀请好友吧。"),
        (
            "开团成功",
            f"「{title}」开团成功，还差 2 人成团。把链接发给好友，凑满就发货。",
        ),
    ]
    assert titles_and_texts(member) == [
        ("参团成功", f"「{title}」付款成功，还差 1 人成团。邀请好友更快成团。")
    ]


def test_nobody_is_said_to_be_missing_once_the_group_forms_at_its_deadline_anyway(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, seats_least=2, stock=10)
    own_words = {"opened": "{商品}还差 {还差人数} 人", "one_left": "只差 1 人"}
    change(merchant.owner(), own_words)
    group_id, leader, first = merchant.open_group(activity)
    deliver_changes(merchant, first)
    member, second = merchant.member(activity, group_id)

    deliver_changes(merchant, second)

    title = "周末三人团"
    assert titles_and_texts(leader) == [
        (
            "再来 1 人立即成团",
            f"「{title}」已满 2 人，到时成团；再来 1 人立即成团，快邀请好友吧。",
        ),
        ("开团成功", f"{title}还差 1 人"),
    ]
    assert titles_and_texts(member) == [
        ("参团成功", f"「{title}」付款成功，已满 2 人，到时成团；再来 1 人立即成团。")
    ]
    shared = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "link"}).body
    assert shared["title"].startswith("【再来1人立即成团】")


def test_messages_are_told_once_however_often_they_are_due(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    _, second = merchant.member(activity, group_id)

    for _ in range(3):
        deliver_changes(merchant, first, second)
    merchant.wait(600, every_s=300)

    assert leader.messages() == ["opened", "one_left"]


def test_nobody_is_told_to_wait_once_the_group_is_formed(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, leader, first = merchant.open_group(activity)
    member, second = merchant.member(activity, group_id)

    deliver_changes(merchant, first, second)
    assert [leader.messages(), member.messages()] == [[], []]
    merchant.run_jobs()
    deliver_changes(merchant, first, second)

    assert [leader.messages(), member.messages()] == [["formed"]] * 2
    assert titles_and_texts(leader) == [("拼团成功", "「周末三人团」拼团成功，商家开始备货。")]


def test_nobody_is_told_to_invite_others_after_the_deadline(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    _, leader, first = merchant.open_group(activity)

    merchant.clock.forward(DAY_S)
    deliver_changes(merchant, first)
    assert leader.messages() == []
    merchant.clock.forward(60)
    merchant.run_jobs(2)

    assert leader.messages() == ["failed", "refunded"]
    assert titles_and_texts(leader) == [
        ("退款已到账", "「周末三人团」的 ¥59.00 已原路退回，请在付款账户的账单中查看。"),
        (
            "未成团",
            "「周末三人团」这次没有拼成，¥59.00 已发起原路退款，无需操作。点开看看还能怎么拼。",
        ),
    ]


def test_late_payer_is_told_why_the_money_comes_back(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    buyer, order_id = merchant.join(activity, group_id)
    merchant.prepay(buyer, order_id)
    buyer.cancel(order_id)

    merchant.pay_in_spite(f"{order_id}01")
    merchant.run_jobs()

    assert titles_and_texts(buyer)[1] == (
        "名额已满，自动退款",
        "「周末三人团」付款成功，但名额已满或已超时。¥59.00 已发起原路退款，无需操作。",
    )


def test_member_who_never_paid_is_told_nothing_when_the_group_fails(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, _, _ = merchant.open_group(activity)
    merchant.clock.forward(DAY_S - 30)
    buyer, order_id = merchant.join(activity, group_id)

    merchant.clock.forward(90)
    merchant.run_jobs(2)

    assert buyer.status(order_id) == "closed"
    assert buyer.messages() == []


def test_messages_come_in_pages_the_latest_first(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    buyer, orders = merchant.buyer(), []
    for _ in range(3):
        _, _, order_id = merchant.open_group(activity, buyer)
        orders.append(order_id)
    for order_id in orders[::-1]:  # the oldest order's news are the latest
        merchant.clock.forward(10)
        deliver_changes(merchant, order_id)

    first = buyer.get("/v1/me/messages?limit=2").body
    second = buyer.get(f"/v1/me/messages?limit=2&next={first['next']}").body

    assert [m["order_id"] for m in first["items"] + second["items"]] == orders
    assert second["next"] is None
    assert merchant.buyer().get("/v1/me/messages").body == {"items": [], "next": None}


def test_messages_are_unread_until_the_buyer_has_seen_them(merchant: MerchantFixture) -> None:
    """By when they were told: news of what happened before the mark are news all the same."""
    activity = merchant.activity(seats=2, stock=10)
    buyer = merchant.buyer("小满")
    orders = [merchant.open_group(activity, buyer)[2] for _ in range(2)]
    deliver_changes(merchant, orders[0])
    [message] = buyer.get("/v1/me/messages").body["items"]
    profile = buyer.get("/v1/me/profile").body

    merchant.clock.forward(60)
    seen = buyer.put("/v1/me/messages/read", {"up_to_s": message["told_at_s"]}).body
    deliver_changes(merchant, orders[1])
    late = buyer.put("/v1/me/messages/read", {"up_to_s": 1}).body
    newest, oldest = buyer.get("/v1/me/messages").body["items"]
    merchant.clock.forward(1)
    ahead = buyer.put("/v1/me/messages/read", {"up_to_s": 9_999_999_999}).body
    _, _, third = merchant.open_group(activity, buyer)
    merchant.clock.forward(1)
    deliver_changes(merchant, third)

    assert profile == {
        "buyer_id": buyer.buyer_id,
        "name": "小满",
        "avatar": "",
        "unread_messages": 1,
        "phone": None,
        "to_accept": ["user", "privacy", "group_rules"],
    }
    assert message["unread"] is True
    assert [seen, late, ahead] == [{"unread_messages": n} for n in (0, 1, 0)]
    assert [newest["unread"], oldest["unread"]] == [True, False]
    assert newest["order_id"] == orders[1]
    assert buyer.get("/v1/me/profile").body["unread_messages"] == 1  # a mark is never ahead


@pytest.mark.parametrize("channel", ["friend", "chat", "moments", "poster", "qr", "link"])
def test_share_gives_a_path_a_link_and_codes(merchant: MerchantFixture, channel: str) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)

    reply = leader.post(f"/v1/groups/{group_id}/shares", {"channel": channel})

    assert reply.status == 201
    made = reply.body
    query = f"m={merchant.merchant_id}&g={group_id}&s={made['share_id']}"
    assert made["path"] == f"pages/group/group?{query}"
    assert made["link"] == f"https://shop.example.com/g/{group_id}/{made['share_id']}"
    assert made["scene"] == f"s={made['share_id']}"
    assert len(made["scene"]) <= 32
    assert made["title"] == "【还差2人】¥59.00 拼周末三人团"
    assert made["qr_svg"].startswith("<svg")
    png = base64.b64decode(made["qr_png"].removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG")


def test_share_of_a_group_that_is_over_says_nothing_of_missing_members(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    formed, leader, _ = merchant.open_group(activity)
    member = merchant.buyer()
    merchant.pay(member, member.join(activity, formed).body["order_id"])
    failed, other, _ = merchant.open_group(activity)
    merchant.clock.forward(86400 * 3)

    titles = [
        buyer.post(f"/v1/groups/{group_id}/shares", {"channel": "link"}).body["title"]
        for buyer, group_id in ((leader, formed), (other, failed))
    ]

    assert titles == ["¥59.00 拼周末三人团"] * 2


def test_visits_by_a_share_are_counted_once_per_visitor(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=3, stock=10)
    group_id, leader, _ = merchant.open_group(activity)
    share_id = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "chat"}).body["share_id"]
    path = f"/v1/merchants/{merchant.merchant_id}/shares/{share_id}/visits"

    replies = [
        merchant.visitor().post(path, {"visitor_id": visitor})
        for visitor in ("visitor-one", "visitor-two", "visitor-one")
    ]

    assert [reply.status for reply in replies] == [201] * 3
    expected = {"group_id": group_id, "activity_id": activity.activity_id, "share_id": share_id}
    assert [reply.body for reply in replies] == [expected] * 3
    share = shares.share_of(merchant.merchant_id, share_id)
    assert (share.channel, share.sharer_id) == ("chat", leader.buyer_id)
    assert visits(merchant.merchant_id, share_id) == 2
    _, order_id = merchant.join(activity, group_id, share_id=share_id)
    assert merchant.stored_order(order_id).share_id == share_id


def test_strangers_read_no_full_names(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=4, stock=10)
    group_id, _, _ = merchant.open_group(activity, merchant.buyer("欧阳团长"))
    merchant.join(activity, group_id, merchant.buyer("小红"))
    merchant.join(activity, group_id, merchant.buyer(""))
    path = f"/v1/merchants/{merchant.merchant_id}/groups/{group_id}"

    seats = merchant.visitor().get(f"{path}/page").body["seats"]

    assert merchant.visitor().get(path).body["leader_name"] == "欧*"
    assert (seats[0]["name"], seats[0]["is_leader"]) == ("欧*", True)
    assert sorted(seat["name"] for seat in seats[1:]) == ["小*", "拼友"]
    detail = f"/v1/merchants/{merchant.merchant_id}/activities/{activity.activity_id}"
    (joinable,) = merchant.visitor().get(detail).body["joinable_groups"]
    assert joinable["leader_name"] == "欧*"


def test_shop_spreads_an_activity_by_links_that_lead_to_it(merchant: MerchantFixture) -> None:
    activity = merchant.activity()
    path = f"/v1/merchant/activities/{activity.activity_id}/links"

    links = merchant.staff("service").get(path).body

    page = f"pages/activity/activity?m={merchant.merchant_id}&a={activity.activity_id}"
    link = f"https://shop.example.com/a/{activity.activity_id}"
    assert (links["path"], links["link"]) == (page, link)
    assert links["scene"] == f"a={activity.activity_id}"
    picture = base64.b64decode(links["qr_png"].removeprefix("data:image/png;base64,"))
    assert picture.startswith(b"\x89PNG")
    assert merchant.owner().get(f"/v1/merchant/activities/{new_id()}/links").status == 404


@pytest.fixture
def sold(shop: Shop) -> ActivityIds:
    return shop.activity(seats=4, product_stock=200)


@pytest.fixture
def leader(shop: Shop, sold: ActivityIds) -> OrderItem:
    """The paid order that opened a group."""
    order = shop.open(sold, shop.buyer())
    shop.pay(order)
    return shop.order(order.order_id)


def messages_of(shop: Shop, order: OrderItem) -> list[MessageItem]:
    return inbox.read(shop.merchant_id, [order.buyer_id], after=None, limit=10).messages


def keys(shop: Shop, order: OrderItem) -> list[str]:
    return [message.text_key for message in messages_of(shop, order)]


def test_member_of_a_group_that_staff_closed_meanwhile_does_not_wait(
    shop: Shop, leader: OrderItem
) -> None:
    def closed() -> None:
        group_controls.close_group(
            shop.merchant_id, str(leader.group_id), reason="原料短缺", staff=STAFF, now_s=shop.now_s
        )

    with interleaved(closed):
        notifications.tell_waiting(leader, now_s=shop.now_s)

    assert keys(shop, leader) == ["closed"]


def test_member_who_was_told_is_not_told_again(
    shop: Shop, sold: ActivityIds, leader: OrderItem
) -> None:
    notifications.tell_waiting(leader, now_s=shop.now_s)
    for _ in range(2):
        shop.pay(shop.join(sold, str(leader.group_id), shop.buyer()))

    notifications.tell_waiting(leader, now_s=shop.now_s + 60)

    assert [(one.facts["missing"], one.at_s) for one in messages_of(shop, leader)] == [
        (3, shop.now_s)
    ]


def test_who_bought_alone_or_waits_no_more_is_not_told_to_wait(
    shop: Shop, sold: ActivityIds, leader: OrderItem
) -> None:
    alone = shop.buy_alone(sold, shop.buyer())
    shop.pay(alone)

    notifications.tell_waiting(shop.order(alone.order_id), now_s=shop.now_s)
    notifications.tell_waiting(leader, now_s=shop.now_s + LIFE_S)

    assert (keys(shop, alone), keys(shop, leader)) == ([], [])


def test_refund_told_again_was_made_when_it_was_told_first(shop: Shop, leader: OrderItem) -> None:
    refund = Refund(RefundStatus.SUCCEEDED, leader.total_fen, at_s=shop.now_s)

    for later_s in (0, 60):
        notifications.tell_refunded(leader, "01F", refund, now_s=shop.now_s + later_s)

    assert [(one.text_key, one.at_s) for one in messages_of(shop, leader)] == [
        ("refunded", shop.now_s)
    ]


def test_who_paid_nothing_too_late_is_told_nothing(shop: Shop) -> None:
    """Nothing goes back of it, so its payment looks like one that took its seat."""
    sold = shop.activity(seats=3, price_fen=0)
    leader = shop.open(sold, shop.buyer())
    shop.ask(leader)
    group = shop.group(str(leader.group_id))
    shop.now_s += LIFE_S - 1
    late = shop.join(sold, group.group_id, shop.buyer())
    shop.now_s += GRACE_S + 1

    with (
        interleaved(lambda: settlement.decide_if_due(group, now_s=shop.now_s)),
        pytest.raises(OrderClosed),
    ):
        shop.ask(late)
    settlement.carry_out(shop.group(group.group_id), now_s=shop.now_s)

    assert (keys(shop, leader), keys(shop, late)) == (["failed"], [])
    assert shop.order(late.order_id).status == "closed"
