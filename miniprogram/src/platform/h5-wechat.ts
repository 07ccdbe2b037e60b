/** WeChat's browser shares a page from a menu of its own; what, its JS-SDK is told. */
import wx from 'weixin-js-sdk'
import { readWechatPage } from '@/api/shop'
import { accountWords } from '@/words-account'
import type { MenuCard } from './index'

const IS_IPHONE = /iPhone|iPad/.test(navigator.userAgent)
let allowed: Promise<void> | null = null
let latest: MenuCard

/** Share `card` from now on. came_at: the address that this page came to first. A shop that may not is
 *  shared as WeChat shares any page. */
export async function offer(card: MenuCard, came_at: string): Promise<void> {
  latest = card
  try {
    await (allowed ??= ask((IS_IPHONE ? came_at : location.href).split('#')[0] ?? ''))
  } catch {
    allowed = null
    return
  }
  if (latest !== card) return
  const shared = {
    title: card.title,
    link: [location.origin, ...card.at].filter(Boolean).join('/'),
    imgUrl: card.image,
    success: () => undefined,
  }
  wx.updateAppMessageShareData({ ...shared, desc: accountWords.invite.promise })
  wx.updateTimelineShareData(shared)
}

async function ask(url: string): Promise<void> {
  const { appid, timestamp_s, nonce, signature } = await readWechatPage(url)
  return new Promise((resolve, reject) => {
    wx.config({
      appId: appid,
      timestamp: timestamp_s,
      nonceStr: nonce,
      signature,
      jsApiList: ['updateAppMessageShareData', 'updateTimelineShareData'],
    })
    wx.ready(resolve)
    wx.error(reject)
  })
}
