/** One side's facts, each named and in the form that people read. */
import { fieldWords } from '@/fields'
import { formatFen, formatTime } from '@/format'
import { t, type WordKey } from '@/words'
import { methodWords } from './method'

const NAMES = [
  'amount_fen', 'at_s', 'captured_fen', 'day', 'expected_fen', 'field', 'method', 'mismatch', 'number', 'out_trade_no',
  'reason', 'refunded_fen', 'seen', 'status', 'times', 'transaction_id',
] as const
type Name = (typeof NAMES)[number]

/** States by our names and by those that gateways use, which a message that was refused is told with. */
const STATES: Readonly<Record<string, WordKey>> = {
  abnormal: 'state.abnormal',
  closed: 'state.closed',
  created: 'state.unpaid',
  failed: 'state.failed',
  notpay: 'state.unpaid',
  outside: 'status.refund.outside',
  payerror: 'state.payError',
  processing: 'state.processing',
  refund: 'state.refund',
  refund_success: 'state.succeeded',
  requested: 'state.requested',
  revoked: 'state.closed',
  succeeded: 'state.succeeded',
  success: 'state.succeeded',
  trade_closed: 'state.closed',
  trade_finished: 'state.finished',
  trade_success: 'state.succeeded',
  unknown: 'state.unknown',
  unpaid: 'state.unpaid',
  userpaying: 'state.paying',
  wait_buyer_pay: 'state.unpaid',
}
const REASONS: Readonly<Record<string, WordKey>> = {
  incomplete: 'statement.incomplete',
  mismatch: 'statement.mismatch',
  unknown_state: 'statement.unknownState',
}
/** What gateways call a field of theirs, as far as it is not one of an account's. */
const FIELDS: Readonly<Record<string, WordKey>> = {
  amount: 'fact.amount_fen',
  currency: 'fact.currency',
  original_type: 'fact.kind',
  out_request_no: 'fact.number',
  refund_status: 'fact.status',
  send_pay_date: 'fact.at_s',
  total_amount: 'fact.amount_fen',
  trade_no: 'fact.transaction_id',
  trade_state: 'fact.status',
  trade_status: 'fact.status',
}

const isName = (name: string): name is Name => (NAMES as readonly string[]).includes(name)

function named(name: string): string {
  if (isName(name)) return t(`fact.${name}`)
  const key = FIELDS[name]
  return key ? t(key) : fieldWords(name)
}

/** A word of ours or of a gateway's; one that has none here is shown as it came. */
const spoken = (words: Readonly<Record<string, WordKey>>, value: string) => {
  const key = words[value.toLowerCase()]
  return key ? t(key) : value
}

/** A state of a payment or refund, as we or a gateway call it, for people. */
export const gatewayStateWords = (status: string) => spoken(STATES, status)

function textOf(key: string, value: string): string {
  if (key === 'method') return methodWords(value)
  if (key === 'field' || key === 'mismatch') return named(value)
  if (key === 'reason') return spoken(REASONS, value)
  return key === 'status' || key === 'seen' ? spoken(STATES, value) : value
}

export function facts(side: Record<string, string | number>): { name: string; value: string }[] {
  return Object.entries(side).map(([key, value]) => {
    const name = named(key)
    if (typeof value !== 'number') return { name, value: textOf(key, value) }
    if (key.endsWith('_fen')) return { name, value: formatFen(value) }
    return { name, value: key.endsWith('_s') ? (value ? formatTime(value) : t('fact.none')) : String(value) }
  })
}
