/** A change as the audit log keeps it, in words: which fields, from what to what. */
import type { InvitationsRule, LevelsRule, RewardsRule } from '@/api/shop'
import { fieldWords } from '@/fields'
import { formatFen, formatTime } from '@/format'
import { t, type WordKey } from '@/words'
import { provinceName } from '@/words/provinces'
import { statusOf, type StatusKind } from '@/words/status'
import { crowdWords, tierWords } from '../activities/summary'
import { termsWords, type Terms } from '../coupons/summary'
import { ruleWords as levelsWords } from '../levels/summary'
import { gatewayStateWords } from '../money/facts'
import { ruleWords as rewardsWords } from '../rewards/draft'
import { ruleWords as invitationsWords } from '../rewards/invitations'
import { ruleWords, type PointsDraft } from './pointsRule'

export interface Change {
  field: string
  before: string
  after: string
}

const TEXT_MAX = 120
const NOTHING = '—'
const STATUSES: Record<string, StatusKind> = { after_sale: 'afterSale', export: 'order' } // others are called as their subject
const STATUSES_LOGGED: Record<string, string> = { ready: 'ready_for_pickup', handed_over: 'completed' }
const BOOKKEEPING = ['at_s', 'next_at_s', 'life_s', 'buckets', 'list_shards', 'groups', 'order_ids', 'created_at_s', 'compensation_id', 'since_s']
/** Why a gateway's notice was refused, or how its bill differs: the row's own page says it in a sentence. */
const CODES = ['difference', 'rejected_result']
const NAMES = ['provinces', 'not_delivered']
const TIMES = ['from_s', 'to_s', 'until_s']

/** kind: of the subject. Of what is new, only what was filled in. */
export function changesOf(kind: string, before: Record<string, unknown>, after: Record<string, unknown>): Change[] {
  const isNew = Object.keys(before).length === 0
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => !BOOKKEEPING.includes(field))
    .filter((field) => !CODES.includes(kind) || (field !== 'code' && field !== 'difference'))
    .filter((field) => !isNew || (!field.endsWith('_id') && shown(field, after[field]) !== NOTHING))
    .map((field) => ({
      field: fieldWords(field, kind),
      before: field === 'status' ? statusWords(kind, before[field]) : shown(field, before[field]),
      after: field === 'status' ? statusWords(kind, after[field]) : shown(field, after[field]),
    }))
}

/** One value for people; long ones are cut, but for levels: what changed may be of the last one. */
export function shown(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return NOTHING
  if (typeof value === 'boolean') return value ? t('audit.yes') : t('audit.no')
  if (typeof value === 'number') return numberOf(field, value)
  const text = typeof value === 'string' ? textOf(field, value) : listed(field, value)
  return field !== 'levels' && text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
}

function numberOf(field: string, value: number): string {
  if (field.endsWith('_fen')) return formatFen(value)
  if (field === 'pay_by_s') return `${value / 60} ${t('unit.minutes')}`
  if (field.endsWith('_days') || field.endsWith('_d')) return `${value} ${t('unit.days')}`
  if (field.endsWith('_h')) return `${value} ${t('unit.hours')}`
  if (field === 'members_from' || field === 'level_from') return value ? t('levels.n', { n: value }) : NOTHING
  if (field === 'seats_least') return value ? `${value} ${t('unit.people')}` : NOTHING
  if (field === 'days') return value ? `${value} ${t('unit.days')}` : NOTHING
  const isTime = field.endsWith('_at_s') || TIMES.includes(field)
  if (isTime) return value ? formatTime(value) : NOTHING
  return String(value)
}

function textOf(field: string, value: string): string {
  if (field === 'purpose') return t(`audit.purpose.${value}` as WordKey)
  if (field === 'subject') return t(`export.of.${value}` as WordKey)
  if (field === 'way') return t(`refund.way.${value}` as WordKey)
  if (field === 'role') return t(`role.${value}` as WordKey)
  if (field === 'description') return new DOMParser().parseFromString(value, 'text/html').body.textContent ?? ''
  if (field === 'image' || field === 'logo') return t('audit.count', { n: 1 })
  if (field === 'mode') return t(`accounts.mode.${value}` as WordKey)
  if (field === 'new_buyers') return t(`activity.newBuyers.${value}` as WordKey)
  if (field === 'given') return t(`coupon.given.${value}` as WordKey)
  if (field === 'measure') return t(`freight.${value}` as WordKey)
  return value
}

function statusWords(kind: string, value: unknown): string {
  const status = String(value ?? '')
  const { key } = statusOf(STATUSES[kind] ?? (kind as StatusKind), STATUSES_LOGGED[status] ?? status)
  return key ? t(key) : gatewayStateWords(shown('', value))
}

/** Other lists of strings are of pictures or ids: how many is enough. */
function listed(field: string, value: unknown): string {
  if (field === 'terms') return termsWords(value as Terms)
  if (field === 'points') return ruleWords(value as PointsDraft)
  if (field === 'levels') return levelsWords(value as LevelsRule)
  if (field === 'rewards') return rewardsWords(value as RewardsRule)
  if (field === 'invitations') return invitationsWords(value as InvitationsRule)
  if (field === 'rights') return rightsWords(value as Record<string, string>)
  if (field === 'stock') return String(Object.values(value as Record<string, number>).reduce((sum, units) => sum + units, 0))
  if (!Array.isArray(value)) return partsOf(value as Record<string, unknown>)
  if (!value.length) return NOTHING
  if (field === 'tiers') return (value as { seats: number; off_fen: number }[]).map(tierWords).join('；')
  if (field === 'level_seats') return (value as { level: number; seats: number }[]).map(({ level, seats }) => t('audit.levelSeats', { level, n: seats })).join('；')
  if (field === 'crowd_tiers') return (value as { seats: number; off_fen: number }[]).map(crowdWords).join('；')
  if (NAMES.includes(field)) return value.map(provinceName).join(t('list.and'))
  return typeof value[0] === 'string' ? t('audit.count', { n: value.length }) : value.map((it) => shown('', it)).join('；')
}

const rightsWords = (value: Record<string, string>) =>
  Object.entries(value)
    .map(([area, level]) => `${t(`area.${area}` as WordKey)} ${t(`level.${level}` as WordKey)}`)
    .join('，') || t('staff.rightsUsual')

const partsOf = (value: Record<string, unknown>) =>
  Object.entries(value)
    .filter(([name, it]) => !name.endsWith('_id') && shown(name, it) !== NOTHING)
    .map(([name, it]) => `${fieldWords(name)} ${shown(name, it)}`)
    .join('，')
