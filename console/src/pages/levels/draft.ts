/** Member levels as the form holds them: what is wrong with them, and what is sent. */
import type { Problem } from '@/api/errors'
import type { LevelsRule, MemberLevel } from '@/api/shop'
import { t } from '@/words'
import { percentOf as percentOfTenths } from '../coupons/draft'

export const LEVELS_MAX = 6
export const NAME_MAX = 12
const GROWTH_MAX = 100_000_000
const RATES = { per_yuan: 100, per_group: 1000 } as const
export const RATE_NAMES = ['per_yuan', 'per_group'] as const

export interface LevelDraft {
  id: number // of this form alone
  name: string
  from_growth: number | null
  tenths: string // 折: how many tenths of the solo price are paid, as typed; empty: all of it
  member_prices: boolean
  times: string // how many times the points that others earn, as typed; empty: as many
  freight: 'usual' | 'free' | 'from'
  free_from_fen: number | null
  birthday_coupon_id: string
}

export interface Draft {
  on: boolean
  per_yuan: number | null
  per_group: number | null
  levels: LevelDraft[]
}

export const emptyDraft = (): Draft => ({ on: false, per_yuan: 1, per_group: 0, levels: [] })

let made = 0
export const newLevel = (): LevelDraft => ({
  id: ++made,
  name: '',
  from_growth: null,
  tenths: '',
  member_prices: false,
  times: '',
  freight: 'usual',
  free_from_fen: null,
  birthday_coupon_id: '',
})

export const draftOf = ({ levels, ...rule }: LevelsRule): Draft => ({ ...rule, levels: levels.map(levelOf) })

const levelOf = ({ price_percent, points_percent, free_from_fen, ...level }: MemberLevel): LevelDraft => ({
  ...newLevel(),
  ...level,
  tenths: price_percent < 100 ? String(price_percent / 10) : '',
  times: points_percent > 100 ? String(points_percent / 100) : '',
  freight: freightOf(free_from_fen),
  free_from_fen: free_from_fen || null,
})

function freightOf(free_from_fen: number | null): LevelDraft['freight'] {
  if (free_from_fen === null) return 'usual'
  return free_from_fen ? 'from' : 'free'
}

/** What is paid of 100; null when it is not written as tenths. */
export const percentOf = ({ tenths }: LevelDraft): number | null => (tenths.trim() ? percentOfTenths(tenths) : 100)

/** 100 times how many times the points; null when that is none from 1 to 5. */
export function pointsOf({ times }: LevelDraft): number | null {
  if (!times.trim()) return 100
  const percent = /^\d(\.\d{1,2})?$/.test(times.trim()) ? Math.round(Number(times) * 100) : 0
  return percent >= 100 && percent <= 500 ? percent : null
}

function freeFromOf({ freight, free_from_fen }: LevelDraft): number | null {
  if (freight === 'usual') return null
  return freight === 'free' ? 0 : (free_from_fen ?? 0)
}

/** What the level gives, as it is sent. */
export const levelInput = (level: LevelDraft): MemberLevel => ({
  name: level.name.trim(),
  from_growth: level.from_growth ?? 0,
  price_percent: percentOf(level) ?? 100,
  member_prices: level.member_prices,
  points_percent: pointsOf(level) ?? 100,
  free_from_fen: freeFromOf(level),
  birthday_coupon_id: level.birthday_coupon_id,
})

export const inputOf = ({ on, per_yuan, per_group, levels }: Draft): LevelsRule => ({
  on,
  per_yuan: per_yuan ?? 0,
  per_group: per_group ?? 0,
  levels: levels.map(levelInput),
})

/** Everything to change before it can be saved; the server checks all of it again. */
export function problemsOf(draft: Draft): Problem[] {
  const problems: Problem[] = []
  const tell = (field: string, isWrong: boolean, problem: string) => isWrong && problems.push({ field: `levels.${field}`, problem })
  for (const name of RATE_NAMES) {
    const max = RATES[name]
    tell(name, draft[name] === null || draft[name] > max, t('settings.wrong', { name: t(`levels.${name}`), min: 0, max }))
  }
  tell('per_yuan', draft.on && draft.per_yuan === 0 && draft.per_group === 0, t('levels.noGrowth'))
  tell('levels', draft.on && !draft.levels.length, t('levels.none'))
  const names = draft.levels.map(({ name }) => name.trim())
  let before = 0
  for (const [i, level] of draft.levels.entries()) {
    const at = `levels[${i}]`
    const name = names[i] ?? ''
    const growth = level.from_growth ?? 0
    tell(`${at}.name`, !name, t('levels.nameNeeded'))
    tell(`${at}.name`, Boolean(name) && names.indexOf(name) < i, t('levels.nameRepeated', { name }))
    tell(`${at}.from_growth`, growth < 1 || growth > GROWTH_MAX, t('levels.fromNeeded'))
    tell(`${at}.from_growth`, growth >= 1 && growth <= before, t('levels.fromLow', { before }))
    tell(`${at}.price_percent`, percentOf(level) === null, t('coupon.percentWrong'))
    tell(`${at}.points_percent`, pointsOf(level) === null, t('levels.timesWrong'))
    tell(`${at}.free_from_fen`, level.freight === 'from' && !level.free_from_fen, t('levels.freeNeeded'))
    before = Math.max(before, growth)
  }
  return problems
}
