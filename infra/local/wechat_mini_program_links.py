"""The local counterpart of mini-program codes and of the links that open one from outside WeChat.

WeChat's own code is a round one that nothing but WeChat reads. This one is a QR code of what it
carries, so that tests can read it back.
"""

import html
import io
import json
import re
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from infra.local.wechat_http import Answer, Call, Errcode

PAGES = Path(__file__).parents[2] / "miniprogram/src/pages.json"
SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
QUERY = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~%]{0,1024}")
WIDTHS = range(280, 1281)
DAYS = range(1, 31)
VERSIONS = ("release", "trial", "develop")
OPENED = "/url-link/"


class Codes:
    """released: whether WeChat has released the mini-programs; then all pages of the client's."""

    def __init__(self) -> None:
        self.released = True
        self.drawn_calls, self.link_calls = 0, 0
        self.drawn_for: dict[str, bytes] = {}  # by page and scene
        self._links: dict[str, str] = {}

    def drawn(self, appid: str, asked: dict[str, Any]) -> Answer:
        """wxacode.getUnlimited: a JPEG. Raises Errcode."""
        self.drawn_calls += 1
        scene, page = str(asked.get("scene", "")), str(asked.get("page", ""))
        if not SCENE.fullmatch(scene):
            raise Errcode(40169, "invalid length for scene, or the data is not json string")
        if asked.get("width", 430) not in WIDTHS or asked.get("env_version") not in VERSIONS:
            raise Errcode(40097, "invalid args")
        if asked.get("check_path", True) and not self._has(page):
            raise Errcode(41030, "invalid page")
        code = _qr(f"{appid}/{page}?scene={scene}", asked["width"])
        self.drawn_for[f"{page}?scene={scene}"] = code
        return Answer(200, code, {"Content-Type": "image/jpeg"})

    def link(self, appid: str, call: Call) -> dict[str, Any]:
        """urllink.generate. Raises Errcode."""
        self.link_calls += 1
        asked = call.json()
        path, query = str(asked.get("path", "")), str(asked.get("query", ""))
        if not self.released:
            raise Errcode(85079, "miniprogram has no online release")
        if not self._has(path):
            raise Errcode(40165, "invalid weapp pagepath")
        if not QUERY.fullmatch(query):
            raise Errcode(40212, "invalid query")
        if asked.get("expire_type") != 1 or asked.get("expire_interval") not in DAYS:
            raise Errcode(85401, "invalid expire_interval")
        link_id = secrets.token_urlsafe(8)
        self._links[link_id] = f"{appid}/{path}?{query}"
        url = f"http://{call.headers['host']}{OPENED}{link_id}"
        return {"errcode": 0, "errmsg": "ok", "url_link": url}

    def opened(self, call: Call) -> Answer | None:
        """The page of a link in a browser; None for another path."""
        if not call.path.startswith(OPENED):
            return None
        leads = self._links.get(call.path.removeprefix(OPENED))
        words = f"在微信中打开小程序：{leads}" if leads else "链接已失效"
        page = (
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>打开小程序</title>'
            f"<p>{html.escape(words)}</p></html>"
        )
        kind = {"Content-Type": "text/html; charset=utf-8"}
        return Answer(200 if leads else 404, page.encode(), kind)

    def _has(self, page: str) -> bool:
        return self.released and page in _pages()


@lru_cache(maxsize=1)
def _pages() -> frozenset[str]:
    """The pages of the buyers' client."""
    known = json.loads(PAGES.read_text())
    more = [
        f"{part['root']}/{one['path']}" for part in known["subPackages"] for one in part["pages"]
    ]
    return frozenset([one["path"] for one in known["pages"]] + more)


def _qr(text: str, width: int) -> bytes:
    import segno
    from PIL import Image

    png = io.BytesIO()
    segno.make(text, error="m", micro=False).save(png, kind="png", scale=8)
    drawn, code = Image.open(png).convert("RGB"), io.BytesIO()
    drawn.resize((width, width), Image.Resampling.NEAREST).save(code, "JPEG", quality=90)
    return code.getvalue()
