/** What each account consists of, and each account as the form holds and sends it.
 *
 * Keys are never told by the API: an empty one is sent as null, which keeps the stored one.
 */
import type { Account, Method } from '@/api/accounts'
import type { Problem } from '@/api/errors'

export const METHODS: readonly Method[] = ['wechat-pay', 'alipay', 'wechat-login', 'wechat-account', 'sms']
export const MODES = ['direct', 'partner'] as const
export type Mode = (typeof MODES)[number]

const NAMES = {
  direct: ['mchid', 'appid', 'official_account_appid', 'serial_no'],
  partner: ['sp_mchid', 'sp_appid', 'sub_mchid', 'sub_appid', 'official_account_appid', 'serial_no'],
  alipay: ['app_id', 'seller_id'],
  'wechat-login': ['appid'],
  'wechat-account': ['appid'],
  sms: ['secret_id', 'sdk_app_id', 'sign_name', 'template_id'],
} as const
export type FieldName = (typeof NAMES)[keyof typeof NAMES][number]

const REGION = 'ap-guangzhou' // any of the service's places sends to all of the mainland

/** What a shop may leave empty. */
export const OPTIONAL: readonly FieldName[] = ['sub_appid', 'official_account_appid']

export interface PublicKey {
  id: string
  pem: string
  /** It can be left empty. */
  isStored: boolean
}

export interface Draft {
  mode: Mode
  parts: Record<FieldName, string>
  private_key: string
  secret: string // api_v3_key, app_secret or secret_key
  public_keys: PublicKey[]
  alipay_public_key: string
}

/** The names of the plain fields, in their order. */
export function namesOf(method: Method, mode: Mode): readonly FieldName[] {
  return method === 'wechat-pay' ? NAMES[mode] : NAMES[method]
}

/** Under what name a field has its words: an AppID is of one of two things. */
export const wordsFor = (method: Method, name: FieldName) => (method === 'wechat-account' && name === 'appid' ? 'account_appid' : name)

/** The fields that say whose account it is: another value is another account. */
const IDENTITIES: readonly FieldName[] = ['mchid', 'sp_mchid', 'sub_mchid', 'app_id', 'seller_id']

const NUMBER = /^\d{8,16}$/

/** The number of the account that the draft would replace; null when it stays the same account. */
export function replacedBy(draft: Draft, stored: Account | null): string | null {
  if (!stored?.configured || !stored.as_saved) return null
  const names = IDENTITIES.filter((name) => stored[name])
  const others = names.map((name) => draft.parts[name].trim()).filter((number, at) => number !== stored[names[at]!])
  if (!others.every((number) => NUMBER.test(number))) return null // the API refuses it: there is nothing to ask about
  const isOther = others.length > 0 || (stored.mode && stored.mode !== draft.mode)
  return isOther ? names.map((name) => stored[name]).join(' ') : null
}

export const isMethod = (text: string): text is Method => (METHODS as readonly string[]).includes(text)

/** The form of an account: what is told of it, every key empty. */
export function draftOf(account: Account | null): Draft {
  const names = Object.values(NAMES).flat()
  return {
    mode: account?.mode === 'partner' ? 'partner' : 'direct',
    parts: Object.fromEntries(names.map((name) => [name, account?.[name] ?? ''])) as Draft['parts'],
    private_key: '',
    secret: '',
    public_keys: account?.key_serials.length ? account.key_serials.map((id) => ({ id, pem: '', isStored: true })) : [newKey()],
    alipay_public_key: '',
  }
}

export const newKey = (): PublicKey => ({ id: '', pem: '', isStored: false })

/** The parts of both modes: the API takes those of the one that is chosen. */
function trimmed({ mchid, appid, sp_mchid, sp_appid, sub_mchid, sub_appid, official_account_appid, serial_no }: Draft['parts']) {
  return {
    mchid: mchid.trim(),
    appid: appid.trim(),
    sp_mchid: sp_mchid.trim(),
    sp_appid: sp_appid.trim(),
    sub_mchid: sub_mchid.trim(),
    sub_appid: sub_appid.trim(),
    official_account_appid: official_account_appid.trim(),
    serial_no: serial_no.trim(),
  }
}

export function wechatPayOf(draft: Draft, revision: number) {
  return {
    mode: draft.mode,
    ...trimmed(draft.parts),
    private_key: draft.private_key.trim() || null,
    api_v3_key: draft.secret.trim() || null,
    public_keys: Object.fromEntries(draft.public_keys.map(({ id, pem }) => [id.trim(), pem.trim() || null])),
    revision,
  }
}

export function alipayOf({ parts, private_key, alipay_public_key }: Draft, revision: number) {
  return {
    app_id: parts.app_id.trim(),
    seller_id: parts.seller_id.trim(),
    private_key: private_key.trim() || null,
    alipay_public_key: alipay_public_key.trim() || null,
    revision,
  }
}

export const wechatLoginOf = ({ parts, secret }: Draft, revision: number) => ({
  appid: parts.appid.trim(),
  app_secret: secret.trim() || null,
  revision,
})

export const smsOf = ({ parts, secret }: Draft, stored: Account | null) => ({
  secret_id: parts.secret_id.trim(),
  sdk_app_id: parts.sdk_app_id.trim(),
  sign_name: parts.sign_name.trim(),
  template_id: parts.template_id.trim(),
  secret_key: secret.trim() || null,
  revision: stored?.revision ?? 0,
  region: stored?.region || REGION,
})

/** The server's fields as fields of the page, which counts the public keys. */
export function placed(problems: readonly Problem[], draft: Draft): Problem[] {
  return problems.map(({ field, problem }) => {
    if (['api_v3_key', 'app_secret', 'secret_key'].includes(field)) return { field: 'secret', problem }
    const id = /^public_keys\.(.*)$/s.exec(field)?.[1]
    if (id === undefined) return { field, problem }
    const n = draft.public_keys.findIndex((key) => key.id.trim() === id)
    return { field: `public_keys.${Math.max(0, n)}`, problem }
  })
}
