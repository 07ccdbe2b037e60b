"""The pay sheets of the local WeChat and Alipay: what their apps show, as pages for a phone.

Plain forms without a script, so that they work in every browser, in frames, and for tests.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.local.limits import LOOPBACK
from infra.local.wechat_http import Answer


@dataclass(frozen=True)
class Brand:
    name: str
    colour: str


WECHAT = Brand("微信支付", "#07c160")
ALIPAY = Brand("支付宝", "#1677ff")
_STYLE = """
*{box-sizing:border-box}
body{margin:0;background:#ededed;color:#191919;font:16px/1.6 system-ui,"Noto Sans SC",sans-serif}
header{padding:14px 16px;background:var(--brand);color:#fff;font-weight:600}
header small{float:right;font-weight:400}
main{max-width:430px;margin:24px auto;padding:28px 20px;background:#fff;text-align:center}
h1{margin:4px 0 20px;font-size:40px;line-height:1.2;font-variant-numeric:tabular-nums}
dl{margin:0 0 28px;border-top:1px solid #eee}
dl div{display:flex;justify-content:space-between;gap:16px;padding:10px 0;
border-bottom:1px solid #eee;text-align:left}
dt{color:#737373;white-space:nowrap}
dd{margin:0;overflow-wrap:anywhere;text-align:right}
button,a.back{display:block;width:100%;min-height:48px;padding:10px;border:0;border-radius:8px;
font:inherit;font-weight:600;text-decoration:none}
button{background:var(--brand);color:#fff}
a.back{margin-top:12px;background:#f2f2f2;color:#191919}
"""


def sheet(
    brand: Brand,
    *,
    shop: str,
    goods: str,
    amount_fen: int,
    action: str,
    fields: Mapping[str, str],
    back: str,
) -> Answer:
    """A payment that waits for its buyer. action, fields: what its button posts; back: where one
    who does not pay goes."""
    amount = f"{amount_fen // 100}.{amount_fen % 100:02d}"
    hidden = "".join(
        f'<input type="hidden" name="{_text(name)}" value="{_text(value)}">'
        for name, value in fields.items()
    )
    return _page(
        brand,
        f"<p>{_text(shop)}</p><h1>¥{amount}</h1>"
        f"<dl><div><dt>商品</dt><dd>{_text(goods)}</dd></div>"
        f"<div><dt>收款方</dt><dd>{_text(shop)}</dd></div></dl>"
        f'<form method="post" action="{_text(action)}">{hidden}<button>立即支付</button></form>'
        + _way_back(back, "取消"),
    )


def notice(brand: Brand, words: str, *, back: str = "", status: int = 200) -> Answer:
    """What the app says instead of a sheet, or after it."""
    return _page(brand, f"<p>{_text(words)}</p>" + _way_back(back, "返回商家"), status=status)


def is_local(address: str) -> bool:
    """Whether an address leads to a page of this machine: nowhere else may a browser be sent."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK


def _way_back(back: str, words: str) -> str:
    return f'<a class="back" href="{_text(back)}">{words}</a>' if back else ""


def _page(brand: Brand, content: str, *, status: int = 200) -> Answer:
    body = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{brand.name}（本机替身）</title>"
        f"<style>:root{{--brand:{brand.colour}}}{_STYLE}</style>"
        f"<header>{brand.name}<small>本机替身，不会真的扣钱</small></header>"
        f"<main>{content}</main></html>"
    )
    return Answer(status, body.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _text(text: str) -> str:
    return html.escape(text, quote=True)
