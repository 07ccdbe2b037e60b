/** Money and time for people: yuan and Beijing. Inside, money is whole fen and time epoch seconds. */

const ZONE_OFFSET_S = 8 * 3600 // China keeps one time the year round
const DAY_S = 86_400
const two = (n: number): string => String(n).padStart(2, '0')

/** ¥29.90 */
export const yuan = (fen: number): string => `¥${(fen / 100).toFixed(2)}`

/** ¥29.90, and ¥30 of whole yuan: for buttons and badges, where every character counts. */
export const shortYuan = (fen: number): string => yuan(fen).replace(/\.00$/, '')

/** 1,200; below zero with the sign that amounts have: −500. */
export const thousands = (n: number): string => `${n < 0 ? '−' : ''}${String(Math.abs(n)).replace(/\B(?=(\d{3})+$)/g, ',')}`

/** In groups of four, as people read long numbers to each other. */
export const inFours = (number: string): string => number.replace(/(.{4})(?=.)/g, '$1 ')

/** ¥29.90 起 where not all cost the same. */
export const fromYuan = (fen: number, varies: boolean): string => `${shortYuan(fen)}${varies ? ' 起' : ''}`

/** The lowest of several amounts, and whether there are others. */
export function lowest(all_fen: readonly number[]): { fen: number; varies: boolean } {
  const fen = Math.min(...all_fen)
  return { fen, varies: all_fen.some((it) => it !== fen) }
}

/** 04:32, with the hours and the days before it when there are any: 03:12:45. */
export function timeLeft(seconds: number): string {
  const s = Math.max(0, seconds)
  const days = Math.floor(s / DAY_S)
  const clock = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`
  if (s < 3600) return clock
  return `${days > 0 ? `${days} 天 ` : ''}${two(Math.floor((s % DAY_S) / 3600))}:${clock}`
}

/** 限时团: it runs for a day at most. */
export const isFlash = (it: { starts_at_s: number; ends_at_s: number }): boolean => it.ends_at_s - it.starts_at_s <= DAY_S

/** 24 小时, or 12 分钟 of less than an hour: how long something lasts. */
export const span = (seconds: number): string =>
  seconds < 3600 ? `${Math.max(1, Math.floor(seconds / 60))} 分钟` : `${Math.round(seconds / 3600)} 小时`

/** 11-22 09:40 */
export function shortTime(at_s: number): string {
  return beijing(at_s).slice(5, 16).replace('T', ' ')
}

/** 2026-11-22 09:40:05 */
export const fullTime = (at_s: number): string => beijing(at_s).slice(0, 19).replace('T', ' ')

/** 今天 18:20, 明天 09:00, or 11-22 09:40. */
export function dayAndTime(at_s: number, now_s: number): string {
  const days = dayOf(at_s) - dayOf(now_s)
  const clock = beijing(at_s).slice(11, 16)
  if (days === 0) return `今天 ${clock}`
  return days === 1 ? `明天 ${clock}` : shortTime(at_s)
}

/** Until when something lasts that ends before that: 今天 23:59, 12-07 23:59, 2027-01-02 23:59. */
export function lastMoment(before_s: number, now_s: number): string {
  const last_s = before_s - 1
  const isThisYear = fullTime(last_s).slice(0, 4) === fullTime(now_s).slice(0, 4)
  return isThisYear ? dayAndTime(last_s, now_s) : fullTime(last_s).slice(0, 16)
}

const beijing = (at_s: number): string => new Date((at_s + ZONE_OFFSET_S) * 1000).toISOString()
const dayOf = (at_s: number): number => Math.floor((at_s + ZONE_OFFSET_S) / DAY_S)
