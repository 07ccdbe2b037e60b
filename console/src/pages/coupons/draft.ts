/** Coupons as the form holds them: defaults, what is wrong with them, and what is sent. */
import type { Coupon, CouponInput } from '@/api/coupons'
import type { Problem } from '@/api/errors'
import { DAY_S, dateOf, nowS, secondsOf } from '@/format'
import { t } from '@/words'
import { isClaimed } from './summary'

export const NAME_MAX = 20
export const SCOPE_MAX = 50
const TOTAL_MAX = 1_000_000
const PER_BUYER_MAX = 10
const DAYS_MAX = 365
const GRACE_MAX = 30
const POINTS_MAX = 1_000_000

export type Kind = CouponInput['kind']
export type Scope = CouponInput['scope']
export type Listed = Exclude<Scope, 'shop'>

export interface Draft {
  name: string
  kind: Kind
  off_fen: number | null
  tenths: string // 折: how many tenths of the price are still paid, as typed
  most_off_fen: number | null // 0: no cap
  from_fen: number | null // 0: no threshold
  usable_for: CouponInput['usable_for']
  scope: Scope
  ids: Record<Listed, string[]>
  first_order: boolean // of who is new to the shop
  level_from: number // of members from that level on; 0: of anybody
  given: CouponInput['given']
  total: number | null
  per_buyer: number | null
  lasts: 'days' | 'dates'
  days: number | null
  first: string // of a date input, Beijing; empty: at once
  last: string // the whole of that day included
  grace_days: number | null
  points: number | null // that one costs; 0: none
}

export function emptyDraft(): Draft {
  return {
    name: '',
    kind: 'amount',
    off_fen: null,
    tenths: '',
    most_off_fen: 0,
    from_fen: 0,
    usable_for: 'any',
    scope: 'shop',
    ids: { categories: [], products: [], activities: [] },
    first_order: false,
    level_from: 0,
    given: 'public',
    total: 100,
    per_buyer: 1,
    lasts: 'days',
    days: 7,
    first: '',
    last: dateOf(nowS() + 7 * DAY_S),
    grace_days: 3,
    points: 0,
  }
}

/** What is given out already, for looking at it or as the beginning of another. */
export function draftOf(coupon: Coupon): Draft {
  const { percent, scope, scope_ids, from_s, until_s, days, ...same } = coupon
  const empty = emptyDraft()
  const kept = Object.fromEntries(Object.entries(same).filter(([name]) => name in empty))
  return {
    ...empty,
    ...kept,
    scope,
    tenths: percent ? String(percent / 10) : '',
    ids: { ...empty.ids, ...(scope !== 'shop' && { [scope]: [...scope_ids] }) },
    lasts: until_s ? 'dates' : 'days',
    days: days || empty.days,
    first: from_s ? dateOf(from_s) : '',
    last: until_s ? dateOf(until_s - 1) : empty.last,
  }
}

/** What is paid of 100; null when that is not written as tenths with one decimal at most. */
export function percentOf(tenths: string): number | null {
  const found = /^([1-9])(?:\.(\d))?$/.exec(tenths.trim())
  return found ? Number(found[1]) * 10 + Number(found[2] ?? 0) : null
}

const beginOf = (date: string) => secondsOf(`${date}T00:00`)
const endOf = (date: string) => (beginOf(date) ?? -DAY_S) + DAY_S

