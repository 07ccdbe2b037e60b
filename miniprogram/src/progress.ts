/** How far a group is that takes members: what it lacks, in numbers and in words. */
import { words } from '@/words'

export interface Progress {
  /** Paid seats with which it forms at its deadline; 0: all. */
  seats_least: number
  seats_paid: number
  seats_missing: number
}

/** Paid seats until it forms; of one that forms at its deadline with fewer, until it does that. */
export const lackingOf = ({ seats_least, seats_paid, seats_missing }: Progress): number =>
  seats_least > 0 ? Math.max(0, seats_least - seats_paid) : seats_missing

/** It forms at its deadline, whoever else comes. */
export const isAssured = (group: Progress): boolean => group.seats_least > 0 && lackingOf(group) === 0

/** 还差 2 人, or 到时成团. */
export const standing = (group: Progress): string => (isAssured(group) ? words.least.assured : words.activity.missing(lackingOf(group)))

/** Of one that forms with fewer: when it does, and when at once; empty of another. */
export function leastWords(group: Progress): string {
  const { seats_least, seats_paid, seats_missing } = group
  if (isAssured(group)) return words.least.more(seats_missing)
  return seats_least > 0 ? words.least.both(seats_least, seats_paid + seats_missing) : ''
}
