/** What the page of one's level says. */
import type { OwnLevel } from '@/api/growth'
import { accountWords } from '@/words-account'

const says = accountWords.level

/** How far it is to the next level, in percent of the way from the one that one has; 100: there is none. */
export function wayOf({ growth, no, next, levels }: OwnLevel): number {
  if (!next) return 100
  const start = levels.find((it) => it.no === no)?.from_growth ?? 0
  return Math.max(0, Math.min(100, Math.floor((100 * (growth - start)) / (next.from_growth - start))))
}

/** What is missing, and from what: 还差 ¥38 升级到金卡会员. */
export function nextWords({ next, no }: OwnLevel): string {
  if (next) return says.next(next.words, next.name)
  return no > 0 ? says.highest : ''
}

/** What was typed as a month and a day; null: it is none. Which months have 31 days, the server says. */
export function birthdayIn(month: string, day: string): { month: number; day: number } | null {
  const [m, d] = [month, day].map((it) => (/^\d{1,2}$/.test(it.trim()) ? Number(it) : 0))
  return m && d && m <= 12 && d <= 31 ? { month: m, day: d } : null
}
