/** The only caller of the API: addresses, sessions, time-outs, repeats and refusals. */
import type { AnswerOf, Given, PathOf, Schema, Verb } from '@contract'
import { config } from '@/config'
import { heard } from '@/state/clock'
import { renewSession, session } from '@/state/session'
import { noAnswer, refusalIn } from './errors'

export type { Schema }

type Path = PathOf<'get'> | PathOf<'post'> | PathOf<'put'> | PathOf<'delete'>

/** What a call gives. Whose shop it is, is known and need not be given. */
type Call<V extends Verb, P extends Path> = Omit<Given<V, P>, 'path'> & {
  path?: Omit<NonNullable<Given<V, P>['path']>, 'merchant_id'>
}
type Rest<V extends Verb, P extends Path> =
  object extends Call<V, P> ? [given?: Call<V, P>] : [given: Call<V, P>]

const TIMEOUT_MS = 10_000
const RETRY_AFTER_MS = 500
const NO_ID = '-' // of a link that lacks one: nothing has it, while an empty part is another address

export const get = <P extends PathOf<'get'>>(path: P, ...[given]: Rest<'get', P>) =>
  call('get', path, given)
export const post = <P extends PathOf<'post'>>(path: P, ...[given]: Rest<'post', P>) =>
  call('post', path, given)
export const put = <P extends PathOf<'put'>>(path: P, ...[given]: Rest<'put', P>) =>
  call('put', path, given)
export const remove = <P extends PathOf<'delete'>>(path: P, ...[given]: Rest<'delete', P>) =>
  call('delete', path, given)

/** An answer with its ETag; null when the server says that nothing has changed. */
export interface Polled<T> {
  answer: T | null
  etag: string
}

/** Read what is polled: `etag` is that of the last answer, empty the first time. */
export async function poll<P extends PathOf<'get'>>(
  path: P,
  etag: string,
  ...[given]: Rest<'get', P>
): Promise<Polled<AnswerOf<'get', P>>> {
  const answer = await answered('get', path, given, etag ? { 'If-None-Match': etag } : {})
  if (answer.statusCode === 304) return { answer: null, etag }
  return { answer: answer.data as AnswerOf<'get', P>, etag: headerOf(answer.header, 'etag') }
}

async function call<V extends Verb, P extends Path>(verb: V, path: P, given?: Call<V, P>) {
  return (await answered(verb, path, given)).data as AnswerOf<V, P>
}

type Headers = Record<string, string>
interface Answer {
  statusCode: number
  data: unknown
  header: Record<string, unknown>
}

/** Throws ApiError. A session that ended is renewed, silently where the platform can. */
async function answered<V extends Verb, P extends Path>(
  verb: V,
  path: P,
  given?: Call<V, P>,
  headers: Headers = {},
): Promise<Answer> {
  const sent = session.value?.token
  let answer = await sentOrAgain(verb, path, given, headers)
  if (answer.statusCode === 401 && sent && (await renewSession(sent))) {
    answer = await sentOrAgain(verb, path, given, headers)
  }
  if (answer.statusCode >= 400) throw refusalIn(answer.statusCode, answer.data)
  const now_s = timeIn(answer.data)
  if (now_s !== undefined) heard(now_s)
  return answer
}

/** The server's time in an answer that has one; the page of a group has it with its progress. */
function timeIn(body: unknown): number | undefined {
  const { now_s, progress } = (body ?? {}) as { now_s?: number; progress?: { now_s?: number } }
  return now_s ?? progress?.now_s
}

/** A read is sent once more when nothing came back, or the server was busy. */
async function sentOrAgain<V extends Verb, P extends Path>(
  verb: V,
  path: P,
  given: Call<V, P> | undefined,
  headers: Headers,
): Promise<Answer> {
  const first = await send(verb, path, given, headers).catch((error: unknown) => {
    if (verb !== 'get') throw error
    return null
  })
  if (first !== null && !(verb === 'get' && first.statusCode === 503)) return first
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
  return send(verb, path, given, headers)
}

async function send<V extends Verb, P extends Path>(
  verb: V,
  path: P,
  given: Call<V, P> | undefined,
  headers: Headers,
): Promise<Answer> {
  const { path: parts, query, body, key } = (given ?? {}) as Given<V, P>
  // The pages are in Chinese, whatever language the phone speaks.
  const header: Headers = { 'Accept-Language': 'zh-CN', ...headers }
  if (session.value) header.Authorization = `Bearer ${session.value.token}`
  if (key) header['Idempotency-Key'] = key
  if (verb !== 'get') header['Content-Type'] = 'application/json'
  try {
    const { api, merchant_id } = await config()
    return (await uni.request({
      url: api + filled(path, { merchant_id, ...(parts as Record<string, string>) }) + search(query),
      method: verb.toUpperCase() as 'GET' | 'POST' | 'PUT' | 'DELETE',
      header,
      timeout: TIMEOUT_MS,
      ...(body === undefined ? {} : { data: body }),
    })) as Answer
  } catch (failure) {
    return answerIn(failure)
  }
}

/** Alipay hands over every answer but 200 as a failure. Throws ApiError where there is no answer in it. */
export function answerIn(failure: unknown): Answer {
  const { status = 0, statusCode = status, data, header = {} } = (failure ?? {}) as Partial<Answer> & { status?: number }
  if (statusCode < 200) throw noAnswer() // below are numbers of Alipay's own
  return { statusCode, data: typeof data === 'string' ? parsed(data) : data, header }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function filled(path: string, parts: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] || NO_ID))
}

function search(query: Record<string, unknown> = {}): string {
  const given = Object.entries(query).filter(([, it]) => it !== undefined && it !== null && it !== '')
  const text = given.map(([name, it]) => `${name}=${encodeURIComponent(String(it))}`).join('&')
  return text && `?${text}`
}

function headerOf(headers: Record<string, unknown>, name: string): string {
  const found = Object.entries(headers).find(([it]) => it.toLowerCase() === name)
  return found ? String(found[1]) : ''
}
