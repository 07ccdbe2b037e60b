/** The shop's figures: which there are, and each as people read it. */
import type { Schema } from '@/api/types'
import { formatFen } from '@/format'

export type Sums = Schema<'SumsShown'>

export const FIGURES = [
  'paid_fen',
  'refunded_fen',
  'rebated_fen',
  'orders_paid',
  'groups_opened',
  'groups_formed',
  'groups_failed',
  'formed_permille',
] as const satisfies readonly (keyof Sums)[]
export type Figure = (typeof FIGURES)[number]

/** Those that a shop has: what formed groups give back is told where any does. */
export const figuresOf = (days: readonly Sums[]) =>
  FIGURES.filter((figure) => figure !== 'rebated_fen' || days.some((day) => day.rebated_fen))

export function shown(sums: Sums, figure: Figure): string {
  const value = sums[figure]
  if (figure === 'formed_permille') return formatRate(value)
  return figure.endsWith('_fen') ? formatFen(value ?? 0) : String(value)
}

/** 87.5%; a dash while nothing has been decided. */
export const formatRate = (permille: number | null) => (permille === null ? '—' : `${permille / 10}%`)
