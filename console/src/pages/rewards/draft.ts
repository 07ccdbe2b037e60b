/** The rule of rewards as the form holds it: what is wrong with it, what is sent, and what it says. */
import type { Problem } from '@/api/errors'
import type { RewardsRule } from '@/api/shop'
import { t } from '@/words'

export const EVERY_MIN = 2
export const EVERY_MAX = 50
export const DAYS_MIN = 7
export const DAYS_MAX = 365
export const POINTS_MAX = 10_000

export interface Draft {
  on: boolean
  every: number | null
  days: number | null
  coupon_id: string
  points: number | null
}

export const emptyDraft = (): Draft => ({ on: false, every: 5, days: 0, coupon_id: '', points: 0 })

export const draftOf = ({ on, every, days, coupon_id, points }: RewardsRule): Draft => ({ on, every, days, coupon_id, points })

export const inputOf = ({ on, every, days, coupon_id, points }: Draft): RewardsRule => ({
  on,
  every: every ?? 0,
  days: days ?? 0,
  coupon_id,
  points: points ?? 0,
})

/** Everything to change before it can be saved; the server checks all of it again. */
export function problemsOf(draft: Draft): Problem[] {
  const problems: Problem[] = []
  const tell = (field: string, isWrong: boolean, problem: string) => isWrong && problems.push({ field: `rewards.${field}`, problem })
  const { every, days, points } = draft
  tell('every', every === null || every < EVERY_MIN || every > EVERY_MAX, t('reward.wrong', { name: t('reward.every'), min: EVERY_MIN, max: EVERY_MAX }))
  tell('days', days === null || days > DAYS_MAX || (days > 0 && days < DAYS_MIN), t('reward.daysWrong', { min: DAYS_MIN, max: DAYS_MAX }))
  tell('points', points === null || points > POINTS_MAX, t('reward.wrong', { name: t('reward.pointsLabel'), min: 0, max: POINTS_MAX }))
  tell('coupon_id', draft.on && !draft.coupon_id && points === 0, t('reward.nothing'))
  return problems
}

/** A whole rule, beside the form and as the audit log keeps it. coupon: the name of its coupon. */
export function ruleWords({ on, every, days, coupon_id, points }: Draft, coupon = ''): string {
  if (!on) return t('reward.isOff')
  const gives = [
    coupon_id && (coupon ? t('reward.aCoupon', { name: coupon }) : t('reward.someCoupon')),
    points ? t('reward.points', { n: points }) : '',
  ].filter(Boolean)
  return t('reward.sum', { within: days ? t('reward.within', { n: days }) : '', every: every ?? 0, gives: gives.join(t('list.and')) })
}
