/** What a buyer does: quote, open, join, buy alone, pay, cancel, look after orders, invite. */
import type { QueryOf } from '@contract'
import { get, post, type Schema } from './client'

export type Quote = Schema<'QuoteResponse'>
export type PriceLine = Schema<'PriceLineShown'>
export type QuoteBody = Schema<'QuoteRequest'>
export type Purchase = Schema<'PurchaseRequest'>
export type Placed = Schema<'OrderPlaced'>
export type OrderRow = Schema<'OwnOrderRow'>
export type Order = Schema<'OrderDetail'>
export type OrderAct = OrderRow['actions'][number]
export type RefundShown = Schema<'RefundShown'>
export type PaymentResult = Schema<'PaymentResult'>
export type Invitation = Schema<'ShareMade'>

export const quote = (body: QuoteBody) => post('/v1/merchants/{merchant_id}/quotes', { body })

export const openGroup = (activity_id: string, body: Schema<'OpenRequest'>, key: string) =>
  post('/v1/activities/{activity_id}/groups', { path: { activity_id }, body, key })

/** A seat once taken is answered again: a repeat needs no key. */
export const joinGroup = (group_id: string, body: Schema<'JoinRequest'>) =>
  post('/v1/groups/{group_id}/seats', { path: { group_id }, body })

export const buyAlone = (activity_id: string, body: Purchase, key: string) =>
  post('/v1/activities/{activity_id}/orders', { path: { activity_id }, body, key })

/** Its points go with the order; its price is paid as any other. */
export const exchangePoints = (offer_id: string, body: Purchase, key: string) =>
  post('/v1/points-offers/{offer_id}/orders', { path: { offer_id }, body, key })

export const askPayment = (order_id: string, body: Schema<'PaymentRequest'>) =>
  post('/v1/orders/{order_id}/payments', { path: { order_id }, body })

/** What became of a payment; the server asks the gateway where it does not know. */
export const findPaymentResult = (order_id: string) =>
  post('/v1/orders/{order_id}/payment-result', { path: { order_id } })

export const readOrder = (order_id: string) => get('/v1/orders/{order_id}', { path: { order_id } })

/** payment_no: ours, or the gateway's own. */
export const findOrder = (payment_no: string) =>
  get('/v1/orders/by-payment/{payment_no}', { path: { payment_no } })

export const listOrders = (query: QueryOf<'/v1/orders'>) => get('/v1/orders', { query })

export const cancelOrder = (order_id: string) =>
  post('/v1/orders/{order_id}/cancellation', { path: { order_id } })

export const urge = (order_id: string) => post('/v1/orders/{order_id}/urges', { path: { order_id } })

export const confirmReceipt = (order_id: string) => post('/v1/orders/{order_id}/receipt', { path: { order_id } })

export const readShareCode = (share_id: string) => get('/v1/shares/{share_id}/code', { path: { share_id } })

export const share = (group_id: string, channel: Schema<'ShareRequest'>['channel']) =>
  post('/v1/groups/{group_id}/shares', { path: { group_id }, body: { channel } })
