"""A page that stands in for phones: demo buyers side by side, each logged in at the H5 shop.

A frame keeps what it stores under its own name (miniprogram/src/platform/h5.ts), so that several
buyers fit into one browser.
"""

import json
import time
from collections.abc import Sequence

from infra.local.phone import Phone
from infra.local.websites import Extra, Files

PATH = "/phones.html"
SESSION_S = 7 * 86400
_PAGE = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>三部手机</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0; padding: 20px; font: 15px/1.5 system-ui, sans-serif; background: #8883 }
h1 { margin: 0; font-size: 20px }
p { margin: 4px 0 16px }
main { display: flex; gap: 24px; overflow-x: auto; padding-bottom: 12px }
section { flex: none }
h2 { margin: 0 0 8px; font-size: 15px; text-align: center }
form { display: flex; gap: 6px; margin: 0 0 8px }
input { flex: 1; min-width: 0; padding: 8px 12px; border: 1px solid #8888 }
button { padding: 0 14px; border: 0; background: #d42a20; color: #fff }
input, button { font: inherit; border-radius: 18px }
form + p { max-width: 395px; margin: 0 0 8px; font-size: 13px }
iframe { width: 375px; height: min(760px, calc(100vh - 285px)); border: 10px solid #222;
  border-radius: 32px; background: #fff }
</style>
<h1>三部手机，一起拼团</h1>
<p>每部手机登录了一位买家。在一部里开团、复制链接，粘贴到另一部的上面；付款页是本机替身，不会真的扣钱。<br>
短信不会真的发出：登录验证码在<a href="%(sms)s" target="_blank">短信替身</a>里看，\
成团、发货的提醒在<a href="%(messages)s" target="_blank">微信消息替身</a>里看。</p>
<main></main>
<script type="module" src="phones.js"></script>
</html>
"""
_SCRIPT = """const phones = %s
for (const [at, { name, session, path }] of phones.entries()) {
  const phone = `phone-${at + 1}`
  localStorage.setItem(`tuan.${phone}.session`, JSON.stringify({ type: 'object', data: session }))
  const section = document.createElement('section')
  const title = document.createElement('h2')
  title.textContent = name
  const frame = document.createElement('iframe')
  frame.name = phone
  frame.title = name
  frame.src = `./#${path}`
  const form = document.createElement('form')
  const link = document.createElement('input')
  link.placeholder = '粘贴好友发来的链接'
  link.setAttribute('aria-label', `${name}收到的链接`)
  const open = document.createElement('button')
  open.textContent = '打开'
  const hint = document.createElement('p')
  const howTo = '好友点「邀请好友」、「复制链接」后，粘贴到上面就能参团。'
  hint.textContent = howTo
  form.append(link, open)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const found = /https?:\\/\\/\\S+/.exec(link.value)
    const page = found && new URL(found[0])
    const isOurs = page && page.origin === location.origin
    if (isOurs) frame.contentWindow.location = page.href
    const why = link.value ? '没有找到本店的链接。' : '先粘贴好友发来的链接。'
    hint.textContent = isOurs ? howTo : why + howTo
    link.value = ''
  })
  section.append(title, form, hint, frame)
  document.querySelector('main').append(section)
}
"""


def files(phones: Sequence[Phone], group_id: str, *, sms: str, messages: str) -> Files:
    """The page and its script. The last of the phones looks at the group to join.

    sms, messages: the addresses of what would have been sent.
    """
    now_s = int(time.time())
    shown = [
        {
            "name": phone.name,
            "path": "/" if phone is not phones[-1] else f"/pages/group/group?g={group_id}",
            "session": {
                "token": phone.token,
                "buyer_id": "",
                "name": phone.name,
                "avatar": "",
                "expires_at_s": now_s + SESSION_S,
            },
        }
        for phone in phones
    ]
    script = _SCRIPT % json.dumps(shown, ensure_ascii=False)
    # The frames go on to the pay sheets, which other ports of this machine serve.
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
        "frame-src http://127.0.0.1:*"
    )
    return {
        PATH: Extra("text/html", _PAGE % {"sms": sms, "messages": messages}, policy),
        "/phones.js": Extra("text/javascript", script),
    }
