/** A points offer as the form holds it: defaults, what is wrong with it, and what is sent. */
import type { OfferInput } from '@/api/offers'
import type { Problem } from '@/api/errors'
import type { Product, StockedSku } from '@/api/products'
import { DAY_S, formatFen, nowS, secondsOf } from '@/format'
import { levelName, type Level } from '@/stores/levels'
import { t } from '@/words'

export const NAME_MAX = 28
const POINTS_MAX = 1_000_000
const PER_BUYER_MAX = 999
const DAYS_MAX = 366

export interface Draft {
  name: string
  sku_id: string
  points: number | null
  price_fen: number | null // beside the points; 0: points alone
  total: number | null
  per_buyer: number | null // 0: no limit
  level_from: number // of members from that level on; 0: anybody
  last: string // of a date input, Beijing, the whole day included; empty: no end
}

export const emptyDraft = (): Draft => ({ name: '', sku_id: '', points: null, price_fen: 0, total: 10, per_buyer: 1, level_from: 0, last: '' })

const endOf = (last: string): number => (last ? (secondsOf(`${last}T00:00`) ?? 0) + DAY_S : 0)

export const inputOf = (draft: Draft, product_id: string): OfferInput => ({
  name: draft.name.trim(),
  product_id,
  sku_id: draft.sku_id,
  points: draft.points ?? 0,
  price_fen: draft.price_fen ?? 0,
  total: draft.total ?? 0,
  per_buyer: draft.per_buyer ?? 0,
  level_from: draft.level_from,
  until_s: endOf(draft.last),
})

export const skuOf = (product: Product | null, sku_id: string): StockedSku | undefined => product?.skus.find((it) => it.sku_id === sku_id)

export const specOf = ({ specs }: Pick<StockedSku, 'specs'>): string => Object.values(specs).join(' / ') || t('sku.only')

type Check = [field: string, isWrong: boolean, problem: string]

/** Everything to change before it can be offered; the server checks all of it again. */
export function problemsOf(draft: Draft, product: Product | null): Problem[] {
  const sku = skuOf(product, draft.sku_id)
  const checks: Check[] = [
    ['product_id', !product, t('offer.productNeeded')],
    ['sku_id', Boolean(product) && !sku, t('offer.skuNeeded')],
    ['name', !draft.name.trim(), t('offer.nameNeeded')],
    ['points', !within(draft.points, 1, POINTS_MAX), t('offer.pointsWrong', { max: POINTS_MAX.toLocaleString('zh-CN') })],
    ['price_fen', draft.price_fen === null, t('offer.priceNeeded')],
    ['price_fen', Boolean(sku && (draft.price_fen ?? 0) >= sku.solo_price_fen), t('offer.priceWrong', { price: formatFen(sku?.solo_price_fen ?? 0) })],
    ['total', !within(draft.total, 1, sku?.available ?? Infinity), t('offer.totalWrong', { n: sku?.available ?? 0 })],
    ['per_buyer', !within(draft.per_buyer, 0, PER_BUYER_MAX), t('offer.perBuyerWrong', { max: PER_BUYER_MAX })],
    ['until_s', Boolean(draft.last) && !within(endOf(draft.last), nowS() + 1, nowS() + DAYS_MAX * DAY_S), t('offer.untilWrong')],
  ]
  return checks.flatMap(([field, isWrong, problem]) => (isWrong ? [{ field, problem }] : []))
}

const within = (value: number | null, least: number, most: number) => value !== null && value >= least && value <= most

/** What a unit costs, as buyers read it. */
export function costOf({ points, price_fen }: Pick<OfferInput, 'points' | 'price_fen'>): string {
  const worth = t('offer.cost', { n: points.toLocaleString('zh-CN') })
  return price_fen ? `${worth} + ${formatFen(price_fen ?? 0)}` : worth
}

/** The offer in a sentence; empty while its price is not known. */
export function sentenceOf(draft: Draft, product: Product | null, levels: readonly Level[]): string {
  const input = inputOf(draft, '')
  const sku = skuOf(product, draft.sku_id)
  if (!product || !sku || !input.points) return ''
  return [
    t('offer.says', { title: product.title, spec: specOf(sku), cost: costOf(input), n: input.total }),
    input.per_buyer ? t('offer.saysLimit', { n: input.per_buyer }) : '',
    input.level_from ? t('offer.saysLevel', { name: levelName(levels, input.level_from) }) : '',
    draft.last ? t('offer.saysUntil', { day: draft.last }) : '',
  ]
    .filter(Boolean)
    .join('，')
    .concat('。')
}
