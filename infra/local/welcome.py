"""What a newcomer is told when the local system is up: addresses, logins, and a first purchase."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.domain.subscribe_message import PROMPT_MAX
from infra.local import console, demo_data, h5, h5_phones, pace, wechat_messages
from infra.local import system as system_ports
from infra.local.demo_data import (
    APPLE,
    BUYERS,
    HONEY,
    KIWI,
    MATSUTAKE,
    MERCHANT_ID,
    ORANGE,
    OWNER,
    PASSWORD,
    STRAWBERRY,
)
from infra.local.phone import Phone, Placed, log_in
from infra.local.printing import padded, say
from infra.local.shop import Offer
from infra.local.system import System
from infra.local.websites import Files

LONGEST_HOLD_S = 3600  # that a shop may choose: where the clock is fast, to leave time to pay
CALLBACKS_S = 30.0  # how long those of the first payments may take


@dataclass(frozen=True)
class DemoShop:
    """The shop with its first buyers: `inviting` is a group with one seat left, in `offer`.
    coupon_code: one that nobody has used."""

    offer: Offer
    inviting: Placed
    phones: tuple[Phone, ...]  # the last of them is not in the group yet
    coupon_code: str = ""


def fill(system: System, *, time_divisor: int = 1) -> DemoShop:
    """Open the shop with everything in it: goods, activities, people, groups under way."""
    staff = system.owner()
    staff.set_up(pay_by_s=LONGEST_HOLD_S if time_divisor > 1 else None)
    appid = system.wechat.new_account(MERCHANT_ID).wechat_login["appid"]
    templates = staff.use_subscribe_templates(system.wechat_control, appid)
    coupon_code = staff.give_coupons()
    staff.make_tags()
    offers = staff.offer_all(demo_data.PRODUCTS)
    xiaoman, xingyuan, zhixia = phones = tuple(
        log_in(system.api, system.local_gateways, MERCHANT_ID, f"demo-{code}", name)
        for code, name in BUYERS.items()
    )
    for code, phone in zip(BUYERS, phones, strict=True):  # as in the mini-program, after a payment
        system.wechat.server_api.agree_as(code, templates)
        for asked in (templates[:PROMPT_MAX], templates[PROMPT_MAX:]):
            phone.api.post("/v1/me/subscriptions", {"template_ids": asked})
        phone.api.post("/v1/me/addresses", demo_data.address(phone.name))
    inviting = xiaoman.buy(lambda: xiaoman.open(offers[STRAWBERRY.name]))
    xingyuan.buy(lambda: xingyuan.open(offers[ORANGE.name], sku=1))
    formed = zhixia.buy(lambda: zhixia.open(offers[HONEY.name]))
    apples = zhixia.buy(lambda: zhixia.open(offers[APPLE.name], sku=1), "alipay")
    tiered = xiaoman.buy(lambda: xiaoman.open(offers[KIWI.name]))
    zhixia.open(offers[MATSUTAKE.name])  # not paid: seen by nobody else, and closed in ten minutes
    system.quiet(pace.patient(CALLBACKS_S))  # a group is seen when its leader's payment is known
    xingyuan.buy(lambda: xingyuan.join(offers[STRAWBERRY.name], inviting.group_id))
    xiaoman.buy(lambda: xiaoman.join(offers[HONEY.name], formed.group_id))
    xingyuan.buy(lambda: xingyuan.join(offers[HONEY.name], formed.group_id))
    xingyuan.buy(lambda: xingyuan.join(offers[APPLE.name], apples.group_id), "alipay")
    xingyuan.buy(lambda: xingyuan.join(offers[KIWI.name], tiered.group_id))
    zhixia.buy(lambda: zhixia.join(offers[KIWI.name], tiered.group_id))
    staff.give_points(inviting.order_id, demo_data.GIFT, "感谢你一直支持")
    staff.offer_for_points(offers[HONEY.name], **demo_data.FOR_POINTS)
    regretted = xiaoman.buy(lambda: xiaoman.buy_alone(offers[ORANGE.name]))
    system.quiet(pace.patient(CALLBACKS_S))
    words = "手快选错了规格，还没发货的话请退给我"
    xiaoman.ask_back(regretted, regretted.total_fen, "wrong_order", words)
    return DemoShop(offers[STRAWBERRY.name], inviting, phones, coupon_code)


def phones_page(system: System, demo_shop: DemoShop) -> Files:
    group_id, messages = demo_shop.inviting.group_id, system.wechat.base_url + wechat_messages.PAGE
    sms = system.sms.base_url
    return h5_phones.files(demo_shop.phones, group_id, sms=sms, messages=messages)


@dataclass(frozen=True)
class Sites:
    """Where the websites are; None: not built."""

    console: str | None
    h5: str | None


@contextmanager
def websites_beside(system: System, demo_shop: DemoShop) -> Iterator[Sites]:
    """The console and the buyers' shop of `system` for the length of the block."""
    config, console_port = console.config_of(system), system_ports.console_port(system.sms)
    web_port = urlsplit(system.web_url).port or 0
    with (
        console.CONSOLE.beside(config, port=console_port) as console_url,
        h5.H5.beside(config, port=web_port, files=phones_page(system, demo_shop)) as h5_url,
    ):
        yield Sites(console_url, h5_url)


