/** What sending costs, before an address is known. */
import type { Activity } from '@/api/shop'
import { shortYuan } from '@/format'
import { words } from '@/words'

export function freightWords({ least_fen, most_fen, free_from_fen, free_from_units }: Activity['freight']): string {
  const says = words.activity
  if (most_fen === 0) return words.freeFreight
  if (least_fen === 0) return says.freeMostly(shortYuan(most_fen))
  const isByRegion = most_fen > least_fen
  const parts = [isByRegion ? says.freightSpan(shortYuan(least_fen), shortYuan(most_fen)) : says.freightOfOne(shortYuan(least_fen))]
  if (free_from_fen) parts.push(says.freeFrom(shortYuan(free_from_fen), isByRegion))
  if (free_from_units) parts.push(says.freeFrom(words.order.units(free_from_units), isByRegion))
  return parts.join('，')
}
