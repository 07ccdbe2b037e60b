/** The order list: its tabs, what its filters ask for, its rows as a table to take away. */
import type { Order, OrderQuery } from '@/api/orders'
import type { Cell, Column } from '@/spreadsheet/write'
import type { ListQuery } from '@/components/useList'
import { formatTime, secondsOf } from '@/format'
import { language, t } from '@/words'
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

export const exportColumns = (): Column[] => [
  { title: t('order.shortNo'), width: 16 },
  { title: t('order.id'), width: 34 },
  { title: t('list.status'), width: 10 },
  { title: t('order.placedAt'), width: 19 },
  { title: t('order.goods'), width: 30 },
  { title: t('order.spec'), width: 18 },
  { title: t('order.quantity'), width: 8 },
  { title: t('order.totalYuan'), width: 10 },
  { title: t('address.name'), width: 10 },
  { title: t('address.phone'), width: 14 },
  { title: t('address.province'), width: 10 },
  { title: t('address.city'), width: 10 },
  { title: t('order.delivery'), width: 8 },
  { title: t('group.id'), width: 24 },
]

/** People stay masked: what leaves the console is seen by more than may see an order. */
export const exported = (row: Order): Cell[] => [
  row.short_no,
  row.order_id,
  row.status_text,
  formatTime(row.placed_at_s),
  row.title,
  row.spec,
  row.quantity,
  row.total_fen / 100,
  row.recipient.name,
  row.recipient.phone,
  row.recipient.province,
  row.recipient.city,
  t(row.delivery === 'pickup' ? 'order.pickup' : 'order.express'),
  row.group_id ?? '',
]

/** The colour of an order's state; its words are the server's, which knows 部分发货 and 待备货. */
export const toneOf = (row: Pick<Order, 'status'>) => statusOf('order', row.status).tone

/** An order's state for people: in Chinese the API's own words, which say more than the status. */
export const stateWords = ({ status, status_text }: Pick<Order, 'status' | 'status_text'>) => {
  const { key } = statusOf('order', status)
  return language.value === 'en' && key ? t(key) : status_text
}
