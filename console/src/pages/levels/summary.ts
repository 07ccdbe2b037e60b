/** Member levels in words: beside the form, and in the audit log. */
import type { LevelsRule, MemberLevel } from '@/api/shop'
import { formatCount, roundYuan } from '@/format'
import { language, t } from '@/words'
import { levelInput, percentOf, pointsOf, type Draft, type LevelDraft } from './draft'

/** 9.5 折 is 5% off. */
const discountOf = (percent: number) => (language.value === 'en' ? 100 - percent : percent / 10)

/** What a level gives, one by one. coupon: the name of its birthday coupon. */
function benefitsOf(level: MemberLevel, coupon: string): string[] {
  const { price_percent, member_prices, points_percent, free_from_fen } = level
  return [
    price_percent < 100 ? t('levels.gives.discount', { n: discountOf(price_percent) }) : '',
    member_prices ? t('levels.gives.memberPrices') : '',
    points_percent > 100 ? t('levels.gives.points', { n: points_percent / 100 }) : '',
    free_from_fen === 0 ? t('levels.gives.free') : '',
    free_from_fen ? t('levels.gives.freeFrom', { least: roundYuan(free_from_fen) }) : '',
    coupon && t('levels.gives.birthday', { name: coupon }),
  ].filter(Boolean)
}

/** What the level gives as it is written; empty while that is not complete. */
export function givesWords(level: LevelDraft, coupon: string): string {
  if (percentOf(level) === null || pointsOf(level) === null) return ''
  return benefitsOf(levelInput(level), coupon).join(t('list.and')) || t('levels.gives.nothing')
}

/** How one grows; empty while it is not complete. */
export function growthWords({ per_yuan, per_group }: Pick<Draft, 'per_yuan' | 'per_group'>): string {
  const parts = [per_yuan ? t('levels.sum.yuan', { n: per_yuan }) : '', per_group ? t('levels.sum.group', { n: per_group }) : ''].filter(Boolean)
  return parts.length ? t('levels.sum', { words: parts.join(t('batch.comma')) }) : ''
}

/** From when on somebody has the level, and about what that takes. */
export function fromWords({ per_yuan }: Pick<Draft, 'per_yuan'>, from_growth: number | null): string {
  if (!from_growth) return ''
  const growth = t('levels.from', { n: formatCount(from_growth) })
  return per_yuan ? growth + t('levels.fromYuan', { yuan: formatCount(Math.ceil(from_growth / per_yuan)) }) : growth
}

/** A whole rule, as the audit log keeps it. */
export function ruleWords(rule: LevelsRule): string {
  if (!rule.on) return t('levels.isOff')
  const levels = rule.levels.map((level) => {
    const gives = benefitsOf(level, '').join(t('list.and'))
    return `${level.name} ${formatCount(level.from_growth)}${gives && `（${gives}）`}`
  })
  return [growthWords(rule), ...levels].filter(Boolean).join('；')
}
