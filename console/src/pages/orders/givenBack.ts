/** What a refund does to what an order was bought with besides money; the server reckons in the same way. */
import type { OrderFile } from '@/api/orders'

export interface Refund {
  amount_fen: number
  /** That come back, or will not be delivered. */
  units: number
}

/** Whether nothing is left of the order then: all of its money, or all of its units, have gone back. */
export function ends(order: OrderFile, { amount_fen, units }: Refund): boolean {
  return units === order.may_go_back || (amount_fen === order.refundable_fen && !order.has_free_goods)
}

/** How many of the points that it was bought with come back: all that are left when it ends, else the money's share; of a
 * points offer, those of the units that are back, if that is more. */
export function pointsBack(order: OrderFile, refund: Refund): number {
  const { points_used, points_back, total_fen, after_sales, for_points, quantity, may_go_back } = order
  if (ends(order, refund)) return points_used - points_back
  const before = after_sales.filter(({ status }) => status === 'approved')
  const back_fen = before.reduce((sum, it) => sum + it.amount_fen, refund.amount_fen)
  const byMoney = Math.floor((points_used * back_fen) / total_fen)
  const byUnits = for_points ? (points_used / quantity) * (quantity - may_go_back + refund.units) : 0
  return Math.max(byMoney, byUnits) - points_back
}

/** Whether its coupon is yet to come back. */
export const usesCoupon = ({ coupon_back, price_lines }: OrderFile): boolean => !coupon_back && price_lines.some(({ code }) => code === 'coupon')
