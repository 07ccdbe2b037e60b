import { get, post, put } from './client'
import type { BodyOf, QueryOf, Schema } from './types'

export type Activity = Schema<'Activity'>
export type ActivitySummary = Schema<'ActivitySummary'>
export type ActivityInput = BodyOf<'post', '/v1/merchant/activities'>
export type ActivityChange = BodyOf<'put', '/v1/merchant/activities/{activity_id}'>
export type NewBuyers = ActivityInput['new_buyers']
export type ActivityLinks = Schema<'ActivityLinks'>
export type MiniProgramWays = Schema<'MiniProgramWays'>
export type OpenGroups = Schema<'OpenGroups'>
export type Group = Schema<'GroupRow'>
export type GroupDetail = Schema<'GroupShown'>
export type Overlap = Schema<'Overlap'>
export type LowestPrice = Schema<'LowestPrice'>

export const listActivities = (query: QueryOf<'/v1/merchant/activities'>) => get('/v1/merchant/activities', { query })
export const readActivity = (activity_id: string) =>
  get('/v1/merchant/activities/{activity_id}', { path: { activity_id } })
/** What would keep it from being published now; nothing is written. */
export const checkActivity = (body: ActivityInput) => post('/v1/merchant/activities/check', { body })
export const publishActivity = (body: ActivityInput, key: string) => post('/v1/merchant/activities', { body, key })
export const changeActivity = (activity_id: string, body: ActivityChange) =>
  put('/v1/merchant/activities/{activity_id}', { path: { activity_id }, body })
export const addActivityStock = (
  activity_id: string,
  body: BodyOf<'post', '/v1/merchant/activities/{activity_id}/stock'>,
  key: string,
) => post('/v1/merchant/activities/{activity_id}/stock', { path: { activity_id }, body, key })
/** The same in the shop's mini-program, which WeChat is asked for. */
export const readActivityInMiniProgram = (activity_id: string, share_id?: string) =>
  get('/v1/merchant/activities/{activity_id}/mini-program', { path: { activity_id }, query: { share_id } })
/** Where buyers find it. share_id: of the shop's own, which what it brings is counted for. */
export const readActivityLinks = (activity_id: string, share_id?: string) =>
  get('/v1/merchant/activities/{activity_id}/links', { path: { activity_id }, query: { share_id } })
export const pauseActivity = (activity_id: string) =>
  post('/v1/merchant/activities/{activity_id}/pause', { path: { activity_id } })
export const resumeActivity = (activity_id: string) =>
  post('/v1/merchant/activities/{activity_id}/resume', { path: { activity_id } })
/** groups: those that are open go on to their deadlines, or are closed and refunded. */
export const endActivity = (activity_id: string, groups: 'keep' | 'close') =>
  post('/v1/merchant/activities/{activity_id}/end', { path: { activity_id }, body: { groups } })

/** What ending an activity at once would cost. */
export const readOpenGroups = (activity_id: string) =>
  get('/v1/merchant/activities/{activity_id}/open-groups', { path: { activity_id } })

export const listGroups = (query: QueryOf<'/v1/merchant/groups'>) => get('/v1/merchant/groups', { query })
export const readGroup = (group_id: string) => get('/v1/merchant/groups/{group_id}', { path: { group_id } })
/** expires_at_s: the deadline as it was read; when it moved since, nothing changes. */
export const extendGroup = (group_id: string, hours: number, expires_at_s: number) =>
  post('/v1/merchant/groups/{group_id}/extension', { path: { group_id }, body: { hours, expires_at_s } })
export const closeGroup = (group_id: string, reason: string) =>
  post('/v1/merchant/groups/{group_id}/closing', { path: { group_id }, body: { reason } })
