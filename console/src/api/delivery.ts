import { get, post, put, remove } from './client'
import type { BodyOf, Schema } from './types'

export type Store = Schema<'Store'>
export type StoreInput = BodyOf<'post', '/v1/merchant/stores'>
export type FreightTemplate = Schema<'FreightTemplate'>
export type FreightInput = BodyOf<'post', '/v1/merchant/freight-templates'>
export type Pickup = Schema<'Pickup'>

export const listStores = async () => (await get('/v1/merchant/stores')).items
export const createStore = (body: StoreInput, key: string) => post('/v1/merchant/stores', { body, key })
export const changeStore = (store_id: string, body: BodyOf<'put', '/v1/merchant/stores/{store_id}'>) =>
  put('/v1/merchant/stores/{store_id}', { path: { store_id }, body })
export const removeStore = (store_id: string) => remove('/v1/merchant/stores/{store_id}', { path: { store_id } })

export const listFreightTemplates = async () => (await get('/v1/merchant/freight-templates')).items
export const createFreightTemplate = (body: FreightInput, key: string) =>
  post('/v1/merchant/freight-templates', { body, key })
export const changeFreightTemplate = (
  template_id: string,
  body: BodyOf<'put', '/v1/merchant/freight-templates/{template_id}'>,
) => put('/v1/merchant/freight-templates/{template_id}', { path: { template_id }, body })
export const removeFreightTemplate = (template_id: string) =>
  remove('/v1/merchant/freight-templates/{template_id}', { path: { template_id } })

export const makeReady = (order_id: string) =>
  post('/v1/merchant/orders/{order_id}/readiness', { path: { order_id } })
export const lookUpPickup = (code: string) => get('/v1/merchant/pickups/{code}', { path: { code } })
export const handOver = (code: string) => post('/v1/merchant/pickups', { body: { code } })
