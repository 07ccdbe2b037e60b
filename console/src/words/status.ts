/** Status words and their colours. Green: ended well. Red: staff must act. Never red for what is normal. */
import type { WordKey } from '.'

export type Tone = 'blue' | 'green' | 'amber' | 'red' | 'grey'

const TONES = {
  order: {
    pending: 'amber',
    paid: 'blue',
    fulfilling: 'amber',
    shipped: 'blue',
    ready_for_pickup: 'amber',
    completed: 'green',
    closed: 'grey',
    refunding: 'blue',
    refunded: 'grey',
  },
  group: { pending: 'grey', open: 'blue', formed: 'green', failed: 'grey' },
  activity: { scheduled: 'blue', running: 'green', paused: 'amber', sold_out: 'amber', ended: 'grey' },
  leader: { free: 'blue' },
  tiers: { price: 'blue', crowd: 'blue' },
  members: { only: 'blue' },
  newBuyers: { joiners: 'blue', all: 'blue' },
  coupon: { given_out: 'green', gone: 'amber', ended: 'grey', withdrawn: 'grey', revoked: 'grey' },
  offer: { offered: 'green', gone: 'amber', ended: 'grey', off_sale: 'grey' },
  afterSale: {
    requested: 'amber',
    return_agreed: 'blue',
    returning: 'amber',
    replacing: 'amber',
    replacement_sent: 'blue',
    expired: 'grey',
    approved: 'green',
    by_shop: 'green',
    exchanged: 'green',
    refused: 'grey',
    withdrawn: 'grey',
  },
  product: { on_sale: 'green', sold_out: 'amber', low_stock: 'amber', off_sale: 'grey' },
  staff: { active: 'green', invited: 'blue', disabled: 'grey' },
  difference: { open: 'red', dealt_with: 'green', repaired: 'green', agreed: 'grey' },
  shipment: {
    would_ship: 'blue',
    shipped: 'green',
    already_shipped: 'green',
    needs_change: 'red',
    skipped: 'grey',
    try_again: 'amber',
  },
  export: { writing: 'blue', done: 'green', failed: 'red', expired: 'grey' },
  rebate: { failed: 'red', requested: 'blue', processing: 'blue', succeeded: 'green', outside: 'green' },
  refund: { failed: 'red', requested: 'blue', processing: 'blue', succeeded: 'green', outside: 'green' },
} as const satisfies Record<string, Record<string, Tone>>

export type StatusKind = keyof typeof TONES

/** (words, tone) of a status; a status that the console does not know yet is shown as it is. */
export function statusOf(kind: StatusKind, status: string): { key: WordKey | null; tone: Tone } {
  const tone = (TONES[kind] as Record<string, Tone> | undefined)?.[status]
  return tone ? { key: `status.${kind}.${status}` as WordKey, tone } : { key: null, tone: 'grey' }
}