def write_addresses(file: Path, system: System, demo_shop: DemoShop) -> None:
    """Where everything is, for programs: scripts, the buyers' client, the console."""
    addresses = {
        **console.config_of(system),
        "web": system.web_url,
        "wechat": system.wechat.base_url,
        "alipay": system.alipay.base_url,
        "appids": system.appids,
        "sms": system.sms.base_url,
        "aws": system.aws_url,
        "merchant_id": MERCHANT_ID,
        "staff": {"username": OWNER, "password": PASSWORD},
        "buyers": {phone.name: phone.token for phone in demo_shop.phones},
        "group_id": demo_shop.inviting.group_id,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(addresses, indent=1, ensure_ascii=False) + "\n")


def greet(
    system: System, demo_shop: DemoShop, sites: Sites, seconds: float, addresses: Path
) -> None:
    """Say where everything is. seconds: that it took to start."""
    shop = f"{system.api_url}/v1/merchants/{MERCHANT_ID}"
    say(f"\n「{demo_data.SHOP}」开门了，用了 {seconds:.1f} 秒。按 Ctrl-C 关门，数据不保留。\n")
    lines = {
        **({"买家商城": f"{sites.h5}（用手机号登录，验证码看短信替身）"} if sites.h5 else {}),
        **({"三部手机": f"{sites.h5}phones.html（三位买家已登录）"} if sites.h5 else {}),
        **({"商家后台": f"{sites.console}（账号见下）"} if sites.console else {}),
        "一个兑换码": f"{demo_shop.coupon_code}（我的 › 优惠券 › 使用兑换码）",
        "接口": f"{system.api_url}/v1",
        "接口说明": f"{system.api_url}/v1/openapi.json",
        "活动列表": f"{shop}/activities",
        "一个团": f"{shop}/groups/{demo_shop.inviting.group_id}",
        "微信替身": f"{system.wechat.base_url}/_local/ledger（每一笔收款和退款）",
        "订阅消息替身": f"{system.wechat.base_url}{wechat_messages.PAGE}（买家的微信会收到的）",
        "支付宝替身": f"{system.alipay.base_url}/_local/ledger",
        "短信替身": f"{system.sms.base_url}（登录验证码）",
        "本机 AWS": system.aws_url,
        "供程序读取": f"{addresses}",
    }
    for name, text in lines.items():
        say(f"  {padded(name, 14)}{text}")
    say("\n商家账号（登录商家后台，或接口 POST /v1/merchants/{商家编号}/staff-sessions）")
    say(f"  {padded('商家编号', 12)}{MERCHANT_ID}")
    for username, password, name in _logins():
        say(f"  {padded(name, 12)}{padded(username, 10)}{password}")
    say("\n买家令牌（请求头 Authorization: Bearer …）")
    for phone in demo_shop.phones:
        say(f"  {padded(phone.name, 12)}{phone.token}")
    say("\n".join(_first_purchase(system, demo_shop)))


def _logins() -> list[tuple[str, str, str]]:
    others = [(it["username"], it["password"], it["name"]) for it in demo_data.STAFF]
    return [(OWNER, PASSWORD, "店主"), *others]


def _first_purchase(system: System, demo_shop: DemoShop) -> list[str]:
    """Lines for a shell: the last seat of a group is taken, paid for, and the group is formed."""
    buyer, offer, group_id = demo_shop.phones[-1], demo_shop.offer, demo_shop.inviting.group_id
    seat = {
        "sku_id": offer.sku_ids[0],
        "address": demo_data.address(buyer.name),
        "activity_id": offer.activity_id,
        "version": offer.version,
    }
    return [
        f"\n试一试：{buyer.name}参加「{offer.title}」，付款后就成团。把下面几行粘贴到另一个终端：\n",
        f"API={system.api_url}",
        f"WECHAT={system.wechat.base_url}",
        f"ALIPAY={system.alipay.base_url}",
        f"TOKEN={buyer.token}",
        "",
        "# 1. 参团：占住名额",
        f"ORDER=$(curl -sS $API/v1/groups/{group_id}/seats \\",
        '  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\',
        f"  -d '{json.dumps(seat, ensure_ascii=False)}' \\",
        """  | sed 's/.*"order_id":"\\([^"]*\\)".*/\\1/'); echo "订单 $ORDER\"""",
        "",
        "# 2. 选付款方式：微信；用支付宝则改粘贴带 # 的那一行（去掉 #）",
        "METHOD=wechat_pay TILL=$WECHAT FIELD=prepay_id",
        "# METHOD=alipay TILL=$ALIPAY FIELD=url",
        "",
        "# 3. 要付款参数：微信的交给 wx.requestPayment，支付宝的是收银台网址，也可用浏览器打开来付",
        "ASKED=$(curl -sS $API/v1/orders/$ORDER/payments -d '{\"method\": \"'$METHOD'\"}' \\",
        '  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\',
        """  | sed -e 's/.*prepay_id=\\([^"]*\\)".*/\\1/' -e 's/.*"url":"\\([^"]*\\)".*/\\1/')""",
        'echo "付款参数 $ASKED"',
        "",
        "# 4. 在手机上付款：替身收钱，并带签名回调商家",
        'curl -sS $TILL/_local/pay -d "{\\"$FIELD\\": \\"$ASKED\\"}"; echo',
        "",
        "# 5. 看这个团（formed：已成团）、这个买家的消息",
        "sleep 2",
        f"curl -sS $API/v1/merchants/{MERCHANT_ID}/groups/{group_id}; echo",
        'curl -sS $API/v1/me/messages -H "Authorization: Bearer $TOKEN"; echo',
        "",
        "# 换一个买家：任何 demo-名字 都能登录，不用先注册",
        f"curl -sS $API/v1/merchants/{MERCHANT_ID}/sessions \\",
        """  -H "Content-Type: application/json" -d '{"code": "demo-wo"}'; echo""",
        "",
    ]
