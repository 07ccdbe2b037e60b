/** The order list: its tabs, and what its filters ask for. */
import type { Order, OrderQuery } from '@/api/orders'
import type { ListQuery } from '@/components/useList'
import { secondsOf } from '@/format'
import { statusOf } from '@/words/status'

export const TABS = [
  'all',
  'pending',
  'paid',
  'fulfilling',
  'ready_for_pickup',
  'shipped',
  'refunding',
  'refunded',
  'completed',
  'closed',
] as const

export function queryOf({ tab, filters, next }: Pick<ListQuery, 'tab' | 'filters' | 'next'>): OrderQuery {
  const from_s = filters.from && secondsOf(`${filters.from}T00:00`)
  const to_s = filters.to && secondsOf(`${filters.to}T23:59`)
  return {
    ...(tab !== 'all' && { status: tab }),
    ...(filters.q && { q: filters.q }),
    ...(filters.product && { product_id: filters.product }),
    ...(filters.buyer && { buyer_id: filters.buyer }),
    ...(from_s && { from_s }),
    ...(to_s && { to_s: to_s + 59 }),
    ...(next && { next }),
  }
}

/** Whether its goods are to be packed, or were: a list to pack from for any other order leads to a parcel too many. */
export const isPackable = ({ status }: Pick<Order, 'status'>) => ['fulfilling', 'ready_for_pickup', 'shipped', 'completed'].includes(status)

/** Whether it is to be laid out in the store, for its buyer to collect. */
export const isToReady = ({ delivery, status }: Pick<Order, 'delivery' | 'status'>) => delivery === 'pickup' && status === 'fulfilling'

/** The colour of an order's state; its words are the server's, which knows 部分发货 and 待备货. */
export const toneOf = (row: Pick<Order, 'status'>) => statusOf('order', row.status).tone
