/** What the page of a group says and offers, by who looks at it and how the group stands. */
import type { GroupPage } from '@/api/shop'
import type { RefundShown } from '@/api/trade'
import { shortYuan } from '@/format'
import { givenBack } from '@/givenBack'
import { isAssured, lackingOf, standing } from '@/progress'
import { assuredWords, moreWords, progressWords, reachedBy } from '@/tiers'
import { words } from '@/words'

type Progress = GroupPage['progress']
export type Act = keyof typeof words.group.do | 'join' | 'alone'

export interface View {
  sentence: string
  hint: string
  /** What to do, the next best step first; at most one of them is the main one. */
  acts: Act[]
}

const says = words.group

/** now_s: the server's time. */
export function viewOf(page: GroupPage, now_s: number): View {
  const isMember = page.role === 'leader' || page.role === 'member'
  switch (page.progress.status) {
    case 'formed':
      return isMember ? formedForMember(page) : fullForStranger(page)
    case 'failed':
      return isMember ? failedForMember(page) : overForStranger(page)
    default:
      if (isMember) return isOver(page, now_s) ? settling(['order']) : openForMember(page)
      if (isOver(page, now_s) && page.role !== 'holder') return settling(ownWays(page))
      return page.role === 'holder' ? openForHolder(page, now_s) : openForStranger(page)
  }
}

function openForMember(page: GroupPage): View {
  const { role, progress } = page
  const isLeader = role === 'leader'
  const isAlone = isLeader && progress.seats_taken === 1
  const missing = isLeader ? says.leaderMissing : says.memberMissing
  return {
    sentence: isAssured(progress) ? assuredWords(progress, page.tiers) : missing(lackingOf(progress)),
    hint: [page.order?.combined, openWords(progress, page)].filter(Boolean).join('。'),
    acts: isAlone ? ['invite', 'order', 'cancel'] : ['invite', 'order'],
  }
}

export const formedWithFewer = ({ status, seats_paid, seats_total }: Progress): boolean => status === 'formed' && seats_paid < seats_total

/** Whoever looks leads it, and gets back what the goods cost. */
export const isFree = ({ leader_free, role }: GroupPage): boolean => leader_free && role === 'leader'

/** What is promised to a member of a group that is not full. page: null before it is read. */
export const openWords = (progress: Progress, page: GroupPage | null): string =>
  [progressWords(progress, page?.tiers ?? []), page && isFree(page) ? words.leaderFree.promise : ''].filter(Boolean).join('。')

/** Its time is over, and whoever paid in time is still being asked for: nobody can join any more. */
export function isOver({ progress }: GroupPage, now_s: number): boolean {
  return progress.expires_at_s !== null && now_s >= progress.expires_at_s
}

function settling(acts: Act[]): View {
  return { sentence: says.settling, hint: says.settlingHint, acts }
}

function openForHolder({ order }: GroupPage, now_s: number): View {
  const left_s = (order?.pay_by_s ?? now_s) - now_s
  if (left_s <= 0) return { sentence: says.closing, hint: says.closingHint, acts: [] }
  return { sentence: says.held(left_s), hint: says.heldHint, acts: ['pay', 'give_up'] }
}

function openForStranger(page: GroupPage): View {
  const { progress, own_group } = page
  if (own_group) {
    const acts: Act[] = hasFreeSeat(page) ? ['own_group', 'still_join'] : ['own_group', ...reminding(page)]
    return { sentence: says.elsewhere(standing(own_group)), hint: says.elsewhereHint, acts }
  }
  if (hasFreeSeat(page)) {
    return { sentence: says.invited(progress.leader_name), hint: wantedWords(page), acts: ['join', ...ownWays(page).slice(0, 1)] }
  }
  const isReminded = Boolean(page.reminder?.is_set)
  const acts = isReminded ? [...ownWays(page), ...reminding(page)] : [...reminding(page), ...ownWays(page)]
  return { sentence: says.allHeld, hint: isReminded ? says.reminded : says.allHeldHint, acts }
}

/** What can be done about being told of a free seat. */
function reminding({ reminder }: GroupPage): Act[] {
  if (!reminder) return []
  return [reminder.is_set ? 'forget' : 'remind']
}

/** What a group wants of who may join it. */
function wantedWords(page: GroupPage): string {
  const { progress, tiers } = page
  if (isAssured(progress)) return `${assuredWords(progress, tiers)}；${progressWords(progress, tiers)}`
  if (progress.seats_least === 0) return says.missing(progress.seats_missing)
  return [words.least.joins(lackingOf(progress), progress.seats_least), moreWords(progress.seats_paid, tiers)].filter(Boolean).join('；')
}

