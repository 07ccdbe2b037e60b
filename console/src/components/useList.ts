/** A list whose tab, filters and page live in the address: refresh, back and a shared link keep them. */
import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { wordsOf } from '@/api/errors'
import type { Page } from '@/api/types'

export interface ListQuery {
  tab: string
  filters: Record<string, string>
  next?: string
}

/** A change of one row, of a kind that can be taken back: for such, nobody should have to wait. */
export interface Change<Item> {
  row: Item
  /** How the row will look. */
  as: Partial<Item>
  action: () => Promise<unknown>
  /** What people read when it was not done. */
  failed: (reason: string) => string
}

export interface List<Item> {
  tab: Ref<string>
  filters: Ref<Record<string, string>>
  isFiltered: Ref<boolean>
  /** null until the first answer; older rows stay while newer ones are on their way. */
  rows: Ref<Item[] | null>
  isLoading: Ref<boolean>
  trouble: Ref<string>
  /** Why a change was not done, until somebody has read it. */
  refusal: Ref<string>
  hasNext: Ref<boolean>
  hasPrevious: Ref<boolean>
  filter: (name: string, value: string) => void
  clear: () => void
  goNext: () => void
  goBack: () => void
  load: () => Promise<void>
  /** Show a row as it will be, at once; as it was, with the reason, when that fails. True when done. */
  change: (change: Change<Item>) => Promise<boolean>
}

/** fetchPage: one page of the list. tabs: the first is where the list begins. */
export function useList<Item>(
  fetchPage: (query: ListQuery) => Promise<Page<Item>>,
  tabs: readonly string[] = [''],
): List<Item> {
  const route = useRoute()
  const router = useRouter()
  const name = route.name
  const rows = shallowRef<Item[] | null>(null)
  const next = ref<string | null>(null)
  const isLoading = ref(false)
  const trouble = ref('')
  const refusal = ref('')
  const behind: string[] = [] // the pages that were left behind, the last one at the end
  let asked = 0
  const changing = new Set<Item>() // rows as they are shown, until the list has come anew
  let underWay = 0 // changes that are not answered yet

  const given = (key: string) => String(route.query[key] ?? '')
  const tab = computed(() => (tabs.includes(given('tab')) ? given('tab') : (tabs[0] ?? '')))
  const filters = computed(() => {
    const { tab: _, after: __, ...rest } = route.query
    return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value ?? '')]))
  })

  async function load(): Promise<void> {
    const turn = ++asked
    isLoading.value = true
    trouble.value = ''
    const after = given('after')
    try {
      const page = await fetchPage({ tab: tab.value, filters: filters.value, ...(after && { next: after }) })
      if (turn === asked) [rows.value, next.value] = [page.items, page.next]
    } catch (error) {
      if (turn === asked) trouble.value = wordsOf(error)
    } finally {
      if (turn === asked) isLoading.value = false
    }
  }

  const replace = (row: Item, other: Item) =>
    (rows.value = rows.value?.map((it) => (it === row ? other : it)) ?? null)

  async function change({ row, as, action, failed }: Change<Item>): Promise<boolean> {
    if (changing.has(row)) return false // its revision is of before
    const shown = { ...row, ...as }
    asked++ // an answer that is on its way knows nothing of it
    changing.add(shown)
    underWay++
    refusal.value = ''
    replace(row, shown)
    try {
      await action()
      return true
    } catch (error) {
      replace(shown, row)
      refusal.value = failed(wordsOf(error))
      return false
    } finally {
      if (!--underWay && route.name === name) await load()
      changing.delete(shown)
    }
  }

  const go = (query: Record<string, string | undefined>) => router.push({ query: { ...route.query, ...query } })

  watch(
    () => JSON.stringify([tab.value, filters.value]),
    () => {
      behind.length = 0
      rows.value = null // another list: its rows are none of these
    },
  )
  watch(
    () => route.query,
    () => route.name === name && load(),
    { immediate: true },
  )

  return {
    tab,
    filters,
    isFiltered: computed(() => Object.values(filters.value).some(Boolean)),
    rows,
    isLoading,
    trouble,
    refusal,
    hasNext: computed(() => next.value !== null),
    hasPrevious: computed(() => given('after') !== ''),
    filter: (key, value) => go({ [key]: value || undefined, after: undefined }),
    clear: () => router.push({ query: given('tab') ? { tab: given('tab') } : {} }),
    goNext: () => {
      behind.push(given('after'))
      go({ after: next.value ?? undefined })
    },
    goBack: () => go({ after: behind.pop() || undefined }),
    load,
    change,
  }
}
