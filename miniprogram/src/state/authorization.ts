/** Logins on a page of WeChat's own. The browser leaves the shop and comes back to its first page:
 * what the buyer was at is kept as an address. */
import { wordsOf } from '@/api/errors'
import { beginAuthorization, logInByAuthorization } from '@/api/login'
import { say } from '@/ask'
import { platform } from '@/platform'
import { resume } from '@/routes'
import { logInWith } from './session'
import { keep, kept, secretId } from './storage'

const RETURN_PATH = '/'

interface Pending {
  nonce: string
  target: string
}

/** Leave for the page that logs in; false where there is none, or the shop does not use it. */
export async function leaveToAuthorize(target: string): Promise<boolean> {
  const way = platform.authorizesBy
  if (!way) return false
  const nonce = secretId()
  try {
    const { address } = await beginAuthorization({ way, return_path: RETURN_PATH, nonce, profile: false })
    keep('authorization', { nonce, target } satisfies Pending)
    platform.leaveFor(address)
    return true
  } catch {
    return false // by phone, then
  }
}

/** Log in who has come back, and go on with what they were at. */
export async function finishAuthorization(): Promise<void> {
  const way = platform.authorizesBy
  const returned = platform.returned()
  const pending = kept<Pending>('authorization')
  if (!way || !returned || !pending) return
  keep('authorization', null)
  try {
    logInWith(await logInByAuthorization({ way, return_path: RETURN_PATH, nonce: pending.nonce, ...returned }))
    await resume(pending.target, 'navigateTo')
  } catch (error) {
    say(wordsOf(error))
  }
}
