/** Coupons in words: on their ticket, in lists, in the audit log, in the sentence beside the form. */
import type { Coupon, CouponInput } from '@/api/coupons'
import { dateOf, formatFen, formatTime, roundYuan } from '@/format'
import { levelName, type Level } from '@/stores/levels'
import { language, t } from '@/words'

/** What decides how much is taken off, and of what. */
export type Terms = Pick<CouponInput, 'kind' | 'off_fen' | 'percent' | 'most_off_fen' | 'from_fen' | 'usable_for' | 'scope' | 'first_order' | 'level_from'>
type Lasting = Pick<CouponInput, 'from_s' | 'until_s' | 'days'>

/** 8.5 折 is 15% off. */
const discountOf = ({ percent }: Terms) => (language.value === 'en' ? 100 - percent : percent / 10)

/** In large type on the ticket; empty until it is written. */
export function valueOf(terms: Terms): string {
  if (terms.kind === 'amount') return terms.off_fen ? `¥${roundYuan(terms.off_fen)}` : ''
  return terms.percent ? t('coupon.discount', { n: discountOf(terms) }) : ''
}

export const thresholdOf = ({ from_fen }: Terms) =>
  from_fen ? t('coupon.threshold', { least: roundYuan(from_fen) }) : t('coupon.noThreshold')

export const capOf = ({ kind, most_off_fen }: Terms) =>
  kind === 'percent' && most_off_fen ? t('coupon.cap', { most: roundYuan(most_off_fen) }) : ''

/** What it takes off: 满 59 减 10; 8.5 折，最多减 20 元. */
export function offOf(terms: Terms): string {
  const least = roundYuan(terms.from_fen)
  const off = roundYuan(terms.off_fen)
  if (terms.kind === 'amount') return terms.from_fen ? t('reduction.words', { least, off }) : t('coupon.off', { off })
  const n = discountOf(terms)
  const words = terms.from_fen ? t('coupon.discountFrom', { least, n }) : t('coupon.discount', { n })
  return [words, capOf(terms)].filter(Boolean).join(t('batch.comma'))
}

export const useOf = ({ usable_for, scope, first_order, level_from }: Terms, levels: readonly Level[] = []) => [
  t(`coupon.for.${usable_for}`),
  t(`coupon.scope.${scope}`),
  ...(first_order ? [t('coupon.firstOrder')] : []), // those given out before there was a choice say nothing
  ...(level_from ? [t('coupon.ofLevel', { name: levelName(levels, level_from) })] : []),
]

/** Within a sentence. */
const useWords = (terms: Terms, levels?: readonly Level[]) => useOf(terms, levels).map((it) => it.toLowerCase())

export const termsWords = (terms: Terms) => [offOf(terms), ...useWords(terms)].join(t('batch.comma'))

/** Whole days are called by their dates. until_s is when they are good no more. */
export function lastsOf({ from_s, until_s, days }: Lasting): string {
  if (!until_s) return t('coupon.lastsDays', { n: days })
  const until = isMidnight(until_s) ? dateOf(until_s - 1) : formatTime(until_s).slice(0, 16)
  const from = isMidnight(from_s) ? dateOf(from_s) : formatTime(from_s).slice(0, 16)
  return from_s ? t('coupon.lastsFrom', { from, until }) : t('coupon.lastsUntil', { until })
}

const isMidnight = (at_s: number) => formatTime(at_s).endsWith('00:00:00')

/** What all of them together can take off; null: no bound, or nothing written yet. */
function mostOf({ kind, off_fen, most_off_fen, total }: CouponInput): number | null {
  return (kind === 'amount' ? off_fen : most_off_fen) * total || null
}

/** One sentence that tells the whole of it; empty until it takes something off. levels: of the shop's members. */
export function sentenceOf(input: CouponInput, levels: readonly Level[]): string {
  if (!valueOf(input)) return ''
  const [use = '', ...scope] = useWords(input, levels)
  const most = mostOf(input)
  const facts = {
    off: offOf(input),
    use,
    scope: scope.join(t('batch.comma')),
    lasts: lastsOf(input),
    total: input.total.toLocaleString('zh-CN'),
    each: input.per_buyer,
    given: givenOf(input),
  }
  const cost = most ? t('coupon.most', { sum: formatFen(most).replace(/\.00$/, '') }) : t('coupon.unbounded')
  return t('coupon.sentence', facts) + cost
}

/** No more can be claimed, and none come back. */
export const isOver = ({ state }: Pick<Coupon, 'state'>) => ['ended', 'withdrawn', 'revoked'].includes(state)

/** As lists tell it: of codes, none left to be written is no end; they are still to be used. */
export const stateOf = ({ state, given }: Pick<Coupon, 'state' | 'given'>) => (given === 'code' && state === 'gone' ? 'given_out' : state)

/** By the shop: codes are claimed by who has one. */
export const canBeGiven = ({ state, given }: Pick<Coupon, 'state' | 'given'>) => state === 'given_out' && given !== 'code'

/** How buyers come by them. */
export const givenOf = ({ given, points }: Pick<Coupon, 'given' | 'points'>) => {
  const way = t(`coupon.given.${given}`)
  return points ? t('coupon.givenFor', { way, n: points.toLocaleString('zh-CN') }) : way
}

/** Buyers claim them by themselves, where a link leads. */
export const isClaimed = ({ given }: Pick<Coupon, 'given'>) => given === 'public' || given === 'link'
