import { get, post, put } from './client'
import type { BodyOf, Page, QueryOf, Schema } from './types'

export type Order = Schema<'OrderRow'>
export type OrderFile = Schema<'OrderFileShown'>
export type BuyerPoints = Schema<'BuyersAccountShown'>
export type Recipient = Schema<'RecipientResponse'>
export type Purpose = Schema<'Purpose'>
export type OrderQuery = QueryOf<'/v1/merchant/orders'>
export type Parcel = Schema<'ParcelOfStaff'>
export type Carrier = Schema<'CarrierShown'>
export type Shipment = Schema<'ShipmentRow'>
export type BatchPart = Schema<'BatchPart'>
export type ShippingBatch = Schema<'ShippingBatch'>
export type ShipmentResult = Schema<'ShipmentResult'>

export const ROWS_MAX = 50 // of one request

export const listOrders = (query: OrderQuery) => get('/v1/merchant/orders', { query })
export const countOrders = async () => (await get('/v1/merchant/orders/counts')).counts as Record<string, number>
export const readOrder = (order_id: string) => get('/v1/merchant/orders/{order_id}', { path: { order_id } })
export const changeAddress = (order_id: string, body: BodyOf<'put', '/v1/merchant/orders/{order_id}/address'>) =>
  put('/v1/merchant/orders/{order_id}/address', { path: { order_id }, body })
export const addNote = (order_id: string, text: string, key: string) =>
  post('/v1/merchant/orders/{order_id}/notes', { path: { order_id }, body: { text }, key })

/** Of the shop's own accord; one key is one refund. */
export const refundOrder = (order_id: string, body: BodyOf<'post', '/v1/merchant/orders/{order_id}/refunds'>, key: string) =>
  post('/v1/merchant/orders/{order_id}/refunds', { path: { order_id }, body, key })
export const lowerPrice = (order_id: string, total_fen: number) =>
  put('/v1/merchant/orders/{order_id}/price', { path: { order_id }, body: { total_fen } })
/** Of each template, used ones too. */
export const countBuyersCoupons = async (order_id: string) =>
  (await get('/v1/merchant/orders/{order_id}/coupons', { path: { order_id } })).items
/** The buyer is told, with the reason; one key is one coupon. */
export const giveCoupon = (order_id: string, body: BodyOf<'post', '/v1/merchant/orders/{order_id}/coupons'>, key: string) =>
  post('/v1/merchant/orders/{order_id}/coupons', { path: { order_id }, body, key })
export const readPoints = (order_id: string) => get('/v1/merchant/orders/{order_id}/points', { path: { order_id } })
/** The buyer is told of what is given, with the reason; one key is one change. */
export const changePoints = (order_id: string, body: BodyOf<'post', '/v1/merchant/orders/{order_id}/points'>, key: string) =>
  post('/v1/merchant/orders/{order_id}/points', { path: { order_id }, body, key })
export const closeOrder = (order_id: string, reason: string) =>
  post('/v1/merchant/orders/{order_id}/closing', { path: { order_id }, body: { reason } })

let carriers: Promise<Carrier[]> | null = null
/** They never change while somebody works. */
export function listCarriers(): Promise<Carrier[]> {
  carriers ??= get('/v1/merchant/carriers').then(({ items }) => items)
  carriers.catch(() => (carriers = null))
  return carriers
}
export const shipParcel = (order_id: string, body: BodyOf<'post', '/v1/merchant/orders/{order_id}/parcels'>) =>
  post('/v1/merchant/orders/{order_id}/parcels', { path: { order_id }, body })
export const correctParcel = (order_id: string, parcel_id: string, carrier: string, number: string) =>
  put('/v1/merchant/orders/{order_id}/parcels/{parcel_id}', { path: { order_id, parcel_id }, body: { carrier, number } })
/** At most ROWS_MAX rows. batch: which part of which table it is; null: only checked, nothing is shipped. */
export const shipOrders = async (rows: Shipment[], batch: BatchPart | null) =>
  (await post('/v1/merchant/shipments', { body: { rows, check_only: batch === null, batch } })).results
export const listShippingBatches = (query: QueryOf<'/v1/merchant/shipping-batches'>) =>
  get('/v1/merchant/shipping-batches', { query })

/** Every order that fits, `most` at the most; told of how many there are after each page. */
export async function everyOrder(query: OrderQuery, most: number, tell: (n: number) => void): Promise<Order[]> {
  const found: Order[] = []
  let next: string | null = null
  do {
    const page: Page<Order> = await listOrders({ ...query, limit: ROWS_MAX, ...(next && { next }) })
    found.push(...page.items)
    next = page.next
    tell(found.length)
  } while (next && found.length < most)
  return found.slice(0, most)
}

/** Orders with who gets them in full, in their order. Each look is logged before it is answered. */
export async function seeRecipients(ids: readonly string[], purpose: Purpose, tell: (n: number) => void = () => {}): Promise<Recipient[]> {
  const seen: Recipient[] = []
  for (let from = 0; from < ids.length; from += ROWS_MAX) {
    const order_ids = ids.slice(from, from + ROWS_MAX)
    seen.push(...(await post('/v1/merchant/recipients', { body: { order_ids, purpose } })).items)
    tell(seen.length)
  }
  return seen
}
