import { NotDecoded, shrunk } from '@/pictures/shrink'
import { t } from '@/words'
import { post } from './client'
import { ApiError, noAnswer } from './errors'
import type { BodyOf } from './types'

type ContentType = BodyOf<'post', '/v1/merchant/pictures'>['content_type']

const CONTENT_TYPES: readonly ContentType[] = ['image/jpeg', 'image/png', 'image/webp']
/** What is offered to choose: everything that a browser may be able to decode. */
export const ACCEPTED = 'image/*'

/** Upload a picture and have it accepted; the address where everybody sees it. A large one is made
smaller first. Throws ApiError. */
export async function upload(file: File): Promise<string> {
  const picture = await shrunk(file, CONTENT_TYPES).catch((error: unknown) => {
    throw error instanceof NotDecoded ? new ApiError(0, 'picture_refused', t('picture.wrong')) : error
  })
  const body = { content_type: picture.type as ContentType, size: picture.size }
  const { picture_id, url, fields } = await post('/v1/merchant/pictures', { body })
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value))
  form.append('file', picture, file.name) // last: the store reads no field after it
  const sent = await fetch(url, { method: 'POST', body: form }).catch(() => null)
  if (!sent?.ok) throw noAnswer()
  const { url: shown } = await post('/v1/merchant/pictures/{picture_id}/acceptance', { path: { picture_id } })
  return shown
}
