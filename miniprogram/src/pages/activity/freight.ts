/** What sending costs, before an address is known. */
import type { Activity } from '@/api/shop'
import { shortYuan } from '@/format'
import { words } from '@/words'

export function freightWords({ least_fen, most_fen, free_from_fen, free_from_units }: Activity['freight']): string {
  const says = words.activity
  if (most_fen === 0) return words.freeFreight
  if (least_fen === 0) return says.freeMostly
  const parts = [`${shortYuan(least_fen)}${most_fen > least_fen ? ` ${says.from}` : ''}`]
  if (free_from_fen) parts.push(says.freeFrom(shortYuan(free_from_fen)))
  if (free_from_units) parts.push(says.freeFrom(words.order.units(free_from_units)))
  return parts.join('，')
}
