/** A freight template as the form holds it, what keeps it from being saved, and what it would cost. */
import type { Problem } from '@/api/errors'
import type { FreightInput, FreightTemplate } from '@/api/delivery'
import { t } from '@/words'

export const PROVINCES = (
  '北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 ' +
  '广东 广西 海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门'
).split(' ')
const FAR = ['台湾', '香港', '澳门']

type Measure = FreightInput['measure']
export type RuleDraft = Record<'first' | 'first_fen' | 'next' | 'next_fen' | 'free_from_fen' | 'free_from_units', number | null>

export interface RegionDraft {
  id: number
  provinces: string[]
  rule: RuleDraft
}

export interface Draft {
  name: string
  measure: Measure
  rule: RuleDraft
  regions: RegionDraft[]
  not_delivered: string[]
}

let made = 0
const STEP: Record<Measure, number> = { piece: 1, weight: 1000 }
export const newRule = (measure: Measure): RuleDraft => ({
  first: STEP[measure],
  first_fen: null,
  next: STEP[measure],
  next_fen: null,
  free_from_fen: 0,
  free_from_units: 0,
})
export const newRegion = (measure: Measure): RegionDraft => ({ id: ++made, provinces: [], rule: newRule(measure) })

export const unwritten = (): Draft => ({ name: '', measure: 'piece', rule: newRule('piece'), regions: [], not_delivered: [...FAR] })

export const written = ({ name, measure, rule, regions, not_delivered }: FreightTemplate): Draft => ({
  name,
  measure: measure as Measure,
  rule: drafted(rule),
  regions: regions.map((it) => ({ id: ++made, provinces: [...it.provinces], rule: drafted(it.rule) })),
  not_delivered: [...not_delivered],
})

type Rule = FreightInput['rule']
const drafted = (rule: Rule): RuleDraft => ({ ...rule, free_from_fen: rule.free_from_fen ?? 0, free_from_units: rule.free_from_units ?? 0 })
const ruleOf = (rule: RuleDraft): Rule => Object.fromEntries(Object.entries(rule).map(([name, value]) => [name, value ?? 0])) as Rule

export const inputOf = ({ name, measure, rule, regions, not_delivered }: Draft): FreightInput => ({
  name: name.trim(),
  measure,
  rule: ruleOf(rule),
  regions: regions.map((it) => ({ provinces: it.provinces, rule: ruleOf(it.rule) })),
  not_delivered,
})

/** What is not written yet; what is written wrongly, the API says of all fields at once. */
export function problemsOf(draft: Draft): Problem[] {
  const problems: Problem[] = draft.name.trim() ? [] : [{ field: 'name', problem: t('freight.nameNeeded') }]
  const rules = [
    { of: 'rule', place: '', rule: draft.rule },
    ...draft.regions.map(({ rule }, n) => ({ of: `regions[${n}].rule`, place: t('freight.inRegion', { n: n + 1 }), rule })),
  ]
  for (const { of, place, rule } of rules) {
    for (const name of ['first', 'first_fen', 'next', 'next_fen'] as const) {
      if (rule[name] === null) problems.push({ field: `${of}.${name}`, problem: place + t('freight.needed', { field: t(`freight.${name}`) }) })
    }
  }
  return problems
}

const ruleFor = ({ regions, rule }: Draft, province: string) =>
  regions.find(({ provinces }) => provinces.includes(province))?.rule ?? rule

/** Whether it is written yet what sending there costs; nothing has to be where nothing is sent. */
export function isPriced(draft: Draft, province: string): boolean {
  const { first_fen, next_fen } = ruleFor(draft, province)
  return draft.not_delivered.includes(province) || (first_fen !== null && next_fen !== null)
}

/** What sending costs in fen; null: nothing is sent there. weight_g: of all pieces together. */
export function feeOf(draft: Draft, province: string, units: number, weight_g: number, goods_fen: number): number | null {
  if (draft.not_delivered.includes(province)) return null
  const { first, first_fen, next, next_fen, free_from_fen, free_from_units } = ruleOf(ruleFor(draft, province))
  if ((free_from_fen && goods_fen >= free_from_fen) || (free_from_units && units >= free_from_units)) return 0
  const measured = draft.measure === 'piece' ? units : weight_g
  return first_fen + Math.ceil(Math.max(0, measured - first) / Math.max(1, next)) * next_fen
}
