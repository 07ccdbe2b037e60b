/** What buyers read of what opening a group brings: the page of an activity alone says it. */
import { thousands } from '@/format'

export const leaderWords = {
  points: (n: number) => `开团得 ${thousands(n)} 积分`,
  coupon: (worth: string) => `开团送一张「${worth}」优惠券`,
}
