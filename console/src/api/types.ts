/** What each operation takes and answers, read from the generated description of the API. */
import type { components, paths } from './schema'

type Schemas = components['schemas']
export type Schema<Name extends keyof Schemas> = Schemas[Name]

export type Verb = 'get' | 'post' | 'put' | 'delete'
export type PathOf<V extends Verb> = {
  [P in keyof paths]: paths[P] extends { [K in V]: object } ? P : never
}[keyof paths]

type Operation<V extends Verb, P extends keyof paths> = paths[P] extends { [K in V]: infer O } ? O : never
type Parameters<O, Where extends string> = O extends { parameters: { [K in Where]?: infer Q } } ? Q : never
type Content<T> = T extends { content: { 'application/json': infer Body } } ? Body : undefined

export type QueryOf<P extends PathOf<'get'>> = NonNullable<Parameters<Operation<'get', P>, 'query'>>
export type BodyOf<V extends Verb, P extends keyof paths> =
  Operation<V, P> extends { requestBody: infer R } ? Content<R> : undefined
export type AnswerOf<V extends Verb, P extends keyof paths> =
  Operation<V, P> extends { responses: infer R } ? Content<R[keyof R & (200 | 201)]> : never

/** What a call gives; a body that the operation takes cannot be left out. */
export type Given<V extends Verb, P extends keyof paths> = {
  /** Values of the braces in the path. */
  path?: NonNullable<Parameters<Operation<V, P>, 'path'>>
  query?: NonNullable<Parameters<Operation<V, P>, 'query'>>
  /** The Idempotency-Key: repeats under one key are one action. */
  key?: string
} & (BodyOf<V, P> extends undefined ? { body?: undefined } : { body: BodyOf<V, P> })

/** Arguments after the path: none are needed when nothing has to be given. */
export type Rest<V extends Verb, P extends keyof paths> =
  object extends Given<V, P> ? [given?: Given<V, P>] : [given: Given<V, P>]

/** A page of a list; `next` leads to the one after it, null at the end. */
export interface Page<Item> {
  items: Item[]
  next: string | null
}
