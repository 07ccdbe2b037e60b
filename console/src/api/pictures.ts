import { t } from '@/words'
import { post } from './client'
import { ApiError, noAnswer } from './errors'
import type { BodyOf } from './types'

type ContentType = BodyOf<'post', '/v1/merchant/pictures'>['content_type']

export const CONTENT_TYPES: readonly ContentType[] = ['image/jpeg', 'image/png', 'image/webp']
export const SIZE_MAX = 5 * 1024 * 1024 // bytes

/** Upload a picture and have it accepted; the address where everybody sees it. Throws ApiError. */
export async function upload(file: File): Promise<string> {
  const content_type = CONTENT_TYPES.find((it) => it === file.type)
  if (!content_type || file.size > SIZE_MAX) throw new ApiError(0, 'picture_refused', t('picture.wrong'))
  const { picture_id, url, fields } = await post('/v1/merchant/pictures', { body: { content_type, size: file.size } })
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value))
  form.append('file', file) // last: the store reads no field after it
  const sent = await fetch(url, { method: 'POST', body: form }).catch(() => null)
  if (!sent?.ok) throw noAnswer()
  const { url: shown } = await post('/v1/merchant/pictures/{picture_id}/acceptance', { path: { picture_id } })
  return shown
}
