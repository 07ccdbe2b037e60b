/** An activity as the form holds it: defaults, what is wrong with it, and what is sent. */
import type { Activity, ActivityChange, ActivityInput, NewBuyers } from '@/api/activities'
import type { Product } from '@/api/products'
import type { Problem } from '@/api/errors'
import { formatFen, localOf, nowS, secondsOf } from '@/format'
import { t } from '@/words'
import { DAYS_USUAL, FLASH_MAX_S, kindOf, type Kind } from './kinds'

export const TITLE_MAX = 28
export const REDUCTIONS_MAX = 5
export const PER_MINUTE_MAX = 1000
export const TIERS_MAX = 5
export const CROWD = { min: 2, max: 6 }
export const SEATS = { min: 2, max: 100 }
export const SEATS_USUAL = [2, 3, 5]
const PROMISED_POINTS_MAX = 100_000
export const LIFE_H = { min: 1, max: 72 }
export const LIFE_H_USUAL = [12, 24, 48]
const HOUR_S = 3600

export interface DraftSku {
  sku_id: string
  spec: string
  isOn: boolean
  solo_price_fen: number
  list_price_fen: number
  group_price_fen: number | null
  leader_price_fen: number | null // of who opens a group; null: as everybody
  stock: number | null // units to move from the product; of a running activity: what is left
  available: number
}

export interface Draft {
  kind: Kind // by which the form is laid out; not sent, for it follows from the rest
  title: string
  seats_total: number | null
  formsWithFewer: boolean
  seats_least: number | null // paid seats with which a group forms at its deadline
  tiers: DraftTier[] // beside the first, which seats_least is; the last one is of all seats; only where groups form with fewer
  crowd_tiers: DraftTier[] // 万人团: of all groups of the activity that form; without tiers of each
  life_h: number | null
  startsNow: boolean
  starts: string // of a datetime-local input, Beijing
  ends: string
  limit_per_buyer: number | null
  limit_per_order: number | null
  per_minute: number | null // seats that are taken in a minute at most; 0: any number
  reductions: DraftReduction[]
  coupons: boolean // can be used for its groups
  points: boolean // whether its groups take them
  leader_points: number | null // that who opened a group earns
  leader_coupon_id: string // coupons for who opened a group that formed; empty: none
  leader_coupon_words: string
  leader_coupon_kept: boolean
  new_buyers: NewBuyers // who has to be new to the shop
  compensation_id: string // coupons for who is in a group that fails; empty: none
  compensation_points: number | null // for the same
  confirms_free: boolean // that a group price of 0 is meant
  compensation_words: string // what its coupons take off
  compensation_kept: boolean // whether there are such coupons to give; buyers are told of no other
  hasLeaderPrices: boolean
  combines: boolean // whether groups that are due without being full may be combined
  leader_free: boolean // what the goods cost who opened a group goes back once it has formed; without leader's prices or tiers
  member_prices: boolean // whether members' prices count in its groups
  members_from: number // the level that buying in its groups takes; 0: none
  level_seats: DraftLevelSeats[] // smaller groups, by the level of who opens them; without tiers
  skus: DraftSku[]
}

/** 满减: goods of one order for from_fen or more cost off_fen less. */
export interface DraftReduction {
  from_fen: number | null
  off_fen: number | null
}

/** Who has that level, or a higher one, opens groups of so many. */
export interface DraftLevelSeats {
  level: number
  seats: number | null
}

/** 阶梯价: from so many paid seats on, off_fen of each unit goes back once the group formed. */
export interface DraftTier {
  seats: number | null
  off_fen: number | null
}

export function emptyDraft(): Draft {
  return {
    kind: 'plain',
    title: '',
    seats_total: 3,
    formsWithFewer: false,
    seats_least: 2,
    tiers: [],
    crowd_tiers: [],
    life_h: 24,
    startsNow: true,
    starts: localOf(nowS() + HOUR_S),
    ends: localOf(nowS() + DAYS_USUAL * 86400),
    limit_per_buyer: 0,
    limit_per_order: 1,
    per_minute: 0,
    reductions: [],
    coupons: true,
    points: false,
    leader_points: 0,
    leader_coupon_id: '',
    leader_coupon_words: '',
    leader_coupon_kept: true,
    new_buyers: 'nobody',
    compensation_id: '',
    compensation_points: 0,
    confirms_free: false,
    compensation_words: '',
    compensation_kept: true,
    combines: false,
    hasLeaderPrices: false,
    leader_free: false,
    member_prices: false,
    members_from: 0,
    level_seats: [],
    skus: [],
  }
}

