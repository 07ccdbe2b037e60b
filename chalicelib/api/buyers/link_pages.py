"""What a shop's short links show before the client opens: a page for whoever draws a card of it.

Chats, search engines and WeChat read a page's HTML and run none of its scripts, so the title,
description and picture of what is shared have to stand in it, by the Open Graph protocol
(https://ogp.me). People are sent on to the client at once. infra/website.yaml leads short links
here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from chalice import Response

from chalicelib import clock
from chalicelib.api import group_shapes
from chalicelib.api.http import Api, Audience
from chalicelib.domain.activity import Terms
from chalicelib.domain.beijing import moment
from chalicelib.domain.coupon import terms_of
from chalicelib.domain.coupon_draft import CLAIMED
from chalicelib.domain.group import GroupStatus, shown_status
from chalicelib.domain.money import yuan
from chalicelib.errors import NotFound
from chalicelib.services import timeouts
from chalicelib.services.catalogue import catalogue_cache, coupon_templates
from chalicelib.services.orders import orders
from chalicelib.services.people import shop_cache
from chalicelib.settings import settings

api = Api(__name__)

NO_SHARE = "-"  # in the place of a share, for links that come by none
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    # A link that many open at once costs the API a request in so many seconds.
    "Cache-Control": "public, max-age=10",
}
PAGE = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{description}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="{shop}">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
{picture}<meta property="og:url" content="{link}">
<meta http-equiv="refresh" content="0; url={page}">
<p><a href="{page}">{title}</a></p>
"""
PICTURE = '<meta property="og:image" content="{image}">\n'


@dataclass(frozen=True)
class Card:
    """What is told of what a link leads to. image: its address; empty: none."""

    title: str
    description: str
    image: str = ""


@api.operation(
    "GET",
    "/merchants/{merchant_id}/links/{link_kind}/{target_id}/{share_id}",
    audience=Audience.PUBLIC,
    refusals=[NotFound],
)
def read_link(merchant_id: str, link_kind: str, target_id: str, share_id: str) -> Response:
    """The page of a short link: g, of a group; a, of an activity; c, of coupons. HTML.

    share_id: by which it came, or "-". What is gone has a page too, for the client says so."""
    card_of = CARDS.get(link_kind)
    if card_of is None:
        raise NotFound
    now_s = clock.now_s()
    shop = shop_cache.merchant(merchant_id, now_s).name
    try:
        card = card_of(merchant_id, target_id, now_s)
    except NotFound:
        card = Card(shop, "拼着买，更便宜。")
    path = f"{link_kind}/{target_id}" + ("" if share_id == NO_SHARE else f"/{share_id}")
    return Response(_page(card, shop, path), headers=dict(HEADERS))


def _group(merchant_id: str, group_id: str, now_s: int) -> Card:
    group = orders.find_group(merchant_id, group_id, consistent=False)
    if group is None or group.expires_at_s is None:  # not seen by others before its leader pays
        raise NotFound
    offer = catalogue_cache.version(merchant_id, group.activity_id, group.version)
    status = shown_status(group.view(), now_s=now_s, grace_s=timeouts.GRACE_S)
    told = {
        GroupStatus.FORMED: "这个团已经拼成，可以再开一个团。",
        GroupStatus.FAILED: "这个团没有拼成，款项原路退回，可以再开一个团。",
    }.get(status, f"{moment(group.expires_at_s)} 截止，没拼成自动退款。")
    title = group_shapes.card_title(offer, group, now_s=now_s)
    return Card(title, f"{_size(offer, group.seats_total)}{told}", offer.image)


def _activity(merchant_id: str, activity_id: str, now_s: int) -> Card:
    offer = catalogue_cache.terms_of(catalogue_cache.activity(merchant_id, activity_id, now_s))
    title = group_shapes.card_title(offer, None, now_s=now_s)
    return Card(title, f"{_size(offer, offer.seats_total)}没拼成自动退款。", offer.image)


def _coupons(merchant_id: str, template_id: str, now_s: int) -> Card:
    item = coupon_templates.read(merchant_id, template_id)
    if item.given not in CLAIMED:
        raise coupon_templates.missing()
    terms = terms_of(item.terms.as_dict())
    return Card(f"{item.name}：{terms.words}", f"{terms.scope_words}，点开领取。")


def _size(offer: Terms, seats: int) -> str:
    return f"{seats} 人团，单独买 {yuan(offer.cheapest.solo_price_fen)}。"


def _page(card: Card, shop: str, path: str) -> str:
    image = escape(card.image)
    return PAGE.format(
        title=escape(card.title),
        description=escape(card.description),
        shop=escape(shop),
        picture=PICTURE.format(image=image) if image else "",
        link=escape(f"{settings.web_url}/{path}"),
        page=escape(f"/#/{path}"),  # of the host that the link was opened at
    )


CARDS: Mapping[str, Callable[[str, str, int], Card]] = {
    "g": _group,
    "a": _activity,
    "c": _coupons,
}
