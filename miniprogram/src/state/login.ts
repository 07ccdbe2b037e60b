/** The ways in. Browsing never asks; what needs a buyer calls `ensureSession`. */
import { logInByCode } from '@/api/login'
import { platform } from '@/platform'
import { replace, thisPage, to } from '@/routes'
import { leaveToAuthorize } from './authorization'
import { logInWith, session } from './session'

/** True once there is a session. Where the login page has to ask, it leads to `target` afterwards. */
export async function ensureSession(target: string = thisPage()): Promise<boolean> {
  if (session.value || (await logInSilently())) return true
  if (!(await leaveToAuthorize(target))) await to('login', { to: target })
  return false
}

/** Log in without asking anything, where the platform can; false where it cannot, or it failed. */
export async function logInSilently(): Promise<boolean> {
  const code = await platform.loginCode().catch(() => null)
  if (code === null) return false
  logInWith(await logInByCode(code, platform.codesOf))
  return true
}

/** For a page that cannot be without a session: the login page takes its place, and leads back to it. */
export async function logInAgain(): Promise<boolean> {
  if (await logInSilently()) return true
  if (!(await leaveToAuthorize(thisPage()))) await replace('login', { to: thisPage() })
  return false
}
