/** What staff can do about a request as it is now, and what a request is called. */
import type { AfterSale } from '@/api/trade'
import { t, type WordKey } from '@/words'

export type How = 'agree' | 'approve' | 'refuse' | 'receive' | 'replace' | 'handOver'
export type Act = { how: How; words: WordKey; danger?: boolean }

const REFUSE: Act = { how: 'refuse', words: 'afterSale.refuse', danger: true }
const INSTEAD: Act = { how: 'approve', words: 'exchange.refundInstead' }
const RECEIVE: Act = { how: 'receive', words: 'exchange.receive' }

const OF_EXCHANGE: Readonly<Record<string, (row: AfterSale) => Act[]>> = {
  requested: () => [{ how: 'agree', words: 'exchange.agree' }, INSTEAD, REFUSE],
  return_agreed: () => [RECEIVE, INSTEAD],
  returning: () => [RECEIVE, INSTEAD, REFUSE],
  replacing: ({ pickup }) => [
    pickup ? { how: 'handOver', words: 'exchange.handOver' } : { how: 'replace', words: 'exchange.send' },
    INSTEAD,
  ],
  replacement_sent: () => [{ how: 'replace', words: 'parcel.correct' }],
}
const OF_OTHERS: Readonly<Record<string, (row: AfterSale) => Act[]>> = {
  requested: ({ units }) =>
    units
      ? [{ how: 'agree', words: 'afterSale.agreeReturn' }, { how: 'approve', words: 'afterSale.refundOnly' }, REFUSE]
      : [{ how: 'approve', words: 'afterSale.approve' }, REFUSE],
  return_agreed: () => [{ how: 'approve', words: 'afterSale.refundOnly' }],
  returning: () => [{ how: 'approve', words: 'afterSale.receive' }, REFUSE],
}

export function actsOf(row: AfterSale): Act[] {
  const acts = row.kind === 'exchange' ? OF_EXCHANGE : OF_OTHERS
  return acts[row.status]?.(row) ?? []
}

/** Where a request stands; one that nobody made is a refund of the shop's own accord. */
export const standing = ({ status, by_shop }: Pick<AfterSale, 'status' | 'by_shop'>) => (by_shop ? 'by_shop' : status)

type Asked = Pick<AfterSale, 'kind' | 'units'>

/** What goods a buyer sends back, and what for; empty where only money is asked for. */
export function typeWords({ kind, units }: Asked): string {
  if (!units) return ''
  return t(kind === 'exchange' ? 'exchange.type' : 'afterSale.type', { n: units })
}

/** Whether its amount is money that the buyer asks for, or gets. */
export const isMoney = ({ kind, status }: Pick<AfterSale, 'kind' | 'status'>) => kind !== 'exchange' || status === 'approved'
