/** What a points offer says to who looks at it. */
import type { PointsOffer, PointsOffers } from '@/api/growth'
import { thousands, yuan } from '@/format'
import { accountWords } from '@/words-account'

const says = accountWords.offers

/** What so many units cost: 600 积分 + ¥1.00. */
export function costWords({ points, price_fen }: Pick<PointsOffer, 'points' | 'price_fen'>, units: number): string {
  const money = price_fen > 0 ? ` + ${yuan(price_fen * units)}` : ''
  return `${says.points(thousands(points * units))}${money}`
}

/** How many points are missing for so many units; 0 of who has enough, or has not logged in. */
export const missingOf = (points: number, balance: number | null): number => (balance === null ? 0 : Math.max(0, points - balance))

/** Why it cannot be had now, or by whom it can; empty: whoever looks can have it, as far as is known. */
export function standingOf(offer: PointsOffer, { balance }: Pick<PointsOffers, 'balance'>): string {
  if (offer.state !== 'offered') return says.states[offer.state]
  const missing = missingOf(offer.points, balance)
  if (missing > 0) return says.missing(missing)
  return offer.level_from ? says.members(offer.level_from.name) : ''
}