/** What is sent: of what belongs to the kind, the scope and the validity chosen alone. */
export function inputOf(draft: Draft): CouponInput {
  const { kind, usable_for, scope, given } = draft
  const isAmount = kind === 'amount'
  const isDated = draft.lasts === 'dates'
  return {
    name: draft.name.trim(),
    kind,
    off_fen: isAmount ? (draft.off_fen ?? 0) : 0,
    percent: isAmount ? 0 : (percentOf(draft.tenths) ?? 0),
    most_off_fen: isAmount ? 0 : (draft.most_off_fen ?? 0),
    from_fen: draft.from_fen ?? 0,
    usable_for,
    scope,
    scope_ids: scope === 'shop' ? [] : draft.ids[scope],
    first_order: draft.first_order,
    level_from: draft.level_from,
    given,
    total: draft.total ?? 0,
    per_buyer: draft.per_buyer ?? 0,
    from_s: isDated && draft.first ? (beginOf(draft.first) ?? 0) : 0,
    until_s: isDated ? endOf(draft.last) : 0,
    days: isDated ? 0 : (draft.days ?? 0),
    grace_days: draft.grace_days ?? 0,
    points: isClaimed(draft) ? (draft.points ?? 0) : 0,
  }
}

type Check = [field: string, isWrong: boolean, problem: string]

/** Everything to change before it can be given out; the server checks all of it again. */
export function problemsOf(draft: Draft): Problem[] {
  return told([
    ...ofChange(draft, 0),
    ...(draft.kind === 'amount' ? ofAmount(draft) : ofPercent(draft)),
    ['from_fen', draft.from_fen === null, t('coupon.fromNeeded')],
    ['scope_ids', draft.scope !== 'shop' && !draft.ids[draft.scope].length, t('coupon.scopeNeeded')],
    ['scope_ids', draft.scope !== 'shop' && draft.ids[draft.scope].length > SCOPE_MAX, t('coupon.scopeMany', { max: SCOPE_MAX })],
    ...(draft.lasts === 'days' ? ofDays(draft) : ofDates(draft)),
    ['grace_days', draft.grace_days === null || draft.grace_days > GRACE_MAX, t('coupon.graceWrong', { max: GRACE_MAX })],
    ['points', isClaimed(draft) && (draft.points === null || draft.points > POINTS_MAX), t('coupon.pointsWrong', { max: POINTS_MAX.toLocaleString('zh-CN') })],
    ['per_buyer', !within(draft.per_buyer, PER_BUYER_MAX), t('coupon.perBuyerWrong', { max: PER_BUYER_MAX })],
  ])
}

/** The same of coupons that are given out already. claimed: fewer there cannot be. */
export const problemsOfChange = (draft: Draft, claimed: number): Problem[] => told(ofChange(draft, claimed))

const told = (checks: Check[]) => checks.flatMap(([field, isWrong, problem]) => (isWrong ? [{ field, problem }] : []))

const ofChange = ({ name, total }: Draft, claimed: number): Check[] => [
  ['name', !name.trim(), t('coupon.nameNeeded')],
  ['total', !within(total, TOTAL_MAX), t('coupon.totalWrong', { max: TOTAL_MAX.toLocaleString('zh-CN') })],
  ['total', within(total, TOTAL_MAX) && (total ?? 0) < claimed, t('coupon.totalFew', { n: claimed })],
]

const ofAmount = ({ off_fen, from_fen }: Draft): Check[] => [
  ['off_fen', !off_fen, t('coupon.offNeeded')],
  ['off_fen', Boolean(off_fen && from_fen && off_fen >= from_fen), t('reduction.tooMuch')],
]

const ofPercent = ({ tenths, most_off_fen }: Draft): Check[] => [
  ['percent', percentOf(tenths) === null, t('coupon.percentWrong')],
  ['most_off_fen', most_off_fen === null, t('coupon.mostNeeded')],
]

const ofDays = ({ days }: Draft): Check[] => [['days', !within(days, DAYS_MAX), t('coupon.daysWrong', { max: DAYS_MAX })]]

function ofDates({ first, last }: Draft): Check[] {
  const ends = endOf(last)
  return [
    ['until_s', ends <= nowS() || ends > nowS() + DAYS_MAX * DAY_S, t('coupon.untilWrong')],
    ['from_s', Boolean(first && last && first > last), t('coupon.firstWrong')],
  ]
}

const within = (value: number | null, max: number) => value !== null && value >= 1 && value <= max
