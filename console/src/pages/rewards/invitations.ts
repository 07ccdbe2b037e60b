/** The rule of invitations as the form holds it: what is wrong with it, what is sent, and what it says. */
import type { Problem } from '@/api/errors'
import type { InvitationsRule } from '@/api/shop'
import { t } from '@/words'

export const POINTS_MAX = 10_000
export const WAIT_DAYS_MAX = 30
export const PER_MONTH_MAX = 100

export interface Draft {
  on: boolean
  coupon_id: string
  points: number | null
  gift_id: string
  wait_days: number | null
  per_month: number | null
}

export const emptyDraft = (): Draft => ({ on: false, coupon_id: '', points: 0, gift_id: '', wait_days: 7, per_month: 10 })

export const draftOf = ({ on, coupon_id, points, gift_id, wait_days, per_month }: InvitationsRule): Draft => ({ on, coupon_id, points, gift_id, wait_days, per_month })

export const inputOf = ({ on, coupon_id, points, gift_id, wait_days, per_month }: Draft): InvitationsRule => ({
  on,
  coupon_id,
  points: points ?? 0,
  gift_id,
  wait_days: wait_days ?? 0,
  per_month: per_month ?? 0,
})

/** Everything to change before it can be saved; the server checks all of it again. */
export function problemsOf(draft: Draft): Problem[] {
  const problems: Problem[] = []
  const tell = (field: string, isWrong: boolean, problem: string) => isWrong && problems.push({ field: `invitations.${field}`, problem })
  const { points, wait_days, per_month } = draft
  const bounds = (name: string, min: number, max: number) => t('reward.wrong', { name, min, max })
  tell('points', points === null || points > POINTS_MAX, bounds(t('invite.points'), 0, POINTS_MAX))
  tell('wait_days', wait_days === null || wait_days > WAIT_DAYS_MAX, bounds(t('invite.wait'), 0, WAIT_DAYS_MAX))
  tell('per_month', per_month === null || per_month < 1 || per_month > PER_MONTH_MAX, bounds(t('invite.perMonth'), 1, PER_MONTH_MAX))
  tell('coupon_id', draft.on && !draft.coupon_id && points === 0, t('invite.nothing'))
  return problems
}

/** A whole rule with what it can cost, beside the form and as the audit log keeps it. coupon, gift: the names of its coupons. */
export function ruleWords({ on, coupon_id, points, gift_id, wait_days, per_month }: Draft, coupon = '', gift = ''): string {
  if (!on) return t('reward.isOff')
  const named = (id: string, name: string) => id && (name ? t('reward.aCoupon', { name }) : t('reward.someCoupon'))
  const gives = [named(coupon_id, coupon), points ? t('reward.points', { n: points }) : ''].filter(Boolean).join(t('list.and'))
  const own = gift_id ? t('invite.sumGift', { gift: named(gift_id, gift) }) : ''
  const months = per_month ?? 0
  return t('invite.sum', { gives, own, wait: wait_days ?? 0, max: months, points: (points ?? 0) * months })
}
