/** How points are earned and used, as the settings hold it, and in words. */
import type { Problem } from '@/api/errors'
import type { PointsRule } from '@/api/shop'
import { roundYuan } from '@/format'
import { t } from '@/words'

/** null: what stands in the input is no number. */
export type PointsDraft = { [Key in keyof PointsRule]: PointsRule[Key] extends number ? number | null : PointsRule[Key] }

const SPENT_FEN = 10_000 // of the example that sums the rule up
export const EXPIRIES = ['never', 'year', 'days'] as const
export const NUMBERS = {
  per_yuan: { min: 0, max: 100, unit: 'unit.points' },
  for_yuan: { min: 1, max: 10_000, unit: 'unit.points' },
  share_max: { min: 1, max: 100, unit: 'unit.percent' },
} as const
export const NAMES = ['per_yuan', 'for_yuan', 'share_max'] as const
export const DAYS = { min: 30, max: 1095 }

export const NO_POINTS: PointsDraft = { on: false, per_yuan: 1, for_yuan: 100, share_max: 50, expiry: 'year', days: 365 }

/** What is wrong with a rule that is to be on; one that is off keeps what it had. */
export function problemsOf(draft: PointsDraft): Problem[] {
  if (!draft.on) return []
  const problems: Problem[] = []
  const check = (name: (typeof NAMES)[number] | 'days', { min, max }: { min: number; max: number }) => {
    const [value, of] = [draft[name], t(`points.${name}`)]
    if (value === null || value < min || value > max) problems.push({ field: `points.${name}`, problem: t('settings.wrong', { name: of, min, max }) })
  }
  for (const name of NAMES) check(name, NUMBERS[name])
  if (draft.expiry === 'days') check('days', DAYS)
  return problems
}

/** As it is sent: an input that is not used is as it was. */
export const ruleOf = (draft: PointsDraft, old: PointsRule): PointsRule => ({
  on: draft.on,
  per_yuan: draft.per_yuan ?? old.per_yuan,
  for_yuan: draft.for_yuan ?? old.for_yuan,
  share_max: draft.share_max ?? old.share_max,
  expiry: draft.expiry,
  days: (draft.expiry === 'days' ? draft.days : null) ?? old.days,
})

/** One sentence that sums a rule up; empty while it is not complete. */
export function ruleWords(rule: PointsDraft): string {
  if (!rule.on) return t('points.isOff')
  if (problemsOf(rule).length) return ''
  const earned = (SPENT_FEN / 100) * (rule.per_yuan ?? 0)
  const worth_fen = Math.floor((earned * 100) / (rule.for_yuan ?? 1))
  const facts = { spent: `¥${roundYuan(SPENT_FEN)}`, n: earned, worth: `¥${roundYuan(worth_fen)}`, for: rule.for_yuan ?? 0 }
  const expires = rule.expiry === 'days' ? t('points.expires.days', { n: rule.days ?? 0 }) : t(`points.expires.${rule.expiry}`)
  return t(earned ? 'points.sum' : 'points.sumNone', facts) + t('points.sumMore', { share: rule.share_max ?? 0, expires })
}
