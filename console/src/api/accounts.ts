import { get, post, put } from './client'
import type { BodyOf, Schema } from './types'

export type Account = Schema<'PaymentAccount'>
export type Verdict = Schema<'AccountVerdict'>
export type PaymentMethod = 'wechat-pay' | 'alipay'
export type Method = PaymentMethod | 'wechat-login' | 'wechat-account' | 'sms'

export const isPayment = (method: string): method is PaymentMethod => method === 'wechat-pay' || method === 'alipay'
export type EarlierAccounts = Schema<'EarlierAccountList'>

export const listAccounts = () => get('/v1/merchant/payment-accounts')
export const changeWechatPay = (body: BodyOf<'put', '/v1/merchant/payment-accounts/wechat-pay'>) =>
  put('/v1/merchant/payment-accounts/wechat-pay', { body })
export const changeAlipay = (body: BodyOf<'put', '/v1/merchant/payment-accounts/alipay'>) =>
  put('/v1/merchant/payment-accounts/alipay', { body })
export const changeWechatLogin = (body: BodyOf<'put', '/v1/merchant/payment-accounts/wechat-login'>) =>
  put('/v1/merchant/payment-accounts/wechat-login', { body })
export const changeWechatAccount = (body: BodyOf<'put', '/v1/merchant/payment-accounts/wechat-account'>) =>
  put('/v1/merchant/payment-accounts/wechat-account', { body })
export const changeSms = (body: BodyOf<'put', '/v1/merchant/payment-accounts/sms'>) =>
  put('/v1/merchant/payment-accounts/sms', { body })

/** Buyers can log in, and pay in one way at least. */
export const canBePaid = (accounts: Account[]) =>
  accounts.some((it) => it.method === 'wechat-login' && it.configured) && waysToPay(accounts).length > 0

/** The methods that buyers can pay with now. */
export const waysToPay = (accounts: Account[]) =>
  accounts.filter((it) => isPayment(it.method) && it.configured && it.offered).map((it) => it.method)

/** The accounts of before, and what still hangs on them. */
export const earlierAccounts = (method: PaymentMethod) => get(`/v1/merchant/payment-accounts/${method}/earlier`)

/** Begin new payments with a method, or stop; what is open goes on. */
export const offerMethod = (method: PaymentMethod, offered: boolean) =>
  put(`/v1/merchant/payment-accounts/${method}/offered`, { body: { offered } })

/** Ask the gateway whether it takes the account: something harmless, no money moves. */
export const checkAccount = (method: Method) => post(`/v1/merchant/payment-accounts/${method}/check`)