export const skusOfProduct = (product: Product): DraftSku[] =>
  product.skus.map((sku) => ({
    sku_id: sku.sku_id,
    spec: Object.values(sku.specs).join(' / ') || t('sku.only'),
    isOn: true,
    solo_price_fen: sku.solo_price_fen,
    list_price_fen: sku.list_price_fen,
    group_price_fen: null,
    leader_price_fen: null,
    stock: null,
    available: sku.available,
  }))

export const skusOfActivity = (activity: Activity): DraftSku[] =>
  activity.skus.map((sku) => ({ ...sku, isOn: true, stock: sku.available }))

/** The rules of an activity, for editing it or as the beginning of another. */
export function rulesOf(activity: Activity) {
  return {
    title: activity.title,
    seats_total: activity.seats_total,
    formsWithFewer: activity.seats_least > 0,
    seats_least: activity.seats_least || SEATS.min,
    tiers: activity.tiers.map((it) => ({ ...it })),
    crowd_tiers: activity.crowd_tiers.map((it) => ({ ...it })),
    life_h: activity.life_h,
    limit_per_buyer: activity.limit_per_buyer,
    limit_per_order: activity.limit_per_order,
    per_minute: activity.per_minute,
    reductions: activity.reductions.map((it) => ({ ...it })),
    coupons: activity.coupons,
    points: activity.points,
    leader_points: activity.leader_points,
    leader_coupon_id: activity.leader_coupon_id,
    leader_coupon_words: activity.leader_coupon_words,
    leader_coupon_kept: activity.leader_coupon_kept,
    new_buyers: activity.new_buyers,
    compensation_id: activity.compensation_id,
    compensation_points: activity.compensation_points,
    confirms_free: activity.skus.some((sku) => sku.group_price_fen === 0),
    compensation_words: activity.compensation_words,
    compensation_kept: activity.compensation_kept,
    combines: activity.combines,
    hasLeaderPrices: activity.skus.some((sku) => sku.leader_price_fen !== null),
    leader_free: activity.leader_free,
    member_prices: activity.member_prices,
    members_from: activity.members_from,
    level_seats: activity.level_seats.map((it) => ({ ...it })),
  }
}

/** Another activity on the same terms: its prices, none of its stock, its length from now on. */
export function copied(activity: Activity, product: Product): Draft {
  const priced = new Map(activity.skus.map((sku) => [sku.sku_id, sku]))
  const copy = {
    ...emptyDraft(),
    ...rulesOf(activity),
    ends: localOf(nowS() + activity.ends_at_s - activity.starts_at_s),
    skus: skusOfProduct(product).map((sku) => ({
      ...sku,
      isOn: priced.has(sku.sku_id),
      group_price_fen: priced.get(sku.sku_id)?.group_price_fen ?? null,
      leader_price_fen: priced.get(sku.sku_id)?.leader_price_fen ?? null,
    })),
  }
  return { ...copy, kind: kindOf(copy) }
}

export function inputOf(draft: Draft, productId: string): ActivityInput {
  return {
    ...changedRules(draft),
    product_id: productId,
    starts_at_s: draft.startsNow ? 0 : (secondsOf(draft.starts) ?? 0),
    skus: draft.skus
      .filter((sku) => sku.isOn)
      .map((sku) => ({ ...pricesOf(draft, sku), stock: sku.stock ?? 0 })),
  }
}

export function changeOf(draft: Draft, revision: number): ActivityChange {
  const skus = draft.skus.map((sku) => pricesOf(draft, sku))
  const starts_at_s = draft.startsNow ? nowS() : secondsOf(draft.starts)
  return { ...changedRules(draft), starts_at_s, skus, revision }
}

const pricesOf = ({ hasLeaderPrices }: Draft, { sku_id, group_price_fen, leader_price_fen }: DraftSku) => ({
  sku_id,
  group_price_fen: group_price_fen ?? 0,
  leader_price_fen: hasLeaderPrices ? leader_price_fen : null,
})

