/** Money or other goods that a buyer asks for, and the pictures that go with it. */
import { answerIn, get, post, put, type Schema } from './client'
import { refusalIn } from './errors'

export type AfterSale = Schema<'AfterSaleShown'>
export type Claim = Schema<'AfterSaleRequest'>
export type Picture = Schema<'Picture'>

export const listAfterSales = (order_id: string) => get('/v1/orders/{order_id}/after-sales', { path: { order_id } })

/** The same claim again, while it is open, is the same request. */
export const askBack = (order_id: string, body: Claim) =>
  post('/v1/orders/{order_id}/after-sales', { path: { order_id }, body })

export const askExchange = (order_id: string, body: Schema<'ExchangeRequest'>) =>
  post('/v1/orders/{order_id}/exchanges', { path: { order_id }, body })

/** letter: of the request; it ends the request's id. */
const of = (request: AfterSale) => ({ order_id: request.order_id, letter: request.after_sale_id.slice(-1) })

export const withdraw = (request: AfterSale) =>
  post('/v1/orders/{order_id}/after-sales/{letter}/withdrawal', { path: of(request) })

export const sendBack = (request: AfterSale, body: Schema<'ReturnParcelRequest'>) =>
  put('/v1/orders/{order_id}/after-sales/{letter}/parcel', { path: of(request), body })

export const confirmReplacement = (request: AfterSale) =>
  post('/v1/orders/{order_id}/after-sales/{letter}/receipt', { path: of(request) })

/** A picture on the phone. */
export interface Chosen {
  path: string
  size: number
  /** As a browser tells it; mini-programs only have the name of the file. */
  type?: string
}

const TYPES = { png: 'image/png', webp: 'image/webp' } as const
type PictureType = Schema<'NewPicture'>['content_type']

function typeOf(chosen: Chosen): PictureType {
  const ending = chosen.type?.split('/').at(-1) ?? chosen.path.split('.').at(-1)?.toLowerCase() ?? ''
  return TYPES[ending as keyof typeof TYPES] ?? 'image/jpeg'
}

/** Upload a picture and have it accepted. Throws ApiError. */
export async function uploadPicture(chosen: Chosen): Promise<Picture> {
  const form = await post('/v1/me/pictures', { body: { content_type: typeOf(chosen), size: chosen.size } })
  const sent = { url: form.url, filePath: chosen.path, name: 'file', fileType: 'image' as const, formData: form.fields }
  const { statusCode } = await uni.uploadFile(sent).catch(answerIn)
  if (statusCode >= 400) throw refusalIn(statusCode, null)
  return post('/v1/me/pictures/{picture_id}/acceptance', { path: { picture_id: form.picture_id } })
}
