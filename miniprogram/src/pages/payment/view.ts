/** What the page of a payment says, by what the server knows; never by what a pay sheet told. */
import type { GroupPage } from '@/api/shop'
import type { PaymentResult } from '@/api/trade'
import { givenBack } from '@/givenBack'
import type { PayOutcome } from '@/platform'
import { standing } from '@/progress'
import { words } from '@/words'
import { accountWords } from '@/words-account'
import { orderWords } from '@/words-order'
import { backOf, formedWithFewer, nextWords, openWords } from '../group/view'
import { comingWords, refundWords } from '../order/view'

export type Act = 'pay' | 'go_on' | 'check' | 'give_up' | 'invite' | 'notify' | 'group' | 'order' | 'refund' | 'again' | 'open'

export interface View {
  tone: 'busy' | 'good' | 'plain'
  sentence: string
  hint: string
  /** What the order brings once it is received; left out where that is not to be told. */
  coming?: string
  acts: Act[]
}

const says = accountWords.payment

/** How long the buyer has looked at this page. asked_s: since they came back to it from a pay sheet, or
 * said that they paid. */
export interface Waited {
  looked_s: number
  asked_s: number | null
  saysPaid: boolean
}

/** group: null before it is read, or of an order bought alone. */
export function viewOf(result: PaymentResult, group: GroupPage | null, now_s: number, waited: Waited): View {
  switch (stateOf(result, waited.asked_s)) {
    case 'paid':
      return paid(result, group)
    case 'seat_lost':
      return seatLost(result, group)
    case 'confirming':
      return confirming(result, waited)
    case 'unpaid':
      return unpaid(result, now_s)
    default:
      return over(result)
  }
}

const SLOW_S = 10 // after which the buyer is told that it takes longer
const GRACE_S = 4 // within which a gateway may not know yet what was just paid

/** The server's word; right after the sheet nothing is called unpaid. */
export function stateOf({ state }: PaymentResult, asked_s: number | null): PaymentResult['state'] {
  return state === 'unpaid' && asked_s !== null && asked_s < GRACE_S ? 'confirming' : state
}

/** Nobody is warned of paying twice who may not have paid once. */
function confirming({ state }: PaymentResult, { looked_s, asked_s, saysPaid }: Waited): View {
  const isSlow = (asked_s ?? looked_s) >= SLOW_S
  if (isSlow) return { tone: 'busy', sentence: says.confirming, hint: says.slow, acts: ['order', 'check'] }
  if (saysPaid) return { tone: 'busy', sentence: says.confirming, hint: says.patience, acts: [] }
  return { tone: 'busy', sentence: says.looking, hint: '', acts: state === 'unpaid' ? ['go_on'] : [] }
}

function seatLost({ order, group }: PaymentResult, page: GroupPage | null): View {
  const refund = order.refunds.at(-1)
  const money = refund ? refundWords(refund) : says.seatLostMoney
  const next = page?.others.length ? says.seatLostOthers : says.seatLostAlone
  return { tone: 'plain', sentence: group && formedWithFewer(group) ? says.seatLostInTime : says.seatLost, hint: `${money}。${next}`, acts: ['open', 'refund'] }
}

function unpaid({ order, is_leader }: PaymentResult, now_s: number): View {
  const left_s = order.pay_by_s - now_s
  if (left_s <= 0) {
    const hint = order.group_id && !is_leader ? words.group.closingHint : says.timeoutHint
    return { tone: 'plain', sentence: words.group.closing, hint, acts: [] }
  }
  const hint = order.group_id ? says.unpaidGroup(left_s) : says.unpaidAlone(left_s)
  return { tone: 'plain', sentence: says.unpaid, hint, acts: ['pay', 'check', 'give_up'] }
}

function paid({ order, group, is_leader }: PaymentResult, page: GroupPage | null): View {
  const coming = order.points_to_come ? comingWords(order.points_to_come, order.delivery) : ''
  if (!order.group_id || !group) {
    const hint = order.delivery === 'pickup' ? orderWords.preparing : orderWords.shipsWithin
    return { tone: 'good', sentence: says.alone, hint, coming, acts: ['order'] }
  }
  if (group.status === 'failed') {
    return { tone: 'plain', sentence: says.groupFailed, hint: order.status_text, acts: ['refund', 'open'] }
  }
  if (group.status === 'formed') {
    const hint = page ? [backOf(page), nextWords(order, page.ship_within_h)].filter(Boolean).join('。') : ''
    return { tone: 'good', sentence: says.formed, hint, coming, acts: ['order', 'group'] }
  }
  const sentence = is_leader ? says.opened(standing(group)) : says.joined(standing(group))
  return { tone: 'good', sentence, hint: openWords(group, page), acts: ['invite', 'group', 'order'] }
}

/** What went wrong at the pay sheet, and what to do: another way to pay. To close it is no trouble. */
export const troubleOf = (outcome: PayOutcome): string => (outcome === 'refused' ? says.refused : '')

/** The group of whoever did not pay for opening it was never there for others: there is none to go back to. */
function over({ state, order, is_leader }: PaymentResult): View {
  const isLate = state === 'timed_out'
  const back = givenBack(order)
  return {
    tone: 'plain',
    sentence: isLate ? says.timeout : says.closed,
    hint: back ? `${says.timeoutHint}${back}。` : says.timeoutHint,
    acts: order.group_id && !is_leader ? ['again', 'open'] : ['open'],
  }
}
