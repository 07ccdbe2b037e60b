"""By whose shares a buyer came: what the server has seen, and nothing else."""

from chalicelib.domain.ids import new_id
from chalicelib.services.growth import touches
from tests.fixtures.merchant import DAY_S, Buyer, MerchantFixture
from tests.fixtures.merges import merge_into_an_older_one
from tests.fixtures.shares import TOUCHES, came, shared, visited


def told(buyer: Buyer) -> list[tuple[str, str, int]]:
    shown = buyer.get("/v1/me/data").body["touches"]
    return [(it["share_id"], it["channel"], it["last_at_s"] - it["at_s"]) for it in shown]


def test_visits_before_the_login_are_brought_with_their_times_and_go_with_the_account(
    merchant: MerchantFixture,
) -> None:
    group_id, leader, _ = merchant.open_group(merchant.activity(seats=3, stock=10))
    first, second = shared(leader, group_id), shared(merchant.buyer(), group_id, "moments")
    buyer = merchant.buyer()
    visitor_id = visited(merchant, first)
    seen_at_s = merchant.now_s
    merchant.clock.forward(DAY_S)
    for share_id in (second, first, first):
        visited(merchant, share_id, visitor_id)

    body = {"visitor_id": visitor_id, "share_ids": [second, first]}
    replies = [buyer.post(TOUCHES, body).status for _ in range(2)]

    assert replies == [200, 200]
    merchant.run_jobs()
    assert told(buyer) == [(first, "link", DAY_S), (second, "moments", 0)]
    (touch, _) = touches.of_person(merchant.merchant_id, [buyer.buyer_id])
    assert (touch.sharer_id, touch.at_s) == (leader.buyer_id, seen_at_s)
    merchant.check_laws()
    assert buyer.call("DELETE", "/v1/me/account").status == 200
    assert touches.of_person(merchant.merchant_id, [buyer.buyer_id]) == []
    again = buyer.post(TOUCHES, body)
    assert (again.status, again.code) == (401, "session_superseded")
    merchant.check_laws()


def test_what_the_server_has_not_seen_and_ones_own_share_are_no_touch(
    merchant: MerchantFixture,
) -> None:
    group_id, leader, _ = merchant.open_group(merchant.activity(seats=3, stock=10))
    share_id, buyer = shared(leader, group_id), merchant.buyer()
    visitor_id = visited(merchant, share_id)

    for said, shares in ((new_id(), [share_id]), (visitor_id, [new_id()])):
        reply = buyer.post(TOUCHES, {"visitor_id": said, "share_ids": shares})
        assert reply.status == 200, reply.body
    came(merchant, leader, share_id)
    wrong = buyer.post(TOUCHES, {"visitor_id": visitor_id, "share_ids": []})

    assert (wrong.status, wrong.code) == (400, "invalid_request")
    assert (told(buyer), told(leader)) == ([], [])


def test_touches_of_two_buyers_who_are_one_person_are_theirs(merchant: MerchantFixture) -> None:
    group_id, leader, _ = merchant.open_group(merchant.activity(seats=3, stock=10))
    shares = [shared(leader, group_id) for _ in range(3)]
    older, younger = merchant.buyer(), merchant.buyer()
    for buyer, share_id in zip((older, younger), shares, strict=False):
        came(merchant, buyer, share_id)

    person = merchant.session(merge_into_an_older_one(merchant, younger, older)())
    came(merchant, younger, shares[2])  # the other session is still open

    merchant.run_jobs()
    assert {share_id for share_id, *_ in told(person)} == set(shares)
    merchant.check_laws()
