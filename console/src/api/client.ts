/** The only caller of the API: addresses, sessions, repeats and refusals are dealt with here. */
import { config } from '@/config'
import { isStale, logInAgain, session } from '@/stores/session'
import { LOCALES, language } from '@/words'
import { noAnswer, refusalIn } from './errors'
import type { paths } from './schema'
import type { AnswerOf, Given, PathOf, Rest, Verb } from './types'

const BUSY_PAUSE_MS = 400

export const get = <P extends PathOf<'get'>>(path: P, ...[given]: Rest<'get', P>) =>
  call('get', path, given)
export const post = <P extends PathOf<'post'>>(path: P, ...[given]: Rest<'post', P>) =>
  call('post', path, given)
export const put = <P extends PathOf<'put'>>(path: P, ...[given]: Rest<'put', P>) =>
  call('put', path, given)
export const remove = <P extends PathOf<'delete'>>(path: P, ...[given]: Rest<'delete', P>) =>
  call('delete', path, given)

/** Throws ApiError. A session that ended is renewed by the person, then the call goes on. */
async function call<V extends Verb, P extends keyof paths>(
  verb: V,
  path: P,
  given?: Given<V, P>,
): Promise<AnswerOf<V, P>> {
  let answer = await send(verb, path, given)
  if (answer.status === 503 && verb === 'get') {
    await new Promise((done) => setTimeout(done, BUSY_PAUSE_MS))
    answer = await send(verb, path, given)
  }
  if (!answer.ok) {
    const refusal = await refusalIn(answer)
    if (refusal.code === 'forbidden') isStale.value = true
    const isOver = refusal.code === 'unauthenticated' && session.value !== null
    if (!isOver || !(await logInAgain())) throw refusal
    answer = await send(verb, path, given)
    if (!answer.ok) throw await refusalIn(answer)
  }
  return (await answer.json()) as AnswerOf<V, P>
}

async function send<V extends Verb, P extends keyof paths>(
  verb: V,
  path: P,
  given?: Given<V, P>,
): Promise<Response> {
  const { path: parts, query, body, key } = given ?? {}
  const headers: Record<string, string> = { 'Accept-Language': LOCALES[language.value] }
  if (session.value) headers.Authorization = `Bearer ${session.value.token}`
  if (key) headers['Idempotency-Key'] = key
  if (verb !== 'get') headers['Content-Type'] = 'application/json'
  try {
    return await fetch(config.api + filled(path, parts) + search(query), {
      method: verb.toUpperCase(),
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
  } catch {
    throw noAnswer()
  }
}

function filled(path: string, parts: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''))
}

function search(query: Record<string, unknown> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return text && `?${text}`
}
