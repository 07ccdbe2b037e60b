/** Coupons, points and levels: what the shop gives out, and what the buyer has of it. */
import { get, post, put, type Schema } from './client'

export type Offer = Schema<'CouponOffer'>
export type Coupon = Schema<'CouponShown'>
export type CouponChoice = Schema<'CouponChoice'>
export type Points = Schema<'PointsAccountShown'>
export type PointsEntry = Schema<'PointsEntryShown'>
export type PointsChoice = Schema<'PointsChoiceShown'>
export type PointsOffer = Schema<'PointsOfferShown'>
export type PointsOffers = Schema<'PointsOfferList'>
export type OwnLevel = Schema<'OwnLevel'>
export type OwnRewards = Schema<'OwnRewards'>

/** What the coupon centre has; of who is logged in, how many of each they have claimed, too. */
export const listOffers = () => get('/v1/merchants/{merchant_id}/coupons')

/** What a link leads to, whether it is in the centre or not. */
export const readOffer = (coupon_template_id: string) =>
  get('/v1/merchants/{merchant_id}/coupons/{coupon_template_id}', { path: { coupon_template_id } })

export const claimCoupon = (coupon_template_id: string, key: string) =>
  post('/v1/coupons/{coupon_template_id}/claims', { path: { coupon_template_id }, key })

/** Again with the same code: the same coupon. */
export const claimByCode = (code: string) => post('/v1/coupon-codes/claims', { body: { code } })

export const listCoupons = () => get('/v1/me/coupons')

/** What the buyer has, with their latest entries; `next`: an earlier page of these. */
export const readPoints = (next?: string) => get('/v1/me/points', { query: { next } })

/** What can be had for points; of who is logged in, what they can spend, too. */
export const listPointsOffers = () => get('/v1/merchants/{merchant_id}/points-offers')

export const readPointsOffer = (offer_id: string) => get('/v1/merchants/{merchant_id}/points-offers/{offer_id}', { path: { offer_id } })

/** The buyer's level, what is missing from the next one, and what each gives. */
export const readLevel = () => get('/v1/me/level')

/** What groups that formed have brought the buyer, and how many are missing from the next reward. */
export const readRewards = () => get('/v1/me/rewards')

/** Whom the buyer has brought to the shop, and what that brings. */
export const readInvitations = () => get('/v1/me/invitations')

/** Once a year. */
export const tellBirthday = (body: { month: number; day: number }) => put('/v1/me/birthday', { body })
