/** What a checkout is about: the SKU of an activity or of a group, and by which way it is bought. */
import { readPointsOffer } from '@/api/growth'
import { readActivity, readGroup, type Activity, type GroupPage, type Sku } from '@/api/shop'
import type { Limits, Way } from '@/choice'
import { isAssured, lackingOf, leastWords } from '@/progress'
import { now } from '@/state/clock'
import { sizeOf } from '@/tiers'
import { words } from '@/words'
import { accountWords } from '@/words-account'

/** From the address of the page. */
export interface Wanted {
  way: Way
  activity_id: string
  group_id: string
  share_id: string
  sku_id: string
  quantity: number
}

export interface Goods extends Limits {
  activity_id: string
  version: number
  title: string
  image: string
  sku: Sku | undefined
  deliveries: readonly string[]
  leader_free: boolean
  combines: boolean
  crowd: Activity['crowd']
  members_from: Activity['members_from']
  compensation: string
  compensation_points: number
  new_buyers: Activity['new_buyers']
  /** Of a group that the buyer opens, as the activity said; not told of one that is joined. */
  opens_seats?: number
  seats_total: number
  seats_least: number
  solo_on_sale: boolean
  /** Points that a unit takes, beside its price; 0: none. */
  points_each: number
  head: string
  note: string
}

export function wantedIn(query: Record<string, string>): Wanted {
  return {
    way: query.way === 'alone' || query.way === 'join' || query.way === 'points' ? query.way : 'open',
    activity_id: query.a ?? '',
    group_id: query.g ?? '',
    share_id: query.s ?? '',
    sku_id: query.sku ?? '',
    quantity: Math.max(1, Number(query.n) || 1),
  }
}

export async function goodsOf(wanted: Wanted): Promise<Goods> {
  const skuIn = (skus: readonly Sku[]) => skus.find((it) => it.sku_id === wanted.sku_id)
  if (wanted.way === 'join') {
    const group = await readGroup(wanted.group_id)
    const { progress } = group
    const head = accountWords.checkout.joining(progress.leader_name)
    return { ...group, ...progress, sku: skuIn(group.skus), points_each: 0, head, note: afterPaying(progress) }
  }
  if (wanted.way === 'points') return offerOf(wanted)
  const activity = await readActivity(wanted.activity_id)
  const isAlone = wanted.way === 'alone'
  return {
    ...activity,
    title: isAlone ? activity.product_title : activity.title, // as the order will have it
    sku: skuIn(activity.skus),
    points_each: 0,
    head: isAlone ? accountWords.checkout.alone : '',
    note: isAlone ? '' : accountWords.checkout.openFor(activity, now.value) + (activity.seats_least < activity.opens_seats ? leastOf(activity) : ''),
  }
}

/** Of a points offer: nothing of what groups promise. */
async function offerOf({ activity_id, sku_id }: Wanted): Promise<Goods> {
  const offer = await readPointsOffer(activity_id)
  const { spec, image, price_fen } = offer
  const prices = { list_price_fen: offer.solo_price_fen, solo_price_fen: price_fen, group_price_fen: price_fen, leader_price_fen: null }
  const sku: Sku = { sku_id: offer.sku_id, spec, image, ...prices, member_prices: [], solo_member_prices: [], left: null, sold_out: false }
  return {
    ...offer,
    activity_id,
    version: 0,
    sku: sku_id === offer.sku_id ? sku : undefined,
    leader_free: false,
    combines: false,
    crowd: null,
    members_from: null,
    compensation: '',
    compensation_points: 0,
    new_buyers: 'nobody',
    seats_total: 0,
    seats_least: 0,
    solo_on_sale: false,
    limit_per_order: offer.per_order,
    limit_per_buyer: offer.per_buyer,
    reductions: [],
    tiers: [],
    points_each: offer.points,
    head: accountWords.offers.head,
    note: '',
  }
}

/** What who opens a group of so many does. */
export const openingWords = (goods: Pick<Goods, 'seats_least' | 'tiers'>, seats_total: number): string =>
  accountWords.checkout.opening(sizeOf({ ...goods, seats_total }))

/** How the group stands once this order is paid. */
function afterPaying({ seats_least, seats_paid, seats_total }: GroupPage['progress']): string {
  const then = { seats_least, seats_paid: seats_paid + 1, seats_missing: seats_total - seats_paid - 1 }
  if (then.seats_missing <= 0) return accountWords.checkout.completes
  if (isAssured(then)) return `${accountWords.checkout.assures}，${leastWords(then)}`
  return accountWords.checkout.willMiss(lackingOf(then)) + leastOf(then)
}

const leastOf = ({ seats_least }: { seats_least: number }) => (seats_least ? `，${words.least.short(seats_least)}` : '')
