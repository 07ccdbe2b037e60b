/** What belongs to the buyer: name, messages, addresses. */
import { get, post, put, remove, type Schema } from './client'

export type Profile = Schema<'Profile'>
export type Message = Schema<'MessageShown'>
export type SavedAddress = Schema<'SavedAddress'>
export type NewAddress = Schema<'NewAddress'>
export type Regions = Schema<'Regions'>['regions']

export const readProfile = () => get('/v1/me/profile')

/** The answer is a session that carries the new name. */
export const rename = (name: string, avatar: string) => put('/v1/me/profile', { body: { name, avatar } })

export const listMessages = (query: { next?: string }) => get('/v1/me/messages', { query })

/** up_to_s: `told_at_s` of the newest message that was shown. */
export const markMessagesRead = (up_to_s: number) => put('/v1/me/messages/read', { body: { up_to_s } })

/** Tell that the buyer agreed, at WeChat, to one more message of each of these templates. */
export const addSubscriptions = (template_ids: string[]) => post('/v1/me/subscriptions', { body: { template_ids } })

/** Tell by whose invitations this phone came, now that it is known whose it is. */
export const bringVisits = (visitor_id: string, share_ids: string[]) => post('/v1/me/touches', { body: { visitor_id, share_ids } })

export const listAddresses = () => get('/v1/me/addresses')

export const addAddress = (body: NewAddress) => post('/v1/me/addresses', { body })

export const changeAddress = (address_id: string, body: NewAddress) =>
  put('/v1/me/addresses/{address_id}', { path: { address_id }, body })

export const removeAddress = (address_id: string) =>
  remove('/v1/me/addresses/{address_id}', { path: { address_id } })

export const parseAddress = (text: string) => post('/v1/me/parsed-addresses', { body: { text } })

export const readRegions = () => get('/v1/regions')

export type AgreementKind = Schema<'Agreement'>['kind']
export type Consent = Schema<'Consent'>

export const listAgreements = () => get('/v1/merchants/{merchant_id}/agreements')

/** accepted: each in the version that was read. */
export const acceptAgreements = (accepted: Consent[]) => post('/v1/me/consents', { body: { accepted } })

/** All that the shop keeps of the buyer, in pages; orders, requests and messages go on in the next. */
export const readOwnData = (next?: string) => get('/v1/me/data', { query: { limit: 50, next } })

export const deleteAccount = () => remove('/v1/me/account')