function changedRules(draft: Draft) {
  return {
    title: draft.title.trim(),
    seats_total: draft.seats_total ?? 0,
    seats_least: draft.formsWithFewer ? (draft.seats_least ?? 0) : 0,
    tiers: tiersOf(draft).map(sent),
    crowd_tiers: draft.crowd_tiers.map(sent),
    life_h: draft.life_h ?? 0,
    ends_at_s: secondsOf(draft.ends) ?? 0,
    limit_per_buyer: draft.limit_per_buyer ?? 0,
    limit_per_order: draft.limit_per_order ?? 0,
    per_minute: draft.per_minute ?? 0,
    reductions: draft.reductions.map(({ from_fen, off_fen }) => ({ from_fen: from_fen ?? 0, off_fen: off_fen ?? 0 })),
    coupons: draft.coupons,
    points: draft.points,
    leader_points: draft.leader_points ?? 0,
    leader_coupon_id: draft.leader_coupon_id,
    new_buyers: draft.new_buyers,
    compensation_id: draft.compensation_id,
    compensation_points: draft.compensation_points ?? 0,
    confirms_free: draft.confirms_free,
    leader_free: draft.leader_free,
    member_prices: draft.member_prices,
    members_from: draft.members_from,
    combines: combinesOf(draft),
    level_seats: draft.level_seats.map(({ level, seats }) => ({ level, seats: seats ?? 0 })),
  }
}

/** Whether groups can be combined at all: not where a leader is free or who joins has to be new, since they would be exchanged. */
export const canCombine = ({ leader_free, new_buyers }: Draft): boolean => !leader_free && new_buyers !== 'joiners'
export const combinesOf = (draft: Draft): boolean => draft.combines && canCombine(draft)

const sent = ({ seats, off_fen }: DraftTier) => ({ seats: seats ?? 0, off_fen: off_fen ?? 0 })

/** The tiers of a group; the last one follows its size. */
export const tiersOf = ({ tiers, seats_total }: Draft): DraftTier[] =>
  tiers.map((it, i) => (i === tiers.length - 1 ? { ...it, seats: seats_total } : it))

/** The least that a unit of any SKU costs before anything goes back; Infinity while there is no price. */
export function leastPrice({ skus, hasLeaderPrices }: Draft): number {
  const prices = skus.filter((sku) => sku.isOn).flatMap((sku) => [sku.group_price_fen, hasLeaderPrices ? sku.leader_price_fen : null])
  return Math.min(...prices.map((price) => price ?? Infinity), Infinity)
}

/** Everything to change before it can be published, or saved; the server checks all of it again. */
export function problemsOf(draft: Draft, isNew: boolean, hasBegun: boolean): Problem[] {
  return [...ofRules(draft), ...ofKind(draft), ...ofFree(draft), ...ofPoints(draft), ...ofLimits(draft), ...ofReductions(draft), ...ofTiers(draft), ...ofLevelSeats(draft), ...(isNew ? ofCrowd(draft) : []), ...(hasBegun ? [] : ofWindow(draft, isNew)), ...ofSkus(draft, isNew)]
}

function ofRules({ title, seats_total, formsWithFewer, seats_least, life_h }: Draft): Problem[] {
  const problems: Problem[] = []
  const say = (field: string, problem: string) => problems.push({ field, problem })
  if (!title.trim()) say('title', t('activity.titleNeeded'))
  if (!within(seats_total, SEATS)) say('seats_total', t('activity.seatsWrong', SEATS))
  else if (formsWithFewer && seats_total === SEATS.min) say('seats_least', t('activity.leastNone', { n: SEATS.min }))
  else if (formsWithFewer && !within(seats_least, { min: SEATS.min, max: seats_total! - 1 }))
    say('seats_least', t('activity.leastWrong', { min: SEATS.min, max: seats_total! - 1 }))
  if (!within(life_h, LIFE_H)) say('life_h', t('activity.lifeWrong', LIFE_H))
  return problems
}

/** Whether a SKU is sold, at a price that is written down: 0, too. */
export const isPriced = (sku: DraftSku): boolean => sku.isOn && sku.group_price_fen !== null

/** Whether a SKU costs nothing in a group. */
export const isFree = ({ skus }: Draft): boolean => skus.some((sku) => sku.isOn && sku.group_price_fen === 0)

