/** The SKU matrix: specs with their values, and one row for each combination of them.
 *
 * Rows belong to values by id, not by text: renaming a value, or adding one, leaves the prices and
 * the stock of every other row as they are.
 */
import type { ProductInput, StockedSku } from '@/api/products'
import type { Problem } from '@/api/errors'
import { formatFen } from '@/format'
import { t } from '@/words'

export const SPECS_MAX = 3
export const VALUES_MAX = 20
export const ROWS_MAX = 200
const PRICE_FEN_MAX = 99_999_999

export interface SpecValue {
  id: string
  text: string
}

export interface Spec {
  id: string
  name: string
  values: SpecValue[]
}

export interface Row {
  /** Ids of its values, joined: one for each spec. */
  key: string
  texts: string[]
  sku: StockedSku | null // as it is stored; null for a new one
  isOn: boolean
  solo_price_fen: number | null
  list_price_fen: number | null
  stock: number | null // of a new SKU; a stored one's is adjusted apart
  image: string
  code: string
  cost_fen: number | null
  weight_g: number | null
  member_price_fen: number | null // of members whose level has own prices
}

export interface Matrix {
  specs: Spec[]
  rows: Row[]
}

let made = 0
/** A row in words: 红色 / XL. */
export const nameOf = (row: Pick<Row, 'texts'>) => row.texts.join(' / ') || t('sku.only')
export const newId = () => `v${++made}`
export const newSpec = (): Spec => ({ id: newId(), name: '', values: [{ id: newId(), text: '' }] })

export function matrixOf(skus: readonly StockedSku[]): Matrix {
  const specs: Spec[] = Object.keys(skus[0]?.specs ?? {}).map((name) => ({
    id: newId(),
    name,
    values: [...new Set(skus.map((sku) => sku.specs[name] ?? ''))].map((text) => ({ id: newId(), text })),
  }))
  const keyOf = (sku: StockedSku) =>
    specs.map(({ name, values }) => values.find(({ text }) => text === sku.specs[name])?.id ?? '').join(' ')
  const stored = skus.map((sku) => ({ ...blank(), ...pick(sku), key: keyOf(sku), sku }))
  return { specs, rows: combined(specs, stored, skus.length === 0) }
}

/** The rows for `specs`: those of `old` that are still there keep everything they hold. */
export function combined(specs: readonly Spec[], old: readonly Row[], areNewOn = true): Row[] {
  const known = new Map(old.map((row) => [row.key, row]))
  const taken = new Set<string>()
  return product(specs.map(({ values }) => values)).map((values) => {
    const key = values.map(({ id }) => id).join(' ')
    const row = known.get(key) ?? inherited(key, old, taken) ?? { ...blank(), isOn: areNewOn }
    return { ...row, key, texts: values.map(({ text }) => text) }
  })
}

/** When a whole spec comes or goes, prices carry over; the SKU itself, once, to the first row. */
function inherited(key: string, old: readonly Row[], taken: Set<string>): Row | undefined {
  const parts = key.split(' ').filter(Boolean)
  const kin = old.filter((row) => {
    const theirs = row.key.split(' ').filter(Boolean)
    const [few, many] = theirs.length < parts.length ? [theirs, parts] : [parts, theirs]
    return few.length < many.length && few.every((part) => many.includes(part))
  })
  const row = kin.find(({ key: it }) => !taken.has(it)) ?? kin[0]
  if (!row) return undefined
  const isFirst = !taken.has(row.key)
  for (const it of kin) taken.add(it.key)
  return isFirst ? row : { ...row, sku: null, code: '', stock: row.sku ? null : row.stock }
}

function product<T>(lists: readonly T[][]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((begun) => list.map((it) => [...begun, it])), [[]])
}

function blank(): Row {
  return { key: '', texts: [], sku: null, isOn: true, solo_price_fen: null, list_price_fen: null, stock: null, image: '', code: '', cost_fen: null, weight_g: null, member_price_fen: null }
}

const pick = ({ solo_price_fen, list_price_fen, image, code, cost_fen, weight_g, member_price_fen }: StockedSku) => ({
  solo_price_fen,
  list_price_fen,
  image,
  code,
  cost_fen,
  weight_g: weight_g || null, // 0: nobody has weighed it
  member_price_fen,
})

