/** What anybody may read: the shop, its activities, its groups. */
import type { QueryOf } from '@contract'
import { get, poll, post, type Schema } from './client'

export type Card = Schema<'ActivityCard'>
export type Activity = Schema<'ActivityDetail'>
export type Sku = Schema<'SkuShown'>
export type HomeGroups = Schema<'HomeGroups'>
export type Joinable = Schema<'JoinableGroup'>
export type GroupGoods = Schema<'GroupGoods'>
export type GroupPage = Schema<'GroupPage'>
export type Seat = Schema<'Seat'>
export type Store = Schema<'ShopStore'>

export const readShop = () => get('/v1/merchants/{merchant_id}')

export type Sort = NonNullable<QueryOf<'/v1/merchants/{merchant_id}/activities'>['sort']>

export const browse = (query: { category?: string; coupon?: string; q?: string; sort?: Sort; next?: string }) =>
  get('/v1/merchants/{merchant_id}/activities', { query })

/** What the first page shows beside activities: shelves, groups that lack one member; of a buyer who
 * is logged in, their own that wait, too. */
export const listHomeGroups = () => get('/v1/merchants/{merchant_id}/groups')

export const readActivity = (activity_id: string) =>
  get('/v1/merchants/{merchant_id}/activities/{activity_id}', { path: { activity_id } })

export const pollGroup = (group_id: string, etag: string) =>
  poll('/v1/merchants/{merchant_id}/groups/{group_id}/page', etag, { path: { group_id } })

export const readGroup = (group_id: string) =>
  get('/v1/merchants/{merchant_id}/groups/{group_id}/page', { path: { group_id } })

export const listStores = () => get('/v1/merchants/{merchant_id}/stores')

/** What WeChat's browser wants of the page at `url`. */
export const readWechatPage = (url: string) => get('/v1/merchants/{merchant_id}/wechat-page', { query: { url } })

/** Count a visit by an invitation, and learn which group it leads to. */
export const visitShare = (share_id: string, visitor_id: string) =>
  post('/v1/merchants/{merchant_id}/shares/{share_id}/visits', {
    path: { share_id },
    body: { visitor_id },
  })
