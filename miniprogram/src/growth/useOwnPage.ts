/** A page about the buyer alone: read whenever it shows, kept under who they are; a stranger is asked to log in. */
import { onPullDownRefresh, onShow } from '@dcloudio/uni-app'
import { urlOf, type PageName } from '@/routes'
import { ensureSession } from '@/state/login'
import { session } from '@/state/session'
import { useLoad, type Loaded } from '@/state/useLoad'

interface OwnPage<T> {
  page: Loaded<T>
  load: () => Promise<void>
  logIn: () => Promise<void>
}

/** here: the page itself, to come back to after the login. name: under which the phone keeps what it showed. */
export function useOwnPage<T>(read: () => Promise<T>, here: PageName, name: string): OwnPage<T> {
  const page = useLoad(read, () => `${name}.${session.value?.buyer_id}`)

  async function load(): Promise<void> {
    if (session.value) await page.load()
    uni.stopPullDownRefresh()
  }

  async function logIn(): Promise<void> {
    if (await ensureSession(urlOf(here))) await load()
  }

  onShow(load)
  onPullDownRefresh(load)
  return { page, load, logIn }
}
