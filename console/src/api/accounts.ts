import { get, post, put } from './client'
import type { BodyOf, Schema } from './types'

export type Account = Schema<'PaymentAccount'>
export type Verdict = Schema<'AccountVerdict'>
export type Method = 'wechat-pay' | 'alipay' | 'wechat-login'

export const listAccounts = () => get('/v1/merchant/payment-accounts')
export const changeWechatPay = (body: BodyOf<'put', '/v1/merchant/payment-accounts/wechat-pay'>) =>
  put('/v1/merchant/payment-accounts/wechat-pay', { body })
export const changeAlipay = (body: BodyOf<'put', '/v1/merchant/payment-accounts/alipay'>) =>
  put('/v1/merchant/payment-accounts/alipay', { body })
export const changeWechatLogin = (body: BodyOf<'put', '/v1/merchant/payment-accounts/wechat-login'>) =>
  put('/v1/merchant/payment-accounts/wechat-login', { body })

/** Ask the gateway whether it takes the account: something harmless, no money moves. */
export const checkAccount = (method: Method) => post(`/v1/merchant/payment-accounts/${method}/check`)
