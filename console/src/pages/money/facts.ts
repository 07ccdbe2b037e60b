/** One side's facts, each named and in the form that people read. */
import { formatFen, formatTime } from '@/format'
import { t } from '@/words'

const NAMES = [
  'amount_fen', 'at_s', 'captured_fen', 'day', 'expected_fen', 'field', 'method', 'mismatch', 'number', 'out_trade_no',
  'reason', 'refunded_fen', 'seen', 'status', 'times', 'transaction_id',
] as const
type Name = (typeof NAMES)[number]

const named = (name: string) => ((NAMES as readonly string[]).includes(name) ? t(`fact.${name as Name}`) : name)

export function facts(side: Record<string, string | number>): { name: string; value: string }[] {
  return Object.entries(side).map(([key, value]) => {
    const name = named(key)
    if (typeof value !== 'number') return { name, value }
    if (key.endsWith('_fen')) return { name, value: formatFen(value) }
    return { name, value: key.endsWith('_s') ? formatTime(value) : String(value) }
  })
}
