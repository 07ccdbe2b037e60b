/** Who came by whose invitation: counted once, and sent along when ordering. */
import { visitShare } from '@/api/shop'
import { keep, kept, randomId } from './storage'

/** This phone, as far as it can be told; nothing of the buyer is in it. */
export function visitorId(): string {
  const known = kept<string>('visitor')
  if (known) return known
  const made = randomId()
  keep('visitor', made)
  return made
}

/** Count a visit. The page does not wait for it, and nothing depends on it. */
export function countVisit(share_id: string): void {
  if (share_id) visitShare(share_id, visitorId()).catch(() => undefined)
}
