/** What the form of an after-sale request asks for; the server decides in the end. */
import type { Claim } from '@/api/after-sale'
import type { Order } from '@/api/trade'
import { accountWords } from '@/words-account'

export type Kind = 'refund' | 'return' | 'exchange'
export type Reason = keyof typeof accountWords.afterSale.reasons

export interface Form {
  kind: Kind
  reason: Reason | ''
  units: number
  /** In yuan, as it was typed. */
  amount: string
  words: string
  pictures: { url: string; thumbnail: string }[]
}

export type Problems = Partial<Record<'reason' | 'amount', string>>

export const PICTURES_MAX = 6

/** Units that the buyer has, and can send back. */
export function unitsOf(order: Order): number {
  if (order.delivery === 'pickup') return order.status === 'completed' ? order.quantity : 0
  return order.parcels.reduce((sum, parcel) => sum + parcel.units, 0)
}

export const kindsOf = (order: Order): Kind[] => (unitsOf(order) > 0 ? ['refund', 'return', 'exchange'] : ['refund'])

/** What may be wrong with goods that are still in the shop, or with what came. */
export function reasonsOf(order: Order): Reason[] {
  if (unitsOf(order) === 0) return ['changed_mind', 'wrong_order', 'late', 'other']
  return ['damaged', 'not_as_described', 'missing', 'changed_mind', 'wrong_order', 'other']
}

export interface Left {
  refundable_fen: number
  /** Units that are not back. */
  units_left: number
}

/** Their share of what is left, in yuan: the last unit takes all of it. */
export function shareOf({ refundable_fen, units_left }: Left, units: number): string {
  return (Math.floor((refundable_fen * Math.min(units, units_left)) / Math.max(units_left, 1)) / 100).toFixed(2)
}

/** How many of the points that the order was bought with come back with so much money: all that are left when the
 * money or the goods end the order, else their share of what was paid; of a points offer, those of the units that went
 * back, if that is more. units: that are sent back. */
export function pointsWith(fen: number, units: number, left: Left, order: Order): number {
  const { points_used, points_back, total_fen, refunds, for_points, quantity } = order
  if (fen === left.refundable_fen || units === left.units_left) return points_used - points_back
  const asked = refunds.filter((it) => !it.is_surplus && !it.rebate_text)
  const back_fen = asked.reduce((sum, it) => sum + it.amount_fen, fen)
  const byMoney = Math.floor((points_used * back_fen) / total_fen)
  const byUnits = for_points ? (points_used / quantity) * (quantity - left.units_left + units) : 0
  return Math.max(byMoney, byUnits) - points_back
}

/** Whole fen; NaN for what is no amount. */
export function fenOf(amount: string): number {
  return /^\d{1,6}(\.\d{1,2})?$/.test(amount.trim()) ? Math.round(Number(amount) * 100) : NaN
}

export function problemsOf(form: Form, refundable_fen: number): Problems {
  const found: Problems = {}
  if (!form.reason) found.reason = accountWords.afterSale.needReason
  const fen = fenOf(form.amount)
  const isWithin = fen >= 1 && fen <= refundable_fen
  if (form.kind !== 'exchange' && !isWithin) found.amount = accountWords.afterSale.needAmount(refundable_fen)
  return found
}

export function claimOf(form: Form): Claim {
  return {
    amount_fen: fenOf(form.amount),
    reason: form.reason,
    units: form.kind === 'refund' ? 0 : form.units,
    words: form.words.trim(),
    pictures: form.pictures.map((it) => it.url),
  }
}
