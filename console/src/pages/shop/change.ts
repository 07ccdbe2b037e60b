/** A change as the audit log keeps it, in words: which fields, from what to what. */
import { formatFen, formatTime } from '@/format'
import { t, type WordKey } from '@/words'
import { statusOf, type StatusKind } from '@/words/status'
import { fieldWords } from './fieldWords'

export interface Change {
  field: string
  before: string
  after: string
}

const TEXT_MAX = 120
const NOTHING = '—'
const STATUSES: readonly StatusKind[] = ['group', 'activity', 'order', 'afterSale']

/** Of what is new, only what was filled in. */
export function changesOf(before: Record<string, unknown>, after: Record<string, unknown>): Change[] {
  const isNew = Object.keys(before).length === 0
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => !isNew || (!field.endsWith('_id') && shown(field, after[field]) !== NOTHING))
    .map((field) => ({
      field: fieldWords(field),
      before: shown(field, before[field]),
      after: shown(field, after[field]),
    }))
}

/** One value for people; long ones are cut. */
export function shown(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return NOTHING
  if (typeof value === 'boolean') return value ? t('audit.yes') : t('audit.no')
  if (typeof value === 'number') return numberOf(field, value)
  const text = typeof value === 'string' ? textOf(field, value) : listed(value)
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
}

function numberOf(field: string, value: number): string {
  if (field.endsWith('_fen')) return formatFen(value)
  if (field === 'pay_by_s') return `${value / 60} ${t('unit.minutes')}`
  return field.endsWith('_at_s') ? formatTime(value) : String(value)
}

function textOf(field: string, value: string): string {
  if (field === 'purpose') return t(`audit.purpose.${value}` as WordKey)
  if (field === 'role') return t(`role.${value}` as WordKey)
  if (field === 'description') return new DOMParser().parseFromString(value, 'text/html').body.textContent ?? ''
  if (field === 'image' || field === 'logo') return t('audit.count', { n: 1 })
  if (field !== 'status') return value
  const key = STATUSES.map((kind) => statusOf(kind, value).key).find(Boolean)
  return key ? t(key) : value
}

/** A list of strings is a list of pictures or ids: how many is enough. */
function listed(value: unknown): string {
  if (!Array.isArray(value)) return partsOf(value as Record<string, unknown>)
  if (!value.length) return NOTHING
  return typeof value[0] === 'string' ? t('audit.count', { n: value.length }) : value.map((it) => shown('', it)).join('；')
}

const partsOf = (value: Record<string, unknown>) =>
  Object.entries(value)
    .filter(([name, it]) => !name.endsWith('_id') && shown(name, it) !== NOTHING)
    .map(([name, it]) => `${fieldWords(name)} ${shown(name, it)}`)
    .join('，')
