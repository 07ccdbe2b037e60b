import { get, post, put } from './client'
import type { BodyOf, QueryOf, Schema } from './types'

export type Settings = Schema<'Settings'>
export type PointsRule = Schema<'PointsSettings'>
export type LevelsRule = Schema<'LevelsSettings'>
export type RewardsRule = Schema<'RewardsSettings'>
export type InvitationsRule = Schema<'InvitationsSettings'>
export type MemberLevel = Schema<'MemberLevelSettings'>
export type ShopAgreements = Schema<'ShopAgreements'>
export type StaffMember = Schema<'StaffMember'>
export type AreaShown = Schema<'AreaShown'>
export type FirstPassword = Schema<'FirstPassword'>
export type Dashboard = Schema<'Dashboard'>
export type AuditRow = Schema<'AuditRow'>
export type NewStaff = BodyOf<'post', '/v1/merchant/staff'>

export const readSettings = () => get('/v1/merchant/settings')
export const changeSettings = (body: BodyOf<'put', '/v1/merchant/settings'>) => put('/v1/merchant/settings', { body })
export const readAgreements = () => get('/v1/merchant/agreements')
export const changeAgreements = (body: BodyOf<'put', '/v1/merchant/agreements'>) => put('/v1/merchant/agreements', { body })
export const listStaff = () => get('/v1/merchant/staff')
export const addStaff = (body: NewStaff, key: string) => post('/v1/merchant/staff', { body, key })
export const changeStaff = (username: string, body: BodyOf<'put', '/v1/merchant/staff/{username}'>) =>
  put('/v1/merchant/staff/{username}', { path: { username }, body })
export const resetPassword = (username: string, key: string) =>
  post('/v1/merchant/staff/{username}/password-reset', { path: { username }, key })

export const readDashboard = () => get('/v1/merchant/dashboard')
export const listAudit = (query: QueryOf<'/v1/merchant/audit'>) => get('/v1/merchant/audit', { query })
