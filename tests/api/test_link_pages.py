"""The pages of short links, as whoever draws a card of them reads them."""

from html.parser import HTMLParser

from tests.fixtures.coupons import given_out
from tests.fixtures.images import accepted
from tests.fixtures.merchant import DAY_S, MerchantFixture

WEB = "https://shop.example.com"


class Card(HTMLParser):
    """What stands in the head of a page, and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and (name := given.get("property") or given.get("http-equiv")):
            self.said[name] = given["content"] or ""
        assert tag not in {"script", "img", "b"}


def card_of(merchant: MerchantFixture, link: str) -> dict[str, str]:
    reply = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/links/{link}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return Card(reply.body).said


def test_link_of_a_group_tells_how_it_stands_and_leads_into_the_shop(
    merchant: MerchantFixture,
) -> None:
    picture = accepted(merchant.merchant_id)
    activity = merchant.activity(seats=2, stock=10, images=(picture,))
    group_id, leader, _ = merchant.open_group(activity)
    share_id = leader.post(f"/v1/groups/{group_id}/shares", {"channel": "link"}).body["share_id"]
    link = f"g/{group_id}/{share_id}"

    waiting = card_of(merchant, link)
    merchant.member(activity, group_id)
    formed = card_of(merchant, link)
    failing, _, _ = merchant.open_group(activity)
    merchant.clock.forward(3 * DAY_S)
    failed = card_of(merchant, f"g/{failing}/-")

    assert waiting["og:title"] == "【还差1人】¥59.00 拼周末三人团"
    assert waiting["og:description"].startswith("2 人团，单独买 ¥99.00。")
    assert waiting["og:description"].endswith("截止，没拼成自动退款。")
    assert waiting["og:image"] == picture
    assert waiting["og:url"] == f"{WEB}/{link}"
    assert waiting["refresh"] == f"0; url=/#/{link}"
    assert formed["og:title"] == failed["og:title"] == "¥59.00 拼周末三人团"
    assert formed["og:description"].endswith("这个团已经拼成，可以再开一个团。")
    assert failed["og:description"].endswith("款项原路退回，可以再开一个团。")
    assert failed["refresh"] == f"0; url=/#/g/{failing}"


def test_links_of_activities_and_coupons_tell_what_they_are_for(merchant: MerchantFixture) -> None:
    activity = merchant.activity(seats=2, stock=10)
    template_id = given_out(merchant, name='<b>"满减"&券')

    shown = card_of(merchant, f"a/{activity.activity_id}/-")
    coupon = card_of(merchant, f"c/{template_id}/-")

    assert shown["og:title"] == "¥59.00 拼周末三人团"
    assert coupon["og:title"] == '<b>"满减"&券：立减 10 元'
    assert coupon["og:description"].endswith("点开领取。")


def test_link_to_what_is_gone_or_not_seen_yet_still_leads_into_the_shop(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(seats=2, stock=10)
    unpaid = merchant.buyer().open(activity).body["group_id"]
    name = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}").body["name"]

    for link in (f"g/{unpaid}", "g/nosuchgroup", "a/nosuchactivity", "c/nosuchcoupon"):
        told = card_of(merchant, f"{link}/-")
        assert told["og:title"] == name
        assert told["refresh"] == f"0; url=/#/{link}"
    for wrong in ("x/1/-", "g/a.b/-"):
        path = f"/v1/merchants/{merchant.merchant_id}/links/{wrong}"
        assert merchant.visitor().get(path).code == "not_found"
