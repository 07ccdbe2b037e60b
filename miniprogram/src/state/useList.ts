/** A list that grows page by page while the buyer scrolls. */
import { computed, reactive, ref, shallowRef } from 'vue'
import { useLoad, type Loaded } from './useLoad'

interface Page<Item> {
  items: Item[]
  next: string | null
}

export interface List<Item, P extends Page<Item>> {
  /** The first page, which may carry more than its items. */
  readonly first: Loaded<P>
  readonly items: Item[]
  readonly hasMore: boolean
  /** Read the list from its beginning. */
  load(): Promise<void>
  /** Add the next page, if there is one; a failure leaves the list as it is, to be tried again. */
  grow(): Promise<void>
  /** Show nothing until `load` has an answer: what is listed is another list from now on. */
  clear(): void
}

/** read: one page; `next` of the page before it, undefined for the first. name: as for useLoad. */
export function useList<Item, P extends Page<Item>>(
  read: (next?: string) => Promise<P & Page<Item>>,
  name?: () => string,
): List<Item, P> {
  const first = useLoad(() => read(), name)
  const more = shallowRef<Item[]>([])
  const next = ref<string | null>(null)
  let isGrowing = false
  let turn = 0

  async function load(): Promise<void> {
    turn += 1
    await first.load()
    more.value = []
    next.value = first.failure === null ? (first.data?.next ?? null) : null
  }

  async function grow(): Promise<void> {
    if (!next.value || isGrowing) return
    const mine = turn
    isGrowing = true
    try {
      const page = await read(next.value)
      if (mine !== turn) return
      more.value = [...more.value, ...page.items]
      next.value = page.next
    } catch {
      // Scrolling on tries again.
    } finally {
      isGrowing = false
    }
  }

  function clear(): void {
    first.data = null
    first.failure = null
    more.value = []
    next.value = null
  }

  const items = computed(() => [...(first.data?.items ?? []), ...more.value])
  const hasMore = computed(() => next.value !== null)
  return reactive({ first, items, hasMore, load, grow, clear }) as unknown as List<Item, P>
}
