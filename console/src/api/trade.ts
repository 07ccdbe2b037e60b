import { get, post, put } from './client'
import type { BodyOf, QueryOf, Schema } from './types'

export type AfterSale = Schema<'AfterSaleRow'>
export type Refund = Schema<'RefundRow'>
export type Ledger = Schema<'LedgerShown'>
export type Reconciliation = Schema<'ReconciliationRow'>
export type Difference = Schema<'DifferenceRow'>
export type RejectedResult = Schema<'RejectedResultRow'>

export const readLedger = (order_id: string) =>
  get('/v1/merchant/orders/{order_id}/ledger', { path: { order_id } })

export const listAfterSales = (query: QueryOf<'/v1/merchant/after-sales'>) => get('/v1/merchant/after-sales', { query })
export const approveAfterSale = (
  after_sale_id: string,
  body: BodyOf<'post', '/v1/merchant/after-sales/{after_sale_id}/approval'>,
) => post('/v1/merchant/after-sales/{after_sale_id}/approval', { path: { after_sale_id }, body })
/** The buyer is told where to send the goods; the refund, or the replacement, comes once they are here. */
export const agreeToReturn = (after_sale_id: string) =>
  post('/v1/merchant/after-sales/{after_sale_id}/return-agreement', { path: { after_sale_id } })
export const refuseAfterSale = (after_sale_id: string, reply: string) =>
  post('/v1/merchant/after-sales/{after_sale_id}/refusal', { path: { after_sale_id }, body: { reply } })

/** Of an exchange: the goods are here, or need not come. */
export const receiveGoods = (after_sale_id: string, units_back: number) =>
  post('/v1/merchant/after-sales/{after_sale_id}/goods-receipt', { path: { after_sale_id }, body: { units_back } })
export const sendReplacement = (
  after_sale_id: string,
  body: BodyOf<'put', '/v1/merchant/after-sales/{after_sale_id}/replacement'>,
) => put('/v1/merchant/after-sales/{after_sale_id}/replacement', { path: { after_sale_id }, body })
export const handOverReplacement = (after_sale_id: string) =>
  post('/v1/merchant/after-sales/{after_sale_id}/hand-over', { path: { after_sale_id } })

export const listRefunds = (query: QueryOf<'/v1/merchant/refunds'>) => get('/v1/merchant/refunds', { query })
export const retryRefund = (out_refund_no: string) =>
  post('/v1/merchant/refunds/{out_refund_no}/retry', { path: { out_refund_no } })

/** How a buyer can have been paid back when the gateway does not do it. */
export const WAYS = ['bank_transfer', 'wechat_transfer', 'alipay_transfer', 'cash', 'gateway', 'other'] as const
export const payRefundOutside = (
  out_refund_no: string,
  body: BodyOf<'post', '/v1/merchant/refunds/{out_refund_no}/outside'>,
) => post('/v1/merchant/refunds/{out_refund_no}/outside', { path: { out_refund_no }, body })

export const listReconciliations = (query: QueryOf<'/v1/merchant/reconciliations'>) =>
  get('/v1/merchant/reconciliations', { query })
export const listRejectedResults = (query: QueryOf<'/v1/merchant/rejected-results'>) =>
  get('/v1/merchant/rejected-results', { query })
export const dealWithRejectedResult = (result_id: string, note: string) =>
  post('/v1/merchant/rejected-results/{result_id}/dealt-with', { path: { result_id }, body: { note } })
export const listDifferences = (query: QueryOf<'/v1/merchant/differences'>) =>
  get('/v1/merchant/differences', { query })
export const dealWithDifference = (difference_id: string, note: string) =>
  post('/v1/merchant/differences/{difference_id}/dealt-with', { path: { difference_id }, body: { note } })
