import { get, post, put, remove } from './client'
import type { BodyOf, QueryOf, Schema } from './types'

export type Member = Schema<'MemberRow'>
export type MemberPage = Schema<'MemberRows'>
export type MemberFile = Schema<'MemberFileShown'>
export type MemberTag = Schema<'MemberTagShown'>
export type MemberTagInput = BodyOf<'post', '/v1/merchant/member-tags'>
export type MemberQuery = QueryOf<'/v1/merchant/members'>
export type TagsGiven = Schema<'TagsGiven'>

export const listMembers = (query: MemberQuery) => get('/v1/merchant/members', { query })
export const readMember = (buyer_id: string) => get('/v1/merchant/members/{buyer_id}', { path: { buyer_id } })
export const noteMember = (buyer_id: string, text: string, key: string) =>
  post('/v1/merchant/members/{buyer_id}/notes', { path: { buyer_id }, body: { text }, key })
/** Each member for themselves: some may have as many as there can be. */
export const tagMembers = (body: BodyOf<'post', '/v1/merchant/members/tags'>) => post('/v1/merchant/members/tags', { body })

export const listMemberTags = async () => (await get('/v1/merchant/member-tags')).items
export const createMemberTag = (body: MemberTagInput, key: string) => post('/v1/merchant/member-tags', { body, key })
export const changeMemberTag = (tag_id: string, body: BodyOf<'put', '/v1/merchant/member-tags/{tag_id}'>) =>
  put('/v1/merchant/member-tags/{tag_id}', { path: { tag_id }, body })
export const removeMemberTag = (tag_id: string) => remove('/v1/merchant/member-tags/{tag_id}', { path: { tag_id } })
