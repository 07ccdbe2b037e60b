import { get, post } from './client'
import type { Schema } from './types'

export type Me = Schema<'Me'>
export type TotpBegun = Schema<'TotpBegun'>

export const readMe = () => get('/v1/merchant/me')
/** What everybody in the shop is called. */
export const listColleagues = () => get('/v1/merchant/me/colleagues')
/** Log out everywhere, here too. */
export const endSessions = () => post('/v1/merchant/me/sessions/end')

export const beginTotp = () => post('/v1/merchant/me/totp')
export const confirmTotp = (code: string) => post('/v1/merchant/me/totp/confirmation', { body: { code } })
export const removeTotp = (password: string) => post('/v1/merchant/me/totp/removal', { body: { password } })
