/** What an order says to its buyer, in its row and on its page. */
import type { OrderAct, OrderRow, RefundShown } from '@/api/trade'
import { isAssured, lackingOf } from '@/progress'
import { assuredWords, moreWords, progressWords } from '@/tiers'
import { accountWords } from '@/words-account'
import { orderWords } from '@/words-order'

const says = orderWords

/** The sentence beneath the state; empty where the state says it all. A countdown stands beside it. */
export function sentenceOf(order: OrderRow, closedWords: string, now_s: number): string {
  if (order.after_sale) return says.afterSale(order.after_sale.status_text)
  if (isExpired(order, now_s)) return says.closing
  switch (order.status) {
    case 'paid':
      if (isSettlingGroup(order)) return says.settling
      return order.group ? waitingWords(order.group) : ''
    case 'fulfilling':
      if (order.urged_at_s) return urgedOf(order)
      return order.delivery === 'pickup' ? says.preparing : says.shipsWithin
    case 'shipped':
      return order.receive_by_s ? says.onItsWay(order.receive_by_s, now_s) : says.onItsWayOpen
    case 'ready_for_pickup':
      return says.collect
    case 'completed':
      return refundsOf(order).length > 0 ? '' : says.done
    case 'closed':
      if (order.refunds.length > 0) return says.refundBelow
      return closedWords ? says.closedBecause(closedWords) : says.unpaid
    case 'refunding':
    case 'refunded':
      return refundSentence(order)
    default:
      return ''
  }
}

function waitingWords(group: NonNullable<OrderRow['group']>): string {
  const { seats_least, seats_paid, seats_missing, tiers } = group
  if (isAssured(group)) return `${assuredWords(group, tiers)}；${progressWords(group, tiers)}`
  if (seats_least === 0) return says.missing(seats_missing)
  return [says.missingLeast(lackingOf(group), seats_least), moreWords(seats_paid, tiers)].filter(Boolean).join('；')
}

/** That its group was combined with another one, or may be; empty: neither. */
export function combiningWords({ status, group, combined, agrees_to_combine }: OrderRow): string {
  if (combined) return combined
  return agrees_to_combine && status === 'paid' && group?.seats_missing ? accountWords.order.agrees : ''
}

const isSettlingGroup = (order: OrderRow): boolean => order.status === 'paid' && order.group?.seats_missing === 0

/** It can be paid no more, and is about to be closed. */
export const isExpired = (order: Pick<OrderRow, 'status' | 'pay_by_s'>, now_s: number): boolean =>
  order.status === 'pending' && now_s >= order.pay_by_s

/** Its group has all its members, or its time to be paid is over, and the order is about to say so. */
export const isSettling = (order: OrderRow, now_s: number): boolean => isSettlingGroup(order) || isExpired(order, now_s)

/** That the shop was asked to hurry. */
export const urgedOf = (order: OrderRow): string => (order.delivery === 'pickup' ? says.urgedReady : says.urged)

/** Without what goes back by the terms of its group, while the order goes on. */
const refundsOf = ({ refunds }: Pick<OrderRow, 'refunds'>): RefundShown[] => refunds.filter((it) => !it.rebate_text)

/** What went back of an order that goes on, or is about to; empty: nothing does. */
export function rebateWords({ refunds }: Pick<OrderRow, 'refunds'>): string {
  const rebates = refunds.filter((it) => it.rebate_text)
  if (rebates.length === 0) return ''
  const sum = rebates.reduce((fen, it) => fen + it.amount_fen, 0)
  return rebates.every((it) => it.arrived_at_s) ? orderWords.rebate.done(sum) : orderWords.rebate.working(sum)
}

/** The refund that is under way, else the last one. */
function refundSentence(order: OrderRow): string {
  const refunds = refundsOf(order)
  const refund = refunds.find((it) => it.arrived_at_s === null) ?? refunds.at(-1)
  return refund ? refundWords(refund) : ''
}

/** What goes back, where to, and when. */
export function refundWords(refund: RefundShown): string {
  const method = methodName(refund.method)
  if (refund.arrived_at_s) return `${accountWords.refund.back(refund.amount_fen, method)}，${accountWords.refund.arrived}`
  const expected = refund.expected_by_s ? accountWords.refund.expected(refund.expected_by_s) : refund.status_text
  return `${accountWords.refund.back(refund.amount_fen, method)}，${expected}`
}

/** Whether the sum was paid, is due, or neither: it was never paid, and will not be. */
export function dueOf(order: Pick<OrderRow, 'status' | 'refunds' | 'pay_by_s'>, now_s: number): 'paid' | 'due' | 'none' {
  if (order.status === 'pending') return isExpired(order, now_s) ? 'none' : 'due'
  return order.status === 'closed' && order.refunds.length === 0 ? 'none' : 'paid'
}

export const methodName = (method: string): string => accountWords.refund.gateway[method] ?? accountWords.refund.usual

/** When what is counted down to happens; 0: nothing is. */
export function deadlineOf(order: OrderRow): number {
  if (order.status === 'pending') return order.pay_by_s
  return order.status === 'paid' ? (order.group?.expires_at_s ?? 0) : 0
}

export function labelOf(act: OrderAct, order: OrderRow): string {
  if (act === 'see_refund' && refundsOf(order).length === 0) return orderWords.rebate.see
  return act === 'urge' && order.delivery === 'pickup' ? says.urgeReady : says.do[act]
}

/** What can be done; of what is about to be closed, nothing. */
export const actsOf = (order: OrderRow, now_s: number): OrderAct[] => (isExpired(order, now_s) ? [] : order.actions)

/** What is offered, but not recommended. */
const QUIET: readonly OrderAct[] = ['cancel', 'ask_after_sale', 'buy_again', 'track']

/** at: its place among the acts; the first is the next best step. */
export const kindOf = (act: OrderAct, at: number): 'main' | 'soft' => (at === 0 && !QUIET.includes(act) ? 'main' : 'soft')

/** What an order does to points, line by line: what went for it, and what it brings. */
export function pointsLines(order: OrderRow, now_s: number): { label: string; value: string }[] {
  const { points_used, points_back, points_earned, points_to_come, delivery } = order
  const lines: { label: string; value: string }[] = []
  const back = points_back === points_used ? orderWords.points.allBack : orderWords.points.partBack(points_back)
  if (points_used) lines.push({ label: orderWords.points.used(points_used), value: points_back > 0 ? back : '' })
  if (points_earned) lines.push({ label: orderWords.points.earned(points_earned), value: '' })
  else if (points_to_come && !isExpired(order, now_s)) lines.push({ label: comingWords(points_to_come, delivery), value: '' })
  return lines
}

/** What an order brings once it is received. */
export const comingWords = (points: number, delivery: OrderRow['delivery']): string => orderWords.points.toCome(points, delivery === 'pickup')
