/** What the buyer reads about a request, and what they can do about it. */
import type { AfterSale } from '@/api/after-sale'
import { shortTime, yuan } from '@/format'
import { words } from '@/words'
import { accountWords } from '@/words-account'

export type Act = 'parcel' | 'withdraw' | 'confirm' | 'order'

export const OPEN: readonly string[] = ['requested', 'return_agreed', 'returning', 'replacing', 'replacement_sent']

const says = accountWords.afterSale

export function hintOf(request: AfterSale, now_s: number): string {
  if (request.by_shop) return ''
  if (request.status === 'return_agreed') return request.return_by_s ? says.sendBy(request.return_by_s, now_s) : ''
  if (request.status === 'refused') return request.reply ? `${says.reply(request.reply)}。${says.hints.refused}` : (says.hints.refused ?? '')
  if (request.status === 'replacing' && request.pickup) return says.hints.replacingPickup ?? ''
  return says.hints[request.status] ?? ''
}

export function actsOf(request: AfterSale): Act[] {
  switch (request.status) {
    case 'requested':
      return ['withdraw']
    case 'return_agreed':
      return ['parcel', 'withdraw']
    case 'returning':
      return ['parcel']
    case 'replacement_sent':
      return ['confirm']
    case 'approved':
      return ['order']
    default:
      return []
  }
}

export function labelOf(act: Act, request: AfterSale): string {
  if (act === 'parcel') return request.status === 'returning' ? says.changeParcel : says.fillParcel
  if (act === 'order') return says.seeOrder
  return says[act]
}

/** What was asked for, line by line. */
export function linesOf(request: AfterSale): [string, string][] {
  const lines: [string, string][] = [
    [says.kind, says.kinds[request.kind as keyof typeof says.kinds] ?? ''],
    [says.reason, request.reason_text],
  ]
  if (request.kind !== 'exchange') lines.push([says.fen, yuan(request.amount_fen)])
  if (request.units > 0) lines.push([says.unitsLine, words.order.units(request.units)])
  if (request.words && !request.by_shop) lines.push([says.said, request.words])
  return [...lines, [says.askedAt, shortTime(request.requested_at_s)]]
}
