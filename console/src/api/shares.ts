import { get, post } from './client'
import type { BodyOf, Schema } from './types'

export type ShareFigures = Schema<'ShareFigures'>
export type ActivityShareFigures = Schema<'ActivityShareFigures'>
export type ShopShare = Schema<'ShopShare'>
export type ShopShareRequest = BodyOf<'post', '/v1/merchant/activities/{activity_id}/shares'>

/** What the shares of an activity have brought. */
export const readShareFigures = (activity_id: string) =>
  get('/v1/merchant/activities/{activity_id}/shares', { path: { activity_id } })
/** Spread it by a share of the shop's own. */
export const makeShopShare = (activity_id: string, body: ShopShareRequest, key: string) =>
  post('/v1/merchant/activities/{activity_id}/shares', { path: { activity_id }, body, key })
