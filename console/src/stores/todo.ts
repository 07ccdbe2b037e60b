/** How much waits for staff: the badges of the navigation and the first page tell the same. */
import { reactive } from 'vue'
import { readDashboard, type Dashboard } from '@/api/shop'
import type { Right } from './session'

const COUNTED_MAX = 100 // the API counts no further

export const WAITING = ['toShip', 'afterSales', 'refunds', 'endsSoon', 'lowStock', 'differences', 'statements'] as const
export type TodoKind = (typeof WAITING)[number]
/** What somebody needs to work on what waits, and not only to look at it. */
export const TODO_RIGHTS: Record<TodoKind, Right[]> = {
  toShip: ['shipping:act'],
  afterSales: ['after_sales:act'],
  refunds: ['refunds:act'],
  endsSoon: ['activities:act'],
  lowStock: ['goods:act'],
  differences: ['reconciliation:view', 'refunds:act'],
  statements: ['reconciliation:view', 'refunds:act'],
}
export type Todo = Record<TodoKind, number | null>

/** null: not known yet, or not counted. */
export const todo = reactive<Todo>({ toShip: null, afterSales: null, refunds: null, endsSoon: null, lowStock: null, differences: null, statements: null })

let asked: Promise<Dashboard> | null = null // while nothing is known yet
let begun = 0 // calls; one that is answered after a later one says nothing new
let told = 0

/** What waits, and with it everything else that the dashboard tells. Throws ApiError.

The frame and the first page ask when they appear: one call serves both. Who asks later is told what waits by
then, though the answer to somebody else may be under way. */
export function countTodo(): Promise<Dashboard> {
  if (told) return count()
  asked ??= count().finally(() => (asked = null))
  return asked
}

async function count(): Promise<Dashboard> {
  const number = ++begun
  const dashboard = await readDashboard()
  if (number < told) return dashboard
  told = number
  const { to_ship, after_sales, refunds, groups_ending_soon, low_stock, differences, rejected_results } = dashboard.to_do
  Object.assign(todo, {
    toShip: to_ship,
    afterSales: after_sales,
    refunds,
    endsSoon: groups_ending_soon,
    lowStock: low_stock,
    differences,
    statements: rejected_results,
  })
  return dashboard
}

export function badge(kind: TodoKind): string {
  const n = todo[kind] ?? 0
  if (n === 0) return ''
  return n >= COUNTED_MAX ? `${COUNTED_MAX - 1}+` : String(n)
}
