import { post, put } from './client'

/** code: from an authenticator app; asked for by the refusal `totp_needed`. */
export const createStaffSession = (merchant_id: string, username: string, password: string, code: string | null) =>
  post('/v1/merchants/{merchant_id}/staff-sessions', { path: { merchant_id }, body: { username, password, code } })
export const renewSession = () => post('/v1/merchant/me/sessions/renewal')
export const changePassword = (old_password: string, new_password: string) =>
  put('/v1/merchant/me/password', { body: { old_password, new_password } })
