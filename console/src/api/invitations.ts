import { get, post } from './client'
import type { QueryOf, Schema } from './types'

export type Invitation = Schema<'InvitationShown'>

export const listInvitations = (query: QueryOf<'/v1/merchant/invitations'>) => get('/v1/merchant/invitations', { query })

/** buyer_id: who was invited. */
export const allowInvitation = (buyer_id: string) => post('/v1/merchant/invitations/{buyer_id}/allowance', { path: { buyer_id } })

export const refuseInvitation = (buyer_id: string, reply: string) => post('/v1/merchant/invitations/{buyer_id}/refusal', { path: { buyer_id }, body: { reply } })
