import { get, post, put, remove } from './client'
import type { BodyOf, Schema } from './types'

export type Coupon = Schema<'CouponTemplate'>
export type CouponDetail = Schema<'CouponTemplateDetail'>
export type CodeBatch = Schema<'CodeBatch'>
export type CouponInput = BodyOf<'post', '/v1/merchant/coupons'>

export const listCoupons = async () => (await get('/v1/merchant/coupons')).items
export const readCoupon = (coupon_template_id: string) =>
  get('/v1/merchant/coupons/{coupon_template_id}', { path: { coupon_template_id } })
export const createCoupon = (body: CouponInput, key: string) => post('/v1/merchant/coupons', { body, key })
export const changeCoupon = (coupon_template_id: string, body: BodyOf<'put', '/v1/merchant/coupons/{coupon_template_id}'>) =>
  put('/v1/merchant/coupons/{coupon_template_id}', { path: { coupon_template_id }, body })
export const removeCoupon = (coupon_template_id: string) =>
  remove('/v1/merchant/coupons/{coupon_template_id}', { path: { coupon_template_id } })
/** No more are given out; revoke: those that were and are not used are good no more. */
export const withdrawCoupon = (coupon_template_id: string, revoke: boolean) =>
  post('/v1/merchant/coupons/{coupon_template_id}/withdrawal', { path: { coupon_template_id }, body: { revoke } })

/** The newest first. */
export const listCodeBatches = async (coupon_template_id: string) =>
  (await get('/v1/merchant/coupons/{coupon_template_id}/codes', { path: { coupon_template_id } })).items
/** So many codes, each of which is good for one coupon. */
export const writeCodes = (coupon_template_id: string, count: number, key: string) =>
  post('/v1/merchant/coupons/{coupon_template_id}/codes', { path: { coupon_template_id }, body: { count }, key })
export const readCodes = async (batch: string) => (await get('/v1/merchant/coupon-codes/{batch}', { path: { batch } })).items
