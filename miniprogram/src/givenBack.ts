import type { OrderRow } from '@/api/trade'
import { words } from '@/words'

type Given = Pick<OrderRow, 'coupon_back' | 'points_used' | 'points_back'>

/** What an order that is no sale was bought with besides money, and has given back; empty: nothing. */
export function givenBack({ coupon_back, points_used, points_back }: Given): string {
  if (!points_used || points_back < points_used) return coupon_back ? words.coupons.back : ''
  return coupon_back ? words.points.bothBack : words.points.back
}
