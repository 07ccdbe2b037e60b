/** What to buy, from an address; how many pieces can be bought in one order, and why no more. */
import type { Sku } from '@/api/shop'
import { fromYuan, lowest } from '@/format'
import type { Tier } from '@/tiers'
import { words } from '@/words'

/** How it is bought: who opens a group may pay less than who joins one. */
export type Way = 'open' | 'join' | 'alone' | 'points'

export function priceOf({ solo_price_fen, group_price_fen, leader_price_fen }: Sku, way: Way): number {
  if (way === 'alone' || way === 'points') return solo_price_fen
  return way === 'open' ? (leader_price_fen ?? group_price_fen) : group_price_fen
}

/** What members pay by level, where it is less than everybody does: 银卡会员 ¥57 · 金卡会员 ¥55 起; empty: nobody pays less.
 * Levels that pay the same are told of together: 银卡会员及以上 ¥57. */
export function memberPricesInWords(skus: readonly Sku[], way: Way): string {
  const lower = skus.flatMap((sku) =>
    (way === 'alone' ? sku.solo_member_prices : sku.member_prices).filter((it) => it.price_fen < priceOf(sku, way)),
  )
  const levels = [...new Map(lower.map(({ no, name }) => [no, name]))].sort(([one], [other]) => one - other)
  const told = levels.map(([no, name]) => {
    const prices = lower.filter((it) => it.no === no).map((it) => it.price_fen)
    const { fen, varies } = lowest(prices)
    return { name, price: fromYuan(fen, varies || prices.length < skus.length) }
  })
  return told
    .map(({ name, price }, at) => (price === told[at + 1]?.price ? { name: words.members.orHigher(name), price } : { name, price }))
    .filter(({ price }, at) => price !== told[at - 1]?.price)
    .map(({ name, price }) => words.members.price(name, price))
    .join(' · ')
}

export interface Choice {
  sku_id: string
  quantity: number
}

/** What an address asks to begin with. */
export const wishIn = ({ sku, n }: Record<string, string>): Choice | undefined =>
  sku ? { sku_id: sku, quantity: Math.max(1, Number(n) || 1) } : undefined

export interface Limits {
  /** Pieces of one order. */
  limit_per_order: number
  /** Pieces of the activity that one buyer may have in groups; 0: any number. */
  limit_per_buyer: number
  /** Of what the pieces of one order in a group cost. */
  reductions: readonly { text: string }[]
  /** What goes back of each piece, by how many people a group forms with. */
  tiers: readonly Tier[]
}

/** most: at least 1. why: what allows no more. buyer_left: of the buyer's own limit, where it is known. */
export function mostOf(sku: Sku, limits: Limits, alone: boolean, buyer_left: number | null = null): { most: number; why: string } {
  const says = words.activity
  const bounds = [{ most: limits.limit_per_order, why: says.perOrder(limits.limit_per_order) }]
  if (!alone) {
    if (sku.left !== null) bounds.push({ most: sku.left, why: says.onlyLeft(sku.left) })
    if (limits.limit_per_buyer > 0) bounds.push({ most: limits.limit_per_buyer, why: says.perBuyer(limits.limit_per_buyer) })
    if (buyer_left !== null) bounds.push({ most: buyer_left, why: words.checkout.limitLeft(buyer_left) })
  }
  const tightest = bounds.reduce((least, it) => (it.most <= least.most ? it : least))
  return { most: Math.max(1, tightest.most), why: tightest.why }
}

export const reductionsInWords = ({ reductions }: Pick<Limits, 'reductions'>): string => reductions.map(({ text }) => text).join('，')

/** Both limits, for who has not come to one of them yet. */
export function limitsInWords(limits: Limits, alone: boolean): string {
  const says = words.activity
  const perBuyer = !alone && limits.limit_per_buyer > 0 ? [says.perBuyer(limits.limit_per_buyer)] : []
  return [says.perOrder(limits.limit_per_order), ...perBuyer].join('，')
}
