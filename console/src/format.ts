/** Money and time for people: yuan and Beijing. Inside, money is whole fen and time epoch seconds. */

const ZONE_OFFSET_S = 8 * 3600 // China keeps one time the year round
export const DAY_S = 86400

/** ¥29.90 */
export function formatFen(fen: number): string {
  const digits = (Math.abs(fen) / 100).toLocaleString('zh-CN', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  })
  return `${fen < 0 ? '−' : ''}¥${digits}`
}

/** 1,200; below zero with the sign that amounts have. */
export const formatCount = (n: number) => `${n < 0 ? '−' : ''}${Math.abs(n).toLocaleString('zh-CN')}`

/** 29.90, for an input. */
export const yuanOf = (fen: number | null) => (fen === null ? '' : (fen / 100).toFixed(2))

/** As people say it: 100, or 99.50. */
export const roundYuan = (fen: number | null) => yuanOf(fen).replace(/\.00$/, '')

/** Whole fen in what somebody typed or pasted; null when it is no amount. */
export function fenOf(text: string): number | null {
  const found = /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(text.trim().replace(/[¥￥,，\s]/g, ''))
  if (!found) return null
  return Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0'))
}

/** A whole number in what somebody typed; null when it is none. */
export function countOf(text: string): number | null {
  const digits = text.trim().replace(/[,，]/g, '')
  return /^\d{1,9}$/.test(digits) ? Number(digits) : null
}

/** 2026-11-22 09:00:00 */
export function formatTime(at_s: number): string {
  const shown = new Date((at_s + ZONE_OFFSET_S) * 1000).toISOString()
  return `${shown.slice(0, 10)} ${shown.slice(11, 19)}`
}

/** 2026-11-22, as a date input has it. */
export const dateOf = (at_s: number) => formatTime(at_s).slice(0, 10)

/** 11-22 09:00, with the year when it is another one. */
export function formatShortTime(at_s: number, now_s = nowS()): string {
  const shown = formatTime(at_s).slice(0, 16)
  return shown.slice(0, 4) === formatTime(now_s).slice(0, 4) ? shown.slice(5) : shown
}

export function isToday(at_s: number, now_s = nowS()): boolean {
  return dayOf(at_s) === dayOf(now_s)
}

const dayOf = (at_s: number) => Math.floor((at_s + ZONE_OFFSET_S) / DAY_S)

/** The value of a datetime-local input, which shows Beijing's clock whatever the computer's. */
export const localOf = (at_s: number) => formatTime(at_s).slice(0, 16).replace(' ', 'T')

/** Epoch seconds of a datetime-local input; null when it is empty. */
export function secondsOf(local: string): number | null {
  const at_ms = Date.parse(`${local}:00Z`)
  return Number.isNaN(at_ms) ? null : at_ms / 1000 - ZONE_OFFSET_S
}

export const nowS = () => Math.floor(Date.now() / 1000)
