/** From a table that people fill in to rows to ship, and back. */
import type { Carrier, Recipient, Shipment, ShipmentResult } from '@/api/orders'
import type { Cell, Column } from '@/spreadsheet/write'
import { formatTime } from '@/format'
import { t } from '@/words'

const HEAD_ROWS_MAX = 5 // people put a title above
const BUYER_LENGTH = 22 // an order's id begins with its buyer's
const HEADS = {
  order_id: /订单(编)?号|order/i,
  carrier: /(快递|物流|承运)(公司|商)|carrier/i,
  number: /(快递|物流|运)单号|tracking/i,
} as const
type Field = keyof typeof HEADS

export interface Row extends Shipment {
  /** Its place in the table, from 1. */
  n: number
  /** What the check, or the shipping, says of it; null: it was changed since. */
  result: ShipmentResult | null
}

/** Rows that say what to ship, equal ones once, and how many say nothing yet. */
export function rowsOf(table: readonly string[][]): { rows: Row[]; unfilled: number } {
  const { places, from } = headOf(table)
  const rows = new Map<string, Row>()
  let unfilled = 0
  for (const cells of table.slice(from)) {
    const [order_id, carrier, number] = places.map((place) => (cells[place] ?? '').slice(0, 100))
    if (!order_id && !carrier && !number) continue
    if (!number) unfilled++
    else rows.set([order_id, carrier, number].join('\n'), { n: rows.size + 1, order_id: order_id!, carrier: carrier!, number, result: null })
  }
  return { rows: [...rows.values()], unfilled }
}

/** Where the three columns are. Without a head: order, carrier, number. */
function headOf(table: readonly string[][]): { places: number[]; from: number } {
  for (const [n, cells] of table.slice(0, HEAD_ROWS_MAX).entries()) {
    const places = (Object.keys(HEADS) as Field[]).map((field) => placeOf(cells, field))
    if (places.every((place) => place >= 0)) return { places, from: n + 1 }
  }
  return { places: [0, 1, 2], from: 0 }
}

const placeOf = (cells: readonly string[], field: Field) => cells.findIndex((cell) => cell.length < 20 && HEADS[field].test(cell))

/** Rows that contradict each other, by their place; the API sees only fifty at once. */
export function clashes(rows: readonly Row[]): Map<Row, ShipmentResult> {
  const found = new Map<Row, ShipmentResult>()
  const plain = (number: string) => number.replace(/\s/g, '').toUpperCase()
  for (const row of rows) {
    const twin = rows.find((it) => it !== row && it.order_id === row.order_id)
    const other = rows.find(
      (it) => plain(it.number) === plain(row.number) && it.order_id.slice(0, BUYER_LENGTH) !== row.order_id.slice(0, BUYER_LENGTH),
    )
    const words = twin ? t('batch.sameOrder', { n: twin.n }) : other && t('batch.sameNumber', { n: other.n })
    if (words) found.set(row, { order_id: row.order_id, result: 'needs_change', field: 'number', words })
  }
  return found
}

export const columnsToFill = (carriers: readonly Carrier[]): Column[] => [
  { title: t('order.id'), width: 34 },
  { title: t('batch.carrier'), width: 14, choices: carriers.map(({ name }) => name) },
  { title: t('batch.number'), width: 22 },
  { title: t('address.name'), width: 10 },
  { title: t('address.phone'), width: 14 },
  { title: t('address.whole'), width: 44 },
  { title: t('order.goods'), width: 28 },
  { title: t('order.spec'), width: 18 },
  { title: t('order.quantity'), width: 8 },
  { title: t('order.remark'), width: 24 },
  { title: t('order.paidAt'), width: 19 },
]

export const toFill = (order: Recipient): Cell[] => [
  order.order_id,
  '',
  '',
  order.address.name ?? '',
  order.address.phone ?? '',
  addressOf(order.address),
  order.title,
  order.spec,
  order.to_deliver,
  order.remark,
  formatTime(order.listed_at_s),
]

export const addressOf = (address: Record<string, string>) =>
  [address.province, address.city === address.province ? '' : address.city, address.district, address.street].filter(Boolean).join(' ')

export const columnsOfFailures = (): Column[] => [
  { title: t('order.id'), width: 34 },
  { title: t('batch.carrier'), width: 14 },
  { title: t('batch.number'), width: 22 },
  { title: t('batch.why'), width: 50 },
]

export const failure = ({ order_id, carrier, number, result }: Row): Cell[] => [order_id, carrier, number, result?.words ?? '']
