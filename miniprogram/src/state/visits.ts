/** Who came by whose invitation: counted once, sent along when ordering, and told once it is known who came. */
import { watch } from 'vue'
import { bringVisits } from '@/api/me'
import { visitShare } from '@/api/shop'
import { session } from './session'
import { keep, kept, randomId } from './storage'

const UNTOLD = 'came'
const UNTOLD_MAX = 10

/** This phone, as far as it can be told; nothing of the buyer is in it. */
export function visitorId(): string {
  const known = kept<string>('visitor')
  if (known) return known
  const made = randomId()
  keep('visitor', made)
  return made
}

/** Count a visit. The page does not wait for it, and nothing on it depends on it. */
export function countVisit(share_id: string): void {
  if (share_id) visited(share_id).catch(() => undefined)
}

/** Count a visit, and learn its group: a code has room for the invitation alone. */
export const groupOf = async (share_id: string): Promise<string> => (await visited(share_id)).group_id

/** The same of a share that leads to an activity: one of the shop's own. */
export const activityOf = async (share_id: string): Promise<string> => (await visited(share_id)).activity_id

async function visited(share_id: string) {
  const leads = await visitShare(share_id, visitorId())
  came(share_id)
  return leads
}

/** Tell what was not told yet: now, if somebody is logged in, and whenever somebody logs in. */
export function bringUntold(): void {
  watch(session, tell, { immediate: true })
}

function came(share_id: string): void {
  const [first, ...others] = new Set([...untold(), share_id])
  keep(UNTOLD, [first, ...others.slice(1 - UNTOLD_MAX)])
  tell()
}

function tell(): void {
  const told = untold()
  if (!session.value || !told.length) return
  bringVisits(visitorId(), told).then(
    () => keep(UNTOLD, untold().filter((one) => !told.includes(one))),
    () => undefined,
  )
}

const untold = () => kept<string[]>(UNTOLD) ?? []