function formedForMember(page: GroupPage): View {
  const { ship_within_h, order } = page
  const hint = [backOf(page), order ? nextWords(order, ship_within_h) : ''].filter(Boolean).join('。')
  return { sentence: says.formed, hint, acts: ['order', 'again'] }
}

/** What goes back to a member of a formed group by its terms, of an order that goes on; empty: nothing does. */
export function backOf(page: GroupPage): string {
  const refund = page.order?.refunds.find((it) => it.rebate_text)
  const isSettling = !refund && page.order?.status === 'paid'
  if (!refund && !isSettling) return ''
  if (isFree(page)) return refund ? words.leaderFree.back(backWords(refund)) : words.leaderFree.soon
  const tier = reachedBy(page.progress.seats_paid, page.tiers)
  if (!tier) return ''
  const step = words.tiers.step(tier.seats, shortYuan(tier.off_fen))
  return refund ? words.tiers.back(step, backWords(refund)) : words.tiers.soon(step)
}

/** What a member of a formed group waits for. */
export function nextWords({ status, status_text, delivery }: NonNullable<GroupPage['order']>, ship_within_h: number): string {
  if (!isToBeSent(status)) return says.orderNow(status_text)
  return delivery === 'pickup' ? says.collect : says.formedMine(ship_within_h)
}

/** paid: the group has only just formed. */
export const isToBeSent = (status: string): boolean => status === 'fulfilling' || status === 'paid'

function fullForStranger(page: GroupPage): View {
  const sentence = formedWithFewer(page.progress) ? says.formedWithout : says.full
  return { sentence, hint: page.order ? says.released : insteadWords(page), acts: ownWays(page) }
}

/** What who found no seat can do instead: other groups that wait, and one of their own while they can be opened. */
export function insteadWords({ activity_state, others }: GroupPage): string {
  const hasOthers = others.length > 0
  if (activity_state === 'running') return hasOthers ? says.fullOthers : says.fullAlone
  return says.noOpening[activity_state] + (hasOthers && activity_state !== 'ended' ? says.onlyOthers : '')
}

function failedForMember(page: GroupPage): View {
  const why = reasonOf(page)
  const back = [refundWords(page), page.order ? givenBack(page.order) : ''].filter(Boolean).join('，')
  const given = [
    page.compensated && words.coupons.compensated(page.compensation),
    page.compensated_points && words.points.compensated(page.compensation_points),
  ]
  const acts: Act[] = ['refund', ...ownWays(page, 'again').slice(0, 1)]
  return { sentence: says.failedMine, hint: [why, back, ...given].filter(Boolean).join('。'), acts: page.compensated ? [...acts, 'coupon'] : acts }
}

function overForStranger(page: GroupPage): View {
  return { sentence: says.over, hint: page.order ? says.noRefund : (page.combined?.text ?? reasonOf(page)), acts: ownWays(page) }
}

/** The ways to buy it all the same: a group of one's own, alone, or something else. */
function ownWays(page: GroupPage, open: Act = 'open'): Act[] {
  if (page.activity_state === 'running') return [open]
  return page.solo_on_sale ? ['alone', 'elsewhere'] : ['elsewhere']
}

/** Members are told why the shop closed it; without a reason of its own, it ended with its activity. */
function reasonOf({ progress, role, closed_words }: GroupPage): string {
  if (progress.failed_reason === 'leader_cancelled') return role === 'leader' ? says.selfCancelled : says.leaderCancelled
  if (progress.failed_reason !== 'closed_by_merchant') return says.due
  if (closed_words) return says.closedBecause(closed_words)
  return role === 'leader' || role === 'member' ? says.closedWithActivity : says.closedByShop
}

function refundWords({ order }: GroupPage): string {
  const refund = order?.refunds.at(-1)
  return refund ? backWords(refund) : ''
}

function backWords(refund: RefundShown): string {
  if (refund.arrived_at_s) return says.refunded(refund.amount_fen)
  return refund.expected_by_s ? says.refundBy(refund.amount_fen, refund.expected_by_s) : says.refunding(refund.amount_fen)
}

export function hasFreeSeat({ progress }: GroupPage): boolean {
  return progress.status === 'open' && progress.seats_taken < progress.seats_total
}
