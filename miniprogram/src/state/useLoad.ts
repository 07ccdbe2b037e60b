/** What a page shows: loading, the answer, the last answer while the network is bad, or why there is none. */
import { computed, reactive, ref, shallowRef } from 'vue'
import { hasCode, wordsOf } from '@/api/errors'
import { words } from '@/words'
import { keepAnswer, keptAnswer } from './storage'

export interface Loaded<T> {
  /** The last answer, or the one kept from an earlier visit; null before the first. */
  data: T | null
  failure: unknown
  readonly isLoading: boolean
  /** There is something to show, and the last try to renew it failed: why; else empty. */
  readonly stale: string
  /** There is nothing to show; in words. */
  readonly failed: string
  load(): Promise<void>
}

/** name: under which the last answer is kept on the phone, for a visit without network. */
export function useLoad<T>(read: () => Promise<T>, name?: () => string): Loaded<T> {
  const data = shallowRef<T | null>(null)
  const failure = shallowRef<unknown>(null)
  const isLoading = ref(false)
  let latest = 0

  async function load(): Promise<void> {
    const mine = (latest += 1)
    isLoading.value = true
    if (name && data.value === null) data.value = keptAnswer<T>(name())
    try {
      const answer = await read()
      if (mine !== latest) return
      data.value = answer
      failure.value = null
      if (name) keepAnswer(name(), answer)
    } catch (error) {
      if (mine === latest) fail(error)
    } finally {
      if (mine === latest) isLoading.value = false
    }
  }

  /** What is there no more is not shown as it was: the page says that it is gone. */
  function fail(error: unknown): void {
    failure.value = error
    if (!hasCode(error, 'not_found')) return
    data.value = null
    if (name) keepAnswer(name(), null)
  }

  const stale = computed(() => {
    if (failure.value === null || data.value === null) return ''
    return hasCode(failure.value, 'no_answer') ? words.stale : words.staleByServer
  })
  const failed = computed(() => (failure.value !== null && data.value === null ? wordsOf(failure.value) : ''))
  return reactive({ data, failure, isLoading, stale, failed, load }) as unknown as Loaded<T>
}
