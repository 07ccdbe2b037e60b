/** From a table that people fill in to rows to ship, and back. */
import type { Carrier, Recipient, Shipment, ShipmentResult } from '@/api/orders'
import type { Sheet } from '@/spreadsheet/sheet'
import type { Cell, Column } from '@/spreadsheet/write'
import { formatTime } from '@/format'
import { t } from '@/words'

const HEAD_ROWS_MAX = 20 // people put titles and instructions above
const TITLE_MAX = 20 // characters; what is longer is an instruction
const BUYER_LENGTH = 22 // an order's id begins with its buyer's
// In the order in which columns are given away: each title is one column's only.
const HEADS = {
  number: /(快递|物流|运|面|承运|货运|包裹)单?(编?号|号码)|^单号$|tracking|waybill/i,
  order_id: /订单(编?号|号码|编码|短号|ID)|^(短号|系统单号)$|(order|system)[ _-]*(id|no|number|#|ref)|^order$/i,
  carrier: /(快递|物流|承运|配送)(公司|商|企业|方式|名称)|^(快递|物流)$|carrier|courier/i,
} as const
const FIELDS = ['order_id', 'carrier', 'number'] as const
type Field = (typeof FIELDS)[number]
type Places = Record<Field, number>

export interface Row extends Shipment {
  /** Its place in the table, from 1, as the spreadsheet program numbers it. */
  n: number
  /** Filtered out or folded away in the table: whoever filled it in may not have seen it. */
  isHidden: boolean
  /** What the check, or the shipping, says of it; null: it was changed since. */
  result: ShipmentResult | null
}

export interface Given {
  rows: Row[]
  /** How many rows say nothing yet. */
  unfilled: number
  /** The sheet that was read. */
  sheet: string
  /** Sheets that could be read as well, and were not. */
  others: string[]
}

/** Rows that say what to ship, equal ones once, of the first sheet that has the three columns. */
export function rowsOf(sheets: readonly Sheet[]): Given {
  const readable = [...sheets]
    .sort((a, b) => Number(a.isHidden) - Number(b.isHidden))
    .flatMap((sheet) => {
      const head = headOf(sheet)
      return head ? [filled(sheet, head)] : []
    })
  const [first, ...others] = readable
  if (!first) return headless(sheets)
  return { ...first, others: others.filter(({ rows, sheet }) => rows.length && sheet).map(({ sheet }) => sheet) }
}

/** Order, carrier, number in the first three columns: the sheet where most rows have all of them. */
function headless(sheets: readonly Sheet[]): Given {
  const places = { order_id: 0, carrier: 1, number: 2 }
  const read = sheets.map((sheet) => filled(sheet, { places, from: 0 }))
  const complete = ({ rows }: Given) => rows.filter(({ order_id, carrier }) => /^\S+$/.test(order_id) && carrier).length
  return read.reduce((best, it) => (complete(it) > complete(best) ? it : best), read[0] ?? { rows: [], unfilled: 0, sheet: '', others: [] })
}

function filled(sheet: Sheet, { places, from }: { places: Places; from: number }): Given {
  const rows = new Map<string, Row>()
  let unfilled = 0
  for (const { n, cells, isHidden } of sheet.rows.slice(from)) {
    const [order_id = '', carrier = '', number = ''] = FIELDS.map((field) => (cells[places[field]] ?? '').slice(0, 100))
    if (!order_id && !carrier && !number) continue
    const equal = rows.get([order_id, carrier, number].join('\n'))
    const isUnseen = isHidden || sheet.isHidden
    if (!number) unfilled++
    else if (equal) equal.isHidden &&= isUnseen
    else rows.set([order_id, carrier, number].join('\n'), { n, order_id, carrier, number, isHidden: isUnseen, result: null })
  }
  return { rows: [...rows.values()], unfilled, sheet: sheet.name, others: [] }
}

/** Where the three columns are, and where the rows begin; null without a line of titles. */
function headOf({ rows }: Sheet): { places: Places; from: number } | null {
  for (const [n, { cells }] of rows.slice(0, HEAD_ROWS_MAX).entries()) {
    const places: Partial<Places> = {}
    for (const field of Object.keys(HEADS) as Field[]) {
      const taken = Object.values(places)
      const place = cells.findIndex((cell, at) => !taken.includes(at) && cell.length < TITLE_MAX && !cell.includes('\t') && HEADS[field].test(cell))
      if (place >= 0) places[field] = place
    }
    if (Object.keys(places).length === FIELDS.length) return { places: places as Places, from: n + 1 }
  }
  return null
}

/** A short number does not tell whose order it is: the server looks. */
const isByLongNumber = ({ order_id }: Row) => order_id.length > BUYER_LENGTH

/** Rows that contradict each other, by their place; the API sees only fifty at once. */
export function clashes(rows: readonly Row[]): Map<Row, ShipmentResult> {
  const found = new Map<Row, ShipmentResult>()
  const plain = (number: string) => number.replace(/\s/g, '').toUpperCase()
  for (const row of rows) {
    const twin = rows.find((it) => it !== row && it.order_id === row.order_id)
    const other = rows.find(
      (it) => plain(it.number) === plain(row.number) && [it, row].every(isByLongNumber) && it.order_id.slice(0, BUYER_LENGTH) !== row.order_id.slice(0, BUYER_LENGTH),
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
  { title: t('order.shortNo'), width: 16 },
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
  order.short_no,
]

export const addressOf = (address: Record<string, string>) =>
  [address.province, address.city === address.province ? '' : address.city, address.district, address.street].filter(Boolean).join(' ')

export const columnsOfFailures = (): Column[] => [
  { title: t('order.shortNo'), width: 34 },
  { title: t('batch.carrier'), width: 14 },
  { title: t('batch.number'), width: 22 },
  { title: t('batch.why'), width: 50 },
]

export const failure = ({ order_id, carrier, number, result }: Row): Cell[] => [order_id, carrier, number, result?.words ?? '']
