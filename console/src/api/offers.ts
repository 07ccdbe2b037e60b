import { get, post, put, remove } from './client'
import type { BodyOf, Schema } from './types'

export type Offer = Schema<'PointsOffer'>
export type OfferInput = BodyOf<'post', '/v1/merchant/points-offers'>

/** With whether the shop has points at all. */
export const listOffers = () => get('/v1/merchant/points-offers')
export const createOffer = (body: OfferInput, key: string) => post('/v1/merchant/points-offers', { body, key })
/** Its name, and how many units it has. */
export const changeOffer = (offer_id: string, body: BodyOf<'put', '/v1/merchant/points-offers/{offer_id}'>) =>
  put('/v1/merchant/points-offers/{offer_id}', { path: { offer_id }, body })
/** Its units are the product's again; orders go on. */
export const endOffer = (offer_id: string) => remove('/v1/merchant/points-offers/{offer_id}', { path: { offer_id } })
