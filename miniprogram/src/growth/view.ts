/** What coupons say to who looks at them, and where they lead. */
import type { Coupon, Offer } from '@/api/growth'
import { browse } from '@/api/shop'
import { to } from '@/routes'
import { words } from '@/words'

export interface Ticket {
  off_words: string
  from_words: string
  name: string
  scope_words: string
}

export interface View {
  /** null: there is nothing to do; `label` says why. */
  act: 'claim' | 'use' | null
  label: string
  /** How many of them the buyer has; empty: none. */
  note: string
}

const says = words.coupons

export function viewOf({ state, claimed, per_buyer, points }: Offer): View {
  const has = claimed ?? 0
  const note = has > 0 ? says.claimed(has) : ''
  if (state === 'given_out' && has < per_buyer) {
    const free = has > 0 ? says.claimMore : says.claim
    return { act: 'claim', label: points ? says.exchange(points) : free, note }
  }
  if (has > 0 && state !== 'revoked') return { act: 'use', label: says.use, note }
  return { act: null, label: state === 'given_out' ? '' : says.states[state], note }
}

/** When it can be used. days: after the claim, of what has no dates of its own. */
export function timesOf({ from_s, until_s, days = 0 }: { from_s: number; until_s: number; days?: number }, now_s: number): string[] {
  if (!until_s) return [says.afterClaim(days)]
  const until = says.until(until_s, now_s)
  return from_s > now_s ? [`${says.from(from_s, now_s)}，`, until] : [until]
}

/** To what it is for: everything, the one activity that sells it, or a list of those. */
export async function toGoods({ scope, scope_ids, template_id }: Pick<Coupon, 'scope' | 'scope_ids' | 'template_id'>): Promise<void> {
  const [only, ...others] = scope_ids
  if (!only) return to('home')
  if (others.length === 0 && scope === 'activities') return to('activity', { a: only })
  if (others.length === 0 && scope === 'categories') return to('search', { c: only })
  const sellers = await browse({ coupon: template_id }).catch(() => null)
  const [one, ...more] = sellers?.items ?? []
  return one && more.length === 0 ? to('activity', { a: one.activity_id }) : to('search', { coupon: template_id })
}
