/** The ways in. */
import { post, put, type Schema } from './client'

/** By the code that a mini-program has from WeChat or Alipay. */
export const logInByCode = (code: string, from: 'wechat' | 'alipay') =>
  from === 'alipay'
    ? post('/v1/merchants/{merchant_id}/alipay-sessions', { body: { code } })
    : post('/v1/merchants/{merchant_id}/sessions', { body: { code } })

export const sendPhoneCode = (phone: string, device_id: string) =>
  post('/v1/merchants/{merchant_id}/phone-codes', { body: { phone, device_id } })

export const logInByPhone = (phone: string, code: string) =>
  post('/v1/merchants/{merchant_id}/phone-sessions', { body: { phone, code } })

/** The phone logs the buyer in from now on, in the place of the one before; the answer is their session. */
export const provePhone = (phone: string, code: string) => put('/v1/me/phone', { body: { phone, code, replaces: true } })

/** The same for the phone that WeChat knows, by the code of its button. */
export const proveWechatPhone = (code: string) => put('/v1/me/wechat-phone', { body: { code, replaces: true } })

/** The page of WeChat or Alipay that logs in, and how its visitor's session is asked for afterwards. */
export const beginAuthorization = (body: Schema<'AuthorizationRequest'>) =>
  post('/v1/merchants/{merchant_id}/authorizations', { body })

export const logInByAuthorization = (body: Schema<'AuthorizedLoginRequest'>) =>
  post('/v1/merchants/{merchant_id}/authorized-sessions', { body })
