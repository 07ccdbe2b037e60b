/** What the main button of an activity offers: the group that waits for the buyer, a group of their own, or
 * something else where none can be opened. */
import type { Activity } from '@/api/shop'
import { priceOf } from '@/choice'
import { fromYuan, lowest } from '@/format'
import { standing } from '@/progress'
import { words } from '@/words'

export interface Button {
  /** null: there is nothing to do but buy alone. */
  act: 'own_group' | 'open' | 'remind' | 'elsewhere' | null
  label: string
  note: string
}

const says = words.activity

/** By the level of who looks: a group that they open may be smaller. */
function openWords({ seats_least, seats_total, opens_seats, leader_free, tiers }: Activity): string {
  if (tiers.length > 0) return words.tiers.open(seats_least, seats_total)
  return leader_free ? words.leaderFree.open(opens_seats) : says.open(opens_seats)
}

/** now_s: the server's time. */
export function buttonOf(activity: Activity, now_s: number): Button {
  const { own_group, state } = activity
  if (own_group) return { act: 'own_group', label: says.myGroup, note: standing(own_group) }
  switch (state) {
    case 'running': {
      const { fen, varies } = lowest(activity.skus.map((it) => priceOf(it, 'open')))
      return { act: 'open', label: fromYuan(fen, varies), note: openWords(activity) }
    }
    case 'scheduled':
      return {
        act: 'remind',
        label: activity.reminder?.is_set ? words.reminder.isSet : words.reminder.ask,
        note: says.startsAt(activity.starts_at_s, now_s),
      }
    case 'sold_out':
      return { act: null, label: says.allSoldOut, note: '' }
    default:
      return { act: 'elsewhere', label: says.elsewhere, note: says[state] }
  }
}
