/** 阶梯团: the more people a group forms with, the more of each piece goes back. Everybody pays the first price. */
import type { Schema } from '@/api/client'
import { shortYuan } from '@/format'
import { isAssured, leastWords, type Progress } from '@/progress'
import { words } from '@/words'

export type Tier = Schema<'TierShown'>

interface Sized {
  seats_total: number
  seats_least: number
  tiers: readonly Tier[]
}

/** 3 人团, or 2–10 人团 of one with tiers. */
export const sizeOf = ({ seats_total, seats_least, tiers }: Sized): string =>
  tiers.length > 0 ? words.tiers.seats(seats_least, seats_total) : words.home.seats(seats_total)

/** What a piece costs in a full group; what it costs anyway without tiers. */
export const lowestWith = (price_fen: number, tiers: readonly Tier[]): number => price_fen - (tiers.at(-1)?.off_fen ?? 0)

/** The highest that so many paid seats reach. */
export const reachedBy = (seats_paid: number, tiers: readonly Tier[]): Tier | undefined => tiers.filter((it) => it.seats <= seats_paid).at(-1)

/** The next tier: how many more people it takes, and what goes back then beyond what does already. */
export function nextOf(seats_paid: number, tiers: readonly Tier[]): { people: number; off_fen: number; further: boolean; full: boolean } | null {
  const next = tiers.find((it) => it.seats > seats_paid)
  if (!next) return null
  const reached = reachedBy(seats_paid, tiers)
  return {
    people: next.seats - seats_paid,
    off_fen: next.off_fen - (reached?.off_fen ?? 0),
    further: reached !== undefined,
    full: next === tiers.at(-1),
  }
}

/** 再来 3 人，每件再返 ¥4; empty of a full group, or without tiers. */
export function moreWords(seats_paid: number, tiers: readonly Tier[]): string {
  const next = nextOf(seats_paid, tiers)
  return next ? words.tiers.more(next.people, shortYuan(next.off_fen), next.further, next.full) : ''
}

/** When a group forms, and what more people bring. */
export function progressWords(progress: Progress, tiers: readonly Tier[]): string {
  if (tiers.length === 0) return leastWords(progress)
  const forms = isAssured(progress) ? '' : words.least.forms(progress.seats_least)
  return [forms, moreWords(progress.seats_paid, tiers)].filter(Boolean).join('；')
}

/** Of a group that forms at its deadline, whoever else comes. */
export function assuredWords({ seats_least, seats_paid }: Progress, tiers: readonly Tier[]): string {
  const tier = reachedBy(seats_paid, tiers)
  return tier ? words.tiers.assured(tier.seats, shortYuan(tier.off_fen)) : words.least.reached(seats_least)
}

/** 满 5 人每件返 ¥4，满 10 人每件返 ¥10 */
export const tiersInWords = (tiers: readonly Tier[]): string => tiers.map((it) => words.tiers.step(it.seats, shortYuan(it.off_fen))).join('，')
