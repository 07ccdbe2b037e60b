/** An activity in words: what the form says beside itself, and what lists say of it. */
import { formatFen, roundYuan } from '@/format'
import { levelName, type Level } from '@/stores/levels'
import { t } from '@/words'
import { combinesOf, isPriced, tiersOf, type Draft, type DraftTier } from './draft'
import { isFlash } from './kinds'

export function cheapest<Sku extends { group_price_fen: number | null }>(skus: readonly Sku[]): Sku {
  return skus.reduce((low, sku) => ((sku.group_price_fen ?? Infinity) < (low.group_price_fen ?? Infinity) ? sku : low))
}

/** 满减 as buyers read it. */
export const reductionsOf = ({ reductions }: Draft): string[] =>
  reductions
    .filter((it) => it.from_fen && it.off_fen)
    .map(({ from_fen, off_fen }) => t('reduction.words', { least: roundYuan(from_fen), off: roundYuan(off_fen) }))

/** The lowest price for leaders; null when none pays less than who joins. */
export function leaderPrice({ hasLeaderPrices, skus }: Draft): number | null {
  const lower = skus.filter((sku) => sku.isOn && (sku.leader_price_fen || Infinity) < (sku.group_price_fen ?? 0))
  return hasLeaderPrices && lower.length ? Math.min(...lower.map((sku) => sku.leader_price_fen ?? 0)) : null
}

/** With how many a group forms at its deadline all the same; null: only with all. */
export const leastOf = ({ formsWithFewer, seats_least, seats_total }: Draft): number | null =>
  formsWithFewer && seats_least && seats_least < (seats_total ?? 0) ? seats_least : null

/** A tier as staff read it. */
export const tierWords = ({ seats, off_fen }: { seats: number; off_fen: number }): string => t('tier.words', { n: seats, off: formatFen(off_fen) })

/** A tier of all groups together. */
export const crowdWords = ({ seats, off_fen }: { seats: number; off_fen: number }): string => t('crowd.words', { n: seats, off: formatFen(off_fen) })

const written = (tiers: readonly DraftTier[]) => tiers.flatMap(({ seats, off_fen }) => (seats && off_fen ? [{ seats, off_fen }] : []))

/** What a unit of the cheapest SKU costs in the end with how many people, from the first tier on; empty without tiers or prices. varies: others cost more. */
export function ladderOf(draft: Draft): { seats: number; price_fen: number; varies: boolean }[] {
  const tiers = written(tiersOf(draft))
  if (!draft.seats_least || !tiers.length) return []
  return costing(draft, [{ seats: draft.seats_least, off_fen: 0 }, ...tiers])
}

/** The same of all groups together, from the first tier that gives something back on. */
export const crowdLadder = (draft: Draft) => costing(draft, written(draft.crowd_tiers))

function costing(draft: Draft, tiers: readonly { seats: number; off_fen: number }[]) {
  const prices = draft.skus.filter(isPriced).map((sku) => sku.group_price_fen ?? 0)
  if (!prices.length) return []
  const price = Math.min(...prices)
  const varies = price < Math.max(...prices)
  return tiers.map(({ seats, off_fen }) => ({ seats, price_fen: price - off_fen, varies }))
}

/** The most that forming a group costs the shop whose leader is free: the dearest unit; empty of another. */
export function givenToLeader({ leader_free, skus }: Draft): string {
  const prices = skus.filter(isPriced).map((sku) => sku.group_price_fen ?? 0)
  if (!leader_free || !prices.length) return ''
  return formatFen(Math.max(...prices))
}

/** What members of a failed group get: their money, and what is promised beside it. */
function refundWords({ compensation_id, compensation_kept, compensation_words: words, compensation_points: points }: Draft): string {
  const n = (points ?? 0).toLocaleString('zh-CN')
  if (compensation_id && compensation_kept) return points ? t('summary.refundBoth', { words, n }) : t('summary.refundCoupon', { words })
  return points ? t('summary.refundPoints', { n }) : t('summary.refund')
}

/** 「黄金会员」开 2 人团, row by row. */
const smallerGroups = (draft: Draft, levels: readonly Level[]): string[] =>
  draft.level_seats.flatMap(({ level, seats }) => (seats ? [t('summary.levelSeats', { name: levelName(levels, level), n: seats })] : []))

/** One sentence that tells a buyer's whole bargain; empty until there is a price. levels: of the shop's members. */
export function sentenceOf(draft: Draft, levels: readonly Level[]): string {
  const on = draft.skus.filter(isPriced)
  if (!on.length || !draft.seats_total || !draft.life_h) return ''
  const sku = cheapest(on)
  const price = sku.group_price_fen ?? 0
  const leader = leaderPrice(draft)
  const least = leastOf(draft)
  const given = givenToLeader(draft)
  const tiers = written(tiersOf(draft))
  const parts = [
    t('summary.seats', { n: draft.seats_total, h: draft.life_h }),
    least === null ? '' : t('summary.least', { n: least }),
    t(on.length > 1 ? 'summary.priceFrom' : 'summary.price', {
      price: formatFen(price),
      saved: formatFen(Math.max(0, sku.solo_price_fen - price)),
    }),
    leader === null ? '' : t(on.length > 1 ? 'summary.leaderFrom' : 'summary.leader', { price: formatFen(leader) }),
    given && t('summary.leaderFree', { sum: given }),
    ...tiers.map((it) => t('summary.reduction', { words: tierWords(it) })),
    draft.members_from ? t('summary.membersFrom', { name: levelName(levels, draft.members_from) }) : '',
    ...smallerGroups(draft, levels),
    draft.member_prices ? t('summary.memberPrices') : '',
    ...written(draft.crowd_tiers).map((it) => t('summary.reduction', { words: crowdWords(it) })),
    draft.new_buyers === 'nobody' ? '' : t(`summary.new.${draft.new_buyers}`),
    ...reductionsOf(draft).map((words) => t('summary.reduction', { words })),
    draft.coupons ? '' : t('summary.noCoupons'),
    draft.points ? t('summary.points') : '',
    draft.leader_points ? t('summary.leaderPoints', { n: draft.leader_points.toLocaleString('zh-CN') }) : '',
    draft.leader_coupon_id && draft.leader_coupon_kept ? t('summary.leaderCoupon', { words: draft.leader_coupon_words }) : '',
    draft.limit_per_buyer ? t('summary.limit', { n: draft.limit_per_buyer }) : '',
    combinesOf(draft) ? t('summary.combines') : '',
    isFlash(draft) ? t('summary.flash') : '',
    draft.per_minute ? t('summary.pace', { n: draft.per_minute }) : '',
    refundWords(draft),
  ]
  return parts.filter(Boolean).join('')
}
