/** What a tag by rule says, in words. */
import type { MemberTag } from '@/api/members'
import { formatFen } from '@/format'
import { t } from '@/words'

export function ruleWords(rule: MemberTag['rule']): string {
  if (!rule) return t('memberTag.byHandAbout')
  const { orders_least, spent_least_fen, within_days, longer_ago_days } = rule
  return [
    orders_least && t('memberTag.ordersLeast', { n: orders_least }),
    spent_least_fen && t('memberTag.spentLeast', { fen: formatFen(spent_least_fen) }),
    within_days && t('memberTag.within', { n: within_days }),
    longer_ago_days && t('memberTag.longerAgo', { n: longer_ago_days }),
  ]
    .filter(Boolean)
    .join(t('memberTag.and'))
}
