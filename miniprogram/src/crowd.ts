/** 万人团: what all groups of an activity have reached together, in words. */
import type { Schema } from '@/api/client'
import type { RefundShown } from '@/api/trade'
import { shortYuan } from '@/format'
import { nextOf, reachedBy } from '@/tiers'
import { crowdWords as says } from '@/words-crowd'

export type Crowd = Schema<'CrowdShown'>

/** 已有 87 人拼成，满 100 人每件再返 ¥5 */
export function standingOf({ seats, tiers, is_over }: Crowd): string {
  const off = shortYuan(reachedBy(seats, tiers)?.off_fen ?? 0)
  const next = nextOf(seats, tiers)
  if (is_over) return next?.further === false ? says.endedBelow(seats) : says.ended(seats, off)
  return next ? says.standing(seats, seats + next.people, shortYuan(next.off_fen), next.further) : says.lowest(seats, off)
}

/** What has gone back of an order by now, or is about to. */
export const backFen = (refunds: readonly RefundShown[]): number => refunds.reduce((sum, it) => sum + (it.rebate_text ? it.amount_fen : 0), 0)