/** Points that an activity promises: to who opens a group, or to who is in one that fails. */
function ofPoints(draft: Draft): Problem[] {
  const max = PROMISED_POINTS_MAX.toLocaleString('zh-CN')
  return (['leader_points', 'compensation_points'] as const)
    .filter((field) => !within(draft[field], { min: 0, max: PROMISED_POINTS_MAX }))
    .map((field) => ({ field, problem: t('activity.promisedPointsWrong', { max }) }))
}

function ofFree(draft: Draft): Problem[] {
  return isFree(draft) && !draft.confirms_free ? [{ field: 'confirms_free', problem: t('activity.freeWrong') }] : []
}

function ofLimits({ limit_per_buyer: buyer, limit_per_order: order, per_minute }: Draft): Problem[] {
  if (!within(per_minute, { min: 0, max: PER_MINUTE_MAX })) return [{ field: 'per_minute', problem: t('activity.paceWrong', { max: PER_MINUTE_MAX }) }]
  if (buyer === null) return [{ field: 'limit_per_buyer', problem: t('activity.limitNeeded') }]
  if (!order) return [{ field: 'limit_per_order', problem: t('activity.orderLimitNeeded') }]
  if (buyer && order > buyer) return [{ field: 'limit_per_order', problem: t('activity.orderLimitWrong', { n: buyer }) }]
  return []
}

function ofReductions({ reductions }: Draft): Problem[] {
  return reductions.flatMap(({ from_fen, off_fen }, i) => {
    const before = reductions[i - 1]
    if (!from_fen || !off_fen) return [{ field: `reductions[${i}].from_fen`, problem: t('reduction.needed') }]
    if (off_fen >= from_fen) return [{ field: `reductions[${i}].off_fen`, problem: t('reduction.tooMuch') }]
    const isHigher = from_fen > (before?.from_fen ?? 0) && off_fen > (before?.off_fen ?? 0)
    return isHigher ? [] : [{ field: `reductions[${i}].from_fen`, problem: t('reduction.higher') }]
  })
}

/** What makes an activity one of its kind. */
function ofKind(draft: Draft): Problem[] {
  const { kind, tiers, members_from, leader_free, hasLeaderPrices } = draft
  if (kind === 'ladder' && !tiers.length) return [{ field: 'tiers', problem: t('tier.none') }]
  if (kind === 'members' && !members_from) return [{ field: 'members_from', problem: t('activity.membersFromNeeded') }]
  if (kind === 'leader' && !leader_free && !hasLeaderPrices) return [{ field: 'leader', problem: t('activity.leaderNeeded') }]
  return []
}

const ofTiers = (draft: Draft): Problem[] => ofSteps('tiers', tiersOf(draft), draft.seats_least, leastPrice(draft))

function ofCrowd(draft: Draft): Problem[] {
  const { kind, crowd_tiers: tiers } = draft
  if (kind !== 'crowd') return []
  if (!within(tiers.length, CROWD)) return [{ field: 'crowd_tiers', problem: t('crowd.count', CROWD) }]
  return ofSteps('crowd_tiers', tiers, 1, leastPrice(draft))
}

/** first: as many people as are fewer than the first of these tiers takes. */
function ofSteps(name: string, tiers: DraftTier[], first: number | null, least: number): Problem[] {
  return tiers.flatMap(({ seats, off_fen }, i): Problem[] => {
    const before = tiers[i - 1] ?? { seats: first, off_fen: 0 }
    if (!seats || !off_fen) return [{ field: `${name}[${i}].${seats ? 'off_fen' : 'seats'}`, problem: t('tier.needed') }]
    if (seats <= (before.seats ?? 0)) return [{ field: `${name}[${i}].seats`, problem: t('tier.moreSeats', { n: before.seats ?? 0 }) }]
    if (off_fen <= (before.off_fen ?? 0)) return [{ field: `${name}[${i}].off_fen`, problem: t('tier.moreOff', { off: formatFen(before.off_fen ?? 0) }) }]
    return off_fen < least ? [] : [{ field: `${name}[${i}].off_fen`, problem: t('tier.tooMuch', { price: formatFen(least) }) }]
  })
}

function ofLevelSeats(draft: Draft): Problem[] {
  const rows = draft.level_seats
  return rows.flatMap(({ level, seats }, i): Problem[] => {
    const before = rows[i - 1] ?? { level: 0, seats: draft.seats_total }
    const max = (before.seats ?? 0) - 1
    if (level <= before.level) return [{ field: `level_seats[${i}].level`, problem: t('activity.levelHigher') }]
    if (within(seats, { min: SEATS.min, max })) return []
    const problem = max < SEATS.min ? t('activity.levelSeatsNone', { n: before.seats ?? 0 }) : t('activity.levelSeatsWrong', { min: SEATS.min, max })
    return [{ field: `level_seats[${i}].seats`, problem }]
  })
}

