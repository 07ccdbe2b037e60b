/** What the export dialog asks for: from the list's filters and what is chosen. */
import type { ExportWanted, Subject } from '@/api/exports'
import type { MemberQuery } from '@/api/members'
import type { OrderQuery } from '@/api/orders'
import { formatTime, nowS, secondsOf } from '@/format'

const DAY_S = 86_400
const USUAL_DAYS = 30
export const PERSONAL = ['name', 'phone', 'province', 'city', 'district', 'street']

export interface Draft {
  preset: string
  columns: string[]
  personal: boolean
  status: string
  /** Days, YYYY-MM-DD; empty: from the beginning, or until now. */
  from: string
  to: string
  /** Also what else the list is filtered by. */
  narrowed: boolean
}

const dayOf = (at_s: number | undefined) => (at_s ? formatTime(at_s).slice(0, 10) : '')
export const dayAgo = (days: number) => dayOf(nowS() - days * DAY_S)

/** How the list of members is filtered. */
export type MemberWish = Pick<MemberQuery, 'q' | 'tag_id' | 'level'>

export const begun = (query: OrderQuery, members: MemberWish, subject: Subject): Pick<Draft, 'status' | 'from' | 'to' | 'narrowed'> => ({
  status: query.status ?? '',
  from: dayOf(query.from_s) || (subject === 'movements' ? dayAgo(USUAL_DAYS) : ''),
  to: dayOf(query.to_s),
  narrowed: isNarrowed(query, members, subject),
})

/** Whether the list is filtered by more than a status and a time, of what the subject can be. */
export const isNarrowed = (query: OrderQuery, members: MemberWish, subject: Subject) =>
  (subject === 'orders' && Boolean(query.q || query.product_id || query.buyer_id)) ||
  (subject === 'customers' && Boolean(query.product_id)) ||
  (subject === 'members' && Boolean(members.q || members.tag_id || members.level))

export function wantedOf(draft: Draft, subject: Subject, query: OrderQuery, members: MemberWish): ExportWanted {
  const timed = subject !== 'members'
  const from_s = timed && draft.from && secondsOf(`${draft.from}T00:00`)
  const to_s = timed && draft.to && secondsOf(`${draft.to}T23:59`)
  const narrowed = draft.narrowed && isNarrowed(query, members, subject)
  const words = { orders: query.q, members: members.q, customers: '', movements: '' }[subject]
  return {
    subject,
    columns: draft.columns,
    personal: draft.personal && draft.columns.some((name) => PERSONAL.includes(name)),
    order_status: (subject === 'orders' && draft.status) || null,
    q: (narrowed && words) || '',
    product_id: (narrowed && subject !== 'members' && query.product_id) || null,
    of_buyer: (narrowed && subject === 'orders' && query.buyer_id) || null,
    from_s: from_s || 0,
    to_s: to_s ? to_s + 59 : 9_999_999_999,
    tag_id: (narrowed && subject === 'members' && members.tag_id) || null,
    level: (narrowed && subject === 'members' && members.level) || 0,
  }
}
