/** 玩法: the kinds of activities. What an activity is follows from its terms: it is the first kind, in this order, whose mark they
 * have. A kind may be combined with those that come after it, so that whatever the server allows is some kind with settings more. */
import { localOf, nowS, secondsOf } from '@/format'
import type { Draft, DraftTier } from './draft'

const KINDS = ['crowd', 'ladder', 'leader', 'joiners', 'newcomers', 'members', 'flash', 'plain'] as const
export type Kind = (typeof KINDS)[number]
/** As they stand in the form, the plainest first. */
export const KINDS_SHOWN: readonly Kind[] = ['plain', 'leader', 'ladder', 'crowd', 'joiners', 'newcomers', 'members', 'flash']

export const DAYS_USUAL = 7
export const FLASH_MAX_S = 86400
const FLASH_USUAL_S = 12 * 3600

const startOf = ({ startsNow, starts }: Draft): number => (startsNow ? nowS() : (secondsOf(starts) ?? nowS()))
export const endAfter = (draft: Draft, seconds: number): string => localOf(startOf(draft) + seconds)
/** What buyers read 限时 of. */
export const isFlash = (draft: Draft): boolean => (secondsOf(draft.ends) ?? Infinity) - startOf(draft) <= FLASH_MAX_S

const MARKS: Record<Kind, (draft: Draft) => boolean> = {
  crowd: ({ crowd_tiers }) => crowd_tiers.length > 0,
  ladder: ({ tiers }) => tiers.length > 0,
  leader: ({ leader_free, hasLeaderPrices }) => leader_free || hasLeaderPrices,
  joiners: ({ new_buyers }) => new_buyers === 'joiners',
  newcomers: ({ new_buyers }) => new_buyers === 'all',
  members: ({ members_from }) => members_from > 0,
  flash: isFlash,
  plain: () => true,
}

export const kindOf = (draft: Draft): Kind => KINDS.find((kind) => MARKS[kind](draft)) ?? 'plain'

/** Whether activities of the kind may have what marks the other one, too. */
export const mayHave = (kind: Kind, other: Kind): boolean => KINDS.indexOf(other) > KINDS.indexOf(kind)

/** The kinds that a published activity can become: who bought in a crowd relies on its tiers, and its end is never nearer. */
export const becomes = (from: Kind, isNew: boolean): Kind[] =>
  KINDS_SHOWN.filter((kind) => kind === from || isNew || (from !== 'crowd' && kind !== 'crowd' && kind !== 'flash'))

/** The draft as an activity of another kind: without what only the old one has, and what the new one cannot have. */
export function become(draft: Draft, kind: Kind, isNew: boolean): Draft {
  const old = draft.kind
  const keeps = (mark: Kind) => kind === mark || (old !== mark && mayHave(kind, mark))
  const isFree = kind === 'leader' && draft.leader_free
  const hasLeaderPrices = kind === 'leader' ? !isFree : keeps('leader') && draft.hasLeaderPrices
  const isAudience = keeps('joiners') && keeps('newcomers') // who has to be new is chosen beside the kind
  const empty: DraftTier = { seats: null, off_fen: null }
  const isLonger = isNew && old === 'flash' && isFlash(draft)
  const isShorter = isNew && kind === 'flash' && !isFlash(draft)
  return {
    ...draft,
    kind,
    crowd_tiers: kind === 'crowd' ? [{ ...empty }, { ...empty }] : [],
    formsWithFewer: kind === 'ladder' || (old !== 'ladder' && draft.formsWithFewer),
    tiers: kind === 'ladder' ? [empty] : [],
    leader_free: isFree,
    hasLeaderPrices,
    new_buyers: kind === 'joiners' ? 'joiners' : kind === 'newcomers' ? 'all' : isAudience ? draft.new_buyers : 'nobody',
    members_from: keeps('members') ? draft.members_from : 0,
    level_seats: kind === 'ladder' ? [] : draft.level_seats,
    per_minute: old === 'flash' ? 0 : draft.per_minute,
    ends: isLonger ? endAfter(draft, DAYS_USUAL * 86400) : isShorter ? endAfter(draft, FLASH_USUAL_S) : draft.ends,
    skus: draft.skus.map((sku) => (hasLeaderPrices ? sku : { ...sku, leader_price_fen: null })),
  }
}

const isWritten = (tiers: readonly DraftTier[]) => tiers.some(({ seats, off_fen }) => seats || off_fen)

/** What may be lost, by the words of its field. */
const LOST = {
  'crowd.name': (now: Draft) => isWritten(now.crowd_tiers),
  'tier.name': (now: Draft) => isWritten(now.tiers),
  'activity.leaderPrice': (now: Draft, next: Draft) => now.hasLeaderPrices && !next.hasLeaderPrices && now.skus.some((sku) => sku.leader_price_fen !== null),
  'activity.leaderFree': (now: Draft) => now.leader_free,
  'activity.newBuyers': (now: Draft, next: Draft) => mayHave(now.kind, 'joiners') && now.new_buyers !== 'nobody' && next.new_buyers !== now.new_buyers,
  'activity.membersFrom': (now: Draft, next: Draft) => now.members_from > next.members_from,
  'activity.levelSeats': (now: Draft, next: Draft) => now.level_seats.length > next.level_seats.length,
  'activity.pace': (now: Draft, next: Draft) => (now.per_minute ?? 0) > (next.per_minute ?? 0),
  'activity.time': (now: Draft, next: Draft) => isFlash(now) && next.ends !== now.ends && now.ends !== endAfter(now, FLASH_USUAL_S),
} as const
type Lost = keyof typeof LOST

/** What somebody wrote or chose that is not there any more in the draft as another kind. */
export function lostBy(draft: Draft, kind: Kind, isNew: boolean): Lost[] {
  const next = become(draft, kind, isNew)
  return (Object.keys(LOST) as Lost[]).filter((name) => LOST[name](draft, next))
}

/** Whether more is set than what every activity and its kind have. */
export const hasMore = (draft: Draft): boolean =>
  (['leader', 'joiners', 'newcomers', 'members'] as const).some((mark) => mayHave(draft.kind, mark) && MARKS[mark](draft)) ||
  (draft.kind !== 'flash' && Boolean(draft.per_minute)) ||
  (draft.kind !== 'ladder' && draft.formsWithFewer) ||
  (!draft.leader_free && draft.limit_per_order !== 1) ||
  draft.reductions.length + draft.level_seats.length > 0 ||
  Boolean(draft.leader_points || draft.leader_coupon_id || draft.compensation_id || draft.compensation_points) ||
  draft.points || !draft.coupons || draft.combines || draft.member_prices
