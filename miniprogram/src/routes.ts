/** The pages, by name. Links of the server and of cards name the same paths: they never change. */
const PATHS = {
  home: '/pages/index/index',
  orders: '/pages/orders/orders',
  messages: '/pages/messages/messages',
  mine: '/pages/mine/mine',
  activity: '/pages/activity/activity',
  group: '/pages/group/group',
  order: '/pages/order/order',
  login: '/pages/login/login',
  search: '/trade/search/search',
  checkout: '/trade/checkout/checkout',
  payment: '/pages/payment/payment',
  coupons: '/growth/coupons/coupons',
  myCoupons: '/growth/mine/mine',
  couponCode: '/growth/code/code',
  myPoints: '/growth/points/points',
  pointsOffers: '/growth/offers/offers',
  pointsOffer: '/growth/offer/offer',
  myLevel: '/growth/level/level',
  myRewards: '/growth/rewards/rewards',
  myInvitations: '/growth/invitations/invitations',
  afterSale: '/after/requests/requests',
  askAfterSale: '/after/apply/apply',
  addresses: '/account/addresses/addresses',
  address: '/account/address/address',
  profile: '/account/profile/profile',
  shop: '/account/shop/shop',
  questions: '/account/questions/questions',
  agreements: '/account/agreements/agreements',
  settings: '/account/settings/settings',
} as const

export type PageName = keyof typeof PATHS
export type Query = Record<string, string | number | undefined>

const TABS: readonly string[] = [PATHS.home, PATHS.orders, PATHS.messages, PATHS.mine]

const TRY_MS = 20
const TRIES_MAX = 100

export function urlOf(page: PageName, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')
  return text ? `${PATHS[page]}?${text}` : PATHS[page]
}

export const to = (page: PageName, query: Query = {}) => open(urlOf(page, query), 'navigateTo')

export const replace = (page: PageName, query: Query = {}) => open(urlOf(page, query), 'redirectTo')

/** Go on to an address that was kept for later; home when it is none of our pages. */
export function resume(url: string, how: 'navigateTo' | 'redirectTo' = 'redirectTo'): Promise<void> {
  const known = Object.values(PATHS).some((path) => path === url.split('?')[0])
  return open(known ? url : PATHS.home, how)
}

/** One page back; home when the buyer came by a link and there is no page before this one. */
export async function back(): Promise<void> {
  if (getCurrentPages().length > 1) await uni.navigateBack()
  else await uni.switchTab({ url: PATHS.home })
}

/** Back to a page that lies beneath this one; where it does not, it takes this one's place. */
export async function backTo(page: PageName): Promise<void> {
  const before = getCurrentPages().map(({ route }) => `/${route}`)
  const at = before.lastIndexOf(PATHS[page])
  if (at >= 0) await uni.navigateBack({ delta: before.length - 1 - at })
  else await replace(page)
}

/** Open this page, the first of its visit, anew over the orders: going back from it leads there. It
 * gets `over` in its query, so that it need not be done again. */
export async function overOrders(page: PageName, query: Query): Promise<void> {
  await open(PATHS.orders, 'redirectTo')
  // A page that another covers before it is there would never learn that it is seen again.
  for (let tries = 0; tries < TRIES_MAX && `/${getCurrentPages().at(-1)?.route}` !== PATHS.orders; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, TRY_MS))
  }
  await to(page, { ...query, over: 1 })
}

/** The address of the page that is shown, with its query. */
export function thisPage(): string {
  const shown = getCurrentPages().at(-1) as
    | { route?: string; options?: Record<string, string>; $page?: { fullPath?: string } }
    | undefined
  if (shown?.$page?.fullPath) return shown.$page.fullPath
  const query = Object.entries(shown?.options ?? {}).map(([name, value]) => `${name}=${value}`)
  return `/${shown?.route ?? ''}${query.length > 0 ? `?${query.join('&')}` : ''}`
}

async function open(url: string, how: 'navigateTo' | 'redirectTo'): Promise<void> {
  const path = url.split('?')[0] ?? ''
  if (TABS.includes(path)) await uni.switchTab({ url: path })
  else if (how === 'navigateTo') await uni.navigateTo({ url })
  else await uni.redirectTo({ url })
}

/** What a page was opened with. A code's `scene` is encoded and holds `s=…`, `a=…` or `c=…`. */
export function queryOf(options: Record<string, unknown> | undefined): Record<string, string> {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(options ?? {})) given[name] = decoded(String(value))
  for (const part of (given.scene ?? '').split('&')) {
    const [name, value] = part.split('=')
    if (name && value) given[name] = value
  }
  return given
}

// H5 hands queries over decoded, mini-programs as they stand in the address.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