function ofWindow(draft: Draft, isNew: boolean): Problem[] {
  const starts = draft.startsNow ? nowS() : secondsOf(draft.starts)
  const ends = secondsOf(draft.ends)
  if (starts === null) return [{ field: 'starts_at_s', problem: t('activity.startNeeded') }]
  if (ends === null) return [{ field: 'ends_at_s', problem: t('activity.endNeeded') }]
  if (isNew && draft.kind === 'flash' && ends - starts > FLASH_MAX_S) return [{ field: 'ends_at_s', problem: t('activity.flashWrong') }]
  return ends - starts < HOUR_S ? [{ field: 'ends_at_s', problem: t('activity.endWrong') }] : []
}

function ofSkus(draft: Draft, isNew: boolean): Problem[] {
  const on = draft.skus.filter((sku) => sku.isOn)
  if (!draft.skus.length) return [{ field: 'product', problem: t('activity.productNeeded') }]
  if (!on.length) return [{ field: 'skus', problem: t('activity.skuNeeded') }]
  const problems = on.flatMap((sku) => [...ofPrice(sku), ...(draft.hasLeaderPrices ? ofLeaderPrice(sku) : []), ...(isNew ? ofStock(sku) : [])])
  if (draft.hasLeaderPrices && on.every((sku) => sku.leader_price_fen === null))
    problems.push({ field: `leader.${on[0]?.sku_id}`, problem: t('activity.leaderNeeded') })
  const units = on.reduce((sum, sku) => sum + (sku.stock ?? 0), 0)
  if (isNew && !problems.length && units < (draft.seats_total ?? 0))
    problems.push({ field: 'skus', problem: t('activity.stockFew', { n: draft.seats_total ?? 0 }) })
  return problems
}

function ofPrice({ sku_id, spec, group_price_fen: price, solo_price_fen: solo }: DraftSku): Problem[] {
  const field = `price.${sku_id}`
  if (price === null) return [{ field, problem: t('activity.priceNeeded', { spec }) }]
  if (price < solo) return []
  return [{ field, problem: t('activity.priceWrong', { spec, solo: formatFen(solo), max: formatFen(solo - 1) }) }]
}

function ofLeaderPrice({ sku_id, spec, group_price_fen: price, leader_price_fen: leader }: DraftSku): Problem[] {
  if (leader === null || !price || (leader > 0 && leader < price)) return []
  return [{ field: `leader.${sku_id}`, problem: t('activity.leaderWrong', { spec, price: formatFen(price) }) }]
}

function ofStock({ sku_id, spec, stock, available }: DraftSku): Problem[] {
  const field = `stock.${sku_id}`
  if (!stock) return [{ field, problem: t('activity.stockNeeded', { spec }) }]
  return stock > available ? [{ field, problem: t('activity.stockWrong', { spec, n: available }) }] : []
}

/** The server's fields, which count the SKUs that were sent, as fields of the page. */
export function placed(problems: readonly Problem[], skus: readonly DraftSku[]): Problem[] {
  const on = skus.filter((sku) => sku.isOn)
  return problems.map(({ field, problem }) => {
    const found = /^skus\[(\d+)\]\.(\w+)/.exec(field)
    const sku = found && on[Number(found[1])]
    if (!sku) return { field, problem }
    const column = { stock: 'stock', leader_price_fen: 'leader' }[found[2] ?? ''] ?? 'price'
    return { field: `${column}.${sku.sku_id}`, problem: `「${sku.spec}」${problem}` }
  })
}

export type Bulk = { kind: 'percent' | 'less' | 'same'; amount: number }

/** A price after a bulk change of another; percent: what is left of that, less: fen off. */
export function bulkPrice(of_fen: number, { kind, amount }: Bulk): number {
  const price = { percent: Math.round((of_fen * amount) / 100), less: of_fen - amount, same: amount }[kind]
  return Math.max(1, price)
}

const within = (value: number | null, { min, max }: { min: number; max: number }) =>
  value !== null && value >= min && value <= max
