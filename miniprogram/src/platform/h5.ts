/** A phone's browser, WeChat's and Alipay's own included. */
import type { Config } from '@/config'
import { urlOf } from '@/routes'
import { keepAccessible } from './h5-accessible'
import type { PayOutcome, PayParameters, Platform } from './index'

interface WechatBridge {
  invoke(name: string, options: PayParameters, done: (answer: { err_msg: string }) => void): void
}

const ABORTED = 'AbortError'
const IN_WECHAT = /MicroMessenger/i.test(navigator.userAgent)
/** WeChat on an iPhone knows a page by the address that it came to first. */
const CAME_AT = location.href
const IN_ALIPAY = /AlipayClient/i.test(navigator.userAgent)

/** WeChat's bridge, which it puts into the page at some time after the page was loaded. */
function bridge(): Promise<WechatBridge> {
  const found = () => (window as unknown as { WeixinJSBridge?: WechatBridge }).WeixinJSBridge
  return new Promise((resolve) => {
    const ready = found()
    if (ready) resolve(ready)
    else document.addEventListener('WeixinJSBridgeReady', () => resolve(found() as WechatBridge), { once: true })
  })
}

async function paidInWechat(parameters: PayParameters): Promise<PayOutcome> {
  const wechat = await bridge()
  return new Promise((resolve) =>
    wechat.invoke('getBrandWCPayRequest', parameters, ({ err_msg }) => {
      if (err_msg.endsWith(':ok')) resolve('asked')
      else resolve(err_msg.endsWith(':cancel') ? 'cancelled' : 'refused')
    }),
  )
}

/** Open the page of a short link: the host sends /g/…, /a/… and /c/… to #/g/… and so on (infra/website.yaml).
 * What stands behind it was pasted with it: a full stop, a slash, a space. */
function readShortLink(): void {
  const [, kind, id, s] = /^#\/([gac])\/(\w+)(?:\/(\w+))?(?:\W.*)?$/.exec(location.hash) ?? []
  if (!kind) return
  const pages = { g: 'group', a: 'activity', c: 'coupons' } as const
  const page = urlOf(pages[kind as keyof typeof pages], { [kind]: id, s })
  history.replaceState(null, '', `${location.pathname}#${page}`)
}

/** uni-app draws no arrow back on a page that took another's place and has none behind it, as after a
 * reload: people would be stuck there. As any page that was opened, it gets one, which leads to the first page. */
function letReplacedPagesGoBack(): void {
  const replaceState = history.replaceState.bind(history)
  history.replaceState = (state: { __type__?: string } | null, ...others) =>
    replaceState(state?.__type__ ? { ...state, __type__: 'navigateTo' } : state, ...others)
}

readShortLink() // before the router looks
letReplacedPagesGoBack()
keepAccessible()

/** What Back closes; null: nothing is open. While a sheet is, an entry of its own stands in the history,
 * at the position of its page; it stays there when the sheet is closed otherwise, and Back skips it then. */
let closeOpen: (() => void) | null = null
let at = history.state as Entry | null

interface Entry {
  position?: number
  isOfSheet?: boolean
}

function goneBack(from: Entry | null, to: Entry): void {
  if (!from?.isOfSheet || to.isOfSheet || from.position !== to.position) return
  if (closeOpen) closeOpen()
  else history.back()
}

// Another link put into the address of an open shop: uni-app would show the page of that kind that it has
// already, with what that was opened with. Its own steps have a state.
addEventListener('popstate', ({ state }: { state: Entry | null }) => {
  if (state === null) return location.reload()
  const from = at
  at = state
  goneBack(from, state)
})

export const platform: Platform = {
  // The frames of the page with three phones (infra/local/h5_phones.py) have such names.
  phone: /^phone-\d$/.test(window.name) ? `${window.name}.` : '',

  async config() {
    const answer = await fetch('./config.json', { cache: 'no-store' })
    if (!answer.ok) throw new Error(`config.json: ${answer.status}`)
    return (await answer.json()) as Config
  },

  codesOf: 'wechat',

  loginCode: async () => null,

  authorizesBy: IN_WECHAT ? 'wechat_account' : IN_ALIPAY ? 'alipay' : null,

  offersLoginBy: IN_WECHAT || IN_ALIPAY ? null : 'alipay',

  knowsPhone: false,

  leaveFor: (address) => location.assign(address),

  returned() {
    const query = new URLSearchParams(location.search)
    const [code, state] = [query.get('code') ?? query.get('auth_code'), query.get('state')]
    if (!code || !state) return null
    history.replaceState(history.state, '', location.pathname + location.hash)
    return { code, state }
  },

  // Neither can be opened in the other's browser, and WeChat's payment page not inside WeChat.
  methods: IN_WECHAT ? ['wechat_pay'] : IN_ALIPAY ? ['alipay'] : ['wechat_pay', 'alipay'],

  channel: () => (IN_WECHAT ? 'official_account' : 'browser'),

  payerCode: async () => null,

  async pay(_method, parameters) {
    if (IN_WECHAT) return paidInWechat(parameters)
    if (!parameters.url) return 'refused'
    location.assign(parameters.url)
    return 'left'
  },

  askToNotify: null,

  sharesByCard: false,

  // Its SDK is for WeChat alone: nobody else loads it.
  offerCard: IN_WECHAT ? (card) => void import('./h5-wechat').then(({ offer }) => offer(card, CAME_AT)) : null,

  hasCodes: false,

  // Whoever closes the sheet has nothing more to do.
  shareLink: navigator.share
    ? (title, url) => navigator.share({ title, url }).then(() => true, (error: Error) => error.name === ABORTED)
    : null,

  chooseAddress: null,

  scan: null,

  saveFile(name, text) {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000) // some browsers read it late
  },

  // A browser shows and enlarges pictures by itself; uni-app's viewer would add 6 KB to the first load.
  showPictures: (urls, at) => void window.open(urls[at], '_blank', 'noopener'),

  onBack(close) {
    closeOpen = close
    if (!(history.state as Entry | null)?.isOfSheet) history.pushState({ ...history.state, isOfSheet: true }, '')
    at = history.state as Entry
    return () => {
      if (closeOpen === close) closeOpen = null
    }
  },

  isSinglePage: () => false,

  textScale: () => 1,
}
