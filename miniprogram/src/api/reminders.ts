/** 到时提醒我: what a buyer wants to be told of when it is there. */
import { put, remove, type Schema } from './client'

export type ReminderOffer = Schema<'ReminderOffer'>
export type Awaited = 'activity' | 'group'

export const remind = (awaited: Awaited, id: string) =>
  awaited === 'activity'
    ? put('/v1/activities/{activity_id}/reminder', { path: { activity_id: id } })
    : put('/v1/groups/{group_id}/reminder', { path: { group_id: id } })

export const forget = (awaited: Awaited, id: string) =>
  awaited === 'activity'
    ? remove('/v1/activities/{activity_id}/reminder', { path: { activity_id: id } })
    : remove('/v1/groups/{group_id}/reminder', { path: { group_id: id } })