/** What the API takes of the matrix. It has no problems. */
export function skusOf({ specs, rows }: Matrix): ProductInput['skus'] {
  return rows
    .filter((row) => row.isOn)
    .map((row) => ({
      specs: Object.fromEntries(specs.map(({ name }, n) => [name.trim(), (row.texts[n] ?? '').trim()])),
      solo_price_fen: row.solo_price_fen ?? 0,
      list_price_fen: row.list_price_fen ?? row.solo_price_fen ?? 0,
      image: row.image,
      code: row.code.trim(),
      cost_fen: row.cost_fen,
      weight_g: row.weight_g ?? 0,
      member_price_fen: row.member_price_fen,
      ...(row.sku ? { sku_id: row.sku.sku_id, stock: null } : { sku_id: null, stock: row.stock }),
    }))
}

/** Everything that keeps the matrix from being saved; fields are those of the page, by row key. */
export function problemsOf({ specs, rows }: Matrix): Problem[] {
  const on = rows.filter((row) => row.isOn)
  const problems = specs.flatMap(ofSpec)
  if (!on.length) problems.push({ field: 'skus', problem: t('sku.noneOn') })
  if (rows.length > ROWS_MAX) problems.push({ field: 'skus', problem: t('sku.tooMany', { n: rows.length, max: ROWS_MAX }) })
  return [...problems, ...on.flatMap(ofRow)]
}

function ofSpec(spec: Spec): Problem[] {
  const problems: Problem[] = []
  if (!spec.name.trim()) problems.push({ field: `spec.${spec.id}`, problem: t('spec.nameNeeded') })
  const seen = new Set<string>()
  for (const { id, text } of spec.values) {
    const words = text.trim()
    if (!words) problems.push({ field: `value.${id}`, problem: t('spec.valueNeeded', { spec: spec.name }) })
    else if (seen.has(words)) problems.push({ field: `value.${id}`, problem: t('spec.repeated', { value: words }) })
    seen.add(words)
  }
  return problems
}

function ofRow(row: Row): Problem[] {
  const name = nameOf(row)
  const at = (field: string, problem: string) => ({ field: `${row.key}.${field}`, problem: `「${name}」${problem}` })
  const { solo_price_fen: solo, list_price_fen: list } = row
  const problems: Problem[] = []
  if (!solo || solo > PRICE_FEN_MAX) problems.push(at('solo', t('sku.soloWrong', { max: formatFen(PRICE_FEN_MAX) })))
  else if (list !== null && list < solo) problems.push(at('list', t('sku.listWrong', { solo: formatFen(solo) })))
  const { member_price_fen: member } = row
  if (member !== null && solo && (member < 1 || member >= solo)) problems.push(at('member', t('sku.memberWrong', { solo: formatFen(solo) })))
  if (!row.sku && row.stock === null) problems.push(at('stock', t('sku.stockWrong')))
  return problems
}

/** Names of the activities' SKUs that would go with `value`; while there are any it has to stay. */
export function soldIn(rows: readonly Row[], valueId: string): Row[] {
  return rows.filter((row) => row.key.split(' ').includes(valueId) && row.sku?.activities.length)
}

/** The server's fields, which count the SKUs that were sent, as fields of the page. */
export function placed(problems: readonly Problem[], rows: readonly Row[]): Problem[] {
  const on = rows.filter((row) => row.isOn)
  const names: Record<string, string> = {
    solo_price_fen: 'solo',
    list_price_fen: 'list',
    member_price_fen: 'member',
    stock: 'stock',
    code: 'code',
    weight_g: 'weight',
    cost_fen: 'cost',
  }
  return problems.map(({ field, problem }) => {
    const found = /^skus\[(\d+)\]\.(\w+)/.exec(field)
    const row = found && on[Number(found[1])]
    if (!row) return { field, problem }
    return { field: `${row.key}.${names[found[2] ?? ''] ?? 'solo'}`, problem: `「${nameOf(row)}」${problem}` }
  })
}
