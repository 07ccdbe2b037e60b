/** Logins on a page of WeChat's or Alipay's own. The browser leaves the shop and comes back to its first page:
 * what the buyer was at is kept as an address. */
import { wordsOf } from '@/api/errors'
import { beginAuthorization, logInByAuthorization } from '@/api/login'
import { acceptAgreements, type Consent } from '@/api/me'
import { say } from '@/ask'
import { platform, type Authority } from '@/platform'
import { resume } from '@/routes'
import { logInWith } from './session'
import { keep, kept, secretId } from './storage'

const RETURN_PATH = '/'

interface Pending {
  way: Authority
  nonce: string
  target: string
  accepted?: Consent[]
}

/** Leave for the page that logs in; false where there is none, or the shop does not use it. accepted: what
 * the buyer agreed to before, recorded once it is known who they are. profile: WeChat asks whether the shop
 * may have their picture and name. */
export async function leaveToAuthorize(
  target: string,
  way: Authority | null = platform.authorizesBy,
  { accepted = [], profile = false }: { accepted?: Consent[]; profile?: boolean } = {},
): Promise<boolean> {
  if (!way) return false
  const nonce = secretId()
  try {
    const { address } = await beginAuthorization({ way, return_path: RETURN_PATH, nonce, profile })
    keep('authorization', { way, nonce, target, accepted } satisfies Pending)
    platform.leaveFor(address)
    return true
  } catch {
    return false // by phone, then
  }
}

/** Log in who has come back, and go on with what they were at. */
export async function finishAuthorization(): Promise<void> {
  const returned = platform.returned()
  const pending = kept<Pending>('authorization')
  if (!returned || !pending) return
  keep('authorization', null)
  try {
    logInWith(await logInByAuthorization({ way: pending.way, return_path: RETURN_PATH, nonce: pending.nonce, ...returned }))
    // What was not recorded is asked for again, at 我的.
    if (pending.accepted?.length) await acceptAgreements(pending.accepted).catch(() => undefined)
    await resume(pending.target, 'navigateTo')
  } catch (error) {
    say(wordsOf(error))
  }
}
